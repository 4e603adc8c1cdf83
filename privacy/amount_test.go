package privacy

import (
	"encoding/json"
	"errors"
	"math"
	"math/big"
	"math/rand/v2"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

func TestParseAmounts(t *testing.T) {
	for _, c := range []struct {
		text string
		want Epsilon
	}{
		{"0", 0}, {"1", OneEpsilon}, {"0.5", OneEpsilon / 2}, {"1e-12", 1}, {"1E-3", OneEpsilon / 1000},
		{"1000", MaxLifetimeEpsilon}, {"1e+2", 100 * OneEpsilon}, {"007.50", 7_500_000_000_000}, {"0e99", 0},
	} {
		if got, err := ParseEpsilon(c.text); err != nil || got != c.want {
			t.Errorf("ParseEpsilon(%q) = %d, %v; want %d", c.text, got, err, c.want)
		}
	}
	for _, text := range []string{
		"", "-1", "+1", "NaN", "inf", "Infinity", "1e-13", "0.0000000000001", "1000.000000000001", "1e20", "1e400", "1e-400",
		"0x1p-2", "1_000", "1/2", " 1", "1 ", "1.", ".5", "1e", "1e+-2", "--1", "١", "1e5e5", strings.Repeat("1", 41), "1\x00", "1,5",
	} {
		if got, err := ParseEpsilon(text); !errors.Is(err, ErrAmount) || got != 0 {
			t.Errorf("ParseEpsilon(%q) = %d, %v; want ErrAmount", text, got, err)
		}
	}
	if r, err := ParseRho("0.005"); err != nil || r != OneRho/200 {
		t.Errorf("ρ = 0.005 is %d, %v", r, err)
	}
	if _, err := ParseRho("1000.1"); !errors.Is(err, ErrAmount) {
		t.Errorf("ρ above the largest: %v", err)
	}
	if d, err := ParseDelta("1e-18"); err != nil || d != 1 {
		t.Errorf("the smallest δ is %d, %v", d, err)
	}
	if _, err := ParseDelta("1.1"); !errors.Is(err, ErrAmount) {
		t.Errorf("δ above 1: %v", err)
	}
}

func TestAmountsAreExactText(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		loss := Clocks{
			Epsilon: Epsilon(rapid.Int64Min(0).Draw(t, "epsilon")),
			Renyi:   Divergences{Renyi(rapid.Int64Min(0).Draw(t, "renyi"))},
			Delta:   Delta(rapid.Int64Range(0, int64(OneDelta)).Draw(t, "delta")),
		}
		b, err := json.Marshal(loss)
		if err != nil {
			t.Fatal(err)
		}
		var back Clocks
		if err := json.Unmarshal(b, &back); err != nil || back != loss {
			t.Fatalf("%+v → %s → %+v, %v", loss, b, back, err)
		}
		rho := Rho(rapid.Int64Min(0).Draw(t, "rho"))
		var r Rho
		text, _ := rho.MarshalText()
		if err := r.UnmarshalText(text); err != nil || r != rho || string(text) != rho.String() {
			t.Fatalf("ρ %d → %s → %d, %v", rho, text, r, err)
		}
		order := Order(rapid.Int64Range(0, int64(MaxOrder)).Draw(t, "order"))
		var o Order
		if err := o.UnmarshalText([]byte(order.String())); err != nil || o != order {
			t.Fatalf("order %d → %s → %d, %v", order, order, o, err)
		}
	})
}

func TestSmallestAmountsRead(t *testing.T) {
	for want, text := range map[string]string{
		Epsilon(1).String(): "1e-12", Epsilon(15).String(): "1.5e-11", OneEpsilon.String(): "1",
		Delta(1).String(): "1e-18", (OneDelta / 1_000_000).String(): "1e-6", Renyi(math.MaxInt64).String(): "inf",
		Order(23_256).String(): "23.256", Epsilon(100_000_000).String(): "0.0001",
	} {
		if want != text {
			t.Errorf("got %s, want %s", want, text)
		}
	}
}

// picoRat is d·1e12 exactly.
func picoRat(d float64) *big.Rat {
	r := new(big.Rat).SetFloat64(d)
	return r.Mul(r, big.NewRat(1e12, 1))
}

