package engine

import (
	"context"
	"fmt"
	"math/rand/v2"
	"path/filepath"
	"testing"

	"entrepot/datasets"
	"entrepot/sandbox/query"
	"entrepot/sandbox/query/querytest"
)

// TestStretches cuts questions at every kind of place: the totals stay those of the whole.
func TestStretches(t *testing.T) {
	dir := t.TempDir()
	d := declare(t, 5)
	other := d
	other.MaxRowsPerUnit = 2
	r := rand.New(rand.NewPCG(20261124, 5))
	tables := querytest.Tables{
		"org.people": {ID: "org.people", Declaration: d, Rows: shuffled(r, world(r, d, 40))},
		"org.visits": {ID: "org.visits", Declaration: other, Rows: shuffled(r, world(r, other, 30))},
	}
	files, paths := map[string]datasets.Table{}, map[string]string{}
	for id, table := range tables {
		path := filepath.Join(dir, id)
		writeRows(t, path, table)
		files[id], paths[id] = datasets.Table{Declaration: table.Declaration, File: path}, path
	}
	e := open(t, Options{Dir: dir})
	for _, from := range []string{
		"org.people",
		"(SELECT id, age, tag, score, huge, amount FROM org.people UNION ALL SELECT id, age, tag, score, huge, amount FROM org.people) u",
		"(SELECT id, age, tag, score, huge, amount FROM org.people UNION ALL SELECT id, age, tag, score, huge, amount FROM org.visits) u",
		"(SELECT p.id, p.age, v.tag, p.score, v.huge, p.amount FROM org.people p LEFT JOIN org.visits v ON p.id = v.id) j",
	} {
		for _, b := range []query.Bounds{{}, {MaxRowsPerPartition: 1}, {MaxPartitions: 2, MaxRowsPerPartition: 2}} {
			sql := "SELECT age, tag, COUNT(*) AS n, COUNT(DISTINCT id) AS u, AVG(score), SUM(huge), MEDIAN(score) AS m, COUNT(DISTINCT amount) AS d FROM " + from + " WHERE amount <> 1 GROUP BY age, tag"
			p, err := query.New(sql, tables, b)
			if err != nil {
				t.Fatalf("%s: %v", sql, err)
			}
			q, err := generate(p.Parts(), files, 1000)
			if err != nil {
				t.Fatalf("%s: %v", sql, err)
			}
			want := querytest.Evaluate(p.Parts(), tables)
			for _, info := range []fileInfo{
				{rows: 40 * stretchRows, first: 0, last: 39}, {rows: 2 * stretchRows, first: 0, last: 39},
				{rows: 3 * stretchRows, first: 10, last: 20}, {rows: 3 * stretchRows, first: -100, last: 300}, {rows: 9 * stretchRows, first: 5, last: 5}, {},
			} {
				cuts := q.stretches(map[string]fileInfo{"org.people": info, "org.visits": {}})
				if n := info.rows / stretchRows; n > 1 && info.last-info.first >= n && int64(len(cuts)) < n {
					t.Errorf("%+v: %d stretches only", info, len(cuts))
				}
				sum := newTotals(q)
				err := e.run(t.Context(), func(ctx context.Context, s session) error { return q.run(ctx, s, paths, cuts, sum) })
				if err != nil {
					t.Fatal(err)
				}
				if diff := querytest.Diff(want, sum.partials()); diff != "" {
					t.Errorf("%s %+v, %+v:\n%s", from, b, info, diff)
				}
			}
		}
	}
	if got := fmt.Sprintf("%q", byID(4)); got != `[" AND _unit < '\\x40\\x00\\x00\\x00'::BLOB" " AND _unit >= '\\x40\\x00\\x00\\x00'::BLOB AND _unit < '\\x80\\x00\\x00\\x00'::BLOB" `+
		`" AND _unit >= '\\x80\\x00\\x00\\x00'::BLOB AND _unit < '\\xc0\\x00\\x00\\x00'::BLOB" " AND _unit >= '\\xc0\\x00\\x00\\x00'::BLOB"]` {
		t.Errorf("four ranges of stored IDs are %s", got)
	}
}
