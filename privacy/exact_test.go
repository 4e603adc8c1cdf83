package privacy

import (
	"math"
	"math/big"
	"testing"

	"github.com/google/differential-privacy/go/v2/dpagg"
)

// keptAsFloat is the library's probability to keep a group of n units, in its own arithmetic.
func keptAsFloat(n int64, epsilon, delta float64) float64 {
	crossing := int64(1 + math.Floor((1/epsilon)*math.Log((1+math.Exp(-epsilon)*(2*delta-1))/(delta*(1+math.Exp(-epsilon))))))
	powers := func(least, count int64) float64 { // Σ e^(iε), i = least …
		return math.Exp(float64(least)*epsilon) * math.Expm1(float64(count)*epsilon) / math.Expm1(epsilon)
	}
	if n <= crossing {
		return delta * powers(0, n)
	}
	m := n - crossing
	return math.Min(1+math.Exp(-float64(m)*epsilon)*(delta*powers(0, crossing)-1)+powers(-m, m)*delta, 1)
}

// spent is the δ that (ε, δ)-DP needs between groups of n and n + 1 units, exactly, for these probabilities.
func spent(before, after, epsilon float64) float64 {
	ratio := new(big.Float).SetPrec(400).SetFloat64(math.Exp(epsilon))
	gap := func(large, small *big.Float) float64 {
		d := new(big.Float).SetPrec(400).Mul(ratio, small)
		f, _ := d.Sub(large, d).Float64()
		return f
	}
	p, q := new(big.Float).SetPrec(400).SetFloat64(before), new(big.Float).SetPrec(400).SetFloat64(after)
	one := new(big.Float).SetPrec(400).SetInt64(1)
	return max(gap(q, p), gap(new(big.Float).SetPrec(400).Sub(one, p), new(big.Float).SetPrec(400).Sub(one, q)))
}

// TestSelectionIsExactEnough scans ε and δ: whatever the library's rounded probabilities give away, and its uniform
// numbers of 53 bits, stays within the δ that is charged. Without what newSelection takes off, it does not.
func TestSelectionIsExactEnough(t *testing.T) {
	beyond, checked := 0, 0
	for _, each := range []Epsilon{OneEpsilon / 100, OneEpsilon / 2, OneEpsilon, 2 * OneEpsilon, 5 * OneEpsilon, 10 * OneEpsilon, 15 * OneEpsilon, 20 * OneEpsilon} {
		for _, delta := range []Delta{MinPartitionDelta, 10 * MinPartitionDelta, OneDelta / 1e10, OneDelta / 1e8, OneDelta / 1e6, OneDelta / 1e4, OneDelta / 100} {
			charged, epsilon := delta.FloorFloat(), each.FloorFloat()
			uniform := (math.Exp(epsilon) + 1) * 0x1p-52
			worst := func(given float64) (most float64) {
				for n := int64(0); ; n++ {
					p, q := 0.0, keptAsFloat(n+1, epsilon, given)
					if n > 0 {
						p = keptAsFloat(n, epsilon, given)
					}
					most = max(most, spent(p, q, epsilon)+uniform)
					if p == 1 {
						return most
					}
				}
			}
			if worst(charged) > charged {
				beyond++
			}
			s, err := selectionAt(1, each, delta, 1)
			if err != nil {
				continue // said so, and charged nothing
			}
			checked++
			if got := worst(s.delta); got > charged {
				t.Errorf("ε = %s, δ = %s: spends %g", each, delta, got)
			}
			checkThreshold(t, epsilon, s.delta)
		}
	}
	if beyond == 0 || checked < 40 {
		t.Errorf("%d settings spent too much without the correction, %d were checked", beyond, checked)
	}
	if _, err := selectionAt(1, 20*OneEpsilon, MinPartitionDelta, 1); err == nil {
		t.Error("ε = 20 at δ = 1e-13 was taken: the library withholds nobody from 4 units on")
	}
}

// checkThreshold holds keptAsFloat against the library itself: the first group that is always kept.
func checkThreshold(t *testing.T, epsilon, delta float64) {
	t.Helper()
	s, err := dpagg.NewPreAggSelectPartition(&dpagg.PreAggSelectPartitionOptions{Epsilon: epsilon, Delta: delta, MaxPartitionsContributed: 1})
	if err != nil {
		t.Fatal(err)
	}
	want, err := s.GetHardThreshold()
	if err != nil {
		t.Fatal(err)
	}
	got := int64(1)
	for keptAsFloat(got, epsilon, delta) < 1 {
		got++
	}
	if d := got - int64(want); d < -2 || d > 2 {
		t.Errorf("ε = %g, δ = %g: always kept from %d units, the library from %d", epsilon, delta, got, want)
	}
}
