package store

import (
	"bufio"
	"bytes"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/mattn/go-sqlite3"
	"go.uber.org/goleak"

	"entrepot/privacy"
	"entrepot/privacy/ledger"
	"entrepot/sandbox"
	"entrepot/sandbox/audit"
)

// childVariable tells the test binary to be the process that is killed.
const childVariable = "ENTREPOT_STORE_TEST_CHILD"

func TestMain(m *testing.M) {
	if path := os.Getenv(childVariable); path != "" {
		if err := child(path); err != nil {
			fmt.Fprintln(os.Stderr, err)
		}
		os.Exit(1) // a child ends by being killed
	}
	// The noise library's logger, linked with package privacy, keeps a goroutine from its start.
	goleak.VerifyTestMain(m, goleak.IgnoreTopFunction("github.com/golang/glog.(*fileSink).flushDaemon"))
}

// openAt opens a store that its test closes.
func openAt(t testing.TB, path string) *Store {
	t.Helper()
	s, err := Open(context.Background(), Options{Path: path, Signer: testSigner(t)})
	must(t, err)
	t.Cleanup(func() { must(t, s.Close()) })
	return s
}

func newPath(t testing.TB) string { return filepath.Join(t.TempDir(), "entrepot?1%.db") } // a name that is no URI

func TestSQLite(t *testing.T) {
	contract(t, func(t *testing.T) storage { return openAt(t, newPath(t)) })
}

func TestOptions(t *testing.T) {
	for name, o := range map[string]Options{
		"no path":   {Signer: testSigner(t)},
		"no signer": {Path: newPath(t)},
		"no folder": {Path: filepath.Join(t.TempDir(), "none", "x.db"), Signer: testSigner(t)},
		"a folder":  {Path: t.TempDir(), Signer: testSigner(t)},
	} {
		if s, err := Open(context.Background(), o); err == nil {
			t.Errorf("%s: no error", name)
			must(t, s.Close())
		}
	}
	path := newPath(t)
	must(t, os.WriteFile(path, bytes.Repeat([]byte("not a database. "), 1000), 0o600))
	if _, err := Open(context.Background(), Options{Path: path, Signer: testSigner(t)}); err == nil {
		t.Error("another file: no error")
	}
}

// A database whose disk does not sync, or that answers from two processes, keeps no promise.
func TestSettings(t *testing.T) {
	path := newPath(t)
	s := openAt(t, path)
	_, err := Open(context.Background(), Options{Path: path, Signer: testSigner(t)})
	wantErr(t, err, ErrLocked)
	want := map[string]string{"journal_mode": "wal", "synchronous": "2", "foreign_keys": "1", "busy_timeout": "5000"}
	for name, value := range want {
		err := s.write(context.Background(), func(ctx context.Context, q querier) error {
			var got string
			if err := one(ctx, q, `PRAGMA `+name, nil, &got); err != nil {
				return err
			}
			if got != value {
				return fmt.Errorf("%s is %s, want %s", name, got, value)
			}
			return nil
		})
		must(t, err)
	}
	if _, err := s.reads.Exec(`DELETE FROM head`); err == nil {
		t.Error("a reading connection can write")
	}
	info, err := os.Stat(path)
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("the file's mode is %v, %v", info.Mode(), err)
	}
}

