package privacy

import (
	"math"
	"testing"

	"pgregory.net/rapid"
)

// integrate is Simpson's rule for f over a … b.
func integrate(f func(float64) float64, a, b float64) float64 {
	const n = 40_000
	h := (b - a) / n
	total := f(a) + f(b)
	for i := 1; i < n; i++ {
		total += f(a+float64(i)*h) * float64(2+2*(i%2))
	}
	return total * h / 3
}

// numericLaplace integrates p^α·q^(1−α) for Laplace densities a shift apart, piece by piece between kinks.
func numericLaplace(shift, order float64) float64 {
	scaled := func(x float64) float64 { // divided by e^((α−1)·shift), the largest factor
		return 0.5 * math.Exp(-order*math.Abs(x)-(1-order)*math.Abs(x-shift)-(order-1)*shift)
	}
	total := integrate(scaled, -60, 0) + integrate(scaled, 0, shift) + integrate(scaled, shift, shift+60)
	return (math.Log(total) + (order-1)*shift) / (order - 1)
}

func TestLaplaceDivergence(t *testing.T) {
	for _, order := range []float64{1.001, 1.5, 2, 8, 23.256, 60} {
		for _, shift := range []float64{0.05, 0.1, 0.5, 1, 2, 5, 20} {
			got, want := laplaceDivergence(shift, order), numericLaplace(shift, order)
			if math.Abs(got-want) > 1e-5*want+1e-9 {
				t.Errorf("order %g, shift %g: %.12g, integral %.12g", order, shift, got, want)
			}
		}
	}
}

// TestDiscreteLaplaceDivergence sums the divergence on a lattice exactly. It differs from the continuous
// one by about the square of the lattice step; at the library's 2^-39 that is nothing.
func TestDiscreteLaplaceDivergence(t *testing.T) {
	discrete := func(points int, rate, order float64) float64 {
		total, norm := 0.0, math.Tanh(rate/2)
		for z := -int(50 / rate); z <= points+int(50/rate); z++ {
			a, b := rate*math.Abs(float64(z)), rate*math.Abs(float64(z-points))
			total += norm * math.Exp(-order*a-(1-order)*b)
		}
		return math.Log(total) / (order - 1)
	}
	for _, order := range []float64{2, 23.256} {
		for _, points := range []int{100, 1000} {
			const rate = 1e-3
			got, want := laplaceDivergence(rate*float64(points), order), discrete(points, rate, order)
			if math.Abs(got-want) > 10*rate*rate*order {
				t.Errorf("order %g, shift %g: continuous %g, lattice of %g: %g", order, rate*float64(points), got, rate, want)
			}
		}
	}
}

func TestResponseDivergence(t *testing.T) {
	for _, order := range []float64{1.5, 2, 23.256} {
		for _, epsilon := range []float64{0.01, 0.1, 1, 1.2, 3} {
			p := 1 / (1 + math.Exp(-epsilon))
			q := 1 - p
			want := math.Log(math.Pow(p, order)*math.Pow(q, 1-order)+math.Pow(q, order)*math.Pow(p, 1-order)) / (order - 1)
			if got := responseDivergence(epsilon, order); math.Abs(got-want) > 1e-9*want+1e-13 {
				t.Errorf("order %g, ε %g: %.15g, want %.15g", order, epsilon, got, want)
			}
		}
	}
}

// TestDivergencesAreStable scans the whole range that a question can reach: finite, rising, continuous
// where the formula changes, never above ε or its square bound αε²/2, convex in the shift.
func TestDivergencesAreStable(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		order := Order(rapid.Int64Range(1001, int64(MaxOrder)).Draw(t, "order")).Float()
		epsilon := math.Exp2(rapid.Float64Range(-60, math.Log2(20)).Draw(t, "log2 ε"))
		for name, f := range map[string]func(x, order float64) float64{"laplace": laplaceDivergence, "response": responseDivergence} {
			d, more := f(epsilon, order), f(epsilon*(1+1e-9), order)
			if !(d > 0) || math.IsInf(d, 0) || d > epsilon*(1+1e-9) || d > order*epsilon*epsilon/2*(1+1e-9) {
				t.Fatalf("%s: D = %g at ε = %g, α = %g", name, d, epsilon, order)
			}
			if more < d*(1-1e-12) || more > d*(1+1e-8)*(1+1e-12) {
				t.Fatalf("%s: D jumps from %g to %g at ε = %g, α = %g", name, d, more, epsilon, order)
			}
		}
		if laplaceDivergence(epsilon, order) > responseDivergence(epsilon, order)*(1+1e-9) {
			t.Fatal("Laplace noise must cost no more than the worst ε-DP step")
		}
		other := epsilon * rapid.Float64Range(0, 1).Draw(t, "part")
		apart := laplaceDivergence(other, order) + laplaceDivergence(epsilon-other, order)
		if together := laplaceDivergence(epsilon, order); apart > together*(1+1e-9) {
			t.Fatalf("two shifts of %g and %g cost %g, together %g", other, epsilon-other, apart, together)
		}
	})
}

