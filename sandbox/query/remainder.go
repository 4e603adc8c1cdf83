package query

import "math"

// roundedTo makes ROUND(x, digits): ROUND(x · 10^digits) / 10^digits, and the reverse for negative digits.
func (c *checker) roundedTo(at int32, a, digits term) (term, error) {
	d := digits.integer
	if !digits.literal() || !digits.whole || d < -15 || d > 15 {
		return term{}, c.refuse(digits.at, "write a number from -15 to 15, as in ROUND(x, 2)", "the digits of ROUND are not a constant")
	}
	if d == 0 {
		return c.rounded(at, OpRound, a)
	}
	power, before, after := numberLiteral(at, math.Pow10(int(max(d, -d)))), OpMul, OpDiv
	if d < 0 {
		before, after = OpDiv, OpMul
	}
	t, err := c.arithmetic(at, before, a, power)
	if err != nil {
		return term{}, err
	}
	if t, err = c.rounded(at, OpRound, t); err != nil {
		return term{}, err
	}
	return c.arithmetic(at, after, t, power)
}

// modulo makes MOD(x, n) and x % n for a positive constant n: x − n·FLOOR(x/n), which is never negative.
func (c *checker) modulo(at int32, a, n term) (term, error) {
	if !n.literal() || !n.numeric() || n.untyped() || n.expr.Number <= 0 && n.expr.Int <= 0 {
		return term{}, c.refuse(n.at, "write a positive number, as in x % 10", "the divisor of a remainder is not a positive constant")
	}
	t, err := c.arithmetic(at, OpDiv, a, n)
	if err != nil {
		return term{}, err
	}
	if t, err = c.rounded(at, OpFloor, t); err != nil {
		return term{}, err
	}
	if t, err = c.arithmetic(at, OpMul, n, t); err != nil {
		return term{}, err
	}
	return c.arithmetic(at, OpSub, a, t)
}

// remainder bounds a − b where b is n·FLOOR(a/n): from 0 to n, or to n − 1 for integers, where nothing is
// rounded. Elsewhere the quotient, the product and the difference are each off by a part in 2^53 of a,
// or of n, at most.
func remainder(a, b term) (lo, hi float64, ok bool) {
	if b.expr.Op != OpMul || b.expr.Args[1].Op != OpFloor || b.expr.Args[0].Op != OpLiteral {
		return 0, 0, false
	}
	n, quotient := b.expr.Args[0].Number, b.expr.Args[1].Args[0]
	if quotient.Op != OpDiv || n <= 0 || quotient.Args[1].Op != OpLiteral || quotient.Args[1].Number != n || !equal(quotient.Args[0], a.expr) {
		return 0, 0, false
	}
	if a.integral && n == math.Trunc(n) && exact(2*n) && exact(2*a.lo) && exact(2*a.hi) {
		return 0, n - 1, true
	}
	off := math.Ldexp(max(math.Abs(a.lo), math.Abs(a.hi), n), -49)
	return -off, n + off, true
}

// equal tells whether two expressions are the same.
func equal(a, b Expr) bool {
	if a.Op != b.Op || a.Type != b.Type || a.Column != b.Column || a.Num != b.Num || a.Den != b.Den || len(a.Args) != len(b.Args) ||
		a.Text != b.Text || a.Number != b.Number || a.Int != b.Int || a.Bool != b.Bool || a.Null != b.Null || a.Lo != b.Lo || a.Hi != b.Hi ||
		(a.Released == nil) != (b.Released == nil) || a.Released != nil && *a.Released != *b.Released {
		return false
	}
	for i := range a.Args {
		if !equal(a.Args[i], b.Args[i]) {
			return false
		}
	}
	return true
}
