package audit_test

import (
	"errors"
	"fmt"
	"testing"

	"entrepot/sandbox/audit"
)

// largest is the largest tree tried: all shapes up to past the seventh power of two.
const largest = 130

// store is a tree's stored hashes, in order.
type stored []audit.Hash

func (s stored) ReadHashes(positions []int64) ([]audit.Hash, error) {
	hashes := make([]audit.Hash, len(positions))
	for i, p := range positions {
		if p >= int64(len(s)) {
			return nil, fmt.Errorf("no hash at %d", p)
		}
		hashes[i] = s[p]
	}
	return hashes, nil
}

// grow returns leaves, stored hashes and the checkpoint of every size.
func grow(t *testing.T) (leaves [][]byte, hashes stored, checkpoints []audit.Checkpoint) {
	var frontier audit.Frontier
	for n := int64(0); ; n++ {
		if int64(len(hashes)) != audit.StoredAt(n) {
			t.Fatalf("%d hashes stored at size %d, StoredAt says %d", len(hashes), n, audit.StoredAt(n))
		}
		root, err := audit.Root(n, hashes)
		if err != nil {
			t.Fatal(err)
		}
		if frontier.Root() != root || frontier.Size() != n {
			t.Fatalf("size %d: the streamed root differs from the stored tree's", n)
		}
		checkpoints = append(checkpoints, audit.Checkpoint{Origin: origin, Size: n, Root: root})
		if n == largest {
			return leaves, hashes, checkpoints
		}
		leaf := fmt.Appendf(nil, "leaf %d", n)
		leaves = append(leaves, leaf)
		more, err := audit.StoredHashes(n, leaf, hashes)
		if err != nil {
			t.Fatal(err)
		}
		hashes = append(hashes, more...)
		frontier.Add(audit.LeafHash(leaf))
	}
}

// The RFC's own hashes: the empty tree, a leaf, a node.
func TestTreeIsRFC6962(t *testing.T) {
	var f audit.Frontier
	if got, want := f.Root().String(), "47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU="; got != want {
		t.Errorf("empty tree %s, want SHA-256 of nothing %s", got, want)
	}
	f.Add(audit.LeafHash(nil))
	if got, want := f.Root().String(), "bjQLnP+zepicpUTmu3gKLHiQHT+zNzh2hRGjBhevoB0="; got != want {
		t.Errorf("one empty leaf %s, want SHA-256 of a zero byte %s", got, want)
	}
}

func TestInclusionEveryIndexAndSize(t *testing.T) {
	leaves, hashes, checkpoints := grow(t)
	for size := int64(1); size <= largest; size++ {
		c := checkpoints[size]
		for index := range size {
			proof, err := audit.Inclusion(index, size, hashes)
			if err != nil {
				t.Fatal(err)
			}
			if err := audit.CheckInclusion(proof, c, index, leaves[index]); err != nil {
				t.Fatalf("%d of %d: %v", index, size, err)
			}
			bit := int(index*31+size) % 256 // another one each time
			wrong := [][]audit.Hash{append(proof[:len(proof):len(proof)], audit.Hash{})}
			if len(proof) > 0 {
				wrong = append(wrong, flipped(proof, int(index)%len(proof), bit), proof[:len(proof)-1])
			}
			for _, p := range wrong {
				if !errors.Is(audit.CheckInclusion(p, c, index, leaves[index]), audit.ErrProof) {
					t.Fatalf("%d of %d: an altered proof holds", index, size)
				}
			}
			leaf := append([]byte{}, leaves[index]...)
			leaf[bit%len(leaf)] ^= 1
			if audit.CheckInclusion(proof, c, index, leaf) == nil || audit.CheckInclusion(proof, c, index+1, leaves[index]) == nil ||
				audit.CheckInclusion(proof, c, index-1, leaves[index]) == nil {
				t.Fatalf("%d of %d: another entry or index is included", index, size)
			}
			c2 := c
			c2.Root = flipped([]audit.Hash{c.Root}, 0, bit)[0]
			if audit.CheckInclusion(proof, c2, index, leaves[index]) == nil {
				t.Fatalf("%d of %d: included under another root", index, size)
			}
		}
	}
}

func TestConsistencyEverySizes(t *testing.T) {
	_, hashes, checkpoints := grow(t)
	for newer := int64(0); newer <= largest; newer++ {
		for older := int64(0); older <= newer; older++ {
			a, b := checkpoints[older], checkpoints[newer]
			proof, err := audit.Consistency(older, newer, hashes)
			if err != nil {
				t.Fatal(err)
			}
			if err := audit.CheckConsistency(proof, a, b); err != nil {
				t.Fatalf("%d to %d: %v", older, newer, err)
			}
			bit := int(older*17+newer) % 256
			a2, b2 := a, b
			a2.Root = flipped([]audit.Hash{a.Root}, 0, bit)[0]
			b2.Root = flipped([]audit.Hash{b.Root}, 0, bit)[0]
			if audit.CheckConsistency(proof, a2, b) == nil || (older > 0 && audit.CheckConsistency(proof, a, b2) == nil) {
				t.Fatalf("%d to %d: another root is consistent", older, newer)
			}
			if len(proof) > 0 && audit.CheckConsistency(flipped(proof, int(older)%len(proof), bit), a, b) == nil {
				t.Fatalf("%d to %d: an altered proof holds", older, newer)
			}
		}
	}
	if audit.CheckConsistency(nil, checkpoints[5], checkpoints[4]) == nil {
		t.Error("a log that shrank is consistent")
	}
}

func TestProofsOutOfRange(t *testing.T) {
	_, hashes, _ := grow(t)
	for _, c := range [][2]int64{{-1, 5}, {5, 5}, {6, 5}, {0, 0}} {
		if _, err := audit.Inclusion(c[0], c[1], hashes); err == nil {
			t.Errorf("inclusion of %d in %d: no error", c[0], c[1])
		}
	}
	if _, err := audit.Consistency(6, 5, hashes); err == nil {
		t.Error("consistency from 6 to 5: no error")
	}
	if _, err := audit.Inclusion(3, 1<<40, hashes); err == nil {
		t.Error("a proof from hashes that are not stored: no error")
	}
}

// flipped copies the hashes with one bit of one of them flipped.
func flipped(hashes []audit.Hash, which, bit int) []audit.Hash {
	wrong := append([]audit.Hash{}, hashes...)
	wrong[which][bit/8] ^= 1 << (bit % 8)
	return wrong
}
