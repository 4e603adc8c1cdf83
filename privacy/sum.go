package privacy

import "math/big"

// A sum releases, for each partition, the noisy sum of one clamped argument.
//
//	Guarantee    (ε, 0)-DP, or ρ-zCDP with the δ₀ of Gaussian noise, add or remove one privacy unit, over
//	             the partitions given.
//	Mechanism    discrete Laplace or Gaussian, rounded to whole steps of the resolution (laplace.go,
//	             gaussian.go).
//	Sensitivity  L0 = MaxPartitions; L∞ = B·MaxRowsPerPartition; L1 = B·min(L0·MaxRowsPerPartition,
//	             MaxRows), with B = max(|Lower|, |Upper|) [steps].
//	Source       Dwork & Roth 2014, theorem 3.6; integers instead of floats: Casacuberta et al. 2022,
//	             arXiv:2207.10635.
//	Loss         its share of ε or ρ; partition selection is charged separately (partition.go).
//	Interval     ± the smallest whole k steps with P(|noise| ≤ k) ≥ 95 %, about the sum of the
//	             clamped values of the rows that bounding kept.
//	NULL         adds nothing. A partition without values has the sum 0.
//	Overflow     none: sums are exact, of any size, then clamped to ±2^61, which moves no two sums
//	             further apart.
//	Not covered  timing; how Lower and Upper were chosen; what clamping and bounding left out.
//	Tested by    TestSensitivity (all neighbours), TestCoverage (false-reject 1e-5).

// sumLimit bounds an exact sum, so that noise can be added to it without overflow.
const sumLimit = 1 << 61

// sumMagnitude is B of a sum. Bounds are within ±2^53, so that it cannot overflow.
func sumMagnitude(lower, upper int64) int64 { return max(-lower, upper, lower, -upper) }

// sumSensitivity is the sensitivity of a sum of values within ±largest: each of the unit's rows
// moves it by at most that. All products are below 2^53, which measure checks.
func sumSensitivity(b bounds, largest int64) sensitivity {
	count := countSensitivity(b)
	return sensitivity{cell: count.cell * largest, l1: count.l1 * largest, cells: count.cells, levels: 1}
}

// clampSum clamps to ±2^61. It is 1-Lipschitz: sensitivities stay what they are.
func clampSum(x *big.Int) int64 {
	switch {
	case x.Cmp(big.NewInt(sumLimit)) > 0:
		return sumLimit
	case x.Cmp(big.NewInt(-sumLimit)) < 0:
		return -sumLimit
	default:
		return x.Int64()
	}
}

func sumCell(n noisy, noise noise, step Step) Cell {
	k := noise.halfWidth()
	return Cell{
		Value: step.Float(float64(n.steps)),
		Low:   step.Float(float64(n.steps - k)),
		High:  step.Float(float64(n.steps + k)),
		Steps: n.steps,
	}
}
