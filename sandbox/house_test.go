package sandbox_test

import (
	"bytes"
	"context"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"entrepot/access"
	"entrepot/datasets"
	"entrepot/privacy"
	"entrepot/privacy/ledger"
	"entrepot/sandbox"
	"entrepot/sandbox/audit"
	"entrepot/sandbox/store"
)

const (
	origin   = "log.example.org/entrepot"
	space    = "kr_edu/student"
	students = "kr_edu.students"
	half     = privacy.OneEpsilon / 2

	projectDoc = `{"title": "Gap", "members": ["kr_edu", "lab_sg"], "purpose": "dpv:ScientificResearch", "datasets": ["kr_edu.students", "kr_edu.exams"],
		"not_before": "2026-01-01T00:00:00Z", "not_after": "2030-01-01T00:00:00Z"}`
	studentsDoc = `{"unit_space": "kr_edu/student", "max_rows_per_unit": 4, "columns": [
		{"name": "student_id", "type": "string", "role": "privacy_id"},
		{"name": "gender", "type": "string", "role": "key", "domain": ["female", "male"]},
		{"name": "town", "type": "string", "role": "key"},
		{"name": "math", "type": "float64", "role": "measure", "lower": 0, "upper": "1000", "resolution": 0.01}]}`
	policyDoc = `{"rules": [{"id": "research", "effect": "allow", "organisations": ["lab_sg"], "roles": ["researcher"],
		"jurisdictions": ["*"], "purposes": ["*"], "actions": ["aggregate"], "max_epsilon_per_query": 1}]}`
	table    = "student_id,gender,town,math\ns1,female,a,512.5\ns2,male,b,498.25\n"
	question = "SELECT gender, COUNT(*) AS n, AVG(math) AS maths FROM kr_edu.students GROUP BY gender"
)

// Who asks. The lab is a member of the project and the policy's rule names it; the clinic is a
// registered partner that nothing names; other is not registered.
var (
	operator   = principal("house/root", access.Operator)
	manager    = principal("house/mia", access.Manager)
	regulator  = principal("house/rex", access.Regulator)
	owner      = principal("kr_edu/kim", access.Owner)
	colleague  = principal("kr_edu/lee", access.Researcher)
	researcher = principal("lab_sg/ada", access.Researcher)
	peer       = principal("lab_sg/bob", access.Researcher)
	foreigner  = principal("clinic/ren", access.Researcher, access.Owner)
	stranger   = principal("other/eve", access.Researcher, access.Owner)
)

func principal(id string, roles ...access.Role) access.Principal {
	org, _, _ := strings.Cut(id, "/")
	return access.Principal{ID: id, Organisation: org, Roles: roles}
}

// house is a Service on a real store, furnished with all that a question needs. Only its engine is
// not real.
type house struct {
	t        *testing.T
	dir      string
	store    *store.Store
	engine   *engine
	operator *bytes.Buffer // the operator's log
	now      time.Time
	ids      atomic.Int64

	*sandbox.Service
}

var ctx = context.Background()

// newHouse makes a furnished house. When the test ends its log is exported and verified.
func newHouse(t *testing.T, change ...func(*sandbox.Parts)) *house {
	t.Helper()
	h := emptyHouse(t, change...)
	for _, id := range []string{"kr_edu", "lab_sg", "clinic"} {
		_, err := h.PutOrganisation(ctx, operator, access.Organisation{ID: id, Title: id, Jurisdiction: "SG"})
		must(t, err)
	}
	h.putDataset("students", studentsDoc)
	h.register(students, table)
	_, err := h.PutProject(ctx, manager, project("gap"))
	must(t, err)
	h.putPolicy(students, policyDoc)
	_, err = h.OpenAccount(ctx, owner, "kr_edu", "student", sandbox.Budget{Kind: ledger.KindRenyi, Epsilon: 20 * privacy.OneEpsilon, Delta: privacy.OneDelta / 1e6})
	must(t, err)
	return h
}

func emptyHouse(t *testing.T, change ...func(*sandbox.Parts)) *house {
	t.Helper()
	h := &house{t: t, dir: t.TempDir(), engine: &engine{}, operator: &bytes.Buffer{}, now: time.Date(2026, 11, 21, 9, 30, 0, 0, time.UTC)}
	for _, d := range []string{"tables", "temp"} {
		must(t, os.Mkdir(filepath.Join(h.dir, d), 0o700))
	}
	h.open()
	t.Cleanup(func() {
		h.verify()
		must(t, h.store.Close())
	})
	h.Service = h.serve(change...)
	return h
}

