package query

import (
	pg "github.com/pganalyze/pg_query_go/v6"
)

// call is a function call of the text, reduced to what aggregates and functions look at.
type call struct {
	name     string
	args     []*pg.Node
	star     bool // COUNT(*)
	distinct bool
	filter   *pg.Node   // FILTER (WHERE …), or nil
	order    []*pg.Node // ORDER BY within the call, or within WITHIN GROUP
	within   bool       // WITHIN GROUP
	at       int32
}

// function lowers a function call. Aggregates mean what the clause says.
func (c *checker) function(n *pg.FuncCall) (term, error) {
	f, err := c.call(n)
	if err != nil {
		return term{}, err
	}
	if isAggregate(f.name) {
		return c.aggregate(f)
	}
	switch {
	case f.star || f.distinct:
		return term{}, c.refuse(f.at, "use COUNT(*), or COUNT(DISTINCT …)", "* and DISTINCT are not supported in %s", short(f.name))
	case f.filter != nil || f.within || len(f.order) > 0:
		return term{}, c.refuse(f.at, hintFunction(f.name), "%s is no aggregate that is supported: it has no FILTER and no ORDER BY", short(f.name))
	}
	switch f.name {
	case "extract", "date_part":
		return c.extract(f)
	case "date_trunc":
		return c.dateTrunc(f)
	case "width_bucket":
		return c.widthBucket(f)
	}
	op, arity := scalar(f.name)
	if op == "" && f.name != "mod" {
		hint := hintFunction(f.name)
		return term{}, c.refuse(f.at, hint, "the function %s is not supported", short(f.name))
	}
	if len(f.args) != arity && (op != OpRound || len(f.args) != 2) {
		return term{}, c.refuse(f.at, hintArity(op), "%s takes %d argument(s), not %d", f.name, arity, len(f.args))
	}
	args, err := c.each(f.args)
	if err != nil {
		return term{}, err
	}
	switch op {
	case "":
		return c.modulo(f.at, args[0], args[1])
	case OpClamp:
		return c.clamp(f.at, args[0], args[1], args[2])
	case OpLower, OpUpper, OpTrim, OpLength:
		return c.textFunction(f.at, op, f.name, args[0])
	}
	if len(args) == 2 {
		return c.roundedTo(f.at, args[0], args[1])
	}
	return c.rounded(f.at, op, args[0])
}

// call checks the form of a call: a plain name, or one of SQL's own forms such as TRIM and EXTRACT.
// FILTER and ORDER BY are for whoever uses the call to refuse.
func (c *checker) call(n *pg.FuncCall) (call, error) {
	f := call{
		args: n.GetArgs(), star: n.GetAggStar(), distinct: n.GetAggDistinct(), at: n.GetLocation(),
		filter: n.GetAggFilter(), order: n.GetAggOrder(), within: n.GetAggWithinGroup(),
	}
	names := n.GetFuncname()
	own := n.GetFuncformat() == pg.CoercionForm_COERCE_SQL_SYNTAX
	switch {
	case len(names) == 1 && !own:
		f.name = word(names[0])
	case len(names) == 2 && own:
		if f.name = word(names[1]); f.name == "btrim" {
			f.name = "trim"
		}
	default:
		return call{}, c.refuse(f.at, "write the function's name alone", "functions of a schema are not supported")
	}
	switch {
	case n.GetOver() != nil:
		return call{}, c.refuse(f.at, "use GROUP BY", "window functions (OVER) are not supported")
	case n.GetFuncVariadic():
		return call{}, c.refuse(f.at, "leave it out", "VARIADIC is not supported")
	}
	for _, a := range f.args {
		if a.GetNamedArgExpr() != nil {
			return call{}, c.refuse(locate(a, f.at), "leave the name out", "named arguments are not supported")
		}
	}
	return f, nil
}

// isAggregate tells whether a function is about several rows: what of, and whether it is supported there,
// is for the clause to say.
func isAggregate(name string) bool {
	switch name {
	case "count", "sum", "avg", "min", "max", "median", "percentile_cont",
		"variance", "var_samp", "var_pop", "stddev", "stddev_samp", "stddev_pop",
		"bool_and", "bool_or", "every", "any_value", "first", "last", "array_agg":
		return true
	}
	return false
}

// scalar is the allow-list of functions of one row.
func scalar(name string) (op Op, arity int) {
	switch name {
	case "abs":
		return OpAbs, 1
	case "round":
		return OpRound, 1
	case "floor":
		return OpFloor, 1
	case "ceil", "ceiling":
		return OpCeil, 1
	case "clamp":
		return OpClamp, 3
	case "lower":
		return OpLower, 1
	case "upper":
		return OpUpper, 1
	case "trim":
		return OpTrim, 1
	case "length", "char_length", "character_length":
		return OpLength, 1
	case "mod":
		return "", 2
	}
	return "", 0
}

func hintArity(op Op) string {
	switch op {
	case OpRound:
		return "ROUND(x, 2) rounds to two decimals"
	case "":
		return "MOD(x, 10) is the remainder of x / 10"
	case OpClamp:
		return "write CLAMP(value, lower, upper)"
	case OpTrim:
		return "TRIM(x) takes spaces from both ends"
	}
	return "write one argument"
}

// textFunction makes LOWER, UPPER, TRIM or LENGTH.
func (c *checker) textFunction(at int32, op Op, name string, a term) (term, error) {
	if a.expr.Type != Text || a.untyped() {
		return term{}, c.refuse(a.at, "use a text column", "%s needs text, and %s is %s", name, short(c.show(a)), describe(a))
	}
	if op != OpLength {
		return c.node(at, op, Text, a)
	}
	t, err := c.node(at, op, Number, a)
	if err != nil {
		return term{}, err
	}
	t.loose = short(c.show(t)) + " has no declared bounds"
	return c.whole(t, 0, 1<<31)
}
