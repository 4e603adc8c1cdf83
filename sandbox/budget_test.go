package sandbox_test

import (
	"errors"
	"testing"

	"entrepot/privacy"
	"entrepot/privacy/ledger"
	"entrepot/sandbox"
	"entrepot/sandbox/audit"
)

// pure is a house whose account holds exactly n questions of ε = 1/2.
func pure(t *testing.T, n int) *house {
	t.Helper()
	return examined(t, sandbox.Budget{Kind: ledger.KindPure, Epsilon: privacy.Epsilon(n) * half})
}

// examined is a house whose exams are about people with a budget of their own.
func examined(t *testing.T, b sandbox.Budget) *house {
	t.Helper()
	h := newHouse(t)
	h.putDataset("exams", studentsWithin("kr_edu/pupil"))
	h.register(exams, table)
	h.putPolicy(exams, policyDoc)
	_, err := h.OpenAccount(ctx, owner, "kr_edu", "pupil", b)
	must(t, err)
	return h
}

func (h *house) pupils() ledger.Account {
	h.t.Helper()
	list, err := h.store.Accounts(ctx)
	must(h.t, err)
	return list[0] // kr_edu/pupil, before kr_edu/student
}

// TestBudgetIsAPromise: an account is opened once; the same numbers again change nothing, others are a
// conflict.
func TestBudgetIsAPromise(t *testing.T) {
	h := newHouse(t)
	same := sandbox.Budget{Kind: ledger.KindRenyi, Epsilon: 20 * privacy.OneEpsilon, Delta: privacy.OneDelta / 1e6}
	_, err := h.Submit(ctx, researcher, ask())
	must(t, err)
	h.unchanged(func() {
		a, err := h.OpenAccount(ctx, owner, "kr_edu", "student", same)
		if err != nil || a.Revision != 1 || a.Spent != h.account().Spent || a.Spent.Epsilon != half {
			t.Errorf("%+v %v", a, err)
		}
		for name, test := range map[string]struct {
			code  sandbox.Code
			other sandbox.Budget
		}{
			"more ε":       {sandbox.CodePrecondition, sandbox.Budget{Kind: same.Kind, Epsilon: same.Epsilon + 1, Delta: same.Delta}},
			"less ε":       {sandbox.CodeConflict, sandbox.Budget{Kind: same.Kind, Epsilon: same.Epsilon - 1, Delta: same.Delta}},
			"more δ":       {sandbox.CodePrecondition, sandbox.Budget{Kind: same.Kind, Epsilon: same.Epsilon, Delta: same.Delta + 1}},
			"less δ":       {sandbox.CodeConflict, sandbox.Budget{Kind: same.Kind, Epsilon: same.Epsilon, Delta: same.Delta - 1}},
			"another kind": {sandbox.CodeConflict, sandbox.Budget{Kind: ledger.KindPure, Epsilon: same.Epsilon}},
		} {
			_, err := h.OpenAccount(ctx, owner, "kr_edu", "student", test.other)
			if e := refused(t, err, test.code); e.Hint == "" {
				t.Errorf("%s: %+v", name, e)
			}
		}
		for name, bad := range map[string]sandbox.Budget{
			"no ε": {Kind: same.Kind, Delta: same.Delta}, "ε below 0": {Kind: same.Kind, Epsilon: -1, Delta: same.Delta},
			"no δ": {Kind: same.Kind, Epsilon: same.Epsilon}, "δ of 1": {Kind: same.Kind, Epsilon: same.Epsilon, Delta: privacy.OneDelta},
			"pure with δ": {Kind: ledger.KindPure, Epsilon: same.Epsilon, Delta: 1}, "no kind": {Epsilon: same.Epsilon, Delta: same.Delta},
			"too much ε": {Kind: same.Kind, Epsilon: privacy.MaxLifetimeEpsilon + 1, Delta: same.Delta},
		} {
			for _, space := range []string{"student", "pupil"} {
				if _, err := h.OpenAccount(ctx, owner, "kr_edu", space, bad); sandbox.AsErrorCode(err) != sandbox.CodeInvalid {
					t.Errorf("%s: %v", name, err)
				}
			}
		}
		_, err = h.OpenAccount(ctx, owner, "kr_edu", "Not a name", same)
		refused(t, err, sandbox.CodeInvalid)
	})
}

