package api

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"math/big"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"entrepot/access"
	"entrepot/datasets"
	"entrepot/privacy"
	"entrepot/sandbox"
	"entrepot/sandbox/query"
)

// engine answers every question from the same two groups, without any table.
type engine struct {
	fail  error // of Collect
	check error // of Check
	panic any   // of Collect
}

func (e *engine) Check(context.Context, query.Plan, map[string]datasets.Table) error { return e.check }

func (e *engine) Collect(_ context.Context, p query.Plan, _ map[string]datasets.Table) (*privacy.Partials, error) {
	if e.panic != nil {
		panic(e.panic)
	}
	if e.fail != nil {
		return nil, e.fail
	}
	parts := p.Parts()
	keys := parts.PublicKeys
	if len(parts.Keys) == 0 {
		keys = []string{"[]"}
	}
	var groups []privacy.Partial
	for i, key := range keys {
		g := privacy.Partial{Key: key, Units: 1000 + int64(i), Rows: 1000 + int64(i)}
		for _, a := range parts.Arguments {
			middle := a.Lower + (a.Upper-a.Lower)/2
			g.Arguments = append(g.Arguments, privacy.Tally{NonNull: g.Rows,
				Sum:    new(big.Int).Mul(big.NewInt(middle), big.NewInt(g.Rows)),
				Leaves: []privacy.Leaf{{Index: privacy.NewTree(a.Lower, a.Upper).Leaf(middle), Rows: g.Rows}}})
		}
		groups = append(groups, g)
	}
	return privacy.NewPartials(p.Shape(), groups), nil
}

type keys struct{}

func (keys) UnitSpace(string) []byte { return make([]byte, 32) }
func (keys) Commitment() []byte      { return make([]byte, 32) }

// house is a Service with the API in front of it.
type house struct {
	t       *testing.T
	handler http.Handler
	store   *fakeStore
	engine  *engine
	log     *lockedBuffer // the operator's
	spool   string
	ids     []string // what the Service's next ids are; when it is empty they are counted
	count   int
}

type lockedBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (l *lockedBuffer) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func (l *lockedBuffer) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}

// tokens names the principals of the tests; the token of x is "token-x".
func tokens() map[string]access.Principal {
	return map[string]access.Principal{
		"operator":   {ID: "house/root", Organisation: "house", Roles: []access.Role{access.Operator}},
		"manager":    {ID: "house/mia", Organisation: "house", Roles: []access.Role{access.Manager}},
		"regulator":  {ID: "house/rex", Organisation: "house", Roles: []access.Role{access.Regulator}},
		"owner":      {ID: "kr_edu/kim", Organisation: "kr_edu", Roles: []access.Role{access.Owner}},
		"researcher": {ID: "lab_sg/ada", Organisation: "lab_sg", Roles: []access.Role{access.Researcher}},
		"stranger":   {ID: "other/eve", Organisation: "other", Roles: []access.Role{access.Researcher, access.Owner}},
	}
}

func verify(token string) (access.Principal, error) {
	name, ok := strings.CutPrefix(token, "token-")
	p, known := tokens()[name]
	if !ok || !known {
		return access.Principal{}, errors.New("no such token")
	}
	return p, nil
}

// newHouse makes an empty house; change may alter the options.
func newHouse(t *testing.T, change ...func(*Options)) *house {
	t.Helper()
	dir := t.TempDir()
	h := &house{t: t, store: newFakeStore(), engine: &engine{}, log: &lockedBuffer{}, spool: filepath.Join(dir, "spool")}
	tables := filepath.Join(dir, "data", "tables")
	for _, d := range []string{h.spool, tables} {
		if err := os.MkdirAll(d, 0o700); err != nil {
			t.Fatal(err)
		}
	}
	logger := slog.New(slog.NewTextHandler(h.log, &slog.HandlerOptions{Level: slog.LevelDebug}))
	service, err := sandbox.New(sandbox.Parts{Catalogue: h.store, Ledger: h.store, Questions: h.store, Log: h.store,
		Engine: h.engine, Keys: keys{}, Tables: tables, Temp: h.spool, Parallel: 8, Deadline: time.Minute, Operator: logger,
		Now:   func() time.Time { return time.Date(2026, 11, 21, 9, 30, 0, 0, time.UTC) },
		NewID: h.newID})
	if err != nil {
		t.Fatal(err)
	}
	o := Options{Service: service, Verify: verify, Logger: logger, Limits: Limits{Spool: h.spool},
		Rate: Rate{PerSecond: 1e9, Burst: 1e9, FailuresPerSecond: 1e9, FailureBurst: 1e9}}
	for _, f := range change {
		f(&o)
	}
	if h.handler, err = New(o); err != nil {
		t.Fatal(err)
	}
	return h
}

