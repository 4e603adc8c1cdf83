package store

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"entrepot/privacy"
	"entrepot/privacy/ledger"
	"entrepot/sandbox"
	"entrepot/sandbox/audit"
)

// storage is all that the sandbox asks of a store.
type storage interface {
	sandbox.Catalogue
	sandbox.Ledger
	sandbox.Questions
	sandbox.Log
}

// contract is what every store must do. open makes an empty one that signs with testSigner and lives as
// long as its test.
func contract(t *testing.T, open func(t *testing.T) storage) {
	for name, test := range map[string]func(*testing.T, storage){
		"catalogue":             testCatalogue,
		"openings":              testOpenings,
		"charge":                testCharge,
		"charge is all or none": testAllOrNone,
		"charge refuses":        testChargeRefuses,
		"idempotency":           testIdempotency,
		"amend":                 testAmend,
		"promise":               testPromise,
		"lowered":               testLowered,
		"thaw":                  testThaw,
		"schedule":              testSchedule,
		"allocate":              testAllocate,
		"allocate refuses":      testAllocateRefuses,
		"256 allocations":       testMostAllocations,
		"unallocate":            testUnallocate,
		"allocations admit":     testAllocationsAdmit,
		"allocations all":       testAllocationsAllOrNone,
		"allocations lowered":   testAllocationLowered,
		"parallel allocation":   testParallelAllocation,
		"spending":              testSpending,
		"whose questions":       testWhose,
		"release once":          testReleaseOnce,
		"release undone":        testReleaseUndone,
		"failures freeze":       testFailuresFreeze,
		"finding questions":     testFind,
		"repeating":             testRepeat,
		"time never falls":      testClock,
		"append":                testAppend,
		"entries":               testEntries,
		"cancelled":             testCancelled,
		"parallel charges":      testParallel,
		"parallel everything":   testParallelMix,
	} {
		t.Run(name, func(t *testing.T) {
			s := open(t)
			test(t, s)
			mustVerify(t, s)
		})
	}
	t.Run("any history", func(t *testing.T) { testAnyHistory(t, open) })
}

const testOrigin = "log.example.org/entrepot"

var testTime = time.Date(2026, 3, 14, 9, 26, 53, 0, time.UTC)

