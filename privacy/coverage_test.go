package privacy

import (
	"fmt"
	"math"
	"math/big"
	"testing"

	"entrepot/privacy/internal/binomial"
)

// releaseMany runs a question over 500 public groups of 100 people each, ten times, with the library's noise,
// and gives all 5,000 rows.
func releaseMany(t *testing.T, a Aggregate, loss Loss) []Row {
	t.Helper()
	keys := make([]string, 500)
	for i := range keys {
		keys[i] = fmt.Sprint(i)
	}
	q := countQuestion(0, keys...)
	q.Aggregates, q.Loss = []Aggregate{a}, loss
	s := mustSpec(t, q)
	var rows []Row
	for range 10 {
		groups := make([]Partial, len(keys))
		for i, key := range keys {
			groups[i] = Partial{Key: key, Units: 100, Rows: 100, Arguments: []Tally{{NonNull: 100, Sum: big.NewInt(100 * 300)}}}
		}
		r, err := Run(s, NewPartials(s.Shape(), groups))
		if err != nil {
			t.Fatal(err)
		}
		rows = append(rows, r.Rows()...)
	}
	return rows
}

// TestCoverage holds intervals to 95 %: of 5,000 fresh draws, counts and sums cover at the rate that
// their whole half-width gives, means in at least 95 %. Each check has false-reject 1e-5.
func TestCoverage(t *testing.T) {
	for _, c := range []struct {
		name  string
		a     Aggregate
		loss  Loss
		truth float64
		scale float64 // b or σ [steps], for the exact rate; 0 for a mean
	}{
		{"count at scale 10", Aggregate{Kind: Count, Argument: NoArgument}, Loss{Epsilon: OneEpsilon / 10}, 100, 10},
		{"units at scale 20", Aggregate{Kind: CountUnits, Argument: NoArgument}, Loss{Epsilon: OneEpsilon / 20}, 100, 20},
		{"sum of cents", Aggregate{Kind: Sum, Argument: 0, Lower: 0, Upper: 1000, Step: Step{1, 100}}, Loss{Epsilon: OneEpsilon}, 300, 1000},
		{"mean", Aggregate{Kind: Mean, Argument: 0, Lower: 0, Upper: 1000, Step: Step{1, 100}}, Loss{Epsilon: OneEpsilon}, 3, 0},
		{"Gaussian count at σ = 10", Aggregate{Kind: Count, Argument: NoArgument}, gaussian(OneRho / 200), 100, 10},
		{"Gaussian sum of cents", Aggregate{Kind: Sum, Argument: 0, Lower: 0, Upper: 1000, Step: Step{1, 100}}, gaussian(OneRho / 8), 300, 2000},
		{"Gaussian mean", Aggregate{Kind: Mean, Argument: 0, Lower: 0, Upper: 1000, Step: Step{1, 100}}, gaussian(OneRho / 10), 3, 0},
	} {
		t.Run(c.name, func(t *testing.T) {
			rows := releaseMany(t, c.a, c.loss)
			covered := 0
			for _, row := range rows {
				if cell := row.Cells[0]; cell.Low <= c.truth && c.truth <= cell.High {
					covered++
				}
			}
			lo, hi := binomial.LeastCount(len(rows), Confidence, 1e-5), len(rows)
			if c.scale > 0 {
				k := math.Ceil(c.scale*math.Log(20) - 0.5)
				rate := 1 - math.Exp(-(k+0.5)/c.scale)
				if c.loss.Mechanism == Gaussian {
					k = math.Ceil(c.scale*1.959963985 - 0.5)
					rate = math.Erf((k + 0.5) / c.scale / math.Sqrt2)
				}
				lo, hi = binomial.CoverageBand(len(rows), rate, 1e-5)
			}
			if covered < lo || covered > hi {
				t.Errorf("%d of %d intervals cover, expected %d … %d", covered, len(rows), lo, hi)
			}
		})
	}
}

// TestEmpiricalEpsilon watches one event that tells 101 people from 100 best: what 20,000 draws a side
// prove about ε must not exceed it (false-reject 1e-5), nor fall far short, which hidden noise would cause.
func TestEmpiricalEpsilon(t *testing.T) {
	const draws = 20_000
	s := mustSpec(t, countQuestion(OneEpsilon, "a"))
	below := func(n int64) int {
		hits := 0
		for range draws {
			r, err := Run(s, NewPartials(s.Shape(), []Partial{people("a", n)}))
			if err != nil {
				t.Fatal(err)
			}
			if r.rows[0].Cells[0].Steps < 100 {
				hits++
			}
		}
		return hits
	}
	a, b := below(100), below(101)
	if least := binomial.EpsilonAtLeast(a, b, draws, 1e-5); least > 1 || least < 0.75 {
		t.Errorf("%d against %d of %d: ε is at least %g, charged 1", a, b, draws, least)
	}
}
