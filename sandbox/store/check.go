package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"slices"

	"entrepot/privacy/ledger"
	"entrepot/sandbox"
	"entrepot/sandbox/audit"
)

// ErrInconsistent means that tables and log disagree: the file was damaged or altered. Do not serve from
// it. Restore a backup, and compare its checkpoint with the newest one that anybody kept.
var ErrInconsistent = errors.New("the store disagrees with its log")

const (
	// fullReplay is the longest log that is replayed whole at the start; it takes about a second.
	fullReplay = 40_000
	// tailReplay is how many of the newest entries of a longer log are compared.
	tailReplay = 2_000
)

// checkStore compares the tables with the log: all of a short one, the end of a long one.
func checkStore(ctx context.Context, q querier) error {
	h, err := readHead(ctx, q)
	if err != nil {
		return fmt.Errorf("%w: its head: %w", ErrInconsistent, err)
	}
	if err := checkHead(ctx, q); err != nil {
		return err
	}
	if h.size <= fullReplay {
		return checkWhole(ctx, q, h)
	}
	return checkTail(ctx, q, h, h.size-tailReplay)
}

// checkHead holds head, log and tree to one size, and the newest entry to its hash. It costs the same
// for every size.
func checkHead(ctx context.Context, q querier) error {
	h, err := readHead(ctx, q)
	if err != nil {
		return fmt.Errorf("%w: its head: %w", ErrInconsistent, err)
	}
	var entries, hashes int64
	if err := one(ctx, q, `SELECT COALESCE(MAX(idx) + 1, 0) FROM log`, nil, &entries); err != nil {
		return err
	}
	if err := one(ctx, q, `SELECT COALESCE(MAX(pos) + 1, 0) FROM tree`, nil, &hashes); err != nil {
		return err
	}
	if entries != h.size || hashes != audit.StoredAt(h.size) {
		return fmt.Errorf("%w: %d entries and %d hashes where %d and %d are due", ErrInconsistent,
			entries, hashes, h.size, audit.StoredAt(h.size))
	}
	if h.size == 0 {
		return nil
	}
	_, err = checkEntries(ctx, q, h.size-1)
	return err
}

// checkEntries reads the log from an index to its end and compares every entry with the hashes stored
// for it, those of the inner nodes that it completed included.
func checkEntries(ctx context.Context, q querier, from int64) ([]audit.Entry, error) {
	var entries []audit.Entry
	var encoded [][]byte
	err := each(ctx, q, `SELECT idx, entry FROM log WHERE idx >= ? ORDER BY idx`, []any{from}, func(rows *sql.Rows) error {
		var index int64
		var b []byte
		if err := rows.Scan(&index, &b); err != nil {
			return err
		}
		entry, err := audit.Decode(b)
		if err != nil || index != entry.Index || index != from+int64(len(entries)) {
			return errors.Join(fmt.Errorf("%w: entry %d is not in its place", ErrInconsistent, from+int64(len(entries))), err)
		}
		entries, encoded = append(entries, entry), append(encoded, b)
		return nil
	})
	if err != nil {
		return nil, err
	}
	tree := treeReader{ctx, q}
	for i, b := range encoded {
		index := from + int64(i)
		want, err := audit.StoredHashes(index, b, tree)
		if err != nil {
			return nil, fmt.Errorf("%w: %w", ErrInconsistent, err)
		}
		positions := make([]int64, len(want))
		for n := range positions {
			positions[n] = audit.StoredAt(index) + int64(n)
		}
		have, err := tree.ReadHashes(positions)
		if err != nil || !slices.Equal(have, want) {
			return nil, errors.Join(fmt.Errorf("%w: entry %d does not have its stored hash", ErrInconsistent, index), err)
		}
	}
	return entries, nil
}

