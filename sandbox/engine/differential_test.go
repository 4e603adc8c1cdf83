package engine

import (
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"testing"
	"time"

	"entrepot/datasets"
	"entrepot/privacy"
	"entrepot/sandbox/query"
	"entrepot/sandbox/query/querytest"
)

// soak reports whether the full sizes are wanted, which take minutes.
func soak() bool { return os.Getenv("ENTREPOT_SOAK") == "1" }

// patience is the deadline of questions in tests of many of them: they are small, but the machine may be busy.
const patience = 10 * time.Minute

// way is one way to run a question: none may make a difference.
type way struct {
	name   string
	engine *Engine
	files  map[string]datasets.Table
	pieces int64 // stretches of units; 1 for the whole
}

// differences counts what a differential test saw.
type differences struct {
	tried, ran, nonempty int
	steps                map[string]int
}

// TestDifferential runs random questions over the whole grammar on random tables against loops over the
// same rows: on one thread with rows in order, and on two with units numbered otherwise and rows in another
// order, whole or in stretches. All partials are equal, down to each leaf of a quantile tree.
func TestDifferential(t *testing.T) {
	const seed, shards = 20261122, 2
	atLeast := 1000
	if soak() {
		atLeast = 100_000
	}
	for shard := range uint64(shards) {
		t.Run(fmt.Sprint("shard ", shard), func(t *testing.T) {
			t.Parallel()
			r := rand.New(rand.NewPCG(seed, shard))
			dir := t.TempDir()
			one, two := open(t, Options{Dir: dir, Threads: 1, Timeout: patience}), open(t, Options{Dir: dir, Threads: 2, Timeout: patience})
			seen := differences{steps: map[string]int{}}
			for table := 0; seen.ran < atLeast/shards; table++ {
				seen.compare(t, r, one, two, table)
			}
			t.Logf("%+v", seen)
			if seen.nonempty < seen.ran/3 || seen.ran*10 < seen.tried*9 {
				t.Errorf("only %d of %d questions planned, %d of them with groups", seen.ran, seen.tried, seen.nonempty)
			}
			for _, s := range []string{"rows", "groups", "both", "neither", "private", "public", "by ordinal", "by ID"} {
				if seen.steps[s] < 10 {
					t.Errorf("%s: %d questions only", s, seen.steps[s])
				}
			}
		})
	}
}

// compare asks some questions of one set of tables.
func (d *differences) compare(t *testing.T, r *rand.Rand, one, two *Engine, table int) {
	t.Helper()
	const perTable = 40
	schema, err := querytest.Schema(r)
	if err != nil {
		t.Fatal(err)
	}
	tables := querytest.Fill(r, schema, []int{4, 12, 1, 40, 7, 0}[table%6], table%3)
	dir := one.options.Dir
	sorted := writeTables(t, r, dir, fmt.Sprintf("%d-sorted", table), tables, true)
	mixed := writeTables(t, r, dir, fmt.Sprintf("%d-mixed", table), tables.Shuffled(r), false)
	defer remove(t, dir, sorted)
	defer remove(t, dir, mixed)
	g := querytest.NewGenerator(r, schema)
	for i := range perTable {
		d.tried++
		plan, sql, bounds, err := g.Plan()
		if err != nil {
			continue // refusals are package query's to test
		}
		d.ran++
		want := querytest.Evaluate(plan.Parts(), tables)
		if len(want) > 0 {
			d.nonempty++
		}
		d.note(plan.Parts(), sorted)
		if i%8 == 0 {
			if err := one.Check(t.Context(), plan, sorted); err != nil {
				t.Errorf("%s: %v", sql, err)
			}
		}
		for _, w := range []way{{"on one thread", one, sorted, 1}, {"on two threads, mixed", two, mixed, int64(1 + 2*(i%2))}} {
			if err := w.check(t.Context(), plan.Parts(), want); err != nil {
				t.Errorf("%s %+v, %s, in %d stretches: %v", sql, bounds, w.name, w.pieces, err)
			}
		}
	}
}

// check runs a question and compares.
func (w way) check(ctx context.Context, p query.Parts, want []privacy.Partial) error {
	var got []privacy.Partial
	var err error
	if w.pieces == 1 {
		got, err = w.engine.collect(ctx, p, w.files)
	} else {
		got, err = w.inStretches(ctx, p)
	}
	if err != nil {
		return err
	}
	if diff := querytest.Diff(want, got); diff != "" {
		return fmt.Errorf("(-naive +engine)\n%s", diff)
	}
	return nil
}

// inStretches is collect with stretches for a file of millions of rows.
func (w way) inStretches(ctx context.Context, p query.Parts) ([]privacy.Partial, error) {
	q, err := generate(p, w.files, w.engine.options.MaxGroups)
	if err != nil {
		return nil, err
	}
	paths := map[string]string{}
	for _, use := range p.Datasets {
		path, err := w.engine.path(w.files[use.ID].File)
		if err != nil {
			return nil, err
		}
		paths[use.ID] = path
	}
	pieces := []stretch{everything}
	switch {
	case q.heavy() && q.ordinals:
		pieces = byOrdinal(fileInfo{first: 0, last: 30}, w.pieces)
	case q.heavy():
		pieces = byID(w.pieces)
	}
	sum := newTotals(q)
	err = w.engine.run(ctx, func(ctx context.Context, s session) error { return q.run(ctx, s, paths, pieces, sum) })
	return sum.partials(), err
}

// note counts which steps a plan takes.
func (d *differences) note(p query.Parts, tables map[string]datasets.Table) {
	q, err := generate(p, tables, 1<<20)
	if err != nil {
		return // the ways say so
	}
	switch {
	case q.limitRows && q.limitParts:
		d.steps["both"]++
	case q.limitRows:
		d.steps["rows"]++
	case q.limitParts:
		d.steps["groups"]++
	default:
		d.steps["neither"]++
	}
	if p.PublicKeys == nil {
		d.steps["private"]++
	} else {
		d.steps["public"]++
	}
	if q.ordinals {
		d.steps["by ordinal"]++
	} else {
		d.steps["by ID"]++
	}
}
