package store

import (
	"context"
	"crypto/sha256"
	"database/sql"
	"encoding/hex"
	"errors"
	"fmt"

	"entrepot/sandbox"
	"entrepot/sandbox/audit"
)

// Get implements sandbox.Catalogue.
func (s *Store) Get(ctx context.Context, kind, id string) (sandbox.Document, error) {
	d := sandbox.Document{Kind: kind, ID: id}
	err := one(ctx, s.reads, `SELECT revision, body FROM documents WHERE kind = ? AND id = ? ORDER BY revision DESC LIMIT 1`,
		[]any{kind, id}, &d.Revision, &d.Body)
	if errors.Is(err, errNoRow) {
		err = sandbox.ErrNotFound
	}
	if err != nil {
		return sandbox.Document{}, fmt.Errorf("%s %s: %w", kind, id, err)
	}
	return d, nil
}

// List implements sandbox.Catalogue.
func (s *Store) List(ctx context.Context, kind string) ([]sandbox.Document, error) {
	var documents []sandbox.Document
	err := each(ctx, s.reads, `
		SELECT id, revision, body FROM documents AS d
		WHERE kind = ? AND revision = (SELECT MAX(revision) FROM documents WHERE kind = d.kind AND id = d.id)
		ORDER BY id`,
		[]any{kind}, func(rows *sql.Rows) error {
			d := sandbox.Document{Kind: kind}
			err := rows.Scan(&d.ID, &d.Revision, &d.Body)
			documents = append(documents, d)
			return err
		})
	if err != nil {
		return nil, fmt.Errorf("list %s: %w", kind, err)
	}
	return documents, nil
}

// Put implements sandbox.Catalogue. The entry must be of the document's kind, id and revision; except for
// a version, whose digest commits to its rows, it must carry the SHA-256 of the document's body.
func (s *Store) Put(ctx context.Context, d sandbox.Document, entry sandbox.Draft) error {
	if err := checkDocument(d, entry); err != nil {
		return fmt.Errorf("put %s %s: %w", d.Kind, d.ID, err)
	}
	err := s.write(ctx, func(ctx context.Context, q querier) error {
		var newest int64
		err := one(ctx, q, `SELECT COALESCE(MAX(revision), 0) FROM documents WHERE kind = ? AND id = ?`,
			[]any{d.Kind, d.ID}, &newest)
		if err != nil {
			return err
		}
		if newest != d.Revision-1 {
			return fmt.Errorf("%w: it is at %d", sandbox.ErrConflict, newest)
		}
		index, _, err := s.append(ctx, q, entry)
		if err != nil {
			return err
		}
		return change(ctx, q, `INSERT INTO documents (kind, id, revision, body, entry) VALUES (?, ?, ?, ?, ?)`,
			d.Kind, d.ID, d.Revision, d.Body, index)
	})
	if err != nil {
		return fmt.Errorf("put %s %s: %w", d.Kind, d.ID, err)
	}
	return nil
}

// checkDocument holds document and entry together.
func checkDocument(d sandbox.Document, entry sandbox.Draft) error {
	logged, ok := entry.Body.(audit.Change)
	switch {
	case !ok || string(entry.Kind) != d.Kind:
		return errors.New("its entry is not a change of this kind of document")
	case d.ID == "" || d.Body == nil || logged.Resource != d.ID || logged.Revision != d.Revision:
		return errors.New("its entry is of another document or revision")
	case entry.Kind != audit.KindVersion && logged.Digest != digest(d.Body):
		return errors.New("the digest of its entry is not the SHA-256 of its body")
	}
	return nil
}

// digest is how entries name bytes: SHA-256 in hex.
func digest(b []byte) string {
	sum := sha256.Sum256(b)
	return hex.EncodeToString(sum[:])
}

// unmoved refuses when a document is not at the revision that a decision was made with.
func unmoved(ctx context.Context, tx querier, guards []sandbox.Guard) error {
	for _, g := range guards {
		var newest int64
		if err := one(ctx, tx, `SELECT coalesce(MAX(revision), 0) FROM documents WHERE kind = ? AND id = ?`, []any{g.Kind, g.ID}, &newest); err != nil {
			return err
		}
		if newest != g.Revision {
			return fmt.Errorf("%s %s: %w", g.Kind, g.ID, sandbox.ErrConflict)
		}
	}
	return nil
}
