package querytest

import (
	"entrepot/sandbox/query"
)

// text writes a text expression.
func (g *Generator) text(s scope, depth int) string {
	c, ok := g.one(s, query.Text)
	if !ok {
		return "CASE WHEN " + g.truth(s, depth-1) + " THEN 'yes' ELSE 'no' END"
	}
	if depth <= 0 || g.chance(50) {
		return c.ref
	}
	a := g.text(s, depth-1)
	switch g.IntN(4) {
	case 0:
		return g.pick("COALESCE("+a+", 'none')", "CASE "+c.ref+" WHEN 'north' THEN 'n' WHEN 'a' THEN "+a+" ELSE 'x' END")
	case 1:
		return "NULLIF(" + a + ", '')"
	case 2:
		return "CASE WHEN " + g.truth(s, depth-1) + " THEN " + a + g.pick(" END", " ELSE 'other' END", " ELSE "+c.ref+" END")
	}
	return g.pick("LOWER", "UPPER", "TRIM") + "(" + a + ")"
}

// date writes a date.
func (g *Generator) date(s scope, depth int) string {
	c, ok := g.one(s, query.Date)
	if !ok {
		if c, ok := g.one(s, query.Timestamp); ok {
			return "CAST(" + c.ref + " AS date)"
		}
		return "CASE WHEN " + g.truth(s, depth-1) + " THEN DATE '2020-02-29' ELSE DATE '2019-12-31' END"
	}
	if depth <= 0 || g.chance(40) {
		return c.ref
	}
	a := g.date(s, depth-1)
	switch g.IntN(6) {
	case 0:
		return "CAST(date_trunc('" + g.pick("year", "quarter", "month", "week", "day") + "', " + a + ") AS date)"
	case 1:
		return "(" + a + g.pick(" + 1", " - 31", " + 400", " + INTERVAL '1 month'", " - INTERVAL '5 days'") + ")"
	case 2:
		return "COALESCE(" + a + ", DATE '2020-02-29')"
	case 3:
		return "NULLIF(" + a + ", " + c.ref + ")"
	case 4:
		if t, ok := g.one(s, query.Text); ok {
			return "CAST(" + t.ref + " AS date)"
		}
	}
	return c.ref
}

// stamp writes a timestamp.
func (g *Generator) stamp(s scope, depth int) string {
	c, ok := g.one(s, query.Timestamp)
	if !ok {
		if c, ok := g.one(s, query.Date); ok && g.chance(50) {
			return "CAST(" + c.ref + " AS timestamp)"
		}
		return "CASE WHEN " + g.truth(s, depth-1) + " THEN TIMESTAMP '2020-02-29 23:59:59.5' END"
	}
	if depth <= 0 || g.chance(40) {
		return c.ref
	}
	a := g.stamp(s, depth-1)
	switch g.IntN(4) {
	case 0, 1:
		return "date_trunc('" + g.pick("year", "quarter", "month", "week", "day", "hour", "minute") + "', " + a + ")"
	case 2:
		return "(" + a + g.pick(" + ", " - ") + "INTERVAL '" + g.pick("1 month", "3 days", "36 hours", "1 year", "90 seconds", "2 weeks") + "')"
	}
	return "COALESCE(" + a + ", TIMESTAMP '2020-02-29 00:00:00')"
}

// truth writes a condition.
func (g *Generator) truth(s scope, depth int) string {
	if depth > 0 {
		switch g.IntN(8) {
		case 0:
			return "(" + g.truth(s, depth-1) + g.pick(" AND ", " OR ") + g.truth(s, depth-1) + ")"
		case 1:
			return "NOT (" + g.truth(s, depth-1) + ")"
		case 2:
			return g.number(s, depth-1) + g.pick(" < ", " <= ", " > ", " >= ", " = ", " <> ") + g.number(s, depth-1)
		case 3:
			return "(" + g.truth(s, depth-1) + ")" + g.pick(" IS TRUE", " IS NOT FALSE", " IS NULL", " = TRUE")
		}
	}
	c := s.columns[g.IntN(len(s.columns))]
	if g.chance(15) {
		return c.ref + g.pick(" IS NULL", " IS NOT NULL")
	}
	switch c.kind {
	case query.Bool:
		return g.pick(c.ref, "NOT "+c.ref, c.ref+" = FALSE")
	case query.Text:
		return g.text(s, depth-1) + g.pick(" LIKE '%a%'", " LIKE '_'", " LIKE 'so''%'", " = 'north'", " < 'b'", " IN ('', ' ', 'é')", " NOT IN ('a', '동쪽')", " <> 'north'")
	case query.Date:
		return g.date(s, depth-1) + g.pick(" < DATE '2020-01-31'", " >= DATE '2001-02-03'", " IN (DATE '2020-02-29')", " BETWEEN DATE '2020-01-01' AND DATE '2020-02-01'", " <> DATE '2019-12-31'")
	case query.Timestamp:
		return g.stamp(s, depth-1) + g.pick(" <= TIMESTAMP '2020-02-29 00:00:00'", " > TIMESTAMP '2020-02-28 23:00:00.5'", " = TIMESTAMP '2020-02-29 12:34:56'")
	case query.Int:
		return c.ref + g.pick(" = 9007199254740993", " > 1", " <= 2", " IN (0, 1, 7)", " <> 1", " BETWEEN 0 AND 3", " NOT IN (-7, 5)")
	}
	return g.number(s, depth-1) + g.pick(" > 0", " BETWEEN -5 AND 100", " IN (0, 1)", " <> 1", " <= 2.5")
}

// any writes an expression of any type, with its type.
func (g *Generator) any(s scope, depth int) (string, query.Type) {
	switch g.IntN(9) {
	case 0, 1, 2:
		return g.number(s, depth), query.Number
	case 3, 4:
		return g.text(s, depth), query.Text
	case 5:
		return g.truth(s, depth), query.Bool
	case 6:
		return g.date(s, depth), query.Date
	case 7:
		return g.stamp(s, depth), query.Timestamp
	}
	c := s.columns[g.IntN(len(s.columns))]
	return c.ref, c.kind
}
