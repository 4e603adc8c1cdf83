package ledger

import (
	"encoding/json"
	"errors"
	"math"
	"strings"
	"testing"

	"entrepot/privacy"
)

const micro = privacy.OneDelta / 1_000_000

func open(t testing.TB, kind Kind, eps privacy.Epsilon, delta privacy.Delta) Account {
	t.Helper()
	a, err := New("kr_edu/student", kind, eps, delta)
	if err != nil {
		t.Fatal(err)
	}
	return a
}

func TestNewSplitsTheLifetime(t *testing.T) {
	a := open(t, KindRenyi, privacy.OneEpsilon, micro)
	if a.Order != 23_256 || a.Caps.Epsilon != privacy.OneEpsilon || a.Caps.Delta != micro/2 || math.Abs(float64(a.Caps.Renyi)/1e12-0.53344) > 1e-5 {
		t.Errorf("(1, 1e-6): %+v", a)
	}
	if a.Allowed != 3 || a.Frozen() || a.Spent != (privacy.Clocks{}) {
		t.Errorf("a new account: %+v", a)
	}
	p := open(t, KindPure, privacy.OneEpsilon, 0)
	if p.Order != 0 || p.Caps != (privacy.Clocks{Epsilon: privacy.OneEpsilon}) {
		t.Errorf("a pure account: %+v", p)
	}
	odd := open(t, KindRenyi, privacy.OneEpsilon, 3)
	if odd.Caps.Delta != 2 {
		t.Errorf("3 atto-δ leave %d for steps", odd.Caps.Delta)
	}
}

func TestNewRefuses(t *testing.T) {
	for name, c := range map[string]struct {
		id    string
		kind  Kind
		eps   privacy.Epsilon
		delta privacy.Delta
	}{
		"no id":           {"", KindPure, 1, 0},
		"no space":        {"kr_edu", KindPure, 1, 0},
		"two slashes":     {"kr/edu/x", KindPure, 1, 0},
		"capitals":        {"KR/edu", KindPure, 1, 0},
		"leading digit":   {"1kr/edu", KindPure, 1, 0},
		"parent":          {"../edu", KindPure, 1, 0},
		"long name":       {strings.Repeat("a", 64) + "/edu", KindPure, 1, 0},
		"no kind":         {"kr/edu", "", 1, 0},
		"unknown kind":    {"kr/edu", "zcdp", 1, micro},
		"ε of 0":          {"kr/edu", KindPure, 0, 0},
		"negative ε":      {"kr/edu", KindRenyi, -1, micro},
		"huge ε":          {"kr/edu", KindPure, privacy.MaxLifetimeEpsilon + 1, 0},
		"pure with δ":     {"kr/edu", KindPure, 1, 1},
		"renyi without δ": {"kr/edu", KindRenyi, 1, 0},
		"δ of 1 atto":     {"kr/edu", KindRenyi, 1, 1},
		"δ of 1":          {"kr/edu", KindRenyi, 1, privacy.OneDelta},
		"negative δ":      {"kr/edu", KindRenyi, 1, -1},
	} {
		if _, err := New(c.id, c.kind, c.eps, c.delta); !errors.Is(err, ErrAccount) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestValidateFindsDamage(t *testing.T) {
	good := open(t, KindRenyi, privacy.OneEpsilon, micro)
	for name, damage := range map[string]func(a *Account){
		"raised Σε":          func(a *Account) { a.Caps.Epsilon++ },
		"raised Σd":          func(a *Account) { a.Caps.Renyi++ },
		"raised Σδ":          func(a *Account) { a.Caps.Delta += micro / 10 },
		"all of δ for steps": func(a *Account) { a.Caps.Delta = a.Delta },
		"raised lifetime":    func(a *Account) { a.Epsilon++ },
		"a lower order":      func(a *Account) { a.Order = 10_000 },
		"order of 1":         func(a *Account) { a.Order = 1000 },
		"another kind":       func(a *Account) { a.Kind = KindPure },
		"negative clock":     func(a *Account) { a.Spent.Renyi = -1 },
		"negative failures":  func(a *Account) { a.Failures = -5 },
		"no allowance":       func(a *Account) { a.Allowed = 0 },
	} {
		a := good
		damage(&a)
		if err := a.Validate(); !errors.Is(err, ErrAccount) {
			t.Errorf("%s: %v", name, err)
		}
	}
	lowered := good
	lowered.Caps.Renyi, lowered.Spent.Epsilon = 5, 2*privacy.OneEpsilon
	if err := lowered.Validate(); err != nil {
		t.Errorf("a lower cap, and one clock beyond its cap: %v", err)
	}
}

func TestAccountsReadBack(t *testing.T) {
	for _, a := range []Account{
		open(t, KindRenyi, privacy.OneEpsilon, micro),
		open(t, KindPure, 3*privacy.OneEpsilon, 0),
		{ID: "a/b", Kind: KindRenyi, Spent: privacy.Clocks{Epsilon: math.MaxInt64, Renyi: math.MaxInt64, Delta: 7}},
		{ID: "a/b", Spent: privacy.Clocks{Epsilon: 123_456 * privacy.OneEpsilon}},
	} {
		b, err := json.Marshal(a)
		if err != nil {
			t.Fatal(err)
		}
		var back Account
		if err := json.Unmarshal(b, &back); err != nil || back != a {
			t.Errorf("%+v → %s → %+v, %v", a, b, back, err)
		}
	}
}

func TestFailuresFreeze(t *testing.T) {
	a := open(t, KindPure, privacy.OneEpsilon, 0)
	c := Charge{a.ID, privacy.Clocks{Epsilon: 1}}
	for i := range 3 {
		if _, err := a.Admit(c); err != nil {
			t.Fatalf("after %d failures: %v", i, err)
		}
		a = a.Fail()
	}
	if _, err := a.Admit(c); !errors.Is(err, ErrFrozen) || !a.Frozen() {
		t.Errorf("after three failures: %v", err)
	}
	a.Failures = math.MaxInt64
	if a.Fail().Failures != math.MaxInt64 || !a.Fail().Frozen() {
		t.Error("counting failures wraps")
	}
}
