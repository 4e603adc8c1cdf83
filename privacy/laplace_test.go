package privacy

import (
	"errors"
	"math"
	"math/big"
	"math/rand/v2"
	"testing"

	"entrepot/privacy/internal/binomial"
	dpnoise "github.com/google/differential-privacy/go/v2/noise"
	"pgregory.net/rapid"
)

// fixed is a source whose noisy zero is z.
func fixed(z int64) source {
	return source{
		Laplace:  func(site, int64, float64) (int64, error) { return z, nil },
		Gaussian: func(site, int64, float64, float64) (int64, error) { return z, nil },
	}
}

// seeded draws noise fast and repeatably, on the library's lattice.
func seeded(r *rand.Rand) source {
	return source{
		Laplace: func(_ site, l1 int64, epsilon float64) (int64, error) {
			grain := grainOf(l1, epsilon)
			rate := float64(grain) * epsilon / (float64(l1) + float64(grain))
			geometric := func() float64 { return math.Floor(math.Log1p(-r.Float64()) / -rate) }
			return int64(geometric()-geometric()) * grain, nil // the difference of two is two-sided
		},
		Gaussian: func(_ site, sensitivity int64, epsilon, delta float64) (int64, error) {
			return int64(math.Round(r.NormFloat64() * dpnoise.SigmaForGaussian(1, float64(sensitivity), epsilon, delta))), nil
		},
	}
}

// random is a calibration that newLaplace accepts, over its whole range.
func random(t *rapid.T) (sensitivity, Epsilon, noise) {
	l1 := int64(math.Exp2(rapid.Float64Range(0, 52.9).Draw(t, "log2 L1")))
	cells := min(l1, int64(math.Exp2(rapid.Float64Range(0, 40).Draw(t, "log2 L0"))))
	share := Epsilon(math.Exp2(rapid.Float64Range(math.Log2(float64(MinMechanismEpsilon))+0.001, math.Log2(float64(MaxMechanismEpsilon))).Draw(t, "log2 ε")))
	s := sensitivity{cell: (l1 + cells - 1) / cells, l1: l1, cells: cells, levels: 1}
	l, err := newLaplace(s, share)
	if err != nil {
		discard(t, err)
	}
	return s, share, l
}

// discard takes a drawn question out that the caps refuse: it is no case, and rapid fails a test that has too few
// of them. Any other error is a failure.
func discard(t *rapid.T, err error) {
	if !errors.Is(err, ErrSpec) {
		t.Fatal(err)
	}
	t.Skip(err)
}

// TestLaplaceNeverMoreThanEpsilon computes the loss exactly: the library's noise falls by e^(−λ) with
// each lattice point, λ = gε/(l1+g), and one unit moves the vector by so many lattice points at most.
func TestLaplaceNeverMoreThanEpsilon(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s, share, l := random(t)
		grain := big.NewRat(l.grain, 1)
		rate := new(big.Rat).SetFloat64(l.epsilon)
		rate.Mul(rate, grain).Quo(rate, new(big.Rat).Add(big.NewRat(l.sensitivity, 1), grain))

		points := new(big.Rat).SetInt(new(big.Int).Lsh(big.NewInt(s.l1), l.bits))
		if l.grain > 1 { // each partition may round away from its neighbour by nearly one grain
			points.Quo(points, grain).Add(points, big.NewRat(s.cells, 1))
		}
		loss := rate.Mul(rate, points)
		if loss.Cmp(new(big.Rat).SetFrac64(int64(share), 1e12)) > 0 {
			t.Fatalf("%+v at ε = %s costs %s: %+v", s, share, loss.FloatString(20), l)
		}
		if l.bits > 0 && l.grain != 1 || l.grain != grainOf(l.sensitivity, l.epsilon) || l.sensitivity <= 0 {
			t.Fatalf("lattice of %+v", l)
		}
		if tight := float64(s.l1) / l.epsilon; l.scale > tight*(1+1e-9)+float64(s.cells)*float64(l.grain)/l.epsilon*1.01 {
			t.Fatalf("scale %g for L1/ε = %g", l.scale, tight)
		}
	})
}

// TestRoundingShift checks the premise of the above on a coarse lattice: L0 partitions that move by L1
// in all move by less than L1/g + L0 lattice points after rounding.
func TestRoundingShift(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		grain := int64(1) << rapid.IntRange(1, 16).Draw(t, "log2 g")
		cells := rapid.IntRange(1, 8).Draw(t, "L0")
		var l1, points int64
		for range cells {
			x := rapid.Int64Range(-sumLimit, sumLimit-(1<<53)).Draw(t, "x")
			shift := rapid.Int64Range(0, 4*grain).Draw(t, "shift")
			rounded, moved := roundTo(x, grain), roundTo(x+shift, grain)
			if rounded%grain != 0 || rounded-x > grain/2 || x-rounded >= grain {
				t.Fatalf("%d rounds to %d on %d", x, rounded, grain)
			}
			l1 += shift
			points += (moved - rounded) / grain
		}
		if points*grain > l1+int64(cells)*grain {
			t.Fatalf("%d lattice points for L1 = %d, L0 = %d, g = %d", points, l1, cells, grain)
		}
	})
}

