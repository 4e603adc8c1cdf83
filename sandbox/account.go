package sandbox

import (
	"context"
	"errors"
	"slices"
	"strings"

	"entrepot/access"
	"entrepot/datasets"
	"entrepot/privacy"
	"entrepot/privacy/ledger"
)

// Budget is what an owner sets for a unit space, once.
type Budget struct {
	Kind    ledger.Kind
	Epsilon privacy.Epsilon // lifetime
	Delta   privacy.Delta   // lifetime
}

// OpenAccount fixes the lifetime budget of a unit space. It is a promise to the people in it, so it
// never grows: a second call must name the same budget.
func (s *Service) OpenAccount(ctx context.Context, p access.Principal, org, space string, b Budget) (ledger.Account, error) {
	if err := ownerOf(p, org); err != nil {
		return ledger.Account{}, err
	}
	if err := datasets.ValidateUnitSpace(org + "/" + space); err != nil {
		return ledger.Account{}, invalid("%s", err)
	}
	a, err := ledger.New(org+"/"+space, b.Kind, b.Epsilon, b.Delta)
	if err != nil {
		return ledger.Account{}, invalid("%s", err)
	}
	if err := s.registered(ctx, org); err != nil {
		return ledger.Account{}, err
	}
	err = s.Ledger.Open(ctx, a, p.ID, s.now())
	switch {
	case err == nil:
		return a, nil
	case !errors.Is(err, ErrDuplicate):
		return ledger.Account{}, unavailable(err)
	}
	old, err := s.account(ctx, a.ID)
	if err != nil {
		return ledger.Account{}, err
	}
	if old.Kind == a.Kind && old.Epsilon == a.Epsilon && old.Delta == a.Delta {
		return old, nil
	}
	return ledger.Account{}, &Error{Code: CodeConflict, Public: "The budget of " + a.ID + " was fixed when its account was opened.",
		Hint: "A lifetime budget is a promise to the people in the data: it does not change."}
}

// account finds one account.
func (s *Service) account(ctx context.Context, id string) (ledger.Account, error) {
	list, missing, err := s.accounts(ctx, []string{id})
	if err == nil && missing != "" {
		err = noAccount(missing)
	}
	if err != nil {
		return ledger.Account{}, err
	}
	return list[0], nil
}

// accounts finds the accounts of unit spaces, in their order, or names the first that is not open.
func (s *Service) accounts(ctx context.Context, spaces []string) (list []ledger.Account, missing string, err error) {
	all, err := s.Ledger.Accounts(ctx)
	if err != nil {
		return nil, "", unavailable(err)
	}
	for _, space := range spaces {
		i := slices.IndexFunc(all, func(a ledger.Account) bool { return a.ID == space })
		if i < 0 {
			return nil, space, nil
		}
		list = append(list, all[i])
	}
	return list, "", nil
}

func noAccount(id string) *Error {
	return &Error{Code: CodeExhausted, Public: "No budget has been set for " + id + ".",
		Hint: "Its owner opens the account: PUT /v1/accounts/" + id + "."}
}

// Accounts lists the accounts of the principal's organisation, of the datasets it may see, or, for
// those who oversee, all of them.
func (s *Service) Accounts(ctx context.Context, p access.Principal) ([]ledger.Account, error) {
	all, err := s.Ledger.Accounts(ctx)
	if err != nil {
		return nil, unavailable(err)
	}
	if oversees(p) {
		return all, nil
	}
	visible, err := s.Datasets(ctx, p)
	if err != nil {
		return nil, err
	}
	spaces := map[string]bool{}
	for _, d := range visible {
		for _, space := range d.concerns() {
			spaces[space] = true
		}
	}
	list := []ledger.Account{}
	for _, a := range all {
		org, _, _ := strings.Cut(a.ID, "/")
		if spaces[a.ID] || ownerOf(p, org) == nil {
			list = append(list, a)
		}
	}
	return list, nil
}
