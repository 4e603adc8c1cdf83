package privacy

import (
	"cmp"
	"errors"
	"fmt"
	"math"
	"slices"
)

// From accuracy to loss: the least ε, or ρ, whose intervals are as narrow as asked for.
//
// A loss is divided by whole weights, so each column has a need: the least share at which its interval is
// narrow enough. Noise falls with its share, so bisection finds it. A column with two or three draws gives each of
// them its own share at least; a draw that another column measures better helps it.
//
// With u the loss of one weight, a need n takes the weight ⌈n/u⌉, and the loss is u times the sum of the weights of
// all draws. Between two of the points n/k, k = 1, 2, …, that sum does not change. So the cheapest u is one
// of them, or the least that there may be, and all are tried: a wider interval never costs more than a narrow one.
//
// Tested by TestCheapestMeets, TestCheapestIsTight, TestCheapestIsMonotone (random questions).

// Accuracy says how wide the intervals of a question may be, at Confidence.
type Accuracy struct {
	// HalfWidths are half of each aggregate's interval [its column's unit], in the order of the question; 0
	// where it does not matter.
	HalfWidths []float64
	// Rows with a value, of the group that the half-widths are for. For Mean and Variance only.
	Rows float64
}

// ErrAccuracy is returned where no loss gives the accuracy asked for. It is wrapped in an *AccuracyError where
// one aggregate is the reason.
var ErrAccuracy = errors.New("no loss gives this accuracy")

// AccuracyError says which aggregate cannot be as accurate as asked for. Its message is for the caller: it
// depends on the question alone.
type AccuracyError struct {
	Aggregate int // index in the question
	Reason    string
}

// Error gives the reason.
func (e *AccuracyError) Error() string { return e.Reason }

// Unwrap makes it an ErrAccuracy.
func (e *AccuracyError) Unwrap() error { return ErrAccuracy }

const (
	accuracyPrecision = 1e-7 // of a need, relative
	lossUnits         = 1e6  // a loss is rounded up to six digits: fewer are easier to read, and cost nothing to speak of
	// mostLeast is the most that the smallest weight may be where there is a rest of weight 1 each: aggregates whose width
	// does not matter, and the choice of private partitions. So they have half of what the easiest aim has, or more.
	mostLeast = 2
	// maxTries is the most intervals that are looked at for weights that may do with less. It keeps a question of many
	// columns from keeping a server busy: what is found until then meets the accuracy as well.
	maxTries = 10_000
)

// Cheapest returns the question with the least loss that meets an accuracy, and its aggregates with the weights
// that divide it. The loss is an ε where q.Loss.Mechanism is Laplace, a ρ where it is Gaussian; its deltas are q's.
//
// HalfWidths of the result's Spec are at most those asked for: for counts and sums that holds for every table, for
// Mean and Variance it is an expectation. Errors wrap ErrAccuracy or ErrSpec.
func Cheapest(q Question, a Accuracy) (Question, error) {
	s, err := newSolver(q, a)
	if err != nil {
		return Question{}, err
	}
	if err := s.findNeeds(); err != nil {
		return Question{}, err
	}
	return s.settle(s.tighten(s.weigh()))
}

// solver looks for the least loss.
type solver struct {
	Accuracy
	spec   Spec // with draws measured, noise to be tried
	bounds bounds
	kind   Mechanism
	aims   []int // aggregates with a target
	needs  []int64
	shares []int64 // for each draw, the largest need of the aims that use it; 0 where none does [pico]
	rest   int64   // draws without an aim, and partition selection
	tries  int     // intervals looked at by tighten
}

func newSolver(q Question, a Accuracy) (*solver, error) {
	if len(a.HalfWidths) != len(q.Aggregates) {
		return nil, fmt.Errorf("%w: %d half-widths for %d aggregates", ErrAccuracy, len(a.HalfWidths), len(q.Aggregates))
	}
	s := &solver{Accuracy: a, kind: cmp.Or(q.Loss.Mechanism, Laplace), needs: make([]int64, len(q.Aggregates))}
	q = cloneQuestion(q)
	for i := range q.Aggregates {
		q.Aggregates[i].Weight = 1
	}
	if q.Loss.Epsilon, q.Loss.Rho = 0, OneRho; s.kind == Laplace { // checked, not used
		q.Loss.Epsilon, q.Loss.Rho = OneEpsilon, 0
	}
	var err error
	if s.spec, s.bounds, err = measureSpec(q); err != nil {
		return nil, err
	}
	s.shares = make([]int64, len(s.spec.draws))
	for i, width := range a.HalfWidths {
		switch {
		case width == 0:
			continue
		case !(width > 0) || math.IsInf(width, 0):
			return nil, &AccuracyError{i, "a half-width is a number above 0"}
		case q.Aggregates[i].Kind == Quantile:
			return nil, &AccuracyError{i, "how wide the interval of a quantile is depends on the rows, so that no loss can be found for it; ask for it with a loss"}
		}
		s.aims = append(s.aims, i)
	}
	if len(s.aims) == 0 {
		return nil, fmt.Errorf("%w: none is asked for", ErrAccuracy)
	}
	return s, nil
}

