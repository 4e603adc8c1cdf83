package store

import (
	"context"
	"database/sql"
	"fmt"

	"entrepot/sandbox/audit"
)

// treeReader reads stored hashes.
type treeReader struct {
	ctx context.Context
	q   querier
}

// ReadHashes implements audit.HashReader.
func (r treeReader) ReadHashes(positions []int64) ([]audit.Hash, error) {
	hashes := make([]audit.Hash, len(positions))
	for i, position := range positions {
		var b []byte
		if err := one(r.ctx, r.q, `SELECT hash FROM tree WHERE pos = ?`, []any{position}, &b); err != nil {
			return nil, fmt.Errorf("hash %d: %w", position, err)
		}
		if copy(hashes[i][:], b) != len(hashes[i]) {
			return nil, fmt.Errorf("hash %d is too short", position)
		}
	}
	return hashes, nil
}

// loadedTree is the end of a tree in memory; what is before it is read where it is.
type loadedTree struct {
	first  int64 // position of hashes[0]
	hashes []audit.Hash
	before treeReader
}

// loadTree reads the stored hashes from a position on.
func loadTree(ctx context.Context, q querier, first int64) (*loadedTree, error) {
	t := &loadedTree{first: first, before: treeReader{ctx, q}}
	err := each(ctx, q, `SELECT pos, hash FROM tree WHERE pos >= ? ORDER BY pos`, []any{first}, func(rows *sql.Rows) error {
		var position int64
		var hash audit.Hash
		var b []byte
		if err := rows.Scan(&position, &b); err != nil {
			return err
		}
		if position != first+int64(len(t.hashes)) || copy(hash[:], b) != len(hash) {
			return fmt.Errorf("%w: hash %d is missing", ErrInconsistent, first+int64(len(t.hashes)))
		}
		t.hashes = append(t.hashes, hash)
		return nil
	})
	return t, err
}

// ReadHashes implements audit.HashReader.
func (t *loadedTree) ReadHashes(positions []int64) ([]audit.Hash, error) {
	hashes := make([]audit.Hash, len(positions))
	for i, position := range positions {
		if position >= t.first {
			found := t.at(position, 1)
			if len(found) == 0 {
				return nil, fmt.Errorf("hash %d is missing", position)
			}
			hashes[i] = found[0]
			continue
		}
		found, err := t.before.ReadHashes([]int64{position})
		if err != nil {
			return nil, err
		}
		hashes[i] = found[0]
	}
	return hashes, nil
}

// at returns n hashes from a position that is loaded, or fewer when the tree ends before.
func (t *loadedTree) at(position int64, n int) []audit.Hash {
	from := min(max(position-t.first, 0), int64(len(t.hashes)))
	return t.hashes[from:min(from+int64(n), int64(len(t.hashes)))]
}
