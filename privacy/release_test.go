package privacy

import (
	"errors"
	"fmt"
	"math"
	"math/big"
	"slices"
	"testing"

	"entrepot/privacy/internal/binomial"
)

// people are n units with one row each and value 7.
func people(key string, n int64) Partial {
	return Partial{Key: key, Units: n, Rows: n, Arguments: []Tally{{NonNull: n, Sum: big.NewInt(7 * n)}}}
}

func TestRunListsPublicGroups(t *testing.T) {
	q := everything(0, 10)
	q.Partitions.Keys = []string{"b", "a", "c"}
	r, err := run(mustSpec(t, q), NewPartials(q.Shape(), []Partial{people("a", 4), people("b", 9)}), fixed(0))
	if err != nil {
		t.Fatal(err)
	}
	want := []struct {
		key                           string
		rows, values, units, sum, avg float64
	}{{"b", 9, 9, 9, 63, 7}, {"a", 4, 4, 4, 28, 7}, {"c", 0, 0, 0, 0, 5}}
	for i, row := range r.Rows() {
		w := want[i]
		got := []float64{row.Cells[0].Value, row.Cells[1].Value, row.Cells[2].Value, row.Cells[3].Value, row.Cells[4].Value}
		if row.Key != w.key || !slices.Equal(got, []float64{w.rows, w.values, w.units, w.sum, w.avg}) {
			t.Errorf("row %d: %s %v, want %+v", i, row.Key, got, w)
		}
	}
	rows := r.Rows()
	rows[0].Cells[0].Value = -1
	if r.Rows()[0].Cells[0].Value != 9 {
		t.Error("a release can be changed from outside")
	}
}

func TestRunSelectsPrivateGroups(t *testing.T) {
	q := countQuestion(2 * OneEpsilon)
	q.Partitions = Partitions{PreThreshold: 3}
	q.Loss.Delta = OneDelta / 1000
	asked := map[int64]bool{}
	src := fixed(0)
	src.Keep = func(_ site, units int64, epsilon, delta float64) (bool, error) {
		if epsilon != 1 || delta > 1e-3 || delta < 0.999999e-3 {
			t.Errorf("selection at (%g, %g)", epsilon, delta)
		}
		asked[units] = true
		return units >= 5, nil
	}
	r, err := run(mustSpec(t, q), NewPartials(q.Shape(), []Partial{people("z", 7), people("y", 6), people("b", 100), people("x", 1)}), src)
	if err != nil {
		t.Fatal(err)
	}
	if rows := r.Rows(); len(rows) != 2 || rows[0].Key != "b" || rows[1].Key != "z" || rows[1].Cells[0].Steps != 7 {
		t.Errorf("rows %+v", rows)
	}
	if !asked[5] || !asked[4] || !asked[98] || !asked[0] || len(asked) != 4 {
		t.Errorf("the pre-threshold of 3 takes 2 off each group: %v", asked)
	}
}

func TestSumsAreInTheColumnsUnit(t *testing.T) {
	q := everything(0, 1)
	q.Aggregates = []Aggregate{{Kind: Sum, Argument: 0, Lower: -500, Upper: 500, Step: Step{5, 100}}}
	q.Partitions.Keys = []string{"a"}
	r, err := run(mustSpec(t, q), NewPartials(q.Shape(), []Partial{people("a", 3)}), fixed(0))
	if err != nil {
		t.Fatal(err)
	}
	c := r.Rows()[0].Cells[0]
	k := math.Ceil(500*math.Log(20) - 0.5)
	if c.Steps != 21 || c.Value != 1.05 || math.Abs(c.High-(21+k)*0.05) > 1e-9 || math.Abs(c.Low-(21-k)*0.05) > 1e-9 {
		t.Errorf("cell %+v", c)
	}
}

func TestFailingNoiseReleasesNothing(t *testing.T) {
	broken := errors.New("out of randomness")
	q := everything(0, 10)
	for after := range 5 {
		n := 0
		src := source{Laplace: func(site, int64, float64) (int64, error) {
			if n++; n > after {
				return 0, broken
			}
			return 0, nil
		}}
		if r, err := run(mustSpec(t, q), NewPartials(q.Shape(), nil), src); !errors.Is(err, broken) || len(r.rows) != 0 {
			t.Errorf("%v, %v", r, err)
		}
	}
	q.Partitions, q.Loss.Delta = Partitions{PreThreshold: 1}, OneDelta/100
	src := source{Keep: func(site, int64, float64, float64) (bool, error) { return false, broken }}
	if r, err := run(mustSpec(t, q), NewPartials(q.Shape(), []Partial{people("a", 1)}), src); !errors.Is(err, broken) || len(r.rows) != 0 {
		t.Errorf("%v, %v", r, err)
	}
}

// TestCountsOfAnArgument: units with a value and distinct values are numbers of their own, and where no row
// can be NULL the units with a value are all units.
func TestCountsOfAnArgument(t *testing.T) {
	q := everything(0, 10)
	q.Aggregates = []Aggregate{{Kind: CountUnits, Argument: NoArgument}, {Kind: CountUnits, Argument: 0}, {Kind: CountDistinct, Argument: 0}}
	q.Partitions.Keys = []string{"a", "b"}
	p := Partial{Key: "a", Units: 9, Rows: 20, Arguments: []Tally{{NonNull: 12, Units: 7, Distinct: 3}}}
	for _, l := range []Loss{{Epsilon: OneEpsilon}, {Rho: OneRho / 10, Mechanism: Gaussian}} {
		q.Loss = l
		r, err := run(mustSpec(t, q), NewPartials(q.Shape(), []Partial{p}), fixed(0))
		if err != nil {
			t.Fatal(err)
		}
		for i, want := range [][]float64{{9, 7, 3}, {0, 0, 0}} {
			for j, c := range r.Rows()[i].Cells {
				if c.Value != want[j] || c.Steps != int64(want[j]) || c.Low >= c.Value || c.High <= c.Value {
					t.Errorf("%+v: cell %d of group %d is %+v", l, j, i, c)
				}
			}
		}
	}
}

// TestNoiseIsFresh draws 10,000 cells over the same rows: no two runs give the same vector, no cell is
// NaN or infinite, and of all cells at scale 50 about a hundredth is exact (false-reject 1e-6).
func TestNoiseIsFresh(t *testing.T) {
	q := everything(0, 10)
	q.Loss.Epsilon = OneEpsilon / 10
	s := mustSpec(t, q)
	seen, exact, cells := map[string]bool{}, 0, 0
	for range 400 {
		r, err := Run(s, NewPartials(s.Shape(), []Partial{people("0", 50), people("1", 50), people("2", 50)}))
		if err != nil {
			t.Fatal(err)
		}
		var vector []int64
		for i, row := range r.Rows() {
			for _, c := range row.Cells {
				for _, f := range []float64{c.Value, c.Low, c.High} {
					if math.IsNaN(f) || math.IsInf(f, 0) {
						t.Fatalf("cell %+v", c)
					}
				}
				vector = append(vector, c.Steps)
			}
			if i < 3 {
				cells++
				if row.Cells[0].Steps == 50 {
					exact++
				}
			}
		}
		if text := fmt.Sprint(vector); seen[text] {
			t.Error("two runs gave the same noise")
		} else {
			seen[text] = true
		}
	}
	p := 1 - math.Exp(-0.5/50) // five draws of 0.02 each at L1 = 1: b = 50
	if lo, hi := binomial.CoverageBand(cells, p, 1e-6); exact < lo || exact > hi {
		t.Errorf("%d of %d counts are exact, expected %d … %d", exact, cells, lo, hi)
	}
}
