package sandbox

import (
	"context"
	"errors"
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
	if q.State != Released || !mayReadRelease(p, q) {
		return Answer{}, notFound("release")
	}
	return readAnswer(q.Answer)
}

func mayReadRelease(p access.Principal, q Question) bool {
	if oversees(p) || q.Principal == p.ID {
		return true
	}
	for _, space := range q.spaces() {
		if org, _, _ := strings.Cut(space, "/"); ownerOf(p, org) == nil {
			return true
		}
	}
	return false
}
