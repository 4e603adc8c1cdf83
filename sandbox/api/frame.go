package api

import (
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"net/http"

	"github.com/labstack/echo/v4"

	"entrepot/access"
	"entrepot/sandbox"
)

// The names under which the middleware keeps what it found out about a request.
const (
	keyRequest   = "request"
	keyPrincipal = "principal"
)

// errPanic stands for whatever a handler panicked with.
var errPanic = errors.New("a handler panicked")

// frame goes around everything else: it names the request, sets the headers that every response has,
// turns errors and panics into problems, and writes the one line that the operator's log has for each
// request.
func (s *server) frame(next echo.HandlerFunc) echo.HandlerFunc {
	return func(c echo.Context) error {
		var id [12]byte
		if _, err := rand.Read(id[:]); err != nil {
			return fmt.Errorf("name the request: %w", err)
		}
		c.Set(keyRequest, hex.EncodeToString(id[:]))
		setHeaders(c)
		err := guard(next, c)
		torn := err != nil && c.Response().Committed
		if err != nil {
			s.fail(c, err)
		}
		s.logRequest(c)
		if torn {
			// The answer had begun. net/http breaks the connection, so that nobody takes it for whole.
			panic(http.ErrAbortHandler)
		}
		return nil
	}
}

// guard turns a panic into an error. The value and the stack may hold what was in a row, so only the
// value's type is kept.
func guard(next echo.HandlerFunc, c echo.Context) (err error) {
	defer func() {
		if value := recover(); value != nil {
			err = fmt.Errorf("%w: %T", errPanic, value)
		}
	}()
	return next(c)
}

// setHeaders sets what every response has. Nothing here is for a browser to show, frame, guess the type
// of, or keep.
func setHeaders(c echo.Context) {
	h := c.Response().Header()
	h.Set("X-Request-Id", requestID(c)) // ours: the client's would let it write into the operator's log
	h.Set("Cache-Control", "no-store")
	h.Set("Content-Security-Policy", "default-src 'none'; frame-ancestors 'none'")
	h.Set("Cross-Origin-Resource-Policy", "same-origin")
	h.Set("Referrer-Policy", "no-referrer")
	h.Set("X-Content-Type-Options", "nosniff")
	if c.Request().TLS != nil {
		h.Set("Strict-Transport-Security", "max-age=31536000")
	}
}

// logRequest writes the access log. It has no path, query string, header or body: the pattern of the
// route says what was asked for, and names of datasets are not the operator's to read here.
// It has no size and no duration either: both depend on rows where a question or an upload is answered,
// and a log travels further than its operator thinks.
func (s *server) logRequest(c echo.Context) {
	route := c.Path()
	if _, known := s.routes[route]; !known {
		route = "unmatched"
	}
	p, _ := c.Get(keyPrincipal).(access.Principal)
	s.Logger.Info("request", "request", requestID(c), "method", knownMethod(c.Request().Method), "route", route,
		"status", c.Response().Status, "principal", p.ID)
}

// knownMethod keeps words of the client's own making out of the log.
func knownMethod(m string) string {
	switch m {
	case http.MethodGet, http.MethodHead, http.MethodPost, http.MethodPut, http.MethodPatch, http.MethodDelete, http.MethodOptions:
		return m
	}
	return "other"
}

// requestID is what the frame named the request.
func requestID(c echo.Context) string {
	id, _ := c.Get(keyRequest).(string)
	return id
}

// principal is who authenticate found the request to be from.
func principal(c echo.Context) (access.Principal, error) {
	p, ok := c.Get(keyPrincipal).(access.Principal)
	if !ok {
		return access.Principal{}, unauthenticated()
	}
	return p, nil
}

func unauthenticated() *sandbox.Error {
	return &sandbox.Error{Code: sandbox.CodeUnauthenticated,
		Public: `Send one header "Authorization: Bearer …" with a token that this server accepts.`}
}