func (h *house) newID(prefix string) string {
	if len(h.ids) > 0 {
		id := h.ids[0]
		h.ids = h.ids[1:]
		return id
	}
	h.count++
	return fmt.Sprintf("%sid%d", prefix, h.count)
}

// answer is a response, read to its end.
type answer struct {
	Status int
	Header http.Header
	Body   string
}

func (a answer) code() string { return problemOf(a).Code }

type problemText struct {
	Type, Title, Code, Detail, Hint string
	Status                          int
	QueryID                         string `json:"query_id"`
}

func problemOf(a answer) problemText {
	var p problemText
	_ = json.Unmarshal([]byte(a.Body), &p)
	return p
}

// as makes a request with the token of a principal, "" for none. Headers come in pairs.
func (h *house) as(who, method, target, body string, headers ...string) answer {
	h.t.Helper()
	var reader io.Reader
	if body != "" {
		reader = strings.NewReader(body)
	}
	r := httptest.NewRequest(method, target, reader)
	if who != "" {
		r.Header.Set("Authorization", "Bearer token-"+who)
	}
	if body != "" {
		r.Header.Set("Content-Type", mediaJSON)
	}
	for i := 0; i < len(headers); i += 2 {
		r.Header.Set(headers[i], headers[i+1])
	}
	return h.do(r)
}

func (h *house) do(r *http.Request) answer {
	w := httptest.NewRecorder()
	h.handler.ServeHTTP(w, r)
	return answer{w.Code, w.Header(), w.Body.String()}
}

// must fails the test unless the answer has the status.
func (h *house) must(status int, a answer) answer {
	h.t.Helper()
	if a.Status != status {
		h.t.Fatalf("status %d, want %d: %s\n%s", a.Status, status, a.Body, h.log)
	}
	return a
}

const (
	organisationDoc = `{"title": "Somebody", "jurisdiction": "SG"}`
	projectDoc      = `{"title": "Gap", "members": ["kr_edu", "lab_sg"], "purpose": "dpv:ScientificResearch", "datasets": ["kr_edu.students"],
		"agreements": [], "not_before": "2026-01-01T00:00:00Z", "not_after": "2030-01-01T00:00:00Z"}`
	datasetDoc = `{"unit_space": "kr_edu/student", "max_rows_per_unit": 1, "columns": [
		{"name": "student_id", "type": "string", "role": "privacy_id"},
		{"name": "gender", "type": "string", "role": "key", "domain": ["female", "male"]},
		{"name": "math", "type": "float64", "role": "measure", "lower": 0, "upper": "1000", "resolution": 0.01}]}`
	policyDoc = `{"rules": [{"id": "research", "effect": "allow", "organisations": ["lab_sg"], "roles": ["researcher"],
		"jurisdictions": ["*"], "purposes": ["*"], "actions": ["aggregate"], "max_epsilon_per_query": 1}]}`
	table    = "student_id,gender,math\ns1,female,512.5\ns2,male,498.25\n"
	question = `{"project": "gap", "sql": "SELECT gender, COUNT(*) AS n, AVG(math) AS maths FROM kr_edu.students GROUP BY gender", "loss": {"epsilon": 0.5}}`
)

// furnish registers everything that a question needs.
func (h *house) furnish() *house {
	h.t.Helper()
	h.must(200, h.as("operator", "PUT", "/v1/organisations/kr_edu", organisationDoc))
	h.must(200, h.as("operator", "PUT", "/v1/organisations/lab_sg", organisationDoc))
	h.must(200, h.as("manager", "PUT", "/v1/projects/gap", projectDoc))
	h.must(200, h.as("owner", "PUT", "/v1/datasets/kr_edu/students", datasetDoc))
	h.must(201, h.as("owner", "POST", "/v1/datasets/kr_edu/students/versions", table, "Content-Type", "text/csv"))
	h.must(200, h.as("owner", "PUT", "/v1/datasets/kr_edu/students/policy", policyDoc))
	h.must(200, h.as("owner", "PUT", "/v1/accounts/kr_edu/student", `{"kind": "renyi", "epsilon": "3", "delta": "1e-6"}`))
	return h
}
