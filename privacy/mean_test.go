package privacy

import (
	"math"
	"math/big"
	"math/rand/v2"
	"testing"

	"entrepot/privacy/internal/binomial"
	"pgregory.net/rapid"
)

// TestTailOfDifference integrates P(|X − Y| > t) = E[P(|X − y| > t)] over Y.
func TestTailOfDifference(t *testing.T) {
	single := func(t, a float64) float64 { // P(X > t) for Laplace of scale a
		if t < 0 {
			return 1 - math.Exp(t/a)/2
		}
		return math.Exp(-t/a) / 2
	}
	for _, a := range []float64{0.3, 1, 1.0000001, 4, 50} {
		for _, b := range []float64{0.01, 0.3, 1, 3.999999, 4} {
			for _, at := range []float64{0.1, 1, 3, 10} {
				f := func(y float64) float64 {
					return math.Exp(-math.Abs(y)/b) / (2 * b) * (single(at+y, a) + single(at-y, a))
				}
				want := 2 * (integrate(f, 0, min(at, 40*b)) + integrate(f, min(at, 40*b), at+40*b))
				if got := laplaceDifference(at, a, b); math.Abs(got-want) > 1e-6 {
					t.Errorf("scales %g and %g at %g: %.9g, integral %.9g", a, b, at, got, want)
				}
			}
		}
		if got, want := laplaceDifference(2, a, 0), math.Exp(-2/a); math.Abs(got-want) > 1e-15 {
			t.Errorf("scale %g alone: %g, want %g", a, got, want)
		}
	}
	if laplaceDifference(0, 1, 1) != 1 || laplaceDifference(-3, 1, 2) != 1 {
		t.Error("a distance of nothing is certain to be exceeded")
	}
	rapid.Check(t, func(t *rapid.T) {
		draw := func(name string) float64 { return math.Exp2(rapid.Float64Range(-200, 200).Draw(t, name)) }
		a, b, at := draw("a"), draw("b"), draw("t")
		p, further := laplaceDifference(at, a, b), laplaceDifference(at*1.5, a, b)
		if !(p >= 0 && p <= 1+1e-12) || further > p*(1+1e-12) || laplaceDifference(at, b, a) != p {
			t.Fatalf("tail at %g for %g and %g: %g, then %g", at, a, b, p, further)
		}
	})
}

// quantile is q with P(|X − c·Y| > q) = 1 − Confidence for scale 1.
func quantile(c float64) float64 {
	low, high := 0.0, 10*(1+c)
	for range 200 {
		if middle := (low + high) / 2; laplaceDifference(middle, 1, c) > 1-Confidence {
			low = middle
		} else {
			high = middle
		}
	}
	return high
}

// TestQuantileIsConvex checks the premise of bisection. Only the ratio of scales matters, and it is at
// most 1, as the centred sum is as sensitive as the count times Upper − Lower.
func TestQuantileIsConvex(t *testing.T) {
	const h = 1e-3
	for c := h; c < 3; c += h {
		if bend := quantile(c-h) + quantile(c+h) - 2*quantile(c); bend < -1e-11 {
			t.Fatalf("the quantile bends by %g at %g", bend, c)
		}
	}
	if q := quantile(0); math.Abs(q-math.Log(20)) > 1e-9 {
		t.Errorf("one Laplace has the quantile %g", q)
	}
}

// TestIntervalIsWhatIsPlausible compares the ends with a fine scan of all means.
func TestIntervalIsWhatIsPlausible(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		scaleN := math.Exp2(rapid.Float64Range(-4, 8).Draw(t, "log2 scale"))
		r := ratio{most: 100, noiseN: noise{kind: Laplace, scale: scaleN}, noiseS: noise{kind: Laplace, scale: 100 * scaleN}}
		r.n = max(0.5, rapid.Float64Range(0, 300).Draw(t, "n")*scaleN/20) // a positive whole count, less half a row
		r.s = r.n * rapid.Float64Range(-130, 130).Draw(t, "mean")
		low, high := r.interval()
		if !(low <= r.estimate() && r.estimate() <= high && low >= -r.most && high <= r.most) {
			t.Fatalf("%+v: %g … %g … %g", r, low, r.estimate(), high)
		}
		const points = 2000
		for i := range points + 1 {
			m := -r.most + 2*r.most*float64(i)/points
			if r.plausible(m) && (m < low || m > high) {
				t.Fatalf("%+v: %g is plausible outside %g … %g", r, m, low, high)
			}
		}
		if high < r.most && r.plausible(high+1e-6) || low > -r.most && r.plausible(low-1e-6) {
			t.Fatalf("%+v: %g … %g ends too early", r, low, high)
		}
		if inside := high - 1e-6; high < r.most && inside > r.estimate() && !r.plausible(inside) {
			t.Fatalf("%+v: %g … %g ends too late", r, low, high)
		}
	})
}

