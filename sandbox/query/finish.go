package query

import (
	"cmp"
	"errors"
	"fmt"
	"slices"

	"entrepot/datasets"
	"entrepot/privacy"
)

// ErrRelease is returned by Finish for a release that is not of the plan's own question.
var ErrRelease = errors.New("the release is not of this question")

// Finish makes the answer of a release: HAVING, ORDER BY, OFFSET and LIMIT act on noisy values, which is
// post-processing and costs nothing. Rows that tie stay in the release's order, and NULL comes last.
// It returns ErrRelease, wrapped, unless the release is of p's Question.
func (p Plan) Finish(release privacy.Release) (Result, error) { return p.answer(release.Rows()) }

// group is one released group with its keys decoded.
type group struct {
	keys  []any
	cells []privacy.Cell
}

func (p Plan) answer(rows []privacy.Row) (Result, error) {
	types := make([]datasets.Type, len(p.parts.Keys))
	for i, k := range p.parts.Keys {
		types[i] = k.Type
	}
	var groups []group
	for _, r := range rows {
		keys, err := DecodeKey(types, r.Key)
		if err != nil {
			return Result{}, fmt.Errorf("%w: %w", ErrRelease, err)
		}
		if len(r.Cells) != len(p.parts.Aggregates) {
			return Result{}, fmt.Errorf("%w: %d values for %d aggregates", ErrRelease, len(r.Cells), len(p.parts.Aggregates))
		}
		if g := (group{keys, r.Cells}); p.keeps(g) {
			groups = append(groups, g)
		}
	}
	slices.SortStableFunc(groups, p.order)
	groups = groups[min(p.parts.Offset, int64(len(groups))):]
	if p.parts.Limit != nil && int64(len(groups)) > *p.parts.Limit {
		groups = groups[:*p.parts.Limit]
	}
	result := Result{Columns: p.Columns(), Rows: make([][]Value, len(groups))}
	for i, g := range groups {
		for _, c := range result.Columns {
			result.Rows[i] = append(result.Rows[i], g.value(c))
		}
	}
	return result, nil
}

// keeps evaluates HAVING.
func (p Plan) keeps(g group) bool {
	if p.parts.Having == nil {
		return true
	}
	return evaluator{released: g.released}.eval(*p.parts.Having) == true
}

// released is a key or the value of an aggregate.
func (g group) released(r Released) any {
	if r.Key >= 0 {
		return g.keys[r.Key]
	}
	return g.cells[r.Aggregate].Value
}

// order compares two groups by ORDER BY.
func (p Plan) order(g, h group) int {
	for _, o := range p.parts.OrderBy {
		a, b := g.released(o.Released), h.released(o.Released)
		if a == nil || b == nil {
			if c := cmp.Compare(isNil(a), isNil(b)); c != 0 {
				return c // NULL last, in either direction
			}
			continue
		}
		timestamp := o.Released.Key >= 0 && p.parts.Keys[o.Released.Key].Type == datasets.Timestamp
		c, _ := compareValues(a, b, timestamp)
		if c != 0 && o.Descending {
			return -c
		}
		if c != 0 {
			return c
		}
	}
	return 0
}

func isNil(v any) int {
	if v == nil {
		return 1
	}
	return 0
}

// value is what the group shows in a column.
func (g group) value(c ResultColumn) Value {
	if c.Kind == KeyColumn {
		return Value{Value: g.keys[c.Key]}
	}
	cell := g.cells[c.Aggregate]
	if c.Type == datasets.Int64 {
		return Value{Value: cell.Steps, Low: cell.Low, High: cell.High}
	}
	return Value{Value: cell.Value, Low: cell.Low, High: cell.High}
}
