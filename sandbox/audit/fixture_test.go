package audit_test

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"strings"
	"testing"
	"time"

	"entrepot/privacy"
	"entrepot/privacy/ledger"
	"entrepot/sandbox/audit"
)

const (
	origin = "log.example.org/entrepot"
	// verifierKey is that of newSigner(t, 1); testdata/verifier.key holds it, too.
	verifierKey = "log.example.org/entrepot+231af2e5+AYqI4910CfGV/VLbLTy6XXLKZwm/HZQSG/N0iAG0D29c"
)

// start is the time of the first entry of every test log.
var start = time.Date(2026, 3, 14, 9, 26, 53, 0, time.UTC)

// seed is a signing seed of 32 equal bytes.
func seed(b byte) []byte { return bytes.Repeat([]byte{b}, 32) }

func newSigner(t testing.TB, b byte) *audit.Signer {
	t.Helper()
	s, err := audit.NewSigner(origin, seed(b))
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// book is a log in memory. Its methods write whatever they are told, true or not.
type book struct {
	t        testing.TB
	entries  [][]byte
	accounts map[string]ledger.Account
	now      time.Time
	times    map[string]time.Time // of charges

	allocations map[string]ledger.Allocation // by name
}

func newBook(t testing.TB) *book {
	return &book{t: t, accounts: map[string]ledger.Account{}, now: start, times: map[string]time.Time{},
		allocations: map[string]ledger.Allocation{}}
}

// add appends an entry ten seconds after the one before.
func (b *book) add(kind audit.Kind, actor string, body any) {
	b.t.Helper()
	b.now = b.now.Add(10 * time.Second)
	b.addAt(b.now, kind, actor, body)
}

func (b *book) addAt(at time.Time, kind audit.Kind, actor string, body any) {
	b.t.Helper()
	raw, err := audit.MarshalBody(kind, body)
	if err != nil {
		b.t.Fatal(err)
	}
	e := audit.Entry{Index: int64(len(b.entries)), Time: at, Kind: kind, Actor: actor, Body: raw}
	for i := range e.Salt { // a test's salt tells its place; a real one is random
		e.Salt[i] = byte(16*i + len(b.entries))
	}
	encoded, err := audit.Encode(e)
	if err != nil {
		b.t.Fatal(err)
	}
	b.entries = append(b.entries, encoded)
}

// open opens an account of lifetime (1, 1e-6) with two orders.
func (b *book) open(id string) {
	b.t.Helper()
	a, err := ledger.New(id, ledger.Promise{
		Kind: ledger.KindRenyi, Epsilon: privacy.OneEpsilon, Delta: 1e12,
		Orders: privacy.Orders{23_256, 60_000}, Shares: ledger.Shares{45e10, 5e10},
	}, ledger.Terms{})
	if err != nil {
		b.t.Fatal(err)
	}
	b.accounts[id] = a
	b.add(audit.KindAccount, "kr_edu/owner", audit.Opening{Reason: "data protection board, 2026-02", Account: a})
}

// amend changes an account as its owner may.
func (b *book) amend(id string, change func(p *ledger.Promise, t *ledger.Terms)) {
	b.t.Helper()
	before := b.accounts[id]
	p, t := before.Promise, before.Terms
	change(&p, &t)
	after, err := before.Amend(p, t)
	if err != nil {
		b.t.Fatal(err)
	}
	b.accounts[id] = after
	b.add(audit.KindAmendment, "kr_edu/owner", audit.Amendment{Reason: "the board met", Before: before, After: after})
}

// allocate caps Σε for a scope under kr_edu/student, at first or again.
func (b *book) allocate(name string, scope ledger.Scope, thousandths int64) {
	b.t.Helper()
	before, exists := b.allocations[name]
	caps := ledger.NoLimit(b.accounts["kr_edu/student"].Promise.Orders)
	caps.Epsilon = privacy.Epsilon(thousandths) * privacy.OneEpsilon / 1000
	after := ledger.Allocation{Account: "kr_edu/student", Name: name, Revision: before.Revision, Spent: before.Spent}.Amend(scope, caps)
	body := audit.Allocation{Reason: "a fair share", After: &after}
	if exists {
		body.Before = &before
	}
	b.allocations[name] = after
	b.add(audit.KindAllocation, "kr_edu/owner", body)
}

// unallocate takes an allocation away.
func (b *book) unallocate(name string) {
	b.t.Helper()
	before := b.allocations[name]
	delete(b.allocations, name)
	b.add(audit.KindAllocation, "kr_edu/owner", audit.Allocation{Reason: "the project ended", Before: &before})
}

// loss is ε = thousandths/1000 with what it costs on the other clocks of a Rényi account.
func loss(thousandths int64) privacy.Clocks {
	eps := privacy.Epsilon(thousandths) * privacy.OneEpsilon / 1000
	return privacy.Clocks{Epsilon: eps, Renyi: privacy.Divergences{privacy.Renyi(eps) / 2, privacy.Renyi(eps)}, Delta: 1000}
}

// charge admits without asking whether the caps allow it.
func (b *book) charge(query string, charges ...ledger.Charge) {
	b.t.Helper()
	body := audit.Charge{
		Query: query, Project: "maths_gap", Purpose: "dpv:ScientificResearch", Rule: "researchers",
		Datasets: []audit.DatasetVersion{{ID: "kr_edu.students", Version: 3}},
		Question: "SELECT gender, COUNT(*) FROM kr_edu.students WHERE maths < 400 GROUP BY gender",
		Charges:  charges,
	}
	for _, c := range charges {
		a := b.accounts[c.Account]
		a.Spent = a.Spent.Plus(c.Loss)
		b.accounts[c.Account] = a
		body.Spent = append(body.Spent, audit.Spent{Account: c.Account, Clocks: a.Spent})
		for name, allocation := range b.allocations {
			if allocation.Account == c.Account && allocation.Scope.Covers(ledger.Asker{Project: body.Project, Researcher: "sg_lab/mei"}) {
				allocation.Spent = allocation.Spent.Plus(c.Loss)
				b.allocations[name] = allocation
			}
		}
	}
	b.add(audit.KindCharge, "sg_lab/mei", body)
	b.times[query] = b.now
}

func (b *book) release(query, release string) {
	b.t.Helper()
	b.addAt(b.times[query], audit.KindRelease, "sg_lab/mei", audit.Release{Query: query, Release: release, Digest: digest(release)})
}

func (b *book) fail(query string, accounts []string, frozen ...string) {
	b.t.Helper()
	for _, id := range accounts {
		b.accounts[id] = b.accounts[id].Fail()
	}
	b.addAt(b.times[query], audit.KindFailure, "sg_lab/mei", audit.Failure{Query: query, Accounts: accounts, Frozen: frozen})
}

func digest(s string) string {
	sum := sha256.Sum256([]byte(s))
	return hex.EncodeToString(sum[:])
}

// checkpoint states the book's entries and clocks.
func (b *book) checkpoint() audit.Checkpoint {
	c := audit.Checkpoint{Origin: origin, Size: int64(len(b.entries))}
	var tree audit.Frontier
	for _, e := range b.entries {
		tree.Add(audit.LeafHash(e))
	}
	c.Root = tree.Root()
	for _, id := range []string{"gb_stats/household", "kr_edu/student"} { // sorted
		if a, ok := b.accounts[id]; ok {
			c.Accounts = append(c.Accounts, audit.Spent{Account: id, Clocks: a.Spent})
		}
	}
	return c
}

// export signs and exports.
func (b *book) export(s *audit.Signer) []byte {
	b.t.Helper()
	return export(b.t, s, b.checkpoint(), b.entries)
}

func export(t testing.TB, s *audit.Signer, c audit.Checkpoint, entries [][]byte) []byte {
	t.Helper()
	signed, err := s.Sign(c)
	if err != nil {
		t.Fatal(err)
	}
	var out bytes.Buffer
	err = audit.Export(&out, signed, func(from int64, limit int) ([][]byte, error) {
		return entries[from:min(int(from)+limit, len(entries))], nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

// sample has an entry of every kind: two accounts, four questions (one released, one over both spaces
// released, one failed, one unanswered), a denial and a repeat; then allocations, made, changed, charged and
// taken away, and amendments, one of terms and one to a larger lifetime.
func sample(t testing.TB) *book {
	b := newBook(t)
	change := func(kind audit.Kind, resource string, spaces ...string) {
		b.add(kind, "sg_imda/operator", audit.Change{Resource: resource, Revision: 1, Digest: digest(resource), Spaces: spaces})
	}
	change(audit.KindOrganisation, "kr_edu")
	change(audit.KindProject, "maths_gap")
	b.open("kr_edu/student")
	b.open("gb_stats/household")
	change(audit.KindDataset, "kr_edu.students", "kr_edu/student")
	change(audit.KindVersion, "kr_edu.students", "kr_edu/student")
	change(audit.KindPolicy, "kr_edu.students", "kr_edu/student")
	b.charge("qry_a", ledger.Charge{Account: "kr_edu/student", Loss: loss(250)})
	b.charge("qry_b", ledger.Charge{Account: "gb_stats/household", Loss: loss(100)}, ledger.Charge{Account: "kr_edu/student", Loss: loss(100)})
	b.release("qry_b", "rel_b")
	b.release("qry_a", "rel_a")
	b.add(audit.KindDecision, "sg_lab/wei", audit.Decision{
		Query: "qry_x", Project: "maths_gap", Datasets: []string{"kr_edu.students"}, Spaces: []string{"kr_edu/student"},
		Verdict: audit.VerdictDenied, Rule: "default", Reason: "no rule allows the purpose “marketing”",
		Question: "SELECT COUNT(*) FROM kr_edu.students",
	})
	b.charge("qry_c", ledger.Charge{Account: "kr_edu/student", Loss: loss(10)})
	b.fail("qry_c", []string{"kr_edu/student"})
	b.add(audit.KindRepeat, "gb_stats/ann", audit.Repeat{Query: "qry_y", Release: "rel_a", Project: "maths_gap"})
	b.charge("qry_d", ledger.Charge{Account: "gb_stats/household", Loss: loss(1)})
	b.allocate("sg_lab", ledger.Scope{Organisation: "sg_lab"}, 400)
	b.allocate("sg_lab", ledger.Scope{Organisation: "sg_lab", Project: "maths_gap"}, 500)
	b.charge("qry_e", ledger.Charge{Account: "kr_edu/student", Loss: loss(40)})
	b.amend("kr_edu/student", func(_ *ledger.Promise, t *ledger.Terms) {
		t.Allowance, t.Question.Epsilon, t.Default = 5, privacy.OneEpsilon*19/20, privacy.OneEpsilon/10
		t.Schedule = ledger.Schedule{{From: ledger.Instant(start.Unix()), Share: 900_000}, {From: ledger.Instant(start.AddDate(1, 0, 0).Unix()), Share: privacy.OneShare}}
	})
	b.amend("gb_stats/household", func(p *ledger.Promise, _ *ledger.Terms) { p.Epsilon *= 2 })
	b.allocate("reading", ledger.Scope{Project: "reading"}, 10)
	b.allocate("mei", ledger.Scope{Researcher: "sg_lab/mei"}, 20)
	b.unallocate("mei")
	return b
}

// verify checks an export with the usual key.
func verify(t testing.TB, export []byte) (audit.Report, error) {
	t.Helper()
	return audit.Verify(bytes.NewReader(export), []string{verifierKey}, origin)
}

// mustFail wants an error that holds every word.
func mustFail(t *testing.T, err error, words ...string) {
	t.Helper()
	if err == nil {
		t.Fatal("no error")
	}
	for _, word := range words {
		if !strings.Contains(err.Error(), word) {
			t.Errorf("error %q does not say %q", err, word)
		}
	}
}
