package sandbox

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"sync"

	"entrepot/access"
	"entrepot/sandbox/audit"
)

// policyCache keeps each dataset's compiled policy, by the revision it was compiled from. A decision
// reads the newest revision from the store first, so that a change takes effect at once.
type policyCache struct {
	mu       sync.Mutex
	compiled map[string]compiledPolicy // guarded by mu
}

type compiledPolicy struct {
	revision int64
	enforcer *access.Enforcer
}

// PutPolicy sets a dataset's policy. base is the revision that the owner saw: 0 for none yet.
func (s *Service) PutPolicy(ctx context.Context, p access.Principal, id string, base int64, policy access.Policy) (int64, error) {
	org, _, _ := strings.Cut(id, ".")
	if err := ownerOf(p, org); err != nil {
		return 0, err
	}
	d, _, err := s.dataset(ctx, id)
	if err != nil {
		return 0, loaded(err, "dataset")
	}
	if _, err := access.Compile(id, policy); err != nil {
		return 0, invalid("%s", err)
	}
	var old json.RawMessage
	revision, err := s.load(ctx, kindPolicy, id, &old)
	if err != nil && !errors.Is(err, ErrNotFound) {
		return 0, unavailable(err)
	}
	if revision != base {
		return 0, &Error{Code: CodePrecondition, Public: "The policy is not at the revision that you name.",
			Hint: "Read it, then send its ETag in If-Match; for a first policy send none."}
	}
	return s.save(ctx, p, audit.KindPolicy, id, base, policy, "", d.concerns()...)
}

// Policy returns a dataset's policy and its revision, to its owner and to those who oversee.
func (s *Service) Policy(ctx context.Context, p access.Principal, id string) (access.Policy, int64, error) {
	org, _, _ := strings.Cut(id, ".")
	if err := ownerOf(p, org); err != nil && !oversees(p) {
		return access.Policy{}, 0, notFound("policy")
	}
	var policy access.Policy
	revision, err := s.load(ctx, kindPolicy, id, &policy)
	return policy, revision, loaded(err, "policy")
}

// enforcer returns the dataset's compiled policy and its revision: nil, which denies, and 0 when there
// is none.
func (s *Service) enforcer(ctx context.Context, id string) (*access.Enforcer, int64, error) {
	var body json.RawMessage // decoded only where the revision is new
	revision, err := s.load(ctx, kindPolicy, id, &body)
	if errors.Is(err, ErrNotFound) {
		return nil, 0, nil
	}
	if err != nil {
		return nil, 0, unavailable(err)
	}
	s.policies.mu.Lock()
	cached, ok := s.policies.compiled[id]
	s.policies.mu.Unlock()
	if ok && cached.revision == revision {
		return cached.enforcer, revision, nil
	}
	var policy access.Policy
	if err := json.Unmarshal(body, &policy); err != nil {
		return nil, 0, unavailable(fmt.Errorf("%s %s is not readable: %w", kindPolicy, id, err))
	}
	e, err := access.Compile(id, policy)
	if err != nil {
		return nil, 0, unavailable(err)
	}
	s.policies.mu.Lock()
	defer s.policies.mu.Unlock()
	if s.policies.compiled == nil {
		s.policies.compiled = map[string]compiledPolicy{}
	}
	if s.policies.compiled[id].revision < revision {
		s.policies.compiled[id] = compiledPolicy{revision, e}
	}
	return e, revision, nil
}

// request fills in what a decision depends on, and returns the revision of the principal's
// organisation. An unregistered organisation has no jurisdiction, which every policy denies.
func (s *Service) request(ctx context.Context, p access.Principal, action access.Action, id string, j access.Project) (access.Request, int64, error) {
	var o access.Organisation
	revision, err := s.load(ctx, kindOrganisation, p.Organisation, &o)
	if err != nil && !errors.Is(err, ErrNotFound) {
		return access.Request{}, 0, unavailable(err)
	}
	return access.Request{Principal: p, Jurisdiction: o.Jurisdiction, Action: action, Dataset: id, Project: j, Time: s.now()}, revision, nil
}

func (s *Service) visibleIn(ctx context.Context, p access.Principal, id string, j access.Project) (bool, error) {
	e, _, err := s.enforcer(ctx, id)
	if err != nil {
		return false, err
	}
	r, _, err := s.request(ctx, p, access.Metadata, id, j)
	if err != nil {
		return false, err
	}
	return e.Visible(r), nil
}

// Simulation asks what would be decided. A zero Principal means the asker.
type Simulation struct {
	Principal access.Principal
	Action    access.Action
	Dataset   string
	Project   string // "" for none
	Epsilon   int64  // pico
}

// Decide explains what would be decided: to a dataset's owner for anybody, to others for themselves.
func (s *Service) Decide(ctx context.Context, p access.Principal, q Simulation) (access.Decision, error) {
	org, _, _ := strings.Cut(q.Dataset, ".")
	owner := ownerOf(p, org) == nil
	if q.Principal.ID == "" {
		q.Principal = p
	}
	if !owner {
		if q.Principal.ID != p.ID {
			return access.Decision{}, forbidden("owner of " + org)
		}
		q.Principal = p // with the roles that it has
	}
	if _, err := s.Dataset(ctx, p, q.Dataset); err != nil {
		return access.Decision{}, err
	}
	var j access.Project
	if q.Project != "" {
		var err error
		if j, err = s.Project(ctx, p, q.Project); err != nil {
			return access.Decision{}, err
		}
	}
	e, _, err := s.enforcer(ctx, q.Dataset)
	if err != nil {
		return access.Decision{}, err
	}
	r, _, err := s.request(ctx, q.Principal, q.Action, q.Dataset, j)
	if err != nil {
		return access.Decision{}, err
	}
	r.EpsilonPico = q.Epsilon
	return e.Decide(r), nil
}
