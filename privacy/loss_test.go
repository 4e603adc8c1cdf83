package privacy

import (
	"math"
	"math/big"
	"testing"

	"pgregory.net/rapid"
)

func TestSharesAreExact(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		whole := rapid.Int64Range(0, math.MaxInt64).Draw(t, "whole")
		total := rapid.Int64Range(1, 65*MaxWeight).Draw(t, "total")
		weight := rapid.Int64Range(1, total).Draw(t, "weight")
		want := new(big.Int).Mul(big.NewInt(whole), big.NewInt(weight))
		if got := shareOf(Rho(whole), weight, total); want.Quo(want, big.NewInt(total)).Cmp(big.NewInt(int64(got))) != 0 {
			t.Fatalf("%d·%d/%d is %s, not %d", whole, weight, total, want, int64(got))
		}
	})
}

// weighted asks for three draws of weights 4, 3 and 1, the first of them used twice, and private groups.
func weighted(l Loss) Question {
	q := countQuestion(0)
	rows := Aggregate{Kind: Count, Argument: NoArgument}
	heavy, values := rows, Aggregate{Kind: Count, Argument: 0}
	heavy.Weight, values.Weight = 4, 3
	q.Aggregates = []Aggregate{rows, values, heavy, {Kind: CountUnits, Argument: NoArgument}}
	q.Partitions, q.Loss = Partitions{PreThreshold: 1}, l
	q.Loss.Delta = OneDelta / 1000
	return q
}

func TestWeightsDivideTheLoss(t *testing.T) {
	weights := []float64{4, 3, 1}
	for _, c := range []struct {
		loss  Loss
		scale func(part float64) float64 // of a draw whose part of the loss this is, at a sensitivity of 1
	}{
		{Loss{Epsilon: OneEpsilon}, func(part float64) float64 { return 1 / part }},
		{Loss{Rho: OneRho / 10, Mechanism: Gaussian}, func(part float64) float64 { return 1 / math.Sqrt(0.2*part) }},
	} {
		s := mustSpec(t, weighted(c.loss))
		if len(s.draws) != 3 {
			t.Fatalf("%d draws", len(s.draws))
		}
		for i, w := range weights {
			if got, want := s.draws[i].noise.scale, c.scale(w/9); math.Abs(got-want) > 1e-9*want {
				t.Errorf("%+v: the draw of weight %g has scale %g, want %g", c.loss, w, got, want)
			}
		}
	}
	s := mustSpec(t, weighted(Loss{Epsilon: OneEpsilon}))
	if want := (OneEpsilon / 9).FloorFloat(); s.selection.epsilon != want {
		t.Errorf("selection has ε = %g, want %g", s.selection.epsilon, want)
	}
	s = mustSpec(t, weighted(Loss{Rho: OneRho / 10}))
	if got := responseRho(s.selection.epsilon); math.Abs(got-0.1/9) > 1e-7 {
		t.Errorf("selection costs ρ = %g, want %g", got, 0.1/9)
	}
}

// TestLossIsNeverExceeded adds up what every step of a random question costs, in the measure that it asks
// for: within it, and short of it by rounding alone.
func TestLossIsNeverExceeded(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		q := everyAggregate(rapid.Int64Range(-50, 0).Draw(t, "lower"), rapid.Int64Range(1, 60).Draw(t, "upper"))
		q.Contribution = Contribution{
			MaxPartitions:       rapid.Int64Range(1, 4).Draw(t, "L0"),
			MaxRowsPerPartition: rapid.Int64Range(1, 4).Draw(t, "r"),
			MaxRows:             rapid.Int64Range(1, 9).Draw(t, "R"),
		}
		if rapid.Bool().Draw(t, "private") {
			q.Partitions, q.Loss.Delta = Partitions{PreThreshold: 1}, OneDelta/1000
		}
		for i := range q.Aggregates {
			q.Aggregates[i].Weight = rapid.Int64Range(0, 9).Draw(t, "weight")
		}
		amount := math.Exp2(rapid.Float64Range(-10, 1).Draw(t, "log2 loss"))
		q.Loss.Epsilon = Epsilon(amount * 1e12)
		if kind := rapid.SampledFrom([]Mechanism{"", Laplace, Gaussian, Best}).Draw(t, "mechanism"); kind != "" {
			q.Loss.Epsilon, q.Loss.Rho, q.Loss.Mechanism = 0, Rho(amount*1e12), kind
		}
		s, err := NewSpec(q)
		if err != nil {
			discard(t, err) // one draw may get more than it takes
		}
		total := 0.0
		for _, d := range s.draws {
			switch {
			case q.Loss.Rho == 0:
				total += d.sensitivity.laplaceEpsilon(d.noise) / (1 + relativeMargin)
			case d.noise.kind == Gaussian:
				total += d.sensitivity.gaussianRho(d.noise)
			default:
				total += d.sensitivity.laplaceRho(d.noise)
			}
		}
		if s.selection != nil && q.Loss.Rho == 0 {
			total += float64(s.selection.cells) * s.selection.epsilon
		} else if s.selection != nil {
			total += float64(s.selection.cells) * responseRho(s.selection.epsilon)
		}
		if total > amount || total < amount*(1-1e-4) {
			t.Fatalf("%+v costs %g", q.Loss, total)
		}
	})
}

