package privacy

import "errors"

// ErrSpec is returned for a question that no mechanism may answer. Its message says which bound
// to change and can be shown to the caller: it depends on the question and public metadata only.
var ErrSpec = errors.New("this question cannot be answered privately")

// Kind is an aggregate that a question may ask for.
type Kind string

// The aggregates. In steps of Aggregate.Step unless said otherwise.
const (
	Count      Kind = "count"       // rows, or rows where the argument is not NULL
	CountUnits Kind = "count_units" // distinct privacy IDs
	Sum        Kind = "sum"         // of the argument; NULL adds nothing
	Mean       Kind = "mean"        // of the argument over the rows where it is not NULL
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
	Lower    int64 // [steps] each argument value is within Lower … Upper; Sum and Mean only
	Upper    int64 // [steps]
	Step     Step  // of the argument; Sum and Mean only
	// NotNull is set when no row that counts can hold a NULL argument, whatever the rows are. Its
	// count then is the count of rows and shares that draw of noise; otherwise the two are drawn apart.
	NotNull bool
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

// Loss is what a caller asks to spend on one release.
type Loss struct {
	Epsilon Epsilon // split equally over the noise draws and partition selection
	Delta   Delta   // spent by partition selection alone; 0 where partitions are public
}

// Question is what has to be known about a query to answer it privately: neither text nor rows.
type Question struct {
	Aggregates   []Aggregate
	Contribution Contribution
	Partitions   Partitions
	Loss         Loss
}

// Clocks is a loss, or a cap on losses, measured in the three ways that an account counts.
type Clocks struct {
	Epsilon Epsilon `json:"epsilon"` // Σε, basic composition
	Renyi   Renyi   `json:"renyi"`   // Σd at the account's order
	Delta   Delta   `json:"delta"`   // Σδ of approximate steps
}

// Spec is a question that passed every check, with the noise that answers it. Only NewSpec makes
// one; the zero Spec runs nothing. It is immutable and safe for concurrent use.
type Spec struct {
	question  Question
	arguments int        // arguments that partials must hold at least
	draws     []draw     // the noisy integers of one partition
	uses      [][2]int   // for each aggregate, its draw; for Mean, centred sum and count
	selection *selection // nil where partitions are public
}

// NewSpec checks a question against every cap and calibrates its noise. Its errors wrap ErrSpec.
//
// Aggregates become draws: one noisy integer for each partition. Two aggregates share a draw only
// if they count or add up the same thing for every possible table. ε is divided equally over the
// draws, and one share more selects partitions where they are private; shares are rounded down to
// pico-ε, the price is the ε asked for.
func NewSpec(q Question) (Spec, error) {
	if err := checkQuestion(q); err != nil {
		return Spec{}, err
	}
	s := Spec{question: cloneQuestion(q)}
	s.plan()
	if err := s.checkSize(len(q.Partitions.Keys)); err != nil {
		return Spec{}, err
	}
	shares := int64(len(s.draws))
	private := q.Partitions.Keys == nil
	if private {
		shares++
	}
	share := q.Loss.Epsilon / Epsilon(shares)
	if err := checkShare(share, shares); err != nil {
		return Spec{}, err
	}
	b := newBounds(q)
	for i := range s.draws {
		if err := s.draws[i].calibrate(q.Contribution, b, share); err != nil {
			return Spec{}, err
		}
	}
	if private {
		selection, err := newSelection(b.l0, share, q.Loss.Delta, q.Partitions.PreThreshold)
		if err != nil {
			return Spec{}, err
		}
		s.selection = &selection
	}
	return s, nil
}

// plan lists the draws that the aggregates need, each once, and which aggregate uses which.
func (s *Spec) plan() {
	for _, a := range s.question.Aggregates {
		s.arguments = max(s.arguments, a.Argument+1)
		var use [2]int
		for i, m := range measurements(a) {
			use[i] = s.add(m)
		}
		s.uses = append(s.uses, use)
	}
}

func (s *Spec) add(m measurement) int {
	for i, d := range s.draws {
		if d.measurement == m {
			return i
		}
	}
	s.draws = append(s.draws, draw{measurement: m})
	return len(s.draws) - 1
}

// measurements are the integers that an aggregate is computed from.
func measurements(a Aggregate) []measurement {
	count := measurement{quantity: nonNull, argument: a.Argument}
	if a.Argument == NoArgument || a.NotNull {
		count = measurement{quantity: rows, argument: NoArgument}
	}
	switch a.Kind {
	case CountUnits:
		return []measurement{{quantity: units, argument: NoArgument}}
	case Sum:
		return []measurement{{quantity: sum, argument: a.Argument, lower: a.Lower, upper: a.Upper}}
	case Mean:
		return []measurement{{quantity: centred, argument: a.Argument, lower: a.Lower, upper: a.Upper}, count}
	default:
		return []measurement{count}
	}
}
