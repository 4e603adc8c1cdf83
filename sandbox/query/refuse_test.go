package query

import (
	"strings"
	"testing"
	"unicode/utf8"
)

// refusals lists questions that are refused: ¦ marks the place that the error must point to, and the
// message and the hint must hold the words given.
var refusals = []struct{ sql, message, hint string }{
	// statements and clauses
	{"", "empty", "write one SELECT"},
	{"  -- nothing\n", "empty", "write one SELECT"},
	{"¦SELEC COUNT(*)", "syntax error", "write one SELECT"},
	{"SELECT COUNT(*) FROM kr_edu.students WHERE ¦", "end of input", "write one SELECT"},
	{"SELECT COUNT(*) AS n FROM kr_edu.students; ¦SELECT 1", "several statements", "each question by itself"},
	{"¦INSERT INTO kr_edu.students VALUES (1)", "only SELECT", "write one SELECT"},
	{"¦EXPLAIN SELECT COUNT(*) FROM kr_edu.students", "only SELECT", "write one SELECT"},
	{"WITH ¦x AS (SELECT 1) SELECT COUNT(*) FROM kr_edu.students", "common table expression x is not used", "leave it out"},
	{"SELECT COUNT(*) FROM kr_edu.students ¦UNION ALL SELECT COUNT(*) FROM gb_shop.orders", "UNION ALL of answers", "put it in FROM"},
	{"SELECT COUNT(*) FROM kr_edu.students ¦EXCEPT SELECT COUNT(*) FROM gb_shop.orders", "EXCEPT", "by itself"},
	{"¦VALUES (1, 2)", "VALUES", "write one SELECT"},
	{"SELECT DISTINCT gender FROM kr_edu.students", "no aggregate, and its groups are public", "COUNT(*)"},
	{"SELECT COUNT(*) ¦INTO t FROM kr_edu.students", "INTO", "leave it out"},
	{"SELECT COUNT(*) FROM kr_edu.students ¦WINDOW w AS ()", "WINDOW", "GROUP BY"},
	{"SELECT COUNT(*) FROM kr_edu.students ¦FOR UPDATE", "FOR UPDATE", "leave it out"},
	{"SELECT COUNT(*) FROM kr_edu.students OFFSET ¦-5", "this OFFSET is not supported", "from 0"},
	{"SELECT COUNT(*) FROM kr_edu.students OFFSET ¦NULL", "this OFFSET is not supported", "from 0"},
	{"SELECT COUNT(*) FROM kr_edu.students ORDER BY 1 FETCH FIRST 2 ROWS WITH ¦TIES", "WITH TIES", "LIMIT"},
	{"SELECT COUNT(*) FROM kr_edu.students LIMIT ¦0", "this LIMIT", "from 1"},
	{"SELECT COUNT(*) FROM kr_edu.students LIMIT 2 ¦+ 3", "this LIMIT", "from 1"},
	{"SELECT COUNT(*) FROM kr_edu.students LIMIT ¦10000000000", "this LIMIT", "from 1"},
	// FROM
	{"SELECT COUNT(*)", "names no dataset", "FROM org.dataset"},
	{"SELECT COUNT(*) FROM ¦students", "named org.dataset", "organisation"},
	{"SELECT COUNT(*) FROM ¦a.kr_edu.students", "named org.dataset", "organisation"},
	{"SELECT COUNT(*) FROM kr_edu.students, ¦gb_shop.orders", "a comma in FROM", "write JOIN … ON"},
	{"SELECT COUNT(*) FROM kr_edu.students a ¦JOIN gb_shop.orders b ON TRUE", "join of two unit spaces", "UNION ALL"},
	{"SELECT COUNT(*) FROM ¦generate_series(1, 2)", "function in FROM", "FROM org.dataset"},
	{"SELECT COUNT(*) FROM ONLY ¦kr_edu.students", "ONLY", "leave ONLY out"},
	{"SELECT COUNT(*) FROM ¦kr_edu.students AS s(a, b)", "column names in FROM", "AS"},
	{"SELECT COUNT(*) FROM kr_edu.students ¦TABLESAMPLE SYSTEM (10)", "TABLESAMPLE", "leave it out"},
	// the SELECT list
	{"SELECT ¦* FROM kr_edu.students", "rows never leave", "COUNT(*)"},
	{"SELECT ¦students.* FROM kr_edu.students", "rows never leave", "COUNT(*)"},
	{"SELECT ¦math FROM kr_edu.students", "rows never leave", "AVG(math)"},
	{"SELECT ¦gender, COUNT(*) FROM kr_edu.students", "not in GROUP BY", "add it to GROUP BY"},
	{"SELECT ¦student_id FROM kr_edu.students", "privacy ID", "COUNT(DISTINCT student_id)"},
	{"SELECT ¦name FROM kr_edu.students", "hidden", "another column"},
	{"SELECT ¦1 AS x, COUNT(*) AS n FROM kr_edu.students", "GROUP BY columns and aggregates only", "AVG"},
	{"SELECT ¦math + 1 AS x FROM kr_edu.students", "GROUP BY columns and aggregates only", "SUM"},
	{"SELECT ¦SUM(math) / COUNT(*) AS x FROM kr_edu.students", "arithmetic on aggregates", "AVG(x)"},
	{"SELECT ¦ROUND(AVG(math)) AS x FROM kr_edu.students", "arithmetic on aggregates", "AVG(x)"},
	{"SELECT COUNT(*), ¦COUNT(math) FROM kr_edu.students", "two columns", "AS"},
	{"SELECT COUNT(*) AS n, ¦SUM(math) AS n_low FROM kr_edu.students", "n_low", "AS"},
	{"SELECT COUNT(*) AS \"gender\", ¦gender FROM kr_edu.students GROUP BY gender", "gender", "AS"},
	{"SELECT ¦COUNT(*) AS \"Total Count\" FROM kr_edu.students", "name", "lower-case"},
	{"SELECT FROM kr_edu.students", "SELECT list is empty", "write one SELECT"},
	// names
	{"SELECT AVG(¦maths) FROM kr_edu.students", "no column maths", "did you mean math?"},
	{"SELECT AVG(¦zzzzzzzzzz) FROM gb_shop.orders", "no column", "its columns are country, bought, price, quantity, fine"},
	{"SELECT AVG(¦\"Math\") FROM kr_edu.students", "no column Math", "did you mean math?"},
	{"SELECT AVG(¦t.math) FROM kr_edu.students", "t is not the dataset", "leave out"},
	{"SELECT AVG(¦students.math) FROM kr_edu.students s", "students is not the dataset", "leave out"},
	{"SELECT AVG(¦ctid) FROM kr_edu.students", "no column ctid", ""},
	{"SELECT AVG(¦user) FROM kr_edu.students", "current date, time or user", "double quotes"},
	// aggregates
	{"SELECT MIN(¦school) FROM kr_edu.students", "MIN needs bounded values", "MIN(CLAMP(school, lower, upper))"},
	{"SELECT MEDIAN(¦gender) FROM kr_edu.students", "number is needed", "DOUBLE PRECISION"},
	{"SELECT ¦stdev(math) FROM kr_edu.students", "function stdev", "STDDEV"},
	{"SELECT ¦array_agg(math) FROM kr_edu.students", "sub-query that groups by the privacy ID", "rows never leave"},
	{"SELECT ¦avgg(math) FROM kr_edu.students", "function avgg", "did you mean avg?"},
	{"SELECT COUNT(DISTINCT ¦5) FROM kr_edu.students", "one distinct value", "column"},
	{"SELECT ¦SUM(DISTINCT math) FROM kr_edu.students", "DISTINCT is supported in COUNT only", "leave DISTINCT out"},
	{"SELECT COUNT(¦student_id) FROM kr_edu.students", "privacy ID", "COUNT(DISTINCT student_id)"},
	{"SELECT ¦COUNT(math, reading) FROM kr_edu.students", "one argument", "COUNT(x)"},
	{"SELECT ¦SUM(*) FROM kr_edu.students", "one argument", "SUM(x)"},
	{"SELECT COUNT(¦NULL) FROM kr_edu.students", "NULL has nothing", "column"},
	{"SELECT ¦SUM(1) FROM kr_edu.students", "constant", "COUNT(*)"},
	{"SELECT ¦SUM(math * 0) FROM kr_edu.students", "one possible value", "COUNT(x)"},
	{"SELECT ¦AVG(CASE WHEN math > 5 THEN 1 END) FROM kr_edu.students", "one possible value", "COUNT(x)"},
	{"SELECT COUNT(*) FILTER (WHERE ¦math) FROM kr_edu.students", "FILTER needs a condition", "compare"},
	{"SELECT ¦COUNT(*) OVER () FROM kr_edu.students", "window", "GROUP BY"},
	{"SELECT ¦SUM(math ORDER BY math) FROM kr_edu.students", "ORDER BY inside", "leave it out"},
	{"SELECT SUM(¦AVG(math)) FROM kr_edu.students", "inside another", "by itself"},
	{"SELECT SUM(¦gender) FROM kr_edu.students", "number is needed", "CAST(… AS DOUBLE PRECISION)"},
	{"SELECT SUM(¦immigrant) FROM kr_edu.students", "number is needed", "CASE WHEN"},
	{"SELECT AVG(¦born) FROM kr_edu.students", "number is needed", "EXTRACT"},
	{"SELECT SUM(¦school) FROM kr_edu.students", "no useful bounds: school is declared without bounds", "SUM(CLAMP(school, lower, upper))"},
	{"SELECT SUM(math ¦/ (reading - balance)) FROM kr_edu.students", "the divisor reading - balance may come close to 0", "SUM(CLAMP(math / (reading - balance), lower, upper))"},
	{"SELECT AVG(¦EXTRACT(YEAR FROM born)) FROM kr_edu.students", "born is declared without earliest and latest", "AVG(CLAMP(EXTRACT(YEAR FROM born), lower, upper))"},
	{"SELECT SUM(¦LENGTH(country)) FROM kr_edu.students", "LENGTH(country) has no declared bounds", "CLAMP"},
	{"SELECT SUM(math ¦* 1e298) FROM kr_edu.students", "may exceed 1e300", "CLAMP"},
	{"SELECT SUM(math ¦* 1e100) FROM kr_edu.students", "too large or too small", "CLAMP"},
	{"SELECT SUM(math ¦* 1e-100) FROM kr_edu.students", "too large or too small", "multiply"},
	// expressions
	{"SELECT COUNT(*) FROM kr_edu.students WHERE math ¦/ 0 > 1", "always NULL", "something else"},
	{"SELECT COUNT(*) FROM kr_edu.students WHERE math ¦/ (absences * 0) > 1", "always NULL", "something else"},
	{"SELECT COUNT(*) FROM kr_edu.students WHERE math % ¦reading = 1", "not a positive constant", "x % 10"},
	{"SELECT COUNT(*) FROM kr_edu.students WHERE math ¦^ 2 = 1", "operator ^", "x * x"},
	{"SELECT COUNT(*) FROM kr_edu.students WHERE gender ¦|| 'a' = 'b'", "operator ||", "group by both"},
	{"SELECT COUNT(*) FROM kr_edu.students WHERE gender ¦~ 'a'", "operator ~", "LIKE"},
	{"SELECT COUNT(*) FROM kr_edu.students WHERE ¦@ math > 1", "operator @", "use +"},
	{"SELECT SUM(¦CLAMP(math, 5, 1)) FROM kr_edu.students", "not below its upper", "the smaller first"},
	{"SELECT SUM(CLAMP(math, ¦reading, 1)) FROM kr_edu.students", "not both constants", "two numbers"},
	{"SELECT SUM(¦CLAMP(math, 5)) FROM kr_edu.students", "3 argument", "CLAMP(value, lower, upper)"},
	{"SELECT SUM(ROUND(math, ¦reading)) FROM kr_edu.students", "digits of ROUND are not a constant", "ROUND(x, 2)"},
	{"SELECT SUM(GREATEST(math, ¦gender)) FROM kr_edu.students", "gender is text", "CAST"},
	{"SELECT COUNT(*) FROM kr_edu.students WHERE ¦random() < 0.5", "function random", "the functions are"},
	{"SELECT COUNT(*) FROM kr_edu.students WHERE ¦substr(gender, 1) = 'f'", "function substr", "LIKE"},
	{"SELECT COUNT(*) FROM kr_edu.students WHERE date_trunc(¦'decade', born) = '2006-01-01'", "to 'decade'", "quarter"},
	{"SELECT COUNT(*) FROM kr_edu.students WHERE born < ¦current_date", "current date", "DATE '2020-01-31'"},
	{"SELECT COUNT(*) FROM kr_edu.students WHERE ¦pg_catalog.abs(math) > 1", "functions of a schema", "name alone"},
	{"SELECT COUNT(*) FROM kr_edu.students WHERE CAST(¦born AS int) > 1", "casting a date to int4", "text becomes"},
	{"SELECT COUNT(*) FROM kr_edu.students WHERE ¦math::text = '1'", "casting a number to text", "engines write numbers"},
	{"SELECT COUNT(*) FROM kr_edu.students WHERE math > ¦$1", "parameter", "value itself"},
	{"SELECT COUNT(*) FROM kr_edu.students WHERE math > ¦(SELECT 1)", "sub-query outside FROM", "joined on the privacy ID"},
	{"SELECT COUNT(*) FROM kr_edu.students WHERE math ¦IN (SELECT 1)", "sub-query outside FROM", "joined on the privacy ID"},
	{"SELECT COUNT(*) FROM kr_edu.students WHERE ¦EXISTS (SELECT 1)", "sub-query outside FROM", "joined on the privacy ID"},
	{"SELECT COUNT(*) FROM kr_edu.students WHERE math ¦= ANY (ARRAY[1])", "ANY", "IN"},
	{"SELECT COUNT(*) FROM kr_edu.students WHERE ¦(gender, math) = ('a', 1)", "row of values", "by itself"},
	{"SELECT COUNT(*) FROM kr_edu.students WHERE gender ¦COLLATE \"C\" = 'a'", "COLLATE", "code point"},
	{"SELECT COUNT(*) FROM kr_edu.students WHERE gender ¦ILIKE 'a'", "ILIKE", "LOWER(x) LIKE"},
	{"SELECT COUNT(*) FROM kr_edu.students WHERE gender ¦SIMILAR TO 'a'", "SIMILAR", "LIKE"},
	{"SELECT COUNT(*) FROM kr_edu.students WHERE gender LIKE 'a' ESCAPE 'b'", "ESCAPE", "leave ESCAPE out"},
	{"SELECT COUNT(*) FROM kr_edu.students WHERE gender LIKE ¦'a\\%'", "backslash", "_"},
	{"SELECT COUNT(*) FROM kr_edu.students WHERE gender LIKE ¦country", "not a text constant", "quotes"},
	{"SELECT COUNT(*) FROM kr_edu.students WHERE ¦math LIKE 'a'", "LIKE needs text", "text columns"},
	{"SELECT COUNT(*) FROM kr_edu.students WHERE EXTRACT(EPOCH FROM ¦NULL - TIMESTAMP '2020-01-01') > 1", "EXTRACT of NULL is NULL", "name a column"},
	{"SELECT COUNT(*) FROM kr_edu.students WHERE gender LIKE ¦'a_" + strings.Repeat("b", MaxWildcards) + "'", "with _ is longer than 64 bytes", "without _"},
	{"SELECT COUNT(*) FROM kr_edu.students WHERE gender LIKE ¦'%a%b%c_'", "too many %", "one beside _"},
	{"SELECT COUNT(*) FROM kr_edu.students WHERE gender ¦IS DISTINCT FROM 'a'", "IS DISTINCT FROM", "IS NULL"},
	{"SELECT COUNT(*) FROM kr_edu.students WHERE gender = ¦NULL", "NULL is never true", "IS NULL"},
	{"SELECT COUNT(*) FROM kr_edu.students WHERE gender IN ('a', ¦NULL)", "NULL in IN", "IS NULL"},
	{"SELECT COUNT(*) FROM kr_edu.students WHERE gender IN ('a', ¦country)", "constants only", "OR"},
	{"SELECT COUNT(*) FROM kr_edu.students WHERE ¦math", "WHERE needs a condition", "compare"},
	{"SELECT COUNT(*) FROM kr_edu.students WHERE gender = 'a' AND ¦reading", "AND needs a condition", "compare"},
	{"SELECT COUNT(*) FROM kr_edu.students WHERE NOT ¦reading", "NOT needs a condition", "compare"},
	{"SELECT COUNT(*) FROM kr_edu.students WHERE gender = ¦5", "text is needed", "single quotes"},
	{"SELECT COUNT(*) FROM kr_edu.students WHERE math > ¦'5'", "a number is needed", "without quotes"},
	{"SELECT COUNT(*) FROM kr_edu.students WHERE gender = ¦math", "text is needed", "one type"},
	{"SELECT COUNT(*) FROM kr_edu.students WHERE ¦born = tested", "born is a date", "CAST(x AS TIMESTAMP)"},
	{"SELECT COUNT(*) FROM kr_edu.students WHERE immigrant ¦> TRUE", "no order", "IS TRUE"},
	{"SELECT COUNT(*) FROM kr_edu.students WHERE immigrant = ¦1", "a condition is needed", "IS TRUE"},
	{"SELECT COUNT(*) FROM kr_edu.students WHERE born > ¦'2006-02-30'", "not a date", "2020-01-31"},
	{"SELECT COUNT(*) FROM kr_edu.students WHERE tested > ¦'yesterday'", "not a timestamp", "12:00:00"},
	{"SELECT COUNT(*) FROM kr_edu.students WHERE born > DATE ¦'tomorrow'", "not a date", "2020-01-31"},
	{"SELECT COUNT(*) FROM kr_edu.students WHERE EXTRACT(¦century FROM born) = 1", "EXTRACT of century", "QUARTER"},
	{"SELECT COUNT(*) FROM kr_edu.students WHERE EXTRACT(HOUR FROM ¦born) = 1", "no hour", "timestamp"},
	{"SELECT COUNT(*) FROM kr_edu.students WHERE LOWER(¦math) = 'a'", "lower needs text", "text column"},
	{"SELECT COUNT(*) FROM kr_edu.students WHERE ¦CASE WHEN immigrant THEN NULL END IS NULL", "every branch", "value"},
	{"SELECT COUNT(*) FROM kr_edu.students WHERE ¦COUNT(*) > 5", "WHERE", "HAVING"},
	{"SELECT COUNT(*) FROM kr_edu.students WHERE gender = ¦B'101'", "bit strings", "quotes"},
	{"SELECT COUNT(*) FROM kr_edu.students WHERE math > ¦1e400", "number 1e400", "below 1e300"},
	{"SELECT COUNT(*) FROM kr_edu.students WHERE ¦student_id = 'S1'", "privacy ID", "COUNT(DISTINCT student_id)"},
	{"SELECT COUNT(*) FROM kr_edu.students WHERE ¦name = 'Kim'", "hidden", "another column"},
	// GROUP BY, HAVING, ORDER BY
	{"SELECT COUNT(*) FROM kr_edu.students GROUP BY ¦math", "measure", "WIDTH_BUCKET(math"},
	{"SELECT COUNT(*) FROM kr_edu.students GROUP BY ¦student_id", "privacy ID", "COUNT(DISTINCT student_id)"},
	{"SELECT COUNT(*) FROM kr_edu.students GROUP BY math ¦/ reading", "too many values to group by", "WIDTH_BUCKET"},
	{"SELECT COUNT(*) FROM kr_edu.students GROUP BY ¦ROLLUP (gender)", "grouping set", "second question"},
	{"SELECT COUNT(*) FROM kr_edu.students GROUP BY ¦()", "grouping set", "second question"},
	{"SELECT COUNT(*) FROM kr_edu.students GROUP BY ¦7", "no column 7", "from 1"},
	{"SELECT ¦COUNT(*) AS n FROM kr_edu.students GROUP BY n", "aggregate cannot stand in GROUP BY", "beside"},
	{"SELECT COUNT(*) FROM kr_edu.students ¦GROUP BY DISTINCT gender", "GROUP BY DISTINCT", "GROUP BY"},
	{"SELECT gender FROM kr_edu.students GROUP BY gender", "no aggregate", "COUNT(*)"},
	{"SELECT COUNT(*) AS n FROM kr_edu.students HAVING ¦math > 5", "HAVING acts on released values", "WHERE"},
	{"SELECT COUNT(*) AS n FROM kr_edu.students HAVING ¦country = 'x'", "not in GROUP BY", "add it"},
	{"SELECT COUNT(*) AS n FROM kr_edu.students HAVING ¦n", "HAVING needs a condition", "compare"},
	{"SELECT COUNT(*) AS n FROM kr_edu.students ORDER BY ¦math", "rows never leave", "AVG(math)"},
	{"SELECT COUNT(*) AS n FROM kr_edu.students ORDER BY n ¦+ 1", "by an expression", "SELECT list"},
	{"SELECT COUNT(*) AS n FROM kr_edu.students ORDER BY ¦3", "no column 3", "from 1"},
	{"SELECT COUNT(*) AS n FROM kr_edu.students ORDER BY ¦n NULLS FIRST", "NULLS FIRST", "leave it out"},
	{"SELECT COUNT(*) AS n FROM kr_edu.students ORDER BY ¦n USING >", "USING", "ASC or DESC"},
	// places after other lines and letters
	{"SELECT COUNT(*)\nFROM kr_edu.students\nWHERE gender = '한국' AND ¦maths > 5", "no column maths", "math"},
	{"SELECT COUNT(*) FROM kr_edu.students WHERE gender = 'é' AND ¦= 5", "syntax error", "write one SELECT"},
	{"SELECT COUNT(*) /* é */\n FROM kr_edu.students WHERE gender = '한' AND\t¦)", "syntax error", "write one SELECT"},
}

