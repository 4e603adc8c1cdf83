package api

import (
	"net/http"

	"github.com/labstack/echo/v4"

	"entrepot/privacy/ledger"
	"entrepot/sandbox"
)

// GetAllocation returns an allocation, with its revision as ETag.
func (s *server) GetAllocation(c echo.Context, org Org, space Space, name AllocationName) error {
	p, err := principal(c)
	if err != nil {
		return err
	}
	a, err := s.Service.Allocation(c.Request().Context(), p, org, space, name)
	if err != nil {
		return err
	}
	return writeRevision(c, a.Revision, a)
}

// PutAllocation makes an allocation, or changes the one whose ETag the caller names.
func (s *server) PutAllocation(c echo.Context, org Org, space Space, name AllocationName, _ PutAllocationParams) error {
	p, err := principal(c)
	if err != nil {
		return err
	}
	revision, err := ifMatch(c.Request().Header)
	if err != nil {
		return err
	}
	var r AllocationRequest
	if _, err := readRequest(c, s.Limits.JSON, &r); err != nil {
		return err
	}
	change := sandbox.AllocationChange{Reason: r.Reason, Scope: ledger.Scope{
		Project: r.Scope.Project, Organisation: r.Scope.Organisation, Researcher: r.Scope.Researcher}}
	if change.Caps, err = r.Caps.limits("caps"); err != nil {
		return err
	}
	a, err := s.Service.PutAllocation(c.Request().Context(), p, org, space, name, revision, change)
	if err != nil {
		return err
	}
	return writeRevision(c, a.Revision, a)
}

// DeleteAllocation takes away the allocation whose ETag the caller names.
func (s *server) DeleteAllocation(c echo.Context, org Org, space Space, name AllocationName, params DeleteAllocationParams) error {
	p, err := principal(c)
	if err != nil {
		return err
	}
	revision, err := ifMatch(c.Request().Header)
	if err != nil {
		return err
	}
	if err := s.Service.DeleteAllocation(c.Request().Context(), p, org, space, name, revision, params.Reason); err != nil {
		return err
	}
	return c.NoContent(http.StatusNoContent)
}
