package querytest

import (
	"fmt"
	"math/rand/v2"
	"os"
	"reflect"
	"slices"
	"strings"
	"testing"

	"entrepot/privacy"
	"entrepot/sandbox/query"
)

// wide is a random question and what a part of it may be written from.
type wide struct {
	scope            scope
	with, clauses    string
	keys, aggregates []string // k0, k1 …; a0, a1 …
}

func (g *Generator) wide() wide {
	g.with, g.names, g.scans = nil, 0, 0
	w := wide{scope: g.from("", g.IntN(3))}
	for range g.keyCount() {
		w.keys = append(w.keys, g.key(w.scope))
	}
	for range 1 + g.IntN(4) {
		w.aggregates = append(w.aggregates, g.aggregate(w.scope))
	}
	text := g.clauses(w.scope, "")
	w.with, w.clauses, _ = strings.Cut(text, "SELECT  FROM ")
	if !strings.Contains(text, "SELECT  FROM ") {
		panic(text)
	}
	return w
}

// sql asks for keys and aggregates by index, each under its own name.
func (w wide) sql(keys, aggregates []int, tail string) string {
	var list, by []string
	for _, i := range keys {
		list, by = append(list, fmt.Sprintf("%s AS k%d", w.keys[i], i)), append(by, w.keys[i])
	}
	for _, i := range aggregates {
		list = append(list, fmt.Sprintf("%s AS a%d", w.aggregates[i], i))
	}
	text := w.with + "SELECT " + strings.Join(list, ", ") + " FROM " + w.clauses
	if len(by) > 0 {
		text += " GROUP BY " + strings.Join(by, ", ")
	}
	return text + tail
}

// TestSubAnswers draws releases of random questions and answers parts of these from them: fewer aggregates, keys in
// another order, HAVING, ORDER BY, LIMIT and OFFSET. What comes out is what a naive reading of the whole answer
// gives.
func TestSubAnswers(t *testing.T) {
	const seed = 20270312
	schemas := 20
	if os.Getenv("ENTREPOT_SOAK") != "" {
		schemas = 1000
	}
	r := rand.New(rand.NewPCG(seed, 10))
	compared, reordered := 0, 0
	for range schemas {
		schema, err := Schema(r)
		if err != nil {
			t.Fatal(err)
		}
		g := NewGenerator(r, schema)
		tables := Fill(r, schema, 6, 1)
		for range 20 {
			w := g.wide()
			all, err := query.New(w.sql(upTo(len(w.keys)), upTo(len(w.aggregates)), ""), schema, query.Bounds{})
			if err != nil || len(all.Parts().Keys) < len(w.keys) { // the same key twice is one
				continue
			}
			whole, kept, ok := released(t, g, all, tables)
			if !ok {
				continue
			}
			for range 4 {
				n := g.narrow(w)
				part, err := query.New(n.sql, schema, query.Bounds{})
				if err != nil {
					continue // keys in another order may be listed no more, or not yet
				}
				a, b := all.Basis(), part.Basis()
				if a.Digest != b.Digest {
					if all.Parts().PublicKeys != nil == (part.Parts().PublicKeys != nil) {
						t.Errorf("%s\n%s\nare of two bases", all.Canonical(), n.sql)
					}
					continue
				}
				place, ok := b.Place(a.Keys, a.Aggregates)
				if !ok {
					t.Fatalf("%s\nhas no place in\n%s", n.sql, all.Canonical())
				}
				got, err := part.FinishKept(kept, place)
				if err != nil {
					t.Fatalf("%s: %v", n.sql, err)
				}
				if want := n.naive(whole, part); !reflect.DeepEqual(got.Rows, want) {
					t.Fatalf("%s\nof\n%s\nis\n%v\nwant\n%v\nof\n%v", n.sql, all.Canonical(), got.Rows, want, whole)
				}
				compared++
				if !slices.IsSorted(n.keys) {
					reordered++
				}
			}
		}
	}
	t.Logf("%d parts, %d with keys in another order", compared, reordered)
	if compared < 200 || reordered < 40 {
		t.Error("too few")
	}
}

func upTo(n int) []int {
	list := make([]int, n)
	for i := range list {
		list[i] = i
	}
	return list
}

