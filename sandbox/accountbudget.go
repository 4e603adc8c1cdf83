package sandbox

import (
	"entrepot/privacy"
	"entrepot/privacy/ledger"
)

// Budget is what an owner sets for a unit space: the lifetime promised to the people in it, and below it the
// terms, which may change. It is the whole of it: terms that are left out are those of a new account.
type Budget struct {
	Kind    ledger.Kind
	Epsilon privacy.Epsilon // lifetime
	Delta   privacy.Delta   // lifetime
	Orders  []AccountOrder  // none: those that the account has, or else the default

	Allowance int64           // failures that freeze it; 0: ledger.DefaultAllowance
	Question  Limits          // the most that one question may cost
	Default   privacy.Epsilon // of a question that names neither loss nor accuracy; 0: it must
	Schedule  ledger.Schedule

	NewPromise bool   // the lifetime is meant to be raised
	Reason     string // for the log; a change needs one
}

// Limits are caps on the clocks of an account; one that is left out caps nothing.
type Limits struct {
	Epsilon *privacy.Epsilon
	Renyi   []privacy.Renyi // by clock; those that follow are not capped
	Delta   *privacy.Delta
}

// clocks are the limits on an account with these orders.
func (l Limits) clocks(orders privacy.Orders) (privacy.Clocks, error) {
	c := ledger.NoLimit(orders)
	if len(l.Renyi) > orders.Count() {
		return c, invalid("A limit on Rényi clock %d; the account has %d.", len(l.Renyi), orders.Count())
	}
	copy(c.Renyi[:], l.Renyi)
	if l.Epsilon != nil {
		c.Epsilon = *l.Epsilon
	}
	if l.Delta != nil {
		c.Delta = *l.Delta
	}
	return c, nil
}

func (b Budget) promise() (ledger.Promise, error) {
	p := ledger.Promise{Kind: b.Kind, Epsilon: b.Epsilon, Delta: b.Delta}
	if len(b.Orders) > privacy.MaxOrders {
		return p, invalid("%d orders; an account has at most %d Rényi clocks.", len(b.Orders), privacy.MaxOrders)
	}
	for k, o := range b.Orders {
		p.Orders[k], p.Shares[k] = o.Order, o.Delta
	}
	return p, nil
}

// terms are the budget's terms for an account with these orders.
func (b Budget) terms(orders privacy.Orders) (ledger.Terms, error) {
	if limit := b.Question.Epsilon; limit != nil && *limit == 0 {
		return ledger.Terms{}, invalid("A question costs something on Σε: the most that it may cost is above 0. To stop all questions, give a schedule.")
	}
	question, err := b.Question.clocks(orders)
	return ledger.Terms{Allowance: b.Allowance, Question: question, Default: b.Default, Schedule: b.Schedule}, err
}

// open is a new account with the budget.
func (b Budget) open(id string) (ledger.Account, error) {
	p, err := b.promise()
	if err != nil {
		return ledger.Account{}, err
	}
	a, err := ledger.New(id, p, ledger.Terms{})
	if err != nil {
		return ledger.Account{}, invalid("%s", err)
	}
	t, err := b.terms(a.Promise.Orders)
	if err != nil {
		return ledger.Account{}, err
	}
	if a, err = ledger.New(id, a.Promise, t); err != nil {
		return ledger.Account{}, invalid("%s", err)
	}
	return a, nil
}

// amend is an account with the budget. Only the lifetime and the terms of the result may be other than the
// account's: the errors say what to do instead.
func (b Budget) amend(a ledger.Account) (ledger.Account, error) {
	p, err := b.promise()
	if err != nil {
		return a, err
	}
	switch {
	case p.Kind != a.Promise.Kind, p.Orders != a.Promise.Orders && p.Orders != privacy.Orders{}:
		return a, &Error{Code: CodeConflict, Public: "The kind and the orders of " + a.ID + " were fixed when its account was opened.",
			Hint: "What was charged was measured at them. Leave orders out to keep them."}
	case p.Epsilon < a.Promise.Epsilon, p.Delta < a.Promise.Delta:
		return a, &Error{Code: CodeConflict, Public: "The lifetime of " + a.ID + " is ε " + a.Promise.Epsilon.String() + ", δ " + a.Promise.Delta.String() +
			"; it is never lowered, as more may be spent already.",
			Hint: "To let less be spent from now on, give a schedule whose share is below 1."}
	}
	t, err := b.terms(a.Promise.Orders)
	if err != nil {
		return a, err
	}
	after, err := a.Amend(p, t)
	if err != nil {
		return a, invalid("%s", err)
	}
	return after, nil
}
