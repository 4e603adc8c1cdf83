package api

import (
	"encoding/hex"
	"net/http"

	"github.com/labstack/echo/v4"
)

// defaultEntries is how many log entries a page has unless the caller says.
const defaultEntries = 100

// ListEntries lists the log entries that the principal may read.
func (s *server) ListEntries(c echo.Context, params ListEntriesParams) error {
	p, err := principal(c)
	if err != nil {
		return err
	}
	from, limit := int64(0), defaultEntries
	if params.From != nil {
		from = *params.From
	}
	if params.Limit != nil {
		limit = *params.Limit
	}
	list, next, err := s.Service.Entries(c.Request().Context(), p, from, limit)
	if err != nil {
		return err
	}
	page := EntryList{Entries: make([]Entry, len(list)), Next: next}
	for i, e := range list {
		page.Entries[i] = Entry{Index: e.Index, Time: e.Time, Kind: string(e.Kind), Actor: e.Actor,
			Salt: hex.EncodeToString(e.Salt[:]), Body: e.Body}
	}
	return writeJSON(c, http.StatusOK, page)
}

// GetCheckpoint returns the log's signed checkpoint.
func (s *server) GetCheckpoint(c echo.Context) error {
	p, err := principal(c)
	if err != nil {
		return err
	}
	note, err := s.Service.Checkpoint(c.Request().Context(), p)
	if err != nil {
		return err
	}
	return writeBytes(c, http.StatusOK, "text/plain; charset=utf-8", note)
}

// GetExport streams the whole log. An error before the first byte is a problem; after it the
// connection breaks, and what arrived does not verify.
func (s *server) GetExport(c echo.Context) error {
	p, err := principal(c)
	if err != nil {
		return err
	}
	s.extend(c)
	h := c.Response().Header()
	h.Set(echo.HeaderContentType, "application/octet-stream")
	h.Set(echo.HeaderContentDisposition, `attachment; filename="entrepot.log"`)
	err = s.Service.Export(c.Request().Context(), p, c.Response())
	if err != nil && !c.Response().Committed {
		h.Del(echo.HeaderContentDisposition)
	}
	return err
}
