package query

import (
	"slices"
	"testing"
	"time"
)

const typical = `SELECT gender, country, COUNT(*) AS students, AVG(math) AS maths, SUM(CASE WHEN math >= 600 AND reading >= 600 THEN 1 ELSE 0 END) AS good
FROM kr_edu.students WHERE born BETWEEN '2005-01-01' AND '2006-12-31' AND (country IN ('KR', 'GB', 'SG') OR immigrant IS NOT TRUE)
GROUP BY gender, country HAVING COUNT(*) > 100 ORDER BY maths DESC LIMIT 10`

func BenchmarkNew(b *testing.B) {
	c := catalogue(b)
	var took []time.Duration
	for b.Loop() {
		start := time.Now()
		if _, err := New(typical, c, Bounds{}); err != nil {
			b.Fatal(err)
		}
		took = append(took, time.Since(start))
	}
	slices.Sort(took)
	b.ReportMetric(float64(took[len(took)*99/100].Microseconds()), "p99-µs")
}

func BenchmarkCanonical(b *testing.B) {
	p := plan(b, typical)
	for b.Loop() {
		p.Canonical()
	}
}