// The schema itself refuses what must never happen.
func TestSchemaRefuses(t *testing.T) {
	s := openAt(t, newPath(t))
	fill(t, s)
	fillAccounts(t, s)
	for _, statement := range []string{
		`UPDATE log SET entry = x'00' WHERE idx = 1`, `DELETE FROM log WHERE idx = 1`,
		`UPDATE tree SET hash = zeroblob(32) WHERE pos = 1`, `DELETE FROM tree`,
		`UPDATE accounts SET spent_epsilon = spent_epsilon - 1`, `UPDATE accounts SET failures = 0`, `DELETE FROM accounts`,
		`UPDATE accounts SET spent_renyi_4 = -1`, `UPDATE accounts SET spent_delta = -1`,
		`UPDATE accounts SET body = x'00'`, `UPDATE accounts SET revised = 0`, `UPDATE accounts SET id = 'gb_ons/house' WHERE id = 'gb_ons/home'`,
		`UPDATE accounts SET revision = revision - 1`, `UPDATE accounts SET revision = revision + 2`,
		`UPDATE allocations SET spent_epsilon = spent_epsilon - 1`, `UPDATE allocations SET body = x'00'`,
		`UPDATE allocations SET name = 'mine'`, `UPDATE allocations SET account = 'gb_ons/home'`, `UPDATE allocations SET revised = 0`,
		`UPDATE allocations SET revision = revision - 1`, `UPDATE allocations SET revision = revision + 2`,
		`UPDATE charges SET epsilon = 1`, `DELETE FROM charges`,
		`INSERT INTO charges SELECT 1, account, question, time, 0, 0, 0, 0, 0, 0 FROM charges LIMIT 1`,
		`UPDATE questions SET state = 'charged', answer = NULL, release = '' WHERE state = 'released'`,
		`UPDATE questions SET answer = x'00' WHERE state = 'released'`, `DELETE FROM questions`,
		`UPDATE questions SET state = 'released' WHERE state = 'charged'`, // without an answer
		`INSERT INTO head (one, size, latest) VALUES (2, 0, 0)`,
		`INSERT INTO tree (pos, hash) VALUES (1000, x'00')`,
	} {
		err := s.write(context.Background(), func(ctx context.Context, q querier) error {
			_, err := q.ExecContext(ctx, statement)
			return err
		})
		if err == nil {
			t.Errorf("%s: no error", statement)
		}
	}
	mustVerify(t, s)
}

// fill writes a little of everything: two accounts, a policy, five questions of which two are open.
func fill(t testing.TB, s storage) {
	t.Helper()
	ctx := context.Background()
	openPure(t, s, "kr_edu/student", 100)
	openPure(t, s, "gb_ons/home", 100)
	body := []byte(`{"rules":[]}`)
	must(t, s.Put(ctx, sandbox.Document{Kind: "policy", ID: "kr_edu.students", Revision: 1, Body: body}, sandbox.Draft{
		Kind: audit.KindPolicy, Actor: "kr_edu/owner", Time: testTime,
		Body: audit.Change{Resource: "kr_edu.students", Revision: 1, Digest: digest(body), Spaces: []string{"kr_edu/student"}},
	}))
	charge(t, s, "qry_1", "kr_edu/student", "gb_ons/home")
	release(t, s, "qry_1")
	charge(t, s, "qry_2", "kr_edu/student")
	charge(t, s, "qry_3", "gb_ons/home")
	must(t, s.Fail(ctx, "qry_3"))
	charge(t, s, "qry_4", "kr_edu/student")
	release(t, s, "qry_4")
	charge(t, s, "qry_5", "gb_ons/home")
}

// fillAccounts changes what fill opened: entries 11 to 19.
func fillAccounts(t testing.TB, s storage) {
	t.Helper()
	lab := ledger.Scope{Organisation: "sg_lab"}
	a := allocate(t, s, allotment("kr_edu/student", "sg_lab", lab, 50)) // 11
	charge(t, s, "qry_6", "kr_edu/student")                             // 12
	a.Caps.Epsilon = milli(40)
	allocate(t, s, a) // 13
	charge(t, s, "qry_7", "kr_edu/student", "gb_ons/home")
	amend(t, s, "kr_edu/student", func(_ *ledger.Promise, t *ledger.Terms) { t.Allowance = 5 })
	allocate(t, s, allotment("gb_ons/home", "mei", ledger.Scope{Researcher: "sg_lab/mei"}, 1)) // 16
	must(t, s.Unallocate(context.Background(), "gb_ons/home", "mei", 1, owner("r")))
	charge(t, s, "qry_8", "kr_edu/student") // 18
	amend(t, s, "gb_ons/home", func(p *ledger.Promise, _ *ledger.Terms) { p.Epsilon *= 2 })
}

