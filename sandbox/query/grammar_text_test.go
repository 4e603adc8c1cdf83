package query_test

import (
	_ "embed"
	"fmt"
	"math/rand/v2"
	"regexp"
	"strings"
)

var (
	//go:embed testdata/keywords.txt
	keywordList string
	//go:embed testdata/functions.txt
	functionList string
)

const (
	operatorList = "+ - * / % ^ = <> != < <= > >= || && & | # ~ !~ ~* !~* ~~ !~~ ~~* << >> @> <@ ?| ?& -> ->> #> #>> @@ @? |/ ||/ !! :: . , ( ) [ ] ; : $1 ? @ <-> <=> " +
		"<< &< &> -|- *= := => .. ^@ ~>=~ ~<~"
	typeList = "text int bigint smallint numeric real boolean date timestamp timestamptz time interval bytea json jsonb uuid xml regclass oid name money bit varchar(3) " +
		"numeric(3,1) int[] record anyelement double_precision tsvector inet point"
	// hiddenList are names that engines, canonical texts and files use, and that no question may reach.
	hiddenList = "_unit _rank _ord _u _f0 _k0 _a0 _x0 _g0 _one _l _r t1 t2 t1.id f1 g1 ctid xmin xmax tableoid cmin oid rowid row_number file_row_number filename id student world pg_class " +
		"pg_catalog.pg_tables information_schema.tables org.visits org.people org.shops org.regions org.nothing sqlite_master"
)

// mutator changes texts token by token.
type mutator struct {
	*rand.Rand
	words  []string // key words, functions, operators, types and hidden names of PostgreSQL and DuckDB
	others []string // texts to take parts of
}

func newMutator(r *rand.Rand) *mutator {
	m := &mutator{Rand: r}
	for _, list := range []string{keywordList, functionList, operatorList, typeList, hiddenList} {
		m.words = append(m.words, strings.Fields(list)...)
	}
	return m
}

// tokenForm splits a text without loss, whatever it holds.
var tokenForm = regexp.MustCompile(`(?s)'(?:[^']|'')*'|"[^"]*"|[A-Za-z_][A-Za-z0-9_]*|[0-9]+(?:\.[0-9]+)?|\s+|[<>=!|:]+|.`)

func split(text string) []string { return tokenForm.FindAllString(text, -1) }

// keep remembers a text as material.
func (m *mutator) keep(text string) {
	const most = 64
	if len(m.others) < most {
		m.others = append(m.others, text)
		return
	}
	m.others[m.IntN(most)] = text
}

func (m *mutator) pick(of ...string) string { return of[m.IntN(len(of))] }

// at is the index of a token that is no space.
func (m *mutator) at(tokens []string) int {
	for range 8 {
		if i := m.IntN(len(tokens)); strings.TrimSpace(tokens[i]) != "" {
			return i
		}
	}
	return m.IntN(len(tokens))
}

// mutate applies one to three changes.
func (m *mutator) mutate(text string) string {
	for range 1 + m.IntN(3)*m.IntN(2) {
		if tokens := split(text); len(tokens) > 0 {
			text = m.change(text, tokens)
		}
	}
	return text
}

// change applies one change.
func (m *mutator) change(text string, tokens []string) string {
	i, j := m.at(tokens), m.at(tokens)
	i, j = min(i, j), max(i, j)
	switch m.IntN(16) {
	case 0: // deletion
		tokens[i] = ""
	case 1:
		if j-i < 12 {
			tokens = append(tokens[:i:i], tokens[j:]...)
		}
	case 2: // duplication
		tokens[i] += " " + tokens[i]
	case 3: // swap
		tokens[i], tokens[j] = tokens[j], tokens[i]
	case 4, 5: // replacement, also by a token of its own
		tokens[i] = m.pick(m.words[m.IntN(len(m.words))], m.words[m.IntN(len(m.words))], tokens[j], tokens[j])
	case 6:
		tokens[i] = m.words[m.IntN(len(m.words))] + "(" + tokens[i] + ")"
	case 7: // insertion
		tokens[i] += " " + m.pick(m.words[m.IntN(len(m.words))], tokens[j]) + " "
	case 8, 9: // a splice with another text
		other := split(m.others[m.IntN(len(m.others))])
		k := m.at(other)
		tokens = append(tokens[:i:i], other[k:min(len(other), k+1+m.IntN(20))]...)
		tokens = append(tokens, split(text)[j:]...)
	case 10, 11:
		return m.nest(text, tokens, i)
	case 12:
		return m.foreign(text, tokens, i)
	case 13, 14: // a privacy ID, or another hidden name, in the place of a name
		for k := range tokens {
			if n := (i + k) % len(tokens); tokens[n][0]|0x20 >= 'a' && tokens[n][0]|0x20 <= 'z' && tokens[n] != strings.ToUpper(tokens[n]) {
				tokens[n] = m.pick("id", "student", "id", "student", tokens[j], m.hidden())
				break
			}
		}
	default:
		return m.bytes(text)
	}
	return strings.Join(tokens, "")
}

