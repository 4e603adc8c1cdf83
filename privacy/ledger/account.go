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
	// KindRenyi admits a charge while Σδ fits and Σε or Σd fits (the filter of PROMISE.md).
	KindRenyi Kind = "renyi"
	// KindPure admits on Σε alone: δ is 0, so only public partitions can be released.
	KindPure Kind = "pure"
)

var (
	// ErrExhausted means that a charge does not fit. Nothing was charged: ask for less, or ask the
	// owner; the lifetime never refills.
	ErrExhausted = errors.New("the privacy budget does not cover this charge")
	// ErrFrozen means that the account saw its allowance of failures. Its owner must act.
	ErrFrozen = errors.New("the account is frozen")
	// ErrAccount means that an account cannot be opened as asked, or that a stored one is damaged;
	// the message says why. Use it for nothing.
	ErrAccount = errors.New("not a valid account")
	// ErrCharge means that a charge is not one: for another account, nothing, negative, or priced
	// for another kind of account. Nothing was charged: it is an error of the program.
	ErrCharge = errors.New("not a valid charge")
)

// DefaultAllowance is how many failed questions freeze an account, MaxAllowance the most that may be
// set: each failure is an exact bit outside (ε, δ).
const (
	DefaultAllowance = 3
	MaxAllowance     = 100
)

// Account is the privacy filter of one unit space: its caps are fixed when it is opened, its clocks
// only grow.
type Account struct {
	ID       string          `json:"id"` // org/space
	Kind     Kind            `json:"kind"`
	Epsilon  privacy.Epsilon `json:"epsilon"`  // lifetime ε
	Delta    privacy.Delta   `json:"delta"`    // lifetime δ
	Order    privacy.Order   `json:"order"`    // α of the Rényi clock; 0 for a pure account
	Caps     privacy.Clocks  `json:"caps"`     // Σε ≤ Epsilon; Σd ≤ d_max(α); Σδ ≤ what the order leaves of Delta
	Spent    privacy.Clocks  `json:"spent"`    // what was charged so far
	Failures int64           `json:"failures"` // failed questions so far
	Allowed  int64           `json:"allowed"`  // failures that freeze it
}

// Charge is the loss that one question costs one account.
type Charge struct {
	Account string         `json:"account"`
	Loss    privacy.Clocks `json:"loss"`
}

// New opens an account. Half of a Rényi account's δ goes to its order, which is the one that holds the
// most small charges; the other half is for approximate steps (partition selection).
// Its errors wrap ErrAccount and can be shown to the owner.
func New(id string, kind Kind, eps privacy.Epsilon, delta privacy.Delta) (Account, error) {
	a := Account{ID: id, Kind: kind, Epsilon: eps, Delta: delta, Allowed: DefaultAllowance}
	a.Caps.Epsilon = eps
	if kind == KindRenyi && eps > 0 && delta > 1 && delta < privacy.OneDelta {
		ofOrder := delta / 2
		a.Order = privacy.DefaultOrder(eps, ofOrder)
		a.Caps.Renyi = privacy.RenyiCap(eps, ofOrder, a.Order)
		a.Caps.Delta = delta - ofOrder
	}
	return a, a.Validate()
}

// Validate checks an account, also one read from a store: its caps must follow from its lifetime.
// Clocks may stand above their caps, as one does while another still holds. Errors wrap ErrAccount.
func (a Account) Validate() error {
	if !validID(a.ID) {
		return fmt.Errorf("%w: %.130q is not an id such as org/space", ErrAccount, a.ID)
	}
	if a.Epsilon <= 0 || a.Epsilon > privacy.MaxLifetimeEpsilon {
		return fmt.Errorf("%w: a lifetime ε of %s; it must be above 0 and at most %s", ErrAccount, a.Epsilon, privacy.MaxLifetimeEpsilon)
	}
	if a.Spent.Epsilon < 0 || a.Spent.Renyi < 0 || a.Spent.Delta < 0 || a.Failures < 0 || a.Allowed < 1 || a.Allowed > MaxAllowance {
		return fmt.Errorf("%w: its clocks are negative, or its allowance of failures is not 1 to %d", ErrAccount, MaxAllowance)
	}
	switch a.Kind {
	case KindPure:
		if a.Delta != 0 || a.Order != 0 || a.Caps != (privacy.Clocks{Epsilon: a.Epsilon}) {
			return fmt.Errorf("%w: a pure account has δ = 0 and no clock but Σε", ErrAccount)
		}
		return nil
	case KindRenyi:
		return a.validateRenyi()
	default:
		return fmt.Errorf("%w: there is no kind %.40q; write %q or %q", ErrAccount, a.Kind, KindRenyi, KindPure)
	}
}

// validateRenyi holds the caps to the lifetime: δ_order + δ_steps ≤ δ, and d_max from (ε, δ_order).
func (a Account) validateRenyi() error {
	if a.Delta < 2 || a.Delta >= privacy.OneDelta {
		return fmt.Errorf("%w: a lifetime δ of %s; it must be above 0 and below 1 (a pure account has none)", ErrAccount, a.Delta)
	}
	if a.Order <= 1000 || a.Order > privacy.MaxOrder {
		return fmt.Errorf("%w: an order of %s; it must be above 1 and at most %s", ErrAccount, a.Order, privacy.MaxOrder)
	}
	ofOrder := a.Delta - a.Caps.Delta
	if a.Caps.Epsilon != a.Epsilon || a.Caps.Delta < 0 || ofOrder <= 0 ||
		a.Caps.Renyi < 0 || a.Caps.Renyi > privacy.RenyiCap(a.Epsilon, ofOrder, a.Order) {
		return fmt.Errorf("%w: its caps do not follow from its lifetime ε and δ", ErrAccount)
	}
	return nil
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
