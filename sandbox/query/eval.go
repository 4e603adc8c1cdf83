package query

import (
	"math"
	"sort"
)

// Eval is the exact meaning of an expression over one row, with SQL's three-valued logic. Engines
// must agree with it bit for bit.
//
// row returns the stored value of a column: nil for NULL, the int64 steps of a measure, otherwise a
// string, int64 or bool; dates and timestamps are strings in their canonical form. The result is nil,
// float64 (Number), int64 (Int), string (Text, Date, Timestamp) or bool (Bool). A value of another type
// than the expression's counts as NULL. OpReleased is NULL: only Finish evaluates it.
func Eval(e Expr, row func(column string) any) any { return evaluator{column: row}.eval(e) }

// evaluator evaluates expressions; a function that is nil makes every value NULL.
type evaluator struct {
	column   func(name string) any
	released func(r Released) any
}

func (v evaluator) eval(e Expr) any {
	switch e.Op {
	case OpColumn:
		return v.stored(e)
	case OpReleased:
		if v.released == nil || e.Released == nil {
			return nil
		}
		x := v.released(*e.Released)
		if n, ok := x.(int64); ok && e.Type == Number { // a key whose values are integers
			return float64(n)
		}
		return x
	case OpLiteral:
		return literalValue(e)
	case OpAnd, OpOr:
		return v.logic(e)
	case OpNot:
		if b, ok := v.eval(e.Args[0]).(bool); ok {
			return !b
		}
		return nil
	case OpIsNull:
		return v.eval(e.Args[0]) == nil
	case OpIn:
		return v.among(e)
	case OpCase:
		for i := 0; i+1 < len(e.Args); i += 2 {
			if v.eval(e.Args[i]) == true {
				return v.eval(e.Args[i+1])
			}
		}
		return v.eval(e.Args[len(e.Args)-1])
	case OpCoalesce:
		for _, a := range e.Args {
			if x := v.eval(a); x != nil {
				return x
			}
		}
		return nil
	case OpNullIf:
		a, b := v.eval(e.Args[0]), v.eval(e.Args[1])
		if a != nil && b != nil {
			if c, ok := compareValues(a, b, e.Type == Timestamp); ok && c == 0 {
				return nil
			}
		}
		return a
	case OpEq, OpNe, OpLt, OpLe, OpGt, OpGe:
		return v.compare(e)
	case OpLike, OpLower, OpUpper, OpTrim, OpLength, OpParseNumber, OpParseDate, OpDateTrunc, OpDateAdd, OpToDate, OpToTime,
		OpYear, OpQuarter, OpMonth, OpWeek, OpDay, OpDow, OpHour, OpMinute, OpSecond:
		if s, ok := v.eval(e.Args[0]).(string); ok {
			return ofText(e, s)
		}
		return nil
	case OpDays, OpSeconds:
		a, ok1 := v.eval(e.Args[0]).(string)
		b, ok2 := v.eval(e.Args[1]).(string)
		if ok1 && ok2 {
			return between(e.Op, a, b)
		}
		return nil
	case OpBucket:
		if x, ok := v.eval(e.Args[0]).(float64); ok {
			return bucket(x, e.Args[1:])
		}
		return nil
	case OpToNumber:
		if n, ok := v.eval(e.Args[0]).(int64); ok {
			return float64(n)
		}
		return nil
	}
	return v.arithmetic(e)
}

// stored is the value of a column.
func (v evaluator) stored(e Expr) any {
	if v.column == nil {
		return nil
	}
	x := v.column(e.Column)
	if e.Num == 0 {
		return x
	}
	if n, ok := x.(int64); ok {
		return scaled(n, e.Num, e.Den)
	}
	return nil
}

func literalValue(e Expr) any {
	switch {
	case e.Null:
		return nil
	case e.Type == Number:
		return e.Number
	case e.Type == Int:
		return e.Int
	case e.Type == Bool:
		return e.Bool
	}
	return e.Text
}

// logic is AND or OR: the first value that decides, else NULL if there was one.
func (v evaluator) logic(e Expr) any {
	decisive, unknown := e.Op == OpOr, false
	for _, a := range e.Args {
		switch b, ok := v.eval(a).(bool); {
		case !ok:
			unknown = true
		case b == decisive:
			return decisive
		}
	}
	if unknown {
		return nil
	}
	return !decisive
}

// among is IN: NULL unless a value decides.
func (v evaluator) among(e Expr) any {
	x := v.eval(e.Args[0])
	if x == nil {
		return nil
	}
	unknown := false
	for _, a := range e.Args[1:] {
		y := v.eval(a)
		if y == nil {
			unknown = true
			continue
		}
		if c, ok := compareValues(x, y, e.Args[0].Type == Timestamp); ok && c == 0 {
			return true
		}
	}
	if unknown {
		return nil
	}
	return false
}

func (v evaluator) compare(e Expr) any {
	a, b := v.eval(e.Args[0]), v.eval(e.Args[1])
	if a == nil || b == nil {
		return nil
	}
	c, ok := compareValues(a, b, e.Args[0].Type == Timestamp)
	if !ok {
		return nil
	}
	switch e.Op {
	case OpEq:
		return c == 0
	case OpNe:
		return c != 0
	case OpLt:
		return c < 0
	case OpLe:
		return c <= 0
	case OpGt:
		return c > 0
	}
	return c >= 0
}

// arithmetic evaluates operations on Numbers, of which any NULL makes the result NULL.
func (v evaluator) arithmetic(e Expr) any {
	var x [3]float64
	if len(e.Args) == 0 || len(e.Args) > len(x) {
		return nil
	}
	for i, a := range e.Args {
		n, ok := v.eval(a).(float64)
		if !ok {
			return nil
		}
		x[i] = n
	}
	switch e.Op {
	case OpAdd:
		return x[0] + x[1]
	case OpSub:
		return x[0] - x[1]
	case OpMul:
		return x[0] * x[1]
	case OpDiv:
		if math.Abs(x[1]) < SmallestDivisor {
			return nil
		}
		return x[0] / x[1]
	case OpNeg:
		return -x[0]
	case OpAbs:
		return math.Abs(x[0])
	case OpRound:
		return math.Round(x[0])
	case OpFloor:
		return math.Floor(x[0])
	case OpCeil:
		return math.Ceil(x[0])
	case OpClamp:
		return max(x[1], min(x[2], x[0]))
	}
	return nil
}

// bucket is how many of the ascending thresholds lie at or below x.
func bucket(x float64, thresholds []Expr) float64 {
	return float64(sort.Search(len(thresholds), func(i int) bool { return thresholds[i].Number > x }))
}
