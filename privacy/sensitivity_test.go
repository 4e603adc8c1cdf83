package privacy

import (
	"fmt"
	"math/big"
	"slices"
	"testing"

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

// collect aggregates a bounded table with one argument.
func collect(table []record) []Partial {
	byGroup := map[int]*Partial{}
	units := map[[2]int]bool{}
	for _, row := range table {
		p := byGroup[row.group]
		if p == nil {
			empty := emptyPartial(fmt.Sprint(row.group), 1)
			p = &empty
			byGroup[row.group] = p
		}
		p.Rows++
		if !units[[2]int{row.unit, row.group}] {
			units[[2]int{row.unit, row.group}] = true
			p.Units++
		}
		if !row.null {
			p.NonNull[0]++
			p.Sum[0].Add(p.Sum[0], big.NewInt(row.value))
		}
	}
	var partials []Partial
	for _, p := range byGroup {
		partials = append(partials, *p)
	}
	return partials
}

func without(table []record, unit int) []record {
	return slices.DeleteFunc(slices.Clone(table), func(r record) bool { return r.unit == unit })
}

// exactDraws is what a draw measures, by group, before noise.
func exactDraws(s Spec, partials []Partial) []map[string]int64 {
	all := make([]map[string]int64, len(s.draws))
	for i, d := range s.draws {
		all[i] = map[string]int64{}
		for _, p := range partials {
			all[i][p.Key] = d.exact(p)
		}
	}
	return all
}

// distance is how far two vectors over groups are apart, in the three norms.
func distance(a, b map[string]int64) sensitivity {
	var s sensitivity
	keys := map[string]bool{}
	for k := range a {
		keys[k] = true
	}
	for k := range b {
		keys[k] = true
	}
	for k := range keys {
		shift := max(a[k]-b[k], b[k]-a[k])
		s.l1 += shift
		s.cell = max(s.cell, shift)
		if shift > 0 {
			s.cells++
		}
	}
	return s
}

// TestSensitivity compares every table with every neighbour of it: no draw may move further than its
// noise is made for, and the price and the steps taken must be the same.
func TestSensitivity(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		lower := rapid.Int64Range(-50, 50).Draw(t, "lower")
		upper := lower + rapid.Int64Range(1, 60).Draw(t, "width")
		q := everything(lower, upper)
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
		whole := collect(bound(table, q.Contribution))
		for unit := range 4 {
			neighbour := collect(bound(without(table, unit), q.Contribution))
			a, b := exactDraws(s, whole), exactDraws(s, neighbour)
			for i, d := range s.draws {
				moved, most := distance(a[i], b[i]), d.sensitivity
				if moved.cell > most.cell || moved.l1 > most.l1 || moved.cells > most.cells {
					t.Fatalf("draw %+v: one unit moves it by %+v, its noise is for %+v", d.measurement, moved, most)
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

// TestSensitivityIsReached finds a unit that moves each draw by exactly what its noise is for: there
// is no hidden over-noise.
func TestSensitivityIsReached(t *testing.T) {
	for _, c := range []Contribution{{1, 1, 1}, {3, 2, 6}, {3, 2, 5}, {2, 4, 5}, {4, 1, 3}, {5, 5, 7}} {
		q := everything(-7, 10)
		q.Contribution = c
		s := mustSpec(t, q)
		var table []record
		for group := range 5 {
			for range c.MaxRowsPerPartition {
				table = append(table, record{group: group, value: 10})
			}
		}
		spread := make([]record, 0, 5) // one row in each group touches the most groups
		for group := range 5 {
			spread = append(spread, record{group: group, value: 10})
		}
		full := exactDraws(s, collect(bound(table, c)))
		wide := exactDraws(s, collect(bound(spread, c)))
		for i, d := range s.draws {
			got := distance(full[i], nil)
			if cells := distance(wide[i], nil).cells; cells != d.sensitivity.cells {
				t.Errorf("%+v: draw %+v touches %d groups, declared %d", c, d.measurement, cells, d.sensitivity.cells)
			}
			if d.quantity == units {
				got = distance(wide[i], nil)
			}
			if got.cell != d.sensitivity.cell || got.l1 != d.sensitivity.l1 {
				t.Errorf("%+v: draw %+v moves by %+v, declared %+v", c, d.measurement, got, d.sensitivity)
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
		upper := rapid.Int64Range(lower, 1<<53-1).Draw(t, "upper")
		x := rapid.Int64Range(lower, upper).Draw(t, "x")
		if c := centredSum(big.NewInt(x), 1, lower, upper).Int64(); c > centredMagnitude(lower, upper) || -c > centredMagnitude(lower, upper) {
			t.Fatalf("one value adds %d to a centred sum, more than %d", c, centredMagnitude(lower, upper))
		}
		if m := sumMagnitude(lower, upper); x > m || -x > m {
			t.Fatalf("one value adds %d to a sum, more than %d", x, m)
		}
	})
}
