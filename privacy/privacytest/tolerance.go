package privacytest

import "entrepot/privacy/internal/binomial"

// CoverageBand returns the counts lo … hi that n independent trials of success probability p leave
// with probability at most falseReject, half of it on each side. It is the narrowest such band.
func CoverageBand(n int, p, falseReject float64) (lo, hi int) {
	return binomial.CoverageBand(n, p, falseReject)
}

// MostCount returns the smallest k with P(X > k) ≤ falseReject for X ~ Binomial(n, p).
func MostCount(n int, p, falseReject float64) int { return binomial.MostCount(n, p, falseReject) }

// LeastCount returns the largest k with P(X < k) ≤ falseReject for X ~ Binomial(n, p).
func LeastCount(n int, p, falseReject float64) int { return binomial.LeastCount(n, p, falseReject) }

// EpsilonAtLeast returns a lower bound on a mechanism's ε from one event that was seen hits times in
// n runs on a table, and otherHits times in n runs on a neighbouring one.
func EpsilonAtLeast(hits, otherHits, n int, falseReject float64) float64 {
	return binomial.EpsilonAtLeast(hits, otherHits, n, falseReject)
}
