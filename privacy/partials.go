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
	Key     string     // the group, encoded by the planner; unique within a Partials
	Units   int64      // distinct privacy IDs, after bounding
	Rows    int64      // rows, after bounding
	NonNull []int64    // for each argument: rows where it is not NULL
	Sum     []*big.Int // for each argument: sum of its clamped values [steps]; nil where no Sum or Mean needs it
}

// Partials are the exact aggregates of one question. They give one release: Run and MarshalBinary
// both use them up. They have no accessor, and their content never appears in an error or a log.
type Partials struct {
	groups []Partial
	used   atomic.Bool
}

// NewPartials takes over the groups, in any order; the caller must not touch them afterwards.
func NewPartials(groups []Partial) *Partials { return &Partials{groups: groups} }

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

// MarshalBinary moves the partials to another process: here they count as used from now on. The
// bytes are the secret themselves; they must reach that process only, and be decoded once.
func (p *Partials) MarshalBinary() ([]byte, error) {
	groups, err := p.take()
	if err != nil {
		return nil, err
	}
	b, err := json.Marshal(groups)
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
	var groups []Partial
	if err := json.Unmarshal(b, &groups); err != nil {
		return fmt.Errorf("read them: %w", ErrPartials) // the decoder's message may quote them
	}
	p.groups = groups
	return nil
}

// checkPartial refuses what no engine that bounds and clamps as the question says can have made.
func (s Spec) checkPartial(p Partial) error {
	n := len(p.NonNull)
	if n < s.arguments || len(p.Sum) != n || p.Units < 0 || p.Units > p.Rows || p.Rows > sumLimit {
		return ErrPartials
	}
	for _, values := range p.NonNull {
		if values < 0 || values > p.Rows {
			return ErrPartials
		}
	}
	for _, a := range s.question.Aggregates {
		if a.Argument == NoArgument {
			continue
		}
		values := p.NonNull[a.Argument]
		if a.NotNull && values != p.Rows {
			return ErrPartials
		}
		if (a.Kind == Sum || a.Kind == Mean) && !within(p.Sum[a.Argument], values, a.Lower, a.Upper) {
			return ErrPartials
		}
	}
	return nil
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
