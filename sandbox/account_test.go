package sandbox_test

import (
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"entrepot/privacy"
	"entrepot/privacy/ledger"
	"entrepot/sandbox"
	"entrepot/sandbox/audit"
)

// lifetime is a pure budget of n questions of ε = 1/2, changed.
func lifetime(n int, change ...func(*sandbox.Budget)) sandbox.Budget {
	b := sandbox.Budget{Kind: ledger.KindPure, Epsilon: privacy.Epsilon(n) * half, Reason: "the board decided"}
	for _, f := range change {
		f(&b)
	}
	return b
}

func scheduled(steps ...ledger.Step) func(*sandbox.Budget) {
	return func(b *sandbox.Budget) { copy(b.Schedule[:], steps) }
}

func raised(b *sandbox.Budget) { b.NewPromise = true }

// amend changes the account of the pupils from the revision it has.
func (h *house) amend(b sandbox.Budget) sandbox.AccountInfo {
	h.t.Helper()
	a, err := h.AmendAccount(ctx, owner, "kr_edu", "pupil", h.pupils().Revision, b)
	must(h.t, err)
	return a
}

// exams asks one question of ε = 1/2 about the pupils.
func (h *house) exam(change ...func(*sandbox.Query)) (sandbox.Answer, error) {
	return h.Submit(ctx, researcher, ask(append([]func(*sandbox.Query){fresh, sql(exam)}, change...)...))
}

// TestAmendmentIsLogged: who changed an account, why, and both states; nothing where nothing changes.
func TestAmendmentIsLogged(t *testing.T) {
	h := pure(t, 3)
	before := h.pupils()
	largest := half
	change := lifetime(3, func(b *sandbox.Budget) { b.Question.Epsilon, b.Allowance = &largest, 5 })
	a, err := h.AmendAccount(ctx, owner, "kr_edu", "pupil", 1, change)
	must(t, err)
	if a.Revision != 2 || a.Question.Epsilon != half || a.FailureAllowance != 5 || a.Promises != 1 {
		t.Errorf("%+v", a)
	}
	list := logged[audit.Amendment](h, audit.KindAmendment)
	if len(list) != 1 || list[0].Reason != "the board decided" || list[0].Before != before || list[0].After != h.pupils() {
		t.Fatalf("%+v", list)
	}
	if e := h.entries(); e[len(e)-1].Actor != owner.ID {
		t.Errorf("%+v", e[len(e)-1])
	}
	h.unchanged(func() {
		for _, revision := range []int64{1, 2, 7} { // also a retry whose first answer was lost
			if a, err := h.AmendAccount(ctx, owner, "kr_edu", "pupil", revision, change); err != nil || a.Revision != 2 {
				t.Errorf("%+v %v", a, err)
			}
		}
		for name, test := range map[string]struct {
			code     sandbox.Code
			revision int64
			change   func(*sandbox.Budget)
		}{
			"an old revision":          {sandbox.CodePrecondition, 1, func(b *sandbox.Budget) { b.Allowance = 4 }},
			"no revision":              {sandbox.CodePrecondition, 0, func(b *sandbox.Budget) { b.Allowance = 4 }},
			"no reason":                {sandbox.CodeInvalid, 2, func(b *sandbox.Budget) { b.Allowance, b.Reason = 4, "" }},
			"a reason of lines":        {sandbox.CodeInvalid, 2, func(b *sandbox.Budget) { b.Allowance, b.Reason = 4, "a\nb" }},
			"a long reason":            {sandbox.CodeInvalid, 2, func(b *sandbox.Budget) { b.Allowance, b.Reason = 4, strings.Repeat("x", 2000) }},
			"no allowance that counts": {sandbox.CodeInvalid, 2, func(b *sandbox.Budget) { b.Allowance = 1000 }},
			"a schedule that falls": {sandbox.CodeInvalid, 2,
				scheduled(ledger.Step{From: 1, Share: privacy.OneShare}, ledger.Step{From: 2, Share: privacy.OneShare / 2})},
			"a limit on no clock": {sandbox.CodeInvalid, 2, func(b *sandbox.Budget) { b.Question.Renyi = []privacy.Renyi{1} }},
		} {
			_, err := h.AmendAccount(ctx, owner, "kr_edu", "pupil", test.revision, lifetime(3, test.change))
			if sandbox.AsErrorCode(err) != test.code {
				t.Errorf("%s: %v", name, err)
			}
		}
		_, err := h.AmendAccount(ctx, owner, "kr_edu", "none", 1, change)
		refused(t, err, sandbox.CodeNotFound)
	})
}

