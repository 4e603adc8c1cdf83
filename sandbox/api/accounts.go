package api

import (
	"net/http"

	"github.com/labstack/echo/v4"

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

// PutAccount fixes the lifetime budget of a unit space.
func (s *server) PutAccount(c echo.Context, org Org, space ID) error {
	p, err := principal(c)
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
	a, err := s.Service.OpenAccount(c.Request().Context(), p, org, space, budget)
	if err != nil {
		return err
	}
	return writeJSON(c, http.StatusOK, a)
}

func (b Budget) budget() (sandbox.Budget, error) {
	epsilon, err := parseEpsilon("epsilon", b.Epsilon)
	if err != nil {
		return sandbox.Budget{}, err
	}
	delta, err := parseDelta("delta", b.Delta)
	return sandbox.Budget{Kind: b.Kind, Epsilon: epsilon, Delta: delta}, err
}
