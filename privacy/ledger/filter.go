package ledger

import (
	"fmt"
	"math"

	"entrepot/privacy"
)

// Admit returns the account after a charge, or an error that says why it was refused; then nothing
// was charged. It returns ErrFrozen, ErrExhausted or ErrCharge, wrapped with the account's id.
//
// Whether Admit succeeds depends on the charges so far alone, so that it tells nothing about rows.
func (a Account) Admit(c Charge) (Account, error) {
	if err := a.checkCharge(c); err != nil {
		return Account{}, fmt.Errorf("account %s: %w", a.ID, err)
	}
	if a.Frozen() {
		return Account{}, fmt.Errorf("account %s: %w", a.ID, ErrFrozen)
	}
	after := privacy.Clocks{
		Epsilon: add(a.Spent.Epsilon, c.Loss.Epsilon),
		Renyi:   add(a.Spent.Renyi, c.Loss.Renyi),
		Delta:   add(a.Spent.Delta, c.Loss.Delta),
	}
	basic := after.Epsilon <= a.Caps.Epsilon
	renyi := a.Kind == KindRenyi && after.Renyi <= a.Caps.Renyi
	if after.Delta > a.Caps.Delta || !basic && !renyi {
		return Account{}, fmt.Errorf("account %s: %w", a.ID, ErrExhausted)
	}
	a.Spent = after
	return a, nil
}

func (a Account) checkCharge(c Charge) error {
	if c.Account != a.ID {
		return fmt.Errorf("%w: it is for account %s", ErrCharge, c.Account)
	}
	if c.Loss.Epsilon <= 0 || c.Loss.Renyi < 0 || c.Loss.Delta < 0 {
		return fmt.Errorf("%w: every release costs something on Σε, and no clock runs backwards", ErrCharge)
	}
	if (a.Kind == KindRenyi) != (c.Loss.Renyi > 0) {
		return fmt.Errorf("%w: it was not priced at the account's order", ErrCharge)
	}
	return nil
}

// add adds two amounts that are not negative. A sum too large to count stays at the largest amount,
// which is above every cap.
func add[A ~int64](x, y A) A {
	if x > math.MaxInt64-y {
		return math.MaxInt64
	}
	return x + y
}

// Fail returns the account after one more admitted question that gave no answer: whether a question
// fails can depend on rows, so a few such events freeze the account.
func (a Account) Fail() Account {
	a.Failures = add(a.Failures, 1)
	return a
}

// Frozen reports whether the account refuses every charge until its owner acts.
func (a Account) Frozen() bool { return a.Failures >= a.Allowed }

// Room is what each clock has left, 0 for a clock that ran out. A charge needs room on Delta and on
// one of Epsilon and Renyi. It is for display: the lifetime (ε, δ) is the only privacy claim.
func (a Account) Room() privacy.Clocks {
	return privacy.Clocks{
		Epsilon: max(0, a.Caps.Epsilon-a.Spent.Epsilon),
		Renyi:   max(0, a.Caps.Renyi-a.Spent.Renyi),
		Delta:   max(0, a.Caps.Delta-a.Spent.Delta),
	}
}
