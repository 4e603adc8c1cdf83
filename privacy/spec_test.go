package privacy

import (
	"errors"
	"fmt"
	"math"
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
		"public and no aggregate": func(q *Question) { q.Aggregates = nil },
		"65 aggregates":           func(q *Question) { q.Aggregates = make([]Aggregate, 65) },
		"negative weight":         func(q *Question) { q.Aggregates[0].Weight = -1 },
		"too much weight":         func(q *Question) { q.Aggregates[0].Weight = MaxWeight + 1 },
		"variance of nothing":     func(q *Question) { q.Aggregates[0] = bounded(Variance, NoArgument, 0, 1) },
		"variance of a constant":  func(q *Question) { q.Aggregates[0] = bounded(Variance, 0, 5, 5) },
		"range² of 2^53":          func(q *Question) { q.Aggregates[0] = bounded(Variance, 0, 0, 94_906_266) },
		"range² beyond integers":  func(q *Question) { q.Aggregates[0] = bounded(Variance, 0, -(1<<53 - 1), 1<<53-1) },
		"quantile of nothing":     func(q *Question) { q.Aggregates[0] = bounded(Quantile, NoArgument, 0, 1) },
		"quantile of a constant":  func(q *Question) { q.Aggregates[0] = bounded(Quantile, 0, 5, 5) },
		"rank below 0":            func(q *Question) { q.Aggregates[0] = bounded(Quantile, 0, 0, 9); q.Aggregates[0].Rank = -1e-9 },
		"rank above 1":            func(q *Question) { q.Aggregates[0] = bounded(Quantile, 0, 0, 9); q.Aggregates[0].Rank = 1.1 },
		"rank of no number":       func(q *Question) { q.Aggregates[0] = bounded(Quantile, 0, 0, 9); q.Aggregates[0].Rank = math.NaN() },
		"ε and ρ":                 func(q *Question) { q.Loss.Rho = OneRho },
		"negative ρ":              func(q *Question) { q.Loss = Loss{Rho: -1} },
		"ρ below the least":       func(q *Question) { q.Loss = Loss{Rho: MinQuestionRho - 1} },
		"ρ above the most":        func(q *Question) { q.Loss = Loss{Rho: 20 * OneRho} },
		"largest ρ":               func(q *Question) { q.Loss = Loss{Rho: math.MaxInt64} },
		"unknown mechanism":       func(q *Question) { q.Loss = Loss{Rho: OneRho / 10, Mechanism: "normal"} },
		"Gaussian under ε":        func(q *Question) { q.Loss.Mechanism = Gaussian },
		"best under ε":            func(q *Question) { q.Loss.Mechanism = Best },
		"Gaussian δ for Laplace":  func(q *Question) { q.Loss = Loss{Rho: OneRho / 10, GaussianDelta: 1000} },
		"negative Gaussian δ":     func(q *Question) { q.Loss = Loss{Rho: OneRho / 10, Mechanism: Best, GaussianDelta: -1} },
		"Gaussian δ of a half":    func(q *Question) { q.Loss = Loss{Rho: OneRho / 10, Mechanism: Best, GaussianDelta: OneDelta / 2} },
		"Gaussian δ spread too thin": func(q *Question) {
			q.Aggregates = append(q.Aggregates, bounded(Sum, 0, 0, 1))
			q.Loss = Loss{Rho: OneRho / 10, Mechanism: Gaussian, GaussianDelta: 1}
		},
		"Δ₂ above σ": func(q *Question) { q.Loss = Loss{Rho: OneRho/2 + OneRho/1000, Mechanism: Gaussian} },
		"σ above 2^55": func(q *Question) {
			q.Aggregates[0] = bounded(Sum, 0, 0, 1<<52)
			q.Loss = Loss{Rho: OneRho / 1000, Mechanism: Gaussian}
		},
		"Laplace scale above 2^55 under ρ": func(q *Question) {
			q.Aggregates[0] = bounded(Sum, 0, 0, 1<<52)
			q.Loss = Loss{Rho: OneRho / 1000}
		},
		"neither noise under ρ": func(q *Question) {
			q.Aggregates[0] = bounded(Sum, 0, 0, 1<<52)
			q.Loss = Loss{Rho: OneRho / 1000, Mechanism: Best}
		},
		"ρ spread too thin": func(q *Question) {
			private(q)
			q.Loss.Epsilon, q.Loss.Rho, q.Loss.Delta = 0, MinQuestionRho, OneDelta/10
			q.Contribution = Contribution{MaxPartitions: 1 << 40, MaxRowsPerPartition: 1, MaxRows: 1 << 40}
		},
		"private without ε or ρ":     func(q *Question) { private(q); q.Loss.Epsilon = 0 },
		"unknown kind":               func(q *Question) { q.Aggregates[0].Kind = "median" },
		"empty kind":                 func(q *Question) { q.Aggregates[0].Kind = "" },
		"argument -2":                func(q *Question) { q.Aggregates[0].Argument = -2 },
		"argument 64":                func(q *Question) { q.Aggregates[0].Argument = 64 },
		"distinct values of nothing": func(q *Question) { q.Aggregates[0] = Aggregate{Kind: CountDistinct, Argument: NoArgument} },
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
		"least ρ":       func(q *Question) { q.Loss = Loss{Rho: MinQuestionRho} },
		"most Gaussian": func(q *Question) { q.Loss = Loss{Rho: OneRho / 2, Mechanism: Gaussian} },
		"least Gaussian ρ": func(q *Question) {
			q.Loss = Loss{Rho: MinQuestionRho, Mechanism: Gaussian, GaussianDelta: 1}
		},
		"widest variance": func(q *Question) { q.Aggregates[0] = bounded(Variance, 0, 0, 94_906_265) },
		"widest quantile": func(q *Question) { q.Aggregates[0] = bounded(Quantile, 0, -(1<<53 - 1), 1<<53-1) },
		"most weight":     func(q *Question) { q.Aggregates[0].Weight = MaxWeight },
		"no aggregate": func(q *Question) {
			q.Aggregates, q.Partitions.Keys, q.Loss.Delta = nil, nil, MinPartitionDelta
		},
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
