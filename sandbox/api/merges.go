package api

import (
	"net/http"

	"github.com/labstack/echo/v4"

	"entrepot/sandbox"
)

// ListMerges lists the merges of a unit space.
func (s *server) ListMerges(c echo.Context, org Org, space Space) error {
	p, err := principal(c)
	if err != nil {
		return err
	}
	list, err := s.Service.Merges(c.Request().Context(), p, org, space)
	if err != nil {
		return err
	}
	all := MergeList{Merges: []Merge{}}
	for _, m := range list {
		all.Merges = append(all.Merges, newMerge(m))
	}
	return writeJSON(c, http.StatusOK, all)
}

// PutMerge agrees that two unit spaces hold the same people.
func (s *server) PutMerge(c echo.Context, org Org, space Space) error {
	p, err := principal(c)
	if err != nil {
		return err
	}
	var r MergeRequest
	if _, err := readRequest(c, s.Limits.JSON, &r); err != nil {
		return err
	}
	m, err := s.Service.MergeSpaces(c.Request().Context(), p, org, space, r.With, r.Reason)
	if err != nil {
		return err
	}
	return writeJSON(c, http.StatusOK, newMerge(m))
}

func newMerge(m sandbox.Merge) Merge {
	return Merge{Spaces: m.Spaces, Agreed: m.Agreed, InForce: m.InForce, Reason: m.Reason}
}
