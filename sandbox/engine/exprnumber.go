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
func (w *writer) clamp(x, lower, upper query.Expr) {
	for _, bound := range []query.Expr{lower, upper} {
		if bound.Op != query.OpLiteral || bound.Type != query.Number || bound.Null {
			w.fail("a clamp has a bound that is no number")
		}
	}
	if lower.Number > upper.Number {
		w.fail("a clamp's bounds are crossed")
	}
	w.once(x, func(x func()) {
		w.put("CASE WHEN ", x, " < ", lower, " THEN ", lower, " WHEN ", x, " > ", upper, " THEN ", upper, " ELSE ", x, " END")
	})
}

// once writes something that names x several times. A large x is written once, as a list of one that a
// lambda maps, so that nested operations do not multiply the text; a small one each time, which runs
// faster.
func (w *writer) once(x query.Expr, body func(x func())) {
	if size(x) <= smallExpr {
		w.put("(")
		body(func() { w.put(x) })
		w.put(")")
		return
	}
	w.put("list_transform([", x, "], lambda _x: ")
	body(func() { w.put("_x") })
	w.put(")[1]")
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

// bucket writes how many ascending literals are at or below x, as a binary search.
func (w *writer) bucket(x query.Expr, bounds []query.Expr) {
	for i, b := range bounds {
		if b.Op != query.OpLiteral || b.Type != query.Number || b.Null || i > 0 && b.Number <= bounds[i-1].Number {
			w.fail("the bounds of a bucket do not ascend")
			return
		}
	}
	w.once(x, func(x func()) {
		w.put("CASE WHEN ", x, " IS NULL THEN NULL ELSE ")
		w.search(x, bounds, 0, len(bounds))
		w.put(" END")
	})
}

// search writes the number of bounds at or below x, which is from lower to upper.
func (w *writer) search(x func(), bounds []query.Expr, lower, upper int) {
	if lower == upper {
		w.literal(number(float64(lower)))
		return
	}
	middle := (lower + upper) / 2
	w.put("CASE WHEN ", x, " < ", bounds[middle], " THEN ")
	w.search(x, bounds, lower, middle)
	w.put(" ELSE ")
	w.search(x, bounds, middle+1, upper)
	w.put(" END")
}

// column writes a field's value. A measure is stored in steps: its value is steps·Num/Den in binary64,
// multiplied first.
func (w *writer) column(e query.Expr) {
	f, ok := w.fields[e.Column]
	if !ok || f.Type != e.Type || f.Num != e.Num || f.Den != e.Den {
		w.fail("there is no field %q of type %s in steps of %d/%d", e.Column, e.Type, e.Num, e.Den)
		return
	}
	if !f.steps() {
		w.put(f.sql)
		return
	}
	w.put("(CAST(" + f.sql + " AS DOUBLE)")
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
