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
		LIMIT DISTINCT OVER PARTITION TRUE FALSE INTERVAL lambda`
	allowedTypes     = "DOUBLE BIGINT HUGEINT INTEGER VARCHAR BOOLEAN DATE TIMESTAMP INT8 BLOB"
	allowedFunctions = `count sum min max first bool_or bool_and row_number dense_rank abs round floor ceil coalesce nullif translate trim length list_contains list_transform
		regexp_full_match date_trunc dayofweek year quarter month day hour minute second week epoch_us CAST TRY_CAST unnest read_parquet`
	allowedSigns = "( ) [ ] , . + - * / // = <> < <= > >= || :: : $1"
	// Options of read_parquet and the columns of files that engines use without quotes.
	allowedNames = "hive_partitioning false _ord _rank _unit _x"
)

// generatedName is a column, an alias or a further parameter that generated SQL makes up itself.
var generatedName = regexp.MustCompile(`^(_(u|l|r|n|m|p|one|rows|[kadxgfcsq]\d+|y\d+_\d+)|\$([2-9]|[1-9]\d))$`)

// Literals of generated SQL that come from no question.
var ownLiteral = regexp.MustCompile(`^(abcdefghijklmnopqrstuvwxyz|ABCDEFGHIJKLMNOPQRSTUVWXYZ| |-\.||0001|\[0-9\]\{4\}-\[0-9\]\{2\}-\[0-9\]\{2\}|-\?\[0-9\]\{1,15\}\(\[\.\]\[0-9\]\{1,14\}\)\?|` +
	`-?\d+|-?\d+ (month|day|second)|year|quarter|month|week|day|hour|minute|(\\x[0-9a-f]{2}){1,4}|\d{4}-\d{2}-\d{2}( \d{2}:\d{2}:\d{2}(\.\d{6})?)?)$`)

// token is one token of SQL: a word, a sign, a number, a literal (decoded) or a quoted name (decoded).
type token struct{ kind, text string }

var (
	word   = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_]*`)
	digits = regexp.MustCompile(`^[0-9]+(\.[0-9]+)?(e[+-]?[0-9]+)?`)
	sign   = regexp.MustCompile(`^(//|<>|<=|>=|\|\||::|\$[0-9]+|[()\[\],.+*/=<>:-])`)
)

// tokens splits SQL by DuckDB's rules for plain quoting, and refuses all that has rules of its own:
// comments, dollar quotes, prefixed strings, backticks, several statements, characters beyond ASCII.
func tokens(sql string) (list []token, err error) {
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
			for k, form := range map[string]*regexp.Regexp{"word": word, "number": digits, "sign": sign} {
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

// allowed is what SQL may hold, by what it is, and whether it was seen.
type allowed struct {
	kinds map[string]string
	seen  map[string]bool
}

func newAllowed() *allowed {
	a := &allowed{map[string]string{}, map[string]bool{}}
	for kind, list := range map[string]string{"key word": allowedWords, "type": allowedTypes, "function": allowedFunctions, "sign": allowedSigns, "name": allowedNames} {
		for w := range strings.FieldsSeq(list) {
			a.kinds[w] = kind
		}
	}
	return a
}

// check returns what in a statement is not allowed. Names are those of stored columns, texts those that the
// plan itself holds.
func (a *allowed) check(sql string, names, texts []string) error {
	list, err := tokens(sql)
	if err != nil {
		return err
	}
	for i, t := range list {
		ok := true
		switch t.kind {
		case "name":
			ok = slices.Contains(names, t.text)
		case "literal":
			ok = ownLiteral.MatchString(t.text) || slices.Contains(texts, t.text)
		case "word", "sign":
			kind := a.kinds[t.text]
			a.seen[t.text] = true
			called := i+1 < len(list) && list[i+1] == token{"sign", "("}
			switch kind {
			case "":
				ok = generatedName.MatchString(t.text) && !called
			case "function":
				ok = called
			case "type", "name":
				ok = !called
			}
		}
		if !ok {
			return fmt.Errorf("the %s %q", t.kind, t.text)
		}
	}
	return nil
}

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
	plans := 1500
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
			paths[id], mirrors[id] = path, mirror(table.Declaration)
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
			texts := textsOf(p) // without paths: they are parameters
			sources, _ := q.files(paths)
			for _, s := range q.statements {
				for _, sql := range []string{fill(s.sql, mirrors, everything), fill(s.sql, sources, cuts[r.IntN(len(cuts))])} {
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
	for w := range a.kinds {
		if !a.seen[w] {
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

// TestTokens shows that what has no place in generated SQL is found.
func TestTokens(t *testing.T) {
	names, texts := []string{"age"}, []string{"it's"}
	if err := newAllowed().check(`SELECT "age", count(*) FROM (SELECT 'it''s' AS _k0) WHERE _u < 'a'::BLOB`, names, append(texts, "a")); err != nil {
		t.Error(err)
	}
	for _, sql := range []string{
		`SELECT 1; SELECT 2`, `SELECT 1;`, `SELECT 1 -- x`, `SELECT 1 /* x */`, `SELECT 'a`, `SELECT 'it's'`, `SELECT "age`, `SELECT E'it''s'`, `SELECT $$it's$$`, "SELECT `age`",
		"SELECT 'it''s\x00'", `SELECT 'other'`, `SELECT "other"`, `SELECT age`, `SELECT getenv('1')`, `SELECT count`, `SELECT _k0(1)`, `SELECT BIGINT(1)`, `COPY _k0`, `SELECT * EXCLUDE (_k0)`,
		`SELECT 1 ; x`, `SELECT 'it''s'age`, `SELECT 1 % 2`, `SELECT ?`, `SELECT ＇`, `SELECT # 1`, `SELECT TRY(1)`, `SELECT random()`, `SELECT "age""; x"`, `SELECT @1`, `SELECT \`,
		"SELECT\n1", `SELECT read_csv('1')`, `SELECT query('1')`, `SELECT current_setting('1')`, `select 1`,
	} {
		if newAllowed().check(sql, names, texts) == nil {
			t.Errorf("not found: %s", sql)
		}
	}
}
