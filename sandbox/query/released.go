package query

import (
	"math"
	"slices"

	pg "github.com/pganalyze/pg_query_go/v6"

	"entrepot/privacy"
)

// having lowers the condition on released values.
func (p *planner) having(st *pg.SelectStmt) error {
	if st.GetHavingClause() == nil {
		return nil
	}
	places := map[string]int32{} // where columns stand first
	c := p.rows("", "")
	byName, qualify, before := c.column, c.qualifier, []string(nil)
	c.qualifier = func(q []string, at int32) error {
		before = q
		return qualify(q, at)
	}
	c.column = func(name string, at int32) (term, error) {
		if len(before) == 0 && !p.scope.has(name) {
			for _, o := range p.parts.Outputs {
				if o.Name == name {
					return p.shown(o, at), nil
				}
			}
		}
		t, err := byName(name, at)
		if _, seen := places[t.expr.Column]; !seen {
			places[t.expr.Column] = at
		}
		return t, err
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
	condition, err := p.onKeys(t.expr, places)
	if err != nil {
		return err
	}
	p.parts.Having = &condition
	return p.grow(t)
}

// shown is a column of the answer in HAVING. A key stands for its expression there, as if it were
// written out: what of the condition is a key is for onKeys to say.
func (p *planner) shown(o Output, at int32) term {
	if o.Key < 0 {
		return p.released(Released{Key: o.Key, Aggregate: o.Aggregate}, at)
	}
	t := p.keyTerms[o.Key]
	t.at = at
	return t
}

// onKeys puts keys in the place of the GROUP BY expressions in a condition, the largest first, and
// refuses columns that remain.
func (p *planner) onKeys(e Expr, places map[string]int32) (Expr, error) {
	if i := p.key(e); i >= 0 {
		return p.released(Released{Key: i, Aggregate: -1}, nowhere).expr, nil
	}
	if op, ok := opposite(e.Op); ok { // NOT of a key that compares was turned into the opposite
		not := e
		not.Op = op
		if i := p.key(not); i >= 0 {
			return Expr{Op: OpNot, Type: Bool, Args: []Expr{p.released(Released{Key: i, Aggregate: -1}, nowhere).expr}}, nil
		}
	}
	if e.Op == OpColumn {
		at, ok := places[e.Column]
		if !ok {
			at = nowhere
		}
		return e, p.notKey("HAVING", term{expr: e, at: at})
	}
	e.Args = slices.Clone(e.Args)
	for i := range e.Args {
		var err error
		if e.Args[i], err = p.onKeys(e.Args[i], places); err != nil {
			return e, err
		}
	}
	return e, nil
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
	if n.GetFuncCall() != nil {
		f, err := p.rows("", "").call(n.GetFuncCall())
		if err != nil {
			return Released{}, err
		}
		if isAggregate(f.name) {
			i, err := p.aggregate(f)
			return Released{Key: -1, Aggregate: i}, err
		}
	}
	const hint = "order by a column of the SELECT list, a GROUP BY expression or an aggregate"
	t, err := p.rows("", "").lower(n)
	switch i := p.key(t.expr); {
	case err == nil && i >= 0:
		return Released{Key: i, Aggregate: -1}, nil
	case n.GetColumnRef() != nil && err != nil:
		return Released{}, err
	case n.GetColumnRef() != nil:
		return Released{}, p.notKey("ORDER BY", t)
	}
	return Released{}, p.refuse(at, hint, "ordering by an expression is not supported")
}

// limit reads OFFSET and LIMIT.
func (p *planner) limit(st *pg.SelectStmt) error {
	if n := st.GetLimitOffset(); n != nil {
		count, ok := n.GetAConst().GetVal().(*pg.A_Const_Ival)
		if !ok || count.Ival.GetIval() < 0 {
			return p.refuse(locate(n, nowhere), "write OFFSET and a number from 0 to 2147483647", "this OFFSET is not supported")
		}
		p.parts.Offset = int64(count.Ival.GetIval())
	}
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

// released is a key or an aggregate in HAVING.
func (p *planner) released(r Released, at int32) term {
	t := term{expr: Expr{Op: OpReleased, Released: &r}, at: at, size: 1}
	if r.Key >= 0 {
		key := p.keyTerms[r.Key]
		t.expr.Type, t.nullable = key.expr.Type, key.nullable && p.parts.Keys[r.Key].Domain == nil
		t.lo, t.hi, t.grid, t.least = key.lo, key.hi, key.grid, key.least
		t.expr.Lo, t.expr.Hi = key.expr.Lo, key.expr.Hi
		return t
	}
	// Noisy integers fit int64, whatever their bounds; values are those in steps.
	step := 1.0
	if a := p.parts.Aggregates[r.Aggregate].Argument; a >= 0 && !p.parts.Arguments[a].SumUnused {
		step = math.Max(1, p.parts.Arguments[a].Step.Float(1))
	}
	most := step * (1 << 63)
	if p.parts.Aggregates[r.Aggregate].Kind == privacy.Variance {
		most *= most
	}
	t.expr.Type, t.hi, t.lo = Number, most, -most
	t.expr.Lo, t.expr.Hi = t.lo, t.hi
	return t
}
