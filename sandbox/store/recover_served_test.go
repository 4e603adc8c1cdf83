package store

import (
	"context"
	"maps"
	"os"
	"testing"

	"entrepot/privacy/ledger"
	"entrepot/sandbox"
)

// rewind puts database and witness back together: the store cannot tell.
func (p place) rewind(copied string, witness []byte) {
	p.Helper()
	p.restore(copied)
	must(p, os.WriteFile(p.witness, witness, 0o600))
}

// A question that was answered in what was lost gets no second answer, though no clock shows the loss.
func TestRecoverEndsQuestions(t *testing.T) {
	p := newPlace(t)
	s := p.open()
	openPure(t, s, "kr_edu/student", 10)
	charge(t, s, "qry_1", "kr_edu/student")
	copied, witness := p.backup(), p.remains().witness
	release(t, s, "qry_1")
	kept, err := s.Checkpoint(context.Background())
	must(t, err)
	must(t, s.Close())
	p.rewind(copied, witness)
	if r := p.recover(kept); len(r.Records) != 1 || len(r.Ended) != 1 {
		t.Errorf("got %+v", r)
	}
	s = p.open()
	_, err = s.Release(context.Background(), "qry_1", "rel_again", answerWith("a second draw"))
	wantErr(t, err, sandbox.ErrConflict)
	mustVerify(t, s)
	must(t, s.Close())
	_, err = Recover(context.Background(), p.options(), acceptance, kept)
	wantErr(t, err, ErrNotBehind)
}

// A restored store that went on, unnoticed, is shorter than what it lost: both count all the same.
func TestRecoverServed(t *testing.T) {
	p := newPlace(t)
	s := p.open()
	openRenyi(t, s, "kr_edu/student")
	copied, witness := p.backup(), p.remains().witness
	for i, id := range []string{"qry_1", "qry_2", "qry_3"} {
		ask(t, s, id, 1<<i, "kr_edu/student")
	}
	kept, err := s.Checkpoint(context.Background())
	must(t, err)
	must(t, s.Close())
	p.rewind(copied, witness)
	s = p.open()
	ask(t, s, "qry_4", 100, "kr_edu/student")
	must(t, s.Close())
	p.recover(kept)
	s = p.open()
	if a := accountOf(t, s, "kr_edu/student"); a.Spent.Epsilon != milli(107) || !a.Frozen() {
		t.Errorf("it stands at %+v", a.Spent)
	}
	mustVerify(t, s)
	must(t, s.Close())
	_, err = Recover(context.Background(), p.options(), acceptance, kept)
	wantErr(t, err, ErrNotBehind)
}

// What was charged before a recovery that both logs have is known to be the same, and counts once.
func TestRecoverServedOnce(t *testing.T) {
	p, _ := lose(t)
	p.recover() // student stands at 7
	s := p.open()
	thaw(t, s, "kr_edu/student")
	copied, witness := p.backup(), p.remains().witness
	ask(t, s, "qry_8", 20, "kr_edu/student")
	kept, err := s.Checkpoint(context.Background())
	must(t, err)
	must(t, s.Close())
	p.rewind(copied, witness)
	s = p.open()
	charge := question("qry_9")
	charge.Charges = []ledger.Charge{{Account: "kr_edu/student", Loss: price(100)}}
	_, err = s.Charge(context.Background(), charge, chargeEntry())
	must(t, err)
	must(t, s.Close())
	p.recover(kept)
	s = p.open()
	if spent := accountOf(t, s, "kr_edu/student").Spent; spent != price(7+20+100) {
		t.Errorf("it stands at %+v", spent)
	}
	mustVerify(t, s)
}

// unnoticed restores a copy together with its witness, goes on, and is found out by the checkpoints that somebody
// kept, or never. The other copies and checkpoints are gone: two losses that nothing tells apart are
// more than a log can know of.
func (w *worlds) unnoticed() {
	w.Helper()
	c := w.copies[w.r.IntN(len(w.copies))]
	must(w, w.s.Close())
	w.rewind(c.path, c.witness)
	w.known = maps.Clone(c.known)
	w.begin()
	for _, id := range []string{"kr_edu/a", "kr_edu/b", "kr_edu/c"} {
		thaw(w, w.s, id)
	}
	for range w.r.IntN(5) {
		w.charge()
	}
	must(w, w.s.Close())
	w.copies = []kept{c}
	w.accept()
	w.seen = nil
}
