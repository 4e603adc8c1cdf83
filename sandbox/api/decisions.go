package api

import (
	"net/http"
	"strings"

	"github.com/labstack/echo/v4"

	"entrepot/access"
	"entrepot/datasets"
	"entrepot/sandbox"
)

// PostDecision explains what would be decided.
func (s *server) PostDecision(c echo.Context) error {
	p, err := principal(c)
	if err != nil {
		return err
	}
	var r DecisionRequest
	if _, err := readRequest(c, s.Limits.JSON, &r); err != nil {
		return err
	}
	q, err := r.simulation()
	if err != nil {
		return err
	}
	d, err := s.Service.Decide(c.Request().Context(), p, q)
	if err != nil {
		return err
	}
	return writeJSON(c, http.StatusOK, d)
}

func (r DecisionRequest) simulation() (sandbox.Simulation, error) {
	q := sandbox.Simulation{Action: r.Action, Dataset: r.Dataset}
	if err := datasets.ValidateID(r.Dataset); err != nil {
		return q, invalidAt("dataset", err.Error())
	}
	if !r.Action.Known() {
		return q, invalidAt("action", "there are "+string(access.Metadata)+" and "+string(access.Aggregate)+".")
	}
	if r.Project != nil {
		q.Project = *r.Project
	}
	if r.Epsilon != nil {
		e, err := parseEpsilon("epsilon", *r.Epsilon)
		if err != nil {
			return q, err
		}
		q.Epsilon = int64(e)
	}
	if r.Principal != nil {
		if err := datasets.ValidateUnitSpace(r.Principal.ID); err != nil { // the same form, org/name
			return q, invalidAt("principal.id", err.Error())
		}
		organisation, _, _ := strings.Cut(r.Principal.ID, "/")
		q.Principal = access.Principal{ID: r.Principal.ID, Organisation: organisation, Roles: r.Principal.Roles}
		for _, role := range r.Principal.Roles {
			if !role.Known() {
				return q, invalidAt("principal.roles", quote(string(role))+" is not a role.")
			}
		}
	}
	return q, nil
}
