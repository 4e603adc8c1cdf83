package api

import (
	"errors"
	"fmt"
	"io"
	"mime"
	"net/http"
	"slices"
	"strings"

	"github.com/labstack/echo/v4"

	"entrepot/sandbox"
)

const (
	mediaJSON = "application/json"
	mediaYAML = "application/yaml"
)

// readBody reads a body of at most limit bytes whose type is one of media.
func readBody(c echo.Context, limit int64, media ...string) (body []byte, mediaType string, err error) {
	if mediaType, err = bodyType(c.Request(), media...); err != nil {
		return nil, "", err
	}
	body, err = io.ReadAll(limited(c, limit))
	if err != nil {
		return nil, "", readError(err, limit)
	}
	return body, mediaType, nil
}

// readRequest reads a JSON body into a generated type, and returns its bytes as well.
func readRequest(c echo.Context, limit int64, into any) ([]byte, error) {
	body, _, err := readBody(c, limit, mediaJSON)
	if err != nil {
		return nil, err
	}
	return body, decodeJSON(body, into)
}

// readDocument reads a document, JSON or YAML, for one of the parsers of packages access and datasets.
// They tell the formats apart by the first brace; so what is called JSON is checked to be JSON.
func (s *server) readDocument(c echo.Context) ([]byte, error) {
	body, mediaType, err := readBody(c, s.Limits.JSON, mediaJSON, mediaYAML)
	if err != nil {
		return nil, err
	}
	if mediaType == mediaJSON {
		_, err = readJSON(body)
	}
	return body, err
}

// documentError is for the parsers' own errors, which are written for whoever wrote the document.
func documentError(err, expected error) error {
	if errors.Is(err, expected) {
		return invalidAt("", err.Error())
	}
	return err
}

// bodyType checks how a body is labelled: once, as one of media, in UTF-8 and not compressed.
func bodyType(r *http.Request, media ...string) (string, error) {
	if len(r.Header.Values(echo.HeaderContentEncoding)) > 0 {
		return "", &sandbox.Error{Code: sandbox.CodeUnsupportedType, Public: "Bodies are read as they are; send no Content-Encoding."}
	}
	wrong := &sandbox.Error{Code: sandbox.CodeUnsupportedType, Public: "Send Content-Type: " + strings.Join(media, " or ") + "."}
	labels := r.Header.Values(echo.HeaderContentType)
	if len(labels) != 1 {
		return "", wrong
	}
	mediaType, parameters, err := mime.ParseMediaType(labels[0])
	if err != nil || !slices.Contains(media, mediaType) {
		return "", wrong
	}
	charset, given := parameters["charset"]
	if given && !strings.EqualFold(charset, "utf-8") {
		return "", &sandbox.Error{Code: sandbox.CodeUnsupportedType, Public: "Text is read as UTF-8."}
	}
	return mediaType, nil
}

// limited is the body up to limit bytes. A longer one ends in an error and closes the connection.
func limited(c echo.Context, limit int64) io.Reader {
	return http.MaxBytesReader(c.Response().Writer, c.Request().Body, limit)
}

// readError is for a body that could not be read to its end.
func readError(err error, limit int64) error {
	if _, tooLarge := errors.AsType[*http.MaxBytesError](err); tooLarge {
		return &sandbox.Error{Code: sandbox.CodeTooLarge, Public: fmt.Sprintf("At most %d bytes are read here.", limit)}
	}
	return &sandbox.Error{Code: sandbox.CodeInvalid, Public: "The body ended early or took too long.", Err: err}
}
