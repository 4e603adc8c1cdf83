package store

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"entrepot/privacy"
	"entrepot/privacy/ledger"
	"entrepot/sandbox"
	"entrepot/sandbox/audit"
)

// place is a data folder with a witness beside it.
type place struct {
	testing.TB
	path, witness string
}

func newPlace(t testing.TB) place {
	t.Helper()
	folder := t.TempDir()
	must(t, os.Mkdir(filepath.Join(folder, "other disk"), 0o700))
	return place{t, filepath.Join(folder, "entrepot.db"), filepath.Join(folder, "other disk", "witness")}
}

func (p place) options() Options {
	return Options{Path: p.path, Witness: p.witness, Signer: testSigner(p)}
}

// open opens the store; its test, or Close, closes it.
func (p place) open() *Store {
	p.Helper()
	s, err := Open(context.Background(), p.options())
	must(p, err)
	p.Cleanup(func() { must(p, s.Close()) })
	return s
}

// refused checks that the store does not open, and why.
func (p place) refused(want error) {
	p.Helper()
	s, err := Open(context.Background(), p.options())
	if err == nil {
		must(p, s.Close())
	}
	wantErr(p, err, want)
}

// backup copies the database.
func (p place) backup() string {
	p.Helper()
	to := filepath.Join(p.TempDir(), "copy.db")
	must(p, Backup(context.Background(), p.path, to))
	return to
}

// restore puts a copy in the database's place; no store is open.
func (p place) restore(copied string) {
	p.Helper()
	for _, suffix := range []string{"", "-wal", "-shm"} {
		if err := os.Remove(p.path + suffix); !errors.Is(err, os.ErrNotExist) {
			must(p, err)
		}
	}
	copyTo(p, copied, p.path)
}

func copyTo(t testing.TB, from, to string) {
	t.Helper()
	b, err := os.ReadFile(from)
	must(t, err)
	must(t, os.WriteFile(to, b, 0o600))
}

// saw is what the witness file says.
func (p place) saw() []byte {
	p.Helper()
	return newestIn(p, p.witness)
}

// newestIn reads a witness file without the code under test: the longest log of both slots.
func newestIn(t testing.TB, path string) []byte {
	t.Helper()
	content, err := os.ReadFile(path)
	must(t, err)
	var newest []byte
	size := int64(-1)
	for _, slot := range [][]byte{content[:len(content)/2], content[len(content)/2:]} {
		text, _, _ := bytes.Cut(slot, []byte{0})
		if c, err := audit.ReadCheckpoint(text, testOrigin, []string{testSigner(t).VerifierKey()}); err == nil && c.Size > size {
			newest, size = text, c.Size
		}
	}
	return newest
}

// openRenyi opens an account of lifetime (10, 1e-6).
func openRenyi(t testing.TB, s storage, id string) {
	t.Helper()
	a, err := ledger.New(id, ledger.Promise{Kind: ledger.KindRenyi, Epsilon: 10 * privacy.OneEpsilon, Delta: 1e12}, ledger.Terms{})
	must(t, err)
	must(t, s.Open(context.Background(), a, sandbox.By{Actor: "kr_edu/owner", At: testTime}))
}

// price is a loss of ε = n thousandths with something on the other clocks of an openRenyi account.
func price(n int64) privacy.Clocks {
	return privacy.Clocks{Epsilon: milli(n), Renyi: privacy.Divergences{privacy.Renyi(n) * 1e6, privacy.Renyi(n) * 2e6}, Delta: privacy.Delta(n)}
}

// ask charges accounts n thousandths each, and releases.
func ask(t testing.TB, s storage, id string, n int64, accounts ...string) {
	t.Helper()
	q := question(id)
	for _, account := range accounts {
		q.Charges = append(q.Charges, ledger.Charge{Account: account, Loss: price(n)})
	}
	_, err := s.Charge(context.Background(), q, chargeEntry())
	must(t, err)
	release(t, s, id)
}

func accountOf(t testing.TB, s storage, id string) ledger.Account {
	t.Helper()
	accounts, err := s.Accounts(context.Background())
	must(t, err)
	i := slices.IndexFunc(accounts, func(a ledger.Account) bool { return a.ID == id })
	if i < 0 {
		t.Fatalf("no account %s", id)
	}
	return accounts[i]
}

