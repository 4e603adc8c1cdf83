package privacy

import (
	"math"
	"testing"
)

// worstUnit is the largest total cost over every way in which one unit may spread its rows over groups.
// In a tree every row counts once on each level, and costs most if every level looks the same.
func worstUnit(d draw, c Contribution, cost func(shift float64) float64) float64 {
	largest := float64(d.magnitude())
	worst := 0.0
	var spread func(groups, rows int64, total float64)
	spread = func(groups, rows int64, total float64) {
		worst = math.Max(worst, total)
		if groups == 0 {
			return
		}
		for n := int64(1); n <= min(rows, c.MaxRowsPerPartition); n++ {
			shift := float64(n) * largest
			if d.quantity == units {
				shift = 1
			}
			spread(groups-1, rows-n, total+cost(shift))
		}
	}
	spread(min(c.MaxPartitions, 5), c.MaxRows, 0)
	if d.quantity == tree {
		worst *= float64(d.tree.Height)
	}
	return worst
}

// TestPriceIsTheWorstUnit compares the price of a draw, on every clock and for either noise, with every way
// in which one unit may spread its rows.
func TestPriceIsTheWorstUnit(t *testing.T) {
	const order = 23.256
	for _, c := range []Contribution{{1, 1, 1}, {3, 2, 6}, {3, 2, 5}, {2, 4, 5}, {4, 1, 3}, {5, 5, 7}} {
		for _, l := range []Loss{{Epsilon: OneEpsilon}, {Rho: OneRho / 10}, {Rho: OneRho / 10, Mechanism: Gaussian, GaussianDelta: OneDelta / 1000}} {
			q := everyAggregate(-7, 10)
			q.Contribution, q.Loss = c, l
			for _, d := range mustSpec(t, q).draws {
				b := d.noise.scale
				check := func(what string, price, worst, slack float64) {
					t.Helper()
					if worst > price*(1+1e-12) || worst < price*(1-slack) {
						t.Errorf("%+v, %+v, draw %+v: %s is priced %g, worst unit %g", c, l, d.measurement, what, price, worst)
					}
				}
				if d.noise.kind == Gaussian {
					rho := worstUnit(d, c, func(shift float64) float64 { return shift * shift / (2 * b * b) })
					check("ρ", d.sensitivity.gaussianRho(d.noise), rho, 1e-9)
					check("Σd", d.divergence(order), order*rho-math.Log1p(-d.leak.ceilFloat())/(order-1), 1e-9)
					check("Σε", float64(d.epsilon())/1e12, gaussianEpsilon(rho, d.leak.FloorFloat()), 1e-5)
					continue
				}
				check("Σd", d.divergence(order), worstUnit(d, c, func(shift float64) float64 { return laplaceDivergence(shift/b, order) }), 1e-9)
				check("Σε", float64(d.epsilon())/1e12, worstUnit(d, c, func(shift float64) float64 { return shift / b }), 1e-5)
				check("ρ", d.sensitivity.laplaceRho(d.noise), worstUnit(d, c, func(shift float64) float64 { return shift/b + math.Exp(-shift/b) - 1 }), 1e-5)
			}
		}
	}
}

func TestPriceRisesWithEverything(t *testing.T) {
	base := everything(0, 10)
	base.Contribution = Contribution{3, 2, 5}
	base.Partitions, base.Loss.Delta = Partitions{PreThreshold: 1}, OneDelta/1_000_000
	price := mustSpec(t, base).Price(Orders{23_256})
	if price.Epsilon != OneEpsilon || price.Delta != OneDelta/1_000_000 || price.Renyi[0] <= 0 || price.Renyi[0] > Renyi(OneEpsilon) {
		t.Errorf("price %+v", price)
	}
	if pure := mustSpec(t, base).Price(Orders{}); pure != (Clocks{Epsilon: OneEpsilon, Delta: price.Delta}) {
		t.Errorf("price without an order: %+v", pure)
	}
	previous := Renyi(0)
	for tenth := Epsilon(1); tenth <= 30; tenth++ {
		q := base
		q.Loss.Epsilon = tenth * OneEpsilon / 10
		now := mustSpec(t, q).Price(Orders{23_256})
		if now.Renyi[0] <= previous || now.Epsilon != q.Loss.Epsilon {
			t.Errorf("ε = %s costs %+v", q.Loss.Epsilon, now)
		}
		previous = now.Renyi[0]
	}
	s := mustSpec(t, base)
	for order, previous := Order(1001), Renyi(0); order < MaxOrder; order = order*5/4 + 1 {
		now := s.Price(Orders{order}).Renyi[0]
		if now < previous {
			t.Errorf("order %s costs %s, a smaller order %s", order, now, previous)
		}
		previous = now
	}
	public := base
	public.Partitions = Partitions{Keys: []string{"0"}}
	if got := mustSpec(t, public).Price(Orders{23_256}); got.Delta != 0 || got.Epsilon != OneEpsilon {
		t.Errorf("public partitions cost %+v", got)
	}
	wide := countQuestion(OneEpsilon, "a", "b", "c", "d")
	wide.Contribution = Contribution{4, 1, 4}
	narrow := countQuestion(OneEpsilon, "a", "b", "c", "d")
	if a, b := mustSpec(t, wide).Price(Orders{23_256}).Renyi[0], mustSpec(t, narrow).Price(Orders{23_256}).Renyi[0]; a >= b {
		t.Errorf("the same ε over four partitions costs %s, over one %s", a, b)
	}
}

