package privacy

import (
	"errors"
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"entrepot/privacy/internal/binomial"
	"pgregory.net/rapid"
)

// percentile is PERCENTILE_CONT of ascending values, by its definition.
func percentile(values []int64, rank float64) float64 {
	at := rank * float64(len(values)-1)
	below := int(math.Floor(at))
	above := min(below+1, len(values)-1)
	return float64(values[below]) + (at-float64(below))*float64(values[above]-values[below])
}

// simulated adds noise of the law that n stands for, fast and repeatably, on a lattice of 2^-30.
func simulated(n noise, r *rand.Rand) func(id, exact int64) (noisy, error) {
	return func(_, exact int64) (noisy, error) {
		z := r.NormFloat64() * n.scale
		if n.kind == Laplace {
			z = (r.ExpFloat64() - r.ExpFloat64()) * n.scale
		}
		if n.grain > 1 {
			grain := float64(n.grain)
			return noisy{steps: roundTo(exact, n.grain) + int64(math.Round(z/grain)*grain)}, nil
		}
		z = math.Round(z*(1<<30)) / (1 << 30)
		whole := math.Floor(z + 0.5)
		return noisy{steps: exact + int64(whole), fraction: z - whole}, nil
	}
}

func quantileOf(rank float64, t Tree) Aggregate {
	return Aggregate{Kind: Quantile, Lower: t.Lower, Upper: t.Upper, Step: Step{1, 1}, Rank: rank}
}

// column is a family of columns for tests and comparisons.
type column struct {
	name         string
	lower, upper int64
	value        func(r *rand.Rand) float64
}

func columns() []column {
	either := func(p float64, a, b func(r *rand.Rand) float64) func(r *rand.Rand) float64 {
		return func(r *rand.Rand) float64 {
			if r.Float64() < p {
				return a(r)
			}
			return b(r)
		}
	}
	uniform := func(low, high float64) func(r *rand.Rand) float64 {
		return func(r *rand.Rand) float64 { return low + r.Float64()*(high-low) }
	}
	normal := func(mean, deviation float64) func(r *rand.Rand) float64 {
		return func(r *rand.Rand) float64 { return mean + deviation*r.NormFloat64() }
	}
	return []column{
		{"uniform", 0, 9_999, uniform(0, 10_000)},
		{"uniform, wide leaves", 0, 1_000_000, uniform(0, 1_000_001)},
		{"normal", 0, 10_000, normal(5000, 500)},
		{"two peaks", 0, 10_000, either(0.5, normal(2000, 200), normal(8000, 200))},
		{"skewed: prices in cents", 0, 1_000_000, func(r *rand.Rand) float64 { return 2000 * math.Exp(1.2*r.NormFloat64()) }},
		{"skewed: exponential", 0, 100_000, func(r *rand.Rand) float64 { return 3000 * r.ExpFloat64() }},
		{"concentrated: 90 % at the bound", 0, 10_000, either(0.9, uniform(0, 0), uniform(0, 10_001))},
		{"concentrated: 80 % at one value", 0, 10_000, either(0.8, uniform(500, 500), uniform(0, 10_001))},
		{"coarse: five grades", 0, 4, func(r *rand.Rand) float64 { return 2 + 1.2*r.NormFloat64() }},
		{"coarse: scores of 100", 0, 100, normal(72, 15)},
		{"coarse: ages", 0, 120, uniform(18, 78)},
		{"coarse: thousands", 0, 100_000, func(r *rand.Rand) float64 { return 1000 * math.Floor(math.Abs(20*r.NormFloat64())) }},
	}
}

// draw makes so many values, clamped to the bounds and ascending.
func (c column) draw(rows int, r *rand.Rand) []int64 {
	values := make([]int64, rows)
	for i := range values {
		values[i] = min(max(int64(math.Floor(c.value(r))), c.lower), c.upper)
	}
	slices.Sort(values)
	return values
}

