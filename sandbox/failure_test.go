package sandbox_test

import (
	"context"
	"errors"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"entrepot/privacy"
	"entrepot/sandbox"
	"entrepot/sandbox/audit"
	"entrepot/sandbox/query"
)

const secret = "row 17"

// fault is something that goes wrong after the charge.
type fault struct {
	name     string
	collect  func(context.Context, query.Plan, files) (*privacy.Partials, error)
	deadline time.Duration
	release  func(query, release string, answer func(int64) ([]byte, error)) ([]byte, error)
}

func gives(change func(*privacy.Partial)) func(context.Context, query.Plan, files) (*privacy.Partials, error) {
	return func(_ context.Context, p query.Plan, _ files) (*privacy.Partials, error) {
		list := groups(p)
		change(&list[0])
		return privacy.NewPartials(p.Shape(), list), nil
	}
}

func faults() []fault {
	return []fault{
		{name: "the engine fails", collect: func(context.Context, query.Plan, files) (*privacy.Partials, error) {
			return nil, errors.New(secret)
		}},
		{name: "the engine panics", collect: func(context.Context, query.Plan, files) (*privacy.Partials, error) {
			panic(secret)
		}},
		{name: "the deadline passes", deadline: time.Millisecond, collect: func(ctx context.Context, _ query.Plan, _ files) (*privacy.Partials, error) {
			<-ctx.Done()
			return nil, ctx.Err()
		}},
		{name: "no partials", collect: func(context.Context, query.Plan, files) (*privacy.Partials, error) {
			return nil, nil
		}},
		{name: "partials of more units than rows", collect: gives(func(p *privacy.Partial) { p.Units = p.Rows + 1 })},
		{name: "partials without their sums", collect: gives(func(p *privacy.Partial) { p.Arguments = nil })},
		{name: "partials of a group that is not public", collect: gives(func(p *privacy.Partial) { p.Key = `["` + secret + `"]` })},
		{name: "partials that were used", collect: func(_ context.Context, p query.Plan, _ files) (*privacy.Partials, error) {
			used := partials(p)
			_, err := used.MarshalBinary()
			return used, err
		}},
		{name: "the answer cannot be stored", release: func(string, string, func(int64) ([]byte, error)) ([]byte, error) {
			return nil, errors.New(secret)
		}},
	}
}

// TestAfterTheCharge: whatever goes wrong, the charge stays and the error is one constant but for the
// question's id.
func TestAfterTheCharge(t *testing.T) {
	var constant *sandbox.Error
	for _, f := range faults() {
		t.Run(f.name, func(t *testing.T) {
			h := newHouse(t)
			h.engine.collect = f.collect
			service := h.serve(func(p *sandbox.Parts) {
				p.Ledger = &books{Ledger: h.store, release: f.release}
				if f.deadline > 0 {
					p.Deadline = f.deadline
				}
			})
			answer, err := service.Submit(ctx, researcher, ask(key("k")))
			told := *refused(t, err, sandbox.CodeQueryFailed)
			if !reflect.DeepEqual(answer, sandbox.Answer{}) {
				t.Errorf("an answer came with the failure: %+v", answer)
			}
			charges := logged[audit.Charge](h, audit.KindCharge)
			if len(charges) != 1 || told.Query != charges[0].Query {
				t.Errorf("the error is of %s, the charge %+v", told.Query, charges)
			}
			if !strings.Contains(h.operator.String(), told.Query) {
				t.Error("the operator's log does not have the question")
			}
			told.Query, told.Err = "", nil
			if constant == nil {
				constant = &told
			}
			if !reflect.DeepEqual(told, *constant) {
				t.Errorf("%+v\nis not\n%+v", told, *constant)
			}
			if f.release != nil {
				h.tally(1, 0, 0)
				return
			}
			h.tally(1, 0, 1)
			h.unchanged(func() {
				_, err := h.Submit(ctx, researcher, ask(key("k")))
				refused(t, err, sandbox.CodeQueryFailed)
			})
		})
	}
}

// TestPanicValueIsNotLogged: a value that panicked may hold rows.
func TestPanicValueIsNotLogged(t *testing.T) {
	h := newHouse(t)
	h.engine.collect = func(context.Context, query.Plan, files) (*privacy.Partials, error) { panic(secret) }
	_, err := h.Submit(ctx, researcher, ask())
	refused(t, err, sandbox.CodeQueryFailed)
	if strings.Contains(h.operator.String(), secret) || strings.Contains(err.Error(), secret) {
		t.Errorf("%v\n%s", err, h.operator)
	}
}

