package privacy

import (
	"fmt"
	"math"

	dpnoise "github.com/google/differential-privacy/go/v2/noise"
)

// Laplace noise on integers.
//
//	Guarantee    (ε, 0)-DP for a vector of integers that one unit moves by at most L1 in all; and, for
//	             shifts s_i of its cells, ρ-zCDP with ρ = Σ g(s_i/b), g(x) = x + e^(−x) − 1.
//	Mechanism    x + Z, with Z discrete Laplace: P(Z = z) ∝ e^(−|z|/b) on a lattice.
//	Source       google/differential-privacy common_docs/Secure_Noise_Generation; Ghosh et al. 2009,
//	             arXiv:0811.2841, for the geometric mechanism. g: PROMISE.md section 3, with its proof.
//	Loss         under ε: ε, rounded down to a float64 before it sets the noise. Under ρ: b is the smallest
//	             with g of the worst unit within ρ, rounded to more noise; its ε is L1/b.
//	Not covered  floating point inside the library's sampler; its truncation, of probability below
//	             2^-180 (below 2^-1000 where a lattice point is no more than a step).
//	Tested by    TestLaplaceLattice, TestLaplaceNeverMoreThanEpsilon (exact, all shifts), TestLaplaceUnderRho,
//	             TestLaplaceDistribution (false-reject 1e-5).
//
// The library draws multiples of g, the power of two at or above (L1/ε)/2^40, and two things there
// would break the guarantee for integers, both rare and small, and both avoided here:
//
// Where g < 1 it rounds the noise alone to an integer, half away from zero, which gives 0 one
// lattice point less than ±1, ±2, …: at g = 1/2 half the probability. So L1 is doubled until g is
// exactly 1: the library's integers, with no rounding in it, count 2^-bits of a step.
//
// Where g > 1 it rounds x to a multiple of g, which can add almost g to the shift of *each*
// partition, and widens L1 by one g. So L1 is widened for the others before it is handed over.

// latticePoints is the library's granularity parameter: a scale is 2^39 to 2^40 lattice points.
const latticePoints = 1 << 40

// newLaplace calibrates noise to a sensitivity with every l1, cell and cells at least 1.
func newLaplace(s sensitivity, share Epsilon) (noise, error) {
	n, ok := laplaceAt(s, share.FloorFloat())
	if !ok {
		return noise{}, fmt.Errorf("%w: one unit may move an answer by %d steps, too many for ε = %s; narrow the bounds or the limits, or spend more",
			ErrSpec, s.l1, share)
	}
	return n, nil
}

// laplaceAt is the noise for an ε, false where its scale would be above the cap.
func laplaceAt(s sensitivity, epsilon float64) (noise, bool) {
	n := noise{kind: Laplace, epsilon: epsilon, sensitivity: s.l1}
	for float64(n.sensitivity)*2/n.epsilon <= latticePoints {
		n.sensitivity *= 2
		n.bits++
	}
	n.grain = grainOf(n.sensitivity, n.epsilon)
	for n.grain > 1 {
		wide := float64(s.l1) + float64(s.cells-1)*float64(n.grain)
		if wide/n.epsilon > maxScale {
			return noise{}, false
		}
		n.sensitivity = s.l1 + (s.cells-1)*n.grain
		grain := grainOf(n.sensitivity, n.epsilon)
		if grain == n.grain {
			break
		}
		n.grain = grain
	}
	n.scale = math.Ldexp((float64(n.sensitivity)+float64(n.grain))/n.epsilon, -int(n.bits))
	return n, true
}

// laplaceForRho calibrates noise to a share of ρ: the largest ε for one full cell, in whole pico-ε, at
// which the worst unit stays within it.
func laplaceForRho(s sensitivity, share Rho) (noise, error) {
	cell := sensitivity{cell: s.cell, l1: s.cell, cells: 1, levels: 1}
	rho := share.FloorFloat()
	fits := func(epsilon Epsilon) bool {
		n, err := newLaplace(cell, epsilon)
		return err != nil || s.laplaceRho(n) <= rho // too little ε for the cap on b: the last call below says so
	}
	low, high := MinMechanismEpsilon, MaxMechanismEpsilon+1
	for high-low > 1 {
		if middle := low + (high-low)/2; fits(middle) {
			low = middle
		} else {
			high = middle
		}
	}
	if !fits(low) {
		return noise{}, fmt.Errorf("%w: one unit may move an answer by %d steps in each of %d cells, too many for ρ = %s; narrow the bounds or the limits, or spend more",
			ErrSpec, s.cell, s.cells, share)
	}
	if high > MaxMechanismEpsilon {
		return noise{}, fmt.Errorf("%w: ρ = %s is more than a draw takes; spend less", ErrSpec, share)
	}
	return newLaplace(cell, low)
}

// laplaceRho bounds what a draw costs in zero-concentrated DP, with the noise given.
func (s sensitivity) laplaceRho(n noise) float64 {
	return s.worst(func(shift float64) float64 { return excess(-(shift + n.rounding()) / n.scale) }) * (1 + relativeMargin)
}

// laplaceEpsilon bounds what a draw costs in pure DP, with the noise given.
func (s sensitivity) laplaceEpsilon(n noise) float64 {
	return s.worst(func(shift float64) float64 { return (shift + n.rounding()) / n.scale }) * (1 + relativeMargin)
}

// grainOf is the library's lattice for these parameters, in the library's own arithmetic.
func grainOf(l1 int64, epsilon float64) int64 {
	fraction, exponent := math.Frexp((float64(l1) / epsilon) / latticePoints)
	if fraction == 0.5 {
		exponent--
	}
	return 1 << max(exponent, 0)
}

// libraryLaplace draws a noisy zero. It and libraryGaussian are the only places that draw numeric noise.
func libraryLaplace(_ site, l1 int64, epsilon float64) (int64, error) {
	return dpnoise.Laplace().AddNoiseInt64(0, 1, l1, epsilon, 0)
}

// laplaceDifference is P(|X − Y| > t) for independent Laplace X and Y of scales a > 0 and b ≥ 0.
//
// Partial fractions of the characteristic function 1/((1+a²s²)(1+b²s²)) give
// (a²·e^(−t/a) − b²·e^(−t/b))/(a² − b²), and (1 + t/2a)·e^(−t/a) for a = b. With a ≥ b and
// d = t/b − t/a ≥ 0 both are e^(−t/a)·(1 + b·t/(a·(a+b))·(1 − e^(−d))/d): positive terms only.
func laplaceDifference(t, a, b float64) float64 {
	if t <= 0 {
		return 1
	}
	if a < b {
		a, b = b, a
	}
	if b == 0 {
		return math.Exp(-t / a)
	}
	flat := 1.0 // (1 − e^(−d))/d
	if d := t / b * ((a - b) / a); d > 0 {
		flat = -math.Expm1(-d) / d
	}
	return math.Exp(-t/a) * (1 + b/a*t/(a+b)*flat)
}
