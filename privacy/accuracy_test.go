package privacy

import (
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
)

// wanted is a random question and an accuracy of it that some loss meets.
func wanted(r *rand.Rand, mechanism Mechanism) (Question, Accuracy) {
	lower := r.Int64N(200) - 100
	upper := lower + 1 + r.Int64N(1000)
	q := Question{Contribution: Contribution{MaxPartitions: 1 + r.Int64N(4), MaxRowsPerPartition: 1 + r.Int64N(3)},
		Partitions: Partitions{Keys: []string{"a", "b", "c"}, PreThreshold: 1}, Loss: Loss{Mechanism: mechanism}}
	q.Contribution.MaxRows = q.Contribution.MaxPartitions * q.Contribution.MaxRowsPerPartition
	if r.IntN(2) == 0 {
		q.Partitions.Keys, q.Loss.Delta = nil, OneDelta/1e6
	}
	if mechanism == Gaussian && r.IntN(2) == 0 {
		q.Loss.GaussianDelta = OneDelta / 1e8
	}
	a := Accuracy{Rows: math.Exp(4 + 8*r.Float64())}
	notNull := r.IntN(2) == 0
	for range 1 + r.IntN(4) {
		kinds := []Kind{Count, Count, CountUnits, CountDistinct, Sum, Mean, Mean, Variance, Quantile}
		x := bounded(kinds[r.IntN(len(kinds))], 0, lower, upper)
		x.NotNull, x.Sample, x.Root = notNull, r.IntN(2) == 0, r.IntN(2) == 0
		x.Step = []Step{{1, 1}, {1, 100}, {3, 1}}[int(lower+100)%3]
		if x.Kind == Count && r.IntN(2) == 0 {
			x.Argument = NoArgument
		}
		q.Aggregates = append(q.Aggregates, x)
		a.HalfWidths = append(a.HalfWidths, width(r, q, x, a.Rows))
	}
	return q, a
}

// width is a random half-width for an aggregate; 0 for none.
func width(r *rand.Rand, q Question, x Aggregate, rows float64) float64 {
	spread := x.Step.Float(float64(x.Upper - x.Lower))
	scale := float64(q.Contribution.MaxRows) * math.Exp(7*r.Float64())
	switch {
	case x.Kind == Quantile || r.IntN(4) == 0:
		return 0
	case x.Kind == Sum:
		return scale * spread
	case x.Kind == Mean:
		return spread * min(scale/rows, 0.4)
	case x.Kind == Variance && x.Root:
		return spread * min(scale/rows, 0.2)
	case x.Kind == Variance:
		return spread * spread * min(scale/rows, 0.1)
	}
	return scale
}

// accuracies are random questions that can be answered as accurately as asked for, one after the other.
func accuracies(t *testing.T, check func(q Question, a Accuracy, got Question)) {
	t.Helper()
	n := 300
	if soak() {
		n = 2_000
	}
	for _, mechanism := range []Mechanism{Laplace, Gaussian} {
		r, met := rand.New(rand.NewPCG(4, 24)), 0
		for range n {
			q, a := wanted(r, mechanism)
			got, err := Cheapest(q, a)
			switch {
			case errors.Is(err, ErrAccuracy) || errors.Is(err, ErrSpec):
				continue
			case err != nil:
				t.Fatal(err)
			}
			met++
			check(q, a, got)
		}
		if met < n/2 {
			t.Errorf("%s: %d of %d questions can be answered", mechanism, met, n)
		}
	}
}

// missed lists the aggregates of a question that are less accurate than asked for.
func missed(t *testing.T, q Question, a Accuracy) (list []int) {
	t.Helper()
	for i, w := range mustSpec(t, q).HalfWidths(a.Rows) {
		if a.HalfWidths[i] > 0 && !(w <= a.HalfWidths[i]) {
			list = append(list, i)
		}
	}
	return list
}

// amount is the loss of a question, ε or ρ.
func amount(q Question) int64 { return int64(q.Loss.Epsilon) + int64(q.Loss.Rho) }

// spend is the question with another loss of the same kind.
func spend(q Question, loss int64) Question {
	if q.Loss.Rho > 0 {
		q.Loss.Rho = Rho(loss)
	} else {
		q.Loss.Epsilon = Epsilon(loss)
	}
	return q
}

