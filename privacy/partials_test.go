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
)

// TestRunRefusesWhatNoEngineMakes also checks that nothing is drawn and no content is told.
func TestRunRefusesWhatNoEngineMakes(t *testing.T) {
	notNull := bounded(Sum, 0, 0, 10)
	notNull.NotNull = true
	for name, change := range map[string]func(q *Question, p []Partial) []Partial{
		"an unknown group":      func(_ *Question, p []Partial) []Partial { return append(p, people("secret", 1)) },
		"a group twice":         func(_ *Question, p []Partial) []Partial { return append(p, people("a", 1)) },
		"no argument":           func(_ *Question, p []Partial) []Partial { p[0].Arguments = nil; return p },
		"a missing sum":         func(_ *Question, p []Partial) []Partial { p[0].Arguments[0].Sum = nil; return p },
		"negative rows":         func(_ *Question, p []Partial) []Partial { p[0].Rows = -1; return p },
		"negative units":        func(_ *Question, p []Partial) []Partial { p[0].Units = -1; return p },
		"negative values":       func(_ *Question, p []Partial) []Partial { p[0].Arguments[0].NonNull = -1; return p },
		"more units than rows":  func(_ *Question, p []Partial) []Partial { p[0].Units++; return p },
		"more values than rows": func(_ *Question, p []Partial) []Partial { p[0].Arguments[0].NonNull++; return p },
		"too many rows":         func(_ *Question, p []Partial) []Partial { p[0].Rows = math.MaxInt64; return p },
		"a sum out of bounds":   func(_ *Question, p []Partial) []Partial { p[0].Arguments[0].Sum = big.NewInt(51); return p },
		"units without a value": func(q *Question, p []Partial) []Partial {
			q.Aggregates[0] = Aggregate{Kind: CountUnits}
			p[0].Arguments[0] = Tally{Units: 1}
			return p
		},
		"values without a unit": func(q *Question, p []Partial) []Partial { q.Aggregates[0] = Aggregate{Kind: CountUnits}; return p },
		"values, none distinct": func(q *Question, p []Partial) []Partial { q.Aggregates[0] = Aggregate{Kind: CountDistinct}; return p },
		"too many of a kind": func(q *Question, p []Partial) []Partial {
			q.Aggregates[0] = Aggregate{Kind: CountDistinct}
			p[0].Arguments[0].Distinct = 6
			return p
		},
		"more units with a value than units": func(q *Question, p []Partial) []Partial {
			q.Aggregates[0] = Aggregate{Kind: CountUnits}
			p[0].Units, p[0].Arguments[0].Units = 4, 5
			return p
		},
		"no squares": func(q *Question, p []Partial) []Partial { q.Aggregates[0] = bounded(Variance, 0, 0, 10); return p },
		"squares out of bounds": func(q *Question, p []Partial) []Partial {
			q.Aggregates[0] = bounded(Variance, 0, 0, 10)
			p[0].Arguments[0].Squares = big.NewInt(501)
			return p
		},
		"no leaves": func(q *Question, p []Partial) []Partial { q.Aggregates[0] = bounded(Quantile, 0, 0, 10); return p },
		"a leaf too far": func(q *Question, p []Partial) []Partial {
			q.Aggregates[0] = bounded(Quantile, 0, 0, 10)
			p[0].Arguments[0].Leaves = []Leaf{{11, 5}}
			return p
		},
		"NULL where none is": func(q *Question, p []Partial) []Partial { q.Aggregates[0] = notNull; p[0].Rows++; return p },
	} {
		t.Run(name, func(t *testing.T) {
			q := countQuestion(OneEpsilon, "a", "b")
			q.Aggregates = []Aggregate{bounded(Sum, 0, 0, 10)}
			groups := change(&q, []Partial{people("a", 5)})
			drawn := false
			src := source{Laplace: func(site, int64, float64) (int64, error) { drawn = true; return 0, nil }}
			p := NewPartials(q.Shape(), groups)
			r, err := run(mustSpec(t, q), p, src)
			if !errors.Is(err, ErrPartials) || len(r.Rows()) != 0 || drawn || strings.Contains(err.Error(), "secret") {
				t.Errorf("%v, %v, drawn %t", r, err, drawn)
			}
			if _, err := run(mustSpec(t, q), p, src); !errors.Is(err, ErrUsed) {
				t.Errorf("the second use of refused partials: %v", err)
			}
		})
	}
	for name, src := range map[string]source{"none": {}, "no Gaussian": {Laplace: libraryLaplace, Keep: libraryKeep}} {
		p := NewPartials(countQuestion(OneEpsilon, "a").Shape(), nil)
		if _, err := RunFrom(src, mustSpec(t, countQuestion(OneEpsilon, "a")), p); !errors.Is(err, ErrSpec) {
			t.Errorf("a source of randomness that is %s: %v", name, err)
		}
		if _, err := Run(mustSpec(t, countQuestion(OneEpsilon, "a")), p); err != nil {
			t.Errorf("partials were used up by a source that is %s: %v", name, err)
		}
	}
	if _, err := Run(Spec{}, NewPartials(Shape{}, nil)); !errors.Is(err, ErrSpec) {
		t.Errorf("the zero spec: %v", err)
	}
	if _, err := Run(mustSpec(t, countQuestion(OneEpsilon, "a")), nil); !errors.Is(err, ErrPartials) {
		t.Errorf("no partials: %v", err)
	}
}

