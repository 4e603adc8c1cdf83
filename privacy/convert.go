package privacy

import (
	"math"
	"math/big"
)

// FloorFloat is the largest float64 not above ε: noise drawn for it is never too small.
func (e Epsilon) FloorFloat() float64 { return floorQuotient(int64(e), 1e12) }

// FloorFloat is the largest float64 not above δ.
func (d Delta) FloorFloat() float64 { return floorQuotient(int64(d), 1e18) }

// FloorFloat is the largest float64 not above ρ: noise drawn for it is never too small.
func (r Rho) FloorFloat() float64 { return floorQuotient(int64(r), 1e12) }

// ceilFloat is the smallest float64 not below ε.
func (e Epsilon) ceilFloat() float64 { return -floorQuotient(-int64(e), 1e12) }

// ceilFloat is the smallest float64 not below δ.
func (d Delta) ceilFloat() float64 { return -floorQuotient(-int64(d), 1e18) }

// Float is α, exact to the nearest float64.
func (o Order) Float() float64 { return float64(o) / 1000 }

// floorQuotient rounds once, from the exact fraction: dividing floats could be two steps too high.
func floorQuotient(n, unit int64) float64 {
	exact := new(big.Rat).SetFrac64(n, unit)
	f, _ := exact.Float64() // nearest
	if new(big.Rat).SetFloat64(f).Cmp(exact) > 0 {
		return math.Nextafter(f, math.Inf(-1))
	}
	return f
}

// CeilRenyi converts nats to pico-nats, upward and exactly; NaN, negative and huge values saturate
// at the largest amount, which no account can bear.
func CeilRenyi(d float64) Renyi { return Renyi(ceilScaled(d, 1e12)) }

// CeilEpsilon converts ε to pico-ε likewise.
func CeilEpsilon(e float64) Epsilon { return Epsilon(ceilScaled(e, 1e12)) }

// CeilDelta converts δ to atto-δ likewise.
func CeilDelta(d float64) Delta { return Delta(ceilScaled(d, 1e18)) }

func ceilScaled(x float64, unit int64) int64 {
	if !(x >= 0 && x < math.MaxInt64/float64(unit)) {
		return math.MaxInt64
	}
	quotient, remainder := scaled(x, unit)
	if remainder.Sign() > 0 {
		quotient.Add(quotient, big.NewInt(1))
	}
	if !quotient.IsInt64() {
		return math.MaxInt64
	}
	return quotient.Int64()
}

// FloorRenyi converts nats to pico-nats, downward and exactly; NaN and negative values give 0, huge
// values the largest amount.
func FloorRenyi(d float64) Renyi {
	if !(d > 0) {
		return 0
	}
	if d >= math.MaxInt64/1e12 {
		return math.MaxInt64
	}
	quotient, _ := scaled(d, 1e12)
	if !quotient.IsInt64() {
		return math.MaxInt64
	}
	return Renyi(quotient.Int64())
}

// scaled is x·unit as an integer and a remainder. A float64 is a fraction, so nothing is rounded on
// the way: x·unit in floating point could fall on the wrong side of an integer.
func scaled(x float64, unit int64) (quotient, remainder *big.Int) {
	r := new(big.Rat).SetFloat64(x)
	r.Mul(r, new(big.Rat).SetInt64(unit))
	return new(big.Int).QuoRem(r.Num(), r.Denom(), new(big.Int))
}

// addAmounts adds two amounts that are not negative. A sum too large to count stays at the largest
// amount, which no account can bear.
func addAmounts[A ~int64](x, y A) A {
	if x > math.MaxInt64-y {
		return math.MaxInt64
	}
	return x + y
}
