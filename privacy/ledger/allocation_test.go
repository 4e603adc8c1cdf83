package ledger

import (
	"encoding/json"
	"errors"
	"strings"
	"testing"

	"entrepot/privacy"
)

// noLimitBut caps the clocks that change sets, of an account with two orders.
func noLimitBut(change func(c *privacy.Clocks)) privacy.Clocks {
	c := NoLimit(privacy.Orders{2000, 3000})
	change(&c)
	return c
}

func allocation() Allocation {
	return Allocation{Account: "kr_edu/student", Name: "maths_gap", Revision: 1, Scope: Scope{Project: "maths"},
		Caps: noLimitBut(func(c *privacy.Clocks) { c.Epsilon = 10 })}
}

func TestScopes(t *testing.T) {
	lee := Asker{Project: "maths", Researcher: "sg_lab/lee"}
	for name, c := range map[string]struct {
		scope Scope
		want  bool
	}{
		"the project":                {Scope{Project: "maths"}, true},
		"the organisation":           {Scope{Organisation: "sg_lab"}, true},
		"the researcher":             {Scope{Researcher: "sg_lab/lee"}, true},
		"all of them":                {Scope{"maths", "sg_lab", "sg_lab/lee"}, true},
		"another project":            {Scope{Project: "math"}, false},
		"another organisation":       {Scope{Organisation: "sg"}, false},
		"another researcher":         {Scope{Researcher: "sg_lab/le"}, false},
		"their namesake elsewhere":   {Scope{Researcher: "uk_lab/lee"}, false},
		"the project, another org":   {Scope{Project: "maths", Organisation: "uk_lab"}, false},
		"another project, their org": {Scope{Project: "physics", Organisation: "sg_lab"}, false},
	} {
		if got := c.scope.Covers(lee); got != c.want {
			t.Errorf("%s: %t", name, got)
		}
	}
}

func TestAllocationAdmits(t *testing.T) {
	a := allocation()
	a.Caps.Delta = 5
	loss := func(eps privacy.Epsilon, delta privacy.Delta) Charge {
		return Charge{a.Account, privacy.Clocks{Epsilon: eps, Renyi: privacy.Divergences{privacy.Unlimited, 1}, Delta: delta}}
	}
	after, err := a.Admit(loss(10, 5))
	if err != nil || after.Spent != loss(10, 5).Loss {
		t.Fatalf("all of it: %+v, %v", after, err)
	}
	for name, c := range map[string]Charge{"more ε": loss(11, 5), "more δ": loss(10, 6), "all the ε there is": loss(privacy.Unlimited, 0)} {
		if _, err := a.Admit(c); !errors.Is(err, ErrAllocated) || errors.Is(err, ErrExhausted) || !strings.Contains(err.Error(), a.Name) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := after.Admit(loss(1, 0)); !errors.Is(err, ErrAllocated) {
		t.Errorf("on top of all of it: %v", err)
	}
	// Every cap holds, not the kindest.
	a.Caps.Renyi[1] = 1
	if _, err := a.Admit(Charge{a.Account, privacy.Clocks{Epsilon: 1, Renyi: privacy.Divergences{1, 2}}}); !errors.Is(err, ErrAllocated) {
		t.Errorf("more on the second order: %v", err)
	}
	lowered := after.Amend(after.Scope, noLimitBut(func(c *privacy.Clocks) { c.Epsilon = 0 }))
	if lowered.Revision != 2 || lowered.Spent != after.Spent {
		t.Errorf("lowered below what is spent: %+v", lowered)
	}
	if _, err := lowered.Admit(loss(1, 0)); !errors.Is(err, ErrAllocated) {
		t.Errorf("after lowering: %v", err)
	}
	raised := lowered.Amend(after.Scope, noLimitBut(func(c *privacy.Clocks) { c.Epsilon = 11 }))
	if _, err := raised.Admit(loss(1, 0)); err != nil {
		t.Errorf("after raising: %v", err)
	}
}

func TestAllocationsAreChecked(t *testing.T) {
	of := open(t, KindRenyi, privacy.OneEpsilon, micro)
	for name, c := range map[string]struct {
		change func(a *Allocation)
		ok     bool
	}{
		"good":                   {func(*Allocation) {}, true},
		"more than the account":  {func(a *Allocation) { a.Caps.Epsilon = 5 * privacy.OneEpsilon }, true},
		"nothing at all":         {func(a *Allocation) { a.Caps = privacy.Clocks{} }, true},
		"a researcher by e-mail": {func(a *Allocation) { a.Scope.Researcher = "sg_lab/lee@example.org" }, true},
		"another account":        {func(a *Allocation) { a.Account = "kr_edu/teacher" }, false},
		"no name":                {func(a *Allocation) { a.Name = "" }, false},
		"an odd name":            {func(a *Allocation) { a.Name = "Maths gap" }, false},
		"no revision":            {func(a *Allocation) { a.Revision = 0 }, false},
		"negative clocks":        {func(a *Allocation) { a.Spent.Delta = -1 }, false},
		"nobody's":               {func(a *Allocation) { a.Scope = Scope{} }, false},
		"an odd project":         {func(a *Allocation) { a.Scope.Project = "a/b" }, false},
		"an odd organisation":    {func(a *Allocation) { a.Scope.Organisation = "a b" }, false},
		"no such researcher":     {func(a *Allocation) { a.Scope.Researcher = "lee" }, false},
		"a researcher in a path": {func(a *Allocation) { a.Scope.Researcher = "sg_lab/lee/x" }, false},
		"a long researcher":      {func(a *Allocation) { a.Scope.Researcher = "sg_lab/" + strings.Repeat("x", 250) }, false},
		"caps nothing":           {func(a *Allocation) { a.Caps.Epsilon = privacy.Unlimited }, false},
		"a negative cap":         {func(a *Allocation) { a.Caps.Epsilon = -1 }, false},
		"a clock that is not":    {func(a *Allocation) { a.Caps.Renyi[2] = 1 }, false},
	} {
		a := allocation()
		c.change(&a)
		if err := a.Validate(of); (err == nil) != c.ok || err != nil && !errors.Is(err, ErrAccount) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestAllocationsReadBack(t *testing.T) {
	a := allocation()
	a.Spent.Epsilon = privacy.Unlimited
	b, err := json.Marshal(a)
	if err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(string(b), `"caps":{"epsilon":"1e-11","renyi":["inf","inf"],"delta":"inf"}`) {
		t.Errorf("%s", b)
	}
	var back Allocation
	if err := json.Unmarshal(b, &back); err != nil || back != a {
		t.Errorf("%s → %+v, %v", b, back, err)
	}
}
