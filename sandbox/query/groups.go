package query

import (
	"strings"

	pg "github.com/pganalyze/pg_query_go/v6"
)

// groupBy resolves the keys: expressions over the rows, names of the SELECT list, or positions in it. A
// SELECT DISTINCT groups by all that it lists.
func (p *planner) groupBy(st *pg.SelectStmt) error {
	p.parts.Keys, p.parts.Arguments, p.parts.Aggregates = []Key{}, []Argument{}, []Aggregate{}
	c := p.rows("an aggregate cannot stand in GROUP BY", "group by columns, and ask for aggregates beside them")
	by := st.GetGroupClause()
	if distinct := st.GetDistinctClause(); len(distinct) > 0 {
		switch {
		case distinct[0].GetNode() != nil:
			return p.refuse(p.keyword("distinct"), "use GROUP BY", "DISTINCT ON is not supported")
		case len(by) > 0 || st.GetHavingClause() != nil:
			return p.refuse(p.keyword("distinct"), "leave DISTINCT out: each group is listed once", "SELECT DISTINCT with GROUP BY or HAVING is not supported")
		}
		c = p.rows("an aggregate cannot stand in SELECT DISTINCT", "leave DISTINCT out: each group is listed once")
		for _, n := range st.GetTargetList() {
			by = append(by, n.GetResTarget().GetVal())
		}
	}
	for _, n := range by {
		item, err := p.groupItem(n, st)
		if err != nil {
			return err
		}
		t, err := c.lower(item)
		if err != nil {
			return err
		}
		if err := p.addKey(item, t); err != nil {
			return err
		}
	}
	return nil
}

// groupItem is the expression that one GROUP BY item means.
func (p *planner) groupItem(n *pg.Node, st *pg.SelectStmt) (*pg.Node, error) {
	at, targets := locate(n, nowhere), st.GetTargetList()
	if len(st.GetDistinctClause()) > 0 {
		return n, nil
	}
	if position, ok := n.GetAConst().GetVal().(*pg.A_Const_Ival); ok {
		i := int(position.Ival.GetIval())
		if i < 1 || i > len(targets) {
			return nil, p.refuse(at, "count the SELECT list from 1", "there is no column %d in the SELECT list", i)
		}
		return targets[i-1].GetResTarget().GetVal(), nil
	}
	if fields := n.GetColumnRef().GetFields(); len(fields) == 1 && !p.scope.has(word(fields[0])) {
		for _, t := range targets { // a column's own name comes first, as in PostgreSQL
			if t.GetResTarget().GetName() == word(fields[0]) {
				return t.GetResTarget().GetVal(), nil
			}
		}
	}
	if n.GetGroupingSet() != nil {
		what, hint := unsupported("GroupingSet")
		return nil, p.refuse(at, hint, "%s", what+" not supported")
	}
	return n, nil
}

// addKey adds a GROUP BY expression, once.
func (p *planner) addKey(n *pg.Node, t term) error {
	switch {
	case t.literal():
		return p.refuse(t.at, "leave it out", "grouping by a constant makes one group")
	case p.key(t.expr) >= 0:
		return nil
	}
	domain := t.publicValues(&p.effort)
	if t.expr.Type == Number && domain == nil {
		if err := p.refuseFine(t); err != nil {
			return err
		}
	}
	name := keyName(t.expr)
	if fields := n.GetColumnRef().GetFields(); len(fields) > 0 {
		name = word(fields[len(fields)-1])
	}
	p.parts.Keys = append(p.parts.Keys, Key{Name: name, Expr: t.expr, Type: keyType(t), Domain: domain})
	p.keyTerms = append(p.keyTerms, t)
	return p.grow(t)
}

// refuseFine refuses numbers of which hardly two rows have the same.
func (p *planner) refuseFine(t term) error {
	text := short(writer{&p.parts}.expr(t.expr))
	hint := "group by ranges, as in GROUP BY WIDTH_BUCKET(" + text + ", 0, 100, 10) or FLOOR(" + text + " / 10) * 10"
	switch {
	case t.expr.Op == OpColumn && t.expr.Num != 0:
		return p.refuse(t.at, hint, "%s is a measure with more than %d values: grouping by it is not supported", text, MaxIntegerKey)
	case !t.grid.known() || t.grid.den != 1 && (t.hi-t.lo)*float64(t.grid.den) > MaxGroups*float64(max(t.grid.num, 1)):
		return p.refuse(t.at, hint, "%s has too many values to group by: it is not rounded", text)
	}
	return nil
}

// key is the index of a GROUP BY expression, or -1.
func (p *planner) key(e Expr) int {
	for i, k := range p.parts.Keys {
		if equal(k.Expr, e) {
			return i
		}
	}
	return -1
}

// keyName is the name of a key that the question gives none: the column's, or the function's.
func keyName(e Expr) string {
	switch e.Op {
	case OpColumn:
		_, name, qualified := strings.Cut(e.Column, ".")
		if qualified {
			return name
		}
		return e.Column
	case OpToNumber:
		return keyName(e.Args[0])
	case OpRound, OpFloor, OpCeil, OpAbs, OpClamp, OpCase, OpCoalesce, OpNullIf, OpLower, OpUpper, OpTrim, OpLength,
		OpYear, OpQuarter, OpMonth, OpWeek, OpDay, OpDow, OpHour, OpMinute, OpSecond, OpDateTrunc, OpBucket:
		return string(e.Op)
	case OpToDate, OpParseDate:
		return "date"
	}
	return "key"
}