// released draws the release of a plan and returns its whole answer, and the release as it is kept; false where the
// question cannot be answered.
func released(t *testing.T, g *Generator, plan query.Plan, tables Tables) (query.Result, []byte, bool) {
	q, err := plan.Question(g.Loss(plan.Parts()), nil, 1)
	if err != nil {
		t.Fatal(err)
	}
	if q.Partitions.Keys == nil {
		q.Loss.Delta = privacy.OneDelta / 5 // small groups appear
	}
	spec, err := privacy.NewSpec(q)
	if err != nil || len(q.Partitions.Keys) > 500 {
		return query.Result{}, nil, false
	}
	release, err := privacy.Run(spec, privacy.NewPartials(spec.Shape(), Evaluate(plan.Parts(), tables)))
	if err != nil {
		t.Fatal(err)
	}
	result, err := plan.Finish(release)
	if err != nil {
		t.Fatal(err)
	}
	return result, query.Keep(release), true
}

// narrow is a part of a question.
type narrow struct {
	keys, aggregates []int
	having, order    int // an aggregate, −1 for none: having is a<i> > 0
	descending       bool
	offset, limit    int // limit 0: none
	sql              string
}

func (g *Generator) narrow(w wide) narrow {
	n := narrow{keys: g.Perm(len(w.keys)), aggregates: g.Perm(len(w.aggregates))[:1+g.IntN(len(w.aggregates))], having: -1, order: -1}
	tail := ""
	if g.chance(50) {
		n.having = g.IntN(len(w.aggregates))
		tail += " HAVING " + w.aggregates[n.having] + " > 0"
	}
	if g.chance(50) {
		n.order, n.descending = g.IntN(len(w.aggregates)), g.chance(50)
		tail += " ORDER BY " + w.aggregates[n.order]
		if n.descending {
			tail += " DESC"
		}
	}
	if g.chance(30) {
		n.limit = 1 + g.IntN(3)
		tail += fmt.Sprint(" LIMIT ", n.limit)
	}
	if g.chance(30) {
		n.offset = g.IntN(3)
		tail += fmt.Sprint(" OFFSET ", n.offset)
	}
	n.sql = w.sql(n.keys, n.aggregates, tail)
	return n
}

// naive answers the part from the whole answer, whose columns are k0, k1 …, a0, a1 …
func (n narrow) naive(whole query.Result, part query.Plan) [][]query.Value {
	column := map[string]int{}
	for i, c := range whole.Columns {
		column[c.Name] = i
	}
	number := func(row []query.Value, aggregate int) float64 {
		switch v := row[column[fmt.Sprint("a", aggregate)]].Value.(type) {
		case int64:
			return float64(v)
		default:
			return v.(float64)
		}
	}
	public := part.Parts().PublicKeys
	type entry struct {
		key string
		row []query.Value
	}
	var list []entry
	for _, row := range whole.Rows {
		if n.having >= 0 && !(number(row, n.having) > 0) {
			continue
		}
		keys := make([]any, len(n.keys))
		for i, k := range n.keys {
			keys[i] = row[column[fmt.Sprint("k", k)]].Value
		}
		list = append(list, entry{query.EncodeKey(keys), row})
	}
	slices.SortFunc(list, func(a, b entry) int {
		if n.order >= 0 {
			x, y := number(a.row, n.order), number(b.row, n.order)
			if x != y {
				if (x < y) != n.descending {
					return -1
				}
				return 1
			}
		}
		if public != nil {
			return slices.Index(public, a.key) - slices.Index(public, b.key)
		}
		return strings.Compare(a.key, b.key)
	})
	list = list[min(n.offset, len(list)):]
	if n.limit > 0 && len(list) > n.limit {
		list = list[:n.limit]
	}
	rows := make([][]query.Value, len(list))
	for i, e := range list {
		for _, k := range n.keys {
			rows[i] = append(rows[i], e.row[column[fmt.Sprint("k", k)]])
		}
		for _, a := range n.aggregates {
			rows[i] = append(rows[i], e.row[column[fmt.Sprint("a", a)]])
		}
	}
	return rows
}
