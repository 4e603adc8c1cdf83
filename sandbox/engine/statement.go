package engine

import (
	"fmt"
	"strings"
)

// stretch is a range of unit ordinals, lower ≤ _ord < upper; nil is open.
type stretch struct{ lower, upper *int64 }

// everything is the stretch of all units.
var everything = stretch{}

// stretchRows is how many rows a heavy question reads at a time.
const stretchRows = 1 << 20

// stretches cuts a heavy question into pieces of whole units, so that what the database holds at a
// time is bounded however large the file is; their totals add up to those of the whole. The ends are
// open: what info says decides where to cut, never what is counted.
func (q *question) stretches(info fileInfo) []stretch {
	n := info.rows / stretchRows
	if !q.heavy() || n < 2 {
		return []stretch{everything}
	}
	var cuts []stretch
	width := max(1, (info.last-info.first)/n)
	var from *int64
	for at := info.first + width; at < info.last; at += width {
		cuts = append(cuts, stretch{from, &at})
		from = &at
	}
	return append(cuts, stretch{from, nil})
}

// sql writes the statement over a source, which is a table expression of canonical columns.
func (q *question) sql(source string, s stretch) string {
	where := q.where
	if s.lower != nil {
		where += fmt.Sprintf(" AND _ord >= %d", *s.lower)
	}
	if s.upper != nil {
		where += fmt.Sprintf(" AND _ord < %d", *s.upper)
	}
	rows := q.bounded(fmt.Sprintf("SELECT %s FROM %s WHERE %s", q.list, source, where))
	var out []string
	if q.limitParts {
		rows = q.perUnit(rows)
		out = q.outer("sum(_rows)", "count(*)", "sum(_c%d)", "sum(_s%d)")
	} else {
		units := "count(DISTINCT _ord)"
		if q.rowPerUnit {
			units = "count(*)"
		}
		out = q.outer("count(*)", units, "count(_a%d)", "")
	}
	sql := fmt.Sprintf("SELECT %s FROM (%s)", strings.Join(out, ", "), rows)
	if len(q.keys) > 0 {
		sql += " GROUP BY" + q.keyList(" ") + fmt.Sprintf(" LIMIT %d", q.limit+1)
	}
	return sql
}

// totals writes the aggregates of one unit in one group.
func (q *question) totals() string {
	out := []string{"count(*) AS _rows"}
	for _, i := range q.counts {
		out = append(out, fmt.Sprintf("count(_a%d) AS _c%d", i, i))
	}
	for _, i := range q.sums {
		out = append(out, fmt.Sprintf("sum(%s) AS _s%d", q.clamps[i], i))
	}
	return strings.Join(out, ", ")
}

// outer writes the result's columns: keys, rows, units, then for each argument non-NULLs and sum,
// all numbers as HUGEINT. A format of "" stands for the sum of the clamped argument.
func (q *question) outer(rows, units, count, sum string) []string {
	var out []string
	for i := range q.keys {
		out = append(out, fmt.Sprintf("_k%d", i))
	}
	if !q.units {
		units = "0"
	}
	counts, sums := make([]string, q.args), make([]string, q.args)
	for _, i := range q.counts {
		counts[i] = fmt.Sprintf(count, i)
	}
	for _, i := range q.sums {
		if sums[i] = fmt.Sprintf("sum(%s)", q.clamps[i]); sum != "" {
			sums[i] = fmt.Sprintf(sum, i)
		}
	}
	numbers := []string{rows, units}
	for i := range q.args {
		numbers = append(numbers, counts[i], sums[i])
	}
	for _, n := range numbers {
		if n == "" {
			n = "0"
		}
		out = append(out, "CAST(coalesce("+n+", 0) AS HUGEINT)")
	}
	return out
}
