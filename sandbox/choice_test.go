package sandbox_test

import (
	"strings"
	"testing"

	"entrepot/privacy"
	"entrepot/privacy/ledger"
	"entrepot/sandbox"
	"entrepot/sandbox/audit"
)

const (
	nano = privacy.OneDelta / 1e9
	exam = "SELECT COUNT(*) AS n FROM kr_edu.exams"
)

// small is a house whose exams have the account (1, 1e-6), under a policy without a limit.
func small(t *testing.T) *house {
	t.Helper()
	h := examined(t, sandbox.Budget{Kind: ledger.KindRenyi, Epsilon: privacy.OneEpsilon, Delta: 1000 * nano})
	h.putPolicy(exams, boundless)
	return h
}

// take charges a loss to the account of the exams, n times.
func (h *house) take(n int, loss privacy.Loss) {
	h.t.Helper()
	text := "SELECT gender, COUNT(*) FROM kr_edu.exams GROUP BY gender"
	if loss.Delta > 0 {
		text = "SELECT town, COUNT(*) FROM kr_edu.exams GROUP BY town"
	}
	for range n {
		_, err := h.Submit(ctx, researcher, ask(fresh, sql(text), spend(loss), func(q *sandbox.Query) { q.Bounds.MaxPartitions = 1 }))
		must(h.t, err)
	}
}

// What ends a clock of small, or nearly does, and leaves Σd running.
func (h *house) endEpsilon() { h.take(1, privacy.Loss{Rho: rho / 50, Mechanism: privacy.Gaussian}) }
func (h *house) endDelta() {
	h.take(1, privacy.Loss{Epsilon: privacy.OneEpsilon / 100, Delta: h.pupils().Room(h.now).Delta})
}
func (h *house) leaveEpsilon(room privacy.Epsilon) {
	part := privacy.OneEpsilon / 100
	for h.pupils().Room(h.now).Epsilon-part >= room {
		h.take(1, privacy.Loss{Epsilon: part})
	}
	if left := h.pupils().Room(h.now); left.Epsilon != room || left.Renyi[0] == 0 {
		h.t.Fatalf("%+v is left", left)
	}
}

// TestChoiceLooksAtTheAccount: Gaussian noise is chosen only where the account admits it, and where Σε can pay for
// it or cannot pay for Laplace noise either.
func TestChoiceLooksAtTheAccount(t *testing.T) {
	plain := privacy.Loss{Rho: rho / 5}                             // 0.001: Laplace noise costs Σε 0.045
	finite := privacy.Loss{Rho: rho / 5, GaussianDelta: 100 * nano} // and Gaussian noise 0.24
	for _, test := range []struct {
		name  string
		spend func(h *house)
		loss  privacy.Loss
		want  string
	}{
		{"nothing is used up", func(*house) {}, plain, "laplace"},
		{"nothing is used up, with a δ", func(*house) {}, finite, "gaussian"},
		{"Σε is used up", (*house).endEpsilon, plain, "gaussian"},
		{"Σε is used up, with a δ", (*house).endEpsilon, finite, "gaussian"},
		{"Σε and Σδ are used up", func(h *house) { h.endEpsilon(); h.endDelta() }, plain, "laplace"},
		{"Σδ is used up", (*house).endDelta, finite, "laplace"},
		{"Σε holds Laplace noise alone", func(h *house) { h.leaveEpsilon(privacy.OneEpsilon / 10) }, finite, "laplace"},
		{"Σε holds neither", func(h *house) { h.leaveEpsilon(privacy.OneEpsilon / 50) }, finite, "gaussian"},
	} {
		t.Run(test.name, func(t *testing.T) {
			h := small(t)
			test.spend(h)
			q := ask(fresh, sql(exam), spend(test.loss))
			e, err := h.Estimate(ctx, researcher, q)
			must(t, err)
			before := h.pupils().Room(h.now)
			a, err := h.Submit(ctx, researcher, q)
			must(t, err)
			if mechanism(t, a) != test.want || e.Charged[0].Charge != a.Charged[0] || !e.Charged[0].Admitted {
				t.Errorf("%+v, estimated as %+v, in room for %+v", a.Charged, e.Charged, before)
			}
		})
	}
}

// TestChoiceLooksAtEveryAccount: one of two is enough for Laplace noise.
func TestChoiceLooksAtEveryAccount(t *testing.T) {
	h := small(t)
	both := ask(fresh, sql("SELECT COUNT(*) AS n FROM (SELECT gender FROM kr_edu.students UNION ALL SELECT gender FROM kr_edu.exams) AS t"),
		spend(privacy.Loss{Rho: rho / 5, GaussianDelta: 100 * nano}))
	asked := func(want string) {
		a, err := h.Submit(ctx, researcher, both)
		must(t, err)
		if mechanism(t, a) != want || len(a.Charged) != 2 {
			t.Errorf("%+v, want %s", a, want)
		}
	}
	asked("gaussian")
	h.leaveEpsilon(h.pupils().Room(h.now).Epsilon%(privacy.OneEpsilon/100) + privacy.OneEpsilon/10)
	asked("laplace")
}

