package sandbox

import (
	"context"
	"errors"
	"slices"
	"strings"

	"entrepot/access"
	"entrepot/datasets"
	"entrepot/privacy/ledger"
	"entrepot/sandbox/audit"
)

// OpenAccount opens the account of a unit space. A second call must name the same budget; AmendAccount
// changes it.
func (s *Service) OpenAccount(ctx context.Context, p access.Principal, org, space string, b Budget) (AccountInfo, error) {
	if err := ownerOf(p, org); err != nil {
		return AccountInfo{}, err
	}
	if err := datasets.ValidateUnitSpace(org + "/" + space); err != nil {
		return AccountInfo{}, invalid("%s", err)
	}
	a, err := b.open(org + "/" + space)
	if err != nil {
		return AccountInfo{}, err
	}
	if b.Reason != "" {
		if err := checkReason(b.Reason); err != nil {
			return AccountInfo{}, err
		}
	}
	if err := s.registered(ctx, org); err != nil {
		return AccountInfo{}, err
	}
	err = s.Ledger.Open(ctx, a, s.by(p, b.Reason))
	switch {
	case err == nil: // one that a recovery lost is not unspent
		if a, err = s.account(ctx, a.ID); err != nil {
			return AccountInfo{}, err
		}
		return s.accountInfo(ctx, p, a)
	case !errors.Is(err, ErrDuplicate):
		return AccountInfo{}, unavailable(err)
	}
	return s.amend(ctx, p, a.ID, 0, b)
}

// AmendAccount changes an account from the revision that its owner saw. More than its lifetime is a new promise
// to the people in the unit space, which Budget.NewPromise has to say.
func (s *Service) AmendAccount(ctx context.Context, p access.Principal, org, space string, revision int64, b Budget) (AccountInfo, error) {
	if err := ownerOf(p, org); err != nil {
		return AccountInfo{}, err
	}
	return s.amend(ctx, p, org+"/"+space, revision, b)
}

// amend makes the change, unless the account is so already.
func (s *Service) amend(ctx context.Context, p access.Principal, id string, revision int64, b Budget) (AccountInfo, error) {
	old, err := s.account(ctx, id)
	if err != nil {
		return AccountInfo{}, err
	}
	after, err := b.amend(old)
	if err != nil {
		return AccountInfo{}, err
	}
	if after.Promise == old.Promise && after.Terms == old.Terms {
		return s.accountInfo(ctx, p, old)
	}
	if revision == 0 {
		return AccountInfo{}, &Error{Code: CodePrecondition, Public: "The account " + id + " is open already, with another budget or other terms.",
			Hint: "Read it, then send its ETag in If-Match to change it."}
	}
	if revision != old.Revision {
		return AccountInfo{}, movedOn("account")
	}
	if raised := after.Promise != old.Promise; raised != b.NewPromise {
		return AccountInfo{}, promiseError(old, after, raised)
	}
	if err := checkReason(b.Reason); err != nil {
		return AccountInfo{}, err
	}
	after, err = s.Ledger.Amend(ctx, id, revision, after.Promise, after.Terms, s.by(p, b.Reason))
	if err != nil {
		return AccountInfo{}, changeError("account", err)
	}
	return s.accountInfo(ctx, p, after)
}

// promiseError asks an owner to mean what it says.
func promiseError(old, after ledger.Account, raised bool) *Error {
	if !raised {
		return invalid("new_promise says that the lifetime of %s is raised, and it is not.", old.ID)
	}
	return &Error{Code: CodeConflict, Public: "This raises the lifetime of " + old.ID + " from ε " + old.Promise.Epsilon.String() + ", δ " +
		old.Promise.Delta.String() + " to ε " + after.Promise.Epsilon.String() + ", δ " + after.Promise.Delta.String() +
		": a new promise to the people in it, who relied on the old one.",
		Hint: "If that is meant, say new_promise: true. It is logged and shown as one."}
}

// movedOn says that a resource is not at the revision that the caller names.
func movedOn(what string) *Error {
	return &Error{Code: CodePrecondition, Public: "The " + what + " is not at the revision that you name.",
		Hint: "Read it, then send its ETag in If-Match; for a new one send none."}
}

// changeError is what a caller learns of a change that the ledger did not make.
func changeError(what string, err error) error {
	switch {
	case errors.Is(err, ErrNotFound):
		return notFound(what)
	case errors.Is(err, ErrConflict):
		e := movedOn(what)
		e.Err = err
		return e
	case errors.Is(err, ledger.ErrAccount):
		return &Error{Code: CodeInvalid, Public: err.Error(), Err: err}
	default:
		return unavailable(err)
	}
}

func checkReason(reason string) error {
	if reason == "" {
		return invalid("A change needs a reason: it is logged with who made it.")
	}
	if err := audit.CheckReason(reason); err != nil {
		return invalid("reason: %s.", err)
	}
	return nil
}

func (s *Service) by(p access.Principal, reason string) By {
	return By{Actor: p.ID, Reason: reason, At: s.now()}
}

// account finds one account.
func (s *Service) account(ctx context.Context, id string) (ledger.Account, error) {
	list, missing, err := s.accounts(ctx, []string{id})
	if err == nil && missing != "" {
		err = notFound("account")
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
func (s *Service) Accounts(ctx context.Context, p access.Principal) ([]AccountInfo, error) {
	visible, err := s.visibleAccounts(ctx, p)
	if err != nil {
		return nil, err
	}
	list := []AccountInfo{}
	for _, a := range visible {
		info, err := s.accountInfo(ctx, p, a)
		if err != nil {
			return nil, err
		}
		list = append(list, info)
	}
	return list, nil
}

// Account returns one of Accounts.
func (s *Service) Account(ctx context.Context, p access.Principal, org, space string) (AccountInfo, error) {
	visible, err := s.visibleAccounts(ctx, p)
	if err != nil {
		return AccountInfo{}, err
	}
	for _, a := range visible {
		if a.ID == org+"/"+space {
			return s.accountInfo(ctx, p, a)
		}
	}
	return AccountInfo{}, notFound("account")
}

func (s *Service) visibleAccounts(ctx context.Context, p access.Principal) ([]ledger.Account, error) {
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
	var list []ledger.Account
	for _, a := range all {
		org, _, _ := strings.Cut(a.ID, "/")
		if spaces[a.ID] || ownerOf(p, org) == nil {
			list = append(list, a)
		}
	}
	return list, nil
}
