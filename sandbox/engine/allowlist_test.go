package engine

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"regexp"
	"slices"
	"strings"
	"testing"

	"entrepot/datasets"
	"entrepot/sandbox/query"
	"entrepot/sandbox/query/querytest"
)

// What generated SQL may hold outside of literals and quoted names, all of it. A word that is not here
// reaches no database; one that no question uses any more fails the test, too.
const (
	allowedWords = `SELECT FROM WHERE AS ON AND OR NOT IN IS NULL LIKE CASE WHEN THEN ELSE END BETWEEN JOIN LEFT UNION ALL GROUP BY ORDER ASC DESC NULLS LAST
		LIMIT DISTINCT OVER PARTITION TRUE FALSE INTERVAL lambda _x`
	allowedTypes     = "DOUBLE BIGINT HUGEINT INTEGER VARCHAR BOOLEAN DATE TIMESTAMP INT8 BLOB"
	allowedFunctions = `count sum min max first bool_or bool_and row_number dense_rank abs round floor ceil coalesce nullif translate trim length list_contains list_transform
		regexp_full_match date_trunc dayofweek year quarter month day hour minute second week epoch_us CAST TRY_CAST unnest read_parquet`
	allowedSigns = "( ) [ ] , . + - * / // = <> < <= > >= || :: : $1 $2 $3 $4"
	// Options of read_parquet and the columns of files that engines use without quotes.
	allowedNames = "hive_partitioning _ord _rank _unit"
)

// generatedName is a column or an alias that generated SQL makes up itself.
var generatedName = regexp.MustCompile(`^_(u|l|r|n|m|p|one|rows|[kadxgfcsq]\d+|y\d+_\d+)$`)

// Literals of generated SQL that come from no question.
var ownLiteral = regexp.MustCompile(`^(abcdefghijklmnopqrstuvwxyz|ABCDEFGHIJKLMNOPQRSTUVWXYZ| |-\.||0001|\[0-9\]\{4\}-\[0-9\]\{2\}-\[0-9\]\{2\}|-\?\[0-9\]\{1,15\}\(\[\.\]\[0-9\]\{1,14\}\)\?|` +
	`-?\d+|-?\d+ (month|day|second)|year|quarter|month|week|day|hour|minute|(\\x[0-9a-f]{2}){1,4}|\d{4}-\d{2}-\d{2}( \d{2}:\d{2}:\d{2}(\.\d{6})?)?)$`)

// token is one token of SQL: a word, a sign, a number, a literal (decoded) or a quoted name (decoded).
type token struct{ kind, text string }

// tokens splits SQL by DuckDB's rules for plain quoting, and refuses all that has rules of its own:
// comments, dollar quotes, prefixed strings, backticks, several statements, characters beyond ASCII.
func tokens(sql string) (list []token, err error) {
	word := regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_]*`)
	number := regexp.MustCompile(`^[0-9]+(\.[0-9]+)?(e[+-]?[0-9]+)?`)
	sign := regexp.MustCompile(`^(//|<>|<=|>=|\|\||::|\$[0-9]+|[()\[\],.+*/=<>:-])`)
	for rest := sql; rest != ""; {
		kind, text := "", ""
		switch c := rest[0]; {
		case c == ' ':
			rest = rest[1:]
			continue
		case strings.HasPrefix(rest, "--") || strings.HasPrefix(rest, "/*"):
			return nil, fmt.Errorf("a comment at %.40q", rest)
		case c == '\'' || c == '"':
			raw, inner, ok := quoted(rest)
			if !ok || strings.ContainsRune(inner, 0) {
				return nil, fmt.Errorf("a quote without end, or NUL in it, at %.40q", rest)
			}
			if n := len(list); n > 0 && list[n-1].kind != "sign" && !strings.HasSuffix(sql[:len(sql)-len(rest)], " ") {
				return nil, fmt.Errorf("a quote after %q", list[n-1].text)
			}
			list, rest = append(list, token{map[byte]string{'\'': "literal", '"': "name"}[c], inner}), rest[len(raw):]
			if rest != "" && word.MatchString(rest) {
				return nil, fmt.Errorf("a quote before %.40q", rest)
			}
			continue
		default:
			for k, form := range map[string]*regexp.Regexp{"word": word, "number": number, "sign": sign} {
				if m := form.FindString(rest); m != "" {
					kind, text = k, m
				}
			}
		}
		if text == "" {
			return nil, fmt.Errorf("an odd sign at %.40q", rest)
		}
		list, rest = append(list, token{kind, text}), rest[len(text):]
	}
	return list, nil
}

