package query

import (
	pg "github.com/pganalyze/pg_query_go/v6"
)

// selectList resolves the SELECT list: first what is the privacy ID, a group or an aggregate by itself,
// so that fields have the names given, then what is computed from those.
func (u *perUnit) selectList(list []wanted) error {
	u.columns = make([]column, len(list))
	ids := 0
	for i, w := range list {
		c, err := u.direct(w)
		if err != nil {
			return err
		}
		if u.columns[i] = c; c.id {
			ids++
		}
		if ids > 1 {
			return u.refuse(w.at, "select it once", "the privacy ID is selected twice")
		}
	}
	for i := range u.groups {
		g := &u.groups[i]
		if g.name == "" {
			g.name = u.fresh("g", g.own)
		}
	}
	for i, w := range list {
		if u.columns[i].name != "" {
			continue
		}
		t, err := u.checker(false).lower(w.node)
		if err != nil {
			return err
		}
		if err := u.grow(t); err != nil {
			return err
		}
		u.columns[i] = column{name: w.name, term: t, at: w.at}
	}
	return nil
}

// direct resolves an item that is the privacy ID, a group or an aggregate; otherwise the column has no
// name yet.
func (u *perUnit) direct(w wanted) (column, error) {
	if u.scope.isID(w.node) {
		return column{name: w.name, id: true, at: w.at}, nil
	}
	found := false
	c := u.over(u.scope, func(call) (term, error) {
		found = true
		return numberLiteral(w.at, 1), nil
	})
	if t, err := c.lower(w.node); err == nil && !found {
		text := c.show(t)
		for i := range u.groups {
			if g := &u.groups[i]; g.text == text {
				if g.name == "" {
					g.name = w.name
				}
				return column{name: w.name, term: derived(g.term, g.name), at: w.at}, nil
			}
		}
	}
	f := w.node.GetFuncCall()
	if first := u.firstOfArray(w.node); first != nil {
		f = first
	}
	if f == nil {
		return column{}, nil
	}
	called, err := c.call(f)
	if err != nil || !isAggregate(called.name) {
		return column{}, nil // and is refused, if it has to be, by its own clause
	}
	if called.name == "array_agg" && w.node.GetFuncCall() == nil {
		called.name = "first"
	}
	t, err := u.feature(called, w.name)
	return column{name: w.name, term: t, at: w.at}, err
}

// checker is the checker of expressions over the groups and aggregates of one unit.
func (u *perUnit) checker(having bool) *checker {
	var before []string
	c := u.over(u.scope, func(f call) (term, error) { return u.feature(f, "") })
	c.qualifier = func(q []string, _ int32) error {
		before = q
		return nil
	}
	c.column = func(name string, at int32) (term, error) {
		if having && len(before) == 0 && !u.scope.has(name) {
			for _, column := range u.columns {
				if column.name == name && !column.id {
					return column.term, nil
				}
			}
		}
		f, err := u.scope.find(before, name, at)
		if err != nil {
			return term{}, err
		}
		text := c.show(f.term)
		for _, g := range u.groups {
			if g.text == text {
				t := derived(g.term, g.name)
				t.at = at
				return t, nil
			}
		}
		return term{}, u.refuse(at, "write MIN, MAX, SUM, AVG or FIRST(… ORDER BY …) of it, or add it to GROUP BY",
			"%s is not in GROUP BY: one unit may have several values of it", name)
	}
	c.indirection = func(n *pg.A_Indirection) (term, bool, error) { return u.element(c, n) }
	return c
}

// element lowers x[1], where x is ARRAY_AGG.
func (u *perUnit) element(c *checker, n *pg.A_Indirection) (term, bool, error) {
	called := n.GetArg().GetFuncCall()
	if called == nil {
		return term{}, false, nil
	}
	first := u.firstOfArray(&pg.Node{Node: &pg.Node_AIndirection{AIndirection: n}})
	if first == nil {
		return term{}, true, u.refuse(called.GetLocation(), "write (ARRAY_AGG(x ORDER BY …))[1], or LAST(x ORDER BY …)",
			"an element of an array is not supported, unless it is the first of ARRAY_AGG")
	}
	f, err := c.call(first)
	if err != nil {
		return term{}, true, err
	}
	f.name = "first"
	t, err := u.feature(f, "")
	return t, true, err
}

// firstOfArray returns the call of (ARRAY_AGG(x ORDER BY …))[1], or nil.
func (u *perUnit) firstOfArray(n *pg.Node) *pg.FuncCall {
	i := n.GetAIndirection()
	f := i.GetArg().GetFuncCall()
	if len(i.GetIndirection()) != 1 || len(f.GetFuncname()) == 0 || word(f.GetFuncname()[len(f.GetFuncname())-1]) != "array_agg" {
		return nil
	}
	index := i.GetIndirection()[0].GetAIndices()
	if one, ok := index.GetUidx().GetAConst().GetVal().(*pg.A_Const_Ival); !ok || index.GetIsSlice() || one.Ival.GetIval() != 1 {
		return nil
	}
	return f
}

// aggregates tells whether an item of a SELECT list holds an aggregate.
func (p *planner) aggregates(s *scope, targets []*pg.ResTarget) bool {
	found := false
	for _, t := range targets {
		if t.GetVal().GetColumnRef() != nil {
			continue
		}
		c := p.over(s, func(f call) (term, error) {
			found = true
			return numberLiteral(f.at, 1), nil
		})
		c.indirection = func(*pg.A_Indirection) (term, bool, error) {
			found = true
			return numberLiteral(nowhere, 1), true, nil
		}
		_, _ = c.lower(t.GetVal()) // it is lowered again, and refused then
	}
	return found
}