// checkWhole replays the log and compares accounts, questions and documents with what it tells.
func checkWhole(ctx context.Context, q querier, h head) error {
	entries, err := checkEntries(ctx, q, 0)
	if err != nil {
		return err
	}
	history := audit.NewHistory()
	for _, entry := range entries {
		if err := history.Apply(entry); err != nil {
			return fmt.Errorf("%w: entry %d: %w", ErrInconsistent, entry.Index, err)
		}
	}
	if h.size > 0 && !history.Latest().Equal(h.latest) {
		return fmt.Errorf("%w: its latest time is not that of the head", ErrInconsistent)
	}
	accounts, err := readAccounts(ctx, q)
	if err != nil {
		return err
	}
	if !slices.Equal(accounts, history.Accounts()) {
		return fmt.Errorf("%w: the accounts are not what its charges left", ErrInconsistent)
	}
	if err := checkQuestions(ctx, q, history); err != nil {
		return err
	}
	return checkDocuments(ctx, q, entries)
}

// checkQuestions holds every question to the state that the log tells: one that the log released, but
// the table would still answer, could be answered twice.
func checkQuestions(ctx context.Context, q querier, history *audit.History) error {
	n := 0
	err := each(ctx, q, `SELECT id, principal, time, state, release, entry FROM questions`, nil, func(rows *sql.Rows) error {
		var have sandbox.Question
		var at int64
		if err := rows.Scan(&have.ID, &have.Principal, &at, &have.State, &have.Release, &have.Entry); err != nil {
			return err
		}
		n++
		asked, ok := history.Asked(have.ID)
		state := sandbox.Charged
		switch {
		case asked.Release != "":
			state = sandbox.Released
		case asked.Failed:
			state = sandbox.Failed
		}
		if !ok || have.State != state || have.Release != asked.Release || have.Entry != asked.Charge ||
			have.Principal != asked.Actor || at != asked.Time.Unix() {
			return fmt.Errorf("%w: question %s is not what the log tells", ErrInconsistent, have.ID)
		}
		return nil
	})
	if err == nil && n != history.Charged() {
		err = fmt.Errorf("%w: %d questions where the log charged %d", ErrInconsistent, n, history.Charged())
	}
	return err
}

// checkDocuments holds every document to the entry that announced it: a policy that was changed in the
// table alone must not decide.
func checkDocuments(ctx context.Context, q querier, entries []audit.Entry) error {
	return each(ctx, q, `SELECT kind, id, revision, body, entry FROM documents`, nil, func(rows *sql.Rows) error {
		var d sandbox.Document
		var index int64
		if err := rows.Scan(&d.Kind, &d.ID, &d.Revision, &d.Body, &index); err != nil {
			return err
		}
		entry := entries[index] // the schema's foreign key; indices are gapless here
		body, err := audit.ParseBody(entry.Kind, entry.Body)
		if err == nil {
			err = checkDocument(d, sandbox.Draft{Kind: entry.Kind, Body: body})
		}
		if err != nil {
			return fmt.Errorf("%w: %s %s: %w", ErrInconsistent, d.Kind, d.ID, err)
		}
		return nil
	})
}

// checkTail compares the newest entries with tree and head, and every account with the entry that
// changed it last.
func checkTail(ctx context.Context, q querier, h head, from int64) error {
	entries, err := checkEntries(ctx, q, from)
	if err != nil {
		return err
	}
	if _, err := audit.Root(h.size, treeReader{ctx, q}); err != nil {
		return fmt.Errorf("%w: %w", ErrInconsistent, err)
	}
	last := map[string]int64{} // the newest entry of the tail that changed the account
	for _, entry := range entries {
		body, err := audit.ParseBody(entry.Kind, entry.Body)
		if err != nil {
			return err
		}
		for _, id := range changedAccounts(body) {
			last[id] = entry.Index
		}
		if entry.Time.After(h.latest) {
			return fmt.Errorf("%w: entry %d is later than the head", ErrInconsistent, entry.Index)
		}
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
	entry, err := audit.Decode(encoded)
	if err != nil {
		return err
	}
	body, err := audit.ParseBody(entry.Kind, entry.Body)
	if err != nil {
		return err
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
