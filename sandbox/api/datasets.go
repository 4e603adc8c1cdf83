package api

import (
	"net/http"

	"github.com/labstack/echo/v4"

	"entrepot/datasets"
)

// ListDatasets lists the datasets that the principal may see.
func (s *server) ListDatasets(c echo.Context) error {
	p, err := principal(c)
	if err != nil {
		return err
	}
	list, err := s.Service.Datasets(c.Request().Context(), p)
	if err != nil {
		return err
	}
	return writeJSON(c, http.StatusOK, DatasetList{Datasets: list})
}

// PutDataset registers a declaration.
func (s *server) PutDataset(c echo.Context, org Org, name Name) error {
	p, err := principal(c)
	if err != nil {
		return err
	}
	body, err := s.readDocument(c)
	if err != nil {
		return err
	}
	declaration, err := datasets.ParseDeclaration(body)
	if err != nil {
		return documentError(err, datasets.ErrDeclaration)
	}
	d, err := s.Service.PutDataset(c.Request().Context(), p, org, name, declaration)
	if err != nil {
		return err
	}
	return writeJSON(c, http.StatusOK, d)
}

// GetDataset returns a declaration.
func (s *server) GetDataset(c echo.Context, org Org, name Name) error {
	p, err := principal(c)
	if err != nil {
		return err
	}
	d, err := s.Service.Dataset(c.Request().Context(), p, org+"."+name)
	if err != nil {
		return err
	}
	return writeJSON(c, http.StatusOK, d)
}
