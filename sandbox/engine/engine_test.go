package engine

import (
	"context"
	"database/sql/driver"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/duckdb/duckdb-go/v2"
	"go.uber.org/goleak"

	"entrepot/datasets"
	"entrepot/sandbox/query"
	"entrepot/sandbox/query/querytest"
)

// glog, which package privacy's noise library brings along, keeps a goroutine for ever.
var glog = goleak.IgnoreAnyFunction("github.com/golang/glog.(*fileSink).flushDaemon")

// plan makes a plan or fails the test.
func plan(t testing.TB, d datasets.Declaration, sql string, b query.Bounds) query.Plan {
	t.Helper()
	p, err := query.New(sql, people(d, nil), b)
	if err != nil {
		t.Fatalf("%s: %v", sql, err)
	}
	return p
}

func TestOpen(t *testing.T) {
	dir := t.TempDir()
	file := filepath.Join(dir, "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	star := filepath.Join(dir, "a*")
	if err := os.Mkdir(star, 0o700); err != nil {
		t.Fatal(err)
	}
	for name, o := range map[string]Options{
		"no folder":        {},
		"a missing folder": {Dir: filepath.Join(dir, "missing")},
		"a file":           {Dir: file},
		"a pattern":        {Dir: star},
		"a missing temp":   {Dir: dir, TempDir: filepath.Join(dir, "missing")},
		"negative memory":  {Dir: dir, MemoryLimit: -1},
		"negative threads": {Dir: dir, Threads: -1},
	} {
		if e, err := Open(o); !errors.Is(err, ErrOptions) {
			t.Errorf("%s: %v, %v", name, e, err)
		}
	}
}

func TestClose(t *testing.T) {
	defer goleak.VerifyNone(t, goleak.IgnoreCurrent(), glog)
	e, err := Open(Options{Dir: t.TempDir()})
	if err != nil {
		t.Fatal(err)
	}
	for range 2 {
		if err := e.Close(); err != nil {
			t.Fatal(err)
		}
	}
	d := declare(t, 1)
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
	defer cancel()
	if err := e.Check(ctx, plan(t, d, "SELECT COUNT(*) FROM org.people", query.Bounds{}), empty(d)); !errors.Is(err, ErrClosed) {
		t.Errorf("Check after Close: %v", err)
	}
}

// TestFiles shows that only canonical files inside the folder are read.
func TestFiles(t *testing.T) {
	root := t.TempDir()
	dir, outside := filepath.Join(root, "in"), filepath.Join(root, "out")
	for _, name := range []string{dir, outside, filepath.Join(dir, "sub")} {
		if err := os.Mkdir(name, 0o700); err != nil {
			t.Fatal(err)
		}
	}
	d := declare(t, 2)
	rows := world(rand.New(rand.NewPCG(1, 4)), d, 5)
	for _, path := range []string{filepath.Join(dir, "sub", "good.parquet"), filepath.Join(outside, "good.parquet")} {
		writeRows(t, path, querytest.Table{Declaration: d, Rows: rows})
	}
	if err := os.Symlink(outside, filepath.Join(dir, "link")); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "noise.parquet"), []byte("PAR1 not a table PAR1"), 0o600); err != nil {
		t.Fatal(err)
	}
	writeParquet(t, filepath.Join(dir, "other.parquet"), "SELECT 1::BIGINT AS _ord, 1::INTEGER AS _rank, ''::BLOB AS _unit")
	// One column has another type: a question would meet an implicit cast, which may fail on a value.
	good := filepath.Join(dir, "sub", "good.parquet")
	writeParquet(t, filepath.Join(dir, "typed.parquet"), "SELECT * REPLACE (CAST(amount AS VARCHAR) AS amount) FROM read_parquet("+quote(good)+")")
	e := open(t, Options{Dir: dir})
	p := plan(t, d, "SELECT COUNT(*) FROM org.people", query.Bounds{})
	for _, file := range []string{"sub/good.parquet", good, "sub/../sub/good.parquet"} {
		if _, err := e.Collect(t.Context(), p, at(d, file)); err != nil {
			t.Errorf("%s: %v", file, err)
		}
	}
	for _, file := range []string{
		"", ".", "..", "missing.parquet", "noise.parquet", "other.parquet", "typed.parquet", "sub/*.parquet", "sub/g??d.parquet", "sub/[g]ood.parquet",
		"../out/good.parquet", filepath.Join(outside, "good.parquet"), "link/good.parquet", "/etc/passwd", "sub/good.parquet\x00", "s3://bucket/x", "sub/good.parquet'--",
	} {
		if _, err := e.Collect(t.Context(), p, at(d, file)); !errors.Is(err, ErrFile) {
			t.Errorf("%q: %v", file, err)
		}
	}
}

