package engine

import "entrepot/sandbox/query"

// arithmetic writes operations that yield a Number.
func (w *writer) arithmetic(e query.Expr) {
	a := e.Args
	switch e.Op {
	case query.OpToNumber: // BIGINT → DOUBLE rounds to nearest, ties to even, as Go does
		w.put("CAST(", a[0], " AS DOUBLE)")
	case query.OpAdd:
		w.join(a, " + ")
	case query.OpSub:
		w.join(a, " - ")
	case query.OpMul:
		w.join(a, " * ")
	case query.OpDiv: // in DuckDB x/0 is infinite or NaN
		w.put("(CASE WHEN abs(", a[1], ") < 1e-100 THEN NULL ELSE ", a[0], " / ", a[1], " END)")
	case query.OpNeg:
		w.put("(-", a[0], ")")
	case query.OpAbs:
		w.put("abs(", a[0], ")")
	case query.OpRound: // half away from zero on DOUBLE
		w.put("round(", a[0], ")")
	case query.OpFloor:
		w.put("floor(", a[0], ")")
	case query.OpCeil:
		w.put("ceil(", a[0], ")")
	case query.OpClamp:
		w.clamp(a[0], a[1], a[2])
	}
}

// clamp writes x, or the bound that it is beyond. Not by least and greatest: they pass over NULL.
// A large x is written once, as a list of one that a lambda maps, so that nested clamps do not
// multiply the text; a small one thrice, which runs faster.
func (w *writer) clamp(x, lower, upper query.Expr) {
	for _, bound := range []query.Expr{lower, upper} {
		if bound.Op != query.OpLiteral || bound.Type != query.Number || bound.Null {
			w.fail("a clamp has a bound that is no number")
		}
	}
	if lower.Number > upper.Number {
		w.fail("a clamp's bounds are crossed")
	}
	if size(x) <= smallExpr {
		w.put("(CASE WHEN ", x, " < ", lower, " THEN ", lower, " WHEN ", x, " > ", upper, " THEN ", upper, " ELSE ", x, " END)")
		return
	}
	w.put("list_transform([", x, "], lambda _x: CASE WHEN _x < ", lower, " THEN ", lower, " WHEN _x > ", upper, " THEN ", upper, " ELSE _x END)[1]")
}

// smallExpr is the size up to which clamp repeats an expression.
const smallExpr = 12

// size counts the operations of e.
func size(e query.Expr) int {
	n := 1
	for _, a := range e.Args {
		n += size(a)
	}
	return n
}

// column writes a column's value. A measure is stored in steps: its value is steps·Num/Den in
// binary64, multiplied first.
func (w *writer) column(e query.Expr) {
	c, ok := w.columns[e.Column]
	if !ok {
		w.fail("column %q is not stored", e.Column)
		return
	}
	if e.Num == 0 && e.Den == 0 {
		w.put(ident(c.Name))
		return
	}
	w.put("(CAST(", ident(c.Name), " AS DOUBLE)")
	w.scale(e.Num, e.Den)
	w.put(")")
}

// scale writes · num / den; a factor of one changes no bit and is left out.
func (w *writer) scale(num, den int64) {
	if num <= 0 || den <= 0 {
		w.fail("a resolution of %d/%d", num, den)
	}
	if num != 1 {
		w.put(" * ")
		w.literal(number(float64(num)))
	}
	if den != 1 {
		w.put(" / ")
		w.literal(number(float64(den)))
	}
}
