package sandbox

import (
	"context"
	"errors"
	"slices"
	"strings"

	"entrepot/access"
	"entrepot/datasets"
	"entrepot/sandbox/audit"
)

// Merge says that two unit spaces are of the same people from now on. Privacy IDs are hashed under one key, so
// their tables can be joined, and a question that touches either is charged to both accounts. What who is in
// both is promised then, PROMISE.md states (section 5, viii): the two losses add.
type Merge struct {
	Spaces []string `json:"spaces"` // two, sorted
	Agreed []string `json:"agreed"` // organisations whose owners did, sorted
	Reason string   `json:"reason"` // of the newest of them
}

// InForce reports whether the owners of both spaces agreed.
func (m Merge) InForce() bool {
	for _, space := range m.Spaces {
		if org, _, _ := strings.Cut(space, "/"); !slices.Contains(m.Agreed, org) {
			return false
		}
	}
	return true
}

// mergesID is the one document that lists all merges: a question guards it, so that none is charged as if a
// merge had not been made.
const mergesID = "spaces"

// merges are all of a deployment.
type merges struct {
	List []Merge `json:"merges"`
}

// MergeSpaces agrees to a merge for the owner of one of the two. It comes into force when both owners have
// agreed, and is never undone: what was hashed under one key and joined stays known. Tables of the space that
// gives up its key answer nothing until they are uploaded again.
func (s *Service) MergeSpaces(ctx context.Context, p access.Principal, org, space, with, reason string) (Merge, error) {
	if err := ownerOf(p, org); err != nil {
		return Merge{}, err
	}
	mine := org + "/" + space
	for _, id := range []string{mine, with} {
		if err := datasets.ValidateUnitSpace(id); err != nil {
			return Merge{}, invalid("%s", err)
		}
	}
	if mine == with {
		return Merge{}, invalid("A space is merged with another one.")
	}
	if err := audit.CheckReason(reason); err != nil {
		return Merge{}, invalid("%s", err)
	}
	if other, _, _ := strings.Cut(with, "/"); other != org {
		if err := s.registered(ctx, other); err != nil {
			return Merge{}, err
		}
	}
	all, revision, err := s.merges(ctx)
	if err != nil {
		return Merge{}, err
	}
	m := all.agree(mine, with, org)
	if m == nil {
		return all.find(mine, with), nil
	}
	m.Reason = reason
	_, err = s.save(ctx, p, audit.KindMerge, mergesID, revision, all, "", m.Spaces...)
	return *m, err
}

// Merges lists the merges that name a space, to the owners of either side and to those who oversee.
func (s *Service) Merges(ctx context.Context, p access.Principal, org, space string) ([]Merge, error) {
	all, _, err := s.merges(ctx)
	if err != nil {
		return nil, err
	}
	var list []Merge
	for _, m := range all.List {
		if slices.Contains(m.Spaces, org+"/"+space) && (oversees(p) || ownsOne(p, m.Spaces)) {
			list = append(list, m)
		}
	}
	if list == nil && !oversees(p) && ownerOf(p, org) != nil {
		return nil, notFound("account")
	}
	return list, nil
}

// ownsOne reports whether the principal is the owner of one of the spaces.
func ownsOne(p access.Principal, spaces []string) bool {
	return slices.ContainsFunc(spaces, func(space string) bool {
		org, _, _ := strings.Cut(space, "/")
		return ownerOf(p, org) == nil
	})
}

// merges reads all merges; none is revision 0.
func (s *Service) merges(ctx context.Context) (all merges, revision int64, err error) {
	revision, err = s.load(ctx, kindMerge, mergesID, &all)
	if errors.Is(err, ErrNotFound) {
		return merges{}, 0, nil
	}
	if err != nil {
		return merges{}, 0, unavailable(err)
	}
	return all, revision, nil
}

func (m merges) find(a, b string) Merge {
	for _, known := range m.List {
		if slices.Contains(known.Spaces, a) && slices.Contains(known.Spaces, b) {
			return known
		}
	}
	return Merge{}
}

// agree notes that an organisation agrees, and returns the merge; nil where it had agreed before.
func (m *merges) agree(a, b, org string) *Merge {
	spaces := []string{a, b}
	slices.Sort(spaces)
	i := slices.IndexFunc(m.List, func(known Merge) bool { return slices.Equal(known.Spaces, spaces) })
	if i < 0 {
		m.List = append(m.List, Merge{Spaces: spaces})
		i = len(m.List) - 1
	}
	known := &m.List[i]
	if slices.Contains(known.Agreed, org) {
		return nil
	}
	known.Agreed = append(known.Agreed, org)
	slices.Sort(known.Agreed)
	return known
}

// apply returns a dataset as it is planned and charged: as one of the merged space, whose first name counts.
func (m merges) apply(d Dataset) (Dataset, error) {
	if d.Declaration.Public {
		return d, nil
	}
	group := m.with(d.Declaration.UnitSpace)
	if d.Version > 0 && d.hashed != group[0] {
		return d, &Error{Code: CodeConflict, Public: "The rows of " + d.ID + " were registered before its unit space was merged with another one.",
			Hint: "Its owner uploads them again."}
	}
	d.Declaration.UnitSpace, d.merged = group[0], group
	return d, nil
}

// with lists the spaces that are one with a space, itself included, sorted. The first one's key is that of all.
func (m merges) with(space string) []string {
	group := []string{space}
	for i := 0; i < len(group); i++ {
		for _, merge := range m.List {
			if !merge.InForce() || !slices.Contains(merge.Spaces, group[i]) {
				continue
			}
			for _, other := range merge.Spaces {
				if !slices.Contains(group, other) {
					group = append(group, other)
				}
			}
		}
	}
	slices.Sort(group)
	return group
}
