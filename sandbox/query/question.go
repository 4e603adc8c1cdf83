package query

import (
	"slices"

	"entrepot/privacy"
)

// Question is what has to be known about the plan to price it and to answer it privately. A group
// of fewer than preThreshold units is never selected; public groups are listed whatever their size.
func (p Plan) Question(loss privacy.Loss, preThreshold int64) privacy.Question {
	q := privacy.Question{
		Contribution: p.parts.Contribution,
		Partitions:   privacy.Partitions{Keys: slices.Clone(p.parts.PublicKeys), PreThreshold: max(1, preThreshold)},
		Loss:         loss,
	}
	for _, a := range p.parts.Aggregates {
		b := privacy.Aggregate{Kind: a.Kind, Argument: a.Argument}
		if a.Argument != privacy.NoArgument {
			x := p.parts.Arguments[a.Argument]
			b.NotNull = !x.Nullable
			if a.Kind == privacy.Sum || a.Kind == privacy.Mean {
				b.Lower, b.Upper, b.Step = x.Lower, x.Upper, x.Step
			}
		}
		q.Aggregates = append(q.Aggregates, b)
	}
	return q
}