// TestThirdFailureFreezes: whether a question fails can depend on rows, so it may do so three times.
func TestThirdFailureFreezes(t *testing.T) {
	h := newHouse(t)
	answered, err := h.Submit(ctx, researcher, ask())
	must(t, err)
	h.engine.collect = func(context.Context, query.Plan, files) (*privacy.Partials, error) { return nil, errors.New(secret) }
	for range 3 {
		_, err := h.Submit(ctx, researcher, ask(fresh))
		refused(t, err, sandbox.CodeQueryFailed)
	}
	h.tally(4, 1, 3)
	failures := logged[audit.Failure](h, audit.KindFailure)
	for i, f := range failures {
		if froze := slices.Equal(f.Frozen, []string{space}); froze != (i == 2) {
			t.Errorf("failure %d froze %q", i, f.Frozen)
		}
	}
	h.engine.collect = nil
	calls := h.engine.calls.Load()
	for _, other := range []func(*sandbox.Query){fresh, sql("SELECT COUNT(*) FROM kr_edu.students")} {
		_, err := h.Submit(ctx, researcher, ask(other))
		if e := refused(t, err, sandbox.CodeFrozen); e.Query == "" {
			t.Error("the refusal has no question")
		}
	}
	h.tally(4, 1, 3)
	decisions := logged[audit.Decision](h, audit.KindDecision)
	if len(decisions) != 2 || decisions[0].Verdict != audit.VerdictFrozen || decisions[0].Reason == "" || h.engine.calls.Load() != calls {
		t.Errorf("%+v", decisions)
	}
	again, err := h.Submit(ctx, researcher, ask())
	if err != nil || again.ID != answered.ID || !again.Repeat {
		t.Errorf("a repeat costs nothing, frozen or not: %+v %v", again, err)
	}
}

// TestStoreFailsAtRelease: the outcome is unknown, so the question waits to be completed under its key.
func TestStoreFailsAtRelease(t *testing.T) {
	for _, test := range []struct {
		name   string
		stored bool // the transaction went through, and only its outcome was lost
	}{{"nothing was stored", false}, {"the answer was stored", true}} {
		t.Run(test.name, func(t *testing.T) {
			h := newHouse(t)
			b := &books{Ledger: h.store, release: func(q, r string, answer func(int64) ([]byte, error)) ([]byte, error) {
				if test.stored {
					if _, err := h.store.Release(ctx, q, r, answer); err != nil {
						return nil, err
					}
				}
				return nil, errors.New("disk full")
			}}
			service := h.serve(func(p *sandbox.Parts) { p.Ledger = b })
			_, err := service.Submit(ctx, researcher, ask(key("k")))
			e := refused(t, err, sandbox.CodeQueryFailed)
			if unanswered := h.verify().Unanswered; slices.Contains(unanswered, e.Query) == test.stored {
				t.Errorf("unanswered are %q", unanswered)
			}
			a, err := h.Submit(ctx, researcher, ask(key("k")))
			must(t, err)
			h.tally(1, 1, 0)
			stored, err := h.Release(ctx, researcher, e.Query)
			must(t, err)
			if a.Query != e.Query || text(t, a) != text(t, stored) || h.account().Failures != 0 {
				t.Errorf("%+v\n%+v", a, stored)
			}
		})
	}
}

func TestFailureThatCannotBeRecorded(t *testing.T) {
	h := newHouse(t)
	h.engine.collect = func(context.Context, query.Plan, files) (*privacy.Partials, error) { return nil, errors.New(secret) }
	service := h.serve(func(p *sandbox.Parts) {
		p.Ledger = &books{Ledger: h.store, fail: func(string) error { return errors.New("disk full") }}
	})
	_, err := service.Submit(ctx, researcher, ask())
	refused(t, err, sandbox.CodeQueryFailed)
	h.tally(1, 0, 0)
}

// TestCallerGoesAway: the charge is made, so the answer is stored for it.
func TestCallerGoesAway(t *testing.T) {
	h := newHouse(t)
	leaving, leave := context.WithCancel(ctx)
	h.engine.collect = func(ctx context.Context, p query.Plan, _ files) (*privacy.Partials, error) {
		leave()
		return partials(p), ctx.Err()
	}
	a, err := h.Submit(leaving, researcher, ask(key("k")))
	must(t, err)
	h.tally(1, 1, 0)
	again, err := h.Submit(ctx, researcher, ask(key("k")))
	if err != nil || text(t, again) != text(t, a) {
		t.Error(again, err)
	}
}