// TestQuantileWithoutNoise: the value is a row at the rank, in the leaf of the interpolated one or next to
// it, and the interval covers and is no wider than rows and leaves make it.
func TestQuantileWithoutNoise(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		upper := rapid.Int64Range(1, 300_000).Draw(t, "upper")
		values := rapid.SliceOfN(rapid.Int64Range(0, upper), 1, 60).Draw(t, "values")
		slices.Sort(values)
		tree, rank := NewTree(0, upper), rapid.Float64Range(0, 1).Draw(t, "rank")
		exact := func(_, exact int64) (noisy, error) { return noisy{steps: exact}, nil }
		n := noise{kind: rapid.SampledFrom([]Mechanism{Laplace, Gaussian}).Draw(t, "mechanism"), scale: 1e-7, grain: 1, bits: 1}
		cell, err := quantileCell(tree, newTreeCounts(tree, leavesOf(tree, values)), exact, n, quantileOf(rank, tree))
		if err != nil {
			t.Fatal(err)
		}
		at := rank * float64(len(values)-1)
		// Where the rank is that of a row exactly, the next one is not excluded; nor, beside the last, the bound.
		low, high := 0.0, float64(upper)
		if before := int(math.Floor(at - 1e-4)); before >= 0 {
			low = float64(tree.first(tree.Leaf(values[before])))
		}
		if after := int(math.Ceil(at + 1e-4)); after < len(values) {
			high = float64(tree.last(tree.Leaf(values[after])))
		}
		if want := percentile(values, rank); cell.Low > want || cell.High < want || cell.Low < low || cell.High > high {
			t.Fatalf("rank %g of %v is %g: interval %g … %g, expected within %g … %g", rank, values, want, cell.Low, cell.High, low, high)
		}
		if rank >= leastRank && rank <= 1-leastRank {
			// The estimate's rank counts from the first row's left to the last row's right: up to a row beside.
			low = float64(tree.first(tree.Leaf(values[max(0, int(math.Floor(at))-1)])))
			high = float64(tree.last(tree.Leaf(values[min(len(values)-1, int(math.Ceil(at))+1)])))
			if cell.Value < low || cell.Value > high {
				t.Fatalf("rank %g of %v: %g, expected within %g … %g", rank, values, cell.Value, low, high)
			}
		}
	})
}

// TestQuantileCoverage simulates noise of both kinds over all columns and ranks, on trees that all ranks share:
// intervals cover at 95 % or more in every one of the 504 cases, at false-reject 1e-5 for all of them together. They do
// not cover always, which intervals that are far too wide would.
func TestQuantileCoverage(t *testing.T) {
	trials := 100
	if soak() {
		trials = 2_000
	}
	r := rand.New(rand.NewPCG(7, 8))
	ranks := []float64{0, 0.01, 0.25, 0.5, 0.9, 0.999, 1}
	checks := float64(len(columns()) * 6 * len(ranks))
	missed := 0
	for _, c := range columns() {
		for _, rows := range []int{1, 40, 3000} {
			for _, n := range []noise{laplaceOf(12), gaussianOf(12)} {
				values, tree := c.draw(rows, r), NewTree(c.lower, c.upper)
				covered := make([]int, len(ranks))
				for range trials {
					counts, draw := newTreeCounts(tree, leavesOf(tree, values)), simulated(n, r)
					for i, rank := range ranks {
						cell, err := quantileCell(tree, counts, draw, n, quantileOf(rank, tree))
						if err != nil {
							t.Fatal(err)
						}
						if want := percentile(values, rank); cell.Low <= want && want <= cell.High {
							covered[i]++
						} else {
							missed++
						}
						if !(cell.Low <= cell.Value && cell.Value <= cell.High && cell.Low >= float64(c.lower) && cell.High <= float64(c.upper)) {
							t.Fatalf("%s: %+v", c.name, cell)
						}
					}
				}
				for i, rank := range ranks {
					if least := binomial.LeastCount(trials, Confidence, 1e-5/checks); covered[i] < least {
						t.Errorf("%s, %d rows, %s: rank %g is covered %d times of %d, expected %d", c.name, rows, n.kind, rank, covered[i], trials, least)
					}
				}
			}
		}
	}
	if share := float64(missed) / float64(trials) / checks; share < 0.002 {
		t.Errorf("only %g of all intervals miss", share)
	} else {
		t.Logf("%.4f of all intervals miss", share)
	}
}

