package sandbox_test

import (
	"context"
	"errors"
	"fmt"
	"reflect"
	"sync"
	"testing"

	"entrepot/privacy"
	"entrepot/sandbox"
	"entrepot/sandbox/audit"
	"entrepot/sandbox/query"
)

func body(b string) func(*sandbox.Query) { return func(q *sandbox.Query) { q.Body = []byte(b) } }

// TestSameKeySameBytes: a key gives the same bytes for ever, across a restart, and never pays twice.
func TestSameKeySameBytes(t *testing.T) {
	h := newHouse(t)
	first, err := h.Submit(ctx, researcher, ask(key("k")))
	must(t, err)
	if first.Repeat {
		t.Error("the first answer is a repeat")
	}
	same := func(change ...func(*sandbox.Query)) {
		t.Helper()
		h.unchanged(func() {
			a, err := h.Submit(ctx, researcher, ask(append(change, key("k"))...))
			if err != nil || text(t, a) != text(t, first) {
				t.Errorf("%+v %v\nwas first %+v", a, err, first)
			}
		})
	}
	same()
	same(fresh)
	h.reopen()
	same()
	h.register(students, table+"s3,male,a,1\n")
	h.putPolicy(students, `{}`)
	same() // even where it would be denied today: it was told before
	h.unchanged(func() {
		_, err := h.Submit(ctx, researcher, ask(key("k"), body("another")))
		if e := refused(t, err, sandbox.CodeConflict); e.Query != first.Query || e.Hint == "" {
			t.Errorf("%+v", e)
		}
	})
	h.tally(1, 1, 0)
	if n := h.engine.calls.Load(); n != 1 {
		t.Errorf("the engine collected %d times", n)
	}
}

func TestKeysArePerPrincipal(t *testing.T) {
	h := newHouse(t)
	first, err := h.Submit(ctx, researcher, ask(key("k")))
	must(t, err)
	second, err := h.Submit(ctx, peer, ask(key("k"), body("another"), fresh))
	must(t, err)
	if second.ID == first.ID || second.Query == first.Query {
		t.Errorf("%+v\n%+v", first, second)
	}
	h.tally(2, 2, 0)
}

// TestRefusalsLeaveTheKey: what was never admitted used nothing up.
func TestRefusalsLeaveTheKey(t *testing.T) {
	h := newHouse(t)
	for _, bad := range []func(*sandbox.Query){
		sql("SELECT math FROM kr_edu.students"),
		func(q *sandbox.Query) { q.Project = "nothing" },
		func(q *sandbox.Query) { q.Loss.Epsilon = 2 * privacy.OneEpsilon },
		func(q *sandbox.Query) { q.Loss.Epsilon = 1 },
	} {
		if a, err := h.Submit(ctx, researcher, ask(key("k"), bad, body("bad"))); err == nil {
			t.Errorf("answered: %+v", a)
		}
	}
	_, err := h.Submit(ctx, researcher, ask(key("k")))
	must(t, err)
	h.tally(1, 1, 0)
}

// TestCrash: the server dies between charge and release; the next one completes the question once, as
// it was admitted, under the charge already made.
func TestCrash(t *testing.T) {
	for _, test := range []struct {
		name    string
		restart func(h *house)
	}{
		{"the store is opened again", func(h *house) { h.reopen() }},
		{"the first server lives on, hanging", func(h *house) { h.Service = h.serve() }},
	} {
		t.Run(test.name, func(t *testing.T) {
			h := newHouse(t)
			begun, hang := make(chan files), make(chan struct{})
			first := h.serve(func(p *sandbox.Parts) {
				p.Engine = &engine{collect: func(_ context.Context, p query.Plan, file files) (*privacy.Partials, error) {
					begun <- file
					<-hang
					return partials(p), nil
				}}
			})
			lost := make(chan error, 1)
			go func() {
				_, err := first.Submit(ctx, researcher, ask(key("k")))
				lost <- err
			}()
			file := <-begun
			test.restart(h)
			h.register(students, table+"s3,male,a,1\n") // what comes later changes nothing
			h.putPolicy(students, `{}`)
			h.engine.collect = func(_ context.Context, p query.Plan, again files) (*privacy.Partials, error) {
				if !reflect.DeepEqual(again, file) {
					return nil, fmt.Errorf("it reads %+v", again)
				}
				return partials(p), nil
			}
			a, err := h.Submit(ctx, researcher, ask(key("k")))
			if err != nil || a.Datasets[0].Version != 1 || len(a.Charged) != 1 || a.Repeat {
				t.Errorf("%+v %v", a, err)
			}
			close(hang)
			e := refused(t, <-lost, sandbox.CodeQueryFailed)
			if e.Query != a.Query {
				t.Errorf("%s was completed as %s", e.Query, a.Query)
			}
			h.tally(1, 1, 0)
			again, err := h.Submit(ctx, researcher, ask(key("k")))
			if err != nil || text(t, again) != text(t, a) {
				t.Errorf("%+v %v", again, err)
			}
		})
	}
}