// TestFineRounding enumerates every draw on small lattices. The rounded answers of x and x + Δ must
// stay within e^(λΔ) of each other everywhere; rounding the noise half away from zero, as integers
// from the library itself are, gives 0 too little and fails this test.
func TestFineRounding(t *testing.T) {
	for _, bits := range []uint{1, 2, 5} {
		for _, rate := range []float64{1e-3, 0.1, 1} { // of a lattice point
			l := noise{kind: Laplace, sensitivity: 1 << bits, epsilon: 1, bits: bits, grain: 1, scale: math.Ldexp(1/rate, -int(bits))}
			at := func(x int64) map[int64]float64 {
				mass := map[int64]float64{}
				for z := int64(-4000); z <= 4000; z++ {
					n, err := l.add(x, site{}, fixed(z))
					if err != nil {
						t.Fatal(err)
					}
					if got := n.float(); got != float64(x)+math.Ldexp(float64(z), -int(bits)) || math.Abs(n.fraction) > 0.5 {
						t.Fatalf("%d + %d·2^-%d is %g", x, z, bits, got)
					}
					mass[n.steps] += math.Exp(-rate * math.Abs(float64(z)))
				}
				return mass
			}
			here := at(10)
			for shift := int64(1); shift <= 3; shift++ {
				most := math.Exp(rate*float64(shift<<bits)) * (1 + 1e-9)
				for steps, p := range at(10 + shift) {
					if q := here[steps]; steps > 0 && steps < 20 && (p > q*most || q > p*most) {
						t.Errorf("lattice 2^-%d, shift %d: %d has %g against %g", bits, shift, steps, p, q)
					}
				}
			}
			for k, total := int64(0), mass(here); k < 5; k++ {
				outside := 0.0
				for steps, p := range here {
					if steps > 10+k || steps < 10-k {
						outside += p / total
					}
				}
				if want := math.Exp(-(float64(k) + 0.5) / l.scale); math.Abs(outside-want) > 0.02*want+1e-3 {
					t.Errorf("P(|Z| > %d) = %g, the interval assumes %g", k, outside, want)
				}
			}
		}
	}
}

func mass(m map[int64]float64) (total float64) {
	for _, p := range m {
		total += p
	}
	return total
}

// TestLaplaceLattice draws at scales from far below 1 to the cap: the library's noise must lie on the
// lattice that laplace.go computed, and answers must stay within the range of integers.
func TestLaplaceLattice(t *testing.T) {
	for _, c := range []struct {
		s     sensitivity
		share Epsilon
		grain int64
	}{
		{sensitivity{1, 1, 1, 1}, 20 * OneEpsilon, 1},
		{sensitivity{1, 1, 1, 1}, OneEpsilon, 1},
		{sensitivity{1, 1, 1, 1}, MinMechanismEpsilon, 1},
		{sensitivity{1 << 40, 1 << 40, 1, 1}, OneEpsilon, 1},
		{sensitivity{1<<40 + 1, 1<<40 + 1, 1, 1}, OneEpsilon, 2},
		{sensitivity{1 << 40, 1 << 40, 4, 1}, OneEpsilon, 1},
		{sensitivity{1 << 45, 1 << 45, 1 << 10, 1}, OneEpsilon, 64}, // widened past 2^45
		{sensitivity{1 << 52, 1 << 52, 1, 1}, OneEpsilon / 8, 1 << 15},
	} {
		l, err := newLaplace(c.s, c.share)
		if err != nil || l.grain != c.grain {
			t.Errorf("%+v at %s: lattice %d, want %d, %v", c.s, c.share, l.grain, c.grain, err)
			continue
		}
		for range 50 {
			for _, x := range []int64{0, 1, -1, sumLimit, -sumLimit} {
				n, err := l.add(x, site{}, library())
				if err != nil || n.steps%l.grain != 0 || n.steps > noisyLimit || n.steps < -noisyLimit {
					t.Errorf("%+v: %d became %+v, %v", l, x, n, err)
				}
			}
		}
	}
}

func TestExtremeNoiseSaturates(t *testing.T) {
	for _, l := range []noise{{bits: 40, grain: 1}, {bits: 0, grain: 1}, {bits: 0, grain: 1 << 15}} {
		for _, z := range []int64{math.MaxInt64, math.MinInt64} {
			for _, x := range []int64{sumLimit, -sumLimit, 0} {
				n, err := l.add(x, site{}, fixed(z))
				if err != nil || n.steps > noisyLimit || n.steps < -noisyLimit || (z > 0) != (n.steps > x) {
					t.Errorf("%d with the largest noise %d is %d, %v", x, z, n.steps, err)
				}
			}
		}
	}
}

// TestLaplaceDistribution draws from the library and compares quantiles and signs with the law that
// prices and intervals assume. Six checks at false-reject 1e-6 each.
func TestLaplaceDistribution(t *testing.T) {
	const draws = 15_000
	l, err := newLaplace(sensitivity{cell: 3, l1: 3, cells: 1, levels: 1}, OneEpsilon/4) // b = 12
	if err != nil {
		t.Fatal(err)
	}
	within, positive, zero := map[int64]int{}, 0, 0
	for range draws {
		n, err := l.add(0, site{}, library())
		if err != nil {
			t.Fatal(err)
		}
		for _, k := range []int64{2, 8, 17, 35} {
			if max(n.steps, -n.steps) <= k {
				within[k]++
			}
		}
		if n.float() > 0 {
			positive++
		}
		if n.fraction == 0 {
			zero++
		}
	}
	check := func(what string, hits int, p float64) {
		if lo, hi := binomial.CoverageBand(draws, p, 1e-6); hits < lo || hits > hi {
			t.Errorf("%s: %d of %d, expected %d … %d", what, hits, draws, lo, hi)
		}
	}
	for k, hits := range within {
		check("|noise| ≤ k", hits, 1-math.Exp(-(float64(k)+0.5)/12))
	}
	check("noise > 0", positive, 0.5)
	if zero > 2 { // a whole number of steps has probability 2^-35
		t.Errorf("%d of %d draws have no fraction: the lattice is not fine", zero, draws)
	}
}
