package privacy

import "errors"

// ErrSpec is returned for a question that no mechanism may answer. Its message says which bound
// to change and can be shown to the caller: it depends on the question and public metadata only.
var ErrSpec = errors.New("this question cannot be answered privately")

// Kind is an aggregate that a question may ask for.
type Kind string

// The aggregates. In steps of Aggregate.Step unless said otherwise.
const (
	Count         Kind = "count"          // rows, or rows where the argument is not NULL
	CountUnits    Kind = "count_units"    // distinct privacy IDs, or those with a row where the argument is not NULL
	CountDistinct Kind = "count_distinct" // distinct values of the argument
	Sum           Kind = "sum"            // of the argument; NULL adds nothing
	Mean          Kind = "mean"           // of the argument over the rows where it is not NULL
	Variance      Kind = "variance"       // likewise; Sample and Root say which
	Quantile      Kind = "quantile"       // likewise, at Rank, as PERCENTILE_CONT interpolates
)

// NoArgument is Aggregate.Argument of COUNT(*) and COUNT(DISTINCT privacy ID).
const NoArgument = -1

// Step is the size of one integer step of a column, Num/Den in the column's own unit; both are
// positive. A resolution of 0.01 is {1, 100}.
type Step struct{ Num, Den int64 }

// Float converts steps to the column's unit. It is monotone: bounds in steps stay bounds.
func (s Step) Float(steps float64) float64 { return steps * float64(s.Num) / float64(s.Den) }

// Aggregate is one released number for each partition. Aggregates with one Argument agree on its
// bounds, step and NotNull.
type Aggregate struct {
	Kind     Kind
	Argument int   // index of the argument in the partials, or NoArgument
	Lower    int64 // [steps] each argument value is within Lower … Upper; for Sum, Mean, Variance and Quantile
	Upper    int64 // [steps]
	Step     Step  // of the argument; likewise
	// NotNull is set when no row that counts can hold a NULL argument, whatever the rows are. Its
	// count then is the count of rows and shares that draw of noise; otherwise the two are drawn apart.
	NotNull bool
	Sample  bool    // Variance: divide by n − 1 instead of n
	Root    bool    // Variance: the standard deviation
	Rank    float64 // Quantile: 0 is MIN, 0.5 the median, 1 MAX
	Weight  int64   // of its draws when the loss is divided; 0 means 1, at most MaxWeight
}

// Contribution limits what one privacy unit adds to an answer; the engine enforces it before it
// aggregates. All at least 1.
type Contribution struct {
	MaxPartitions       int64 // L0: partitions that one unit may touch
	MaxRowsPerPartition int64 // r: its rows in each of them
	MaxRows             int64 // R: its rows in all
}

// Partitions says which groups a release lists.
//
// With Keys, exactly those (public: they come from declarations, never from rows), at no δ.
// With Keys nil, those that survive DP partition selection, which needs δ; a group of fewer than
// PreThreshold units never does. PreThreshold has no effect on public partitions: they are listed
// even when nobody is in them.
type Partitions struct {
	Keys         []string
	PreThreshold int64 // at least 1; 1 means none
}

// Mechanism is a kind of noise.
type Mechanism string

// The mechanisms.
const (
	Laplace  Mechanism = "laplace"
	Gaussian Mechanism = "gaussian"
	// Best takes for the whole release the one of less variance at the same ρ, in the geometric mean
	// over its draws.
	Best Mechanism = "best"
)

// Loss is what a caller asks to spend on one release: ε or ρ, one of the two, divided by weight over the
// noise draws and partition selection (of weight 1).
//
// Under ε, all noise is Laplace and the release is (ε, Delta)-DP. Under ρ it is δ-approximately ρ-zCDP,
// with δ from partition selection and from Gaussian noise.
type Loss struct {
	Epsilon Epsilon
	Rho     Rho
	Delta   Delta // spent by partition selection alone; 0 where partitions are public
	// Mechanism is Laplace under ε. "" means Laplace.
	Mechanism Mechanism
	// GaussianDelta > 0 makes Gaussian noise cost a finite ε on Σε, at this much more on Σδ; without it
	// Gaussian noise costs Σε all it has. Only with ρ.
	GaussianDelta Delta
}

