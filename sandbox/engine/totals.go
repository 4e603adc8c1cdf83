package engine

import (
	"cmp"
	"database/sql/driver"
	"fmt"
	"math/big"
	"slices"
	"strings"
	"time"

	"entrepot/datasets"
	"entrepot/privacy"
	"entrepot/sandbox/query"
)

// totals adds up the result rows of a question's statements and stretches.
type totals struct {
	q      *question
	groups map[string]*privacy.Partial
	leaves int64
}

// newTotals returns empty totals.
func newTotals(q *question) *totals { return &totals{q: q, groups: map[string]*privacy.Partial{}} }

// add returns what takes a row of a statement's result. Stretches hold whole units, so their numbers of
// units add up.
func (t *totals) add(s statement) func(row []driver.Value) error {
	if s.leaf >= 0 {
		return func(row []driver.Value) error { return t.addLeaf(s.leaf, row) }
	}
	return func(row []driver.Value) error {
		g, err := t.group(row, s.numbers[0].of == rowCount)
		if err != nil {
			return err
		}
		for i, to := range s.numbers {
			n, ok := row[len(t.q.keys)+i].(*big.Int)
			if !ok {
				return fmt.Errorf("result column %d is a %T", i, row[len(t.q.keys)+i])
			}
			if count := to.integer(g); count == nil {
				sum := to.large(g)
				sum.Add(sum, n)
			} else if !n.IsInt64() {
				return fmt.Errorf("result column %d is no 64-bit count", i)
			} else {
				*count += n.Int64()
			}
		}
		return nil
	}
}

// addLeaf takes a row of keys, a leaf's index and its rows.
func (t *totals) addLeaf(argument int, row []driver.Value) error {
	g, err := t.group(row, false)
	if err != nil {
		return err
	}
	index, ok := row[len(t.q.keys)].(int64)
	n, okRows := row[len(t.q.keys)+1].(int64)
	if !ok || !okRows {
		return fmt.Errorf("a leaf is a %T with a %T", row[len(t.q.keys)], row[len(t.q.keys)+1])
	}
	if t.leaves++; t.leaves > maxLeaves {
		return fmt.Errorf("%w: %d leaves", ErrCapacity, maxLeaves)
	}
	a := &g.Arguments[argument]
	a.Leaves = append(a.Leaves, privacy.Leaf{Index: index, Rows: n})
	return nil
}

// group is the group that a row begins with. Only the main statement may make it.
func (t *totals) group(row []driver.Value, may bool) (*privacy.Partial, error) {
	keys := make([]any, len(t.q.keys))
	for i, k := range t.q.keys {
		value, err := keyValue(k.Type, row[i])
		if err != nil {
			return nil, err
		}
		keys[i] = value
	}
	key := query.EncodeKey(keys)
	g, ok := t.groups[key]
	switch {
	case ok:
		return g, nil
	case !may && len(keys) > 0:
		return nil, fmt.Errorf("a group is in one statement only")
	case len(keys) > 0 && int64(len(t.groups)) >= t.q.limit:
		return nil, fmt.Errorf("%w: %d", ErrCapacity, t.q.limit)
	}
	g = &privacy.Partial{Key: key, Arguments: make([]privacy.Tally, len(t.q.arguments))}
	for i := range g.Arguments {
		g.Arguments[i].Sum, g.Arguments[i].Squares = new(big.Int), new(big.Int)
	}
	t.groups[key] = g
	return g, nil
}

// partials returns the groups sorted by key. Without keys an empty table has no group either.
func (t *totals) partials() []privacy.Partial {
	out := make([]privacy.Partial, 0, len(t.groups))
	for _, g := range t.groups {
		if g.Rows == 0 {
			continue
		}
		for i := range g.Arguments {
			g.Arguments[i].Leaves = merged(g.Arguments[i].Leaves)
		}
		out = append(out, *g)
	}
	slices.SortFunc(out, func(a, b privacy.Partial) int { return strings.Compare(a.Key, b.Key) })
	return out
}

// merged sorts leaves and adds up those of several stretches.
func merged(leaves []privacy.Leaf) []privacy.Leaf {
	slices.SortFunc(leaves, func(a, b privacy.Leaf) int { return cmp.Compare(a.Index, b.Index) })
	out := leaves[:0]
	for _, l := range leaves {
		if n := len(out); n > 0 && out[n-1].Index == l.Index {
			out[n-1].Rows += l.Rows
		} else {
			out = append(out, l)
		}
	}
	return out
}

// keyValue converts a key from the driver to what query.EncodeKey takes.
func keyValue(t datasets.Type, v driver.Value) (any, error) {
	switch v := v.(type) {
	case nil, string, int64, bool, float64:
		return v, nil
	case time.Time:
		if t == datasets.Date {
			return v.Format(dateLayout), nil
		}
		if v.Nanosecond() == 0 {
			return v.UTC().Format(secondLayout), nil
		}
		return v.UTC().Format(microLayout), nil
	}
	return nil, fmt.Errorf("a key of type %s is a %T", t, v)
}
