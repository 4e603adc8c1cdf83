package privacy

import (
	"encoding/json"
	"errors"
	"fmt"
	"math/big"
	"sync/atomic"
)

var (
	// ErrPartials means that partials do not fit their question. Nothing was drawn. It is an error of
	// the engine: fail the query; its text holds nothing of the rows.
	ErrPartials = errors.New("the partial aggregates do not fit the question")
	// ErrUsed means that partials gave their release already, or went to another process. Never
	// collect them again for the same charge: fail the query.
	ErrUsed = errors.New("the partial aggregates were used already")
)

// Partial is the exact, contribution-bounded content of one partition. It never leaves the path
// engine → Run: it is what noise protects.
type Partial struct {
	Key       string  // the group, encoded by the planner; unique within a Partials
	Units     int64   // distinct privacy IDs, after bounding
	Rows      int64   // rows, after bounding
	Arguments []Tally // for each argument
}

// Tally is the exact content of one argument in one partition. What no aggregate asks for is zero.
type Tally struct {
	NonNull  int64    // rows where it is not NULL
	Units    int64    // distinct privacy IDs with a value; CountUnits
	Distinct int64    // distinct values; CountDistinct
	Sum      *big.Int // Σx of the clamped values [steps]; Sum, Mean, Variance
	Squares  *big.Int // Σ(2x − Lower − Upper)² of the clamped values [half steps²]; Variance
	Leaves   []Leaf   // of the Tree over the bounds, ascending, those with rows; Quantile
}

// Leaf is how many rows have their value in one leaf of a quantile tree.
type Leaf struct{ Index, Rows int64 }

// Partials are the exact aggregates of one question. They give one release: Run and MarshalBinary
// both use them up. They have no accessor, and their content never appears in an error or a log.
type Partials struct {
	shape  Shape // of their question
	groups []Partial
	used   atomic.Bool
}

// NewPartials takes over the groups, in any order, of a question of that shape; the caller must not touch
// them afterwards. Only engines call it.
func NewPartials(of Shape, groups []Partial) *Partials { return &Partials{shape: of, groups: groups} }

// String hides the content from logs.
func (p *Partials) String() string { return "privacy.Partials(hidden)" }

// GoString hides the content from logs.
func (p *Partials) GoString() string { return p.String() }

// take hands the groups out, once.
func (p *Partials) take() ([]Partial, error) {
	if p == nil {
		return nil, ErrPartials
	}
	if p.used.Swap(true) {
		return nil, ErrUsed
	}
	groups := p.groups
	p.groups = nil
	return groups, nil
}

// moved is what another process is sent.
type moved struct {
	Shape  Shape
	Groups []Partial
}

// MarshalBinary moves the partials to another process: here they count as used from now on. The
// bytes are the secret themselves; they must reach that process only, and be decoded once.
func (p *Partials) MarshalBinary() ([]byte, error) {
	groups, err := p.take()
	if err != nil {
		return nil, err
	}
	b, err := json.Marshal(moved{p.shape, groups})
	if err != nil {
		return nil, ErrPartials
	}
	return b, nil
}

// UnmarshalBinary reads what MarshalBinary wrote, into new Partials.
func (p *Partials) UnmarshalBinary(b []byte) error {
	if p.groups != nil || p.used.Load() {
		return ErrUsed
	}
	var m moved
	if err := json.Unmarshal(b, &m); err != nil {
		return fmt.Errorf("read them: %w", ErrPartials) // the decoder's message may quote them
	}
	p.shape, p.groups = m.Shape, m.Groups
	return nil
}

// checkPartial refuses what no engine that bounds and clamps as the question says can have made.
func (s Spec) checkPartial(p Partial) error {
	if len(p.Arguments) < s.arguments || p.Units < 0 || p.Units > p.Rows || p.Rows > sumLimit {
		return ErrPartials
	}
	for _, t := range p.Arguments {
		if t.NonNull < 0 || t.NonNull > p.Rows {
			return ErrPartials
		}
	}
	for i, a := range s.question.Aggregates {
		if a.Argument == NoArgument {
			continue
		}
		t := p.Arguments[a.Argument]
		if a.NotNull && t.NonNull != p.Rows || !s.fits(i, t, p.Units) {
			return ErrPartials
		}
	}
	return nil
}

// fits reports whether a tally can be that of an aggregate's argument, in a partition of so many units.
func (s Spec) fits(aggregate int, t Tally, units int64) bool {
	a := s.question.Aggregates[aggregate]
	switch a.Kind {
	case CountUnits:
		return a.NotNull || t.Units >= 0 && t.Units <= min(units, t.NonNull) && (t.Units > 0) == (t.NonNull > 0)
	case CountDistinct:
		return t.Distinct >= 0 && t.Distinct <= t.NonNull && (t.Distinct > 0) == (t.NonNull > 0)
	case Sum, Mean:
		return within(t.Sum, t.NonNull, a.Lower, a.Upper)
	case Variance:
		largest := draw{measurement: measurement{quantity: squares, lower: a.Lower, upper: a.Upper}}.magnitude()
		return within(t.Sum, t.NonNull, a.Lower, a.Upper) && within(t.Squares, t.NonNull, 0, largest)
	case Quantile:
		return s.draws[s.uses[aggregate][0]].tree.fits(t.Leaves, t.NonNull)
	default:
		return true
	}
}

// within reports whether a sum is one of so many values between lower and upper.
func within(sum *big.Int, values, lower, upper int64) bool {
	if sum == nil {
		return false
	}
	n := big.NewInt(values)
	least := new(big.Int).Mul(n, big.NewInt(lower))
	most := new(big.Int).Mul(n, big.NewInt(upper))
	return sum.Cmp(least) >= 0 && sum.Cmp(most) <= 0
}
