package engine

import (
	"fmt"
	"strconv"
	"strings"

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
	fields map[string]field
	depth  int
	err    error // the first failure; writing goes on without effect
}

// fail keeps the first error.
func (w *writer) fail(format string, args ...any) {
	if w.err == nil {
		w.err = fmt.Errorf("%w: "+format, append([]any{ErrPlan}, args...)...)
	}
}

// put writes parts one after the other: a string as it is, an expression as its SQL, a function by
// calling it.
func (w *writer) put(parts ...any) {
	for _, part := range parts {
		if w.err == nil && w.Len() > maxSQL {
			w.fail("%w", tooLarge("the question is too large when it is written out"))
		}
		if w.err != nil {
			return
		}
		switch part := part.(type) {
		case string:
			w.WriteString(part)
		case query.Expr:
			w.expr(part)
		case func():
			part()
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
		w.fail("%w", tooLarge("an expression is nested too deeply"))
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
	case query.OpYear, query.OpQuarter, query.OpMonth, query.OpDay, query.OpHour, query.OpMinute, query.OpDow,
		query.OpWeek, query.OpSecond:
		w.part(e)
	case query.OpDateTrunc, query.OpDateAdd, query.OpDays, query.OpSeconds, query.OpToDate, query.OpToTime:
		w.moment(e)
	case query.OpBucket:
		w.bucket(a[0], a[1:])
	case query.OpParseNumber, query.OpParseDate:
		w.parse(e)
	default:
		w.compare(e)
	}
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