func TestReopen(t *testing.T) {
	path := newPath(t)
	s, err := Open(context.Background(), Options{Path: path, Signer: testSigner(t)})
	must(t, err)
	fill(t, s)
	fillAccounts(t, s)
	before, err := s.Checkpoint(context.Background())
	must(t, err)
	must(t, s.Close())
	must(t, s.Close()) // twice is once

	s = openAt(t, path)
	after, err := s.Checkpoint(context.Background())
	must(t, err)
	if !bytes.Equal(before, after) {
		t.Errorf("before\n%s\nafter\n%s", before, after)
	}
	release(t, s, "qry_2") // completed after the restart, under the charge made before it
	mustVerify(t, s)
}

// The files as they are at some moment, copied away without closing anything: what a crash leaves.
func TestAbruptEnd(t *testing.T) {
	path := newPath(t)
	s := openAt(t, path)
	fill(t, s)
	copied := newPath(t)
	for _, suffix := range []string{"", "-wal"} {
		b, err := os.ReadFile(path + suffix)
		must(t, err)
		must(t, os.WriteFile(copied+suffix, b, 0o600))
	}
	want, err := s.Checkpoint(context.Background())
	must(t, err)
	got, err := openAt(t, copied).Checkpoint(context.Background())
	must(t, err)
	if !bytes.Equal(got, want) {
		t.Errorf("after the crash\n%s\nwant\n%s", got, want)
	}

	wal, err := os.ReadFile(path + "-wal")
	must(t, err)
	torn := newPath(t) // the last write reached the disk in part
	b, err := os.ReadFile(path)
	must(t, err)
	must(t, os.WriteFile(torn, b, 0o600))
	must(t, os.WriteFile(torn+"-wal", wal[:len(wal)-1000], 0o600))
	report := mustVerify(t, openAt(t, torn))
	if full := mustVerify(t, s); report.Checkpoint.Size >= full.Checkpoint.Size {
		t.Errorf("the torn log has %d entries of %d", report.Checkpoint.Size, full.Checkpoint.Size)
	}
}

// child charges and releases until it is killed, and says so after each.
func child(path string) error {
	signer, err := audit.NewSigner(testOrigin, bytes.Repeat([]byte{1}, 32))
	if err != nil {
		return err
	}
	ctx := context.Background()
	s, err := Open(ctx, Options{Path: path, Signer: signer})
	if err != nil {
		return err
	}
	list, err := s.Newest(ctx, sandbox.Filter{}, 1)
	if err != nil {
		return err
	}
	next := 0
	if len(list) == 1 {
		if _, err := fmt.Sscanf(list[0].ID, "qry_%d", &next); err != nil {
			return err
		}
		next++
	}
	for i := next; ; i++ {
		id := fmt.Sprint("qry_", i)
		if _, err := s.Charge(ctx, question(id, "kr_edu/student"), chargeEntry()); err != nil {
			return err
		}
		fmt.Println("charged", id)
		if _, err := s.Release(ctx, id, "rel_"+id, answerWith(id)); err != nil {
			return err
		}
		fmt.Println("released", id)
	}
}

