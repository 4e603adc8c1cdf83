package api

import (
	"errors"
	"net/http"

	"github.com/labstack/echo/v4"

	"entrepot/sandbox"
)

// problemType is the start of every problem's type; the code follows.
const problemType = "urn:entrepot:problem:"

// status is how a code is answered: its HTTP status and its title, which is the same whatever happened.
func status(code sandbox.Code) (int, string) {
	switch code {
	case sandbox.CodeInvalid:
		return http.StatusBadRequest, "The request is not valid"
	case sandbox.CodeInvalidSQL:
		return http.StatusUnprocessableEntity, "The question cannot be asked this way"
	case sandbox.CodeUnauthenticated:
		return http.StatusUnauthorized, "A valid token is needed"
	case sandbox.CodeForbidden:
		return http.StatusForbidden, "Your role does not allow this"
	case sandbox.CodeDenied:
		return http.StatusForbidden, "The policy does not allow this question"
	case sandbox.CodeNotFound:
		return http.StatusNotFound, "Not found"
	case sandbox.CodeConflict:
		return http.StatusConflict, "The present state does not allow this"
	case sandbox.CodePrecondition:
		return http.StatusPreconditionFailed, "It was changed since you read it"
	case sandbox.CodeExhausted:
		return http.StatusConflict, "The privacy budget does not cover this"
	case sandbox.CodeFrozen:
		return http.StatusConflict, "The account is frozen"
	case sandbox.CodeTooLarge:
		return http.StatusRequestEntityTooLarge, "The body is too large"
	case sandbox.CodeUnsupportedType:
		return http.StatusUnsupportedMediaType, "This type of body is not read here"
	case sandbox.CodeRejected:
		return http.StatusUnprocessableEntity, "The upload was refused"
	case sandbox.CodeRateLimited:
		return http.StatusTooManyRequests, "Too many requests"
	case sandbox.CodeQueryFailed:
		return http.StatusInternalServerError, "The question gave no answer"
	case sandbox.CodeUnavailable:
		return http.StatusServiceUnavailable, "Not available at the moment"
	default:
		return http.StatusInternalServerError, "The server failed"
	}
}

// newProblem makes what the caller may know of an error, and gives the error whose inner half is for
// the operator.
func newProblem(err error) (Problem, *sandbox.Error) {
	e, override := asError(err)
	number, title := status(e.Code)
	if override != 0 {
		number = override
	}
	p := Problem{Type: problemType + string(e.Code), Title: title, Status: number, Code: e.Code,
		Detail: e.Public, Hint: e.Hint, QueryID: e.Query, Line: e.Line, Column: e.Column}
	if e.Code == sandbox.CodeRejected { // the only code whose receiver is an owner by construction
		p.Report = e.Detail
	}
	return p, e
}

// asError gives Echo's own refusals our words; the status is 0 unless it is not the code's own.
func asError(err error) (*sandbox.Error, int) {
	echoed, ok := errors.AsType[*echo.HTTPError](err)
	if !ok {
		return sandbox.AsError(err), 0
	}
	switch echoed.Code {
	case http.StatusNotFound:
		return &sandbox.Error{Code: sandbox.CodeNotFound, Public: "There is nothing at this address.",
			Hint: "GET /openapi.yaml lists what there is."}, 0
	case http.StatusMethodNotAllowed:
		return &sandbox.Error{Code: sandbox.CodeInvalid, Public: "This address does not take this method.",
			Hint: "The Allow header lists the methods that it takes."}, http.StatusMethodNotAllowed
	case http.StatusBadRequest:
		return &sandbox.Error{Code: sandbox.CodeInvalid, Public: "A parameter or header is not as the specification has it.",
			Hint: "GET /openapi.yaml says what it has to be.", Err: err}, 0
	default:
		return sandbox.AsError(err), 0
	}
}

// fail answers a request with a problem. What the caller may not know goes to the operator's log. An
// answer that has begun cannot be taken back: the frame then breaks the connection. ErrAbortHandler
// means that the client is gone.
func (s *server) fail(c echo.Context, err error) {
	if errors.Is(err, http.ErrAbortHandler) {
		return
	}
	problem, e := newProblem(err)
	if problem.Status >= http.StatusInternalServerError {
		s.logFailure(c, e)
	}
	if c.Response().Committed {
		return
	}
	if err := write(c, problem.Status, "application/problem+json", problem); err != nil {
		s.Logger.Warn("problem not delivered", "request", requestID(c))
	}
}

// logFailure tells the operator what the caller is not told. The Service logs the cause of a question
// that failed after its charge itself, under the same query id.
func (s *server) logFailure(c echo.Context, e *sandbox.Error) {
	args := []any{"request", requestID(c), "code", e.Code}
	if e.Query != "" {
		args = append(args, "query", e.Query)
	}
	if e.Err != nil && e.Code != sandbox.CodeQueryFailed {
		args = append(args, "error", e.Err)
	}
	s.Logger.Error("request failed", args...)
}