// TestNewPromise: more than the lifetime is one, said, logged and counted; less is never possible; the orders stay.
func TestNewPromise(t *testing.T) {
	h := examined(t, sandbox.Budget{Kind: ledger.KindRenyi, Epsilon: privacy.OneEpsilon, Delta: privacy.OneDelta / 1e6})
	budget := func(epsilon privacy.Epsilon, delta privacy.Delta, change ...func(*sandbox.Budget)) sandbox.Budget {
		return lifetime(0, append([]func(*sandbox.Budget){func(b *sandbox.Budget) { b.Kind, b.Epsilon, b.Delta = ledger.KindRenyi, epsilon, delta }}, change...)...)
	}
	old := h.pupils()
	h.unchanged(func() {
		for name, test := range map[string]struct {
			code   sandbox.Code
			hint   string
			budget sandbox.Budget
		}{
			"more ε, unsaid":   {sandbox.CodeConflict, "new_promise", budget(2*privacy.OneEpsilon, old.Promise.Delta)},
			"more δ, unsaid":   {sandbox.CodeConflict, "new_promise", budget(old.Promise.Epsilon, 2*old.Promise.Delta)},
			"less ε":           {sandbox.CodeConflict, "schedule", budget(privacy.OneEpsilon/2, old.Promise.Delta, raised)},
			"less δ":           {sandbox.CodeConflict, "schedule", budget(2*privacy.OneEpsilon, old.Promise.Delta/2, raised)},
			"another kind":     {sandbox.CodeConflict, "", budget(privacy.OneEpsilon, 0, func(b *sandbox.Budget) { b.Kind = ledger.KindPure })},
			"said, but not so": {sandbox.CodeInvalid, "", budget(privacy.OneEpsilon, old.Promise.Delta, raised, func(b *sandbox.Budget) { b.Allowance = 9 })},
			"other orders": {sandbox.CodeConflict, "", budget(2*privacy.OneEpsilon, old.Promise.Delta, raised, func(b *sandbox.Budget) {
				b.Orders = []sandbox.AccountOrder{{Order: 12_000, Delta: old.Promise.Delta / 2}}
			})},
		} {
			_, err := h.AmendAccount(ctx, owner, "kr_edu", "pupil", 1, test.budget)
			if e := sandbox.AsError(err); e.Code != test.code || !strings.Contains(e.Hint, test.hint) {
				t.Errorf("%s: %+v", name, e)
			}
		}
	})
	a := h.amend(budget(2*privacy.OneEpsilon, 2*old.Promise.Delta, raised))
	if a.Promises != 2 || a.Epsilon != 2*privacy.OneEpsilon || !old.Caps.Within(a.Caps) || a.Caps == old.Caps || h.pupils().Promise.Orders != old.Promise.Orders {
		t.Errorf("%+v", a)
	}
	if l := logged[audit.Amendment](h, audit.KindAmendment); len(l) != 1 || l[0].Before.Promise != old.Promise || l[0].After.Promises != 2 {
		t.Errorf("%+v", l)
	}
}

// TestOpenWithTerms: an account can have its terms, and orders of its owner's choice, from the start.
func TestOpenWithTerms(t *testing.T) {
	h := newHouse(t)
	b := sandbox.Budget{Kind: ledger.KindRenyi, Epsilon: privacy.OneEpsilon, Delta: 1000 * nano, Default: half, Allowance: 1,
		Orders: []sandbox.AccountOrder{{Order: 20_000, Delta: 100 * nano}, {Order: 40_000, Delta: 200 * nano}, {Order: 60_000, Delta: 300 * nano}}}
	a, err := h.OpenAccount(ctx, owner, "kr_edu", "pupil", b)
	must(t, err)
	if !slices.Equal(a.Orders, b.Orders) || a.Caps.Delta != 400*nano || a.DefaultEpsilon != half || a.FailureAllowance != 1 ||
		!slices.Equal(a.Holding, []string{"epsilon", "renyi_1", "renyi_2", "renyi_3", "delta"}) {
		t.Errorf("%+v", a)
	}
	h.unchanged(func() {
		b.Orders = append(b.Orders, b.Orders...)
		_, err = h.OpenAccount(ctx, owner, "kr_edu", "other", b)
		refused(t, err, sandbox.CodeInvalid)
	})
}

