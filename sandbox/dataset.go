package sandbox

import (
	"context"
	"encoding/json"
	"errors"
	"strings"
	"time"

	"entrepot/access"
	"entrepot/datasets"
	"entrepot/sandbox/audit"
)

// Dataset is a registered table: what its owner declared about it.
type Dataset struct {
	ID          string               `json:"id"` // org.name
	Declaration datasets.Declaration `json:"declaration"`
	Version     int64                `json:"version"` // newest; 0 when no rows were registered yet

	hashed string   // the unit space whose key hashed the newest version's privacy IDs
	merged []string // the spaces that its own was merged with, itself included; nil where nobody asked
}

// concerns lists the unit spaces that the rows are about: none where they are public facts, and several where
// spaces were merged.
func (d Dataset) concerns() []string {
	switch {
	case d.Declaration.Public:
		return nil
	case d.merged != nil:
		return d.merged
	}
	return []string{d.Declaration.UnitSpace}
}

// Version is one immutable state of a dataset's rows. Report and ContentHash are for its owner only.
type Version struct {
	Dataset     string          `json:"dataset"`
	Space       string          `json:"space,omitempty"` // whose key hashed the privacy IDs
	Version     int64           `json:"version"`
	Registered  time.Time       `json:"registered"`
	Report      datasets.Report `json:"report"`
	ContentHash string          `json:"content_hash"`
}

// ownerOf checks that the principal is an owner of the organisation.
func ownerOf(p access.Principal, organisation string) error {
	if err := require(p, access.Owner); err != nil {
		return err
	}
	if p.Organisation != organisation {
		return forbidden("owner of " + organisation)
	}
	return nil
}

// PutDataset registers a declaration. Once rows are registered it cannot change: its bounds and
// domains are what past releases were computed with.
func (s *Service) PutDataset(ctx context.Context, p access.Principal, org, name string, d datasets.Declaration) (Dataset, error) {
	if err := ownerOf(p, org); err != nil {
		return Dataset{}, err
	}
	id := org + "." + name
	if err := s.checkDeclaration(org, id, d); err != nil {
		return Dataset{}, err
	}
	if err := s.registered(ctx, org); err != nil {
		return Dataset{}, err
	}
	defer s.uploads.lock(id)()
	old, revision, err := s.dataset(ctx, id)
	if err != nil && !errors.Is(err, ErrNotFound) {
		return Dataset{}, unavailable(err)
	}
	if err == nil && sameJSON(old.Declaration, d) {
		return old, nil
	}
	if old.Version > 0 {
		return Dataset{}, &Error{Code: CodeConflict,
			Public: "The declaration of " + id + " cannot change: rows are registered under it.",
			Hint:   "Register another dataset on the same unit space; it spends from the same account."}
	}
	registered := Dataset{ID: id, Declaration: d}
	_, err = s.save(ctx, p, audit.KindDataset, id, revision, d, "", registered.concerns()...)
	return registered, err
}

func (s *Service) checkDeclaration(org, id string, d datasets.Declaration) error {
	if err := datasets.ValidateID(id); err != nil {
		return invalid("%s", err)
	}
	if err := d.Validate(); err != nil {
		return invalid("%s", err)
	}
	if space, _, _ := strings.Cut(d.UnitSpace, "/"); !d.Public && space != org {
		return &Error{Code: CodeInvalid, Public: "The unit space " + d.UnitSpace + " belongs to another organisation.",
			Hint: "Name it " + org + "/… : the people behind your tables are in your care."}
	}
	return nil
}

// dataset reads a dataset and its newest version number.
func (s *Service) dataset(ctx context.Context, id string) (Dataset, int64, error) {
	d := Dataset{ID: id}
	revision, err := s.load(ctx, kindDataset, id, &d.Declaration)
	if err != nil {
		return Dataset{}, 0, err
	}
	var v Version
	d.Version, err = s.load(ctx, kindVersion, id, &v)
	if err != nil && !errors.Is(err, ErrNotFound) {
		return Dataset{}, 0, err
	}
	d.hashed = v.Space
	return d, revision, nil
}

// Dataset returns a declaration to its owner, to those who oversee, and to whom its policy lets see it.
func (s *Service) Dataset(ctx context.Context, p access.Principal, id string) (Dataset, error) {
	d, _, err := s.dataset(ctx, id)
	if err != nil {
		return Dataset{}, loaded(err, "dataset")
	}
	visible, err := s.visible(ctx, p, id)
	if err != nil {
		return Dataset{}, err
	}
	if !visible {
		return Dataset{}, notFound("dataset")
	}
	return d, nil
}

// Datasets lists the datasets that the principal may see.
func (s *Service) Datasets(ctx context.Context, p access.Principal) ([]Dataset, error) {
	documents, err := s.Catalogue.List(ctx, kindDataset)
	if err != nil {
		return nil, unavailable(err)
	}
	list := []Dataset{}
	for _, doc := range documents {
		d, err := s.Dataset(ctx, p, doc.ID)
		if AsErrorCode(err) == CodeNotFound {
			continue
		}
		if err != nil {
			return nil, err
		}
		list = append(list, d)
	}
	return list, nil
}

// visible reports whether the principal may see the dataset's declaration: as its owner, as one who
// oversees, or because a rule lets it, alone or in one of its projects.
func (s *Service) visible(ctx context.Context, p access.Principal, id string) (bool, error) {
	org, _, _ := strings.Cut(id, ".")
	if oversees(p) || ownerOf(p, org) == nil {
		return true, nil
	}
	if ok, err := s.visibleIn(ctx, p, id, access.Project{}); ok || err != nil {
		return ok, err
	}
	projects, err := s.Catalogue.List(ctx, kindProject)
	if err != nil {
		return false, unavailable(err)
	}
	for _, doc := range projects {
		var j access.Project
		if err := json.Unmarshal(doc.Body, &j); err != nil {
			return false, unavailable(err)
		}
		if ok, err := s.visibleIn(ctx, p, id, j); ok || err != nil {
			return ok, err
		}
	}
	return false, nil
}

// AsErrorCode is the code of an error that may cross, "" for nil.
func AsErrorCode(err error) Code {
	if err == nil {
		return ""
	}
	return AsError(err).Code
}

func sameJSON(a, b any) bool {
	x, errX := json.Marshal(a)
	y, errY := json.Marshal(b)
	return errX == nil && errY == nil && string(x) == string(y)
}
