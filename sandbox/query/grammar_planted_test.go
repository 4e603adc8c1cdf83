package query_test

import (
	"encoding/json"
	"math/rand/v2"
	"testing"

	"entrepot/privacy"
	"entrepot/sandbox/query"
	"entrepot/sandbox/query/querytest"
)

// planned is a question that was planned.
type planned struct {
	sql    string
	parts  query.Parts
	schema querytest.Tables
	tables querytest.Tables
}

// some plans some questions.
func some(t *testing.T, seed uint64, n int) (list []planned) {
	t.Helper()
	r := rand.New(rand.NewPCG(seed, 1))
	for len(list) < n {
		schema, err := querytest.Schema(r)
		if err != nil {
			t.Fatal(err)
		}
		g, tables := querytest.NewGenerator(r, schema), querytest.Fill(r, schema, 4, 0)
		for range 20 {
			if plan, sql, bounds, err := g.Plan(); err == nil && bounds == (query.Bounds{}) {
				list = append(list, planned{sql, plan.Parts(), schema, tables})
			}
		}
	}
	return list
}

// planOf makes a plan of parts that no planner made.
func planOf(t *testing.T, p query.Parts) (plan query.Plan) {
	t.Helper()
	b, err := json.Marshal(p)
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(b, &plan); err != nil {
		t.Fatal(err)
	}
	return plan
}

// column is an expression of one field.
func column(name string, typ query.Type) query.Expr {
	return query.Expr{Op: query.OpColumn, Type: typ, Column: name}
}

// first changes the first relation of a kind, the top one last.
func first(r *query.Relation, op query.RelationOp, change func(*query.Relation)) bool {
	for i := range r.Inputs {
		if first(&r.Inputs[i], op, change) {
			return true
		}
	}
	if r.Op == op {
		change(r)
		return true
	}
	return false
}

// TestAuditFinds plants faults in plans, most of them a way to raw values, and shows that audit finds each
// in every plan that it can be planted in.
func TestAuditFinds(t *testing.T) {
	all := some(t, 20261123, 100)
	for name, plant := range map[string]func(p *query.Parts) bool{
		"an output of nothing":   func(p *query.Parts) bool { p.Outputs[0].Key, p.Outputs[0].Aggregate = -1, -1; return true },
		"an output beyond":       func(p *query.Parts) bool { p.Outputs[0].Key, p.Outputs[0].Aggregate = len(p.Keys), -1; return true },
		"no partition selection": func(p *query.Parts) bool { was := p.PublicKeys == nil; p.PublicKeys = []string{`["a"]`}; return was },
		"a public group less": func(p *query.Parts) bool {
			p.PublicKeys = p.PublicKeys[:max(1, len(p.PublicKeys))-1]
			return p.PublicKeys != nil
		},
		"a column in HAVING": func(p *query.Parts) bool { e := column("flag", query.Bool); p.Having = &e; return true },
		"a released value in WHERE": func(p *query.Parts) bool {
			p.Filter = &query.Expr{Op: query.OpGt, Type: query.Bool, Args: []query.Expr{
				{Op: query.OpReleased, Type: query.Number, Released: &query.Released{Key: -1}}, {Op: query.OpLiteral, Type: query.Number}}}
			return true
		},
		"the privacy ID as a field": func(p *query.Parts) bool {
			return first(&p.From, query.Scan, func(r *query.Relation) { r.Fields = append(r.Fields, query.Field{Name: r.ID, Type: query.Text}) }) && p.From.Op == query.Scan
		},
		"the unit in a filter": func(p *query.Parts) bool {
			p.Filter = &query.Expr{Op: query.OpEq, Type: query.Bool, Args: []query.Expr{column("_unit", query.Text), {Op: query.OpLiteral, Type: query.Text, Text: "a"}}}
			return true
		},
		"an unknown operation": func(p *query.Parts) bool {
			p.Filter = &query.Expr{Op: "getenv", Type: query.Bool, Args: []query.Expr{{Op: query.OpLiteral, Type: query.Text, Text: "HOME"}}}
			return true
		},
		"two operands too many": func(p *query.Parts) bool {
			yes := query.Expr{Op: query.OpLiteral, Type: query.Bool, Bool: true}
			p.Filter = &query.Expr{Op: query.OpNot, Type: query.Bool, Args: []query.Expr{yes, yes, yes}}
			return true
		},
		"a filter of text": func(p *query.Parts) bool {
			p.Filter = &query.Expr{Op: query.OpLiteral, Type: query.Text, Text: "a"}
			return true
		},
		"a sum without bounds": func(p *query.Parts) bool {
			for _, a := range p.Aggregates {
				if a.Kind == privacy.Sum || a.Kind == privacy.Mean {
					x := &p.Arguments[a.Argument]
					x.SumUnused, x.Lower, x.Upper, x.Step, x.Column = true, 0, 0, privacy.Step{Num: 1, Den: 1}, ""
					return true
				}
			}
			return false
		},
		"bounds that overflow": func(p *query.Parts) bool {
			for i := range p.Arguments {
				if !p.Arguments[i].SumUnused {
					p.Arguments[i].Upper = 1 << 53
					return true
				}
			}
			return false
		},
		"an aggregate of nothing": func(p *query.Parts) bool { p.Aggregates[0].Argument = len(p.Arguments); return true },
		"an unknown aggregate":    func(p *query.Parts) bool { p.Aggregates[0].Kind = "array_agg"; return true },
		"more rows of a unit":     func(p *query.Parts) bool { p.Contribution.MaxRows++; return true },
		"fewer rows in a union": func(p *query.Parts) bool {
			return first(&p.From, query.Union, func(r *query.Relation) { r.Units[0].Rows-- })
		},
		"fewer ranks in a join": func(p *query.Parts) bool {
			return first(&p.From, query.JoinRows, func(r *query.Relation) { r.MaxRank = 0 })
		},
		"a join on part of a key": func(p *query.Parts) bool {
			return first(&p.From, query.JoinRows, func(r *query.Relation) { r.Join.Public, r.Join.Keys = !r.Join.Public, nil })
		},
		"an interval without end":   func(p *query.Parts) bool { return len(p.Arguments) > 0 && lift(&p.Arguments[0].Expr) },
		"another dataset":           func(p *query.Parts) bool { p.Datasets[0].ID = "org.other"; return true },
		"a column that is not read": func(p *query.Parts) bool { p.Datasets[0].Columns = append(p.Datasets[0].Columns, "zone"); return true },
	} {
		t.Run(name, func(t *testing.T) {
			n := 0
			for _, c := range all {
				plan := planOf(t, c.parts)
				if err := audit(plan, c.schema); err != nil {
					t.Fatalf("%s: %v", c.sql, err)
				}
				p := plan.Parts()
				if !plants(plant, &p) {
					continue
				}
				if n++; audit(planOf(t, p), c.schema) == nil {
					t.Errorf("not found in %s", c.sql)
				}
			}
			if n < 5 {
				t.Errorf("planted in %d plans only", n)
			}
		})
	}
}

