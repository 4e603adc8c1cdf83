package engine

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"

	"entrepot/datasets"
	"entrepot/privacy"
	"entrepot/sandbox/query"
)

// glog, which package privacy's noise library brings along, keeps a goroutine for ever.
var glog = goleak.IgnoreAnyFunction("github.com/golang/glog.(*fileSink).flushDaemon")

// plan makes a plan or fails the test.
func plan(t testing.TB, d datasets.Declaration, sql string, b query.Bounds) query.Plan {
	t.Helper()
	p, err := query.New(sql, catalogue{d}, b)
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
	if err := e.Check(ctx, plan(t, d, "SELECT COUNT(*) FROM org.people", query.Bounds{}), d); !errors.Is(err, ErrClosed) {
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
		writeRows(t, path, d, rows)
	}
	if err := os.Symlink(outside, filepath.Join(dir, "link")); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "noise.parquet"), []byte("PAR1 not a table PAR1"), 0o600); err != nil {
		t.Fatal(err)
	}
	writeParquet(t, filepath.Join(dir, "other.parquet"), "SELECT 1::BIGINT AS _ord, 1::INTEGER AS _rank")
	// One column has another type: a question would meet an implicit cast, which may fail on a value.
	good := filepath.Join(dir, "sub", "good.parquet")
	writeParquet(t, filepath.Join(dir, "typed.parquet"), "SELECT * REPLACE (CAST(amount AS VARCHAR) AS amount) FROM read_parquet("+quote(good)+")")
	e := open(t, Options{Dir: dir})
	p := plan(t, d, "SELECT COUNT(*) FROM org.people", query.Bounds{})
	for _, file := range []string{"sub/good.parquet", good, "sub/../sub/good.parquet"} {
		if _, err := e.Collect(t.Context(), p, d, file); err != nil {
			t.Errorf("%s: %v", file, err)
		}
	}
	for _, file := range []string{
		"", ".", "..", "missing.parquet", "noise.parquet", "other.parquet", "typed.parquet", "sub/*.parquet", "sub/g??d.parquet", "sub/[g]ood.parquet",
		"../out/good.parquet", filepath.Join(outside, "good.parquet"), "link/good.parquet", "/etc/passwd", "sub/good.parquet\x00", "s3://bucket/x", "sub/good.parquet'--",
	} {
		if _, err := e.Collect(t.Context(), p, d, file); !errors.Is(err, ErrFile) {
			t.Errorf("%q: %v", file, err)
		}
	}
}