// Killed again and again, the store keeps everything that it said it had, and opens.
func TestKilled(t *testing.T) {
	path := newPath(t)
	s, err := Open(context.Background(), Options{Path: path, Signer: testSigner(t)})
	must(t, err)
	openPure(t, s, "kr_edu/student", 1_000_000)
	must(t, s.Close())
	said := map[string]sandbox.State{}
	for round := range 10 {
		command := exec.Command(os.Args[0])
		command.Env = append(os.Environ(), childVariable+"="+path)
		out, err := command.StdoutPipe()
		must(t, err)
		must(t, command.Start())
		lines := bufio.NewScanner(out)
		for n := 0; lines.Scan(); n++ {
			word, id, _ := strings.Cut(lines.Text(), " ")
			said[id] = sandbox.State(word)
			if n == 11*round+3 {
				must(t, command.Process.Kill()) // what it says until the signal arrives is read, too
			}
		}
		if err := command.Wait(); command.ProcessState.ExitCode() != -1 {
			t.Fatalf("the child was not killed: %v", err)
		}
		s, err := Open(context.Background(), Options{Path: path, Signer: testSigner(t)})
		must(t, err)
		report := mustVerify(t, s)
		if len(report.Unanswered) > round+1 {
			t.Errorf("%d questions unanswered after %d kills", len(report.Unanswered), round+1)
		}
		for id, state := range said {
			q, err := s.Question(context.Background(), id)
			if err != nil || (state == sandbox.Released && q.State != state) {
				t.Fatalf("%s was %s, the store has %q, %v", id, state, q.State, err)
			}
		}
		must(t, s.Close())
	}
}

func TestClosed(t *testing.T) {
	s, err := Open(context.Background(), Options{Path: newPath(t), Signer: testSigner(t)})
	must(t, err)
	openPure(t, s, "kr_edu/student", 10)
	must(t, s.Close())
	ctx := context.Background()
	_, err = s.Charge(ctx, question("qry_1", "kr_edu/student"), chargeEntry())
	wantErr(t, err, ErrClosed)
	if _, err := s.Checkpoint(ctx); err == nil {
		t.Error("a closed store gives a checkpoint")
	}
	if _, err := s.Question(ctx, "qry_1"); err == nil || errors.Is(err, sandbox.ErrNotFound) {
		t.Errorf("a closed store does not know whether a question exists: %v", err)
	}
}

// faults are what a test makes of a store's disk: on every connection, from now on.
type faults struct {
	failing  atomic.Bool  // commits fail
	pages    atomic.Int64 // the most that the file may have; 0 for any number
	readOnly atomic.Bool
	conn     *sqlite3.SQLiteConn
}

// hook applies them to a new connection.
func (f *faults) hook(c *sqlite3.SQLiteConn) error {
	f.conn = c
	c.RegisterCommitHook(func() int {
		if f.failing.Load() {
			return 1
		}
		return 0
	})
	return f.apply(c)
}

func (f *faults) apply(c *sqlite3.SQLiteConn) error {
	settings := fmt.Sprintf("PRAGMA query_only = %t; PRAGMA max_page_count = %d", f.readOnly.Load(), max(f.pages.Load(), 0))
	_, err := c.Exec(settings, nil)
	return err
}

// faulty is a store with faults, still without any. now applies them to the connection in use.
func faulty(t *testing.T) (s *Store, f *faults, now func()) {
	f = &faults{}
	s, err := Open(context.Background(), Options{Path: newPath(t), Signer: testSigner(t), hook: f.hook})
	must(t, err)
	t.Cleanup(func() { must(t, s.Close()) })
	return s, f, func() { must(t, f.apply(f.conn)) }
}

// A commit that fails leaves nothing behind, and the next one goes on from what is on disk.
func TestCommitFails(t *testing.T) {
	s, f, _ := faulty(t)
	fill(t, s)
	before := mustVerify(t, s)
	ctx := context.Background()
	for range 3 {
		f.failing.Store(true)
		_, err := s.Charge(ctx, question("qry_x", "kr_edu/student"), chargeEntry())
		if err == nil || errors.Is(err, sandbox.ErrConflict) || errors.Is(err, sandbox.ErrDuplicate) || errors.Is(err, sandbox.ErrNotFound) {
			t.Fatalf("got %v, want a failure of the store", err)
		}
		if _, err := s.Release(ctx, "qry_2", "rel_x", answerWith("x")); err == nil {
			t.Fatal("a release that was not committed")
		}
		if err := s.Fail(ctx, "qry_2"); err == nil {
			t.Fatal("a failure that was not committed")
		}
		f.failing.Store(false)
		if after := mustVerify(t, s); after.Checkpoint.Root != before.Checkpoint.Root {
			t.Fatal("a failed commit changed the log")
		}
	}
	charge(t, s, "qry_x", "kr_edu/student")
	release(t, s, "qry_2")
	mustVerify(t, s)
}

