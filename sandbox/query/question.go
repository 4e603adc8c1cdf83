package query

import (
	"errors"
	"fmt"
	"slices"

	"entrepot/privacy"
)

// ErrWeight is returned by Question for a weight that belongs to no aggregate of the answer, or that is
// not from 1 to privacy.MaxWeight: change the weights.
var ErrWeight = errors.New("weights are for aggregates, by their name in the answer")

// Question is what has to be known about the plan to price it and to answer it privately. Weights are by
// the names of aggregates in the answer; others have weight 1, and the larger counts where one aggregate
// has two names. A group of fewer than preThreshold units is never selected; public groups are listed
// whatever their size. It returns ErrWeight, wrapped, for other weights.
func (p Plan) Question(loss privacy.Loss, weights map[string]int64, preThreshold int64) (privacy.Question, error) {
	q := privacy.Question{
		Contribution: p.parts.Contribution,
		Partitions:   privacy.Partitions{Keys: slices.Clone(p.parts.PublicKeys), PreThreshold: max(1, preThreshold)},
		Loss:         loss,
	}
	for _, a := range p.parts.Aggregates {
		b := privacy.Aggregate{Kind: a.Kind, Argument: a.Argument, Sample: a.Sample, Root: a.Root, Rank: a.Rank}
		if a.Argument != privacy.NoArgument {
			x := p.parts.Arguments[a.Argument]
			b.NotNull = !x.Nullable
			switch a.Kind {
			case privacy.Sum, privacy.Mean, privacy.Variance, privacy.Quantile:
				b.Lower, b.Upper, b.Step = x.Lower, x.Upper, x.Step
			}
		}
		q.Aggregates = append(q.Aggregates, b)
	}
	return q, p.weigh(q.Aggregates, weights)
}

// weigh sets the weights of aggregates.
func (p Plan) weigh(aggregates []privacy.Aggregate, weights map[string]int64) error {
	used := 0
	for _, o := range p.parts.Outputs {
		w, ok := weights[o.Name]
		switch {
		case !ok:
			continue
		case o.Aggregate < 0:
			return fmt.Errorf("%w: %s is a group key", ErrWeight, o.Name)
		case w < 1 || w > privacy.MaxWeight:
			return fmt.Errorf("%w: that of %s is %d and must be from 1 to %d", ErrWeight, o.Name, w, privacy.MaxWeight)
		}
		used++
		a := &aggregates[o.Aggregate]
		a.Weight = max(a.Weight, w)
	}
	if used < len(weights) {
		return fmt.Errorf("%w: the answer has no aggregate of that name", ErrWeight)
	}
	return nil
}

// Shape is that of the plan's Question, whatever its loss: an engine marks partials with it, and privacy.Run
// takes no others.
func (p Plan) Shape() privacy.Shape {
	q, _ := p.Question(privacy.Loss{}, nil, 1) // without weights there is no error
	return q.Shape()
}
