package sandbox_test

import (
	"errors"
	"strings"
	"testing"

	"entrepot/access"
	"entrepot/privacy"
	"entrepot/privacy/ledger"
	"entrepot/sandbox"
	"entrepot/sandbox/audit"
)

// capped is an allocation to an organisation.
func capped(organisation string, epsilon privacy.Epsilon) sandbox.AllocationChange {
	return allocated(ledger.Scope{Organisation: organisation}, epsilon)
}

func allocated(scope ledger.Scope, epsilon privacy.Epsilon) sandbox.AllocationChange {
	return sandbox.AllocationChange{Scope: scope, Caps: sandbox.Limits{Epsilon: &epsilon}, Reason: "their first year"}
}

// allocate makes or changes an allocation of the pupils.
func (h *house) allocate(name string, revision int64, c sandbox.AllocationChange) sandbox.AllocationInfo {
	h.t.Helper()
	a, err := h.PutAllocation(ctx, owner, "kr_edu", "pupil", name, revision, c)
	must(h.t, err)
	return a
}

// TestAllocationHolds to the last charge that fits it, whatever the account has left, and until its owner raises it.
func TestAllocationHolds(t *testing.T) {
	h := pure(t, 9)
	a := h.allocate("lab", 0, capped("lab_sg", 2*half))
	if a.Revision != 1 || a.State != sandbox.AllocationOpen || a.Left.Epsilon != 2*half {
		t.Errorf("%+v", a)
	}
	for range 2 {
		_, err := h.exam()
		must(t, err)
	}
	_, err := h.exam()
	e := refused(t, err, sandbox.CodeExhausted)
	if !errors.Is(err, ledger.ErrAllocated) || !strings.Contains(e.Public, "allocation lab of kr_edu/pupil") || !strings.Contains(e.Public, "ε 0.5 of at most 0") || e.Hint == "" {
		t.Errorf("%+v", e)
	}
	d := logged[audit.Decision](h, audit.KindDecision)
	if len(d) != 1 || d[0].Verdict != audit.VerdictExhausted || strings.Contains(d[0].Reason, "lab") || d[0].Query != e.Query {
		t.Errorf("%+v", d)
	}
	if again, err := h.Submit(ctx, researcher, ask(sql(exam))); err != nil || !again.Repeat {
		t.Errorf("a repeat is free: %+v %v", again, err)
	}
	if a := h.allocate("lab", 1, capped("lab_sg", 3*half)); a.Revision != 2 || a.Spent.Epsilon != 2*half {
		t.Errorf("%+v", a)
	}
	_, err = h.exam()
	must(t, err)
	if a := h.allocate("lab", 2, capped("lab_sg", half)); a.State != sandbox.AllocationExhausted || a.Left.Epsilon != 0 || a.Spent.Epsilon != 3*half {
		t.Errorf("below what is spent: %+v", a)
	}
	_, err = h.exam()
	refused(t, err, sandbox.CodeExhausted)
	must(t, h.DeleteAllocation(ctx, owner, "kr_edu", "pupil", "lab", 3, "it ended"))
	_, err = h.exam()
	must(t, err)
	if l := logged[audit.Allocation](h, audit.KindAllocation); len(l) != 4 || l[0].Before != nil || l[3].After != nil || l[1].Reason != "their first year" {
		t.Errorf("%+v", l)
	}
}

// TestNestedAllocations: a question must fit every allocation that covers who asks it, and no other.
func TestNestedAllocations(t *testing.T) {
	h := pure(t, 9)
	h.allocate("lab", 0, capped("lab_sg", 3*half))
	h.allocate("ada", 0, allocated(ledger.Scope{Organisation: "lab_sg", Researcher: "lab_sg/ada"}, half))
	h.allocate("project", 0, allocated(ledger.Scope{Project: "gap"}, 8*half))
	h.allocate("clinic", 0, capped("clinic", 0))
	asks := func(p access.Principal, refusal string) {
		t.Helper()
		_, err := h.Submit(ctx, p, ask(fresh, sql(exam)))
		if refusal == "" {
			must(t, err)
			return
		}
		if e := refused(t, err, sandbox.CodeExhausted); !strings.Contains(e.Public, "allocation "+refusal+" of") {
			t.Errorf("%+v", e)
		}
	}
	asks(researcher, "")
	asks(researcher, "ada")
	asks(peer, "")
	asks(peer, "")
	asks(peer, "lab")
	left := map[string]privacy.Epsilon{}
	a, err := h.Account(ctx, owner, "kr_edu", "pupil")
	must(t, err)
	for _, x := range a.Allocations {
		left[x.Name] = x.Left.Epsilon
	}
	if left["lab"] != 0 || left["ada"] != 0 || left["project"] != 5*half || left["clinic"] != 0 || len(left) != 4 {
		t.Errorf("%v", left)
	}
	if a.Spent.Epsilon != 3*half {
		t.Errorf("%+v", a)
	}
}