func TestDirectedConversions(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		d := rapid.Float64Range(0, 9e6).Draw(t, "d")
		exact := picoRat(d)
		up, down := new(big.Rat).SetInt64(int64(CeilRenyi(d))), new(big.Rat).SetInt64(int64(FloorRenyi(d)))
		one := big.NewRat(1, 1)
		if up.Cmp(exact) < 0 || new(big.Rat).Sub(up, exact).Cmp(one) >= 0 {
			t.Fatalf("CeilRenyi(%g) = %s", d, up)
		}
		if down.Cmp(exact) > 0 || new(big.Rat).Sub(exact, down).Cmp(one) >= 0 {
			t.Fatalf("FloorRenyi(%g) = %s", d, down)
		}
	})
	for _, d := range []float64{1e-18, 2.9e-15, 1.0 / 3, 1e-300, 0} {
		exact := new(big.Rat).SetFloat64(d)
		exact.Mul(exact, big.NewRat(1e18, 1))
		got := new(big.Rat).SetInt64(int64(CeilDelta(d)))
		if got.Cmp(exact) < 0 || got.Sub(got, exact).Cmp(big.NewRat(1, 1)) >= 0 {
			t.Errorf("CeilDelta(%g) = %d", d, CeilDelta(d))
		}
	}
	if CeilEpsilon(0.1) != 100_000_000_001 || CeilEpsilon(math.Inf(1)) != math.MaxInt64 || CeilDelta(10) != math.MaxInt64 {
		t.Errorf("ε = 0.1 rounds up to %d", CeilEpsilon(0.1)) // the float64 nearest to 0.1 is above it
	}
	largestBelow := func(n int64) {
		for unit, f := range map[int64]float64{1e12: Epsilon(n).FloorFloat(), 1e18: Delta(n).FloorFloat()} {
			exact := new(big.Rat).SetFrac64(n, unit)
			if up := map[int64]float64{1e12: Epsilon(n).ceilFloat(), 1e18: Delta(n).ceilFloat()}[unit]; up != f && up != math.Nextafter(f, math.Inf(1)) ||
				new(big.Rat).SetFloat64(up).Cmp(exact) < 0 {
				t.Fatalf("%d of %d: ceilFloat is %g", n, unit, up)
			}
			if new(big.Rat).SetFloat64(f).Cmp(exact) > 0 || new(big.Rat).SetFloat64(math.Nextafter(f, math.Inf(1))).Cmp(exact) <= 0 {
				t.Fatalf("%d of %d: FloorFloat is %g", n, unit, f)
			}
		}
	}
	random := rand.New(rand.NewPCG(3, 4))
	for range 20_000 {
		largestBelow(random.Int64() >> random.IntN(63))
	}
	largestBelow(9_020_977_648_029_695) // beyond 2^53, where an integer is no longer a float
	for _, d := range []float64{math.NaN(), math.Inf(1), -1, math.Inf(-1), 1e300, 9.3e6} {
		if CeilRenyi(d) != math.MaxInt64 {
			t.Errorf("CeilRenyi(%g) = %d must be more than any account bears", d, CeilRenyi(d))
		}
	}
	if CeilRenyi(0) != 0 || CeilRenyi(5e-324) != 1 || FloorRenyi(5e-324) != 0 {
		t.Error("the smallest divergences round the wrong way")
	}
	if FloorRenyi(math.NaN()) != 0 || FloorRenyi(-1) != 0 || FloorRenyi(math.Inf(-1)) != 0 {
		t.Error("FloorRenyi of no cap must be 0")
	}
}

func FuzzParseEpsilon(f *testing.F) {
	for _, s := range []string{"0.5", "1e-12", "1e99", "NaN", "-0", "0x1", "1.e5", "00.1E+02"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		e, err := ParseEpsilon(s)
		if err != nil {
			if !errors.Is(err, ErrAmount) || e != 0 {
				t.Fatalf("%q: %d, %v", s, e, err)
			}
			return
		}
		if e < 0 || e > MaxLifetimeEpsilon {
			t.Fatalf("%q gave %d", s, e)
		}
		exact, ok := new(big.Rat).SetString(s)
		if !ok || exact.Cmp(new(big.Rat).SetFrac64(int64(e), 1e12)) != 0 {
			t.Fatalf("%q is not %s", s, e)
		}
		if again, err := ParseEpsilon(e.String()); err != nil || again != e {
			t.Fatalf("%s does not read back", e)
		}
	})
}
