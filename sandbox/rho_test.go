package sandbox_test

import (
	"math"
	"strings"
	"testing"

	"entrepot/privacy"
	"entrepot/sandbox"
	"entrepot/sandbox/audit"
)

const (
	infinite = privacy.Epsilon(math.MaxInt64)
	rho      = privacy.Rho(5e9) // 0.005
)

var boundless = strings.Replace(policyDoc, `, "max_epsilon_per_query": 1`, "", 1)

// spend asks for a loss.
func spend(loss privacy.Loss) func(*sandbox.Query) { return func(q *sandbox.Query) { q.Loss = loss } }

func weights(w map[string]int64) func(*sandbox.Query) {
	return func(q *sandbox.Query) { q.Weights = w }
}

// mechanism is that of every aggregate of an answer.
func mechanism(t *testing.T, a sandbox.Answer) string {
	t.Helper()
	name := ""
	for _, c := range a.Columns {
		if c.Kind != "aggregate" {
			continue
		}
		if name != "" && name != c.Mechanism {
			t.Errorf("%s and %s in one release", name, c.Mechanism)
		}
		name = c.Mechanism
	}
	return name
}

// TestInfiniteLossIsAdmittedByTheOtherClock: Gaussian noise costs Σε all it has, which the Rényi clock does not
// mind; nor does it mind what is charged afterwards. The log of it verifies, and shows "inf".
func TestInfiniteLossIsAdmittedByTheOtherClock(t *testing.T) {
	h := newHouse(t)
	h.putPolicy(students, boundless)
	gaussian := spend(privacy.Loss{Rho: rho, Mechanism: privacy.Gaussian})
	estimate, err := h.Estimate(ctx, researcher, ask(gaussian))
	must(t, err)
	a, err := h.Submit(ctx, researcher, ask(gaussian))
	must(t, err)
	if c := a.Charged[0]; c.Epsilon != infinite || c.Renyi[0] <= 0 || c.Delta <= 0 || c != estimate.Charged[0].Charge || !estimate.Charged[0].Admitted {
		t.Errorf("%+v, estimated as %+v", c, estimate.Charged)
	}
	if mechanism(t, a) != "gaussian" || !strings.Contains(text(t, a), `"epsilon":"inf"`) {
		t.Error(text(t, a))
	}
	if spent := h.account().Spent; spent.Epsilon != infinite || spent.Renyi != a.Charged[0].Renyi {
		t.Errorf("%+v is spent", spent)
	}
	before := h.account().Spent
	b, err := h.Submit(ctx, researcher, ask())
	must(t, err)
	if spent := h.account().Spent; spent.Epsilon != infinite || spent != before.Plus(b.Charged[0].Clocks) {
		t.Errorf("%+v is spent", spent)
	}
	h.reopen()
	_, err = h.Submit(ctx, researcher, ask(gaussian, fresh))
	must(t, err)
	if r := h.verify(); r.Accounts[0].Spent != h.account().Spent || r.Kinds[audit.KindCharge] != 3 {
		t.Errorf("%+v", r)
	}
}

// TestRenyiClockRunsOut: where Σε is infinite, Σd decides alone, to the last unit.
func TestRenyiClockRunsOut(t *testing.T) {
	h := newHouse(t)
	h.putPolicy(students, boundless)
	large := ask(fresh, spend(privacy.Loss{Rho: privacy.Rho(1e12), Mechanism: privacy.Gaussian}))
	admitted := 0
	for ; admitted < 100; admitted++ {
		room := h.account().Room(h.now).Renyi
		e, err := h.Estimate(ctx, researcher, large)
		must(t, err)
		fits := e.Charged[0].Renyi[0] <= room[0] || e.Charged[0].Renyi[1] <= room[1]
		if _, err = h.Submit(ctx, researcher, large); (err == nil) != fits || e.Charged[0].Admitted != fits {
			t.Fatalf("d %s in room for %s: %v", e.Charged[0].Renyi, room, err)
		}
		if !fits {
			refused(t, err, sandbox.CodeExhausted)
			break
		}
	}
	if admitted == 0 || admitted == 100 {
		t.Errorf("%d were admitted", admitted)
	}
}

// TestPolicyReadsThePrice: max_epsilon_per_query is compared with what the question costs, not with what the
// caller wrote.
func TestPolicyReadsThePrice(t *testing.T) {
	h := newHouse(t)
	gaussian := privacy.Loss{Rho: rho, Mechanism: privacy.Gaussian}
	_, err := h.Submit(ctx, researcher, ask(spend(gaussian)))
	if e := refused(t, err, sandbox.CodeDenied); !strings.Contains(e.Public, "ε inf exceeds") || !strings.Contains(e.Hint, "gaussian_delta") {
		t.Errorf("%+v", e)
	}
	_, err = h.Submit(ctx, researcher, ask(spend(privacy.Loss{Rho: privacy.OneRho, Mechanism: privacy.Laplace})))
	if e := refused(t, err, sandbox.CodeDenied); !strings.Contains(e.Public, "max_epsilon_per_query") {
		t.Errorf("%+v", e)
	}
	a, err := h.Submit(ctx, researcher, ask(spend(privacy.Loss{Rho: rho, Mechanism: privacy.Laplace})))
	if err != nil || a.Charged[0].Epsilon <= 0 || a.Charged[0].Epsilon > privacy.OneEpsilon || mechanism(t, a) != "laplace" {
		t.Errorf("%+v %v", a, err)
	}
}

