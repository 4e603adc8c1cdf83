package privacy

import (
	"fmt"
	"math"
	"math/big"
	"slices"
	"testing"

	"entrepot/privacy/internal/binomial"
	"entrepot/privacy/internal/seam"
)

// The statistics battery. Every aggregate is run with the library's noise under every mechanism, over many
// public groups at once, half of them with the same rows, D, and half with one unit more, D′. Checked are the
// mean of the released values, how often intervals cover, and what the noisy integers tell about which of the
// two a group is.
//
// Every check has false-reject 1e-6; there are about 120.

// rejects is the false-reject rate of one check.
const rejects = 1e-6

// study is one aggregate over rows that are known.
type study struct {
	name      string
	aggregate Aggregate
	values    []int64 // of D, one for each unit
	extra     int64   // the value of the unit that D′ has more, chosen to move the draws as far as any
	truth     float64 // of D [the column's unit]
	draws     int     // a side, at full size
	unbiased  bool    // and the interval covers at exactly the rate of its half-width
	// bias is the stated one, to second order, from the variances of the draws' noises; slack what is
	// allowed beside it.
	bias  func(v []float64) float64
	slack float64
}

// regime is a loss of ε = 1 or ρ = ½ for a whole question.
type regime struct {
	name string
	loss Loss
}

func regimes() []regime {
	return []regime{
		{"laplace under ε", Loss{Epsilon: OneEpsilon}},
		{"laplace under ρ", Loss{Rho: OneRho / 2, Mechanism: Laplace}},
		{"gaussian under ρ", Loss{Rho: OneRho / 2, Mechanism: Gaussian}},
	}
}

func studies() []study {
	var even, distinct []int64
	for i := range int64(2000) {
		even, distinct = append(even, 100+i%301), append(distinct, i)
	}
	var bell []int64 // 0 … 120 around 60, by the quantiles of a triangle
	for i := range int64(800) {
		at := (float64(i) + 0.5) / 800
		x := 60 * math.Sqrt(2*at)
		if at > 0.5 {
			x = 120 - 60*math.Sqrt(2*(1-at))
		}
		bell = append(bell, int64(math.Round(x)))
	}
	with := func(a Aggregate, lower, upper int64) Aggregate {
		a.Lower, a.Upper, a.Step = lower, upper, Step{1, 4}
		return a
	}
	mean, variance := 0.0, varianceOf(even, false)
	for _, x := range even {
		mean += float64(x) / 2000
	}
	s, t, n := momentsOf(even, 0, 500)
	S, T, N := float64(s), float64(t), float64(n)
	biasOfVariance := func(v []float64) float64 {
		return (T*v[2]/(2*N*N*N) - v[0]/(N*N) - 3*S*S*v[2]/(N*N*N*N)) / 4 / 16
	}
	biasOfRoot := func(v []float64) float64 {
		slope := T/(2*N*N) - 2*S*S/(N*N*N)
		spread := (v[1]/(4*N*N) + 4*S*S*v[0]/(N*N*N*N) + slope*slope*v[2]) / 16 / 256
		sigma := math.Sqrt(variance / 16)
		return biasOfVariance(v)/(2*sigma) - spread/(8*sigma*sigma*sigma)
	}
	quantile := func(rank float64) Aggregate { return with(Aggregate{Kind: Quantile, Rank: rank}, 0, 120) }
	return []study{
		{name: "COUNT(*)", aggregate: Aggregate{Kind: Count, Argument: NoArgument}, draws: 120_000, values: even, truth: 2000, unbiased: true},
		{name: "COUNT(x)", aggregate: Aggregate{Kind: Count}, draws: 120_000, values: even, truth: 2000, unbiased: true},
		{name: "COUNT(DISTINCT id)", aggregate: Aggregate{Kind: CountUnits, Argument: NoArgument}, draws: 120_000, values: even, truth: 2000, unbiased: true},
		{name: "COUNT(DISTINCT x)", aggregate: Aggregate{Kind: CountDistinct}, draws: 120_000, values: distinct, extra: 2000, truth: 2000, unbiased: true},
		{name: "SUM", aggregate: with(Aggregate{Kind: Sum}, 0, 500), draws: 120_000, values: even, extra: 500, truth: mean * 2000 / 4, unbiased: true},
		{
			name: "AVG", aggregate: with(Aggregate{Kind: Mean}, 0, 500), draws: 120_000, values: even, extra: 500, truth: mean / 4,
			bias: func(v []float64) float64 { return S / N * v[1] / (N * N) / 2 / 4 },
		},
		{name: "VAR_POP", aggregate: with(Aggregate{Kind: Variance}, 0, 500), draws: 240_000, values: even, extra: 500, truth: variance / 16, bias: biasOfVariance},
		{name: "VAR_SAMP", aggregate: with(Aggregate{Kind: Variance, Sample: true}, 0, 500), draws: 20_000, values: even, extra: 500, truth: variance / 16 * 2000 / 1999, bias: biasOfVariance},
		{name: "STDDEV_POP", aggregate: with(Aggregate{Kind: Variance, Root: true}, 0, 500), draws: 20_000, values: even, extra: 500, truth: math.Sqrt(variance) / 4, bias: biasOfRoot},
		{name: "STDDEV_SAMP", aggregate: with(Aggregate{Kind: Variance, Root: true, Sample: true}, 0, 500), draws: 20_000, values: even, extra: 500, truth: math.Sqrt(variance*2000/1999) / 4, bias: biasOfRoot},
		// Quantiles: off by a step at most on average, as a rank may lie between two of them.
		{name: "MEDIAN", aggregate: quantile(0.5), draws: 60_000, values: bell, extra: 60, truth: percentile(bell, 0.5) / 4, slack: 1. / 4},
		{name: "PERCENTILE_CONT(0.9)", aggregate: quantile(0.9), draws: 10_000, values: bell, extra: 93, truth: percentile(bell, 0.9) / 4, slack: 1. / 4},
		// MIN and MAX estimate other ranks, in tails of few rows: within three steps of those here.
		{name: "MIN", aggregate: quantile(0), draws: 10_000, values: bell, extra: 7, truth: percentile(bell, 0) / 4, bias: func([]float64) float64 {
			return (percentile(bell, leastRank) - percentile(bell, 0)) / 4
		}, slack: 3. / 4},
		{name: "MAX", aggregate: quantile(1), draws: 10_000, values: bell, extra: 113, truth: percentile(bell, 1) / 4, bias: func([]float64) float64 {
			return (percentile(bell, 1-leastRank) - percentile(bell, 1)) / 4
		}, slack: 3. / 4},
	}
}

