package query

import (
	"math"
	"strconv"
	"strings"
)

// writer writes the canonical SQL of expressions, which the planner reads back as the same ones:
// what it adds by itself (conversions of Int to Number, order) is left out here.
type writer struct{ plan *Parts }

// How tightly an expression binds, in PostgreSQL's order.
const (
	bindsOr = iota
	bindsAnd
	bindsNot
	bindsComparison
	bindsSum
	bindsProduct
	bindsSign
	bindsFirmly
)

// expr writes an expression.
func (w writer) expr(e Expr) string {
	var b strings.Builder
	w.write(&b, e, bindsOr)
	return b.String()
}

// write writes an expression, in parentheses if it binds less tightly than at least.
func (w writer) write(b *strings.Builder, e Expr, least int) {
	if binding(e) < least {
		b.WriteByte('(')
		defer b.WriteByte(')')
	}
	switch e.Op {
	case OpLiteral:
		b.WriteString(constant(e))
	case OpColumn:
		b.WriteString(qualified(e.Column))
	case OpReleased:
		w.inHaving(b, *e.Released, least)
	case OpToNumber:
		w.write(b, e.Args[0], least)
	case OpNeg:
		b.WriteByte('-')
		w.write(b, e.Args[0], bindsFirmly)
	case OpAnd:
		w.join(b, " AND ", e.Args, bindsNot)
	case OpOr:
		w.join(b, " OR ", e.Args, bindsAnd)
	case OpNot:
		w.negation(b, e.Args[0])
	case OpIsNull, OpIn, OpLike:
		w.test(b, e, "")
	case OpCase:
		w.cases(b, e.Args)
	case OpYear, OpQuarter, OpMonth, OpWeek, OpDay, OpDow, OpHour, OpMinute, OpSecond, OpSeconds:
		w.extract(b, e)
	case OpDateTrunc:
		w.call(b, "DATE_TRUNC("+quote(e.Text)+", ", e.Args, ")")
	case OpDateAdd:
		w.write(b, e.Args[0], bindsSum)
		b.WriteString(" + INTERVAL " + quote(strconv.FormatInt(e.Int, 10)+" "+e.Text))
	case OpToDate, OpParseDate:
		w.call(b, "CAST(", e.Args, " AS DATE)")
	case OpToTime:
		w.call(b, "CAST(", e.Args, " AS TIMESTAMP)")
	case OpParseNumber:
		w.call(b, "CAST(", e.Args, " AS DOUBLE PRECISION)")
	case OpBucket:
		w.call(b, "WIDTH_BUCKET(", e.Args[:1], ", ARRAY[")
		w.call(b, "", e.Args[1:], "])")
	default:
		if sign, left, right := infix(e.Op); sign != "" {
			w.write(b, e.Args[0], left)
			b.WriteString(sign)
			w.write(b, e.Args[1], right)
			return
		}
		w.call(b, strings.ToUpper(string(e.Op))+"(", e.Args, ")")
	}
}

// call writes arguments between what stands before and after them.
func (w writer) call(b *strings.Builder, before string, args []Expr, after string) {
	b.WriteString(before)
	w.join(b, ", ", args, bindsOr)
	b.WriteString(after)
}

// extract writes EXTRACT; the seconds between two timestamps are the EPOCH of their difference.
func (w writer) extract(b *strings.Builder, e Expr) {
	field := strings.ToUpper(string(e.Op))
	if e.Op == OpSeconds {
		field = "EPOCH"
	}
	b.WriteString("EXTRACT(" + field + " FROM ")
	w.write(b, e.Args[0], bindsSum)
	if e.Op == OpSeconds {
		b.WriteString(" - ")
		w.write(b, e.Args[1], bindsProduct)
	}
	b.WriteByte(')')
}

// qualified writes the name of a field, which may have the alias of its relation before it.
func qualified(name string) string {
	if alias, field, ok := strings.Cut(name, "."); ok {
		return identifier(alias) + "." + identifier(field)
	}
	return identifier(name)
}

