package query

import (
	"strings"
	"testing"
)

// escape is a reason and texts that must be refused for it: it is part of the message.
type escape struct {
	reason string
	texts  []string
}

// outsiders are attempts to reach files, settings, functions, statements and randomness by way of the whole grammar.
var outsiders = []escape{
	{"a function in FROM is not supported", []string{
		`SELECT COUNT(*) AS n FROM (SELECT * FROM read_csv('/etc/passwd')) t`,
		`WITH f AS (SELECT * FROM read_parquet('x.parquet')) SELECT COUNT(*) AS n FROM f`,
		`SELECT COUNT(*) AS n FROM kr_edu.students s JOIN read_csv('/etc/passwd') f ON s.gender = f.column0`,
		`SELECT COUNT(*) AS n FROM (SELECT gender FROM kr_edu.students UNION ALL SELECT content FROM read_text('/etc/passwd')) t`,
		`SELECT COUNT(*) AS n FROM kr_edu.students s JOIN query('SELECT 1') q ON s.grade = q.a`,
		`SELECT COUNT(*) AS n FROM kr_edu.students s JOIN query_table('students') q ON s.grade = q.a`,
		`SELECT COUNT(*) AS n FROM ROWS FROM (generate_series(1, 2)) AS g`,
		`SELECT COUNT(*) AS n FROM JSON_TABLE('[1]', '$[*]' COLUMNS (a int PATH '$')) AS j`,
	}},
	{"syntax error", []string{
		`SELECT COUNT(*) AS n FROM kr_edu.students s JOIN '/etc/passwd' f ON s.gender = f.column0`,
		`SELECT COUNT(*) AS n FROM (PRAGMA database_list) t`,
		`SELECT COUNT(*) AS n FROM (EXPLAIN SELECT math FROM kr_edu.students) t`,
		`SELECT COUNT(*) AS n FROM (COPY kr_edu.students TO '/tmp/x') t`,
		`SELECT COUNT(*) AS n FROM (INSTALL httpfs) t`,
		`SELECT COUNT(*) AS n FROM (SELECT math FROM kr_edu.students; DROP TABLE x) t`,
		`WITH w AS (SELECT math FROM kr_edu.students) SELECT COUNT(*) AS n FROM w; ATTACH 'x.db'`,
		`WITH w AS (SET memory_limit = '1TB') SELECT COUNT(*) AS n FROM kr_edu.students`,
		`SELECT COUNT(*) AS n FROM (SELECT math FROM kr_edu.students /* ) t; DROP TABLE x */`,
		`SELECT COUNT(*) AS n FROM (SELECT math FROM kr_edu.students -- ) t`,
		`SELECT COUNT(*) AS n FROM kr_edu.students WHERE gender = :name`,
	}},
	{"a dataset is named org.dataset", []string{
		`SELECT COUNT(*) AS n FROM kr_edu.students s JOIN "students.parquet" f ON s.gender = f.gender`,
	}},
	{"the function", []string{
		`SELECT COUNT(*) AS n FROM (SELECT getenv('HOME') AS h FROM kr_edu.students) t`,
		`SELECT COUNT(*) AS n FROM (SELECT current_setting('data_directory') AS h FROM kr_edu.students) t`,
		`SELECT COUNT(*) AS n FROM (SELECT student_id, MAX(current_setting('x')) AS h FROM kr_edu.students GROUP BY student_id) t`,
		`SELECT COUNT(*) AS n FROM (SELECT stats(math) AS h FROM kr_edu.students) t`,
		`SELECT COUNT(*) AS n FROM (SELECT pg_sleep(10) AS h FROM kr_edu.students) t`,
		`SELECT COUNT(*) AS n FROM (SELECT generate_series(1, 1000000) AS x FROM kr_edu.students) t`,
		`SELECT COUNT(*) AS n FROM (SELECT unnest(ARRAY[1, 2]) AS x FROM kr_edu.students) t`,
		`SELECT STRING_AGG(gender, ',') AS n FROM kr_edu.students`,
		`SELECT JSON_AGG(s) AS n FROM kr_edu.students s`,
		`SELECT JSON_OBJECT_AGG(gender, math) AS n FROM kr_edu.students`,
		`SELECT ROW_TO_JSON(s) AS n FROM kr_edu.students s`,
		`SELECT XMLAGG(XMLELEMENT(NAME a, math)) AS n FROM kr_edu.students`,
		`SELECT BIT_OR(grade) AS n FROM kr_edu.students`,
		`SELECT SUM(math) AS n FROM kr_edu.students WHERE RANDOM() < 0.5`,
		`SELECT SUM(math) AS n FROM kr_edu.students WHERE seen < NOW()`,
	}},
	{"only SELECT is supported in WITH", []string{
		`WITH w AS (INSERT INTO kr_edu.students VALUES ('a') RETURNING *) SELECT COUNT(*) AS n FROM w`,
		`WITH w AS (UPDATE kr_edu.students SET math = 1 RETURNING math) SELECT COUNT(*) AS n FROM w`,
	}},
	{"INTO is not supported: nothing is written", []string{
		`WITH w AS (SELECT math INTO x FROM kr_edu.students) SELECT COUNT(*) AS n FROM w`,
		`SELECT COUNT(*) INTO x FROM kr_edu.students`,
	}},
	{"WITH RECURSIVE is not supported", []string{
		`WITH RECURSIVE w AS (SELECT math FROM kr_edu.students) SELECT COUNT(*) AS n FROM w`,
		`WITH w AS (WITH RECURSIVE v AS (SELECT math FROM kr_edu.students UNION ALL SELECT math FROM v) SELECT math FROM v) SELECT COUNT(*) AS n FROM w`,
		`WITH RECURSIVE w AS (SELECT math FROM kr_edu.students) SEARCH DEPTH FIRST BY math SET o SELECT COUNT(*) AS n FROM w`,
	}},
	{"FOR UPDATE and FOR SHARE are not supported", []string{
		`SELECT COUNT(*) AS n FROM (SELECT math FROM kr_edu.students FOR UPDATE) t`,
		`SELECT COUNT(*) AS n FROM kr_edu.students FOR SHARE`,
	}},
	{"TABLESAMPLE is not supported", []string{
		`SELECT COUNT(*) AS n FROM (SELECT math FROM kr_edu.students TABLESAMPLE BERNOULLI (1)) t`,
	}},
	{"LATERAL is not supported", []string{
		`SELECT COUNT(*) AS n FROM kr_edu.students s JOIN LATERAL (SELECT s.math AS m) l ON TRUE`,
	}},
	{"a sub-query outside FROM is not supported", []string{
		`SELECT COUNT(*) AS n FROM (SELECT (SELECT MAX(math) FROM kr_edu.students) AS m FROM kr_edu.enrolments) t`,
		`SELECT COUNT(*) AS n FROM kr_edu.students s WHERE math > ANY (SELECT score FROM kr_edu.enrolments)`,
		`SELECT COUNT(*) AS n FROM kr_edu.students s WHERE student_id NOT IN (SELECT student_id FROM kr_edu.enrolments)`,
		`SELECT COUNT(*) AS n FROM kr_edu.students s WHERE NOT EXISTS (SELECT 1 FROM kr_edu.enrolments e WHERE e.student_id = s.student_id AND e.score > 99)`,
		`SELECT COUNT(*) FILTER (WHERE EXISTS (SELECT 1 FROM kr_edu.enrolments)) AS n FROM kr_edu.students`,
		`SELECT COUNT(*) AS n FROM kr_edu.students HAVING COUNT(*) > (SELECT COUNT(*) FROM gb_shop.orders)`,
		`SELECT COUNT(*) AS n FROM kr_edu.students GROUP BY (SELECT MAX(math) FROM kr_edu.students)`,
		`SELECT SUM(CLAMP(school, (SELECT MIN(school) FROM kr_edu.students), 5)) AS n FROM kr_edu.students`,
	}},
	{"ANY and ALL are not supported", []string{
		`SELECT COUNT(*) AS n FROM kr_edu.students WHERE math > ALL (ARRAY[1, 2])`,
	}},
	{"count takes one argument", []string{
		`SELECT COUNT(DISTINCT student_id, gender) AS n FROM kr_edu.students`,
	}},
	{"the argument of PERCENTILE_CONT is not a constant from 0 to 1", []string{
		`SELECT PERCENTILE_CONT(math / 1000) WITHIN GROUP (ORDER BY reading) AS n FROM kr_edu.students`,
	}},
	{"an array is not supported", []string{
		`SELECT PERCENTILE_CONT(ARRAY[0.1, 0.9]) WITHIN GROUP (ORDER BY reading) AS n FROM kr_edu.students`,
		`SELECT COUNT(*) AS n FROM (SELECT math FROM kr_edu.students) t WHERE (t).math > 1`,
	}},
	{"this expression is not supported", []string{
		`SELECT JSON_ARRAYAGG(math) AS n FROM kr_edu.students`,
	}},
	{"the name \"", []string{
		`SELECT COUNT(*) AS n FROM (SELECT _ord FROM kr_edu.students) t`,
		`SELECT COUNT(*) AS n FROM (SELECT "math) FROM x; --" FROM kr_edu.students) t`,
		`SELECT COUNT(*) AS "n""; DROP TABLE x; --" FROM kr_edu.students`,
		`SELECT COUNT(*) AS n FROM (SELECT math AS "a.b" FROM kr_edu.students) t`,
		`SELECT COUNT(*) AS n FROM (SELECT math AS "_unit" FROM kr_edu.students) t`,
		`SELECT COUNT(*) AS n FROM (SELECT math AS "t1.math" FROM kr_edu.students) t`,
		`SELECT COUNT(*) AS n FROM (SELECT math AS "M" FROM kr_edu.students) t`,
	}},
	{"invalid", []string{
		`SELECT COUNT(*) AS n FROM (SELECT math AS U&"\0000" FROM kr_edu.students) t`,
		`SELECT COUNT(*) AS n FROM (SELECT gender FROM kr_edu.students WHERE gender = U&'\DC00') t`,
		`SELECT COUNT(*) AS n FROM (SELECT gender FROM kr_edu.students WHERE gender = E'\xed\xa0\x80') t`,
	}},
	{"unterminated dollar-quoted string", []string{
		`SELECT COUNT(*) AS n FROM (SELECT gender FROM kr_edu.students WHERE gender = $x$a$y$) t`,
	}},
	{"this LIMIT is not supported", []string{
		`SELECT gender, COUNT(*) AS n FROM kr_edu.students GROUP BY gender LIMIT (SELECT MAX(absences) FROM kr_edu.students)`,
	}},
	{"this OFFSET is not supported", []string{
		`SELECT gender, COUNT(*) AS n FROM kr_edu.students GROUP BY gender OFFSET (SELECT MAX(absences) FROM kr_edu.students)`,
	}},
	{"ORDER BY in a sub-query is not supported", []string{
		`SELECT COUNT(*) AS n FROM (SELECT student_id, COUNT(*) AS k FROM kr_edu.students GROUP BY student_id ORDER BY k DESC LIMIT 1) t`,
	}},
	{"column names in FROM are not supported", []string{
		`SELECT COUNT(*) AS n FROM (VALUES (1), (2)) t (x)`,
		`SELECT COUNT(*) AS n FROM kr_edu.students AS s (a, b, c)`,
	}},
	{"ONLY is not supported", []string{
		`SELECT COUNT(*) AS n FROM ONLY kr_edu.students`,
	}},
	{"the bounds of CLAMP are not both constants", []string{
		`SELECT SUM(CLAMP(school, grade, 12)) AS n FROM kr_edu.students`,
	}},
	{"'NaN' is not a number", []string{
		`SELECT SUM(CLAMP(school, 0, 'NaN'::float8)) AS n FROM kr_edu.students`,
	}},
	{"the number 1e400 is not supported", []string{
		`SELECT SUM(CLAMP(school, 0, 1e400)) AS n FROM kr_edu.students`,
	}},
	{"the lower bound of CLAMP is not below its upper bound", []string{
		`SELECT SUM(CLAMP(school, 5, 1)) AS n FROM kr_edu.students`,
	}},
	{"the current date, time or user is not supported", []string{
		`SELECT SUM(math) AS n FROM kr_edu.students WHERE born < CURRENT_DATE`,
		`SELECT SUM(math) AS n FROM kr_edu.students WHERE gender = CURRENT_USER`,
	}},
	{"a threshold of WIDTH_BUCKET is not a constant number", []string{
		`SELECT WIDTH_BUCKET(math, ARRAY[0, reading]) AS b, COUNT(*) AS n FROM kr_edu.students GROUP BY 1`,
	}},
	{"the number of buckets is not a constant from 1 to 999", []string{
		`SELECT WIDTH_BUCKET(math, 0, 1000, 1000000) AS b, COUNT(*) AS n FROM kr_edu.students GROUP BY 1`,
	}},
	{"DATE_TRUNC to", []string{
		`SELECT DATE_TRUNC(gender, born) AS b, COUNT(*) AS n FROM kr_edu.students GROUP BY 1`,
	}},
	{"an interval is supported beside + and - of a date or timestamp only", []string{
		`SELECT COUNT(*) AS n FROM kr_edu.students WHERE born + INTERVAL '1 day' * absences > '2020-01-01'`,
	}},
	{"the pattern of LIKE is not a text constant", []string{
		`SELECT COUNT(*) AS n FROM kr_edu.students WHERE gender LIKE country`,
	}},
	{"SIMILAR TO is not supported", []string{
		`SELECT COUNT(*) AS n FROM kr_edu.students WHERE gender SIMILAR TO '(a+)+'`,
	}},
	{"a parameter ($1) is not supported", []string{
		`SELECT COUNT(*) AS n FROM kr_edu.students WHERE gender = $1`,
	}},
	{"operators of a schema are not supported", []string{
		`SELECT COUNT(*) AS n FROM kr_edu.students WHERE math OPERATOR(pg_catalog.+) 1 > 2`,
	}},
	{"functions of a schema are not supported", []string{
		`SELECT pg_catalog.count(*) AS n FROM kr_edu.students`,
	}},
	{"VARIADIC is not supported", []string{
		`SELECT COUNT(VARIADIC ARRAY[math]) AS n FROM kr_edu.students`,
	}},
}

// Each is refused, and told why.
func TestOutsiders(t *testing.T) { refuseAll(t, outsiders) }

func refuseAll(t *testing.T, list []escape) {
	t.Helper()
	c, n := world(t), 0
	for _, e := range list {
		for _, sql := range e.texts {
			if got := refused(t, c, sql); !strings.Contains(got.Message, e.reason) || got.NotFound {
				t.Errorf("%s\n is refused because %q, want %q", sql, got.Message, e.reason)
			}
			n++
		}
	}
	if n < 60 {
		t.Errorf("only %d texts", n)
	}
}
