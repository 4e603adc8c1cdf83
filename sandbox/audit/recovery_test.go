package audit_test

import (
	"bytes"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"entrepot/privacy"
	"entrepot/privacy/ledger"
	"entrepot/sandbox/audit"
)

const (
	student   = "kr_edu/student"
	household = "gb_stats/household"
)

// disaster is a log that lost entries and the log that was lost: both begin alike, with two accounts and two
// questions of one, of which the second was not answered in the copy.
type disaster struct {
	copied, lost *book
	checkpoints  []audit.Checkpoint // of the lost log, by its size
}

func newDisaster(t testing.TB) *disaster {
	d := &disaster{}
	play := func(whole bool) *book {
		b := newBook(t)
		b.open(student)
		b.open(household)
		b.charge("qry_a", ledger.Charge{Account: student, Loss: loss(100)})
		b.release("qry_a", "rel_a")
		b.charge("qry_b", ledger.Charge{Account: student, Loss: loss(10)})
		if !whole {
			return b
		}
		for size := range b.entries {
			d.checkpoints = append(d.checkpoints, head(b, size))
		}
		d.checkpoints = append(d.checkpoints, b.checkpoint())
		for _, step := range []func(){
			func() { b.release("qry_b", "rel_b") },
			func() { b.charge("qry_c", ledger.Charge{Account: student, Loss: loss(50)}) },
			func() { b.fail("qry_c", []string{student}) },
			func() { b.charge("qry_d", ledger.Charge{Account: student, Loss: loss(5)}) },
		} {
			step()
			d.checkpoints = append(d.checkpoints, b.checkpoint())
		}
		return b
	}
	d.lost, d.copied = play(true), play(false)
	return d
}

// head is a checkpoint of a book's first entries, with their clocks.
func head(b *book, size int) audit.Checkpoint {
	h := audit.NewHistory()
	var tree audit.Frontier
	for _, e := range b.entries[:size] {
		if _, _, err := h.Apply(e); err != nil {
			b.t.Fatal(err)
		}
		tree.Add(audit.LeafHash(e))
	}
	c := audit.Checkpoint{Origin: origin, Size: int64(size), Root: tree.Root(), Accounts: h.Clocks()}
	for _, r := range h.Recoveries() {
		c.Recoveries = append(c.Recoveries, audit.Mark{Index: r.Index, Leaf: r.Leaf})
	}
	return c
}

func replay(b *book) *audit.History {
	b.t.Helper()
	h := audit.NewHistory()
	for _, e := range b.entries {
		if _, _, err := h.Apply(e); err != nil {
			b.t.Fatal(err)
		}
	}
	return h
}

func sign(t testing.TB, c audit.Checkpoint) string {
	t.Helper()
	signed, err := newSigner(t, 1).Sign(c)
	if err != nil {
		t.Fatal(err)
	}
	return string(signed)
}

// recovers appends the recovery by a checkpoint that the product would write.
func (b *book) recovers(witness string, newest bool) audit.Recovery {
	b.t.Helper()
	r, err := replay(b).Recover("the disk died", witness, newest)
	if err != nil {
		b.t.Fatal(err)
	}
	b.add(audit.KindRecovery, "platform/admin", r)
	b.follow()
	return r
}

// follow makes the book's accounts those of its log.
func (b *book) follow() {
	b.t.Helper()
	for _, a := range replay(b).Accounts() {
		b.accounts[a.ID] = a
	}
}

// whole verifies a log whose checkpoint is that of its entries.
func (b *book) whole(seen ...audit.Checkpoint) (audit.Report, error) {
	b.t.Helper()
	return audit.Verify(bytes.NewReader(export(b.t, newSigner(b.t, 1), head(b, len(b.entries)), b.entries)), []string{verifierKey}, origin, seen...)
}

