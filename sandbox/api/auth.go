package api

import (
	"net"
	"net/netip"
	"strings"

	"github.com/labstack/echo/v4"

	"entrepot/access"
)

// maxToken is the longest token that is looked at, in bytes.
const maxToken = 8 << 10

// authenticate is the one place where a request gets its principal. Everything below /v1 needs one,
// whether it exists or not; what is not there is no secret, but nobody is to tell a route from a
// refusal by leaving the token out.
func (s *server) authenticate(next echo.HandlerFunc) echo.HandlerFunc {
	return func(c echo.Context) error {
		if path := c.Request().URL.Path; path != "/v1" && !strings.HasPrefix(path, "/v1/") {
			return next(c)
		}
		p, ok := s.verify(c)
		if !ok {
			return s.refuse(c)
		}
		c.Set(keyPrincipal, p)
		return next(c)
	}
}

// verify reads the token and asks who it stands for.
func (s *server) verify(c echo.Context) (access.Principal, bool) {
	token, ok := bearer(c.Request().Header.Values(echo.HeaderAuthorization))
	if !ok {
		return access.Principal{}, false
	}
	p, err := s.Verify(token)
	if err != nil {
		s.Logger.Debug("token not accepted", "request", requestID(c), "error", err)
		return access.Principal{}, false
	}
	return p, p.ID != ""
}

// bearer returns the token of the only Authorization header there may be.
func bearer(headers []string) (string, bool) {
	if len(headers) != 1 {
		return "", false
	}
	scheme, token, found := strings.Cut(headers[0], " ")
	if !found || !strings.EqualFold(scheme, "Bearer") || token == "" || len(token) > maxToken {
		return "", false
	}
	for _, b := range []byte(strings.TrimRight(token, "=")) {
		if !letterOrDigit(b) && !strings.ContainsRune("-._~+/", rune(b)) {
			return "", false
		}
	}
	return token, true
}

// refuse answers 401, with one body whatever was wrong, or 429 where an address fails too often. A
// valid token passes whatever its address did before: many clients may share one, behind a proxy.
func (s *server) refuse(c echo.Context) error {
	if wait, ok := s.failures.allow(remote(c), s.Now()); !ok {
		return tooMany(c, wait)
	}
	c.Response().Header().Set(echo.HeaderWWWAuthenticate, `Bearer realm="entrepot"`)
	return unauthenticated()
}

// remote is the peer's address; of IPv6 the network, since one host has 2⁶⁴ addresses in it.
func remote(c echo.Context) string {
	host, _, err := net.SplitHostPort(c.Request().RemoteAddr)
	if err != nil {
		return "unknown"
	}
	address, err := netip.ParseAddr(host)
	if err != nil {
		return "unknown"
	}
	address = address.Unmap().WithZone("")
	if address.Is4() {
		return address.String()
	}
	network, err := address.Prefix(64)
	if err != nil {
		return "unknown"
	}
	return network.String()
}

func letterOrDigit(b byte) bool {
	return b >= 'a' && b <= 'z' || b >= 'A' && b <= 'Z' || b >= '0' && b <= '9'
}
