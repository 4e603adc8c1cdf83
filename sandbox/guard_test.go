package sandbox_test

import (
	"context"
	"fmt"
	"strings"
	"testing"

	"entrepot/privacy"
	"entrepot/sandbox"
	"entrepot/sandbox/audit"
	"entrepot/sandbox/query"
)

// denyDoc is policyDoc with asking denied.
var denyDoc = strings.Replace(policyDoc, `"rules": [`, `"rules": [{"id": "stop", "effect": "deny", "actions": ["aggregate"]}, `, 1)

// TestRevocationCountsFromItsAcknowledgement: a question that was decided, but not charged, when its policy or
// project changed is decided again.
func TestRevocationCountsFromItsAcknowledgement(t *testing.T) {
	for name, change := range map[string]func(h *house){
		"policy": func(h *house) { h.putPolicy(students, denyDoc) },
		"project": func(h *house) {
			j := project("gap")
			j.NotBefore = j.NotAfter.AddDate(-1, 0, 0)
			_, err := h.PutProject(ctx, manager, j)
			must(t, err)
		},
	} {
		for _, again := range []bool{false, true} {
			t.Run(name, func(t *testing.T) {
				h := newHouse(t)
				before := 0
				if again { // a repeat is refused as well
					_, err := h.Submit(ctx, researcher, ask())
					must(t, err)
					before = 1
				}
				// After the decision, before charge or repeat.
				h.Service = h.serve(func(p *sandbox.Parts) { p.Questions = &interrupted{h.store, func() { change(h) }} })
				_, err := h.Submit(ctx, researcher, ask())
				refused(t, err, sandbox.CodeDenied)
				h.tally(before, before, 0)
				if n := len(logged[audit.Repeat](h, audit.KindRepeat)); n != 0 {
					t.Errorf("%d repeats", n)
				}
			})
		}
	}
	t.Run("for ever", func(t *testing.T) {
		h := newHouse(t)
		h.engine.check = func(query.Plan) error { h.putPolicy(students, policyDoc); return nil }
		_, err := h.Submit(ctx, researcher, ask())
		refused(t, err, sandbox.CodeConflict)
		h.tally(0, 0, 0)
	})
}

// TestWaitingIsBeforeTheCharge: who waits for others' questions is not charged, and waiting is no failure.
func TestWaitingIsBeforeTheCharge(t *testing.T) {
	h := newHouse(t)
	inside, leave := make(chan struct{}), make(chan struct{})
	h.engine.collect = func(_ context.Context, p query.Plan, _ files) (*privacy.Partials, error) {
		close(inside)
		<-leave
		return partials(p), nil
	}
	service := h.serve(func(p *sandbox.Parts) { p.Parallel = 1 })
	first := make(chan error)
	go func() {
		_, err := service.Submit(ctx, researcher, ask())
		first <- err
	}()
	<-inside
	impatient, cancel := context.WithCancel(ctx)
	cancel()
	_, err := service.Submit(impatient, peer, ask(fresh))
	refused(t, err, sandbox.CodeUnavailable)
	close(leave)
	must(t, <-first)
	h.tally(1, 1, 0)
	if a := h.account(); a.Failures != 0 {
		t.Errorf("%d failures", a.Failures)
	}
}

// TestEqualTablesDoNotLookEqual: the log's commitment to a version tells nothing, not even that a table is
// what it was.
func TestEqualTablesDoNotLookEqual(t *testing.T) {
	h := newHouse(t)
	h.register(students, table)
	digests := map[string]bool{}
	for _, c := range logged[audit.Change](h, audit.KindVersion) {
		digests[c.Digest] = true
	}
	if len(digests) != 2 {
		t.Errorf("two equal versions have %d commitments", len(digests))
	}
}

// TestDenialsAreLogged: also of a question that could not be answered anyway.
func TestDenialsAreLogged(t *testing.T) {
	h := newHouse(t)
	h.putPolicy(students, denyDoc)
	_, err := h.Submit(ctx, researcher, ask(func(q *sandbox.Query) { q.Loss.Epsilon = 1 }))
	refused(t, err, sandbox.CodeDenied)
	if n := len(logged[audit.Decision](h, audit.KindDecision)); n != 1 {
		t.Errorf("%d decisions", n)
	}
}

// between is a catalogue in which something happens once, after a dataset's declaration was read and before
// its version is.
type between struct {
	sandbox.Catalogue
	happens func()
}

func (c *between) Get(ctx context.Context, kind, id string) (sandbox.Document, error) {
	if f := c.happens; kind == "version" && f != nil {
		c.happens = nil
		f()
	}
	return c.Catalogue.Get(ctx, kind, id)
}

// TestDeclarationAndVersionBelongTogether: a declaration that is replaced, and rows that are registered under
// the new one, while a question is prepared, are not charged to the people of the old one.
func TestDeclarationAndVersionBelongTogether(t *testing.T) {
	h := newHouse(t)
	const exams = "kr_edu.exams"
	h.putDataset("exams", studentsWithin("kr_edu/pupil"))
	h.putPolicy(exams, policyDoc)
	for _, space := range []string{"pupil", "examinee"} {
		if _, err := h.OpenAccount(ctx, owner, "kr_edu", space, sandbox.Budget{Kind: "pure", Epsilon: privacy.OneEpsilon}); err != nil {
			t.Fatal(err)
		}
	}
	j := project("exams")
	j.Datasets = []string{exams}
	_, err := h.PutProject(ctx, manager, j)
	must(t, err)
	c := &between{Catalogue: h.store, happens: func() {
		h.putDataset("exams", studentsWithin("kr_edu/examinee"))
		h.register(exams, table)
	}}
	service := h.serve(func(p *sandbox.Parts) { p.Catalogue = c })
	a, err := service.Submit(ctx, researcher, ask(sql("SELECT COUNT(*) FROM "+exams), func(q *sandbox.Query) { q.Project = "exams" }))
	must(t, err)
	if c.happens != nil || a.Charged[0].Account != "kr_edu/examinee" || a.Datasets[0].Version != 1 {
		t.Errorf("charged %+v for %+v", a.Charged, a.Datasets)
	}
}

// TestVersionOfTheMoment: a version that is registered while a question is prepared is the one that answers.
func TestVersionOfTheMoment(t *testing.T) {
	h := newHouse(t)
	h.engine.check = func(query.Plan) error {
		h.engine.check = nil
		h.register(students, table)
		return nil
	}
	a, err := h.Submit(ctx, researcher, ask())
	must(t, err)
	if a.Datasets[0].Version != 2 {
		t.Errorf("version %d answers", a.Datasets[0].Version)
	}
	h.tally(1, 1, 0)
}

// TestTooLargeForTheEngine: what only the engine finds too large is explained, and costs nothing.
func TestTooLargeForTheEngine(t *testing.T) {
	h := newHouse(t)
	h.engine.check = func(query.Plan) error {
		return fmt.Errorf("the plan cannot be run: %w", &query.Error{Message: "the question is too large", Hint: "nest less"})
	}
	_, err := h.Submit(ctx, researcher, ask())
	refused(t, err, sandbox.CodeInvalidSQL)
	if e := sandbox.AsError(err); e.Public != "the question is too large" || e.Hint != "nest less" {
		t.Errorf("%+v", e)
	}
	h.tally(0, 0, 0)
}