// After every change the witness is the log's checkpoint, and a store opens again with it.
func TestWitnessFollows(t *testing.T) {
	p := newPlace(t)
	s := p.open()
	same := func() {
		t.Helper()
		want, err := s.Checkpoint(context.Background())
		must(t, err)
		if got := p.saw(); !bytes.Equal(got, want) {
			t.Fatalf("the witness saw\n%s\nthe log is\n%s", got, want)
		}
	}
	same() // a new store has one
	openRenyi(t, s, "kr_edu/student")
	same()
	for i := range 5 {
		charge := question(fmt.Sprint("qry_", i))
		charge.Charges = []ledger.Charge{{Account: "kr_edu/student", Loss: price(1)}}
		_, err := s.Charge(context.Background(), charge, chargeEntry())
		must(t, err)
		same()
		if i == 3 {
			must(t, s.Fail(context.Background(), charge.ID))
		} else {
			release(t, s, charge.ID)
		}
		same()
	}
	before := p.saw()
	_, err := s.Release(context.Background(), "qry_0", "rel_x", answerWith("x"))
	wantErr(t, err, sandbox.ErrConflict)
	if !bytes.Equal(before, p.saw()) {
		t.Error("a refused change changed the witness")
	}
	must(t, s.Close())
	s = p.open()
	same()
	info, err := os.Stat(p.witness)
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("the witness's mode is %v, %v", info.Mode(), err)
	}
	// Another store may not write it, though its key is the same.
	other := p
	other.path = newPath(t)
	other.refused(ErrLocked)
}

// openMany opens accounts side by side.
func openMany(t testing.TB, s *Store, n int) {
	t.Helper()
	var all sync.WaitGroup
	for i := range n {
		all.Go(func() {
			a, err := ledger.New(fmt.Sprintf("kr_edu/a_rather_long_name_of_a_unit_space_number_%d", i), ledger.Promise{Kind: ledger.KindPure, Epsilon: milli(10)}, ledger.Terms{})
			if err == nil {
				err = s.Open(context.Background(), a, owner(""))
			}
			if err != nil {
				t.Error(err)
			}
		})
	}
	all.Wait()
}

// More accounts than a slot holds make the file grow.
func TestWitnessGrows(t *testing.T) {
	p := newPlace(t)
	s := p.open()
	openMany(t, s, 300)
	want, err := s.Checkpoint(context.Background())
	must(t, err)
	if len(want) <= minSlot {
		t.Fatalf("%d bytes fit a slot of %d", len(want), minSlot)
	}
	if !bytes.Equal(want, p.saw()) {
		t.Error("the witness is not the checkpoint")
	}
	must(t, s.Close())
	p.open()
}

// image is all that a crash leaves of a store and of its witness.
type remains struct{ db, wal, witness []byte }

func (p place) remains() (r remains) {
	p.Helper()
	for file, to := range map[string]*[]byte{p.path: &r.db, p.path + "-wal": &r.wal, p.witness: &r.witness} {
		b, err := os.ReadFile(file)
		if !errors.Is(err, os.ErrNotExist) {
			must(p, err)
		}
		*to = b
	}
	return r
}

// found makes a place of what a crash left.
func (r remains) found(t testing.TB) place {
	t.Helper()
	p := newPlace(t)
	for file, b := range map[string][]byte{p.path: r.db, p.path + "-wal": r.wal, p.witness: r.witness} {
		must(t, os.WriteFile(file, b, 0o600))
	}
	return p
}

// A crash between a commit and the witness leaves the store ahead. It opens, and the witness follows before
// anybody can ask.
func TestCrashBeforeWitness(t *testing.T) {
	p := newPlace(t)
	s := p.open()
	openRenyi(t, s, "kr_edu/student")
	var crashes []remains
	committed := s.writer.committed
	s.writer.committed = func(ctx context.Context, q querier) error {
		crashes = append(crashes, p.remains())
		return committed(ctx, q)
	}
	for i := range 4 {
		ask(t, s, fmt.Sprint("qry_", i), 1, "kr_edu/student")
	}
	if len(crashes) != 8 {
		t.Fatalf("%d commits, want 8", len(crashes))
	}
	for i, r := range crashes {
		p := r.found(t)
		behind, err := audit.PeekCheckpoint(p.saw())
		must(t, err)
		s := p.open()
		report := mustVerify(t, s)
		if report.Checkpoint.Size != behind.Size+1 {
			t.Fatalf("crash %d: the log has %d entries, the witness saw %d", i, report.Checkpoint.Size, behind.Size)
		}
		if c, err := audit.PeekCheckpoint(p.saw()); err != nil || c.Size != report.Checkpoint.Size || c.Root != report.Checkpoint.Root {
			t.Errorf("crash %d: after the start the witness saw %d of %d entries, %v", i, c.Size, report.Checkpoint.Size, err)
		}
		must(t, s.Close())
	}
}