// A full disk refuses changes, the group they came in included, and recovers.
func TestDiskFull(t *testing.T) {
	s, f, now := faulty(t)
	fill(t, s)
	f.pages.Store(1) // SQLite takes it as: no more than there are now
	now()
	ctx := context.Background()
	big := question("qry_big", "kr_edu/student")
	big.Plan = make([]byte, 1<<20)
	for range 3 {
		if _, err := s.Charge(ctx, big, chargeEntry()); err == nil {
			t.Fatal("charged on a full disk")
		}
		_, err := s.Question(ctx, "qry_big")
		wantErr(t, err, sandbox.ErrNotFound)
		mustVerify(t, s)
	}
	f.pages.Store(1 << 20)
	_ = f.apply(f.conn) // if it is still open
	_, err := s.Charge(ctx, big, chargeEntry())
	must(t, err)
	mustVerify(t, s)
}

// A database that became read-only answers nothing that needs a charge.
func TestReadOnly(t *testing.T) {
	s, f, now := faulty(t)
	fill(t, s)
	f.readOnly.Store(true)
	now()
	ctx := context.Background()
	for range 2 {
		if _, err := s.Charge(ctx, question("qry_x", "kr_edu/student"), chargeEntry()); err == nil {
			t.Error("charged on a read-only database")
		}
		if _, err := s.Release(ctx, "qry_2", "rel_x", answerWith("x")); err == nil {
			t.Error("released on a read-only database")
		}
	}
	f.readOnly.Store(false)
	_ = f.apply(f.conn) // if it is still open
	release(t, s, "qry_2")
	mustVerify(t, s)
}

// Without salts there is no log.
func TestNoRandomness(t *testing.T) {
	s, err := Open(context.Background(), Options{Path: newPath(t), Signer: testSigner(t), Rand: io.LimitReader(zeros{}, 40)})
	must(t, err)
	t.Cleanup(func() { must(t, s.Close()) })
	openPure(t, s, "kr_edu/student", 10)
	charge(t, s, "qry_1", "kr_edu/student")
	if _, err := s.Charge(context.Background(), question("qry_2", "kr_edu/student"), chargeEntry()); err == nil {
		t.Error("charged without a salt")
	}
	mustVerify(t, s)
}

type zeros struct{}

func (zeros) Read(p []byte) (int, error) { clear(p); return len(p), nil }

// raw changes a closed database as an intruder would, past the schema's own guards.
func raw(t *testing.T, path string, statements ...string) {
	t.Helper()
	dsn, err := dataSource(path, url.Values{"_foreign_keys": {"off"}})
	must(t, err)
	db := sql.OpenDB(connector{dsn: dsn})
	defer func() { must(t, db.Close()) }()
	var triggers []string
	err = each(context.Background(), db, `SELECT name FROM sqlite_master WHERE type = 'trigger'`, nil, func(rows *sql.Rows) error {
		var name string
		err := rows.Scan(&name)
		triggers = append(triggers, `DROP TRIGGER `+name)
		return err
	})
	must(t, err)
	for _, statement := range append(triggers, statements...) {
		if _, err := db.Exec(statement); err != nil {
			t.Fatalf("%s: %v", statement, err)
		}
	}
}

