package store

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"os"
	"slices"
	"testing"

	"entrepot/privacy"
	"entrepot/privacy/ledger"
	"entrepot/sandbox"
	"entrepot/sandbox/audit"
)

var acceptance = sandbox.By{Actor: "platform/admin", Reason: "the disk died", At: testTime}

// recover accepts the loss.
func (p place) recover(checkpoints ...[]byte) Recovery {
	p.Helper()
	r, err := Recover(context.Background(), p.options(), acceptance, checkpoints...)
	must(p, err)
	return r
}

// lose opens an account, takes a copy, charges more in several accounts, and puts the copy back.
func lose(t testing.TB) (p place, lost []byte) {
	t.Helper()
	p = newPlace(t)
	s := p.open()
	openRenyi(t, s, "kr_edu/student")
	openRenyi(t, s, "kr_edu/teacher")
	ask(t, s, "qry_1", 1, "kr_edu/student")
	q := question("qry_open")
	q.Charges = []ledger.Charge{{Account: "kr_edu/student", Loss: price(1)}}
	_, err := s.Charge(context.Background(), q, chargeEntry())
	must(t, err)
	copied := p.backup()
	release(t, s, "qry_open")
	ask(t, s, "qry_2", 5, "kr_edu/student")
	openRenyi(t, s, "gb_ons/home")
	ask(t, s, "qry_3", 7, "gb_ons/home")
	lost, err = s.Checkpoint(context.Background())
	must(t, err)
	must(t, s.Close())
	p.restore(copied)
	return p, lost
}

func TestRecover(t *testing.T) {
	p, lost := lose(t)
	p.refused(ErrBehind)
	p.refused(ErrBehind) // the refusal changes nothing
	if !bytes.Equal(p.saw(), lost) {
		t.Error("the refusal changed the witness")
	}
	if _, err := Recover(context.Background(), p.options(), sandbox.By{Actor: "platform/admin", At: testTime}); err == nil {
		t.Fatal("recovered without a reason")
	}
	p.refused(ErrBehind)

	r := p.recover()
	if r.Entries != 5 || len(r.Records) != 1 || !slices.Equal(r.Ended, []string{"qry_open"}) {
		t.Errorf("got %+v", r)
	}
	if record := r.Records[0]; record.Index != 5 || record.Actor != acceptance.Actor || record.Reason != acceptance.Reason || record.Witness != string(lost) ||
		!slices.Equal(record.Frozen, []string{"kr_edu/student"}) {
		t.Errorf("the log says %+v", record)
	}
	s := p.open()
	student, teacher := accountOf(t, s, "kr_edu/student"), accountOf(t, s, "kr_edu/teacher")
	if student.Spent != price(7) || !student.Frozen() {
		t.Errorf("the clocks went on at %+v, %d failures", student.Spent, student.Failures)
	}
	if teacher.Spent != (privacy.Clocks{}) || teacher.Frozen() {
		t.Error("an account that nothing was charged to did not stay as it was")
	}
	for i, a := range r.After {
		if a != accountOf(t, s, a.ID) || a.Spent == (privacy.Clocks{}) != (r.Before[i].Spent == (privacy.Clocks{})) {
			t.Errorf("recovered %+v", a)
		}
	}
	_, err := s.Release(context.Background(), "qry_open", "rel_again", answerWith("a second draw"))
	wantErr(t, err, sandbox.ErrConflict)
	q := question("qry_2")
	q.Charges = []ledger.Charge{{Account: "kr_edu/student", Loss: price(5)}}
	_, err = s.Charge(context.Background(), q, chargeEntry())
	wantErr(t, err, ledger.ErrFrozen)

	terms := student.Terms
	terms.Allowance = student.Failures + 1 // its owner acts
	_, err = s.Amend(context.Background(), student.ID, student.Revision, student.Promise, terms, sandbox.By{Actor: "kr_edu/owner", Reason: "I know", At: testTime})
	must(t, err)
	ask(t, s, "qry_2", 5, "kr_edu/student") // asked again, charged again
	if spent := accountOf(t, s, "kr_edu/student").Spent; spent != price(12) {
		t.Errorf("asked again it stands at %+v", spent)
	}
	report := mustVerify(t, s)
	if len(report.Recoveries) != 1 {
		t.Errorf("the report has %d recoveries", len(report.Recoveries))
	}
	must(t, s.Close())
	s = p.open()
	must(t, s.Close())
	_, err = Recover(context.Background(), p.options(), acceptance)
	wantErr(t, err, ErrNotBehind)
	_, err = Recover(context.Background(), p.options(), acceptance, lost)
	wantErr(t, err, ErrNotBehind) // it is counted
}

