package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"entrepot/access"
)

// canaries are planted in the data; none may appear anywhere but in the owner's own report.
const (
	canaryText   = "CANARYTEXT"
	canaryNumber = "73190455"
)

// bad is a request that has to be refused.
type bad struct {
	name         string
	method, path string
	who          string // "mina", "owner", "admin", "manager", "" or a raw token
	body         any
	headers      []string
	status       int
	says         string // part of the answer, lower case
}

func badRequests() []bad {
	sql := func(name, text string, status int, says string) bad {
		return bad{name, "POST", "/v1/queries", "mina", ask(text, "0.1", "0"), nil, status, says}
	}
	raw := func(name, body string, status int, says string) bad {
		return bad{name, "POST", "/v1/queries", "mina", body, nil, status, says}
	}
	loss := func(name, epsilon, delta string, says string) bad {
		return raw(name, fmt.Sprintf(`{"project": "study", "sql": "SELECT COUNT(*) AS n FROM kr_edu.people", "loss": {"epsilon": %s, "delta": %s}}`, epsilon, delta), 400, says)
	}
	declare := func(name, change, with, says string) bad {
		text := strings.Replace(fmt.Sprintf(smallDeclaration, "kr_edu/person"), change, with, 1)
		return bad{name, "PUT", "/v1/datasets/kr_edu/other", "owner", text, []string{"Content-Type", "application/yaml"}, 400, says}
	}
	upload := func(name, contentType, body string, status int, says string) bad {
		return bad{name, "POST", "/v1/datasets/kr_edu/people/versions", "owner", body, []string{"Content-Type", contentType}, status, says}
	}
	token := func(name, token string) bad {
		return bad{name, "GET", "/v1/whoami", token, nil, nil, 401, "token"}
	}
	return []bad{
		sql("no SQL", "", 400, "empty"),
		sql("syntax", "SELECT COUNT(* FROM kr_edu.people", 422, "syntax"),
		sql("two statements", "SELECT COUNT(*) AS n FROM kr_edu.people; DROP TABLE x", 422, "several statements"),
		sql("star", "SELECT * FROM kr_edu.people", 422, "*"),
		sql("raw column", "SELECT score FROM kr_edu.people", 422, "score"),
		sql("privacy id", "SELECT person, COUNT(*) AS n FROM kr_edu.people GROUP BY person", 422, "person"),
		sql("privacy id in WHERE", "SELECT COUNT(*) AS n FROM kr_edu.people WHERE person = 'p1'", 422, "person"),
		sql("unknown column", "SELECT SUM(income) AS n FROM kr_edu.people", 422, "income"),
		sql("unknown table", "SELECT COUNT(*) AS n FROM kr_edu.nothing", 404, "no such"),
		sql("system table", "SELECT COUNT(*) AS n FROM pg_catalog.pg_class", 404, "no such"),
		sql("join", "SELECT COUNT(*) AS n FROM kr_edu.people a JOIN kr_edu.people b ON a.grp = b.grp", 422, "join"),
		sql("sub-query in WHERE", "SELECT COUNT(*) AS n FROM kr_edu.people WHERE score IN (SELECT score FROM kr_edu.people)", 422, "sub-quer"),
		sql("sub-query over groups of people", "SELECT COUNT(*) AS n FROM (SELECT grp, COUNT(*) AS c FROM kr_edu.people GROUP BY grp) t", 422, "person"),
		sql("privacy id of a sub-query", "SELECT id, COUNT(*) AS n FROM (SELECT person AS id FROM kr_edu.people) t GROUP BY id", 422, "id"),
		sql("union at the top", "SELECT COUNT(*) AS n FROM kr_edu.people UNION ALL SELECT COUNT(*) AS n FROM kr_edu.people", 422, "union"),
		sql("hidden table in a union", "SELECT COUNT(*) AS n FROM (SELECT grp FROM kr_edu.people UNION ALL SELECT grp FROM uk_ou.people) t", 404, "no such"),
		sql("window", "SELECT COUNT(*) OVER () AS n FROM kr_edu.people", 422, "window"),
		sql("file function", "SELECT COUNT(*) AS n FROM read_csv('/etc/passwd')", 422, ""),
		sql("unknown function", "SELECT SUM(sqrt(score)) AS n FROM kr_edu.people", 422, "sqrt"),
		sql("unbounded division", "SELECT SUM(1 / (score - 50)) AS n FROM kr_edu.people", 422, "clamp"),
		sql("text sum", "SELECT SUM(grp) AS n FROM kr_edu.people", 422, ""),
		sql("cast", "SELECT SUM(grp::int) AS n FROM kr_edu.people", 422, "cast"),
		sql("parameter", "SELECT COUNT(*) AS n FROM kr_edu.people WHERE score = $1", 422, "$1"),
		sql("copy", "COPY kr_edu.people TO '/tmp/x'", 422, "select"),
		sql("nul", "SELECT COUNT(*) AS n FROM kr_edu.people -- \x00", 422, ""),
		sql("too long", "SELECT COUNT(*) AS n FROM kr_edu.people -- "+strings.Repeat("x", 20_000), 422, "16"),
		sql("two names", "SELECT COUNT(*) AS n, SUM(score) AS n FROM kr_edu.people", 422, "n"),

		loss("no epsilon", `"0"`, `"0"`, "ε"),
		loss("negative epsilon", `"-1"`, `"0"`, "decimal"),
		loss("NaN epsilon", `"NaN"`, `"0"`, "decimal"),
		loss("infinite epsilon", `"inf"`, `"0"`, "decimal"),
		loss("tiny epsilon", `1e-300`, `"0"`, ""),
		loss("subnormal epsilon", `"5e-324"`, `"0"`, ""),
		loss("huge epsilon", `1e20`, `"0"`, ""),
		loss("hex epsilon", `"0x1p-3"`, `"0"`, "decimal"),
		loss("epsilon below the floor", `"0.00009"`, `"0"`, "0.0001"),
		loss("epsilon above the mechanism's cap", `"20.5"`, `"0"`, ""),
		loss("delta 1", `"0.1"`, `"1"`, "δ"),
		loss("delta above 1", `"0.1"`, `"1.5"`, ""),
		loss("negative delta", `"0.1"`, `-1e-6`, "decimal"),
		loss("boolean epsilon", `true`, `"0"`, ""),
		raw("epsilon and rho", `{"project": "study", "sql": "SELECT COUNT(*) AS n FROM kr_edu.people", "loss": {"epsilon": 1, "rho": 1}}`, 400, "one of the two"),
		raw("rho below the floor", `{"project": "study", "sql": "SELECT COUNT(*) AS n FROM kr_edu.people", "loss": {"rho": "4.9e-9"}}`, 400, "5e-9"),
		raw("huge rho", `{"project": "study", "sql": "SELECT COUNT(*) AS n FROM kr_edu.people", "loss": {"rho": 1001}}`, 400, "rho"),
		raw("gaussian noise for epsilon", `{"project": "study", "sql": "SELECT COUNT(*) AS n FROM kr_edu.people", "loss": {"epsilon": 1, "mechanism": "gaussian"}}`, 400, "gaussian"),
		raw("weight of nothing", `{"project": "study", "sql": "SELECT COUNT(*) AS n FROM kr_edu.people", "loss": {"epsilon": 1, "weights": {"m": 2}}}`, 400, "weight"),
		raw("private groups without delta", `{"project": "study", "sql": "SELECT place, COUNT(*) AS n FROM kr_edu.people GROUP BY place", "loss": {"epsilon": "0.1", "delta": "0"}}`, 400, "δ"),
		raw("bounds below 1", `{"project": "study", "sql": "SELECT COUNT(*) AS n FROM kr_edu.people", "loss": {"epsilon": "0.1"}, "bounds": {"max_partitions": -1}}`, 400, ""),

		raw("not JSON", `SELECT`, 400, "json"),
		raw("empty body", ``, 400, ""),
		raw("array", `[]`, 400, ""),
		raw("trailing data", `{"project": "study", "sql": "SELECT 1", "loss": {"epsilon": "1"}} {}`, 400, ""),
		raw("duplicate key", `{"project": "study", "project": "study", "sql": "SELECT 1", "loss": {"epsilon": "1"}}`, 400, "project"),
		raw("duplicate key in another case", `{"project": "study", "sql": "SELECT COUNT(*) AS n FROM kr_edu.people", "loss": {"epsilon": "1", "EPSILON": "99"}}`, 400, "epsilon"),
		raw("nested duplicate", `{"project": "study", "sql": "SELECT 1", "loss": {"epsilon": "1", "epsilon": "2"}}`, 400, "epsilon"),
		raw("unknown key", `{"project": "study", "sql": "SELECT 1", "loss": {"epsilon": "1"}, "noise": false}`, 400, "noise"),
		raw("null", `{"project": null, "sql": "SELECT 1", "loss": {"epsilon": "1"}}`, 400, "project"),
		raw("number for text", `{"project": 7, "sql": "SELECT 1", "loss": {"epsilon": "1"}}`, 400, "project"),
		raw("deep nesting", strings.Repeat("[", 5000), 400, ""),
		raw("huge body", `{"project": "`+strings.Repeat("x", 2<<20)+`"}`, 413, ""),
		{"wrong content type", "POST", "/v1/queries", "mina", "{}", []string{"Content-Type", "text/plain"}, 415, ""},
		{"unknown project", "POST", "/v1/queries", "mina", ask("SELECT COUNT(*) AS n FROM kr_edu.people", "0.1", "0").with("project", "nothing"), nil, 404, ""},
		{"bad idempotency key", "POST", "/v1/queries", "mina", ask("SELECT COUNT(*) AS n FROM kr_edu.people", "0.1", "0"), []string{"Idempotency-Key", strings.Repeat("k", 300)}, 400, "idempotency"},
		{"owner asks", "POST", "/v1/queries", "owner", ask("SELECT COUNT(*) AS n FROM kr_edu.people", "0.1", "0"), nil, 403, "researcher"},
		{"researcher declares", "PUT", "/v1/datasets/kr_edu/people", "mina", fmt.Sprintf(smallDeclaration, "kr_edu/person"), []string{"Content-Type", "application/yaml"}, 403, "owner"},
		{"manager opens an account", "PUT", "/v1/accounts/kr_edu/person", "manager", map[string]string{"kind": "renyi", "epsilon": "1", "delta": "1e-6"}, nil, 403, "owner"},
		{"another budget", "PUT", "/v1/accounts/kr_edu/person", "owner", map[string]string{"kind": "renyi", "epsilon": "500", "delta": "1e-6"}, nil, 412, "if-match"},
		{"policy without If-Match", "PUT", "/v1/datasets/kr_edu/people/policy", "owner", research, nil, 412, "if-match"},
		{"policy without a rule's purposes", "PUT", "/v1/datasets/kr_edu/people/policy", "owner", `{"pre_threshold": 1, "rules": [{"id": "a", "effect": "allow"}]}`, []string{"If-Match", `"1"`}, 400, ""},
		{"misspelt effect", "PUT", "/v1/datasets/kr_edu/people/policy", "owner", strings.Replace(research, `"allow"`, `"Allow"`, 1), []string{"If-Match", `"1"`}, 400, "allow"},
		{"unknown member", "PUT", "/v1/projects/other", "manager", map[string]any{"title": "x", "members": []string{"nobody"}, "purpose": "dpv:ScientificResearch", "datasets": []string{"kr_edu.people"}, "agreements": []string{}, "not_before": "2026-01-01T00:00:00Z", "not_after": "2027-01-01T00:00:00Z"}, nil, 400, "nobody"},
		{"no such country", "PUT", "/v1/organisations/xx", "admin", map[string]string{"title": "x", "jurisdiction": "XX"}, nil, 400, "xx"},

		declare("no bounds", ", lower: 0, upper: 100", "", "score"),
		declare("bounds reversed", "lower: 0, upper: 100", "lower: 100, upper: 0", "score"),
		declare("NaN bound", "lower: 0", "lower: .nan", "columns[2].lower"),
		declare("off the grid", "upper: 100", "upper: 100.5", "score"),
		declare("wide bounds", "upper: 100", "upper: 9007199254740993", "score"),
		declare("two privacy ids", "role: key, domain: [a, b, c]", "role: privacy_id", "privacy"),
		declare("foreign unit space", "kr_edu/person", "uk_ou/person", "another organisation"),
		declare("unknown key", "max_rows_per_unit: 1", "max_rows_per_unit: 1\nmax_rows: 2", "max_rows"),
		declare("no limit", "max_rows_per_unit: 1", "max_rows_per_unit: 0", "max_rows_per_unit"),
		{"changed declaration", "PUT", "/v1/datasets/kr_edu/people", "owner", fmt.Sprintf(smallDeclaration, "kr_edu/person"), []string{"Content-Type", "application/yaml"}, 409, "cannot change"},

		upload("unknown format", "application/zip", "PK", 415, "parquet"),
		upload("not parquet", parquetType, "person,grp", 400, ""),
		upload("truncated parquet", parquetType, "PAR1\x00\x00\x00\x00PAR1", 400, ""),
		upload("not arrow", "application/vnd.apache.arrow.file", "hello", 400, ""),
		upload("column missing", "text/csv", "person,grp\n1,a\n", 400, "score"),
		upload("ragged CSV", "text/csv", "person,grp,place,score\n1,a\n", 400, ""),
		{"strict", "POST", "/v1/datasets/kr_edu/people/versions?strict=true", "owner", "person,grp,place,score\n1,a,x,1000\n", []string{"Content-Type", "text/csv"}, 422, "strict"},

		token("no token", ""), token("nonsense", "abc"),
		token("alg none", "eyJhbGciOiJub25lIiwidHlwIjoiSldUIn0.eyJpc3MiOiJlbnRyZXBvdC9sb2NhbCJ9."),
		{"wrong audience", "GET", "/v1/whoami", "elsewhere", nil, nil, 401, "token"},
		{"unknown route", "GET", "/v1/nothing", "mina", nil, nil, 404, ""},
		{"wrong method", "DELETE", "/v1/datasets/kr_edu/people", "owner", nil, nil, 405, ""},
		{"path traversal", "GET", "/v1/datasets/kr_edu/..%2f..%2fkeys", "owner", nil, nil, 404, ""},
		{"unknown parameter", "GET", "/v1/datasets?all=true", "mina", nil, nil, 400, "parameter"},
		{"release of nobody", "GET", "/v1/releases/rel_aaaaaaaaaaaa", "mina", nil, nil, 404, ""},
		{"export for a researcher", "GET", "/v1/audit/export", "mina", nil, nil, 403, ""},
	}
}

