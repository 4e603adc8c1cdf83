package datasets

import (
	"context"
	"fmt"
	"math/rand/v2"
	"path/filepath"
	"testing"
)

// BenchmarkIngest reports rows per second, whole path, for a million rows of 200,000 units with a
// text key, a float64 and an int64 measure.
func BenchmarkIngest(b *testing.B) {
	const rows, units = 1_000_000, 200_000
	random := rand.New(rand.NewPCG(1, 2))
	var id, town, score, n []any
	for range rows {
		id = append(id, fmt.Sprintf("person-%06d", random.IntN(units)))
		town = append(town, fmt.Sprintf("town %d", random.IntN(50)))
		score = append(score, float64(random.IntN(10_000))/100)
		n = append(n, random.IntN(20)-10)
	}
	t := newTable([]string{"id", "town", "score", "n"}, stringColumn(id...), stringColumn(town...), floatColumn(score...), intColumn(n...))
	d := people()
	d.MaxRowsPerUnit = 20
	for _, f := range allFormats {
		in := t.encode(b, f)
		for name, memory := range map[string]int64{"memory": 1 << 30, "spilled": 8 << 20} {
			b.Run(string(f)+"/"+name, func(b *testing.B) {
				for b.Loop() {
					r, err := Ingest(context.Background(), d, in, filepath.Join(b.TempDir(), "out"), testKey, Options{MemoryLimit: memory})
					if err != nil || r.RowsRead != rows {
						b.Fatal(r, err)
					}
				}
				b.ReportMetric(float64(rows)*float64(b.N)/b.Elapsed().Seconds(), "rows/s")
			})
		}
	}
}
