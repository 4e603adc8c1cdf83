package privacy

import (
	"fmt"
	"math"

	dpnoise "github.com/google/differential-privacy/go/v2/noise"
)

// Gaussian noise on integers.
//
//	Guarantee    δ₀-approximately ρ-zCDP for a vector of integers that one unit moves by at most Δ₂ in
//	             the Euclidean norm, ρ = Δ₂²/2σ².
//	Mechanism    x + Z, with Z discrete Gaussian: P(Z = z) ∝ e^(−z²/2σ²) on a lattice, |Z| ≤ 8.81σ.
//	Source       Canonne, Kamath & Steinke, arXiv:2004.00010, for the discrete Gaussian;
//	             google/differential-privacy common_docs/Secure_Noise_Generation for the sampler.
//	Loss         ρ rounded down sets σ; prices use the σ that the library makes of its arguments.
//	             δ₀ sums, over the cells that one unit can touch, the mass that only one of two neighbours
//	             can reach. With a δ_i of its own the step also has a finite ε: see gaussianEpsilon.
//	Not covered  floating point inside the library's sampler.
//	Tested by    TestGaussianCalibration, TestGaussianIsExactOnTheLattice (all shifts), TestGaussianDistribution
//	             (false-reject 1e-5), TestGaussianEpsilon (numerical integration).
//
// The library takes (ε′, δ′) and a sensitivity, and finds σ by a search that stops within 10^-3. So ε′ and
// δ′ are constants, and the sensitivity is chosen such that the σ of exactly this search is at least the
// one wanted. Its lattice is the power of two at or above σ/2^56; below 1 it rounds the noise alone to
// an integer, half away from zero, which gives 0 too little. So σ is between 2^55 and 2^56 lattice
// points, where it is exactly 1 and nothing is rounded.

const (
	// The constants that the library is given, chosen so that its search for σ is short.
	libraryEpsilon = 1.0
	libraryDelta   = 0.2

	gaussianPoints = 1 << 55 // a σ is 2^55 to 2^56 lattice points
	// gaussianReach [σ] bounds the library's noise from below: it draws |Z| ≤ σ·√(2·ln 2σ), at least
	// √(2·56·ln 2) = 8.8109 for σ ≥ 2^55.
	gaussianReach = 8.81
	// maxGaussianCells bounds a draw's cells per unit, so that what a lattice changes in the law of a
	// privacy loss, a factor of less than 1 + 2^-50 for each cell, stays below relativeMargin.
	maxGaussianCells = 1 << 24
)

// newGaussian calibrates noise to a share of ρ.
func newGaussian(s sensitivity, share Rho) (noise, error) {
	l2 := s.l2()
	sigma := l2 / math.Sqrt(2*share.FloorFloat()) * (1 + 1e-12)
	switch {
	case !(sigma <= maxScale):
		return noise{}, fmt.Errorf("%w: one unit may move an answer by %.3g steps, too many for ρ = %s; narrow the bounds or the limits, or spend more",
			ErrSpec, l2, share)
	case sigma < l2:
		return noise{}, fmt.Errorf("%w: ρ = %s is more than a draw of Gaussian noise takes; it takes up to 0.5", ErrSpec, share)
	case s.cells > maxGaussianCells:
		return noise{}, fmt.Errorf("%w: one unit may touch %d groups or nodes; Gaussian noise takes up to %d: lower the limits, or use Laplace noise",
			ErrSpec, s.cells, maxGaussianCells)
	}
	_, exponent := math.Frexp(sigma)
	for bits := max(0, 56-exponent); bits >= 0; bits-- {
		sensitivity, points := libraryArguments(math.Ldexp(sigma, bits))
		if points > gaussianPoints && points <= 2*gaussianPoints {
			return noise{
				kind: Gaussian, scale: math.Ldexp(points, -bits), sensitivity: sensitivity,
				epsilon: libraryEpsilon, delta: libraryDelta, bits: uint(bits), grain: 1,
			}, nil
		}
	}
	return noise{}, fmt.Errorf("%w: there is no Gaussian noise for ρ = %s", ErrSpec, share)
}

// libraryArguments is the sensitivity to give to the library for noise of at least so many lattice
// points, and the σ that comes of it.
func libraryArguments(wanted float64) (sensitivity int64, points float64) {
	wanted = max(wanted, gaussianPoints*(1+1e-12))
	unit := dpnoise.SigmaForGaussian(1, gaussianPoints, libraryEpsilon, libraryDelta) / gaussianPoints
	const even = 1 << 8 // the library converts to float64, which holds multiples of it below 2^61
	sensitivity = int64(math.Ceil(wanted/unit/even)) * even
	for {
		points = dpnoise.SigmaForGaussian(1, float64(sensitivity), libraryEpsilon, libraryDelta)
		if points >= wanted {
			return sensitivity, points
		}
		sensitivity += even
	}
}

// libraryGaussian draws a noisy zero.
func libraryGaussian(_ site, sensitivity int64, epsilon, delta float64) (int64, error) {
	return dpnoise.Gaussian().AddNoiseInt64(0, 1, sensitivity, epsilon, delta)
}

// gaussianRho is what a draw costs in zero-concentrated DP, with the noise given.
func (s sensitivity) gaussianRho(n noise) float64 {
	ratio := s.l2() / n.scale
	return ratio * ratio / 2
}

// gaussianLeak is δ₀: the probability that the noise of one of the cells lands where a neighbour's
// cannot, up to cell further along. The noise is bounded at T = gaussianReach·σ or further out; the part of
// it beyond T − cell has less than the normal tail there.
func (s sensitivity) gaussianLeak(n noise) float64 {
	return float64(s.cells) * normalTail(gaussianReach-float64(s.cell)/n.scale) * (1 + relativeMargin)
}

// gaussianEpsilon is the smallest ε with P(|L| > ε) ≤ δ for the privacy loss L ~ N(ρ, 2ρ) of a step of ρ.
//
// Both neighbours' laws, conditioned on |L| ≤ ε, keep the same mass, by symmetry, and lie within e^ε of
// each other: PROMISE.md, section 5 (i). For δ < ½ it is above ρ, where the tail falls with smaller ρ.
func gaussianEpsilon(rho, delta float64) float64 {
	deviation := math.Sqrt(2 * rho)
	outside := func(epsilon float64) float64 {
		return normalTail((epsilon-rho)/deviation) + normalTail((epsilon+rho)/deviation)
	}
	low, high := rho, rho+10*deviation
	for outside(high) > delta {
		high += 10 * deviation
	}
	for range 200 {
		middle := low + (high-low)/2
		if middle == low || middle == high {
			break
		}
		if outside(middle) > delta {
			low = middle
		} else {
			high = middle
		}
	}
	return high
}

// normalTail is P(Z > z) for a standard normal Z.
func normalTail(z float64) float64 { return math.Erfc(z/math.Sqrt2) / 2 }

// gaussianTail is P(|Z| > t) for a normal Z of standard deviation σ > 0.
func gaussianTail(t, sigma float64) float64 {
	if t <= 0 {
		return 1
	}
	return math.Erfc(t / sigma / math.Sqrt2)
}