func (m *mutator) hidden() string {
	list := strings.Fields(hiddenList)
	return list[m.IntN(len(list))]
}

// nest puts a text, or a token of it, into something.
func (m *mutator) nest(text string, tokens []string, i int) string {
	other := m.others[m.IntN(len(m.others))]
	switch m.IntN(10) {
	case 0:
		return "SELECT COUNT(*) AS n FROM (" + text + ") AS t"
	case 1:
		return "WITH w AS (" + text + ") SELECT " + m.pick("COUNT(*)", "*", "a0", "SUM(a0)", "k0, COUNT(*)") + " FROM w" + m.pick("", " GROUP BY k0", " GROUP BY 1")
	case 2:
		return text + m.pick(" UNION ALL ", " UNION ", " EXCEPT ", " INTERSECT ", "; ", " ; -- ") + other
	case 3:
		return "SELECT id, COUNT(*) AS n FROM (" + text + ") t JOIN (" + other + ") u USING (id) GROUP BY id"
	case 4:
		tokens[i] = "(" + m.pick(text, other, "SELECT "+tokens[i], "SELECT id FROM org.people") + ")"
	case 5:
		n := 1 + m.IntN(150)
		tokens[i] = strings.Repeat("(", n) + tokens[i] + strings.Repeat(")", n)
	case 6:
		tokens[i] = strings.Repeat(m.pick("NOT ", "- ", "ABS(", "CASE WHEN TRUE THEN ", "COALESCE(", "1 + ", "(SELECT "), 1+m.IntN(130)) + tokens[i]
	case 7:
		tokens[i] = m.pick("EXISTS ", "ANY ", "id IN ", "ALL ", "LATERAL ", "ARRAY", "ROW") + "(" + m.pick(other, tokens[i]) + ")"
	case 8:
		tokens[i] = m.pick("(%s).*", "%s.*", "(%s)[1]", "(%s).id", "%s OVER ()", "%s FILTER (WHERE id = 'a')", "%s WITHIN GROUP (ORDER BY id)", "%s::text", "CAST(%s AS text)", "%s COLLATE \"C\"", "%s AT TIME ZONE 'UTC'")
		if strings.Contains(tokens[i], "%s") {
			tokens[i] = fmt.Sprintf(tokens[i], m.pick("id", "t1", "k0", "region"))
		}
	default:
		return "SELECT " + m.pick("id", "x.*", "x", "id AS region, COUNT(*)", "DISTINCT id", "MIN(id)", "COUNT(DISTINCT id)") + " FROM (" + m.pick(text, "SELECT * FROM org.visits") + ") x"
	}
	return strings.Join(tokens, "")
}

// foreign puts comments, quotes and characters beyond ASCII in.
func (m *mutator) foreign(text string, tokens []string, i int) string {
	quoted := strings.ReplaceAll(tokens[i], "'", "''")
	tokens[i] = m.pick(
		tokens[i]+"/* ; */", tokens[i]+"/*", tokens[i]+" -- \n", tokens[i]+" --", "/* /* */ "+tokens[i]+" */", "*/"+tokens[i],
		"'"+quoted+"'", "'"+tokens[i], tokens[i]+"'", "E'"+quoted+"\\x41'", "E'\\000'", "U&'\\0041"+quoted+"'", "U&\"\\0069d\"", "U&'\\D800'", "$$"+tokens[i]+"$$", "$a$"+tokens[i]+"$b$",
		"\""+tokens[i]+"\"", "\""+tokens[i], "\"\"", "\" id\"", "\"ID\"", "`"+tokens[i]+"`", "B'101'", "X'1F'", "N'"+quoted+"'", "[1]",
		"ıd", "\u200bid", "ｉｄ", "i\u0307d", "\u202e"+tokens[i], "\ufeff"+tokens[i], "\u00a0", "；", "＇", "한국", "\U0001F468\u200d\U0001F469", tokens[i]+"\x00", "\xff"+tokens[i], "\xed\xa0\x80",
		strings.Repeat(tokens[i]+" ", 1+m.IntN(60)), "'"+strings.Repeat("x", m.IntN(5000))+"'", "1e308", "1e-320", "9223372036854775808", "0x1F", "1_000", ".5", "'NaN'::float8", "'Infinity'",
		tokens[i]+"\n\n\t\r", "\r", "\v",
	)
	return strings.Join(tokens, "")
}

// bytes changes a text without regard to tokens.
func (m *mutator) bytes(text string) string {
	i, j := m.IntN(len(text)), m.IntN(len(text))
	i, j = min(i, j), max(i, j)
	switch m.IntN(4) {
	case 0:
		return text[:j]
	case 1:
		return text[j:] + text[:i]
	case 2:
		return text[:i] + string(rune(m.IntN(0x3000))) + text[i:]
	}
	return text[:i] + string([]byte{byte(m.IntN(256))}) + text[i+1:]
}
