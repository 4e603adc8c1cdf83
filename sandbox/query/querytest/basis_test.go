package querytest

import (
	"encoding/json"
	"fmt"
	"maps"
	"math/rand/v2"
	"os"
	"slices"
	"strings"
	"testing"

	"entrepot/privacy"
	"entrepot/sandbox/query"
)

// exact is what a plan says of tables, in a form that two plans of one basis share: for each group, with its keys
// in the order of their identities, the exact values of each aggregate, by its identity.
func exact(plan query.Plan, tables Tables) map[string]map[string]string {
	p, b := plan.Parts(), plan.Basis()
	order := make([]int, len(b.Keys))
	for i := range order {
		order[i] = i
	}
	slices.SortFunc(order, func(i, j int) int { return strings.Compare(b.Keys[i], b.Keys[j]) })
	groups := map[string]map[string]string{}
	for _, partial := range Evaluate(p, tables) {
		var values []json.RawMessage
		if err := json.Unmarshal([]byte(partial.Key), &values); err != nil {
			panic(err)
		}
		key := ""
		for _, i := range order {
			key += string(values[i]) + ","
		}
		numbers := map[string]string{}
		if p.PublicKeys == nil { // selection looks at the units
			numbers["units"] = fmt.Sprint(partial.Units)
		}
		for i, a := range p.Aggregates {
			numbers[b.Aggregates[i]] = content(a, partial)
		}
		groups[key] = numbers
	}
	return groups
}

// content is the exact content of a partial that an aggregate is computed from.
func content(a query.Aggregate, p privacy.Partial) string {
	var t privacy.Tally
	if a.Argument != privacy.NoArgument {
		t = p.Arguments[a.Argument]
	}
	switch a.Kind {
	case privacy.Count:
		if a.Argument == privacy.NoArgument {
			return fmt.Sprint(p.Rows)
		}
		return fmt.Sprint(t.NonNull)
	case privacy.CountUnits:
		if a.Argument == privacy.NoArgument {
			return fmt.Sprint(p.Units)
		}
		return fmt.Sprint(t.Units)
	case privacy.CountDistinct:
		return fmt.Sprint(t.Distinct)
	case privacy.Sum:
		return t.Sum.String()
	case privacy.Mean:
		return fmt.Sprint(t.Sum, t.NonNull)
	case privacy.Variance:
		return fmt.Sprint(t.Sum, t.Squares, t.NonNull)
	}
	return fmt.Sprint(t.Leaves)
}

// sameValues compares the exact content of two plans of one digest in every aggregate that both have.
func sameValues(a, b query.Plan, tables Tables) error {
	x, y := exact(a, tables), exact(b, tables)
	both := append(slices.DeleteFunc(a.Basis().Aggregates, func(id string) bool { return !slices.Contains(b.Basis().Aggregates, id) }), "units")
	for key := range x {
		if y[key] == nil {
			return fmt.Errorf("group %s is in one only", key)
		}
		for _, id := range both {
			if x[key][id] != y[key][id] {
				return fmt.Errorf("group %s: %s and %s", key, x[key][id], y[key][id])
			}
		}
	}
	if len(x) != len(y) {
		return fmt.Errorf("%d and %d groups", len(x), len(y))
	}
	return nil
}

// TestBasisIsSound mutates random plans, one place at a time. Where a plan keeps its digest, so do its groups and
// the exact values of the aggregates that keep their identity, on random tables. It counts the mutants that differ
// in some value: each of them would fail the test, did the basis not see the place.
func TestBasisIsSound(t *testing.T) {
	const seed = 20270311
	schemas, perSchema, mutants := 25, 12, 12
	if os.Getenv("ENTREPOT_SOAK") != "" {
		schemas = 1500
	}
	r := rand.New(rand.NewPCG(seed, 9))
	same, moved, differ := 0, 0, 0
	for range schemas {
		schema, err := Schema(r)
		if err != nil {
			t.Fatal(err)
		}
		g := NewGenerator(r, schema)
		tables := []Tables{Fill(r, schema, 5, 1), Fill(r, schema, 4, 1)}
		for range perSchema {
			plan, sql, _, err := g.Plan()
			if err != nil {
				continue
			}
			for range mutants {
				mutant, where, ok := mutate(r, plan)
				if !ok {
					continue
				}
				err, evaluated := compare(plan, mutant, tables)
				switch {
				case !evaluated: // it is no plan that query.New makes
				case plan.Basis().Digest != mutant.Basis().Digest:
					if err != nil {
						differ++
					}
				case err != nil:
					t.Errorf("%s, mutated at %s, keeps its basis: %v", sql, where, err)
				default:
					same++
					if !slices.Equal(plan.Basis().Aggregates, mutant.Basis().Aggregates) {
						moved++
					}
				}
			}
		}
	}
	t.Logf("%d mutants have another basis and other values; %d keep the basis and agree, %d of them with other aggregates", differ, same, moved)
	if differ < 250 || same-moved < 300 || moved < 300 {
		t.Error("too few mutants of one kind")
	}
}

