package store

import (
	"context"
	"errors"
	"fmt"

	"entrepot/privacy/ledger"
	"entrepot/sandbox"
	"entrepot/sandbox/audit"
)

// Release implements sandbox.Ledger. answer must not call the store, and must return at least one byte.
// A release id that exists already is ErrDuplicate.
func (s *Store) Release(ctx context.Context, query, release string, answer func(entry int64) ([]byte, error)) ([]byte, error) {
	var stored []byte
	err := s.write(ctx, func(ctx context.Context, tx querier) error {
		q, err := charged(ctx, tx, query)
		if err != nil {
			return err
		}
		switch err := released(ctx, tx, release); {
		case err == nil:
			return fmt.Errorf("release %s: %w", release, sandbox.ErrDuplicate)
		case !errors.Is(err, sandbox.ErrNotFound):
			return err
		}
		stored, err = s.release(ctx, tx, q, release, answer)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("release %s: %w", query, err)
	}
	return stored, nil
}

func (s *Store) release(ctx context.Context, tx querier, q sandbox.Question, release string, answer func(int64) ([]byte, error)) ([]byte, error) {
	h, err := readHead(ctx, tx)
	if err != nil {
		return nil, err
	}
	body, err := answer(h.size)
	if err != nil {
		return nil, fmt.Errorf("answer: %w", err)
	}
	if len(body) == 0 {
		return nil, errors.New("the answer is empty")
	}
	index, _, err := s.append(ctx, tx, sandbox.Draft{
		Kind: audit.KindRelease, Actor: q.Principal, Time: q.Time,
		Body: audit.Release{Query: q.ID, Release: release, Digest: digest(body)},
	})
	if err != nil {
		return nil, err
	}
	if index != h.size {
		return nil, fmt.Errorf("the entry became number %d where %d was due", index, h.size)
	}
	return body, change(ctx, tx, `UPDATE questions SET state = 'released', answer = ?, release = ? WHERE id = ? AND state = 'charged'`,
		body, release, q.ID)
}

// Fail implements sandbox.Ledger; ErrConflict unless the question is Charged.
func (s *Store) Fail(ctx context.Context, query string) error {
	err := s.write(ctx, func(ctx context.Context, tx querier) error {
		q, err := charged(ctx, tx, query)
		if err != nil {
			return err
		}
		return s.fail(ctx, tx, q)
	})
	if err != nil {
		return fmt.Errorf("fail %s: %w", query, err)
	}
	return nil
}

func (s *Store) fail(ctx context.Context, tx querier, q sandbox.Question) error {
	entry := audit.Failure{Query: q.ID}
	after := make([]ledger.Account, len(q.Charges))
	for i, charge := range q.Charges {
		account, err := readAccount(ctx, tx, charge.Account)
		if err != nil {
			return fmt.Errorf("account %s: %w", charge.Account, err)
		}
		after[i] = account.Fail()
		entry.Accounts = append(entry.Accounts, account.ID)
		if !account.Frozen() && after[i].Frozen() {
			entry.Frozen = append(entry.Frozen, account.ID)
		}
	}
	index, _, err := s.append(ctx, tx, sandbox.Draft{Kind: audit.KindFailure, Actor: q.Principal, Time: q.Time, Body: entry})
	if err != nil {
		return err
	}
	for _, account := range after {
		if err := writeAccount(ctx, tx, account, index); err != nil {
			return err
		}
	}
	return change(ctx, tx, `UPDATE questions SET state = 'failed' WHERE id = ? AND state = 'charged'`, q.ID)
}

// charged reads a question that waits for its answer; ErrConflict in another state.
func charged(ctx context.Context, tx querier, id string) (sandbox.Question, error) {
	q, err := readQuestion(ctx, tx, `id = ?`, id)
	if err == nil && q.State != sandbox.Charged {
		err = fmt.Errorf("%w: it is %s", sandbox.ErrConflict, q.State)
	}
	return q, err
}
