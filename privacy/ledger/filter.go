package ledger

import (
	"fmt"
	"time"

	"entrepot/privacy"
)

// Admit returns the account after a charge, or an error that says why it was refused; then nothing
// was charged. It returns ErrFrozen, ErrQuestion, ErrExhausted or ErrCharge, wrapped with the account's id.
//
// Whether Admit succeeds depends on the charges so far, the owner's terms and the time alone, so that it
// tells nothing about rows.
func (a Account) Admit(c Charge, at time.Time) (Account, error) {
	if err := a.checkCharge(c); err != nil {
		return Account{}, fmt.Errorf("account %s: %w", a.ID, err)
	}
	if a.Frozen() {
		return Account{}, fmt.Errorf("account %s: %w", a.ID, ErrFrozen)
	}
	if !c.Loss.Within(a.Terms.Question) {
		return Account{}, fmt.Errorf("account %s: %w", a.ID, ErrQuestion)
	}
	a.Spent = a.Spent.Plus(c.Loss)
	if !a.Holding(at).Admits() {
		return Account{}, fmt.Errorf("account %s: %w", a.ID, ErrExhausted)
	}
	return a, nil
}

func (a Account) checkCharge(c Charge) error {
	if c.Account != a.ID {
		return fmt.Errorf("%w: it is for account %s", ErrCharge, c.Account)
	}
	if c.Loss.Epsilon <= 0 || c.Loss.Negative() {
		return fmt.Errorf("%w: every release costs something on Σε, and no clock runs backwards", ErrCharge)
	}
	for k, d := range c.Loss.Renyi {
		if (k < a.Promise.Orders.Count()) != (d > 0) {
			return fmt.Errorf("%w: it was not priced at the account's orders", ErrCharge)
		}
	}
	return nil
}

// Fail returns the account after one more admitted question that gave no answer: whether a question
// fails can depend on rows, so a few such events freeze the account.
func (a Account) Fail() Account {
	a.Failures = min(a.Failures, privacy.Unlimited-1) + 1
	return a
}

// Freeze returns the account as if all failures that it allows had happened: nobody knows how many did.
func (a Account) Freeze() Account {
	a.Failures = max(a.Failures, a.Terms.Allowance)
	return a
}

// Frozen reports whether the account refuses every charge until its owner acts.
func (a Account) Frozen() bool { return a.Failures >= a.Terms.Allowance }

// Limits are the caps that hold at a moment: the schedule's share of the lifetime's.
func (a Account) Limits(at time.Time) privacy.Clocks {
	return of(a.Terms.Schedule.Share(at), a.Caps)
}

// Room is what each clock has left at a moment, 0 for a clock that ran out. A charge needs room on Delta
// and on one of the others. It is for display: the lifetime (ε, δ) is the only privacy claim.
func (a Account) Room(at time.Time) privacy.Clocks { return a.Limits(at).Minus(a.Spent) }

// Holding tells which clocks of an account hold.
type Holding struct {
	Epsilon bool                    // Σε is within its cap
	Renyi   [privacy.MaxOrders]bool // each Σd is; false where there is no such clock
	Delta   bool                    // Σδ is
}

// Holding says which clocks hold at a moment.
func (a Account) Holding(at time.Time) Holding {
	limits := a.Limits(at)
	h := Holding{Epsilon: a.Spent.Epsilon <= limits.Epsilon, Delta: a.Spent.Delta <= limits.Delta}
	for k := range a.Promise.Orders.All() {
		h.Renyi[k] = a.Spent.Renyi[k] <= limits.Renyi[k]
	}
	return h
}

// CouldBear reports whether the account could bear a loss if nothing had been spent and all of its lifetime
// were released.
func (a Account) CouldBear(loss privacy.Clocks) bool {
	a.Spent, a.Terms.Schedule = loss, Schedule{}
	return a.Holding(time.Time{}).Admits()
}

// Admits is the filter: Σδ holds, and the kindest of the other clocks does.
func (h Holding) Admits() bool { return h.Delta && (h.Epsilon || h.Renyi != [privacy.MaxOrders]bool{}) }
