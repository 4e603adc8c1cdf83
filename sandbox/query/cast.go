package query

import (
	pg "github.com/pganalyze/pg_query_go/v6"
)

// cast lowers CAST(x AS type), x::type, and the constants DATE '…' and TIMESTAMP '…'.
func (c *checker) cast(n *pg.TypeCast, at int32) (term, error) {
	name := typeName(n.GetTypeName())
	if len(n.GetTypeName().GetArrayBounds()) > 0 || len(n.GetTypeName().GetTypmods()) > 0 && name != "interval" {
		return term{}, c.refuse(at, "ROUND(x, 2) rounds to two decimals", "a cast to a type with a length, a precision or an array is not supported")
	}
	if constant, ok := n.GetArg().GetAConst().GetVal().(*pg.A_Const_Sval); ok {
		switch name {
		case "date":
			return c.moment(at, constant.Sval.GetSval(), Date)
		case "timestamp", "timestamptz":
			return c.moment(at, constant.Sval.GetSval(), Timestamp)
		case "interval":
			return term{}, c.refuse(at, "write x + INTERVAL '1 month'", "an interval is supported beside + and - of a date or timestamp only")
		}
	}
	t, err := c.lower(n.GetArg())
	if err != nil {
		return term{}, err
	}
	if t.untyped() {
		return term{}, c.refuse(t.at, "NULL may stand in CASE only", "NULL is not cast")
	}
	switch name {
	case "float8", "double", "numeric":
		return c.toNumber(t, name)
	case "int2", "int4", "int8":
		return c.toInteger(t, name)
	case "date":
		return c.toDate(t, name)
	case "timestamp", "timestamptz":
		if t.temporal() {
			return c.asTimestamp(t)
		}
	case "text", "varchar":
		if t.expr.Type == Text {
			return t, nil
		}
	case "bool":
		if t.expr.Type == Bool {
			return t, nil
		}
	}
	return term{}, c.noCast(t, name)
}

// noCast refuses a cast.
func (c *checker) noCast(t term, name string) error {
	hint := "text becomes a number or a date, a timestamp a date, a date a timestamp, a condition a number, a number an integer"
	switch {
	case name == "bool":
		hint = "write a comparison, such as x <> 0"
	case name == "text" || name == "varchar" || name == "bpchar":
		hint = "engines write numbers and dates differently: group by the value itself"
	case name == "float4":
		hint = "write DOUBLE PRECISION"
	case t.expr.Type == Text && name == "timestamp":
		hint = "CAST(x AS DATE) reads a date; declare the column as a timestamp for more"
	}
	return c.refuse(t.at, hint, "casting %s to %s is not supported", describe(t), short(name))
}

// toNumber converts to Number. An Int stays one: it is converted where arithmetic needs it. Text that is
// no plain decimal number is NULL.
func (c *checker) toNumber(t term, name string) (term, error) {
	switch {
	case t.numeric():
		return t, nil
	case t.expr.Type == Bool:
		return c.indicator(t)
	case t.expr.Type != Text:
		return term{}, c.noCast(t, name)
	case t.literal():
		x, ok := parseNumber(t.expr.Text)
		if !ok {
			return term{}, c.refuse(t.at, "write the number without quotes", "'%s' is not a number", short(t.expr.Text))
		}
		return numberLiteral(t.at, x), nil
	}
	n, err := c.node(t.at, OpParseNumber, Number, t)
	if err != nil {
		return term{}, err
	}
	n.nullable, n.loose = true, "numbers read from text have no declared bounds"
	const most, least = 1e15 - 1, 1e-14 // of 15 digits, the first before the point
	return c.within(n, -most, most, grid{}, least)
}

// indicator is 1 where a condition is true, 0 where it is false, and NULL where it is NULL.
func (c *checker) indicator(t term) (term, error) {
	one, zero := numberLiteral(t.at, 1), numberLiteral(t.at, 0)
	if !t.nullable {
		return c.cases(t.at, []term{t}, []term{one, zero})
	}
	not, err := c.not(t.at, t)
	if err != nil {
		return term{}, err
	}
	null := term{expr: Expr{Op: OpLiteral, Null: true}, at: t.at, size: 1, nullable: true}
	return c.cases(t.at, []term{t, not}, []term{one, zero, null})
}

// toInteger converts to a Number without fraction, half away from zero.
func (c *checker) toInteger(t term, name string) (term, error) {
	if t.expr.Type == Int {
		return t, nil
	}
	t, err := c.toNumber(t, name)
	if err != nil || t.integral || t.whole {
		return t, err
	}
	return c.rounded(t.at, OpRound, t)
}

// toDate converts to a Date. Text that is no date is NULL.
func (c *checker) toDate(t term, name string) (term, error) {
	switch {
	case t.temporal():
		return c.asDate(t)
	case t.expr.Type != Text:
		return term{}, c.noCast(t, name)
	}
	d, err := c.node(t.at, OpParseDate, Date, t)
	d.nullable = true
	d.undated("dates in text have no declared earliest and latest")
	return d, err
}
