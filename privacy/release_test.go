package privacy

import (
	"errors"
	"fmt"
	"math"
	"math/big"
	"slices"
	"strings"
	"sync"
	"testing"

	"entrepot/privacy/privacytest"
)

// people are n units with one row each and value 7.
func people(key string, n int64) Partial {
	return Partial{Key: key, Units: n, Rows: n, NonNull: []int64{n}, Sum: []*big.Int{big.NewInt(7 * n)}}
}

func TestRunListsPublicGroups(t *testing.T) {
	q := everything(0, 10)
	q.Partitions.Keys = []string{"b", "a", "c"}
	r, err := run(mustSpec(t, q), NewPartials([]Partial{people("a", 4), people("b", 9)}), fixed(0))
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
	src.keep = func(units int64, epsilon, delta float64) (bool, error) {
		if epsilon != 1 || delta > 1e-3 || delta < 0.999999e-3 {
			t.Errorf("selection at (%g, %g)", epsilon, delta)
		}
		asked[units] = true
		return units >= 5, nil
	}
	r, err := run(mustSpec(t, q), NewPartials([]Partial{people("z", 7), people("y", 6), people("b", 100), people("x", 1)}), src)
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
	r, err := run(mustSpec(t, q), NewPartials([]Partial{people("a", 3)}), fixed(0))
	if err != nil {
		t.Fatal(err)
	}
	c := r.Rows()[0].Cells[0]
	k := math.Ceil(500*math.Log(20) - 0.5)
	if c.Steps != 21 || c.Value != 1.05 || math.Abs(c.High-(21+k)*0.05) > 1e-9 || math.Abs(c.Low-(21-k)*0.05) > 1e-9 {
		t.Errorf("cell %+v", c)
	}
}

// TestRunRefusesWhatNoEngineMakes also checks that nothing is drawn and no content is told.
func TestRunRefusesWhatNoEngineMakes(t *testing.T) {
	notNull := bounded(Sum, 0, 0, 10)
	notNull.NotNull = true
	for name, change := range map[string]func(q *Question, p []Partial) []Partial{
		"an unknown group":      func(_ *Question, p []Partial) []Partial { return append(p, people("secret", 1)) },
		"a group twice":         func(_ *Question, p []Partial) []Partial { return append(p, people("a", 1)) },
		"no argument":           func(_ *Question, p []Partial) []Partial { p[0].NonNull, p[0].Sum = nil, nil; return p },
		"fewer sums":            func(_ *Question, p []Partial) []Partial { p[0].Sum = nil; return p },
		"a missing sum":         func(_ *Question, p []Partial) []Partial { p[0].Sum[0] = nil; return p },
		"negative rows":         func(_ *Question, p []Partial) []Partial { p[0].Rows = -1; return p },
		"negative units":        func(_ *Question, p []Partial) []Partial { p[0].Units = -1; return p },
		"negative values":       func(_ *Question, p []Partial) []Partial { p[0].NonNull[0] = -1; return p },
		"more units than rows":  func(_ *Question, p []Partial) []Partial { p[0].Units++; return p },
		"more values than rows": func(_ *Question, p []Partial) []Partial { p[0].NonNull[0]++; return p },
		"too many rows":         func(_ *Question, p []Partial) []Partial { p[0].Rows = math.MaxInt64; return p },
		"a sum out of bounds":   func(_ *Question, p []Partial) []Partial { p[0].Sum[0] = big.NewInt(51); return p },
		"NULL where none is":    func(q *Question, p []Partial) []Partial { q.Aggregates[0] = notNull; p[0].Rows++; return p },
	} {
		t.Run(name, func(t *testing.T) {
			q := countQuestion(OneEpsilon, "a", "b")
			q.Aggregates = []Aggregate{bounded(Sum, 0, 0, 10)}
			groups := change(&q, []Partial{people("a", 5)})
			drawn := false
			src := source{laplace: func(int64, float64) (int64, error) { drawn = true; return 0, nil }}
			p := NewPartials(groups)
			r, err := run(mustSpec(t, q), p, src)
			if !errors.Is(err, ErrPartials) || len(r.Rows()) != 0 || drawn || strings.Contains(err.Error(), "secret") {
				t.Errorf("%v, %v, drawn %t", r, err, drawn)
			}
			if _, err := run(mustSpec(t, q), p, src); !errors.Is(err, ErrUsed) {
				t.Errorf("the second use of refused partials: %v", err)
			}
		})
	}
	if _, err := Run(Spec{}, NewPartials(nil)); !errors.Is(err, ErrSpec) {
		t.Errorf("the zero spec: %v", err)
	}
	if _, err := Run(mustSpec(t, countQuestion(OneEpsilon, "a")), nil); !errors.Is(err, ErrPartials) {
		t.Errorf("no partials: %v", err)
	}
}

