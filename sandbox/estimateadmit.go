package sandbox

import (
	"context"
	"errors"
	"slices"
	"strings"
	"time"

	"entrepot/access"
	"entrepot/privacy"
	"entrepot/privacy/ledger"
)

// EstimateCharge is the price on one account, and whether it would be admitted as the account stands.
type EstimateCharge struct {
	Charge
	Admitted bool     `json:"admitted"` // by the account
	Clocks   []string `json:"clocks"`   // that still hold after it, but for delta: the ones that admit it
	// Refused says in a word what is in the way: "account" (there is none yet), "frozen", "question" (its owner's cap on
	// one question), "lifetime" (it never fits), "schedule" (it fits later) or "room" (it fitted once). "" where it is admitted.
	Refused     string               `json:"refused,omitempty"`
	Why         string               `json:"why,omitempty"` // likewise, in a sentence
	Allocations []EstimateAllocation `json:"allocations"`   // that cover the asker, by name
}

// EstimateAllocation is an allocation that the same price would be spent from.
type EstimateAllocation struct {
	Name     string         `json:"name"`
	Admitted bool           `json:"admitted"`
	Room     privacy.Clocks `json:"room"`          // before it; "inf" where nothing is capped
	Why      string         `json:"why,omitempty"` // it is not admitted
}

// admissions prices a question on every account that it touches, and says which of them would admit it.
func (s *Service) admissions(ctx context.Context, p access.Principal, q prepared) (list []EstimateCharge, all bool, err error) {
	list, all = []EstimateCharge{}, true
	now, asker := s.now(), ledger.Asker{Project: q.project.ID, Researcher: p.ID}
	accounts, err := s.Ledger.Accounts(ctx)
	if err != nil {
		return nil, false, unavailable(err)
	}
	for _, space := range q.spaces() {
		i := slices.IndexFunc(accounts, func(a ledger.Account) bool { return a.ID == space })
		if i < 0 {
			e := noAccount(space)
			list = append(list, EstimateCharge{Charge: Charge{space, q.spec.Price(privacy.Orders{})}, Refused: "account",
				Why: e.Public + " " + e.Hint, Clocks: []string{}, Allocations: []EstimateAllocation{}})
			all = false
			continue
		}
		c := charged{accounts[i], q.spec.Price(accounts[i].Promise.Orders)}
		e := c.admission(now)
		if e.Allocations, err = s.allocated(ctx, asker, c); err != nil {
			return nil, false, err
		}
		all = all && e.Admitted
		for _, a := range e.Allocations {
			all = all && a.Admitted
		}
		list = append(list, e)
	}
	return list, all, nil
}

// admission is what an account by itself says to its price.
func (c charged) admission(now time.Time) EstimateCharge {
	a := c.account
	e := EstimateCharge{Charge: Charge{a.ID, c.loss}, Clocks: []string{}}
	after, err := a.Admit(ledger.Charge{Account: a.ID, Loss: c.loss}, now)
	if err == nil {
		e.Admitted, e.Clocks = true, admitting(after.Holding(now))
		return e
	}
	never := c.never()
	switch {
	case errors.Is(err, ledger.ErrFrozen):
		e.Refused, e.Why = "frozen", a.ID+" is frozen after too many failed questions; its owner has to look into it."
	case never != nil:
		e.Refused, e.Why = "lifetime", strings.TrimSuffix(never.Public, " Nothing was charged.")+" "+never.Hint
	case errors.Is(err, ledger.ErrQuestion):
		e.Refused, e.Why = "question", "The owner of "+a.ID+" lets one question cost less ("+excess(c.loss, a.Terms.Question, a.Promise.Orders)+")."
	default:
		e.Refused, e.Why = c.exhausted(now)
	}
	return e
}

// exhausted says whether a charge fits once more is released, and otherwise which clocks it does not fit.
func (c charged) exhausted(now time.Time) (refused, why string) {
	a, charge := c.account, ledger.Charge{Account: c.account.ID, Loss: c.loss}
	for _, step := range a.Terms.Schedule.Steps() {
		if at := step.From.Time(); at.After(now) {
			if _, err := a.Admit(charge, at); err == nil {
				return "schedule", "The schedule of " + a.ID + " releases enough for this question from " + at.Format(time.RFC3339) +
					" on, if nothing else is charged until then."
			}
		}
	}
	all := a
	all.Terms.Schedule = ledger.Schedule{}
	if _, err := all.Admit(charge, now); err == nil {
		return "schedule", "The schedule of " + a.ID + " does not release enough of its lifetime for this question."
	}
	return "room", a.ID + " has no room for this question (" + excess(c.loss, a.Room(now), a.Promise.Orders) + ")."
}

// admitting names the clocks that admit a charge.
func admitting(h ledger.Holding) []string {
	names := []string{}
	if h.Epsilon {
		names = append(names, clockEpsilon)
	}
	for k, holds := range h.Renyi {
		if holds {
			names = append(names, clockRenyi(k))
		}
	}
	return names
}

// allocated is what the allocations that cover an asker say to a price.
func (s *Service) allocated(ctx context.Context, asker ledger.Asker, c charged) ([]EstimateAllocation, error) {
	all, err := s.Ledger.Allocations(ctx, c.account.ID)
	if err != nil {
		return nil, unavailable(err)
	}
	list := []EstimateAllocation{}
	for _, a := range all {
		if !a.Scope.Covers(asker) {
			continue
		}
		e := EstimateAllocation{Name: a.Name, Admitted: true, Room: a.Caps.Minus(a.Spent)}
		if _, err := a.Admit(ledger.Charge{Account: a.Account, Loss: c.loss}); err != nil {
			e.Admitted = false
			e.Why = "It does not cover this question (" + excess(c.loss, e.Room, c.account.Promise.Orders) + ")."
		}
		list = append(list, e)
	}
	return list, nil
}
