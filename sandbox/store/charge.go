package store

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"time"

	"entrepot/privacy/ledger"
	"entrepot/sandbox"
	"entrepot/sandbox/audit"
)

// Charge implements sandbox.Ledger. The entry's query, project and charges are q's; its actor is q's principal;
// the question's time becomes the entry's.
func (s *Store) Charge(ctx context.Context, q sandbox.Question, entry audit.Charge) (int64, error) {
	q.Charges = audit.SortCharges(q.Charges)
	if err := checkQuestion(q, entry); err != nil {
		return 0, fmt.Errorf("charge %s: %w", q.ID, err)
	}
	entry.Query, entry.Project, entry.Charges = q.ID, q.Project, q.Charges
	var index int64
	err := s.write(ctx, func(ctx context.Context, tx querier) (err error) {
		index, err = s.charge(ctx, tx, q, entry)
		return err
	})
	if err != nil {
		return 0, fmt.Errorf("charge %s: %w", q.ID, err)
	}
	return index, nil
}

// checkQuestion holds question and entry together.
func checkQuestion(q sandbox.Question, entry audit.Charge) error {
	if q.ID == "" || q.Principal == "" || len(q.Charges) == 0 {
		return errors.New("a question needs an id, a principal and charges")
	}
	for i := 1; i < len(q.Charges); i++ {
		if q.Charges[i-1].Account == q.Charges[i].Account {
			return fmt.Errorf("account %s is charged twice", q.Charges[i].Account)
		}
	}
	if entry.Query != "" && entry.Query != q.ID {
		return errors.New("its entry is of another question")
	}
	if entry.Project != "" && entry.Project != q.Project {
		return errors.New("its entry is for another project")
	}
	if entry.Charges != nil && !slices.Equal(audit.SortCharges(entry.Charges), q.Charges) {
		return errors.New("its entry has other charges")
	}
	return nil
}

// charge is the transaction: every account admits, or nothing is written.
func (s *Store) charge(ctx context.Context, tx querier, q sandbox.Question, entry audit.Charge) (int64, error) {
	if err := unasked(ctx, tx, q); err != nil {
		return 0, err
	}
	if err := unmoved(ctx, tx, q.Guards); err != nil {
		return 0, err
	}
	h, err := readHead(ctx, tx)
	if err != nil {
		return 0, err
	}
	after, allocated, err := admit(ctx, tx, q, h.next(q.Time))
	if err != nil {
		return 0, err
	}
	entry.Spent = make([]audit.Spent, len(after))
	for i, account := range after {
		entry.Spent[i] = audit.Spent{Account: account.ID, Clocks: account.Spent}
	}
	index, at, err := s.append(ctx, tx, sandbox.Draft{Kind: audit.KindCharge, Actor: q.Principal, Time: q.Time, Body: entry})
	if err != nil {
		return 0, err
	}
	for _, account := range after {
		if err := writeAccount(ctx, tx, account, index); err != nil {
			return 0, err
		}
	}
	for _, allocation := range allocated {
		if err := writeAllocation(ctx, tx, allocation, index); err != nil {
			return 0, err
		}
	}
	q.Time, q.Entry = at, index
	if err := insertQuestion(ctx, tx, q); err != nil {
		return 0, err
	}
	return index, insertCharges(ctx, tx, q)
}

// admit returns every account that a question is charged to, and every allocation that covers who asks, as they
// are after the charge. An error names the account.
func admit(ctx context.Context, tx querier, q sandbox.Question, at time.Time) (after []ledger.Account, allocated []ledger.Allocation, err error) {
	asker := ledger.Asker{Project: q.Project, Researcher: q.Principal}
	for _, charge := range q.Charges {
		account, err := readAccount(ctx, tx, charge.Account)
		if err != nil {
			return nil, nil, fmt.Errorf("account %s: %w", charge.Account, err)
		}
		if account, err = account.Admit(charge, at); err != nil {
			return nil, nil, err
		}
		after = append(after, account)
		allocations, err := readAllocations(ctx, tx, charge.Account)
		if err != nil {
			return nil, nil, err
		}
		for _, allocation := range allocations {
			if !allocation.Scope.Covers(asker) {
				continue
			}
			if allocation, err = allocation.Admit(charge); err != nil {
				return nil, nil, err
			}
			allocated = append(allocated, allocation)
		}
	}
	return after, allocated, nil
}

// unasked refuses a question whose id or idempotency key was used.
func unasked(ctx context.Context, tx querier, q sandbox.Question) error {
	var n int64
	err := one(ctx, tx, `SELECT COUNT(*) FROM questions WHERE id = ?`, []any{q.ID}, &n)
	if err == nil && n > 0 {
		err = sandbox.ErrDuplicate
	}
	if err != nil {
		return err
	}
	return unused(ctx, tx, q.Principal, q.Idempotency)
}

func insertQuestion(ctx context.Context, tx querier, q sandbox.Question) error {
	charges, err := json.Marshal(q.Charges)
	if err != nil {
		return err
	}
	return change(ctx, tx, `
		INSERT INTO questions (id, principal, project, idempotency, body_digest, repeat, draw, noise, plan, charges, time, state, entry)
		VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
		q.ID, q.Principal, q.Project, q.Idempotency, q.BodyDigest, q.Repeat, q.Draw, list(q.Noise), list(q.Plan), charges,
		q.Time.Unix(), sandbox.Charged, q.Entry)
}

// list keeps an empty blob from becoming NULL.
func list(b []byte) []byte {
	if b == nil {
		return []byte{}
	}
	return b
}
