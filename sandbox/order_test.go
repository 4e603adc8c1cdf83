package sandbox_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"

	"entrepot/access"
	"entrepot/privacy"
	"entrepot/privacy/ledger"
	"entrepot/sandbox"
	"entrepot/sandbox/audit"
	"entrepot/sandbox/query"
)

var errDisk = errors.New("disk full")

// TestChargeComesFirst: when the engine is called, charge and log entry are durable already.
func TestChargeComesFirst(t *testing.T) {
	h := newHouse(t)
	var seen sandbox.Question
	h.engine.collect = func(_ context.Context, p query.Plan, file files) (*privacy.Partials, error) {
		asked, err := h.store.Newest(ctx, sandbox.Filter{Principal: researcher.ID}, 2)
		if err != nil || len(asked) != 1 || asked[0].State != sandbox.Charged || asked[0].Answer != nil {
			return nil, fmt.Errorf("stored are %+v %w", asked, err)
		}
		seen = asked[0]
		entries := h.entries()
		last := entries[len(entries)-1]
		charges := logged[audit.Charge](h, audit.KindCharge)
		if last.Kind != audit.KindCharge || last.Index != seen.Entry || last.Actor != researcher.ID || charges[0].Query != seen.ID {
			return nil, fmt.Errorf("the last entry is %+v", last)
		}
		if spent := h.account().Spent; spent != seen.Charges[0].Loss || spent.Epsilon != half {
			return nil, fmt.Errorf("%+v is spent", spent)
		}
		return partials(p), nil
	}
	a, err := h.Submit(ctx, researcher, ask())
	if err != nil {
		t.Fatalf("%v\n%s", err, h.operator)
	}
	if a.Query != seen.ID || a.Charged[0].Clocks != seen.Charges[0].Loss || a.Log.Entry != seen.Entry+1 {
		t.Errorf("%+v", a)
	}
	h.tally(1, 1, 0)
	charge := logged[audit.Charge](h, audit.KindCharge)[0]
	if charge.Project != "gap" || charge.Rule != "research" || charge.Purpose != "dpv:ScientificResearch" ||
		len(charge.Datasets) != 1 || charge.Datasets[0] != (audit.DatasetVersion{ID: students, Version: 1}) || charge.Question == "" {
		t.Errorf("the charge is logged as %+v", charge)
	}
}

// TestNoChargeNoRows: where the charge cannot be made, no row is read and nothing is written.
func TestNoChargeNoRows(t *testing.T) {
	for _, test := range []struct {
		name  string
		books books
		check func(query.Plan) error
		code  sandbox.Code
	}{
		{name: "the ledger fails", books: books{charge: func(sandbox.Question, audit.Charge) (int64, error) { return 0, errDisk }}, code: sandbox.CodeUnavailable},
		{name: "the accounts cannot be read", books: books{list: func() ([]ledger.Account, error) { return nil, errDisk }}, code: sandbox.CodeUnavailable},
		{name: "the account is gone", books: books{charge: func(sandbox.Question, audit.Charge) (int64, error) { return 0, sandbox.ErrNotFound }}, code: sandbox.CodeUnavailable},
		{name: "the key was used meanwhile", books: books{charge: func(sandbox.Question, audit.Charge) (int64, error) { return 0, sandbox.ErrDuplicate }}, code: sandbox.CodeConflict},
		{name: "the plan does not bind", check: func(query.Plan) error { return errors.New("no such column") }, code: sandbox.CodeInternal},
	} {
		t.Run(test.name, func(t *testing.T) {
			h := newHouse(t)
			h.engine.check = test.check
			b := test.books
			b.Ledger = h.store
			service := h.serve(func(p *sandbox.Parts) { p.Ledger = &b })
			h.unchanged(func() {
				_, err := service.Submit(ctx, researcher, ask(key("k")))
				refused(t, err, test.code)
			})
			if n := h.engine.calls.Load(); n != 0 {
				t.Errorf("the engine collected %d times", n)
			}
			a, err := h.Submit(ctx, researcher, ask(key("k"), func(*sandbox.Query) { h.engine.check = nil }))
			if err != nil || a.Repeat {
				t.Errorf("the key is used up: %+v %v", a, err)
			}
		})
	}
}

// journal is a log that cannot be written.
type journal struct{ sandbox.Log }

func (journal) Append(context.Context, sandbox.Draft) (int64, error) { return 0, errDisk }

// TestNoLogNoVerdict: what cannot be logged is not told: neither a refusal nor a repeat.
func TestNoLogNoVerdict(t *testing.T) {
	h := newHouse(t)
	_, err := h.Submit(ctx, researcher, ask())
	must(t, err)
	service := h.serve(func(p *sandbox.Parts) { p.Log = journal{h.store} })
	beyond := func(q *sandbox.Query) { q.Loss.Epsilon = 2 * privacy.OneEpsilon }
	_, denied := h.Submit(ctx, researcher, ask(beyond))
	refused(t, denied, sandbox.CodeDenied)
	exhausted := func(q *sandbox.Query) { q.Fresh = true }
	small := &books{Ledger: h.store, charge: func(sandbox.Question, audit.Charge) (int64, error) { return 0, ledger.ErrExhausted }}
	frozen := &books{Ledger: h.store, charge: func(sandbox.Question, audit.Charge) (int64, error) { return 0, ledger.ErrFrozen }}
	for name, test := range map[string]struct {
		change func(*sandbox.Query)
		ledger sandbox.Ledger
	}{"denied": {beyond, h.store}, "repeat": {func(*sandbox.Query) {}, &books{Ledger: h.store, repeat: func() error { return errDisk }}}, "exhausted": {exhausted, small}, "frozen": {exhausted, frozen}} {
		t.Run(name, func(t *testing.T) {
			service.Ledger = test.ledger
			h.unchanged(func() {
				a, err := service.Submit(ctx, researcher, ask(test.change))
				e := refused(t, err, sandbox.CodeUnavailable)
				if e.Query != "" || a.Rows != nil {
					t.Errorf("it tells %+v %+v", e, a)
				}
			})
		})
	}
}

