package api

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"entrepot/access"
)

func TestTokens(t *testing.T) {
	h := newHouse(t)
	constant := h.as("", "GET", "/v1/whoami", "").Body
	tests := []struct {
		name    string
		headers []string
		ok      bool
	}{
		{"right", []string{"Bearer token-owner"}, true},
		{"scheme in lower case", []string{"bearer token-owner"}, true},
		{"scheme in mixed case", []string{"BeArEr token-owner"}, true},
		{"none", nil, false},
		{"empty", []string{""}, false},
		{"no scheme", []string{"token-owner"}, false},
		{"no token", []string{"Bearer"}, false},
		{"empty token", []string{"Bearer "}, false},
		{"two spaces", []string{"Bearer  token-owner"}, false},
		{"space within", []string{"Bearer token -owner"}, false},
		{"tab", []string{"Bearer\ttoken-owner"}, false},
		{"basic", []string{"Basic token-owner"}, false},
		{"two tokens in one header", []string{"Bearer token-owner, Bearer token-operator"}, false},
		{"two headers", []string{"Bearer token-owner", "Bearer token-owner"}, false},
		{"two headers, one good", []string{"Bearer no", "Bearer token-owner"}, false},
		{"quoted", []string{`Bearer "token-owner"`}, false},
		{"unknown", []string{"Bearer token-nobody"}, false},
		{"control character", []string{"Bearer token-owner\x00"}, false},
		{"only padding", []string{"Bearer =="}, false},
		{"beyond ASCII", []string{"Bearer tokén"}, false},
		{"very long", []string{"Bearer " + strings.Repeat("a", maxToken+1)}, false},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			r := httptest.NewRequest(http.MethodGet, "/v1/whoami", nil)
			for _, v := range test.headers {
				r.Header.Add("Authorization", v)
			}
			a := h.do(r)
			if test.ok {
				h.must(200, a)
				return
			}
			if a.Status != 401 || a.Body != constant || a.Header.Get("WWW-Authenticate") != `Bearer realm="entrepot"` {
				t.Errorf("%d %s", a.Status, a.Body)
			}
		})
	}
}

// TestVerifierWithoutPrincipal: a verifier that says yes without saying who does not open the door.
func TestVerifierWithoutPrincipal(t *testing.T) {
	h := newHouse(t, func(o *Options) {
		o.Verify = func(string) (access.Principal, error) { return access.Principal{}, nil }
	})
	h.must(401, h.as("owner", "GET", "/v1/organisations/kr_edu", ""))
}

// TestTokensComeBeforeBodies: nothing of a request is read, or told apart, without a token.
func TestTokensComeBeforeBodies(t *testing.T) {
	h := newHouse(t)
	for _, target := range []string{"/v1/queries", "/v1/nothing", "/v1/datasets/Kr/x/versions?strict=maybe"} {
		r := httptest.NewRequest(http.MethodPost, target, failingReader{t})
		h.must(401, h.do(r))
	}
}

type failingReader struct{ t *testing.T }

func (f failingReader) Read([]byte) (int, error) {
	f.t.Error("the body was read")
	return 0, nil
}

// clock is a clock that the test moves.
type clock struct{ now time.Time }

func (c *clock) read() time.Time { return c.now }

func limitedHouse(t *testing.T) (*house, *clock) {
	c := &clock{now: time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)}
	return newHouse(t, func(o *Options) {
		o.Now = c.read
		o.Rate = Rate{PerSecond: 2, Burst: 3, FailuresPerSecond: 0.5, FailureBurst: 2}
	}), c
}

func TestRateOfOnePrincipal(t *testing.T) {
	h, c := limitedHouse(t)
	for range 3 {
		h.must(200, h.as("owner", "GET", "/v1/whoami", ""))
	}
	a := h.must(429, h.as("owner", "GET", "/v1/whoami", ""))
	if a.code() != "rate_limited" || a.Header.Get("Retry-After") != "1" {
		t.Errorf("Retry-After %q: %s", a.Header.Get("Retry-After"), a.Body)
	}
	h.must(429, h.as("owner", "GET", "/v1/nothing", "")) // whatever it asks for
	h.must(200, h.as("researcher", "GET", "/v1/whoami", ""))
	c.now = c.now.Add(499 * time.Millisecond)
	h.must(429, h.as("owner", "GET", "/v1/whoami", ""))
	c.now = c.now.Add(time.Millisecond)
	h.must(200, h.as("owner", "GET", "/v1/whoami", ""))
	h.must(429, h.as("owner", "GET", "/v1/whoami", ""))
	for range 10 {
		h.must(200, h.as("", "GET", "/healthz", ""))
	}
}

func TestRateOfFailures(t *testing.T) {
	h, c := limitedHouse(t)
	from := func(address, token string) answer {
		r := httptest.NewRequest(http.MethodGet, "/v1/whoami", nil)
		r.RemoteAddr = address
		r.Header.Set("X-Forwarded-For", "203.0.113.9") // believed by nobody
		r.Header.Set("Authorization", "Bearer "+token)
		return h.do(r)
	}
	h.must(401, from("192.0.2.1:1000", "bad"))
	h.must(401, from("192.0.2.1:1001", "bad"))
	if a := h.must(429, from("192.0.2.1:1002", "bad")); a.Header.Get("Retry-After") != "2" {
		t.Errorf("Retry-After is %q", a.Header.Get("Retry-After"))
	}
	h.must(200, from("192.0.2.1:1003", "token-owner")) // others behind the address
	h.must(401, from("192.0.2.2:1000", "bad"))
	h.must(401, from("[2001:db8::1]:1000", "bad"))
	h.must(401, from("[2001:db8::2]:1000", "bad"))
	h.must(429, from("[2001:db8:0:0:ffff::3]:1000", "bad")) // one network, one host
	h.must(401, from("[2001:db8:0:1::1]:1000", "bad"))
	h.must(429, from("[::ffff:192.0.2.1]:1000", "bad")) // the same address, mapped
	c.now = c.now.Add(2 * time.Second)
	h.must(401, from("192.0.2.1:1000", "bad"))
	h.must(429, from("192.0.2.1:1000", "bad"))
}

func TestLimitersForgetTheOldest(t *testing.T) {
	l := newLimiters(1, 1)
	l.most = 3
	now := time.Unix(0, 0)
	allow := func(key string) bool { _, ok := l.allow(key, now); return ok }
	for _, key := range []string{"a", "b", "c"} {
		if !allow(key) {
			t.Errorf("%s is new", key)
		}
	}
	if allow("a") || !allow("d") { // d takes b's place
		t.Error("a has no token left, d has one")
	}
	if allow("a") || allow("c") || !allow("b") {
		t.Error("a and c are remembered, b is not")
	}
	if len(l.byKey) != 3 || l.recent.Len() != 3 {
		t.Errorf("%d and %d keys are kept", len(l.byKey), l.recent.Len())
	}
}

func TestNewNeedsItsParts(t *testing.T) {
	h := newHouse(t)
	whole := Options{Verify: verify, Limits: Limits{Spool: h.spool}}
	if _, err := New(whole); err == nil {
		t.Error("there was no service")
	}
	if _, err := New(Options{}); err == nil {
		t.Error("there was nothing")
	}
	s := NewServer("127.0.0.1:0", h.handler)
	if s.ReadHeaderTimeout <= 0 || s.ReadTimeout <= 0 || s.WriteTimeout <= 0 || s.IdleTimeout <= 0 || s.MaxHeaderBytes <= 0 {
		t.Errorf("a limit is missing: %+v", s)
	}
}
