package api

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"entrepot/access"
)

// spellings are other ways to write an address, and addresses that climb out of one.
func spellings(path string) []string {
	last := path[strings.LastIndexByte(path, '/')+1:]
	base := strings.TrimSuffix(path, last)
	encodedFirst := fmt.Sprintf("%s%%%02x%s", base, last[0], last[1:])
	return []string{
		path + "/", path + "//", path + "/.", path + "/..", path + "/../" + last, path + "%2F", path + "%2f" + last, path + "%5C",
		path + "%00", path + "%00.json", path + ";", path + ";a=b", path + "..;/", path + "%20", path + "%09", path + "%0d%0a", path + ".",
		path + "%23", path + "%3F", path + "%25", path + "%C0%AF", path + "%EF%BC%8F", path + "*", path + ":", path + "\\",
		encodedFirst, base + "/" + last, base + "./" + last, base + "%2e/" + last, base + "%2e%2e/" + last,
		base + "..;/" + last, base + "../v1/" + last, base + strings.ToUpper(last), "/" + path, "//x" + path, "/." + path, "/v2/.." + path,
		strings.Replace(path, "/v1/", "/V1/", 1), strings.Replace(path, "/v1/", "/v1//", 1), strings.Replace(path, "/v1/", "/v1%2F", 1),
		strings.Replace(path, "/v1/", "/v1\\", 1), strings.Replace(path, "/v1/", "/%76%31/", 1), strings.Replace(path, "/v1/", "/v1/./", 1),
		strings.Replace(path, "/v1/", "/x/../v1/", 1), path + "/" + strings.Repeat("a", 2000), path + "/\u00e9",
	}
}

// raw sends a request line as it is written and returns the status. The listener is real, so that
// net/http parses it.
func raw(t *testing.T, address, method, target, token string) int {
	t.Helper()
	conn, err := net.DialTimeout("tcp", address, time.Second)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	authorization := ""
	if token != "" {
		authorization = "Authorization: Bearer " + token + "\r\n"
	}
	fmt.Fprintf(conn, "%s %s HTTP/1.1\r\nHost: x\r\nConnection: close\r\n%s\r\n", method, target, authorization)
	r, err := http.ReadResponse(bufio.NewReader(conn), &http.Request{Method: method})
	if err != nil {
		t.Fatalf("%s %s: %v", method, target, err)
	}
	defer r.Body.Close()
	_, _ = io.Copy(io.Discard, r.Body)
	return r.StatusCode
}

// TestPathsHaveOneSpelling tries every method on every misspelt address, without a token and with the
// token of somebody who may read everything: no answer is a success. The addresses themselves work.
func TestPathsHaveOneSpelling(t *testing.T) {
	h := newHouse(t).furnish()
	server := httptest.NewServer(h.handler)
	defer server.Close()
	address := strings.TrimPrefix(server.URL, "http://")
	tried := 0
	for _, path := range []string{"/v1/whoami", "/v1/datasets/kr_edu/students", "/v1/audit/export"} {
		if status := raw(t, address, "GET", path, "token-manager"); status != 200 {
			t.Fatalf("GET %s: %d", path, status)
		}
		for _, other := range spellings(path) {
			for _, method := range []string{"GET", "PUT", "POST", "DELETE", "OPTIONS", "HEAD", "PATCH", "TRACE"} {
				for _, token := range []string{"", "token-manager"} {
					if status := raw(t, address, method, other, token); status < 400 || status >= 500 {
						t.Errorf("%s %s with token %q: %d", method, other, token, status)
					}
					tried++
				}
			}
		}
	}
	t.Logf("%d requests", tried)
}

// TestNoTokenNoSuccess: every operation of the specification without a token, in any method, and with
// headers that other servers believe.
func TestNoTokenNoSuccess(t *testing.T) {
	doc := loadSpec(t)
	h := newHouse(t).furnish()
	tricks := [][]string{{}, {"X-Forwarded-User", "kr_edu/kim"}, {"X-Original-URL", "/healthz"}, {"X-Rewrite-Url", "/healthz"},
		{"X-HTTP-Method-Override", "GET"}, {"Cookie", "token=token-owner"}, {"X-Api-Key", "token-owner"}, {"X-Forwarded-For", "127.0.0.1"}}
	for _, o := range operations(doc) {
		for _, method := range []string{"GET", "PUT", "POST", "DELETE", "OPTIONS", "HEAD", "PATCH", "QUERY"} {
			for _, trick := range tricks {
				a := h.as("", method, o.target(t)+"?token=token-owner&access_token=token-owner&_method=GET", "", trick...)
				if a.Status == 401 || o.open() && (a.Status == 400 || a.Status == 405) {
					continue
				}
				t.Errorf("%s %s with %q: %d %s", method, o.path, trick, a.Status, a.Body)
			}
		}
	}
}

