package api

import (
	"net/http"

	"github.com/labstack/echo/v4"
)

// The group that an expected error is for, in rows.
const (
	defaultGroupSize = 1000
	largestGroupSize = 1_000_000_000_000
)

// PostEstimate prices a question.
func (s *server) PostEstimate(c echo.Context) error {
	p, err := principal(c)
	if err != nil {
		return err
	}
	var r EstimateRequest
	if _, err := readRequest(c, s.Limits.SQL, &r); err != nil {
		return err
	}
	q, err := newQuery(r.Project, r.SQL, r.Loss, r.Bounds)
	if err != nil {
		return err
	}
	size := int64(defaultGroupSize)
	if r.GroupSize != nil {
		size = *r.GroupSize
	}
	if err := within("group_size", size, 1, largestGroupSize); err != nil {
		return err
	}
	e, err := s.Service.Estimate(c.Request().Context(), p, q, float64(size))
	if err != nil {
		return err
	}
	return writeJSON(c, http.StatusOK, e)
}
