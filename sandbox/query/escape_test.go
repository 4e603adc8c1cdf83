package query

import (
	"fmt"
	"strings"
	"testing"
)

// escapes lists attempts to reach files, settings, other tables, other statements or rows.
var escapes = []string{
	"SELECT * FROM read_csv('/etc/passwd')",
	"SELECT COUNT(*) FROM read_parquet('../kr_edu/students.parquet')",
	"SELECT COUNT(*) FROM '/etc/passwd'",
	"SELECT COUNT(*) FROM \"/etc/passwd\"",
	"SELECT COUNT(*) FROM kr_edu.\"students.parquet\"",
	"SELECT COUNT(*) FROM \"..\".\"students\"",
	"SELECT COUNT(*) FROM glob('*')",
	"SELECT COUNT(*) FROM query('SELECT 1')",
	"SELECT COUNT(*) FROM query_table('students')",
	"SELECT COUNT(*) FROM duckdb_settings()",
	"SELECT COUNT(*) FROM pragma_table_info('students')",
	"SELECT COUNT(*) FROM sqlite_master",
	"SELECT COUNT(*) FROM pg_catalog.pg_tables",
	"SELECT COUNT(*) FROM information_schema.columns",
	"SELECT COUNT(*) FROM main.students",
	"SELECT COUNT(*) FROM temp.students",
	"SELECT COUNT(*) FROM system.information_schema.tables",
	"SELECT getenv('HOME') FROM kr_edu.students",
	"SELECT COUNT(*) FROM kr_edu.students WHERE getenv('HOME') = 'x'",
	"SELECT COUNT(*) FROM kr_edu.students WHERE gender = current_setting('data_directory')",
	"SELECT COUNT(*) FROM kr_edu.students WHERE gender = pg_read_file('/etc/passwd')",
	"SELECT COUNT(*) FROM kr_edu.students WHERE gender = read_text('/etc/passwd')",
	"SELECT COUNT(*) FROM kr_edu.students WHERE pg_sleep(10) IS NULL",
	"SELECT COUNT(*) FROM kr_edu.students WHERE error(gender) = 'x'",
	"SELECT COUNT(*) FROM kr_edu.students WHERE CASE WHEN gender = 'x' THEN 1/0 ELSE 1 END = 1",
	"SELECT COUNT(*) FROM kr_edu.students WHERE CAST(gender AS bit) = 1",
	"SELECT COUNT(*) FROM kr_edu.students WHERE gender::bit = 1",
	"SELECT COUNT(*) FROM kr_edu.students WHERE repeat(gender, 1000000000) = 'x'",
	"SELECT COUNT(*) FROM kr_edu.students WHERE lpad(gender, 1000000000, 'x') = 'x'",
	"SELECT COUNT(*) FROM kr_edu.students WHERE gender || gender || gender = 'x'",
	"SELECT COUNT(*) FROM kr_edu.students WHERE regexp_matches(gender, '(a+)+$')",
	"SELECT COUNT(*) FROM kr_edu.students WHERE gender ~ '(a+)+$'",
	"SELECT COUNT(*) FROM kr_edu.students WHERE gender LIKE '%a%a%a%a%a%a%a%a%a%b'",
	"SELECT COUNT(*) FROM kr_edu.students WHERE gender LIKE '%a_%a_%a_%b'",
	"SELECT COUNT(*) FROM kr_edu.students WHERE nextval('s') = 1",
	"SELECT COUNT(*) FROM kr_edu.students WHERE txid_current() = 1",
	"SELECT version() FROM kr_edu.students",
	"SELECT current_user FROM kr_edu.students",
	"SELECT COUNT(*), pg_backend_pid() FROM kr_edu.students",
	"COPY kr_edu.students TO '/tmp/x'",
	"COPY (SELECT * FROM kr_edu.students) TO '/tmp/x'",
	"COPY kr_edu.students FROM PROGRAM 'id'",
	"ATTACH '/tmp/x.db' AS x",
	"DETACH kr_edu",
	"PRAGMA database_list",
	"PRAGMA enable_profiling",
	"SET memory_limit = '100GB'",
	"SET VARIABLE x = 1",
	"RESET ALL",
	"SHOW ALL",
	"INSTALL httpfs",
	"LOAD httpfs",
	"LOAD '/tmp/evil.so'",
	"CALL pragma_version()",
	"CREATE TABLE t AS SELECT * FROM kr_edu.students",
	"CREATE VIEW v AS SELECT 1",
	"CREATE FUNCTION f() RETURNS int AS 'x' LANGUAGE c",
	"DROP TABLE kr_edu.students",
	"ALTER TABLE kr_edu.students ADD COLUMN x int",
	"DELETE FROM kr_edu.students",
	"UPDATE kr_edu.students SET math = 1",
	"TRUNCATE kr_edu.students",
	"VACUUM",
	"CHECKPOINT",
	"EXPORT DATABASE '/tmp/x'",
	"DO $$ BEGIN END $$",
	"PREPARE q AS SELECT 1",
	"EXECUTE q",
	"EXPLAIN ANALYZE SELECT COUNT(*) FROM kr_edu.students",
	"BEGIN; SELECT COUNT(*) FROM kr_edu.students; COMMIT",
	"GRANT ALL ON kr_edu.students TO public",
	"LISTEN x",
	"TABLE kr_edu.students",
	"SELECT COUNT(*) FROM kr_edu.students; DROP TABLE kr_edu.students",
	"SELECT COUNT(*) FROM kr_edu.students;-- \n;COPY x TO '/tmp/x'",
	"SELECT COUNT(*) FROM kr_edu.students /* ; */ ; SELECT * FROM kr_edu.students",
	"SELECT/**/*/**/FROM/**/kr_edu.students",
	"SELECT COUNT(*) FROM kr_edu.students /* unfinished",
	"SELECT COUNT(*) FROM kr_edu.students WHERE gender = 'unfinished",
	"SELECT COUNT(*) FROM kr_edu.students WHERE gender = $$unfinished",
	"SELECT COUNT(*) FROM kr_edu.students WHERE gender = $a$x$b$",
	"SELECT COUNT(*) FROM kr_edu.students WHERE gender = E'\\000'",
	"SELECT COUNT(*) FROM kr_edu.students WHERE gender = E'\\xff'",
	"SELECT COUNT(*) FROM kr_edu.students WHERE gender = U&'\\0000'",
	"SELECT COUNT(*) FROM kr_edu.students WHERE gender = U&'\\D800'",
	"SELECT COUNT(*) FROM U&\"kr\\005fedu\\002e\".students",
	"SELECT U&\"m\\0061th\" FROM kr_edu.students",
	"SELECT U&\"n\\0061me\" FROM kr_edu.students",
	"SELECT \"_unit\" FROM kr_edu.students",
	"SELECT COUNT(*) FROM kr_edu.students WHERE _unit IS NOT NULL",
	"SELECT COUNT(*) FROM kr_edu.students WHERE _rank = 1",
	"SELECT COUNT(*) FROM kr_edu.students WHERE rowid = 1",
	"SELECT COUNT(*) FROM kr_edu.students WHERE students IS NULL",
	"SELECT COUNT(*) FROM kr_edu.students WHERE (students).math > 1",
	"SELECT COUNT(students) FROM kr_edu.students",
	"SELECT COUNT(*) FROM kr_edu.students WHERE student_id LIKE 'S%'",
	"SELECT COUNT(student_id) FROM kr_edu.students",
	"SELECT SUM(LENGTH(student_id)) FROM kr_edu.students",
	"SELECT student_id, COUNT(*) FROM kr_edu.students GROUP BY student_id",
	"SELECT COUNT(*) FROM kr_edu.students GROUP BY 1",
	"SELECT COUNT(*) FROM kr_edu.students ORDER BY student_id",
	"SELECT COUNT(*) FROM kr_edu.students HAVING MAX(gender) > 5",
	"SELECT math FROM kr_edu.students GROUP BY math",
	"SELECT gender, math FROM kr_edu.students GROUP BY gender",
	"SELECT gender FROM kr_edu.students",
	"SELECT COUNT(*) FROM kr_edu.students LIMIT (SELECT COUNT(*) FROM gb_shop.orders)",
	"SELECT COUNT(*) FROM kr_edu.students, LATERAL (SELECT 1) x",
	"SELECT COUNT(*) FROM kr_edu.students NATURAL JOIN gb_shop.orders",
	"SELECT COUNT(*) FROM XMLTABLE('/x' PASSING '<x/>' COLUMNS a int)",
	"SELECT COUNT(*) FROM kr_edu.students WHERE xmlparse(document '<x/>') IS NULL",
	"WITH RECURSIVE r AS (SELECT 1 UNION ALL SELECT 1 FROM r) SELECT COUNT(*) FROM r",
	"SELECT COUNT(*) FROM kr_edu.students\x00; DROP TABLE x",
	"SELECT COUNT(*) FROM kr_edu.students WHERE gender = '\xff\xfe'",
	"SELECT COUNT(*) FROM kr_edu.students WHERE gender = '" + strings.Repeat("x", MaxLiteral+1) + "'",
	"SELECT COUNT(*) FROM kr_edu.students WHERE gender LIKE '" + strings.Repeat("x", MaxPattern+1) + "'",
	"SELECT COUNT(*) FROM kr_edu.students --" + strings.Repeat("x", MaxText),
	"SELECT COUNT(*) FROM kr_edu.students WHERE math IN (0" + numbers(MaxList) + ")",
}