// TestBadInput sends what must be refused: each gets a 4xx that says something useful, nothing is charged,
// logged as a charge or stored, and no canary of the data comes back.
func TestBadInput(t *testing.T) {
	s := start(t)
	s.partners()
	declaration := strings.Replace(fmt.Sprintf(smallDeclaration, "kr_edu/person"), "  - {name: score", "  - {name: place, type: string, role: key}\n  - {name: score", 1)
	s.register("kr_edu.people", declaration, "text/csv",
		[]byte("person,grp,place,score\n"+canaryText+",a,"+canaryText+","+canaryNumber+"\nq,b,"+canaryText+",7\n"), "10", "1e-6")
	s.project("kr_edu.people")
	tokens := map[string]string{"mina": s.researcher(), "owner": s.owner("kr_edu"), "admin": s.operator(), "manager": s.manager(),
		"elsewhere": s.foreignToken()}
	charges, versions := s.verify().Kinds["charge"], s.must("GET", "/v1/datasets/kr_edu/people", s.owner("kr_edu"), nil)
	requests := badRequests()
	if len(requests) < 60 {
		t.Fatalf("only %d bad requests", len(requests))
	}
	for _, b := range requests {
		t.Run(b.name, func(t *testing.T) {
			token, known := tokens[b.who]
			if !known {
				token = b.who
			}
			r := s.do(b.method, b.path, token, b.body, b.headers...)
			if r.status != b.status {
				t.Fatalf("%v, expected %d", r, b.status)
			}
			var problem struct{ Title, Detail, Code string }
			if err := json.Unmarshal(r.body, &problem); err != nil || problem.Detail == "" || problem.Code == "" {
				t.Errorf("not a problem that explains itself: %s", r.body)
			}
			if !strings.Contains(strings.ToLower(string(r.body)), b.says) {
				t.Errorf("%s does not mention %q", r.body, b.says)
			}
			if b.who != "owner" && (bytes.Contains(r.body, []byte(canaryText)) || bytes.Contains(r.body, []byte(canaryNumber))) {
				t.Errorf("a canary came back: %s", r.body)
			}
		})
	}
	if now := s.must("GET", "/v1/datasets/kr_edu/people", s.owner("kr_edu"), nil); !bytes.Equal(now, versions) {
		t.Errorf("something was registered: %s", now)
	}
	report := s.verify()
	if report.Kinds["charge"] != charges {
		t.Errorf("%d charges, %d before", report.Kinds["charge"], charges)
	}
	if spent := s.account("kr_edu/person").Spent; spent.Epsilon != 0 || spent.Delta != 0 || len(spent.Renyi.Used()) != 0 {
		t.Errorf("charged %+v", spent)
	}
	s.noCanary()
}

