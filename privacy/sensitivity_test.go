package privacy

import (
	"fmt"
	"maps"
	"math"
	"math/big"
	"slices"
	"testing"

	"entrepot/privacy/internal/seam"
	"pgregory.net/rapid"
)

// record is one row of a test table.
type record struct {
	unit, group int
	value       int64 // within the bounds
	null        bool
}

// bound keeps what one unit may add: its first L0 groups, first r rows in each, first R rows.
func bound(table []record, c Contribution) []record {
	type place struct{ unit, group int }
	inGroup, inAll, groups := map[place]int64{}, map[int]int64{}, map[int]int64{}
	var kept []record
	for _, row := range table {
		at := place{row.unit, row.group}
		if inAll[row.unit] >= c.MaxRows || inGroup[at] >= c.MaxRowsPerPartition {
			continue
		}
		if inGroup[at] == 0 {
			if groups[row.unit] >= c.MaxPartitions {
				continue
			}
			groups[row.unit]++
		}
		inGroup[at]++
		inAll[row.unit]++
		kept = append(kept, row)
	}
	return kept
}

// collect aggregates a bounded table with one argument, within lower … upper.
func collect(table []record, lower, upper int64) []Partial {
	byGroup := map[int][]record{}
	for _, row := range table {
		byGroup[row.group] = append(byGroup[row.group], row)
	}
	var partials []Partial
	for group, rows := range byGroup {
		partials = append(partials, aggregate(fmt.Sprint(group), rows, lower, upper))
	}
	return partials
}

// aggregate is the content of one partition.
func aggregate(key string, table []record, lower, upper int64) Partial {
	p := emptyPartial(key, 1)
	units, withValue, values := map[int]bool{}, map[int]bool{}, map[int64]bool{}
	leaves, t := map[int64]int64{}, &p.Arguments[0]
	for _, row := range table {
		p.Rows++
		units[row.unit] = true
		if row.null {
			continue
		}
		t.NonNull++
		withValue[row.unit], values[row.value] = true, true
		t.Sum.Add(t.Sum, big.NewInt(row.value))
		u := big.NewInt(2*row.value - lower - upper)
		t.Squares.Add(t.Squares, u.Mul(u, u))
		leaves[NewTree(lower, upper).Leaf(row.value)]++
	}
	p.Units, t.Units, t.Distinct = int64(len(units)), int64(len(withValue)), int64(len(values))
	for _, leaf := range slices.Sorted(maps.Keys(leaves)) {
		t.Leaves = append(t.Leaves, Leaf{Index: leaf, Rows: leaves[leaf]})
	}
	return p
}

func without(table []record, unit int) []record {
	return slices.DeleteFunc(slices.Clone(table), func(r record) bool { return r.unit == unit })
}

// exactDraws is what a draw measures, by site, before noise.
func exactDraws(t interface{ Fatal(...any) }, s Spec, partials []Partial) []map[site]int64 {
	all, err := Measure(seam.Granted(), s, partials)
	if err != nil {
		t.Fatal(err)
	}
	return all
}

// distance is how far two vectors are apart, in the norms, and the square of the Euclidean one.
func distance(a, b map[site]int64) (s sensitivity, squares int64) {
	keys := map[site]bool{}
	for k := range a {
		keys[k] = true
	}
	for k := range b {
		keys[k] = true
	}
	for k := range keys {
		shift := max(a[k]-b[k], b[k]-a[k])
		s.l1 += shift
		squares += shift * shift
		s.cell = max(s.cell, shift)
		if shift > 0 {
			s.cells++
		}
	}
	return s, squares
}

// TestSensitivity compares every table with every neighbour of it: no draw may move further than its
// noise is made for, and the price and the steps taken must be the same.
func TestSensitivity(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		lower := rapid.Int64Range(-50, 50).Draw(t, "lower")
		upper := lower + rapid.Int64Range(1, 60).Draw(t, "width")
		q := everyAggregate(lower, upper)
		q.Contribution = Contribution{
			MaxPartitions:       rapid.Int64Range(1, 4).Draw(t, "L0"),
			MaxRowsPerPartition: rapid.Int64Range(1, 4).Draw(t, "r"),
			MaxRows:             rapid.Int64Range(1, 9).Draw(t, "R"),
		}
		if rapid.Bool().Draw(t, "private") {
			q.Partitions = Partitions{PreThreshold: 1}
			q.Loss.Delta = OneDelta / 1000
		}
		s, err := NewSpec(q)
		if err != nil {
			t.Fatal(err)
		}
		table := rapid.SliceOfN(rapid.Custom(func(t *rapid.T) record {
			return record{
				unit:  rapid.IntRange(0, 3).Draw(t, "unit"),
				group: rapid.IntRange(0, 4).Draw(t, "group"),
				value: rapid.Int64Range(lower, upper).Draw(t, "value"),
				null:  rapid.IntRange(0, 5).Draw(t, "null") == 0,
			}
		}), 0, 30).Draw(t, "table")
		whole := collect(bound(table, q.Contribution), lower, upper)
		for unit := range 4 {
			neighbour := collect(bound(without(table, unit), q.Contribution), lower, upper)
			a, b := exactDraws(t, s, whole), exactDraws(t, s, neighbour)
			for i, d := range s.draws {
				most := d.sensitivity
				moved, squares := distance(a[i], b[i])
				if moved.cell > most.cell || moved.l1 > most.l1 || moved.cells > most.cells || float64(squares) > most.l2()*most.l2() {
					t.Fatalf("draw %+v: one unit moves it by %+v, %d squared, its noise is for %+v, %g", d.measurement, moved, squares, most, most.l2()*most.l2())
				}
			}
		}
	})
}

