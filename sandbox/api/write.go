package api

import (
	"encoding/json"
	"fmt"
	"mime"
	"net/http"
	"strconv"
	"strings"

	"github.com/labstack/echo/v4"
)

// mediaArrow is the type of an Arrow IPC stream.
const mediaArrow = "application/vnd.apache.arrow.stream"

// write answers with a JSON document, whole and with its length. The same value gives the same bytes.
func write(c echo.Context, status int, mediaType string, value any) error {
	body, err := json.Marshal(value)
	if err != nil {
		return fmt.Errorf("encode the answer: %w", err)
	}
	return writeBytes(c, status, mediaType, body)
}

func writeJSON(c echo.Context, status int, value any) error {
	return write(c, status, mediaJSON, value)
}

func writeBytes(c echo.Context, status int, mediaType string, body []byte) error {
	h := c.Response().Header()
	h.Set(echo.HeaderContentType, mediaType)
	h.Set(echo.HeaderContentLength, strconv.Itoa(len(body)))
	c.Response().WriteHeader(status)
	if _, err := c.Response().Write(body); err != nil {
		return http.ErrAbortHandler // nobody is there to be told
	}
	return nil
}

// prefersArrow reads Accept: JSON is the default, an Arrow stream what somebody asks for by name and
// does not rank below JSON. What cannot be read is no wish, because it is too late for a refusal to
// help: the same header comes with every question.
func prefersArrow(r *http.Request) bool {
	arrow, plain := 0.0, 0.0
	for _, header := range r.Header.Values(echo.HeaderAccept) {
		for _, part := range strings.Split(header, ",") {
			media, q := acceptable(part)
			switch media {
			case mediaArrow:
				arrow = max(arrow, q)
			case mediaJSON:
				plain = max(plain, q)
			}
		}
	}
	return arrow > 0 && arrow >= plain
}

// acceptable reads one media range of an Accept header and its weight.
func acceptable(text string) (media string, q float64) {
	media, parameters, err := mime.ParseMediaType(text)
	if err != nil {
		return "", 0
	}
	weight, given := parameters["q"]
	if !given {
		return media, 1
	}
	q, err = strconv.ParseFloat(weight, 64)
	if err != nil || !(q >= 0 && q <= 1) {
		return "", 0
	}
	return media, q
}
