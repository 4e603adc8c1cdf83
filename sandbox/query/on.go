package query

import (
	"slices"
	"strings"

	pg "github.com/pganalyze/pg_query_go/v6"
)

// condition reads what follows ON or USING.
type condition struct {
	*planner
	join        *Join
	left, right join
	at          int32
	unit        bool // the two privacy IDs are compared
}

func (c *condition) read(v *pg.JoinExpr) error {
	for _, n := range v.GetUsingClause() {
		a, err := c.side(c.left, nil, word(n), c.at)
		if err != nil {
			return err
		}
		b, err := c.side(c.right, nil, word(n), c.at)
		if err != nil {
			return err
		}
		if err := c.equal(a, b, c.at); err != nil {
			return err
		}
		// Of the left side's fields and the right's, the name alone means the left's: it is never NULL where
		// the other is not.
		it := *c.right.items[0]
		it.merged = append(slices.Clone(it.merged), word(n))
		c.right.items[0] = &it
	}
	if v.GetQuals() != nil {
		if err := c.conjunction(v.GetQuals()); err != nil {
			return err
		}
	}
	return c.complete()
}

// conjunction reads a = b AND c = d ….
func (c *condition) conjunction(n *pg.Node) error {
	if b := n.GetBoolExpr(); b.GetBoolop() == pg.BoolExprType_AND_EXPR {
		for _, part := range b.GetArgs() {
			if err := c.conjunction(part); err != nil {
				return err
			}
		}
		return nil
	}
	at := locate(n, c.at)
	e := n.GetAExpr()
	isEqual := e.GetKind() == pg.A_Expr_Kind_AEXPR_OP && len(e.GetName()) == 1 && word(e.GetName()[0]) == "="
	q, name, ok1 := reference(e.GetLexpr())
	r, other, ok2 := reference(e.GetRexpr())
	if !isEqual || !ok1 || !ok2 {
		return c.refuse(at, "compute the value in a sub-query and join on its name; put other conditions in WHERE",
			"joining on anything but column = column is not supported")
	}
	all := &scope{source: c.source, items: slices.Concat(c.left.items, c.right.items)}
	in, a, err := all.lookup(q, name, locate(e.GetLexpr(), at))
	if err != nil {
		return err
	}
	with, b, err := all.lookup(r, other, locate(e.GetRexpr(), at))
	if err != nil {
		return err
	}
	ofRight := c.right.items[0]
	switch {
	case in == ofRight && with != ofRight:
		a, b = b, a
	case in != ofRight && with == ofRight:
	default:
		return c.refuse(at, "compare a column of the one side with one of the other; put other conditions in WHERE", "both columns are of one side of the join")
	}
	return c.equal(a, b, at)
}

// side finds a column of one side.
func (c *condition) side(j join, q []string, name string, at int32) (*field, error) {
	_, f, err := (&scope{source: c.source, items: j.items}).lookup(q, name, at)
	return f, err
}

// equal adds a pair of columns, of the left side and of the right.
func (c *condition) equal(a, b *field, at int32) error {
	for _, f := range []*field{a, b} {
		if f.unusable != "" {
			return c.refuse(at, f.hint, "%s", f.unusable)
		}
	}
	isA, isB := a.id, b.id
	x, y := a.term.expr, b.term.expr
	switch {
	case isA && isB:
		c.unit = true
		return nil
	case isA || isB:
		id := a
		if isB {
			id = b
		}
		return c.refuse(at, "compare it with the privacy ID of the other side", "the privacy ID %s can be joined with a privacy ID only", id.name)
	case x.Type != y.Type:
		return c.refuse(at, "join columns of one type", "%s is %s, and %s is %s", a.name, describe(a.term), b.name, describe(b.term))
	case x.Type == Number && (x.Num != y.Num || x.Den != y.Den || x.Num == 0 && !(a.term.integral && b.term.integral)):
		return c.refuse(at, "join on keys, or on whole numbers", "%s and %s are numbers of different resolution, or with fractions: joining on them is not supported", a.name, b.name)
	}
	key := JoinKey{Left: x.Column, Right: y.Column}
	if !slices.Contains(c.join.Keys, key) {
		c.join.Keys = append(c.join.Keys, key)
	}
	return nil
}

// complete checks that the pairs make a join that bounding can follow, and sorts them.
func (c *condition) complete() error {
	slices.SortFunc(c.join.Keys, func(a, b JoinKey) int {
		return strings.Compare(a.Left+" "+a.Right, b.Left+" "+b.Right)
	})
	if !c.join.Public {
		if !c.unit {
			left, right := c.left.idHint(), c.right.idHint()
			return c.refuse(c.at, "add "+left+" = "+right+" to ON; a sub-query has to select it", "a join of two tables of one unit space has to be on the privacy ID")
		}
		return nil
	}
	unique := c.declarations[c.right.rel.Dataset].Unique
	for _, name := range unique {
		if !slices.ContainsFunc(c.join.Keys, func(k JoinKey) bool { return k.Right == name }) {
			return c.refuse(c.at, "its unique key is "+strings.Join(unique, ", "), "a public table has to be joined on its whole unique key, and %s is missing", name)
		}
	}
	return nil
}

// idHint is how to write a side's privacy ID.
func (j join) idHint() string {
	s := scope{items: j.items}
	if it, name := s.id(); it != nil {
		return it.alias() + "." + identifier(name)
	}
	return j.items[0].alias() + "'s privacy ID"
}
