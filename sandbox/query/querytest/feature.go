package querytest

import (
	"cmp"
	"fmt"
	"slices"

	"entrepot/sandbox/query"
)

// perUnit makes one row of the rows of each unit and combination of columns.
func perUnit(r query.Relation, input []tuple) []tuple {
	type group struct {
		columns map[string]any
		rows    []tuple
	}
	groups := map[string]*group{}
	var order []string
	for _, t := range input {
		if !passes(r.Filter, t) {
			continue
		}
		columns := computed(r, t)
		name := fmt.Sprintf("%q %d", t.unit.space, t.unit.unit)
		for _, c := range r.Columns {
			name += fmt.Sprintf(" %q", identity(columns[c.Name]))
		}
		if groups[name] == nil {
			groups[name] = &group{columns: columns}
			order = append(order, name)
		}
		groups[name].rows = append(groups[name].rows, t)
	}
	var rows []tuple
	for _, name := range order {
		g := groups[name]
		byRank(g.rows)
		for _, f := range r.Features {
			g.columns[f.Name] = feature(f, g.rows)
		}
		rows = append(rows, tuple{g.rows[0].unit, g.rows[0].rank, g.columns})
	}
	return rows
}

// feature is one field of a unit, from its rows by ascending rank.
func feature(f query.Feature, rows []tuple) any {
	switch f.Kind {
	case query.FeatureFirst, query.FeatureLast:
		return query.Eval(*f.Argument, first(f, rows).field)
	case query.FeatureCount:
		if f.Argument == nil {
			return float64(len(rows))
		}
	}
	var values []any // without NULL
	for _, t := range rows {
		if v := query.Eval(*f.Argument, t.field); v != nil {
			values = append(values, v)
		}
	}
	switch f.Kind {
	case query.FeatureCount:
		return float64(len(values))
	case query.FeatureDistinct:
		seen := map[string]bool{}
		for _, v := range values {
			seen[identity(v)] = true
		}
		return float64(len(seen))
	}
	if len(values) == 0 {
		return nil
	}
	compare := func(a, b any) int { return compareValues(f.Argument.Type, a, b) }
	switch f.Kind {
	case query.FeatureAny:
		return slices.Contains(values, any(true))
	case query.FeatureAll:
		return !slices.Contains(values, any(false))
	case query.FeatureMin:
		return slices.MinFunc(values, compare)
	case query.FeatureMax:
		return slices.MaxFunc(values, compare)
	}
	return added(f, values)
}

// added is a sum or an average: of whole steps, converted once.
func added(f query.Feature, values []any) any {
	var sum int64
	for _, v := range values {
		sum += inSteps(v.(float64), f.Step, f.Lower, f.Upper)
	}
	total := float64(sum) * float64(f.Step.Num)
	total /= float64(f.Step.Den)
	switch f.Kind {
	case query.FeatureSum:
		return total
	case query.FeatureAvg:
		return total / float64(len(values))
	}
	panic(fmt.Sprintf("no feature: %q", f.Kind))
}

// first is the row that comes first, or last: NULL stands last in either direction, and ties go to
// the lowest rank.
func first(f query.Feature, rows []tuple) tuple {
	return slices.MinFunc(rows, func(a, b tuple) int {
		for _, o := range f.OrderBy {
			x, y := query.Eval(o.Expr, a.field), query.Eval(o.Expr, b.field)
			switch {
			case x == nil && y == nil:
				continue
			case x == nil:
				return 1
			case y == nil:
				return -1
			}
			c := compareValues(o.Expr.Type, x, y)
			if o.Descending != (f.Kind == query.FeatureLast) {
				c = -c
			}
			if c != 0 {
				return c
			}
		}
		return cmp.Compare(a.rank, b.rank)
	})
}
