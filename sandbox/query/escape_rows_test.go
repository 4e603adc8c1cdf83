package query

import (
	"reflect"
	"testing"

	"entrepot/privacy"
)

// revealing are attempts to see single values, privacy IDs or hidden names, or to tie people to each other.
var revealing = []escape{
	{"is not the dataset of this question", []string{
		`SELECT COUNT(*) AS n FROM kr_edu.students s JOIN (SELECT student_id FROM kr_edu.enrolments e WHERE e.year = s.grade) x ON s.student_id = x.student_id`,
		`SELECT COUNT(DISTINCT student_id) AS n FROM (SELECT gender AS student_id FROM kr_edu.students) t WHERE student_id = 'male' GROUP BY kr_edu.students.student_id`,
		`SELECT kr_edu.students.math, COUNT(*) AS n FROM (SELECT math FROM kr_edu.students) students GROUP BY 1`,
		`SELECT COUNT(*) AS n FROM (SELECT math FROM kr_edu.students) t WHERE students.student_id = 'x'`,
	}},
	{"a row of values is not supported", []string{
		`SELECT COUNT(*) AS n FROM kr_edu.students WHERE (gender, math) = ('male', 3)`,
		`SELECT COUNT(ROW(math, reading)) AS n FROM kr_edu.students`,
		`SELECT COUNT((math, reading)) AS n FROM kr_edu.students`,
		`SELECT COUNT(DISTINCT (student_id, math)) AS n FROM kr_edu.students`,
		`SELECT COUNT(*) AS n FROM kr_edu.students WHERE OPERATOR(pg_catalog.=)(math, 1)`,
	}},
	{"the privacy ID", []string{
		`SELECT COUNT(DISTINCT student_id || gender) AS n FROM kr_edu.students`,
		`SELECT COUNT(DISTINCT COALESCE(student_id, gender)) AS n FROM kr_edu.students`,
		`SELECT COUNT(DISTINCT CASE WHEN math > 5 THEN student_id END) AS n FROM kr_edu.students`,
		`SELECT COUNT(DISTINCT student_id::text) AS n FROM kr_edu.students`,
		`SELECT COUNT(DISTINCT student_id) FILTER (WHERE student_id = 'S1') AS n FROM kr_edu.students`,
		`SELECT COUNT(*) FILTER (WHERE student_id LIKE 'S%') AS n FROM kr_edu.students`,
		`SELECT SUM(math) FILTER (WHERE student_id IN ('S1', 'S2')) AS n FROM kr_edu.students`,
		`SELECT PERCENTILE_CONT(0.5) WITHIN GROUP (ORDER BY student_id) AS n FROM kr_edu.students`,
		`SELECT MIN(student_id) AS n FROM kr_edu.students`,
		`SELECT COUNT(*) AS n FROM kr_edu.students AS "a b" WHERE "a b".math > 1 AND "a b".student_id = 'x'`,
		`SELECT COUNT(*) AS n FROM (SELECT U&"student\005fid" AS p FROM kr_edu.students) t WHERE p = 'S1'`,
		`SELECT COUNT(*) AS n FROM (SELECT student_id AS gender, gender AS student_id FROM kr_edu.students) t GROUP BY gender`,
		`SELECT gender, COUNT(*) AS n FROM (SELECT student_id AS gender FROM kr_edu.students) t GROUP BY gender`,
		`SELECT student_id, COUNT(*) AS n FROM (SELECT gender AS g, student_id FROM kr_edu.students) t GROUP BY 1`,
		`SELECT student_id AS g, COUNT(*) AS n FROM kr_edu.students GROUP BY g`,
		`SELECT CASE WHEN TRUE THEN student_id END AS g, COUNT(*) AS n FROM kr_edu.students GROUP BY 1`,
		`SELECT COUNT(*) AS gender FROM kr_edu.students GROUP BY student_id, gender`,
		`SELECT DISTINCT student_id FROM kr_edu.students`,
		`SELECT DISTINCT gender, student_id FROM kr_edu.students`,
		`WITH students AS (SELECT student_id AS gender FROM kr_edu.students) SELECT gender, COUNT(*) AS n FROM students GROUP BY gender`,
		`SELECT gender, COUNT(*) AS n FROM kr_edu.students GROUP BY gender HAVING student_id = 'x'`,
		`SELECT gender, COUNT(*) AS n FROM kr_edu.students GROUP BY gender HAVING MIN(student_id) = 'x'`,
		`SELECT gender, COUNT(*) AS n FROM kr_edu.students GROUP BY gender ORDER BY MIN(student_id)`,
		`SELECT COUNT(*) AS n FROM (SELECT student_id, COUNT(*) AS k FROM kr_edu.students GROUP BY student_id) t GROUP BY student_id`,
		`SELECT k, COUNT(*) AS n FROM (SELECT student_id AS k, COUNT(*) AS c FROM kr_edu.students GROUP BY k) t GROUP BY k`,
		`SELECT COUNT(*) AS n FROM (SELECT DISTINCT student_id AS p, LENGTH(student_id) AS l FROM kr_edu.students) t`,
		`SELECT COUNT(*) AS n FROM (SELECT student_id, FIRST(gender ORDER BY student_id) AS g FROM kr_edu.students GROUP BY student_id) t`,
		`SELECT COUNT(*) AS n FROM (SELECT student_id AS x FROM kr_edu.students UNION ALL SELECT pupil::text FROM gb_edu.pupils) t`,
		`SELECT COUNT(*) AS n FROM (TABLE kr_edu.enrolments) t WHERE student_id = 'x'`,
		`SELECT COUNT(ALL student_id) AS n FROM kr_edu.students`,
	}},
	{"no aggregate that is supported", []string{
		`SELECT PERCENTILE_DISC(0.5) WITHIN GROUP (ORDER BY gender) AS n FROM kr_edu.students`,
		`SELECT MODE() WITHIN GROUP (ORDER BY gender) AS n FROM kr_edu.students`,
		`SELECT STRING_AGG(student_id, ',' ORDER BY student_id) AS n FROM kr_edu.students`,
	}},
	{"in a sub-query that groups by the privacy ID only", []string{
		`SELECT ARRAY_AGG(math) AS n FROM kr_edu.students`,
		`SELECT FIRST(math ORDER BY born) AS n FROM kr_edu.students`,
		`SELECT LAST(gender ORDER BY born) AS n FROM kr_edu.students GROUP BY country`,
		`SELECT ANY_VALUE(math) AS n FROM kr_edu.students`,
		`SELECT gender, COUNT(*) AS n FROM kr_edu.students GROUP BY gender HAVING BOOL_OR(math > 999)`,
		`SELECT gender, COUNT(*) AS n FROM kr_edu.students GROUP BY gender ORDER BY FIRST(math ORDER BY born)`,
	}},
	{"a number is needed here", []string{
		`SELECT MIN(gender) AS n FROM kr_edu.students`,
		`SELECT MAX(born) AS n FROM kr_edu.students`,
	}},
	{"has no column", []string{
		`SELECT s FROM kr_edu.students s`,
		`SELECT COUNT(t) AS n FROM (SELECT math FROM kr_edu.students) t`,
		`SELECT COUNT(DISTINCT t) AS n FROM (SELECT math FROM kr_edu.students) t`,
		`SELECT COUNT(*) AS n FROM (SELECT math FROM kr_edu.students) t WHERE t IS NOT NULL`,
		`SELECT COUNT(*) AS n FROM (SELECT math FROM kr_edu.students) t GROUP BY t`,
		`SELECT COUNT(*) AS n FROM kr_edu.students WHERE students = students`,
		`SELECT COUNT(*) AS n FROM kr_edu.students WHERE ctid = '(0,1)'`,
		`SELECT COUNT(*) AS n FROM kr_edu.students WHERE xmin > 5`,
		`SELECT COUNT(*) AS n FROM kr_edu.students WHERE tableoid IS NOT NULL`,
		`SELECT COUNT(*) AS n FROM (SELECT rowid FROM kr_edu.students) t`,
		`SELECT COUNT(*) AS n FROM (SELECT file_row_number FROM kr_edu.students) t`,
		`SELECT COUNT(*) AS n FROM (SELECT filename FROM kr_edu.students) t`,
		`SELECT _ord, COUNT(*) AS n FROM kr_edu.students GROUP BY _ord`,
		`SELECT SUM(_rank) AS n FROM kr_edu.students`,
		`SELECT COUNT(DISTINCT _unit) AS n FROM kr_edu.students`,
		`SELECT COUNT(*) AS n FROM kr_edu.students a JOIN kr_edu.enrolments b ON a._unit = b._unit`,
		`SELECT COUNT(*) AS n FROM kr_edu.students a JOIN kr_edu.enrolments b ON a.student_id = b.student_id AND a._rank = b._rank`,
	}},
	{"* is not supported: rows never leave", []string{
		`SELECT s.* FROM kr_edu.students s`,
		`SELECT * FROM (SELECT * FROM kr_edu.students) t`,
		`SELECT t.*, COUNT(*) AS n FROM (SELECT gender FROM kr_edu.students) t GROUP BY gender`,
		`SELECT COUNT(t.*) AS n FROM (SELECT math FROM kr_edu.students) t`,
	}},
	{"is hidden: it is not stored", []string{
		`SELECT COUNT(*) AS n FROM (SELECT name FROM kr_edu.students) t`,
		`SELECT COUNT(*) AS n FROM kr_edu.students a JOIN kr_edu.enrolments b USING (student_id, note)`,
	}},
	{"DISTINCT ON is not supported", []string{
		`SELECT DISTINCT ON (gender) math FROM kr_edu.students`,
	}},
	{"two columns of the sub-query have the name student_id", []string{
		`SELECT COUNT(*) AS n FROM (SELECT student_id, math AS student_id FROM kr_edu.students) t`,
	}},
	{"the privacy ID student_id can be joined with a privacy ID only", []string{
		`SELECT COUNT(*) AS n FROM kr_edu.students enrolments JOIN kr_edu.enrolments students ON enrolments.student_id = students.course`,
		`SELECT COUNT(*) AS n FROM kr_edu.students a JOIN (SELECT student_id AS p, gender AS student_id FROM kr_edu.students) b ON a.student_id = b.student_id`,
		`SELECT COUNT(*) AS n FROM kr_edu.enrolments e JOIN pub.regions r ON e.student_id = r.code`,
	}},
	{"HAVING acts on released values, and math is a measure of each row", []string{
		`SELECT gender, COUNT(*) AS n FROM kr_edu.students GROUP BY gender HAVING math > 5`,
	}},
	{"math is a measure: rows never leave", []string{
		`SELECT gender, COUNT(*) AS n FROM kr_edu.students GROUP BY gender ORDER BY math`,
	}},
	{"window functions (OVER) are not supported", []string{
		`SELECT gender, COUNT(*) OVER (PARTITION BY student_id) AS n FROM kr_edu.students GROUP BY gender`,
		`SELECT ROW_NUMBER() OVER () AS n FROM kr_edu.students`,
		`SELECT COUNT(*) AS n FROM (SELECT student_id, RANK() OVER (ORDER BY math) AS k FROM kr_edu.students) t`,
	}},
	{"a grouping set is not supported", []string{
		`SELECT gender, GROUPING(gender) AS g, COUNT(*) AS n FROM kr_edu.students GROUP BY ROLLUP (gender)`,
		`SELECT COUNT(*) AS n FROM kr_edu.students GROUP BY GROUPING SETS ((student_id), ())`,
		`SELECT COUNT(*) AS n FROM kr_edu.students GROUP BY CUBE (student_id, gender)`,
		`SELECT COUNT(*) AS n FROM (SELECT student_id, MAX(math) AS m FROM kr_edu.students GROUP BY student_id, GROUPING SETS (())) t`,
	}},
	{"the privacy ID is selected twice", []string{
		`SELECT COUNT(*) AS n FROM (SELECT student_id AS p, student_id AS q FROM kr_edu.students) t WHERE p = q`,
		`SELECT COUNT(*) AS n FROM (SELECT student_id, student_id AS q FROM kr_edu.students) t GROUP BY q`,
	}},
	{"has to group by the privacy ID", []string{
		`SELECT COUNT(*) AS n FROM (SELECT gender, MAX(math) AS m FROM kr_edu.students GROUP BY gender) t`,
		`SELECT COUNT(*) AS n FROM (SELECT MAX(math) AS m FROM kr_edu.students) t`,
	}},
	{"joining on anything but column = column is not supported", []string{
		`SELECT COUNT(*) AS n FROM kr_edu.students a JOIN kr_edu.students b ON a.student_id < b.student_id`,
		`SELECT COUNT(*) AS n FROM kr_edu.students a JOIN kr_edu.students b ON a.math > b.math`,
		`SELECT COUNT(*) AS n FROM kr_edu.students a JOIN kr_edu.students b ON a.student_id <> b.student_id AND a.gender = b.gender`,
		`SELECT COUNT(*) AS n FROM kr_edu.students a JOIN kr_edu.students b ON NOT a.student_id = b.student_id`,
		`SELECT COUNT(*) AS n FROM kr_edu.students a JOIN kr_edu.students b ON a.student_id = b.student_id OR TRUE`,
		`SELECT COUNT(*) AS n FROM kr_edu.enrolments e JOIN pub.regions r ON e.region = r.code OR r.coastal`,
		`SELECT COUNT(*) AS n FROM kr_edu.enrolments e LEFT JOIN pub.regions r ON e.region >= r.code`,
	}},
	{"a join of two tables of one unit space has to be on the privacy ID", []string{
		`SELECT COUNT(*) AS n FROM kr_edu.students a JOIN kr_edu.students b ON a.gender = b.gender`,
		`SELECT COUNT(*) AS n FROM (SELECT 1 AS one, student_id FROM kr_edu.students) a JOIN (SELECT 1 AS one, student_id FROM kr_edu.enrolments) b ON a.one = b.one`,
	}},
	{"a comma in FROM, which joins every row with every other, is not supported", []string{
		`SELECT COUNT(*) AS n FROM kr_edu.students a, kr_edu.students b WHERE a.student_id = b.student_id`,
	}},
	{"a join of two unit spaces", []string{
		`SELECT COUNT(*) AS n FROM kr_edu.students a JOIN gb_edu.pupils b ON a.gender = b.sex`,
	}},
	{"a join of rows of several unit spaces", []string{
		`SELECT COUNT(*) AS n FROM (SELECT student_id FROM kr_edu.students UNION ALL SELECT pupil FROM gb_edu.pupils) a JOIN gb_edu.pupils b ON a.student_id = b.pupil`,
	}},
	{"its whole unique key", []string{
		`SELECT COUNT(*) AS n FROM kr_edu.enrolments e JOIN pub.offers o ON e.year = o.year`,
		`SELECT COUNT(*) AS n FROM kr_edu.enrolments e JOIN pub.offers o ON e.course = o.course AND e.year = o.level`,
	}},
	{"both columns are of one side of the join", []string{
		`SELECT COUNT(*) AS n FROM kr_edu.enrolments e JOIN pub.regions r ON r.code = r.code`,
	}},
	{"a public table as a branch of UNION ALL is not supported", []string{
		`SELECT COUNT(*) AS n FROM kr_edu.enrolments e JOIN (SELECT code FROM pub.regions UNION ALL SELECT code FROM pub.regions) r ON e.region = r.code`,
		`SELECT COUNT(*) AS n FROM (SELECT region FROM kr_edu.enrolments UNION ALL SELECT code FROM pub.regions) t`,
	}},
	{"a public table stands left of JOIN", []string{
		`SELECT COUNT(*) AS n FROM pub.regions r LEFT JOIN kr_edu.enrolments e ON e.region = r.code`,
	}},
	{"a question of a public table alone is not supported", []string{
		`SELECT COUNT(*) AS n FROM pub.regions`,
		`SELECT name, COUNT(*) AS n FROM (SELECT name FROM pub.regions) t GROUP BY name`,
	}},
	{"a column of UNION ALL is the privacy ID in one branch only", []string{
		`SELECT x, COUNT(*) AS n FROM (SELECT gender AS x FROM kr_edu.students UNION ALL SELECT student_id FROM kr_edu.students) t GROUP BY x`,
		`SELECT COUNT(*) AS n FROM (SELECT student_id AS x, gender AS y FROM kr_edu.students UNION ALL SELECT country, student_id FROM kr_edu.students) t`,
		`SELECT COUNT(*) AS n FROM (SELECT student_id AS x FROM kr_edu.students UNION ALL SELECT NULL FROM kr_edu.students) t`,
	}},
	{"UNION, INTERSECT and EXCEPT are not supported", []string{
		`SELECT COUNT(*) AS n FROM (SELECT math FROM kr_edu.students UNION SELECT math FROM kr_edu.students) t`,
		`SELECT COUNT(*) AS n FROM (SELECT student_id FROM kr_edu.students EXCEPT SELECT student_id FROM kr_edu.enrolments) t`,
	}},
	{"UNION ALL of answers is not supported", []string{
		`SELECT COUNT(*) AS n FROM kr_edu.students UNION ALL SELECT math FROM kr_edu.students`,
	}},
	{"arithmetic on aggregates is not supported in the SELECT list", []string{
		`SELECT CAST(COUNT(*) AS text) AS n FROM kr_edu.students`,
		`SELECT CLAMP(SUM(math), MIN(math), MAX(math)) AS n FROM kr_edu.students`,
	}},
	{"math is a measure with more than 1000 values: grouping by it is not supported", []string{
		`SELECT COUNT(*) + MIN(math) - math AS n FROM kr_edu.students GROUP BY math`,
	}},
}