// An account that was lost begins with what was spent of it.
func TestRecoverLostAccount(t *testing.T) {
	p, _ := lose(t)
	r := p.recover()
	if want := []audit.Spent{{Account: "gb_ons/home", Clocks: price(7)}}; !slices.Equal(r.Lost, want) {
		t.Errorf("lost %+v", r.Lost)
	}
	s := p.open()
	openRenyi(t, s, "gb_ons/home")
	home := accountOf(t, s, "gb_ons/home")
	if home.Spent.Epsilon != price(7).Epsilon || home.Spent.Delta != price(7).Delta || home.Spent.Renyi != (privacy.Divergences{privacy.Unlimited, privacy.Unlimited}) {
		t.Errorf("it begins at %+v", home.Spent)
	}
	ask(t, s, "qry_9", 7, "gb_ons/home")
	mustVerify(t, s)
	must(t, s.Close())
	s = p.open()
	must(t, s.snapshot(context.Background(), func(q querier) error { return checkTail(context.Background(), q, mustHead(t, q), 5) }))
}

func mustHead(t testing.TB, q querier) head {
	t.Helper()
	h, err := readHead(context.Background(), q)
	must(t, err)
	return h
}

// The end of a long log is compared with accounts whose last entry is a recovery.
func TestRecoverTail(t *testing.T) {
	p, _ := lose(t)
	p.recover()
	s := p.open()
	for from := range int64(8) {
		must(t, s.snapshot(context.Background(), func(q querier) error { return checkTail(context.Background(), q, mustHead(t, q), from) }))
	}
	err := s.write(context.Background(), func(ctx context.Context, q querier) error {
		return change(ctx, q, `UPDATE owed SET spent_epsilon = spent_epsilon + 1`)
	})
	must(t, err)
	must(t, s.Close())
	p.refused(ErrInconsistent)
}

// Without a witness nobody knows what was charged: every account is closed, and an older checkpoint does not
// open one.
func TestRecoverWithoutWitness(t *testing.T) {
	for name, spoil := range map[string]func(p place){
		"gone":    func(p place) { must(p, os.Remove(p.witness)) },
		"damaged": func(p place) { must(p, os.WriteFile(p.witness, []byte("oops"), 0o600)) },
	} {
		t.Run(name, func(t *testing.T) {
			p, lost := lose(t)
			spoil(place{t, p.path, p.witness})
			p.refused(ErrNoWitness)
			r := p.recover()
			if len(r.Records) != 1 || r.Records[0].Witness != "" || len(r.Records[0].Frozen) != 2 {
				t.Errorf("got %+v", r)
			}
			s := p.open()
			for _, id := range []string{"kr_edu/student", "kr_edu/teacher"} {
				if !accountOf(t, s, id).Frozen() {
					t.Errorf("%s is open", id)
				}
			}
			student := accountOf(t, s, "kr_edu/student")
			student.Terms.Allowance = 10
			_, err := s.Amend(context.Background(), student.ID, student.Revision, student.Promise, student.Terms, owner("I know"))
			must(t, err)
			ask(t, s, "qry_4", 11, "kr_edu/student")
			mustVerify(t, s)
			must(t, s.Close())

			// Later an auditor finds a checkpoint of the lost log: what was charged since comes on top of it.
			r = p.recover(lost)
			if len(r.Records) != 1 || len(r.Records[0].Frozen) != 2 {
				t.Errorf("got %+v", r)
			}
			s = p.open()
			if student := accountOf(t, s, "kr_edu/student"); student.Spent != price(7+11) || !student.Frozen() {
				t.Errorf("with the checkpoint it stands at %+v", student.Spent)
			}
			mustVerify(t, s)
			must(t, s.Close())
			_, err = Recover(context.Background(), p.options(), acceptance, lost)
			wantErr(t, err, ErrNotBehind)
		})
	}
}