// terms replaces a text in the bodies of a table.
func terms(table, old, new string) string {
	return fmt.Sprintf(`UPDATE %s SET body = CAST(replace(CAST(body AS TEXT), '%s', '%s') AS BLOB)`, table, old, new)
}

// A database that disagrees with its log is not opened. fill's log has eleven entries.
func TestTampered(t *testing.T) {
	cases := map[string][]string{
		"clock set back":        {`UPDATE accounts SET spent_epsilon = spent_epsilon - 1 WHERE id = 'kr_edu/student'`},
		"clock set forward":     {`UPDATE accounts SET spent_epsilon = spent_epsilon + 1 WHERE id = 'gb_ons/home'`},
		"cap raised":            {terms("accounts", `"epsilon":"0.1"`, `"epsilon":"0.2"`)},
		"failures forgiven":     {`UPDATE accounts SET failures = 0`},
		"allowance raised":      {terms("accounts", `"failure_allowance":3`, `"failure_allowance":99`)},
		"terms not readable":    {`UPDATE accounts SET body = x'00'`},
		"account gone":          {`DELETE FROM accounts WHERE id = 'gb_ons/home'`},
		"account added":         {`INSERT INTO accounts SELECT 'gb_ons/more', revision, body, 0, 0, 0, 0, 0, 0, 0, revised, entry FROM accounts LIMIT 1`},
		"account renamed":       {`UPDATE accounts SET id = 'gb_ons/house' WHERE id = 'gb_ons/home'`},
		"charge gone":           {`DELETE FROM charges WHERE entry = 3 AND account = 'gb_ons/home'`},
		"charge added":          {`INSERT INTO charges SELECT 9, 'gb_ons/home', question, time, epsilon, 0, 0, 0, 0, 0 FROM charges WHERE entry = 8`},
		"charge smaller":        {`UPDATE charges SET epsilon = epsilon - 1 WHERE entry = 5`},
		"charge on no clock":    {`UPDATE charges SET renyi_4 = 1 WHERE entry = 5`},
		"charge moved":          {`UPDATE charges SET account = 'gb_ons/home' WHERE entry = 5`},
		"charge of another":     {`UPDATE charges SET question = 'qry_1' WHERE entry = 5`},
		"charge of long ago":    {`UPDATE charges SET time = time - 1 WHERE entry = 5`},
		"last entry gone":       {`DELETE FROM log WHERE idx = 10`},
		"middle entry gone":     {`DELETE FROM log WHERE idx = 4`},
		"entry and head cut":    {`DELETE FROM log WHERE idx = 10`, `UPDATE head SET size = 10`},
		"log rolled back":       {`DELETE FROM log WHERE idx = 10`, `UPDATE head SET size = 10`, `DELETE FROM tree WHERE pos >= 18`},
		"all of the log gone":   {`DELETE FROM log`, `DELETE FROM tree`, `UPDATE head SET size = 0`},
		"entry altered":         {`UPDATE log SET entry = CAST(replace(CAST(entry AS TEXT), 'researchers', 'Researchers') AS BLOB) WHERE idx = 5`},
		"entries swapped":       {`UPDATE log SET idx = 99 WHERE idx = 5`, `UPDATE log SET idx = 5 WHERE idx = 6`, `UPDATE log SET idx = 6 WHERE idx = 99`},
		"leaf altered":          {`UPDATE tree SET hash = zeroblob(32) WHERE pos = 0`},
		"node altered":          {`UPDATE tree SET hash = zeroblob(32) WHERE pos = 2`},
		"hash gone":             {`DELETE FROM tree WHERE pos = 3`},
		"hash added":            {`INSERT INTO tree (pos, hash) VALUES (1000, zeroblob(32))`},
		"time moved":            {`UPDATE head SET latest = latest + 1`},
		"head gone":             {`DELETE FROM head`},
		"released made charged": {`UPDATE questions SET state = 'charged', answer = NULL, release = '' WHERE id = 'qry_1'`},
		"charged made failed":   {`UPDATE questions SET state = 'failed' WHERE id = 'qry_2'`},
		"document gone":         {`DELETE FROM documents WHERE rowid = (SELECT MAX(rowid) FROM documents)`},
		"question gone":         {`DELETE FROM questions WHERE id = 'qry_2'`},
		"question another's":    {`UPDATE questions SET principal = 'sg_lab/wei' WHERE id = 'qry_2'`},
		"answer altered":        {`UPDATE questions SET answer = x'00' WHERE id = 'qry_1'`},
		"charges altered":       {`UPDATE questions SET charges = CAST(replace(CAST(charges AS TEXT), 'kr_edu', 'gb_edu') AS BLOB) WHERE id = 'qry_2'`},
		"policy altered":        {`UPDATE documents SET body = CAST('{"rules":["all"]}' AS BLOB)`},
		"policy's revision":     {`UPDATE documents SET revision = 2`},
		"policy under other id": {`UPDATE documents SET id = 'gb_ons.homes'`},
		"policy of no entry":    {`UPDATE documents SET entry = 99`},
		"policy of other entry": {`UPDATE documents SET entry = 1`},
		"schema of later":       {`INSERT INTO goose_db_version (version_id, is_applied) VALUES (99, 1)`},
	}
	for name, statements := range cases {
		t.Run(name, func(t *testing.T) {
			path := newPath(t)
			s, err := Open(context.Background(), Options{Path: path, Signer: testSigner(t)})
			must(t, err)
			fill(t, s)
			must(t, s.Close())
			raw(t, path, statements...)
			s, err = Open(context.Background(), Options{Path: path, Signer: testSigner(t)})
			if err == nil {
				must(t, s.Close())
				t.Fatal("it opens")
			}
			if name != "schema of later" && !errors.Is(err, ErrInconsistent) {
				t.Errorf("got %v, want ErrInconsistent", err)
			}
		})
	}
	path := newPath(t)
	s, err := Open(context.Background(), Options{Path: path, Signer: testSigner(t)})
	must(t, err)
	fill(t, s)
	must(t, s.Close())
	raw(t, path) // nothing: the cases above fail for what they change
	mustVerify(t, openAt(t, path))
}

