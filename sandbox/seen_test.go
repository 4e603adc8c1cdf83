package sandbox_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"
	"testing"

	"entrepot/datasets"
	"entrepot/privacy"
	"entrepot/privacy/ledger"
	"entrepot/sandbox"
	"entrepot/sandbox/audit"
	"entrepot/sandbox/query"
)

// engine gives plausible partials for every plan, without any table, unless a function says otherwise.
type engine struct {
	check   func(query.Plan) error
	collect func(ctx context.Context, p query.Plan, tables files) (*privacy.Partials, error)
	checks  atomic.Int64
	calls   atomic.Int64 // of Collect
}

// files are the tables that a question reads, by dataset.
type files = map[string]datasets.Table

func (e *engine) Check(_ context.Context, p query.Plan, tables files) error {
	e.checks.Add(1)
	if e.check != nil {
		return e.check(p)
	}
	return complete(p, tables)
}

// complete says what is wrong with the tables that the engine was handed for a plan.
func complete(p query.Plan, tables files) error {
	uses := p.Parts().Datasets
	for _, use := range uses {
		if t, ok := tables[use.ID]; !ok || t.Declaration.UnitSpace != use.UnitSpace {
			return fmt.Errorf("%s is missing or declared otherwise: %+v", use.ID, t)
		}
	}
	if len(tables) != len(uses) {
		return fmt.Errorf("%d tables for a plan of %d", len(tables), len(uses))
	}
	return nil
}

func (e *engine) Collect(ctx context.Context, p query.Plan, tables files) (*privacy.Partials, error) {
	e.calls.Add(1)
	if e.collect != nil {
		return e.collect(ctx, p, tables)
	}
	for id, t := range tables {
		if _, err := os.Stat(t.File); err != nil {
			return nil, fmt.Errorf("%s: %w", id, err)
		}
	}
	return partials(p), complete(p, tables)
}

type keys struct{}

func (keys) UnitSpace(space string) []byte { return bytes.Repeat([]byte{byte(len(space))}, 32) }
func (keys) Commitment() []byte            { return bytes.Repeat([]byte{7}, 32) }

// books is a ledger that fails where a function says so.
type books struct {
	sandbox.Ledger
	charge  func(q sandbox.Question, entry audit.Charge) (int64, error)
	release func(query, release string, answer func(int64) ([]byte, error)) ([]byte, error)
	fail    func(query string) error
	list    func() ([]ledger.Account, error)
	repeat  func() error
}

func (b *books) Repeat(ctx context.Context, r sandbox.Repeat) error {
	if b.repeat != nil {
		return b.repeat()
	}
	return b.Ledger.Repeat(ctx, r)
}

func (b *books) Charge(ctx context.Context, q sandbox.Question, entry audit.Charge) (int64, error) {
	if b.charge != nil {
		return b.charge(q, entry)
	}
	return b.Ledger.Charge(ctx, q, entry)
}

func (b *books) Release(ctx context.Context, query, release string, answer func(int64) ([]byte, error)) ([]byte, error) {
	if b.release != nil {
		return b.release(query, release, answer)
	}
	return b.Ledger.Release(ctx, query, release, answer)
}

func (b *books) Fail(ctx context.Context, query string) error {
	if b.fail != nil {
		return b.fail(query)
	}
	return b.Ledger.Fail(ctx, query)
}

func (b *books) Accounts(ctx context.Context) ([]ledger.Account, error) {
	if b.list != nil {
		return b.list()
	}
	return b.Ledger.Accounts(ctx)
}

// verify exports the log as a regulator gets it and checks it as an auditor would: it must be whole,
// and the accounts must be what it says.
func (h *house) verify() audit.Report {
	h.t.Helper()
	var export bytes.Buffer
	must(h.t, h.Export(ctx, regulator, &export))
	report, err := audit.Verify(&export, []string{signer().VerifierKey()}, origin)
	must(h.t, err)
	accounts, err := h.store.Accounts(ctx)
	must(h.t, err)
	if !slices.Equal(accounts, report.Accounts) {
		h.t.Fatalf("accounts\n%+v\nare not those of the log\n%+v", accounts, report.Accounts)
	}
	return report
}

// entries are the whole log.
func (h *house) entries() []audit.Entry {
	h.t.Helper()
	raw, err := h.store.Entries(ctx, 0, 10_000)
	must(h.t, err)
	var list []audit.Entry
	for _, b := range raw {
		e, err := audit.Decode(b)
		must(h.t, err)
		list = append(list, e)
	}
	return list
}

// logged are the bodies of all entries of a kind.
func logged[T audit.Body](h *house, kind audit.Kind) []T {
	h.t.Helper()
	var list []T
	for _, e := range h.entries() {
		if e.Kind != kind {
			continue
		}
		body, err := audit.ParseBody(kind, e.Body)
		must(h.t, err)
		list = append(list, body.(T))
	}
	return list
}

// state is all that a use case could change.
type state struct {
	Log       int
	Questions int
	Spent     privacy.Clocks
	Tables    string
	Temp      string
}

func (h *house) state() state {
	h.t.Helper()
	questions, err := h.store.Newest(ctx, sandbox.Filter{}, 1000)
	must(h.t, err)
	return state{len(h.entries()), len(questions), h.account().Spent, h.folder("tables"), h.folder("temp")}
}

func (h *house) folder(name string) string {
	h.t.Helper()
	files, err := os.ReadDir(filepath.Join(h.dir, name))
	must(h.t, err)
	var names []string
	for _, f := range files {
		names = append(names, f.Name())
	}
	return strings.Join(names, " ")
}

// unchanged fails the test if f writes anything.
func (h *house) unchanged(f func()) {
	h.t.Helper()
	before := h.state()
	f()
	if after := h.state(); after != before {
		h.t.Errorf("something was written:\n%+v\n%+v", before, after)
	}
}

// account is that of the students; zero while it is not open.
func (h *house) account() ledger.Account {
	h.t.Helper()
	all, err := h.store.Accounts(ctx)
	must(h.t, err)
	for _, a := range all {
		if a.ID == space {
			return a
		}
	}
	return ledger.Account{}
}

// tally fails the test unless the log has so many charges, releases and failures, and the account is
// charged ε = 1/2 for each charge.
func (h *house) tally(charges, releases, failures int) {
	h.t.Helper()
	r := h.verify()
	got := [3]int64{r.Kinds[audit.KindCharge], r.Kinds[audit.KindRelease], r.Kinds[audit.KindFailure]}
	if want := [3]int64{int64(charges), int64(releases), int64(failures)}; got != want {
		h.t.Errorf("%d charges, releases and failures, want %d", got, want)
	}
	if spent, want := h.account().Spent.Epsilon, privacy.Epsilon(charges)*half; spent != want {
		h.t.Errorf("ε = %s is spent, want %s", spent, want)
	}
}

// text is an answer as a caller receives it.
func text(t *testing.T, a sandbox.Answer) string {
	t.Helper()
	b, err := json.Marshal(a)
	must(t, err)
	return string(b)
}

// studentsWithin is studentsDoc about the units of another space.
func studentsWithin(space string) string {
	return strings.Replace(studentsDoc, `"kr_edu/student"`, `"`+space+`"`, 1)
}
