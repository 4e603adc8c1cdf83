package store

import (
	"context"
	"fmt"
	"slices"

	"entrepot/privacy/ledger"
	"entrepot/sandbox"
	"entrepot/sandbox/audit"
)

// checkTail compares the newest entries with tree and head, and every account with the entry that
// changed it last.
func checkTail(ctx context.Context, q querier, h head, from int64) error {
	if _, err := audit.Root(h.size, treeReader{ctx, q}); err != nil {
		return fmt.Errorf("%w: %w", ErrInconsistent, err)
	}
	last := map[string]int64{}             // the newest entry of the tail that changed the account
	announced := map[int64]sandbox.Draft{} // changes of the catalogue in the tail
	err := eachEntry(ctx, q, from, func(encoded []byte) error {
		entry, body, err := readEntry(encoded)
		if err != nil {
			return fmt.Errorf("%w: %w", ErrInconsistent, err)
		}
		for _, id := range changedAccounts(body) {
			last[id] = entry.Index
		}
		if change, ok := body.(audit.Change); ok {
			announced[entry.Index] = sandbox.Draft{Kind: entry.Kind, Body: change}
		}
		if entry.Time.After(h.latest) {
			return fmt.Errorf("%w: entry %d is later than the head", ErrInconsistent, entry.Index)
		}
		return nil
	})
	if err != nil {
		return err
	}
	if err := checkDocuments(ctx, q, from, announced); err != nil {
		return err
	}
	return checkLast(ctx, q, last)
}

// changedAccounts names the accounts whose row an entry changed.
func changedAccounts(body audit.Body) []string {
	switch b := body.(type) {
	case audit.Opening:
		return []string{b.Account.ID}
	case audit.Charge:
		return b.Accounts()
	case audit.Failure:
		return b.Accounts
	}
	return nil
}

// checkLast compares each account with the entry that its row names.
func checkLast(ctx context.Context, q querier, last map[string]int64) error {
	accounts, err := readAccounts(ctx, q)
	if err != nil {
		return err
	}
	for _, account := range accounts {
		var index int64
		var encoded []byte
		err := one(ctx, q, `SELECT idx, log.entry FROM accounts JOIN log ON idx = accounts.entry WHERE id = ?`,
			[]any{account.ID}, &index, &encoded)
		if err != nil {
			return err
		}
		if newest, ok := last[account.ID]; ok && newest != index {
			return fmt.Errorf("%w: account %s misses entry %d", ErrInconsistent, account.ID, newest)
		}
		if err := checkAccount(account, index, encoded); err != nil {
			return err
		}
	}
	return nil
}

// checkAccount compares an account's clocks with those that an entry says it left. A failure leaves no
// clocks behind; that its account is among those named must do.
func checkAccount(account ledger.Account, index int64, encoded []byte) error {
	entry, body, err := readEntry(encoded)
	if err != nil {
		return fmt.Errorf("%w: %w", ErrInconsistent, err)
	}
	named := slices.Contains(changedAccounts(body), account.ID)
	if charge, ok := body.(audit.Charge); ok {
		named = slices.Contains(charge.Spent, audit.Spent{Account: account.ID, Clocks: account.Spent})
	}
	if opening, ok := body.(audit.Opening); ok {
		named = opening.Account == account
	}
	if !named || entry.Index != index {
		return fmt.Errorf("%w: account %s is not what entry %d left", ErrInconsistent, account.ID, index)
	}
	return nil
}

// readEntry decodes an entry and its body.
func readEntry(encoded []byte) (audit.Entry, audit.Body, error) {
	entry, err := audit.Decode(encoded)
	if err != nil {
		return entry, nil, err
	}
	body, err := audit.ParseBody(entry.Kind, entry.Body)
	return entry, body, err
}
