package sandbox_test

import (
	"context"
	"errors"
	"fmt"
	"reflect"
	"slices"
	"testing"

	"entrepot/privacy"
	"entrepot/sandbox"
	"entrepot/sandbox/audit"
	"entrepot/sandbox/query"
)

// TestRepeatOfSeveral: a version of any dataset, not only of the first, makes another question.
func TestRepeatOfSeveral(t *testing.T) {
	h := abroad(t)
	first, err := h.Submit(ctx, researcher, ask(sql(united)))
	must(t, err)
	ada := func(q sandbox.Query) (sandbox.Answer, error) { return h.Submit(ctx, researcher, q) }
	h.repeats(first, ada, ask(sql(united)))
	h.upload(pupils, table)
	second, err := h.Submit(ctx, researcher, ask(sql(united)))
	if err != nil || second.Repeat || second.Datasets[0].Version != 1 || second.Datasets[1].Version != 2 {
		t.Errorf("%+v %v", second, err)
	}
	h.consent(pupils, `{"pre_threshold": 5, `+policyDoc[1:])
	third, err := h.Submit(ctx, researcher, ask(sql(united)))
	if err != nil || third.Repeat {
		t.Errorf("%+v %v", third, err)
	}
	h.tally(3, 3, 0)
}

// TestGuardsOfSeveral: what moves at the second dataset between decision and charge is noticed, as at the first.
func TestGuardsOfSeveral(t *testing.T) {
	h := abroad(t)
	meanwhile := func(change func()) {
		h.engine.check = func(query.Plan) error {
			h.engine.check = nil
			change()
			return nil
		}
	}
	meanwhile(func() { h.consent(pupils, denyDoc) })
	_, err := h.Submit(ctx, researcher, ask(sql(united)))
	refused(t, err, sandbox.CodeDenied)
	h.tally(0, 0, 0)
	h.consent(pupils, policyDoc)
	meanwhile(func() { h.upload(pupils, table) })
	a, err := h.Submit(ctx, researcher, ask(sql(united)))
	if err != nil || a.Datasets[1].Version != 2 {
		t.Errorf("%+v %v", a, err)
	}
	// A repeat is refused as well.
	service := h.serve(func(p *sandbox.Parts) { p.Questions = &interrupted{h.store, func() { h.consent(pupils, denyDoc) }} })
	_, err = service.Submit(ctx, researcher, ask(sql(united)))
	refused(t, err, sandbox.CodeDenied)
	h.tally(1, 1, 0)
}

// interrupted is a store of questions while something else happens, once: after the decision, before a repeat.
type interrupted struct {
	sandbox.Questions
	by func()
}

func (i *interrupted) ByRepeat(ctx context.Context, repeat string, limit int) ([]sandbox.Question, error) {
	if by := i.by; by != nil {
		i.by = nil
		by()
	}
	return i.Questions.ByRepeat(ctx, repeat, limit)
}

// TestCrashOfSeveral: a question over two owners is completed once, on the versions it was charged for.
func TestCrashOfSeveral(t *testing.T) {
	h := abroad(t)
	crashing := h.serve(func(p *sandbox.Parts) {
		p.Ledger = &books{Ledger: h.store, release: func(string, string, func(int64) ([]byte, error)) ([]byte, error) { return nil, errDisk }}
	})
	var read files
	h.engine.collect = func(_ context.Context, p query.Plan, tables files) (*privacy.Partials, error) {
		if read != nil && !reflect.DeepEqual(read, tables) {
			return nil, fmt.Errorf("it reads %+v", tables)
		}
		read = tables
		return partials(p), complete(p, tables)
	}
	weighted := func(q *sandbox.Query) { q.Weights = map[string]int64{"n": 3} }
	_, err := crashing.Submit(ctx, researcher, ask(sql(united), key("k"), weighted))
	refused(t, err, sandbox.CodeQueryFailed)
	h.reopen()
	h.register(students, table)
	h.upload(pupils, table)
	h.consent(pupils, denyDoc) // what comes later changes nothing
	a, err := h.Submit(ctx, researcher, ask(sql(united), key("k"), weighted))
	if err != nil || len(a.Charged) != 2 || a.Datasets[0].Version != 1 || a.Datasets[1].Version != 1 {
		t.Errorf("%+v %v", a, err)
	}
	h.tally(1, 1, 0)
	if n := h.engine.calls.Load(); n != 2 {
		t.Errorf("the engine collected %d times", n)
	}
}

// TestFailureCountsOnBoth: and freezes both.
func TestFailureCountsOnBoth(t *testing.T) {
	h := abroad(t)
	h.engine.collect = func(context.Context, query.Plan, files) (*privacy.Partials, error) { return nil, errors.New(secret) }
	for range 3 {
		_, err := h.Submit(ctx, researcher, ask(sql(united)))
		refused(t, err, sandbox.CodeQueryFailed)
	}
	for _, f := range logged[audit.Failure](h, audit.KindFailure)[2:] {
		if !slices.Equal(f.Frozen, []string{space, pupil}) {
			t.Errorf("%+v", f)
		}
	}
	h.engine.collect = nil
	_, err := h.Submit(ctx, researcher, ask(sql(united)))
	refused(t, err, sandbox.CodeFrozen)
}