// quoted reads what stands in quotes of the kind that it begins with; a doubled one is one.
func quoted(sql string) (raw, inner string, ok bool) {
	q := sql[0]
	for i := 1; i < len(sql); i++ {
		if sql[i] != q {
			continue
		}
		if i+1 < len(sql) && sql[i+1] == q {
			i++
			continue
		}
		raw = sql[:i+1]
		return raw, strings.ReplaceAll(sql[1:i], string([]byte{q, q}), string([]byte{q})), true
	}
	return "", "", false
}

// allowed is what SQL may hold, and what of it was seen.
type allowed struct {
	words map[string]bool // seen
}

func newAllowed() *allowed {
	a := &allowed{map[string]bool{}}
	for w := range strings.FieldsSeq(strings.Join([]string{allowedWords, allowedTypes, allowedFunctions, allowedSigns, allowedNames}, " ")) {
		a.words[w] = false
	}
	return a
}

// check returns what in a statement is not allowed. Texts are those that the plan itself holds.
func (a *allowed) check(sql string, names, texts []string) error {
	list, err := tokens(sql)
	if err != nil {
		return err
	}
	functions := strings.Fields(allowedFunctions)
	for i, t := range list {
		called := i+1 < len(list) && list[i+1].text == "(" && list[i+1].kind == "sign"
		switch t.kind {
		case "name":
			if !slices.Contains(names, t.text) {
				return fmt.Errorf("the quoted name %q", t.text)
			}
		case "literal":
			if !ownLiteral.MatchString(t.text) && !slices.Contains(texts, t.text) {
				return fmt.Errorf("the literal %q", t.text)
			}
		case "word", "sign":
			if _, ok := a.words[t.text]; !ok && !generatedName.MatchString(t.text) {
				return fmt.Errorf("%q", t.text)
			} else if ok {
				a.words[t.text] = true
			}
			if t.kind == "word" && slices.Contains(functions, t.text) != (called && !slices.Contains(strings.Fields(allowedWords), t.text)) && !a.type_(t.text) {
				return fmt.Errorf("%q is called, or is not", t.text)
			}
		}
	}
	return nil
}

// type_ tells whether a word is the name of a type.
func (a *allowed) type_(word string) bool { return slices.Contains(strings.Fields(allowedTypes), word) }

// textsOf are the texts in a plan: literals, patterns and values of domains. Dates are written as DuckDB does.
func textsOf(p query.Parts) (list []string) {
	var note func(v any)
	note = func(v any) {
		switch v := v.(type) {
		case map[string]any:
			for _, x := range v {
				note(x)
			}
		case []any:
			for _, x := range v {
				note(x)
			}
		case string:
			list = append(list, v)
		}
	}
	b, err := json.Marshal(p)
	if err != nil {
		panic(err)
	}
	var all map[string]any
	if err := json.Unmarshal(b, &all); err != nil {
		panic(err)
	}
	note(all)
	return list
}