// A write of the witness that breaks off anywhere leaves the one before, and the store opens.
func TestTornWitness(t *testing.T) {
	p := newPlace(t)
	s := p.open()
	openRenyi(t, s, "kr_edu/student")
	ask(t, s, "qry_1", 1, "kr_edu/student")
	must(t, s.Close())
	before := p.remains()
	s = p.open()
	charge := question("qry_2")
	charge.Charges = []ledger.Charge{{Account: "kr_edu/student", Loss: price(100)}} // longer text
	_, err := s.Charge(context.Background(), charge, chargeEntry())
	must(t, err)
	must(t, s.Close())
	after := p.remains()
	first, last := -1, 0
	for i := range after.witness {
		if before.witness[i] != after.witness[i] {
			if first < 0 {
				first = i
			}
			last = i + 1
		}
	}
	if first < 0 || last-first > minSlot {
		t.Fatalf("the write changed bytes %d to %d", first, last)
	}
	for cut := first; cut < last; cut += 3 {
		torn := remains{after.db, after.wal, slices.Concat(after.witness[:cut], before.witness[cut:])}
		if cut%2 == 1 { // the end arrived, the beginning did not
			torn.witness = slices.Concat(before.witness[:cut], after.witness[cut:])
		}
		p := torn.found(t)
		c, err := audit.PeekCheckpoint(p.saw())
		if err != nil || c.Size < 3 {
			t.Fatalf("cut at %d: nothing is left of the witness: %v", cut, err)
		}
		must(t, p.open().Close())
	}
}

// Without a witness that can be written nothing is answered, and nothing more is charged; with one it goes on.
func TestWitnessCannotBeWritten(t *testing.T) {
	p := newPlace(t)
	s := p.open()
	openPure(t, s, "kr_edu/student", 1000)
	_, err := s.Charge(context.Background(), keyed("qry_1", "kr_edu/student"), chargeEntry())
	must(t, err)
	writable := s.witness.file
	readOnly, err := os.Open(p.witness)
	must(t, err)
	s.witness.file = readOnly // the loop is idle: nobody waits for an answer
	if _, err := s.Charge(context.Background(), question("qry_2", "kr_edu/student"), chargeEntry()); err == nil {
		t.Fatal("charged without a witness")
	}
	charged := accountOf(t, s, "kr_edu/student").Spent
	for i := range 10 { // the charge whose caller heard of a failure is in the log; no other is
		if _, err := s.Charge(context.Background(), question(fmt.Sprint("qry_x", i), "kr_edu/student"), chargeEntry()); err == nil {
			t.Fatal("charged without a witness")
		}
		for _, id := range []string{"qry_1", "qry_2"} {
			if _, err := s.Release(context.Background(), id, "rel_"+id, answerWith("answer")); err == nil {
				t.Fatal("released without a witness")
			}
		}
	}
	if after := accountOf(t, s, "kr_edu/student").Spent; after != charged || charged.Epsilon > milli(2) {
		t.Errorf("spent %v, then %v", charged, after)
	}
	unread(t, s, keyed("qry_1"), time.Minute) // nobody can tell what will be left of it
	s.witness.file = writable
	must(t, readOnly.Close())
	for _, id := range []string{"qry_1", "qry_2"} { // a reader alone brings the witness up to the log
		if q, err := s.Question(context.Background(), id); err != nil || q.State != sandbox.Charged {
			t.Errorf("%s is %s, %v", id, q.State, err)
		}
	}
	release(t, s, "qry_1")
	want, err := s.Checkpoint(context.Background())
	must(t, err)
	if !bytes.Equal(want, p.saw()) {
		t.Error("the witness did not catch up")
	}
	mustVerify(t, s)
}

