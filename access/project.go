package access

import (
	"slices"
	"time"
)

// ParseProject reads a project from JSON or YAML, strictly. The document may leave out its id where
// id gives it, and must not name another; with an empty id it must give its own. Errors wrap
// ErrDocument.
func ParseProject(id string, text []byte) (Project, error) {
	var p Project
	if err := decodeStrict(text, maxSmallDocument, &p); err != nil {
		return Project{}, err
	}
	if err := sameID(id, &p.ID); err != nil {
		return Project{}, err
	}
	if err := p.Validate(); err != nil {
		return Project{}, err
	}
	return p, nil
}

// Validate returns an error that wraps ErrDocument and lists what is wrong with p, if anything is.
// A project may be opened before its datasets are chosen; until then it covers none.
func (p Project) Validate() error {
	var found problems
	found.add("id", idProblem(p.ID))
	found.add("title", textProblem(p.Title, maxTitle))
	if len(p.Members) == 0 {
		found.add("members", "it is empty; name the organisations that work together")
	}
	list(&found, "members", p.Members, idProblem)
	found.add("purpose", purposeProblem(p.Purpose))
	list(&found, "datasets", p.Datasets, datasetProblem)
	list(&found, "agreements", p.Agreements, func(s string) string { return textProblem(s, maxTitle) })
	switch {
	case p.NotBefore.IsZero():
		found.add("not_before", "it is missing; write it like 2026-01-31T00:00:00Z")
	case p.NotAfter.IsZero():
		found.add("not_after", "it is missing; write it like 2026-12-31T00:00:00Z")
	}
	found.add("not_after", datesProblem(p.NotBefore, p.NotAfter))
	return found.err()
}

// datesProblem returns what is wrong with a period that lasts from its first time until before its
// second; a zero time is an open end.
func datesProblem(notBefore, notAfter time.Time) string {
	for _, t := range []time.Time{notBefore, notAfter} {
		if year := t.UTC().Year(); year < 1 || year > 9999 {
			return "a year is outside 1 to 9999"
		}
	}
	if !notBefore.IsZero() && !notAfter.IsZero() && !notBefore.Before(notAfter) {
		return "it must be after not_before, which is " + stamp(notBefore)
	}
	return ""
}

// stamp writes a time as documents and reasons show it.
func stamp(t time.Time) string { return t.UTC().Format(time.RFC3339Nano) }

// refusal returns why the project does not cover the request, "" if it does. It looks at every field
// it relies on itself, since a Project need not have come from ParseProject.
func (p Project) refusal(r Request) string {
	switch {
	case !validID(p.ID), p.NotBefore.IsZero(), p.NotAfter.IsZero():
		return "the project is malformed"
	case !KnownPurpose(p.Purpose):
		return "project " + p.ID + " has no known purpose"
	case !slices.Contains(p.Members, r.Principal.Organisation):
		return "organisation " + r.Principal.Organisation + " is not a member of project " + p.ID
	case !slices.Contains(p.Datasets, r.Dataset):
		return "dataset " + r.Dataset + " is not part of project " + p.ID
	case r.Time.Before(p.NotBefore):
		return "project " + p.ID + " begins at " + stamp(p.NotBefore)
	case !r.Time.Before(p.NotAfter):
		return "project " + p.ID + " ended at " + stamp(p.NotAfter)
	}
	return ""
}

// isZero says whether p is no project at all.
func (p Project) isZero() bool {
	return p.ID == "" && p.Title == "" && len(p.Members) == 0 && p.Purpose == "" &&
		len(p.Datasets) == 0 && len(p.Agreements) == 0 && p.NotBefore.IsZero() && p.NotAfter.IsZero()
}
