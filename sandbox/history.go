package sandbox

import (
	"context"
	"encoding/json"
	"fmt"

	"entrepot/access"
	"entrepot/sandbox/audit"
)

// MaxHistory is how many questions a page of the history has at most.
const MaxHistory = 200

// ReleaseInfo is one line of the history: an admitted question, what it cost, and what became of it.
type ReleaseInfo struct {
	ID        string   `json:"id,omitempty"` // rel_…; "" unless State is Released
	Query     string   `json:"query_id"`
	State     State    `json:"state"`
	Principal string   `json:"principal"`
	Project   string   `json:"project"`
	Purpose   string   `json:"purpose"`  // of the project when it was asked
	Question  string   `json:"question"` // in canonical form
	Time      string   `json:"time"`
	Charged   []Charge `json:"charged"`
	Entry     int64    `json:"entry"` // log index of the charge
}

// HistoryFilter chooses lines of the history. The zero value is the newest of all.
type HistoryFilter struct {
	Account   string // charged, org/space; "" for any
	Project   string
	Principal string // who asked, org/name
	State     State
	Before    int64 // only charges before this entry of the log; 0: from the newest on
	Limit     int   // of lines; 0, or more than MaxHistory: MaxHistory
}

// Releases lists the principal's admitted questions, newest first, an owner's those about its spaces as well, and
// for those who oversee everybody's. next is where to go on, as Before; -1 at the end.
func (s *Service) Releases(ctx context.Context, p access.Principal, h HistoryFilter) (list []ReleaseInfo, next int64, err error) {
	f := Filter{State: h.State, Researcher: h.Principal, Project: h.Project, Account: h.Account, Before: h.Before}
	if !oversees(p) {
		f.Principal = p.ID
		if ownerOf(p, p.Organisation) == nil {
			f.Organisation = p.Organisation
		}
	}
	if h.Limit <= 0 || h.Limit > MaxHistory {
		h.Limit = MaxHistory
	}
	questions, err := s.Questions.Newest(ctx, f, h.Limit)
	if err != nil {
		return nil, 0, unavailable(err)
	}
	list, next = []ReleaseInfo{}, -1
	for _, q := range questions {
		if !oversees(p) && q.Principal != p.ID && !q.touches(p) {
			continue
		}
		line, err := s.line(ctx, q)
		if err != nil {
			return nil, 0, unavailable(err)
		}
		list = append(list, line)
	}
	if len(questions) == h.Limit {
		next = questions[len(questions)-1].Entry
	}
	return list, next, nil
}

// line adds to a question what the log says of its charge.
func (s *Service) line(ctx context.Context, q Question) (ReleaseInfo, error) {
	line := ReleaseInfo{ID: q.Release, Query: q.ID, State: q.State, Principal: q.Principal, Project: q.Project,
		Time: q.Time.Format("2006-01-02T15:04:05Z"), Charged: charges(q), Entry: q.Entry}
	entries, err := s.Log.Entries(ctx, q.Entry, 1)
	if err != nil {
		return line, err
	}
	if len(entries) != 1 {
		return line, fmt.Errorf("question %s: its charge is not in the log", q.ID)
	}
	e, err := audit.Decode(entries[0])
	if err != nil {
		return line, err
	}
	var charge audit.Charge
	if err := json.Unmarshal(e.Body, &charge); err != nil || e.Kind != audit.KindCharge || charge.Query != q.ID {
		return line, fmt.Errorf("question %s: entry %d is not its charge: %w", q.ID, q.Entry, err)
	}
	line.Purpose, line.Question = charge.Purpose, charge.Question
	return line, nil
}

func charges(q Question) []Charge {
	list := []Charge{}
	for _, c := range q.Charges {
		list = append(list, Charge{Account: c.Account, Clocks: c.Loss})
	}
	return list
}