// TestAllocationsAreShown to those whose questions count in them, and all of them to owners and overseers.
func TestAllocationsAreShown(t *testing.T) {
	h := pure(t, 4)
	h.allocate("ada", 0, allocated(ledger.Scope{Researcher: "lab_sg/ada"}, half))
	h.allocate("clinic", 0, capped("clinic", 9*half))
	h.allocate("gap", 0, allocated(ledger.Scope{Project: "gap", Organisation: "lab_sg"}, 2*half))
	for p, want := range map[string]string{researcher.ID: "ada gap", peer.ID: "gap", owner.ID: "ada clinic gap", regulator.ID: "ada clinic gap"} {
		who := map[string]access.Principal{researcher.ID: researcher, peer.ID: peer, owner.ID: owner, regulator.ID: regulator}[p]
		a, err := h.Account(ctx, who, "kr_edu", "pupil")
		must(t, err)
		var names []string
		for _, x := range a.Allocations {
			names = append(names, x.Name)
			if got, err := h.Allocation(ctx, who, "kr_edu", "pupil", x.Name); err != nil || got != x {
				t.Errorf("%s: %+v %v", p, got, err)
			}
		}
		if got := strings.Join(names, " "); got != want || (a.OverAllocated != nil) != (len(names) == 3) {
			t.Errorf("%s sees %s, %v", p, got, a.OverAllocated)
		}
	}
	for _, name := range []string{"clinic", "absent"} {
		_, err := h.Allocation(ctx, researcher, "kr_edu", "pupil", name)
		if e := refused(t, err, sandbox.CodeNotFound); strings.Contains(e.Public, name) {
			t.Errorf("%+v", e)
		}
	}
}

// TestOverAllocation is visible: what allocations may still spend, those within others not counted beside them.
func TestOverAllocation(t *testing.T) {
	h := pure(t, 4)
	over := func(sum, over privacy.Epsilon) {
		t.Helper()
		a, err := h.Account(ctx, owner, "kr_edu", "pupil")
		if err != nil || *a.Allocated != (privacy.Clocks{Epsilon: sum}) || *a.OverAllocated != (privacy.Clocks{Epsilon: over}) {
			t.Errorf("%+v, %+v %v; want %s, %s", a.Allocated, a.OverAllocated, err, sum, over)
		}
	}
	over(0, 0)
	h.allocate("lab", 0, capped("lab_sg", 3*half))
	over(3*half, 0)
	h.allocate("ada", 0, allocated(ledger.Scope{Researcher: "lab_sg/ada"}, 2*half))
	over(3*half, 0)
	h.allocate("gap", 0, allocated(ledger.Scope{Project: "gap"}, 3*half))
	over(6*half, 2*half)
	_, err := h.exam() // counts in all three
	must(t, err)
	over(4*half, half)
	h.allocate("twice", 0, capped("lab_sg", half))
	over(3*half, 0)
}

// TestAllocationRefusals change nothing and say why.
func TestAllocationRefusals(t *testing.T) {
	h := pure(t, 4)
	h.allocate("lab", 0, capped("lab_sg", half))
	h.unchanged(func() {
		if a := h.allocate("lab", 7, capped("lab_sg", half)); a.Revision != 1 {
			t.Errorf("the same again: %+v", a)
		}
		for name, test := range map[string]struct {
			code     sandbox.Code
			name     string
			revision int64
			change   sandbox.AllocationChange
		}{
			"an old revision":        {sandbox.CodePrecondition, "lab", 0, capped("lab_sg", 2*half)},
			"a revision of none":     {sandbox.CodePrecondition, "new", 1, capped("lab_sg", half)},
			"no reason":              {sandbox.CodeInvalid, "new", 0, sandbox.AllocationChange{Scope: ledger.Scope{Project: "gap"}, Caps: capped("", half).Caps}},
			"nobody's":               {sandbox.CodeInvalid, "new", 0, allocated(ledger.Scope{}, half)},
			"no cap":                 {sandbox.CodeInvalid, "new", 0, sandbox.AllocationChange{Scope: ledger.Scope{Project: "gap"}, Reason: "why"}},
			"a name with capitals":   {sandbox.CodeInvalid, "New", 0, capped("lab_sg", half)},
			"an unknown project":     {sandbox.CodeInvalid, "new", 0, allocated(ledger.Scope{Project: "none"}, half)},
			"an unknown partner":     {sandbox.CodeInvalid, "new", 0, capped("other", half)},
			"a partner's stranger":   {sandbox.CodeInvalid, "new", 0, allocated(ledger.Scope{Researcher: "other/eve"}, half)},
			"a researcher elsewhere": {sandbox.CodeInvalid, "new", 0, allocated(ledger.Scope{Organisation: "clinic", Researcher: "lab_sg/ada"}, half)},
			"a clock there is not": {sandbox.CodeInvalid, "new", 0,
				sandbox.AllocationChange{Scope: ledger.Scope{Project: "gap"}, Caps: sandbox.Limits{Renyi: []privacy.Renyi{1}}, Reason: "why"}},
		} {
			_, err := h.PutAllocation(ctx, owner, "kr_edu", "pupil", test.name, test.revision, test.change)
			if sandbox.AsErrorCode(err) != test.code {
				t.Errorf("%s: %v", name, err)
			}
		}
		_, err := h.PutAllocation(ctx, owner, "kr_edu", "none", "lab", 0, capped("lab_sg", half))
		refused(t, err, sandbox.CodeNotFound)
		refused(t, h.DeleteAllocation(ctx, owner, "kr_edu", "pupil", "none", 1, "why"), sandbox.CodeNotFound)
		refused(t, h.DeleteAllocation(ctx, owner, "kr_edu", "pupil", "lab", 2, "why"), sandbox.CodePrecondition)
		refused(t, h.DeleteAllocation(ctx, owner, "kr_edu", "pupil", "lab", 1, ""), sandbox.CodeInvalid)
	})
}
