package query

import (
	"slices"
	"strings"

	"entrepot/privacy"
)

// settle puts the plan into the one form that its meaning has: aggregates in the order of the SELECT
// list, others after them by their text; arguments in the order in which aggregates use them; columns
// that are still needed.
func (p *planner) settle() {
	var order []int // the new order, as old indices
	for _, o := range p.parts.Outputs {
		if o.Aggregate >= 0 && !slices.Contains(order, o.Aggregate) {
			order = append(order, o.Aggregate)
		}
	}
	shown := len(order)
	for i := range p.parts.Aggregates {
		if !slices.Contains(order, i) {
			order = append(order, i)
		}
	}
	w := writer{&p.parts}
	slices.SortStableFunc(order[shown:], func(i, j int) int {
		return strings.Compare(w.aggregate(p.parts.Aggregates[i]), w.aggregate(p.parts.Aggregates[j]))
	})
	place := make([]int, len(order)) // old index → new index
	aggregates, arguments := make([]Aggregate, len(order)), make([]Argument, 0, len(p.parts.Arguments))
	moved := map[int]int{privacy.NoArgument: privacy.NoArgument}
	for i, old := range order {
		place[old] = i
		a := p.parts.Aggregates[old]
		if _, ok := moved[a.Argument]; !ok {
			moved[a.Argument] = len(arguments)
			arguments = append(arguments, p.parts.Arguments[a.Argument])
		}
		a.Argument = moved[a.Argument]
		aggregates[i] = a
	}
	p.parts.Aggregates, p.parts.Arguments = aggregates, arguments
	for i, o := range p.parts.Outputs {
		if o.Aggregate >= 0 {
			p.parts.Outputs[i].Aggregate = place[o.Aggregate]
		}
	}
	for i, o := range p.parts.OrderBy {
		if o.Released.Aggregate >= 0 {
			p.parts.OrderBy[i].Released.Aggregate = place[o.Released.Aggregate]
		}
	}
	if p.parts.Having != nil {
		having := renumber(*p.parts.Having, place)
		p.parts.Having = &having
	}
	p.prune()
}

// renumber returns a copy of an expression with its aggregates' new indices.
func renumber(e Expr, place []int) Expr {
	if e.Released != nil && e.Released.Aggregate >= 0 {
		e.Released = &Released{Key: -1, Aggregate: place[e.Released.Aggregate]}
	}
	e.Args = slices.Clone(e.Args)
	for i := range e.Args {
		e.Args[i] = renumber(e.Args[i], place)
	}
	return e
}