// Each is refused, and told why.
func TestRevealing(t *testing.T) { refuseAll(t, revealing) }

// What looks like an escape and is none: other names for the privacy ID stay the privacy ID, its own name for
// something else is something else, and hints, quotes and aliases change nothing.
func TestHarmless(t *testing.T) {
	c := world(t)
	for _, test := range []struct {
		sql, canonical string
		kind           privacy.Kind
	}{
		{"WITH w AS MATERIALIZED (SELECT math FROM kr_edu.students) SELECT COUNT(*) AS n FROM w", "SELECT COUNT(*) AS n FROM kr_edu.students", privacy.Count},
		{"SELECT COUNT(DISTINCT student_id) AS n FROM (SELECT gender AS student_id FROM kr_edu.students) t",
			"SELECT COUNT(DISTINCT student_id) AS n FROM (SELECT gender AS student_id FROM kr_edu.students) AS t1", privacy.CountDistinct},
		{"SELECT student_id, COUNT(DISTINCT gender) AS n FROM (SELECT student_id AS gender, gender AS student_id FROM kr_edu.students) t GROUP BY student_id",
			"SELECT student_id, COUNT(DISTINCT gender) AS n FROM (SELECT student_id AS gender, gender AS student_id FROM kr_edu.students) AS t1 GROUP BY student_id", privacy.CountUnits},
		{"SELECT gender AS student_id, COUNT(*) AS n FROM kr_edu.students GROUP BY 1 ORDER BY student_id",
			"SELECT gender AS student_id, COUNT(*) AS n FROM kr_edu.students GROUP BY gender ORDER BY student_id", privacy.Count},
		{"WITH kr_edu AS (SELECT math FROM kr_edu.students) SELECT SUM(math) AS n FROM kr_edu", "SELECT SUM(math) AS n FROM kr_edu.students", privacy.Sum},
		{`SELECT COUNT(*) AS n FROM kr_edu.students "a'b;--" WHERE "a'b;--".math > 1`, "SELECT COUNT(*) AS n FROM kr_edu.students WHERE math > 1", privacy.Count},
		{"SELECT COUNT(*) AS n FROM kr_edu.students _unit WHERE _unit.math > 1", "SELECT COUNT(*) AS n FROM kr_edu.students WHERE math > 1", privacy.Count},
	} {
		p, err := New(test.sql, c, Bounds{})
		if err != nil {
			t.Fatalf("%s\n%v", test.sql, err)
		}
		if p.Canonical() != test.canonical || p.parts.Aggregates[0].Kind != test.kind {
			t.Errorf("%s\n is %s of %s", test.sql, p.parts.Aggregates[0].Kind, p.Canonical())
		}
		for _, k := range p.parts.Keys {
			if !reflect.DeepEqual(k.Domain, []any{"female", "male"}) {
				t.Errorf("%s\n groups by %v", test.sql, k.Domain)
			}
		}
	}
}
