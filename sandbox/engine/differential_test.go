package engine

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"entrepot/datasets"
	"entrepot/privacy"
	"entrepot/sandbox/query"
)

// catalogue holds one dataset.
type catalogue struct{ d datasets.Declaration }

// Table implements query.Catalogue.
func (c catalogue) Table(org, name string) (query.Table, bool) {
	return query.Table{ID: org + "." + name, Declaration: c.d}, org == "org" && name == "people"
}

// questions makes random SQL text.
type questions struct{ *rand.Rand }

// pick returns one of its arguments.
func (g questions) pick(of ...string) string { return of[g.IntN(len(of))] }

// number writes a numeric expression.
func (g questions) number(depth int) string {
	if depth <= 0 || g.IntN(4) == 0 {
		return g.pick("score", "amount", "ratio", "third", "huge", "age", "score", "2.5", "-3", "0", "0.1", "1000")
	}
	a, b := g.number(depth-1), g.number(depth-1)
	switch g.IntN(13) {
	case 0, 1:
		return "(" + a + g.pick(" + ", " - ", " * ") + b + ")"
	case 2:
		return "(" + a + " / " + b + ")"
	case 3:
		return g.pick("ABS", "ROUND", "FLOOR", "CEIL", "-") + "(" + a + ")"
	case 4, 5:
		return "CLAMP(" + a + ", -100, 250.5)"
	case 6:
		return "CASE WHEN " + g.truth(depth-1) + " THEN " + a + " ELSE " + b + " END"
	case 7:
		return "CASE WHEN " + g.truth(depth-1) + " THEN " + a + " END"
	case 8:
		return "COALESCE(" + a + ", " + b + ")"
	case 9:
		return "NULLIF(" + a + ", " + b + ")"
	case 10:
		return "LENGTH(" + g.text(depth-1) + ")"
	}
	return "EXTRACT(" + g.pick("YEAR FROM day", "MONTH FROM day", "DOW FROM born", "HOUR FROM at", "MINUTE FROM at", "QUARTER FROM at") + ")"
}

// text writes a text expression.
func (g questions) text(depth int) string {
	if depth <= 0 || g.IntN(2) == 0 {
		return g.pick("region", "tag")
	}
	a := g.text(depth - 1)
	return g.pick("LOWER("+a+")", "UPPER("+a+")", "TRIM("+a+")", "COALESCE("+a+", 'none')", "NULLIF("+a+", '')")
}

// truth writes a condition.
func (g questions) truth(depth int) string {
	if depth <= 0 {
		return g.pick("flag", "region = 'north'", "age > 2", "score IS NULL", "tag IN ('a', 'b', '한글')", "code = 9007199254740993", "level <> -7", "amount >= 0")
	}
	switch g.IntN(9) {
	case 0, 1:
		return g.number(depth-1) + g.pick(" < ", " <= ", " > ", " >= ", " = ", " <> ") + g.number(depth-1)
	case 2:
		return g.text(depth-1) + g.pick(" LIKE '%a%'", " LIKE '_'", " LIKE 'so''%'", " = 'north'", " < 'b'", " IN ('', ' ', 'é')", " NOT IN ('a', '동쪽')", " IS NOT NULL")
	case 3:
		return "(" + g.truth(depth-1) + g.pick(" AND ", " OR ") + g.truth(depth-1) + ")"
	case 4:
		return "NOT (" + g.truth(depth-1) + ")"
	case 5:
		return g.number(depth-1) + " BETWEEN -5 AND 100"
	case 6:
		return g.pick("day < DATE '1970-01-02'", "born >= DATE '2001-02-03'", "at <= TIMESTAMP '1970-01-01 00:00:00'", "at IS NULL", "day IN (DATE '2024-02-29')")
	}
	return g.truth(depth - 1)
}

// aggregate writes one aggregate.
func (g questions) aggregate() string {
	x := g.number(2)
	if g.IntN(3) > 0 {
		x = fmt.Sprintf("CLAMP(%s, %d, %d)", x, -g.IntN(50), 1+g.IntN(50))
	}
	return g.pick("COUNT(*)", "COUNT(DISTINCT id)", "SUM(score)", "AVG(score)", "SUM(huge)", "COUNT("+g.pick("tag", "at", "score", "flag")+")",
		"SUM("+x+")", "AVG("+x+")", "COUNT("+x+")", "SUM(third)", "AVG(ratio * 3)")
}