func TestRecoveryJumps(t *testing.T) {
	d := newDisaster(t)
	r := d.copied.recovers(sign(t, d.lost.checkpoint()), true)
	want := []audit.Spent{{Account: household}, {Account: student, Clocks: d.lost.accounts[student].Spent}}
	if !slices.Equal(r.Spent, want) || !slices.Equal(r.Frozen, []string{student}) || !r.Newest {
		t.Errorf("got %+v", r)
	}
	report, err := d.copied.whole()
	if err != nil {
		t.Fatal(err)
	}
	if a := report.Accounts[1]; a.Spent != want[1].Clocks || !a.Frozen() {
		t.Errorf("the student account is %+v", a)
	}
	if a := report.Accounts[0]; a.Frozen() {
		t.Error("an account that nothing was charged to is frozen")
	}
	if len(report.Recoveries) != 1 || report.Recoveries[0].Index != 5 || report.Recoveries[0].Actor != "platform/admin" {
		t.Errorf("the report says %+v", report.Recoveries)
	}
}

// What a recovery must say, an altered one is refused for.
func TestRecoveryRules(t *testing.T) {
	d := newDisaster(t)
	witness := sign(t, d.lost.checkpoint())
	for name, c := range map[string]struct {
		newest bool
		change func(r *audit.Recovery)
		want   string
	}{
		"a clock falls below the log":       {true, func(r *audit.Recovery) { r.Spent[1].Clocks = loss(1) }, "fall below"},
		"or below the witness":              {true, func(r *audit.Recovery) { r.Spent[1].Clocks.Delta-- }, "fall below"},
		"a Rényi clock does":                {true, func(r *audit.Recovery) { r.Spent[1].Clocks.Renyi[1]-- }, "fall below"},
		"an account is not named":           {true, func(r *audit.Recovery) { r.Spent = r.Spent[1:] }, "fall below"},
		"an account that jumps stays open":  {true, func(r *audit.Recovery) { r.Frozen = nil }, "stays open"},
		"one that jumps by itself":          {true, func(r *audit.Recovery) { r.Spent[0].Clocks = loss(1) }, "stays open"},
		"more may be lost, one stays open":  {false, func(r *audit.Recovery) { r.Frozen = r.Frozen[1:] }, "stays open"},
		"nothing is known, one stays open":  {false, func(r *audit.Recovery) { r.Witness, r.Frozen = "", r.Frozen[:1] }, "stays open"},
		"an account is frozen but not open": {true, func(r *audit.Recovery) { r.Frozen = append(r.Frozen, "kr_edu/teacher") }, "not open"},
		"the newest is said to be known":    {true, func(r *audit.Recovery) { r.Frozen, r.Newest = nil, false }, "stays open"},
	} {
		t.Run(name, func(t *testing.T) {
			h := replay(d.copied)
			r, err := h.Recover("the disk died", witness, c.newest)
			if err != nil {
				t.Fatal(err)
			}
			c.change(&r)
			b := *d.copied
			b.t, b.entries = t, slices.Clip(b.entries)
			b.add(audit.KindRecovery, "platform/admin", r)
			_, _, err = h.Apply(b.entries[len(b.entries)-1])
			if !errors.Is(err, audit.ErrHistory) {
				t.Fatalf("got %v", err)
			}
			mustFail(t, err, c.want)
		})
	}
	for name, change := range map[string]func(r *audit.Recovery){
		"no reason":                  func(r *audit.Recovery) { r.Reason = "" },
		"a reason of two lines":      func(r *audit.Recovery) { r.Reason = "a\nb" },
		"not a checkpoint":           func(r *audit.Recovery) { r.Witness = "x" },
		"the newest of none":         func(r *audit.Recovery) { r.Witness = "" },
		"a negative clock":           func(r *audit.Recovery) { r.Spent[0].Clocks.Epsilon = -1 },
		"accounts out of order":      func(r *audit.Recovery) { slices.Reverse(r.Spent) },
		"an account twice":           func(r *audit.Recovery) { r.Spent[1] = r.Spent[0] },
		"a name that is none":        func(r *audit.Recovery) { r.Frozen = []string{"student"} },
		"frozen accounts not sorted": func(r *audit.Recovery) { r.Frozen = []string{student, household} },
	} {
		r, err := replay(d.copied).Recover("the disk died", witness, true)
		if err != nil {
			t.Fatal(err)
		}
		change(&r)
		if _, err := audit.MarshalBody(audit.KindRecovery, r); !errors.Is(err, audit.ErrEntry) {
			t.Errorf("%s: got %v", name, err)
		}
	}
}