// An auditor's checkpoint that is newer than the witness wins, and shows that more may be lost.
func TestRecoverByCheckpoint(t *testing.T) {
	p := newPlace(t)
	s := p.open()
	openRenyi(t, s, "kr_edu/student")
	openRenyi(t, s, "kr_edu/teacher")
	copied, witness := p.backup(), p.remains().witness
	ask(t, s, "qry_1", 1, "kr_edu/student")
	older, err := s.Checkpoint(context.Background())
	must(t, err)
	ask(t, s, "qry_2", 2, "kr_edu/student")
	newer, err := s.Checkpoint(context.Background())
	must(t, err)
	must(t, s.Close())
	p.restore(copied)
	must(t, os.WriteFile(p.witness, witness, 0o600)) // the whole machine was put back
	must(t, p.open().Close())                        // nobody can tell

	stranger, err := audit.NewSigner(testOrigin, bytes.Repeat([]byte{2}, 32))
	must(t, err)
	forged, err := stranger.Sign(audit.Checkpoint{Size: 100})
	must(t, err)
	for _, bad := range [][]byte{forged, nil, []byte("x"), bytes.Replace(newer, []byte("kr_edu/student"), []byte("kr_edu/studenu"), 1)} {
		if _, err := Recover(context.Background(), p.options(), acceptance, bad); !errors.Is(err, audit.ErrCheckpoint) {
			t.Errorf("%.40q: got %v", bad, err)
		}
	}
	r := p.recover(older, newer, older)
	if len(r.Records) != 1 || r.Records[0].Witness != string(newer) || len(r.Records[0].Frozen) != 2 {
		t.Errorf("got %+v", r)
	}
	s = p.open()
	// Nobody can tell whether the account was opened again meanwhile, with other orders: only Σε counts from here.
	if spent := accountOf(t, s, "kr_edu/student").Spent; spent.Epsilon != milli(3) || spent.Renyi[0] != privacy.Unlimited {
		t.Errorf("it stands at %+v", spent)
	}
	// Whoever kept a checkpoint hears what became of it.
	for _, kept := range [][]byte{older, newer} {
		c, err := audit.PeekCheckpoint(kept)
		must(t, err)
		lost := verifyLost(t, s, c)
		if lost == nil || lost.At != 2 || lost.Size != c.Size || lost.Uncounted != "" {
			t.Errorf("%d entries: %v", c.Size, lost)
		}
	}
}

// verifyLost verifies an export against a checkpoint kept.
func verifyLost(t testing.TB, s *Store, kept audit.Checkpoint) *audit.LostError {
	t.Helper()
	checkpoint, err := s.Checkpoint(context.Background())
	must(t, err)
	var export bytes.Buffer
	must(t, audit.Export(&export, checkpoint, func(from int64, limit int) ([][]byte, error) {
		return s.Entries(context.Background(), from, limit)
	}))
	_, err = audit.Verify(&export, []string{testSigner(t).VerifierKey()}, testOrigin, kept)
	wantErr(t, err, audit.ErrHistory)
	lost, _ := errors.AsType[*audit.LostError](err)
	return lost
}

// A recovery that ends before its witness is written is done again, without a second entry.
func TestRecoverTwice(t *testing.T) {
	p, _ := lose(t)
	witness := p.remains().witness
	p.recover()
	must(t, os.WriteFile(p.witness, witness, 0o600))
	p.refused(ErrBehind)
	if r := p.recover(); len(r.Records) != 0 || len(r.Ended) != 0 {
		t.Errorf("again: %+v", r)
	}
	s := p.open()
	if report := mustVerify(t, s); report.Kinds[audit.KindRecovery] != 1 {
		t.Errorf("%d recoveries", report.Kinds[audit.KindRecovery])
	}
}