// partial is the content of a group with these values, one for each unit.
func (s study) partial(key string, values []int64) Partial {
	lower, upper := s.aggregate.Lower, s.aggregate.Upper
	n := int64(len(values))
	tally := Tally{NonNull: n, Units: n, Sum: new(big.Int), Squares: new(big.Int)}
	for _, x := range values {
		tally.Sum.Add(tally.Sum, big.NewInt(x))
		u := 2*x - lower - upper
		tally.Squares.Add(tally.Squares, big.NewInt(u*u))
	}
	switch s.aggregate.Kind {
	case CountDistinct:
		tally.Distinct = int64(len(slices.Compact(slices.Sorted(slices.Values(values)))))
	case Quantile:
		tally.Leaves = leavesOf(NewTree(lower, upper), values)
	}
	return Partial{Key: key, Units: n, Rows: n, Arguments: []Tally{tally}}
}

// world is a study under a regime: groups of D and of D′, and where they differ.
type world struct {
	study study
	spec  Spec
	keys  []string // the even ones are D, the odd ones D′
	moved map[site]float64
	given [2]Partial
}

// newWorld has groups for so many draws a side at once, 500 at most.
func newWorld(t *testing.T, s study, r regime, draws int) world {
	t.Helper()
	q := Question{
		Aggregates:   []Aggregate{s.aggregate},
		Contribution: Contribution{MaxPartitions: 1, MaxRowsPerPartition: 1, MaxRows: 1},
		Loss:         r.loss,
	}
	for i := range 2 * min(draws, 500) {
		q.Partitions.Keys = append(q.Partitions.Keys, fmt.Sprint(i))
	}
	w := world{study: s, spec: mustSpec(t, q), keys: q.Partitions.Keys, moved: map[site]float64{}}
	w.given = [2]Partial{s.partial("", s.values), s.partial("", append(slices.Clone(s.values), s.extra))}
	for i, sign := range []float64{-1, 1} {
		exact, err := Measure(seam.Granted(), w.spec, []Partial{w.given[i]})
		if err != nil {
			t.Fatal(err)
		}
		for _, draw := range exact {
			for at, x := range draw {
				w.moved[at] += sign * float64(x)
			}
		}
	}
	for at, shift := range w.moved {
		if shift == 0 {
			delete(w.moved, at)
		}
	}
	return w
}

