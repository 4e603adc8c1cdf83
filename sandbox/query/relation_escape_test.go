package query

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"entrepot/datasets"
)

// identities lists attempts to make something of a privacy ID by way of a sub-query, a join or a union.
var identities = []string{
	"SELECT p, COUNT(*) AS n FROM (SELECT student_id AS p FROM kr_edu.students) t GROUP BY p",
	"SELECT COUNT(*) AS n FROM (SELECT student_id AS p FROM kr_edu.students) t WHERE p = 'S1'",
	"SELECT COUNT(*) AS n FROM (SELECT student_id AS p FROM kr_edu.students) t WHERE p IS NOT NULL",
	"SELECT COUNT(*) AS n FROM (SELECT student_id AS p FROM kr_edu.students) t WHERE p LIKE 'S%'",
	"SELECT COUNT(p) AS n FROM (SELECT student_id AS p FROM kr_edu.students) t",
	"SELECT MIN(p) AS n FROM (SELECT student_id AS p FROM kr_edu.students) t",
	"SELECT SUM(LENGTH(p)) AS n FROM (SELECT student_id AS p FROM kr_edu.students) t",
	"SELECT COUNT(*) AS n FROM (SELECT student_id AS p FROM kr_edu.students) t ORDER BY p",
	"SELECT COUNT(*) AS n FROM (SELECT student_id AS p FROM kr_edu.students) t GROUP BY CASE WHEN p = 'a' THEN 1 ELSE 2 END",
	"SELECT DISTINCT p FROM (SELECT student_id AS p FROM kr_edu.students) t",
	"SELECT SUM(x) AS n FROM (SELECT CASE WHEN student_id = 'S1' THEN 1 ELSE 0 END AS x FROM kr_edu.students) t",
	"SELECT COUNT(*) AS n FROM (SELECT LOWER(student_id) AS x FROM kr_edu.students) t",
	"SELECT COUNT(*) AS n FROM (SELECT COALESCE(student_id, 'a') AS x FROM kr_edu.students) t",
	"SELECT COUNT(*) AS n FROM (SELECT student_id::text AS x FROM kr_edu.students) t",
	"SELECT COUNT(*) AS n FROM (SELECT math FROM kr_edu.students WHERE student_id > 'S5') t",
	"SELECT COUNT(*) AS n FROM (SELECT student_id, FIRST(student_id ORDER BY born) AS x FROM kr_edu.students GROUP BY student_id) t",
	"SELECT COUNT(*) AS n FROM (SELECT student_id, FIRST(math ORDER BY student_id) AS x FROM kr_edu.students GROUP BY student_id) t",
	"SELECT COUNT(*) AS n FROM (SELECT student_id, SUM(math) FILTER (WHERE student_id = 'a') AS x FROM kr_edu.students GROUP BY student_id) t",
	"SELECT COUNT(*) AS n FROM (SELECT student_id, COUNT(*) AS k FROM kr_edu.students GROUP BY student_id HAVING student_id = 'a') t",
	"SELECT COUNT(*) AS n FROM (SELECT student_id, COUNT(*) AS k FROM kr_edu.students GROUP BY student_id, LOWER(student_id)) t",
	"SELECT COUNT(*) AS n FROM (SELECT LOWER(student_id) AS p, COUNT(*) AS k FROM kr_edu.students GROUP BY student_id) t",
	"SELECT COUNT(*) AS n FROM (SELECT student_id AS p FROM kr_edu.students UNION ALL SELECT gender FROM kr_edu.students) t",
	"SELECT COUNT(*) AS n FROM (SELECT gender AS p FROM kr_edu.students UNION ALL SELECT student_id FROM kr_edu.students) t",
	"SELECT x, COUNT(*) AS n FROM (SELECT student_id AS x FROM kr_edu.students UNION ALL SELECT pupil FROM gb_edu.pupils) t GROUP BY x",
	"SELECT COUNT(*) AS n FROM kr_edu.students s JOIN pub.regions r ON s.student_id = r.code",
	"SELECT COUNT(*) AS n FROM kr_edu.students a JOIN kr_edu.enrolments b ON a.student_id = b.student_id AND a.student_id = b.course",
	"SELECT COUNT(*) AS n FROM kr_edu.students a JOIN kr_edu.enrolments b ON a.student_id = b.student_id AND a.student_id = 'S1'",
	"SELECT COUNT(*) AS n FROM kr_edu.students a JOIN kr_edu.enrolments b ON a.student_id = b.student_id WHERE a.student_id < b.student_id",
	"SELECT COUNT(*) AS n FROM kr_edu.students a LEFT JOIN kr_edu.enrolments b USING (student_id) WHERE b.student_id IS NULL",
	"SELECT COUNT(DISTINCT LOWER(p)) AS n FROM (SELECT student_id AS p FROM kr_edu.students) t",
	"WITH t AS (SELECT student_id AS p, name FROM kr_edu.students) SELECT COUNT(*) AS n FROM t",
	"SELECT COUNT(*) AS n FROM (SELECT _unit AS p FROM kr_edu.students) t",
	"SELECT COUNT(*) AS n FROM (SELECT _rank AS p FROM kr_edu.students) t",
	"SELECT COUNT(*) AS n FROM kr_edu.students a JOIN kr_edu.enrolments b ON a.student_id = b.student_id WHERE t1.math > 3",
	"SELECT COUNT(*) AS n FROM kr_edu.students a JOIN kr_edu.enrolments b ON a.student_id = b.student_id WHERE \"t1.math\" > 3",
	"SELECT COUNT(*) AS n FROM (SELECT s FROM kr_edu.students s) t",
	"SELECT COUNT(*) AS n FROM (SELECT s.*::text FROM kr_edu.students s) t",
	"SELECT COUNT(*) AS n FROM (COPY kr_edu.students TO '/tmp/x') t",
}

