package privacy

import (
	"fmt"
	"math"

	"github.com/google/differential-privacy/go/v2/noise"
)

// Laplace noise on integers.
//
//	Guarantee    (ε, 0)-DP for a vector of integers that one unit moves by at most L1 in all.
//	Mechanism    x + Z, with Z discrete Laplace: P(Z = z) ∝ e^(−|z|/b) on a lattice.
//	Source       google/differential-privacy common_docs/Secure_Noise_Generation; Ghosh et al. 2009,
//	             arXiv:0811.2841, for the geometric mechanism.
//	Loss         ε, rounded down to a float64 before it sets the noise.
//	Not covered  floating point inside the library's sampler; its truncation, of probability below
//	             2^-1000.
//	Tested by    TestLaplaceLattice, TestLaplaceNeverMoreThanEpsilon (exact, all shifts),
//	             TestLaplaceDistribution (false-reject 1e-5).
//
// The library draws multiples of g, the power of two at or above (L1/ε)/2^40, and two things there
// would break the guarantee for integers, both rare and small, and both avoided here:
//
// Where g < 1 it rounds the noise alone to an integer, half away from zero, which gives 0 one
// lattice point less than ±1, ±2, …: at g = 1/2 half the probability. So L1 is doubled until g is
// exactly 1: the library's integers, with no rounding in it, count 2^-bits of a step. Rounding
// their sum with x half up is a function of the noisy value, hence free.
//
// Where g > 1 it rounds x to a multiple of g, which can add almost g to the shift of *each*
// partition, and widens L1 by one g. So L1 is widened for the others before it is handed over.
//
// The library is always asked for a noisy zero: it sees no data.

// latticePoints is the library's granularity parameter: a scale is 2^39 to 2^40 lattice points.
const latticePoints = 1 << 40

// maxScale caps L1/ε: noise then leaves ±2^62 with probability below e^-60.
const maxScale = 1 << 55

// noisyLimit bounds a noisy integer, so that the ends of its interval do not overflow.
const noisyLimit = 1 << 62

// laplace is calibrated noise.
type laplace struct {
	epsilon float64 // what one draw costs
	l1      int64   // L1 of the data, in lattice points, widened; what the library is given
	bits    uint    // a lattice point is 2^-bits steps; 0 where grain > 1
	grain   int64   // a lattice point is grain steps; 1 where bits > 0
	scale   float64 // b [steps]
}

// noisy is a value on a draw's lattice: steps + fraction, −½ ≤ fraction < ½. Nothing else about
// the exact value survives.
type noisy struct {
	steps    int64
	fraction float64
}

func (n noisy) float() float64 { return float64(n.steps) + n.fraction }

// newLaplace calibrates noise to a sensitivity with every l1, cell and cells at least 1.
func newLaplace(s sensitivity, share Epsilon) (laplace, error) {
	l := laplace{epsilon: share.FloorFloat(), l1: s.l1}
	for float64(l.l1)*2/l.epsilon <= latticePoints {
		l.l1 *= 2
		l.bits++
	}
	l.grain = grainOf(l.l1, l.epsilon)
	for l.grain > 1 {
		wide := float64(s.l1) + float64(s.cells-1)*float64(l.grain)
		if wide/l.epsilon > maxScale {
			return laplace{}, fmt.Errorf("%w: one unit may move an answer by %d steps, too many for ε = %s; narrow the bounds or the limits, or spend more",
				ErrSpec, s.l1, share)
		}
		l.l1 = s.l1 + (s.cells-1)*l.grain
		grain := grainOf(l.l1, l.epsilon)
		if grain == l.grain {
			break
		}
		l.grain = grain
	}
	l.scale = math.Ldexp((float64(l.l1)+float64(l.grain))/l.epsilon, -int(l.bits))
	return l, nil
}

// grainOf is the library's lattice for these parameters, in the library's own arithmetic.
func grainOf(l1 int64, epsilon float64) int64 {
	fraction, exponent := math.Frexp((float64(l1) / epsilon) / latticePoints)
	if fraction == 0.5 {
		exponent--
	}
	return 1 << max(exponent, 0)
}

// libraryLaplace draws a noisy zero. It is the only place that draws numeric noise.
func libraryLaplace(l1 int64, epsilon float64) (int64, error) {
	return noise.Laplace().AddNoiseInt64(0, 1, l1, epsilon, 0)
}

// add draws once. |x| is at most 2^61.
func (l laplace) add(x int64, src source) (noisy, error) {
	z, err := src.laplace(l.l1, l.epsilon)
	if err != nil {
		return noisy{}, fmt.Errorf("draw noise: %w", err)
	}
	z = min(max(z, -noisyLimit), noisyLimit)
	if l.bits == 0 {
		return noisy{steps: saturate(roundTo(x, l.grain) + z)}, nil
	}
	whole := (z + 1<<(l.bits-1)) >> l.bits // floor(z·2^-bits + ½)
	fraction := math.Ldexp(float64(z-whole<<l.bits), -int(l.bits))
	return noisy{steps: saturate(x + whole), fraction: fraction}, nil
}

// roundTo is the multiple of grain, a power of two, nearest to x, half up.
func roundTo(x, grain int64) int64 { return (x + grain>>1) &^ (grain - 1) }

func saturate(x int64) int64 { return min(max(x, -noisyLimit), noisyLimit) }

// halfWidth is the smallest whole k with P(|noise| ≤ k) ≥ Confidence, exactly: after rounding half up,
// P(|Z| > k) = e^(−(k+½)/b). On a coarse lattice rounding x adds up to half a grain.
func (l laplace) halfWidth() int64 {
	k := l.scale * math.Log(1/(1-Confidence))
	if l.grain > 1 {
		return int64(math.Ceil(k + float64(l.grain)/2))
	}
	return int64(max(0, math.Ceil(k-0.5)))
}