func TestRefused(t *testing.T) {
	c := catalogue(t)
	for _, test := range refusals {
		before, after, marked := strings.Cut(test.sql, "¦")
		e := refused(t, c, before+after)
		if !strings.Contains(e.Message, test.message) || !strings.Contains(e.Hint, test.hint) {
			t.Errorf("%s\n says %q, hint %q", test.sql, e.Message, e.Hint)
		}
		if !marked {
			continue
		}
		line := strings.Count(before, "\n") + 1
		column := utf8.RuneCountInString(before[strings.LastIndexByte(before, '\n')+1:]) + 1
		if e.Line != line || e.Column != column {
			t.Errorf("%s\n points to %d:%d, want %d:%d: %s", test.sql, e.Line, e.Column, line, column, e.Message)
		}
	}
	if len(refusals) < 80 {
		t.Errorf("only %d refusals", len(refusals))
	}
}

// A dataset that is absent and one that the catalogue hides answer alike, whatever else is wrong.
func TestNotFound(t *testing.T) {
	c := catalogue(t)
	hidden := shelf{}
	for _, sql := range []string{
		"SELECT COUNT(*) FROM kr_edu.students",
		"SELECT nonsense(x) FROM kr_edu.students WHERE y",
		"SELECT COUNT(*) FROM pg_catalog.pg_class",
		"SELECT COUNT(*) FROM information_schema.tables",
		"SELECT COUNT(*) FROM \"Kr_Edu\".\"x y\"",
	} {
		e := refused(t, hidden, sql)
		if !e.NotFound || e.Message != notFound || e.Hint != "" || e.Line != 1 {
			t.Errorf("%s: %+v", sql, e)
		}
	}
	for _, test := range refusals {
		before, after, _ := strings.Cut(test.sql, "¦")
		if e := refused(t, c, before+after); e.NotFound {
			t.Errorf("%s: not found", test.sql)
		}
	}
	if e := refused(t, nil, "SELECT COUNT(*) FROM kr_edu.students"); !e.NotFound {
		t.Errorf("no catalogue: %+v", e)
	}
}
