package ledger

import (
	"errors"
	"math"
	"math/big"
	"testing"

	"entrepot/privacy"
	"pgregory.net/rapid"
)

func TestDefaultSplit(t *testing.T) {
	a := open(t, KindRenyi, privacy.OneEpsilon, micro)
	want := Promise{Kind: KindRenyi, Epsilon: privacy.OneEpsilon, Delta: micro, Orders: a.Promise.Orders, Shares: Shares{micro * 45 / 100, micro * 5 / 100}}
	if a.Promise != want || a.Promise.Orders.Count() != 2 {
		t.Errorf("(1, 1e-6): %+v", a.Promise)
	}
	if first := a.Promise.Orders[0]; first != privacy.DefaultOrder(privacy.OneEpsilon, micro*45/100) || a.Promise.Orders[1] != 1000+(first-1000)*5/2 {
		t.Errorf("orders %v", a.Promise.Orders)
	}
	if a.Caps.Epsilon != privacy.OneEpsilon || a.Caps.Delta != micro/2 || a.Caps.Renyi[0] <= 0 || a.Caps.Renyi[1] <= a.Caps.Renyi[0] {
		t.Errorf("caps %+v", a.Caps)
	}
	if a.Revision != 1 || a.Promises != 1 || a.Terms.Allowance != 3 || a.Frozen() || a.Spent != (privacy.Clocks{}) || a.Room(now) != a.Caps {
		t.Errorf("a new account: %+v", a)
	}
	if p := open(t, KindPure, privacy.OneEpsilon, 0); p.Promise.Orders.Count() != 0 || p.Caps != (privacy.Clocks{Epsilon: privacy.OneEpsilon}) {
		t.Errorf("a pure account: %+v", p)
	}
	if least := open(t, KindRenyi, privacy.OneEpsilon, minDelta); least.Promise.Shares != (Shares{9, 1}) || least.Caps.Delta != 10 {
		t.Errorf("20 atto-δ: %+v", least)
	}
	// 2·ln(1/δ)/ε and so the best order is above the largest there is.
	tiny := open(t, KindRenyi, privacy.OneEpsilon/1000, micro)
	if tiny.Promise.Orders != (privacy.Orders{privacy.MaxOrder}) || tiny.Promise.Shares != (Shares{micro / 2}) {
		t.Errorf("ε = 0.001: %+v", tiny.Promise)
	}
}

// TestEveryLifetimeHasADefault opens and raises accounts of any size.
func TestEveryLifetimeHasADefault(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		eps := privacy.Epsilon(rapid.Int64Range(1, int64(privacy.MaxLifetimeEpsilon)).Draw(t, "ε"))
		eps = max(1, eps>>rapid.IntRange(0, 40).Draw(t, "smaller"))
		delta := privacy.Delta(rapid.Int64Range(int64(minDelta), int64(privacy.OneDelta)-1).Draw(t, "δ"))
		delta = max(minDelta, delta>>rapid.IntRange(0, 50).Draw(t, "δ smaller"))
		a, err := New("kr_edu/student", Promise{Kind: KindRenyi, Epsilon: eps, Delta: delta}, Terms{})
		if err != nil {
			t.Fatal(err)
		}
		checkSplit(t, a)
		larger := Promise{Kind: KindRenyi,
			Epsilon: privacy.Epsilon(rapid.Int64Range(int64(eps), int64(privacy.MaxLifetimeEpsilon)).Draw(t, "larger ε")),
			Delta:   privacy.Delta(rapid.Int64Range(int64(delta), int64(privacy.OneDelta)-1).Draw(t, "larger δ"))}
		b, err := a.Amend(larger, Terms{})
		if err != nil {
			t.Fatalf("%+v to %+v: %v", a.Promise, larger, err)
		}
		checkSplit(t, b)
		if !a.Caps.Within(b.Caps) {
			t.Fatalf("a larger lifetime lowers a cap: %+v, %+v", a.Caps, b.Caps)
		}
	})
}

