package audit_test

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"math"
	"os"
	"slices"
	"strings"
	"testing"
	"testing/iotest"
	"time"

	"github.com/google/go-cmp/cmp"

	"entrepot/privacy"
	"entrepot/privacy/ledger"
	"entrepot/sandbox/audit"
)

func TestVerifyReportsWhatTheLogHolds(t *testing.T) {
	b := sample(t)
	report, err := verify(t, b.export(newSigner(t, 1)))
	if err != nil {
		t.Fatal(err)
	}
	want := audit.Report{
		Checkpoint: b.checkpoint(),
		Kinds: map[audit.Kind]int64{
			audit.KindOrganisation: 1, audit.KindProject: 1, audit.KindDataset: 1, audit.KindVersion: 1, audit.KindPolicy: 1,
			audit.KindAccount: 2, audit.KindAmendment: 2, audit.KindAllocation: 5,
			audit.KindDecision: 1, audit.KindCharge: 5, audit.KindRelease: 2, audit.KindRepeat: 1, audit.KindFailure: 1,
		},
		Accounts:    []ledger.Account{b.accounts["gb_stats/household"], b.accounts["kr_edu/student"]},
		Allocations: []ledger.Allocation{b.allocations["reading"], b.allocations["sg_lab"]},
		Promises:    1,
		Unanswered:  []string{"qry_d", "qry_e"},
		Latest:      b.now,
	}
	if diff := cmp.Diff(want, report); diff != "" {
		t.Error(diff)
	}
}

func TestVerifyEmptyLog(t *testing.T) {
	report, err := verify(t, newBook(t).export(newSigner(t, 1)))
	if err != nil || report.Checkpoint.Size != 0 || !report.Latest.IsZero() {
		t.Errorf("got %+v, %v", report, err)
	}
}

// small is a log of one account, question, answer and repeat.
func small(t testing.TB) *book {
	b := newBook(t)
	b.open("kr_edu/student")
	b.charge("qry_a", ledger.Charge{Account: "kr_edu/student", Loss: loss(250)})
	b.release("qry_a", "rel_a")
	b.add(audit.KindRepeat, "gb_stats/ann", audit.Repeat{Query: "qry_y", Release: "rel_a", Project: "maths_gap"})
	return b
}

// Every bit of an export matters: all of them in a small one; where all kinds of entry are, one of every fourth
// byte, and of every byte under ENTREPOT_SOAK.
func TestVerifyFindsEveryFlippedBit(t *testing.T) {
	step := 4
	if os.Getenv("ENTREPOT_SOAK") != "" {
		step = 1
	}
	flip := func(good []byte, step, bits int) {
		if _, err := verify(t, good); err != nil {
			t.Fatal(err)
		}
		for at := 0; at < len(good); at += step {
			for bit := range bits {
				bad := bytes.Clone(good)
				bad[at] ^= 1 << ((bit + at/step) % 8)
				if _, err := verify(t, bad); err == nil {
					t.Fatalf("byte %d, %q, can be altered unseen", at, good[max(0, at-20):min(len(good), at+20)])
				}
			}
		}
	}
	flip(small(t).export(newSigner(t, 1)), 1, 8)
	flip(sample(t).export(newSigner(t, 1)), step, 1)
}

// Nor may a byte be missing, doubled or added.
func TestVerifyFindsEveryMissingOrExtraByte(t *testing.T) {
	good := small(t).export(newSigner(t, 1))
	for at := range len(good) + 1 {
		for _, extra := range []byte{' ', '\n'} {
			if _, err := verify(t, slices.Insert(bytes.Clone(good), at, extra)); err == nil {
				t.Fatalf("with %q before byte %d it verifies", extra, at)
			}
		}
		if at == len(good) {
			continue
		}
		if _, err := verify(t, good[:at]); err == nil {
			t.Fatalf("cut after %d bytes of %d, it verifies", at, len(good))
		}
		if _, err := verify(t, slices.Delete(bytes.Clone(good), at, at+1)); err == nil {
			t.Fatalf("without byte %d it verifies", at)
		}
	}
}

// The last letter of a signature's base64 carries bits that decode to nothing.
func TestVerifyFindsBase64Padding(t *testing.T) {
	good := sample(t).export(newSigner(t, 1))
	at := bytes.Index(good, []byte("=\nentry 2")) - 1
	accepted := 0
	for _, letter := range []byte("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/") {
		bad := bytes.Clone(good)
		bad[at] = letter
		if _, err := verify(t, bad); err == nil {
			accepted++
		}
	}
	if accepted != 1 {
		t.Errorf("%d letters are accepted before the padding, not one", accepted)
	}
}

