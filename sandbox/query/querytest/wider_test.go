package querytest

import (
	"fmt"
	"math/rand/v2"
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"

	"entrepot/datasets"
	"entrepot/privacy"
	"entrepot/sandbox/query"
)

// TestWider moves conditions on keys from WHERE to HAVING in random questions: the groups for which HAVING is true
// have the same exact values in the wider question, and there is no other in the narrower one.
func TestWider(t *testing.T) {
	const seed = 20270313
	schemas := 150
	if os.Getenv("ENTREPOT_SOAK") != "" {
		schemas = 3000
	}
	r := rand.New(rand.NewPCG(seed, 11))
	compared, dropped, kept, refused := 0, 0, 0, 0
	for range schemas {
		schema, err := Schema(r)
		if err != nil {
			t.Fatal(err)
		}
		g := NewGenerator(r, schema)
		tables := Fill(r, schema, 6, 1)
		for range 15 {
			w := g.wide()
			if len(w.keys) == 0 {
				continue
			}
			key := "(" + w.keys[g.IntN(len(w.keys))] + ")"
			condition := key + g.pick(" IS NOT NULL", " IS NULL", " = "+key, " <> 'a'", " > 0", " IN (1, 2)", " > 'b'", " > '2020-01-05'", " IS TRUE")
			if before, after, ok := strings.Cut(w.clauses, " WHERE "); ok {
				w.clauses = before + " WHERE (" + after + ") AND " + condition
			} else {
				w.clauses += " WHERE " + condition
			}
			bounds := query.Bounds{}
			if g.chance(15) {
				bounds.MaxRowsPerPartition = 1
			}
			sql := w.sql(upTo(len(w.keys)), upTo(len(w.aggregates)), "")
			plan, err := query.New(sql, schema, bounds)
			if err != nil {
				continue
			}
			wider, ok := plan.Wider()
			if !ok {
				refused++
				continue
			}
			if plan.Basis().Digest == wider.Basis().Digest {
				t.Errorf("%s: the wider question is the same", sql)
			}
			narrow, whole := exactKeys(plan, tables), exactKeys(wider, tables)
			for k, numbers := range whole {
				switch stays := keeps(t, wider, k); {
				case !stays && narrow[k] != "":
					t.Fatalf("%s: the group %s is not dropped from it, and is by HAVING", sql, k)
				case stays && narrow[k] != numbers:
					t.Fatalf("%s: the group %s has %s in it, and %s in the wider one", sql, k, narrow[k], numbers)
				case stays:
					kept++
				default:
					dropped++
				}
			}
			for k := range narrow {
				if whole[k] == "" {
					t.Fatalf("%s: the group %s is in the narrower question only", sql, k)
				}
			}
			compared++
		}
	}
	t.Logf("%d questions with %d groups kept and %d dropped; %d have no wider one", compared, kept, dropped, refused)
	if compared < 200 || kept < 300 || dropped < 200 || refused < 100 {
		t.Error("too few of one kind")
	}
}

// exactKeys is exact, with each group by its key.
func exactKeys(plan query.Plan, tables Tables) map[string]string {
	groups := map[string]string{}
	for _, p := range Evaluate(plan.Parts(), tables) {
		groups[p.Key] = fmt.Sprint(p.Units, p.Rows, Text([]privacy.Partial{p}))
	}
	return groups
}

// keeps tells whether HAVING, which is about keys alone, is true of a group.
func keeps(t *testing.T, plan query.Plan, key string) bool {
	t.Helper()
	p := plan.Parts()
	types := make([]datasets.Type, len(p.Keys))
	for i, k := range p.Keys {
		types[i] = k.Type
	}
	values, err := query.DecodeKey(types, key)
	if err != nil {
		t.Fatal(err)
	}
	return query.Eval(overColumns(*p.Having), func(column string) any {
		i, err := strconv.Atoi(column)
		if err != nil {
			t.Fatal(err)
		}
		if n, ok := values[i].(int64); ok && p.Keys[i].Expr.Type == query.Number {
			return float64(n)
		}
		return values[i]
	}) == true
}

// overColumns turns keys into columns that are named by their place.
func overColumns(e query.Expr) query.Expr {
	if e.Op == query.OpReleased {
		return query.Expr{Op: query.OpColumn, Type: e.Type, Column: strconv.Itoa(e.Released.Key)}
	}
	e.Args = slices.Clone(e.Args)
	for i, a := range e.Args {
		e.Args[i] = overColumns(a)
	}
	return e
}