// TestBestHasLessVariance compares with both others, over questions on either side of where they are equal.
func TestBestHasLessVariance(t *testing.T) {
	spread := func(s Spec) (logarithm float64) {
		for _, d := range s.draws {
			logarithm += math.Log(d.noise.variance())
		}
		return logarithm
	}
	chosen := map[Mechanism]int{}
	for _, c := range []Contribution{{1, 1, 1}, {2, 1, 2}, {3, 2, 6}, {10, 1, 10}, {1, 9, 9}} {
		for _, rho := range []Rho{OneRho / 100_000, OneRho / 100, OneRho, 4 * OneRho, 20 * OneRho} {
			q := everyAggregate(0, 10)
			q.Contribution = c
			variances := map[Mechanism]float64{}
			for _, kind := range []Mechanism{Laplace, Gaussian, Best} {
				q.Loss = Loss{Rho: rho, Mechanism: kind}
				if s, err := NewSpec(q); err != nil {
					variances[kind] = math.Inf(1) // a draw of Gaussian noise takes ρ up to 0.5
				} else {
					variances[kind] = spread(s)
				}
			}
			if least := min(variances[Laplace], variances[Gaussian]); variances[Best] != least || math.IsInf(least, 0) {
				t.Errorf("%+v at ρ = %s: ln variances %v", c, rho, variances)
			}
			chosen[mustSpec(t, q).Mechanism()]++
		}
	}
	if chosen[Gaussian] == 0 || chosen[Laplace] == 0 {
		t.Errorf("chosen: %v; the test needs both", chosen)
	}
}

// TestOneMechanismServesARelease runs random questions and watches where their noise comes from.
func TestOneMechanismServesARelease(t *testing.T) {
	for _, l := range []Loss{
		{Epsilon: OneEpsilon}, {Rho: OneRho / 10}, {Rho: OneRho / 10, Mechanism: Laplace},
		{Rho: OneRho / 10, Mechanism: Gaussian}, {Rho: OneRho / 10, Mechanism: Best},
	} {
		q := everyAggregate(0, 10)
		q.Loss, q.Contribution = l, Contribution{5, 1, 5}
		s := mustSpec(t, q)
		drawn := map[Mechanism]int{}
		sites := map[site]int{}
		src := fixed(0)
		src.Laplace = func(at site, l1 int64, epsilon float64) (int64, error) {
			drawn[Laplace]++
			sites[at]++
			return 0, nil
		}
		src.Gaussian = func(at site, sensitivity int64, epsilon, delta float64) (int64, error) {
			drawn[Gaussian]++
			sites[at]++
			return 0, nil
		}
		r, err := run(s, NewPartials(s.Shape(), nil), src)
		if err != nil {
			t.Fatal(err)
		}
		if len(drawn) != 1 || drawn[s.Mechanism()] == 0 {
			t.Errorf("%+v: %v", l, drawn)
		}
		for at, times := range sites {
			if times != 1 {
				t.Errorf("%+v: %d draws at %+v", l, times, at)
			}
		}
		for i, c := range s.Columns() {
			if c.Mechanism != s.Mechanism() || !(c.Scale > 0) {
				t.Errorf("%+v: column %d is stated as %+v", l, i, c)
			}
		}
		for _, row := range r.Rows() {
			for _, c := range row.Cells {
				if !(c.Low <= c.High) || math.IsInf(c.Low, 0) || math.IsInf(c.High, 0) || math.IsNaN(c.Value) {
					t.Errorf("%+v: cell %+v", l, c)
				}
			}
		}
	}
}