// shelf is a catalogue that cannot read one kind of document.
type shelf struct {
	sandbox.Catalogue
	broken string
}

func (c shelf) Get(ctx context.Context, kind, id string) (sandbox.Document, error) {
	if kind == c.broken {
		return sandbox.Document{}, errDisk
	}
	return c.Catalogue.Get(ctx, kind, id)
}

// TestCatalogueFails: a policy or any other document that cannot be read never allows, and is never
// mistaken for one that is absent.
func TestCatalogueFails(t *testing.T) {
	h := newHouse(t)
	for _, kind := range []string{"organisation", "project", "dataset", "version", "policy"} {
		t.Run(kind, func(t *testing.T) {
			service := h.serve(func(p *sandbox.Parts) { p.Catalogue = shelf{h.store, kind} })
			h.unchanged(func() {
				_, err := service.Submit(ctx, researcher, ask())
				refused(t, err, sandbox.CodeUnavailable)
				_, err = service.Estimate(ctx, researcher, ask())
				refused(t, err, sandbox.CodeUnavailable)
				_, err = service.Decide(ctx, researcher, sandbox.Simulation{Action: access.Aggregate, Dataset: students, Project: "gap"})
				refused(t, err, sandbox.CodeUnavailable)
			})
		})
	}
	if n := h.engine.calls.Load(); n != 0 {
		t.Errorf("the engine collected %d times", n)
	}
}

// TestMissingParts: a Service without one of its parts is not made.
func TestMissingParts(t *testing.T) {
	h := newHouse(t)
	for name, remove := range map[string]func(*sandbox.Parts){
		"catalogue": func(p *sandbox.Parts) { p.Catalogue = nil }, "ledger": func(p *sandbox.Parts) { p.Ledger = nil },
		"questions": func(p *sandbox.Parts) { p.Questions = nil }, "log": func(p *sandbox.Parts) { p.Log = nil },
		"engine": func(p *sandbox.Parts) { p.Engine = nil }, "keys": func(p *sandbox.Parts) { p.Keys = nil },
		"tables": func(p *sandbox.Parts) { p.Tables = "" }, "temp": func(p *sandbox.Parts) { p.Temp = "" },
		"deadline": func(p *sandbox.Parts) { p.Deadline = 0 }, "clock": func(p *sandbox.Parts) { p.Now = nil },
		"ids": func(p *sandbox.Parts) { p.NewID = nil }, "operator's log": func(p *sandbox.Parts) { p.Operator = nil },
	} {
		if s, err := sandbox.New(h.parts(remove)); err == nil || s != nil {
			t.Errorf("made without its %s", name)
		}
	}
}

// TestDenialComesFirst: whatever else is wrong with a question, who may not ask is denied, on the record.
func TestDenialComesFirst(t *testing.T) {
	h := newHouse(t)
	h.putPolicy(students, denyDoc)
	for i, change := range []func(*sandbox.Query){
		func(q *sandbox.Query) { q.Loss = privacy.Loss{} },
		func(q *sandbox.Query) { q.Accuracy = &sandbox.Accuracy{HalfWidth: map[string]float64{"nope": 1}} },
		func(q *sandbox.Query) { q.Group.Release = "rel_of_nobody" },
		func(q *sandbox.Query) { // its text is longer than an entry of the log
			q.SQL = "SELECT COUNT(*) AS n FROM kr_edu.students WHERE town = '" + strings.Repeat("\x01", 900) + "'" + strings.Repeat(" OR town = '"+strings.Repeat("\x01", 900)+"'", 14)
		},
	} {
		_, err := h.Submit(ctx, researcher, ask(change))
		refused(t, err, sandbox.CodeDenied)
		if n := len(logged[audit.Decision](h, audit.KindDecision)); n != i+1 {
			t.Errorf("question %d: %d decisions", i, n)
		}
		if i < 3 {
			if e, err := h.Estimate(ctx, researcher, ask(change)); sandbox.AsErrorCode(err) != sandbox.CodeDenied {
				t.Errorf("estimate %d: %+v %v", i, e, err)
			}
		}
	}
}

// TestAllocationsChooseTheNoise: where an allocation bears Laplace noise and not Gaussian, it is Laplace.
func TestAllocationsChooseTheNoise(t *testing.T) {
	h := newHouse(t)
	h.putPolicy(students, boundless)
	_, err := h.Submit(ctx, researcher, ask(spend(privacy.Loss{Rho: rho, Mechanism: privacy.Gaussian}))) // ends Σε
	must(t, err)
	one := privacy.OneEpsilon
	_, err = h.PutAllocation(ctx, owner, "kr_edu", "student", "ada", 0, sandbox.AllocationChange{
		Scope: ledger.Scope{Researcher: researcher.ID}, Caps: sandbox.Limits{Epsilon: &one}, Reason: "a part of it"})
	must(t, err)
	a, err := h.Submit(ctx, researcher, ask(fresh, spend(privacy.Loss{Rho: rho})))
	if err != nil || a.Columns[1].Mechanism != "laplace" {
		t.Errorf("%+v %v", a, err)
	}
}