// foreignToken is a token for another deployment, signed with this one's key.
func (s *server) foreignToken() string {
	s.Helper()
	issuer, err := access.NewIssuer(s.keys.token, tokenIssuer, "elsewhere", time.Now)
	if err != nil {
		s.Fatal(err)
	}
	token, err := issuer.Issue(access.Principal{ID: "sg_lab/mina", Organisation: "sg_lab", Roles: []access.Role{access.Researcher}}, 1e12)
	if err != nil {
		s.Fatal(err)
	}
	return token
}

// noCanary looks for the data's canaries in everything that leaves the house: answers, the log's export, the
// operator's log, catalogue and accounts as each role sees them.
func (s *server) noCanary() {
	s.Helper()
	places := map[string][]byte{"operator's log": s.log.Bytes(), "export": s.must("GET", "/v1/audit/export", s.manager(), nil)}
	for _, sql := range []string{"SELECT grp, COUNT(*) AS n, AVG(score) AS m FROM kr_edu.people GROUP BY grp", "SELECT COUNT(*) AS n FROM kr_edu.people WHERE 1 / (score - 50) > 1",
		"SELECT MIN(score) AS lo, MAX(score) AS hi, STDDEV(score) AS s FROM (SELECT place, MAX(score) AS score FROM kr_edu.people GROUP BY person, place) t"} {
		places[sql] = s.must("POST", "/v1/queries", s.researcher(), ask(sql, "0.1", "0"))
	}
	for _, path := range []string{"/v1/datasets", "/v1/datasets/kr_edu/people", "/v1/accounts", "/v1/releases", "/v1/audit/entries"} {
		places[path] = s.must("GET", path, s.researcher(), nil)
		places[path+" (manager)"] = s.must("GET", path, s.manager(), nil)
	}
	for place, content := range places {
		if bytes.Contains(content, []byte(canaryText)) || bytes.Contains(content, []byte(canaryNumber)) {
			s.Errorf("a canary is in %s: %s", place, content)
		}
	}
	if r := s.do("GET", "/v1/datasets/kr_edu/people/versions/latest", s.researcher(), nil); r.status != http.StatusForbidden {
		s.Errorf("a researcher reads the owner's report: %v", r)
	}
}
