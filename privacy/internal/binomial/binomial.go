// Package binomial computes the tolerances of statistical tests from the rate at which a correct
// program may fail them, so that no tolerance is a guess. Package privacytest offers it to tests outside
// this folder; the tests of package privacy itself cannot import that one, which imports privacy.
//
// Every function takes falseReject, the probability that a correct program is rejected; 1e-5 is the
// project's limit for one test. Bounds come from exact binomial tails, not from approximations.
package binomial

import "math"

// CoverageBand returns the counts lo … hi that n independent trials of success probability p leave
// with probability at most falseReject, half of it on each side. It is the narrowest such band.
func CoverageBand(n int, p, falseReject float64) (lo, hi int) {
	return LeastCount(n, p, falseReject/2), MostCount(n, p, falseReject/2)
}

// MostCount returns the smallest k with P(X > k) ≤ falseReject for X ~ Binomial(n, p): a test that
// a success probability is at most p fails above it.
func MostCount(n int, p, falseReject float64) int {
	tail := 0.0
	for k := n; k > 0; k-- {
		if tail += binomial(n, k, p); tail > falseReject {
			return k
		}
	}
	return 0
}

// LeastCount returns the largest k with P(X < k) ≤ falseReject for X ~ Binomial(n, p): a test that
// a success probability is at least p fails below it.
func LeastCount(n int, p, falseReject float64) int { return n - MostCount(n, 1-p, falseReject) }

// binomial is P(X = k) for X ~ Binomial(n, p).
func binomial(n, k int, p float64) float64 {
	if p <= 0 || p >= 1 {
		if (p <= 0) == (k == 0) && (p >= 1) == (k == n) {
			return 1
		}
		return 0
	}
	return math.Exp(logChoose(n, k) + float64(k)*math.Log(p) + float64(n-k)*math.Log1p(-p))
}

func logChoose(n, k int) float64 {
	a, _ := math.Lgamma(float64(n + 1))
	b, _ := math.Lgamma(float64(k + 1))
	c, _ := math.Lgamma(float64(n - k + 1))
	return a - b - c
}

// ProbabilityBounds returns Clopper and Pearson's bounds on a success probability after seeing hits
// in n trials; the true one lies below low, or above high, with probability at most falseReject each.
func ProbabilityBounds(hits, n int, falseReject float64) (low, high float64) {
	low, high = 0, 1
	if hits > 0 {
		low = bisect(func(p float64) bool { return upperTail(n, hits, p) > falseReject })
	}
	if hits < n {
		high = 1 - bisect(func(q float64) bool { return upperTail(n, n-hits, q) > falseReject })
	}
	return low, high
}

// upperTail is P(X ≥ k) for X ~ Binomial(n, p), added from the small end.
func upperTail(n, k int, p float64) float64 {
	tail := 0.0
	for i := n; i >= k; i-- {
		tail += binomial(n, i, p)
	}
	return tail
}

// bisect is where a condition that fails at 0 and holds at 1 begins to hold, from below.
func bisect(holds func(float64) bool) float64 {
	low, high := 0.0, 1.0
	for range 60 {
		if middle := (low + high) / 2; holds(middle) {
			high = middle
		} else {
			low = middle
		}
	}
	return low
}

// EpsilonAtLeast returns a lower bound on a mechanism's ε from one event that was seen hits times in
// n runs on a table, and otherHits times in n runs on a neighbouring one: it exceeds the true ε with
// probability at most falseReject, if the event was chosen before the runs were seen. It is 0 where
// the runs show nothing.
func EpsilonAtLeast(hits, otherHits, n int, falseReject float64) float64 {
	low, _ := ProbabilityBounds(hits, n, falseReject/2)
	_, high := ProbabilityBounds(otherHits, n, falseReject/2)
	return math.Max(0, math.Log(low/high))
}