func TestSelectionIsCharged(t *testing.T) {
	q := countQuestion(OneEpsilon)
	q.Contribution = Contribution{4, 1, 4}
	q.Partitions, q.Loss.Delta = Partitions{PreThreshold: 1}, OneDelta/1_000_000
	got := float64(mustSpec(t, q).Price(Orders{23_256}).Renyi[0]) / 1e12
	want := 4*laplaceDivergence(0.5/4, 23.256) + 4*responseDivergence(0.5/4, 23.256)
	if got < want || got > want*(1+2e-6) {
		t.Errorf("a count and selection over four partitions cost %g, want %g", got, want)
	}
}

func TestCoarseLatticesAreCharged(t *testing.T) {
	q := countQuestion(OneEpsilon, "a", "b")
	q.Aggregates = []Aggregate{bounded(Sum, 0, 0, 1<<46)}
	q.Contribution = Contribution{2, 1, 2}
	s := mustSpec(t, q)
	if s.draws[0].noise.grain == 1 {
		t.Fatal("the test needs a coarse lattice")
	}
	got := float64(s.Price(Orders{23_256}).Renyi[0]) / 1e12
	if floor := 2 * laplaceDivergence(0.5, 23.256); got < floor || got > floor*1.01 {
		t.Errorf("two partitions of ε = 0.5 each cost %g, at least %g", got, floor)
	}
}

func TestGaussianCostsOnEveryClock(t *testing.T) {
	q := countQuestion(0, "a", "b", "c")
	q.Contribution = Contribution{3, 2, 6}
	q.Aggregates = append(q.Aggregates, bounded(Sum, 0, -5, 5))
	q.Loss = Loss{Rho: OneRho / 50, Mechanism: Gaussian}
	price := mustSpec(t, q).Price(Orders{23_256})
	if price.Epsilon != math.MaxInt64 {
		t.Errorf("without a δ of its own: %+v", price)
	}
	if d := float64(price.Renyi[0]) / 1e12; d < 23.256*0.02 || d > 23.256*0.02*(1+1e-5) {
		t.Errorf("αρ = %g, charged %g", 23.256*0.02, d)
	}
	// Two draws of three cells each; a cell moves by 1/√3 of Δ₂ = σ·√(2·0.01).
	if want := CeilDelta(3 * normalTail(8.81-math.Sqrt(0.02/3)) * (1 + 1e-5)); price.Delta < 2 || price.Delta > 2*want {
		t.Errorf("δ₀ is %s, want up to twice %s", price.Delta, want)
	}
	q.Loss.GaussianDelta = OneDelta / 1_000_000
	finite := mustSpec(t, q).Price(Orders{23_256})
	// Each draw has ρ = 0.01 and L ~ N(0.01, 0.02), outside ±ε with probability 5e-7.
	e, deviation := float64(finite.Epsilon)/2e12, math.Sqrt(0.02)
	if outside := normalTail((e-0.01)/deviation) + normalTail((e+0.01)/deviation); outside > 5e-7 || outside < 5e-7*(1-1e-4) {
		t.Errorf("two draws of ε = %g: the loss is outside with probability %g", e, outside)
	}
	if finite.Delta != price.Delta+q.Loss.GaussianDelta {
		t.Errorf("δ is %s, without it %s", finite.Delta, price.Delta)
	}
	// The extra term: −ln(1 − δ_i)/(α−1) for each of two draws, less than what rounding up allows for here.
	extra := float64(finite.Renyi[0]-price.Renyi[0]) / 1e12
	if least := 2 * 5e-7 / 22.256; extra < least*(1-1e-3) || extra > least*1.001+1e-11 {
		t.Errorf("Σd grows by %g for it, want %g", extra, least)
	}
}

func TestLaplaceUnderRhoCostsOnEveryClock(t *testing.T) {
	q := countQuestion(0, "a", "b", "c")
	q.Contribution = Contribution{3, 2, 6}
	q.Loss = Loss{Rho: OneRho / 50, Delta: OneDelta / 7}
	s := mustSpec(t, q)
	price := s.Price(Orders{23_256})
	each := 2 / s.draws[0].noise.scale // of a full cell
	if got := 3 * (each + math.Exp(-each) - 1); math.Abs(got-0.02) > 1e-7 {
		t.Errorf("three cells at ε = %g cost ρ = %g", each, got)
	}
	if e := float64(price.Epsilon) / 1e12; e < 3*each || e > 3*each*(1+1e-5) {
		t.Errorf("Σε is charged %g for three cells of %g", e, each)
	}
	if price.Delta != 0 {
		t.Errorf("δ is %s", price.Delta)
	}
	if d := float64(price.Renyi[0]) / 1e12; d > 23.256*0.02*(1+1e-5) || d < 0.5*23.256*0.02 {
		t.Errorf("Σd is charged %g, α·ρ is %g", d, 23.256*0.02)
	}
}
