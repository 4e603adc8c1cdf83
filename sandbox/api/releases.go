package api

import (
	"net/http"

	"github.com/labstack/echo/v4"

	"entrepot/sandbox"
)

// ListReleases lists admitted questions and what became of them, newest first.
func (s *server) ListReleases(c echo.Context, params ListReleasesParams) error {
	p, err := principal(c)
	if err != nil {
		return err
	}
	var f sandbox.HistoryFilter
	for _, filter := range []struct {
		value *string
		into  *string
	}{{params.Account, &f.Account}, {params.Project, &f.Project}, {params.Principal, &f.Principal}} {
		if filter.value != nil {
			*filter.into = *filter.value
		}
	}
	if params.State != nil {
		f.State = *params.State
	}
	if params.Before != nil {
		f.Before = *params.Before
	}
	if params.Limit != nil {
		f.Limit = *params.Limit
	}
	list, next, err := s.Service.Releases(c.Request().Context(), p, f)
	if err != nil {
		return err
	}
	return writeJSON(c, http.StatusOK, ReleaseList{Releases: list, Next: next})
}

// GetRelease returns a release as it was answered.
func (s *server) GetRelease(c echo.Context, id ReleaseID) error {
	p, err := principal(c)
	if err != nil {
		return err
	}
	answer, err := s.Service.Release(c.Request().Context(), p, id)
	if err != nil {
		return err
	}
	return writeAnswer(c, answer)
}

// writeAnswer writes a release in the form that the request prefers. Nothing in the body depends on
// anything but the release and the form, so the same release is the same bytes for ever.
func writeAnswer(c echo.Context, a sandbox.Answer) error {
	c.Response().Header().Set(echo.HeaderVary, echo.HeaderAccept)
	if !prefersArrow(c.Request()) {
		return writeJSON(c, http.StatusOK, a)
	}
	body, err := arrowStream(a)
	if err != nil {
		return err
	}
	return writeBytes(c, http.StatusOK, mediaArrow, body)
}
