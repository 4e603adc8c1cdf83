package query

import (
	pg "github.com/pganalyze/pg_query_go/v6"
)

// lower checks one expression of the text. What it does not know, it refuses.
func (c *checker) lower(n *pg.Node) (term, error) {
	at := locate(n, nowhere)
	if c.depth++; c.depth > MaxDepth {
		return term{}, c.refuse(at, "nest less", "an expression is nested more than %d deep", MaxDepth)
	}
	defer func() { c.depth-- }()
	switch v := n.GetNode().(type) {
	case *pg.Node_ColumnRef:
		return c.reference(v.ColumnRef)
	case *pg.Node_AConst:
		return c.constant(v.AConst)
	case *pg.Node_AExpr:
		return c.operator(v.AExpr)
	case *pg.Node_BoolExpr:
		return c.connective(v.BoolExpr)
	case *pg.Node_NullTest:
		return c.nullTest(v.NullTest)
	case *pg.Node_BooleanTest:
		return c.truthTest(v.BooleanTest)
	case *pg.Node_CaseExpr:
		return c.caseOf(v.CaseExpr)
	case *pg.Node_CoalesceExpr:
		parts, err := c.each(v.CoalesceExpr.GetArgs())
		if err != nil {
			return term{}, err
		}
		return c.coalesce(at, parts...)
	case *pg.Node_FuncCall:
		return c.function(v.FuncCall)
	case *pg.Node_MinMaxExpr:
		return c.extreme(v.MinMaxExpr)
	case *pg.Node_AIndirection:
		if c.indirection != nil {
			if t, ok, err := c.indirection(v.AIndirection); ok {
				return t, err
			}
		}
	case *pg.Node_TypeCast:
		return c.cast(v.TypeCast, locate(v.TypeCast.GetArg(), at))
	}
	what, hint := unsupported(kindOf(n))
	return term{}, c.refuse(at, hint, "%s", what+" not supported")
}

// each lowers a list.
func (c *checker) each(list []*pg.Node) ([]term, error) {
	terms := make([]term, len(list))
	for i, n := range list {
		var err error
		if terms[i], err = c.lower(n); err != nil {
			return nil, err
		}
	}
	return terms, nil
}

// reference lowers a column name, which the clause resolves.
func (c *checker) reference(n *pg.ColumnRef) (term, error) {
	at := n.GetLocation()
	var names []string
	for _, f := range n.GetFields() {
		if f.GetAStar() != nil {
			return term{}, c.refuse(at, "name GROUP BY columns and aggregates, such as COUNT(*)", "* is not supported: rows never leave")
		}
		names = append(names, word(f))
	}
	if len(names) == 0 {
		return term{}, c.refuse(at, "name a column", "this name is not supported")
	}
	last := len(names) - 1
	if err := c.qualifier(names[:last], at); err != nil {
		return term{}, err
	}
	return c.column(names[last], at)
}

// operator lowers a + b, a = b, a IN (…), a LIKE b and the like.
func (c *checker) operator(n *pg.A_Expr) (term, error) {
	at := n.GetLocation()
	name := ""
	if len(n.GetName()) == 1 {
		name = word(n.GetName()[0])
	}
	switch n.GetKind() {
	case pg.A_Expr_Kind_AEXPR_OP:
		return c.plainOperator(n, name, at)
	case pg.A_Expr_Kind_AEXPR_NULLIF:
		parts, err := c.each([]*pg.Node{n.GetLexpr(), n.GetRexpr()})
		if err != nil {
			return term{}, err
		}
		return c.nullIf(at, parts[0], parts[1])
	case pg.A_Expr_Kind_AEXPR_IN:
		return c.inList(n, name == "<>")
	case pg.A_Expr_Kind_AEXPR_LIKE:
		return c.likePattern(n, name == "!~~")
	case pg.A_Expr_Kind_AEXPR_BETWEEN:
		return c.between(n, false)
	case pg.A_Expr_Kind_AEXPR_NOT_BETWEEN:
		return c.between(n, true)
	}
	what, hint := unsupported(n.GetKind().String())
	return term{}, c.refuse(at, hint, "%s", what+" not supported")
}

