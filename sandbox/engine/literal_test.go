package engine

import (
	"context"
	"math"
	"math/rand/v2"
	"strings"
	"testing"

	"entrepot/datasets"
	"entrepot/sandbox/query"
	"entrepot/sandbox/query/querytest"
)

// TestNumbersDoNotBind shows what the memory of bound statements rests on: with other numbers of the same types, a
// statement still binds to the same types.
func TestNumbersDoNotBind(t *testing.T) {
	const seed = 20261126
	plans := 150
	if soak() {
		plans = 20_000
	}
	r := rand.New(rand.NewPCG(seed, 2))
	e := open(t, Options{Dir: t.TempDir(), Threads: 1, Timeout: patience})
	changed := 0
	for n := 0; n < plans; {
		schema, err := querytest.Schema(r)
		if err != nil {
			t.Fatal(err)
		}
		tables, mirrors := map[string]datasets.Table{}, map[string]string{}
		for id, table := range schema {
			tables[id], mirrors[id] = datasets.Table{Declaration: table.Declaration}, mirror(table.Declaration)
		}
		g := querytest.NewGenerator(r, schema)
		for range 10 {
			plan, text, _, err := g.Plan()
			if err != nil {
				continue
			}
			n++
			q, err := generate(plan.Parts(), tables, 1<<20)
			if err != nil {
				t.Fatalf("%s: %v", text, err)
			}
			for _, s := range q.statements {
				sql := fill(s.sql, mirrors, everything)
				other := numbers.ReplaceAllStringFunc(sql, func(old string) string { return otherNumber(t, r, old) })
				if withoutNumbers(sql) != withoutNumbers(other) {
					t.Fatalf("numbers are left in\n%s", withoutNumbers(sql))
				}
				if sql == other {
					continue
				}
				changed++
				err := e.run(t.Context(), func(_ context.Context, s2 session) error { return s2.bind(other, s.types) })
				if err != nil {
					t.Errorf("%v in\n%s", err, other)
				}
			}
		}
	}
	if changed < plans/4 {
		t.Errorf("only %d statements have numbers", changed)
	}
}

// otherNumber writes a number of the type that a literal has, often an extreme one.
func otherNumber(t *testing.T, r *rand.Rand, literal string) string {
	t.Helper()
	if strings.HasSuffix(literal, "::INT8)") {
		return integer([]int64{0, 1, -1, math.MinInt64, math.MaxInt64, r.Int64()}[r.IntN(6)])
	}
	sql, err := number([]float64{0, 1, -1, 5e-324, -math.MaxFloat64, math.MaxFloat64, r.NormFloat64()}[r.IntN(7)])
	if err != nil {
		t.Fatal(err)
	}
	return sql
}

// TestKnown shows which questions need no second check: those that differ in numbers only.
func TestKnown(t *testing.T) {
	d := declare(t, 2)
	e := open(t, Options{Dir: t.TempDir(), Threads: 1})
	for _, c := range []struct {
		sql   string
		known int // statements, afterwards
	}{
		{"SELECT COUNT(*) FROM org.people WHERE age > 3", 1},
		{"SELECT COUNT(*) FROM org.people WHERE age > 4", 1},
		{"SELECT COUNT(*) FROM org.people WHERE age > -40000", 1},
		{"SELECT COUNT(*) FROM org.people WHERE age < 3", 2},
		{"SELECT COUNT(*) FROM org.people WHERE amount > 3", 3},
		{"SELECT COUNT(*) FROM org.people WHERE amount > 3.25", 3},
		{"SELECT COUNT(*) FROM org.people WHERE tag = 'a'", 4},
		{"SELECT COUNT(*) FROM org.people WHERE tag = '(1e+00)'", 5},
	} {
		if err := e.Check(t.Context(), plan(t, d, c.sql, query.Bounds{}), empty(d)); err != nil {
			t.Fatalf("%s: %v", c.sql, err)
		}
		if len(e.bound) != c.known {
			t.Errorf("after %s %d statements are known, not %d", c.sql, len(e.bound), c.known)
		}
	}
}
