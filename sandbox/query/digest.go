package query

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"math"
	"slices"
)

// digest stands for a part of a question; equal digests are the same part.
type digest [16]byte

// hasher collects what a digest depends on. Every item has its length, so that no two lists of items of the same
// kinds have the same bytes.
type hasher []byte

// hash begins a digest of one kind of thing.
func hash(kind string) hasher { return hasher{}.text(kind) }

func (h hasher) text(s string) hasher {
	return append(binary.AppendUvarint(h, uint64(len(s))), s...)
}

func (h hasher) texts(list []string) hasher {
	h = binary.AppendUvarint(h, uint64(len(list)))
	for _, s := range list {
		h = h.text(s)
	}
	return h
}

func (h hasher) numbers(list ...int64) hasher {
	for _, n := range list {
		h = binary.BigEndian.AppendUint64(h, uint64(n))
	}
	return h
}

func (h hasher) number(x float64) hasher {
	return binary.BigEndian.AppendUint64(h, math.Float64bits(x+0)) // −0 is 0
}

func (h hasher) truth(b bool) hasher {
	if b {
		return append(h, 1)
	}
	return append(h, 0)
}

func (h hasher) sum(d digest) hasher { return append(h, d[:]...) }

func (h hasher) sums(list []digest) hasher {
	h = binary.AppendUvarint(h, uint64(len(list)))
	for _, d := range list {
		h = h.sum(d)
	}
	return h
}

func (h hasher) done() digest {
	sum := sha256.Sum256(h)
	return digest(sum[:len(digest{})])
}

// inOrder sorts digests and drops repetitions.
func inOrder(list []digest) []digest {
	list = slices.Clone(list)
	slices.SortFunc(list, compareDigests)
	return slices.Compact(list)
}

func compareDigests(a, b digest) int { return bytes.Compare(a[:], b[:]) }
