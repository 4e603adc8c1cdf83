package store

import (
	"context"
	"database/sql"
	"fmt"
	"slices"

	"entrepot/privacy"
	"entrepot/sandbox/audit"
)

// checkRecoveries holds the table of recoveries to the entries that it names and to those of the tail, and what is
// owed of lost accounts to the newest recovery.
func (t *tail) checkRecoveries(ctx context.Context, q querier) error {
	marks, err := readRecoveries(ctx, q)
	if err != nil {
		return err
	}
	var newest audit.Recovery
	var inTail []int64
	for _, m := range marks {
		if newest, err = readRecovery(ctx, q, m); err != nil {
			return err
		}
		if m.Index >= t.from {
			inTail = append(inTail, m.Index)
		}
	}
	if !slices.Equal(inTail, t.recovered) {
		return fmt.Errorf("%w: its recoveries are not those that the log records", ErrInconsistent)
	}
	return checkOwed(ctx, q, newest)
}

// readRecovery reads the entry that a mark names.
func readRecovery(ctx context.Context, q querier, m audit.Mark) (audit.Recovery, error) {
	var encoded []byte
	if err := one(ctx, q, `SELECT entry FROM log WHERE idx = ?`, []any{m.Index}, &encoded); err != nil {
		return audit.Recovery{}, fmt.Errorf("%w: entry %d: %w", ErrInconsistent, m.Index, err)
	}
	_, body, err := readEntry(encoded)
	if err != nil {
		return audit.Recovery{}, err
	}
	r, ok := body.(audit.Recovery)
	if !ok || audit.LeafHash(encoded) != m.Leaf {
		return r, fmt.Errorf("%w: entry %d is not the recovery that the store names", ErrInconsistent, m.Index)
	}
	return r, nil
}

// checkOwed compares what is owed of accounts that are not open with what the newest recovery says of them. Of those
// opened again the opening tells.
func checkOwed(ctx context.Context, q querier, newest audit.Recovery) error {
	due := audit.ClocksOf(newest.Spent)
	err := each(ctx, q, `SELECT account, `+clockColumns+` FROM owed WHERE account NOT IN (SELECT id FROM accounts)`, nil, func(rows *sql.Rows) error {
		var owed audit.Spent
		if err := rows.Scan(append([]any{&owed.Account}, clockFields(&owed.Clocks)...)...); err != nil {
			return err
		}
		if want, named := due[owed.Account]; !named || want != owed.Clocks {
			return fmt.Errorf("%w: what is owed of %s is not what the newest recovery says", ErrInconsistent, owed.Account)
		}
		return nil
	})
	if err != nil {
		return err
	}
	for _, s := range newest.Spent {
		var n int64
		err := one(ctx, q, `SELECT (SELECT COUNT(*) FROM accounts WHERE id = ?1) + (SELECT COUNT(*) FROM owed WHERE account = ?1)`, []any{s.Account}, &n)
		if err == nil && n == 0 && s.Clocks != (privacy.Clocks{}) {
			err = fmt.Errorf("%w: nothing is owed of %s, which a recovery lost", ErrInconsistent, s.Account)
		}
		if err != nil {
			return err
		}
	}
	return nil
}