// A long log is compared at its end only; that still finds what the end shows.
func TestTamperedTail(t *testing.T) {
	cases := map[string][]string{
		"":                   nil,
		"clock set back":     {`UPDATE accounts SET spent_epsilon = spent_epsilon - 1 WHERE id = 'kr_edu/student'`},
		"clock of long ago":  {`UPDATE accounts SET spent_epsilon = 0, entry = 0 WHERE id = 'kr_edu/student'`},
		"entry altered":      {`UPDATE log SET entry = CAST(replace(CAST(entry AS TEXT), 'researchers', 'Researchers') AS BLOB) WHERE idx = 8`},
		"last entry gone":    {`DELETE FROM log WHERE idx = 10`},
		"entry and head cut": {`DELETE FROM log WHERE idx = 10`, `UPDATE head SET size = 10`},
		"leaf altered":       {`UPDATE tree SET hash = zeroblob(32) WHERE pos = 18`},
		"subtree altered":    {`UPDATE tree SET hash = zeroblob(32) WHERE pos = 14`},
		"time moved":         {`UPDATE head SET latest = 0`},
	}
	for name, statements := range cases {
		t.Run(name, func(t *testing.T) {
			path := newPath(t)
			s, err := Open(context.Background(), Options{Path: path, Signer: testSigner(t)})
			must(t, err)
			fill(t, s)
			must(t, s.Close())
			raw(t, path, statements...)
			db, err := openReaders(path)
			must(t, err)
			defer func() { must(t, db.Close()) }()
			h, err := readHead(context.Background(), db)
			must(t, err)
			err = checkHead(context.Background(), db)
			if err == nil {
				err = checkTail(context.Background(), db, h, 7)
			}
			if found := errors.Is(err, ErrInconsistent); found == (name == "") {
				t.Errorf("got %v", err)
			}
		})
	}
}

