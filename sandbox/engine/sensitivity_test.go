package engine

import (
	"fmt"
	"math/big"
	"math/rand/v2"
	"path/filepath"
	"slices"
	"testing"

	"entrepot/privacy"
	"entrepot/sandbox/query"
)

// TestSensitivity removes each unit of random tables in turn. Without noise, the partials differ by
// no more than the plan's bounds allow: this is what the noise is made for.
func TestSensitivity(t *testing.T) {
	const seed, tables, perTable = 20261123, 9, 6
	r := rand.New(rand.NewPCG(seed, 3))
	dir := t.TempDir()
	e := open(t, Options{Dir: dir, Threads: 2})
	g := questions{r}
	pairs, moved := 0, 0
	for i := range tables {
		d := declare(t, []int{3, 8, 20}[i%3])
		kept := d
		kept.MaxRowsPerUnit += 2
		rows := world(r, kept, 6)
		path := fmt.Sprintf("%d.parquet", i)
		writeRows(t, filepath.Join(dir, path), d, rows)
		without := make([]string, 6)
		for u := range without {
			without[u] = fmt.Sprintf("%d-%d.parquet", i, u)
			writeRows(t, filepath.Join(dir, without[u]), d, slices.DeleteFunc(slices.Clone(rows), func(x row) bool { return x.ord == int64(u) }))
		}
		for range perTable {
			sql, bounds := g.sql(d.MaxRowsPerUnit)
			plan, err := query.New(sql, catalogue{d}, bounds)
			if err != nil {
				continue
			}
			p := plan.Parts()
			whole, err := e.collect(t.Context(), p, d, path)
			if err != nil {
				t.Fatal(err)
			}
			for _, file := range without {
				less, err := e.collect(t.Context(), p, d, file)
				if err != nil {
					t.Fatal(err)
				}
				pairs++
				if compare(whole, less) != "" {
					moved++
				}
				if err := neighbours(p, whole, less); err != nil {
					t.Errorf("%s %+v: %v", sql, bounds, err)
				}
			}
		}
	}
	t.Logf("%d pairs of neighbours, %d with different partials", pairs, moved)
	if moved < 100 {
		t.Errorf("only %d of %d pairs differed at all", moved, pairs)
	}
}

// neighbours checks every difference between partials with and without one unit.
func neighbours(p query.Parts, whole, less []privacy.Partial) error {
	c := p.Contribution
	before := map[string]privacy.Partial{}
	for _, g := range less {
		before[g.Key] = g
	}
	var partitions, rowsInAll int64
	for _, g := range whole {
		b, ok := before[g.Key]
		if !ok {
			b = *empty(p, g.Key)
		}
		delete(before, g.Key)
		rows, units := g.Rows-b.Rows, g.Units-b.Units
		if rows < 0 || rows > min(c.MaxRowsPerPartition, c.MaxRows) || units < 0 || units > 1 {
			return fmt.Errorf("group %s moved by %d rows, %d units", g.Key, rows, units)
		}
		if rows > 0 {
			partitions++
		}
		rowsInAll += rows
		for i, a := range p.Arguments {
			values := g.NonNull[i] - b.NonNull[i]
			if values < 0 || values > rows {
				return fmt.Errorf("group %s: %d values in %d rows", g.Key, values, rows)
			}
			moved := new(big.Int).Sub(g.Sum[i], b.Sum[i])
			most := max(a.Upper, -a.Lower, a.Lower, -a.Upper)
			if limit := big.NewInt(values); moved.CmpAbs(limit.Mul(limit, big.NewInt(most))) > 0 {
				return fmt.Errorf("group %s: sum moved by %s in %d values of at most %d", g.Key, moved, values, most)
			}
		}
	}
	if len(before) > 0 {
		return fmt.Errorf("groups %v are there only without the unit", before)
	}
	if partitions > c.MaxPartitions || rowsInAll > min(c.MaxPartitions*c.MaxRowsPerPartition, c.MaxRows) {
		return fmt.Errorf("%d groups and %d rows moved, over %+v", partitions, rowsInAll, c)
	}
	return nil
}
