package privacy

// A count releases, for each partition, a noisy number of rows, of rows with a value, of units, of units
// with a value, or of distinct values.
//
//	Guarantee    (ε, 0)-DP, or ρ-zCDP with the δ₀ of Gaussian noise, add or remove one privacy unit, over
//	             the partitions given.
//	Mechanism    discrete Laplace or Gaussian, rounded to whole numbers (laplace.go, gaussian.go).
//	Sensitivity  rows: L0 = MaxPartitions, L∞ = MaxRowsPerPartition, L1 = min(L0·L∞, MaxRows).
//	             units: L0 = min(MaxPartitions, MaxRows), L∞ = 1, L1 = L0. Distinct values: as rows, since
//	             a value that is gone was in one of the unit's rows.
//	Source       Dwork & Roth 2014, theorem 3.6; noise: google/differential-privacy
//	             common_docs/Secure_Noise_Generation.
//	Loss         its share of ε or ρ; partition selection is charged separately (partition.go).
//	Interval     ± the smallest whole k with P(|noise| ≤ k) ≥ 95 %, about the bounded count. A
//	             negative count is an answer: cutting it at 0 would bias sums over groups.
//	Not covered  timing; rows that bounding or ingest left out.
//	Tested by    TestSensitivity (all neighbours), TestCoverage (false-reject 1e-5), TestEmpiricalEpsilon,
//	             TestCountsOfAnArgument.

// countSensitivity serves counts of rows, of non-NULL values and of distinct ones alike: a unit may have
// a value of its own in every row.
func countSensitivity(b bounds) sensitivity {
	return sensitivity{cell: b.r, l1: b.rows, cells: b.l0, levels: 1}
}

func unitsSensitivity(b bounds) sensitivity {
	return sensitivity{cell: 1, l1: b.l0, cells: b.l0, levels: 1}
}

func countCell(n noisy, noise noise) Cell {
	k := noise.halfWidth()
	return Cell{
		Value: float64(n.steps),
		Low:   float64(n.steps - k),
		High:  float64(n.steps + k),
		Steps: n.steps,
	}
}
