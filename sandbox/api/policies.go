package api

import (
	"net/http"
	"strconv"
	"strings"

	"github.com/labstack/echo/v4"

	"entrepot/access"
	"entrepot/sandbox"
)

const headerETag = "ETag"

// GetPolicy returns the policy in force, with its revision as ETag.
func (s *server) GetPolicy(c echo.Context, org Org, name Name) error {
	p, err := principal(c)
	if err != nil {
		return err
	}
	policy, revision, err := s.Service.Policy(c.Request().Context(), p, org+"."+name)
	if err != nil {
		return err
	}
	c.Response().Header().Set(headerETag, etag(revision))
	return writeJSON(c, http.StatusOK, policy)
}

// PutPolicy replaces the policy whose ETag the caller names, or sets the first.
func (s *server) PutPolicy(c echo.Context, org Org, name Name, _ PutPolicyParams) error {
	p, err := principal(c)
	if err != nil {
		return err
	}
	base, err := ifMatch(c.Request().Header)
	if err != nil {
		return err
	}
	body, err := s.readDocument(c)
	if err != nil {
		return err
	}
	policy, err := access.ParsePolicy(body)
	if err != nil {
		return documentError(err, access.ErrDocument)
	}
	id := org + "." + name
	revision, err := s.Service.PutPolicy(c.Request().Context(), p, id, base, policy)
	if err != nil {
		return err
	}
	c.Response().Header().Set(headerETag, etag(revision))
	return writeJSON(c, http.StatusOK, PolicyRevision{Dataset: id, Revision: revision})
}

// etag is a revision as a strong entity tag.
func etag(revision int64) string { return `"` + strconv.FormatInt(revision, 10) + `"` }

// ifMatch returns the revision that If-Match names; 0, which is none yet, without the header.
func ifMatch(h http.Header) (int64, error) {
	values := h.Values("If-Match")
	if len(values) == 0 {
		return 0, nil
	}
	number, opened := strings.CutPrefix(values[0], `"`)
	number, closed := strings.CutSuffix(number, `"`)
	revision, err := strconv.ParseInt(number, 10, 64)
	if len(values) > 1 || !opened || !closed || err != nil || revision < 1 || etag(revision) != values[0] {
		return 0, &sandbox.Error{Code: sandbox.CodeInvalid, Public: "If-Match must be one ETag of this resource.",
			Hint: `GET it and send its ETag back as it is, such as "1" with the quotes.`}
	}
	return revision, nil
}