// TestCheapestMeets: what is released under the loss is as accurate as asked for, and nothing else of the
// question changed.
func TestCheapestMeets(t *testing.T) {
	accuracies(t, func(q Question, a Accuracy, got Question) {
		if list := missed(t, got, a); len(list) > 0 {
			t.Errorf("%+v %+v: aggregates %v of %+v are too wide", q, a, list, got)
		}
		for i := range got.Aggregates {
			if w := got.Aggregates[i].Weight; w < 1 || w > MaxWeight {
				t.Errorf("%+v has a weight of %d", got, w)
			}
			got.Aggregates[i].Weight = q.Aggregates[i].Weight
		}
		if (got.Loss.Epsilon > 0) == (got.Loss.Rho > 0) || (got.Loss.Rho > 0) != (q.Loss.Mechanism == Gaussian) {
			t.Errorf("%+v spends %+v", q, got.Loss)
		}
		got.Loss.Epsilon, got.Loss.Rho = 0, 0
		if fmt.Sprintf("%+v", got) != fmt.Sprintf("%+v", q) {
			t.Errorf("%+v became %+v", q, got)
		}
	})
}

// TestCheapestIsTight: 1 % less, divided alike, is not enough. Below the least that a question may spend, or that
// its choice of groups needs, there is no spec at all.
func TestCheapestIsTight(t *testing.T) {
	accuracies(t, func(q Question, a Accuracy, got Question) {
		less := spend(got, amount(got)-amount(got)/100)
		if _, err := NewSpec(less); err == nil && len(missed(t, less, a)) == 0 {
			t.Errorf("%+v %+v: %d is enough with the weights of %+v", q, a, amount(less), got)
		}
	})
}

// TestCheapestIsCheap: no other weights, near or random, meet the same accuracy for 1 % less. Counts and sums need
// one share each, so that the best weights are known; means share the draws of others, and 3 % is allowed for.
func TestCheapestIsCheap(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	accuracies(t, func(q Question, a Accuracy, got Question) {
		if got.Partitions.Keys == nil || slices.Contains(a.HalfWidths, 0) {
			return // the rest has a share that nothing asked for
		}
		percent := int64(1)
		if slices.ContainsFunc(q.Aggregates, func(x Aggregate) bool { return x.Kind == Mean || x.Kind == Variance }) {
			percent = 3
		}
		less := spend(got, amount(got)-amount(got)*percent/100)
		for range 20 {
			less.Aggregates = slices.Clone(got.Aggregates)
			for i := range less.Aggregates {
				w := float64(less.Aggregates[i].Weight) * math.Exp(r.NormFloat64()/4)
				less.Aggregates[i].Weight = min(max(1, int64(w+0.5)), MaxWeight)
			}
			if _, err := NewSpec(less); err == nil && len(missed(t, less, a)) == 0 {
				t.Errorf("%+v %+v: %+v is enough, and cheaper than %+v", q, a, less, got)
			}
		}
	})
}

// TestCheapestIsMonotone: a wider interval costs no more. Where means share draws with others the weights found are the
// best but for 2 %.
func TestCheapestIsMonotone(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 4))
	accuracies(t, func(q Question, a Accuracy, got Question) {
		slack := 1e-5 // what rounding of needs and losses comes to
		if slices.ContainsFunc(q.Aggregates, func(x Aggregate) bool { return x.Kind == Mean || x.Kind == Variance }) {
			slack = 0.02
		}
		wider := a
		wider.HalfWidths = slices.Clone(a.HalfWidths)
		i := r.IntN(len(a.HalfWidths))
		wider.HalfWidths[i] *= 1 + r.Float64()
		other, err := Cheapest(q, wider)
		if err != nil || float64(amount(other)) > float64(amount(got))*(1+slack) {
			t.Errorf("%+v %+v costs %d with weights %+v; a half-width %d of %g costs %d with %+v, %v",
				q, a, amount(got), got.Aggregates, i, wider.HalfWidths[i], amount(other), other.Aggregates, err)
		}
	})
}

// TestCheapestOfACount is the loss by hand: P(|noise| ≤ k + ½) ≥ 95 % for Laplace noise of scale 1/ε needs
// ε = ln 20/(k + ½), and for normal noise of deviation 1/√2ρ ρ = (1.96/(k + ½))²/2.
func TestCheapestOfACount(t *testing.T) {
	for _, k := range []float64{1, 5, 50, 1000} {
		for _, fraction := range []float64{0, 0.9} { // of a half-width is lost
			a := Accuracy{HalfWidths: []float64{k + fraction}}
			q, err := Cheapest(countQuestion(0, "a"), a)
			if want := math.Log(20) / (k + 0.5) * 1e12; err != nil || math.Abs(float64(amount(q))/want-1) > 1.1e-5 {
				t.Errorf("± %g costs %+v, want %g, %v", a.HalfWidths, q.Loss, want, err)
			}
			q = countQuestion(0, "a")
			q.Loss.Mechanism = Gaussian
			q, err = Cheapest(q, a)
			deviation := (k + 0.5) / 1.9599639845400545
			if want := 1e12 / 2 / deviation / deviation; k > 1 && (err != nil || math.Abs(float64(amount(q))/want-1) > 1.1e-5) {
				t.Errorf("± %g costs %+v, want %g, %v", a.HalfWidths, q.Loss, want, err)
			}
		}
	}
}

