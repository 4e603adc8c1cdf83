package sandbox

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"strings"

	"entrepot/access"
	"entrepot/sandbox/audit"
)

// Checkpoint returns the log's signed checkpoint. It tells the number of entries and the clocks, so
// it is for those who oversee and for owners.
func (s *Service) Checkpoint(ctx context.Context, p access.Principal) ([]byte, error) {
	if err := require(p, access.Manager, access.Regulator, access.Operator, access.Owner); err != nil {
		return nil, err
	}
	b, err := s.Log.Checkpoint(ctx)
	if err != nil {
		return nil, unavailable(err)
	}
	return b, nil
}

// maxScan is how many entries one call of Entries looks at.
const maxScan = 20_000

// Entries returns at most limit entries from index from that the principal may read: all of them to
// those who oversee, to an owner those that concern its spaces, to anybody its own. next is where to
// go on, or -1 at the end of the log; a call may give fewer entries than there are, even none.
func (s *Service) Entries(ctx context.Context, p access.Principal, from int64, limit int) (list []audit.Entry, next int64, err error) {
	list, next = []audit.Entry{}, from
	for len(list) < limit && next-from < maxScan {
		page, err := s.Log.Entries(ctx, next, 256)
		if err != nil {
			return nil, 0, unavailable(err)
		}
		if len(page) == 0 {
			return list, -1, nil
		}
		for _, b := range page {
			e, err := audit.Decode(b)
			if err != nil {
				return nil, 0, unavailable(err)
			}
			next++
			ok, err := s.mayRead(ctx, p, e)
			if err != nil {
				return nil, 0, err
			}
			if ok {
				list = append(list, e)
			}
			if len(list) == limit {
				break
			}
		}
	}
	return list, next, nil
}

func (s *Service) mayRead(ctx context.Context, p access.Principal, e audit.Entry) (bool, error) {
	if oversees(p) || e.Actor == p.ID {
		return true, nil
	}
	if ownerOf(p, p.Organisation) != nil {
		return false, nil
	}
	spaces, err := s.spacesOf(ctx, e)
	for _, space := range spaces {
		if strings.HasPrefix(space, p.Organisation+"/") {
			return true, err
		}
	}
	return false, err
}

// spacesOf lists the unit spaces that an entry concerns.
func (s *Service) spacesOf(ctx context.Context, e audit.Entry) ([]string, error) {
	var body concerning
	if err := json.Unmarshal(e.Body, &body); err != nil {
		return nil, unavailable(err)
	}
	if list := body.accounts(e.Kind); list != nil {
		return list, nil
	}
	if body.Spaces != nil || body.Query == "" {
		return body.Spaces, nil
	}
	id := body.Query
	if e.Kind == audit.KindRepeat {
		id = body.Release // the new question is not stored: it cost nothing
	}
	q, err := s.Questions.Question(ctx, id)
	if errors.Is(err, ErrNotFound) {
		return nil, nil
	}
	if err != nil {
		return nil, unavailable(err)
	}
	return q.spaces(), nil
}

// concerning is what the body of an entry may say of whom it concerns.
type concerning struct {
	Spaces  []string  `json:"spaces"`
	Query   string    `json:"query"`
	Release string    `json:"release"`
	Account *changed  `json:"account"` // of an opening
	Before  *changed  `json:"before"`  // of an amendment or an allocation; nil: there was none
	After   *changed  `json:"after"`   // likewise; nil: it was taken away
	Spent   []changed `json:"spent"`   // of a recovery: as the checkpoint that it goes by, all accounts
}

// changed names the account that something is, or is of.
type changed struct {
	ID      string `json:"id"`
	Account string `json:"account"`
}

// accounts are those that an entry opens, changes or recovers; nil for entries of other kinds.
func (c concerning) accounts(kind audit.Kind) []string {
	switch {
	case kind == audit.KindAccount && c.Account != nil:
		return []string{c.Account.ID}
	case kind == audit.KindAmendment && c.After != nil:
		return []string{c.After.ID}
	case kind == audit.KindAllocation && c.After != nil:
		return []string{c.After.Account}
	case kind == audit.KindAllocation && c.Before != nil:
		return []string{c.Before.Account}
	case kind == audit.KindRecovery:
		list := []string{}
		for _, spent := range c.Spent {
			list = append(list, spent.Account)
		}
		return list
	}
	return nil
}

// spaces lists the unit spaces that a question was charged to.
func (q Question) spaces() []string {
	var list []string
	for _, c := range q.Charges {
		list = append(list, c.Account)
	}
	return list
}

// Export writes the whole log with its checkpoint, for an offline verifier.
func (s *Service) Export(ctx context.Context, p access.Principal, w io.Writer) error {
	if err := require(p, access.Manager, access.Regulator, access.Operator); err != nil {
		return err
	}
	checkpoint, err := s.Log.Checkpoint(ctx)
	if err != nil {
		return unavailable(err)
	}
	return audit.Export(w, checkpoint, func(from int64, limit int) ([][]byte, error) {
		entries, err := s.Log.Entries(ctx, from, limit)
		if err != nil {
			return nil, unavailable(err)
		}
		return entries, nil
	})
}