func TestIdentities(t *testing.T) {
	c := world(t)
	for _, sql := range identities {
		refused(t, c, sql)
	}
}

// Every key word can name a column of a sub-query, of a join and of a union, and an alias.
func TestKeywordsInRelations(t *testing.T) {
	for w := range strings.FieldsSeq(keywords) {
		c := shelf{
			w + "." + w: {UnitSpace: "a/b", MaxRowsPerUnit: 3, Columns: []datasets.Column{
				{Name: "id", Type: datasets.String, Role: datasets.PrivacyID}, {Name: w, Type: datasets.String, Role: datasets.Key, Nullable: true},
			}},
			"a." + w: {Public: true, Unique: []string{w}, Columns: []datasets.Column{{Name: w, Type: datasets.String, Role: datasets.Key}}},
		}
		for _, sql := range []string{
			"SELECT #, COUNT(DISTINCT id) AS n FROM (SELECT id, LOWER(#) AS # FROM #.#) AS # GROUP BY # ORDER BY COUNT(*), #.#",
			"SELECT COUNT(*) AS n FROM (SELECT id AS #, MAX(#) AS x FROM #.# GROUP BY id HAVING MIN(#) > 'a') # WHERE #.x <> 'b'",
			"SELECT #.#, COUNT(*) AS n FROM #.# AS # JOIN (SELECT id, # FROM #.# WHERE # > 'a') AS y ON #.id = y.id AND #.# = y.# LEFT JOIN a.# z ON z.# = #.# GROUP BY #.# ORDER BY #.#",
			"SELECT COUNT(*) AS n FROM (SELECT id, # FROM #.# UNION ALL SELECT id, 'c' FROM #.#) t GROUP BY # ORDER BY t.#",
		} {
			p, err := New(strings.ReplaceAll(sql, "#", `"`+w+`"`), c, Bounds{})
			if err != nil {
				t.Fatalf("%s: %s\n%v", w, sql, err)
			}
			checkRoundTrip(t, c, p)
		}
	}
}

// Deep and wide FROM clauses are refused or planned quickly.
func TestDeepRelations(t *testing.T) {
	c := world(t)
	chain := func(n int, step string) string {
		var b strings.Builder
		b.WriteString("WITH w0 AS (SELECT student_id, math FROM kr_edu.students)")
		for i := range n {
			fmt.Fprintf(&b, ", w%d AS (%s)", i+1, strings.ReplaceAll(step, "#", fmt.Sprint(i)))
		}
		return b.String() + fmt.Sprintf(" SELECT COUNT(*) AS n FROM w%d", n)
	}
	nest := func(n int) string {
		return "SELECT COUNT(*) AS n FROM " + strings.Repeat("(SELECT math + 1 AS math FROM ", n) + "kr_edu.students" + strings.Repeat(") t", n)
	}
	for _, test := range []struct {
		sql     string
		planned bool
	}{
		{nest(MaxNesting), true}, {nest(MaxNesting + 1), false}, {nest(400), false},
		{chain(7, "SELECT student_id, math + 1 AS math FROM w#"), true},
		{chain(100, "SELECT student_id, math + 1 AS math FROM w#"), false},
		{chain(60, "SELECT student_id, math FROM w# UNION ALL SELECT student_id, math FROM w#"), false},
		{chain(60, "SELECT a.student_id, a.math FROM w# a JOIN w# b USING (student_id)"), false},
		{"SELECT COUNT(*) AS n FROM (SELECT math FROM kr_edu.students" + strings.Repeat(" UNION ALL SELECT math FROM kr_edu.students", MaxScans-1) + ") t", true},
		{"SELECT COUNT(*) AS n FROM (SELECT math FROM kr_edu.students" + strings.Repeat(" UNION ALL SELECT math FROM kr_edu.students", 300) + ") t", false},
		{"SELECT COUNT(*) AS n FROM " + strings.Repeat("(", 500) + "SELECT math FROM kr_edu.students" + strings.Repeat(")", 500) + " t", true},
		{"SELECT COUNT(*) AS n FROM (SELECT " + strings.Repeat("math + 1 AS m,", 10) + "1 AS k FROM kr_edu.students) t", false},
	} {
		start := time.Now()
		p, err := New(test.sql, c, Bounds{})
		if took := time.Since(start); took > 5*time.Second {
			t.Errorf("%.80s… takes %v", test.sql, took)
		}
		if (err == nil) != test.planned {
			t.Errorf("%.80s…: %v", test.sql, err)
		}
		if err == nil {
			checkRoundTrip(t, c, p)
		}
	}
	// A unit has up to 3 rows in students: 12 times 3 are 531,441 together, and 13 times more than MaxRows.
	joins := "SELECT COUNT(*) AS n FROM kr_edu.students t0"
	for i := range 11 {
		joins += fmt.Sprintf(" JOIN kr_edu.students t%d ON t0.student_id = t%d.student_id", i+1, i+1)
	}
	p, err := New(joins, c, Bounds{})
	if err != nil || p.parts.From.MaxRank != 531_441 {
		t.Errorf("%v", err)
	}
	refused(t, c, joins+" JOIN kr_edu.students u ON t0.student_id = u.student_id")
}
