package engine

import (
	"fmt"

	"entrepot/datasets"
	"entrepot/privacy"
	"entrepot/sandbox/query"
)

// key writes the value that a row is grouped by. A Number key is never −0, and the nearest integer
// where its lattice is that of the integers.
func (g *generator) key(in rows, k query.Key) string {
	e := k.Expr
	number := e.Type == query.Number && (k.Type == datasets.Int64 || k.Type == datasets.Float64)
	if !number && typeNames[e.Type] != keyTypes[k.Type] || keyTypes[k.Type] == "" {
		g.fail("key %q of type %s is %s", k.Name, k.Type, e.Type)
		return ""
	}
	switch f, stored := in.stored(e); {
	case !number:
		return g.expr(in, e)
	case k.Type == datasets.Float64:
		return g.positive(in, e)
	case stored && f.Num == 1 && f.Den == 1:
		return f.sql
	}
	return "TRY_CAST(round(" + g.expr(in, e) + ") AS BIGINT)"
}

// positive writes a Number without a negative zero, other values as they are.
func (g *generator) positive(in rows, e query.Expr) string {
	if e.Type != query.Number {
		return g.expr(in, e)
	}
	return "(" + g.expr(in, e) + " + 0e0)"
}

// distinct writes a value so that equal ones are one.
func (g *generator) distinct(in rows, e query.Expr) string {
	if f, ok := in.stored(e); ok {
		return f.sql
	}
	return g.positive(in, e)
}

// argument writes what is added up on one row, before clamping: stored steps as they are, else the
// number of steps nearest to the value, half away from zero, as a whole DOUBLE.
func (g *generator) argument(in rows, a query.Argument) string {
	switch f, stored := in.stored(a.Expr); {
	case a.Column != "":
		if !stored || a.Expr.Column != a.Column {
			g.fail("field %q is no stored measure", a.Column)
		}
		return f.sql
	case a.SumUnused:
		return g.distinct(in, a.Expr)
	}
	return g.steps(in, a.Expr, a.Step)
}

// steps writes a value as the nearest number of steps, half away from zero.
func (g *generator) steps(in rows, e query.Expr, step privacy.Step) string {
	if e.Type != query.Number {
		g.fail("a sum over %s", e.Type)
		return ""
	}
	return "round(" + g.expr(in, e) + g.scale(step.Den, step.Num) + ")"
}

// clamped writes an argument's clamped steps as BIGINT.
func (g *generator) clamped(a query.Argument, i int) string {
	if a.SumUnused {
		return ""
	}
	return g.clamp(fmt.Sprintf("_a%d", i), a.Column != "", a.Lower, a.Upper)
}

// maxStep bounds the magnitude of a clamped value [steps]: up to it, binary64 is exact.
const maxStep = 1<<53 - 1

// clamp writes steps within bounds as BIGINT; x is a column of BIGINT, or DOUBLE. CASE keeps NULL;
// least and greatest would not.
func (g *generator) clamp(x string, integers bool, lower, upper int64) string {
	if lower > upper || lower < -maxStep || upper > maxStep {
		g.fail("an argument is bounded by %d … %d", lower, upper)
	}
	if integers {
		return fmt.Sprintf("CASE WHEN %s < %d THEN %d WHEN %s > %d THEN %d ELSE %s END", x, lower, lower, x, upper, upper, x)
	}
	return fmt.Sprintf("TRY_CAST(CASE WHEN %s < %d::DOUBLE THEN %d::DOUBLE WHEN %s > %d::DOUBLE THEN %d::DOUBLE ELSE %s END AS BIGINT)",
		x, lower, lower, x, upper, upper, x)
}
