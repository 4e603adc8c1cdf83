package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"
)

// maxAnswer is the largest JSON answer read [bytes]; tables and the log are streamed to files.
const maxAnswer = 64 << 20

// client talks to one server with one token.
type client struct {
	base  string // without a slash at its end
	token string // "" for none
	http  *http.Client
}

// newClient checks where requests will go. A token is sent in the clear to this machine only, unless
// insecure.
func newClient(base, token string, insecure bool) (*client, error) {
	u, err := url.Parse(base)
	if err != nil || (u.Scheme != "http" && u.Scheme != "https") || u.Hostname() == "" {
		return nil, usage("%q is not the URL of a server; write it like https://entrepot.example", printable(base))
	}
	if u.User != nil || u.RawQuery != "" || u.Fragment != "" {
		return nil, usage("the server's URL holds more than scheme, host and path; a token belongs in ENTREPOT_TOKEN")
	}
	if u.Scheme == "http" && token != "" && !insecure && !loopback(u.Hostname()) {
		return nil, usage("%s is not encrypted, and the token would cross the network readable; use https, or --insecure where the network is yours", u)
	}
	transport := &http.Transport{Proxy: http.ProxyFromEnvironment, ForceAttemptHTTP2: true,
		DialContext:         (&net.Dialer{Timeout: 10 * time.Second}).DialContext,
		TLSHandshakeTimeout: 10 * time.Second, ExpectContinueTimeout: time.Second, MaxResponseHeaderBytes: 1 << 20}
	// A redirect could carry the token elsewhere, or into the clear.
	stay := func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	return &client{base: strings.TrimRight(u.String(), "/"), token: token,
		http: &http.Client{Transport: transport, CheckRedirect: stay}}, nil
}

func loopback(host string) bool {
	ip := net.ParseIP(host)
	return host == "localhost" || (ip != nil && ip.IsLoopback())
}

// close ends idle connections.
func (c *client) close() { c.http.CloseIdleConnections() }

// call is one request.
type call struct {
	method string
	path   []string // segments below the server's URL
	query  url.Values
	header http.Header
	accept string // media type; "" for JSON
	// body is sent as contentType; size is its length, -1 where it is unknown. nil for no body.
	body        io.Reader
	contentType string
	size        int64
}

func get(path ...string) call { return call{method: http.MethodGet, path: path} }

// send makes a call with a body in memory.
func send(method string, body []byte, contentType string, path ...string) call {
	return call{method: method, path: path, body: bytes.NewReader(body), contentType: contentType, size: int64(len(body))}
}

// sendJSON makes a call with v as its body.
func sendJSON(method string, v any, path ...string) (call, error) {
	b, err := json.Marshal(v)
	return send(method, b, "application/json", path...), err
}

// do makes a request and returns the response of a success, whose body the caller closes. What the
// server refuses is a *problem.
func (c *client) do(ctx context.Context, r call) (*http.Response, error) {
	segments := []string{c.base}
	for _, s := range r.path {
		segments = append(segments, url.PathEscape(s))
	}
	target := strings.Join(segments, "/")
	if len(r.query) > 0 {
		target += "?" + r.query.Encode()
	}
	request, err := http.NewRequestWithContext(ctx, r.method, target, r.body)
	if err != nil {
		return nil, err
	}
	for name, values := range r.header {
		request.Header[name] = values
	}
	request.Header.Set("User-Agent", "entrepot")
	request.Header.Set("Accept", "application/json, application/problem+json")
	if r.accept != "" {
		request.Header.Set("Accept", r.accept+", application/problem+json")
	}
	if r.body != nil {
		request.ContentLength = r.size
		request.Header.Set("Content-Type", r.contentType)
	}
	if c.token != "" {
		request.Header.Set("Authorization", "Bearer "+c.token)
	}
	response, err := c.http.Do(request)
	if err != nil {
		return nil, c.unreached(ctx, err)
	}
	if response.StatusCode >= 200 && response.StatusCode < 300 {
		return response, nil
	}
	defer closeBody(response)
	return nil, readProblem(response)
}

// unreached says that no answer came, and why.
func (c *client) unreached(ctx context.Context, err error) error {
	if cause := ctx.Err(); errors.Is(cause, context.Canceled) {
		return cause
	} else if cause != nil {
		return fmt.Errorf("%s did not answer in time (--timeout): %w", c.base, cause)
	}
	if e, ok := errors.AsType[*url.Error](err); ok {
		err = e.Err // without the address, which we tell ourselves
	}
	return fmt.Errorf("no answer from %s: %w", c.base, err)
}

// fetch makes a request and returns the whole body, which it also decodes into v unless v is nil.
func (c *client) fetch(ctx context.Context, r call, v any) ([]byte, http.Header, error) {
	response, err := c.do(ctx, r)
	if err != nil {
		return nil, nil, err
	}
	defer closeBody(response)
	body, err := io.ReadAll(io.LimitReader(response.Body, maxAnswer+1))
	switch {
	case err != nil:
		return nil, nil, c.unreached(ctx, err)
	case len(body) > maxAnswer:
		return nil, nil, fmt.Errorf("the answer is longer than %s", bytesText(maxAnswer))
	case v == nil:
		return body, response.Header, nil
	}
	if err := json.Unmarshal(body, v); err != nil {
		return nil, nil, fmt.Errorf("%s did not answer in the form expected (is it an entrepot server of this version?): %w", c.base, err)
	}
	return body, response.Header, nil
}

// closeBody reads a little to the end, so that the connection can be used again.
func closeBody(r *http.Response) {
	_, _ = io.CopyN(io.Discard, r.Body, 64<<10)
	_ = r.Body.Close()
}

// mediaType is the Content-Type of a response without its parameters.
func mediaType(h http.Header) string {
	t, _, _ := strings.Cut(h.Get("Content-Type"), ";")
	return strings.ToLower(strings.TrimSpace(t))
}

// isJSON reports whether a response says that it holds JSON.
func isJSON(h http.Header) bool {
	return slices.Contains([]string{"application/json", "application/problem+json"}, mediaType(h))
}