func TestRecoverRefused(t *testing.T) {
	p, _ := lose(t)
	witness := p.remains().witness
	stranger, err := audit.NewSigner(testOrigin, bytes.Repeat([]byte{2}, 32))
	must(t, err)
	foreign, err := stranger.Sign(audit.Checkpoint{})
	must(t, err)
	must(t, os.WriteFile(p.witness, slices.Concat(foreign, []byte{0}, make([]byte, 3*len(foreign))), 0o600))
	_, err = Recover(context.Background(), p.options(), acceptance)
	wantErr(t, err, ErrForeignWitness) // it may be the only one of another store
	must(t, os.WriteFile(p.witness, witness, 0o600))

	for name, change := range map[string]func(*Options, *sandbox.By){
		"no witness": func(o *Options, _ *sandbox.By) { o.Witness = "" },
		"no path":    func(o *Options, _ *sandbox.By) { o.Path = "" },
		"no signer":  func(o *Options, _ *sandbox.By) { o.Signer = nil },
		"nobody":     func(_ *Options, by *sandbox.By) { by.Actor = "" },
		"no reason":  func(_ *Options, by *sandbox.By) { by.Reason = "" },
		"two lines":  func(_ *Options, by *sandbox.By) { by.Reason = "a\nb" },
	} {
		o, by := p.options(), acceptance
		change(&o, &by)
		if _, err := Recover(context.Background(), o, by); err == nil {
			t.Errorf("%s: no error", name)
		}
	}
	p.refused(ErrBehind)
	p.recover()
	s := p.open()
	_, err = Recover(context.Background(), p.options(), acceptance)
	wantErr(t, err, ErrLocked)
	must(t, s.Close())
	fresh := newPlace(t)
	_, err = Recover(context.Background(), fresh.options(), acceptance)
	wantErr(t, err, ErrNotBehind)
}

// A witness for more accounts than an ordinary entry can name is still on the record.
func TestRecoverManyAccounts(t *testing.T) {
	p := newPlace(t)
	s := p.open()
	openMany(t, s, 350)
	copied := p.backup()
	charge(t, s, "qry_1", "kr_edu/a_rather_long_name_of_a_unit_space_number_7")
	must(t, s.Close())
	p.restore(copied)
	p.recover()
	s = p.open()
	if a := accountOf(t, s, "kr_edu/a_rather_long_name_of_a_unit_space_number_7"); a.Spent.Epsilon != milli(1) || !a.Frozen() {
		t.Errorf("got %+v", a)
	}
	mustVerify(t, s)
}

// Restored again and again, a store counts every charge once.
func TestRecoverAgain(t *testing.T) {
	p := newPlace(t)
	s := p.open()
	openRenyi(t, s, "kr_edu/student")
	total := int64(0)
	for round := range int64(4) {
		ask(t, s, fmt.Sprint("qry_kept_", round), 10+round, "kr_edu/student")
		copied := p.backup()
		ask(t, s, fmt.Sprint("qry_lost_", round), 100+round, "kr_edu/student")
		total += 110 + 2*round
		witness, err := s.Checkpoint(context.Background())
		must(t, err)
		must(t, s.Close())
		p.restore(copied)
		if round%2 == 1 {
			must(t, os.Remove(p.witness)) // somebody kept its last checkpoint
			p.recover(witness)
		} else {
			p.recover()
		}
		s = p.open()
		thaw(t, s, "kr_edu/student")
		if spent := accountOf(t, s, "kr_edu/student").Spent; spent != price(total) {
			t.Fatalf("round %d: it stands at %+v, charged was %+v", round, spent, price(total))
		}
	}
	mustVerify(t, s)
}

