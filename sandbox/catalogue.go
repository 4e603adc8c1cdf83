package sandbox

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"

	"entrepot/access"
	"entrepot/sandbox/audit"
)

// The kinds of catalogue document.
const (
	kindOrganisation = "organisation"
	kindProject      = "project"
	kindDataset      = "dataset"
	kindVersion      = "version" // of a dataset: its revision is the version's number
	kindPolicy       = "policy"
	kindMerge        = "merge" // of unit spaces: one document
)

// load reads a document into v. It returns ErrNotFound, or a failure of the store.
func (s *Service) load(ctx context.Context, kind, id string, v any) (revision int64, err error) {
	d, err := s.Catalogue.Get(ctx, kind, id)
	if err != nil {
		return 0, err
	}
	if err := json.Unmarshal(d.Body, v); err != nil {
		return 0, fmt.Errorf("%s %s is not readable: %w", kind, id, err)
	}
	return d.Revision, nil
}

// save stores v as the revision after base, with its log entry, in one transaction. digest is what
// the log commits to; "" means the stored bytes.
func (s *Service) save(ctx context.Context, p access.Principal, kind audit.Kind, id string, base int64, v any, digest string, spaces ...string) (int64, error) {
	body, err := json.Marshal(v)
	if err != nil {
		return 0, fmt.Errorf("encode %s %s: %w", kind, id, err)
	}
	if digest == "" {
		sum := sha256.Sum256(body)
		digest = hex.EncodeToString(sum[:])
	}
	if spaces == nil {
		spaces = []string{}
	}
	d := Document{Kind: string(kind), ID: id, Revision: base + 1, Body: body}
	entry := Draft{Kind: kind, Actor: p.ID, Time: s.now(),
		Body: audit.Change{Resource: id, Revision: d.Revision, Digest: digest, Spaces: spaces}}
	switch err := s.Catalogue.Put(ctx, d, entry); {
	case errors.Is(err, ErrConflict):
		return 0, &Error{Code: CodeConflict, Public: "Somebody else changed this at the same moment.", Hint: "Read it again and repeat the change.", Err: err}
	case err != nil:
		return 0, unavailable(err)
	}
	return d.Revision, nil
}

// PutOrganisation registers a partner or changes its title or jurisdiction. For operators.
func (s *Service) PutOrganisation(ctx context.Context, p access.Principal, o access.Organisation) (access.Organisation, error) {
	if err := require(p, access.Operator); err != nil {
		return o, err
	}
	if err := o.Validate(); err != nil {
		return o, invalid("%s", err)
	}
	var old access.Organisation
	revision, err := s.load(ctx, kindOrganisation, o.ID, &old)
	if err != nil && !errors.Is(err, ErrNotFound) {
		return o, unavailable(err)
	}
	if err == nil && old == o {
		return o, nil
	}
	_, err = s.save(ctx, p, audit.KindOrganisation, o.ID, revision, o, "")
	return o, err
}

// Organisation returns a partner. Partners know each other.
func (s *Service) Organisation(ctx context.Context, _ access.Principal, id string) (access.Organisation, error) {
	var o access.Organisation
	_, err := s.load(ctx, kindOrganisation, id, &o)
	return o, loaded(err, "organisation")
}

// registered checks that an organisation is a partner.
func (s *Service) registered(ctx context.Context, id string) error {
	var o access.Organisation
	_, err := s.load(ctx, kindOrganisation, id, &o)
	if errors.Is(err, ErrNotFound) {
		return invalid("%s is not a registered organisation.", id)
	}
	return loaded(err, "organisation")
}

// loaded maps the error of a load to what a caller may know.
func loaded(err error, what string) error {
	switch {
	case err == nil:
		return nil
	case errors.Is(err, ErrNotFound):
		return notFound(what)
	default:
		return unavailable(err)
	}
}

// PutProject opens a project or changes it. For programme managers; every member and every dataset's
// owner must be registered.
func (s *Service) PutProject(ctx context.Context, p access.Principal, j access.Project) (access.Project, error) {
	if err := require(p, access.Manager, access.Operator); err != nil {
		return j, err
	}
	if err := j.Validate(); err != nil {
		return j, invalid("%s", err)
	}
	partners := slices.Clone(j.Members)
	for _, d := range j.Datasets {
		owner, _, _ := strings.Cut(d, ".")
		partners = append(partners, owner)
	}
	for _, id := range partners {
		if err := s.registered(ctx, id); err != nil {
			return j, err
		}
	}
	var old json.RawMessage
	revision, err := s.load(ctx, kindProject, j.ID, &old)
	if err != nil && !errors.Is(err, ErrNotFound) {
		return j, unavailable(err)
	}
	if body, encodeErr := json.Marshal(j); encodeErr == nil && err == nil && string(body) == string(old) {
		return j, nil
	}
	_, err = s.save(ctx, p, audit.KindProject, j.ID, revision, j, "")
	return j, err
}

// Project returns a project to its members, to the owners of its datasets, to managers, regulators
// and operators.
func (s *Service) Project(ctx context.Context, p access.Principal, id string) (access.Project, error) {
	j, _, err := s.project(ctx, p, id)
	return j, err
}

// project is Project with the revision.
func (s *Service) project(ctx context.Context, p access.Principal, id string) (access.Project, int64, error) {
	var j access.Project
	revision, err := s.load(ctx, kindProject, id, &j)
	if err != nil {
		return access.Project{}, 0, loaded(err, "project")
	}
	if oversees(p) || concerns(j, p.Organisation) {
		return j, revision, nil
	}
	return access.Project{}, 0, notFound("project")
}

// oversees reports whether the principal may read metadata and log of everybody.
func oversees(p access.Principal) bool {
	return require(p, access.Manager, access.Regulator, access.Operator) == nil
}

func concerns(j access.Project, organisation string) bool {
	for _, m := range j.Members {
		if m == organisation {
			return true
		}
	}
	for _, d := range j.Datasets {
		if org, _, _ := strings.Cut(d, "."); org == organisation {
			return true
		}
	}
	return false
}
