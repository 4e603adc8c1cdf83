package engine

import (
	"context"
	"database/sql/driver"
	"errors"
	"math/rand/v2"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"

	"entrepot/datasets"
	"entrepot/sandbox/query"
	"entrepot/sandbox/query/querytest"
)

// TestThreads shows which database a question gets: alone the widest, beside others one that is narrower.
func TestThreads(t *testing.T) {
	defer goleak.VerifyNone(t, goleak.IgnoreCurrent(), glog)
	e, err := Open(Options{Dir: t.TempDir(), Threads: 5, Questions: 4})
	if err != nil {
		t.Fatal(err)
	}
	defer e.Close()
	threads := func(ctx context.Context, s session) (n int64, err error) {
		err = s.query(ctx, "SELECT current_setting('threads')", nil, func(row []driver.Value) error {
			n = row[0].(int64)
			return nil
		})
		return n, err
	}
	var nested func(deep int) []int64
	nested = func(deep int) (got []int64) {
		err := e.run(t.Context(), func(ctx context.Context, s session) error {
			n, err := threads(ctx, s)
			got = []int64{n}
			if deep > 1 {
				got = append(got, nested(deep-1)...)
			}
			return err
		})
		if err != nil {
			t.Error(err)
		}
		return got
	}
	for range 3 { // whoever gives its database back first
		if got := nested(4); !slices.Equal(got, []int64{5, 2, 1, 1}) {
			t.Errorf("four questions at a time have %d threads", got)
		}
		if got := nested(1); !slices.Equal(got, []int64{5}) {
			t.Errorf("one question has %d threads", got)
		}
	}
}

// TestNothingStays shows that a question finds nothing of the one before it in the same database, however that ended:
// no table, variable or transaction, and no error.
func TestNothingStays(t *testing.T) {
	defer goleak.VerifyNone(t, goleak.IgnoreCurrent(), glog)
	dir := t.TempDir()
	d := declare(t, 2)
	tables := people(d, world(rand.New(rand.NewPCG(20261126, 1)), d, 20))
	files := writePeople(t, dir, d, tables["org.people"].Rows)
	e, err := Open(Options{Dir: dir, Threads: 2, Questions: 1})
	if err != nil {
		t.Fatal(err)
	}
	defer e.Close()
	p := plan(t, d, "SELECT region, COUNT(*), SUM(amount) FROM org.people GROUP BY region", query.Bounds{})
	for name, before := range map[string]func(context.Context, session) error{
		"a temporary table": func(ctx context.Context, s session) error {
			return s.exec(ctx, "CREATE TEMP TABLE left_over AS SELECT 1 AS x")
		},
		"a variable":      func(ctx context.Context, s session) error { return s.exec(ctx, "SET VARIABLE left_over = 1") },
		"a prepared text": func(ctx context.Context, s session) error { return s.exec(ctx, "PREPARE left_over AS SELECT 1") },
		"a transaction":   func(ctx context.Context, s session) error { return s.exec(ctx, "BEGIN") },
		"a failed transaction": func(ctx context.Context, s session) error {
			return errors.Join(s.exec(ctx, "BEGIN"), s.exec(ctx, "SELECT CAST('x' AS BIGINT)"))
		},
		"an error at run time": func(ctx context.Context, s session) error {
			return s.query(ctx, "SELECT CAST(repeat('x', CAST(i AS BIGINT)) AS BIGINT) FROM range(1, 3) t(i)", nil, func([]driver.Value) error { return nil })
		},
		"a cancelled statement": func(ctx context.Context, s session) error {
			ctx, cancel := context.WithTimeout(ctx, 20*time.Millisecond)
			defer cancel()
			return s.query(ctx, "SELECT count(*) FROM range(100000000000) a", nil, nil)
		},
		"rows that nobody read": func(ctx context.Context, s session) error {
			return s.query(ctx, "SELECT i FROM range(1000000) t(i)", nil, func([]driver.Value) error { return errors.New("enough") })
		},
		"a panic": func(context.Context, session) error { panic("driver") },
	} {
		err := e.run(t.Context(), before)
		if made := slices.Contains([]string{"a temporary table", "a variable", "a prepared text", "a transaction"}, name); made != (err == nil) {
			t.Fatalf("%s: %v, so this test shows nothing", name, err)
		}
		for _, sql := range []string{"SELECT * FROM left_over", "EXECUTE left_over", "ROLLBACK"} {
			err := e.run(t.Context(), func(ctx context.Context, s session) error { return s.exec(ctx, sql) })
			if err == nil {
				t.Errorf("after %s: %s finds something", name, sql)
			}
		}
		err = e.run(t.Context(), func(ctx context.Context, s session) error {
			return s.query(ctx, "SELECT getvariable('left_over') IS NULL", nil, func(row []driver.Value) error {
				if row[0] != true {
					t.Errorf("after %s: the variable is still set", name)
				}
				return nil
			})
		})
		if err != nil {
			t.Errorf("after %s: %v", name, err)
		}
		got, err := e.collect(t.Context(), p.Parts(), files)
		if err != nil {
			t.Errorf("after %s: %v", name, err)
		} else if diff := querytest.Diff(querytest.Evaluate(p.Parts(), tables), got); diff != "" {
			t.Errorf("after %s:\n%s", name, diff)
		}
	}
}

// exec runs a text past the checks of this package.
func (s session) exec(ctx context.Context, sql string) error {
	_, err := s.conn.ExecContext(ctx, sql, nil)
	return err
}

// TestPathsAreParameters shows that the text of a statement holds no path, and that a path is taken as it is, however
// it is written.
func TestPathsAreParameters(t *testing.T) {
	dir := t.TempDir()
	d := declare(t, 2)
	tables := people(d, world(rand.New(rand.NewPCG(20261126, 1)), d, 20))
	p := plan(t, d, "SELECT COUNT(*) FROM org.people", query.Bounds{})
	e := open(t, Options{Dir: dir, Threads: 1})
	for _, name := range []string{"it's.parquet", `a "b".parquet`, "$1.parquet", "x'); DROP TABLE y; --.parquet", "한글.parquet"} {
		writeRows(t, filepath.Join(dir, name), tables["org.people"])
		if _, err := e.Collect(t.Context(), p, at(d, name)); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
	q, err := generate(p.Parts(), map[string]datasets.Table{"org.people": {Declaration: d}}, 1)
	if err != nil {
		t.Fatal(err)
	}
	sources, values := q.files(map[string]string{"org.people": "/secret/place"})
	for _, s := range q.statements {
		if sql := fill(s.sql, sources, everything); strings.Contains(sql, "secret") || len(values) != 1 || values[0].Value != "/secret/place" {
			t.Errorf("%s with %v", sql, values)
		}
	}
}