func TestFailingNoiseReleasesNothing(t *testing.T) {
	broken := errors.New("out of randomness")
	q := everything(0, 10)
	for after := range 5 {
		n := 0
		src := source{laplace: func(int64, float64) (int64, error) {
			if n++; n > after {
				return 0, broken
			}
			return 0, nil
		}}
		if r, err := run(mustSpec(t, q), NewPartials(nil), src); !errors.Is(err, broken) || len(r.rows) != 0 {
			t.Errorf("%v, %v", r, err)
		}
	}
	q.Partitions, q.Loss.Delta = Partitions{PreThreshold: 1}, OneDelta/100
	src := source{keep: func(int64, float64, float64) (bool, error) { return false, broken }}
	if r, err := run(mustSpec(t, q), NewPartials([]Partial{people("a", 1)}), src); !errors.Is(err, broken) || len(r.rows) != 0 {
		t.Errorf("%v, %v", r, err)
	}
}

func TestPartialsAreUsedOnce(t *testing.T) {
	s := mustSpec(t, countQuestion(OneEpsilon, "a"))
	p := NewPartials([]Partial{people("a", 5)})
	var wait sync.WaitGroup
	var lock sync.Mutex
	released := 0
	for range 16 {
		wait.Go(func() {
			if _, err := Run(s, p); err == nil {
				lock.Lock()
				released++
				lock.Unlock()
			} else if !errors.Is(err, ErrUsed) {
				t.Error(err)
			}
		})
	}
	wait.Wait()
	if released != 1 {
		t.Errorf("%d releases from one collection", released)
	}
	if _, err := p.MarshalBinary(); !errors.Is(err, ErrUsed) {
		t.Errorf("used partials left the process: %v", err)
	}
}

func TestPartialsTravel(t *testing.T) {
	huge := new(big.Int).Lsh(big.NewInt(-3), 80)
	p := NewPartials([]Partial{
		{Key: `["a",null]`, Units: 1, Rows: 3, NonNull: []int64{2, 0}, Sum: []*big.Int{huge, nil}},
		{Key: "\x00é", NonNull: []int64{0, 0}, Sum: []*big.Int{new(big.Int), new(big.Int)}},
	})
	b, err := p.MarshalBinary()
	if err != nil {
		t.Fatal(err)
	}
	if _, err := Run(mustSpec(t, countQuestion(OneEpsilon, "a")), p); !errors.Is(err, ErrUsed) {
		t.Errorf("partials that left the process were used here: %v", err)
	}
	var back Partials
	if err := back.UnmarshalBinary(b); err != nil {
		t.Fatal(err)
	}
	if err := back.UnmarshalBinary(b); !errors.Is(err, ErrUsed) {
		t.Errorf("partials were overwritten: %v", err)
	}
	groups, err := back.take()
	if err != nil || len(groups) != 2 || groups[0].Key != `["a",null]` || groups[0].Sum[0].Cmp(huge) != 0 || groups[0].Sum[1] != nil ||
		groups[1].Key != "\x00é" || groups[0].NonNull[0] != 2 || groups[0].Rows != 3 || groups[0].Units != 1 {
		t.Errorf("%+v, %v", groups, err)
	}
	var bad Partials
	if err := bad.UnmarshalBinary([]byte(`[{"Key":"canary","Rows":"x"}]`)); !errors.Is(err, ErrPartials) || strings.Contains(err.Error(), "canary") {
		t.Errorf("damaged partials: %v", err)
	}
}

func TestPartialsHideThemselves(t *testing.T) {
	p := NewPartials([]Partial{people("canary", 12345)})
	for _, s := range []string{fmt.Sprint(p), fmt.Sprintf("%v %+v %#v %s", p, p, p, p)} {
		if strings.Contains(s, "canary") || strings.Contains(s, "12345") {
			t.Errorf("printed as %s", s)
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
		r, err := Run(s, NewPartials([]Partial{people("0", 50), people("1", 50), people("2", 50)}))
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
	if lo, hi := privacytest.CoverageBand(cells, p, 1e-6); exact < lo || exact > hi {
		t.Errorf("%d of %d counts are exact, expected %d … %d", exact, cells, lo, hi)
	}
}