// unread checks that nothing is told of a question, or of the log, that the witness did not see; nor that there is
// nothing, for then it could be answered a second time.
func unread(t *testing.T, s *Store, q sandbox.Question, patience time.Duration) {
	t.Helper()
	for name, read := range map[string]func(ctx context.Context) error{
		"Question":   func(ctx context.Context) error { _, err := s.Question(ctx, q.ID); return err },
		"ByKey":      func(ctx context.Context) error { _, err := s.ByKey(ctx, q.Principal, q.Idempotency); return err },
		"ByRepeat":   func(ctx context.Context) error { _, err := s.ByRepeat(ctx, q.Repeat, 10); return err },
		"Newest":     func(ctx context.Context) error { _, err := s.Newest(ctx, sandbox.Filter{}, 10); return err },
		"Checkpoint": func(ctx context.Context) error { _, err := s.Checkpoint(ctx); return err },
	} {
		ctx, cancel := context.WithTimeout(context.Background(), patience)
		if err := read(ctx); err == nil || errors.Is(err, sandbox.ErrNotFound) {
			t.Errorf("%s: got %v", name, err)
		}
		cancel()
	}
}

// keyed is a question with an idempotency key.
func keyed(id string, accounts ...string) sandbox.Question {
	q := question(id, accounts...)
	q.Idempotency = "key of " + id
	return q
}

// Readers see an answer as soon as it is committed, but hear of it only when the witness knows.
func TestWitnessBeforeReaders(t *testing.T) {
	p := newPlace(t)
	s := p.open()
	openPure(t, s, "kr_edu/student", 1000)
	_, err := s.Charge(context.Background(), keyed("qry_1", "kr_edu/student"), chargeEntry())
	must(t, err)
	follow, looked := s.writer.committed, false
	s.writer.committed = func(ctx context.Context, q querier) error {
		if !looked {
			looked = true
			unread(t, s, keyed("qry_1"), 50*time.Millisecond) // it waits for this very commit
		}
		return follow(ctx, q)
	}
	release(t, s, "qry_1")
	if q, err := s.Question(context.Background(), "qry_1"); err != nil || q.State != sandbox.Released || !looked {
		t.Errorf("it is %s, %v", q.State, err)
	}
}

// A change that undoes the group of others fails them all, but they hear nothing of its own outcome.
func TestOutcomeIsItsOwn(t *testing.T) {
	s := openAt(t, newPath(t))
	err := s.writer.do(context.Background(), func(q querier) error {
		_, err := q.ExecContext(context.Background(), "ROLLBACK")
		return errors.Join(sandbox.ErrDuplicate, err)
	})
	if err == nil || errors.Is(err, sandbox.ErrDuplicate) {
		t.Errorf("got %v", err)
	}
	openPure(t, s, "kr_edu/student", 1)
}

// Side by side, what a caller was told is in the witness at that moment.
func TestWitnessBeforeAnswer(t *testing.T) {
	p := newPlace(t)
	s := p.open()
	openPure(t, s, "kr_edu/student", 100_000)
	var callers sync.WaitGroup
	for w := range 16 {
		callers.Go(func() {
			for i := range 10 {
				index, err := s.Charge(context.Background(), question(fmt.Sprintf("qry_%d_%d", w, i), "kr_edu/student"), chargeEntry())
				if err != nil {
					t.Error(err)
					return
				}
				if c, err := audit.PeekCheckpoint(p.saw()); err != nil || c.Size <= index {
					t.Errorf("entry %d was acknowledged, the witness saw %d, %v", index, c.Size, err)
				}
			}
		})
	}
	callers.Wait()
	mustVerify(t, s)
}

func TestWitnessRefused(t *testing.T) {
	p := newPlace(t)
	s := p.open()
	openPure(t, s, "kr_edu/student", 10)
	must(t, s.Close())
	good, err := os.ReadFile(p.witness)
	must(t, err)
	stranger, err := audit.NewSigner(testOrigin, bytes.Repeat([]byte{2}, 32))
	must(t, err)
	foreign, err := stranger.Sign(audit.Checkpoint{})
	must(t, err)
	damaged := bytes.Clone(good)
	for _, at := range []int{20, len(good)/2 + 20} {
		damaged[at] ^= 1
	}
	for name, c := range map[string]struct {
		content []byte
		want    error
	}{
		"empty":                      {nil, ErrNoWitness},
		"zeros":                      {make([]byte, len(good)), ErrNoWitness},
		"both slots damaged":         {damaged, ErrNoWitness},
		"of another key":             {slices.Concat(foreign, make([]byte, 2*len(foreign))), ErrForeignWitness},
		"a checkpoint without slots": {bytes.TrimRight(good[:len(good)/2], "\x00"), ErrNoWitness},
	} {
		t.Run(name, func(t *testing.T) {
			p := place{t, p.path, p.witness}
			must(t, os.WriteFile(p.witness, c.content, 0o600))
			p.refused(c.want)
			if again, err := os.ReadFile(p.witness); err != nil || !bytes.Equal(again, c.content) {
				t.Error("the refusal changed the file")
			}
		})
	}
	must(t, os.Remove(p.witness))
	p.refused(ErrNoWitness)
	if _, err := os.Stat(p.witness); err == nil {
		t.Error("the refusal made a witness")
	}
	must(t, os.Mkdir(p.witness, 0o700))
	if s, err := Open(context.Background(), p.options()); err == nil {
		must(t, s.Close())
		t.Error("a folder is no witness")
	}
	must(t, os.Remove(p.witness))
	must(t, os.WriteFile(p.witness, good, 0o600))
	must(t, p.open().Close())
}