// sql writes a question, and bounds for a table of so many rows per unit.
func (g questions) sql(maxRows int64) (string, query.Bounds) {
	public, private := []string{"region", "age", "level", "flag", "born"}, []string{"tag", "code", "day", "at"}
	var keys []string
	for _, k := range append(public, private...) {
		if g.IntN(6) == 0 {
			keys = append(keys, k)
		}
	}
	out := append([]string{}, keys...)
	for i := range 1 + g.IntN(3) {
		out = append(out, fmt.Sprintf("%s AS a%d", g.aggregate(), i))
	}
	sql := "SELECT " + strings.Join(out, ", ") + " FROM org.people"
	if g.IntN(2) == 0 {
		sql += " WHERE " + g.truth(2)
	}
	if len(keys) > 0 {
		sql += " GROUP BY " + strings.Join(keys, ", ")
	}
	b := query.Bounds{}
	if g.IntN(2) == 0 && len(keys) > 0 {
		b.MaxPartitions = min(maxRows, int64(1+g.IntN(3)))
	}
	if g.IntN(2) == 0 {
		b.MaxRowsPerPartition = min(maxRows, int64(1+g.IntN(3)))
	}
	return sql, b
}

// TestDifferential runs random questions on random tables against loops over the same rows: once
// on one thread, and once on two threads over the rows in another order. All partials are equal, as
// is what Check says.
func TestDifferential(t *testing.T) {
	const seed, tables, perTable, atLeast = 20261122, 30, 37, 1000
	r := rand.New(rand.NewPCG(seed, 2))
	dir := t.TempDir()
	one := open(t, Options{Dir: dir, Threads: 1})
	two := open(t, Options{Dir: dir, Threads: 2})
	g := questions{r}
	tried, ran, nonempty := 0, 0, 0
	seen := map[string]int{}
	for i := range tables {
		d := declare(t, []int{1, 2, 3, 8, 40}[i%5])
		kept := d
		kept.MaxRowsPerUnit += int64(i % 3) // a file may have more rows of a unit than the plan counts
		rows := world(r, kept, []int{0, 1, 7, 60, 25, 3}[i%6])
		sorted, mixed := fmt.Sprintf("%d.parquet", i), fmt.Sprintf("%d-mixed.parquet", i)
		writeRows(t, filepath.Join(dir, sorted), d, rows)
		writeRows(t, filepath.Join(dir, mixed), d, shuffled(r, rows))
		for range perTable {
			sql, bounds := g.sql(d.MaxRowsPerUnit)
			tried++
			plan, err := query.New(sql, catalogue{d}, bounds)
			if err != nil {
				continue // refusals are package query's to test
			}
			ran++
			want := naive(plan.Parts(), rows)
			if len(want) > 0 {
				nonempty++
			}
			note(t, seen, plan.Parts())
			if err := one.Check(t.Context(), plan, d); err != nil {
				t.Fatalf("%s: %v", sql, err)
			}
			for engine, file := range map[*Engine]string{one: sorted, two: mixed} {
				got, err := engine.collect(t.Context(), plan.Parts(), d, file)
				if err != nil {
					t.Fatalf("%s %+v: %v", sql, bounds, err)
				}
				if diff := compare(want, got); diff != "" {
					t.Fatalf("%s %+v, R = %d, on %s (-naive +engine):\n%s", sql, bounds, d.MaxRowsPerUnit, file, diff)
				}
			}
		}
	}
	t.Logf("%d questions of %d tried, %d with groups; %v", ran, tried, nonempty, seen)
	if ran < atLeast || nonempty < atLeast/2 {
		t.Errorf("only %d questions of %d were accepted, %d of them with groups", ran, tried, nonempty)
	}
	for _, s := range []string{"rows", "groups", "both", "neither", "private", "public"} {
		if seen[s] < 20 {
			t.Errorf("%s bounded: %d questions only", s, seen[s])
		}
	}
}

// note counts which steps a plan takes.
func note(t *testing.T, seen map[string]int, p query.Parts) {
	t.Helper()
	s, err := newShape(p)
	if err != nil {
		t.Fatal(err)
	}
	switch {
	case s.limitRows && s.limitParts:
		seen["both"]++
	case s.limitRows:
		seen["rows"]++
	case s.limitParts:
		seen["groups"]++
	default:
		seen["neither"]++
	}
	if p.PublicKeys == nil {
		seen["private"]++
	} else {
		seen["public"]++
	}
}

// compare says how partials differ, "" for not at all.
func compare(want, got []privacy.Partial) string {
	return cmp.Diff(encode(want), encode(got))
}

// encode writes partials as text, so that big integers compare by value.
func encode(groups []privacy.Partial) []string {
	var out []string
	for _, g := range groups {
		b, err := json.Marshal(g)
		if err != nil {
			b = []byte(err.Error())
		}
		out = append(out, string(b))
	}
	return out
}
