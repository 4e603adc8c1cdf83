package privacy

import (
	"math"
	"math/big"
	"math/rand/v2"
	"testing"

	"entrepot/privacy/internal/binomial"
	"pgregory.net/rapid"
)

// varianceOf is the variance of values by its definition, in exact fractions.
func varianceOf(values []int64, sample bool) float64 {
	n := int64(len(values))
	sum, squares := new(big.Int), new(big.Int)
	for _, x := range values {
		sum.Add(sum, big.NewInt(x))
		squares.Add(squares, new(big.Int).Mul(big.NewInt(x), big.NewInt(x)))
	}
	// (n·Σx² − (Σx)²)/(n·n), or n·(n − 1) for a sample
	numerator := new(big.Int).Mul(squares, big.NewInt(n))
	numerator.Sub(numerator, new(big.Int).Mul(sum, sum))
	denominator := big.NewInt(n * n)
	if sample {
		denominator = big.NewInt(n * (n - 1))
	}
	f, _ := new(big.Rat).SetFrac(numerator, denominator).Float64()
	return f
}

// momentsOf are the exact draws of a variance.
func momentsOf(values []int64, lower, upper int64) (s, t, n int64) {
	for _, x := range values {
		u, b := 2*x-lower-upper, upper-lower
		s, t, n = s+u, t+2*u*u-b*b, n+1
	}
	return s, t, n
}

func varianceFor(lower, upper int64, sample, root bool) Aggregate {
	return Aggregate{Kind: Variance, Lower: lower, Upper: upper, Step: Step{1, 1}, Sample: sample, Root: root}
}

func TestVarianceWithoutNoise(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		lower := rapid.Int64Range(-5000, 5000).Draw(t, "lower")
		upper := lower + rapid.Int64Range(1, 10_000).Draw(t, "width")
		values := rapid.SliceOfN(rapid.Int64Range(lower, upper), 2, 50).Draw(t, "values")
		a := varianceFor(lower, upper, rapid.Bool().Draw(t, "sample"), rapid.Bool().Draw(t, "root"))
		a.Step = Step{Num: 3, Den: 7}
		s, q, n := momentsOf(values, lower, upper)
		quiet := noise{kind: Laplace, scale: 1e-9, grain: 1, bits: 1}
		cell := varianceCell(noisy{steps: s}, noisy{steps: q}, noisy{steps: n}, quiet, quiet, quiet, a)
		want := varianceOf(values, a.Sample) * 9 / 49
		tolerance := 1e-6 * (1 + want + 9./49*float64(upper-lower)*float64(upper-lower))
		if a.Root {
			want = math.Sqrt(want)
			tolerance = math.Sqrt(tolerance)
		}
		if math.Abs(cell.Value-want) > tolerance || cell.Low > want+tolerance || cell.High < want-tolerance || cell.High-cell.Low > 2*tolerance {
			t.Fatalf("%v: %+v, want %g", values, cell, want)
		}
	})
}

// TestVarianceSet scans means and variances: none that the tests do not reject, with the law of their own noise,
// lies outside the interval, and the ends are no further out than the largest law makes them.
func TestVarianceSet(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		most := rapid.Float64Range(1, 100).Draw(t, "B")
		m := moments{most: most, n: rapid.Float64Range(1, 300).Draw(t, "n")}
		m.s = m.n * most * rapid.Float64Range(-1.3, 1.3).Draw(t, "mean")
		m.t = m.n * most * most * rapid.Float64Range(-1.3, 1.3).Draw(t, "second moment")
		of := rapid.SampledFrom([]func(float64) noise{laplaceOf, gaussianOf}).Draw(t, "mechanism")
		scale := rapid.Float64Range(0.01, 5).Draw(t, "scale")
		noiseS, noiseT, noiseN := of(scale*most), of(scale*most*most), of(scale)
		set := newVarianceSet(m, noiseS, noiseT, noiseN, 1)
		low, high := set.ends()
		if !(low >= 0 && low <= m.variance() && m.variance() <= high && high <= most*most) {
			t.Fatalf("%+v: %g … %g … %g", m, low, m.variance(), high)
		}
		const points = 40
		for i := range points + 1 {
			mean := set.meanLow + (set.meanHigh-set.meanLow)*float64(i)/points
			for j := range points + 1 {
				variance := most * most * float64(j) / points
				residual := m.t/2 - 2*mean*m.s + m.n*(most*most/2+mean*mean-variance)
				var law combination
				law.add(noiseT, 0.5, 1)
				law.add(noiseS, -2*mean, 1)
				law.add(noiseN, most*most/2+mean*mean-variance, 1)
				if law.exceeds(math.Abs(residual), 0.02) && (variance < low-1e-9*most*most || variance > high+1e-9*most*most) {
					t.Fatalf("%+v: mean %g, variance %g is outside %g … %g", m, mean, variance, low, high)
				}
			}
		}
	})
}

