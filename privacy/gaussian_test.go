package privacy

import (
	"errors"
	"math"
	"math/big"
	"testing"

	dpnoise "github.com/google/differential-privacy/go/v2/noise"
	"pgregory.net/rapid"
)

// TestGaussianCalibration holds ρ exactly, in rationals, and σ to what the library makes of its arguments.
func TestGaussianCalibration(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s := sensitivity{levels: rapid.Int64Range(1, 4).Draw(t, "levels")}
		s.cell = int64(math.Exp2(rapid.Float64Range(0, 40).Draw(t, "log2 L∞")))
		full, rest := rapid.Int64Range(1, 1000).Draw(t, "cells"), rapid.Int64Range(0, s.cell-1).Draw(t, "rest")
		s.l1, s.cells = s.levels*(full*s.cell+rest), s.levels*(full+1)
		share := Rho(math.Exp2(rapid.Float64Range(0, math.Log2(5e11)).Draw(t, "log2 ρ")))
		n, err := newGaussian(s, share)
		if err != nil {
			discard(t, err)
		}
		square := func(x int64) *big.Int { return new(big.Int).Mul(big.NewInt(x), big.NewInt(x)) }
		squares := square(s.cell)
		squares.Mul(squares, big.NewInt(full)).Add(squares, square(rest)).Mul(squares, big.NewInt(s.levels))
		sigma := new(big.Rat).SetFloat64(n.scale)
		rho := new(big.Rat).SetFrac(squares, big.NewInt(2))
		rho.Quo(rho, sigma.Mul(sigma, sigma))
		if rho.Cmp(new(big.Rat).SetFrac64(int64(share), 1e12)) > 0 {
			t.Fatalf("%+v at ρ = %s costs %s: %+v", s, share, rho.FloatString(20), n)
		}
		if f, _ := rho.Float64(); f < float64(share)/1e12*(1-1e-9) || math.Abs(f-s.gaussianRho(n)) > 1e-11*f {
			t.Fatalf("%+v at ρ = %s costs only %g, stated %g", s, share, f, s.gaussianRho(n))
		}
		points := math.Ldexp(n.scale, int(n.bits))
		if points != dpnoise.SigmaForGaussian(1, float64(n.sensitivity), n.epsilon, n.delta) {
			t.Fatalf("%+v: the library's σ is another", n)
		}
		// The library's lattice is the power of two at or above 2σ/2^57: exactly 1.
		if lattice := 2 * points / math.Exp2(57); lattice > 1 || lattice <= 0.5 || n.grain != 1 {
			t.Fatalf("%+v: a lattice of %g", n, lattice)
		}
	})
}

func TestGaussianRefuses(t *testing.T) {
	for name, c := range map[string]struct {
		s     sensitivity
		share Rho
	}{
		"more than a draw takes":  {sensitivity{1, 1, 1, 1}, OneRho/2 + OneRho/1000},
		"no ρ":                    {sensitivity{1, 1, 1, 1}, 0},
		"σ above 2^55":            {sensitivity{1 << 52, 1 << 52, 1, 1}, OneRho / 1_000_000},
		"too many cells":          {sensitivity{1, maxGaussianCells + 1, maxGaussianCells + 1, 1}, OneRho / 10},
		"a little more than 2^55": {sensitivity{1 << 53, 1 << 53, 1, 1}, OneRho / 33},
	} {
		if n, err := newGaussian(c.s, c.share); !errors.Is(err, ErrSpec) {
			t.Errorf("%s: %+v, %v", name, n, err)
		}
	}
	for _, c := range []struct {
		s     sensitivity
		share Rho
	}{{sensitivity{1, 1, 1, 1}, OneRho / 2}, {sensitivity{1 << 53, 1 << 53, 1, 1}, OneRho / 31}, {sensitivity{1, 1, 1, 1}, 1}} {
		if _, err := newGaussian(c.s, c.share); err != nil {
			t.Errorf("%+v at ρ = %s: %v", c.s, c.share, err)
		}
	}
}