func TestMeanOfNobody(t *testing.T) {
	q := everything(10, 30)
	q.Aggregates = []Aggregate{{Kind: Mean, Argument: 0, Lower: 10, Upper: 31, Step: Step{1, 2}}}
	q.Partitions.Keys = []string{"0"}
	s := mustSpec(t, q)
	for _, z := range []int64{0, -1 << 39, math.MinInt64} { // no noise, then ever more negative
		r, err := run(s, NewPartials(s.Shape(), nil), fixed(z))
		if err != nil {
			t.Fatal(err)
		}
		if c := r.Rows()[0].Cells[0]; c.Value != 10.25 || c.Low != 5 || c.High != 15.5 {
			t.Errorf("a mean of nobody is %+v", c)
		}
	}
}

// TestMeanWithoutNoise checks the formula: with noise of 0 the mean is the exact one.
func TestMeanWithoutNoise(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		lower := rapid.Int64Range(-1<<40, 1<<40).Draw(t, "lower")
		upper := lower + rapid.Int64Range(1, 1<<40).Draw(t, "width")
		values := rapid.SliceOfN(rapid.Int64Range(lower, upper), 1, 50).Draw(t, "values")
		sum := new(big.Int)
		for _, v := range values {
			sum.Add(sum, big.NewInt(v))
		}
		n := int64(len(values))
		a := Aggregate{Kind: Mean, Argument: 0, Lower: lower, Upper: upper, Step: Step{1, 100}}
		q := everything(0, 1)
		q.Aggregates, q.Partitions.Keys = []Aggregate{a}, []string{""}
		q.Loss.Epsilon = 40 * OneEpsilon
		s, err := NewSpec(q)
		if err != nil {
			t.Fatal(err)
		}
		r, err := run(s, NewPartials(s.Shape(), []Partial{{Rows: n, Units: n, Arguments: []Tally{{NonNull: n, Sum: sum}}}}), fixed(0))
		if err != nil {
			t.Fatal(err)
		}
		exact, _ := new(big.Rat).SetFrac(sum, big.NewInt(n*100)).Float64()
		width := float64(upper-lower) / 100
		if c := r.Rows()[0].Cells[0]; math.Abs(c.Value-exact) > 1e-9*width+1e-14*math.Abs(exact) || c.Low > c.Value || c.High < c.Value {
			t.Fatalf("mean %g, exact %g, %+v", c.Value, exact, c)
		}
	})
}

func gaussian(rho Rho) Loss { return Loss{Rho: rho, Mechanism: Gaussian} }

// TestMeanCoverage draws means over groups of 1 to 10,000 rows, in the middle of the bounds and at one,
// for noise of either kind from a twentieth of a row to a hundred rows: at least 95 % of intervals cover the exact mean.
// 144 checks at false-reject 6e-8 each. The sampler is seeded and as fine as the library's, whose own law
// TestLaplaceDistribution checks.
func TestMeanCoverage(t *testing.T) {
	draws := 1000
	if soak() {
		draws = 10_000
	}
	src := seeded(rand.New(rand.NewPCG(1, 2)))
	least := binomial.LeastCount(draws, Confidence, 6e-8)
	for _, loss := range []Loss{
		{Epsilon: OneEpsilon / 50}, {Epsilon: OneEpsilon / 2}, {Epsilon: 4 * OneEpsilon}, {Epsilon: 40 * OneEpsilon},
		gaussian(OneRho / 5000), gaussian(OneRho / 100), gaussian(OneRho / 10), gaussian(OneRho),
	} {
		q := everything(0, 1)
		q.Aggregates = []Aggregate{bounded(Mean, 0, 0, 1000)}
		q.Partitions.Keys = []string{"0"}
		q.Loss = loss
		s := mustSpec(t, q)
		for _, n := range []int64{1, 3, 10, 100, 1000, 10_000} {
			for _, mean := range []int64{0, 500, 900} {
				covered := 0
				for range draws {
					p := Partial{Key: "0", Rows: n, Units: n, Arguments: []Tally{{NonNull: n, Sum: big.NewInt(n * mean)}}}
					r, err := run(s, NewPartials(s.Shape(), []Partial{p}), src)
					if err != nil {
						t.Fatal(err)
					}
					if c := r.rows[0].Cells[0]; c.Low <= float64(mean) && float64(mean) <= c.High {
						covered++
					}
				}
				if covered < least {
					t.Errorf("%+v, %d rows of mean %d: %d of %d intervals cover, at least %d", loss, n, mean, covered, draws, least)
				}
			}
		}
	}
}