// TestBrokenPlans shows that what a planner would never make is refused before any SQL runs.
func TestBrokenPlans(t *testing.T) {
	d := declare(t, 3)
	one := query.Expr{Op: query.OpLiteral, Type: query.Number, Number: 1}
	base := func() query.Parts {
		return query.Parts{
			Keys:         []query.Key{{Column: "flag", Type: datasets.Bool, Domain: []any{false, true}}},
			PublicKeys:   []string{"[false]", "[true]"},
			Arguments:    []query.Argument{{Expr: one, Lower: 0, Upper: 1, Step: privacy.Step{Num: 1, Den: 1}}},
			Aggregates:   []query.Aggregate{{Kind: privacy.Sum, Argument: 0}},
			Contribution: privacy.Contribution{MaxPartitions: 1, MaxRowsPerPartition: 1, MaxRows: 3},
		}
	}
	if _, err := generate(base(), d, 10); err != nil {
		t.Fatal(err)
	}
	deep := one
	for range maxDepth + 1 {
		deep = query.Expr{Op: query.OpNeg, Type: query.Number, Args: []query.Expr{deep}}
	}
	wide := one
	for range 60 {
		wide = query.Expr{Op: query.OpDiv, Type: query.Number, Args: []query.Expr{one, wide}}
	}
	inf := one
	inf.Number = inf.Number / (inf.Number - 1)
	for name, breaks := range map[string]func(*query.Parts){
		"no L0":            func(p *query.Parts) { p.Contribution.MaxPartitions = 0 },
		"no r":             func(p *query.Parts) { p.Contribution.MaxRowsPerPartition = 0 },
		"no R":             func(p *query.Parts) { p.Contribution.MaxRows = -1 },
		"argument 1":       func(p *query.Parts) { p.Aggregates[0].Argument = 1 },
		"unbounded sum":    func(p *query.Parts) { p.Arguments[0].SumUnused = true },
		"bounds crossed":   func(p *query.Parts) { p.Arguments[0].Lower = 2 },
		"bounds too large": func(p *query.Parts) { p.Arguments[0].Upper = 1 << 53 },
		"no step":          func(p *query.Parts) { p.Arguments[0].Step = privacy.Step{} },
		"a text sum":       func(p *query.Parts) { p.Arguments[0].Expr.Type = query.Text },
		"a key as measure": func(p *query.Parts) { p.Arguments[0].Column = "region" },
		"the privacy ID":   func(p *query.Parts) { p.Keys[0] = query.Key{Column: "id", Type: datasets.String, Domain: []any{"a"}} },
		"the unit":         func(p *query.Parts) { p.Keys[0].Column = datasets.UnitColumn },
		"a measure as key": func(p *query.Parts) {
			p.Keys[0] = query.Key{Column: "amount", Type: datasets.Int64, Domain: []any{int64(1)}}
		},
		"a key's type":      func(p *query.Parts) { p.Keys[0].Type = datasets.String },
		"a domain's type":   func(p *query.Parts) { p.Keys[0].Domain[0] = "false" },
		"no domain":         func(p *query.Parts) { p.Keys[0].Domain = nil },
		"a number filter":   func(p *query.Parts) { p.Filter = &one },
		"an infinite value": func(p *query.Parts) { p.Arguments[0].Expr = inf },
		"too deep":          func(p *query.Parts) { p.Arguments[0].Expr = deep },
		"too long":          func(p *query.Parts) { p.Arguments[0].Expr = wide },
		"a column unknown": func(p *query.Parts) {
			p.Arguments[0].Expr = query.Expr{Op: query.OpColumn, Type: query.Number, Column: "x"}
		},
		"a released column": func(p *query.Parts) { p.Arguments[0].Expr = query.Expr{Op: query.OpReleased, Type: query.Number} },
		"an unknown op": func(p *query.Parts) {
			p.Arguments[0].Expr = query.Expr{Op: "sqrt", Type: query.Number, Args: []query.Expr{one}}
		},
		"a missing operand": func(p *query.Parts) {
			p.Arguments[0].Expr = query.Expr{Op: query.OpAdd, Type: query.Number, Args: []query.Expr{one}}
		},
		"a clamp by a column": func(p *query.Parts) {
			p.Arguments[0].Expr = query.Expr{Op: query.OpClamp, Type: query.Number, Args: []query.Expr{one, {Op: query.OpColumn, Type: query.Number, Column: "amount", Num: 1, Den: 1}, one}}
		},
		"a crossed clamp": func(p *query.Parts) {
			p.Arguments[0].Expr = query.Expr{Op: query.OpClamp, Type: query.Number, Args: []query.Expr{one, one, {Op: query.OpLiteral, Type: query.Number}}}
		},
		"a NUL": func(p *query.Parts) {
			p.Filter = &query.Expr{Op: query.OpLike, Type: query.Bool, Text: "\x00", Args: []query.Expr{{Op: query.OpColumn, Type: query.Text, Column: "tag"}}}
		},
	} {
		p := base()
		breaks(&p)
		if _, err := generate(p, d, 10); !errors.Is(err, ErrPlan) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// TestCapacity shows that groups without a public domain are read up to a limit.
func TestCapacity(t *testing.T) {
	dir := t.TempDir()
	d := declare(t, 1)
	rows := make([]row, 50)
	for i := range rows {
		rows[i] = row{ord: int64(i), rank: 1, values: map[string]any{"code": int64(i), "amount": int64(1)}}
	}
	writeRows(t, filepath.Join(dir, "a.parquet"), d, rows)
	p := plan(t, d, "SELECT code, COUNT(*) FROM org.people GROUP BY code", query.Bounds{})
	if _, err := open(t, Options{Dir: dir, MaxGroups: 49}).Collect(t.Context(), p, d, "a.parquet"); !errors.Is(err, ErrCapacity) {
		t.Errorf("50 groups of 49: %v", err)
	}
	if _, err := open(t, Options{Dir: dir, MaxGroups: 50}).Collect(t.Context(), p, d, "a.parquet"); err != nil {
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
		var rows []row
		for i := range 300 {
			if i%3 > 0 {
				list = append(list, fmt.Sprintf("%q", fmt.Sprint(c.value(i))))
				if c.typ == "int64" {
					list[len(list)-1] = fmt.Sprint(c.value(i))
				}
			}
			rows = append(rows, row{ord: int64(i), rank: 1, values: map[string]any{"k": c.value(i)}})
		}
		rows = append(rows, row{ord: 300, rank: 1, values: map[string]any{}})
		d, err := datasets.ParseDeclaration([]byte(fmt.Sprintf(`{"unit_space": "org/person", "max_rows_per_unit": 1, "columns": [
			{"name": "id", "type": "string", "role": "privacy_id"},
			{"name": "k", "type": %q, "role": "key", "nullable": true, "domain": [%s]}]}`, c.typ, strings.Join(list, ","))))
		if err != nil {
			t.Fatal(err)
		}
		writeRows(t, filepath.Join(dir, c.typ), d, rows)
		p := plan(t, d, "SELECT k, COUNT(*) FROM org.people GROUP BY k", query.Bounds{})
		e := open(t, Options{Dir: dir})
		if err := e.Check(t.Context(), p, d); err != nil {
			t.Errorf("%s: %v", c.typ, err)
		}
		got, err := e.collect(t.Context(), p.Parts(), d, c.typ)
		if err != nil {
			t.Fatalf("%s: %v", c.typ, err)
		}
		if diff := compare(naive(p.Parts(), rows), got); diff != "" || len(got) != 200 {
			t.Errorf("%s: %d groups\n%s", c.typ, len(got), diff)
		}
	}
}

// TestStretches cuts a question at every kind of place: the totals stay those of the whole.
func TestStretches(t *testing.T) {
	dir := t.TempDir()
	d := declare(t, 5)
	r := rand.New(rand.NewPCG(20261124, 5))
	rows := world(r, d, 40)
	path := filepath.Join(dir, "a.parquet")
	writeRows(t, path, d, shuffled(r, rows))
	e := open(t, Options{Dir: dir})
	for _, b := range []query.Bounds{{}, {MaxPartitions: 1}, {MaxRowsPerPartition: 1}, {MaxPartitions: 2, MaxRowsPerPartition: 2}} {
		p := plan(t, d, "SELECT age, tag, COUNT(*) AS n, COUNT(DISTINCT id) AS u, AVG(score), SUM(huge) FROM org.people WHERE amount <> 1 GROUP BY age, tag", b)
		q, err := generate(p.Parts(), d, 1000)
		if err != nil {
			t.Fatal(err)
		}
		want := naive(p.Parts(), rows)
		for _, info := range []fileInfo{
			{rows: 40 * stretchRows, first: 0, last: 39}, {rows: 7 * stretchRows, first: 0, last: 39}, {rows: 2 * stretchRows, first: 0, last: 39},
			{rows: 3 * stretchRows, first: 10, last: 20}, {rows: 3 * stretchRows, first: -100, last: 300}, {rows: 9 * stretchRows, first: 5, last: 5}, {},
		} {
			cuts := q.stretches(info)
			if n := info.rows / stretchRows; n > 1 && info.last-info.first >= n && int64(len(cuts)) < n {
				t.Errorf("%+v: %d stretches only", info, len(cuts))
			}
			sum := newTotals(q)
			err := e.run(t.Context(), func(ctx context.Context, s session) error {
				for _, cut := range cuts {
					if err := s.query(ctx, q.sql(parquetRows(path), cut), q.parameters, sum.add); err != nil {
						return err
					}
				}
				return nil
			})
			if err != nil {
				t.Fatal(err)
			}
			if diff := compare(want, sum.partials()); diff != "" {
				t.Errorf("%+v, %+v:\n%s", b, info, diff)
			}
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
	e.slots <- struct{}{} // somebody else's question
	if err := e.run(ctx, endless); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("waiting: %v", err)
	}
	<-e.slots
	ctx, cancel = context.WithCancel(t.Context())
	go cancel()
	if err := e.run(ctx, endless); !errors.Is(err, context.Canceled) {
		t.Errorf("cancelled: %v", err)
	}
	if err := e.run(t.Context(), func(context.Context, session) error { panic("driver") }); err == nil {
		t.Error("a panic passed as success")
	}
	d := declare(t, 1)
	if err := e.Check(t.Context(), plan(t, d, "SELECT COUNT(*) FROM org.people", query.Bounds{}), d); err != nil {
		t.Errorf("afterwards: %v", err)
	}
	hasty := open(t, Options{Dir: e.options.Dir, Timeout: 50 * time.Millisecond})
	if err := hasty.run(t.Context(), endless); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("past the engine's deadline: %v", err)
	}
}

// TestParallel asks many questions at once: each gets its own answer.
func TestParallel(t *testing.T) {
	dir := t.TempDir()
	d := declare(t, 3)
	r := rand.New(rand.NewPCG(20261125, 6))
	rows := world(r, d, 30)
	writeRows(t, filepath.Join(dir, "a.parquet"), d, rows)
	e := open(t, Options{Dir: dir, Questions: 3})
	var wait sync.WaitGroup
	for i := range 32 {
		p := plan(t, d, fmt.Sprintf("SELECT region, COUNT(*), SUM(amount) FROM org.people WHERE age >= %d GROUP BY region", i%4), query.Bounds{MaxPartitions: int64(1 + i%3)})
		wait.Go(func() {
			got, err := e.collect(t.Context(), p.Parts(), d, "a.parquet")
			if err != nil {
				t.Error(err)
			} else if diff := compare(naive(p.Parts(), rows), got); diff != "" {
				t.Error(diff)
			}
		})
	}
	wait.Wait()
}
