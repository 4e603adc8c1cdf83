package query

import (
	"slices"
	"strings"

	pg "github.com/pganalyze/pg_query_go/v6"

	"entrepot/privacy"
)

// having lowers the condition on released values.
func (p *planner) having(st *pg.SelectStmt) error {
	if st.GetHavingClause() == nil {
		return nil
	}
	c := p.keys("HAVING")
	byKey := c.column
	c.column = func(name string, at int32) (term, error) {
		if p.key(name) < 0 {
			for _, o := range p.parts.Outputs {
				if o.Name == name {
					return p.released(Released{Key: o.Key, Aggregate: o.Aggregate}, at), nil
				}
			}
		}
		return byKey(name, at)
	}
	c.aggregate = func(f call) (term, error) {
		i, err := p.aggregate(f)
		if err != nil {
			return term{}, err
		}
		return p.released(Released{Key: -1, Aggregate: i}, f.at), nil
	}
	t, err := c.lower(st.GetHavingClause())
	if err != nil {
		return err
	}
	if t, err = c.boolean(t, "HAVING"); err != nil {
		return err
	}
	p.parts.Having = &t.expr
	return p.grow(t)
}

// orderBy resolves the order of the answer.
func (p *planner) orderBy(st *pg.SelectStmt) error {
	for _, n := range st.GetSortClause() {
		by := n.GetSortBy()
		at := locate(by.GetNode(), nowhere)
		switch {
		case by.GetSortbyDir() == pg.SortByDir_SORTBY_USING:
			return p.refuse(at, "write ASC or DESC", "ORDER BY … USING is not supported")
		case by.GetSortbyNulls() == pg.SortByNulls_SORTBY_NULLS_FIRST:
			return p.refuse(at, "leave it out", "NULLS FIRST is not supported: NULL comes last")
		}
		r, err := p.orderTerm(by.GetNode(), at)
		if err != nil {
			return err
		}
		if !slices.ContainsFunc(p.parts.OrderBy, func(o Order) bool { return o.Released == r }) {
			descending := by.GetSortbyDir() == pg.SortByDir_SORTBY_DESC
			p.parts.OrderBy = append(p.parts.OrderBy, Order{Released: r, Descending: descending})
		}
	}
	return nil
}

// orderTerm resolves one term: a position, a name of the SELECT list, a key, or an aggregate.
func (p *planner) orderTerm(n *pg.Node, at int32) (Released, error) {
	if position, ok := n.GetAConst().GetVal().(*pg.A_Const_Ival); ok {
		i := int(position.Ival.GetIval())
		if i < 1 || i > len(p.parts.Outputs) {
			return Released{}, p.refuse(at, "count the SELECT list from 1", "there is no column %d in the SELECT list", i)
		}
		return Released{Key: p.parts.Outputs[i-1].Key, Aggregate: p.parts.Outputs[i-1].Aggregate}, nil
	}
	if fields := n.GetColumnRef().GetFields(); len(fields) == 1 { // names of the SELECT list come first, as in PostgreSQL
		for _, o := range p.parts.Outputs {
			if o.Name == word(fields[0]) {
				return Released{Key: o.Key, Aggregate: o.Aggregate}, nil
			}
		}
	}
	switch {
	case n.GetColumnRef() != nil:
		t, err := p.keys("ORDER BY").lower(n)
		if err != nil {
			return Released{}, err
		}
		return *t.expr.Released, nil
	case n.GetFuncCall() != nil:
		f, err := p.rows("", "").call(n.GetFuncCall())
		if err != nil {
			return Released{}, err
		}
		if isAggregate(f.name) {
			i, err := p.aggregate(f)
			return Released{Key: -1, Aggregate: i}, err
		}
	}
	return Released{}, p.refuse(at, "order by a column of the SELECT list, a GROUP BY column or an aggregate", "ordering by an expression is not supported")
}

// limit reads LIMIT.
func (p *planner) limit(st *pg.SelectStmt) error {
	n := st.GetLimitCount()
	if n == nil || n.GetAConst().GetIsnull() { // LIMIT ALL
		return nil
	}
	count, ok := n.GetAConst().GetVal().(*pg.A_Const_Ival)
	if !ok || count.Ival.GetIval() < 1 {
		return p.refuse(locate(n, nowhere), "write LIMIT and a number from 1 to 2147483647", "this LIMIT is not supported")
	}
	rows := int64(count.Ival.GetIval())
	p.parts.Limit = &rows
	return nil
}

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
		aggregates[i] = Aggregate{Kind: a.Kind, Argument: moved[a.Argument]}
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
	p.parts.Columns = columns(p.parts)
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

// columns are the stored columns that a plan reads, sorted.
func columns(p Parts) []string {
	names := []string{}
	var walk func(e Expr)
	walk = func(e Expr) {
		if e.Op == OpColumn {
			names = append(names, e.Column)
		}
		for _, a := range e.Args {
			walk(a)
		}
	}
	if p.Filter != nil {
		walk(*p.Filter)
	}
	for _, a := range p.Arguments {
		walk(a.Expr)
	}
	for _, k := range p.Keys {
		names = append(names, k.Column)
	}
	slices.Sort(names)
	return slices.Compact(names)
}