func TestRenyiCheckValues(t *testing.T) {
	half := OneDelta / 2_000_000
	if order := DefaultOrder(OneEpsilon, half); order != 23_256 {
		t.Errorf("order for (1, 1e-6): %s", order)
	}
	if d := RenyiCap(OneEpsilon, half, 23_256); math.Abs(float64(d)/1e12-0.53344) > 1e-5 {
		t.Errorf("d_max for (1, 1e-6) at 23.256: %s", d)
	}
	if rho := float64(RenyiCap(OneEpsilon, half, 23_256)) / 1e12 / 23.256; math.Abs(rho-0.022937) > 1e-6 {
		t.Errorf("(1, 1e-6) is ρ = %g", rho)
	}
	// PRIVACY check value: over 10 partitions at ε = 0.5 and order 23, about half of one partition's price.
	ratio := 10 * laplaceDivergence(0.05, 23) / laplaceDivergence(0.5, 23)
	if ratio < 0.2 || ratio > 0.6 {
		t.Errorf("ten partitions cost %g of one", ratio)
	}
}

func TestRenyiCapHolds(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		eps := Epsilon(math.Exp2(rapid.Float64Range(20, math.Log2(float64(MaxLifetimeEpsilon))).Draw(t, "log2 ε")))
		delta := Delta(math.Exp2(rapid.Float64Range(0, 59).Draw(t, "log2 δ")))
		order := Order(rapid.Int64Range(1001, int64(MaxOrder)).Draw(t, "order"))
		d := RenyiCap(eps, delta, order)
		if d == 0 {
			return
		}
		a := order.Float()
		logDelta := func(d float64) float64 { // δ that divergence d at order α implies for ε, in logarithms
			return (a-1)*(d-float64(eps)/1e12) + a*math.Log1p(-1/a) - math.Log(a-1)
		}
		want := math.Log(float64(delta) / 1e18)
		if got := logDelta(float64(d) / 1e12); got > want+1e-9*math.Abs(want) {
			t.Fatalf("(%s, %s) at %s: d = %s gives ln δ = %g > %g", eps, delta, order, d, got, want)
		}
		if got := logDelta(float64(d)/1e12 + 1e-9*(1+1/(a-1))*math.Max(1, float64(eps)/1e12)); got < want-1e-7*math.Abs(want) {
			t.Fatalf("(%s, %s) at %s: d = %s wastes δ", eps, delta, order, d)
		}
	})
	for _, bad := range []Renyi{
		RenyiCap(0, 1, 2000), RenyiCap(OneEpsilon, 0, 2000), RenyiCap(OneEpsilon, OneDelta, 2000),
		RenyiCap(OneEpsilon, 1, 1000), RenyiCap(OneEpsilon, 1, 0), RenyiCap(OneEpsilon, 1, MaxOrder+1), RenyiCap(-1, 1, 2000),
	} {
		if bad != 0 {
			t.Errorf("a cap of %s out of nothing", bad)
		}
	}
}

func TestDefaultOrderIsTheBest(t *testing.T) {
	for _, eps := range []Epsilon{OneEpsilon / 100, OneEpsilon / 10, OneEpsilon, 3 * OneEpsilon, 10 * OneEpsilon, 200 * OneEpsilon} {
		for _, delta := range []Delta{1, OneDelta / 1e12, OneDelta / 2_000_000, OneDelta / 200} {
			got := DefaultOrder(eps, delta)
			best, most := Order(0), math.Inf(-1)
			for o := Order(1001); o <= MaxOrder; o += max(1, o/1500) {
				d, _ := renyiCap(eps.FloorFloat(), delta.FloorFloat(), o.Float())
				if rho := d / o.Float(); rho > most {
					best, most = o, rho
				}
			}
			d, _ := renyiCap(eps.FloorFloat(), delta.FloorFloat(), got.Float())
			if rho := d / got.Float(); rho < most {
				t.Errorf("(%s, %s): order %s has ρ = %g, order %s has %g", eps, delta, got, rho, best, most)
			}
		}
	}
}