// The witness must be signed by the log itself.
func TestRecoveryByAForgedWitness(t *testing.T) {
	d := newDisaster(t)
	forged, err := newSigner(t, 2).Sign(d.lost.checkpoint())
	if err != nil {
		t.Fatal(err)
	}
	d.copied.recovers(string(forged), true)
	_, err = d.copied.whole()
	if !errors.Is(err, audit.ErrCheckpoint) {
		t.Fatalf("got %v", err)
	}
	mustFail(t, err, "entry 5", "recovered by")
}

// A question charged before a recovery may have been answered in what was lost: it gets no second draw.
func TestRecoveryEndsQuestions(t *testing.T) {
	d := newDisaster(t)
	d.copied.recovers(sign(t, d.lost.checkpoint()), true)
	failed := *d.copied
	failed.entries = slices.Clip(failed.entries)
	failed.fail("qry_b", []string{student})
	if _, err := failed.whole(); err != nil {
		t.Error(err)
	}
	d.copied.release("qry_b", "rel_again")
	h := audit.NewHistory()
	var err error
	for _, e := range d.copied.entries {
		if _, _, err = h.Apply(e); err != nil {
			break
		}
	}
	mustFail(t, err, "may have been lost")
}

// An account that was lost begins with what was spent of it, and no other way; until then checkpoints carry it.
func TestRecoveryOfALostAccount(t *testing.T) {
	d := newDisaster(t)
	b := newBook(t)
	b.open(household)
	r := b.recovers(sign(t, d.lost.checkpoint()), true)
	spent := d.lost.accounts[student].Spent
	if want := (audit.Spent{Account: student, Clocks: spent}); !slices.Contains(r.Spent, want) || len(r.Frozen) != 0 {
		t.Errorf("got %+v", r)
	}
	if c := head(b, len(b.entries)); !slices.Contains(c.Accounts, audit.Spent{Account: student, Clocks: spent}) {
		t.Errorf("the checkpoint says %+v", c.Accounts)
	}
	if _, err := b.whole(); err != nil {
		t.Error(err)
	}
	fresh := *b
	fresh.entries = slices.Clip(fresh.entries)
	fresh.open(student)
	h := replay(b)
	_, _, err := h.Apply(fresh.entries[len(fresh.entries)-1])
	mustFail(t, err, "does not begin with")

	a := audit.Resume(fresh.accounts[student], spent)
	if a.Spent.Epsilon != spent.Epsilon || a.Spent.Delta != spent.Delta || a.Spent.Renyi[0] != privacy.Unlimited || a.Spent.Renyi[1] != privacy.Unlimited {
		t.Errorf("it begins with %+v", a.Spent)
	}
	b.accounts[student] = a
	b.add(audit.KindAccount, "kr_edu/owner", audit.Opening{Account: a})
	b.charge("qry_z", ledger.Charge{Account: student, Loss: loss(100)})
	if _, err := b.whole(); err != nil {
		t.Error(err)
	}
}

// Whoever kept a checkpoint learns what became of the entries that it covers.
func TestVerifySeenAcrossARecovery(t *testing.T) {
	for name, c := range map[string]struct {
		witness   int // size of the checkpoint that the recovery goes by; -1 for none
		newest    bool
		uncounted int // the smallest checkpoint of which more was spent than the log went on with
	}{
		"by its witness":          {9, true, 10},
		"by a checkpoint":         {7, false, 9},
		"by nothing":              {-1, false, 7},
		"by its witness, further": {9, true, 10},
	} {
		t.Run(name, func(t *testing.T) {
			d := newDisaster(t)
			witness := ""
			if c.witness >= 0 {
				witness = sign(t, d.checkpoints[c.witness])
			}
			d.copied.recovers(witness, c.newest)
			if strings.Contains(name, "further") { // the log is longer than what was lost
				for i := range 10 {
					d.copied.charge(fmt.Sprint("qry_", i), ledger.Charge{Account: household, Loss: loss(1)})
				}
			}
			for size, seen := range d.checkpoints {
				_, err := d.copied.whole(seen)
				if size <= 5 {
					if err != nil {
						t.Errorf("%d entries, from before the loss: %v", size, err)
					}
					continue
				}
				lost, ok := errors.AsType[*audit.LostError](err)
				if !ok || !errors.Is(err, audit.ErrHistory) {
					t.Fatalf("%d entries: %v", size, err)
				}
				if lost.At != 5 || lost.Size != int64(size) || (lost.Uncounted == student) != (size >= c.uncounted) {
					t.Errorf("%d entries: %v", size, err)
				}
			}
		})
	}
	// A log that forked without a word is a fork.
	d := newDisaster(t)
	d.copied.charge("qry_c", ledger.Charge{Account: student, Loss: loss(1)})
	for _, seen := range d.checkpoints[6:] {
		_, err := d.copied.whole(seen)
		if _, ok := errors.AsType[*audit.LostError](err); ok || err == nil {
			t.Errorf("%d entries: %v", seen.Size, err)
		}
	}
}

