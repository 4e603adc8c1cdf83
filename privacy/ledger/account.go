package ledger

import (
	"errors"
	"fmt"
	"strings"

	"entrepot/privacy"
)

// Kind is how an account counts.
type Kind string

// The kinds of account.
const (
	// KindRenyi admits a charge while Σδ fits and Σε or one Σd fits (the filter of PROMISE.md).
	KindRenyi Kind = "renyi"
	// KindPure admits on Σε alone: δ is 0, so only public partitions can be released.
	KindPure Kind = "pure"
)

var (
	// ErrExhausted means that a charge does not fit. Nothing was charged: ask for less, or ask the
	// owner; the lifetime never refills.
	ErrExhausted = errors.New("the privacy budget does not cover this charge")
	// ErrAllocated means that a charge does not fit an allocation, though its account may have room.
	// Nothing was charged: ask for less, or ask the owner.
	ErrAllocated = errors.New("the allocation does not cover this charge")
	// ErrQuestion means that one question would cost more than the owner lets any question cost. Nothing was
	// charged: ask for less.
	ErrQuestion = errors.New("the charge is larger than one question may cost")
	// ErrFrozen means that the account saw its allowance of failures. Its owner must act.
	ErrFrozen = errors.New("the account is frozen")
	// ErrAccount means that an account or an allocation cannot be made or changed as asked, or that a
	// stored one is damaged; the message says why. Use it for nothing.
	ErrAccount = errors.New("not a valid account")
	// ErrCharge means that a charge is not one: for another account, nothing, negative, or priced
	// for another kind of account. Nothing was charged: it is an error of the program.
	ErrCharge = errors.New("not a valid charge")
)

// Account is the privacy filter of one unit space: a lifetime (ε, δ) promised to the people in it, clocks
// that only grow, and terms below the lifetime that its owner may change.
type Account struct {
	ID       string         `json:"id"`       // org/space
	Revision int64          `json:"revision"` // 1 when it is opened; each change of promise or terms adds one
	Promise  Promise        `json:"promise"`
	Promises int64          `json:"promises"` // how many were made: 1, and one for each time the lifetime was raised
	Caps     privacy.Clocks `json:"caps"`     // what the promise gives each clock
	Terms    Terms          `json:"terms"`
	Spent    privacy.Clocks `json:"spent"`    // what was charged so far
	Failures int64          `json:"failures"` // failed questions so far
}

// Charge is the loss that one question costs one account.
type Charge struct {
	Account string         `json:"account"`
	Loss    privacy.Clocks `json:"loss"`
}

// New opens an account. A promise without orders and shares gets the default ones; zero terms limit
// nothing but the lifetime, and allow DefaultAllowance failures.
// Its errors wrap ErrAccount and can be shown to the owner.
func New(id string, p Promise, t Terms) (Account, error) {
	if p.Kind == KindRenyi && p.unsplit() {
		p = p.withDefaultOrders()
	}
	a := Account{ID: id, Revision: 1, Promise: p, Promises: 1, Caps: p.caps(), Terms: t.complete(p.Orders)}
	return a, a.Validate()
}

// Amend returns the account under other terms, or under a promise of a larger lifetime: a new promise to the
// people in it, which the caller must record as one. What was spent stays, however the terms change: where
// it is more than they leave, no charge fits until they allow more. Errors wrap ErrAccount and can be
// shown to the owner.
func (a Account) Amend(p Promise, t Terms) (Account, error) {
	if p.unsplit() {
		p = a.Promise.grown(p)
	}
	switch {
	case p.Kind != a.Promise.Kind || p.Orders != a.Promise.Orders:
		return Account{}, fmt.Errorf("%w: its kind and its orders were fixed when it was opened", ErrAccount)
	case p.Epsilon < a.Promise.Epsilon || p.Delta < a.Promise.Delta:
		return Account{}, fmt.Errorf("%w: a lifetime is never lowered, as more may be spent already; to let less be spent from now on, give a schedule with a share below 1", ErrAccount)
	}
	b := a
	b.Revision, b.Promise, b.Terms = a.Revision+1, p, t.complete(p.Orders)
	if p != a.Promise {
		b.Promises, b.Caps = a.Promises+1, p.caps()
	}
	if err := b.Validate(); err != nil {
		return Account{}, err
	}
	if !a.Caps.Within(b.Caps) {
		return Account{}, fmt.Errorf("%w: this split of δ takes from a clock what it may have spent already; shares and what they leave only grow", ErrAccount)
	}
	return b, nil
}

// Validate checks an account, also one read from a store: its caps must follow from its promise.
// Clocks may stand above their caps, as one does while another still holds. Errors wrap ErrAccount.
func (a Account) Validate() error {
	if !validID(a.ID) {
		return fmt.Errorf("%w: %.130q is not an id such as org/space", ErrAccount, a.ID)
	}
	if a.Revision < 1 || a.Promises < 1 || a.Promises > a.Revision {
		return fmt.Errorf("%w: %d promises in revision %d", ErrAccount, a.Promises, a.Revision)
	}
	if err := a.Promise.validate(); err != nil {
		return err
	}
	if a.Caps != a.Promise.caps() {
		return fmt.Errorf("%w: its caps do not follow from its lifetime ε and δ", ErrAccount)
	}
	if a.Spent.Negative() || a.Failures < 0 {
		return fmt.Errorf("%w: its clocks are negative", ErrAccount)
	}
	return a.Terms.validate(a.Promise.Orders)
}

// validID reports whether id is org/space, each [a-z][a-z0-9_]* of at most 63 bytes.
func validID(id string) bool {
	org, space, found := strings.Cut(id, "/")
	return found && validName(org) && validName(space)
}

func validName(s string) bool {
	if s == "" || len(s) > 63 || s[0] < 'a' || s[0] > 'z' {
		return false
	}
	return strings.Trim(s, "abcdefghijklmnopqrstuvwxyz0123456789_") == ""
}