// TestAllowedSQL generates the SQL of random questions, without running it, and holds every token against the
// list. One in twenty is bound, too. Hostile texts stand in half of the questions in the place of their own.
func TestAllowedSQL(t *testing.T) {
	const seed = 20261125
	plans := 4000
	if soak() {
		plans = 200_000
	}
	r := rand.New(rand.NewPCG(seed, 1))
	e := open(t, Options{Dir: t.TempDir(), Timeout: patience})
	a := newAllowed()
	statements := 0
	for n := 0; n < plans; {
		schema, err := querytest.Schema(r)
		if err != nil {
			t.Fatal(err)
		}
		tables, paths, mirrors := map[string]datasets.Table{}, map[string]string{}, map[string]string{}
		names := []string{datasets.OrdinalColumn, datasets.RankColumn, datasets.UnitColumn}
		const path = "/data/it's; --/a.parquet"
		for id, table := range schema {
			tables[id] = datasets.Table{Declaration: table.Declaration}
			paths[id], mirrors[id] = parquetRows(path), mirror(table.Declaration)
			for _, c := range table.Declaration.Stored() {
				names = append(names, c.Name)
			}
		}
		g := querytest.NewGenerator(r, schema)
		for range 40 {
			plan, sql, _, err := g.Plan()
			if err != nil {
				continue
			}
			n++
			p := plan.Parts()
			if n%2 == 0 {
				p = hostile(r, p)
			}
			q, err := generate(p, tables, 1<<20)
			if err != nil {
				t.Fatalf("%s: %v", sql, err)
			}
			cuts := slices.Concat([]stretch{everything}, byOrdinal(fileInfo{first: 0, last: 30}, 3), byID(3))
			texts := append(textsOf(p), path)
			for _, s := range q.statements {
				for _, sql := range []string{fill(s.sql, mirrors, everything), fill(s.sql, paths, cuts[r.IntN(len(cuts))])} {
					statements++
					if err := a.check(sql, names, texts); err != nil {
						t.Fatalf("%v in\n%s", err, sql)
					}
				}
			}
			if n%20 < 2 {
				if err := e.check(t.Context(), p, tables); err != nil {
					t.Errorf("%s: %v", sql, err)
				}
			}
		}
	}
	t.Logf("%d statements of %d plans", statements, plans)
	for w, seen := range a.words {
		if !seen {
			t.Errorf("%q is allowed, and nothing needs it", w)
		}
	}
}

// hostile puts texts that try to end a literal in the place of those in a plan's expressions and domains.
func hostile(r *rand.Rand, p query.Parts) query.Parts {
	texts := []string{"'", "''", "'; DROP TABLE x; --", "\\", "\\'", "\\x27", "$$", "/*", "*/", "\"", "E'", "a\nb", "\u2019", "＇", "\U0001F468", "%'", "' OR ''='", "\x1a", "\r", "\ufeff", "');"}
	var change func(e *query.Expr)
	change = func(e *query.Expr) {
		if e.Op == query.OpLiteral && e.Type == query.Text || e.Op == query.OpLike {
			e.Text = texts[r.IntN(len(texts))]
		}
		for i := range e.Args {
			change(&e.Args[i])
		}
	}
	var within func(rel *query.Relation)
	within = func(rel *query.Relation) {
		if rel.Filter != nil {
			change(rel.Filter)
		}
		for i := range rel.Columns {
			change(&rel.Columns[i].Expr)
		}
		for i := range rel.Features {
			if rel.Features[i].Argument != nil {
				change(rel.Features[i].Argument)
			}
		}
		for i := range rel.Inputs {
			within(&rel.Inputs[i])
		}
	}
	within(&p.From)
	if p.Filter != nil {
		change(p.Filter)
	}
	for i := range p.Keys {
		change(&p.Keys[i].Expr)
		for j, v := range p.Keys[i].Domain {
			if _, ok := v.(string); ok && p.Keys[i].Type == datasets.String {
				p.Keys[i].Domain[j] = texts[r.IntN(len(texts))]
			}
		}
	}
	for i := range p.Arguments {
		change(&p.Arguments[i].Expr)
	}
	return p
}
