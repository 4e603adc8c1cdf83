package sandbox

import (
	"context"
	"encoding/json"
	"fmt"

	"entrepot/privacy"
	"entrepot/sandbox/query"
)

// repeatLimit is how many stored releases of one basis are looked at, those of the least noise first. Whoever asks
// a question anew more often than that, each time more exactly, pays for what an older release could have answered.
const repeatLimit = 64

// drawn says what the release of a question holds, and how exact it is. It is stored with the question, so that
// releases are compared without their rows.
type drawn struct {
	Keys       []string          `json:"keys"`       // identities (query.Basis), in the order of the release
	Aggregates []string          `json:"aggregates"` // likewise
	Columns    []privacy.Column  `json:"columns"`    // the noise of each aggregate, as an answer describes it
	Precision  privacy.Precision `json:"precision"`
}

// view is one way to read an answer out of a release: as the plan has it or, where conditions on group keys may be
// applied afterwards as well, as a plan of more groups has it (query.Plan.Wider).
type view struct {
	plan  query.Plan
	basis query.Basis
}

func views(p query.Plan) []view {
	list := []view{{p, p.Basis()}}
	if wider, ok := p.Wider(); ok {
		list = append(list, view{wider, wider.Basis()})
	}
	return list
}

// candidate is a stored release that holds all that a view shows.
type candidate struct {
	view
	question Question
	drawn    drawn
	place    query.Place // of the view's keys and aggregates in it
}

// released finds the most exact release that answers the question, the earliest of several; nil where there is none.
// It is at least as exact as the question's own would be. Where the mechanism was left to us, the very noise of the
// other one will do as well, if that is open today: the choice moves with the accounts, and a repeat stays free.
func (s *Service) released(ctx context.Context, q prepared) (*candidate, error) {
	chosen := q.loss
	var best *candidate
	for _, v := range views(q.plan) {
		for _, q.offer = range q.offers {
			if !q.open() {
				continue
			}
			digest, err := q.pending().repeat(v.basis)
			if err != nil {
				return nil, err
			}
			list, err := s.Questions.ByRepeat(ctx, digest, repeatLimit)
			if err != nil {
				return nil, err
			}
			asked := q.spec.Precision()
			for _, old := range list {
				c, err := newCandidate(old, v)
				if err != nil {
					return nil, err
				}
				if c != nil && c.serves(asked, q.loss == chosen) && c.beats(best) {
					best = c
				}
			}
		}
	}
	return best, nil
}

// newCandidate reads what a question's release holds; nil where something is missing in it.
func newCandidate(old Question, v view) (*candidate, error) {
	c := &candidate{view: v, question: old}
	if err := json.Unmarshal(old.Noise, &c.drawn); err != nil {
		return nil, fmt.Errorf("the noise of %s is not readable: %w", old.ID, err)
	}
	var ok bool
	if c.place, ok = v.basis.Place(c.drawn.Keys, c.drawn.Aggregates); !ok {
		return nil, nil
	}
	return c, nil
}

// serves reports whether a candidate has the noise asked for or, where less of it will do, less.
func (c *candidate) serves(asked privacy.Precision, less bool) bool {
	if less {
		return c.drawn.Precision.Serves(asked, c.place.Aggregates)
	}
	return c.drawn.Precision.Equals(asked, c.place.Aggregates)
}

// beats reports whether a candidate is more exact than another, or as exact and earlier.
func (c *candidate) beats(other *candidate) bool {
	if other == nil {
		return true
	}
	order := c.drawn.Precision.Compare(c.place.Aggregates, other.drawn.Precision, other.place.Aggregates)
	return order < 0 || order == 0 && c.question.Entry < other.question.Entry
}

// answer makes the answer of a stored release: what the question shows of it.
func (c *candidate) answer(stored []byte) (Answer, error) {
	a, err := readHead(stored)
	if err != nil {
		return Answer{}, err
	}
	kept, err := readRelease(stored)
	if err != nil {
		return Answer{}, err
	}
	result, err := c.plan.FinishKept(kept, c.place)
	if err != nil {
		return Answer{}, fmt.Errorf("release %s: %w", c.question.Release, err)
	}
	noise := make([]privacy.Column, len(c.place.Aggregates))
	for i, at := range c.place.Aggregates {
		if at >= len(c.drawn.Columns) {
			return Answer{}, fmt.Errorf("release %s: the noise of %d aggregates is described", c.question.Release, len(c.drawn.Columns))
		}
		noise[i] = c.drawn.Columns[at]
	}
	a.Repeat, a.Loss, a.Charged = true, nil, []Charge{}
	a.show(result, noise)
	return a, nil
}
