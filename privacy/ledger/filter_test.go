package ledger

import (
	"errors"
	"math"
	"math/big"
	"testing"

	"entrepot/privacy"
	"pgregory.net/rapid"
)

// count is the price of COUNT(*) over public groups, one row per unit.
func count(t testing.TB, a Account, eps privacy.Epsilon) Charge {
	t.Helper()
	s, err := privacy.NewSpec(privacy.Question{
		Aggregates:   []privacy.Aggregate{{Kind: privacy.Count, Argument: privacy.NoArgument}},
		Contribution: privacy.Contribution{MaxPartitions: 1, MaxRowsPerPartition: 1, MaxRows: 1},
		Partitions:   privacy.Partitions{Keys: []string{"a", "b"}},
		Loss:         privacy.Loss{Epsilon: eps},
	})
	if err != nil {
		t.Fatal(err)
	}
	return Charge{Account: a.ID, Loss: s.Price(a.Order)}
}

// admitted charges until the account refuses.
func admitted(t testing.TB, a Account, c Charge) int {
	t.Helper()
	for n := 0; ; n++ {
		next, err := a.Admit(c)
		if err != nil {
			if !errors.Is(err, ErrExhausted) {
				t.Fatal(err)
			}
			return n
		}
		a = next
	}
}

// TestInfiniteEpsilon charges Gaussian noise, which costs Σε all it has: an account that has a Rényi clock
// lives by that one from then on, and one that has none refuses.
func TestInfiniteEpsilon(t *testing.T) {
	gaussian := func(a Account) Charge {
		s, err := privacy.NewSpec(privacy.Question{
			Aggregates:   []privacy.Aggregate{{Kind: privacy.Count, Argument: privacy.NoArgument}},
			Contribution: privacy.Contribution{MaxPartitions: 1, MaxRowsPerPartition: 1, MaxRows: 1},
			Partitions:   privacy.Partitions{Keys: []string{"a", "b"}},
			Loss:         privacy.Loss{Rho: privacy.OneRho / 1000, Mechanism: privacy.Gaussian},
		})
		if err != nil {
			t.Fatal(err)
		}
		return Charge{Account: a.ID, Loss: s.Price(a.Order)}
	}
	a := open(t, KindRenyi, privacy.OneEpsilon, micro)
	// d_max = 0.53343 over αρ = 0.023256: 22 fit.
	if got := admitted(t, a, gaussian(a)); got != 22 {
		t.Errorf("%d admitted", got)
	}
	a, err := a.Admit(gaussian(a))
	if err != nil || a.Spent.Epsilon != math.MaxInt64 || a.Room().Epsilon != 0 {
		t.Fatalf("%+v, %v", a, err)
	}
	if _, err := a.Admit(count(t, a, privacy.OneEpsilon)); !errors.Is(err, ErrExhausted) {
		t.Errorf("ε = 1 on the Rényi clock alone: %v", err)
	}
	if a, err = a.Admit(count(t, a, privacy.OneEpsilon/100)); err != nil || a.Spent.Epsilon != math.MaxInt64 {
		t.Errorf("%+v, %v", a, err)
	}
	pure := open(t, KindPure, privacy.OneEpsilon, 0)
	if _, err := pure.Admit(gaussian(pure)); !errors.Is(err, ErrExhausted) {
		t.Errorf("a pure account: %v", err)
	}
}

// TestCheckValues are the figures of PRIVACY rule 19 for an account (1, 1e-6).
func TestCheckValues(t *testing.T) {
	const hundredth, tenth = privacy.OneEpsilon / 100, privacy.OneEpsilon / 10
	both := open(t, KindRenyi, privacy.OneEpsilon, micro)
	alone := both
	alone.Caps.Epsilon = 0 // the Rényi clock by itself
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
		{"either, 0.01", both, hundredth, 464},
		{"either, 0.1", both, tenth, 10},
	} {
		if got := admitted(t, c.a, count(t, c.a, c.eps)); got != c.want {
			t.Errorf("%s: %d admitted, want %d", c.name, got, c.want)
		}
	}
	after, err := both.Admit(count(t, both, 6*tenth))
	if err != nil {
		t.Fatal(err)
	}
	if got := admitted(t, after, count(t, after, hundredth)); got != 40 {
		t.Errorf("after one question of 0.6: %d admitted, want 40", got)
	}
}

func TestAdmitRefusesWhatIsNoCharge(t *testing.T) {
	renyi, pure := open(t, KindRenyi, privacy.OneEpsilon, micro), open(t, KindPure, privacy.OneEpsilon, 0)
	for name, c := range map[string]struct {
		a    Account
		c    Charge
		want error
	}{
		"another account":   {renyi, Charge{"uk/person", privacy.Clocks{Epsilon: 1, Renyi: 1}}, ErrCharge},
		"nothing":           {renyi, Charge{renyi.ID, privacy.Clocks{}}, ErrCharge},
		"no ε":              {renyi, Charge{renyi.ID, privacy.Clocks{Renyi: 1}}, ErrCharge},
		"negative ε":        {renyi, Charge{renyi.ID, privacy.Clocks{Epsilon: -1, Renyi: 1}}, ErrCharge},
		"negative d":        {renyi, Charge{renyi.ID, privacy.Clocks{Epsilon: 1, Renyi: -1}}, ErrCharge},
		"negative δ":        {renyi, Charge{renyi.ID, privacy.Clocks{Epsilon: 1, Renyi: 1, Delta: -1}}, ErrCharge},
		"no order":          {renyi, Charge{renyi.ID, privacy.Clocks{Epsilon: 1}}, ErrCharge},
		"pure with order":   {pure, Charge{pure.ID, privacy.Clocks{Epsilon: 1, Renyi: 1}}, ErrCharge},
		"pure with δ":       {pure, Charge{pure.ID, privacy.Clocks{Epsilon: 1, Delta: 1}}, ErrExhausted},
		"too much δ":        {renyi, Charge{renyi.ID, privacy.Clocks{Epsilon: 1, Renyi: 1, Delta: micro/2 + 1}}, ErrExhausted},
		"too much ε and d":  {renyi, Charge{renyi.ID, privacy.Clocks{Epsilon: math.MaxInt64, Renyi: math.MaxInt64}}, ErrExhausted},
		"too much for pure": {pure, Charge{pure.ID, privacy.Clocks{Epsilon: privacy.OneEpsilon + 1}}, ErrExhausted},
	} {
		t.Run(name, func(t *testing.T) {
			if after, err := c.a.Admit(c.c); !errors.Is(err, c.want) || after != (Account{}) {
				t.Errorf("%+v, %v", after, err)
			}
		})
	}
}

