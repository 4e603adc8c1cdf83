package sandbox

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"entrepot/access"
	"entrepot/datasets"
	"entrepot/sandbox/audit"
)

// Merge says that unit spaces are of the same people from now on. Privacy IDs are hashed under one key, so their
// tables can be joined, and a question that touches one is charged to the accounts of all. What who is in
// several is promised then, PROMISE.md states (section 5, viii): the losses add.
type Merge struct {
	Spaces  []string `json:"spaces"` // two or more, sorted
	Agreed  []string `json:"agreed"` // organisations whose owners did, sorted
	InForce bool     `json:"in_force"`
	Reason  string   `json:"reason"` // of the newest of them
}

// The two documents of merges. A question guards the first, so that none is charged as if a merge had not been made;
// what is merely proposed changes nothing for anybody.
const (
	mergesID    = "spaces"
	proposalsID = "proposals"
)

// maxProposals is how many merges that are not in force an organisation may have agreed to.
const maxProposals = 16

// merges is a list of them.
type merges struct {
	List []Merge `json:"merges"`
}

// MergeSpaces agrees to a merge for the owner of one of the two. With them come all spaces that either is merged with
// already, and it is in force when the owners of all of these have agreed. It is never undone: what was
// hashed under one key and joined stays known. Tables whose space gives up its key answer nothing until they are
// uploaded again.
func (s *Service) MergeSpaces(ctx context.Context, p access.Principal, org, space, with, reason string) (Merge, error) {
	mine := org + "/" + space
	if err := s.checkMerge(ctx, p, org, mine, with, reason); err != nil {
		return Merge{}, err
	}
	all, revision, err := s.merges(ctx, mergesID)
	if err != nil {
		return Merge{}, err
	}
	open, proposed, err := s.merges(ctx, proposalsID)
	if err != nil {
		return Merge{}, err
	}
	group := all.group(mine, with)
	if known := all.find(group); known != nil {
		return *known, nil
	}
	m, changed, err := open.agree(group, org, reason)
	if err != nil || !changed {
		return m, err
	}
	if m.InForce {
		if _, missing, err := s.accounts(ctx, group); err != nil {
			return Merge{}, err
		} else if missing != "" {
			return Merge{}, &Error{Code: CodeConflict, Public: "No account is open for " + missing + ", so nothing about it could be answered any more.",
				Hint: "Its owner opens one first: PUT /v1/accounts/" + missing + "."}
		}
		all.List = append(all.List, m)
		_, err = s.save(ctx, p, audit.KindMerge, mergesID, revision, all, "", group...)
		return m, err
	}
	_, err = s.save(ctx, p, audit.KindMerge, proposalsID, proposed, open, "", group...)
	return m, err
}

// checkMerge refuses what is no merge, or not the principal's to make.
func (s *Service) checkMerge(ctx context.Context, p access.Principal, org, mine, with, reason string) error {
	if err := ownerOf(p, org); err != nil {
		return err
	}
	for _, id := range []string{mine, with} {
		if err := datasets.ValidateUnitSpace(id); err != nil {
			return invalid("%s", err)
		}
	}
	if mine == with {
		return invalid("A space is merged with another one.")
	}
	if err := checkReason(reason); err != nil {
		return err
	}
	if other, _, _ := strings.Cut(with, "/"); other != org {
		if err := s.registered(ctx, other); err != nil {
			return err
		}
	}
	_, err := s.account(ctx, mine)
	return err
}

// merges reads one of the two documents; none is revision 0.
func (s *Service) merges(ctx context.Context, id string) (all merges, revision int64, err error) {
	revision, err = s.load(ctx, kindMerge, id, &all)
	if errors.Is(err, ErrNotFound) {
		return merges{}, 0, nil
	}
	if err != nil {
		return merges{}, 0, unavailable(err)
	}
	return all, revision, nil
}