// TestQuantilesRise: estimates from one tree rise with rank, whatever the noise.
func TestQuantilesRise(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 9))
	for _, c := range columns() {
		for _, rows := range []int{0, 20, 2000} {
			tree := NewTree(c.lower, c.upper)
			n := laplaceOf(20)
			w := walk{counts: newTreeCounts(tree, leavesOf(tree, c.draw(rows, r))), draw: simulated(n, r), noise: n}
			last := math.Inf(-1)
			for i := range 101 {
				value, err := w.estimate(float64(i) / 100)
				if err != nil || value < last || value < float64(c.lower) || value > float64(c.upper) {
					t.Fatalf("%s, %d rows: %g at %d %% after %g, %v", c.name, rows, value, i, last, err)
				}
				last = value
			}
		}
	}
}

// TestQuantilesAreFinite draws noise at the limits of what noisy integers carry, and every coarse lattice.
func TestQuantilesAreFinite(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		tree := wideTree(t)
		n := noise{kind: rapid.SampledFrom([]Mechanism{Laplace, Gaussian}).Draw(t, "mechanism"), grain: 1 << rapid.IntRange(0, 15).Draw(t, "grain")}
		n.scale = math.Exp2(rapid.Float64Range(-5, 55).Draw(t, "log2 scale"))
		seed := rapid.Uint64().Draw(t, "seed")
		r := rand.New(rand.NewPCG(seed, 1))
		draw := func(_, exact int64) (noisy, error) {
			switch r.IntN(4) {
			case 0:
				return noisy{steps: noisyLimit}, nil
			case 1:
				return noisy{steps: -noisyLimit}, nil
			case 2:
				return noisy{}, nil
			default:
				return noisy{steps: saturate(exact + int64(r.NormFloat64()*n.scale)), fraction: r.Float64() - 0.5}, nil
			}
		}
		a := quantileOf(rapid.Float64Range(0, 1).Draw(t, "rank"), tree)
		a.Step = Step{Num: rapid.Int64Range(1, 1000).Draw(t, "num"), Den: rapid.Int64Range(1, 1000).Draw(t, "den")}
		cell, err := quantileCell(tree, newTreeCounts(tree, []Leaf{{0, sumLimit}}), draw, n, a)
		if err != nil {
			t.Fatal(err)
		}
		least, most := a.Step.Float(float64(tree.Lower)), a.Step.Float(float64(tree.Upper))
		if !(least <= cell.Low && cell.Low <= cell.Value && cell.Value <= cell.High && cell.High <= most) {
			t.Fatalf("%+v within %g … %g", cell, least, most)
		}
	})
}

func TestFailingNodesReleaseNothing(t *testing.T) {
	broken := errors.New("out of randomness")
	tree := NewTree(0, 99)
	for after := range 30 {
		n := 0
		draw := func(_, exact int64) (noisy, error) {
			if n++; n > after && after < 29 {
				return noisy{}, broken
			}
			return noisy{steps: exact}, nil
		}
		cell, err := quantileCell(tree, newTreeCounts(tree, []Leaf{{50, 9}}), draw, laplaceOf(0.01), quantileOf(0.5, tree))
		if n > after && (!errors.Is(err, broken) || cell != (Cell{})) {
			t.Errorf("after %d draws: %+v, %v", after, cell, err)
		}
	}
}

// TestExtremesSayWhatTheyAre: the minimum of values far from the bounds lies in its interval, which reaches
// down to the bound and up to where noise can no longer hide rows.
func TestExtremesSayWhatTheyAre(t *testing.T) {
	r := rand.New(rand.NewPCG(5, 5))
	tree, n := NewTree(0, 9_999), laplaceOf(4)
	c := column{lower: 0, upper: 9_999, value: func(r *rand.Rand) float64 { return 4000 + 2000*r.Float64() }}
	values := c.draw(20_000, r)
	for _, rank := range []float64{0, 1} {
		cell, err := quantileCell(tree, newTreeCounts(tree, leavesOf(tree, values)), simulated(n, r), n, quantileOf(rank, tree))
		if err != nil {
			t.Fatal(err)
		}
		want, bound, end := float64(values[0]), cell.Low, cell.High
		if rank == 1 {
			want, bound, end = float64(values[len(values)-1]), cell.High, cell.Low
		}
		if bound != 9_999*rank || math.Abs(end-want) > 60 || cell.Low > want || cell.High < want || math.Abs(cell.Value-want) > 60 {
			t.Errorf("rank %g is %g: %+v", rank, want, cell)
		}
	}
}