// TestMechanismIsChosen: where the caller names none, Gaussian noise is taken only where Laplace noise would not
// leave more running.
func TestMechanismIsChosen(t *testing.T) {
	const count = "SELECT COUNT(*) AS n FROM kr_edu.students"
	finite := privacy.Loss{Rho: rho / 10, GaussianDelta: privacy.OneDelta / 1e9}
	asked := func(h *house, table string, loss privacy.Loss) sandbox.Answer {
		h.t.Helper()
		a, err := h.Submit(ctx, researcher, ask(fresh, sql(strings.Replace(count, students, table, 1)), spend(loss)))
		must(h.t, err)
		return a
	}
	h := newHouse(t)
	if a := asked(h, students, privacy.Loss{Epsilon: half}); mechanism(t, a) != "laplace" || a.Charged[0].Epsilon != half {
		t.Errorf("ε: %+v", a)
	}
	if a := asked(h, students, privacy.Loss{Rho: rho}); mechanism(t, a) != "laplace" || a.Charged[0].Epsilon == infinite {
		t.Errorf("ρ while Σε runs: %+v", a)
	}
	if a := asked(h, students, finite); mechanism(t, a) != "gaussian" || a.Charged[0].Epsilon == infinite || a.Charged[0].Delta < finite.GaussianDelta {
		t.Errorf("ρ with a δ for it: %+v", a)
	}
	finite.Rho = 20 * rho // now the Gaussian price is above the rule's ε, and that of Laplace noise is not
	if a := asked(h, students, finite); mechanism(t, a) != "laplace" || a.Charged[0].Delta != 0 {
		t.Errorf("ρ where the policy would deny Gaussian noise: %+v", a)
	}
	h.putPolicy(students, boundless)
	finite.Rho = 10 * privacy.OneRho
	if a := asked(h, students, finite); mechanism(t, a) != "laplace" || a.Charged[0].Delta != 0 {
		t.Errorf("ρ so large that Laplace noise is less: %+v", a)
	}
	asked(h, students, privacy.Loss{Rho: rho, Mechanism: privacy.Gaussian}) // ends Σε
	if a := asked(h, students, privacy.Loss{Rho: rho}); mechanism(t, a) != "gaussian" || a.Charged[0].Epsilon != infinite {
		t.Errorf("ρ after Σε has ended: %+v", a)
	}
	h.putPolicy(students, policyDoc)
	if a := asked(h, students, privacy.Loss{Rho: rho}); mechanism(t, a) != "laplace" {
		t.Errorf("ρ after Σε has ended, where the policy has a limit: %+v", a)
	}
	p := pure(t, 4)
	for _, loss := range []privacy.Loss{{Rho: rho}, {Rho: rho / 10, GaussianDelta: privacy.OneDelta / 1e9}} {
		if a := asked(p, exams, loss); mechanism(t, a) != "laplace" || a.Charged[0].Delta != 0 || a.Charged[0].Renyi != (privacy.Divergences{}) {
			t.Errorf("ρ on a pure account: %+v", a)
		}
	}
}

// TestPureAccountBearsNoGaussianNoise: it says why, charges nothing, and logs the refusal.
func TestPureAccountBearsNoGaussianNoise(t *testing.T) {
	h := pure(t, 4)
	h.putPolicy(exams, boundless)
	for name, loss := range map[string]privacy.Loss{
		"without δ":           {Rho: rho, Mechanism: privacy.Gaussian},
		"with δ":              {Rho: rho, Mechanism: privacy.Gaussian, GaussianDelta: privacy.OneDelta / 1e9},
		"more than it has":    {Rho: 10 * privacy.OneRho},
		"more than it has, ε": {Epsilon: 5 * half},
	} {
		before := len(h.entries())
		_, err := h.Submit(ctx, researcher, ask(sql("SELECT COUNT(*) FROM kr_edu.exams"), spend(loss)))
		e := refused(t, err, sandbox.CodeExhausted)
		list := logged[audit.Decision](h, audit.KindDecision)
		if d := list[len(list)-1]; !strings.Contains(e.Public, "kr_edu/pupil") || e.Hint == "" || d.Reason != e.Public || d.Query != e.Query || len(h.entries()) != before+1 {
			t.Errorf("%s: %+v", name, e)
		}
		if isGaussian := loss.Mechanism == privacy.Gaussian; strings.Contains(e.Public, "Gaussian") != isGaussian {
			t.Errorf("%s: %s", name, e.Public)
		}
	}
	if spent := h.pupils().Spent; spent != (privacy.Clocks{}) {
		t.Errorf("%+v is spent", spent)
	}
}