// TestRoles: who lacks the roles that the specification names gets no success, with a body that is
// otherwise right.
func TestRoles(t *testing.T) {
	for _, o := range operations(loadSpec(t)) {
		needed, restricted := o.Extensions["x-roles"].([]any)
		if !restricted {
			continue
		}
		h := newHouse(t).furnish()
		for who, p := range tokens() {
			if who == "stranger" || holds(p, needed) {
				continue
			}
			for _, b := range examples(t, o) {
				a := h.as(who, o.method, o.target(t), b.text, "Content-Type", b.media)
				if a.Status != 403 || a.code() != "forbidden" {
					t.Errorf("%s as %s: %d %s", o.OperationID, who, a.Status, a.Body)
				}
			}
		}
	}
}

// TestStrangers: the same roles in another organisation see and change nothing of this one.
func TestStrangers(t *testing.T) {
	h := newHouse(t).furnish()
	h.must(200, h.as("researcher", "POST", "/v1/queries", question))
	for _, o := range operations(loadSpec(t)) {
		if o.open() || o.OperationID == "whoAmI" || o.OperationID == "getOrganisation" {
			continue
		}
		for _, b := range examples(t, o) {
			target := strings.Replace(strings.Replace(o.target(t), "rel_4jq0x7m2c9v1", "rel_id2", 1), "maths_gap", "gap", 1)
			text := strings.ReplaceAll(b.text, "maths_gap", "gap")
			a := h.as("stranger", o.method, target, text, "Content-Type", b.media)
			switch o.OperationID {
			case "listDatasets", "listAccounts", "listReleases", "listEntries":
				if a.Status != 200 || strings.Contains(a.Body, "kr_edu") || strings.Contains(a.Body, "lab_sg") {
					t.Errorf("%s: %d %s", o.OperationID, a.Status, a.Body)
				}
			case "getCheckpoint": // an owner's, whosever
			default:
				if a.Status != 403 && a.Status != 404 {
					t.Errorf("%s: %d %s", o.OperationID, a.Status, a.Body)
				}
			}
		}
	}
}

// TestAbsentIsForbidden: what is not there and what is not to be seen give the same bytes.
func TestAbsentIsForbidden(t *testing.T) {
	h := newHouse(t).furnish()
	h.must(200, h.as("researcher", "POST", "/v1/queries", question))
	for _, pair := range [][2]string{
		{"/v1/datasets/kr_edu/students", "/v1/datasets/kr_edu/nothing"},
		{"/v1/datasets/kr_edu/students/policy", "/v1/datasets/kr_edu/nothing/policy"},
		{"/v1/projects/gap", "/v1/projects/nothing"},
		{"/v1/releases/rel_id2", "/v1/releases/rel_nothing"},
	} {
		hidden, absent := h.as("stranger", "GET", pair[0], ""), h.as("stranger", "GET", pair[1], "")
		if hidden.Status != 404 || hidden.Body != absent.Body {
			t.Errorf("%s: %s\n%s: %s", pair[0], hidden.Body, pair[1], absent.Body)
		}
	}
}

func holds(p access.Principal, roles []any) bool {
	for _, r := range p.Roles {
		for _, n := range roles {
			if string(r) == n {
				return true
			}
		}
	}
	return false
}

