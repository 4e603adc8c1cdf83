package privacytest_test

import (
	"errors"
	"math/big"
	"testing"

	"entrepot/privacy"
	"entrepot/privacy/privacytest"
)

// spec asks for a count, a sum and a median of integers within 0 … 99, over two public groups.
func spec(t *testing.T) privacy.Spec {
	t.Helper()
	a := privacy.Aggregate{Lower: 0, Upper: 99, Step: privacy.Step{Num: 1, Den: 1}, NotNull: true}
	sum, median, count := a, a, privacy.Aggregate{Kind: privacy.Count, Argument: privacy.NoArgument}
	sum.Kind, median.Kind, median.Rank = privacy.Sum, privacy.Quantile, 0.5
	s, err := privacy.NewSpec(privacy.Question{
		Aggregates:   []privacy.Aggregate{count, sum, median},
		Contribution: privacy.Contribution{MaxPartitions: 2, MaxRowsPerPartition: 3, MaxRows: 5},
		Partitions:   privacy.Partitions{Keys: []string{"a", "b"}},
		Loss:         privacy.Loss{Epsilon: privacy.OneEpsilon},
	})
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func partials() []privacy.Partial {
	return []privacy.Partial{{Key: "a", Units: 2, Rows: 3, Arguments: []privacy.Tally{{
		NonNull: 3, Sum: big.NewInt(108), Leaves: []privacy.Leaf{{Index: 4, Rows: 1}, {Index: 52, Rows: 2}},
	}}}}
}

// zero is a source without noise that notes every decision.
func zero(seen map[privacytest.Site]int) privacytest.Source {
	return privacytest.Source{
		Laplace:  func(at privacytest.Site, _ int64, _ float64) (int64, error) { seen[at]++; return 0, nil },
		Gaussian: func(at privacytest.Site, _ int64, _, _ float64) (int64, error) { seen[at]++; return 0, nil },
		Keep:     func(at privacytest.Site, _ int64, _, _ float64) (bool, error) { seen[at]++; return true, nil },
	}
}

func TestRunTellsEverySite(t *testing.T) {
	seen := map[privacytest.Site]int{}
	r, err := privacytest.Run(zero(seen), spec(t), privacy.NewPartials(spec(t).Shape(), partials()))
	if err != nil {
		t.Fatal(err)
	}
	if cells := r.Rows()[0].Cells; cells[0].Steps != 3 || cells[1].Steps != 108 {
		t.Errorf("without noise: %+v", cells)
	}
	nodes := 0
	for at, times := range seen {
		if times != 1 {
			t.Errorf("%d decisions at %+v", times, at)
		}
		if at.Draw == 2 && at.Node >= 0 && at.Key == "a" {
			nodes++
		} else if at.Node != -1 && at.Draw != 2 {
			t.Errorf("a node at %+v", at)
		}
	}
	if seen[privacytest.Site{Key: "b", Draw: 1, Node: -1}] != 1 || nodes == 0 {
		t.Errorf("decisions: %v", seen)
	}
	if _, err := privacytest.Run(privacytest.Source{}, spec(t), privacy.NewPartials(spec(t).Shape(), nil)); !errors.Is(err, privacy.ErrSpec) {
		t.Errorf("an empty source: %v", err)
	}
}

func TestMeasureLooksAtExactValues(t *testing.T) {
	s := spec(t)
	all, err := privacytest.Measure(s, partials())
	if err != nil {
		t.Fatal(err)
	}
	if len(all) != 3 || all[0][privacytest.Site{Key: "a", Draw: 0, Node: -1}] != 3 || all[1][privacytest.Site{Key: "a", Draw: 1, Node: -1}] != 108 {
		t.Errorf("%v", all)
	}
	levels := privacy.NewTree(0, 99).Height
	total, nodes := int64(0), map[int64]bool{}
	for at, rows := range all[2] {
		total += rows
		nodes[at.Node] = true
	}
	if total != int64(3*levels) || len(nodes) != 2*levels { // 4 and 52 are in different nodes on every level
		t.Errorf("the tree of %d levels: %v", levels, all[2])
	}
	sensitivities := privacytest.Sensitivities(s)
	want := privacytest.Sensitivity{Quantity: "sum", Cell: 3 * 99, L1: 5 * 99, Cells: 2}
	got := sensitivities[1]
	if squares := float64(99 * 99 * (9 + 4)); got.L2Squared < squares || got.L2Squared > squares*(1+1e-9) {
		t.Errorf("L2² is %g, want %g", got.L2Squared, squares)
	}
	if got.L2Squared = 0; got != want || len(sensitivities) != 3 {
		t.Errorf("%+v, want %+v", got, want)
	}
	bad := partials()
	bad[0].Rows = -1
	if _, err := privacytest.Measure(s, bad); !errors.Is(err, privacy.ErrPartials) {
		t.Errorf("partials of no engine: %v", err)
	}
	if _, err := privacy.Run(s, privacy.NewPartials(s.Shape(), partials())); err != nil {
		t.Errorf("partials that were looked at: %v", err)
	}
}
