package api

import (
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"github.com/labstack/echo/v4"

	"entrepot/datasets"
	"entrepot/sandbox"
)

// Limits of what addresses may hold.
const (
	maxPath      = 512 // bytes
	maxReleaseID = 80  // bytes
	maxEntries   = 1000
)

// checkPath lets only addresses through that are written as the specification writes them. It comes
// before routing, because a router that decodes, cleans or swallows would give one resource several
// names, and a rule about one of them would miss the others.
func checkPath(next echo.HandlerFunc) echo.HandlerFunc {
	return func(c echo.Context) error {
		if !cleanPath(c.Request().URL) {
			return echo.ErrNotFound
		}
		return next(c)
	}
}

// cleanPath reports whether the path has one spelling only: plain segments, none of them empty or
// made of dots, nothing encoded, and no slash at the end.
func cleanPath(u *url.URL) bool {
	rest, rooted := strings.CutPrefix(u.Path, "/")
	if !rooted || u.RawPath != "" || u.Opaque != "" || len(u.Path) > maxPath {
		return false
	}
	for _, segment := range strings.Split(rest, "/") {
		if strings.Trim(segment, ".") == "" {
			return false
		}
		for _, b := range []byte(segment) {
			if !letterOrDigit(b) && b != '_' && b != '-' && b != '.' {
				return false
			}
		}
	}
	return true
}

// checkRequest checks what every operation has in common, after the token and before any handler: the
// method, the names in the path, the query parameters, and that what takes no body has none.
func (s *server) checkRequest(next echo.HandlerFunc) echo.HandlerFunc {
	return func(c echo.Context) error {
		r := c.Request()
		methods, known := s.routes[c.Path()]
		switch {
		case !known:
			return echo.ErrNotFound
		case !slices.Contains(methods, r.Method): // OPTIONS as well: there is no CORS here
			c.Response().Header().Set(echo.HeaderAllow, strings.Join(methods, ", "))
			return echo.ErrMethodNotAllowed
		}
		for i, name := range c.ParamNames() {
			if err := checkName(name, c.ParamValues()[i]); err != nil {
				return err
			}
		}
		if err := checkQuery(r.URL.RawQuery, parameters(r.Method+" "+c.Path())); err != nil {
			return err
		}
		if (r.Method == http.MethodGet || r.Method == http.MethodDelete) && r.ContentLength != 0 {
			return invalidAt("", "This operation takes no body.")
		}
		return next(c)
	}
}

// checkName checks one name of a path. The last parameter of an Echo route takes the rest of the path,
// slashes and all: then the address is not one of ours.
func checkName(parameter, value string) error {
	valid := validID(value)
	if parameter == "id" {
		valid = validRelease(value)
	}
	switch {
	case valid:
		return nil
	case strings.Contains(value, "/"):
		return echo.ErrNotFound
	default:
		return invalidAt(parameter, "the name in the address is not of the form that the specification gives.")
	}
}

// validRelease checks the id of a release or of its question.
func validRelease(value string) bool {
	prefix, rest, found := strings.Cut(value, "_")
	if !found || prefix != "rel" && prefix != "qry" || rest == "" || len(value) > maxReleaseID {
		return false
	}
	for _, b := range []byte(rest) {
		if !letterOrDigit(b) && b != '_' && b != '-' {
			return false
		}
	}
	return true
}

// parameters says what the query parameters of a route must look like.
func parameters(route string) map[string]func(string) bool {
	switch route {
	case "POST /v1/datasets/:org/:name/versions":
		return map[string]func(string) bool{"strict": func(s string) bool { return s == "true" || s == "false" }}
	case "GET /v1/audit/entries":
		return map[string]func(string) bool{"from": digits(0, 1<<62), "limit": digits(1, maxEntries)}
	case "GET /v1/releases":
		return map[string]func(string) bool{"account": validPair, "principal": validPair, "project": validID, "state": validState,
			"before": digits(1, 1<<62), "limit": digits(1, sandbox.MaxHistory)}
	case "DELETE /v1/accounts/:org/:space/allocations/:allocation":
		return map[string]func(string) bool{"reason": func(s string) bool { return s != "" }}
	default:
		return nil
	}
}

func validID(s string) bool { return datasets.ValidateID("org."+s) == nil }

// validPair accepts org/name, as unit spaces and principals are written.
func validPair(s string) bool {
	org, name, _ := strings.Cut(s, "/")
	return validID(org) && validID(name)
}

func validState(s string) bool {
	return slices.Contains([]sandbox.State{sandbox.Charged, sandbox.Released, sandbox.Failed}, sandbox.State(s))
}

// digits accepts a whole number within its limits, written in digits alone.
func digits(least, most int64) func(string) bool {
	return func(s string) bool {
		n, err := strconv.ParseInt(s, 10, 64)
		return err == nil && s[0] != '+' && n >= least && n <= most
	}
}

// checkQuery refuses parameters that the route does not have: a misspelt one must not be ignored.
func checkQuery(raw string, known map[string]func(string) bool) error {
	values, err := url.ParseQuery(raw)
	if err != nil {
		return invalidAt("", "The query string cannot be read.")
	}
	names := make([]string, 0, len(known))
	for name := range known {
		names = append(names, name)
	}
	for name, all := range values {
		valid, ok := known[name]
		switch {
		case !ok && len(known) == 0:
			return &sandbox.Error{Code: sandbox.CodeInvalid, Public: "This operation has no query parameters."}
		case !ok:
			return invalidAt(quote(name), "no such query parameter"+suggestion(name, names))
		case len(all) != 1:
			return invalidAt(name, "the query parameter is given more than once.")
		case !valid(all[0]):
			return invalidAt(name, "the query parameter is not as the specification has it.")
		}
	}
	return nil
}