func numbers(n int) string {
	var b strings.Builder
	for i := range n {
		fmt.Fprintf(&b, ",%d", i)
	}
	return b.String()
}

func TestEscapes(t *testing.T) {
	c := catalogue(t)
	for _, sql := range escapes {
		refused(t, c, sql)
	}
	if len(escapes) < 60 {
		t.Errorf("only %d escapes", len(escapes))
	}
}

// Comments, quoting and escapes that only spell something allowed change nothing: engines see the plan.
func TestSpellings(t *testing.T) {
	want := plan(t, "SELECT COUNT(*) AS n FROM kr_edu.students WHERE gender = 'A;--'").Canonical()
	for _, sql := range []string{
		"SELECT /* DROP TABLE x; /* nested */ */ COUNT(*) AS n FROM kr_edu.students WHERE gender = 'A;--' -- ; DROP",
		"SELECT COUNT(*) AS n FROM \"kr_edu\".\"students\" WHERE \"gender\" = $q$A;--$q$;",
		"SELECT COUNT(*) AS n FROM kr_edu.students WHERE U&\"g\\0065nder\" = U&'\\0041;--'",
		"SELECT COUNT(*) AS n FROM kr_edu.students WHERE gender = E'\\x41;--'",
	} {
		if got := plan(t, sql).Canonical(); got != want {
			t.Errorf("%s\n%s", sql, got)
		}
	}
}
