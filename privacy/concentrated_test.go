package privacy

import (
	"math"
	"testing"

	"pgregory.net/rapid"
)

// TestConcentratedLosses: the divergence of Laplace noise is at most α·g of its shift, and that of
// randomised response at most α·ε·tanh(ε/2), at every order; and nothing less would do, as both are reached
// towards order 1. Section 3 of PROMISE.md has the proof.
func TestConcentratedLosses(t *testing.T) {
	g := func(x float64) float64 { return excess(-x) }
	for name, c := range map[string]struct{ divergence, rho func(x float64) float64 }{
		"laplace":  {func(x float64) float64 { return numericLaplace(x, 1.001) }, g},
		"response": {func(x float64) float64 { return responseDivergence(x, 1.0001) }, responseRho},
	} {
		for _, x := range []float64{0.1, 1, 3, 8} {
			if got, want := c.divergence(x), c.rho(x); math.Abs(got-want) > 2e-3*want*(1+x) {
				t.Errorf("%s at %g: near order 1 it diverges by %g, ρ is %g", name, x, got, want)
			}
		}
	}
	for _, x := range []float64{0.05, 0.7, 5, 20} {
		if got, want := g(x), x+math.Exp(-x)-1; math.Abs(got-want) > 1e-12 {
			t.Errorf("g(%g) = %g, want %g", x, got, want)
		}
	}
	rapid.Check(t, func(t *rapid.T) {
		order := Order(rapid.Int64Range(1001, int64(MaxOrder)).Draw(t, "order")).Float()
		x := math.Exp2(rapid.Float64Range(-40, math.Log2(20)).Draw(t, "log2 shift"))
		if d, most := laplaceDivergence(x, order), order*g(x); d > most*(1+1e-9) {
			t.Fatalf("laplace, shift %g, order %g: %g, α·g is %g", x, order, d, most)
		}
		if d, most := responseDivergence(x, order), order*responseRho(x); d > most*(1+1e-9) {
			t.Fatalf("response, ε = %g, order %g: %g, α·ρ is %g", x, order, d, most)
		}
	})
}

// TestConcentratedConcavity checks the step that the proof of section 3 rests on: ln(cosh(√v·x) +
// sinh(√v·x)/2√v) and ln cosh(√v·x) are concave in v.
func TestConcentratedConcavity(t *testing.T) {
	for _, x := range []float64{0.1, 1, 5, 20} {
		laplace := func(v float64) float64 {
			u := math.Sqrt(v)
			return math.Log(math.Cosh(u*x) + math.Sinh(u*x)/(2*u))
		}
		response := func(v float64) float64 { return math.Log(math.Cosh(math.Sqrt(v) * x)) }
		for v := 0.25; v < 100; v += 0.05 {
			for name, f := range map[string]func(float64) float64{"laplace": laplace, "response": response} {
				if bend := f(v+0.05) + f(v-0.05) - 2*f(v); bend > 1e-9 {
					t.Fatalf("%s at shift %g bends by %g at %g", name, x, bend, v)
				}
			}
		}
	}
}

// TestLaplaceUnderRho computes what a draw calibrated for ρ costs, on the lattice that it is drawn on: for the
// worst of random shifts within the sensitivity, at most ρ; and for the worst unit hardly less.
func TestLaplaceUnderRho(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s := sensitivity{cell: int64(math.Exp2(rapid.Float64Range(0, 50).Draw(t, "log2 L∞"))), levels: 1}
		s.cells = rapid.Int64Range(1, 6).Draw(t, "L0")
		s.l1 = rapid.Int64Range(s.cell, s.cell*s.cells).Draw(t, "L1")
		share := Rho(math.Exp2(rapid.Float64Range(10, math.Log2(15e12)).Draw(t, "log2 ρ")))
		n, err := laplaceForRho(s, share)
		if err != nil {
			discard(t, err)
		}
		// By so many lattice points, each a factor of e^rate, noise on x differs from that on its neighbour.
		rate := float64(n.grain) * n.epsilon / (float64(n.sensitivity) + float64(n.grain))
		points := func(shift int64) float64 {
			if n.grain > 1 {
				return float64(shift)/float64(n.grain) + 1
			}
			return math.Ldexp(float64(shift), int(n.bits))
		}
		total := func(shifts []int64) (rho float64) {
			for _, shift := range shifts {
				x := rate * points(shift)
				rho += excess(-x)
			}
			return rho
		}
		shifts, left := make([]int64, s.cells), s.l1
		for i := range shifts {
			shifts[i] = rapid.Int64Range(0, min(left, s.cell)).Draw(t, "shift")
			left -= shifts[i]
		}
		rho := share.FloorFloat()
		if cost := total(shifts); cost > rho {
			t.Fatalf("%+v at ρ = %s: shifts of %v cost %g: %+v", s, share, shifts, cost, n)
		}
		for i, left := 0, s.l1; i < len(shifts); i++ {
			shifts[i] = min(left, s.cell)
			left -= shifts[i]
		}
		if cost := total(shifts); cost > rho || n.epsilon > 1e-6 && cost < rho*(1-1e-4) {
			t.Fatalf("%+v at ρ = %s: the worst unit costs %g: %+v", s, share, cost, n)
		}
	})
}

// TestCoarseLatticesUnderRho: with a small ε in each of many cells, the grain that each may shift further is a
// part of its cost that shows.
func TestCoarseLatticesUnderRho(t *testing.T) {
	s := sensitivity{cell: 1 << 21, l1: 1 << 41, cells: 1 << 20, levels: 1}
	n, err := laplaceForRho(s, 1)
	if err != nil || n.grain < 1<<10 {
		t.Fatalf("%+v, %v", n, err)
	}
	rate := float64(n.grain) * n.epsilon / (float64(n.sensitivity) + float64(n.grain))
	x := rate * (float64(s.cell)/float64(n.grain) + 1)
	if cost := float64(s.cells) * excess(-x); cost > 1e-12 || cost < 0.9e-12 {
		t.Errorf("2^20 cells cost ρ = %g: %+v", cost, n)
	}
}
