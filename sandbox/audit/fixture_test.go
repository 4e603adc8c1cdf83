package audit_test

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"math"
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
}

func newBook(t testing.TB) *book {
	return &book{t: t, accounts: map[string]ledger.Account{}, now: start, times: map[string]time.Time{}}
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

// open opens an account of lifetime (1, 1e-6). Its caps are written out, a little below what they could
// be, so that the golden bytes do not hang on floating-point arithmetic.
func (b *book) open(id string) {
	b.t.Helper()
	a := ledger.Account{
		ID: id, Kind: ledger.KindRenyi, Epsilon: privacy.OneEpsilon, Delta: 1e12, Order: 23_256, Allowed: 3,
		Caps: privacy.Clocks{Epsilon: privacy.OneEpsilon, Renyi: 533e9, Delta: 5e11},
	}
	b.accounts[id] = a
	b.add(audit.KindAccount, "kr_edu/owner", audit.Opening{Account: a})
}

// loss is ε = thousandths/1000 with what it costs on the other clocks of a Rényi account.
func loss(thousandths int64) privacy.Clocks {
	eps := privacy.Epsilon(thousandths) * privacy.OneEpsilon / 1000
	return privacy.Clocks{Epsilon: eps, Renyi: privacy.Renyi(eps) / 2, Delta: 1000}
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
		if c.Loss.Epsilon >= math.MaxInt64-a.Spent.Epsilon { // an infinite loss, or one after it
			a.Spent.Epsilon = math.MaxInt64
		} else {
			a.Spent.Epsilon += c.Loss.Epsilon
		}
		a.Spent.Renyi += c.Loss.Renyi
		a.Spent.Delta += c.Loss.Delta
		b.accounts[c.Account] = a
		body.Spent = append(body.Spent, audit.Spent{Account: c.Account, Clocks: a.Spent})
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
// released, one failed, one unanswered), a denial and a repeat.
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