func TestPartialsAreUsedOnce(t *testing.T) {
	s := mustSpec(t, countQuestion(OneEpsilon, "a"))
	p := NewPartials(s.Shape(), []Partial{people("a", 5)})
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
	shape := countQuestion(OneEpsilon, "a").Shape()
	p := NewPartials(shape, []Partial{
		{Key: `["a",null]`, Units: 1, Rows: 3, Arguments: []Tally{{NonNull: 2, Sum: huge, Squares: huge, Units: 1, Distinct: 2, Leaves: []Leaf{{7, 2}}}, {}}},
		{Key: "\x00é", Arguments: []Tally{{Sum: new(big.Int)}, {}}},
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
	if back.shape != shape {
		t.Error("the shape did not travel")
	}
	groups, err := back.take()
	if err != nil || len(groups) != 2 || groups[0].Key != `["a",null]` || groups[1].Key != "\x00é" || groups[0].Rows != 3 || groups[0].Units != 1 {
		t.Fatalf("%+v, %v", groups, err)
	}
	first, second := groups[0].Arguments[0], groups[0].Arguments[1]
	if first.NonNull != 2 || first.Sum.Cmp(huge) != 0 || first.Squares.Cmp(huge) != 0 || first.Units != 1 || first.Distinct != 2 ||
		!slices.Equal(first.Leaves, []Leaf{{7, 2}}) || second.Sum != nil {
		t.Errorf("%+v, %v", groups, err)
	}
	var bad Partials
	if err := bad.UnmarshalBinary([]byte(`[{"Key":"canary","Rows":"x"}]`)); !errors.Is(err, ErrPartials) || strings.Contains(err.Error(), "canary") {
		t.Errorf("damaged partials: %v", err)
	}
}

func TestPartialsHideThemselves(t *testing.T) {
	p := NewPartials(Shape{}, []Partial{people("canary", 12345)})
	for _, s := range []string{fmt.Sprint(p), fmt.Sprintf("%v %+v %#v %s", p, p, p, p)} {
		if strings.Contains(s, "canary") || strings.Contains(s, "12345") {
			t.Errorf("printed as %s", s)
		}
	}
}

// TestPartialsAnswerTheirOwnQuestion: whatever decides what partials hold keeps them from answering another
// question; loss and weights do not.
func TestPartialsAnswerTheirOwnQuestion(t *testing.T) {
	q := countQuestion(OneEpsilon, "a", "b")
	q.Aggregates = []Aggregate{bounded(Sum, 0, 0, 10)}
	for name, change := range map[string]func(q *Question){
		"bounds":       func(q *Question) { q.Aggregates[0].Upper = 11 },
		"an aggregate": func(q *Question) { q.Aggregates = append(q.Aggregates, Aggregate{Kind: Count, Argument: NoArgument}) },
		"L0":           func(q *Question) { q.Contribution.MaxPartitions++ },
		"rows":         func(q *Question) { q.Contribution.MaxRows += 5 },
		"keys":         func(q *Question) { q.Partitions.Keys = []string{"a"} },
		"private keys": func(q *Question) { q.Partitions = Partitions{PreThreshold: 1}; q.Loss.Delta = OneDelta / 100 },
	} {
		other := cloneQuestion(q)
		change(&other)
		if _, err := Run(mustSpec(t, other), NewPartials(q.Shape(), nil)); !errors.Is(err, ErrPartials) {
			t.Errorf("%s differs: %v", name, err)
		}
	}
	other := cloneQuestion(q)
	other.Loss, other.Aggregates[0].Weight = Loss{Epsilon: OneEpsilon / 2}, 3
	if _, err := Run(mustSpec(t, other), NewPartials(q.Shape(), nil)); err != nil {
		t.Errorf("another loss: %v", err)
	}
}