// TestMostOneQuestionMayCost: the refusal says what it is, clock by clock, and is logged; nothing is charged.
func TestMostOneQuestionMayCost(t *testing.T) {
	h := pure(t, 3)
	largest := privacy.OneEpsilon / 10
	h.amend(lifetime(3, func(b *sandbox.Budget) { b.Question.Epsilon = &largest }))
	_, err := h.exam()
	e := refused(t, err, sandbox.CodeExhausted)
	if !errors.Is(err, ledger.ErrQuestion) || !strings.Contains(e.Public, "ε 0.5 of at most 0.1") || e.Hint == "" {
		t.Errorf("%+v", e)
	}
	if d := logged[audit.Decision](h, audit.KindDecision); len(d) != 1 || d[0].Verdict != audit.VerdictExhausted || strings.Contains(d[0].Reason, "0.5") || d[0].Query != e.Query {
		t.Errorf("%+v", d)
	}
	_, err = h.exam(func(q *sandbox.Query) { q.Loss.Epsilon = largest })
	must(t, err)
	if spent := h.pupils().Spent; spent != (privacy.Clocks{Epsilon: largest}) {
		t.Errorf("%+v is spent", spent)
	}
}

// TestScheduleReleasesOverTime: nothing before its first step, then so much in all; a share below what is spent
// lets nothing more be spent and is no error.
func TestScheduleReleasesOverTime(t *testing.T) {
	h := pure(t, 4)
	day := func(n int) ledger.Instant { return ledger.Instant(h.now.Unix() + int64(n)*24*60*60) }
	first, second := day(1), day(2)
	h.amend(lifetime(4, scheduled(ledger.Step{From: first, Share: privacy.OneShare / 4}, ledger.Step{From: second, Share: privacy.OneShare / 2})))
	state := func(want sandbox.AccountState, room privacy.Epsilon) {
		t.Helper()
		a, err := h.Account(ctx, researcher, "kr_edu", "pupil")
		if err != nil || a.State != want || a.Room.Epsilon != room || a.Caps.Epsilon != 4*half {
			t.Errorf("%+v %v", a, err)
		}
	}
	exhausted := func() {
		t.Helper()
		_, err := h.exam()
		refused(t, err, sandbox.CodeExhausted)
	}
	state(sandbox.AccountExhausted, 0)
	exhausted()
	for range 2 {
		h.now = h.now.Add(24 * time.Hour)
		state(sandbox.AccountOpen, half)
		_, err := h.exam()
		must(t, err)
		state(sandbox.AccountExhausted, 0)
		exhausted()
	}
	a := h.amend(lifetime(4, scheduled(ledger.Step{From: first, Share: privacy.OneShare / 8})))
	if a.State != sandbox.AccountExhausted || a.Limits.Epsilon != half/2 || a.Spent.Epsilon != 2*half {
		t.Errorf("%+v", a)
	}
	exhausted()
	h.amend(lifetime(4))
	state(sandbox.AccountOpen, 2*half)
	_, err := h.exam()
	must(t, err)
}

// TestThaw: a larger allowance opens an account that its failures froze; what was charged stays charged.
func TestThaw(t *testing.T) {
	h := pure(t, 9)
	works := h.engine.collect
	h.engine.collect = faults()[0].collect
	for range 3 {
		_, err := h.exam()
		refused(t, err, sandbox.CodeQueryFailed)
	}
	h.engine.collect = works
	_, err := h.exam()
	refused(t, err, sandbox.CodeFrozen)
	if a, err := h.Account(ctx, owner, "kr_edu", "pupil"); err != nil || a.State != sandbox.AccountFrozen || a.Failures != 3 {
		t.Errorf("%+v %v", a, err)
	}
	a := h.amend(lifetime(9, func(b *sandbox.Budget) { b.Allowance = 4 }))
	if a.State != sandbox.AccountOpen || a.Failures != 3 || a.Spent.Epsilon != 3*half {
		t.Errorf("%+v", a)
	}
	_, err = h.exam()
	must(t, err)
}

// TestDefaultLoss: a question that names none costs the smallest default of the accounts that it touches, all of
// which must have one.
func TestDefaultLoss(t *testing.T) {
	h := pure(t, 9)
	none := func(q *sandbox.Query) { q.Loss = privacy.Loss{} }
	_, err := h.exam(none)
	if e := refused(t, err, sandbox.CodeInvalid); !strings.Contains(e.Public, "kr_edu/pupil") || !strings.Contains(e.Hint, "epsilon") {
		t.Errorf("%+v", e)
	}
	h.amend(lifetime(9, func(b *sandbox.Budget) { b.Default = privacy.OneEpsilon / 10 }))
	a, err := h.exam(none)
	if err != nil || a.Charged[0].Epsilon != privacy.OneEpsilon/10 {
		t.Errorf("%+v %v", a, err)
	}
	both := sql("SELECT COUNT(*) AS n FROM (SELECT gender FROM kr_edu.students UNION ALL SELECT gender FROM kr_edu.exams) AS t")
	_, err = h.exam(none, both)
	if e := refused(t, err, sandbox.CodeInvalid); !strings.Contains(e.Public, "kr_edu/student ") {
		t.Errorf("%+v", e)
	}
	_, err = h.AmendAccount(ctx, owner, "kr_edu", "student", 1, sandbox.Budget{Kind: ledger.KindRenyi, Epsilon: 20 * privacy.OneEpsilon,
		Delta: privacy.OneDelta / 1e6, Default: privacy.OneEpsilon / 5, Reason: "smaller questions"})
	must(t, err)
	a, err = h.exam(none, both)
	if err != nil || len(a.Charged) != 2 || a.Charged[0].Epsilon != privacy.OneEpsilon/10 || a.Charged[1].Epsilon != privacy.OneEpsilon/10 {
		t.Errorf("%+v %v", a, err)
	}
}

