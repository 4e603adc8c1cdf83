package privacy

import (
	"fmt"
	"math"

	"entrepot/privacy/internal/seam"
)

// Noise on integers, of either mechanism.
//
// Noise is drawn as an integer number of lattice points, for a noisy zero: the library sees no data.
// Where a lattice point is 2^-bits of a step, rounding the sum half up to whole steps is a function of
// the noisy value, hence free. Where it is several steps, the grain, exact values are rounded to a
// multiple of it first, which adds up to one grain to the shift of every cell and is accounted for.

// site and source are what tests replace; see package seam.
type (
	site   = seam.Site
	source = seam.Source
)

// Sites without a draw or a node.
const (
	selectionDraw = -1
	plainNode     = -1
)

// maxScale caps b and σ [steps]: noise then leaves ±2^62 with probability below e^-60, if at all.
const maxScale = 1 << 55

// noisyLimit bounds a noisy integer, so that the ends of its interval do not overflow.
const noisyLimit = 1 << 62

// noise is calibrated noise.
type noise struct {
	kind        Mechanism
	scale       float64 // b of Laplace noise, σ of Gaussian noise [steps]
	sensitivity int64   // what the library is given [lattice points]
	epsilon     float64 // likewise
	delta       float64 // likewise; 0 for Laplace noise
	bits        uint    // a lattice point is 2^-bits steps; 0 where grain > 1
	grain       int64   // a lattice point is grain steps; 1 where bits > 0
}

// noisy is a value on a draw's lattice: steps + fraction, −½ ≤ fraction < ½. Nothing else about
// the exact value survives.
type noisy struct {
	steps    int64
	fraction float64
}

func (n noisy) float() float64 { return float64(n.steps) + n.fraction }

// add draws once. |x| is at most 2^61.
func (n noise) add(x int64, at site, src source) (noisy, error) {
	z, err := n.zero(at, src)
	if err != nil {
		return noisy{}, fmt.Errorf("draw noise: %w", err)
	}
	if n.bits == 0 {
		return noisy{steps: plus(roundTo(x, n.grain), z)}, nil
	}
	half := int64(1) << (n.bits - 1)
	whole := z >> n.bits // floor(z·2^-bits + ½), without overflow
	if z-whole<<n.bits >= half {
		whole++
	}
	fraction := math.Ldexp(float64(z-whole<<n.bits), -int(n.bits))
	return noisy{steps: plus(x, whole), fraction: fraction}, nil
}

func (n noise) zero(at site, src source) (int64, error) {
	if n.kind == Gaussian {
		return src.Gaussian(at, n.sensitivity, n.epsilon, n.delta)
	}
	return src.Laplace(at, n.sensitivity, n.epsilon)
}

// roundTo is the multiple of grain, a power of two, nearest to x, half up.
func roundTo(x, grain int64) int64 { return (x + grain>>1) &^ (grain - 1) }

// plus is x + z clamped to ±noisyLimit, for |x| ≤ 2^61 and any z: a function of the noisy value alone.
func plus(x, z int64) int64 {
	switch {
	case z > noisyLimit-x:
		return noisyLimit
	case z < -noisyLimit-x:
		return -noisyLimit
	}
	return x + z
}

func saturate(x int64) int64 { return min(max(x, -noisyLimit), noisyLimit) }

// rounding is the coarse lattice that add rounds exact values to [steps], 0 where they stay as they
// are: it moves them by up to half of it.
func (n noise) rounding() float64 {
	if n.grain > 1 {
		return float64(n.grain)
	}
	return 0
}

// within is the half-width that |noise| stays within with probability p [steps]. The noise alone:
// rounding to whole steps or to a grain is not in it.
func (n noise) within(p float64) float64 {
	if n.kind == Gaussian {
		return n.scale * math.Sqrt2 * math.Erfcinv(1-p)
	}
	return -n.scale * math.Log1p(-p)
}

// halfWidth is the smallest whole k with P(|noise| ≤ k) ≥ Confidence: after rounding half up, the
// event is that the noise lies within k + ½. On a coarse lattice rounding x adds up to half a grain.
func (n noise) halfWidth() int64 {
	k := n.within(Confidence)
	if n.grain > 1 {
		return int64(math.Ceil(k + float64(n.grain)/2))
	}
	return int64(max(0, math.Ceil(k-0.5)))
}

// variance of the noise [steps²].
func (n noise) variance() float64 {
	if n.kind == Gaussian {
		return n.scale * n.scale
	}
	return 2 * n.scale * n.scale
}

// tailOfDifference is P(|X − c·Y| > t) for independent noises of one mechanism.
func tailOfDifference(t float64, x, y noise, c float64) float64 {
	if x.kind == Gaussian {
		return gaussianTail(t, math.Hypot(x.scale, c*y.scale))
	}
	return laplaceDifference(t, x.scale, math.Abs(c)*y.scale)
}