// A store that went on without its witness is behind it, though its log is the longer one: both pasts count.
func TestRecoverParted(t *testing.T) {
	p := newPlace(t)
	s := p.open()
	openRenyi(t, s, "kr_edu/student")
	copied := p.backup()
	ask(t, s, "qry_1", 1, "kr_edu/student")
	must(t, s.Close())
	p.restore(copied)
	blind := p
	blind.witness = ""
	s = blind.open()
	ask(t, s, "qry_2", 20, "kr_edu/student")
	ask(t, s, "qry_3", 20, "kr_edu/student")
	must(t, s.Close())
	p.refused(ErrBehind)
	p.recover()
	s = p.open()
	if a := accountOf(t, s, "kr_edu/student"); a.Spent.Epsilon != milli(1+40) || !a.Frozen() {
		t.Errorf("it stands at %+v", a.Spent)
	}
}

// After a recovery that knew of nothing, a newer copy of the lost log turns up and is put in place: what was charged
// in it and what was charged since the recovery both count.
func TestRecoverNewerCopy(t *testing.T) {
	p := newPlace(t)
	s := p.open()
	openRenyi(t, s, "kr_edu/student")
	ask(t, s, "qry_1", 1, "kr_edu/student")
	older := p.backup()
	ask(t, s, "qry_2", 2, "kr_edu/student")
	newer := p.backup()
	must(t, s.Close())
	p.restore(older)
	must(t, os.Remove(p.witness))
	p.recover()
	s = p.open()
	thaw(t, s, "kr_edu/student")
	ask(t, s, "qry_3", 30, "kr_edu/student")
	ask(t, s, "qry_4", 400, "kr_edu/student")
	must(t, s.Close())
	p.restore(newer)
	p.refused(ErrBehind)
	p.recover()
	s = p.open()
	if spent := accountOf(t, s, "kr_edu/student").Spent; spent != price(1+2+30+400) {
		t.Errorf("it stands at %+v", spent)
	}
	mustVerify(t, s)
}

// Two logs that were lost, one after the other, both count, though the recovery knew of one only.
func TestRecoverTwoLostLogs(t *testing.T) {
	p := newPlace(t)
	s := p.open()
	openRenyi(t, s, "kr_edu/student")
	copied := p.backup()
	ask(t, s, "qry_1", 1, "kr_edu/student")
	kept, err := s.Checkpoint(context.Background())
	must(t, err)
	must(t, s.Close())
	p.restore(copied)
	must(t, os.Remove(p.witness))
	p.recover()
	s = p.open()
	thaw(t, s, "kr_edu/student")
	ask(t, s, "qry_2", 20, "kr_edu/student")
	must(t, s.Close())
	p.restore(copied)
	p.recover()
	p.recover(kept)
	s = p.open()
	if spent := accountOf(t, s, "kr_edu/student").Spent; spent != price(1+20) {
		t.Errorf("it stands at %+v", spent)
	}
	mustVerify(t, s)
}

// However often a store is restored from any copy, with its witness or without it, with or without the checkpoints
// that an auditor kept: the clocks are at least what was charged in all the pasts that there is
// evidence of.
func TestRecoveriesCountAll(t *testing.T) {
	rounds := 12
	if os.Getenv("ENTREPOT_SOAK") != "" {
		rounds = 1000
	}
	for round := range rounds {
		r := rand.New(rand.NewPCG(4, uint64(round)))
		w := &worlds{place: newPlace(t), r: r, known: map[int]bool{}}
		w.begin()
		for range 10 + r.IntN(20) {
			w.step()
		}
		w.compare()
		must(t, w.s.Close())
	}
}

// worlds is a store that is restored again and again, and all that was charged in any of its pasts.
type worlds struct {
	place
	r       *rand.Rand
	s       *Store
	charges []ledger.Charge // ever, by number
	known   map[int]bool    // those that the log has, or lost with a witness or a checkpoint that told of them
	copies  []kept          // of the database
	seen    []kept          // checkpoints
}

// kept is a file with the charges that it knows of.
type kept struct {
	path    string
	witness []byte // that was there when the copy was made
	signed  []byte
	known   map[int]bool
}

