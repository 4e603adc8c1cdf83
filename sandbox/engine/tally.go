package engine

import (
	"fmt"
	"math/big"

	"entrepot/privacy"
	"entrepot/sandbox/query"
)

// needs says what the aggregates use of an argument; the rest of its tally stays zero.
type needs struct {
	used     bool // its values that are not NULL are counted
	units    bool
	distinct bool
	sum      bool
	squares  bool
	leaves   bool
}

// maxRange is the widest argument whose squares are added up [steps]: they stay within a BIGINT.
const maxRange = 1 << 31

// needed finds what is to be known of each argument.
func needed(p query.Parts) ([]argument, error) {
	list := make([]argument, len(p.Arguments))
	for i, a := range p.Arguments {
		list[i].Argument = a
	}
	for _, a := range p.Aggregates {
		if a.Argument == privacy.NoArgument && (a.Kind == privacy.Count || a.Kind == privacy.CountUnits) {
			continue
		}
		if a.Argument < 0 || a.Argument >= len(list) {
			return nil, fmt.Errorf("%w: argument %d of %d", ErrPlan, a.Argument, len(list))
		}
		n := &list[a.Argument].needs
		n.used = true
		switch a.Kind {
		case privacy.Count:
		case privacy.CountUnits:
			n.units = true
		case privacy.CountDistinct:
			n.distinct = true
		case privacy.Sum, privacy.Mean:
			n.sum = true
		case privacy.Variance:
			n.sum, n.squares = true, true
		case privacy.Quantile:
			n.leaves = true
		default:
			return nil, fmt.Errorf("%w: aggregate %q has no SQL", ErrPlan, a.Kind)
		}
	}
	for i, a := range list {
		if a.SumUnused && (a.sum || a.leaves) {
			return nil, fmt.Errorf("%w: argument %d has no bounds", ErrPlan, i)
		}
		if a.squares && a.Upper-a.Lower > maxRange {
			return nil, fmt.Errorf("%w: argument %d spans %d steps, too many for their squares", ErrPlan, i, a.Upper-a.Lower)
		}
	}
	return list, nil
}

// square writes (2x − lower − upper)² of a clamped argument.
func (a argument) square() string {
	u := fmt.Sprintf("(2 * (%s) - (%d))", a.clamped, a.Lower+a.Upper)
	return u + " * " + u
}

// leaf writes which leaf of its quantile tree a clamped argument is in.
func (a argument) leaf() string {
	t := privacy.NewTree(a.Lower, a.Upper)
	return fmt.Sprintf("((%s) - (%d)) // %d", a.clamped, t.Lower, t.Width)
}

// quantity is one number of a partial: of an argument, or of the group where argument is negative.
type quantity struct {
	argument int
	of       tally
}

type tally int

const (
	rowCount tally = iota
	unitCount
	valueCount
	valueUnits
	valueDistinct
	valueSum
	valueSquares
)

// integer is where a count of a partial is kept; nil for one that may be larger than 64 bits.
func (n quantity) integer(p *privacy.Partial) *int64 {
	switch n.of {
	case rowCount:
		return &p.Rows
	case unitCount:
		return &p.Units
	case valueCount:
		return &p.Arguments[n.argument].NonNull
	case valueUnits:
		return &p.Arguments[n.argument].Units
	case valueDistinct:
		return &p.Arguments[n.argument].Distinct
	}
	return nil
}

// large is where a sum of a partial is kept.
func (n quantity) large(p *privacy.Partial) *big.Int {
	if n.of == valueSquares {
		return p.Arguments[n.argument].Squares
	}
	return p.Arguments[n.argument].Sum
}
