package datasets

import (
	"math"
	"math/big"
)

// maxSteps is the first number of steps, and the first numerator and denominator of a resolution,
// that is too large: below it every value is exact in float64 and sums have room.
const maxSteps = 1 << 53

// Grid returns what a bounded numeric column counts in: the resolution num/den in lowest terms,
// and the bounds in steps of it. A stored measure s stands for s·num/den. ok is false for columns
// that are not bounded numbers and for those that Validate refuses.
func (c Column) Grid() (lower, upper int64, num, den int64, ok bool) {
	if c.Lower.IsZero() || c.Upper.IsZero() || c.Role != Key && c.Role != Measure {
		return 0, 0, 0, 0, false
	}
	if c.Type != Int64 && (c.Type != Float64 || c.Resolution.IsZero()) {
		return 0, 0, 0, 0, false
	}
	r := c.resolution()
	if r.Sign() <= 0 || !fits(r.Num()) || !fits(r.Denom()) {
		return 0, 0, 0, 0, false
	}
	low, lowExact := inSteps(c.Lower, r)
	high, highExact := inSteps(c.Upper, r)
	if !lowExact || !highExact || !fits(low) || !fits(high) || low.Cmp(high) >= 0 {
		return 0, 0, 0, 0, false
	}
	return low.Int64(), high.Int64(), r.Num().Int64(), r.Denom().Int64(), true
}

// resolution is the declared one, or 1.
func (c Column) resolution() *big.Rat {
	if c.Resolution.IsZero() {
		return big.NewRat(1, 1)
	}
	return c.Resolution.Rat()
}

func fits(v *big.Int) bool { return v.IsInt64() && v.Int64() < maxSteps && v.Int64() > -maxSteps }

// inSteps is how many steps of r lie below v, and whether they reach it exactly.
func inSteps(v Decimal, r *big.Rat) (*big.Int, bool) {
	q := new(big.Rat).Quo(v.Rat(), r)
	// Div is Euclidean; with a positive divisor that is the floor.
	return new(big.Int).Div(q.Num(), q.Denom()), q.IsInt()
}

// checkGrid says why Grid would refuse a numeric column with both bounds.
func (c Column) checkGrid(p *columnProblems) {
	r := c.resolution()
	switch {
	case r.Sign() <= 0:
		p.add("resolution %s is not above 0", c.Resolution)
		return
	case c.Type == Int64 && !r.IsInt():
		p.add("resolution %s of an int64 column is not a whole number; write 1, or declare the column float64", c.Resolution)
		return
	case !fits(r.Num()) || !fits(r.Denom()):
		p.add("resolution %s is out of range; write one between 1e-15 and 9e15", c.Resolution)
		return
	}
	low, lowOK := c.checkBound(p, "lower", c.Lower, r)
	high, highOK := c.checkBound(p, "upper", c.Upper, r)
	if lowOK && highOK && low.Cmp(high) >= 0 {
		p.add("lower %s is not below upper %s", c.Lower, c.Upper)
	}
}

func (c Column) checkBound(p *columnProblems, what string, v Decimal, r *big.Rat) (*big.Int, bool) {
	steps, exact := inSteps(v, r)
	switch {
	case !exact:
		above := new(big.Int).Add(steps, big.NewInt(1))
		p.add("%s %s is not on the grid of resolution %s; write %s or %s", what, v, plain(r), onGrid(steps, r), onGrid(above, r))
		return nil, false
	case !fits(steps):
		p.add("%s %s is %s steps of %s, which must stay below 2^53; write a smaller bound or a coarser resolution", what, v, steps, plain(r))
		return nil, false
	case c.Type == Int64 && !v.Rat().Num().IsInt64():
		p.add("%s %s is beyond int64; write %d to %d", what, v, int64(math.MinInt64), int64(math.MaxInt64))
		return nil, false
	}
	return steps, true
}

// onGrid writes a number of steps as a value.
func onGrid(steps *big.Int, r *big.Rat) string {
	return plain(new(big.Rat).Mul(new(big.Rat).SetInt(steps), r))
}
