package query

import (
	pg "github.com/pganalyze/pg_query_go/v6"
)

// inList lowers x [NOT] IN (…).
func (c *checker) inList(n *pg.A_Expr, negate bool) (term, error) {
	at := n.GetLocation()
	items := n.GetRexpr().GetList().GetItems()
	if len(items) > MaxList {
		return term{}, c.refuse(at, "use a range, or a column that groups the values", "an IN list has more than %d values", MaxList)
	}
	value, err := c.lower(n.GetLexpr())
	if err != nil {
		return term{}, err
	}
	list, err := c.each(items)
	if err != nil {
		return term{}, err
	}
	t, err := c.among(at, value, list)
	if err != nil || !negate {
		return t, err
	}
	return c.not(at, t)
}

// likePattern lowers x [NOT] LIKE 'pattern'.
func (c *checker) likePattern(n *pg.A_Expr, negate bool) (term, error) {
	at := n.GetLocation()
	if n.GetRexpr().GetFuncCall() != nil {
		return term{}, c.refuse(locate(n.GetRexpr(), at), "leave ESCAPE out; _ stands for one code point", "LIKE … ESCAPE is not supported")
	}
	parts, err := c.each([]*pg.Node{n.GetLexpr(), n.GetRexpr()})
	if err != nil {
		return term{}, err
	}
	t, err := c.like(at, parts[0], parts[1])
	if err != nil || !negate {
		return t, err
	}
	return c.not(at, t)
}

// between lowers x [NOT] BETWEEN a AND b to two comparisons.
func (c *checker) between(n *pg.A_Expr, negate bool) (term, error) {
	at := n.GetLocation()
	parts, err := c.each(append([]*pg.Node{n.GetLexpr()}, n.GetRexpr().GetList().GetItems()...))
	if err != nil {
		return term{}, err
	}
	if len(parts) != 3 {
		return term{}, c.refuse(at, "write x BETWEEN a AND b", "this form of BETWEEN is not supported")
	}
	above, below, both := OpGe, OpLe, OpAnd
	if negate {
		above, below, both = OpLt, OpGt, OpOr
	}
	from, err := c.compare(at, above, parts[0], parts[1])
	if err != nil {
		return term{}, err
	}
	to, err := c.compare(at, below, parts[0], parts[2])
	if err != nil {
		return term{}, err
	}
	return c.logic(at, both, []term{from, to})
}

// caseOf lowers CASE, with or without a value after the word.
func (c *checker) caseOf(n *pg.CaseExpr) (term, error) {
	at := n.GetLocation()
	var whens, thens []term
	var value term
	if n.GetArg() != nil {
		var err error
		if value, err = c.lower(n.GetArg()); err != nil {
			return term{}, err
		}
	}
	for _, w := range n.GetArgs() {
		parts, err := c.each([]*pg.Node{w.GetCaseWhen().GetExpr(), w.GetCaseWhen().GetResult()})
		if err != nil {
			return term{}, err
		}
		when := parts[0]
		if n.GetArg() != nil {
			if when, err = c.compare(when.at, OpEq, value, when); err != nil {
				return term{}, err
			}
		}
		whens, thens = append(whens, when), append(thens, parts[1])
	}
	other := term{expr: Expr{Op: OpLiteral, Null: true}, at: at, size: 1, nullable: true}
	if n.GetDefresult() != nil {
		var err error
		if other, err = c.lower(n.GetDefresult()); err != nil {
			return term{}, err
		}
	}
	return c.cases(at, whens, append(thens, other))
}
