package sandbox_test

import (
	"math/big"

	"entrepot/privacy"
	"entrepot/sandbox/query"
)

// partials are those of groups.
func partials(p query.Plan) *privacy.Partials { return privacy.NewPartials(p.Shape(), groups(p)) }

// groups are a thousand rows in every public group, or in two where groups are selected.
func groups(p query.Plan) []privacy.Partial {
	parts := p.Parts()
	keys := parts.PublicKeys
	if keys == nil {
		keys = []string{query.EncodeKey([]any{"a"}), query.EncodeKey([]any{"b"})}
	}
	var list []privacy.Partial
	for i, key := range keys {
		n := 1000 + int64(i)
		g := privacy.Partial{Key: key, Units: n, Rows: n, Arguments: make([]privacy.Tally, len(parts.Arguments))}
		for j, x := range parts.Arguments {
			g.Arguments[j] = tally(n, x, parts.Aggregates, j)
		}
		list = append(list, g)
	}
	return list
}

// tally is that of n rows, each of a unit of its own, with a value in the middle of the bounds.
func tally(n int64, x query.Argument, aggregates []query.Aggregate, argument int) privacy.Tally {
	middle := x.Lower + (x.Upper-x.Lower)/2
	times := func(v int64) *big.Int { return new(big.Int).Mul(big.NewInt(v), big.NewInt(n)) }
	t := privacy.Tally{NonNull: n, Sum: new(big.Int), Squares: new(big.Int)}
	for _, a := range aggregates {
		if a.Argument != argument {
			continue
		}
		switch a.Kind {
		case privacy.CountUnits:
			t.Units = n
		case privacy.CountDistinct:
			t.Distinct = 1
		case privacy.Sum, privacy.Mean:
			t.Sum = times(middle)
		case privacy.Variance:
			off := 2*middle - x.Lower - x.Upper
			t.Sum, t.Squares = times(middle), times(off*off)
		case privacy.Quantile:
			t.Leaves = []privacy.Leaf{{Index: privacy.NewTree(x.Lower, x.Upper).Leaf(middle), Rows: n}}
		}
	}
	return t
}
