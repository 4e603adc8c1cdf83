package querytest

import (
	"maps"
	"math"
	"math/big"
	"slices"
	"strings"

	"entrepot/datasets"
	"entrepot/privacy"
	"entrepot/sandbox/query"
)

// Evaluate computes a question's partials, sorted by key; groups without rows are absent. It panics
// on a plan that query.New does not make.
func Evaluate(p query.Parts, tables Tables) []privacy.Partial {
	return Aggregate(p, Bound(p, Rows(p, tables)))
}

// Record is one row that counts: whose it is, its group, and what the aggregates see of it.
type Record struct {
	Space string
	Unit  int64
	Rank  int64
	Key   string // encoded
	row   tuple
}

// Rows are the rows that pass WHERE and whose keys lie in their public domains, before bounding.
func Rows(p query.Parts, tables Tables) []Record {
	var records []Record
	for _, t := range relationRows(p.From, tables) {
		if !passes(p.Filter, t) {
			continue
		}
		if key, ok := keyOf(p, t); ok {
			records = append(records, Record{t.unit.space, t.unit.unit, t.rank, key, t})
		}
	}
	return records
}

// keyOf encodes a row's group; false where one of the keys is outside its public domain.
func keyOf(p query.Parts, t tuple) (string, bool) {
	values := make([]any, len(p.Keys))
	for i, k := range p.Keys {
		values[i] = keyValue(k, t)
		if k.Domain != nil && !contains(k.Domain, values[i]) {
			return "", false
		}
	}
	return query.EncodeKey(values), true
}

// keyValue is the value of a key in a row, as it is encoded.
func keyValue(k query.Key, t tuple) any {
	v := query.Eval(k.Expr, t.field)
	x, ok := v.(float64)
	switch {
	case !ok:
		return v
	case k.Type == datasets.Int64:
		return nearest(x)
	}
	return x + 0 // no negative zero
}

// nearest is the integer that a Number key stands for, NULL where it is too large for one.
func nearest(x float64) any {
	if x = math.Round(x); math.Abs(x) < 1<<63 {
		return int64(x)
	}
	return nil
}

// Bound keeps of each unit at most r rows in a group, those of lowest rank, and at most L0 groups,
// those in which its rows of lowest rank are. The order of the two does not matter: the first never
// removes a group's row of lowest rank.
func Bound(p query.Parts, records []Record) []Record {
	byUnit := map[person][]Record{}
	for _, r := range records {
		unit := person{r.Space, r.Unit}
		byUnit[unit] = append(byUnit[unit], r)
	}
	var kept []Record
	for _, own := range byUnit {
		slices.SortFunc(own, func(a, b Record) int {
			switch {
			case a.Rank < b.Rank:
				return -1
			case a.Rank > b.Rank:
				return 1
			}
			panic("two rows of a unit have one rank")
		})
		inGroup := map[string]int64{}
		for _, r := range own {
			if _, ok := inGroup[r.Key]; !ok && int64(len(inGroup)) == p.Contribution.MaxPartitions {
				continue
			}
			if inGroup[r.Key]++; inGroup[r.Key] <= p.Contribution.MaxRowsPerPartition {
				kept = append(kept, r)
			}
		}
	}
	return kept
}

// Aggregate adds up bounded rows.
func Aggregate(p query.Parts, records []Record) []privacy.Partial {
	byGroup := map[string][]Record{}
	for _, r := range records {
		byGroup[r.Key] = append(byGroup[r.Key], r)
	}
	groups := make([]privacy.Partial, 0, len(byGroup))
	for key, rows := range byGroup {
		g := privacy.Partial{Key: key, Rows: int64(len(rows)), Arguments: make([]privacy.Tally, len(p.Arguments))}
		if needsUnits(p) {
			g.Units = units(rows)
		}
		for i, a := range p.Arguments {
			g.Arguments[i] = tally(a, asked(p, i), rows)
		}
		groups = append(groups, g)
	}
	slices.SortFunc(groups, func(a, b privacy.Partial) int { return strings.Compare(a.Key, b.Key) })
	return groups
}

// needsUnits reports whether anybody asks for the privacy units of a group: selection, or a count of
// all of them or of those with a value, which are among them.
func needsUnits(p query.Parts) bool {
	return p.PublicKeys == nil || slices.ContainsFunc(p.Aggregates, func(a query.Aggregate) bool { return a.Kind == privacy.CountUnits })
}

// asked are the aggregates that use an argument.
func asked(p query.Parts, argument int) map[privacy.Kind]bool {
	kinds := map[privacy.Kind]bool{}
	for _, a := range p.Aggregates {
		if a.Argument == argument {
			kinds[a.Kind] = true
		}
	}
	return kinds
}

// units counts the privacy units of rows.
func units(rows []Record) int64 {
	seen := map[person]bool{}
	for _, r := range rows {
		seen[person{r.Space, r.Unit}] = true
	}
	return int64(len(seen))
}

// tally is the content of one argument in one group, as far as an aggregate asks for it.
func tally(a query.Argument, kinds map[privacy.Kind]bool, rows []Record) privacy.Tally {
	t := privacy.Tally{Sum: new(big.Int), Squares: new(big.Int)}
	var with []Record // rows where it is not NULL
	distinct := map[string]bool{}
	leaves := map[int64]int64{}
	for _, r := range rows {
		v, x := value(a, r.row)
		if v == nil {
			continue
		}
		with = append(with, r)
		distinct[identity(v)] = true
		if a.SumUnused {
			continue
		}
		u := big.NewInt(2*x - a.Lower - a.Upper)
		if kinds[privacy.Sum] || kinds[privacy.Mean] || kinds[privacy.Variance] {
			t.Sum.Add(t.Sum, big.NewInt(x))
		}
		if kinds[privacy.Variance] {
			t.Squares.Add(t.Squares, u.Mul(u, u))
		}
		leaves[(x-a.Lower)/leafWidth(a)]++
	}
	if len(kinds) > 0 {
		t.NonNull = int64(len(with))
	}
	if kinds[privacy.CountUnits] {
		t.Units = units(with)
	}
	if kinds[privacy.CountDistinct] {
		t.Distinct = int64(len(distinct))
	}
	if kinds[privacy.Quantile] {
		for _, leaf := range slices.Sorted(maps.Keys(leaves)) {
			t.Leaves = append(t.Leaves, privacy.Leaf{Index: leaf, Rows: leaves[leaf]})
		}
	}
	return t
}

// value is an argument's value in a row, nil for NULL, and its clamped steps.
func value(a query.Argument, t tuple) (any, int64) {
	if a.Column != "" {
		stored, ok := t.fields[a.Column].(int64)
		if !ok {
			return nil, 0
		}
		return stored, min(max(stored, a.Lower), a.Upper)
	}
	v := query.Eval(a.Expr, t.field)
	if v == nil || a.SumUnused {
		return v, 0
	}
	return v, inSteps(v.(float64), a.Step, a.Lower, a.Upper)
}

// leafWidth is how many steps a leaf of a quantile tree spans: as few as leave at most 16^4 leaves.
func leafWidth(a query.Argument) int64 {
	const most = 16 * 16 * 16 * 16
	return max(1, (a.Upper-a.Lower+most)/most) // steps: Upper − Lower + 1
}
