package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"entrepot/access"
	"entrepot/sandbox"
	"entrepot/sandbox/audit"
)

// realData is where the real tables are, when they are there.
const realData = "../../../shared/data"

// needRealData skips a test, with its reason, where the real tables are not beside the project.
func needRealData(t testing.TB) {
	t.Helper()
	if _, err := os.Stat(realData); err != nil {
		t.Skip("skipped: ../shared/data is not here")
	}
}

// soak reports whether tests run at their full sizes.
func soak() bool { return os.Getenv("ENTREPOT_SOAK") != "" }

// server is a whole Entrepot on a port of its own, spoken to through REST only.
type server struct {
	testing.TB
	url  string
	keys Keyring
	main *Main         // nil when the server is a process of its own
	log  *bytes.Buffer // the operator's log, guarded by its handler
}

// testConfig is the default configuration with room for a test's rate.
func testConfig(data string) Config {
	return Config{Data: data, Addr: "127.0.0.1:0", Audience: "entrepot", Deadline: 30 * time.Second, MemoryMB: 2048, Threads: 2, Parallel: 4,
		UploadLimit: 1 << 30, Rate: 1e6, Burst: 1e6}
}

// start runs a server on a new data folder.
func start(t testing.TB) *server { return startAt(t, t.TempDir()) }

// startAt runs a server on a data folder and closes it at the end of the test.
func startAt(t testing.TB, data string) *server {
	t.Helper()
	s := &server{TB: t, log: &bytes.Buffer{}}
	s.main = &Main{Config: testConfig(data), Notice: io.Discard, Log: slog.New(slog.NewTextHandler(s.log, nil))}
	t.Cleanup(func() {
		if err := s.main.Close(); err != nil {
			t.Error(err)
		}
	})
	if err := s.main.Run(t.Context()); err != nil {
		t.Fatal(err)
	}
	s.url, s.keys = s.main.URL, s.main.keys
	return s
}

// token makes a token for organisation/name with roles.
func (s *server) token(organisation, name string, roles ...access.Role) string {
	s.Helper()
	issuer, err := access.NewIssuer(s.keys.token, tokenIssuer, "entrepot", time.Now)
	if err != nil {
		s.Fatal(err)
	}
	token, err := issuer.Issue(access.Principal{ID: organisation + "/" + name, Organisation: organisation, Roles: roles}, time.Hour)
	if err != nil {
		s.Fatal(err)
	}
	return token
}

// reply is what came back.
type reply struct {
	status int
	header http.Header
	body   []byte
}

func (r reply) String() string { return fmt.Sprintf("%d %s", r.status, r.body) }

// do sends one request. body is bytes or a string, sent as they are, or a value, sent as JSON; headers are pairs.
func (s *server) do(method, path, token string, body any, headers ...string) reply {
	s.Helper()
	var content []byte
	switch b := body.(type) {
	case nil:
	case []byte:
		content = b
	case string:
		content = []byte(b)
	default:
		var err error
		if content, err = json.Marshal(b); err != nil {
			s.Fatal(err)
		}
	}
	r, err := http.NewRequestWithContext(s.Context(), method, s.url+path, bytes.NewReader(content))
	if err != nil {
		s.Fatal(err)
	}
	if body != nil {
		r.Header.Set("Content-Type", "application/json")
	}
	if token != "" {
		r.Header.Set("Authorization", "Bearer "+token)
	}
	for i := 0; i+1 < len(headers); i += 2 {
		r.Header.Set(headers[i], headers[i+1])
	}
	res, err := http.DefaultClient.Do(r)
	if err != nil {
		s.Fatal(err)
	}
	defer res.Body.Close()
	b, err := io.ReadAll(res.Body)
	if err != nil {
		s.Fatal(err)
	}
	return reply{res.StatusCode, res.Header, b}
}

// must is do for requests that have to succeed.
func (s *server) must(method, path, token string, body any, headers ...string) []byte {
	s.Helper()
	r := s.do(method, path, token, body, headers...)
	if r.status/100 != 2 {
		s.Fatalf("%s %s: %v", method, path, r)
	}
	return r.body
}

// Tokens that most tests need.
func (s *server) operator() string   { return s.token("platform", "admin", access.Operator) }
func (s *server) manager() string    { return s.token("platform", "programme", access.Manager) }
func (s *server) researcher() string { return s.token("sg_lab", "mina", access.Researcher) }
func (s *server) owner(org string) string {
	return s.token(org, "data_office", access.Owner)
}