// outcome is what so many draws a side gave.
type outcome struct {
	draws  int
	values []float64 // released over D
	cover  int       // intervals of D that hold the truth
	hits   [2]int    // groups of D and of D′ that look like D
}

// run releases the groups until each side has so many draws, with noise of the source.
func (w world) run(t *testing.T, draws int, src source) outcome {
	t.Helper()
	o := outcome{}
	for o.draws < draws {
		drawn := map[site]int64{}
		partials := make([]Partial, len(w.keys))
		for i, key := range w.keys {
			partials[i] = w.given[i%2]
			partials[i].Key = key
		}
		release, err := run(w.spec, NewPartials(w.spec.Shape(), partials), recorded(src, drawn))
		if err != nil {
			t.Fatal(err)
		}
		for i, row := range release.rows {
			if w.looksLikeD(drawn, row.Key, i%2) {
				o.hits[i%2]++
			}
			if i%2 == 1 {
				continue
			}
			cell := row.Cells[0]
			o.values = append(o.values, cell.Value)
			if slack := 1e-9 * math.Abs(w.study.truth); cell.Low <= w.study.truth+slack && w.study.truth <= cell.High+slack {
				o.cover++
			}
		}
		o.draws += len(w.keys) / 2
	}
	return o
}

// recorded writes down the noise that a source draws.
func recorded(src source, drawn map[site]int64) source {
	inner := src
	src.Laplace = func(at site, l1 int64, epsilon float64) (int64, error) {
		z, err := inner.Laplace(at, l1, epsilon)
		drawn[at] = z
		return z, err
	}
	src.Gaussian = func(at site, sensitivity int64, epsilon, delta float64) (int64, error) {
		z, err := inner.Gaussian(at, sensitivity, epsilon, delta)
		drawn[at] = z
		return z, err
	}
	return src
}

// looksLikeD is an event of a group's noisy integers that tells D from D′ best. Laplace noise: all of those that
// the unit moves lie on D's side of D's values; that has the largest ratio that there is, e^ε. Gaussian noise: the
// likelihood is higher on D, the most powerful test of its size. A node that was not drawn says nothing.
func (w world) looksLikeD(drawn map[site]int64, key string, side int) bool {
	all, likelihood, middle := true, 0.0, 0.0
	for at, shift := range w.moved {
		n := w.spec.draws[at.Draw].noise
		at.Key = key
		z, there := drawn[at]
		if !there {
			return false
		}
		x := math.Ldexp(float64(z), -int(n.bits)) + shift*float64(side) // above D's value
		all = all && x*shift < 0
		likelihood += x * shift / n.variance()
		middle += shift * shift / n.variance() / 2
	}
	if w.spec.Mechanism() == Gaussian {
		return likelihood < middle
	}
	return all
}

// lossAtLeast is what an outcome proves about the loss: a lower bound on ε, or, for Gaussian noise, on √(2ρ), the
// distance of two normal laws with unit variance that the two sides are as hard to tell apart as. It exceeds
// the true one with probability rejects at most.
func (w world) lossAtLeast(o outcome) float64 {
	if w.spec.Mechanism() != Gaussian {
		return binomial.EpsilonAtLeast(o.hits[0], o.hits[1], o.draws, rejects)
	}
	low, _ := binomial.ProbabilityBounds(o.hits[0], o.draws, rejects/2)
	_, high := binomial.ProbabilityBounds(o.hits[1], o.draws, rejects/2)
	quantile := func(p float64) float64 { return -math.Sqrt2 * math.Erfcinv(2*p) }
	return quantile(low) - quantile(high)
}

// charged is the loss that lossAtLeast bounds, as the price says.
func (w world) charged() float64 {
	if w.spec.Mechanism() == Gaussian {
		return math.Sqrt(2 * w.spec.question.Loss.Rho.FloorFloat())
	}
	return float64(w.spec.Price(Orders{}).Epsilon) / 1e12
}