func (w writer) join(b *strings.Builder, between string, list []Expr, least int) {
	for i, e := range list {
		if i > 0 {
			b.WriteString(between)
		}
		w.write(b, e, least)
	}
}

// infix is the sign of a binary operation and how tightly its sides must bind.
func infix(op Op) (sign string, left, right int) {
	switch op {
	case OpAdd:
		return " + ", bindsSum, bindsProduct
	case OpSub, OpDays:
		return " - ", bindsSum, bindsProduct
	case OpMul:
		return " * ", bindsProduct, bindsSign
	case OpDiv:
		return " / ", bindsProduct, bindsSign
	case OpEq:
		return " = ", bindsSum, bindsSum
	case OpNe:
		return " <> ", bindsSum, bindsSum
	case OpLt:
		return " < ", bindsSum, bindsSum
	case OpLe:
		return " <= ", bindsSum, bindsSum
	case OpGt:
		return " > ", bindsSum, bindsSum
	case OpGe:
		return " >= ", bindsSum, bindsSum
	}
	return "", 0, 0
}

// binding is how tightly an expression binds.
func binding(e Expr) int {
	switch e.Op {
	case OpOr:
		return bindsOr
	case OpAnd:
		return bindsAnd
	case OpNot:
		switch e.Args[0].Op {
		case OpIsNull, OpIn, OpLike:
			return bindsComparison
		}
		return bindsNot
	case OpIsNull, OpIn, OpLike, OpEq, OpNe, OpLt, OpLe, OpGt, OpGe:
		return bindsComparison
	case OpAdd, OpSub, OpDays, OpDateAdd:
		return bindsSum
	case OpMul, OpDiv:
		return bindsProduct
	case OpNeg:
		return bindsSign
	case OpLiteral:
		if e.Number < 0 || e.Int < 0 {
			return bindsSign
		}
	case OpToNumber:
		return binding(e.Args[0])
	}
	return bindsFirmly
}

// negation writes NOT e, inside the test where SQL has a word for it.
func (w writer) negation(b *strings.Builder, e Expr) {
	switch e.Op {
	case OpIsNull, OpIn, OpLike:
		w.test(b, e, "NOT ")
		return
	}
	b.WriteString("NOT ")
	w.write(b, e, bindsNot)
}

// test writes IS NULL, IN and LIKE, with or without NOT.
func (w writer) test(b *strings.Builder, e Expr, not string) {
	w.write(b, e.Args[0], bindsSum)
	switch e.Op {
	case OpIsNull:
		b.WriteString(" IS " + not + "NULL")
	case OpIn:
		b.WriteString(" " + not + "IN (")
		w.join(b, ", ", e.Args[1:], bindsOr)
		b.WriteByte(')')
	case OpLike:
		b.WriteString(" " + not + "LIKE " + quote(e.Text))
	}
}

func (w writer) cases(b *strings.Builder, args []Expr) {
	b.WriteString("CASE")
	for i := 0; i+1 < len(args); i += 2 {
		b.WriteString(" WHEN ")
		w.write(b, args[i], bindsOr)
		b.WriteString(" THEN ")
		w.write(b, args[i+1], bindsOr)
	}
	if last := args[len(args)-1]; !last.Null {
		b.WriteString(" ELSE ")
		w.write(b, last, bindsOr)
	}
	b.WriteString(" END")
}

// constant writes a literal.
func constant(e Expr) string {
	switch {
	case e.Null:
		return "NULL"
	case e.Type == Int:
		return strconv.FormatInt(e.Int, 10)
	case e.Type == Number:
		if x := math.Abs(e.Number); x != 0 && (x < 1e-6 || x >= 1e15) {
			return strconv.FormatFloat(e.Number, 'e', -1, 64)
		}
		return strconv.FormatFloat(e.Number, 'f', -1, 64)
	case e.Type == Bool:
		return strings.ToUpper(strconv.FormatBool(e.Bool))
	case e.Type == Date:
		return "DATE " + quote(e.Text)
	case e.Type == Timestamp:
		return "TIMESTAMP " + quote(e.Text)
	}
	return quote(e.Text)
}
