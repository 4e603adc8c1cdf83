package query

import (
	pg "github.com/pganalyze/pg_query_go/v6"
)

// extract makes EXTRACT(field FROM x) and DATE_PART('field', x).
func (c *checker) extract(f call) (term, error) {
	const hint = "write EXTRACT(YEAR FROM x); the fields are YEAR, QUARTER, MONTH, WEEK, DAY, DOW, HOUR, MINUTE, SECOND, EPOCH"
	if len(f.args) != 2 {
		return term{}, c.refuse(f.at, hint, "this form of EXTRACT is not supported")
	}
	name := lowerASCII(f.args[0].GetAConst().GetSval().GetSval())
	if name == "epoch" {
		return c.epoch(f)
	}
	op, lo, hi := extracted(name)
	if op == "" {
		return term{}, c.refuse(locate(f.args[0], f.at), hint, "EXTRACT of %s is not supported", short(name))
	}
	a, err := c.lower(f.args[1])
	if err != nil {
		return term{}, err
	}
	clock := op == OpHour || op == OpMinute || op == OpSecond
	if a.untyped() || a.expr.Type != Timestamp && (a.expr.Type != Date || clock) {
		return term{}, c.refuse(a.at, "use a column that is declared as a date or, for hours, minutes and seconds, as a timestamp",
			"%s has no %s: it is %s", short(c.show(a)), op, describe(a))
	}
	t, err := c.node(f.at, op, Number, a)
	if err != nil {
		return term{}, err
	}
	if op == OpYear {
		return c.whole(t, float64(a.from().Year()), float64(a.to().Year()))
	}
	t.loose = ""
	return c.whole(t, lo, hi)
}

// extracted is the operation that a field of EXTRACT names, with its interval.
func extracted(field string) (op Op, lo, hi float64) {
	switch field {
	case "year":
		return OpYear, 1, 9999
	case "quarter":
		return OpQuarter, 1, 4
	case "month":
		return OpMonth, 1, 12
	case "week":
		return OpWeek, 1, 53
	case "day":
		return OpDay, 1, 31
	case "dow":
		return OpDow, 0, 6
	case "hour":
		return OpHour, 0, 23
	case "minute":
		return OpMinute, 0, 59
	case "second":
		return OpSecond, 0, 59
	}
	return "", 0, 0
}

// epoch makes EXTRACT(EPOCH FROM a - b), the seconds between two timestamps, and EXTRACT(EPOCH FROM x),
// those since 1970.
func (c *checker) epoch(f call) (term, error) {
	x := f.args[1].GetAExpr()
	if x.GetKind() == pg.A_Expr_Kind_AEXPR_OP && len(x.GetName()) == 1 && word(x.GetName()[0]) == "-" && x.GetLexpr() != nil && !isInterval(x.GetRexpr()) {
		both, err := c.each([]*pg.Node{x.GetLexpr(), x.GetRexpr()})
		if err != nil {
			return term{}, err
		}
		if both[0].expr.Type == Timestamp || both[1].expr.Type == Timestamp {
			return c.seconds(f.at, both[0], both[1])
		}
		return term{}, c.refuse(f.at, "the days between two dates are a - b", "EXTRACT(EPOCH FROM a - b) needs a timestamp on one side")
	}
	a, err := c.lower(f.args[1])
	if err != nil {
		return term{}, err
	}
	start, err := c.moment(f.at, "1970-01-01", Timestamp)
	if err != nil {
		return term{}, err
	}
	return c.seconds(f.at, a, start)
}

// seconds makes the seconds from b to a.
func (c *checker) seconds(at int32, a, b term) (term, error) {
	for _, t := range []term{a, b} {
		if t.untyped() {
			return term{}, c.refuse(t.at, "name a column", "EXTRACT of NULL is NULL")
		}
	}
	a, err := c.asTimestamp(a)
	if err != nil {
		return term{}, err
	}
	if b, err = c.asTimestamp(b); err != nil {
		return term{}, err
	}
	if a.literal() && b.literal() {
		return numberLiteral(at, between(OpSeconds, a.expr.Text, b.expr.Text).(float64)), nil
	}
	t, err := c.node(at, OpSeconds, Number, a, b)
	if err != nil {
		return term{}, err
	}
	return c.within(t, float64(a.earliest-b.latest)/microSecond, float64(a.latest-b.earliest)/microSecond, grid{1, microSecond}, 1./microSecond)
}