// checkSplit holds an account's caps to its lifetime, in big integers.
func checkSplit(t *rapid.T, a Account) {
	total := big.NewInt(int64(a.Caps.Delta))
	for k, order := range a.Promise.Orders.All() {
		total.Add(total, big.NewInt(int64(a.Promise.Shares[k])))
		if a.Caps.Renyi[k] != privacy.RenyiCap(a.Promise.Epsilon, a.Promise.Shares[k], order) {
			t.Fatalf("%+v caps clock %d at %s", a.Promise, k, a.Caps.Renyi[k])
		}
	}
	if total.Cmp(big.NewInt(int64(a.Promise.Delta))) != 0 {
		t.Fatalf("%+v hands out %s of δ", a.Promise, total)
	}
}

func TestGivenSplits(t *testing.T) {
	p := func(orders privacy.Orders, shares Shares) Promise {
		return Promise{Kind: KindRenyi, Epsilon: privacy.OneEpsilon, Delta: micro, Orders: orders, Shares: shares}
	}
	for name, c := range map[string]struct {
		p  Promise
		ok bool
	}{
		"one":                     {oneOrder(), true},
		"all of δ for the order":  {p(privacy.Orders{23_256}, Shares{micro}), true},
		"four":                    {p(privacy.Orders{2000, 3000, 4000, privacy.MaxOrder}, Shares{1, 2, 3, 4}), true},
		"rule 19's two":           {p(privacy.Orders{24_400, 60_000}, Shares{micro / 4, micro / 4}), true},
		"an order of hardly 1":    {p(privacy.Orders{1001}, Shares{1}), true},
		"an order of 1":           {p(privacy.Orders{1000}, Shares{1}), false},
		"an order below 1":        {p(privacy.Orders{1}, Shares{1}), false},
		"a negative order":        {p(privacy.Orders{-23_256}, Shares{1}), false},
		"above the largest":       {p(privacy.Orders{privacy.MaxOrder + 1}, Shares{1}), false},
		"two that are one":        {p(privacy.Orders{2000, 2000}, Shares{1, 1}), false},
		"two that fall":           {p(privacy.Orders{3000, 2000}, Shares{1, 1}), false},
		"a gap":                   {p(privacy.Orders{2000, 0, 3000}, Shares{1, 0, 1}), false},
		"a gap at the start":      {p(privacy.Orders{0, 3000}, Shares{0, 1}), false},
		"no share":                {p(privacy.Orders{2000, 3000}, Shares{1}), false},
		"a negative share":        {p(privacy.Orders{2000, 3000}, Shares{2, -1}), false},
		"the most negative share": {p(privacy.Orders{2000, 3000}, Shares{2, math.MinInt64}), false},
		"a share of no order":     {p(privacy.Orders{2000}, Shares{1, 1}), false},
		"shares and no orders":    {p(privacy.Orders{}, Shares{1, 1}), false},
		"more than δ":             {p(privacy.Orders{2000}, Shares{micro + 1}), false},
		"more than δ together":    {p(privacy.Orders{2000, 3000}, Shares{micro, 1}), false},
		"shares that overflow":    {p(privacy.Orders{2000, 3000, 4000}, Shares{math.MaxInt64, math.MaxInt64, 2}), false},
	} {
		a, err := New("kr_edu/student", c.p, Terms{})
		if (err == nil) != c.ok || err != nil && !errors.Is(err, ErrAccount) {
			t.Errorf("%s: %v", name, err)
		}
		if c.ok && a.Promise != c.p {
			t.Errorf("%s: became %+v", name, a.Promise)
		}
	}
	all := openWith(t, p(privacy.Orders{23_256}, Shares{micro}), Terms{})
	if all.Caps.Delta != 0 {
		t.Errorf("nothing is left for approximate steps: %+v", all.Caps)
	}
}
