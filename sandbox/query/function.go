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
	if f.star || f.distinct {
		return term{}, c.refuse(f.at, "use COUNT(*), or COUNT(DISTINCT …) of the privacy ID", "* and DISTINCT are not supported in %s", short(f.name))
	}
	if f.name == "extract" {
		return c.extract(f)
	}
	op, arity := scalar(f.name)
	if op == "" {
		hint := hintFunction(f.name)
		return term{}, c.refuse(f.at, hint, "the function %s is not supported", short(f.name))
	}
	if len(f.args) != arity {
		return term{}, c.refuse(f.at, hintArity(op), "%s takes %d argument(s), not %d", f.name, arity, len(f.args))
	}
	args, err := c.each(f.args)
	if err != nil {
		return term{}, err
	}
	switch op {
	case OpClamp:
		return c.clamp(f.at, args[0], args[1], args[2])
	case OpLower, OpUpper, OpTrim, OpLength:
		return c.textFunction(f.at, op, f.name, args[0])
	}
	return c.rounded(f.at, op, args[0])
}

// call checks the form of a call: a plain name, or one of SQL's own forms such as TRIM and EXTRACT.
func (c *checker) call(n *pg.FuncCall) (call, error) {
	f := call{args: n.GetArgs(), star: n.GetAggStar(), distinct: n.GetAggDistinct(), at: n.GetLocation()}
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
	case n.GetAggFilter() != nil:
		return call{}, c.refuse(c.keyword("filter"), "write SUM(CASE WHEN … THEN x ELSE 0 END), or put the condition in WHERE", "FILTER is not supported")
	case len(n.GetAggOrder()) > 0 || n.GetAggWithinGroup():
		return call{}, c.refuse(f.at, "leave it out", "ORDER BY inside a function is not supported")
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

func isAggregate(name string) bool { return name == "count" || name == "sum" || name == "avg" }

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
	}
	return "", 0
}

func hintArity(op Op) string {
	switch op {
	case OpRound:
		return "ROUND(x * 100) / 100 rounds to two decimals"
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
	t.loose = "the length of text has no declared bounds"
	return c.within(t, 0, 1<<31, ones(), 1)
}

// extract makes EXTRACT(field FROM x).
func (c *checker) extract(f call) (term, error) {
	const hint = "write EXTRACT(YEAR FROM x); the fields are YEAR, QUARTER, MONTH, DAY, HOUR, MINUTE, DOW"
	if len(f.args) != 2 {
		return term{}, c.refuse(f.at, hint, "this form of EXTRACT is not supported")
	}
	field := f.args[0].GetAConst().GetSval().GetSval()
	op, lo, hi := part(field)
	if op == "" {
		return term{}, c.refuse(locate(f.args[0], f.at), hint, "EXTRACT of %s is not supported", short(field))
	}
	a, err := c.lower(f.args[1])
	if err != nil {
		return term{}, err
	}
	clock := op == OpHour || op == OpMinute
	if a.untyped() || a.expr.Type != Timestamp && (a.expr.Type != Date || clock) {
		return term{}, c.refuse(a.at, "use a column that is declared as a date or, for hours and minutes, as a timestamp",
			"%s has no %s: it is %s", short(c.show(a)), op, describe(a))
	}
	t, err := c.node(f.at, op, Number, a)
	if err != nil {
		return term{}, err
	}
	if op == OpYear {
		t.loose = "years have no declared bounds"
	}
	return c.within(t, lo, hi, ones(), 1)
}

// part is the operation that a field of EXTRACT names, with its interval.
func part(field string) (op Op, lo, hi float64) {
	switch lowerASCII(field) {
	case "year":
		return OpYear, -1e7, 1e7 // whatever an engine may store
	case "quarter":
		return OpQuarter, 1, 4
	case "month":
		return OpMonth, 1, 12
	case "day":
		return OpDay, 1, 31
	case "hour":
		return OpHour, 0, 23
	case "minute":
		return OpMinute, 0, 59
	case "dow":
		return OpDow, 0, 6
	}
	return "", 0, 0
}