// plants plants a fault; false where there is no place for it.
func plants(plant func(p *query.Parts) bool, p *query.Parts) bool {
	if len(p.Aggregates) == 0 {
		return false
	}
	return plant(p)
}

// lift takes the upper end of a Number's interval away.
func lift(e *query.Expr) bool {
	e.Hi = 1e301
	return e.Type == query.Number
}

// TestEvaluateFinds breaks what plans say of their numbers, and shows that rows tell for some plan.
func TestEvaluateFinds(t *testing.T) {
	all := some(t, 20261124, 150)
	for name, plant := range map[string]func(p *query.Parts){
		"an upper bound": func(p *query.Parts) {
			for i := range p.Arguments {
				p.Arguments[i].Upper--
			}
		},
		"a lower bound": func(p *query.Parts) {
			for i := range p.Arguments {
				p.Arguments[i].Lower++
			}
		},
		"an interval": func(p *query.Parts) {
			for i := range p.Arguments {
				e := &p.Arguments[i].Expr
				e.Hi = (e.Lo + e.Hi) / 2
			}
		},
		"NULL in an argument": func(p *query.Parts) {
			for i := range p.Arguments {
				p.Arguments[i].Nullable = false
			}
		},
		"NULL in a field": func(p *query.Parts) {
			first(&p.From, p.From.Op, func(r *query.Relation) {
				for i := range r.Fields {
					r.Fields[i].Nullable = false
				}
			})
		},
		"a bound of a feature": func(p *query.Parts) {
			first(&p.From, query.PerUnit, func(r *query.Relation) {
				for i := range r.Features {
					r.Features[i].Upper = r.Features[i].Lower
				}
			})
		},
	} {
		t.Run(name, func(t *testing.T) {
			for i, c := range all {
				p := planOf(t, c.parts).Parts()
				if plant(&p); evaluate(p, c.tables) != nil {
					t.Logf("found in plan %d", i+1)
					return
				}
			}
			t.Error("not found")
		})
	}
	for _, c := range all {
		if err := evaluate(planOf(t, c.parts).Parts(), c.tables); err != nil {
			t.Errorf("%s: %v", c.sql, err)
		}
	}
}
