package query_test

import (
	"fmt"

	"entrepot/privacy"
	"entrepot/sandbox/query"
	"entrepot/sandbox/query/querytest"
)

// computation is what a plan computes from the rows of one relation.
type computation struct {
	from        query.Relation
	expressions []query.Expr
	arguments   []query.Argument // what is added up: at the end, or in a feature
}

// computations lists those of a plan.
func computations(p query.Parts) []computation {
	top := computation{from: p.From}
	if p.Filter != nil {
		top.expressions = append(top.expressions, *p.Filter)
	}
	for _, k := range p.Keys {
		top.expressions = append(top.expressions, k.Expr)
	}
	for _, a := range p.Arguments {
		top.expressions = append(top.expressions, a.Expr)
		if !a.SumUnused {
			top.arguments = append(top.arguments, a)
		}
	}
	return append(within(p.From), top)
}

// within lists what a relation and those below it compute.
func within(r query.Relation) (list []computation) {
	for _, in := range r.Inputs {
		list = append(list, within(in)...)
	}
	if r.Op != query.Select && r.Op != query.PerUnit {
		return list
	}
	own := computation{from: r.Inputs[0]}
	if r.Filter != nil {
		own.expressions = append(own.expressions, *r.Filter)
	}
	for _, c := range r.Columns {
		own.expressions = append(own.expressions, c.Expr)
	}
	for _, f := range r.Features {
		if f.Argument != nil {
			own.expressions = append(own.expressions, *f.Argument)
		}
		if f.Kind == query.FeatureSum || f.Kind == query.FeatureAvg {
			own.arguments = append(own.arguments, query.Argument{Expr: *f.Argument, Lower: f.Lower, Upper: f.Upper, Step: f.Step, Nullable: true})
		}
		for _, o := range f.OrderBy {
			own.expressions = append(own.expressions, o.Expr)
		}
	}
	return append(list, own)
}

// evaluate holds what a plan says of its numbers against rows, by querytest's loops over rows and
// query.Eval: no Number leaves its interval, nothing is NULL that may not be, and what is added up never leaves
// its bounds. It does so by questions of its own: which rows break a promise, and does a sum change when a
// bound is lifted.
func evaluate(p query.Parts, tables querytest.Tables) error {
	for _, c := range computations(p) {
		if broken := c.promises(); len(broken) > 0 {
			any := query.Expr{Op: query.OpOr, Type: query.Bool, Args: broken}
			if n := c.count(any, tables); n > 0 {
				return fmt.Errorf("%d rows of a %s leave an interval or are NULL: %+v", n, c.from.Op, c.which(broken, tables))
			}
		}
		if err := c.bounded(tables); err != nil {
			return err
		}
	}
	return nil
}

// promises are conditions that no row may meet.
func (c computation) promises() (broken []query.Expr) {
	var note func(e query.Expr)
	note = func(e query.Expr) {
		if e.Type == query.Number && e.Op != query.OpLiteral {
			for op, bound := range map[query.Op]float64{query.OpLt: e.Lo, query.OpGt: e.Hi} {
				limit := query.Expr{Op: query.OpLiteral, Type: query.Number, Number: bound}
				broken = append(broken, query.Expr{Op: op, Type: query.Bool, Args: []query.Expr{e, limit}})
			}
		}
		for _, x := range e.Args {
			note(x)
		}
	}
	for _, e := range c.expressions {
		note(e)
	}
	null := func(e query.Expr) query.Expr {
		return query.Expr{Op: query.OpIsNull, Type: query.Bool, Args: []query.Expr{e}}
	}
	for _, a := range c.arguments {
		if !a.Nullable {
			broken = append(broken, null(a.Expr))
		}
	}
	for _, f := range c.from.Fields {
		if !f.Nullable {
			broken = append(broken, null(query.Expr{Op: query.OpColumn, Type: f.Type, Column: f.Name, Num: f.Num, Den: f.Den}))
		}
	}
	return broken
}

// count counts the rows that meet a condition.
func (c computation) count(condition query.Expr, tables querytest.Tables) int {
	return len(querytest.Rows(query.Parts{From: c.from, Filter: &condition}, tables))
}

// which are the conditions that rows meet, for a message.
func (c computation) which(conditions []query.Expr, tables querytest.Tables) (list []query.Expr) {
	for _, b := range conditions {
		if c.count(b, tables) > 0 {
			list = append(list, b)
		}
	}
	return list
}

// bounded adds arguments up over all rows with their bounds, and with either bound lifted: a sum that
// changes has a value beyond.
func (c computation) bounded(tables querytest.Tables) error {
	const far = 1 << 53
	if len(c.arguments) == 0 {
		return nil
	}
	p := query.Parts{From: c.from, Arguments: c.arguments}
	for i := range c.arguments {
		p.Aggregates = append(p.Aggregates, query.Aggregate{Kind: privacy.Sum, Argument: i})
	}
	rows := querytest.Rows(p, tables)
	want := querytest.Aggregate(p, rows)
	for name, lift := range map[string]func(a *query.Argument){
		"lower": func(a *query.Argument) { a.Lower = -far }, "upper": func(a *query.Argument) { a.Upper = far },
	} {
		p.Arguments = append([]query.Argument{}, c.arguments...)
		for i := range p.Arguments {
			lift(&p.Arguments[i])
		}
		got := querytest.Aggregate(p, rows)
		for g := range want {
			for i, tally := range want[g].Arguments {
				if tally.Sum.Cmp(got[g].Arguments[i].Sum) != 0 {
					return fmt.Errorf("an argument leaves its %s bound: %+v", name, c.arguments[i])
				}
			}
		}
	}
	return nil
}