func (w *worlds) begin() {
	w.Helper()
	s, err := Open(context.Background(), w.options())
	must(w, err)
	w.s = s
}

func (w *worlds) step() {
	w.Helper()
	switch w.r.IntN(10) {
	default:
		w.charge()
	case 0, 1:
		id := []string{"kr_edu/a", "kr_edu/b", "kr_edu/c"}[w.r.IntN(3)]
		a, err := ledger.New(id, ledger.Promise{Kind: ledger.KindRenyi, Epsilon: 10 * privacy.OneEpsilon, Delta: 1e12}, ledger.Terms{})
		must(w, err)
		if err := w.s.Open(context.Background(), a, owner("")); err != nil {
			wantErr(w, err, sandbox.ErrDuplicate)
		}
	case 2:
		w.copies = append(w.copies, kept{path: w.backup(), witness: w.remains().witness, known: maps.Clone(w.known)})
	case 3:
		c, err := w.s.Checkpoint(context.Background())
		must(w, err)
		w.seen = append(w.seen, kept{signed: c, known: maps.Clone(w.known)})
	case 4, 5:
		if len(w.copies) > 0 && w.r.IntN(3) == 0 {
			w.unnoticed()
			return
		}
		w.mishap()
	}
}

// charge asks a question of one account.
func (w *worlds) charge() {
	w.Helper()
	q := question(fmt.Sprint("qry_", len(w.charges)))
	q.Charges = []ledger.Charge{{Account: []string{"kr_edu/a", "kr_edu/b", "kr_edu/c"}[w.r.IntN(3)], Loss: price(1 + w.r.Int64N(9))}}
	if _, err := w.s.Charge(context.Background(), q, chargeEntry()); err == nil {
		w.known[len(w.charges)] = true
		w.charges = append(w.charges, q.Charges[0])
	}
}

// mishap restores a copy, or none, and recovers in one way or another.
func (w *worlds) mishap() {
	w.Helper()
	must(w, w.s.Close())
	if len(w.copies) > 0 && w.r.IntN(4) > 0 {
		witnessed := w.known
		c := w.copies[w.r.IntN(len(w.copies))]
		w.restore(c.path)
		w.known = maps.Clone(c.known)
		if w.r.IntN(3) == 0 {
			must(w, os.Remove(w.witness))
		} else {
			maps.Copy(w.known, witnessed)
		}
	}
	w.accept()
}

// accept recovers with some of the checkpoints.
func (w *worlds) accept() {
	w.Helper()
	var given [][]byte
	for _, c := range w.seen {
		if w.r.IntN(2) == 0 {
			given = append(given, c.signed)
			maps.Copy(w.known, c.known)
		}
	}
	if _, err := Recover(context.Background(), w.options(), acceptance, given...); err != nil {
		wantErr(w, err, ErrNotBehind)
	}
	w.begin()
	w.compare()
	for _, id := range []string{"kr_edu/a", "kr_edu/b", "kr_edu/c"} {
		thaw(w, w.s, id)
	}
}

// compare holds the clocks to what was charged.
func (w *worlds) compare() {
	w.Helper()
	truth := map[string]privacy.Clocks{}
	for n := range w.known {
		truth[w.charges[n].Account] = truth[w.charges[n].Account].Plus(w.charges[n].Loss)
	}
	for _, a := range mustVerify(w, w.s).Accounts {
		if !truth[a.ID].Within(a.Spent) {
			w.Fatalf("%s stands at %+v, charged was %+v", a.ID, a.Spent, truth[a.ID])
		}
	}
}

// thaw opens an account that a recovery froze, as its owner would.
func thaw(t testing.TB, s *Store, id string) {
	t.Helper()
	accounts, err := s.Accounts(context.Background())
	must(t, err)
	for _, a := range accounts {
		if a.ID == id && a.Frozen() {
			a.Terms.Allowance = a.Failures + 1
			_, err := s.Amend(context.Background(), id, a.Revision, a.Promise, a.Terms, owner("I know"))
			must(t, err)
		}
	}
}