// TestAddresses: names, parameters and methods that are not ours are explained.
func TestAddresses(t *testing.T) {
	h := newHouse(t).furnish()
	tests := []struct {
		name, method, target string
		status               int
		says                 string
	}{
		{"name with a capital", "GET", "/v1/organisations/Kr", 400, "org: the name in the address"},
		{"name with a digit first", "GET", "/v1/projects/1st", 400, "project: the name"},
		{"name with a dash", "GET", "/v1/datasets/kr_edu/my-table", 400, "name: the name"},
		{"name with a dot", "GET", "/v1/datasets/kr_edu.students/x", 400, "org: the name"},
		{"long name", "GET", "/v1/organisations/" + strings.Repeat("a", 64), 400, "org: the name"},
		{"longest name", "GET", "/v1/organisations/" + strings.Repeat("a", 63), 404, "no such organisation"},
		{"not a release", "GET", "/v1/releases/students", 400, "id: the name"},
		{"release without an id", "GET", "/v1/releases/rel_", 400, "id: the name"},
		{"long release", "GET", "/v1/releases/rel_" + strings.Repeat("a", 80), 400, "id: the name"},
		{"release of another kind", "GET", "/v1/releases/res_1", 400, "id: the name"},
		{"a segment too many", "GET", "/v1/projects/gap/members", 404, "nothing at this address"},
		{"two segments too many", "GET", "/v1/releases/rel_1/rows/2", 404, "nothing at this address"},
		{"the root", "GET", "/", 404, "nothing at this address"},
		{"below v1", "GET", "/v1", 404, "nothing at this address"},
		{"a resource without a name", "GET", "/v1/organisations", 404, "nothing at this address"},
		{"another version", "GET", "/v2/whoami", 404, "nothing at this address"},
		{"operators' paths", "GET", "/metrics", 404, "nothing at this address"},
		{"method", "DELETE", "/v1/projects/gap", 405, "does not take this method"},
		{"preflight", "OPTIONS", "/v1/projects/gap", 405, "does not take this method"},
		{"head", "HEAD", "/v1/projects/gap", 405, ""},
		{"method of one's own", "FROBNICATE", "/v1/whoami", 405, "does not take this method"},
		{"query where there is none", "GET", "/v1/whoami?verbose=1", 400, "no query parameters"},
		{"query on an open route", "GET", "/healthz?x=1", 400, "no query parameters"},
		{"misspelt query", "GET", "/v1/audit/entries?form=1", 400, `"form": no such query parameter; did you mean "from"?`},
		{"query in capitals", "GET", "/v1/audit/entries?From=1", 400, `did you mean "from"?`},
		{"query twice", "GET", "/v1/audit/entries?from=1&from=2", 400, "from: the query parameter is given more than once"},
		{"query with a semicolon", "GET", "/v1/audit/entries?from=1;limit=2", 400, "cannot be read"},
		{"query with a bad escape", "GET", "/v1/audit/entries?from=%zz", 400, "cannot be read"},
		{"negative", "GET", "/v1/audit/entries?from=-1", 400, "from: the query parameter is not"},
		{"plus", "GET", "/v1/audit/entries?from=%2B1", 400, "from: the query parameter is not"},
		{"empty", "GET", "/v1/audit/entries?from=", 400, "from: the query parameter is not"},
		{"overflow", "GET", "/v1/audit/entries?from=99999999999999999999", 400, "from: the query parameter is not"},
		{"zero limit", "GET", "/v1/audit/entries?limit=0", 400, "limit: the query parameter is not"},
		{"large limit", "GET", "/v1/audit/entries?limit=1001", 400, "limit: the query parameter is not"},
		{"largest limit", "GET", "/v1/audit/entries?limit=1000&from=0", 200, ""},
		{"far beyond the end", "GET", "/v1/audit/entries?from=4611686018427387904", 200, `"next":-1`},
		{"strict of another kind", "POST", "/v1/datasets/kr_edu/students/versions?strict=yes", 400, "strict: the query parameter is not"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			a := h.as("manager", test.method, test.target, "")
			if a.Status != test.status || !strings.Contains(strings.ReplaceAll(a.Body, `\"`, `"`), test.says) {
				t.Errorf("%d %s; want %d with %q", a.Status, a.Body, test.status, test.says)
			}
			if a.Status == 405 && a.Header.Get("Allow") == "" {
				t.Error("there is no Allow header")
			}
			if a.Status >= 400 && a.Header.Get("Content-Type") != "application/problem+json" {
				t.Errorf("its type is %s", a.Header.Get("Content-Type"))
			}
		})
	}
	if a := h.as("manager", "PATCH", "/v1/projects/gap", ""); a.Header.Get("Allow") != "GET, PUT" {
		t.Errorf("Allow is %q", a.Header.Get("Allow"))
	}
	if a := h.as("manager", "GET", "/v1/whoami", "{}"); a.Status != 400 || !strings.Contains(a.Body, "takes no body") {
		t.Errorf("a GET with a body: %d %s", a.Status, a.Body)
	}
}
