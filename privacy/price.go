package privacy

import "math"

// Price is what the question costs on each clock of an account with these Rényi orders; an account without
// any has no such clock. It depends on the question alone.
//
// Epsilon is the ε asked for; under ρ the sum of what each step costs, and the largest amount, which no
// account can bear, where one of them is Gaussian noise without a δ of its own. Delta is the δ asked for
// where partitions are private and otherwise 0, with what Gaussian noise adds. Renyi sums, at each order, the
// divergence of every draw and of partition selection at the worst possible unit. All are rounded up.
func (s Spec) Price(orders Orders) Clocks {
	price := Clocks{Epsilon: s.epsilon(), Delta: s.delta()}
	for k, order := range orders.All() {
		price.Renyi[k] = s.divergence(order.Float())
	}
	return price
}

// divergence is what the question costs on a Rényi clock.
func (s Spec) divergence(order float64) Renyi {
	var total float64
	for _, d := range s.draws {
		total += d.divergence(order)
	}
	if s.selection != nil {
		total += s.selection.divergence(order)
	}
	return CeilRenyi(total * (1 + relativeMargin))
}

// epsilon is what the question costs on Σε.
func (s Spec) epsilon() Epsilon {
	if s.question.Loss.Rho == 0 {
		return s.question.Loss.Epsilon
	}
	var total Epsilon
	for _, d := range s.draws {
		total = addAmounts(total, d.epsilon())
	}
	if s.selection != nil {
		total = addAmounts(total, CeilEpsilon(float64(s.selection.cells)*s.selection.each.ceilFloat()*(1+relativeMargin)))
	}
	return total
}

// epsilon is what a draw costs on Σε.
func (d draw) epsilon() Epsilon {
	if d.noise.kind == Laplace {
		return CeilEpsilon(d.sensitivity.laplaceEpsilon(d.noise))
	}
	if d.leak == 0 {
		return math.MaxInt64
	}
	return CeilEpsilon(gaussianEpsilon(d.sensitivity.gaussianRho(d.noise), d.leak.FloorFloat()*(1-relativeMargin)) * (1 + relativeMargin))
}

// delta is what the question costs on Σδ.
func (s Spec) delta() Delta {
	var total Delta
	if s.selection != nil {
		total = s.question.Loss.Delta
	}
	if s.Mechanism() != Gaussian {
		return total
	}
	total = addAmounts(total, s.question.Loss.GaussianDelta)
	for _, d := range s.draws {
		total = addAmounts(total, CeilDelta(d.sensitivity.gaussianLeak(d.noise)))
	}
	return total
}

// Column describes the noise on one aggregate.
type Column struct {
	Mechanism Mechanism // Laplace or Gaussian
	// Scale is b of Laplace noise, σ of Gaussian noise [the column's unit]. For Mean it is that of the
	// noise on the sum; for Variance likewise, in that unit; for Quantile that of a count of rows.
	Scale float64
	// Note says in one sentence what a reader must know of the number; "" where there is nothing.
	Note string
}

// Columns describes the noise on each aggregate, in the order of the question.
func (s Spec) Columns() []Column {
	columns := make([]Column, len(s.uses))
	for i, a := range s.question.Aggregates {
		n := s.draws[s.uses[i][0]].noise
		columns[i] = Column{Mechanism: n.kind, Scale: n.scale, Note: note(a)}
		switch a.Kind {
		case Sum:
			columns[i].Scale = a.Step.Float(n.scale)
		case Mean, Variance:
			columns[i].Scale = a.Step.Float(n.scale / 2) // the draw is in half steps
		}
	}
	return columns
}

// note is what a reader of an aggregate must know.
func note(a Aggregate) string {
	switch {
	case a.Kind == CountDistinct:
		return "counts the values in the rows that bounding kept"
	case a.Kind == Quantile && a.Rank < leastRank:
		return "estimates the 0.5 % quantile, kept within the interval of the minimum"
	case a.Kind == Quantile && a.Rank > 1-leastRank:
		return "estimates the 99.5 % quantile, kept within the interval of the maximum"
	default:
		return ""
	}
}

// leastRank is the rank nearest to an end at which a quantile is estimated: beyond it noise decides.
const leastRank = 0.005

// HalfWidths is half the width of each aggregate's confidence interval in a group of so many rows
// with a value, in the column's unit. It is exact for counts and sums, whatever the rows. For Mean it
// is that of a mean in the middle of its bounds when noise is 0, an expectation and no promise: near
// a bound intervals are up to 1.4 times as wide, or cut off by it. For Variance it is that of values
// spread evenly over their bounds. For Quantile it is NaN: it depends on the rows.
func (s Spec) HalfWidths(rows float64) []float64 {
	widths := make([]float64, len(s.uses))
	for i := range widths {
		widths[i] = s.halfWidth(i, rows)
	}
	return widths
}

// halfWidth is that of one aggregate.
func (s Spec) halfWidth(i int, rows float64) float64 {
	a := s.question.Aggregates[i]
	n := s.draws[s.uses[i][0]].noise
	switch a.Kind {
	case Sum:
		return a.Step.Float(float64(n.halfWidth()))
	case Mean:
		r := newRatio(noisy{}, noisy{}, n, s.draws[s.uses[i][1]].noise, a)
		r.n, r.undetermined = rows, !(rows > 0)
		if r.undetermined {
			return a.Step.Float(r.most / 2)
		}
		return a.Step.Float(r.crossing(0, r.most) / 2) // 0 is the estimate, and always plausible
	case Variance:
		return s.varianceHalfWidth(i, rows)
	case Quantile:
		return math.NaN()
	default:
		return float64(n.halfWidth())
	}
}

// varianceHalfWidth is half an interval's width for values spread evenly over the bounds, without noise:
// Σu² is then a third of range² for each value, which makes Σ(2u² − range²) minus a third.
func (s Spec) varianceHalfWidth(i int, rows float64) float64 {
	a, use := s.question.Aggregates[i], s.uses[i]
	n := min(max(0, math.Round(rows)), maxReach)
	squares := -n / 3 * float64(s.draws[use[1]].magnitude())
	cell := varianceCell(noisy{}, noisy{steps: saturate(int64(max(squares, -noisyLimit)))}, noisy{steps: int64(n)},
		s.draws[use[0]].noise, s.draws[use[1]].noise, s.draws[use[2]].noise, a)
	return (cell.High - cell.Low) / 2
}