// used are the draws of an aggregate.
func (s *solver) used(i int) []int {
	return s.spec.uses[i][:len(measurements(s.spec.question.Aggregates[i]))]
}

// most is the largest share of a draw [pico]: above it NewSpec refuses.
func (s *solver) most() int64 {
	if s.kind == Laplace {
		return int64(MaxMechanismEpsilon)
	}
	return int64(OneRho / 2)
}

// least is the smallest share that is tried.
func (s *solver) least() int64 {
	if s.kind == Laplace {
		return int64(MinMechanismEpsilon)
	}
	return 1
}

// try gives a draw the noise of a share, but for the rounding of ε and of σ, which settle takes in; false where there is
// none.
func (s *solver) try(draw int, share int64) bool {
	d := &s.spec.draws[draw]
	if s.kind == Laplace {
		var ok bool
		d.noise, ok = laplaceAt(d.sensitivity, float64(share)/float64(OneEpsilon))
		return ok
	}
	sigma := d.sensitivity.l2() / math.Sqrt(2*float64(share)/float64(OneRho))
	d.noise = noise{kind: Gaussian, scale: sigma, grain: 1}
	return sigma <= maxScale
}

// exceeds reports whether an aggregate is less accurate than asked for, with the noise that it has.
func (s *solver) exceeds(i int) bool { return !(s.spec.halfWidth(i, s.Rows) <= s.HalfWidths[i]) }

// met reports whether an aggregate is as accurate as asked for, with the noise being tried, but for rounding. An
// interval of a mean ends where means cease to be plausible: one look there will do.
func (s *solver) met(i int) bool {
	a := s.spec.question.Aggregates[i]
	if a.Kind != Mean || !(s.Rows > 0) {
		return !s.exceeds(i)
	}
	use := s.spec.uses[i]
	r := newRatio(noisy{}, noisy{}, s.spec.draws[use[0]].noise, s.spec.draws[use[1]].noise, a)
	r.n = s.Rows
	end := 2 * s.HalfWidths[i] / a.Step.Float(1) // [half steps]
	return end >= r.most || !r.plausible(end)
}

// findNeeds finds the least share of every aim. Aims with one draw come first, then the others by falling need: so
// each knows what the ones before it give to the draws that it shares with them.
func (s *solver) findNeeds() error {
	alone := slices.Clone(s.needs)
	for _, i := range s.aims {
		n, err := s.need(i)
		if err != nil {
			return err
		}
		alone[i] = n
	}
	slices.SortStableFunc(s.aims, func(i, j int) int {
		return cmp.Or(cmp.Compare(min(len(s.used(i)), 2), min(len(s.used(j)), 2)), cmp.Compare(alone[j], alone[i]))
	})
	for _, i := range s.aims {
		n, err := alone[i], error(nil)
		if slices.ContainsFunc(s.used(i), func(d int) bool { return s.shares[d] > alone[i] }) {
			n, err = s.need(i)
		}
		if err != nil {
			return err
		}
		s.needs[i] = n
		for _, d := range s.used(i) {
			s.shares[d] = max(s.shares[d], n)
		}
	}
	for _, share := range s.shares {
		if share == 0 {
			s.rest++
		}
	}
	if s.spec.question.Partitions.Keys == nil {
		s.rest++
	}
	return nil
}

// need is the least share of an aggregate that is accurate enough, where its draws have at least what others need.
func (s *solver) need(i int) (int64, error) {
	enough := func(share int64) bool {
		for _, d := range s.used(i) {
			if !s.try(d, max(share, s.shares[d])) {
				return false
			}
		}
		return s.met(i)
	}
	least, most := s.least(), s.most()
	if !enough(most) {
		return 0, s.unreachable(i)
	}
	if enough(least) {
		return least, nil
	}
	return bisect(least, most, enough), nil
}

// bisect is a number at most accuracyPrecision above the least that is enough, for low that is not and high that is.
func bisect(low, high int64, enough func(int64) bool) int64 {
	for float64(high-low) > max(1, accuracyPrecision*float64(low)) {
		middle := int64(math.Sqrt(float64(low)) * math.Sqrt(float64(high)))
		middle = min(max(middle, low+1), high-1)
		if enough(middle) {
			high = middle
		} else {
			low = middle
		}
	}
	return high
}

func (s *solver) unreachable(i int) error {
	with := "ε = " + MaxMechanismEpsilon.String()
	if s.kind == Gaussian {
		with = "ρ = " + (OneRho / 2).String()
	}
	return &AccuracyError{i, fmt.Sprintf("with the largest loss that one draw takes, %s, half of its interval is %.6g, and %.6g is asked for",
		with, s.spec.halfWidth(i, s.Rows), s.HalfWidths[i])}
}

