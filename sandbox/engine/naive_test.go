package engine

import (
	"cmp"
	"math"
	"math/big"
	"slices"
	"strings"

	"entrepot/datasets"
	"entrepot/privacy"
	"entrepot/sandbox/query"
)

// row is one canonical row. values are by column: string, int64, bool, nil; dates and timestamps as
// text; measures as steps.
type row struct {
	ord    int64
	rank   int32
	values map[string]any
}

// naive computes partials by loops over rows, as PRIVACY's rules say it, and shares no code with
// the engine but the meaning of expressions.
func naive(p query.Parts, rows []row) []privacy.Partial {
	byUnit := map[int64][]row{}
	for _, r := range rows {
		if int64(r.rank) <= p.Contribution.MaxRows && counts(p, r) {
			byUnit[r.ord] = append(byUnit[r.ord], r)
		}
	}
	groups := map[string]*privacy.Partial{}
	for _, own := range byUnit {
		slices.SortFunc(own, func(a, b row) int { return cmp.Compare(a.rank, b.rank) })
		var order []string // groups of this unit, by their first row
		parts := map[string][]row{}
		for _, r := range own {
			k := key(p, r)
			if _, ok := parts[k]; !ok {
				order = append(order, k)
			}
			parts[k] = append(parts[k], r)
		}
		for i, k := range order {
			if int64(i) == p.Contribution.MaxPartitions {
				break
			}
			kept := parts[k][:min(len(parts[k]), int(min(p.Contribution.MaxRowsPerPartition, math.MaxInt32)))]
			if groups[k] == nil {
				groups[k] = empty(p, k)
			}
			contribute(p, groups[k], kept)
		}
	}
	var out []privacy.Partial
	for _, g := range groups {
		out = append(out, *g)
	}
	slices.SortFunc(out, func(a, b privacy.Partial) int { return strings.Compare(a.Key, b.Key) })
	return out
}

// counts says whether a row counts at all.
func counts(p query.Parts, r row) bool {
	if p.Filter != nil && query.Eval(*p.Filter, r.column) != true {
		return false
	}
	for _, k := range p.Keys {
		if k.Domain != nil && !slices.Contains(k.Domain, r.values[k.Column]) {
			return false
		}
	}
	return true
}

// column is what query.Eval reads.
func (r row) column(name string) any { return r.values[name] }

// key encodes a row's group.
func key(p query.Parts, r row) string {
	values := make([]any, len(p.Keys))
	for i, k := range p.Keys {
		values[i] = r.values[k.Column]
	}
	return query.EncodeKey(values)
}

// empty is a group without rows.
func empty(p query.Parts, key string) *privacy.Partial {
	g := &privacy.Partial{Key: key, NonNull: make([]int64, len(p.Arguments)), Sum: make([]*big.Int, len(p.Arguments))}
	for i := range g.Sum {
		g.Sum[i] = new(big.Int)
	}
	return g
}

// contribute adds what is left of one unit to one group.
func contribute(p query.Parts, g *privacy.Partial, rows []row) {
	needUnits := p.PublicKeys == nil
	for _, a := range p.Aggregates {
		needUnits = needUnits || a.Kind == privacy.CountUnits
	}
	if needUnits {
		g.Units++
	}
	g.Rows += int64(len(rows))
	for i, argument := range p.Arguments {
		var used, summed bool
		for _, a := range p.Aggregates {
			if a.Argument == i {
				used = true
				summed = summed || a.Kind != privacy.Count
			}
		}
		for _, r := range rows {
			v, ok := steps(argument, r)
			if !ok || !used {
				continue
			}
			g.NonNull[i]++
			if summed {
				g.Sum[i].Add(g.Sum[i], big.NewInt(v))
			}
		}
	}
}

// steps evaluates an argument on a row; false for NULL.
func steps(a query.Argument, r row) (int64, bool) {
	if a.Column != "" {
		v, ok := r.values[a.Column].(int64)
		return min(max(v, a.Lower), a.Upper), ok
	}
	v := query.Eval(a.Expr, r.column)
	if a.SumUnused || v == nil {
		return 0, v != nil
	}
	x := math.Round(v.(float64) * float64(a.Step.Den) / float64(a.Step.Num))
	switch {
	case x < float64(a.Lower):
		return a.Lower, true
	case x > float64(a.Upper):
		return a.Upper, true
	}
	return int64(x), true
}

// storedRows returns the columns of a declaration that a canonical file holds.
func storedDeclared(d datasets.Declaration) []datasets.Column {
	var out []datasets.Column
	for _, c := range d.Columns {
		if c.Role == datasets.Key || c.Role == datasets.Measure {
			out = append(out, c)
		}
	}
	return out
}
