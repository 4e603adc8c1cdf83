package privacy

import (
	"math"
	"testing"

	"entrepot/privacy/internal/binomial"
)

// keepProbability is the recurrence of arXiv:2006.03684, theorem 1, written out.
func keepProbability(n int64, epsilon, delta float64) float64 {
	p := 0.0
	for range n {
		p = min(math.Exp(epsilon)*p+delta, 1-math.Exp(-epsilon)*(1-p-delta), 1)
	}
	return p
}

// TestSelectionProbability scans ε × L0 × δ: a group of one unit appears at a rate of at most δ/L0 each,
// at most δ for all the groups that one unit touches, and groups of more at the optimal rate.
// 120 checks at false-reject 1e-7 each.
func TestSelectionProbability(t *testing.T) {
	const trials = 20_000
	for _, share := range []Epsilon{OneEpsilon / 100, OneEpsilon / 2, 2 * OneEpsilon, 20 * OneEpsilon} {
		for _, l0 := range []int64{1, 2, 3, 4, 10, 50} {
			s, err := newSelection(l0, share, OneDelta/10, 1)
			if err != nil {
				t.Fatal(err)
			}
			for _, units := range []int64{1, 2, 5, 17} {
				kept := 0
				for range trials {
					keep, err := s.keep("", units, library())
					if err != nil {
						t.Fatal(err)
					}
					if keep {
						kept++
					}
				}
				want := keepProbability(units, share.FloorFloat()/float64(l0), 0.1/float64(l0))
				if lo, hi := binomial.CoverageBand(trials, want, 1e-7); kept < lo || kept > hi {
					t.Errorf("ε = %s, L0 = %d: %d units kept %d times of %d, theory %g", share, l0, units, kept, trials, want)
				}
				if most := binomial.MostCount(trials, 0.1/float64(l0), 1e-7); units == 1 && kept > most {
					t.Errorf("ε = %s, L0 = %d: one unit kept %d times, at most %d at δ/L0", share, l0, kept, most)
				}
			}
			if keep, _ := s.keep("", 0, library()); keep {
				t.Error("a group of nobody appeared")
			}
		}
	}
}

// TestSingleUnitGroups is the figure that owners are told: at δ = 1e-3, groups of one unit appear at
// most 151 times in 100,000 (false-reject 1e-6).
func TestSingleUnitGroups(t *testing.T) {
	s, err := newSelection(1, OneEpsilon, OneDelta/1000, 1)
	if err != nil {
		t.Fatal(err)
	}
	kept := 0
	for range 100_000 {
		if keep, _ := s.keep("", 1, library()); keep {
			kept++
		}
	}
	if most := binomial.MostCount(100_000, 1e-3, 1e-6); kept > most || most > 152 {
		t.Errorf("kept %d, at most %d", kept, most)
	}
}

func TestPreThreshold(t *testing.T) {
	s, err := newSelection(1, 2*OneEpsilon, OneDelta/10, 5)
	if err != nil {
		t.Fatal(err)
	}
	kept := map[int64]int{}
	const trials = 20_000
	for units := int64(0); units <= 8; units++ {
		for range trials {
			if keep, _ := s.keep("", units, library()); keep {
				kept[units]++
			}
		}
	}
	for units := int64(0); units < 5; units++ {
		if kept[units] != 0 {
			t.Errorf("a group of %d units appeared %d times below a pre-threshold of 5", units, kept[units])
		}
	}
	for units := int64(5); units <= 8; units++ {
		want := keepProbability(units-4, 2, 0.1)
		if lo, hi := binomial.CoverageBand(trials, want, 1e-7); kept[units] < lo || kept[units] > hi {
			t.Errorf("%d units kept %d times, theory %g", units, kept[units], want)
		}
	}
}

// TestCrowdsAreKept checks that doubling counts every unit once, up to the largest crowd.
func TestCrowdsAreKept(t *testing.T) {
	for _, units := range []int64{1000, 1<<20 - 1, 1 << 40, sumLimit} {
		if keep, err := libraryKeep(site{}, units, 0.5, 1e-6); err != nil || !keep {
			t.Errorf("%d units: %t, %v", units, keep, err)
		}
	}
	// Exactly 10 units at ε small: the probability is close to 10·δ, so each unit is counted once.
	const trials = 20_000
	kept := 0
	for range trials {
		if keep, _ := libraryKeep(site{}, 10, 1e-6, 0.02); keep {
			kept++
		}
	}
	if lo, hi := binomial.CoverageBand(trials, keepProbability(10, 1e-6, 0.02), 1e-7); kept < lo || kept > hi {
		t.Errorf("10 units kept %d times of %d, expected %d … %d", kept, trials, lo, hi)
	}
}

