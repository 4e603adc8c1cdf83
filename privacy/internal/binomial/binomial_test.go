package binomial

import (
	"math"
	"math/big"
	"testing"
)

// exactTail is P(X ≥ k) for X ~ Binomial(n, p) in rationals.
func exactTail(n, k int, p *big.Rat) float64 {
	total, q := new(big.Rat), new(big.Rat).Sub(big.NewRat(1, 1), p)
	for i := k; i <= n; i++ {
		term := new(big.Rat).SetInt(new(big.Int).Binomial(int64(n), int64(i)))
		for range i {
			term.Mul(term, p)
		}
		for range n - i {
			term.Mul(term, q)
		}
		total.Add(total, term)
	}
	f, _ := total.Float64()
	return f
}

func TestCountsAgainstExactTails(t *testing.T) {
	for _, n := range []int{1, 7, 60} {
		for _, p := range []*big.Rat{big.NewRat(1, 100), big.NewRat(1, 2), big.NewRat(19, 20)} {
			for _, reject := range []float64{1e-5, 0.01, 0.3} {
				f, _ := p.Float64()
				most := MostCount(n, f, reject)
				if exactTail(n, most+1, p) > reject || most > 0 && exactTail(n, most, p) <= reject {
					t.Errorf("n %d, p %g: more than %d at %g has %g", n, f, most, reject, exactTail(n, most+1, p))
				}
				least := LeastCount(n, f, reject)
				if 1-exactTail(n, least, p) > reject+1e-12 {
					t.Errorf("n %d, p %g: fewer than %d at %g has %g", n, f, least, reject, 1-exactTail(n, least, p))
				}
			}
		}
	}
	if lo, hi := CoverageBand(10, 0, 0.01); lo != 0 || hi != 0 {
		t.Errorf("impossible events: %d … %d", lo, hi)
	}
	if lo, hi := CoverageBand(10, 1, 0.01); lo != 10 || hi != 10 {
		t.Errorf("certain events: %d … %d", lo, hi)
	}
}

// TestStatedFigures: 5,000 draws hold a 95 % coverage to 93.6 … 96.3 % at false-reject 1e-5, and 100,000
// trials hold an event of 1e-3 to about 151 at 1e-6 on one side.
func TestStatedFigures(t *testing.T) {
	lo, hi := CoverageBand(5000, 0.95, 1e-5)
	if lo != 4679 || hi != 4815 {
		t.Errorf("%d … %d", lo, hi)
	}
	if most := MostCount(100_000, 1e-3, 1e-6); most < 150 || most > 155 {
		t.Errorf("at most %d", most)
	}
}

func TestProbabilityBounds(t *testing.T) {
	for _, c := range []struct{ hits, n int }{{0, 50}, {1, 50}, {20, 50}, {50, 50}} {
		low, high := ProbabilityBounds(c.hits, c.n, 0.01)
		if at := float64(c.hits) / float64(c.n); low > at || high < at || low < 0 || high > 1 {
			t.Errorf("%d of %d: %g … %g", c.hits, c.n, low, high)
		}
		if c.hits > 0 {
			if tail := upperTail(c.n, c.hits, low); math.Abs(tail-0.01) > 1e-9 {
				t.Errorf("%d of %d: the lower bound leaves %g", c.hits, c.n, tail)
			}
		}
		if c.hits < c.n {
			if tail := upperTail(c.n, c.n-c.hits, 1-high); math.Abs(tail-0.01) > 1e-9 {
				t.Errorf("%d of %d: the upper bound leaves %g", c.hits, c.n, tail)
			}
		}
	}
	if e := EpsilonAtLeast(500, 500, 1000, 1e-5); e != 0 {
		t.Errorf("equal runs show ε ≥ %g", e)
	}
	if e := EpsilonAtLeast(1000, 0, 1000, 1e-5); e < 4 {
		t.Errorf("runs apart show only ε ≥ %g", e)
	}
	if e := EpsilonAtLeast(0, 1000, 1000, 1e-5); e != 0 {
		t.Errorf("the other direction shows ε ≥ %g", e)
	}
}
