package api

import (
	"math"
	"net/http"

	"github.com/labstack/echo/v4"

	"entrepot/sandbox"
)

// maxKey is the longest idempotency key, in bytes.
const maxKey = 255

// PostQuery asks a question. The form of the answer is settled before anything is charged.
func (s *server) PostQuery(c echo.Context, _ PostQueryParams) error {
	p, err := principal(c)
	if err != nil {
		return err
	}
	key, err := idempotencyKey(c.Request().Header)
	if err != nil {
		return err
	}
	var r QueryRequest
	body, err := readRequest(c, s.Limits.SQL, &r)
	if err != nil {
		return err
	}
	q, err := newQuery(r.Project, r.SQL, r.Loss, r.Bounds)
	if err != nil {
		return err
	}
	q.Fresh, q.Idempotency, q.Body = r.Fresh, key, body
	answer, err := s.Service.Submit(c.Request().Context(), p, q)
	if err != nil {
		return err
	}
	return writeAnswer(c, answer)
}

// newQuery reads what a question and an estimate have in common.
func newQuery(project, sql string, loss Loss, bounds *Bounds) (sandbox.Query, error) {
	q := sandbox.Query{Project: project, SQL: sql}
	var err error
	if q.Loss, err = loss.loss(); err != nil {
		return q, err
	}
	if q.Weights, err = loss.weights(); err != nil {
		return q, err
	}
	if bounds == nil {
		return q, nil
	}
	if n := bounds.MaxPartitions; n != nil {
		if err := within("bounds.max_partitions", *n, 1, math.MaxInt64); err != nil {
			return q, err
		}
		q.Bounds.MaxPartitions = *n
	}
	if n := bounds.MaxRowsPerPartition; n != nil {
		if err := within("bounds.max_rows_per_partition", *n, 1, math.MaxInt64); err != nil {
			return q, err
		}
		q.Bounds.MaxRowsPerPartition = *n
	}
	return q, nil
}

// idempotencyKey returns the caller's key, "" without the header.
func idempotencyKey(h http.Header) (string, error) {
	values := h.Values("Idempotency-Key")
	if len(values) == 0 {
		return "", nil
	}
	valid := len(values) == 1 && values[0] != "" && len(values[0]) <= maxKey
	for _, b := range []byte(values[0]) {
		valid = valid && b >= ' ' && b <= '~'
	}
	if !valid {
		return "", &sandbox.Error{Code: sandbox.CodeInvalid, Public: "Idempotency-Key must be given once, with 1 to 255 printable ASCII characters."}
	}
	return values[0], nil
}
