package store

import (
	"context"
	"fmt"

	"entrepot/privacy/ledger"
	"entrepot/sandbox/audit"
)

// allocationKey names an allocation.
type allocationKey struct{ account, name string }

func keyOf(a audit.Allocation) allocationKey {
	of := a.After
	if of == nil {
		of = a.Before
	}
	return allocationKey{of.Account, of.Name}
}

// lastAllocated is the newest change of an allocation.
type lastAllocated struct {
	index int64
	after *ledger.Allocation // nil: it was taken away
}

// checkAllocations compares each allocation with the entries that its row names, and with the charges of
// the tail.
func (t *tail) checkAllocations(ctx context.Context, q querier) error {
	list, err := selectAllocations(ctx, q, `ORDER BY account, name`)
	if err != nil {
		return err
	}
	there := map[allocationKey]bool{}
	for _, a := range list {
		there[allocationKey{a.Account, a.Name}] = true
		if err := t.checkAllocation(ctx, q, a); err != nil {
			return err
		}
	}
	for key, last := range t.allocated {
		if there[key] != (last.after != nil) {
			return fmt.Errorf("%w: allocation %s of %s misses entry %d", ErrInconsistent, key.name, key.account, last.index)
		}
	}
	return nil
}

// checkAllocation holds a row to the entry that wrote its revision and to the charges since. Where the tail
// has all of those, that is exact; otherwise its clocks are at least what the tail tells.
func (t *tail) checkAllocation(ctx context.Context, q querier, a ledger.Allocation) error {
	revised, body, err := entryOf(ctx, q, `revised FROM allocations WHERE account = ? AND name = ?`, a.Account, a.Name)
	if err != nil {
		return err
	}
	newest, _, err := entryOf(ctx, q, `allocations.entry FROM allocations WHERE account = ? AND name = ?`, a.Account, a.Name)
	if err != nil {
		return err
	}
	by, ok := body.(audit.Allocation)
	if last, changed := t.allocated[allocationKey{a.Account, a.Name}]; !ok || by.After == nil || changed && last.index != revised.Index {
		return wrongAllocation(a)
	}
	told, last := t.charged(*by.After, revised.Index)
	if exact := revised.Index >= t.from; exact && told.Spent != a.Spent || !told.Spent.Within(a.Spent) {
		return wrongAllocation(a)
	}
	if inTail := max(last, newest.Index) >= t.from; inTail && newest.Index != last {
		return wrongAllocation(a)
	}
	if told.Spent = a.Spent; told != a {
		return wrongAllocation(a)
	}
	return nil
}

func wrongAllocation(a ledger.Allocation) error {
	return fmt.Errorf("%w: allocation %s of %s is not what the log left", ErrInconsistent, a.Name, a.Account)
}

// charged adds what the tail charged an allocation since an entry, and returns the newest of those entries.
func (t *tail) charged(a ledger.Allocation, since int64) (ledger.Allocation, int64) {
	newest := since
	for _, charge := range t.charges {
		asker := ledger.Asker{Project: charge.body.Project, Researcher: charge.entry.Actor}
		if charge.entry.Index <= since || !a.Scope.Covers(asker) {
			continue
		}
		for _, c := range charge.body.Charges {
			if c.Account == a.Account {
				a.Spent, newest = a.Spent.Plus(c.Loss), charge.entry.Index
			}
		}
	}
	return a, newest
}
