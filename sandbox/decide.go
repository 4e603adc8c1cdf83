package sandbox

import (
	"context"
	"strings"

	"entrepot/access"
	"entrepot/privacy"
)

// judge is one dataset's policy and what it is asked, but for the cost.
type judge struct {
	policy  *access.Enforcer // nil denies
	request access.Request
}

// summon reads the policies that decide a question.
func (s *Service) summon(ctx context.Context, p access.Principal, q *prepared) error {
	r, organisation, err := s.request(ctx, p, access.Aggregate, "", q.project)
	if err != nil {
		return err
	}
	q.guards = append(q.guards, Guard{kindOrganisation, p.Organisation, organisation})
	for _, t := range q.tables {
		e, revision, err := s.enforcer(ctx, t.ID)
		if err != nil {
			return err
		}
		r.Dataset = t.ID
		q.judges = append(q.judges, judge{e, r})
		q.guards = append(q.guards, Guard{kindPolicy, t.ID, revision})
	}
	return nil
}

// decide asks every dataset's policy about a question of that cost. All must allow it; of several
// denials the first, in the order of ids, is the decision. The largest pre-threshold counts.
func (q prepared) decide(cost privacy.Epsilon) (all access.Decision, refusal string) {
	all = access.Decision{Allowed: true, PreThreshold: 1}
	var rules, reasons []string
	for _, j := range q.judges {
		j.request.EpsilonPico = int64(cost)
		d := j.policy.Decide(j.request)
		all.PreThreshold = max(all.PreThreshold, d.PreThreshold)
		id, reason := j.request.Dataset, d.Reason
		if len(q.judges) > 1 {
			reason = id + ": " + reason
		}
		if !d.Allowed && refusal == "" {
			refusal = "The policy of " + id + " does not allow this question: " + d.Reason
			all.Allowed, all.Rule, all.Reason = false, d.Rule, reason
		}
		rules, reasons = append(rules, d.Rule), append(reasons, reason)
	}
	if refusal == "" {
		all.Rule, all.Reason = strings.Join(rules, ", "), strings.Join(reasons, "; ")
	}
	return all, refusal
}

// denial is what the asker is told of a decision that denies.
func (q prepared) denial(id string) *Error {
	e := &Error{Code: CodeDenied, Query: id, Public: q.refusal}
	if q.invalid == nil && q.spec.Price(privacy.Orders{}).Epsilon == infinite {
		e.Hint = "Gaussian noise costs an infinite ε unless gaussian_delta is given; Laplace noise never does."
	}
	return e
}