// TestPublicKeys shows that a public table with two rows of one key is not read: a join would multiply
// the rows of a unit.
func TestPublicKeys(t *testing.T) {
	dir := t.TempDir()
	tables := handTables(t)
	p, err := query.New("SELECT zone, COUNT(*) FROM org.visits JOIN org.regions ON region = name GROUP BY zone", tables, query.Bounds{})
	if err != nil {
		t.Fatal(err)
	}
	regions := tables["org.regions"]
	e := open(t, Options{Dir: dir})
	for _, c := range []struct {
		file string
		rows []querytest.Row
		want error
	}{{"once", regions.Rows, nil}, {"twice", append(regions.Rows, regions.Rows[0]), ErrFile}} {
		writeRows(t, filepath.Join(dir, "visits-"+c.file), tables["org.visits"])
		writeRows(t, filepath.Join(dir, c.file), querytest.Table{Declaration: regions.Declaration, Rows: c.rows})
		_, err := e.Collect(t.Context(), p, map[string]datasets.Table{
			"org.visits":  {Declaration: tables["org.visits"].Declaration, File: "visits-" + c.file},
			"org.regions": {Declaration: regions.Declaration, File: c.file},
		})
		if !errors.Is(err, c.want) {
			t.Errorf("%s: %v", c.file, err)
		}
	}
}

// TestCapacity shows that groups without a public domain are read up to a limit.
func TestCapacity(t *testing.T) {
	dir := t.TempDir()
	d := declare(t, 1)
	rows := make([]querytest.Row, 50)
	for i := range rows {
		rows[i] = querytest.Row{Unit: int64(i), Rank: 1, Values: map[string]any{"code": int64(i), "amount": int64(1)}}
	}
	tables := writePeople(t, dir, d, rows)
	p := plan(t, d, "SELECT code, COUNT(*) FROM org.people GROUP BY code", query.Bounds{})
	if _, err := open(t, Options{Dir: dir, MaxGroups: 49}).Collect(t.Context(), p, tables); !errors.Is(err, ErrCapacity) {
		t.Errorf("50 groups of 49: %v", err)
	}
	if _, err := open(t, Options{Dir: dir, MaxGroups: 50}).Collect(t.Context(), p, tables); err != nil {
		t.Errorf("50 groups of 50: %v", err)
	}
}

// TestLongDomain groups by a domain too long for the statement's text.
func TestLongDomain(t *testing.T) {
	dir := t.TempDir()
	for _, c := range []struct {
		typ   string
		value func(i int) any
	}{
		{"string", func(i int) any { return fmt.Sprintf("v'%03d", i) }},
		{"int64", func(i int) any { return int64(i * 7) }},
		{"date", func(i int) any { return time.Date(2000, 1, 1+i, 0, 0, 0, 0, time.UTC).Format(time.DateOnly) }},
		{"timestamp", func(i int) any { return time.Date(2000, 1, 1, i, 0, 0, 0, time.UTC).Format("2006-01-02T15:04:05Z") }},
	} {
		var list []string
		var rows []querytest.Row
		for i := range 300 {
			if i%3 > 0 {
				list = append(list, fmt.Sprintf("%q", fmt.Sprint(c.value(i))))
				if c.typ == "int64" {
					list[len(list)-1] = fmt.Sprint(c.value(i))
				}
			}
			rows = append(rows, querytest.Row{Unit: int64(i), Rank: 1, Values: map[string]any{"k": c.value(i)}})
		}
		rows = append(rows, querytest.Row{Unit: 300, Rank: 1, Values: map[string]any{}})
		d, err := datasets.ParseDeclaration([]byte(fmt.Sprintf(`{"unit_space": "org/person", "max_rows_per_unit": 1, "columns": [
			{"name": "id", "type": "string", "role": "privacy_id"},
			{"name": "k", "type": %q, "role": "key", "nullable": true, "domain": [%s]}]}`, c.typ, strings.Join(list, ","))))
		if err != nil {
			t.Fatal(err)
		}
		tables := people(d, rows)
		files := writePeople(t, dir, d, rows)
		p := plan(t, d, "SELECT k, COUNT(*) FROM org.people GROUP BY k", query.Bounds{})
		e := open(t, Options{Dir: dir})
		if err := e.Check(t.Context(), p, files); err != nil {
			t.Errorf("%s: %v", c.typ, err)
		}
		got, err := e.collect(t.Context(), p.Parts(), files)
		if err != nil {
			t.Fatalf("%s: %v", c.typ, err)
		}
		if diff := querytest.Diff(querytest.Evaluate(p.Parts(), tables), got); diff != "" || len(got) != 200 {
			t.Errorf("%s: %d groups\n%s", c.typ, len(got), diff)
		}
	}
}

