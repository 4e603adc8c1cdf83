package api

import (
	"net/http"

	"github.com/labstack/echo/v4"

	"entrepot/access"
)

// PutOrganisation registers a partner.
func (s *server) PutOrganisation(c echo.Context, org Org) error {
	p, err := principal(c)
	if err != nil {
		return err
	}
	body, err := s.readDocument(c)
	if err != nil {
		return err
	}
	o, err := access.ParseOrganisation(org, body)
	if err != nil {
		return documentError(err, access.ErrDocument)
	}
	if o, err = s.Service.PutOrganisation(c.Request().Context(), p, o); err != nil {
		return err
	}
	return writeJSON(c, http.StatusOK, o)
}

// GetOrganisation returns a partner.
func (s *server) GetOrganisation(c echo.Context, org Org) error {
	p, err := principal(c)
	if err != nil {
		return err
	}
	o, err := s.Service.Organisation(c.Request().Context(), p, org)
	if err != nil {
		return err
	}
	return writeJSON(c, http.StatusOK, o)
}