// What a server that holds the key may try: the log is altered and signed again, with the tree and the
// clocks that fit it. Verify still finds what the entries contradict.
func TestVerifyFindsBrokenPromises(t *testing.T) {
	kr := func(thousandths int64) ledger.Charge {
		return ledger.Charge{Account: "kr_edu/student", Loss: loss(thousandths)}
	}
	repeat := audit.Repeat{Query: "qry_y", Release: "rel_a", Project: "maths_gap"}
	cases := map[string]struct {
		write func(b *book)
		says  []string
	}{
		"release without charge": {func(b *book) { b.times["qry_z"] = b.now; b.release("qry_z", "rel_z") },
			[]string{"entry 24", "qry_z was not charged before"}},
		"second release of a charge": {func(b *book) { b.release("qry_a", "rel_z") },
			[]string{"entry 24", "qry_a was released before"}},
		"release id used twice": {func(b *book) { b.release("qry_d", "rel_a") }, []string{"entry 24", "rel_a exists already"}},
		"release after failure": {func(b *book) { b.release("qry_c", "rel_z") }, []string{"entry 24", "qry_c failed before"}},
		"failure after release": {func(b *book) { b.fail("qry_a", []string{"kr_edu/student"}) },
			[]string{"entry 24", "qry_a was released before"}},
		"second failure": {func(b *book) { b.fail("qry_c", []string{"kr_edu/student"}) }, []string{"entry 24", "qry_c failed before"}},
		"failure of other accounts": {func(b *book) { b.fail("qry_d", []string{"kr_edu/student"}) },
			[]string{"entry 24", "not those of its charge"}},
		"failure that claims to freeze": {func(b *book) { b.fail("qry_d", []string{"gb_stats/household"}, "gb_stats/household") },
			[]string{"entry 24", "froze"}},
		"release later than its charge": {func(b *book) { b.times["qry_d"] = b.now.Add(time.Second); b.release("qry_d", "rel_d") },
			[]string{"entry 24", "time is not that of the charge"}},
		"release to somebody else": {func(b *book) {
			b.addAt(b.times["qry_d"], audit.KindRelease, "sg_lab/wei", audit.Release{Query: "qry_d", Release: "rel_d", Digest: digest("d")})
		}, []string{"entry 24", "actor is not that of the charge"}},
		"repeat of nothing":    {func(b *book) { b.add(audit.KindRepeat, "sg_lab/mei", audit.Repeat{Query: "q", Release: "rel_z"}) }, []string{"entry 24", "was not released"}},
		"time runs backwards":  {func(b *book) { b.addAt(start, audit.KindRepeat, "sg_lab/mei", repeat) }, []string{"entry 24", "time is before"}},
		"charge of a question": {func(b *book) { b.charge("qry_a", kr(1)) }, []string{"entry 24", "qry_a was charged before"}},
		"charge over the cap":  {func(b *book) { b.charge("qry_z", kr(900)) }, []string{"entry 24", "privacy budget"}},
		"charge of nothing":    {func(b *book) { b.charge("qry_z", ledger.Charge{Account: "kr_edu/student"}) }, []string{"entry 24", "not a valid charge"}},
		"charge without opening": {func(b *book) { b.charge("qry_z", ledger.Charge{Account: "uk_bank/payer", Loss: loss(1)}) },
			[]string{"entry 24", "uk_bank/payer is not open"}},
		"charge not added": {func(b *book) {
			b.add(audit.KindCharge, "sg_lab/mei", audit.Charge{Query: "qry_z", Charges: []ledger.Charge{kr(1)},
				Spent: []audit.Spent{{Account: "kr_edu/student", Clocks: b.accounts["kr_edu/student"].Spent}}})
		}, []string{"entry 24", "not those before plus the loss"}},
		"charge after freezing": {func(b *book) {
			for i := range 3 {
				query := fmt.Sprintf("qry_f%d", i)
				b.charge(query, ledger.Charge{Account: "gb_stats/household", Loss: loss(1)})
				if i < 2 {
					b.fail(query, []string{"gb_stats/household"})
				} else {
					b.fail(query, []string{"gb_stats/household"}, "gb_stats/household")
				}
			}
			b.charge("qry_g", ledger.Charge{Account: "gb_stats/household", Loss: loss(1)})
		}, []string{"entry 30", "frozen"}},
		"account opened twice": {func(b *book) { b.open("kr_edu/student") }, []string{"entry 24", "open already"}},
		"account opened spent": {func(b *book) {
			a := b.accounts["kr_edu/student"]
			a.ID = "kr_edu/teacher"
			b.add(audit.KindAccount, "kr_edu/owner", audit.Opening{Account: a})
		}, []string{"entry 24", "kr_edu/teacher"}},
		"account beyond its lifetime": {func(b *book) {
			a := b.accounts["kr_edu/student"]
			a.ID, a.Spent, a.Failures, a.Revision = "kr_edu/teacher", privacy.Clocks{}, 0, 1
			a.Caps.Renyi[0]++
			b.add(audit.KindAccount, "kr_edu/owner", audit.Opening{Account: a})
		}, []string{"entry 24", "kr_edu/teacher"}},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			b := sample(t)
			c.write(b)
			breaks(t, b, c.says...)
		})
	}
}

