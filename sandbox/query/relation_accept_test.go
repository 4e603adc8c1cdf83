package query

import (
	"strings"
	"testing"
)

// relationsAccepted lists questions over relations with their canonical text; "" when it is the question
// itself. SELECT COUNT(*) AS n stands before those that begin with FROM.
var relationsAccepted = []struct{ sql, canonical string }{
	// one dataset
	{"FROM (SELECT * FROM kr_edu.students)", "FROM kr_edu.students"},
	{"FROM (SELECT * FROM kr_edu.students) AS s WHERE s.math > 5", "FROM kr_edu.students WHERE math > 5"},
	{"WITH s AS (SELECT student_id, math FROM kr_edu.students) SELECT AVG(math) AS a, COUNT(DISTINCT student_id) AS u FROM s", "SELECT AVG(math) AS a, COUNT(DISTINCT student_id) AS u FROM kr_edu.students"},
	{"SELECT course, COUNT(*) AS n FROM (WITH z AS (SELECT student_id, course FROM kr_edu.enrolments) SELECT course FROM z) t GROUP BY course", "SELECT course, COUNT(*) AS n FROM kr_edu.enrolments GROUP BY course"},
	// per row
	{"SELECT AVG(m) AS a FROM (SELECT math AS m FROM kr_edu.students WHERE gender = 'male') AS t1", ""},
	{"SELECT AVG(m) AS a FROM (SELECT math + reading AS m, balance, grade + 1 AS g FROM kr_edu.students) t WHERE balance > 5", "SELECT AVG(m) AS a FROM (SELECT balance, math + reading AS m FROM kr_edu.students) AS t1 WHERE balance > 5"},
	{"SELECT COUNT(DISTINCT p) AS u FROM (SELECT student_id AS p, math AS m FROM kr_edu.students) t WHERE t.m > 3", "SELECT COUNT(DISTINCT p) AS u FROM (SELECT student_id AS p, math AS m FROM kr_edu.students) AS t1 WHERE m > 3"},
	{"FROM (SELECT math AS m FROM kr_edu.students WHERE gender = 'male') t", "FROM (SELECT 1 AS one FROM kr_edu.students WHERE gender = 'male') AS t1"},
	{"SELECT \"select\", COUNT(*) AS n FROM (SELECT \"order\" AS \"select\" FROM kr_edu.students) AS t1 GROUP BY \"select\"", ""},
	{"SELECT COUNT(*) AS n FROM (SELECT LOWER(country) AS k FROM kr_edu.students) t GROUP BY k ORDER BY k", "SELECT COUNT(*) AS n FROM (SELECT LOWER(country) AS k FROM kr_edu.students) AS t1 GROUP BY k ORDER BY t1.k"},
	// per unit
	{"SELECT n, COUNT(*) AS students FROM (SELECT COUNT(*) AS n FROM kr_edu.enrolments GROUP BY student_id) AS t1 GROUP BY n", ""},
	{"SELECT AVG(f) AS a FROM (SELECT student_id, FIRST(score ORDER BY began DESC, year) AS f, LAST(score ORDER BY began) AS l FROM kr_edu.enrolments GROUP BY student_id) t", "SELECT AVG(f) AS a FROM (SELECT FIRST(score ORDER BY began DESC, year) AS f FROM kr_edu.enrolments GROUP BY student_id) AS t1"},
	{"SELECT AVG(f) AS a FROM (SELECT student_id, (ARRAY_AGG(score ORDER BY began))[1] AS f FROM kr_edu.enrolments GROUP BY 1) t", "SELECT AVG(f) AS a FROM (SELECT FIRST(score ORDER BY began) AS f FROM kr_edu.enrolments GROUP BY student_id) AS t1"},
	{"FROM (SELECT student_id, BOOL_OR(passed) AS a, BOOL_AND(passed) AS b, EVERY(passed) AS c FROM kr_edu.enrolments GROUP BY student_id) t WHERE a AND b AND c", "FROM (SELECT a, b, b AS c FROM (SELECT BOOL_OR(passed) AS a, BOOL_AND(passed) AS b FROM kr_edu.enrolments GROUP BY student_id) AS t1) AS t1 WHERE a AND b AND c"},
	{"FROM (SELECT student_id, COUNT(*) FILTER (WHERE score > 50) AS a, SUM(credits) FILTER (WHERE passed) AS b FROM kr_edu.enrolments GROUP BY student_id) t WHERE a > 1 AND b > 1",
		"FROM (SELECT COUNT(CASE WHEN score > 50 THEN TRUE END) AS a, SUM(CASE WHEN passed THEN credits END) AS b FROM kr_edu.enrolments GROUP BY student_id) AS t1 WHERE a > 1 AND b > 1"},
	{"FROM (SELECT student_id, COUNT(DISTINCT course) AS k, COUNT(room) AS r, COUNT(course) AS c, COUNT(1) AS d FROM kr_edu.enrolments GROUP BY student_id) t WHERE k + r + c + d > 4",
		"FROM (SELECT c, c AS d, k, r FROM (SELECT COUNT(*) AS c, COUNT(DISTINCT course) AS k, COUNT(room) AS r FROM kr_edu.enrolments GROUP BY student_id) AS t1) AS t1 WHERE k + r + c + d > 4"},
	{"SELECT AVG(CLAMP(rate, 0, 60)) AS a FROM (SELECT student_id, SUM(credits) / COUNT(*) AS rate FROM kr_edu.enrolments GROUP BY student_id HAVING COUNT(*) > 2) t",
		"SELECT AVG(CLAMP(rate, 0, 60)) AS a FROM (SELECT f1 / f2 AS rate FROM (SELECT SUM(credits) AS f1, COUNT(*) AS f2 FROM kr_edu.enrolments GROUP BY student_id) AS t1 WHERE f2 > 2) AS t1"},
	{"SELECT gender, COUNT(*) AS n FROM (SELECT student_id, gender, COUNT(*) - 1 AS k FROM kr_edu.students GROUP BY student_id, gender HAVING k > 0) t GROUP BY gender",
		"SELECT gender, COUNT(*) AS n FROM (SELECT gender FROM (SELECT gender, COUNT(*) AS f1 FROM kr_edu.students GROUP BY student_id, gender) AS t1 WHERE f1 - 1 > 0) AS t1 GROUP BY gender"},
	{"FROM (SELECT student_id, EXTRACT(YEAR FROM born) AS y, MIN(year) AS m FROM (SELECT s.student_id, s.born, s.gender, e.year FROM kr_edu.students s JOIN kr_edu.enrolments e USING (student_id)) j GROUP BY student_id, y, gender) t WHERE y > 2000",
		"FROM (SELECT EXTRACT(YEAR FROM born) AS y FROM (SELECT t1.student_id AS student_id, t1.born AS born, t1.gender AS gender FROM kr_edu.students AS t1 JOIN kr_edu.enrolments AS t2 ON t1.student_id = t2.student_id) AS t1 GROUP BY student_id, EXTRACT(YEAR FROM born), gender) AS t1 WHERE y > 2000"},
	{"FROM (SELECT student_id, MAX(year) AS g1 FROM kr_edu.enrolments GROUP BY student_id, EXTRACT(MONTH FROM began), course) t WHERE g1 > 2020", "FROM (SELECT MAX(year) AS g1 FROM kr_edu.enrolments GROUP BY student_id, EXTRACT(MONTH FROM began), course) AS t1 WHERE g1 > 2020"},
	{"FROM (SELECT DISTINCT student_id, course FROM kr_edu.enrolments) t", "FROM (SELECT 1 AS one FROM kr_edu.enrolments GROUP BY student_id, course) AS t1"},
	{"SELECT course, COUNT(*) AS n FROM (SELECT DISTINCT e.* FROM kr_edu.enrolments e) t GROUP BY course", "SELECT course, COUNT(*) AS n FROM (SELECT course FROM kr_edu.enrolments GROUP BY student_id, course, began, credits, passed, region, room, score, seen, year) AS t1 GROUP BY course"},
	{"FROM (SELECT student_id, gender AS country, country AS gender FROM kr_edu.students GROUP BY 1, 2, 3) t WHERE gender = 'x'", "FROM (SELECT country AS gender FROM kr_edu.students GROUP BY student_id, country, gender) AS t1 WHERE gender = 'x'"},
	{"SELECT COUNT(DISTINCT student_id) AS u FROM (SELECT student_id FROM kr_edu.students GROUP BY student_id) AS t1", ""},
	// joins
	{"SELECT s.gender, AVG(e.score) AS a, COUNT(DISTINCT e.student_id) AS u FROM kr_edu.students s INNER JOIN kr_edu.enrolments e ON e.student_id = s.student_id GROUP BY s.gender",
		"SELECT t1.gender AS gender, AVG(t2.score) AS a, COUNT(DISTINCT t1.student_id) AS u FROM kr_edu.students AS t1 JOIN kr_edu.enrolments AS t2 ON t1.student_id = t2.student_id GROUP BY t1.gender"},
	{"SELECT gender, AVG(score) AS a, COUNT(DISTINCT student_id) AS u FROM kr_edu.students LEFT JOIN kr_edu.enrolments USING (student_id) GROUP BY gender ORDER BY COUNT(*)",
		"SELECT t1.gender AS gender, AVG(t2.score) AS a, COUNT(DISTINCT t1.student_id) AS u FROM kr_edu.students AS t1 LEFT JOIN kr_edu.enrolments AS t2 ON t1.student_id = t2.student_id GROUP BY t1.gender ORDER BY COUNT(*)"},
	{"SELECT r.name, COUNT(*) AS n FROM kr_edu.enrolments JOIN pub.regions r ON r.code = region GROUP BY r.name", "SELECT t2.name AS name, COUNT(*) AS n FROM kr_edu.enrolments AS t1 JOIN pub.regions AS t2 ON t1.region = t2.code GROUP BY t2.name"},
	{"SELECT level, SUM(fee) AS f FROM kr_edu.enrolments LEFT JOIN pub.offers USING (year, course) GROUP BY level",
		"SELECT t2.level AS level, SUM(t2.fee) AS f FROM kr_edu.enrolments AS t1 LEFT JOIN pub.offers AS t2 ON t1.course = t2.course AND t1.year = t2.year GROUP BY t2.level"},
	{"WITH r AS (SELECT code, name FROM pub.regions) SELECT name, COUNT(*) AS n FROM kr_edu.enrolments e JOIN r ON e.region = r.code GROUP BY name", "SELECT t2.name AS name, COUNT(*) AS n FROM kr_edu.enrolments AS t1 JOIN pub.regions AS t2 ON t1.region = t2.code GROUP BY t2.name"},
	{"SELECT a.\"order\", COUNT(*) AS n FROM kr_edu.students a JOIN kr_edu.students b ON a.student_id = b.student_id AND b.gender = a.country AND a.math = b.math GROUP BY a.\"order\" HAVING a.\"order\" <> 'x'",
		"SELECT t1.\"order\" AS \"order\", COUNT(*) AS n FROM kr_edu.students AS t1 JOIN kr_edu.students AS t2 ON t1.student_id = t2.student_id AND t1.country = t2.gender AND t1.math = t2.math GROUP BY t1.\"order\" HAVING t1.\"order\" <> 'x'"},
	{"FROM kr_edu.students a JOIN kr_edu.enrolments b USING (student_id) JOIN kr_edu.enrolments c USING (student_id, course) JOIN pub.regions d ON c.region = d.code WHERE coastal",
		"FROM kr_edu.students AS t1 JOIN kr_edu.enrolments AS t2 ON t1.student_id = t2.student_id JOIN kr_edu.enrolments AS t3 ON t1.student_id = t3.student_id AND t2.course = t3.course JOIN pub.regions AS t4 ON t3.region = t4.code WHERE t4.coastal"},
	{"SELECT AVG(n) AS a FROM (SELECT student_id, COUNT(*) AS n FROM kr_edu.enrolments GROUP BY student_id) x JOIN (SELECT student_id FROM kr_edu.students WHERE gender = 'male') y USING (student_id)",
		"SELECT AVG(t1.n) AS a FROM (SELECT student_id, COUNT(*) AS n FROM kr_edu.enrolments GROUP BY student_id) AS t1 JOIN (SELECT student_id FROM kr_edu.students WHERE gender = 'male') AS t2 ON t1.student_id = t2.student_id"},
	{"FROM (SELECT a.math FROM kr_edu.students a JOIN kr_edu.enrolments b ON a.student_id = b.student_id) x", "FROM (SELECT 1 AS one FROM kr_edu.students AS t1 JOIN kr_edu.enrolments AS t2 ON t1.student_id = t2.student_id) AS t1"},
	{"FROM (SELECT student_id, EXTRACT(YEAR FROM born) AS y FROM kr_edu.students) a JOIN (SELECT student_id, EXTRACT(YEAR FROM began) AS y FROM kr_edu.enrolments) b USING (student_id, y)",
		"FROM (SELECT student_id, EXTRACT(YEAR FROM born) AS y FROM kr_edu.students) AS t1 JOIN (SELECT student_id, EXTRACT(YEAR FROM began) AS y FROM kr_edu.enrolments) AS t2 ON t1.student_id = t2.student_id AND t1.y = t2.y"},
	// unions
	{"SELECT sex, COUNT(*) AS n, AVG(m) AS a FROM (SELECT student_id, gender AS sex, math AS m FROM kr_edu.students UNION ALL SELECT pupil, sex, maths FROM gb_edu.pupils) u GROUP BY sex",
		"SELECT sex, COUNT(*) AS n, AVG(m) AS a FROM (SELECT math AS m, gender AS sex FROM kr_edu.students UNION ALL SELECT maths AS m, sex FROM gb_edu.pupils) AS t1 GROUP BY sex"},
	{"SELECT land, COUNT(DISTINCT id) AS n, AVG(m) AS a FROM (SELECT student_id AS id, 'KR' AS land, reading AS m FROM kr_edu.students UNION ALL SELECT pupil, 'GB', maths FROM gb_edu.pupils) u GROUP BY land",
		"SELECT land, COUNT(DISTINCT id) AS n, AVG(m) AS a FROM (SELECT student_id AS id, 'KR' AS land, COALESCE(reading) AS m FROM kr_edu.students UNION ALL SELECT pupil AS id, 'GB' AS land, COALESCE(maths) AS m FROM gb_edu.pupils) AS t1 GROUP BY land"},
	{"SELECT AVG(h) AS a, COUNT(w) AS b, COUNT(s) AS c, COUNT(i) AS d FROM (SELECT NULL AS h, NULL AS w, NULL AS s, NULL AS i FROM kr_edu.students UNION ALL SELECT points, born, sex, house FROM gb_edu.pupils) u",
		"SELECT AVG(h) AS a, COUNT(w) AS b, COUNT(s) AS c, COUNT(i) AS d FROM (SELECT CASE WHEN FALSE THEN 0 END AS h, NULL AS i, CASE WHEN FALSE THEN '' END AS s, CASE WHEN FALSE THEN DATE '2000-01-01' END AS w FROM kr_edu.students UNION ALL SELECT COALESCE(points) AS h, house AS i, sex AS s, born AS w FROM gb_edu.pupils) AS t1"},
	{"SELECT SUM(m) AS s FROM (SELECT math AS m FROM kr_edu.students UNION ALL (SELECT score FROM kr_edu.enrolments UNION ALL SELECT year FROM kr_edu.enrolments)) x",
		"SELECT SUM(m) AS s FROM (SELECT COALESCE(math) AS m FROM kr_edu.students UNION ALL SELECT COALESCE(score) AS m FROM kr_edu.enrolments UNION ALL SELECT year AS m FROM kr_edu.enrolments) AS t1"},
	{"FROM (SELECT math FROM kr_edu.students UNION ALL SELECT score FROM kr_edu.enrolments) x", "FROM (SELECT 1 AS one FROM kr_edu.students UNION ALL SELECT 1 AS one FROM kr_edu.enrolments) AS t1"},
	{"SELECT COUNT(*) AS n, COUNT(DISTINCT id) AS m FROM (SELECT student_id AS id, course AS c, COUNT(*) AS k FROM kr_edu.enrolments GROUP BY student_id, c UNION ALL SELECT pupil, sex, COUNT(*) FROM gb_edu.pupils GROUP BY pupil, sex) t WHERE k > 1",
		"SELECT COUNT(*) AS n, COUNT(DISTINCT id) AS m FROM (SELECT student_id AS id, COUNT(*) AS k FROM kr_edu.enrolments GROUP BY student_id, course UNION ALL SELECT pupil AS id, k FROM (SELECT pupil, COUNT(*) AS k FROM gb_edu.pupils GROUP BY pupil, sex) AS t1) AS t1 WHERE k > 1"},
	{"SELECT COUNT(DISTINCT student_id) AS u FROM (SELECT * FROM (SELECT student_id, math FROM kr_edu.students UNION ALL SELECT student_id, reading FROM kr_edu.students) a UNION ALL SELECT student_id, balance FROM kr_edu.students) t",
		"SELECT COUNT(DISTINCT student_id) AS u FROM (SELECT student_id FROM (SELECT student_id FROM kr_edu.students UNION ALL SELECT student_id FROM kr_edu.students) AS t1 UNION ALL SELECT student_id FROM kr_edu.students) AS t1"},
	{"FROM (WITH a AS (SELECT math FROM kr_edu.students), b AS (SELECT math FROM a) SELECT math FROM a UNION ALL (WITH c AS (SELECT reading FROM kr_edu.students) SELECT math FROM b UNION ALL SELECT reading FROM c)) t WHERE math > 3",
		"FROM (SELECT COALESCE(math) AS math FROM kr_edu.students UNION ALL SELECT COALESCE(math) AS math FROM kr_edu.students UNION ALL SELECT COALESCE(reading) AS math FROM kr_edu.students) AS t1 WHERE math > 3"},
	{"SELECT big, COUNT(*) AS n FROM (SELECT id, COUNT(*) > 3 AS big FROM (SELECT student_id AS id FROM kr_edu.students UNION ALL SELECT pupil FROM gb_edu.pupils) u GROUP BY id) t GROUP BY big",
		"SELECT big, COUNT(*) AS n FROM (SELECT f1 > 3 AS big FROM (SELECT COUNT(*) AS f1 FROM (SELECT student_id AS id FROM kr_edu.students UNION ALL SELECT pupil AS id FROM gb_edu.pupils) AS t1 GROUP BY id) AS t1) AS t1 GROUP BY big"},
}

func TestRelationsAccepted(t *testing.T) {
	c := world(t)
	whole := func(sql string) string {
		if strings.HasPrefix(sql, "FROM") {
			return "SELECT COUNT(*) AS n " + sql
		}
		return sql
	}
	for _, test := range relationsAccepted {
		p, err := New(whole(test.sql), c, Bounds{})
		if err != nil {
			t.Errorf("%s\n%v", test.sql, err)
			continue
		}
		want := whole(test.canonical)
		if want == "" {
			want = whole(test.sql)
		}
		if got := p.Canonical(); got != want {
			t.Errorf("%s\n got %s\nwant %s", test.sql, got, want)
		}
		checkRoundTrip(t, c, p)
	}
}
