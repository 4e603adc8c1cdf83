package engine

import (
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

// totals adds up the result rows of a question's stretches.
type totals struct {
	q      *question
	groups map[string]*privacy.Partial
}

// newTotals returns empty totals.
func newTotals(q *question) *totals { return &totals{q, map[string]*privacy.Partial{}} }

// add takes one result row: keys, rows, units, then non-NULLs and sum of each argument. Stretches
// hold whole units, so their numbers of units add up.
func (t *totals) add(row []driver.Value) error {
	keys := make([]any, len(t.q.keys))
	for i, k := range t.q.keys {
		value, err := keyValue(k.Type, row[i])
		if err != nil {
			return err
		}
		keys[i] = value
	}
	key := query.EncodeKey(keys)
	g, ok := t.groups[key]
	if !ok {
		if len(t.q.keys) > 0 && int64(len(t.groups)) >= t.q.limit {
			return fmt.Errorf("%w: %d", ErrCapacity, t.q.limit)
		}
		g = &privacy.Partial{Key: key, NonNull: make([]int64, t.q.args), Sum: make([]*big.Int, t.q.args)}
		for i := range g.Sum {
			g.Sum[i] = new(big.Int)
		}
		t.groups[key] = g
	}
	numbers := row[len(keys):]
	counts := []*int64{&g.Rows, &g.Units}
	for i := range g.NonNull {
		counts = append(counts, &g.NonNull[i], nil)
	}
	for i, to := range counts {
		n, ok := numbers[i].(*big.Int)
		switch {
		case !ok:
			return fmt.Errorf("result column %d is a %T", i, numbers[i])
		case to == nil:
			sum := g.Sum[(i-2)/2]
			sum.Add(sum, n)
		case !n.IsInt64():
			return fmt.Errorf("result column %d is no 64-bit count", i)
		default:
			*to += n.Int64()
		}
	}
	return nil
}

// partials returns the groups sorted by key. Without keys an empty table has no group either.
func (t *totals) partials() []privacy.Partial {
	out := make([]privacy.Partial, 0, len(t.groups))
	for _, g := range t.groups {
		if g.Rows > 0 {
			out = append(out, *g)
		}
	}
	slices.SortFunc(out, func(a, b privacy.Partial) int { return strings.Compare(a.Key, b.Key) })
	return out
}

// keyValue converts a key from the driver to what query.EncodeKey takes.
func keyValue(t datasets.Type, v driver.Value) (any, error) {
	switch v := v.(type) {
	case nil, string, int64, bool:
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
