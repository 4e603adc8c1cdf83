package privacy

import (
	"fmt"
	"math"
	"testing"

	"entrepot/privacy/internal/binomial"
	"pgregory.net/rapid"
)

// TestGaussianReach: the library's noise is bounded at σ·√(2·ln 2σ) (binomialProbability of its v2), of
// which gaussianReach must be a lower bound at the least σ in use.
func TestGaussianReach(t *testing.T) {
	if least := math.Sqrt(2 * math.Log(2*gaussianPoints)); least < gaussianReach || least > gaussianReach+0.01 {
		t.Errorf("the library's noise reaches %g σ", least)
	}
}

// TestGaussianDistribution draws from the library and compares with the normal law. Six checks at
// false-reject 1e-6 each.
func TestGaussianDistribution(t *testing.T) {
	const draws = 15_000
	n, err := newGaussian(sensitivity{cell: 3, l1: 3, cells: 1, levels: 1}, OneRho/32) // σ = 12
	if err != nil || math.Abs(n.scale-12) > 1e-9 {
		t.Fatalf("%+v, %v", n, err)
	}
	within, positive, zero := map[int64]int{}, 0, 0
	for range draws {
		got, err := n.add(0, site{}, library())
		if err != nil {
			t.Fatal(err)
		}
		for _, k := range []int64{2, 8, 17, 28} {
			if max(got.steps, -got.steps) <= k {
				within[k]++
			}
		}
		if got.float() > 0 {
			positive++
		}
		if got.fraction == 0 {
			zero++
		}
	}
	check := func(what string, hits int, p float64) {
		if lo, hi := binomial.CoverageBand(draws, p, 1e-6); hits < lo || hits > hi {
			t.Errorf("%s: %d of %d, expected %d … %d", what, hits, draws, lo, hi)
		}
	}
	for k, hits := range within {
		check(fmt.Sprintf("|noise| ≤ %d", k), hits, math.Erf((float64(k)+0.5)/12/math.Sqrt2))
	}
	check("noise > 0", positive, 0.5)
	if zero > 2 { // a whole number of steps has probability below 2^-50
		t.Errorf("%d of %d draws have no fraction: the lattice is not fine", zero, draws)
	}
}

// TestGaussianEpsilon integrates: the noise for which |privacy loss| exceeds ε has probability δ, and what is
// left, conditioned on the rest, diverges by no more than is charged.
func TestGaussianEpsilon(t *testing.T) {
	for _, rho := range []float64{1e-8, 1e-4, 0.01, 0.1, 0.5} {
		for _, delta := range []float64{1e-12, 1e-7, 1e-3, 0.3} {
			epsilon := gaussianEpsilon(rho, delta)
			shift := math.Sqrt(2 * rho) // at σ = 1
			density := func(z float64) float64 { return math.Exp(-z*z/2) / math.Sqrt(2*math.Pi) }
			// ln p(z)/p(z − shift) = ρ − z·shift, so that |loss| ≤ ε is where z is within:
			low, high := (rho-epsilon)/shift, (rho+epsilon)/shift
			outside := integrate(density, low-12, low) + integrate(density, high, high+12)
			if outside > delta*(1+1e-6) || outside < delta*(1-1e-6) {
				t.Errorf("ρ = %g, δ = %g: ε = %g leaves %g", rho, delta, epsilon, outside)
			}
			inside := integrate(density, low, high)
			if mirrored := integrate(func(z float64) float64 { return density(z - shift) }, low, high); math.Abs(inside-mirrored) > 1e-9 {
				t.Errorf("ρ = %g, δ = %g: one law keeps %g, the other %g", rho, delta, inside, mirrored)
			}
			for _, order := range []float64{1.5, 4, 23.256} {
				overlap := integrate(func(z float64) float64 { return density(z) * math.Exp((order-1)*(rho-z*shift)) }, low, high)
				got := math.Log(overlap/inside) / (order - 1)
				if most := order*rho - math.Log1p(-delta)/(order-1); got > most+1e-9 {
					t.Errorf("ρ = %g, δ = %g, order %g: diverges by %g, charged %g", rho, delta, order, got, most)
				}
			}
		}
	}
}

// TestGaussianEpsilonIsMonotone: a unit that moves less than the most has a loss that exceeds ε less often.
func TestGaussianEpsilonIsMonotone(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		rho := math.Exp2(rapid.Float64Range(-40, -1).Draw(t, "log2 ρ"))
		less := rho * rapid.Float64Range(1e-6, 1).Draw(t, "part")
		delta := math.Exp2(rapid.Float64Range(-59, -1.01).Draw(t, "log2 δ"))
		if a, b := gaussianEpsilon(less, delta), gaussianEpsilon(rho, delta); a > b || a <= less {
			t.Fatalf("δ = %g: ε = %g for ρ = %g, %g for ρ = %g", delta, a, less, b, rho)
		}
	})
}

// TestGaussianTailOfDifference integrates P(|X − c·Y| > t) over Y.
func TestGaussianTailOfDifference(t *testing.T) {
	for _, c := range []float64{0.01, 0.5, -1, 3} {
		for _, at := range []float64{0.1, 1, 4} {
			x, y := noise{kind: Gaussian, scale: 1.5}, noise{kind: Gaussian, scale: 0.7}
			f := func(v float64) float64 {
				tail := normalTail((at-c*v)/1.5) + normalTail((at+c*v)/1.5)
				return tail * math.Exp(-v*v/2/0.49) / 0.7 / math.Sqrt(2*math.Pi)
			}
			if got, want := tailOfDifference(at, x, y, c), integrate(f, -8, 8); math.Abs(got-want) > 1e-9 {
				t.Errorf("%g times the second, at %g: %.12g, integral %.12g", c, at, got, want)
			}
		}
	}
}
