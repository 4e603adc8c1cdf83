package sandbox

import (
	"context"
	"encoding/json"
	"errors"
	"slices"
	"strings"

	"entrepot/access"
)

// Release returns a stored answer, by its own id or its question's.
func (s *Service) Release(ctx context.Context, p access.Principal, id string) (Answer, error) {
	q, err := s.Questions.Question(ctx, id)
	if errors.Is(err, ErrNotFound) {
		return Answer{}, notFound("release")
	}
	if err != nil {
		return Answer{}, unavailable(err)
	}
	if !mayReadRelease(p, q) {
		return Answer{}, notFound("release")
	}
	return readAnswer(q.Answer)
}

// touches reports whether a question was charged to an account of the principal, as an owner.
func (q Question) touches(p access.Principal) bool { return ownsOne(p, q.spaces()) }

// mayReadRelease reports whether there is an answer that the principal may read.
func mayReadRelease(p access.Principal, q Question) bool {
	return q.State == Released && (oversees(p) || q.Principal == p.ID || q.reads(p))
}

// reads reports whether a question reads a table of the principal, as an owner. One that touches its space may
// not: where spaces were merged, a question on another owner's table is charged to all of them.
func (q Question) reads(p access.Principal) bool {
	var work pending
	if err := json.Unmarshal(q.Plan, &work); err != nil {
		return false
	}
	return slices.ContainsFunc(work.Tables, func(t pendingTable) bool {
		org, _, _ := strings.Cut(t.Dataset, ".")
		return ownerOf(p, org) == nil
	})
}
