package store

import (
	"context"
	"fmt"
	"maps"
	"slices"

	"entrepot/privacy"
	"entrepot/privacy/ledger"
	"entrepot/sandbox"
)

// amend changes terms, or asks for a larger or a smaller lifetime.
func (w *worker) amend(marker string, m *modelAccount) operation {
	p, t, revision := m.Promise, w.terms(m), m.Revision
	var want error
	switch n := w.r.IntN(8); {
	case n == 0 && p.Epsilon < privacy.MaxLifetimeEpsilon/2:
		p.Epsilon += p.Epsilon / 3
		if p.Kind == ledger.KindRenyi {
			p.Orders, p.Shares = privacy.Orders{}, ledger.Shares{} // as they are
		}
	case n == 1:
		p.Epsilon, want = p.Epsilon-1, ledger.ErrAccount
	case n == 2:
		revision, want = revision+1, sandbox.ErrConflict
	}
	var after ledger.Account
	if want == nil {
		var err error
		if after, err = m.account().Amend(p, t); err != nil {
			want = ledger.ErrAccount // its caps would be lower
		}
	}
	return operation{kind: "amend", marker: marker, want: want,
		do: func(ctx context.Context, s *Store) error {
			got, err := s.Amend(ctx, m.ID, revision, p, t, w.by(marker))
			if err == nil && got != after {
				err = fmt.Errorf("amended to %+v, want %+v", got, after)
			}
			return err
		},
		apply: func() {
			m.Account = after
			m.Spent, m.Failures = privacy.Clocks{}, 0 // the model's own are beside it
		}}
}

func (w *worker) allocate(marker string, m *modelAccount) operation {
	a := ledger.Allocation{Account: m.ID, Name: fmt.Sprintf("n%d", w.r.IntN(4)), Caps: w.share(m, 4)}
	switch w.r.IntN(4) {
	case 0:
		a.Scope.Project = fmt.Sprintf("p%d", w.r.IntN(2))
	case 1:
		a.Scope.Organisation = fmt.Sprintf("o%d", w.r.IntN(2))
	case 2:
		a.Scope.Researcher = fmt.Sprintf("o%d/%s", w.r.IntN(2), w.name)
	default:
		a.Scope = ledger.Scope{Project: fmt.Sprintf("p%d", w.r.IntN(2)), Organisation: fmt.Sprintf("o%d", w.r.IntN(2))}
	}
	if w.r.IntN(2) == 0 {
		a.Caps.Epsilon = privacy.Unlimited
		if m.Promise.Kind == ledger.KindPure {
			a.Caps.Epsilon = m.Caps.Epsilon / 2 // it has no other clock to cap
		}
	}
	after := &modelAllocation{Allocation: a}
	if old := m.allocations[a.Name]; old != nil {
		a.Revision, after.spent = old.Revision, old.spent
	}
	after.Revision = a.Revision + 1
	var want error
	if w.r.IntN(8) == 0 {
		a.Revision, want = a.Revision+1, sandbox.ErrConflict
	}
	return operation{kind: "allocate", marker: marker, want: want,
		do: func(ctx context.Context, s *Store) error {
			got, err := s.Allocate(ctx, a, w.by(marker))
			if err == nil && got != after.allocation() {
				err = fmt.Errorf("allocated %+v, want %+v", got, after.allocation())
			}
			return err
		},
		apply: func() { m.allocations[a.Name] = after }}
}

func (w *worker) unallocate(marker string, m *modelAccount) operation {
	name, revision, want := "n9", int64(1), sandbox.ErrNotFound
	if names := slices.Sorted(maps.Keys(m.allocations)); len(names) > 0 {
		name, want = names[w.r.IntN(len(names))], nil
		revision = m.allocations[name].Revision
		if w.r.IntN(4) == 0 {
			revision, want = revision+1, sandbox.ErrConflict
		}
	}
	return operation{kind: "unallocate", marker: marker, want: want,
		do: func(ctx context.Context, s *Store) error {
			return s.Unallocate(ctx, m.ID, name, revision, w.by(marker))
		},
		apply: func() { delete(m.allocations, name) }}
}
