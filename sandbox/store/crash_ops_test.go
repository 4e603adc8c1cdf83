package store

import (
	"context"
	"fmt"
	"math/rand/v2"
	"slices"
	"sync/atomic"
	"time"

	"entrepot/privacy"
	"entrepot/privacy/ledger"
	"entrepot/sandbox"
	"entrepot/sandbox/audit"
)

// commons is an account that everybody's questions charge, and that never runs out.
const commons = "zz/commons"

// operation is one call of the store, what must come of it, and what it does to the model.
type operation struct {
	kind   string
	marker string // in its log entry; unique
	want   error  // nil: it is done
	do     func(ctx context.Context, s *Store) error
	apply  func()
}

// worker is a caller with accounts of its own, so that the model knows every outcome, while its commits are
// grouped with those of others.
type worker struct {
	r         *rand.Rand
	name      string
	now, at   time.Time // of its clock, and of the log: never earlier
	n         int       // operations made up
	accounts  []*modelAccount
	live      []*modelAccount // those that it asks about
	questions []*modelQuestion
	keys      []string // used
	commons   *atomic.Int64
	flying    *operation // nobody heard what came of it
}

func (w *worker) by(marker string) sandbox.By {
	return sandbox.By{Actor: "kr_edu/owner", Reason: marker, At: w.now}
}

// next makes up an operation.
func (w *worker) next() operation {
	w.n++
	marker := fmt.Sprintf("%s-%d", w.name, w.n)
	if len(w.live) < 3 {
		return w.open(marker)
	}
	i := w.r.IntN(len(w.live))
	switch n := w.r.IntN(100); {
	case n < 48:
		return w.charge(marker)
	case n < 70:
		return w.end(marker)
	case n < 78:
		return w.repeat(marker)
	case n < 84:
		return w.amend(marker, w.live[i])
	case n < 90:
		return w.allocate(marker, w.live[i])
	case n < 93:
		return w.unallocate(marker, w.live[i])
	case n < 96:
		w.live = slices.Delete(w.live, i, i+1) // another takes its place
		return w.open(marker)
	case n < 97:
		again := w.open(marker)
		id := w.accounts[0].ID
		again.do = func(ctx context.Context, s *Store) error { return s.Open(ctx, w.accounts[0].Account, w.by(id)) }
		again.want = sandbox.ErrDuplicate
		return again
	default:
		return operation{kind: "decision", marker: marker, apply: func() {}, do: func(ctx context.Context, s *Store) error {
			_, err := s.Append(ctx, decision(marker, w.now))
			return err
		}}
	}
}

func decision(marker string, at time.Time) sandbox.Draft {
	return sandbox.Draft{Kind: audit.KindDecision, Actor: "a/b", Time: at, Body: audit.Decision{Query: marker, Verdict: audit.VerdictDenied}}
}

func (w *worker) open(marker string) operation {
	p := ledger.Promise{Kind: ledger.KindRenyi, Epsilon: privacy.Epsilon(1+w.r.Int64N(1000)) * privacy.OneEpsilon / 100, Delta: 1e6 + privacy.Delta(w.r.Int64N(1e13))}
	switch w.r.IntN(4) {
	case 0:
		p = ledger.Promise{Kind: ledger.KindPure, Epsilon: p.Epsilon}
	case 1:
		p.Orders, p.Shares = privacy.Orders{5000, 20_000, 80_000, 320_000}, ledger.Shares{p.Delta / 7, p.Delta / 5, p.Delta / 3, 1}
	}
	a, err := ledger.New(fmt.Sprintf("%s/a%d", w.name, w.n), p, ledger.Terms{})
	if err != nil {
		panic(err)
	}
	m := &modelAccount{Account: a, allocations: map[string]*modelAllocation{}}
	if a, err = ledger.New(a.ID, p, w.terms(m)); err != nil {
		panic(err)
	}
	m.Account = a
	return operation{kind: "open", marker: marker,
		do:    func(ctx context.Context, s *Store) error { return s.Open(ctx, a, w.by(marker)) },
		apply: func() { w.accounts, w.live = append(w.accounts, m), append(w.live, m) }}
}

// terms are terms for an account, most of them without a schedule.
func (w *worker) terms(m *modelAccount) ledger.Terms {
	t := ledger.Terms{Allowance: 1 + w.r.Int64N(4)}
	if w.r.IntN(4) == 0 {
		t.Question = w.share(m, 2)
	}
	if w.r.IntN(3) == 0 {
		from, share := ledger.Instant(w.at.Unix()-20), privacy.Share(w.r.Int64N(4e5))
		for i := range 1 + w.r.IntN(3) {
			from += ledger.Instant(1 + w.r.Int64N(15))
			share += privacy.Share(1 + w.r.Int64N(2e5))
			t.Schedule[i] = ledger.Step{From: from, Share: share}
		}
	}
	return t
}

// share is a part of an account's caps, a divisor of one to n, different for each clock and never 0 where there is one.
func (w *worker) share(m *modelAccount, n int64) privacy.Clocks {
	s := sumsOf(m.Caps)
	for i := range s {
		if s[i] > 0 || i >= 1 && i <= m.Promise.Orders.Count() { // a Rényi clock may have a cap of 0
			s[i] = max(1, s[i]/(1+w.r.Int64N(n)))
		}
	}
	return s.clocks()
}

// loss is what a question costs an account: small, or much, or all that is left, or more than Σε counts.
func (w *worker) loss(m *modelAccount) sums {
	loss := sumsOf(w.share(m, 60))
	limits := m.limits(w.at)
	switch w.r.IntN(20) {
	case 0:
		loss[0] = max(1, limits[0]-m.spent[0]) // to the last unit
	case 1:
		loss[0] = max(1, limits[0]-m.spent[0]) + 1
	case 2:
		if m.Promise.Kind == ledger.KindRenyi {
			loss[0] = privacy.Unlimited
		}
	}
	if w.r.IntN(3) > 0 {
		loss[5] = 0
	}
	return loss
}