// partners registers the three organisations of the tests.
func (s *server) partners() {
	s.Helper()
	for org, jurisdiction := range map[string]string{"kr_edu": "KR", "uk_ou": "GB", "sg_lab": "SG"} {
		s.must("PUT", "/v1/organisations/"+org, s.operator(), map[string]string{"title": org, "jurisdiction": jurisdiction})
	}
}

// project opens the tests' project over the datasets named.
func (s *server) project(datasets ...string) {
	s.Helper()
	s.must("PUT", "/v1/projects/study", s.manager(), map[string]any{"title": "A study", "members": []string{"sg_lab", "kr_edu", "uk_ou"},
		"purpose": "dpv:ScientificResearch", "datasets": datasets, "agreements": []string{"KSDPA 14.25"},
		"not_before": "2020-01-01T00:00:00Z", "not_after": "2099-01-01T00:00:00Z"})
}

// research is a policy that lets the lab ask aggregates for research.
const research = `{"pre_threshold": 1, "rules": [{"id": "research", "effect": "allow", "organisations": ["sg_lab"], "roles": ["researcher"],
  "jurisdictions": ["SG"], "purposes": ["dpv:ResearchAndDevelopment"], "actions": ["metadata", "aggregate"], "max_epsilon_per_query": "1000"}]}`

// register declares org.name, uploads its rows, and sets policy and budget.
func (s *server) register(id, declaration, contentType string, rows []byte, epsilon, delta string) {
	s.Helper()
	org, name, _ := strings.Cut(id, ".")
	owner, path := s.owner(org), "/v1/datasets/"+org+"/"+name
	s.must("PUT", path, owner, declaration, "Content-Type", "application/yaml")
	s.must("POST", path+"/versions", owner, rows, "Content-Type", contentType)
	s.must("PUT", path+"/policy", owner, research)
	var d struct {
		Declaration struct {
			UnitSpace string `json:"unit_space"`
		} `json:"declaration"`
	}
	if err := json.Unmarshal(s.must("GET", path, owner, nil), &d); err != nil {
		s.Fatal(err)
	}
	s.must("PUT", "/v1/accounts/"+d.Declaration.UnitSpace, owner, map[string]string{"kind": "renyi", "epsilon": epsilon, "delta": delta})
}

// question is a query's body.
type question map[string]any

func ask(sql, epsilon, delta string) question {
	return question{"project": "study", "sql": sql, "loss": map[string]string{"epsilon": epsilon, "delta": delta}}
}

// with adds a member.
func (q question) with(name string, value any) question {
	q[name] = value
	return q
}

// answer asks a question that has to succeed.
func (s *server) answer(q question, headers ...string) sandbox.Answer {
	s.Helper()
	var a sandbox.Answer
	if err := json.Unmarshal(s.must("POST", "/v1/queries", s.researcher(), q, headers...), &a); err != nil {
		s.Fatal(err)
	}
	return a
}

// field is a row's value by name.
func field(t testing.TB, r sandbox.Row, name string) any {
	t.Helper()
	for _, f := range r {
		if f.Name == name {
			return f.Value
		}
	}
	t.Fatalf("no column %s in %v", name, r)
	return nil
}

// number is a row's number by name.
func number(t testing.TB, r sandbox.Row, name string) float64 {
	t.Helper()
	n, ok := field(t, r, name).(json.Number)
	if !ok {
		t.Fatalf("%s is %v", name, field(t, r, name))
	}
	f, err := n.Float64()
	if err != nil {
		t.Fatal(err)
	}
	return f
}

// verify exports the log and checks it offline.
func (s *server) verify() audit.Report {
	s.Helper()
	export := s.must("GET", "/v1/audit/export", s.manager(), nil)
	signer, err := s.keys.signer()
	if err != nil {
		s.Fatal(err)
	}
	report, err := audit.Verify(bytes.NewReader(export), []string{signer.VerifierKey()}, logOrigin)
	if err != nil {
		s.Fatalf("audit verify: %v", err)
	}
	return report
}

func readReal(t testing.TB, name string) []byte {
	t.Helper()
	b, err := os.ReadFile(filepath.Join(realData, name))
	if err != nil {
		t.Fatal(err)
	}
	return b
}
