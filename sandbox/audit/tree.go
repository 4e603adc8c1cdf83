package audit

import (
	"errors"
	"fmt"

	"golang.org/x/mod/sumdb/tlog"
)

// Hash is a node of the RFC 6962 tree (SHA-256).
type Hash = tlog.Hash

// HashReader gives the hashes stored for a tree, by tlog.StoredHashIndex.
type HashReader = tlog.HashReader

// ErrProof means that a proof does not show what it should. The log it came from is not the log that
// the checkpoint signed, or the proof was altered on the way: do not rely on either.
var ErrProof = errors.New("the proof does not hold")

// LeafHash is the tree's hash of one encoded entry: SHA-256(0x00 ‖ entry).
func LeafHash(entry []byte) Hash { return tlog.RecordHash(entry) }

// StoredHashes are the hashes to store when an entry becomes number index, the first of them at
// tlog.StoredHashIndex(0, index), the others behind it. r reads those stored before.
func StoredHashes(index int64, entry []byte, r HashReader) ([]Hash, error) {
	return tlog.StoredHashes(index, entry, r)
}

// StoredAt is the position of the first hash that entry index stores; StoredAt(size) is how many
// hashes a tree of that size has.
func StoredAt(index int64) int64 { return tlog.StoredHashCount(index) }

// Root is the tree's hash over its first size entries.
func Root(size int64, r HashReader) (Hash, error) { return tlog.TreeHash(size, r) }

// Inclusion proves that the entry with this index is in the tree of this size.
func Inclusion(index, size int64, r HashReader) ([]Hash, error) {
	if index < 0 || index >= size {
		return nil, fmt.Errorf("a log of %d entries has none with index %d", size, index)
	}
	return tlog.ProveRecord(size, index, r)
}

// CheckInclusion accepts the proof only if entry, byte for byte, is number index of the checkpoint's log.
func CheckInclusion(proof []Hash, c Checkpoint, index int64, entry []byte) error {
	if err := tlog.CheckRecord(proof, c.Size, c.Root, index, LeafHash(entry)); err != nil {
		return fmt.Errorf("entry %d in a log of %d: %w", index, c.Size, ErrProof)
	}
	return nil
}

// Consistency proves that the tree of size newer begins with the tree of size older.
func Consistency(older, newer int64, r HashReader) ([]Hash, error) {
	if older < 0 || older > newer {
		return nil, fmt.Errorf("a log of %d entries does not extend one of %d", newer, older)
	}
	if older == 0 {
		return nil, nil // every log extends the empty one
	}
	return tlog.ProveTree(newer, older, r)
}

// CheckConsistency accepts the proof only if the newer log begins with every entry of the older one.
func CheckConsistency(proof []Hash, older, newer Checkpoint) error {
	if older.Size == 0 && len(proof) == 0 && newer.Size >= 0 && older.Root == emptyRoot() {
		return nil
	}
	if err := tlog.CheckTree(proof, newer.Size, newer.Root, older.Size, older.Root); err != nil {
		return fmt.Errorf("from %d to %d entries: %w", older.Size, newer.Size, ErrProof)
	}
	return nil
}

// emptyRoot is the SHA-256 of nothing.
func emptyRoot() Hash {
	root, _ := tlog.TreeHash(0, nil) // reads nothing and cannot fail
	return root
}

// Frontier computes the root of a log that streams by, in memory that grows with the logarithm of its
// size. The zero value is the empty log.
type Frontier struct {
	size  int64
	nodes []Hash // roots of the perfect subtrees that make up the log, the largest first
}

// Add appends a leaf.
func (f *Frontier) Add(leaf Hash) {
	for n := f.size; n&1 == 1; n >>= 1 { // each trailing 1 is a subtree as large as the one in hand
		last := len(f.nodes) - 1
		leaf = tlog.NodeHash(f.nodes[last], leaf)
		f.nodes = f.nodes[:last]
	}
	f.nodes = append(f.nodes, leaf)
	f.size++
}

// Size is the number of leaves added.
func (f *Frontier) Size() int64 { return f.size }

// Root is the tree's hash over the leaves added.
func (f *Frontier) Root() Hash {
	if f.size == 0 {
		return emptyRoot()
	}
	last := len(f.nodes) - 1
	root := f.nodes[last]
	for i := last - 1; i >= 0; i-- {
		root = tlog.NodeHash(f.nodes[i], root)
	}
	return root
}
