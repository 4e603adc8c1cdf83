package datasets

import (
	"bytes"
	"cmp"
	"context"
	"encoding/binary"
	"slices"
)

// sorter sorts byte strings in bounded memory, whatever they are: all alike, all of one unit, or
// more than the memory holds. It is an external radix sort: strings are divided by the byte at depth
// into buckets, buckets are spilled to a temporary file when together they grow beyond the limit,
// and a bucket that is still too large is divided again at the first byte in which its strings
// differ, so that every division makes progress.
type sorter struct {
	depth   int
	limit   int64 // bytes of strings held in memory
	held    int64
	spill   *spill
	buckets [257]bucket // 0: strings that end before depth; then by byte
}

// bucket holds strings that agree in their first shared bytes.
type bucket struct {
	memory   []byte    // strings, each after its uvarint length
	segments []segment // what was spilled, in the same encoding
	bytes    int64     // memory and segments together
	count    int64
	first    []byte // one of the strings
	shared   int    // bytes of it that all the others have, too
	alike    bool   // all are equal to first
}

func newSorter(limit int64, s *spill) *sorter {
	return &sorter{limit: limit, spill: s}
}

// add takes a copy of a string.
func (s *sorter) add(b []byte) error {
	i := 0
	if len(b) > s.depth {
		i = int(b[s.depth]) + 1
	}
	grown := s.buckets[i].add(b)
	if s.held += grown; s.held > s.limit {
		return s.flush()
	}
	return nil
}

func (b *bucket) add(s []byte) int64 {
	if b.count == 0 {
		b.first, b.shared, b.alike = bytes.Clone(s), len(s), true
	} else {
		n := 0
		for n < b.shared && n < len(s) && s[n] == b.first[n] {
			n++
		}
		b.shared = n
		b.alike = b.alike && n == len(s) && n == len(b.first)
	}
	before := len(b.memory)
	b.memory = binary.AppendUvarint(b.memory, uint64(len(s)))
	b.memory = append(b.memory, s...)
	grown := int64(len(b.memory) - before)
	b.bytes += grown
	b.count++
	return grown
}

// flush spills all that is in memory.
func (s *sorter) flush() error {
	for i := range s.buckets {
		b := &s.buckets[i]
		if len(b.memory) == 0 {
			continue
		}
		at, err := s.spill.write(b.memory)
		if err != nil {
			return err
		}
		b.segments = append(b.segments, at)
		b.memory = b.memory[:0]
	}
	s.held = 0
	return nil
}

// each calls f with all strings in order, equal ones as often as they were added. The string is
// f's only during the call. The sorter is used up.
func (s *sorter) each(ctx context.Context, f func([]byte) error) error {
	if s.spilled() {
		if err := s.flush(); err != nil {
			return err
		}
		for i := range s.buckets {
			s.buckets[i].memory = nil
		}
	}
	for i := range s.buckets {
		if err := ctx.Err(); err != nil {
			return err
		}
		if err := s.bucket(ctx, &s.buckets[i], f); err != nil {
			return err
		}
		s.buckets[i] = bucket{}
	}
	return nil
}

func (s *sorter) spilled() bool {
	return slices.ContainsFunc(s.buckets[:], func(b bucket) bool { return len(b.segments) > 0 })
}

func (s *sorter) bucket(ctx context.Context, b *bucket, f func([]byte) error) error {
	switch {
	case b.count == 0:
		return nil
	case b.alike:
		return repeat(ctx, b.first, b.count, f)
	case len(b.segments) == 0:
		return sortedEach(ctx, b.memory, b.shared, b.count, f)
	case b.bytes+b.count*refBytes <= s.limit:
		all, err := s.spill.read(b.segments, b.bytes)
		if err != nil {
			return err
		}
		return sortedEach(ctx, all, b.shared, b.count, f)
	}
	child := newSorter(s.limit, s.spill)
	child.depth = b.shared
	if err := s.spill.each(ctx, b.segments, child.add); err != nil {
		return err
	}
	return child.each(ctx, f)
}

func repeat(ctx context.Context, b []byte, count int64, f func([]byte) error) error {
	for i := range count {
		if i%1024 == 0 && ctx.Err() != nil {
			return ctx.Err()
		}
		if err := f(b); err != nil {
			return err
		}
	}
	return nil
}

// ref is where a string is, with its first bytes after the shared ones: comparing those first
// keeps most comparisons out of the strings themselves.
type ref struct {
	prefix  uint64
	at, end int
}

const refBytes = 24

func sortedEach(ctx context.Context, all []byte, shared int, count int64, f func([]byte) error) error {
	refs := make([]ref, 0, count)
	for at := 0; at < len(all); {
		length, n := binary.Uvarint(all[at:])
		start := at + n
		at = start + int(length)
		refs = append(refs, ref{prefix(all[start+shared : at]), start, at})
	}
	slices.SortFunc(refs, func(a, b ref) int {
		if c := cmp.Compare(a.prefix, b.prefix); c != 0 {
			return c
		}
		return bytes.Compare(all[a.at+shared:a.end], all[b.at+shared:b.end])
	})
	for i, r := range refs {
		if i%1024 == 0 && ctx.Err() != nil {
			return ctx.Err()
		}
		if err := f(all[r.at:r.end]); err != nil {
			return err
		}
	}
	return nil
}

// prefix is the first eight bytes, zeros where there are fewer.
func prefix(b []byte) uint64 {
	if len(b) >= 8 {
		return binary.BigEndian.Uint64(b)
	}
	var p [8]byte
	copy(p[:], b)
	return binary.BigEndian.Uint64(p[:])
}
