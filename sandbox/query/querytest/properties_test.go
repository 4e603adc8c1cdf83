package querytest

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"

	"entrepot/sandbox/query"
)

// TestPlansKeepTheirWord evaluates every relation and every expression of random plans, and holds what
// plans say of them against it: rows of a unit and ranks are bounded and distinct, what is not nullable is
// never NULL, Numbers lie within their intervals, arguments within their bounds, and keys within their
// domains where stored values lie within theirs.
func TestPlansKeepTheirWord(t *testing.T) {
	const seed, schemas, perSchema = 20261207, 60, 20
	r := rand.New(rand.NewPCG(seed, 1))
	planned := 0
	for range schemas {
		schema, err := Schema(r)
		if err != nil {
			t.Fatal(err)
		}
		g := NewGenerator(r, schema)
		tables := conforming(Fill(r, schema, 4, 1))
		for range perSchema {
			plan, sql, _, err := g.Plan()
			if err != nil {
				continue
			}
			planned++
			if err := keepsWord(plan.Parts(), tables); err != nil {
				t.Errorf("%s: %v", sql, err)
			}
		}
	}
	if planned < 1000 {
		t.Errorf("only %d questions planned", planned)
	}
}

// conforming replaces what lies outside a declared domain, which counts for no group.
func conforming(tables Tables) Tables {
	for _, t := range tables {
		for _, c := range t.Declaration.Stored() {
			domain := c.DomainValues()
			for _, row := range t.Rows {
				if v := row.Values[c.Name]; len(domain) > 0 && v != nil && !contains(domain, v) {
					row.Values[c.Name] = domain[0]
				}
			}
		}
	}
	return tables
}

// keepsWord checks a whole plan.
func keepsWord(p query.Parts, tables Tables) error {
	if err := relationKeepsWord(p.From, tables); err != nil {
		return err
	}
	rows := relationRows(p.From, tables)
	if err := holds(p.Filter, rows); err != nil {
		return err
	}
	for _, k := range p.Keys {
		if err := holds(&k.Expr, rows); err != nil {
			return err
		}
		for _, t := range rows {
			if v := keyValue(k, t); v != nil && k.Domain != nil && !contains(k.Domain, v) {
				return fmt.Errorf("key %s has the value %v outside its domain of %d", k.Name, v, len(k.Domain))
			}
		}
	}
	for i, a := range p.Arguments {
		if err := holds(&a.Expr, rows); err != nil {
			return err
		}
		for _, t := range rows {
			v, _ := value(a, t)
			if v == nil && !a.Nullable {
				return fmt.Errorf("argument %d is NULL", i)
			}
			if x, ok := v.(float64); ok && !a.SumUnused {
				if n := inSteps(x, a.Step, -1<<62, 1<<62); n < a.Lower || n > a.Upper {
					return fmt.Errorf("argument %d has the value %g, %d steps, outside %d … %d", i, x, n, a.Lower, a.Upper)
				}
			}
		}
	}
	return nil
}

// relationKeepsWord checks a relation and those below it.
func relationKeepsWord(r query.Relation, tables Tables) error {
	var in []tuple
	for _, input := range r.Inputs {
		if err := relationKeepsWord(input, tables); err != nil {
			return err
		}
	}
	if r.Op == query.Select || r.Op == query.PerUnit {
		in = relationRows(r.Inputs[0], tables)
	}
	expressions := []*query.Expr{r.Filter}
	for i := range r.Columns {
		expressions = append(expressions, &r.Columns[i].Expr)
	}
	for i, f := range r.Features {
		expressions = append(expressions, r.Features[i].Argument)
		for j := range f.OrderBy {
			expressions = append(expressions, &f.OrderBy[j].Expr)
		}
	}
	for _, e := range expressions {
		if err := holds(e, in); err != nil {
			return fmt.Errorf("in a %s: %w", r.Op, err)
		}
	}
	return unitsAndFields(r, relationRows(r, tables))
}

