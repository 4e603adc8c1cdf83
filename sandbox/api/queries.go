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
	q, err := asked{r.Project, r.SQL, r.Loss, r.Accuracy, r.Bounds, r.GroupSize, r.Release}.query()
	if err != nil {
		return err
	}
	if q.Accuracy == nil && q.Group != (sandbox.Group{}) {
		return invalidAt("", "group_size and release go with accuracy: a loss does not depend on how large groups are.")
	}
	q.Fresh, q.Idempotency, q.Body = r.Fresh, key, body
	answer, err := s.Service.Submit(c.Request().Context(), p, q)
	if err != nil {
		return err
	}
	return writeAnswer(c, answer)
}

// asked is what a question and an estimate have in common.
type asked struct {
	project, sql string
	loss         *Loss
	accuracy     *Accuracy
	bounds       *Bounds
	groupSize    *int64
	release      *string
}

// query reads it.
func (a asked) query() (sandbox.Query, error) {
	q := sandbox.Query{Project: a.project, SQL: a.sql}
	var err error
	switch {
	case a.loss != nil && a.accuracy != nil:
		return q, invalidAt("", "It names both loss and accuracy; say what to spend, or how exact the answer is to be.")
	case a.loss != nil:
		if q.Loss, err = a.loss.loss(); err != nil {
			return q, err
		}
		if q.Weights, err = a.loss.weights(); err != nil {
			return q, err
		}
	case a.accuracy != nil:
		q.Accuracy = &sandbox.Accuracy{}
		if *q.Accuracy, q.Loss, err = a.accuracy.accuracy(); err != nil {
			return q, err
		}
	}
	if q.Group, err = a.group(); err != nil {
		return q, err
	}
	return q, a.limit(&q)
}

// group reads what groups widths are for.
func (a asked) group() (g sandbox.Group, err error) {
	if a.groupSize != nil {
		g.Rows = *a.groupSize
		if err := within("group_size", g.Rows, 1, largestGroupSize); err != nil {
			return g, err
		}
	}
	if a.release != nil {
		g.Release = *a.release
		if !validRelease(g.Release) {
			return g, invalidAt("release", quote(g.Release)+" is not the id of a release.")
		}
	}
	return g, nil
}

// limit reads how much of one privacy unit may count.
func (a asked) limit(q *sandbox.Query) error {
	if a.bounds == nil {
		return nil
	}
	if n := a.bounds.MaxPartitions; n != nil {
		if err := within("bounds.max_partitions", *n, 1, math.MaxInt64); err != nil {
			return err
		}
		q.Bounds.MaxPartitions = *n
	}
	if n := a.bounds.MaxRowsPerPartition; n != nil {
		if err := within("bounds.max_rows_per_partition", *n, 1, math.MaxInt64); err != nil {
			return err
		}
		q.Bounds.MaxRowsPerPartition = *n
	}
	return nil
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