func (w *worker) charge(marker string) operation {
	q := question(marker)
	q.Principal = fmt.Sprintf("o%d/%s", w.r.IntN(2), w.name)
	q.Project = fmt.Sprintf("p%d", w.r.IntN(2))
	model := &modelQuestion{id: q.ID, state: sandbox.Charged}
	if w.r.IntN(3) == 0 {
		q.Idempotency, q.Principal = marker, "o0/"+w.name
		model.key = marker
	}
	var want error
	for _, i := range w.r.Perm(len(w.live))[:1+w.r.IntN(2)] {
		model.charged = append(model.charged, w.live[i])
	}
	slices.SortFunc(model.charged, func(a, b *modelAccount) int { return compareText(a.ID, b.ID) })
	losses := make([]sums, len(model.charged))
	for i, m := range model.charged {
		losses[i] = w.loss(m)
		q.Charges = append(q.Charges, ledger.Charge{Account: m.ID, Loss: losses[i].clocks()})
		if want == nil {
			want = m.refusal(losses[i], w.at, q.Project, q.Principal)
		}
	}
	model.shared = w.r.IntN(3) == 0
	if model.shared {
		q.Charges = append(q.Charges, ledger.Charge{Account: commons, Loss: privacy.Clocks{Epsilon: 1}})
	}
	if want == nil && w.r.IntN(30) == 0 {
		q.Charges = append(q.Charges, ledger.Charge{Account: "zz/nowhere", Loss: privacy.Clocks{Epsilon: 1}})
		want = sandbox.ErrNotFound
	}
	switch n := len(w.questions); {
	case n > 0 && w.r.IntN(30) == 0: // a key, or an id, has one use
		old := w.questions[w.r.IntN(n)]
		if q.Idempotency, want = old.key, sandbox.ErrDuplicate; old.key == "" {
			q.ID = old.id
		} else {
			q.Principal = "o0/" + w.name
		}
	}
	entry := chargeEntry()
	entry.Project = q.Project
	w.r.Shuffle(len(q.Charges), func(i, j int) { q.Charges[i], q.Charges[j] = q.Charges[j], q.Charges[i] })
	q.Time = w.now
	return operation{kind: "charge", marker: marker, want: want,
		do: func(ctx context.Context, s *Store) error {
			_, err := s.Charge(ctx, q, entry)
			return err
		},
		apply: func() {
			for i, m := range model.charged {
				m.charge(losses[i], q.Project, q.Principal)
			}
			if model.shared {
				w.commons.Add(1)
			}
			w.questions = append(w.questions, model)
		}}
}

func compareText(a, b string) int {
	switch {
	case a < b:
		return -1
	case a > b:
		return 1
	}
	return 0
}

// end releases or fails a question, mostly one that waits for it.
func (w *worker) end(marker string) operation {
	q := &modelQuestion{id: "qry_none"}
	for range 4 {
		if len(w.questions) > 0 && (q.state == "" || q.state != sandbox.Charged) {
			q = w.questions[len(w.questions)-1-w.r.IntN(min(len(w.questions), 12))]
		}
	}
	want := wantEnd(q.state)
	if w.r.IntN(4) == 0 && !q.shared { // which would freeze the commons, sooner or later
		return operation{kind: "fail", marker: "fail " + q.id, want: want,
			do: func(ctx context.Context, s *Store) error { return s.Fail(ctx, q.id) },
			apply: func() {
				q.state = sandbox.Failed
				for _, m := range q.charged {
					m.failures++
				}
			}}
	}
	return operation{kind: "release", marker: "rel_" + q.id, want: want,
		do: func(ctx context.Context, s *Store) error {
			_, err := s.Release(ctx, q.id, "rel_"+q.id, answerWith("answer to "+q.id))
			return err
		},
		apply: func() { q.state = sandbox.Released }}
}

func (w *worker) repeat(marker string) operation {
	r := sandbox.Repeat{Principal: "o0/" + w.name, BodyDigest: "b", Time: w.now, Entry: audit.Repeat{Query: marker, Release: "rel_none"}}
	want := sandbox.ErrNotFound
	if len(w.questions) > 0 {
		if q := w.questions[w.r.IntN(len(w.questions))]; q.state == sandbox.Released {
			r.Entry.Release, want = "rel_"+q.id, nil
		}
	}
	if w.r.IntN(2) == 0 {
		r.Idempotency = marker
	}
	if want == nil && len(w.keys) > 0 && w.r.IntN(8) == 0 {
		r.Idempotency, want = w.keys[w.r.IntN(len(w.keys))], sandbox.ErrDuplicate
	}
	return operation{kind: "repeat", marker: marker, want: want,
		do: func(ctx context.Context, s *Store) error { return s.Repeat(ctx, r) },
		apply: func() {
			if r.Idempotency != "" {
				w.keys = append(w.keys, r.Idempotency)
			}
		}}
}

// markerOf finds an operation's marker in its entry.
func markerOf(body audit.Body) string {
	switch b := body.(type) {
	case audit.Opening:
		return b.Reason
	case audit.Amendment:
		return b.Reason
	case audit.Allocation:
		return b.Reason
	case audit.Charge:
		return b.Query
	case audit.Release:
		return b.Release
	case audit.Failure:
		return "fail " + b.Query
	case audit.Repeat:
		return b.Query
	case audit.Decision:
		return b.Query
	}
	return ""
}
