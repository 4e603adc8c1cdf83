package ledger

import (
	"errors"
	"math"
	"math/big"
	"testing"
	"time"

	"entrepot/privacy"
	"pgregory.net/rapid"
)

// question is COUNT(*) over public groups, one row per unit.
func question(t testing.TB, loss privacy.Loss) privacy.Spec {
	t.Helper()
	s, err := privacy.NewSpec(privacy.Question{
		Aggregates:   []privacy.Aggregate{{Kind: privacy.Count, Argument: privacy.NoArgument}},
		Contribution: privacy.Contribution{MaxPartitions: 1, MaxRowsPerPartition: 1, MaxRows: 1},
		Partitions:   privacy.Partitions{Keys: []string{"a", "b"}},
		Loss:         loss,
	})
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// priced is what a question costs an account.
func priced(t testing.TB, a Account, loss privacy.Loss) Charge {
	t.Helper()
	return Charge{Account: a.ID, Loss: question(t, loss).Price(a.Promise.Orders)}
}

// admitted charges until the account refuses.
func admitted(t testing.TB, a Account, c Charge) int {
	t.Helper()
	for n := 0; ; n++ {
		next, err := a.Admit(c, now)
		if err != nil {
			if !errors.Is(err, ErrExhausted) {
				t.Fatal(err)
			}
			return n
		}
		a = next
	}
}

// TestInfiniteEpsilon charges Gaussian noise, which costs Σε all it has: an account that has Rényi clocks
// lives by those from then on, and one that has none refuses.
func TestInfiniteEpsilon(t *testing.T) {
	gaussian := privacy.Loss{Rho: privacy.OneRho / 1000, Mechanism: privacy.Gaussian}
	a := openWith(t, oneOrder(), Terms{})
	// d_max = 0.53343 over αρ = 0.023256: 22 fit.
	if got := admitted(t, a, priced(t, a, gaussian)); got != 22 {
		t.Errorf("%d admitted", got)
	}
	a, err := a.Admit(priced(t, a, gaussian), now)
	if err != nil || a.Spent.Epsilon != math.MaxInt64 || a.Room(now).Epsilon != 0 {
		t.Fatalf("%+v, %v", a, err)
	}
	if _, err := a.Admit(priced(t, a, privacy.Loss{Epsilon: privacy.OneEpsilon}), now); !errors.Is(err, ErrExhausted) {
		t.Errorf("ε = 1 on the Rényi clock alone: %v", err)
	}
	if a, err = a.Admit(priced(t, a, privacy.Loss{Epsilon: privacy.OneEpsilon / 100}), now); err != nil || a.Spent.Epsilon != math.MaxInt64 {
		t.Errorf("%+v, %v", a, err)
	}
	if raised, err := a.Amend(Promise{Kind: KindRenyi, Epsilon: privacy.MaxLifetimeEpsilon, Delta: micro}, Terms{}); err != nil || raised.Holding(now).Epsilon {
		t.Errorf("Σε held again after a larger lifetime: %v", err)
	}
	pure := open(t, KindPure, privacy.OneEpsilon, 0)
	if _, err := pure.Admit(priced(t, pure, gaussian), now); !errors.Is(err, ErrExhausted) {
		t.Errorf("a pure account: %v", err)
	}
}

// TestCheckValues are the figures of PRIVACY rule 19 for an account (1, 1e-6), and those of the default.
func TestCheckValues(t *testing.T) {
	const hundredth, tenth = privacy.OneEpsilon / 100, privacy.OneEpsilon / 10
	one := openWith(t, oneOrder(), Terms{})
	if math.Abs(float64(one.Caps.Renyi[0])/1e12-0.53344) > 1e-5 {
		t.Errorf("d_max at 23.256: %s", one.Caps.Renyi[0])
	}
	alone := one
	alone.Caps.Epsilon = 0 // the Rényi clock by itself
	two := oneOrder()
	two.Orders, two.Shares = privacy.Orders{24_400, 60_000}, Shares{micro / 4, micro / 4}
	halves, standard := openWith(t, two, Terms{}), open(t, KindRenyi, privacy.OneEpsilon, micro)
	pure := open(t, KindPure, privacy.OneEpsilon, 0)
	for _, c := range []struct {
		name string
		a    Account
		eps  privacy.Epsilon
		want int
	}{
		{"basic, 0.01", pure, hundredth, 100},
		{"basic, 0.1", pure, tenth, 10},
		{"renyi, 0.01", alone, hundredth, 464},
		{"renyi, 0.1", alone, tenth, 7},
		{"either, 0.01", one, hundredth, 464},
		{"either, 0.1", one, tenth, 10},
		{"default, 0.01", standard, hundredth, 460},
		{"default, 0.1", standard, tenth, 10},
	} {
		if got := admitted(t, c.a, priced(t, c.a, privacy.Loss{Epsilon: c.eps})); got != c.want {
			t.Errorf("%s: %d admitted, want %d", c.name, got, c.want)
		}
	}
	for _, c := range []struct {
		name string
		a    Account
		want int
	}{{"one order", one, 40}, {"rule 19's two orders", halves, 84}, {"default", standard, 74}} {
		after, err := c.a.Admit(priced(t, c.a, privacy.Loss{Epsilon: 6 * tenth}), now)
		if err != nil {
			t.Fatal(err)
		}
		if got := admitted(t, after, priced(t, after, privacy.Loss{Epsilon: hundredth})); got != c.want {
			t.Errorf("%s, after one question of 0.6: %d admitted, want %d", c.name, got, c.want)
		}
	}
}

func TestAdmitRefusesWhatIsNoCharge(t *testing.T) {
	renyi, pure := open(t, KindRenyi, privacy.OneEpsilon, micro), open(t, KindPure, privacy.OneEpsilon, 0)
	d := privacy.Divergences{1, 1}
	for name, c := range map[string]struct {
		a    Account
		c    Charge
		want error
	}{
		"another account":   {renyi, Charge{"uk/person", privacy.Clocks{Epsilon: 1, Renyi: d}}, ErrCharge},
		"nothing":           {renyi, Charge{renyi.ID, privacy.Clocks{}}, ErrCharge},
		"no ε":              {renyi, Charge{renyi.ID, privacy.Clocks{Renyi: d}}, ErrCharge},
		"negative ε":        {renyi, Charge{renyi.ID, privacy.Clocks{Epsilon: -1, Renyi: d}}, ErrCharge},
		"negative d":        {renyi, Charge{renyi.ID, privacy.Clocks{Epsilon: 1, Renyi: privacy.Divergences{1, -1}}}, ErrCharge},
		"negative δ":        {renyi, Charge{renyi.ID, privacy.Clocks{Epsilon: 1, Renyi: d, Delta: -1}}, ErrCharge},
		"no order":          {renyi, Charge{renyi.ID, privacy.Clocks{Epsilon: 1}}, ErrCharge},
		"one order of two":  {renyi, Charge{renyi.ID, privacy.Clocks{Epsilon: 1, Renyi: privacy.Divergences{1}}}, ErrCharge},
		"three orders":      {renyi, Charge{renyi.ID, privacy.Clocks{Epsilon: 1, Renyi: privacy.Divergences{1, 1, 1}}}, ErrCharge},
		"the other order":   {renyi, Charge{renyi.ID, privacy.Clocks{Epsilon: 1, Renyi: privacy.Divergences{0, 1}}}, ErrCharge},
		"pure with order":   {pure, Charge{pure.ID, privacy.Clocks{Epsilon: 1, Renyi: privacy.Divergences{1}}}, ErrCharge},
		"pure with δ":       {pure, Charge{pure.ID, privacy.Clocks{Epsilon: 1, Delta: 1}}, ErrExhausted},
		"too much δ":        {renyi, Charge{renyi.ID, privacy.Clocks{Epsilon: 1, Renyi: d, Delta: micro/2 + 1}}, ErrExhausted},
		"too much for all":  {renyi, Charge{renyi.ID, privacy.Clocks{Epsilon: math.MaxInt64, Renyi: privacy.Divergences{math.MaxInt64, math.MaxInt64}}}, ErrExhausted},
		"too much for pure": {pure, Charge{pure.ID, privacy.Clocks{Epsilon: privacy.OneEpsilon + 1}}, ErrExhausted},
	} {
		t.Run(name, func(t *testing.T) {
			if after, err := c.a.Admit(c.c, now); !errors.Is(err, c.want) || after != (Account{}) {
				t.Errorf("%+v, %v", after, err)
			}
		})
	}
}

// TestCapsAreReached spends each clock to its last unit, and not one further.
func TestCapsAreReached(t *testing.T) {
	a := open(t, KindRenyi, privacy.OneEpsilon, micro)
	beyond, cap1, cap2 := a.Caps.Epsilon+1, a.Caps.Renyi[0], a.Caps.Renyi[1]
	d := func(first, second privacy.Renyi) privacy.Divergences { return privacy.Divergences{first, second} }
	for name, c := range map[string]struct {
		loss privacy.Clocks
		fits bool
	}{
		"all of Σε":           {privacy.Clocks{Epsilon: a.Caps.Epsilon, Renyi: d(math.MaxInt64, math.MaxInt64), Delta: 1}, true},
		"more than Σε":        {privacy.Clocks{Epsilon: beyond, Renyi: d(math.MaxInt64, math.MaxInt64), Delta: 1}, false},
		"all of the first":    {privacy.Clocks{Epsilon: beyond, Renyi: d(cap1, cap2+1)}, true},
		"more than the first": {privacy.Clocks{Epsilon: beyond, Renyi: d(cap1+1, cap2+1)}, false},
		"all of the second":   {privacy.Clocks{Epsilon: beyond, Renyi: d(cap1+1, cap2)}, true},
		"all of Σδ":           {privacy.Clocks{Epsilon: 1, Renyi: d(1, 1), Delta: a.Caps.Delta}, true},
		"all of each":         {a.Caps, true},
		"more than Σδ":        {privacy.Clocks{Epsilon: 1, Renyi: d(1, 1), Delta: a.Caps.Delta + 1}, false},
		"δ beyond alone":      {privacy.Clocks{Epsilon: 1, Renyi: d(1, 1), Delta: privacy.OneDelta}, false},
	} {
		if _, err := a.Admit(Charge{a.ID, c.loss}, now); (err == nil) != c.fits || a.CouldBear(c.loss) != c.fits {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// clocks are an account's clocks in big integers: Σε, Σδ, and then each Σd.
type clocks [2 + privacy.MaxOrders]big.Int

// amounts are a loss in the order of clocks.
func amounts(c privacy.Clocks) [2 + privacy.MaxOrders]int64 {
	out := [2 + privacy.MaxOrders]int64{int64(c.Epsilon), int64(c.Delta)}
	for k, d := range c.Renyi {
		out[2+k] = int64(d)
	}
	return out
}

// plus adds a loss.
func (c clocks) plus(loss privacy.Clocks) clocks {
	var sum clocks
	for i, n := range amounts(loss) {
		sum[i].Add(&c[i], big.NewInt(n))
	}
	return sum
}

// within is the filter, as PROMISE.md states it.
func (c clocks) within(limits privacy.Clocks, orders int) bool {
	limit := amounts(limits)
	holds := func(i int) bool { return c[i].Cmp(big.NewInt(limit[i])) <= 0 }
	one := holds(0)
	for k := range orders {
		one = one || holds(2+k)
	}
	return holds(1) && one
}

// equal compares with an account's clocks, which stay at the largest integer.
func (c clocks) equal(spent privacy.Clocks) bool {
	for i, n := range amounts(spent) {
		want := &c[i]
		if limit := big.NewInt(math.MaxInt64); want.Cmp(limit) > 0 {
			want = limit
		}
		if want.Cmp(big.NewInt(n)) != 0 {
			return false
		}
	}
	return true
}

// room is what limits leave, not below 0.
func (c clocks) room(limits privacy.Clocks) (room [2 + privacy.MaxOrders]int64) {
	for i, n := range amounts(limits) {
		room[i] = max(0, new(big.Int).Sub(big.NewInt(n), &c[i]).Int64())
		if c[i].Cmp(big.NewInt(n)) > 0 {
			room[i] = 0
		}
	}
	return room
}

// drawPromise is an account of any kind: the default split, or orders and shares of its own.
func drawPromise(t *rapid.T) Promise {
	p := Promise{Kind: rapid.SampledFrom([]Kind{KindRenyi, KindPure}).Draw(t, "kind"),
		Epsilon: privacy.Epsilon(rapid.Int64Range(1, int64(privacy.MaxLifetimeEpsilon)).Draw(t, "ε"))}
	if p.Kind == KindPure {
		return p
	}
	p.Delta = privacy.Delta(rapid.Int64Range(int64(minDelta), int64(privacy.OneDelta)-1).Draw(t, "δ"))
	left, order := p.Delta, privacy.Order(1000)
	for k := range rapid.IntRange(0, privacy.MaxOrders).Draw(t, "orders") {
		if left == 0 || order == privacy.MaxOrder {
			break
		}
		order = privacy.Order(rapid.Int64Range(int64(order)+1, int64(privacy.MaxOrder)).Draw(t, "order"))
		p.Orders[k] = order
		p.Shares[k] = privacy.Delta(rapid.Int64Range(1, int64(left)).Draw(t, "share"))
		left -= p.Shares[k]
	}
	return p
}

// drawAmount is anything from nothing to far too much.
func drawAmount(t *rapid.T, limit int64, name string) int64 {
	switch rapid.IntRange(0, 3).Draw(t, name+" size") {
	case 0:
		return rapid.Int64Range(0, limit/8+1).Draw(t, name)
	case 1:
		return rapid.Int64Range(0, max(0, limit)).Draw(t, name)
	case 2:
		return rapid.Int64Range(0, math.MaxInt64).Draw(t, name)
	default:
		return 0
	}
}

// TestFilter compares histories of random charges, under schedules and with time, with a model in big integers:
// a charge is admitted exactly if Σδ fits and Σε or one Σd fits; a refused one changes nothing; room is what is
// left.
func TestFilter(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		a, err := New("kr_edu/student", drawPromise(t), Terms{Schedule: drawSchedule(t)})
		if err != nil {
			t.Fatal(err)
		}
		caps, orders, at := a.Caps, a.Promise.Orders.Count(), instant.Time()
		var model clocks
		for range rapid.IntRange(1, 30).Draw(t, "charges") {
			at = at.Add(time.Duration(rapid.Int64Range(0, 3).Draw(t, "pause")) * time.Second)
			loss := privacy.Clocks{
				Epsilon: privacy.Epsilon(max(1, drawAmount(t, int64(caps.Epsilon), "loss ε"))),
				Delta:   privacy.Delta(drawAmount(t, int64(caps.Delta), "loss δ")),
			}
			for k := range orders {
				loss.Renyi[k] = privacy.Renyi(max(1, drawAmount(t, int64(caps.Renyi[k]), "loss d")))
			}
			sum, before := model.plus(loss), a
			after, err := a.Admit(Charge{a.ID, loss}, at)
			want := sum.within(a.Limits(at), orders)
			if (err == nil) != want || a != before {
				t.Fatalf("%+v on %+v: %v, the model says %t", loss, before, err, want)
			}
			if err != nil {
				continue
			}
			a, model = after, sum
			if err := a.Validate(); err != nil || !model.equal(a.Spent) {
				t.Fatalf("%+v, %v", a.Spent, err)
			}
		}
		if a.Caps != caps {
			t.Fatal("a charge moved a cap")
		}
		if got := amounts(a.Room(at)); got != model.room(a.Limits(at)) {
			t.Fatalf("room %v, the model has %v", got, model.room(a.Limits(at)))
		}
	})
}