// TestCancel ends a long question by its context, and by the engine's own deadline, and finds the
// engine well afterwards.
func TestCancel(t *testing.T) {
	defer goleak.VerifyNone(t, goleak.IgnoreCurrent(), glog)
	e, err := Open(Options{Dir: t.TempDir(), Threads: 1, Questions: 1})
	if err != nil {
		t.Fatal(err)
	}
	defer e.Close()
	endless := func(ctx context.Context, s session) error {
		return s.query(ctx, "SELECT count(*) FROM range(100000000000) a", nil, nil)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	if err := e.run(ctx, endless); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("past the deadline: %v", err)
	}
	<-e.databases.ready // somebody else's question
	busy := e.databases.take()
	if err := e.run(ctx, endless); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("waiting: %v", err)
	}
	e.databases.put(busy)
	ctx, cancel = context.WithCancel(t.Context())
	go cancel()
	if err := e.run(ctx, endless); !errors.Is(err, context.Canceled) {
		t.Errorf("cancelled: %v", err)
	}
	if err := e.run(t.Context(), func(context.Context, session) error { panic("driver") }); err == nil {
		t.Error("a panic passed as success")
	}
	d := declare(t, 1)
	if err := e.Check(t.Context(), plan(t, d, "SELECT COUNT(*) FROM org.people", query.Bounds{}), empty(d)); err != nil {
		t.Errorf("afterwards: %v", err)
	}
	hasty := open(t, Options{Dir: e.options.Dir, Timeout: 50 * time.Millisecond})
	if err := hasty.run(t.Context(), endless); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("past the engine's deadline: %v", err)
	}
}

// TestShares fills one question's memory: another question, asked meanwhile, has its own.
func TestShares(t *testing.T) {
	e := open(t, Options{Dir: t.TempDir(), MemoryLimit: 128 << 20, Questions: 2, Threads: 1})
	count := func(ctx context.Context, s session) error {
		return s.query(ctx, "SELECT count(DISTINCT i) FROM range(200000) t(i)", nil, func([]driver.Value) error { return nil })
	}
	err := e.run(t.Context(), func(ctx context.Context, s session) error {
		heavy := s.query(ctx, "SELECT count(DISTINCT i) FROM range(20000000) t(i)", nil, func([]driver.Value) error { return nil })
		var failed *duckdb.Error
		if !errors.As(heavy, &failed) || failed.Type != duckdb.ErrorTypeOutOfMemory {
			t.Errorf("20 million values within 64 MiB: %v", heavy)
		}
		if _, err := s.conn.ExecContext(ctx, "CREATE TEMP TABLE hog AS SELECT i, i * 2 FROM range(3000000) t(i)", nil); err != nil {
			return err // 48 MiB of the 64, until the session ends
		}
		if err := count(ctx, s); err == nil {
			t.Error("the share that is taken still has room, so this test shows nothing")
		}
		return e.run(ctx, count)
	})
	if err != nil {
		t.Error(err)
	}
}

// TestParallel asks many questions at once: each gets its own answer.
func TestParallel(t *testing.T) {
	dir := t.TempDir()
	d := declare(t, 3)
	r := rand.New(rand.NewPCG(20261125, 6))
	rows := world(r, d, 30)
	tables := people(d, rows)
	files := writePeople(t, dir, d, rows)
	e := open(t, Options{Dir: dir, Questions: 3})
	var wait sync.WaitGroup
	for i := range 32 {
		p := plan(t, d, fmt.Sprintf("SELECT region, COUNT(*), SUM(amount) FROM org.people WHERE age >= %d GROUP BY region", i%4), query.Bounds{MaxPartitions: int64(1 + i%3)})
		wait.Go(func() {
			got, err := e.collect(t.Context(), p.Parts(), files)
			if err != nil {
				t.Error(err)
			} else if diff := querytest.Diff(querytest.Evaluate(p.Parts(), tables), got); diff != "" {
				t.Error(diff)
			}
		})
	}
	wait.Wait()
}