// everything asks for every aggregate over one argument and five public groups.
func everything(lower, upper int64) Question {
	return Question{
		Aggregates: []Aggregate{
			{Kind: Count, Argument: NoArgument}, {Kind: Count, Argument: 0}, {Kind: CountUnits, Argument: NoArgument},
			bounded(Sum, 0, lower, upper), bounded(Mean, 0, lower, upper),
		},
		Contribution: Contribution{MaxPartitions: 1, MaxRowsPerPartition: 1, MaxRows: 1},
		Partitions:   Partitions{Keys: []string{"0", "1", "2", "3", "4"}},
		Loss:         Loss{Epsilon: OneEpsilon},
	}
}

// everyAggregate asks for every kind of aggregate over one argument and five public groups.
func everyAggregate(lower, upper int64) Question {
	q := everything(lower, upper)
	median := bounded(Quantile, 0, lower, upper)
	median.Rank = 0.5
	q.Aggregates = append(q.Aggregates, Aggregate{Kind: CountUnits, Argument: 0}, Aggregate{Kind: CountDistinct, Argument: 0},
		bounded(Variance, 0, lower, upper), median)
	return q
}

// TestSensitivityIsReached finds a unit that moves each draw by exactly what its noise is for: there
// is no hidden over-noise.
func TestSensitivityIsReached(t *testing.T) {
	for _, c := range []Contribution{{1, 1, 1}, {3, 2, 6}, {3, 2, 5}, {2, 4, 5}, {4, 1, 3}, {5, 5, 7}} {
		const lower, upper = -7, 10
		q := everyAggregate(lower, upper)
		q.Contribution = c
		s := mustSpec(t, q)
		// One unit of as many rows as it may have: alike, then with different values, then in the most groups.
		var alike, different, wide []record
		for group := range 5 {
			for i := range c.MaxRowsPerPartition {
				alike = append(alike, record{group: group, value: upper})
				different = append(different, record{group: group, value: upper - i})
			}
			wide = append(wide, record{group: group, value: upper})
		}
		for i, d := range s.draws {
			var most sensitivity
			var squares int64
			for _, table := range [][]record{alike, different, wide} {
				got, l2 := distance(exactDraws(t, s, collect(bound(table, c), lower, upper))[i], nil)
				most.cell, most.l1, most.cells = max(most.cell, got.cell), max(most.l1, got.l1), max(most.cells, got.cells)
				squares = max(squares, l2)
			}
			most.levels = d.sensitivity.levels
			if d.quantity == tree && most.cells < d.sensitivity.cells { // rows of one group in different leaves share the upper nodes
				most.cells = d.sensitivity.cells
			}
			if most != d.sensitivity || math.Abs(float64(squares)-d.sensitivity.l2()*d.sensitivity.l2()) > 1e-9*float64(squares) {
				t.Errorf("%+v: draw %+v moves by %+v, %d squared, declared %+v", c, d.measurement, most, squares, d.sensitivity)
			}
		}
	}
}

func TestExactSumsDoNotWrap(t *testing.T) {
	huge := new(big.Int).Lsh(big.NewInt(1), 90)
	if got := clampSum(huge); got != sumLimit {
		t.Errorf("2^90 gives %d", got)
	}
	if got := clampSum(new(big.Int).Neg(huge)); got != -sumLimit {
		t.Errorf("−2^90 gives %d", got)
	}
	rapid.Check(t, func(t *rapid.T) {
		base := new(big.Int).Lsh(big.NewInt(rapid.Int64().Draw(t, "base")), 2)
		shift := rapid.Int64Range(0, 1<<53).Draw(t, "shift")
		moved := clampSum(new(big.Int).Add(base, big.NewInt(shift))) - clampSum(base)
		if moved < 0 || moved > shift {
			t.Fatalf("clamping turned a shift of %d into %d", shift, moved)
		}
		lower := rapid.Int64Range(-1<<53+1, 1<<53-1).Draw(t, "lower")
		upper := min(lower+rapid.Int64Range(0, 1<<54).Draw(t, "width"), 1<<53-1)
		x := rapid.Int64Range(lower, upper).Draw(t, "x")
		if c := centredSum(big.NewInt(x), 1, lower, upper).Int64(); c > centredMagnitude(lower, upper) || -c > centredMagnitude(lower, upper) {
			t.Fatalf("one value adds %d to a centred sum, more than %d", c, centredMagnitude(lower, upper))
		}
		if upper-lower < 1<<27 {
			m := measurement{quantity: squares, lower: lower, upper: upper}
			u := 2*x - lower - upper
			if moved := squaresSum(new(big.Int).Mul(big.NewInt(u), big.NewInt(u)), 1, lower, upper).Int64(); max(moved, -moved) > m.magnitude() {
				t.Fatalf("one value adds %d to a sum of squares, more than %d", moved, m.magnitude())
			}
		}
		if m := sumMagnitude(lower, upper); x > m || -x > m {
			t.Fatalf("one value adds %d to a sum, more than %d", x, m)
		}
	})
}