func signer() *audit.Signer {
	s, err := audit.NewSigner(origin, bytes.Repeat([]byte{1}, 32))
	if err != nil {
		panic(err)
	}
	return s
}

func (h *house) open() {
	h.t.Helper()
	var err error
	h.store, err = store.Open(ctx, store.Options{Path: filepath.Join(h.dir, "store.db"), Witness: filepath.Join(h.dir, "witness"), Signer: signer()})
	must(h.t, err)
}

// reopen is a restart of the server: what was only in memory is gone.
func (h *house) reopen() {
	h.t.Helper()
	must(h.t, h.store.Close())
	h.open()
	h.Service = h.serve()
}

// serve makes another Service on the house's store; change may put other parts in.
func (h *house) serve(change ...func(*sandbox.Parts)) *sandbox.Service {
	h.t.Helper()
	s, err := sandbox.New(h.parts(change...))
	must(h.t, err)
	return s
}

func (h *house) parts(change ...func(*sandbox.Parts)) sandbox.Parts {
	p := sandbox.Parts{Catalogue: h.store, Ledger: h.store, Questions: h.store, Log: h.store, Engine: h.engine, Keys: keys{},
		Tables: filepath.Join(h.dir, "tables"), Temp: filepath.Join(h.dir, "temp"), Parallel: 8, Deadline: time.Minute,
		Now:      func() time.Time { return h.now },
		NewID:    func(prefix string) string { return fmt.Sprint(prefix, h.ids.Add(1)) },
		Operator: slog.New(slog.NewTextHandler(h.operator, nil))}
	for _, f := range change {
		f(&p)
	}
	return p
}

// project is the project of the tests under an id.
func project(id string) access.Project {
	j, err := access.ParseProject(id, []byte(projectDoc))
	if err != nil {
		panic(err)
	}
	return j
}

func declaration(t *testing.T, text string) datasets.Declaration {
	t.Helper()
	d, err := datasets.ParseDeclaration([]byte(text))
	must(t, err)
	return d
}

func policy(t *testing.T, text string) access.Policy {
	t.Helper()
	p, err := access.ParsePolicy([]byte(text))
	must(t, err)
	return p
}

func (h *house) putDataset(name, text string) sandbox.Dataset {
	h.t.Helper()
	d, err := h.PutDataset(ctx, owner, "kr_edu", name, declaration(h.t, text))
	must(h.t, err)
	return d
}

// putPolicy replaces a dataset's policy, whatever its revision.
func (h *house) putPolicy(id, text string) {
	h.t.Helper()
	_, base, err := h.Policy(ctx, owner, id)
	if err != nil {
		refused(h.t, err, sandbox.CodeNotFound)
	}
	_, err = h.PutPolicy(ctx, owner, id, base, policy(h.t, text))
	must(h.t, err)
}

func csv(text string) datasets.Upload {
	return datasets.Upload{Format: datasets.CSV, Data: strings.NewReader(text), Size: int64(len(text))}
}

func (h *house) register(id, text string) sandbox.Version {
	h.t.Helper()
	v, err := h.Register(ctx, owner, id, csv(text), false)
	must(h.t, err)
	return v
}

// ask is the tests' question, changed.
func ask(change ...func(*sandbox.Query)) sandbox.Query {
	q := sandbox.Query{Project: "gap", SQL: question, Loss: privacy.Loss{Epsilon: half}, Body: []byte("body")}
	for _, f := range change {
		f(&q)
	}
	return q
}

func fresh(q *sandbox.Query) { q.Fresh = true }

func key(k string) func(*sandbox.Query) { return func(q *sandbox.Query) { q.Idempotency = k } }

func sql(text string) func(*sandbox.Query) { return func(q *sandbox.Query) { q.SQL = text } }

// must fails the test on an error.
func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// refused fails the test unless err has the code and an explanation.
func refused(t *testing.T, err error, code sandbox.Code) *sandbox.Error {
	t.Helper()
	if sandbox.AsErrorCode(err) != code {
		t.Fatalf("got %v, want %s", err, code)
	}
	e := sandbox.AsError(err)
	if e.Public == "" || slices.Contains(sandbox.Codes(), sandbox.Code(e.Public)) {
		t.Errorf("%s explains nothing: %q", code, e.Public)
	}
	return e
}
