package sandbox

import (
	"context"
	"errors"
	"strings"

	"entrepot/privacy"
	"entrepot/privacy/ledger"
)

// explain says to who asked why an account has room and its owner still does not let the question be paid: it
// costs more than one question may, or than an allocation has left that covers the asker, who may
// know of it.
func (s *Service) explain(ctx context.Context, asker ledger.Asker, price []charged) (*Error, error) {
	for _, c := range price {
		orders := c.account.Promise.Orders
		if limit := c.account.Terms.Question; !c.loss.Within(limit) {
			return &Error{Code: CodeExhausted, Public: "This question costs more than the owner of " + c.account.ID + " lets one question cost (" +
				excess(c.loss, limit, orders) + "); nothing was charged.", Hint: "Ask for a smaller loss, or for less at a time."}, nil
		}
		list, err := s.Ledger.Allocations(ctx, c.account.ID)
		if err != nil {
			return nil, unavailable(err)
		}
		for _, a := range list {
			if !a.Scope.Covers(asker) {
				continue
			}
			if _, err := a.Admit(ledger.Charge{Account: a.Account, Loss: c.loss}); errors.Is(err, ledger.ErrAllocated) {
				return &Error{Code: CodeExhausted, Public: "The allocation " + a.Name + " of " + a.Account + " does not cover this question (" +
					excess(c.loss, a.Caps.Minus(a.Spent), orders) + "); nothing was charged.",
					Hint: "Ask for a smaller loss, or ask the owner to raise the allocation. GET /v1/accounts shows what is left of it."}, nil
			}
		}
	}
	// What refused it was changed since.
	return &Error{Code: CodeExhausted, Public: "An allocation does not cover this question; nothing was charged.", Hint: "Ask again."}, nil
}

// excess names the clocks on which a price is above a limit, with both.
func excess(price, limit privacy.Clocks, orders privacy.Orders) string {
	var list []string
	add := func(clock, price, limit string) { list = append(list, clock+" "+price+" of at most "+limit) }
	if price.Epsilon > limit.Epsilon {
		add("ε", price.Epsilon.String(), limit.Epsilon.String())
	}
	for k, order := range orders.All() {
		if price.Renyi[k] > limit.Renyi[k] {
			add("Rényi "+order.String()+":", price.Renyi[k].String(), limit.Renyi[k].String())
		}
	}
	if price.Delta > limit.Delta {
		add("δ", price.Delta.String(), limit.Delta.String())
	}
	return strings.Join(list, ", ")
}
