package privacy

// Price is what the question costs on each clock of an account whose Rényi clock has this order;
// order 0 is an account without one, and Renyi is 0. It depends on the question alone.
//
// Epsilon is the ε asked for, Delta the δ asked for where partitions are private and otherwise 0.
// Renyi sums the divergence of every draw and of partition selection at the worst possible unit,
// rounded up.
func (s Spec) Price(order Order) Clocks {
	price := Clocks{Epsilon: s.question.Loss.Epsilon}
	if s.selection != nil {
		price.Delta = s.question.Loss.Delta
	}
	if order == 0 {
		return price
	}
	var total float64
	for _, d := range s.draws {
		total += d.divergence(order.Float())
	}
	if s.selection != nil {
		total += s.selection.divergence(order.Float())
	}
	price.Renyi = CeilRenyi(total * (1 + relativeMargin))
	return price
}

// Column describes the noise on one aggregate.
type Column struct {
	Mechanism string  // "laplace"
	Scale     float64 // b [the column's unit]; for Mean that of the noise on the sum
}

// Columns describes the noise on each aggregate, in the order of the question.
func (s Spec) Columns() []Column {
	columns := make([]Column, len(s.uses))
	for i, a := range s.question.Aggregates {
		b := s.draws[s.uses[i][0]].noise.scale
		columns[i] = Column{Mechanism: "laplace", Scale: b}
		switch a.Kind {
		case Sum:
			columns[i].Scale = a.Step.Float(b)
		case Mean:
			columns[i].Scale = a.Step.Float(b / 2) // the draw is in half steps
		}
	}
	return columns
}

// HalfWidths is half the width of each aggregate's confidence interval in a group of so many rows
// with a value, in the column's unit. It is exact for counts and sums, whatever the rows; for Mean it
// is that of a mean in the middle of its bounds when noise is 0, an expectation and no promise: near
// a bound intervals are up to 1.4 times as wide, or cut off by it.
func (s Spec) HalfWidths(rows float64) []float64 {
	widths := make([]float64, len(s.uses))
	for i, a := range s.question.Aggregates {
		first, second := s.draws[s.uses[i][0]].noise, s.draws[s.uses[i][1]].noise
		switch a.Kind {
		case Sum:
			widths[i] = a.Step.Float(float64(first.halfWidth()))
		case Mean:
			r := newRatio(noisy{}, noisy{}, first, second, a)
			r.n, r.undetermined = rows, !(rows > 0)
			_, high := r.interval()
			widths[i] = a.Step.Float(high / 2)
		default:
			widths[i] = float64(first.halfWidth())
		}
	}
	return widths
}