// unitsAndFields checks what a relation says of its rows.
func unitsAndFields(r query.Relation, rows []tuple) error {
	count := map[person]int64{}
	ranks := map[person]map[int64]bool{}
	for _, t := range rows {
		for _, f := range r.Fields {
			if v, ok := t.fields[f.Name]; !ok || v == nil && !f.Nullable {
				return fmt.Errorf("a %s: field %s is NULL or missing", r.Op, f.Name)
			}
		}
		if len(r.Units) == 0 {
			continue
		}
		if ranks[t.unit] == nil {
			ranks[t.unit] = map[int64]bool{}
		}
		if t.rank < 1 || t.rank > r.MaxRank || ranks[t.unit][t.rank] {
			return fmt.Errorf("a %s: rank %d of at most %d is taken or out of range", r.Op, t.rank, r.MaxRank)
		}
		ranks[t.unit][t.rank] = true
		count[t.unit]++
	}
	for unit, n := range count {
		i := slices.IndexFunc(r.Units, func(u query.UnitRows) bool { return u.Space == unit.space })
		if i < 0 || n > r.Units[i].Rows {
			return fmt.Errorf("a %s: a unit of %s has %d rows, over %+v", r.Op, unit.space, n, r.Units)
		}
	}
	return nil
}

// holds checks the interval of every Number in an expression.
func holds(e *query.Expr, rows []tuple) error {
	if e == nil {
		return nil
	}
	for _, t := range rows {
		if x, ok := query.Eval(*e, t.field).(float64); ok && !(x >= e.Lo && x <= e.Hi) {
			return fmt.Errorf("%s is %g, outside %g … %g: %+v", e.Op, x, e.Lo, e.Hi, *e)
		}
	}
	for i := range e.Args {
		if err := holds(&e.Args[i], rows); err != nil {
			return err
		}
	}
	return nil
}

// TestBrokenWord breaks what plans say, and shows that each time some plan is found out.
func TestBrokenWord(t *testing.T) {
	all := cases(t, 20261208, 300)
	for name, breaks := range map[string]func(p *query.Parts){
		"bounds of an argument": func(p *query.Parts) {
			for i := range p.Arguments {
				p.Arguments[i].Upper--
			}
		},
		"NULL in an argument": func(p *query.Parts) {
			for i := range p.Arguments {
				p.Arguments[i].Nullable = false
			}
		},
		"the interval of a number": func(p *query.Parts) {
			for i := range p.Arguments {
				p.Arguments[i].Expr.Hi = (p.Arguments[i].Expr.Lo + p.Arguments[i].Expr.Hi) / 2
			}
		},
		"the domain of a key": func(p *query.Parts) {
			for i, k := range p.Keys {
				if len(k.Domain) > 0 {
					p.Keys[i].Domain = k.Domain[1:]
				}
			}
		},
		"rows of a unit":  func(p *query.Parts) { p.From.Units[0].Rows-- },
		"ranks":           func(p *query.Parts) { p.From.MaxRank-- },
		"NULL in a field": func(p *query.Parts) { nullable(&p.From) },
		"ranks of a join": func(p *query.Parts) {
			inputs(&p.From, query.JoinRows, func(r *query.Relation) { r.Inputs[1].MaxRank = 1 })
		},
		"ranks of a branch": func(p *query.Parts) {
			inputs(&p.From, query.Union, func(r *query.Relation) { r.MaxRank = r.Inputs[0].MaxRank })
		},
	} {
		t.Run(name, func(t *testing.T) {
			for i, c := range all {
				tables := conforming(c.whole)
				p := c.parts
				if err := keepsWord(p, tables); err != nil {
					t.Fatalf("%s: %v", c.sql, err)
				}
				p.Keys, p.Arguments = slices.Clone(p.Keys), slices.Clone(p.Arguments)
				p.From.Units, p.From.Inputs = slices.Clone(p.From.Units), slices.Clone(p.From.Inputs)
				if breaks(&p); keepsWord(p, tables) != nil {
					t.Logf("found in plan %d", i+1)
					return
				}
			}
			t.Error("not found")
		})
	}
}

// nullable claims that no field of a relation is NULL.
func nullable(r *query.Relation) {
	r.Fields = slices.Clone(r.Fields)
	for i := range r.Fields {
		r.Fields[i].Nullable = false
	}
}

// inputs changes a relation of one kind.
func inputs(r *query.Relation, op query.RelationOp, change func(*query.Relation)) {
	if r.Op == op {
		change(r)
	}
}
