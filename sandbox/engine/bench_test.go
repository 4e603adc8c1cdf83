package engine

import (
	"context"
	"database/sql/driver"
	"fmt"
	"path/filepath"
	"testing"
	"time"

	"entrepot/datasets"
	"entrepot/sandbox/query"
)

// benchDeclaration declares the generated table: two keys of ten values, one measure.
func benchDeclaration(b *testing.B, maxRows int) datasets.Declaration {
	b.Helper()
	d, err := datasets.ParseDeclaration([]byte(fmt.Sprintf(`
unit_space: org/person
max_rows_per_unit: %d
columns:
  - {name: id, type: string, role: privacy_id}
  - {name: region, type: string, role: key, domain: [g0, g1, g2, g3, g4, g5, g6, g7, g8, g9]}
  - {name: level, type: int64, role: key, domain: [0, 1, 2, 3, 4, 5, 6, 7, 8, 9]}
  - {name: free, type: string, role: key}
  - {name: score, type: float64, role: measure, lower: "0", upper: "100", resolution: "0.01"}
`, maxRows)))
	if err != nil {
		b.Fatal(err)
	}
	return d
}

// generateRows writes so many units of so many rows each.
func generateRows(b *testing.B, path string, units, each int) {
	b.Helper()
	writeParquet(b, path, fmt.Sprintf(`SELECT CAST(lpad(CAST(i // %d AS VARCHAR), 16, '0') AS BLOB) AS _unit, CAST(i // %d AS BIGINT) AS _ord, CAST(i %% %d + 1 AS INTEGER) AS _rank,
		'g' || (hash(i) %% 10) AS region, CAST(hash(i + 77) %% 10 AS BIGINT) AS level, 'g' || (hash(i + 99) %% 10) AS free,
		CAST(hash(i * 3) %% 10001 AS BIGINT) AS score FROM range(%d) t(i)`, each, each, each, units*each))
}

// BenchmarkTenMillion reports the time of private partial aggregates as a ratio to DuckDB's own
// GROUP BY without privacy, on the same file in the same run: 10 M rows, 1 M units, 100 groups.
func BenchmarkTenMillion(b *testing.B) {
	dir := b.TempDir()
	generateRows(b, filepath.Join(dir, "rows.parquet"), 1_000_000, 10)
	d := benchDeclaration(b, 10)
	const aggregates = "COUNT(*), SUM(score), AVG(score) FROM org.people GROUP BY"
	for _, c := range []struct {
		name, sql, plain string
		bounds           query.Bounds
	}{
		{"public", "SELECT region, level, " + aggregates + " region, level", "region, level", query.Bounds{}},
		{"expression", "SELECT region, level, COUNT(*), SUM(CLAMP(score * 1.5 + level, 0, 90)), AVG(score) FROM org.people GROUP BY region, level", "region, level", query.Bounds{}},
		{"quantile", "SELECT region, level, COUNT(*), AVG(score), MEDIAN(score) FROM org.people GROUP BY region, level", "region, level", query.Bounds{}},
		{"selection", "SELECT free, level, " + aggregates + " free, level", "free, level", query.Bounds{}},
		{"rows=1", "SELECT region, level, " + aggregates + " region, level", "region, level", query.Bounds{MaxRowsPerPartition: 1}},
		{"partitions=2", "SELECT region, level, " + aggregates + " region, level", "region, level", query.Bounds{MaxPartitions: 2}},
		{"both", "SELECT region, level, " + aggregates + " region, level", "region, level", query.Bounds{MaxPartitions: 2, MaxRowsPerPartition: 1}},
	} {
		b.Run(c.name, func(b *testing.B) {
			e := open(b, Options{Dir: dir, Timeout: 5 * time.Minute})
			p := plan(b, d, c.sql, c.bounds)
			last := "sum(score)"
			if c.name == "quantile" {
				last = "median(score)"
			}
			plain := fmt.Sprintf("SELECT %s, count(*), avg(score), %s FROM %s GROUP BY %s", c.plain, last, parquetRows(filepath.Join(dir, "rows.parquet")), c.plain)
			var ours, theirs time.Duration
			for i := 0; b.Loop(); i++ {
				start := time.Now()
				groups, err := e.collect(b.Context(), p.Parts(), at(d, "rows.parquet"))
				if err != nil || len(groups) != 100 {
					b.Fatal(len(groups), err)
				}
				middle := time.Now()
				err = e.run(b.Context(), func(ctx context.Context, s session) error {
					return s.query(ctx, plain, nil, func([]driver.Value) error { return nil })
				})
				if err != nil {
					b.Fatal(err)
				}
				ours += middle.Sub(start)
				theirs += time.Since(middle)
			}
			b.ReportMetric(float64(ours.Milliseconds())/float64(b.N), "private-ms")
			b.ReportMetric(float64(theirs.Milliseconds())/float64(b.N), "plain-ms")
			b.ReportMetric(float64(ours)/float64(theirs), "ratio")
		})
	}
}

// BenchmarkSmall is a question over as many rows as PISA has students in Korea.
func BenchmarkSmall(b *testing.B) {
	dir := b.TempDir()
	generateRows(b, filepath.Join(dir, "rows.parquet"), 5444, 1)
	d := benchDeclaration(b, 1)
	e := open(b, Options{Dir: dir})
	p := plan(b, d, "SELECT region, COUNT(*), AVG(score) FROM org.people GROUP BY region", query.Bounds{})
	b.Run("check", func(b *testing.B) {
		for b.Loop() {
			if err := e.Check(b.Context(), p, empty(d)); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("collect", func(b *testing.B) {
		for b.Loop() {
			if _, err := e.Collect(b.Context(), p, at(d, "rows.parquet")); err != nil {
				b.Fatal(err)
			}
		}
	})
}
