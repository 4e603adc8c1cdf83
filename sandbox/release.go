package sandbox

import (
	"context"
	"errors"
	"strings"

	"entrepot/access"
)

// releaseListLimit is how many releases a list shows, newest first.
const releaseListLimit = 200

// ReleaseInfo is one line of a list of releases.
type ReleaseInfo struct {
	ID        string   `json:"id"`
	Query     string   `json:"query_id"`
	Principal string   `json:"principal"`
	Project   string   `json:"project"`
	Time      string   `json:"time"`
	Charged   []Charge `json:"charged"`
}

// Releases lists the principal's releases, an owner's those of its spaces as well, and for those who
// oversee everybody's.
func (s *Service) Releases(ctx context.Context, p access.Principal) ([]ReleaseInfo, error) {
	f := Filter{State: Released}
	if !oversees(p) {
		f.Principal = p.ID
		if ownerOf(p, p.Organisation) == nil {
			f.Organisation = p.Organisation
		}
	}
	questions, err := s.Questions.Newest(ctx, f, releaseListLimit)
	if err != nil {
		return nil, unavailable(err)
	}
	list := []ReleaseInfo{}
	for _, q := range questions {
		if mayReadRelease(p, q) {
			list = append(list, ReleaseInfo{ID: q.Release, Query: q.ID, Principal: q.Principal, Project: q.Project,
				Time: q.Time.Format("2006-01-02T15:04:05Z"), Charged: charges(q)})
		}
	}
	return list, nil
}

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

func charges(q Question) []Charge {
	list := []Charge{}
	for _, c := range q.Charges {
		list = append(list, Charge{Account: c.Account, Clocks: c.Loss})
	}
	return list
}
