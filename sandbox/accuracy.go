package sandbox

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"math"
	"slices"

	"entrepot/privacy"
	"entrepot/sandbox/query"
)

// Accuracy says how wide the intervals of an answer may be, at privacy.Confidence. Columns that it does not
// name take what is left: about as much of the loss as the named column that needs least.
type Accuracy struct {
	HalfWidth map[string]float64 // half of the interval, by column of the answer [its unit]
	Relative  map[string]float64 // likewise, as a part of the value in the smallest group that is stated or released
}

// reach finds the least loss that meets an accuracy, by Laplace noise in ε and by Gaussian noise in ρ, and takes the one
// that costs the accounts less. loss has everything but the amount. What it finds depends on the text, the
// declarations and the groups alone, so that a repeat is found again; which of the two is taken depends on the
// accounts too.
func (s *Service) reach(ctx context.Context, q *prepared, a Accuracy, loss privacy.Loss) error {
	var err error
	if q.aims, err = q.targets(a); err != nil {
		return err
	}
	laplaceLoss := loss
	laplaceLoss.Mechanism = privacy.Laplace
	switch loss.Mechanism {
	case privacy.Laplace, privacy.Gaussian:
		q.offer, q.why = q.cheapest(loss), "the question names it"
		q.offers = []offer{q.offer}
		return nil
	}
	loss.Mechanism, laplaceLoss.GaussianDelta = privacy.Gaussian, 0
	gaussian, laplace := q.cheapest(loss), q.cheapest(laplaceLoss)
	q.offer, q.offers = laplace, []offer{gaussian, laplace}
	purses, missing, err := s.purses(ctx, *q)
	if err != nil {
		return err
	}
	now := s.now()
	if q.why = unbearable(purses, missing, gaussian, laplace, now); q.why != "" {
		return nil
	}
	if laplace.invalid != nil {
		q.offer, q.why = gaussian, "there is no laplace noise for this question: "+AsError(laplace.invalid).Public
		return nil
	}
	b, ok := hardest(purses, gaussian, laplace, now)
	switch {
	case !ok:
		q.why = "no clock has room for either"
		return nil
	case b.one < b.other:
		q.offer = gaussian
		q.why = fmt.Sprintf("it takes %s of %s; laplace noise takes %s", percent(b.one), b.clock, percent(b.other))
		return nil
	}
	q.why = fmt.Sprintf("it takes %s of %s; gaussian noise takes %s", percent(b.other), b.clock, percent(b.one))
	return nil
}

// percent writes a share of a clock.
func percent(share float64) string { return fmt.Sprintf("%.3g %%", 100*share) }

// targets are the half-widths asked for, by aggregate; 0 where there is none.
func (q prepared) targets(a Accuracy) ([]float64, error) {
	parts := q.plan.Parts()
	targets, named := make([]float64, len(parts.Aggregates)), 0
	for _, o := range parts.Outputs {
		absolute, isAbsolute := a.HalfWidth[o.Name]
		relative, isRelative := a.Relative[o.Name]
		switch {
		case !isAbsolute && !isRelative:
			continue
		case isAbsolute && isRelative:
			return nil, invalid("accuracy gives %s both a half_width and a relative one; give one of them.", o.Name)
		case o.Aggregate < 0:
			return nil, invalid("accuracy names %s, which is a group key: it is exact.", o.Name)
		}
		named++
		width, x := absolute, parts.Aggregates[o.Aggregate]
		if isRelative {
			value, err := q.groups.value(o.Name, x, parts.Contribution)
			if err != nil {
				return nil, err
			}
			width = relative * value
		}
		if !(width > 0) || math.IsInf(width, 0) {
			return nil, invalid("The accuracy of %s is not above 0.", o.Name)
		}
		if needsRows(x.Kind) && !q.groups.given() {
			return nil, &Error{Code: CodeInvalid, Public: "How far off " + o.Name + " is depends on how many rows a group has.",
				Hint: "State group_size, or name a release whose groups are meant."}
		}
		if old := targets[o.Aggregate]; old == 0 || width < old { // a column may be there twice
			targets[o.Aggregate] = width
		}
	}
	if named < len(a.HalfWidth)+len(a.Relative) {
		return nil, q.unknownColumn(a)
	}
	return targets, nil
}

// needsRows reports whether the width of an aggregate's interval depends on the size of the group.
func needsRows(k privacy.Kind) bool { return k == privacy.Mean || k == privacy.Variance }

// unknownColumn says which column of an accuracy the answer does not have.
func (q prepared) unknownColumn(a Accuracy) error {
	names := slices.Concat(slices.Collect(maps.Keys(a.HalfWidth)), slices.Collect(maps.Keys(a.Relative)))
	slices.Sort(names)
	i := slices.IndexFunc(names, func(name string) bool { return !q.shows(name) })
	return invalid("accuracy names %q, and the answer has no column of that name.", names[max(i, 0)])
}

func (q prepared) shows(name string) bool {
	return slices.ContainsFunc(q.plan.Parts().Outputs, func(o query.Output) bool { return o.Name == name })
}

// cheapest is the offer of the least loss of one mechanism that meets the aims.
func (q prepared) cheapest(loss privacy.Loss) offer {
	question, err := q.plan.Question(loss, nil, 1)
	if err == nil {
		question, err = privacy.Cheapest(question, privacy.Accuracy{HalfWidths: q.aims, Rows: q.groups.rows()})
	}
	var why *privacy.AccuracyError
	if errors.As(err, &why) {
		err = fmt.Errorf("%s cannot be so accurate: %w", q.column(why.Aggregate), why)
	}
	if err != nil {
		return q.without(offer{loss: loss}, err)
	}
	q.weights = map[string]int64{}
	for _, o := range q.plan.Parts().Outputs {
		if o.Aggregate >= 0 && question.Aggregates[o.Aggregate].Weight > 1 {
			q.weights[o.Name] = question.Aggregates[o.Aggregate].Weight
		}
	}
	return q.consider(question.Loss)
}

// column names an aggregate as the answer does.
func (q prepared) column(aggregate int) string {
	for _, o := range q.plan.Parts().Outputs {
		if o.Aggregate == aggregate {
			return o.Name
		}
	}
	return "an aggregate"
}