// plainOperator lowers arithmetic and comparison.
func (c *checker) plainOperator(n *pg.A_Expr, name string, at int32) (term, error) {
	if n.GetLexpr() == nil { // a prefix
		a, err := c.lower(n.GetRexpr())
		switch {
		case err != nil:
			return term{}, err
		case name == "-":
			return c.negated(at, a)
		case name == "+":
			_, err := c.number(a) // which is dropped: + changes nothing, not even Int
			return a, err
		}
		return term{}, c.refuse(at, "use + − * / and comparisons", "the operator %s is not supported", short(name))
	}
	if t, ok, err := c.moved(n, name, at); ok {
		return t, err
	}
	parts, err := c.each([]*pg.Node{n.GetLexpr(), n.GetRexpr()})
	if err != nil {
		return term{}, err
	}
	a, b := parts[0], parts[1]
	switch name {
	case "+":
		return c.arithmetic(at, OpAdd, a, b)
	case "-":
		return c.arithmetic(at, OpSub, a, b)
	case "*":
		return c.arithmetic(at, OpMul, a, b)
	case "/":
		return c.arithmetic(at, OpDiv, a, b)
	case "%":
		return c.modulo(at, a, b)
	case "=":
		return c.compare(at, OpEq, a, b)
	case "<>", "!=":
		return c.compare(at, OpNe, a, b)
	case "<":
		return c.compare(at, OpLt, a, b)
	case "<=":
		return c.compare(at, OpLe, a, b)
	case ">":
		return c.compare(at, OpGt, a, b)
	case ">=":
		return c.compare(at, OpGe, a, b)
	}
	if name == "" {
		return term{}, c.refuse(at, "write the operator alone", "operators of a schema are not supported")
	}
	return term{}, c.refuse(at, hintOperator(name), "the operator %s is not supported", short(name))
}

func hintOperator(name string) string {
	switch name {
	case "^":
		return "write x * x"
	case "||":
		return "group by both columns instead of joining their text"
	case "~", "~*", "!~", "!~*":
		return "use LIKE"
	}
	return "use + − * / and comparisons"
}

// connective lowers AND, OR and NOT.
func (c *checker) connective(n *pg.BoolExpr) (term, error) {
	parts, err := c.each(n.GetArgs())
	if err != nil {
		return term{}, err
	}
	switch n.GetBoolop() {
	case pg.BoolExprType_AND_EXPR:
		return c.logic(n.GetLocation(), OpAnd, parts)
	case pg.BoolExprType_OR_EXPR:
		return c.logic(n.GetLocation(), OpOr, parts)
	}
	return c.not(n.GetLocation(), parts[0])
}

// nullTest lowers IS NULL and IS NOT NULL.
func (c *checker) nullTest(n *pg.NullTest) (term, error) {
	value, err := c.lower(n.GetArg())
	if err != nil {
		return term{}, err
	}
	t, err := c.isNull(n.GetLocation(), value)
	if err != nil || n.GetNulltesttype() == pg.NullTestType_IS_NULL {
		return t, err
	}
	return c.not(n.GetLocation(), t)
}

// truthTest lowers IS [NOT] TRUE, FALSE and UNKNOWN.
func (c *checker) truthTest(n *pg.BooleanTest) (term, error) {
	at := n.GetLocation()
	value, err := c.lower(n.GetArg())
	if err != nil {
		return term{}, err
	}
	if value, err = c.boolean(value, "IS TRUE, IS FALSE or IS UNKNOWN"); err != nil {
		return term{}, err
	}
	var t term
	kind := n.GetBooltesttype()
	switch kind {
	case pg.BoolTestType_IS_TRUE, pg.BoolTestType_IS_NOT_TRUE:
		t, err = c.is(at, value, true)
	case pg.BoolTestType_IS_FALSE, pg.BoolTestType_IS_NOT_FALSE:
		t, err = c.is(at, value, false)
	default:
		t, err = c.isNull(at, value)
	}
	switch kind {
	case pg.BoolTestType_IS_NOT_TRUE, pg.BoolTestType_IS_NOT_FALSE, pg.BoolTestType_IS_NOT_UNKNOWN:
		if err == nil {
			return c.not(at, t)
		}
	}
	return t, err
}