// TestNeitherIsAdmitted: then the refusal is that of Laplace noise, which asks for less.
func TestNeitherIsAdmitted(t *testing.T) {
	h := small(t)
	h.endEpsilon()
	room := func() privacy.Renyi { d := h.pupils().Room(h.now).Renyi; return max(d[0], d[1]) }
	for room() > privacy.Renyi(2e10) {
		h.take(1, privacy.Loss{Epsilon: privacy.OneEpsilon / 50})
	}
	_, err := h.Submit(ctx, researcher, ask(sql(exam), spend(privacy.Loss{Rho: rho, GaussianDelta: 900 * nano}))) // more δ than the account ever bears
	if e := refused(t, err, sandbox.CodeExhausted); strings.Contains(e.Public, "δ") {
		t.Errorf("%+v", e)
	}
}

// TestRepeatOutlivesTheChoice: an answer is given again though another mechanism would be chosen today, if the
// policies allow it at its price.
func TestRepeatOutlivesTheChoice(t *testing.T) {
	h := small(t)
	ada := func(q sandbox.Query) (sandbox.Answer, error) { return h.Submit(ctx, researcher, q) }
	asked := func(want string, q sandbox.Query) sandbox.Answer {
		t.Helper()
		a, err := h.Submit(ctx, researcher, q)
		must(t, err)
		if a.Repeat || mechanism(t, a) != want {
			t.Errorf("%+v, want it new and %s", a, want)
		}
		return a
	}
	others := sql(exam + " WHERE math > 1")
	plain, finite := ask(sql(exam), spend(privacy.Loss{Rho: rho / 5})), ask(others, spend(privacy.Loss{Rho: rho / 4, GaussianDelta: 100 * nano}))
	laplace, gaussian := asked("laplace", plain), asked("gaussian", finite)
	h.endEpsilon()
	h.repeats(laplace, ada, plain)
	h.endDelta()
	h.repeats(gaussian, ada, finite)
	h.repeats(gaussian, ada, ask(others, spend(privacy.Loss{Rho: rho / 4, GaussianDelta: 10 * nano})))
	h.putPolicy(exams, policyDoc)                                            // whose limit is not for Gaussian noise of an infinite price
	h.repeats(gaussian, ada, ask(others, spend(privacy.Loss{Rho: rho / 4}))) // better than the Laplace noise that is allowed
	h.repeats(gaussian, ada, finite)                                         // at a finite price it is allowed itself
	asked("laplace", ask(fresh, others, spend(privacy.Loss{Rho: rho / 4, GaussianDelta: 100 * nano})))
}

// TestRepeatWhereTheChoiceIsDenied: Laplace noise over many groups costs Σε more than Gaussian noise. Where a policy
// allows only the latter, and the account admits it no more, what it answered stays free.
func TestRepeatWhereTheChoiceIsDenied(t *testing.T) {
	h := newHouse(t)
	h.putDataset("exams", strings.Replace(studentsWithin("kr_edu/pupil"), `"max_rows_per_unit": 4`, `"max_rows_per_unit": 400`, 1))
	h.register(exams, table)
	h.putPolicy(exams, strings.Replace(policyDoc, `"max_epsilon_per_query": 1`, `"max_epsilon_per_query": "0.8"`, 1))
	_, err := h.OpenAccount(ctx, owner, "kr_edu", "pupil", sandbox.Budget{Kind: ledger.KindRenyi, Epsilon: 20 * privacy.OneEpsilon, Delta: 1000 * nano})
	must(t, err)
	q := ask(sql("SELECT town, COUNT(*) AS n FROM kr_edu.exams GROUP BY town"),
		func(q *sandbox.Query) { q.Bounds.MaxPartitions, q.Bounds.MaxRowsPerPartition = 200, 1 },
		spend(privacy.Loss{Rho: rho / 5, Delta: 10 * nano, GaussianDelta: 100 * nano}))
	a, err := h.Submit(ctx, researcher, q)
	must(t, err)
	if mechanism(t, a) != "gaussian" {
		t.Fatalf("%+v", a)
	}
	h.endDelta()
	h.repeats(a, func(q sandbox.Query) (sandbox.Answer, error) { return h.Submit(ctx, researcher, q) }, q)
	q.Fresh = true
	before := len(logged[audit.Decision](h, audit.KindDecision))
	_, err = h.Submit(ctx, researcher, q)
	refused(t, err, sandbox.CodeDenied)
	if n := len(logged[audit.Decision](h, audit.KindDecision)); n != before+1 {
		t.Errorf("%d decisions after %d", n, before)
	}
}
