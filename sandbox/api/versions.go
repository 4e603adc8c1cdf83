package api

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"time"

	"github.com/labstack/echo/v4"

	"entrepot/access"
	"entrepot/datasets"
	"entrepot/sandbox"
)

// PostVersion registers an upload as the next version of a dataset.
func (s *server) PostVersion(c echo.Context, org Org, name Name, params PostVersionParams) error {
	p, err := principal(c)
	if err != nil {
		return err
	}
	id, strict := org+"."+name, params.Strict != nil && *params.Strict
	mediaType, err := bodyType(c.Request(), "application/vnd.apache.parquet", "application/vnd.apache.arrow.file",
		mediaArrow, "text/csv")
	if err != nil {
		return err
	}
	format, known := datasets.FormatOf(mediaType)
	if !known {
		return fmt.Errorf("%s is offered but not read", mediaType)
	}
	if err := s.mayUpload(c.Request().Context(), p, id); err != nil {
		return err
	}
	select {
	case s.uploads <- struct{}{}:
		defer func() { <-s.uploads }()
	default:
		return tooMany(c, 10*time.Second)
	}
	file, size, err := s.spool(c)
	if err != nil {
		return err
	}
	defer file.Close() //nolint:errcheck // it has no name any more: nothing is kept
	v, err := s.Service.Register(c.Request().Context(), p, id, datasets.Upload{Format: format, Data: file, Size: size}, strict)
	if err != nil {
		return err
	}
	return writeJSON(c, http.StatusCreated, v)
}

// mayUpload asks the Service, before a large body is read, whether it would take one: the newest
// version is for the dataset's owner alone, like an upload. Register checks again.
func (s *server) mayUpload(ctx context.Context, p access.Principal, id string) error {
	if _, err := s.Service.Version(ctx, p, id); err != nil && sandbox.AsErrorCode(err) != sandbox.CodeNotFound {
		return err
	}
	_, err := s.Service.Dataset(ctx, p, id)
	return err
}

// spool writes the body to a file without a name, which is gone when it is closed, whatever happens.
func (s *server) spool(c echo.Context) (file *os.File, size int64, err error) {
	if c.Request().ContentLength > s.Limits.Upload {
		return nil, 0, readError(&http.MaxBytesError{Limit: s.Limits.Upload}, s.Limits.Upload)
	}
	s.extend(c)
	file, err = os.CreateTemp(s.Limits.Spool, "upload-*")
	if err != nil {
		return nil, 0, fmt.Errorf("spool an upload: %w", err)
	}
	if err = os.Remove(file.Name()); err == nil {
		size, err = io.Copy(onlyWriter{file}, limited(c, s.Limits.Upload))
	}
	if err == nil {
		return file, size, nil
	}
	_ = file.Close()
	if _, isFile := errors.AsType[*os.PathError](err); isFile {
		return nil, 0, fmt.Errorf("spool an upload: %w", err)
	}
	return nil, 0, readError(err, s.Limits.Upload)
}

// onlyWriter hides that a file can read from a connection by itself, so that an error says on which
// side it was: a *os.PathError is the file's.
type onlyWriter struct{ io.Writer }

// extend gives a long transfer more time than the server's timeouts. Where the connection cannot, those
// stay as they are.
func (s *server) extend(c echo.Context) {
	until := time.Now().Add(s.Limits.UploadTime)
	control := http.NewResponseController(c.Response())
	_ = control.SetReadDeadline(until)
	_ = control.SetWriteDeadline(until)
}

// GetLatestVersion returns the newest version's report to the dataset's owner.
func (s *server) GetLatestVersion(c echo.Context, org Org, name Name) error {
	p, err := principal(c)
	if err != nil {
		return err
	}
	v, err := s.Service.Version(c.Request().Context(), p, org+"."+name)
	if err != nil {
		return err
	}
	return writeJSON(c, http.StatusOK, v)
}
