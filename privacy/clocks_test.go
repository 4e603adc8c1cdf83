package privacy

import (
	"encoding/json"
	"errors"
	"math"
	"math/big"
	"testing"

	"pgregory.net/rapid"
)

// drawClocks are amounts of any size, also the largest.
func drawClocks(t *rapid.T, name string) Clocks {
	amount := func() int64 {
		return rapid.OneOf(rapid.Int64Range(0, 9), rapid.Int64Range(0, math.MaxInt64), rapid.Just(int64(math.MaxInt64))).Draw(t, name)
	}
	c := Clocks{Epsilon: Epsilon(amount()), Delta: Delta(amount())}
	for k := range c.Renyi {
		c.Renyi[k] = Renyi(amount())
	}
	return c
}

// each are the amounts of a loss, one after the other.
func each(c Clocks) []int64 {
	list := []int64{int64(c.Epsilon), int64(c.Delta)}
	for _, d := range c.Renyi {
		list = append(list, int64(d))
	}
	return list
}

// TestClocksAddAndCompare holds every operation, clock by clock, against big integers.
func TestClocksAddAndCompare(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		a, b := drawClocks(t, "a"), drawClocks(t, "b")
		sum, left, larger := each(a.Plus(b)), each(a.Minus(b)), each(a.Max(b))
		within := true
		for i, x := range each(a) {
			y := each(b)[i]
			want := new(big.Int).Add(big.NewInt(x), big.NewInt(y))
			if limit := big.NewInt(math.MaxInt64); want.Cmp(limit) > 0 {
				want = limit
			}
			if sum[i] != want.Int64() {
				t.Fatalf("%d + %d = %d", x, y, sum[i])
			}
			rest := max(0, x-y)
			if x == Unlimited {
				rest = Unlimited
			}
			if left[i] != rest || larger[i] != max(x, y) {
				t.Fatalf("%d over %d leaves %d; the larger is %d", x, y, left[i], larger[i])
			}
			within = within && x <= y
		}
		if a.Within(b) != within || a.Negative() {
			t.Fatalf("%+v within %+v: %t", a, b, a.Within(b))
		}
	})
	for _, c := range []Clocks{{Epsilon: -1}, {Delta: math.MinInt64}, {Renyi: Divergences{0, 0, 0, -1}}} {
		if !c.Negative() {
			t.Errorf("%+v is not negative", c)
		}
	}
}

func TestClocksAsJSON(t *testing.T) {
	for text, c := range map[string]Clocks{
		`{"epsilon":"0","renyi":[],"delta":"0"}`:                  {},
		`{"epsilon":"1","renyi":["0","2"],"delta":"1e-6"}`:        {OneEpsilon, Divergences{0, 2 * OneRenyi}, OneDelta / 1_000_000},
		`{"epsilon":"inf","renyi":["inf"],"delta":"inf"}`:         {Unlimited, Divergences{Unlimited}, Unlimited},
		`{"epsilon":"0","renyi":["0","0","0","1"],"delta":"0"}`:   {Renyi: Divergences{0, 0, 0, OneRenyi}},
		`{"epsilon":"0","renyi":["9e-12"],"delta":"9.223372036"}`: {Renyi: Divergences{9}, Delta: 9_223_372_036_000_000_000},
	} {
		b, err := json.Marshal(c)
		if err != nil || string(b) != text {
			t.Errorf("%+v is written %s, want %s, %v", c, b, text, err)
		}
		back := Clocks{7, Divergences{7, 7, 7, 7}, 7} // what was there must go
		if err := json.Unmarshal([]byte(text), &back); err != nil || back != c {
			t.Errorf("%s reads %+v, %v", text, back, err)
		}
	}
	for _, bad := range []string{`["1","1","1","1","1"]`, `[1]`, `["-1"]`, `"1"`, `["1e-13"]`} {
		var d Divergences
		if err := json.Unmarshal([]byte(bad), &d); err == nil {
			t.Errorf("%s was read as %v", bad, d)
		}
	}
	var o Orders
	if err := json.Unmarshal([]byte(`["2","3","4","5","6"]`), &o); !errors.Is(err, ErrAmount) {
		t.Errorf("five orders: %v", err)
	}
	if err := json.Unmarshal([]byte(`["23.256","1000"]`), &o); err != nil || o != (Orders{23_256, MaxOrder}) || o.Count() != 2 || len(o.All()) != 2 {
		t.Errorf("two orders: %v, %v", o, err)
	}
}
