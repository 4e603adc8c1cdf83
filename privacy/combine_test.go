package privacy

import (
	"math"
	"testing"

	"pgregory.net/rapid"
)

func laplaceOf(b float64) noise      { return noise{kind: Laplace, scale: b, grain: 1, bits: 1} }
func gaussianOf(sigma float64) noise { return noise{kind: Gaussian, scale: sigma, grain: 1, bits: 1} }

// equalTail is P(S > t) for the sum of n Laplace noises of scale 1, exactly. The sum is the difference of
// two gamma variables G − H of shape n; P(G > t+h) is e^(−t−h)·Σ (t+h)^i/i! over i < n, and
// E[H^j·e^(−H)] = (n+j−1)!/(n−1)!/2^(n+j).
func equalTail(n int, t float64) float64 {
	if t < 0 {
		return 1 - equalTail(n, -t)
	}
	factorial := func(k int) float64 { return math.Gamma(float64(k + 1)) }
	total := 0.0
	for i := range n {
		for j := range i + 1 {
			binomial := factorial(i) / factorial(j) / factorial(i-j)
			total += binomial * math.Pow(t, float64(i-j)) * factorial(n+j-1) / factorial(n-1) / math.Exp2(float64(n+j)) / factorial(i)
		}
	}
	return total * math.Exp(-t)
}

// TestCombinationTail compares the inversion with closed forms: it must lie above, by no more than tailError.
func TestCombinationTail(t *testing.T) {
	check := func(what string, c combination, at, want float64) {
		t.Helper()
		if got := c.tail(at); got < want || got > want+tailError+1e-9 {
			t.Errorf("%s at %g: %.9g, exactly %.9g", what, at, got, want)
		}
		if bound := c.chernoff(at); bound < want {
			t.Errorf("%s at %g: Chernoff's bound %g is below %g", what, at, bound, want)
		}
		if c.exceeds(at, want*(1-1e-9)) != true || c.exceeds(at, want+2*tailError) {
			t.Errorf("%s at %g: exceeds does not stand for %g", what, at, want)
		}
	}
	for _, n := range []int{1, 2, 3, 8, 16, 40} {
		var c combination
		c.add(laplaceOf(3), -1, n)
		for _, at := range []float64{0.01, 0.5, 1, 2.5, 4} {
			spread := math.Sqrt(2 * float64(n))
			check("equal scales", c, 3*at*spread, equalTail(n, at*spread))
		}
	}
	for _, ratio := range []float64{0.001, 0.05, 0.5, 0.999} {
		var c combination
		c.add(laplaceOf(2), 1, 1)
		c.add(laplaceOf(4), ratio/2, 1)
		for _, at := range []float64{0.1, 2, 6, 11} {
			check("two scales", c, at, laplaceDifference(at, 2, 2*ratio)/2)
		}
		c.add(laplaceOf(1), 2, 4) // five of scale 2, one less
		for _, at := range []float64{0.5, 12} {
			f := func(y float64) float64 { // density of the small one
				return math.Exp(-math.Abs(y)/(2*ratio)) / (4 * ratio) * equalTail(5, (at-y)/2)
			}
			want := integrate(f, -60*ratio, 0) + integrate(f, 0, 60*ratio)
			if got := c.tail(at); got < want-1e-8 || got > want+tailError+1e-8 {
				t.Errorf("five of scale 2 and one of %g at %g: %.9g, integral %.9g", 2*ratio, at, got, want)
			}
		}
	}
}

func TestNormalCombination(t *testing.T) {
	var c combination
	c.add(gaussianOf(3), 1, 4)
	c.add(gaussianOf(2), -0.5, 1)
	sigma := math.Sqrt(37)
	for _, p := range []float64{0.3, 0.05, 1e-4} {
		at := math.Sqrt2 * math.Erfinv(1-2*p) * sigma
		if !c.exceeds(at*(1-1e-9), p) || c.exceeds(at*(1+1e-9), p) {
			t.Errorf("P(X > %g) is %g", at, p)
		}
	}
	c.add(laplaceOf(1), 0.001, 1) // next to nothing, but not normal
	for _, at := range []float64{2, 7, 15} {
		want := gaussianTail(at, sigma) / 2
		if got := c.tail(at); got < want-1e-6 || got > want+2*tailError {
			t.Errorf("nearly normal at %g: %g, want %g", at, got, want)
		}
	}
}

func TestCoarseCombination(t *testing.T) {
	n := laplaceOf(100)
	n.grain, n.bits = 64, 0
	var c combination
	c.add(n, 0.5, 1)
	c.add(n, -1, 2)
	c.add(n, 0, 50)
	if c.rounding != 0.5*32+2*32 || len(c.scales) != 2 {
		t.Errorf("rounding moves by %g in %v", c.rounding, c.scales)
	}
	if !c.exceeds(c.rounding, 0.9999) {
		t.Error("rounding alone may reach that far")
	}
	var none combination
	if none.exceeds(1e-9, 1e-9) || !none.exceeds(0, 1) {
		t.Error("no noise exceeds nothing")
	}
}

// TestCombinationsAreStable draws combinations as walks make them, and far more extreme ones.
func TestCombinationsAreStable(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var c combination
		size := math.Exp2(rapid.Float64Range(-30, 55).Draw(t, "log2 b"))
		for range rapid.IntRange(1, 12).Draw(t, "terms") {
			c.add(laplaceOf(size), rapid.Float64Range(-1, 1).Draw(t, "coefficient"), rapid.IntRange(1, 16).Draw(t, "times"))
		}
		if len(c.scales) == 0 {
			return
		}
		at := c.spread() * rapid.Float64Range(1e-6, 12).Draw(t, "t")
		p, further := c.tail(at), c.tail(at*1.2)
		if !(p >= 0 && p <= 0.5+tailError) || further > p+tailError {
			t.Fatalf("P(X > %g) = %g, then %g in %+v", at, p, further, c)
		}
		if bound := c.chernoff(at); !(bound >= p-tailError && bound <= 1) {
			t.Fatalf("Chernoff's bound is %g, the tail %g", bound, p)
		}
		if r := c.reach(1e-5); !(r > 0) || math.IsInf(r, 0) || c.chernoff(r) < 1e-9 {
			t.Fatalf("reach %g in %+v", r, c)
		}
	})
}
