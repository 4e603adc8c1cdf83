package query

import (
	"strconv"

	pg "github.com/pganalyze/pg_query_go/v6"
)

// grouped is a GROUP BY expression other than the privacy ID.
type grouped struct {
	name string
	text string
	term term
	own  string // its name, where it is a field of the input
}

// wanted is one column that the sub-query asks for.
type wanted struct {
	name string
	node *pg.Node
	at   int32
}

// wanted lists the SELECT list, with * written out.
func (u *perUnit) wanted(targets []*pg.ResTarget, distinct bool) ([]wanted, error) {
	var list []wanted
	for _, target := range targets {
		if !isStar(target) {
			name, err := u.columnName(target)
			if err != nil {
				return nil, err
			}
			list = append(list, wanted{name, target.GetVal(), target.GetLocation()})
			continue
		}
		if !distinct {
			return nil, u.refuse(target.GetLocation(), "name the columns of GROUP BY, and aggregates", "* beside GROUP BY is not supported")
		}
		fields := target.GetVal().GetColumnRef().GetFields()
		columns, err := u.star(u.scope, fields, target.GetLocation())
		if err != nil {
			return nil, err
		}
		for _, c := range columns {
			ref := &pg.ColumnRef{Fields: append(append([]*pg.Node{}, fields[:len(fields)-1]...), pg.MakeStrNode(c.name)), Location: target.GetLocation()}
			list = append(list, wanted{c.name, &pg.Node{Node: &pg.Node_ColumnRef{ColumnRef: ref}}, target.GetLocation()})
		}
	}
	for _, w := range list {
		if u.taken[w.name] {
			return nil, u.refuse(w.at, "name one of them with AS", "two columns of the sub-query have the name %s", w.name)
		}
		u.taken[w.name] = true
	}
	return list, nil
}

// groupBy lowers GROUP BY, which has to hold the privacy ID.
func (u *perUnit) groupBy(st *pg.SelectStmt, targets []*pg.ResTarget, list []wanted, at int32) error {
	var by []wanted
	for _, n := range st.GetGroupClause() {
		by = append(by, wanted{node: n, at: locate(n, at)})
	}
	if distinct := st.GetDistinctClause(); len(distinct) > 0 {
		place := u.after("distinct", at)
		switch {
		case distinct[0].GetNode() != nil:
			return u.refuse(place, "write FIRST(x ORDER BY …) with GROUP BY the privacy ID", "DISTINCT ON is not supported")
		case len(by) > 0 || st.GetHavingClause() != nil || u.aggregates(u.scope, targets):
			return u.refuse(place, "leave DISTINCT out", "DISTINCT beside GROUP BY or aggregates is not supported")
		}
		by = list
	}
	unit := false
	for _, w := range by {
		n, err := u.groupItem(w, list)
		if err != nil {
			return err
		}
		if u.scope.isID(n) {
			unit = true
			continue
		}
		if err := u.group(n, w.at); err != nil {
			return err
		}
	}
	if unit {
		return nil
	}
	hint := "select the privacy ID in the inner sub-query and group by it"
	if id := u.scope.idText(); id != "" {
		hint = "add " + id + " to it, or group at the end of the question"
	}
	return u.refuse(at, hint, "a sub-query with aggregates, GROUP BY or DISTINCT has to group by the privacy ID: rows of several units stay apart until noise is added")
}

// groupItem is the expression that an item of GROUP BY means: itself, or an item of the SELECT list by
// its position or name. A column's own name comes first, as in PostgreSQL.
func (u *perUnit) groupItem(w wanted, list []wanted) (*pg.Node, error) {
	if position, ok := w.node.GetAConst().GetVal().(*pg.A_Const_Ival); ok {
		i := int(position.Ival.GetIval())
		if i < 1 || i > len(list) {
			return nil, u.refuse(w.at, "count the SELECT list from 1", "there is no column %d in the SELECT list", i)
		}
		return list[i-1].node, nil
	}
	if q, name, ok := reference(w.node); ok && len(q) == 0 && !u.scope.has(name) {
		for _, l := range list {
			if l.name == name {
				return l.node, nil
			}
		}
	}
	if w.node.GetGroupingSet() != nil {
		what, hint := unsupported("GroupingSet")
		return nil, u.refuse(w.at, hint, "%s", what+" not supported")
	}
	return w.node, nil
}

// group adds one expression to GROUP BY.
func (u *perUnit) group(n *pg.Node, at int32) error {
	c := u.over(u.scope, u.noAggregate("an aggregate cannot stand in GROUP BY", "group by columns"))
	t, err := c.lower(n)
	switch {
	case err != nil:
		return err
	case t.literal():
		return u.refuse(at, "leave it out", "grouping by a constant changes nothing")
	}
	g := grouped{text: c.show(t), term: t}
	for _, other := range u.groups {
		if other.text == g.text {
			return nil
		}
	}
	if q, name, ok := reference(n); ok {
		if f, err := u.scope.find(q, name, at); err == nil {
			g.own = f.name
		}
	}
	u.groups = append(u.groups, g)
	return u.grow(t)
}

// fresh returns a name that nothing has: the one proposed, or else the prefix with a number.
func (u *perUnit) fresh(prefix, proposed string) string {
	name := proposed
	for i := 1; name == "" || u.taken[name]; i++ {
		name = prefix + strconv.Itoa(i)
	}
	u.taken[name] = true
	return name
}
