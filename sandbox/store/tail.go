package store

import (
	"context"
	"fmt"
	"slices"

	"entrepot/privacy"
	"entrepot/privacy/ledger"
	"entrepot/sandbox"
	"entrepot/sandbox/audit"
)

// tail is what the newest entries tell.
type tail struct {
	from      int64
	accounts  map[string]int64                // the newest that changed the account
	allocated map[allocationKey]lastAllocated // the newest that changed the allocation, other than a charge
	charges   []logged                        // in order
	announced map[int64]sandbox.Draft         // changes of the catalogue
	recovered []int64                         // recoveries, in order
}

// checkTail compares a long log's newest entries with tree and head, and every account and allocation with the
// entries that changed it last.
func checkTail(ctx context.Context, q querier, h head, from int64) error {
	if _, err := audit.Root(h.size, treeReader{ctx, q}); err != nil {
		return fmt.Errorf("%w: %w", ErrInconsistent, err)
	}
	t := newTail(from)
	err := eachEntry(ctx, q, from, func(encoded []byte) error {
		entry, body, err := readEntry(encoded)
		if err != nil {
			return err
		}
		if entry.Time.After(h.latest) {
			return fmt.Errorf("%w: entry %d is later than the head", ErrInconsistent, entry.Index)
		}
		t.add(entry, body)
		return nil
	})
	if err != nil {
		return err
	}
	return t.check(ctx, q)
}

func newTail(from int64) *tail {
	return &tail{
		from: from, accounts: map[string]int64{}, allocated: map[allocationKey]lastAllocated{},
		announced: map[int64]sandbox.Draft{},
	}
}

// check compares the tables with what was added.
func (t *tail) check(ctx context.Context, q querier) error {
	if err := checkDocuments(ctx, q, t.from, t.announced); err != nil {
		return err
	}
	if err := checkCharges(ctx, q, t.from, t.charges); err != nil {
		return err
	}
	if err := t.checkAccounts(ctx, q); err != nil {
		return err
	}
	if err := t.checkRecoveries(ctx, q); err != nil {
		return err
	}
	return t.checkAllocations(ctx, q)
}

func (t *tail) add(entry audit.Entry, body audit.Body) {
	for _, id := range changedAccounts(body) {
		t.accounts[id] = entry.Index
	}
	switch b := body.(type) {
	case audit.Change:
		t.announced[entry.Index] = sandbox.Draft{Kind: entry.Kind, Body: b}
	case audit.Charge:
		entry.Body, b.Question = nil, "" // most of its bytes
		t.charges = append(t.charges, logged{entry, b})
	case audit.Recovery:
		t.recovered = append(t.recovered, entry.Index)
	case audit.Allocation:
		t.allocated[keyOf(b)] = lastAllocated{entry.Index, b.After}
	}
}

// changedAccounts names the accounts whose row an entry changed.
func changedAccounts(body audit.Body) []string {
	switch b := body.(type) {
	case audit.Opening:
		return []string{b.Account.ID}
	case audit.Amendment:
		return []string{b.After.ID}
	case audit.Charge:
		return b.Accounts()
	case audit.Failure:
		return b.Accounts
	case audit.Recovery:
		ids := make([]string, len(b.Spent))
		for i, spent := range b.Spent {
			ids[i] = spent.Account
		}
		return ids
	}
	return nil
}

// checkAccounts compares each account with the entries that its row names.
func (t *tail) checkAccounts(ctx context.Context, q querier) error {
	accounts, err := readAccounts(ctx, q)
	if err != nil {
		return err
	}
	changes := changes{}
	for _, account := range accounts {
		newest, body, err := changes.last(ctx, q, account.ID)
		if err != nil {
			return err
		}
		if due, ok := t.accounts[account.ID]; ok && due != newest.Index {
			return fmt.Errorf("%w: account %s misses entry %d", ErrInconsistent, account.ID, due)
		}
		if !left(body, account) {
			return fmt.Errorf("%w: account %s is not what entry %d left", ErrInconsistent, account.ID, newest.Index)
		}
		revised, body, err := entryOf(ctx, q, `revised FROM accounts WHERE id = ?`, account.ID)
		if err != nil {
			return err
		}
		if !wrote(body, account) {
			return fmt.Errorf("%w: account %s has not the terms that entry %d gave it", ErrInconsistent, account.ID, revised.Index)
		}
	}
	return nil
}

// left reports whether an entry left an account's clocks as they are. A failure tells of no clocks; that
// its account is among those named must do.
func left(body audit.Body, account ledger.Account) bool {
	spent := audit.Spent{Account: account.ID, Clocks: account.Spent}
	switch b := body.(type) {
	case audit.Opening:
		return b.Account == account
	case audit.Amendment:
		return b.After == account
	case audit.Charge:
		return slices.Contains(b.Spent, spent)
	case audit.Recovery:
		return slices.Contains(b.Spent, spent)
	case audit.Failure:
		return slices.Contains(b.Accounts, account.ID)
	}
	return false
}

// wrote reports whether an entry wrote an account's revision: all but its clocks.
func wrote(body audit.Body, account ledger.Account) bool {
	var by ledger.Account
	switch b := body.(type) {
	case audit.Opening:
		by = b.Account
	case audit.Amendment:
		by = b.After
	}
	by.Spent, by.Failures = privacy.Clocks{}, 0
	account.Spent, account.Failures = privacy.Clocks{}, 0
	return by == account
}

// entryOf reads the entry that a row names: which is the end of a statement that selects its index.
func entryOf(ctx context.Context, q querier, which string, key ...any) (audit.Entry, audit.Body, error) {
	var index int64
	var encoded []byte
	err := one(ctx, q, `SELECT idx, log.entry FROM log WHERE idx = (SELECT `+which+`)`, key, &index, &encoded)
	if err != nil {
		return audit.Entry{}, nil, fmt.Errorf("%w: the entry of %v: %w", ErrInconsistent, key, err)
	}
	entry, body, err := readEntry(encoded)
	if err == nil && entry.Index != index {
		err = fmt.Errorf("%w: entry %d says that it is %d", ErrInconsistent, index, entry.Index)
	}
	return entry, body, err
}

// readEntry decodes an entry and its body.
func readEntry(encoded []byte) (audit.Entry, audit.Body, error) {
	entry, err := audit.Decode(encoded)
	if err != nil {
		return entry, nil, fmt.Errorf("%w: %w", ErrInconsistent, err)
	}
	body, err := audit.ParseBody(entry.Kind, entry.Body)
	if err != nil {
		return entry, nil, fmt.Errorf("%w: %w", ErrInconsistent, err)
	}
	return entry, body, nil
}
