package engine

import (
	"fmt"
	"strconv"
	"strings"

	"entrepot/datasets"
	"entrepot/sandbox/query"
)

// maxSQL bounds one generated statement [bytes]. Operations that name an argument several times
// multiply text when they are nested; the bound depends on the question alone.
const maxSQL = 256 << 10

// maxDepth bounds the nesting of an expression, well below what DuckDB's binder takes.
const maxDepth = 250

// writer writes the SQL of expressions that mean in DuckDB what query.Eval computes in Go.
//
// Nothing it writes can raise an error on a value. It uses arithmetic on DOUBLE only, where an
// overflow would be infinite rather than an error (and the planner's intervals exclude it); casts that
// widen; and functions that are defined everywhere. Guards stand inside the expression, since the
// optimiser reorders filters. Never TRY(), whose time depends on how many rows fail.
type writer struct {
	strings.Builder
	columns map[string]datasets.Column
	depth   int
	err     error // the first failure; writing goes on without effect
}

// fail keeps the first error.
func (w *writer) fail(format string, args ...any) {
	if w.err == nil {
		w.err = fmt.Errorf("%w: "+format, append([]any{ErrPlan}, args...)...)
	}
}

// put writes parts one after the other: a string as it is, an expression as its SQL.
func (w *writer) put(parts ...any) {
	for _, part := range parts {
		if w.err == nil && w.Len() > maxSQL {
			w.fail("its SQL is longer than %d bytes: nest less", maxSQL)
		}
		if w.err != nil {
			return
		}
		switch part := part.(type) {
		case string:
			w.WriteString(part)
		case query.Expr:
			w.expr(part)
		}
	}
}

// literal writes what a literal function returned.
func (w *writer) literal(s string, err error) {
	if err != nil && w.err == nil {
		w.err = err
	}
	w.put(s)
}

// expr writes e in parentheses or as an atom.
func (w *writer) expr(e query.Expr) {
	w.depth++
	defer func() { w.depth-- }()
	if w.depth > maxDepth {
		w.fail("an expression is nested more than %d deep", maxDepth)
		return
	}
	if !arity(e) {
		w.fail("%s with %d arguments", e.Op, len(e.Args))
		return
	}
	a := e.Args
	switch e.Op {
	case query.OpColumn:
		w.column(e)
	case query.OpLiteral:
		w.constant(e)
	case query.OpToNumber, query.OpAdd, query.OpSub, query.OpMul, query.OpDiv, query.OpNeg, query.OpAbs,
		query.OpRound, query.OpFloor, query.OpCeil, query.OpClamp:
		w.arithmetic(e)
	case query.OpAnd:
		w.join(a, " AND ")
	case query.OpOr:
		w.join(a, " OR ")
	case query.OpNot:
		w.put("(NOT ", a[0], ")")
	case query.OpIsNull:
		w.put("(", a[0], " IS NULL)")
	case query.OpIn:
		w.put("(", a[0], " IN ")
		w.join(a[1:], ", ")
		w.put(")")
	case query.OpCase:
		w.cases(a)
	case query.OpCoalesce:
		w.put("coalesce")
		w.join(a, ", ")
	case query.OpNullIf:
		w.put("nullif(", a[0], ", ", a[1], ")")
	case query.OpLike, query.OpLower, query.OpUpper, query.OpTrim, query.OpLength:
		w.text(e)
	case query.OpYear, query.OpQuarter, query.OpMonth, query.OpDay, query.OpHour, query.OpMinute, query.OpDow:
		w.part(e)
	default:
		w.compare(e)
	}
}

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

// compare writes a comparison. Both sides have one type; text is compared by bytes, which for UTF-8
// is by code point.
func (w *writer) compare(e query.Expr) {
	sign, ok := map[query.Op]string{
		query.OpEq: " = ", query.OpNe: " <> ", query.OpLt: " < ", query.OpLe: " <= ", query.OpGt: " > ", query.OpGe: " >= ",
	}[e.Op]
	if !ok {
		w.fail("operation %q has no SQL", e.Op)
		return
	}
	w.join(e.Args, sign)
}

// text writes operations on Text.
func (w *writer) text(e query.Expr) {
	const lower, upper = "'abcdefghijklmnopqrstuvwxyz'", "'ABCDEFGHIJKLMNOPQRSTUVWXYZ'"
	a := e.Args[0]
	switch e.Op {
	case query.OpLike: // without ESCAPE no character escapes; _ is one code point
		w.put("(", a, " LIKE ")
		w.literal(text(e.Text))
		w.put(")")
	case query.OpLower:
		w.put("translate(", a, ", ", upper, ", ", lower, ")")
	case query.OpUpper:
		w.put("translate(", a, ", ", lower, ", ", upper, ")")
	case query.OpTrim:
		w.put("trim(", a, ", ' ')")
	case query.OpLength:
		w.put("CAST(length(", a, ") AS DOUBLE)")
	}
}

// part writes EXTRACT. A Date is never cast to a timestamp, which could be out of range.
func (w *writer) part(e query.Expr) {
	a := e.Args[0]
	clock := e.Op == query.OpHour || e.Op == query.OpMinute
	switch {
	case a.Type == query.Date && clock:
		w.put("(CASE WHEN ", a, " IS NULL THEN NULL ELSE CAST(0 AS DOUBLE) END)")
	case e.Op == query.OpDow:
		w.put("CAST(dayofweek(", a, ") AS DOUBLE)")
	default:
		w.put("CAST("+string(e.Op)+"(", a, ") AS DOUBLE)")
	}
}

// cases writes when, then, …, else.
func (w *writer) cases(a []query.Expr) {
	w.put("(CASE")
	for i := 0; i+1 < len(a); i += 2 {
		w.put(" WHEN ", a[i], " THEN ", a[i+1])
	}
	w.put(" ELSE ", a[len(a)-1], " END)")
}

// join writes (a sep b sep …).
func (w *writer) join(args []query.Expr, sep string) {
	w.put("(")
	for i, a := range args {
		if i > 0 {
			w.put(sep)
		}
		w.put(a)
	}
	w.put(")")
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

// constant writes a typed literal.
func (w *writer) constant(e query.Expr) {
	if e.Null {
		if name, ok := typeNames[e.Type]; ok {
			w.put("CAST(NULL AS " + name + ")")
			return
		}
	}
	switch e.Type {
	case query.Number:
		w.literal(number(e.Number))
	case query.Int:
		w.put(integer(e.Int))
	case query.Text:
		w.literal(text(e.Text))
	case query.Bool:
		w.put(boolean(e.Bool))
	case query.Date:
		w.literal(date(e.Text))
	case query.Timestamp:
		w.literal(timestamp(e.Text))
	default:
		w.fail("a literal of type %s", strconv.Quote(string(e.Type)))
	}
}
