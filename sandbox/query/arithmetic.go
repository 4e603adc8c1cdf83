package query

import "math"

// arithmetic makes a + b, a − b, a · b or a / b, or what + and − make of dates. Its interval is sound without outward rounding:
// binary64 operations are monotone, so that a rounded result lies between the rounded extremes.
func (c *checker) arithmetic(at int32, op Op, a, b term) (term, error) {
	if t, ok, err := c.dateArithmetic(at, op, a, b); ok {
		return t, err
	}
	a, err := c.number(a)
	if err != nil {
		return term{}, err
	}
	if b, err = c.number(b); err != nil {
		return term{}, err
	}
	if x, ok := fold(op, a, b); ok {
		return numberLiteral(at, x), nil
	}
	if op == OpDiv {
		return c.quotient(at, a, b)
	}
	t, err := c.node(at, op, Number, a, b)
	if err != nil {
		return term{}, err
	}
	t.integral = a.integral && b.integral
	switch op {
	case OpAdd:
		return c.within(t, a.lo+b.lo, a.hi+b.hi, a.grid.both(b.grid), 0)
	case OpSub:
		lo, hi := a.lo-b.hi, a.hi-b.lo
		if l, h, ok := remainder(a, b); ok {
			lo, hi = max(lo, l), min(hi, h)
		}
		return c.within(t, lo, hi, a.grid.both(b.grid), 0)
	}
	lo, hi := corners(func(x, y float64) float64 { return x * y }, a.lo, a.hi, b.lo, b.hi)
	return c.within(t, lo, hi, a.grid.product(b.grid), 0)
}

// corners is the interval of a function that is monotone in each argument.
func corners(f func(x, y float64) float64, alo, ahi, blo, bhi float64) (lo, hi float64) {
	p, q, r, s := f(alo, blo), f(alo, bhi), f(ahi, blo), f(ahi, bhi)
	return min(p, q, r, s), max(p, q, r, s)
}

// fold computes an operation on two constants, where the result is one.
func fold(op Op, a, b term) (float64, bool) {
	if !a.literal() || !b.literal() {
		return 0, false
	}
	x, y := a.expr.Number, b.expr.Number
	var z float64
	switch op {
	case OpAdd:
		z = x + y
	case OpSub:
		z = x - y
	case OpMul:
		z = x * y
	case OpDiv:
		if math.Abs(y) < SmallestDivisor {
			return 0, false
		}
		z = x / y
	}
	return z, math.Abs(z) <= largest
}

// quotient makes a / b, which is NULL where b is 0. Where b comes close to 0 the quotient is bounded
// only by the guard that makes it NULL, which is of no use for adding up: the term says so.
func (c *checker) quotient(at int32, a, b term) (term, error) {
	if b.literal() && math.Abs(b.expr.Number) < SmallestDivisor {
		return term{}, c.refuse(at, "divide by something else", "dividing by 0 is always NULL")
	}
	t, err := c.node(at, OpDiv, Number, a, b)
	if err != nil {
		return term{}, err
	}
	touches := b.lo < SmallestDivisor && b.hi > -SmallestDivisor
	gap := max(b.least, SmallestDivisor) // no divisor that gives a value is closer to 0
	t.nullable = t.nullable || touches
	if touches && b.least < SmallestDivisor && t.loose == "" {
		t.loose = "the divisor " + short(c.show(b)) + " may come close to 0"
	}
	divide := func(x, y float64) float64 { return x / y }
	lo, hi, any := math.Inf(1), math.Inf(-1), false
	if b.hi >= gap {
		l, h := corners(divide, a.lo, a.hi, max(b.lo, gap), b.hi)
		lo, hi, any = min(lo, l), max(hi, h), true
	}
	if b.lo <= -gap {
		l, h := corners(divide, a.lo, a.hi, b.lo, min(b.hi, -gap))
		lo, hi, any = min(lo, l), max(hi, h), true
	}
	if !any {
		return term{}, c.refuse(at, "divide by something else", "dividing by %s is always NULL", short(c.show(b)))
	}
	g := grid{}
	if b.literal() {
		g = a.grid.product(b.grid.inverse())
	}
	return c.within(t, lo, hi, g, 0)
}

// negated makes −a.
func (c *checker) negated(at int32, a term) (term, error) {
	a, err := c.number(a)
	if err != nil {
		return term{}, err
	}
	if a.literal() {
		return numberLiteral(at, -a.expr.Number), nil
	}
	t, err := c.node(at, OpNeg, Number, a)
	if err != nil {
		return term{}, err
	}
	t.integral = a.integral
	return c.within(t, -a.hi, -a.lo, a.grid, a.least)
}

// rounded makes ROUND, FLOOR or CEIL of a number, or ABS.
func (c *checker) rounded(at int32, op Op, a term) (term, error) {
	a, err := c.number(a)
	if err != nil {
		return term{}, err
	}
	t, err := c.node(at, op, Number, a)
	if err != nil {
		return term{}, err
	}
	switch op {
	case OpAbs:
		lo, hi := math.Abs(a.lo), math.Abs(a.hi)
		if lo, hi = min(lo, hi), max(lo, hi); a.lo < 0 && a.hi > 0 {
			lo = 0
		}
		t.integral = a.integral
		return c.within(t, lo, hi, a.grid, a.least)
	case OpFloor:
		return c.whole(t, math.Floor(a.lo), math.Floor(a.hi))
	case OpCeil:
		return c.whole(t, math.Ceil(a.lo), math.Ceil(a.hi))
	}
	return c.whole(t, math.Round(a.lo), math.Round(a.hi))
}

// clamp makes CLAMP(value, lower, upper), which bounds what nothing else bounds.
func (c *checker) clamp(at int32, value, lower, upper term) (term, error) {
	const hint = "write CLAMP(value, lower, upper) with two numbers, the smaller first"
	value, err := c.number(value)
	if err != nil {
		return term{}, err
	}
	for _, b := range []term{lower, upper} {
		if !b.literal() || b.untyped() || !b.numeric() {
			return term{}, c.refuse(b.at, hint, "the bounds of CLAMP are not both constants")
		}
	}
	if lower, err = c.number(lower); err != nil {
		return term{}, err
	}
	if upper, err = c.number(upper); err != nil {
		return term{}, err
	}
	lo, hi := lower.expr.Number, upper.expr.Number
	if lo >= hi {
		return term{}, c.refuse(at, hint, "the lower bound of CLAMP is not below its upper bound")
	}
	t, err := c.node(at, OpClamp, Number, value, lower, upper)
	if err != nil {
		return term{}, err
	}
	// An Int beyond 2^53 is still a whole Number, and the bounds make it exact.
	t.loose, t.integral = "", (value.integral || value.expr.Op == OpToNumber) && lower.integral && upper.integral
	least := 0.0
	if value.least > 0 {
		least = min(value.least, lower.least, upper.least)
	}
	g := value.grid.both(lower.grid).both(upper.grid)
	return c.within(t, min(max(value.lo, lo), hi), max(min(value.hi, hi), lo), g, least)
}
