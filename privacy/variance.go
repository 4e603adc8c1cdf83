package privacy

import "math"

// A variance releases, for each partition, a noisy variance or standard deviation of one clamped argument.
//
//	Guarantee    (ε, 0)-DP or ρ-zCDP, add or remove one privacy unit, over the partitions given.
//	Mechanism    a fixed function of three draws, with u = 2x − Lower − Upper [half steps] and B = Upper −
//	             Lower: Ŝ of Σu, T̂ of Σ(2u² − B²), N̂ of the number of values. With S, T and N the
//	             population variance of u is (T/N + B²)/2 − (S/N)²; that of x is a quarter of it.
//	Sensitivity  Σu: mean.go. Σ(2u² − B²): |2u² − B²| ≤ B², so L∞ = B²·MaxRowsPerPartition and L1 =
//	             B²·min(L0·MaxRowsPerPartition, MaxRows). Count: count.go.
//	Source       the centred sums of google/differential-privacy dpagg.BoundedVariance, on integers.
//	Loss         one share for each draw; a mean of the same argument shares the first and the last.
//	Interval     the variances that tests of 5 % in all do not reject; see varianceSet.
//	Bias         for the law of noise with variances vS, vT, vN (those of u; independent), to second order:
//	             T·vN/2N³ − vS/N² − 3S²·vN/N⁴, and what clamping to the range of variances adds. STDDEV, the
//	             root of that number, lies lower by its own variance divided by 8·σ³.
//	NULL         adds to no draw. Where N̂ < 1, or N̂ < 2 for a sample, the variance is B²/8, the middle of
//	             the population's range, and the interval all that any rows can have.
//	Not covered  timing; how Lower and Upper were chosen; what clamping and bounding left out.
//	Tested by    TestSensitivity (all neighbours), TestVarianceSet (a scan), TestStatistics (false-reject 1e-5).

// varianceCell computes the cell of a Variance from its three draws.
func varianceCell(s, t, n noisy, noiseS, noiseT, noiseN noise, a Aggregate) Cell {
	most := float64(a.Upper - a.Lower)
	least := 1.0 // values that have a variance
	if a.Sample {
		least = 2
	}
	value, low, high := most*most/2, 0.0, most*most*correction(least, a)
	if n.float() >= least {
		m := moments{s: s.float(), t: t.float(), n: n.float(), most: most}
		set := newVarianceSet(m, noiseS, noiseT, noiseN, least)
		low, high = set.ends()
		value, low, high = m.variance()*correction(m.n, a), low*correction(set.nHigh, a), high*correction(set.nLow, a)
	}
	value = min(max(value, low), high)
	unit := a.Step.Float(0.5) // of u, in the column's unit
	if a.Root {
		return Cell{Value: math.Sqrt(value) * unit, Low: math.Sqrt(low) * unit, High: math.Sqrt(high) * unit}
	}
	return Cell{Value: value * unit * unit, Low: low * unit * unit, High: high * unit * unit}
}

// correction turns a population's variance of n values into that of a sample, N/(N−1), where the
// aggregate asks for it. It falls with n.
func correction(n float64, a Aggregate) float64 {
	if !a.Sample {
		return 1
	}
	return n / (n - 1)
}

// moments are what a variance of u is computed from [half steps].
type moments struct {
	s, t, n float64 // Σu, Σ(2u² − most²), the number of values; n > 0
	most    float64 // B: |u| is at most that
}

// variance is the population variance of u, within 0 … B².
func (m moments) variance() float64 {
	mean := m.s / m.n
	return min(max((m.t/m.n+m.most*m.most)/2-mean*mean, 0), m.most*m.most)
}

// varianceSet is the population variances v of u that are plausible.
//
// The exact mean μ = S/N and variance v of N ≥ 1 values make T/2 − 2μS + N·(B²/2 + μ² − v) = 0, so that the same
// of the noisy integers, the residual, is X_T/2 − 2μ·X_S + (B²/2 + μ² − v)·X_N: noise of known law. Three events of
// probability 1 % together keep S and N out of their half-widths at 0.5 % each, hence μ and N out of ranges; two of
// 2 % each make the residual greater, or smaller, than its noise is but 2 % of the time. Outside all of them, with
// probability Confidence or more, v is in the set: there is a μ in its range with a residual that is not rejected.
//
// For given v the residual is a parabola in μ that opens upwards, as N̂ > 0: its greatest value over the range of μ lies at
// an end, its least as near to Ŝ/N̂ as the range has it. Tails grow with every coefficient; so the law is taken at the
// largest ones in the range. That makes the set larger, by terms of second order in the noise. With q(v) the quantile
// of that law (convex, see ratio.interval), the upper end is where the greatest residual + q(v) falls below 0: from a
// plausible v to an implausible bound there is one crossing; likewise for the lower end.
type varianceSet struct {
	moments
	meanLow, meanHigh      float64 // of u
	nLow, nHigh            float64 // at least 1, for a sample 2
	noiseS, noiseT, noiseN noise
}

func newVarianceSet(m moments, noiseS, noiseT, noiseN noise, least float64) varianceSet {
	const p = (1 - Confidence) / 10
	s, n := noiseS.within(1-p)+noiseS.rounding()/2, noiseN.within(1-p)+noiseN.rounding()/2
	v := varianceSet{
		moments: m, noiseS: noiseS, noiseT: noiseT, noiseN: noiseN,
		nLow: max(least, m.n-n), nHigh: max(least, m.n+n),
	}
	quotient := func(s float64) (least, most float64) {
		least, most = min(s/v.nLow, s/v.nHigh), max(s/v.nLow, s/v.nHigh)
		return min(max(least, -m.most), m.most), min(max(most, -m.most), m.most)
	}
	v.meanLow, _ = quotient(m.s - s)
	_, v.meanHigh = quotient(m.s + s)
	return v
}

// ends are the least and the greatest variance of the set, within 0 … B²; where none is plausible, both are
// the bound that is nearest.
func (v varianceSet) ends() (low, high float64) {
	inside := v.variance()
	return v.crossing(lowerEnd, inside, 0), v.crossing(upperEnd, inside, v.most*v.most)
}

// crossing is an end between the estimate and a bound, rounded outward. 40 halvings leave less than 10^-12 of
// the range.
func (v varianceSet) crossing(s side, inside, bound float64) float64 {
	if inside == bound || !v.plausible(s, inside) {
		return inside
	}
	if v.plausible(s, bound) {
		return bound
	}
	for range 40 {
		if middle := inside + (bound-inside)/2; v.plausible(s, middle) {
			inside = middle
		} else {
			bound = middle
		}
	}
	return bound
}

// plausible reports whether a variance is not rejected as too small, at the lower end, or too great.
func (v varianceSet) plausible(s side, variance float64) bool {
	constant := v.t/2 + v.n*(v.most*v.most/2-variance)
	residual := func(mean float64) float64 { return constant + mean*(mean*v.n-2*v.s) }
	distance := residual(min(max(v.s/v.n, v.meanLow), v.meanHigh))
	if s == upperEnd {
		distance = -max(residual(v.meanLow), residual(v.meanHigh))
	}
	mean := max(math.Abs(v.meanLow), math.Abs(v.meanHigh))
	least := max(0, v.meanLow, -v.meanHigh) // of |μ|
	offset := v.most*v.most/2 - variance
	var law combination
	law.add(v.noiseT, 0.5, 1)
	law.add(v.noiseS, 2*mean, 1)
	law.add(v.noiseN, max(math.Abs(offset+mean*mean), math.Abs(offset+least*least)), 1)
	return law.exceeds(distance, 0.4*(1-Confidence))
}
