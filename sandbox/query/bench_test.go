package query

import (
	"slices"
	"testing"
	"time"
)

const typical = `SELECT gender, country, COUNT(*) AS students, AVG(math) AS maths, SUM(CASE WHEN math >= 600 AND reading >= 600 THEN 1 ELSE 0 END) AS good
FROM kr_edu.students WHERE born BETWEEN '2005-01-01' AND '2006-12-31' AND (country IN ('KR', 'GB', 'SG') OR immigrant IS NOT TRUE)
GROUP BY gender, country HAVING COUNT(*) > 100 ORDER BY maths DESC LIMIT 10`

// related joins features of one unit space to its people, adds another space, and groups by a public table.
const related = `WITH work AS (
  SELECT student_id, COUNT(*) AS courses, AVG(score) AS score, BOOL_OR(passed) AS passed, FIRST(region ORDER BY began) AS region
  FROM kr_edu.enrolments WHERE year >= 2015 GROUP BY student_id HAVING COUNT(*) > 1
), everyone AS (
  SELECT s.student_id AS id, s.gender, w.score, w.region FROM kr_edu.students s LEFT JOIN work w ON s.student_id = w.student_id WHERE w.passed
  UNION ALL SELECT pupil, sex, maths / 10, NULL FROM gb_edu.pupils
)
SELECT e.gender, r.name, COUNT(*) AS n, AVG(e.score) AS score, COUNT(DISTINCT e.id) AS people
FROM everyone e LEFT JOIN pub.regions r ON e.region = r.code GROUP BY e.gender, r.name HAVING COUNT(*) > 10 ORDER BY score DESC LIMIT 20`

func BenchmarkNew(b *testing.B) { benchmark(b, typical) }

func BenchmarkNewRelated(b *testing.B) { benchmark(b, related) }

func benchmark(b *testing.B, sql string) {
	c := world(b)
	var took []time.Duration
	for b.Loop() {
		start := time.Now()
		if _, err := New(sql, c, Bounds{}); err != nil {
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
