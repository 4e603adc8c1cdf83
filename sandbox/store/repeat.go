package store

import (
	"context"
	"fmt"

	"entrepot/sandbox"
	"entrepot/sandbox/audit"
)

// Repeat implements sandbox.Ledger. A release that is not stored is sandbox.ErrNotFound: a log that
// repeats another would never verify again.
func (s *Store) Repeat(ctx context.Context, r sandbox.Repeat) error {
	err := s.write(ctx, func(ctx context.Context, tx querier) error { return s.repeat(ctx, tx, r) })
	if err != nil {
		return fmt.Errorf("repeat %.40q: %w", r.Entry.Release, err)
	}
	return nil
}

func (s *Store) repeat(ctx context.Context, tx querier, r sandbox.Repeat) error {
	if err := released(ctx, tx, r.Entry.Release); err != nil {
		return err
	}
	if err := unused(ctx, tx, r.Principal, r.Idempotency); err != nil {
		return err
	}
	if err := unmoved(ctx, tx, r.Guards); err != nil {
		return err
	}
	index, _, err := s.append(ctx, tx, sandbox.Draft{Kind: audit.KindRepeat, Actor: r.Principal, Time: r.Time, Body: r.Entry})
	if err != nil || r.Idempotency == "" {
		return err
	}
	return change(ctx, tx, `INSERT INTO repeats (principal, idempotency, body_digest, release, answer, entry) VALUES (?, ?, ?, ?, ?, ?)`,
		r.Principal, r.Idempotency, r.BodyDigest, r.Entry.Release, list(r.Answer), index)
}

// released makes sure that a release exists.
func released(ctx context.Context, tx querier, release string) error {
	var n int64
	err := one(ctx, tx, `SELECT COUNT(*) FROM questions WHERE release = ? AND release <> ''`, []any{release}, &n)
	if err == nil && n == 0 {
		err = sandbox.ErrNotFound
	}
	return err
}

// unused refuses an idempotency key that a question or a repeat has.
func unused(ctx context.Context, tx querier, principal, key string) error {
	if key == "" {
		return nil
	}
	var n int64
	err := one(ctx, tx, `
		SELECT (SELECT COUNT(*) FROM questions WHERE principal = ?1 AND idempotency = ?2 AND idempotency <> '')
		     + (SELECT COUNT(*) FROM repeats WHERE principal = ?1 AND idempotency = ?2)`, []any{principal, key}, &n)
	if err == nil && n > 0 {
		err = sandbox.ErrDuplicate
	}
	return err
}
