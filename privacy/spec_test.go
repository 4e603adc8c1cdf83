package privacy

import (
	"errors"
	"fmt"
	"math"
	"strings"
	"testing"
)

// countQuestion is COUNT(*) over public groups.
func countQuestion(eps Epsilon, keys ...string) Question {
	return Question{
		Aggregates:   []Aggregate{{Kind: Count, Argument: NoArgument}},
		Contribution: Contribution{MaxPartitions: 1, MaxRowsPerPartition: 1, MaxRows: 1},
		Partitions:   Partitions{Keys: keys, PreThreshold: 1},
		Loss:         Loss{Epsilon: eps},
	}
}

func mustSpec(t testing.TB, q Question) Spec {
	t.Helper()
	s, err := NewSpec(q)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// bounded is an aggregate over argument i within lower … upper, in whole steps.
func bounded(kind Kind, i int, lower, upper int64) Aggregate {
	return Aggregate{Kind: kind, Argument: i, Lower: lower, Upper: upper, Step: Step{1, 1}}
}

func TestSpecRefuses(t *testing.T) {
	private := func(q *Question) {
		q.Partitions.Keys = nil
		q.Loss.Delta = OneDelta / 1_000_000
	}
	many := make([]string, MaxPublicPartitions+1)
	for i := range many {
		many[i] = fmt.Sprint(i)
	}
	for name, change := range map[string]func(q *Question){
		"no aggregate":               func(q *Question) { q.Aggregates = nil },
		"65 aggregates":              func(q *Question) { q.Aggregates = make([]Aggregate, 65) },
		"unknown kind":               func(q *Question) { q.Aggregates[0].Kind = "median" },
		"empty kind":                 func(q *Question) { q.Aggregates[0].Kind = "" },
		"argument -2":                func(q *Question) { q.Aggregates[0].Argument = -2 },
		"argument 64":                func(q *Question) { q.Aggregates[0].Argument = 64 },
		"units of an argument":       func(q *Question) { q.Aggregates[0] = Aggregate{Kind: CountUnits} },
		"sum of nothing":             func(q *Question) { q.Aggregates[0] = bounded(Sum, NoArgument, 0, 1) },
		"lower above upper":          func(q *Question) { q.Aggregates[0] = bounded(Sum, 0, 1, 0) },
		"smallest integer":           func(q *Question) { q.Aggregates[0] = bounded(Sum, 0, math.MinInt64, 0) },
		"largest integer":            func(q *Question) { q.Aggregates[0] = bounded(Mean, 0, 0, math.MaxInt64) },
		"wrapping bounds":            func(q *Question) { q.Aggregates[0] = bounded(Mean, 0, -6148914691236517206, 6148914691236517206) },
		"sum of zeros":               func(q *Question) { q.Aggregates[0] = bounded(Sum, 0, 0, 0) },
		"mean of a constant":         func(q *Question) { q.Aggregates[0] = bounded(Mean, 0, 5, 5) },
		"step of 0":                  func(q *Question) { q.Aggregates[0] = Aggregate{Kind: Sum, Upper: 1, Step: Step{0, 1}} },
		"negative step":              func(q *Question) { q.Aggregates[0] = Aggregate{Kind: Sum, Upper: 1, Step: Step{1, -1}} },
		"two bounds of one argument": func(q *Question) { q.Aggregates = []Aggregate{bounded(Sum, 0, 0, 1), bounded(Mean, 0, 0, 2)} },
		"one argument, NULL and not": func(q *Question) { q.Aggregates = []Aggregate{{Kind: Count}, {Kind: Count, NotNull: true}} },
		"ε of 0":                     func(q *Question) { q.Loss.Epsilon = 0 },
		"negative ε":                 func(q *Question) { q.Loss.Epsilon = -OneEpsilon },
		"ε below the least":          func(q *Question) { q.Loss.Epsilon = MinQuestionEpsilon - 1 },
		"ε above the most":           func(q *Question) { q.Loss.Epsilon = MaxMechanismEpsilon + 1 },
		"largest ε":                  func(q *Question) { q.Loss.Epsilon = math.MaxInt64 },
		"negative δ":                 func(q *Question) { q.Loss.Delta = -1 },
		"δ of 1":                     func(q *Question) { q.Loss.Delta = OneDelta },
		"no public group":            func(q *Question) { q.Partitions.Keys = []string{} },
		"a group twice":              func(q *Question) { q.Partitions.Keys = []string{"a", "b", "a"} },
		"too many groups":            func(q *Question) { q.Partitions.Keys = many },
		"private without δ":          func(q *Question) { q.Partitions.Keys = nil },
		"private with δ of 1":        func(q *Question) { private(q); q.Loss.Delta = OneDelta },
		"private with too little δ":  func(q *Question) { private(q); q.Loss.Delta = MinPartitionDelta - 1 },
		"private with δ spread too thin": func(q *Question) {
			private(q)
			q.Loss.Delta = 10 * MinPartitionDelta
			q.Contribution = Contribution{MaxPartitions: 11, MaxRowsPerPartition: 1, MaxRows: 11}
		},
		"private with ε spread too thin": func(q *Question) {
			private(q)
			q.Loss.Epsilon = MinQuestionEpsilon
			q.Loss.Delta = OneDelta / 10
			q.Contribution = Contribution{MaxPartitions: 60_000, MaxRowsPerPartition: 1, MaxRows: 60_000}
		},
		"pre-threshold of 0": func(q *Question) { private(q); q.Partitions.PreThreshold = 0 },
		"no partition":       func(q *Question) { q.Contribution.MaxPartitions = 0 },
		"no row":             func(q *Question) { q.Contribution.MaxRows = 0 },
		"no row in each":     func(q *Question) { q.Contribution.MaxRowsPerPartition = -1 },
		"2^53 rows":          func(q *Question) { q.Contribution.MaxRows = 1 << 53 },
		"wrapping limits":    func(q *Question) { q.Contribution = Contribution{1 << 40, 1 << 40, 1 << 50} },
		"limits of 2^53":     func(q *Question) { q.Contribution = Contribution{1 << 20, 1 << 33, 1 << 40} },
		"B·L0·r of 2^64": func(q *Question) {
			q.Aggregates[0] = bounded(Sum, 0, 0, 1<<52)
			q.Contribution = Contribution{1 << 12, 1, 1}
		},
		"B·L0·r of 2^53": func(q *Question) {
			q.Aggregates[0] = bounded(Sum, 0, 0, 1<<40)
			q.Contribution = Contribution{1 << 3, 1 << 10, 1 << 3}
		},
		"mean counts its 2": func(q *Question) {
			q.Aggregates[0] = bounded(Mean, 0, -(1 << 49), 1<<49)
			q.Contribution = Contribution{1, 8, 1}
		},
		"too much for ε": func(q *Question) { q.Aggregates[0] = bounded(Sum, 0, 0, 1<<45); q.Loss.Epsilon = MinQuestionEpsilon },
		"lattice beyond L1/ε": func(q *Question) {
			q.Aggregates = make([]Aggregate, 20)
			for i := range q.Aggregates {
				q.Aggregates[i] = bounded(Sum, i, 0, 1<<20)
			}
			q.Loss.Epsilon = MinQuestionEpsilon
			q.Contribution = Contribution{1 << 32, 1, 1 << 32}
			private(q)
		},
	} {
		t.Run(name, func(t *testing.T) {
			q := countQuestion(OneEpsilon, "a", "b")
			change(&q)
			if s, err := NewSpec(q); !errors.Is(err, ErrSpec) || len(s.draws) != 0 {
				t.Errorf("got %v", err)
			}
		})
	}
}

func TestSpecAcceptsTheEdges(t *testing.T) {
	for name, change := range map[string]func(q *Question){
		"least ε":        func(q *Question) { q.Loss.Epsilon = MinQuestionEpsilon },
		"most ε":         func(q *Question) { q.Loss.Epsilon = MaxMechanismEpsilon },
		"one key, empty": func(q *Question) { q.Partitions.Keys = []string{""} },
		"constant sum":   func(q *Question) { q.Aggregates[0] = bounded(Sum, 0, 1, 1) },
		"widest bounds":  func(q *Question) { q.Aggregates[0] = bounded(Sum, 0, -(1<<53 - 1), 1<<53-1) },
		"least δ": func(q *Question) {
			q.Partitions.Keys, q.Loss.Delta = nil, MinPartitionDelta
		},
		"public with δ": func(q *Question) { q.Loss.Delta = 5 },
	} {
		t.Run(name, func(t *testing.T) {
			q := countQuestion(OneEpsilon, "a", "b")
			change(&q)
			if _, err := NewSpec(q); err != nil {
				t.Error(err)
			}
		})
	}
}

func TestDrawsAreSharedOnlyWhereTheSame(t *testing.T) {
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
	r, err := Run(s, NewPartials(nil))
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