// TestExhaustion is exact: the last charge that fits is made, and not the smallest one after it.
func TestExhaustion(t *testing.T) {
	h := pure(t, 3)
	count := sql("SELECT COUNT(*) FROM kr_edu.exams")
	for range 3 {
		_, err := h.Submit(ctx, researcher, ask(count, fresh))
		must(t, err)
	}
	full := h.pupils()
	if full.Spent != (privacy.Clocks{Epsilon: 3 * half}) || full.Room(h.now) != (privacy.Clocks{}) {
		t.Errorf("%+v", full)
	}
	calls := h.engine.calls.Load()
	for i, epsilon := range []privacy.Epsilon{half, privacy.OneEpsilon / 1000} {
		smaller := func(q *sandbox.Query) { q.Loss.Epsilon = epsilon }
		before := len(h.entries())
		_, err := h.Submit(ctx, researcher, ask(count, fresh, smaller))
		e := refused(t, err, sandbox.CodeExhausted)
		if e.Hint == "" || !errors.Is(err, ledger.ErrExhausted) {
			t.Errorf("%+v", e)
		}
		decisions := logged[audit.Decision](h, audit.KindDecision)
		if len(decisions) != i+1 || len(h.entries()) != before+1 {
			t.Fatalf("%+v", decisions)
		}
		d := decisions[i]
		if d.Verdict != audit.VerdictExhausted || d.Query != e.Query || d.Rule != "research" || d.Reason != e.Public || d.Spaces[0] != "kr_edu/pupil" {
			t.Errorf("%+v", d)
		}
		estimate, err := h.Estimate(ctx, researcher, ask(count, smaller))
		if err != nil || estimate.Charged[0].Admitted {
			t.Errorf("%+v %v", estimate, err)
		}
	}
	if h.pupils() != full || h.engine.calls.Load() != calls {
		t.Errorf("a refusal was charged or asked: %+v", h.pupils())
	}
	again, err := h.Submit(ctx, researcher, ask(count))
	if err != nil || !again.Repeat {
		t.Errorf("a repeat is free: %+v %v", again, err)
	}
}

// TestOneMoreThanRoom: a charge that is larger than what is left is refused whole, and a smaller one fits.
func TestOneMoreThanRoom(t *testing.T) {
	h := pure(t, 1)
	loss := func(e privacy.Epsilon) func(*sandbox.Query) {
		return func(q *sandbox.Query) {
			q.SQL, q.Loss.Epsilon, q.Fresh = "SELECT COUNT(*) FROM kr_edu.exams", e, true
		}
	}
	_, err := h.Submit(ctx, researcher, ask(loss(half+1)))
	refused(t, err, sandbox.CodeExhausted)
	if spent := h.pupils().Spent; spent != (privacy.Clocks{}) {
		t.Errorf("%+v is spent", spent)
	}
	_, err = h.Submit(ctx, researcher, ask(loss(half)))
	must(t, err)
}

// TestPureAccountSelectsNoGroups: its δ is 0.
func TestPureAccountSelectsNoGroups(t *testing.T) {
	h := pure(t, 4)
	_, err := h.Submit(ctx, researcher, ask(sql("SELECT town, COUNT(*) FROM kr_edu.exams GROUP BY town"),
		func(q *sandbox.Query) { q.Loss.Delta = privacy.OneDelta / 1e8 }))
	refused(t, err, sandbox.CodeExhausted)
	if spent := h.pupils().Spent; spent != (privacy.Clocks{}) {
		t.Errorf("%+v is spent", spent)
	}
}

// TestNoAccount: no budget, no question.
func TestNoAccount(t *testing.T) {
	h := newHouse(t)
	h.putDataset("exams", studentsWithin("kr_edu/pupil"))
	h.register(exams, table)
	h.putPolicy(exams, policyDoc)
	_, err := h.Submit(ctx, researcher, ask(sql("SELECT COUNT(*) FROM kr_edu.exams")))
	if e := refused(t, err, sandbox.CodeExhausted); e.Hint == "" {
		t.Errorf("%+v", e)
	}
	e, err := h.Estimate(ctx, researcher, ask(sql("SELECT COUNT(*) FROM kr_edu.exams")))
	if must(t, err); e.Admitted || e.Charged[0].Refused != "account" || e.Charged[0].Epsilon != half {
		t.Errorf("%+v", e.Charged)
	}
	if n := h.engine.calls.Load(); n != 0 {
		t.Errorf("the engine collected %d times", n)
	}
	h.tally(0, 0, 0)
}
