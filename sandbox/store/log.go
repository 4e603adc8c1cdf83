package store

import (
	"context"
	"database/sql"
	"fmt"
	"io"
	"time"

	"entrepot/sandbox"
	"entrepot/sandbox/audit"
)

// maxEntries is the most entries that one call returns.
const maxEntries = 10_000

// head is the log's size and the latest time of its entries.
type head struct {
	size   int64
	latest time.Time
}

// next is the time of an entry that is added now.
func (h head) next(at time.Time) time.Time {
	if at = at.UTC().Truncate(time.Second); at.Before(h.latest) {
		return h.latest
	}
	return at
}

func readHead(ctx context.Context, q querier) (head, error) {
	var h head
	var latest int64
	err := one(ctx, q, `SELECT size, latest FROM head`, nil, &h.size, &latest)
	h.latest = time.Unix(latest, 0).UTC()
	return h, err
}

// Append implements sandbox.Log for entries that stand alone: decisions, and changes of the catalogue
// without a document. What changes an account or a question, or repeats one, has its own method.
func (s *Store) Append(ctx context.Context, d sandbox.Draft) (int64, error) {
	switch d.Kind {
	case audit.KindAccount, audit.KindAmendment, audit.KindAllocation, audit.KindRecovery,
		audit.KindCharge, audit.KindRelease, audit.KindFailure, audit.KindRepeat:
		return 0, fmt.Errorf("append: an entry of kind %s comes with what it records: use the ledger", d.Kind)
	}
	var index int64
	err := s.write(ctx, func(ctx context.Context, q querier) (err error) {
		index, _, err = s.append(ctx, q, d)
		return err
	})
	return index, err
}

// append adds an entry to log and tree and returns its index and its time: the draft's, or the latest
// so far if that is later, so that the log's time never runs backwards. Releases and failures keep the
// time they are given, which is their charge's.
func (s *Store) append(ctx context.Context, q querier, d sandbox.Draft) (int64, time.Time, error) {
	h, err := readHead(ctx, q)
	if err != nil {
		return 0, time.Time{}, err
	}
	at := d.Time.UTC().Truncate(time.Second)
	if completes := d.Kind == audit.KindRelease || d.Kind == audit.KindFailure; !completes {
		at = h.next(d.Time)
	}
	entry := audit.Entry{Index: h.size, Time: at, Kind: d.Kind, Actor: d.Actor}
	if _, err := io.ReadFull(s.salts, entry.Salt[:]); err != nil {
		return 0, at, fmt.Errorf("salt: %w", err)
	}
	if entry.Body, err = audit.MarshalBody(d.Kind, d.Body); err != nil {
		return 0, at, err
	}
	encoded, err := audit.Encode(entry)
	if err != nil {
		return 0, at, err
	}
	return h.size, at, extend(ctx, q, h, at, encoded)
}

// extend writes the entry, the hashes that it completes and the new head.
func extend(ctx context.Context, q querier, h head, at time.Time, encoded []byte) error {
	if err := change(ctx, q, `INSERT INTO log (idx, entry) VALUES (?, ?)`, h.size, encoded); err != nil {
		return err
	}
	hashes, err := audit.StoredHashes(h.size, encoded, treeReader{ctx, q})
	if err != nil {
		return fmt.Errorf("tree: %w", err)
	}
	first := audit.StoredAt(h.size)
	for i, hash := range hashes {
		if err := change(ctx, q, `INSERT INTO tree (pos, hash) VALUES (?, ?)`, first+int64(i), hash[:]); err != nil {
			return err
		}
	}
	if at.Before(h.latest) {
		at = h.latest
	}
	return change(ctx, q, `UPDATE head SET size = ?, latest = ? WHERE size = ?`, h.size+1, at.Unix(), h.size)
}

// Entries implements sandbox.Log. It returns at most 10,000 entries at a time.
func (s *Store) Entries(ctx context.Context, from int64, limit int) ([][]byte, error) {
	var entries [][]byte
	err := each(ctx, s.reads, `SELECT entry FROM log WHERE idx >= ? ORDER BY idx LIMIT ?`,
		[]any{from, min(max(limit, 0), maxEntries)}, func(rows *sql.Rows) error {
			var entry []byte
			err := rows.Scan(&entry)
			entries = append(entries, entry)
			return err
		})
	if err != nil {
		return nil, fmt.Errorf("entries: %w", err)
	}
	return entries, nil
}

// Checkpoint implements sandbox.Log: size, root and clocks are of one moment.
func (s *Store) Checkpoint(ctx context.Context) ([]byte, error) {
	var signed []byte
	err := s.snapshot(ctx, func(q querier) (err error) {
		_, signed, err = s.sign(ctx, q)
		return err
	})
	if signed, err = settled(ctx, s, signed, err); err != nil {
		return nil, fmt.Errorf("checkpoint: %w", err)
	}
	return signed, nil
}

// Inclusion proves that entry index is in the log's first size entries (audit.CheckInclusion).
func (s *Store) Inclusion(ctx context.Context, index, size int64) (proof []audit.Hash, err error) {
	err = s.snapshot(ctx, func(q querier) error {
		proof, err = audit.Inclusion(index, size, treeReader{ctx, q})
		return err
	})
	return proof, err
}

// Consistency proves that the log's first newer entries begin with its first older ones
// (audit.CheckConsistency).
func (s *Store) Consistency(ctx context.Context, older, newer int64) (proof []audit.Hash, err error) {
	err = s.snapshot(ctx, func(q querier) error {
		proof, err = audit.Consistency(older, newer, treeReader{ctx, q})
		return err
	})
	return proof, err
}