// coarse is Gaussian noise of σ = points lattice points, few enough to enumerate, each 2^-bits steps,
// and its law: bounded as the library's is.
func coarse(points float64, bits uint) (noise, map[int64]float64) {
	n := noise{kind: Gaussian, scale: math.Ldexp(points, -int(bits)), bits: bits, grain: 1}
	reach, law, total := int64(gaussianReach*points), map[int64]float64{}, 0.0
	for z := -reach; z <= reach; z++ {
		law[z] = math.Exp(-float64(z*z) / (2 * points * points))
		total += law[z]
	}
	for z := range law {
		law[z] /= total
	}
	return n, law
}

// outcomes is the law of the noisy value of x after rounding to whole steps, without the noisy values,
// before rounding, that the neighbour, shift further along, cannot reach, and their probability.
func outcomes(t *testing.T, n noise, law map[int64]float64, x, shift int64) (out map[int64]float64, alone float64) {
	t.Helper()
	out = map[int64]float64{}
	for z, p := range law {
		got, err := n.add(x, site{}, fixed(z))
		if err != nil || got.float() != float64(x)+math.Ldexp(float64(z), -int(n.bits)) {
			t.Fatalf("%d + %d·2^-%d is %v, %v", x, z, n.bits, got, err)
		}
		if law[z-shift<<n.bits] == 0 {
			alone += p
			continue
		}
		out[got.steps] += p
	}
	return out, alone
}

// TestGaussianIsExactOnTheLattice enumerates every draw on small lattices, for all shifts up to σ. The part
// that one neighbour alone can reach is no more than δ₀; without it the two laws, after rounding, diverge
// by no more than is charged.
func TestGaussianIsExactOnTheLattice(t *testing.T) {
	for _, bits := range []uint{0, 1, 3} {
		for _, points := range []float64{8, 13.7, 40} {
			n, law := coarse(points, bits)
			for shift := int64(1); float64(shift) <= n.scale; shift++ {
				here, alone := outcomes(t, n, law, 10, shift)
				there, mirrored := outcomes(t, n, law, 10+shift, -shift)
				s := sensitivity{cell: shift, l1: shift, cells: 1, levels: 1}
				d := draw{sensitivity: s, noise: n}
				// On a lattice this coarse a tail is off by about z/σ for a z of 8.
				if most := s.gaussianLeak(n) * (1 + 10/points); alone > most || math.Abs(alone-mirrored) > 1e-6*alone {
					t.Errorf("σ = %g/2^%d, shift %d: %g and %g are out of reach, δ₀ is %g", points, bits, shift, alone, mirrored, most)
				}
				for _, order := range []float64{1.01, 2, 8, 23.256} {
					total := 0.0
					for steps, p := range here {
						total += math.Exp(order*math.Log(p) + (1-order)*math.Log(there[steps]))
					}
					got := math.Log(total/(1-alone)) / (order - 1)
					if most := d.divergence(order); got > most+1e-12 || bits == 0 && order < 3 && got < 0.99*most {
						t.Errorf("σ = %g/2^%d, shift %d, order %g: diverges by %.12g, charged %.12g", points, bits, shift, order, got, most)
					}
				}
			}
		}
	}
}

// TestGaussianHalfWidth sums the law on a lattice.
func TestGaussianHalfWidth(t *testing.T) {
	for _, points := range []float64{40, 100, 300} {
		n, law := coarse(points, 5)
		k := n.halfWidth()
		within := func(k int64) (p float64) {
			for z, q := range law {
				if got, _ := n.add(0, site{}, fixed(z)); got.steps >= -k && got.steps <= k {
					p += q
				}
			}
			return p
		}
		if inside := within(k); inside < Confidence-1e-3 || k > 0 && within(k-1) > Confidence+1e-3 {
			t.Errorf("σ = %g steps: ± %d holds %g, ± %d holds %g", n.scale, k, inside, k-1, within(k-1))
		}
		if got := math.Erf(n.within(0.7) / n.scale / math.Sqrt2); math.Abs(got-0.7) > 1e-12 {
			t.Errorf("± %g holds %g, not 0.7", n.within(0.7), got)
		}
	}
}