// witnessChild is the place of TestWitnessChild.
const witnessChild = "ENTREPOT_STORE_TEST_WITNESS"

// TestWitnessChild is the process that TestWitnessKilled kills.
func TestWitnessChild(t *testing.T) {
	folder := os.Getenv(witnessChild)
	if folder == "" {
		t.Skip("skipped: it is a part of TestWitnessKilled")
	}
	p := place{t, filepath.Join(folder, "entrepot.db"), filepath.Join(folder, "witness")}
	s := p.open()
	h, err := s.Checkpoint(context.Background())
	must(t, err)
	c, err := audit.PeekCheckpoint(h)
	must(t, err)
	var callers sync.WaitGroup
	for w := range 4 {
		callers.Go(func() {
			for i := 0; ; i++ {
				id := fmt.Sprintf("qry_%d_%d_%d", c.Size, w, i)
				index, err := s.Charge(context.Background(), question(id, "kr_edu/student"), chargeEntry())
				if err != nil {
					t.Error(err)
					return
				}
				fmt.Println("charged", index)
			}
		})
	}
	callers.Wait()
}

// Killed at any moment, a store opens with its witness, which saw all that anybody was told of.
func TestWitnessKilled(t *testing.T) {
	p := newPlace(t)
	p.witness = filepath.Join(filepath.Dir(p.path), "witness")
	s := p.open()
	openPure(t, s, "kr_edu/student", 1_000_000)
	must(t, s.Close())
	rounds := 8
	if os.Getenv("ENTREPOT_SOAK") != "" {
		rounds = 300
	}
	told := int64(0)
	for round := range rounds {
		command := exec.Command(os.Args[0], "-test.run=^TestWitnessChild$", "-test.count=1")
		command.Env = append(os.Environ(), witnessChild+"="+filepath.Dir(p.path))
		out, err := command.StdoutPipe()
		must(t, err)
		must(t, command.Start())
		last := killAfter(command, out, 1+7*round%40)
		if last < 0 {
			t.Fatalf("round %d: the child did nothing", round)
		}
		told = max(told, last)
		saw, err := audit.PeekCheckpoint(p.saw())
		if err != nil || saw.Size <= told {
			t.Fatalf("round %d: entry %d was acknowledged, the witness saw %d, %v", round, told, saw.Size, err)
		}
		s := p.open()
		if report := mustVerify(t, s); report.Checkpoint.Size < saw.Size {
			t.Fatalf("round %d: %d entries, the witness saw %d", round, report.Checkpoint.Size, saw.Size)
		}
		must(t, s.Close())
	}
}

// killAfter kills a child after that many lines, and returns the largest entry that it told of.
func killAfter(command *exec.Cmd, out interface{ Read([]byte) (int, error) }, lines int) int64 {
	var text strings.Builder
	buffer := make([]byte, 4096)
	killed := false
	for {
		n, err := out.Read(buffer)
		text.Write(buffer[:n])
		if !killed && strings.Count(text.String(), "charged ") >= lines {
			_ = command.Process.Kill()
			killed = true
		}
		if err != nil {
			break
		}
	}
	_ = command.Wait()
	last := int64(-1)
	whole := text.String()[:strings.LastIndexByte(text.String(), '\n')+1]
	for line := range strings.Lines(whole) {
		var index int64
		if _, err := fmt.Sscanf(line, "charged %d", &index); err == nil {
			last = max(last, index)
		}
	}
	return last
}
