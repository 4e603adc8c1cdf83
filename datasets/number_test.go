package datasets

import (
	"encoding/json"
	"math"
	"math/big"
	"strconv"
	"strings"
	"testing"

	"gopkg.in/yaml.v3"
	"pgregory.net/rapid"
)

func TestParseDecimal(t *testing.T) {
	tests := map[string]string{
		"0": "0", "-0": "0", "0.000": "0", "+5": "5", "1e3": "1000", "12.50": "12.5", "-1.5E-2": "-0.015", ".5": "0.5", "5.": "5",
		"1e30": "1" + strings.Repeat("0", 30), "1e-30": "0." + strings.Repeat("0", 29) + "1", "0e99": "0", "0.1": "0.1",
	}
	for in, want := range tests {
		if d, err := ParseDecimal(in); err != nil || d.String() != want || d != decimal(want) {
			t.Errorf("%q: %q, %v; want %q", in, d, err, want)
		}
	}
	for _, in := range []string{"", " ", "+", ".", "e5", "1e", "1e+", "--1", "1.2.3", "0x1", "1_0", "NaN", "inf", "1 ", "01", "-00", "1e31", "1e-31", "1,5", "٣"} {
		if d, err := ParseDecimal(in); err == nil {
			t.Errorf("%q is read as %q", in, d)
		}
	}
}

func TestDecimalEncodings(t *testing.T) {
	type holder struct {
		A Decimal `json:"a,omitzero" yaml:"a,omitempty"`
		B Decimal `json:"b,omitzero" yaml:"b,omitempty"`
	}
	for _, in := range []string{`{"a": 0.10, "b": "1e2"}`, `{"a": "0.1", "b": 100}`} {
		var h, y holder
		if err := json.Unmarshal([]byte(in), &h); err != nil || h != (holder{decimal("0.1"), decimal("100")}) {
			t.Errorf("%s: %+v, %v", in, h, err)
		}
		if err := yaml.Unmarshal([]byte(in), &y); err != nil || y != h {
			t.Errorf("%s as YAML: %+v, %v", in, y, err)
		}
		if b, _ := json.Marshal(h); string(b) != `{"a":"0.1","b":"100"}` {
			t.Errorf("%s", b)
		}
		b, _ := yaml.Marshal(h)
		if err := yaml.Unmarshal(b, &y); err != nil || y != h {
			t.Errorf("through YAML %s: %+v, %v", b, y, err)
		}
	}
	if b, _ := json.Marshal(holder{B: decimal("0")}); string(b) != `{"b":"0"}` {
		t.Errorf("absent and zero are not told apart: %s", b)
	}
	var h holder
	for _, in := range []string{`{"a": true}`, `{"a": "x"}`, `{"a": [1]}`} {
		if json.Unmarshal([]byte(in), &h) == nil || yaml.Unmarshal([]byte(in), &h) == nil {
			t.Errorf("%s is read", in)
		}
	}
	if err := json.Unmarshal([]byte(`{"a": null}`), &h); err != nil || !h.A.IsZero() {
		t.Errorf("null: %v, %v", h.A, err)
	}
}

// exactSteps is the definition: value / resolution, rounded half away from zero.
func exactSteps(v *big.Rat, num, den int64) *big.Int {
	x := new(big.Rat).Mul(v, big.NewRat(den, num))
	half := big.NewRat(1, 2)
	negative := x.Sign() < 0
	x.Abs(x).Add(x, half)
	q := new(big.Int).Quo(x.Num(), x.Denom())
	if negative {
		q.Neg(q)
	}
	return q
}

func TestStepsAreExact(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		text := rapid.StringMatching(`-?[0-9]{1,25}(\.[0-9]{1,25})?(e-?[0-9]{1,2})?`).Draw(t, "value")
		num, den := rapid.Int64Range(1, maxSteps-1).Draw(t, "num"), rapid.Int64Range(1, maxSteps-1).Draw(t, "den")
		if rapid.Bool().Draw(t, "round") {
			num, den = 1, int64(powers[rapid.IntRange(0, 15).Draw(t, "places")])
		}
		n, ok := parseNumber(text)
		if !ok {
			t.Fatalf("%q is not read", text)
		}
		v, _ := new(big.Rat).SetString(text)
		want := exactSteps(v, num, den)
		got, overflow := n.steps(num, den)
		switch {
		case want.CmpAbs(big.NewInt(math.MaxInt64)) > 0:
			if overflow != want.Sign() {
				t.Fatalf("%s / (%d/%d): overflow %d, want %d", text, num, den, overflow, want.Sign())
			}
		case overflow != 0 || got != want.Int64():
			t.Fatalf("%s / (%d/%d) = %d (overflow %d), want %d", text, num, den, got, overflow, want)
		}
		if n.integral() != v.IsInt() {
			t.Fatalf("%s: integral is %t", text, n.integral())
		}
	})
}

// A float64 stands for the shortest decimal that reads back as it; the quick path agrees with that.
func TestFloatStepsAreExact(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		den := int64(powers[rapid.IntRange(0, 6).Draw(t, "places")])
		f := rapid.Float64Range(-1e9, 1e9).Draw(t, "value")
		if rapid.Bool().Draw(t, "near a tie") {
			k := rapid.Int64Range(-1e6, 1e6).Draw(t, "k")
			f = (float64(k) + 0.5) / float64(den)
			for range rapid.IntRange(0, 3).Draw(t, "ulps") {
				f = math.Nextafter(f, math.Inf(1))
			}
		}
		v, _ := new(big.Rat).SetString(strconv.FormatFloat(f, 'g', -1, 64))
		want := exactSteps(v, 1, den)
		g := grid{low: -1 << 60, high: 1 << 60, num: 1, den: den, perUnit: float64(den)}
		c, how := g.steps(&value{kind: real, real: f})
		if how != asIs || c.n != want.Int64() {
			t.Fatalf("%v at resolution 1/%d: %d, want %d", f, den, c.n, want)
		}
	})
}

func TestExtremeNumbers(t *testing.T) {
	for text, want := range map[string]int{
		"1e400": 1, "-1e400": -1, "1e99999999999999999999": 1, "1e-400": 0, "0e400": 0, "1e-99999999999999999999": 0,
		"9223372036854775807": 0, "9223372036854775808": 1, "-9223372036854775808": -1,
		strings.Repeat("9", 1000): 1, "0." + strings.Repeat("0", 900) + "1": 0,
	} {
		n, ok := parseNumber(text)
		if !ok {
			t.Fatalf("%s is not read", shorten(text))
		}
		if _, overflow := n.steps(1, 1); overflow != want {
			t.Errorf("%s: overflow %d, want %d", shorten(text), overflow, want)
		}
	}
}
