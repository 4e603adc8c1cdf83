package api

import (
	"net/http"

	"github.com/labstack/echo/v4"
)

// largestGroupSize is the largest group that an expected error may be for, in rows.
const largestGroupSize = 1_000_000_000_000

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
	q, err := asked{r.Project, r.SQL, r.Loss, r.Accuracy, r.Bounds, r.GroupSize, r.Release}.query()
	if err != nil {
		return err
	}
	e, err := s.Service.Estimate(c.Request().Context(), p, q)
	if err != nil {
		return err
	}
	return writeJSON(c, http.StatusOK, e)
}