// Question is what has to be known about a query to answer it privately: neither text nor rows.
type Question struct {
	Aggregates   []Aggregate
	Contribution Contribution
	Partitions   Partitions
	Loss         Loss
}

// Spec is a question that passed every check, with the noise that answers it. Only NewSpec makes
// one; the zero Spec runs nothing. It is immutable and safe for concurrent use.
type Spec struct {
	question  Question
	shape     Shape      // of question
	arguments int        // arguments that partials must hold at least
	draws     []draw     // the noisy integers of one partition
	uses      [][3]int   // for each aggregate, its draws, in the order of measurements
	selection *selection // nil where partitions are public
	numbers   int        // noisy integers that one partition takes
}

// NewSpec checks a question against every cap and calibrates its noise. Its errors wrap ErrSpec.
//
// Aggregates become draws: one noisy integer for each partition, or for each node of a quantile tree.
// Two aggregates share a draw only if they count or add up the same thing for every possible table.
// The loss is divided by weight over the draws, and one share of weight 1 selects partitions where they
// are private; a draw weighs as much as the heaviest aggregate that uses it.
func NewSpec(q Question) (Spec, error) {
	s, b, err := measureSpec(q)
	if err != nil {
		return Spec{}, err
	}
	if err := s.calibrate(b); err != nil {
		return Spec{}, err
	}
	return s, nil
}

// measureSpec checks a question, plans its draws and measures them; they have no noise yet.
func measureSpec(q Question) (Spec, bounds, error) {
	if err := checkQuestion(q); err != nil {
		return Spec{}, bounds{}, err
	}
	s, b := Spec{question: cloneQuestion(q), shape: q.Shape()}, newBounds(q)
	s.plan()
	for i := range s.draws {
		if err := s.draws[i].measure(q.Contribution, b); err != nil {
			return Spec{}, bounds{}, err
		}
	}
	s.numbers = s.countNumbers()
	return s, b, s.checkSize(len(q.Partitions.Keys))
}

// plan lists the draws that the aggregates need, each once, and which aggregate uses which.
func (s *Spec) plan() {
	for _, a := range s.question.Aggregates {
		s.arguments = max(s.arguments, a.Argument+1)
		var use [3]int
		for i, m := range measurements(a) {
			use[i] = s.add(m, max(a.Weight, 1))
		}
		s.uses = append(s.uses, use)
	}
}

func (s *Spec) add(m measurement, weight int64) int {
	for i, d := range s.draws {
		if d.measurement == m {
			s.draws[i].weight = max(d.weight, weight)
			return i
		}
	}
	s.draws = append(s.draws, draw{measurement: m, weight: weight})
	return len(s.draws) - 1
}

// measurements are the integers that an aggregate is computed from.
func measurements(a Aggregate) []measurement {
	plain := func(q quantity) measurement { return measurement{quantity: q, argument: a.Argument} }
	bounded := func(q quantity) measurement {
		return measurement{quantity: q, argument: a.Argument, lower: a.Lower, upper: a.Upper}
	}
	count, ids := plain(nonNull), plain(units)
	if a.Argument == NoArgument || a.NotNull { // every row counts, so every unit with a row does
		count = measurement{quantity: rows, argument: NoArgument}
		ids = measurement{quantity: units, argument: NoArgument}
	}
	switch a.Kind {
	case CountUnits:
		return []measurement{ids}
	case CountDistinct:
		return []measurement{plain(distinct)}
	case Sum:
		return []measurement{bounded(sum)}
	case Mean:
		return []measurement{bounded(centred), count}
	case Variance:
		return []measurement{bounded(centred), bounded(squares), count}
	case Quantile:
		return []measurement{bounded(tree)}
	default:
		return []measurement{count}
	}
}