// TestVarianceOfNobody: noisy counts that no rows can have give the middle and all there can be.
func TestVarianceOfNobody(t *testing.T) {
	for _, c := range []struct {
		n            noisy
		sample, root bool
		want         Cell
	}{
		{noisy{steps: 0}, false, false, Cell{Value: 12.5, Low: 0, High: 25}},
		{noisy{steps: -40, fraction: 0.3}, false, true, Cell{Value: math.Sqrt(12.5), Low: 0, High: 5}},
		{noisy{steps: 1, fraction: 0.4}, true, false, Cell{Value: 12.5, Low: 0, High: 50}},
		{noisy{steps: 1, fraction: -0.1}, false, false, Cell{Value: 12.5, Low: 0, High: 25}},
	} {
		l := laplaceOf(3)
		if got := varianceCell(noisy{steps: 7}, noisy{steps: -90}, c.n, l, l, l, varianceFor(-5, 5, c.sample, c.root)); math.Abs(got.Value-c.want.Value) > 1e-12 || got.Low != c.want.Low || math.Abs(got.High-c.want.High) > 1e-12 {
			t.Errorf("N̂ = %g, sample %t, root %t: %+v, want %+v", c.n.float(), c.sample, c.root, got, c.want)
		}
	}
}

// TestVariancesAreFinite draws the three integers from anywhere.
func TestVariancesAreFinite(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		integer := func(name string) noisy {
			bits := rapid.IntRange(0, 62).Draw(t, "bits of "+name)
			return noisy{steps: rapid.Int64Range(-1<<bits, 1<<bits).Draw(t, name), fraction: rapid.Float64Range(-0.5, 0.499).Draw(t, "fraction")}
		}
		n := noise{kind: rapid.SampledFrom([]Mechanism{Laplace, Gaussian}).Draw(t, "mechanism"), grain: 1 << rapid.IntRange(0, 15).Draw(t, "grain")}
		n.scale = math.Exp2(rapid.Float64Range(-5, 55).Draw(t, "log2 scale"))
		lower := rapid.Int64Range(-1<<26, 1<<26).Draw(t, "lower")
		a := varianceFor(lower, lower+rapid.Int64Range(1, 94_906_265).Draw(t, "width"), rapid.Bool().Draw(t, "sample"), rapid.Bool().Draw(t, "root"))
		cell := varianceCell(integer("S"), integer("T"), integer("N"), n, n, n, a)
		b := float64(a.Upper - a.Lower)
		most := b * b / 4
		if a.Sample {
			most *= 2
		}
		if a.Root {
			most = math.Sqrt(most)
		}
		if !(0 <= cell.Low && cell.Low <= cell.Value && cell.Value <= cell.High && cell.High <= most*(1+1e-12)) {
			t.Fatalf("%+v, at most %g", cell, most)
		}
	})
}

// TestVarianceCoverage simulates noise of both kinds at every size of group: intervals cover in 95 % or more
// (32 checks of false-reject 1e-6 each). The share that misses is logged.
func TestVarianceCoverage(t *testing.T) {
	trials := 2_000
	if soak() {
		trials = 100_000
	}
	r := rand.New(rand.NewPCG(3, 1))
	missed, all := 0, 0
	for _, rows := range []int{2, 15, 200, 5000} {
		for _, value := range []func() int64{
			func() int64 { return r.Int64N(1001) },
			func() int64 { return 1000 * r.Int64N(2) },
			func() int64 { return 30 + r.Int64N(5) },
			func() int64 { return int64(min(1000, 100*r.ExpFloat64())) },
		} {
			values := make([]int64, rows)
			for i := range values {
				values[i] = value()
			}
			s, q, n := momentsOf(values, 0, 1000)
			population, sample := varianceOf(values, false), varianceOf(values, true)
			for _, of := range []func(float64) noise{laplaceOf, gaussianOf} {
				noiseS, noiseT, noiseN := of(3000), of(3_000_000), of(3)
				covered := 0
				for i := range trials {
					a := varianceFor(0, 1000, i%2 == 1, i%4 > 1)
					want := population
					if a.Sample {
						want = sample
					}
					if a.Root {
						want = math.Sqrt(want)
					}
					draw := func(of noise, exact int64) noisy { x, _ := simulated(of, r)(0, exact); return x }
					cell := varianceCell(draw(noiseS, s), draw(noiseT, q), draw(noiseN, n), noiseS, noiseT, noiseN, a)
					if slack := 1e-9 * (1 + want); cell.Low <= want+slack && want <= cell.High+slack {
						covered++
					}
				}
				missed, all = missed+trials-covered, all+trials
				if least := binomial.LeastCount(trials, Confidence, 1e-6); covered < least {
					t.Errorf("%d rows, %s: %d of %d intervals cover, expected %d", rows, noiseS.kind, covered, trials, least)
				}
			}
		}
	}
	t.Logf("%.4f of all intervals miss", float64(missed)/float64(all))
}

// BenchmarkVariance is the cost of one cell after noise.
func BenchmarkVariance(b *testing.B) {
	r := rand.New(rand.NewPCG(1, 2))
	a := varianceFor(0, 1000, false, false)
	noiseS, noiseT, noiseN := laplaceOf(3000), laplaceOf(3_000_000), laplaceOf(3)
	for b.Loop() {
		varianceCell(noisy{steps: r.Int64N(1000)}, noisy{steps: -r.Int64N(66_000_000)}, noisy{steps: 200}, noiseS, noiseT, noiseN, a)
	}
}