// A backup is taken while the server writes, and opens as it was at one moment.
func TestBackup(t *testing.T) {
	path := newPath(t)
	s := openAt(t, path)
	fill(t, s)
	stop, stopped := make(chan struct{}), make(chan error)
	go func() {
		for i := 0; ; i++ {
			select {
			case <-stop:
				close(stopped)
				return
			default:
			}
			if _, err := s.Charge(context.Background(), question(fmt.Sprint("qry_w", i), "kr_edu/student"), chargeEntry()); err != nil && i < 90 {
				stopped <- err
				return
			}
		}
	}()
	var sizes []int64
	for range 3 {
		to := newPath(t)
		must(t, Backup(context.Background(), path, to))
		if err := Backup(context.Background(), path, to); err == nil {
			t.Error("a backup overwrote another")
		}
		info, err := os.Stat(to)
		must(t, err)
		if info.Mode().Perm() != 0o600 {
			t.Errorf("a backup's mode is %v", info.Mode())
		}
		sizes = append(sizes, mustVerify(t, openAt(t, to)).Checkpoint.Size)
	}
	close(stop)
	must(t, <-stopped)
	if !slices.IsSorted(sizes) || sizes[0] < 11 {
		t.Errorf("the backups have %v entries", sizes)
	}
	to := newPath(t)
	if err := Backup(context.Background(), path+".none", to); err == nil {
		t.Error("a backup of nothing: no error")
	}
	if _, err := os.Stat(to); err == nil {
		t.Error("a failed backup left a file")
	}
}

// A store at rest is backed up, too.
func TestBackupAtRest(t *testing.T) {
	path, to := newPath(t), newPath(t)
	s, err := Open(context.Background(), Options{Path: path, Signer: testSigner(t)})
	must(t, err)
	fill(t, s)
	must(t, s.Close())
	must(t, Backup(context.Background(), path, to))
	mustVerify(t, openAt(t, to))
}

func TestProofs(t *testing.T) {
	s := openAt(t, newPath(t))
	fill(t, s)
	ctx := context.Background()
	signed, err := s.Checkpoint(ctx)
	must(t, err)
	older, err := audit.PeekCheckpoint(signed)
	must(t, err)
	charge(t, s, "qry_more", "kr_edu/student")
	signed, err = s.Checkpoint(ctx)
	must(t, err)
	newer, err := audit.PeekCheckpoint(signed)
	must(t, err)
	entries, err := s.Entries(ctx, 0, 100)
	must(t, err)
	for i, entry := range entries {
		proof, err := s.Inclusion(ctx, int64(i), newer.Size)
		must(t, err)
		must(t, audit.CheckInclusion(proof, newer, int64(i), entry))
	}
	proof, err := s.Consistency(ctx, older.Size, newer.Size)
	must(t, err)
	must(t, audit.CheckConsistency(proof, older, newer))
	if _, err := s.Inclusion(ctx, newer.Size, newer.Size); err == nil {
		t.Error("a proof of an entry that is not there")
	}
}

// A renyi account's clocks pass through the database unchanged.
func TestAmountsAreIntegers(t *testing.T) {
	s := openAt(t, newPath(t))
	openPure(t, s, "kr_edu/student", 10)
	q := question("qry_1", "kr_edu/student")
	q.Charges[0].Loss = privacy.Clocks{Epsilon: 1}
	_, err := s.Charge(context.Background(), q, chargeEntry())
	must(t, err)
	accounts, err := s.Accounts(context.Background())
	must(t, err)
	if accounts[0].Spent != (privacy.Clocks{Epsilon: 1}) {
		t.Errorf("spent %+v, want 1e-12", accounts[0].Spent)
	}
}
