package api

import (
	"net/http"

	"github.com/labstack/echo/v4"

	"entrepot/sandbox"
)

// ListReleases lists releases, newest first.
func (s *server) ListReleases(c echo.Context) error {
	p, err := principal(c)
	if err != nil {
		return err
	}
	list, err := s.Service.Releases(c.Request().Context(), p)
	if err != nil {
		return err
	}
	return writeJSON(c, http.StatusOK, ReleaseList{Releases: list})
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
