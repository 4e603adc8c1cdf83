package querytest

import (
	"fmt"

	"entrepot/sandbox/query"
)

// number writes a numeric expression, of whatever bounds.
func (g *Generator) number(s scope, depth int) string {
	c, ok := g.one(s, query.Number, query.Int)
	if !ok {
		return g.numberOfOther(s, depth)
	}
	if depth <= 0 || g.chance(25) {
		return c.ref
	}
	a := g.number(s, depth-1)
	switch g.IntN(16) {
	case 0, 1, 2:
		b := g.number(s, depth-1)
		return "(" + a + g.pick(" + ", " - ", " * ") + g.pick(b, b, "2.5", "-3", "0.1", "1000") + ")"
	case 3:
		return "(" + a + " / " + g.pick("4", "-0.3", "NULLIF("+c.ref+", 0)", "("+c.ref+" + 7)", c.ref) + ")"
	case 4:
		return g.pick("ABS", "ROUND", "FLOOR", "CEIL", "-") + "(" + a + ")"
	case 5:
		if g.chance(20) {
			return "CAST(" + a + " AS bigint)"
		}
		return "ROUND(" + a + ", " + g.pick("1", "2", "0", "-1") + ")"
	case 6, 7:
		return g.clamped(s, depth-1)
	case 8:
		return "CASE WHEN " + g.truth(s, depth-1) + " THEN " + a + g.pick(" END", " ELSE "+c.ref+" END", " ELSE 0 END")
	case 9:
		return g.pick("COALESCE("+c.ref+", "+a+")", "NULLIF("+a+", "+c.ref+")", "COALESCE("+c.ref+", 7)", "NULLIF("+a+", 1)")
	case 10:
		return g.pick("GREATEST", "LEAST") + "(" + a + ", " + g.pick("3", c.ref) + ")"
	case 11:
		return g.bucket(a)
	case 12:
		return g.pick(fmt.Sprintf("MOD(%s, %s)", c.ref, g.pick("7", "2", "10")), "("+c.ref+" % "+g.pick("3", "4")+")")
	}
	return g.numberOfOther(s, depth)
}

// bucket writes the number of a bin.
func (g *Generator) bucket(value string) string {
	return g.pick(
		fmt.Sprintf("WIDTH_BUCKET(%s, %s)", value, g.pick("0, 10, 5", "-50, 150, 4", "0, 1, 3")),
		fmt.Sprintf("WIDTH_BUCKET(%s, ARRAY[%s])", value, g.pick("0, 1, 7.5", "-1, 0, 1", "3")),
	)
}

// numberOfOther writes a number that is made of a text, a date or a condition.
func (g *Generator) numberOfOther(s scope, depth int) string {
	if c, ok := g.one(s, query.Timestamp); ok && g.chance(40) {
		part := g.pick("YEAR", "MONTH", "DAY", "HOUR", "MINUTE", "SECOND", "DOW", "WEEK", "QUARTER")
		return g.pick("EXTRACT("+part+" FROM "+c.ref+")", "EXTRACT(EPOCH FROM ("+c.ref+" - TIMESTAMP '2020-02-29 01:02:03.25'))")
	}
	if c, ok := g.one(s, query.Date); ok && g.chance(50) {
		part := g.pick("YEAR", "MONTH", "DAY", "DOW", "WEEK", "QUARTER")
		return g.pick("EXTRACT("+part+" FROM "+c.ref+")", "("+c.ref+" - DATE '2020-01-01')", "("+g.date(s, depth-1)+" - "+c.ref+")")
	}
	if c, ok := g.one(s, query.Text); ok && g.chance(60) {
		return g.pick("LENGTH("+c.ref+")", "CAST("+c.ref+" AS numeric)", c.ref+"::numeric")
	}
	if c, ok := g.one(s, query.Bool); ok && g.chance(50) {
		return "CAST(" + c.ref + " AS integer)"
	}
	return "CASE WHEN " + g.truth(s, depth-1) + " THEN 1 ELSE 0 END"
}

// clamped writes a number with bounds of its own.
func (g *Generator) clamped(s scope, depth int) string {
	return fmt.Sprintf("CLAMP(%s, %s)", g.number(s, depth), g.pick("-100, 250.5", "0, 6", "-3, 40", "-3, 40", "-1.5, 2.25", "-1, 1000"))
}

// summable writes a number that can be added up.
func (g *Generator) summable(s scope, depth int) string {
	if c, ok := g.one(s, query.Number, query.Int); ok && c.bounded && g.chance(40) {
		return g.pick(c.ref, c.ref, c.ref+" * 3", "ABS("+c.ref+")", "ROUND("+c.ref+")", c.ref+" + 1", "-"+c.ref)
	}
	return g.clamped(s, depth)
}

// whole writes a number of few values: a key.
func (g *Generator) whole(s scope) string {
	n := g.number(s, 1)
	return g.pick("CLAMP(ROUND("+n+"), 0, 5)", "CLAMP(FLOOR("+n+" / 10) * 10, -20, 40)", g.bucket(n), "CLAMP(CEIL("+n+"), -2, 3) / 2")
}