// TestWeights: a column of more weight is less noisy, at the same price; weights are part of the question, but for
// those that change nothing.
func TestWeights(t *testing.T) {
	h := newHouse(t)
	const two = "SELECT COUNT(*) AS n, SUM(math) AS s FROM kr_edu.students"
	even, err := h.Submit(ctx, researcher, ask(sql(two)))
	must(t, err)
	heavy, err := h.Submit(ctx, researcher, ask(sql(two), weights(map[string]int64{"n": 9})))
	must(t, err)
	if heavy.Repeat || heavy.Charged[0].Epsilon != even.Charged[0].Epsilon || math.Abs(heavy.Columns[0].Scale*1.8/even.Columns[0].Scale-1) > 1e-6 ||
		math.Abs(heavy.Columns[1].Scale/5/even.Columns[1].Scale-1) > 1e-6 {
		t.Errorf("%+v\n%+v", even.Columns, heavy.Columns)
	}
	for name, test := range map[string]struct {
		of      sandbox.Answer
		weights map[string]int64
	}{"as if not said": {even, map[string]int64{"n": 1, "s": 1}}, "the same": {heavy, map[string]int64{"n": 9, "s": 1}}} {
		a, err := h.Submit(ctx, researcher, ask(sql(two), weights(test.weights)))
		if err != nil || !a.Repeat || a.ID != test.of.ID {
			t.Errorf("%s: %+v %v", name, a, err)
		}
	}
	for name, w := range map[string]map[string]int64{
		"no such column": {"m": 2}, "no such column, at 1": {"m": 1}, "of a key": {"gender": 2}, "0": {"n": 0}, "too much": {"n": privacy.MaxWeight + 1},
	} {
		h.unchanged(func() {
			_, err := h.Submit(ctx, researcher, ask(weights(w)))
			if e := refused(t, err, sandbox.CodeInvalid); !strings.Contains(e.Public, "weight") {
				t.Errorf("%s: %+v", name, e)
			}
		})
	}
}

// TestLossIsPartOfTheQuestion: what asks for more exactness than there is is a question of its own.
func TestLossIsPartOfTheQuestion(t *testing.T) {
	h := newHouse(t)
	h.putPolicy(students, boundless)
	seen := map[string]bool{}
	for _, loss := range []privacy.Loss{
		{Rho: rho, Mechanism: privacy.Laplace}, {Rho: rho, Mechanism: privacy.Gaussian}, {Rho: rho + rho/100}, {Epsilon: half},
	} {
		a, err := h.Submit(ctx, researcher, ask(spend(loss)))
		must(t, err)
		if a.Repeat || seen[a.ID] {
			t.Errorf("%+v is a repeat", loss)
		}
		seen[a.ID] = true
	}
	// A mechanism is the same whether it was chosen or named, noise is the same whatever it costs, and less of it serves
	// whoever asks for more.
	for _, loss := range []privacy.Loss{
		{Epsilon: half, Mechanism: privacy.Laplace}, {Rho: rho}, {Rho: rho, GaussianDelta: nano},
		{Rho: rho, Mechanism: privacy.Gaussian, GaussianDelta: nano}, {Rho: rho, Mechanism: privacy.Gaussian, GaussianDelta: 2 * nano},
	} {
		a, err := h.Submit(ctx, researcher, ask(spend(loss)))
		if err != nil || !a.Repeat || !seen[a.ID] {
			t.Errorf("%+v: %+v %v", loss, a, err)
		}
	}
}

// TestNotesAndUnknownErrors: what a reader must know stands beside the column; an error that depends on rows is not
// estimated.
func TestNotesAndUnknownErrors(t *testing.T) {
	h := newHouse(t)
	q := ask(sql("SELECT COUNT(*) AS n, MIN(math) AS lowest FROM kr_edu.students"))
	e, err := h.Estimate(ctx, researcher, q)
	must(t, err)
	a, err := h.Submit(ctx, researcher, q)
	must(t, err)
	if e.Aggregates[0].HalfWidth == nil || e.Aggregates[0].Note != "" || e.Aggregates[1].HalfWidth != nil || e.Aggregates[1].Note == "" {
		t.Errorf("%+v", e.Aggregates)
	}
	if a.Columns[0].Note != "" || a.Columns[1].Note != e.Aggregates[1].Note {
		t.Errorf("%+v", a.Columns)
	}
	if b := text(t, a); !strings.Contains(b, `"note":`) {
		t.Error(b)
	}
}
