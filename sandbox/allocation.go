package sandbox

import (
	"context"
	"strings"

	"entrepot/access"
	"entrepot/privacy"
	"entrepot/privacy/ledger"
)

// AllocationInfo is an allocation as it is shown. A charge that it covers must fit every clock that it caps.
type AllocationInfo struct {
	Account  string          `json:"account"` // org/space
	Name     string          `json:"name"`
	Revision int64           `json:"revision"`
	Scope    ledger.Scope    `json:"scope"`
	Orders   privacy.Orders  `json:"orders"` // of the account's Rényi clocks
	Caps     privacy.Clocks  `json:"caps"`   // inf: it does not cap this clock
	Spent    privacy.Clocks  `json:"spent"`  // since it was made
	Left     privacy.Clocks  `json:"left"`
	State    AllocationState `json:"state"`
}

// AllocationState is whether an allocation admits charges.
type AllocationState string

// The states of an allocation.
const (
	AllocationOpen      AllocationState = "open"
	AllocationExhausted AllocationState = "exhausted" // not even the smallest charge fits: Σε, an Σd or Σδ is at or over its cap
)

func allocationInfo(a ledger.Allocation, orders privacy.Orders) AllocationInfo {
	info := AllocationInfo{Account: a.Account, Name: a.Name, Revision: a.Revision, Scope: a.Scope, Orders: orders, Caps: a.Caps, Spent: a.Spent,
		Left: a.Caps.Minus(a.Spent), State: AllocationOpen}
	least := privacy.Clocks{Epsilon: 1}
	for k := range orders.All() {
		least.Renyi[k] = 1
	}
	if _, err := a.Admit(ledger.Charge{Account: a.Account, Loss: least}); err != nil {
		info.State = AllocationExhausted
	}
	return info
}

// AllocationChange is what an owner sets for an allocation: the whole of it.
type AllocationChange struct {
	Scope  ledger.Scope
	Caps   Limits
	Reason string // for the log
}

// PutAllocation makes or changes an allocation. revision is the one that the owner saw: 0 for none yet.
func (s *Service) PutAllocation(ctx context.Context, p access.Principal, org, space, name string, revision int64, c AllocationChange) (AllocationInfo, error) {
	account, old, err := s.allocation(ctx, p, org, space, name)
	if err != nil {
		return AllocationInfo{}, err
	}
	caps, err := c.Caps.clocks(account.Promise.Orders)
	if err != nil {
		return AllocationInfo{}, err
	}
	after := ledger.Allocation{Account: account.ID, Name: name, Revision: max(1, revision), Scope: c.Scope, Caps: caps}
	if err := after.Validate(account); err != nil {
		return AllocationInfo{}, invalid("%s", err)
	}
	if err := s.knownScope(ctx, p, c.Scope); err != nil {
		return AllocationInfo{}, err
	}
	switch {
	case old.Revision > 0 && old.Scope == after.Scope && old.Caps == after.Caps:
		return allocationInfo(old, account.Promise.Orders), nil
	case old.Revision != revision:
		return AllocationInfo{}, movedOn("allocation")
	}
	if err := checkReason(c.Reason); err != nil {
		return AllocationInfo{}, err
	}
	after.Revision = revision
	after, err = s.Ledger.Allocate(ctx, after, s.by(p, c.Reason))
	if err != nil {
		return AllocationInfo{}, changeError("allocation", err)
	}
	return allocationInfo(after, account.Promise.Orders), nil
}

// DeleteAllocation takes an allocation away: its people spend from the account again without its cap.
func (s *Service) DeleteAllocation(ctx context.Context, p access.Principal, org, space, name string, revision int64, reason string) error {
	_, old, err := s.allocation(ctx, p, org, space, name)
	switch {
	case err != nil:
		return err
	case old.Revision == 0:
		return notFound("allocation")
	case old.Revision != revision:
		return movedOn("allocation")
	}
	if err := checkReason(reason); err != nil {
		return err
	}
	if err := s.Ledger.Unallocate(ctx, org+"/"+space, name, revision, s.by(p, reason)); err != nil {
		return changeError("allocation", err)
	}
	return nil
}

// allocation finds an allocation for its account's owner; one of revision 0 where there is none.
func (s *Service) allocation(ctx context.Context, p access.Principal, org, space, name string) (ledger.Account, ledger.Allocation, error) {
	if err := ownerOf(p, org); err != nil {
		return ledger.Account{}, ledger.Allocation{}, err
	}
	account, err := s.account(ctx, org+"/"+space)
	if err != nil {
		return ledger.Account{}, ledger.Allocation{}, err
	}
	list, err := s.Ledger.Allocations(ctx, account.ID)
	if err != nil {
		return ledger.Account{}, ledger.Allocation{}, unavailable(err)
	}
	for _, a := range list {
		if a.Name == name {
			return account, a, nil
		}
	}
	return account, ledger.Allocation{}, nil
}

// Allocation returns an allocation to those who see it among their accounts.
func (s *Service) Allocation(ctx context.Context, p access.Principal, org, space, name string) (AllocationInfo, error) {
	a, err := s.Account(ctx, p, org, space)
	if err != nil && AsError(err).Code != CodeNotFound {
		return AllocationInfo{}, err
	}
	for _, allocation := range a.Allocations {
		if allocation.Name == name {
			return allocation, nil
		}
	}
	return AllocationInfo{}, notFound("allocation")
}

// knownScope checks the names that can be checked: those of people come from their organisation's issuer.
func (s *Service) knownScope(ctx context.Context, p access.Principal, scope ledger.Scope) error {
	if scope.Project != "" {
		if _, _, err := s.project(ctx, p, scope.Project); err != nil {
			return scopeError("project "+scope.Project, err)
		}
	}
	org, _, _ := strings.Cut(scope.Researcher, "/")
	for _, id := range []string{scope.Organisation, org} {
		if id == "" {
			continue
		}
		if err := s.registered(ctx, id); err != nil {
			return err
		}
	}
	if scope.Organisation != "" && org != "" && org != scope.Organisation {
		return invalid("%s is not of %s: the allocation would be nobody's.", scope.Researcher, scope.Organisation)
	}
	return nil
}

// scopeError makes what is absent or hidden an error of the request.
func scopeError(what string, err error) error {
	if AsError(err).Code == CodeNotFound {
		return invalid("There is no %s, or it is not yours to see.", what)
	}
	return err
}
