package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"entrepot/privacy/ledger"
	"entrepot/sandbox"
	"entrepot/sandbox/audit"
)

const accountColumns = `id, kind, epsilon, delta, renyi_order, cap_epsilon, cap_renyi, cap_delta,
	spent_epsilon, spent_renyi, spent_delta, failures, allowed`

// Open implements sandbox.Ledger.
func (s *Store) Open(ctx context.Context, a ledger.Account, actor string, at time.Time) error {
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
		index, _, err := s.append(ctx, q, sandbox.Draft{
			Kind: audit.KindAccount, Actor: actor, Time: at, Body: audit.Opening{Account: a},
		})
		if err != nil {
			return err
		}
		return change(ctx, q, `INSERT INTO accounts (`+accountColumns+`, entry) VALUES (?,?,?,?,?,?,?,?,?,?,?,?,?,?)`,
			a.ID, a.Kind, a.Epsilon, a.Delta, a.Order, a.Caps.Epsilon, a.Caps.Renyi, a.Caps.Delta,
			a.Spent.Epsilon, a.Spent.Renyi, a.Spent.Delta, a.Failures, a.Allowed, index)
	})
	if err != nil {
		return fmt.Errorf("open account %s: %w", a.ID, err)
	}
	return nil
}

// Accounts implements sandbox.Ledger.
func (s *Store) Accounts(ctx context.Context) ([]ledger.Account, error) {
	return readAccounts(ctx, s.reads)
}

func readAccounts(ctx context.Context, q querier) ([]ledger.Account, error) {
	var accounts []ledger.Account
	err := each(ctx, q, `SELECT `+accountColumns+` FROM accounts ORDER BY id`, nil, func(rows *sql.Rows) error {
		var a ledger.Account
		err := rows.Scan(accountFields(&a)...)
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
	var a ledger.Account
	err := one(ctx, q, `SELECT `+accountColumns+` FROM accounts WHERE id = ?`, []any{id}, accountFields(&a)...)
	if errors.Is(err, errNoRow) {
		err = sandbox.ErrNotFound
	}
	return a, err
}

// accountFields are where accountColumns are read into.
func accountFields(a *ledger.Account) []any {
	return []any{
		&a.ID, &a.Kind, &a.Epsilon, &a.Delta, &a.Order, &a.Caps.Epsilon, &a.Caps.Renyi, &a.Caps.Delta,
		&a.Spent.Epsilon, &a.Spent.Renyi, &a.Spent.Delta, &a.Failures, &a.Allowed,
	}
}

// writeAccount stores what a charge or a failure changed; the schema refuses a clock that falls.
func writeAccount(ctx context.Context, q querier, a ledger.Account, entry int64) error {
	return change(ctx, q, `UPDATE accounts SET spent_epsilon = ?, spent_renyi = ?, spent_delta = ?, failures = ?, entry = ?
		WHERE id = ?`, a.Spent.Epsilon, a.Spent.Renyi, a.Spent.Delta, a.Failures, entry, a.ID)
}
