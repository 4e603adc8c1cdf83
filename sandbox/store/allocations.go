package store

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"

	"entrepot/privacy"
	"entrepot/privacy/ledger"
	"entrepot/sandbox"
	"entrepot/sandbox/audit"
)

// Allocations implements sandbox.Ledger.
func (s *Store) Allocations(ctx context.Context, account string) ([]ledger.Allocation, error) {
	return readAllocations(ctx, s.reads, account)
}

// Allocate implements sandbox.Ledger.
func (s *Store) Allocate(ctx context.Context, a ledger.Allocation, by sandbox.By) (ledger.Allocation, error) {
	var after ledger.Allocation
	err := s.write(ctx, func(ctx context.Context, q querier) error {
		account, err := readAccount(ctx, q, a.Account)
		if err != nil {
			return err
		}
		before, err := readAllocation(ctx, q, a.Account, a.Name)
		if err != nil && !errors.Is(err, sandbox.ErrNotFound) {
			return err
		}
		if before.Revision != a.Revision {
			return fmt.Errorf("%w: it is at %d, not %d", sandbox.ErrConflict, before.Revision, a.Revision)
		}
		before.Account, before.Name = a.Account, a.Name
		after = before.Amend(a.Scope, a.Caps)
		if err := after.Validate(account); err != nil {
			return err
		}
		return s.allocate(ctx, q, before, after, by)
	})
	if err != nil {
		return ledger.Allocation{}, fmt.Errorf("allocation %.64s of %.130s: %w", a.Name, a.Account, err)
	}
	return after, nil
}

// allocate logs and stores an allocation; before has revision 0 where there was none.
func (s *Store) allocate(ctx context.Context, q querier, before, after ledger.Allocation, by sandbox.By) error {
	entry := audit.Allocation{Reason: by.Reason, After: &after}
	if before.Revision == 0 {
		if err := roomForOne(ctx, q, after.Account); err != nil {
			return err
		}
	} else {
		entry.Before = &before
	}
	index, err := s.appendBy(ctx, q, by, audit.KindAllocation, entry)
	if err != nil {
		return err
	}
	body, err := allocationBody(after)
	if err != nil {
		return err
	}
	if before.Revision > 0 {
		return change(ctx, q, `UPDATE allocations SET revision = ?, body = ?, revised = ?, entry = ? WHERE account = ? AND name = ?`,
			after.Revision, body, index, index, after.Account, after.Name)
	}
	values := append([]any{after.Account, after.Name, after.Revision, body}, clockValues(after.Spent)...)
	return change(ctx, q, `INSERT INTO allocations (`+allocationColumns+`, revised, entry)
		VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`, append(values, index, index)...)
}

// roomForOne refuses one allocation more than an account may have: each charge reads all of them.
func roomForOne(ctx context.Context, q querier, account string) error {
	var n int64
	err := one(ctx, q, `SELECT COUNT(*) FROM allocations WHERE account = ?`, []any{account}, &n)
	if err == nil && n >= sandbox.MaxAllocations {
		err = fmt.Errorf("%w: an account has at most %d allocations; take one away", ledger.ErrAccount, sandbox.MaxAllocations)
	}
	return err
}

// Unallocate implements sandbox.Ledger.
func (s *Store) Unallocate(ctx context.Context, account, name string, revision int64, by sandbox.By) error {
	err := s.write(ctx, func(ctx context.Context, q querier) error {
		before, err := readAllocation(ctx, q, account, name)
		if err != nil {
			return err
		}
		if before.Revision != revision {
			return fmt.Errorf("%w: it is at %d, not %d", sandbox.ErrConflict, before.Revision, revision)
		}
		if _, err := s.appendBy(ctx, q, by, audit.KindAllocation, audit.Allocation{Reason: by.Reason, Before: &before}); err != nil {
			return err
		}
		return change(ctx, q, `DELETE FROM allocations WHERE account = ? AND name = ?`, account, name)
	})
	if err != nil {
		return fmt.Errorf("allocation %.64s of %.130s: %w", name, account, err)
	}
	return nil
}

const allocationColumns = `account, name, revision, body, ` + clockColumns

// readAllocation returns one allocation, or sandbox.ErrNotFound.
func readAllocation(ctx context.Context, q querier, account, name string) (ledger.Allocation, error) {
	a, err := scanAllocation(func(dest ...any) error {
		return one(ctx, q, `SELECT `+allocationColumns+` FROM allocations WHERE account = ? AND name = ?`, []any{account, name}, dest...)
	})
	if errors.Is(err, errNoRow) {
		err = sandbox.ErrNotFound
	}
	return a, err
}

// readAllocations returns the allocations under an account, sorted by name.
func readAllocations(ctx context.Context, q querier, account string) ([]ledger.Allocation, error) {
	return selectAllocations(ctx, q, `WHERE account = ? ORDER BY name`, account)
}

// selectAllocations returns the allocations that the end of a statement selects.
func selectAllocations(ctx context.Context, q querier, end string, args ...any) ([]ledger.Allocation, error) {
	list := []ledger.Allocation{}
	err := each(ctx, q, `SELECT `+allocationColumns+` FROM allocations `+end, args, func(rows *sql.Rows) error {
		a, err := scanAllocation(rows.Scan)
		list = append(list, a)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("allocations: %w", err)
	}
	return list, nil
}

// scanAllocation reads allocationColumns.
func scanAllocation(scan func(dest ...any) error) (a ledger.Allocation, err error) {
	var row ledger.Allocation // what has a column of its own
	var body []byte
	if err := scan(append([]any{&row.Account, &row.Name, &row.Revision, &body}, clockFields(&row.Spent)...)...); err != nil {
		return a, err
	}
	if err := json.Unmarshal(body, &a); err != nil {
		return a, fmt.Errorf("%w: allocation %.64q of %.130q: %w", ErrInconsistent, row.Name, row.Account, err)
	}
	a.Account, a.Name, a.Revision, a.Spent = row.Account, row.Name, row.Revision, row.Spent
	return a, nil
}

// allocationBody is what an allocation's row holds beside its clocks.
func allocationBody(a ledger.Allocation) ([]byte, error) {
	a.Spent = privacy.Clocks{}
	return json.Marshal(a)
}

// writeAllocation stores what a charge changed; the schema refuses a clock that falls.
func writeAllocation(ctx context.Context, q querier, a ledger.Allocation, entry int64) error {
	return change(ctx, q, `UPDATE allocations SET spent_epsilon = ?, spent_renyi_1 = ?, spent_renyi_2 = ?, spent_renyi_3 = ?,
		spent_renyi_4 = ?, spent_delta = ?, entry = ? WHERE account = ? AND name = ?`,
		append(clockValues(a.Spent), entry, a.Account, a.Name)...)
}