// TestCheapestWeighs: a column that needs three times the loss has three times the weight, and what is not asked for
// has at least half of what the easiest column has.
func TestCheapestWeighs(t *testing.T) {
	q := countQuestion(0, "a")
	q.Aggregates = append(q.Aggregates, Aggregate{Kind: CountUnits, Argument: NoArgument}, bounded(Sum, 0, 0, 21))
	got, err := Cheapest(q, Accuracy{HalfWidths: []float64{10, 31, 0}})
	if err != nil || got.Aggregates[0].Weight != 3*got.Aggregates[1].Weight || got.Aggregates[2].Weight*2 < got.Aggregates[1].Weight {
		t.Errorf("%+v %v", got.Aggregates, err)
	}
	got, err = Cheapest(q, Accuracy{HalfWidths: []float64{10, 31, 661}})
	if err != nil || got.Aggregates[0].Weight != 3 || got.Aggregates[1].Weight != 1 || got.Aggregates[2].Weight != 1 {
		t.Errorf("%+v %v", got.Aggregates, err)
	}
}

// TestCheapestRefuses says which aggregate cannot be had, and why.
func TestCheapestRefuses(t *testing.T) {
	median, mean := bounded(Quantile, 0, 0, 10), bounded(Mean, 0, 0, 10)
	for _, test := range []struct {
		name      string
		aggregate Aggregate
		width     float64
		reason    string
	}{
		{"a median", median, 1, "depends on the rows"},
		{"no number", mean, math.NaN(), "a number above 0"},
		{"negative", mean, -1, "a number above 0"},
		{"infinite", mean, math.Inf(1), "a number above 0"},
		{"too narrow", mean, 1e-9, "is asked for"},
	} {
		t.Run(test.name, func(t *testing.T) {
			q := countQuestion(0, "a")
			q.Aggregates = append(q.Aggregates, test.aggregate)
			_, err := Cheapest(q, Accuracy{HalfWidths: []float64{10, test.width}, Rows: 100})
			var why *AccuracyError
			if !errors.As(err, &why) || !errors.Is(err, ErrAccuracy) || why.Aggregate != 1 || !strings.Contains(why.Reason, test.reason) {
				t.Errorf("%v", err)
			}
		})
	}
	if _, err := Cheapest(countQuestion(0, "a"), Accuracy{HalfWidths: []float64{0}}); !errors.Is(err, ErrAccuracy) {
		t.Errorf("nothing asked for: %v", err)
	}
	if _, err := Cheapest(countQuestion(0, "a"), Accuracy{}); !errors.Is(err, ErrAccuracy) {
		t.Errorf("no half-widths: %v", err)
	}
	private := countQuestion(0, "a")
	private.Partitions.Keys = nil
	if _, err := Cheapest(private, Accuracy{HalfWidths: []float64{10}}); !errors.Is(err, ErrSpec) {
		t.Errorf("private groups without δ: %v", err)
	}
}

// BenchmarkCheapest finds the loss of a count and a mean, and of ten columns with their deviations.
func BenchmarkCheapest(b *testing.B) {
	simple, wide := everything(0, 1000), everyAggregate(0, 1000)
	simple.Aggregates = []Aggregate{simple.Aggregates[0], simple.Aggregates[4]}
	wide.Aggregates = append(wide.Aggregates[:len(wide.Aggregates)-1], bounded(Variance, 1, 0, 50), bounded(Mean, 1, 0, 50))
	for name, q := range map[string]Question{"simple": simple, "wide": wide} {
		for _, m := range []Mechanism{Laplace, Gaussian} {
			b.Run(name+"/"+string(m), func(b *testing.B) {
				q.Loss.Epsilon = OneEpsilon
				a := Accuracy{HalfWidths: mustSpec(b, q).HalfWidths(1000), Rows: 1000}
				q.Loss = Loss{Mechanism: m}
				for b.Loop() {
					if _, err := Cheapest(q, a); err != nil {
						b.Fatal(err)
					}
				}
			})
		}
	}
}
