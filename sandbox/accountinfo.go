package sandbox

import (
	"context"
	"fmt"
	"strings"
	"time"

	"entrepot/access"
	"entrepot/privacy"
	"entrepot/privacy/ledger"
)

// AccountInfo is an account as it is shown: what was promised, what its owner lets be spent, how far its clocks
// have run. It is the state of a filter: the lifetime (Epsilon, Delta) is the only privacy claim in it.
type AccountInfo struct {
	ID       string          `json:"id"` // org/space
	Revision int64           `json:"revision"`
	Kind     ledger.Kind     `json:"kind"`
	Epsilon  privacy.Epsilon `json:"epsilon"` // lifetime ε
	Delta    privacy.Delta   `json:"delta"`   // lifetime δ
	Orders   []AccountOrder  `json:"orders"`  // of the Rényi clocks, rising
	Promises int64           `json:"promises"`

	FailureAllowance int64           `json:"failure_allowance"`
	Question         privacy.Clocks  `json:"question"`                 // the most that one question may cost
	DefaultEpsilon   privacy.Epsilon `json:"default_epsilon,omitzero"` // 0: a question has to name its loss
	Schedule         []ledger.Step   `json:"schedule"`

	Caps     privacy.Clocks `json:"caps"`    // what the lifetime gives each clock
	Limits   privacy.Clocks `json:"limits"`  // what the schedule releases of that now
	Spent    privacy.Clocks `json:"spent"`   // so far
	Room     privacy.Clocks `json:"room"`    // what Limits leave over Spent
	Holding  []string       `json:"holding"` // clocks that can admit a charge now; delta: approximate steps are within its cap
	State    AccountState   `json:"state"`
	Failures int64          `json:"failures"` // failed questions so far

	Next          *ledger.Step     `json:"next_step,omitempty"` // of the schedule
	Forecast      Forecast         `json:"forecast"`
	Allocations   []AllocationInfo `json:"allocations"`              // to a researcher those that cover it
	Allocated     *privacy.Clocks  `json:"allocated,omitempty"`      // what they may still spend in all; not for a researcher
	OverAllocated *privacy.Clocks  `json:"over_allocated,omitempty"` // how much more that is than the lifetime leaves; likewise
}

// AccountOrder is one Rényi clock: its order α, and the part of δ that it answers for.
type AccountOrder struct {
	Order privacy.Order `json:"order"`
	Delta privacy.Delta `json:"delta"`
}

// AccountState is whether an account admits charges.
type AccountState string

// The states of an account.
const (
	AccountOpen      AccountState = "open"
	AccountExhausted AccountState = "exhausted" // not even the smallest charge fits what is released now
	AccountFrozen    AccountState = "frozen"    // it saw its allowance of failures; its owner must act
)

// NewAccountInfo shows an account as it stands at a moment, by itself: without forecast and allocations.
func NewAccountInfo(a ledger.Account, at time.Time) AccountInfo {
	info := AccountInfo{ID: a.ID, Revision: a.Revision, Kind: a.Promise.Kind, Epsilon: a.Promise.Epsilon, Delta: a.Promise.Delta,
		Orders: []AccountOrder{}, Promises: a.Promises, FailureAllowance: a.Terms.Allowance, Question: a.Terms.Question,
		DefaultEpsilon: a.Terms.Default, Schedule: append([]ledger.Step{}, a.Terms.Schedule.Steps()...),
		Caps: a.Caps, Limits: a.Limits(at), Spent: a.Spent, Room: a.Room(at), Failures: a.Failures, State: AccountOpen}
	for k, order := range a.Promise.Orders.All() {
		info.Orders = append(info.Orders, AccountOrder{order, a.Promise.Shares[k]})
	}
	info.Holding = live(a.Holding(at), info.Room)
	switch {
	case a.Frozen():
		info.State = AccountFrozen
	case len(info.Holding) < 2 || info.Holding[len(info.Holding)-1] != clockDelta:
		info.State = AccountExhausted
	}
	for _, step := range info.Schedule {
		if step.From.Time().After(at) {
			info.Next = &step
			break
		}
	}
	return info
}

// accountInfo shows an account to a principal that may see it.
func (s *Service) accountInfo(ctx context.Context, p access.Principal, a ledger.Account) (AccountInfo, error) {
	now := s.now()
	info := NewAccountInfo(a, now)
	spent, err := s.Ledger.Spending(ctx, a.ID, now.Add(-forecastWindow))
	if err != nil {
		return AccountInfo{}, unavailable(err)
	}
	info.Forecast = forecast(a, spent, now)
	return info, s.showAllocations(ctx, p, a, &info)
}

// The names of clocks; that of a Rényi clock is renyi_1, renyi_2 …, in the order of the account's orders.
const (
	clockEpsilon = "epsilon"
	clockDelta   = "delta"
)

func clockRenyi(k int) string { return fmt.Sprintf("renyi_%d", k+1) }

// live names the clocks that can admit some charge: Σδ while it holds, the others while they have room. A charge
// needs Σδ and one other.
func live(h ledger.Holding, room privacy.Clocks) []string {
	names := []string{}
	if room.Epsilon > 0 {
		names = append(names, clockEpsilon)
	}
	for k, d := range room.Renyi {
		if d > 0 {
			names = append(names, clockRenyi(k))
		}
	}
	if h.Delta {
		names = append(names, clockDelta)
	}
	return names
}

// showAllocations adds the allocations that a principal may see: an owner and those who oversee all of them,
// others those that cover them.
func (s *Service) showAllocations(ctx context.Context, p access.Principal, a ledger.Account, info *AccountInfo) error {
	list, err := s.Ledger.Allocations(ctx, a.ID)
	if err != nil {
		return unavailable(err)
	}
	org, _, _ := strings.Cut(a.ID, "/")
	all := oversees(p) || ownerOf(p, org) == nil
	info.Allocations = []AllocationInfo{}
	for _, allocation := range list {
		ok := all
		if !ok {
			if ok, err = s.covered(ctx, p, allocation.Scope); err != nil {
				return err
			}
		}
		if ok {
			info.Allocations = append(info.Allocations, allocationInfo(allocation, a.Promise.Orders))
		}
	}
	if all {
		sum := allocated(list)
		over := sum.Minus(a.Caps.Minus(a.Spent))
		info.Allocated, info.OverAllocated = &sum, &over
	}
	return nil
}

// covered reports whether some question of a principal counts in an allocation.
func (s *Service) covered(ctx context.Context, p access.Principal, scope ledger.Scope) (bool, error) {
	if !scope.Covers(ledger.Asker{Project: scope.Project, Researcher: p.ID}) {
		return false, nil
	}
	if scope.Project == "" {
		return true, nil
	}
	_, _, err := s.project(ctx, p, scope.Project)
	if e := AsError(err); err != nil && e.Code == CodeNotFound {
		return false, nil
	}
	return err == nil, err
}