// breaks wants a book to contradict itself at an entry.
func breaks(t *testing.T, b *book, says ...string) {
	t.Helper()
	_, err := verify(t, b.export(newSigner(t, 1)))
	mustFail(t, err, says...)
	var where *audit.EntryError
	if !errors.As(err, &where) || !errors.Is(err, audit.ErrHistory) {
		t.Errorf("%v is not an ErrHistory of an entry", err)
	}
}

// TestVerifyInfiniteLosses: a loss without bound is admitted by the Rényi clock, and Σε stays infinite after it.
func TestVerifyInfiniteLosses(t *testing.T) {
	infinite := ledger.Charge{Account: "kr_edu/student", Loss: privacy.Clocks{Epsilon: math.MaxInt64, Renyi: privacy.Divergences{1e9, 2e9}, Delta: 1}}
	b := small(t)
	b.charge("qry_b", infinite)
	b.charge("qry_c", infinite)
	b.charge("qry_d", ledger.Charge{Account: "kr_edu/student", Loss: loss(10)})
	export := b.export(newSigner(t, 1))
	report, err := verify(t, export)
	if err != nil || report.Accounts[0].Spent.Epsilon != math.MaxInt64 || report.Kinds[audit.KindCharge] != 4 {
		t.Errorf("%+v %v", report, err)
	}
	if n := bytes.Count(export, []byte(`"epsilon":"inf"`)); n != 6 || !bytes.Contains(export, []byte("kr_edu/student inf ")) {
		t.Errorf("inf is written %d times", n)
	}
	b.add(audit.KindCharge, "sg_lab/mei", audit.Charge{Query: "qry_e", Charges: []ledger.Charge{{Account: "kr_edu/student", Loss: loss(1)}},
		Spent: []audit.Spent{{Account: "kr_edu/student", Clocks: loss(300)}}})
	_, err = verify(t, b.export(newSigner(t, 1)))
	mustFail(t, err, "entry 7", "not those before plus the loss")
	b = small(t)
	infinite.Loss.Renyi = privacy.Divergences{2e12, 2e12} // beyond the Rényi caps, too
	b.charge("qry_b", infinite)
	_, err = verify(t, b.export(newSigner(t, 1)))
	mustFail(t, err, "entry 4", "privacy budget")
}

// Entries and checkpoint that do not belong together.
func TestVerifyFindsAlteredLogs(t *testing.T) {
	b := sample(t)
	s := newSigner(t, 1)
	signed := b.checkpoint()
	swap := func(i, j int) [][]byte {
		entries := slices.Clone(b.entries)
		entries[i], entries[j] = entries[j], entries[i]
		return entries
	}
	altered := func(change func(c *audit.Checkpoint)) audit.Checkpoint {
		c := signed
		c.Accounts = slices.Clone(signed.Accounts)
		change(&c)
		return c
	}
	clock := func(change func(c *privacy.Clocks)) audit.Checkpoint {
		return altered(func(c *audit.Checkpoint) { change(&c.Accounts[1].Clocks) })
	}
	other := newBook(t)
	other.open("kr_edu/student")
	last := len(b.entries) - 1
	cases := map[string]struct {
		c       audit.Checkpoint
		entries [][]byte
	}{
		"dropped":            {signed, append(slices.Delete(slices.Clone(b.entries), 8, 9), b.entries[last])},
		"duplicated":         {signed, slices.Insert(slices.Clone(b.entries), 8, b.entries[8])},
		"swapped":            {signed, swap(9, 10)},
		"another's entry":    {signed, append(slices.Clone(b.entries[:last]), other.entries[0])},
		"signs fewer":        {altered(func(c *audit.Checkpoint) { c.Size-- }), b.entries},
		"another root":       {altered(func(c *audit.Checkpoint) { c.Root[31] ^= 1 }), b.entries},
		"ε clock off by one": {clock(func(c *privacy.Clocks) { c.Epsilon-- }), b.entries},
		"d clock off by one": {clock(func(c *privacy.Clocks) { c.Renyi[0]++ }), b.entries},
		"second d clock":     {clock(func(c *privacy.Clocks) { c.Renyi[1] = 0 }), b.entries},
		"a third d clock":    {clock(func(c *privacy.Clocks) { c.Renyi[2] = 1 }), b.entries},
		"δ clock off by one": {clock(func(c *privacy.Clocks) { c.Delta-- }), b.entries},
		"account missing":    {altered(func(c *audit.Checkpoint) { c.Accounts = c.Accounts[:1] }), b.entries},
		"account added": {altered(func(c *audit.Checkpoint) {
			c.Accounts = append(c.Accounts, audit.Spent{Account: "uk_bank/payer"})
		}), b.entries},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			if _, err := verify(t, export(t, s, c.c, c.entries)); err == nil {
				t.Error("it verifies")
			}
		})
	}
}