// compare evaluates two plans; it reports false where one of them cannot be.
func compare(a, b query.Plan, tables []Tables) (err error, evaluated bool) {
	defer func() {
		if recover() != nil {
			err, evaluated = nil, false
		}
	}()
	for _, t := range tables {
		if err := sameValues(a, b, t); err != nil {
			return err, true
		}
	}
	return nil, true
}

// mutate changes one place of a plan: an operation, a constant, a column, the order or number of operands, a bound.
func mutate(r *rand.Rand, plan query.Plan) (query.Plan, string, bool) {
	b, err := json.Marshal(plan)
	if err != nil {
		panic(err)
	}
	var tree any
	d := json.NewDecoder(strings.NewReader(string(b)))
	d.UseNumber()
	if err := d.Decode(&tree); err != nil {
		panic(err)
	}
	m := mutator{Rand: r, columns: map[string][]any{}}
	m.collect(tree, "plan")
	if len(m.places) == 0 {
		return query.Plan{}, "", false
	}
	place := m.places[r.IntN(len(m.places))]
	place.change()
	b, err = json.Marshal(tree)
	if err != nil {
		panic(err)
	}
	var mutant query.Plan
	return mutant, place.name, json.Unmarshal(b, &mutant) == nil
}

// mutator finds the places of a plan in JSON that can be changed.
type mutator struct {
	*rand.Rand
	places  []place
	columns map[string][]any // column expressions by type and scale
}

type place struct {
	name   string
	change func()
}

// derived are the parts of a plan that follow from others, or say how an answer is shown: a plan in which they are
// changed alone means nothing.
var derived = []string{"datasets", "outputs", "having", "order_by", "limit", "offset", "public_keys", "units", "max_rank", "fields", "lo", "hi", "num", "den",
	"type", "name", "step", "rank", "id", "columns", "left", "right", "space"}

// siblings are operations that may stand in for each other.
var siblings = [][]string{{"lt", "le", "gt", "ge", "eq", "ne"}, {"and", "or"}, {"add", "sub", "mul", "div"}, {"floor", "ceil", "round", "abs"}, {"lower", "upper", "trim"},
	{"min", "max"}, {"sum", "avg"}, {"any", "all"}, {"first", "last"}, {"year", "quarter", "month", "day"}}

func (m *mutator) collect(v any, path string) {
	switch v := v.(type) {
	case map[string]any:
		if v["op"] == "column" {
			m.column(v, path)
			return
		}
		for _, key := range slices.Sorted(maps.Keys(v)) { // in one order in every run
			child := v[key]
			if key == "columns" { // computed, or grouped by
				m.collect(child, path+".columns")
			}
			if !slices.Contains(derived, key) {
				m.member(v, key, child, path+"."+key)
			}
		}
	case []any:
		for i, child := range v {
			m.collect(child, fmt.Sprintf("%s[%d]", path, i))
		}
	}
}

// column offers another column of the same kind.
func (m *mutator) column(v map[string]any, path string) {
	kind := fmt.Sprint(v["type"], v["num"], v["den"])
	m.columns[kind] = append(m.columns[kind], v["column"])
	m.places = append(m.places, place{path + " column", func() {
		all := m.columns[kind]
		v["column"] = all[m.IntN(len(all))]
	}})
}

// member offers changes of one member of an object.
func (m *mutator) member(of map[string]any, key string, child any, path string) {
	add := func(what string, change func()) { m.places = append(m.places, place{path + " " + what, change}) }
	switch child := child.(type) {
	case json.Number:
		add("more", func() { of[key] = plusOne(child) })
	case bool:
		add("not", func() { of[key] = !child })
	case string:
		for _, family := range siblings {
			if (key == "op" || key == "kind") && slices.Contains(family, child) && !strings.HasPrefix(path, "plan.aggregates") {
				add("sibling", func() { of[key] = family[m.IntN(len(family))] })
			}
		}
		if key == "text" {
			add("text", func() { of[key] = child + "0" })
		}
	case []any:
		if len(child) > 1 {
			add("swap", func() {
				i, j := m.IntN(len(child)), m.IntN(len(child))
				child[i], child[j] = child[j], child[i]
			})
			add("drop", func() { of[key] = child[1:] })
		}
		m.collect(child, path)
		return
	}
	m.collect(child, path)
}

func plusOne(n json.Number) json.Number {
	if i, err := n.Int64(); err == nil {
		return json.Number(fmt.Sprint(i + 1))
	}
	x, _ := n.Float64()
	return json.Number(fmt.Sprint(x + 1))
}
