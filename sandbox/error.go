package sandbox

import (
	"errors"
	"fmt"
)

// Code names what went wrong, for programs.
type Code string

// The codes. A transport maps each to a status.
const (
	CodeInvalid         Code = "invalid_request"
	CodeInvalidSQL      Code = "invalid_sql"
	CodeUnauthenticated Code = "unauthenticated"
	CodeForbidden       Code = "forbidden" // the role does not allow it
	CodeDenied          Code = "denied"    // the policy does not allow it
	CodeNotFound        Code = "not_found" // absent, or not for the asker to know
	CodeConflict        Code = "conflict"
	CodePrecondition    Code = "precondition_failed"
	CodeExhausted       Code = "budget_exhausted"
	CodeFrozen          Code = "account_frozen"
	CodeTooLarge        Code = "too_large"
	CodeUnsupportedType Code = "unsupported_media_type"
	CodeRejected        Code = "upload_rejected" // strict mode: the owner refused the upload
	CodeRateLimited     Code = "rate_limited"
	CodeQueryFailed     Code = "query_failed" // after admission; says nothing more
	CodeUnavailable     Code = "unavailable"
	CodeInternal        Code = "internal"
)

// Codes lists every code, for tests that walk them.
func Codes() []Code {
	return []Code{CodeInvalid, CodeInvalidSQL, CodeUnauthenticated, CodeForbidden, CodeDenied, CodeNotFound,
		CodeConflict, CodePrecondition, CodeExhausted, CodeFrozen, CodeTooLarge, CodeUnsupportedType,
		CodeRejected, CodeRateLimited, CodeQueryFailed, CodeUnavailable, CodeInternal}
}

// Error is the one error that crosses the wall. Public, Hint and the position go to the caller; Err
// goes to the operator's log and nowhere else.
type Error struct {
	Code         Code
	Public       string
	Hint         string
	Query        string // the question's id, where there is one
	Line, Column int    // in the SQL text, from 1; 0 for none
	Detail       any    // for an owner: an upload's report
	Err          error
}

// Error is for the operator's log.
func (e *Error) Error() string {
	if e.Err != nil {
		return fmt.Sprintf("%s: %s: %v", e.Code, e.Public, e.Err)
	}
	return fmt.Sprintf("%s: %s", e.Code, e.Public)
}

// Unwrap gives the operator's detail.
func (e *Error) Unwrap() error { return e.Err }

// AsError turns any error into one that may cross: an unknown one becomes a constant sentence.
func AsError(err error) *Error {
	if e, ok := errors.AsType[*Error](err); ok {
		return e
	}
	return &Error{Code: CodeInternal, Public: "Something went wrong on the server. Nothing was released.", Err: err}
}

func invalid(format string, args ...any) *Error {
	return &Error{Code: CodeInvalid, Public: fmt.Sprintf(format, args...)}
}

func forbidden(who string) *Error {
	return &Error{Code: CodeForbidden, Public: "This needs the role " + who + "."}
}

// notFound is the same for what is absent and what the asker may not see.
func notFound(what string) *Error {
	return &Error{Code: CodeNotFound, Public: "There is no such " + what + ", or it is not yours to see."}
}

func unavailable(err error) *Error {
	return &Error{Code: CodeUnavailable, Public: "The ledger or the log cannot be written at the moment. Nothing was released; try again later.", Err: err}
}

// queryFailed is all that a caller learns about an admitted question that gave no answer.
func queryFailed(query string, err error) *Error {
	return &Error{Code: CodeQueryFailed, Query: query,
		Public: "The question was admitted and charged, but gave no answer. The operator can find the cause under its id.", Err: err}
}