// TestSelectionLeaks takes decisions on n and n − 1 units apart as PROMISE.md, section 5 (i), does: with a weight of
// at most δ taken off, what is left is within e^ε, both for keeping and for withholding.
func TestSelectionLeaks(t *testing.T) {
	for _, epsilon := range []float64{0.01, 0.5, 1, 5} {
		for _, delta := range []float64{1e-6, 1e-2, 0.3} {
			for n := int64(1); n <= 200; n++ {
				p, q := keepProbability(n, epsilon, delta), keepProbability(n-1, epsilon, delta)
				w := min(delta, p-q)
				rest, other := (p-w)/(1-w), q/(1-w)
				if w < 0 || rest < other*(1-1e-12) || rest > math.Exp(epsilon)*other*(1+1e-9)+1e-15 || 1-other > math.Exp(epsilon)*(1-rest)*(1+1e-9)+1e-12 {
					t.Errorf("ε %g, δ %g, %d units: kept with %g and %g, without leaks %g and %g", epsilon, delta, n, p, q, rest, other)
				}
			}
		}
	}
}

// TestSelectionAlone: private groups without an aggregate spend the whole loss on their selection.
func TestSelectionAlone(t *testing.T) {
	q := countQuestion(OneEpsilon)
	q.Aggregates, q.Partitions, q.Loss.Delta = nil, Partitions{PreThreshold: 1}, OneDelta/1000
	s := mustSpec(t, q)
	if s.selection.epsilon != 1 {
		t.Errorf("selection has ε = %g", s.selection.epsilon)
	}
	price := s.Price(Orders{23_256})
	if want := CeilRenyi(responseDivergence(1, 23.256) * (1 + relativeMargin)); price != (Clocks{OneEpsilon, Divergences{want}, OneDelta / 1000}) {
		t.Errorf("price %+v", price)
	}
	src := fixed(0)
	src.Keep = func(at site, units int64, _, _ float64) (bool, error) {
		if at.Draw != selectionDraw || at.Node != plainNode {
			t.Errorf("selection at %+v", at)
		}
		return units > 3, nil
	}
	r, err := run(s, NewPartials(s.Shape(), []Partial{{Key: "b", Rows: 9, Units: 9}, {Key: "a", Rows: 4, Units: 2}}), src)
	if rows := r.Rows(); err != nil || len(rows) != 1 || rows[0].Key != "b" || len(rows[0].Cells) != 0 {
		t.Errorf("%+v, %v", r, err)
	}
	for _, mechanism := range []Mechanism{"", Laplace, Gaussian, Best} {
		q.Loss = Loss{Rho: OneRho / 50, Delta: OneDelta / 1000, Mechanism: mechanism}
		s := mustSpec(t, q)
		if got := responseRho(s.selection.epsilon); got > 0.02 || got < 0.02*(1-1e-5) {
			t.Errorf("%q: selection costs ρ = %g", mechanism, got)
		}
		if price := s.Price(Orders{}); price.Epsilon < s.selection.each || price.Epsilon > s.selection.each+s.selection.each/100_000 || price.Delta != OneDelta/1000 {
			t.Errorf("%q: price %+v", mechanism, price)
		}
	}
}

func TestSelectionUnderRho(t *testing.T) {
	for _, l0 := range []int64{1, 3, 50, 10_000} {
		for _, share := range []Rho{OneRho / 1_000_000, OneRho / 100, OneRho} {
			s, err := selectionForRho(l0, share, OneDelta/10, 1)
			if err != nil {
				t.Errorf("L0 = %d, ρ = %s: %v", l0, share, err)
				continue
			}
			e := s.epsilon // ρ written out: ε·tanh(ε/2) = ε·(e^ε − 1)/(e^ε + 1)
			if got, want := float64(l0)*e*math.Expm1(e)/(math.Exp(e)+1), share.FloorFloat(); got > want || got < want*(1-1e-3) {
				t.Errorf("L0 = %d, ρ = %s: %g", l0, share, got)
			}
		}
	}
	q := countQuestion(0)
	q.Aggregates, q.Partitions, q.Contribution = nil, Partitions{PreThreshold: 1}, Contribution{50, 1, 50}
	q.Loss = Loss{Rho: OneRho / 100, Delta: OneDelta / 10}
	s := mustSpec(t, q)
	price, each := s.Price(Orders{23_256}), s.selection.epsilon
	if e := float64(price.Epsilon) / 1e12; e < 50*each || e > 50*each*(1+1e-5) || price.Delta != OneDelta/10 {
		t.Errorf("fifty decisions of ε = %g are charged %+v", each, price)
	}
	if d, want := float64(price.Renyi[0])/1e12, 50*responseDivergence(each, 23.256); d < want || d > want*(1+1e-5) {
		t.Errorf("fifty decisions of ε = %g are charged %g on Σd, want %g", each, d, want)
	}
	for name, c := range map[string]struct {
		l0    int64
		share Rho
	}{"too little": {1 << 40, 1}, "too much": {1, 30 * OneRho}} {
		if _, err := selectionForRho(c.l0, c.share, OneDelta/10, 1); err == nil {
			t.Errorf("%s: no error", name)
		}
	}
}
