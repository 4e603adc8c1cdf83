package ledger

import (
	"encoding/json"
	"errors"
	"math"
	"os"
	"strings"
	"testing"
	"time"

	"entrepot/privacy"
)

const micro = privacy.OneDelta / 1_000_000

// now is a moment at which accounts without a schedule are asked.
var now = time.Date(2026, 5, 4, 10, 0, 0, 0, time.UTC)

// soak reports whether tests run at their full size.
func soak() bool { return os.Getenv("ENTREPOT_SOAK") != "" }

func open(t testing.TB, kind Kind, eps privacy.Epsilon, delta privacy.Delta) Account {
	t.Helper()
	return openWith(t, Promise{Kind: kind, Epsilon: eps, Delta: delta}, Terms{})
}

func openWith(t testing.TB, p Promise, terms Terms) Account {
	t.Helper()
	a, err := New("kr_edu/student", p, terms)
	if err != nil {
		t.Fatal(err)
	}
	return a
}

// oneOrder is (1, 1e-6) with half of δ for one order: the account of PRIVACY rule 19's check values.
func oneOrder() Promise {
	return Promise{Kind: KindRenyi, Epsilon: privacy.OneEpsilon, Delta: micro, Orders: privacy.Orders{23_256}, Shares: Shares{micro / 2}}
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
		"ε without end":   {"kr/edu", KindRenyi, privacy.Unlimited, micro},
		"pure with δ":     {"kr/edu", KindPure, 1, 1},
		"renyi without δ": {"kr/edu", KindRenyi, 1, 0},
		"δ of 19 atto":    {"kr/edu", KindRenyi, 1, 19},
		"δ of 1":          {"kr/edu", KindRenyi, 1, privacy.OneDelta},
		"δ without end":   {"kr/edu", KindRenyi, 1, privacy.Unlimited},
		"negative δ":      {"kr/edu", KindRenyi, 1, math.MinInt64},
	} {
		if _, err := New(c.id, Promise{Kind: c.kind, Epsilon: c.eps, Delta: c.delta}, Terms{}); !errors.Is(err, ErrAccount) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestValidateFindsDamage(t *testing.T) {
	good := open(t, KindRenyi, privacy.OneEpsilon, micro)
	for name, damage := range map[string]func(a *Account){
		"raised Σε":           func(a *Account) { a.Caps.Epsilon++ },
		"raised Σd":           func(a *Account) { a.Caps.Renyi[1]++ },
		"lowered Σd":          func(a *Account) { a.Caps.Renyi[0]-- },
		"a cap of no clock":   func(a *Account) { a.Caps.Renyi[2] = 1 },
		"raised Σδ":           func(a *Account) { a.Caps.Delta++ },
		"all of δ for steps":  func(a *Account) { a.Caps.Delta = a.Promise.Delta },
		"raised lifetime":     func(a *Account) { a.Promise.Epsilon++ },
		"raised δ":            func(a *Account) { a.Promise.Delta++ },
		"a raised share":      func(a *Account) { a.Promise.Shares[1]++ },
		"a lower order":       func(a *Account) { a.Promise.Orders[0] = 10_000 },
		"another kind":        func(a *Account) { a.Promise.Kind = KindPure },
		"negative Σε":         func(a *Account) { a.Spent.Epsilon = -1 },
		"negative Σd":         func(a *Account) { a.Spent.Renyi[1] = -1 },
		"negative Σδ":         func(a *Account) { a.Spent.Delta = math.MinInt64 },
		"negative failures":   func(a *Account) { a.Failures = -5 },
		"no allowance":        func(a *Account) { a.Terms.Allowance = 0 },
		"a huge allowance":    func(a *Account) { a.Terms.Allowance = MaxAllowance + 1 },
		"no revision":         func(a *Account) { a.Revision = 0 },
		"no promise":          func(a *Account) { a.Promises = 0 },
		"promises unrevised":  func(a *Account) { a.Promises = 2 },
		"a negative limit":    func(a *Account) { a.Terms.Question.Delta = -1 },
		"a limit of no clock": func(a *Account) { a.Terms.Question.Renyi[2] = 1 },
		"a negative default":  func(a *Account) { a.Terms.Default = -1 },
		"a huge default":      func(a *Account) { a.Terms.Default = privacy.MaxLifetimeEpsilon + 1 },
		"an odd id":           func(a *Account) { a.ID = "kr_edu" },
	} {
		a := good
		damage(&a)
		if err := a.Validate(); !errors.Is(err, ErrAccount) {
			t.Errorf("%s: %v", name, err)
		}
	}
	good.Spent = privacy.Clocks{Epsilon: privacy.Unlimited, Renyi: privacy.Divergences{5 * privacy.OneRenyi, 1}}
	if err := good.Validate(); err != nil {
		t.Errorf("clocks beyond their caps while another holds: %v", err)
	}
}

func TestAccountsReadBack(t *testing.T) {
	scheduled := open(t, KindRenyi, privacy.OneEpsilon, micro)
	scheduled.Terms.Schedule = Schedule{{1, 1}, {2, privacy.OneShare}}
	scheduled.Terms.Question.Renyi = privacy.Divergences{}
	scheduled.Spent = privacy.Clocks{Epsilon: math.MaxInt64, Renyi: privacy.Divergences{math.MaxInt64, 0}, Delta: 7}
	for _, a := range []Account{
		open(t, KindRenyi, privacy.OneEpsilon, micro),
		open(t, KindPure, 3*privacy.OneEpsilon, 0),
		openWith(t, oneOrder(), Terms{Default: 1, Allowance: 7}),
		scheduled,
		{ID: "a/b", Spent: privacy.Clocks{Epsilon: 123_456 * privacy.OneEpsilon, Renyi: privacy.Divergences{0, 3}}},
	} {
		b, err := json.Marshal(a)
		if err != nil {
			t.Fatal(err)
		}
		back := scheduled // what was there must go
		if err := json.Unmarshal(b, &back); err != nil || back != a {
			t.Errorf("%+v → %s → %+v, %v", a, b, back, err)
		}
	}
	for _, bad := range []string{
		`{"promise":{"shares":["1","1","1","1","1"]}}`, `{"promise":{"shares":"1"}}`, `{"promise":{"orders":["2","3","4","5","6"]}}`,
		`{"terms":{"schedule":[{"from":"2026-01-01T00:00:00.5Z","share":"1"}]}}`, `{"terms":{"schedule":[{"from":"2026-01-01","share":"1"}]}}`,
		`{"terms":{"schedule":[{"from":"2026-01-01T00:00:00Z","share":"1.000001"}]}}`, `{"spent":{"epsilon":"-1"}}`, `{"spent":{"renyi":["1e-13"]}}`,
	} {
		if err := json.Unmarshal([]byte(bad), new(Account)); err == nil {
			t.Errorf("%s was read", bad)
		}
	}
}

// TestAmend changes terms and promises, and sees that nothing else moves.
func TestAmend(t *testing.T) {
	a := open(t, KindRenyi, privacy.OneEpsilon, micro)
	a.Spent, a.Failures = privacy.Clocks{Epsilon: 5, Renyi: privacy.Divergences{6, 7}, Delta: 8}, 2
	terms := Terms{Allowance: 9, Question: a.Caps, Default: 10, Schedule: Schedule{{1, 2}}}

	same, err := a.Amend(a.Promise, terms)
	want := a
	want.Revision, want.Terms = 2, terms
	if err != nil || same != want {
		t.Errorf("other terms: %+v, %v", same, err)
	}
	short, err := a.Amend(Promise{Kind: KindRenyi, Epsilon: a.Promise.Epsilon, Delta: a.Promise.Delta}, terms)
	if err != nil || short != want {
		t.Errorf("the same promise without its split: %+v, %v", short, err)
	}

	raised, err := same.Amend(Promise{Kind: KindRenyi, Epsilon: 2 * privacy.OneEpsilon, Delta: 3 * micro}, Terms{})
	if err != nil {
		t.Fatal(err)
	}
	if raised.Revision != 3 || raised.Promises != 2 || raised.Spent != a.Spent || raised.Failures != 2 || raised.Promise.Orders != a.Promise.Orders {
		t.Errorf("a larger lifetime: %+v", raised)
	}
	if s := raised.Promise.Shares; s != (Shares{3 * a.Promise.Shares[0], 3 * a.Promise.Shares[1]}) || raised.Caps.Delta != 3*micro/2 {
		t.Errorf("its split: %+v leaves %s", s, raised.Caps.Delta)
	}
	if raised.Terms.Allowance != DefaultAllowance || raised.Terms.Question != NoLimit(a.Promise.Orders) || raised.Terms.Schedule != (Schedule{}) {
		t.Errorf("zero terms: %+v", raised.Terms)
	}
	pure := open(t, KindPure, privacy.OneEpsilon, 0)
	if b, err := pure.Amend(Promise{Kind: KindPure, Epsilon: privacy.OneEpsilon + 1}, pure.Terms); err != nil || b.Promises != 2 || b.Caps.Epsilon != privacy.OneEpsilon+1 {
		t.Errorf("a pure account's larger lifetime: %+v, %v", b, err)
	}
}

func TestAmendRefuses(t *testing.T) {
	renyi, pure := open(t, KindRenyi, privacy.OneEpsilon, micro), open(t, KindPure, privacy.OneEpsilon, 0)
	for name, c := range map[string]struct {
		a      Account
		change func(p *Promise, t *Terms)
	}{
		"lower ε":             {renyi, func(p *Promise, _ *Terms) { p.Epsilon-- }},
		"lower δ":             {renyi, func(p *Promise, _ *Terms) { p.Delta-- }},
		"lower δ, no split":   {renyi, func(p *Promise, _ *Terms) { *p = Promise{Kind: KindRenyi, Epsilon: p.Epsilon, Delta: p.Delta - 1} }},
		"lower δ, same caps":  {renyi, func(p *Promise, _ *Terms) { p.Delta--; p.Shares[0]-- }},
		"larger ε, lower δ":   {renyi, func(p *Promise, _ *Terms) { p.Epsilon++; p.Delta-- }},
		"another kind":        {renyi, func(p *Promise, _ *Terms) { *p = Promise{Kind: KindPure, Epsilon: p.Epsilon} }},
		"renyi after pure":    {pure, func(p *Promise, _ *Terms) { *p = Promise{Kind: KindRenyi, Epsilon: p.Epsilon, Delta: micro} }},
		"pure with shares":    {pure, func(p *Promise, _ *Terms) { p.Shares[0] = 1 }},
		"one order less":      {renyi, func(p *Promise, _ *Terms) { p.Orders[1], p.Shares[1] = 0, 0 }},
		"one order more":      {renyi, func(p *Promise, _ *Terms) { p.Orders[2], p.Shares[2] = 99_000, 1; p.Delta++ }},
		"another order":       {renyi, func(p *Promise, _ *Terms) { p.Orders[0]--; p.Delta *= 2 }},
		"from one to another": {renyi, func(p *Promise, _ *Terms) { p.Shares[0] -= micro / 100; p.Shares[1] += micro / 100 }},
		"from steps":          {renyi, func(p *Promise, _ *Terms) { p.Shares[0] += micro / 100 }},
		"to steps":            {renyi, func(p *Promise, _ *Terms) { p.Shares[0] -= micro / 100 }},
		"ε without end":       {renyi, func(p *Promise, _ *Terms) { p.Epsilon = privacy.Unlimited }},
		"δ without end": {renyi, func(p *Promise, _ *Terms) {
			*p = Promise{Kind: KindRenyi, Epsilon: p.Epsilon, Delta: privacy.Unlimited}
		}},
		"a falling schedule":   {renyi, func(_ *Promise, t *Terms) { t.Schedule = Schedule{{1, 2}, {2, 1}} }},
		"a huge allowance":     {renyi, func(_ *Promise, t *Terms) { t.Allowance = MaxAllowance + 1 }},
		"a negative allowance": {renyi, func(_ *Promise, t *Terms) { t.Allowance = -1 }},
	} {
		p, terms := c.a.Promise, c.a.Terms
		c.change(&p, &terms)
		if b, err := c.a.Amend(p, terms); !errors.Is(err, ErrAccount) || b != (Account{}) {
			t.Errorf("%s: %+v, %v", name, b, err)
		}
	}
}

func TestFailuresFreeze(t *testing.T) {
	a := open(t, KindPure, privacy.OneEpsilon, 0)
	c := Charge{a.ID, privacy.Clocks{Epsilon: 1}}
	for i := range 3 {
		if _, err := a.Admit(c, now); err != nil {
			t.Fatalf("after %d failures: %v", i, err)
		}
		a = a.Fail()
	}
	if _, err := a.Admit(c, now); !errors.Is(err, ErrFrozen) || !a.Frozen() {
		t.Errorf("after three failures: %v", err)
	}
	thawed, err := a.Amend(a.Promise, Terms{Allowance: 4})
	if err != nil || thawed.Frozen() || thawed.Failures != 3 {
		t.Fatalf("%+v, %v", thawed, err)
	}
	if _, err := thawed.Admit(c, now); err != nil {
		t.Errorf("after its owner allowed one more: %v", err)
	}
	a.Failures = math.MaxInt64
	if a.Fail().Failures != math.MaxInt64 || !a.Fail().Frozen() {
		t.Error("counting failures wraps")
	}
}
