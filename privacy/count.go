package privacy

// A count releases, for each partition, a noisy number of rows, of rows with a value, or of units.
//
//	Guarantee    (ε, 0)-DP, add or remove one privacy unit, over the partitions given.
//	Mechanism    discrete Laplace of scale L1/ε, rounded to whole rows or units (laplace.go).
//	Sensitivity  rows: L0 = MaxPartitions, L∞ = MaxRowsPerPartition, L1 = min(L0·L∞, MaxRows).
//	             units: L0 = min(MaxPartitions, MaxRows), L∞ = 1, L1 = L0.
//	Source       Dwork & Roth 2014, theorem 3.6; noise: google/differential-privacy
//	             common_docs/Secure_Noise_Generation.
//	Loss         its share of ε; partition selection is charged separately (partition.go).
//	Interval     ± the smallest whole k with P(|noise| ≤ k) ≥ 95 %, about the bounded count. A
//	             negative count is an answer: cutting it at 0 would bias sums over groups.
//	Not covered  timing; rows that bounding or ingest left out.
//	Tested by    TestSensitivity (all neighbours), TestCoverage (false-reject 1e-5), TestEmpiricalEpsilon.

// countSensitivity serves counts of rows and of non-NULL values alike: a unit may have a value in
// every row.
func countSensitivity(b bounds) sensitivity {
	return sensitivity{cell: b.r, l1: b.rows, cells: b.l0}
}

func unitsSensitivity(b bounds) sensitivity {
	return sensitivity{cell: 1, l1: b.l0, cells: b.l0}
}

func countCell(n noisy, noise laplace) Cell {
	k := noise.halfWidth()
	return Cell{
		Value: float64(n.steps),
		Low:   float64(n.steps - k),
		High:  float64(n.steps + k),
		Steps: n.steps,
	}
}