// Where a recovery did not know of a checkpoint, what was charged since comes on top of it.
func TestRecoveryAddsWhatPartedLogsCharged(t *testing.T) {
	d := newDisaster(t)
	b := d.copied
	b.recovers("", false) // nobody knows what was lost
	a := b.accounts[student]
	terms := a.Terms
	terms.Allowance++
	thawed, err := a.Amend(a.Promise, terms)
	if err != nil {
		t.Fatal(err)
	}
	b.add(audit.KindAmendment, "kr_edu/owner", audit.Amendment{Reason: "I know", Before: a, After: thawed})
	b.accounts[student] = thawed
	b.charge("qry_e", ledger.Charge{Account: student, Loss: loss(200)})
	witness := sign(t, d.lost.checkpoint())
	b.recovers(witness, false)
	want := d.lost.accounts[student].Spent.Plus(loss(200))
	if got := b.accounts[student].Spent; got != want {
		t.Errorf("got %+v, want %+v", got, want)
	}
	if _, err := b.whole(); err != nil {
		t.Error(err)
	}
	h := replay(b)
	if h.Lacks(d.lost.checkpoint()) || !h.RecoveredBy(d.lost.checkpoint()) {
		t.Error("the checkpoint is counted, and still it lacks something")
	}
}

func TestCheckpointNamesRecoveries(t *testing.T) {
	s := newSigner(t, 1)
	leaf := audit.LeafHash([]byte("x"))
	c := audit.Checkpoint{Origin: origin, Size: 9, Root: leaf, Accounts: []audit.Spent{{Account: student, Clocks: loss(1)}},
		Recoveries: []audit.Mark{{Index: 2, Leaf: leaf}, {Index: 8, Leaf: leaf}}}
	signed, err := s.Sign(c)
	if err != nil {
		t.Fatal(err)
	}
	got, err := audit.ReadCheckpoint(signed, origin, []string{verifierKey})
	if err != nil || !slices.Equal(got.Recoveries, c.Recoveries) || !slices.Equal(got.Accounts, c.Accounts) {
		t.Errorf("got %+v, %v", got, err)
	}
	for name, marks := range map[string][]audit.Mark{
		"not of it": {{Index: 9, Leaf: leaf}}, "negative": {{Index: -1, Leaf: leaf}}, "twice": {{Index: 2, Leaf: leaf}, {Index: 2, Leaf: leaf}}, "not sorted": {{Index: 3, Leaf: leaf}, {Index: 2, Leaf: leaf}},
	} {
		c.Recoveries = marks
		if _, err := s.Sign(c); !errors.Is(err, audit.ErrCheckpoint) {
			t.Errorf("%s: %v", name, err)
		}
	}
	for _, line := range []string{"recovery 2", "recovery x " + leaf.String(), "recovery 2 x", "recovery 02 " + leaf.String(), "recovery 2  " + leaf.String()} {
		text := fmt.Sprintf("%s\n9\n%s\n%s\n\n— x y\n", origin, leaf, line)
		if _, err := audit.PeekCheckpoint([]byte(text)); !errors.Is(err, audit.ErrCheckpoint) {
			t.Errorf("%q: %v", line, err)
		}
	}
}