// TestChargeOfUnknownOutcome: the charge was made and the store did not get to say so. The key finds it.
func TestChargeOfUnknownOutcome(t *testing.T) {
	h := newHouse(t)
	service := h.serve(func(p *sandbox.Parts) {
		p.Ledger = &books{Ledger: h.store, charge: func(q sandbox.Question, entry audit.Charge) (int64, error) {
			_, err := h.store.Charge(ctx, q, entry)
			return 0, errors.Join(errDisk, err)
		}}
	})
	_, err := service.Submit(ctx, researcher, ask(key("k")))
	refused(t, err, sandbox.CodeUnavailable)
	if n := h.engine.calls.Load(); n != 0 {
		t.Errorf("the engine collected %d times", n)
	}
	a, err := h.Submit(ctx, researcher, ask(key("k")))
	if err != nil || len(a.Charged) != 1 {
		t.Errorf("%+v %v", a, err)
	}
	h.tally(1, 1, 0)
}

// TestCrashedPlanIsUnreadable: a stored question that cannot be read again fails like any other.
func TestCrashedPlanIsUnreadable(t *testing.T) {
	h := newHouse(t)
	b := &books{Ledger: h.store}
	b.charge = func(q sandbox.Question, entry audit.Charge) (int64, error) {
		q.Plan = []byte("{")
		return h.store.Charge(ctx, q, entry)
	}
	b.release = func(string, string, func(int64) ([]byte, error)) ([]byte, error) { return nil, errDisk }
	crashing := h.serve(func(p *sandbox.Parts) { p.Ledger = b })
	_, err := crashing.Submit(ctx, researcher, ask(key("k")))
	refused(t, err, sandbox.CodeQueryFailed)
	_, err = h.Submit(ctx, researcher, ask(key("k")))
	refused(t, err, sandbox.CodeQueryFailed)
	h.tally(1, 0, 1)
}

// TestConcurrentSameKey: one of the requests asks, the others get its answer.
func TestConcurrentSameKey(t *testing.T) {
	h := newHouse(t)
	const callers = 8
	answers := make([]sandbox.Answer, callers)
	errs := make([]error, callers)
	var all sync.WaitGroup
	for i := range callers {
		all.Go(func() { answers[i], errs[i] = h.Submit(ctx, researcher, ask(key("k"), fresh)) })
	}
	all.Wait()
	for i := range callers {
		must(t, errs[i])
		if text(t, answers[i]) != text(t, answers[0]) {
			t.Errorf("%+v\n%+v", answers[i], answers[0])
		}
	}
	h.tally(1, 1, 0)
	if n := h.engine.calls.Load(); n != 1 {
		t.Errorf("the engine collected %d times", n)
	}
}

// TestConcurrentKeys: other keys do not wait for each other, and each pays.
func TestConcurrentKeys(t *testing.T) {
	h := newHouse(t)
	var inside sync.WaitGroup
	inside.Add(3)
	h.engine.collect = func(_ context.Context, p query.Plan, _ files) (*privacy.Partials, error) {
		inside.Done()
		inside.Wait() // until all are here
		return partials(p), nil
	}
	var all sync.WaitGroup
	for _, q := range []sandbox.Query{ask(key("a"), fresh), ask(key("b"), fresh), ask(fresh)} {
		all.Go(func() {
			if _, err := h.Submit(ctx, researcher, q); err != nil {
				t.Error(err)
			}
		})
	}
	all.Wait()
	h.tally(3, 3, 0)
}
