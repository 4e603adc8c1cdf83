package api

import (
	_ "embed" // the specification is served
	"net/http"

	"github.com/labstack/echo/v4"
)

//go:embed openapi.yaml
var specification []byte

// GetHealth says that the server answers, and nothing about what it holds.
func (s *server) GetHealth(c echo.Context) error {
	return writeJSON(c, http.StatusOK, Health{Status: HealthStatusOK})
}

// GetSpecification serves openapi.yaml.
func (s *server) GetSpecification(c echo.Context) error {
	return writeBytes(c, http.StatusOK, mediaYAML, specification)
}

// WhoAmI says who the token stands for.
func (s *server) WhoAmI(c echo.Context) error {
	p, err := principal(c)
	if err != nil {
		return err
	}
	return writeJSON(c, http.StatusOK, p)
}
