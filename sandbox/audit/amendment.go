package audit

import (
	"errors"
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"

	"entrepot/privacy/ledger"
)

// maxReason is the longest reason, in bytes.
const maxReason = 1000

// CheckReason says why a text cannot be the reason of a change. It can be shown to who gave it.
func CheckReason(s string) error {
	if s == "" || len(s) > maxReason || !utf8.ValidString(s) {
		return fmt.Errorf("a reason has 1 to %d bytes of UTF-8", maxReason)
	}
	if strings.ContainsFunc(s, func(r rune) bool { return !unicode.IsPrint(r) }) {
		return errors.New("a reason is one line of printable characters")
	}
	return nil
}

func (a Amendment) canonical(kind Kind) (Body, error) {
	if a.Before.ID != a.After.ID {
		return nil, errors.New("it is of two accounts")
	}
	return a, errors.Join(is(kind, KindAmendment), CheckReason(a.Reason), accountID(a.After.ID))
}

func (a Allocation) canonical(kind Kind) (Body, error) {
	of := a.After
	switch {
	case a.Before == nil && a.After == nil:
		return nil, errors.New("it changes no allocation")
	case of == nil:
		of = a.Before
	case a.Before != nil && (a.Before.Account != a.After.Account || a.Before.Name != a.After.Name):
		return nil, errors.New("it is of two allocations")
	}
	return a, errors.Join(is(kind, KindAllocation), CheckReason(a.Reason), accountID(of.Account), token("name", of.Name))
}

// amend holds an account's owner to the rules of ledger.Account.Amend.
func (h *History) amend(a Amendment) error {
	account, ok := h.accounts[a.Before.ID]
	switch {
	case !ok:
		return fmt.Errorf("account %s is not open", a.Before.ID)
	case account != a.Before:
		return fmt.Errorf("account %s was not as the entry says it was before", account.ID)
	}
	after, err := account.Amend(a.After.Promise, a.After.Terms)
	if err != nil {
		return fmt.Errorf("account %s cannot become that: %w", account.ID, err)
	}
	if after != a.After {
		return fmt.Errorf("account %s: the amendment changes more than promise and terms", account.ID)
	}
	h.accounts[account.ID] = after
	return nil
}

// allocate makes, changes or takes away an allocation.
func (h *History) allocate(a Allocation) error {
	of := a.After
	if of == nil {
		of = a.Before
	}
	account, ok := h.accounts[of.Account]
	if !ok {
		return fmt.Errorf("account %s is not open", of.Account)
	}
	before, exists := h.allocations[of.Account][of.Name]
	if exists != (a.Before != nil) || exists && before != *a.Before {
		return fmt.Errorf("allocation %s of %s was not as the entry says it was before", of.Name, of.Account)
	}
	if a.After == nil {
		delete(h.allocations[of.Account], of.Name)
		return nil
	}
	if err := follows(before, *a.After, account); err != nil {
		return err
	}
	if h.allocations[of.Account] == nil {
		h.allocations[of.Account] = map[string]ledger.Allocation{}
	}
	h.allocations[of.Account][of.Name] = *a.After
	return nil
}

// follows holds an allocation to the one before, which is zero where there was none.
func follows(before, after ledger.Allocation, account ledger.Account) error {
	before.Account, before.Name = after.Account, after.Name
	if before.Amend(after.Scope, after.Caps) != after {
		return fmt.Errorf("allocation %s of %s: the entry changes more than scope and caps", after.Name, after.Account)
	}
	return after.Validate(account)
}

// admitAllocated returns the allocations that cover who asks, after the charge to their account.
func (h *History) admitAllocated(charge ledger.Charge, asker ledger.Asker) ([]ledger.Allocation, error) {
	var after []ledger.Allocation
	for _, a := range h.allocations[charge.Account] {
		if !a.Scope.Covers(asker) {
			continue
		}
		admitted, err := a.Admit(charge)
		if err != nil {
			return nil, err
		}
		after = append(after, admitted)
	}
	return after, nil
}
