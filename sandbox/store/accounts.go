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

const accountColumns = `id, revision, body, ` + clockColumns + `, failures`

const clockColumns = `spent_epsilon, spent_renyi_1, spent_renyi_2, spent_renyi_3, spent_renyi_4, spent_delta`

// maxAccounts is the most accounts that a store has, those lost in a recovery included. Every checkpoint names all
// of them, in at most 262 bytes each: that leaves a quarter of audit.MaxCheckpoint, for 3,000 recoveries.
const maxAccounts = 3_000

// Open implements sandbox.Ledger. One account more than a checkpoint has room for is ledger.ErrAccount.
func (s *Store) Open(ctx context.Context, a ledger.Account, by sandbox.By) error {
	err := s.write(ctx, func(ctx context.Context, q querier) error {
		_, err := readAccount(ctx, q, a.ID)
		if err == nil {
			return sandbox.ErrDuplicate
		}
		if !errors.Is(err, sandbox.ErrNotFound) {
			return err
		}
		if err := audit.CheckOpening(a); err != nil {
			return err
		}
		if err := roomForAccount(ctx, q, a.ID); err != nil {
			return err
		}
		if a, err = resume(ctx, q, a); err != nil {
			return err
		}
		index, err := s.appendBy(ctx, q, by, audit.KindAccount, audit.Opening{Reason: by.Reason, Account: a})
		if err != nil {
			return err
		}
		return insertAccount(ctx, q, a, index)
	})
	if err != nil {
		return fmt.Errorf("open account %.130s: %w", a.ID, err)
	}
	return nil
}

// roomForAccount refuses one account more than there may be.
func roomForAccount(ctx context.Context, q querier, id string) error {
	var n int64
	err := one(ctx, q, `SELECT (SELECT COUNT(*) FROM accounts)
		+ (SELECT COUNT(*) FROM owed WHERE account <> ? AND account NOT IN (SELECT id FROM accounts))`, []any{id}, &n)
	if err == nil && n >= maxAccounts {
		err = fmt.Errorf("%w: a deployment has at most %d accounts, and none is ever taken away; charge one that is open", ledger.ErrAccount, maxAccounts)
	}
	return err
}

// Amend implements sandbox.Ledger.
func (s *Store) Amend(ctx context.Context, id string, revision int64, p ledger.Promise, t ledger.Terms, by sandbox.By) (ledger.Account, error) {
	var after ledger.Account
	err := s.write(ctx, func(ctx context.Context, q querier) error {
		before, err := readAccount(ctx, q, id)
		if err != nil {
			return err
		}
		if before.Revision != revision {
			return fmt.Errorf("%w: it is at %d, not %d", sandbox.ErrConflict, before.Revision, revision)
		}
		if after, err = before.Amend(p, t); err != nil {
			return err
		}
		index, err := s.appendBy(ctx, q, by, audit.KindAmendment, audit.Amendment{Reason: by.Reason, Before: before, After: after})
		if err != nil {
			return err
		}
		return reviseAccount(ctx, q, after, index)
	})
	if err != nil {
		return ledger.Account{}, fmt.Errorf("amend account %.130s: %w", id, err)
	}
	return after, nil
}

// appendBy logs what somebody decided, with the reason that the body holds.
func (s *Store) appendBy(ctx context.Context, q querier, by sandbox.By, kind audit.Kind, body audit.Body) (int64, error) {
	if err := audit.CheckReason(by.Reason); err != nil && (by.Reason != "" || kind != audit.KindAccount) {
		return 0, fmt.Errorf("%w: %w", ledger.ErrAccount, err)
	}
	index, _, err := s.append(ctx, q, sandbox.Draft{Kind: kind, Actor: by.Actor, Time: by.At, Body: body})
	return index, err
}

// Accounts implements sandbox.Ledger.
func (s *Store) Accounts(ctx context.Context) ([]ledger.Account, error) {
	return readAccounts(ctx, s.reads)
}

func readAccounts(ctx context.Context, q querier) ([]ledger.Account, error) {
	var accounts []ledger.Account
	err := each(ctx, q, `SELECT `+accountColumns+` FROM accounts ORDER BY id`, nil, func(rows *sql.Rows) error {
		a, err := scanAccount(rows.Scan)
		accounts = append(accounts, a)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("accounts: %w", err)
	}
	return accounts, nil
}

// readAccount returns one account, or sandbox.ErrNotFound.
func readAccount(ctx context.Context, q querier, id string) (ledger.Account, error) {
	a, err := scanAccount(func(dest ...any) error {
		return one(ctx, q, `SELECT `+accountColumns+` FROM accounts WHERE id = ?`, []any{id}, dest...)
	})
	if errors.Is(err, errNoRow) {
		err = sandbox.ErrNotFound
	}
	return a, err
}

// scanAccount reads accountColumns.
func scanAccount(scan func(dest ...any) error) (a ledger.Account, err error) {
	var row ledger.Account // what has a column of its own
	var body []byte
	if err := scan(append(append([]any{&row.ID, &row.Revision, &body}, clockFields(&row.Spent)...), &row.Failures)...); err != nil {
		return a, err
	}
	if err := json.Unmarshal(body, &a); err != nil {
		return a, fmt.Errorf("%w: account %.130q: %w", ErrInconsistent, row.ID, err)
	}
	a.ID, a.Revision, a.Spent, a.Failures = row.ID, row.Revision, row.Spent, row.Failures
	return a, nil
}

// clockFields are where clockColumns are read into.
func clockFields(c *privacy.Clocks) []any {
	return []any{&c.Epsilon, &c.Renyi[0], &c.Renyi[1], &c.Renyi[2], &c.Renyi[3], &c.Delta}
}

// clockValues are what clockColumns hold.
func clockValues(c privacy.Clocks) []any {
	return []any{c.Epsilon, c.Renyi[0], c.Renyi[1], c.Renyi[2], c.Renyi[3], c.Delta}
}

// accountBody is what an account's row holds beside its clocks.
func accountBody(a ledger.Account) ([]byte, error) {
	a.Spent, a.Failures = privacy.Clocks{}, 0
	return json.Marshal(a)
}

func insertAccount(ctx context.Context, q querier, a ledger.Account, entry int64) error {
	body, err := accountBody(a)
	if err != nil {
		return err
	}
	values := append([]any{a.ID, a.Revision, body}, clockValues(a.Spent)...)
	return change(ctx, q, `INSERT INTO accounts (`+accountColumns+`, revised, entry) VALUES (?,?,?,?,?,?,?,?,?,?,?,?)`,
		append(values, a.Failures, entry, entry)...)
}

// reviseAccount stores what its owner changed.
func reviseAccount(ctx context.Context, q querier, a ledger.Account, entry int64) error {
	body, err := accountBody(a)
	if err != nil {
		return err
	}
	return change(ctx, q, `UPDATE accounts SET revision = ?, body = ?, revised = ?, entry = ? WHERE id = ?`,
		a.Revision, body, entry, entry, a.ID)
}

// writeAccount stores what a charge or a failure changed; the schema refuses a clock that falls.
func writeAccount(ctx context.Context, q querier, a ledger.Account, entry int64) error {
	return change(ctx, q, `UPDATE accounts SET spent_epsilon = ?, spent_renyi_1 = ?, spent_renyi_2 = ?, spent_renyi_3 = ?,
		spent_renyi_4 = ?, spent_delta = ?, failures = ?, entry = ? WHERE id = ?`,
		append(clockValues(a.Spent), a.Failures, entry, a.ID)...)
}
