package privacy

import (
	"math"
	"math/big"
)

// A mean releases, for each partition, a noisy mean of one clamped argument.
//
//	Guarantee    (ε, 0)-DP, or ρ-zCDP with the δ₀ of Gaussian noise, add or remove one privacy unit, over
//	             the partitions given.
//	Mechanism    a fixed function of two draws: the centred sum Ŝ of 2x − Lower − Upper and the count
//	             N̂ of values, both discrete Laplace or both Gaussian. The mean is
//	             (Lower + Upper)/2 + Ŝ/2N̂, clamped to the bounds.
//	Sensitivity  centred sum: L0 = MaxPartitions; L∞ = B·MaxRowsPerPartition; L1 =
//	             B·min(L0·MaxRowsPerPartition, MaxRows), with B = Upper − Lower [half steps]. Count: count.go.
//	Source       Dwork & Roth 2014, theorem 3.6; the interval is Fieller's (1954), for Laplace noise with
//	             its exact tail in place of the normal one.
//	Loss         one share for each of the two draws; a COUNT of the same argument shares the second.
//	Interval     the means that a test at 5 % does not reject; see meanInterval.
//	NULL         adds to neither draw. Where N̂ ≤ 0 the mean is the middle of the bounds, and the
//	             interval all of them.
//	Not covered  timing; how Lower and Upper were chosen; what clamping and bounding left out.
//	Tested by    TestSensitivity (all neighbours), TestMeanCoverage (false-reject 1e-5),
//	             TestTailOfDifference, TestGaussianTailOfDifference (numerical integration).

// centredMagnitude is B of a centred sum: 2x − lower − upper for lower ≤ x ≤ upper.
func centredMagnitude(lower, upper int64) int64 { return upper - lower }

// centredSum is Σ(2x − lower − upper) from Σx and the number of values.
func centredSum(sum *big.Int, values, lower, upper int64) *big.Int {
	middle := new(big.Int).Mul(big.NewInt(values), big.NewInt(lower+upper))
	return middle.Sub(new(big.Int).Lsh(sum, 1), middle)
}

// ratio is what a mean is computed from; m = s/n is the centred mean, in half steps, within ±most.
type ratio struct {
	s, n           float64 // noisy centred sum, noisy count
	noiseS, noiseN noise
	most           float64 // Upper − Lower
	undetermined   bool    // the noisy count is not positive
}

func newRatio(s, n noisy, noiseS, noiseN noise, a Aggregate) ratio {
	return ratio{
		s: s.float(), n: n.float(), noiseS: noiseS, noiseN: noiseN,
		most: float64(a.Upper - a.Lower), undetermined: n.steps <= 0,
	}
}

func meanCell(r ratio, a Aggregate) Cell {
	low, high := r.interval()
	value := func(m float64) float64 {
		middle := float64(a.Lower)/2 + float64(a.Upper)/2
		x := min(max(middle+m/2, float64(a.Lower)), float64(a.Upper))
		return a.Step.Float(x)
	}
	return Cell{Value: value(r.estimate()), Low: value(low), High: value(high)}
}

// estimate is the centred mean, within ±most.
func (r ratio) estimate() float64 {
	if r.undetermined {
		return 0
	}
	return min(max(r.s/r.n, -r.most), r.most)
}

// interval is the hull of the centred means m within ±most that are plausible.
//
// The exact centred sum S and count N > 0 with S = m·N make Ŝ − m·N̂ the difference of noises
// X_S − m·X_N, whose law is known. So the set of m that are plausible holds the true one with
// probability Confidence, for every S and N: that is Fieller's argument. With q(m) the quantile of
// |X_S − m·X_N| the set is where |Ŝ − m·N̂| ≤ q(m). On either side of Ŝ/N̂ the left side is linear
// in m and q is convex, so that from a plausible m outwards to an implausible bound there is one
// crossing, and bisection finds it. (q is the support function of a floating body of a symmetric
// log-concave law; TestQuantileIsConvex checks convexity where it is used.)
//
// Where no m within the bounds is plausible, at most 5 % of the time, both ends are the nearer bound.
func (r ratio) interval() (low, high float64) {
	if r.undetermined {
		return -r.most, r.most
	}
	inside := r.estimate()
	if !r.plausible(inside) {
		return inside, inside
	}
	return r.crossing(inside, -r.most), r.crossing(inside, r.most)
}

// crossing is the end of the plausible means between a plausible one and a bound, rounded outward.
func (r ratio) crossing(inside, bound float64) float64 {
	if r.plausible(bound) {
		return bound
	}
	for range 128 {
		middle := inside + (bound-inside)/2
		if middle == inside || middle == bound {
			break
		}
		if r.plausible(middle) {
			inside = middle
		} else {
			bound = middle
		}
	}
	return bound
}

// plausible reports whether a centred mean of m is not rejected at 1 − Confidence.
func (r ratio) plausible(m float64) bool {
	distance := math.Abs(r.s-m*r.n) - (r.noiseS.rounding()+math.Abs(m)*r.noiseN.rounding())/2
	return tailOfDifference(distance, r.noiseS, r.noiseN, m) >= 1-Confidence
}