// TestCapsAreReached spends each clock to its last unit, and not one further.
func TestCapsAreReached(t *testing.T) {
	a := open(t, KindRenyi, privacy.OneEpsilon, micro)
	beyond := a.Caps.Epsilon + 1
	for name, c := range map[string]struct {
		loss privacy.Clocks
		fits bool
	}{
		"all of Σε":      {privacy.Clocks{Epsilon: a.Caps.Epsilon, Renyi: math.MaxInt64, Delta: 1}, true},
		"more than Σε":   {privacy.Clocks{Epsilon: beyond, Renyi: math.MaxInt64, Delta: 1}, false},
		"all of Σd":      {privacy.Clocks{Epsilon: beyond, Renyi: a.Caps.Renyi}, true},
		"more than Σd":   {privacy.Clocks{Epsilon: beyond, Renyi: a.Caps.Renyi + 1}, false},
		"all of Σδ":      {privacy.Clocks{Epsilon: 1, Renyi: 1, Delta: a.Caps.Delta}, true},
		"all of each":    {a.Caps, true},
		"more than Σδ":   {privacy.Clocks{Epsilon: 1, Renyi: 1, Delta: a.Caps.Delta + 1}, false},
		"δ beyond alone": {privacy.Clocks{Epsilon: 1, Renyi: 1, Delta: privacy.OneDelta}, false},
	} {
		if _, err := a.Admit(Charge{a.ID, c.loss}); (err == nil) != c.fits {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// TestFilter compares histories of random charges with a model in big integers: a charge is admitted
// exactly if Σδ fits and Σε or Σd fits; a refused one changes nothing; room is what is left.
func TestFilter(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		kind := rapid.SampledFrom([]Kind{KindRenyi, KindPure}).Draw(t, "kind")
		delta := privacy.Delta(0)
		if kind == KindRenyi {
			delta = privacy.Delta(rapid.Int64Range(2, int64(privacy.OneDelta)-1).Draw(t, "δ"))
		}
		a, err := New("kr_edu/student", kind, privacy.Epsilon(rapid.Int64Range(1, int64(privacy.MaxLifetimeEpsilon)).Draw(t, "ε")), delta)
		if err != nil {
			t.Fatal(err)
		}
		caps := a.Caps
		var epsilon, d, deltas big.Int
		part := func(cap int64, name string) int64 { // from nothing to far too much
			switch rapid.IntRange(0, 3).Draw(t, name+" size") {
			case 0:
				return rapid.Int64Range(0, cap/8+1).Draw(t, name)
			case 1:
				return rapid.Int64Range(0, cap).Draw(t, name)
			case 2:
				return rapid.Int64Range(0, math.MaxInt64).Draw(t, name)
			default:
				return 0
			}
		}
		for range rapid.IntRange(1, 30).Draw(t, "charges") {
			loss := privacy.Clocks{
				Epsilon: privacy.Epsilon(max(1, part(int64(caps.Epsilon), "loss ε"))),
				Delta:   privacy.Delta(part(int64(caps.Delta), "loss δ")),
			}
			if kind == KindRenyi {
				loss.Renyi = privacy.Renyi(max(1, part(int64(caps.Renyi), "loss d")))
			}
			sum := func(total *big.Int, n int64) *big.Int { return new(big.Int).Add(total, big.NewInt(n)) }
			fits := func(total *big.Int, cap int64) bool { return total.Cmp(big.NewInt(cap)) <= 0 }
			e, r, l := sum(&epsilon, int64(loss.Epsilon)), sum(&d, int64(loss.Renyi)), sum(&deltas, int64(loss.Delta))
			want := fits(l, int64(caps.Delta)) && (fits(e, int64(caps.Epsilon)) || kind == KindRenyi && fits(r, int64(caps.Renyi)))

			before := a
			after, err := a.Admit(Charge{a.ID, loss})
			if (err == nil) != want || a != before {
				t.Fatalf("%+v on %+v: %v, the model says %t", loss, before, err, want)
			}
			if err != nil {
				continue
			}
			a, epsilon, d, deltas = after, *e, *r, *l
			if err := a.Validate(); err != nil {
				t.Fatal(err)
			}
		}
		if a.Caps != caps {
			t.Fatal("a charge moved a cap")
		}
		room := a.Room()
		left := func(cap int64, total *big.Int) int64 {
			return new(big.Int).Sub(big.NewInt(cap), total).Int64()
		}
		if total := &deltas; int64(room.Delta) != left(int64(caps.Delta), total) {
			t.Fatalf("room %+v", room)
		}
		if room.Epsilon < 0 || room.Renyi < 0 || epsilon.Cmp(big.NewInt(int64(caps.Epsilon))) <= 0 && int64(room.Epsilon) != left(int64(caps.Epsilon), &epsilon) {
			t.Fatalf("room %+v", room)
		}
	})
}
