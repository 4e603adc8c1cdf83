package privacy

import (
	"errors"
	"fmt"
	"math"
	"strings"
	"testing"
)

func TestDrawsAreSharedOnlyWhereTheSame(t *testing.T) {
	deviation, median := bounded(Variance, 0, 0, 10), bounded(Quantile, 0, 0, 10)
	deviation.Root, deviation.Sample, median.Rank = true, true, 0.5
	notNull := bounded(Mean, 1, 0, 10)
	notNull.NotNull = true
	for _, c := range []struct {
		name       string
		aggregates []Aggregate
		draws      int
	}{
		{"count twice", []Aggregate{{Kind: Count, Argument: NoArgument}, {Kind: Count, Argument: NoArgument}}, 1},
		{"rows and units", []Aggregate{{Kind: Count, Argument: NoArgument}, {Kind: CountUnits, Argument: NoArgument}}, 2},
		{"rows and values", []Aggregate{{Kind: Count, Argument: NoArgument}, {Kind: Count, Argument: 0}}, 2},
		{"mean needs two", []Aggregate{bounded(Mean, 0, 0, 10)}, 2},
		{"mean shares COUNT(x)", []Aggregate{{Kind: Count, Argument: 0}, bounded(Mean, 0, 0, 10)}, 2},
		{"mean does not share COUNT(*)", []Aggregate{{Kind: Count, Argument: NoArgument}, bounded(Mean, 0, 0, 10)}, 3},
		{"mean without NULL shares COUNT(*)", []Aggregate{{Kind: Count, Argument: NoArgument}, notNull}, 2},
		{"mean does not share another's count", []Aggregate{{Kind: Count, Argument: 0}, bounded(Mean, 1, 0, 10)}, 3},
		{"units with a value are others", []Aggregate{{Kind: CountUnits, Argument: NoArgument}, {Kind: CountUnits, Argument: 0}}, 2},
		{"units without NULL are all", []Aggregate{{Kind: CountUnits, Argument: NoArgument}, {Kind: CountUnits, Argument: 0, NotNull: true}}, 1},
		{"distinct values and values", []Aggregate{{Kind: Count, Argument: 0}, {Kind: CountDistinct, Argument: 0}}, 2},
		{"variance and mean", []Aggregate{bounded(Variance, 0, 0, 10), bounded(Mean, 0, 0, 10)}, 3},
		{"two deviations", []Aggregate{deviation, bounded(Variance, 0, 0, 10)}, 3},
		{"two ranks, one tree", []Aggregate{bounded(Quantile, 0, 0, 10), median}, 1},
		{"sum and mean", []Aggregate{bounded(Sum, 0, 0, 10), bounded(Mean, 0, 0, 10)}, 3},
		{"two sums", []Aggregate{bounded(Sum, 0, 0, 10), bounded(Sum, 1, 0, 10)}, 2},
	} {
		t.Run(c.name, func(t *testing.T) {
			q := countQuestion(OneEpsilon, "a")
			q.Aggregates = c.aggregates
			s := mustSpec(t, q)
			if len(s.draws) != c.draws {
				t.Fatalf("%d draws, want %d", len(s.draws), c.draws)
			}
			for _, d := range s.draws {
				if want := (OneEpsilon / Epsilon(c.draws)).FloorFloat(); d.noise.epsilon != want {
					t.Errorf("a draw spends %g, want %g", d.noise.epsilon, want)
				}
			}
		})
	}
}

func TestColumnsStateTheNoise(t *testing.T) {
	q := countQuestion(OneEpsilon/2, "f", "m")
	mean := Aggregate{Kind: Mean, Argument: 0, Lower: 0, Upper: 100_000, Step: Step{1, 100}, NotNull: true}
	q.Aggregates = append(q.Aggregates, mean)
	columns := mustSpec(t, q).Columns()
	if math.Abs(columns[0].Scale-4) > 1e-9 || columns[0].Mechanism != "laplace" {
		t.Errorf("COUNT(*) of ε = 0.5 over two draws: %+v", columns[0])
	}
	if math.Abs(columns[1].Scale-2000) > 1e-6 { // B = 500 about the middle, ε = 0.25
		t.Errorf("AVG over 0 … 1000: %+v", columns[1])
	}
	widths := mustSpec(t, q).HalfWidths(10_000)
	if widths[0] != math.Ceil(4*math.Log(20)-0.5) || math.Abs(widths[1]-2000*math.Log(20)/10_000) > 0.01 {
		t.Errorf("half-widths %v", widths)
	}
	if all := mustSpec(t, q).HalfWidths(0)[1]; all != 500 {
		t.Errorf("a mean of nothing may be anywhere: ±%g", all)
	}
}

func TestSpecKeepsItsOwnCopy(t *testing.T) {
	q := countQuestion(OneEpsilon, "a", "b")
	s := mustSpec(t, q)
	q.Partitions.Keys[0], q.Aggregates[0].Kind = "changed", Sum
	r, err := Run(s, NewPartials(s.Shape(), nil))
	if err != nil || r.Rows()[0].Key != "a" {
		t.Errorf("%v, %v", r, err)
	}
}

// TestAnswersAreBounded: groups and numbers in each are bounded together, before anything is charged where
// groups are public.
func TestAnswersAreBounded(t *testing.T) {
	q := Question{Contribution: Contribution{MaxPartitions: 1, MaxRowsPerPartition: 1, MaxRows: 1}, Loss: Loss{Epsilon: OneEpsilon}}
	for i := range 100_000 {
		q.Partitions.Keys = append(q.Partitions.Keys, fmt.Sprint(i))
	}
	for i := range 5 {
		q.Aggregates = append(q.Aggregates, Aggregate{Kind: Sum, Argument: i, Upper: 10, Step: Step{1, 1}})
	}
	if _, err := NewSpec(q); err != nil {
		t.Errorf("500,000 numbers: %v", err)
	}
	q.Aggregates = append(q.Aggregates, Aggregate{Kind: CountUnits, Argument: NoArgument})
	if _, err := NewSpec(q); !errors.Is(err, ErrSpec) || !strings.Contains(err.Error(), "fewer groups") {
		t.Errorf("600,000 numbers: %v", err)
	}
}