// agree notes that an organisation agrees to the merge of a group of spaces.
func (m *merges) agree(group []string, org, reason string) (agreed Merge, changed bool, err error) {
	known := m.find(group)
	if known == nil {
		n := 0
		for _, other := range m.List {
			if slices.Contains(other.Agreed, org) && !other.InForce {
				n++
			}
		}
		if n >= maxProposals {
			return Merge{}, false, &Error{Code: CodeConflict, Public: fmt.Sprintf("%d merges that %s agreed to wait for other owners; that is the most.", n, org)}
		}
		m.List = append(m.List, Merge{Spaces: group})
		known = &m.List[len(m.List)-1]
	}
	if slices.Contains(known.Agreed, org) {
		return *known, false, nil
	}
	known.Agreed = append(known.Agreed, org)
	slices.Sort(known.Agreed)
	known.Reason = reason
	known.InForce = !slices.ContainsFunc(group, func(space string) bool {
		owner, _, _ := strings.Cut(space, "/")
		return !slices.Contains(known.Agreed, owner)
	})
	return *known, true, nil
}

// find returns the merge of exactly these spaces, or nil.
func (m *merges) find(group []string) *Merge {
	i := slices.IndexFunc(m.List, func(known Merge) bool { return slices.Equal(known.Spaces, group) })
	if i < 0 {
		return nil
	}
	return &m.List[i]
}

// Merges lists the merges that name a space, also those that wait for an owner, to the owners of its spaces
// and to those who oversee.
func (s *Service) Merges(ctx context.Context, p access.Principal, org, space string) ([]Merge, error) {
	all, _, err := s.merges(ctx, mergesID)
	if err != nil {
		return nil, err
	}
	open, _, err := s.merges(ctx, proposalsID)
	if err != nil {
		return nil, err
	}
	list := slices.Clone(all.List)
	for _, m := range open.List {
		if !slices.ContainsFunc(all.List, func(done Merge) bool { return within(m.Spaces, done.Spaces) }) {
			list = append(list, m)
		}
	}
	list = slices.DeleteFunc(list, func(m Merge) bool {
		return !slices.Contains(m.Spaces, org+"/"+space) || !oversees(p) && !ownsOne(p, m.Spaces)
	})
	if len(list) == 0 && !oversees(p) && ownerOf(p, org) != nil {
		return nil, notFound("account")
	}
	return list, nil
}

func within(part, whole []string) bool {
	return !slices.ContainsFunc(part, func(s string) bool { return !slices.Contains(whole, s) })
}

// ownsOne reports whether the principal is the owner of one of the spaces.
func ownsOne(p access.Principal, spaces []string) bool {
	return slices.ContainsFunc(spaces, func(space string) bool {
		org, _, _ := strings.Cut(space, "/")
		return ownerOf(p, org) == nil
	})
}

// apply returns a dataset as it is planned and charged: as one of the merged space, whose first name counts.
func (m merges) apply(d Dataset) (Dataset, error) {
	if d.Declaration.Public {
		return d, nil
	}
	group := m.group(d.Declaration.UnitSpace)
	if d.Version > 0 && d.hashed != group[0] {
		return d, &Error{Code: CodeConflict, Public: "The rows of " + d.ID + " were registered before its unit space was merged with another one.",
			Hint: "Its owner uploads them again."}
	}
	d.Declaration.UnitSpace, d.merged = group[0], group
	return d, nil
}

// group lists some spaces with all that they are merged with, sorted. The first one's key is that of all.
func (m merges) group(spaces ...string) []string {
	list := slices.Clone(spaces)
	for i := 0; i < len(list); i++ {
		for _, merge := range m.List {
			if slices.Contains(merge.Spaces, list[i]) {
				list = append(list, merge.Spaces...)
			}
		}
		list = append(list[:i+1], unseen(list[:i+1], list[i+1:])...)
	}
	slices.Sort(list)
	return list
}

// unseen are the rest without repetitions and without what was seen.
func unseen(seen, rest []string) []string {
	var list []string
	for _, s := range rest {
		if !slices.Contains(seen, s) && !slices.Contains(list, s) {
			list = append(list, s)
		}
	}
	return list
}