// weigh sets the weights of the aims and returns the loss with them.
func (s *solver) weigh() int64 {
	largest, smallest := 0.0, math.Inf(1)
	for _, need := range s.shares {
		if need > 0 {
			largest, smallest = max(largest, float64(need)), min(smallest, float64(need))
		}
	}
	least := largest / MaxWeight
	if s.rest > 0 {
		least = max(least, smallest/mostLeast)
	}
	units := []float64{least}
	for _, need := range slices.Compact(slices.Sorted(slices.Values(s.shares))) {
		for k := 1.0; need > 0 && float64(need)/k >= least; k++ {
			units = append(units, float64(need)/k)
		}
	}
	cheapest := math.Inf(1)
	for _, u := range units {
		cheapest = min(cheapest, s.cost(u))
	}
	unit := least // or the largest that is as cheap: small weights are easier to read
	for _, u := range units {
		if u > unit && s.cost(u) <= cheapest*(1+10*accuracyPrecision) {
			unit = u
		}
	}
	for _, i := range s.aims {
		s.spec.question.Aggregates[i].Weight = weightOf(float64(s.needs[i]), unit)
	}
	return int64(math.Ceil(s.cost(unit)))
}

// cost is the loss whose weight 1 is unit.
func (s *solver) cost(unit float64) float64 {
	total := s.rest
	for _, need := range s.shares {
		if need > 0 {
			total += weightOf(float64(need), unit)
		}
	}
	return unit * float64(total)
}

// weightOf is ⌈need/unit⌉, within 1 … MaxWeight. A quotient that is a whole number as far as needs are known is taken
// as it is; settle makes up for it.
func weightOf(need, unit float64) int64 {
	return min(max(int64(math.Ceil(need/unit*(1-2*accuracyPrecision))), 1), MaxWeight)
}

// tighten lowers a loss as far as the aims are met: whole weights, and draws that others measure better, may leave
// some over. Where aims share draws other weights may do with less, and those nearby are tried.
func (s *solver) tighten(loss int64) int64 {
	s.distribute()
	loss = s.lower(loss)
	if !slices.ContainsFunc(s.aims, func(i int) bool { return len(s.used(i)) > 1 }) {
		return loss
	}
	for range 10 {
		before := loss
		for _, i := range s.aims {
			for _, factor := range []float64{0.5, 0.8, 0.95, 1.05, 1.25, 2} {
				if s.tries > maxTries {
					return loss
				}
				w := &s.spec.question.Aggregates[i].Weight
				old := *w
				*w = min(max(1, int64(math.Round(float64(old)*factor))), MaxWeight)
				s.distribute()
				if least := s.lower(loss - loss/200); *w != old && !s.starves() && least < loss-loss/200 {
					loss = least
					continue
				}
				*w = old
				s.distribute()
			}
		}
		if loss == before {
			break
		}
	}
	return loss
}

// distribute gives every draw the largest weight of the aggregates that use it.
func (s *solver) distribute() {
	for d := range s.spec.draws {
		s.spec.draws[d].weight = 1
	}
	for _, i := range s.aims {
		for _, d := range s.used(i) {
			s.spec.draws[d].weight = max(s.spec.draws[d].weight, s.spec.question.Aggregates[i].Weight)
		}
	}
}

// starves reports whether the weights leave the rest too little.
func (s *solver) starves() bool {
	least := int64(MaxWeight)
	for d, share := range s.shares {
		if share > 0 {
			least = min(least, s.spec.draws[d].weight)
		}
	}
	return s.rest > 0 && least > mostLeast
}

// lower is the least loss up to the one given that is enough with the weights as they are, or the one given.
func (s *solver) lower(loss int64) int64 {
	total := s.spec.totalWeight()
	enough := func(loss int64) bool {
		for d := range s.spec.draws {
			share := shareOf(loss, s.spec.draws[d].weight, total)
			if s.shares[d] > 0 && (share < s.least() || !s.try(d, share)) {
				return false
			}
		}
		s.tries += len(s.aims)
		return !slices.ContainsFunc(s.aims, func(i int) bool { return !s.met(i) })
	}
	low := loss - max(1, loss/100_000)
	if !enough(loss) || !enough(low) {
		return loss
	}
	for low > 1 && enough(low) {
		loss, low = low, low/2
	}
	return bisect(low, loss, enough)
}

// settle rounds a loss up and makes sure, with the noise that will be drawn, that it meets the accuracy.
func (s *solver) settle(loss int64) (Question, error) {
	var err error
	for step := int64(0); loss+step > 0 && loss+step < int64(MaxRho); step = max(2*step, loss/1_000_000, 1) {
		if s.kind == Laplace {
			s.spec.question.Loss.Epsilon = max(Epsilon(roundUp(loss+step)), MinQuestionEpsilon)
		} else {
			s.spec.question.Loss.Rho = max(Rho(roundUp(loss+step)), MinQuestionRho)
		}
		if err = s.spec.calibrate(s.bounds); err != nil {
			continue // too little for something; too much stays an error
		}
		if !slices.ContainsFunc(s.aims, s.exceeds) {
			return s.spec.question, nil
		}
		err = fmt.Errorf("%w: it takes more than one question may spend", ErrAccuracy)
	}
	return Question{}, err
}

// roundUp keeps six digits.
func roundUp(amount int64) int64 {
	unit := int64(1)
	for amount/unit >= lossUnits {
		unit *= 10
	}
	return (amount + unit - 1) / unit * unit
}