func TestVerifyFindsOtherSigners(t *testing.T) {
	b := sample(t)
	_, err := verify(t, b.export(newSigner(t, 2)))
	mustFail(t, err, "not a valid checkpoint")
	_, err = audit.Verify(bytes.NewReader(b.export(newSigner(t, 1))), []string{newSigner(t, 1).VerifierKey()}, "other.example.org")
	mustFail(t, err, "not of \"other.example.org\"")
	_, err = audit.Verify(bytes.NewReader(b.export(newSigner(t, 1))), nil, origin)
	mustFail(t, err, "not a valid checkpoint")
	_, err = audit.Verify(bytes.NewReader(nil), []string{"nonsense"}, origin)
	mustFail(t, err, "ends early")
	_, err = audit.Verify(bytes.NewReader(b.export(newSigner(t, 1))), []string{"nonsense"}, origin)
	mustFail(t, err, "verifier key 1")
}

// A log that was rolled back, or rewritten behind a checkpoint that somebody kept, does not extend it.
func TestVerifyAgainstCheckpointsSeen(t *testing.T) {
	s := newSigner(t, 1)
	b := sample(t)
	var seen []audit.Checkpoint
	part := newBook(t)
	part.accounts = map[string]ledger.Account{}
	part.entries = append(part.entries, b.entries[:7]...) // until the accounts are open and nothing is charged
	for id, a := range b.accounts {
		a.Spent = privacy.Clocks{}
		part.accounts[id] = a
	}
	seen = append(seen, b.checkpoint(), part.checkpoint(), newBook(t).checkpoint())
	check := func(export []byte, seen ...audit.Checkpoint) error {
		_, err := audit.Verify(bytes.NewReader(export), []string{s.VerifierKey()}, origin, seen...)
		return err
	}
	if err := check(b.export(s), seen...); err != nil {
		t.Fatal(err)
	}
	mustFail(t, check(part.export(s), seen...), "fewer than the 24 seen")
	fork := sample(t)
	fork.entries = fork.entries[:15]
	fork.charge("qry_other", ledger.Charge{Account: "gb_stats/household", Loss: loss(1)})
	fork.accounts["gb_stats/household"] = b.accounts["gb_stats/household"]
	if err := check(fork.export(s)); err == nil {
		t.Fatal("the fork's clocks do not add up, and still it verifies") // guards the next line's reason
	}
	rewritten := seen[1]
	rewritten.Root[0] ^= 1
	mustFail(t, check(b.export(s), rewritten), "entry 7", "seen at 7 entries")
	spent := seen[1]
	spent.Accounts = slices.Clone(spent.Accounts)
	spent.Accounts[0].Clocks.Epsilon = 1
	mustFail(t, check(b.export(s), spent), "seen at 7 entries", "clocks")
	foreign := seen[1]
	foreign.Origin = "other.example.org"
	mustFail(t, check(b.export(s), foreign), "other.example.org")
}

func TestVerifyReadErrors(t *testing.T) {
	good := sample(t).export(newSigner(t, 1))
	broken := io.MultiReader(bytes.NewReader(good[:len(good)/2]), iotest.ErrReader(errors.New("cable")))
	_, err := audit.Verify(broken, []string{newSigner(t, 1).VerifierKey()}, origin)
	mustFail(t, err, "cable")
	if _, err := audit.Verify(iotest.OneByteReader(bytes.NewReader(good)), []string{newSigner(t, 1).VerifierKey()}, origin); err != nil {
		t.Error(err)
	}
	_, err = audit.Verify(strings.NewReader("entrepot/export/v1\ncheckpoint 99999999999999999999\n"), nil, origin)
	mustFail(t, err, "length of at most")
	_, err = audit.Verify(strings.NewReader(strings.Repeat("x", 1<<20)), nil, origin)
	mustFail(t, err, "not a line")
}
