package api

import (
	"fmt"
	"net/http"

	"github.com/labstack/echo/v4"

	"entrepot/privacy"
	"entrepot/privacy/ledger"
	"entrepot/sandbox"
)

// ListAccounts lists budgets and what was spent of them.
func (s *server) ListAccounts(c echo.Context) error {
	p, err := principal(c)
	if err != nil {
		return err
	}
	list, err := s.Service.Accounts(c.Request().Context(), p)
	if err != nil {
		return err
	}
	return writeJSON(c, http.StatusOK, AccountList{Accounts: list})
}

// GetAccount returns one account, with its revision as ETag.
func (s *server) GetAccount(c echo.Context, org Org, space Space) error {
	p, err := principal(c)
	if err != nil {
		return err
	}
	a, err := s.Service.Account(c.Request().Context(), p, org, space)
	if err != nil {
		return err
	}
	return writeRevision(c, a.Revision, a)
}

// PutAccount opens the account of a unit space, or changes the one whose ETag the caller names.
func (s *server) PutAccount(c echo.Context, org Org, space Space, _ PutAccountParams) error {
	p, err := principal(c)
	if err != nil {
		return err
	}
	revision, err := ifMatch(c.Request().Header)
	if err != nil {
		return err
	}
	var b Budget
	if _, err := readRequest(c, s.Limits.JSON, &b); err != nil {
		return err
	}
	budget, err := b.budget()
	if err != nil {
		return err
	}
	var a sandbox.AccountInfo
	if revision == 0 {
		a, err = s.Service.OpenAccount(c.Request().Context(), p, org, space, budget)
	} else {
		a, err = s.Service.AmendAccount(c.Request().Context(), p, org, space, revision, budget)
	}
	if err != nil {
		return err
	}
	return writeRevision(c, a.Revision, a)
}

// writeRevision answers with a resource and its ETag.
func writeRevision(c echo.Context, revision int64, value any) error {
	c.Response().Header().Set(headerETag, etag(revision))
	return writeJSON(c, http.StatusOK, value)
}

func (b Budget) budget() (sandbox.Budget, error) {
	out := sandbox.Budget{Kind: b.Kind, NewPromise: b.NewPromise, Reason: b.Reason, Allowance: b.FailureAllowance}
	var err error
	if out.Epsilon, err = parseEpsilon("epsilon", b.Epsilon); err != nil {
		return out, err
	}
	if out.Delta, err = parseDelta("delta", b.Delta); err != nil {
		return out, err
	}
	if b.DefaultEpsilon != nil {
		if out.Default, err = parseEpsilon("default_epsilon", *b.DefaultEpsilon); err != nil {
			return out, err
		}
	}
	if len(b.Orders) > privacy.MaxOrders {
		return out, invalidAt("orders", fmt.Sprintf("there are %d; %d are the most.", len(b.Orders), privacy.MaxOrders))
	}
	for i, o := range b.Orders {
		path := fmt.Sprintf("orders[%d]", i)
		var order sandbox.AccountOrder
		if err := order.Order.UnmarshalText([]byte(o.Order)); err != nil {
			return out, invalidAt(path+".order", err.Error())
		}
		if order.Delta, err = parseDelta(path+".delta", o.Delta); err != nil {
			return out, err
		}
		out.Orders = append(out.Orders, order)
	}
	if b.Question != nil {
		if out.Question, err = b.Question.limits("question"); err != nil {
			return out, err
		}
	}
	out.Schedule, err = schedule(b.Schedule)
	return out, err
}

// limits reads caps, of which any may be left out.
func (l Caps) limits(path string) (sandbox.Limits, error) {
	var out sandbox.Limits
	if l.Epsilon != nil {
		out.Epsilon = new(privacy.Epsilon)
		if err := out.Epsilon.UnmarshalText([]byte(*l.Epsilon)); err != nil {
			return out, invalidAt(path+".epsilon", err.Error())
		}
	}
	if l.Delta != nil {
		out.Delta = new(privacy.Delta)
		if err := out.Delta.UnmarshalText([]byte(*l.Delta)); err != nil {
			return out, invalidAt(path+".delta", err.Error())
		}
	}
	if len(l.Renyi) > privacy.MaxOrders {
		return out, invalidAt(path+".renyi", fmt.Sprintf("there are %d; %d are the most.", len(l.Renyi), privacy.MaxOrders))
	}
	for i, d := range l.Renyi {
		var limit privacy.Renyi
		if err := limit.UnmarshalText([]byte(d)); err != nil {
			return out, invalidAt(fmt.Sprintf("%s.renyi[%d]", path, i), err.Error())
		}
		out.Renyi = append(out.Renyi, limit)
	}
	return out, nil
}

func schedule(steps []ScheduleStep) (ledger.Schedule, error) {
	var s ledger.Schedule
	if len(steps) > len(s) {
		return s, invalidAt("schedule", fmt.Sprintf("it has %d steps; %d are the most.", len(steps), len(s)))
	}
	for i, step := range steps {
		if err := s[i].From.UnmarshalText([]byte(step.From)); err != nil {
			return s, invalidAt(fmt.Sprintf("schedule[%d].from", i), err.Error())
		}
		if err := s[i].Share.UnmarshalText([]byte(step.Share)); err != nil {
			return s, invalidAt(fmt.Sprintf("schedule[%d].share", i), err.Error())
		}
	}
	return s, nil
}