func testSigner(t testing.TB) *audit.Signer {
	t.Helper()
	s, err := audit.NewSigner(testOrigin, bytes.Repeat([]byte{1}, 32))
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// mustVerify exports the log and checks it as an auditor would; it also holds accounts and allocations to the log.
func mustVerify(t testing.TB, s storage) audit.Report {
	t.Helper()
	ctx := context.Background()
	checkpoint, err := s.Checkpoint(ctx)
	must(t, err)
	var export bytes.Buffer
	must(t, audit.Export(&export, checkpoint, func(from int64, limit int) ([][]byte, error) { return s.Entries(ctx, from, limit) }))
	report, err := audit.Verify(&export, []string{testSigner(t).VerifierKey()}, testOrigin)
	must(t, err)
	accounts, err := s.Accounts(ctx)
	must(t, err)
	if !slices.Equal(accounts, report.Accounts) {
		t.Fatalf("accounts\n%+v\nare not those of the log\n%+v", accounts, report.Accounts)
	}
	allocations := []ledger.Allocation{}
	for _, a := range accounts {
		list, err := s.Allocations(ctx, a.ID)
		must(t, err)
		allocations = append(allocations, list...)
	}
	if !slices.Equal(allocations, report.Allocations) {
		t.Fatalf("allocations\n%+v\nare not those of the log\n%+v", allocations, report.Allocations)
	}
	return report
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func wantErr(t testing.TB, err, want error) {
	t.Helper()
	if !errors.Is(err, want) {
		t.Fatalf("got error %v, want %v", err, want)
	}
}

// milli is ε in thousandths.
func milli(n int64) privacy.Epsilon { return privacy.Epsilon(n) * privacy.OneEpsilon / 1000 }

// openPure opens an account that holds n charges of one thousandth.
func openPure(t testing.TB, s storage, id string, n int64) {
	t.Helper()
	a, err := ledger.New(id, ledger.Promise{Kind: ledger.KindPure, Epsilon: milli(n)}, ledger.Terms{})
	must(t, err)
	must(t, s.Open(context.Background(), a, owner("")))
}

// owner changes something.
func owner(reason string) sandbox.By {
	return sandbox.By{Actor: "kr_edu/owner", Reason: reason, At: testTime}
}

// cost charges accounts one thousandth each.
func cost(accounts ...string) []ledger.Charge {
	var charges []ledger.Charge
	for _, id := range accounts {
		charges = append(charges, ledger.Charge{Account: id, Loss: privacy.Clocks{Epsilon: milli(1)}})
	}
	return charges
}

func question(id string, accounts ...string) sandbox.Question {
	return sandbox.Question{
		ID: id, Principal: "sg_lab/mei", Project: "maths_gap", BodyDigest: "b" + id, Repeat: "r" + id, Draw: privacy.OneEpsilon, Noise: []byte("noise of " + id),
		Plan: []byte(`{"plan":"` + id + `"}`), Charges: cost(accounts...), Time: testTime,
	}
}

func chargeEntry() audit.Charge {
	return audit.Charge{
		Project: "maths_gap", Purpose: "dpv:ScientificResearch", Rule: "researchers",
		Datasets: []audit.DatasetVersion{{ID: "kr_edu.students", Version: 1}}, Question: "SELECT COUNT(*) FROM kr_edu.students",
	}
}

func charge(t testing.TB, s storage, id string, accounts ...string) int64 {
	t.Helper()
	index, err := s.Charge(context.Background(), question(id, accounts...), chargeEntry())
	must(t, err)
	return index
}

func answerWith(text string) func(int64) ([]byte, error) {
	return func(int64) ([]byte, error) { return []byte(text), nil }
}

func release(t testing.TB, s storage, query string) {
	t.Helper()
	_, err := s.Release(context.Background(), query, "rel_"+query, answerWith("answer to "+query))
	must(t, err)
}

func entryAt(t testing.TB, s storage, index int64) audit.Entry {
	t.Helper()
	entries, err := s.Entries(context.Background(), index, 1)
	must(t, err)
	if len(entries) != 1 {
		t.Fatalf("no entry %d", index)
	}
	e, err := audit.Decode(entries[0])
	must(t, err)
	return e
}

func testCatalogue(t *testing.T, s storage) {
	ctx := context.Background()
	put := func(kind audit.Kind, id string, revision int64, body string) error {
		sum := sha256.Sum256([]byte(body))
		return s.Put(ctx, sandbox.Document{Kind: string(kind), ID: id, Revision: revision, Body: []byte(body)}, sandbox.Draft{
			Kind: kind, Actor: "kr_edu/owner", Time: testTime,
			Body: audit.Change{Resource: id, Revision: revision, Digest: hex.EncodeToString(sum[:])},
		})
	}
	_, err := s.Get(ctx, "dataset", "kr_edu.students")
	wantErr(t, err, sandbox.ErrNotFound)
	wantErr(t, put(audit.KindDataset, "kr_edu.students", 2, `{"a":0}`), sandbox.ErrConflict)
	must(t, put(audit.KindDataset, "kr_edu.students", 1, `{"a":1}`))
	wantErr(t, put(audit.KindDataset, "kr_edu.students", 1, `{"a":2}`), sandbox.ErrConflict)
	must(t, put(audit.KindDataset, "kr_edu.students", 2, `{"a":2}`))
	must(t, put(audit.KindDataset, "gb_ons.homes", 1, `{"b":1}`))
	must(t, put(audit.KindPolicy, "kr_edu.students", 1, `{"p":1}`))

	got, err := s.Get(ctx, "dataset", "kr_edu.students")
	must(t, err)
	want := sandbox.Document{Kind: "dataset", ID: "kr_edu.students", Revision: 2, Body: []byte(`{"a":2}`)}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	list, err := s.List(ctx, "dataset")
	must(t, err)
	if diff := cmp.Diff([]sandbox.Document{{Kind: "dataset", ID: "gb_ons.homes", Revision: 1, Body: []byte(`{"b":1}`)}, want}, list); diff != "" {
		t.Error(diff)
	}
	if list, err := s.List(ctx, "project"); err != nil || len(list) != 0 {
		t.Errorf("no projects: got %v, %v", list, err)
	}

	d := sandbox.Document{Kind: "project", ID: "p", Revision: 1, Body: []byte(`{}`)}
	for name, entry := range map[string]sandbox.Draft{
		"other kind":   {Kind: audit.KindPolicy, Body: audit.Change{Resource: "p", Revision: 1, Digest: digest(d.Body)}},
		"other id":     {Kind: audit.KindProject, Body: audit.Change{Resource: "q", Revision: 1, Digest: digest(d.Body)}},
		"other bytes":  {Kind: audit.KindProject, Body: audit.Change{Resource: "p", Revision: 1, Digest: digest([]byte("[]"))}},
		"not a change": {Kind: audit.KindRepeat, Body: audit.Repeat{Query: "q", Release: "r"}},
	} {
		entry.Actor, entry.Time = "kr_edu/owner", testTime
		if err := s.Put(ctx, d, entry); err == nil {
			t.Errorf("%s: no error", name)
		}
	}
	if report := mustVerify(t, s); report.Kinds[audit.KindDataset] != 3 || report.Kinds[audit.KindProject] != 0 {
		t.Errorf("entries %v: a refused document left one", report.Kinds)
	}
}

func testOpenings(t *testing.T, s storage) {
	ctx := context.Background()
	if accounts, err := s.Accounts(ctx); err != nil || len(accounts) != 0 {
		t.Fatalf("got %v, %v", accounts, err)
	}
	a, err := ledger.New("kr_edu/student", ledger.Promise{Kind: ledger.KindRenyi, Epsilon: privacy.OneEpsilon, Delta: 1e12}, ledger.Terms{})
	must(t, err)
	must(t, s.Open(ctx, a, owner("the board met")))
	wantErr(t, s.Open(ctx, a, owner("")), sandbox.ErrDuplicate)
	openPure(t, s, "gb_ons/home", 10)
	accounts, err := s.Accounts(ctx)
	must(t, err)
	if len(accounts) != 2 || accounts[1] != a || accounts[0].ID != "gb_ons/home" {
		t.Errorf("got %+v", accounts)
	}
	for name, change := range map[string]func(*ledger.Account){
		"revised": func(a *ledger.Account) { a.Revision = 2 },
		"spent":   func(a *ledger.Account) { a.Spent.Epsilon = 1 },
		"caps":    func(a *ledger.Account) { a.Caps.Epsilon *= 2 },
		"id":      func(a *ledger.Account) { a.ID = "students" },
		"no kind": func(a *ledger.Account) { a.Promise.Kind = "" },
	} {
		bad := a
		bad.ID = "kr_edu/teacher"
		change(&bad)
		if err := s.Open(ctx, bad, owner("")); !errors.Is(err, ledger.ErrAccount) {
			t.Errorf("%s: got %v, want ErrAccount", name, err)
		}
	}
	a.ID = "kr_edu/teacher"
	wantErr(t, s.Open(ctx, a, owner("two\nlines")), ledger.ErrAccount)
}

func testCharge(t *testing.T, s storage) {
	ctx := context.Background()
	openPure(t, s, "kr_edu/student", 10)
	openPure(t, s, "gb_ons/home", 10)
	charge(t, s, "qry_1", "kr_edu/student")
	q := question("qry_2", "kr_edu/student", "gb_ons/home") // not sorted
	q.Time = testTime.Add(90*time.Second + 5)
	index, err := s.Charge(ctx, q, chargeEntry())
	must(t, err)

	e := entryAt(t, s, index)
	body, err := audit.ParseBody(e.Kind, e.Body)
	must(t, err)
	want := chargeEntry()
	want.Query, want.Charges = "qry_2", cost("gb_ons/home", "kr_edu/student")
	want.Spent = []audit.Spent{
		{Account: "gb_ons/home", Clocks: privacy.Clocks{Epsilon: milli(1)}},
		{Account: "kr_edu/student", Clocks: privacy.Clocks{Epsilon: milli(2)}},
	}
	if diff := cmp.Diff(want, body); diff != "" {
		t.Error(diff)
	}
	if e.Actor != q.Principal || !e.Time.Equal(testTime.Add(90*time.Second)) {
		t.Errorf("the entry is by %s at %s", e.Actor, e.Time)
	}
	got, err := s.Question(ctx, "qry_2")
	must(t, err)
	q.Time, q.State, q.Entry, q.Charges = e.Time, sandbox.Charged, index, want.Charges
	if diff := cmp.Diff(q, got); diff != "" {
		t.Error(diff)
	}
	if report := mustVerify(t, s); !slices.Equal(report.Unanswered, []string{"qry_1", "qry_2"}) {
		t.Errorf("unanswered %v", report.Unanswered)
	}
}

func testAllOrNone(t *testing.T, s storage) {
	ctx := context.Background()
	openPure(t, s, "kr_edu/student", 2)
	openPure(t, s, "gb_ons/home", 5)
	for i := range 2 {
		charge(t, s, fmt.Sprint("qry_", i), "gb_ons/home", "kr_edu/student")
	}
	before := mustVerify(t, s)
	_, err := s.Charge(ctx, question("qry_x", "gb_ons/home", "kr_edu/student"), chargeEntry())
	wantErr(t, err, ledger.ErrExhausted)
	if !bytes.Contains([]byte(err.Error()), []byte("kr_edu/student")) {
		t.Errorf("error %q does not name the account", err)
	}
	_, err = s.Charge(ctx, question("qry_y", "gb_ons/home", "gb_ons/nowhere"), chargeEntry())
	wantErr(t, err, sandbox.ErrNotFound)
	if diff := cmp.Diff(before, mustVerify(t, s)); diff != "" {
		t.Errorf("a refused charge changed the log: %s", diff)
	}
	for _, id := range []string{"qry_x", "qry_y"} {
		_, err := s.Question(ctx, id)
		wantErr(t, err, sandbox.ErrNotFound)
	}
	charge(t, s, "qry_x", "gb_ons/home") // the other account still has room, and the id is free
}

func testChargeRefuses(t *testing.T, s storage) {
	ctx := context.Background()
	openPure(t, s, "kr_edu/student", 10)
	for name, change := range map[string]func(*sandbox.Question, *audit.Charge){
		"no id":          func(q *sandbox.Question, _ *audit.Charge) { q.ID = "" },
		"no principal":   func(q *sandbox.Question, _ *audit.Charge) { q.Principal = "" },
		"no charges":     func(q *sandbox.Question, _ *audit.Charge) { q.Charges = nil },
		"account twice":  func(q *sandbox.Question, _ *audit.Charge) { q.Charges = cost("kr_edu/student", "kr_edu/student") },
		"zero loss":      func(q *sandbox.Question, _ *audit.Charge) { q.Charges[0].Loss = privacy.Clocks{} },
		"negative loss":  func(q *sandbox.Question, _ *audit.Charge) { q.Charges[0].Loss.Epsilon = -1 },
		"other query":    func(_ *sandbox.Question, c *audit.Charge) { c.Query = "qry_other" },
		"other project":  func(_ *sandbox.Question, c *audit.Charge) { c.Project = "reading" },
		"other charges":  func(_ *sandbox.Question, c *audit.Charge) { c.Charges = cost("gb_ons/home") },
		"no time":        func(q *sandbox.Question, _ *audit.Charge) { q.Principal = "a b" },
		"too long":       func(_ *sandbox.Question, c *audit.Charge) { c.Question = string(make([]byte, audit.MaxEntry)) },
		"space in query": func(q *sandbox.Question, _ *audit.Charge) { q.ID = "qry 1" },
	} {
		q, entry := question("qry_1", "kr_edu/student"), chargeEntry()
		change(&q, &entry)
		_, err := s.Charge(ctx, q, entry)
		if err == nil {
			t.Errorf("%s: no error", name)
		}
		if name == "too long" && !errors.Is(err, audit.ErrTooLarge) {
			t.Errorf("%s: got %v, want ErrTooLarge", name, err)
		}
	}
	if report := mustVerify(t, s); report.Checkpoint.Size != 1 || report.Accounts[0].Spent != (privacy.Clocks{}) {
		t.Errorf("a refused charge left a trace: %+v", report)
	}
}

func testIdempotency(t *testing.T, s storage) {
	ctx := context.Background()
	openPure(t, s, "kr_edu/student", 10)
	q := question("qry_1", "kr_edu/student")
	q.Idempotency = "key"
	_, err := s.Charge(ctx, q, chargeEntry())
	must(t, err)
	again := question("qry_2", "kr_edu/student")
	again.Idempotency = "key"
	_, err = s.Charge(ctx, again, chargeEntry())
	wantErr(t, err, sandbox.ErrDuplicate)
	_, err = s.Charge(ctx, question("qry_1", "kr_edu/student"), chargeEntry())
	wantErr(t, err, sandbox.ErrDuplicate)
	again.Principal = "sg_lab/wei" // another principal's key is another key
	_, err = s.Charge(ctx, again, chargeEntry())
	must(t, err)
	charge(t, s, "qry_3", "kr_edu/student")
	charge(t, s, "qry_4", "kr_edu/student") // no key is no key twice
	got, err := s.ByKey(ctx, "sg_lab/mei", "key")
	if err != nil || got.ID != "qry_1" {
		t.Errorf("got %s, %v", got.ID, err)
	}
	_, err = s.ByKey(ctx, "sg_lab/mei", "other")
	wantErr(t, err, sandbox.ErrNotFound)
	_, err = s.ByKey(ctx, "sg_lab/mei", "")
	wantErr(t, err, sandbox.ErrNotFound)
}

func testReleaseOnce(t *testing.T, s storage) {
	ctx := context.Background()
	openPure(t, s, "kr_edu/student", 10)
	charge(t, s, "qry_1", "kr_edu/student")
	charge(t, s, "qry_2", "kr_edu/student")
	charged, err := s.Question(ctx, "qry_1")
	must(t, err)
	var told int64
	stored, err := s.Release(ctx, "qry_1", "rel_1", func(entry int64) ([]byte, error) {
		told = entry
		return fmt.Appendf(nil, "answer, entry %d", entry), nil
	})
	must(t, err)
	e := entryAt(t, s, told)
	body, err := audit.ParseBody(e.Kind, e.Body)
	must(t, err)
	if want := (audit.Release{Query: "qry_1", Release: "rel_1", Digest: digest(stored)}); body != want {
		t.Errorf("entry %+v, want %+v", body, want)
	}
	if !e.Time.Equal(charged.Time) || e.Actor != charged.Principal {
		t.Errorf("the release is by %s at %s, its charge by %s at %s", e.Actor, e.Time, charged.Principal, charged.Time)
	}
	got, err := s.Question(ctx, "qry_1")
	must(t, err)
	charged.State, charged.Answer, charged.Release = sandbox.Released, stored, "rel_1"
	if diff := cmp.Diff(charged, got); diff != "" {
		t.Error(diff)
	}
	for _, release := range []string{"rel_1", "rel_2"} {
		_, err = s.Release(ctx, "qry_1", release, func(int64) ([]byte, error) { t.Error("asked for another answer"); return nil, nil })
		wantErr(t, err, sandbox.ErrConflict)
	}
	wantErr(t, s.Fail(ctx, "qry_1"), sandbox.ErrConflict)
	_, err = s.Release(ctx, "qry_none", "rel_3", answerWith("x"))
	wantErr(t, err, sandbox.ErrNotFound)
	wantErr(t, s.Fail(ctx, "qry_none"), sandbox.ErrNotFound)
	_, err = s.Release(ctx, "qry_2", "rel_1", answerWith("x"))
	wantErr(t, err, sandbox.ErrDuplicate)
	_, err = s.Release(ctx, "qry_2", "rel_2", answerWith("x"))
	must(t, err)
}

// An answer that cannot be made leaves the question as it was.
func testReleaseUndone(t *testing.T, s storage) {
	ctx := context.Background()
	openPure(t, s, "kr_edu/student", 10)
	charge(t, s, "qry_1", "kr_edu/student")
	before := mustVerify(t, s)
	broken := errors.New("broken")
	_, err := s.Release(ctx, "qry_1", "rel_1", func(int64) ([]byte, error) { return nil, broken })
	wantErr(t, err, broken)
	for name, answer := range map[string]func(int64) ([]byte, error){
		"empty": answerWith(""),
		"panic": func(int64) ([]byte, error) { panic("bug") },
	} {
		if _, err := s.Release(ctx, "qry_1", "rel_1", answer); err == nil {
			t.Errorf("%s: no error", name)
		}
	}
	if _, err := s.Release(ctx, "qry_1", "", answerWith("x")); err == nil {
		t.Error("no release id: no error")
	}
	if diff := cmp.Diff(before, mustVerify(t, s)); diff != "" {
		t.Error(diff)
	}
	release(t, s, "qry_1")
}

func testFailuresFreeze(t *testing.T, s storage) {
	ctx := context.Background()
	openPure(t, s, "kr_edu/student", 10)
	openPure(t, s, "gb_ons/home", 10)
	for i := range ledger.DefaultAllowance {
		id := fmt.Sprint("qry_", i)
		accounts := []string{"kr_edu/student"}
		if i == 0 {
			accounts = append(accounts, "gb_ons/home")
		}
		charge(t, s, id, accounts...)
		must(t, s.Fail(ctx, id))
		wantErr(t, s.Fail(ctx, id), sandbox.ErrConflict)
		_, err := s.Release(ctx, id, "rel_"+id, answerWith("late"))
		wantErr(t, err, sandbox.ErrConflict)
		if got, err := s.Question(ctx, id); err != nil || got.State != sandbox.Failed || got.Answer != nil {
			t.Fatalf("got %+v, %v", got, err)
		}
	}
	_, err := s.Charge(ctx, question("qry_x", "kr_edu/student"), chargeEntry())
	wantErr(t, err, ledger.ErrFrozen)
	charge(t, s, "qry_y", "gb_ons/home")
	report := mustVerify(t, s)
	last := entryAt(t, s, report.Checkpoint.Size-2)
	body, err := audit.ParseBody(last.Kind, last.Body)
	must(t, err)
	if diff := cmp.Diff(audit.Failure{Query: "qry_2", Accounts: []string{"kr_edu/student"}, Frozen: []string{"kr_edu/student"}}, body); diff != "" {
		t.Error(diff)
	}
	if report.Accounts[0].Failures != 1 || report.Accounts[1].Failures != 3 || report.Accounts[1].Spent.Epsilon != milli(3) {
		t.Errorf("got %+v: a failure keeps its charge", report.Accounts)
	}
}

func testFind(t *testing.T, s storage) {
	ctx := context.Background()
	openPure(t, s, "kr_edu/student", 100)
	for i := range 6 {
		q := question(fmt.Sprint("qry_", i), "kr_edu/student")
		q.Repeat, q.Draw, q.Noise = "same", privacy.Epsilon(10+i/3), []byte(q.ID)
		if i%2 == 1 {
			q.Principal = "sg_lab/wei"
		}
		_, err := s.Charge(ctx, q, chargeEntry())
		must(t, err)
	}
	repeats := func(limit int, want ...string) {
		t.Helper()
		list, err := s.ByRepeat(ctx, "same", limit)
		must(t, err)
		var ids []string
		for _, q := range list {
			ids = append(ids, q.ID)
			if string(q.Noise) != q.ID || len(q.Plan) > 0 || len(q.Answer) > 0 || q.Draw < 10 || q.Release == "" {
				t.Errorf("got %+v", q)
			}
		}
		if !slices.Equal(ids, want) {
			t.Errorf("got %v, want %v: those of the largest Draw first, then the earliest", ids, want)
		}
	}
	repeats(10) // none is answered
	release(t, s, "qry_3")
	release(t, s, "qry_2")
	release(t, s, "qry_1")
	must(t, s.Fail(ctx, "qry_5"))
	repeats(10, "qry_3", "qry_1", "qry_2")
	repeats(2, "qry_3", "qry_1")
	if list, err := s.ByRepeat(ctx, "other", 10); err != nil || len(list) > 0 {
		t.Errorf("another digest has %d: %v", len(list), err)
	}
	got, err := s.Question(ctx, "rel_qry_1")
	if err != nil || got.ID != "qry_1" || string(got.Answer) != "answer to qry_1" || string(got.Noise) != "qry_1" || got.Draw != 10 {
		t.Errorf("by its release: %+v %v", got, err)
	}
	for _, c := range []struct {
		filter sandbox.Filter
		limit  int
		want   []string
	}{
		{sandbox.Filter{Principal: "sg_lab/mei"}, 10, []string{"qry_4", "qry_2", "qry_0"}},
		{sandbox.Filter{Principal: "sg_lab/wei"}, 2, []string{"qry_5", "qry_3"}},
		{sandbox.Filter{Principal: "sg_lab/wei", State: sandbox.Released}, 9, []string{"qry_3", "qry_1"}},
		{sandbox.Filter{}, 4, []string{"qry_5", "qry_4", "qry_3", "qry_2"}},
		{sandbox.Filter{State: sandbox.Failed}, 9, []string{"qry_5"}},
		{sandbox.Filter{Principal: "nobody", Organisation: "kr_edu"}, 2, []string{"qry_5", "qry_4"}},
		{sandbox.Filter{Organisation: "kr"}, 9, nil}, {sandbox.Filter{Organisation: "kr_ed_"}, 9, nil},
		{sandbox.Filter{}, 0, nil}, {sandbox.Filter{}, -1, nil}, {sandbox.Filter{Principal: "nobody"}, 9, nil},
	} {
		list, err := s.Newest(ctx, c.filter, c.limit)
		must(t, err)
		var ids []string
		for _, q := range list {
			ids = append(ids, q.ID)
		}
		if !slices.Equal(ids, c.want) {
			t.Errorf("%+v %d: got %v, want %v", c.filter, c.limit, ids, c.want)
		}
	}
}

// A repeat is logged and keeps its key, which answers for ever; a key has one use.
func testRepeat(t *testing.T, s storage) {
	ctx := context.Background()
	openPure(t, s, "kr_edu/student", 100)
	_, err := s.Charge(ctx, question("qry_1", "kr_edu/student"), chargeEntry())
	must(t, err)
	release(t, s, "qry_1")
	q, err := s.Question(ctx, "qry_1")
	must(t, err)
	again := func(principal, key, release string) sandbox.Repeat {
		return sandbox.Repeat{Principal: principal, Idempotency: key, BodyDigest: "digest of " + key, Answer: []byte("what " + principal + " was given"), Time: testTime,
			Entry: audit.Repeat{Query: "qry_again", Release: release}}
	}
	must(t, s.Repeat(ctx, again("a/b", "", q.Release)))
	must(t, s.Repeat(ctx, again("a/b", "", q.Release)))
	must(t, s.Repeat(ctx, again("a/b", "k", q.Release)))
	must(t, s.Repeat(ctx, again("a/c", "k", q.Release)))
	wantErr(t, s.Repeat(ctx, again("a/b", "k", q.Release)), sandbox.ErrDuplicate)
	wantErr(t, s.Repeat(ctx, again("a/b", "l", "rel_none")), sandbox.ErrNotFound)
	second := question("qry_2", "kr_edu/student")
	second.Principal, second.Idempotency = "a/b", "k"
	_, err = s.Charge(ctx, second, chargeEntry())
	wantErr(t, err, sandbox.ErrDuplicate)
	got, err := s.ByKey(ctx, "a/b", "k")
	if err != nil || got.ID != "qry_1" || got.BodyDigest != "digest of k" || string(got.Answer) != "what a/b was given" {
		t.Errorf("by the repeat's key: %+v, %v", got, err)
	}
	_, err = s.ByKey(ctx, "a/b", "")
	wantErr(t, err, sandbox.ErrNotFound)
	if report := mustVerify(t, s); report.Kinds[audit.KindRepeat] != 4 || report.Kinds[audit.KindCharge] != 1 {
		t.Errorf("logged %v", report.Kinds)
	}
}

// A clock that is set back does not take the log with it; a completion keeps its charge's time.
func testClock(t *testing.T, s storage) {
	ctx := context.Background()
	openPure(t, s, "kr_edu/student", 10)
	late := question("qry_1", "kr_edu/student")
	late.Time = testTime.Add(time.Hour)
	_, err := s.Charge(ctx, late, chargeEntry())
	must(t, err)
	early := charge(t, s, "qry_2", "kr_edu/student") // an hour before
	if e := entryAt(t, s, early); !e.Time.Equal(late.Time) {
		t.Errorf("the entry's time is %s, want the latest before, %s", e.Time, late.Time)
	}
	later := question("qry_3", "kr_edu/student")
	later.Time = testTime.Add(2 * time.Hour).In(time.FixedZone("KST", 9*3600))
	_, err = s.Charge(ctx, later, chargeEntry())
	must(t, err)
	release(t, s, "qry_1")
	must(t, s.Fail(ctx, "qry_2"))
	after, err := s.Append(ctx, sandbox.Draft{Kind: audit.KindDecision, Actor: "a/b", Time: testTime, Body: audit.Decision{Query: "qry_1", Verdict: audit.VerdictDenied}})
	must(t, err)
	if e := entryAt(t, s, after); !e.Time.Equal(later.Time) {
		t.Errorf("the entry after a release is at %s, want %s", e.Time, later.Time)
	}
}

func testAppend(t *testing.T, s storage) {
	ctx := context.Background()
	denied := audit.Decision{Query: "qry_x", Verdict: audit.VerdictDenied, Rule: "default", Reason: "no rule allows it"}
	index, err := s.Append(ctx, sandbox.Draft{Kind: audit.KindDecision, Actor: "sg_lab/mei", Time: testTime, Body: denied})
	if err != nil || index != 0 {
		t.Fatalf("got %d, %v", index, err)
	}
	for name, d := range map[string]sandbox.Draft{
		"charge":       {Kind: audit.KindCharge, Body: audit.Charge{Query: "q", Charges: cost("a/b"), Spent: []audit.Spent{{Account: "a/b"}}}},
		"release":      {Kind: audit.KindRelease, Body: audit.Release{Query: "q", Release: "r", Digest: digest(nil)}},
		"failure":      {Kind: audit.KindFailure, Body: audit.Failure{Query: "q"}},
		"account":      {Kind: audit.KindAccount, Body: audit.Opening{}},
		"unknown kind": {Kind: "x", Body: denied},
		"other body":   {Kind: audit.KindRepeat, Body: denied},
		"no body":      {Kind: audit.KindDecision},
		"repeat":       {Kind: audit.KindRepeat, Body: audit.Repeat{Query: "q", Release: "rel_none"}},
	} {
		d.Actor, d.Time = "sg_lab/mei", testTime
		if _, err := s.Append(ctx, d); err == nil {
			t.Errorf("%s: no error", name)
		}
	}
	if report := mustVerify(t, s); report.Checkpoint.Size != 1 {
		t.Errorf("%d entries, want 1", report.Checkpoint.Size)
	}
}

func testEntries(t *testing.T, s storage) {
	ctx := context.Background()
	salts := map[[16]byte]bool{}
	for i := range 5 {
		index, err := s.Append(ctx, sandbox.Draft{Kind: audit.KindDecision, Actor: "a/b", Time: testTime, Body: audit.Decision{Query: "qry_1", Verdict: audit.VerdictDenied}})
		if err != nil || index != int64(i) {
			t.Fatalf("got %d, %v", index, err)
		}
		salts[entryAt(t, s, index).Salt] = true
	}
	if len(salts) != 5 {
		t.Errorf("%d salts for 5 entries", len(salts))
	}
	for _, c := range []struct{ from, limit, want int }{{0, 9, 5}, {3, 9, 2}, {1, 2, 2}, {5, 9, 0}, {0, 0, 0}, {0, -1, 0}} {
		entries, err := s.Entries(ctx, int64(c.from), c.limit)
		if err != nil || len(entries) != c.want {
			t.Errorf("%d entries from %d: got %d, %v", c.limit, c.from, len(entries), err)
		}
		for i, b := range entries {
			if e, err := audit.Decode(b); err != nil || e.Index != int64(c.from+i) {
				t.Errorf("entry %d has index %d, %v", c.from+i, e.Index, err)
			}
		}
	}
}

func testCancelled(t *testing.T, s storage) {
	openPure(t, s, "kr_edu/student", 10)
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	_, err := s.Charge(ctx, question("qry_1", "kr_edu/student"), chargeEntry())
	wantErr(t, err, context.Canceled)
	if report := mustVerify(t, s); report.Checkpoint.Size != 1 {
		t.Error("a charge of a caller who had left was made")
	}
}

// 64 parallel charges where the account has room for k: exactly k succeed, 100 times.
func testParallel(t *testing.T, s storage) {
	ctx := context.Background()
	for round := range 100 {
		room := int64(round*7%64 + 1)
		id := fmt.Sprintf("kr_edu/r%d", round)
		openPure(t, s, id, room)
		var wg sync.WaitGroup
		outcomes := make(chan error, 64)
		for i := range 64 {
			wg.Go(func() {
				_, err := s.Charge(ctx, question(fmt.Sprintf("qry_%d_%d", round, i), id), chargeEntry())
				outcomes <- err
			})
		}
		wg.Wait()
		close(outcomes)
		admitted := int64(0)
		for err := range outcomes {
			switch {
			case err == nil:
				admitted++
			case !errors.Is(err, ledger.ErrExhausted):
				t.Fatal(err)
			}
		}
		if admitted != room {
			t.Fatalf("round %d: %d charges admitted where %d fit", round, admitted, room)
		}
	}
	accounts, err := s.Accounts(ctx)
	must(t, err)
	for _, a := range accounts {
		if a.Spent != a.Caps { // each was filled to the integer
			t.Fatalf("account %s spent %+v of %+v", a.ID, a.Spent, a.Caps)
		}
	}
}

// Everything at once; a checkpoint taken meanwhile is one moment of the log.
func testParallelMix(t *testing.T, s storage) {
	ctx := context.Background()
	openPure(t, s, "kr_edu/student", 1000)
	var wg sync.WaitGroup
	failed := make(chan error, 64)
	for w := range 8 {
		wg.Go(func() {
			for i := range 10 {
				id := fmt.Sprintf("qry_%d_%d", w, i)
				_, err := s.Charge(ctx, question(id, "kr_edu/student"), chargeEntry())
				if err == nil {
					_, err = s.Release(ctx, id, "rel_"+id, answerWith(id))
				}
				if err == nil {
					err = s.Repeat(ctx, sandbox.Repeat{Principal: "a/b", Time: testTime, Entry: audit.Repeat{Query: "again", Release: "rel_" + id}})
				}
				if err != nil {
					failed <- err
					return
				}
			}
		})
	}
	for range 10 {
		mustVerify2(t, s)
	}
	wg.Wait()
	close(failed)
	for err := range failed {
		t.Error(err)
	}
	if report := mustVerify(t, s); report.Checkpoint.Size != 1+8*10*3 || report.Accounts[0].Spent.Epsilon != milli(80) {
		t.Errorf("got %+v", report)
	}
}

// mustVerify2 is mustVerify while others write: the accounts may be ahead of the checkpoint.
func mustVerify2(t *testing.T, s storage) {
	t.Helper()
	ctx := context.Background()
	checkpoint, err := s.Checkpoint(ctx)
	must(t, err)
	var export bytes.Buffer
	must(t, audit.Export(&export, checkpoint, func(from int64, limit int) ([][]byte, error) { return s.Entries(ctx, from, limit) }))
	_, err = audit.Verify(&export, []string{testSigner(t).VerifierKey()}, testOrigin)
	must(t, err)
}

// Whatever is asked in whatever order, the store agrees with a model of a few maps and the log verifies.
func testAnyHistory(t *testing.T, open func(t *testing.T) storage) {
	n := 0
	rapid.Check(t, func(rt *rapid.T) {
		n++
		t.Run(fmt.Sprint(n), func(t *testing.T) {
			s := open(t)
			ctx := context.Background()
			names := []string{"gb_ons/home", "kr_edu/student"}
			room := map[string]int{}
			failures := map[string]int{}
			for _, id := range names {
				room[id] = rapid.IntRange(1, 6).Draw(rt, "room")
				openPure(t, s, id, int64(room[id]))
			}
			state := map[string]sandbox.State{}
			accounts := map[string][]string{}
			for step := range rapid.IntRange(1, 25).Draw(rt, "steps") {
				id := fmt.Sprint("qry_", rapid.IntRange(0, 9).Draw(rt, "query"))
				switch rapid.SampledFrom([]string{"charge", "charge", "release", "fail"}).Draw(rt, "do") {
				case "charge":
					charged := rapid.SliceOfNDistinct(rapid.SampledFrom(names), 1, 2, rapid.ID).Draw(rt, "accounts")
					var want error
					sorted := slices.Sorted(slices.Values(charged))
					for _, a := range slices.Backward(sorted) {
						if room[a] == 0 {
							want = ledger.ErrExhausted
						}
						if failures[a] >= ledger.DefaultAllowance {
							want = ledger.ErrFrozen
						}
					}
					if state[id] != "" {
						want = sandbox.ErrDuplicate
					}
					_, err := s.Charge(ctx, question(id, charged...), chargeEntry())
					wantErr(t, err, want)
					if want == nil {
						state[id], accounts[id] = sandbox.Charged, charged
						for _, a := range charged {
							room[a]--
						}
					}
				case "release":
					_, err := s.Release(ctx, id, fmt.Sprint("rel_", step), answerWith(id))
					wantErr(t, err, wantEnd(state[id]))
					if err == nil {
						state[id] = sandbox.Released
					}
				case "fail":
					err := s.Fail(ctx, id)
					wantErr(t, err, wantEnd(state[id]))
					if err == nil {
						state[id] = sandbox.Failed
						for _, a := range accounts[id] {
							failures[a]++
						}
					}
				}
			}
			report := mustVerify(t, s)
			for _, a := range report.Accounts {
				if left := a.Caps.Epsilon - a.Spent.Epsilon; left != milli(int64(room[a.ID])) || a.Failures != int64(failures[a.ID]) {
					t.Fatalf("%s has %s left and %d failures, the model %d and %d", a.ID, left, a.Failures, room[a.ID], failures[a.ID])
				}
			}
		})
		if t.Failed() {
			rt.FailNow()
		}
	})
}

// wantEnd is what ending a question in a state gives.
func wantEnd(s sandbox.State) error {
	switch s {
	case "":
		return sandbox.ErrNotFound
	case sandbox.Charged:
		return nil
	}
	return sandbox.ErrConflict
}