// TestForecast carries the last 30 days on, and follows the schedule.
func TestForecast(t *testing.T) {
	h := pure(t, 4)
	forecast := func() sandbox.Forecast {
		t.Helper()
		a, err := h.Account(ctx, researcher, "kr_edu", "pupil")
		must(t, err)
		return a.Forecast
	}
	if f := forecast(); f.Until != nil || f.DeltaUntil != nil || f.Spent != (privacy.Clocks{}) {
		t.Errorf("nothing was spent: %+v", f)
	}
	asked := h.now
	_, err := h.exam()
	must(t, err)
	after := func(days int) ledger.Instant { return ledger.Instant(asked.Unix() + int64(days)*24*60*60) }
	if f := forecast(); f.Until == nil || *f.Until != after(90) || f.Days != 30 || f.Spent.Epsilon != half {
		t.Errorf("three times as much is left as was spent in 30 days: %+v", f)
	}
	half := privacy.OneShare / 2
	h.amend(lifetime(4, scheduled(ledger.Step{From: after(0), Share: half}, ledger.Step{From: after(60), Share: privacy.OneShare})))
	if f := forecast(); f.Until == nil || *f.Until != after(30) {
		t.Errorf("half of it lasts 30 days, and the rest comes too late: %+v", f)
	}
	h.amend(lifetime(4, scheduled(ledger.Step{From: after(0), Share: half}, ledger.Step{From: after(10), Share: privacy.OneShare})))
	if f := forecast(); f.Until == nil || *f.Until != after(90) {
		t.Errorf("the rest comes in time: %+v", f)
	}
	h.now = asked.Add(31 * 24 * time.Hour)
	if f := forecast(); f.Until != nil || f.Spent != (privacy.Clocks{}) {
		t.Errorf("nothing was spent in the last 30 days: %+v", f)
	}
}

// TestForecastOfTheKindestClock: small questions are borne by a Rényi clock long after Σε has ended, and Σδ is
// forecast by itself.
func TestForecastOfTheKindestClock(t *testing.T) {
	h := small(t)
	h.take(5, privacy.Loss{Epsilon: privacy.OneEpsilon / 100})
	a, err := h.Account(ctx, owner, "kr_edu", "pupil")
	must(t, err)
	basic := ledger.Instant(h.now.Unix() + 95/5*30*24*60*60)
	if f := a.Forecast; f.Until == nil || *f.Until < basic+30*24*60*60 || f.DeltaUntil != nil {
		t.Errorf("%+v, Σε alone lasts until %v", f, basic.Time())
	}
	h.take(1, privacy.Loss{Epsilon: privacy.OneEpsilon / 100, Delta: a.Room.Delta / 2})
	if a, err = h.Account(ctx, owner, "kr_edu", "pupil"); err != nil || a.Forecast.DeltaUntil == nil ||
		a.Forecast.DeltaUntil.Time().Sub(h.now).Round(time.Hour) != 30*24*time.Hour {
		t.Errorf("%+v %v", a.Forecast, err)
	}
}

// TestOwnersReadTheirChanges: the entries about an account are its owner's to read, and no other owner's.
func TestOwnersReadTheirChanges(t *testing.T) {
	h := pure(t, 3)
	h.amend(lifetime(3, func(b *sandbox.Budget) { b.Allowance = 5 }))
	_, err := h.PutAllocation(ctx, owner, "kr_edu", "pupil", "lab", 0, capped("lab_sg", half))
	must(t, err)
	must(t, h.DeleteAllocation(ctx, owner, "kr_edu", "pupil", "lab", 1, "it ended"))
	colleague := principal("kr_edu/own", "owner")
	for p, want := range map[string]int{colleague.ID: 3, foreigner.ID: 0} {
		reader := colleague
		if p == foreigner.ID {
			reader = foreigner
		}
		list, _, err := h.Entries(ctx, reader, 0, 1000)
		must(t, err)
		got := 0
		for _, e := range list {
			if e.Kind == audit.KindAmendment || e.Kind == audit.KindAllocation {
				got++
			}
		}
		if got != want {
			t.Errorf("%s reads %d, want %d", p, got, want)
		}
	}
}
