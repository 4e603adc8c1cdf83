package api

import (
	"net/http"

	"github.com/labstack/echo/v4"

	"entrepot/access"
)

// PutProject opens or changes a project.
func (s *server) PutProject(c echo.Context, project ID) error {
	p, err := principal(c)
	if err != nil {
		return err
	}
	body, err := s.readDocument(c)
	if err != nil {
		return err
	}
	j, err := access.ParseProject(project, body)
	if err != nil {
		return documentError(err, access.ErrDocument)
	}
	if j, err = s.Service.PutProject(c.Request().Context(), p, j); err != nil {
		return err
	}
	return writeJSON(c, http.StatusOK, j)
}

// GetProject returns a project.
func (s *server) GetProject(c echo.Context, project ID) error {
	p, err := principal(c)
	if err != nil {
		return err
	}
	j, err := s.Service.Project(c.Request().Context(), p, project)
	if err != nil {
		return err
	}
	return writeJSON(c, http.StatusOK, j)
}
