package main

import "strings"

// construct is something that could fail, or behave otherwise, on the rows of one person.
type construct struct {
	name    string
	rows    []values // the failing person's, in what differs from everybody's
	alone   bool     // there is nobody else in the table
	private bool     // its groups pass partition selection; otherwise they are public, or there is one
	rho     bool     // asked with Gaussian noise
	sql     string   // @t is the table
	raises  string   // an expression that DuckDB fails on over the first row; "" where it gives NULL, NaN, ±Inf or a value
}

// values are one row's, values by column; "" is NULL.
type values map[string]string

const (
	smallest = "-9223372036854775808"
	largest  = "9223372036854731904" // so near the largest integer that adding 50,000 overflows, and no other number looks like it
)

func constructs() []construct {
	var list []construct
	for _, part := range [][]construct{numberConstructs(), textConstructs(), dateConstructs(), uploadConstructs(), groupConstructs(), relationConstructs()} {
		list = append(list, part...)
	}
	return list
}

func numberConstructs() []construct {
	return []construct{
		{name: "division by zero", rows: []values{{"y": "0"}}, sql: "SELECT grp, COUNT(*) AS n FROM @t WHERE 100 / y > 3 GROUP BY grp"},
		{name: "zero by zero", rows: []values{{"y": "0"}}, sql: "SELECT AVG(CLAMP(y / y, 0, 5)) AS a FROM @t"},
		{name: "division by a difference", rows: []values{{"y": "7", "x": "1000"}}, sql: "SELECT SUM(CLAMP(x / (y - 7), -10, 10)) AS s, COUNT(x / (y - 7)) AS n FROM @t"},
		{name: "division by next to nothing", rows: []values{{"x": "1000"}}, sql: "SELECT AVG(CLAMP(y / (x * 1e-102), -5, 5)) AS a FROM @t"},
		{name: "integer division", rows: []values{{"code": "0"}}, sql: "SELECT SUM(CLAMP(FLOOR(100 / code), 0, 9)) AS s FROM @t"},
		{name: "CASE that guards a division", rows: []values{{"y": "0"}}, sql: "SELECT AVG(CLAMP(CASE WHEN y <> 0 THEN 100 / y ELSE 0 END, 0, 100)) AS a FROM @t"},
		{name: "NULLIF that guards a division", rows: []values{{"y": "0"}}, sql: "SELECT SUM(CLAMP(100 / NULLIF(y, 0), 0, 100)) AS s FROM @t"},
		{name: "COALESCE of a quotient", rows: []values{{"y": "0"}}, sql: "SELECT SUM(COALESCE(CLAMP(100 / y, 0, 100), -1)) AS s FROM @t"},
		{name: "remainder of the smallest integer", rows: []values{{"code": smallest}}, sql: "SELECT SUM(CLAMP(code % 10, 0, 9)) AS s, COUNT(*) FILTER (WHERE MOD(code, 7) = 1) AS n FROM @t"},
		{name: "negative of the smallest integer", rows: []values{{"code": smallest}}, sql: "SELECT SUM(CLAMP(-code, -5, 5)) AS s FROM @t", raises: "-code"},
		{name: "ABS of the smallest integer", rows: []values{{"code": smallest}}, sql: "SELECT SUM(CLAMP(ABS(code), 0, 9)) AS s, COUNT(*) FILTER (WHERE ABS(code) > 3) AS n FROM @t", raises: "abs(code)"},
		{name: "sum above the largest integer", rows: []values{{"code": largest}}, sql: "SELECT COUNT(*) AS n FROM @t WHERE code + 50000 > 3", raises: "code + 50000"},
		{name: "difference below the smallest integer", rows: []values{{"code": smallest}}, sql: "SELECT COUNT(*) AS n FROM @t WHERE code - 1 > 3", raises: "code - 1"},
		{name: "product of large integers", rows: []values{{"code": largest}}, sql: "SELECT AVG(CLAMP(code * code, 0, 99)) AS a FROM @t", raises: "code * code"},
		{name: "product of four large measures", rows: []values{{"big": "731904556218"}}, sql: "SELECT AVG(CLAMP(big * big * big * big, 0, 99)) AS a FROM @t", raises: "big * big"},
		{name: "sum of large integers", rows: []values{{"code": largest}, {"code": largest}, {"code": largest}}, sql: "SELECT SUM(CLAMP(code, -1000, 1000000)) AS s, VARIANCE(CLAMP(code, 0, 100000)) AS v FROM @t", raises: "code + code"},
		{name: "narrow integer", rows: []values{{"code": "731904556218377"}}, sql: "SELECT COUNT(*) AS n FROM @t WHERE CAST(code AS smallint) > 3", raises: "CAST(code AS SMALLINT)"},
		{name: "beyond every integer", rows: []values{{"code": largest, "x": "1000"}}, sql: "SELECT COUNT(*) AS n FROM @t WHERE CAST(code * 1e200 AS bigint) > 3 AND CAST(x * 1e296 AS int) <> 0", raises: "CAST(code * 1e200 AS BIGINT)"},
		{name: "ROUND of huge values", rows: []values{{"code": largest}}, sql: "SELECT COUNT(*) AS n FROM @t WHERE ROUND(code, 15) > 3 AND ROUND(code, -15) > 3 AND FLOOR(code) > 3 AND CEIL(code) > 3"},
		{name: "WIDTH_BUCKET far outside", rows: []values{{"code": smallest, "x": "1000"}, {"code": largest, "x": "-1000"}, {"code": "", "x": ""}},
			sql: "SELECT WIDTH_BUCKET(code, 0, 10, 5) AS k, COUNT(*) AS n, SUM(WIDTH_BUCKET(x, -1000, 1000, 7)) AS s FROM @t GROUP BY k"},
		{name: "thresholds", rows: []values{{"code": largest}}, sql: "SELECT WIDTH_BUCKET(code, ARRAY[0, 10]) AS k, COUNT(*) AS n FROM @t GROUP BY k"},
		{name: "GREATEST and LEAST of NULL", rows: []values{{"x": "", "y": "", "code": ""}}, sql: "SELECT SUM(GREATEST(x, y)) AS s, AVG(LEAST(y, 9, CLAMP(code, 0, 9))) AS a FROM @t"},
	}
}

func textConstructs() []construct {
	mega := strings.Repeat("a", 1000) + canaryText
	return []construct{
		{name: "text that is no number", rows: []values{{"note": canaryText}}, sql: "SELECT SUM(CLAMP(CAST(note AS DOUBLE PRECISION), 0, 50)) AS s FROM @t", raises: "CAST(note AS DOUBLE)"},
		{name: "text that is no integer", rows: []values{{"note": canaryText}}, sql: "SELECT grp, COUNT(*) AS n FROM @t WHERE note::int = 12 GROUP BY grp", raises: "CAST(note AS INTEGER)"},
		{name: "text of many digits", rows: []values{{"note": "731904556218377000000000000000000000"}}, sql: "SELECT COUNT(*) AS n FROM @t WHERE CAST(note AS bigint) > 3", raises: "CAST(note AS BIGINT)"},
		{name: "text with an exponent", rows: []values{{"note": "1e999"}, {"note": "NaN"}, {"note": "-Infinity"}, {"note": "0x1F"}}, sql: "SELECT AVG(CLAMP(note::numeric, 0, 50)) AS a, COUNT(note::numeric) AS n FROM @t", raises: "CAST(note AS DECIMAL(38, 0))"},
		{name: "text of spaces", rows: []values{{"note": "  "}}, sql: "SELECT COUNT(*) AS n, COUNT(*) FILTER (WHERE TRIM(note) = '') AS e, SUM(CLAMP(CAST(TRIM(note) AS int), 0, 50)) AS s, SUM(CLAMP(1 / LENGTH(TRIM(note)), 0, 1)) AS l FROM @t", raises: "CAST(TRIM(note) AS INTEGER)"},
		{name: "text that is no date", rows: []values{{"stamp": canaryText}}, sql: "SELECT COUNT(*) AS n FROM @t WHERE CAST(stamp AS DATE) >= '2020-01-01'", raises: "CAST(stamp AS DATE)"},
		{name: "text of a day that is not in the calendar", rows: []values{{"stamp": "2021-02-29"}}, sql: "SELECT EXTRACT(MONTH FROM CAST(stamp AS DATE)) AS m, COUNT(*) AS n FROM @t GROUP BY m", raises: "CAST(stamp AS DATE)"},
		{name: "text of a far year", rows: []values{{"stamp": "73190456-01-01"}, {"stamp": "73190-01-01"}, {"stamp": "infinity"}, {"stamp": "0044-03-15 (BC)"}}, sql: "SELECT AVG(CLAMP(EXTRACT(YEAR FROM CAST(stamp AS DATE) + 1), 2000, 2030)) AS y FROM @t", raises: "CAST(stamp AS DATE)"},
		{name: "text as a condition", rows: []values{{"note": canaryText}}, sql: "SELECT COUNT(*) AS n FROM @t WHERE CASE WHEN note = '12' THEN CAST(note AS int) > 3 ELSE CAST(note AS int) IS NULL END", raises: "CAST(note AS INTEGER) IS NULL"},
		{name: "unicode", rows: []values{{"note": "ẞİé\u202e👩‍👩‍👧\u0301\uffff" + canaryText}}, sql: "SELECT COUNT(*) FILTER (WHERE UPPER(LOWER(note)) > 'a') AS n, SUM(CLAMP(LENGTH(note), 0, 99)) AS s, COUNT(*) FILTER (WHERE note LIKE '__é%') AS l FROM @t"},
		{name: "mega string", rows: []values{{"note": mega}, {"note": strings.Repeat(mega, 500)}}, sql: "SELECT COUNT(DISTINCT note) AS d, SUM(CLAMP(LENGTH(UPPER(TRIM(note))), 0, 99)) AS s, COUNT(*) FILTER (WHERE note LIKE '%a%a%a%a%a%a%a%b') AS n FROM @t"},
		{name: "LIKE of its own wildcards", rows: []values{{"note": `%_\`}, {"note": `\`}, {"note": "%"}}, sql: "SELECT COUNT(*) FILTER (WHERE note LIKE '%!_') AS a, COUNT(*) FILTER (WHERE note NOT LIKE '_') AS b, COUNT(*) FILTER (WHERE note LIKE '') AS c FROM @t", raises: `'x' LIKE note ESCAPE 'xx'`},
		{name: "conditions over NULL", rows: []values{{"note": "", "ok": "", "y": ""}}, sql: "SELECT COUNT(*) AS n FROM @t WHERE note NOT IN ('a', 'b') OR NOT ok OR (y BETWEEN 1 AND 0) IS UNKNOWN"},
	}
}

func dateConstructs() []construct {
	first, last := values{"day": "0001-01-01", "seen": "0001-01-01T00:00:00Z"}, values{"day": "9999-12-31", "seen": "9999-12-31T23:59:59.999999Z"}
	return []construct{
		{name: "day after the last", rows: []values{last}, sql: "SELECT COUNT(*) AS n, COUNT(day + 1) AS a, COUNT(*) FILTER (WHERE day + 1 > '2020-01-01') AS b FROM @t", raises: "day + 2147483647"},
		{name: "day before the first", rows: []values{first}, sql: "SELECT COUNT(day - 1) AS a, COUNT(day - 366) AS b, COUNT(day - INTERVAL '1 month') AS c FROM @t"},
		{name: "month after the last year", rows: []values{last}, sql: "SELECT EXTRACT(YEAR FROM day + INTERVAL '1 month') IS NULL AS k, COUNT(*) AS n FROM @t GROUP BY k"},
		{name: "interval of 9,000 years", rows: []values{last}, sql: "SELECT AVG(CLAMP(EXTRACT(YEAR FROM day + INTERVAL '9000 years'), 0, 9999)) AS y, COUNT(seen - INTERVAL '9000 years') AS n FROM @t"},
		{name: "moment after the last", rows: []values{last, first}, sql: "SELECT COUNT(seen + INTERVAL '1 second') AS a, COUNT(seen - INTERVAL '1 second') AS b, COUNT(CAST(seen AS DATE) + 1) AS c, COUNT(CAST(day AS TIMESTAMP)) AS d FROM @t"},
		{name: "difference of the extremes", rows: []values{last, first}, sql: "SELECT AVG(CLAMP(day - DATE '0001-01-01', 0, 9)) AS a, SUM(CLAMP(DATE '9999-12-31' - day, -9, 9)) AS s FROM @t"},
		{name: "seconds between the extremes", rows: []values{last, first}, sql: "SELECT AVG(CLAMP(EXTRACT(EPOCH FROM seen - TIMESTAMP '0001-01-01 00:00:00'), 0, 9)) AS a, SUM(CLAMP(EXTRACT(EPOCH FROM seen), -9, 9)) AS s FROM @t"},
		{name: "weeks at the extremes", rows: []values{last, first}, sql: "SELECT EXTRACT(WEEK FROM day) AS w, COUNT(*) AS n FROM @t GROUP BY w"},
		{name: "DATE_TRUNC at the extremes", rows: []values{last, {"day": "0001-01-03", "seen": "0001-01-01T00:00:00Z"}}, sql: "SELECT COUNT(DATE_TRUNC('week', day)) AS a, COUNT(DATE_TRUNC('quarter', seen)) AS b, COUNT(*) FILTER (WHERE DATE_TRUNC('year', seen) + INTERVAL '1 year' > '2020-01-01') AS c FROM @t"},
		{name: "months of a day outside of its limits", rows: []values{{"due": "9999-12-31"}, {"due": "0001-01-01"}, {"due": ""}}, sql: "SELECT DATE_TRUNC('month', due) AS m, COUNT(*) AS n, AVG(EXTRACT(DOW FROM due)) AS d FROM @t GROUP BY m"},
		{name: "leap day and a year", rows: []values{{"day": "2020-02-29", "due": "2020-02-29"}}, sql: "SELECT COUNT(day + INTERVAL '1 year') AS a, AVG(due + INTERVAL '1 year 1 day' - due) AS b FROM @t"},
	}
}

func uploadConstructs() []construct {
	return []construct{
		{name: "NaN and infinity", rows: []values{{"x": "NaN"}, {"x": "Infinity"}, {"x": "-inf"}, {"x": "1e999"}}, sql: "SELECT grp, COUNT(x) AS n, SUM(x) AS s, STDDEV(x) AS d, MAX(x) AS m FROM @t GROUP BY grp", raises: "CAST(CAST('NaN' AS DOUBLE) AS BIGINT)"},
		{name: "minus zero and next to nothing", rows: []values{{"x": "-0"}, {"x": "4.9e-324"}}, sql: "SELECT SUM(CLAMP(1 / x, -9, 9)) AS s, COUNT(*) FILTER (WHERE x = 0) AS n FROM @t"},
		{name: "numbers outside of their columns", rows: []values{{"code": "99999999999999999999", "y": "1e30", "big": "-99999999999999999999"}}, sql: "SELECT COUNT(code) AS n, AVG(y) AS a, SUM(big) AS s FROM @t"},
		{name: "text for numbers", rows: []values{{"code": canaryText, "x": canaryText, "y": canaryText, "big": canaryText, "ok": canaryText, "day": canaryText, "seen": canaryText, "due": canaryText}}, sql: "SELECT COUNT(*) AS n, SUM(x) AS s, AVG(y) AS a, COUNT(day) AS d, COUNT(*) FILTER (WHERE ok) AS k FROM @t"},
		{name: "days that are none", rows: []values{{"day": "10000-01-01", "due": "0000-00-00", "seen": "2020-02-30T25:61:61Z"}}, sql: "SELECT COUNT(day) AS a, COUNT(due) AS b, COUNT(seen) AS c FROM @t"},
		{name: "bytes that are no text", rows: []values{{"note": "\xff\xfe" + canaryText}, {"note": "a\x00" + canaryText}, {"lone": "\xc3"}}, sql: "SELECT lone, COUNT(note) AS n, COUNT(DISTINCT note) AS d FROM @t GROUP BY lone"},
		{name: "nobody's rows", rows: []values{{"person": "", "y": "0"}, {"person": "\xff", "y": "0"}}, sql: "SELECT COUNT(*) AS n, COUNT(DISTINCT person) AS p, SUM(CLAMP(1 / y, 0, 1)) AS s FROM @t"},
		{name: "too many rows", rows: make([]values, 500), sql: "SELECT COUNT(*) AS n, SUM(y) AS s, MEDIAN(y) AS m FROM @t"},
		{name: "NULL everywhere", rows: []values{{"grp": "", "lone": "", "place": "", "note": "", "stamp": "", "day": "", "due": "", "seen": "", "code": "", "ok": "", "x": "", "y": "", "big": ""}}, alone: true,
			sql: "SELECT grp, COUNT(*) AS n, COUNT(note) AS c, SUM(x) AS s, AVG(y) AS a, VARIANCE(x) AS v, MEDIAN(y) AS m, COUNT(DISTINCT note) AS d FROM @t GROUP BY grp"},
	}
}

func groupConstructs() []construct {
	return []construct{
		{name: "public group of nobody", rows: []values{{"lone": "z"}}, sql: "SELECT lone, COUNT(*) AS n, SUM(x) AS s, AVG(x) AS a, VAR_POP(y) AS p, VARIANCE(y) AS v, STDDEV(y) AS d, COUNT(DISTINCT person) AS u FROM @t GROUP BY lone"},
		{name: "quantiles of nobody", rows: []values{{"lone": "z"}}, sql: "SELECT lone, MIN(y) AS lo, MAX(y) AS hi, MEDIAN(x) AS m, PERCENTILE_CONT(0.9) WITHIN GROUP (ORDER BY x DESC) AS q FROM @t GROUP BY lone"},
		{name: "STDDEV of one value", rows: []values{{"x": "1000"}}, alone: true, sql: "SELECT STDDEV(x) AS a, STDDEV_POP(x) AS b, VAR_SAMP(x) AS c, COUNT(*) AS n FROM @t"},
		{name: "table of nobody", rows: []values{{}}, alone: true, sql: "SELECT COUNT(*) AS n, SUM(y) AS s, AVG(x) AS a, MIN(x) AS lo, MAX(x) AS hi, COUNT(DISTINCT person) AS u, COUNT(DISTINCT note) AS d FROM @t"},
		{name: "table of nobody in public groups", rows: []values{{}}, alone: true, sql: "SELECT grp, ok, COUNT(*) AS n, AVG(x) AS a FROM @t GROUP BY grp, ok"},
		{name: "private groups of nobody", rows: []values{{"place": canaryText}}, alone: true, private: true, sql: "SELECT place, COUNT(*) AS n, AVG(y) AS a FROM @t GROUP BY place"},
		{name: "FILTER that nobody meets", rows: []values{{"y": "7"}}, sql: "SELECT COUNT(*) FILTER (WHERE y = 7) AS n, AVG(x) FILTER (WHERE y = 7) AS a, STDDEV(x) FILTER (WHERE y = 7) AS d, MEDIAN(x) FILTER (WHERE y = 7) AS m, COUNT(DISTINCT note) FILTER (WHERE y = 7) AS c FROM @t"},
		{name: "WHERE that nobody meets", rows: []values{{"y": "7"}}, sql: "SELECT grp, COUNT(*) AS n, SUM(x) AS s, MAX(x) AS m FROM @t WHERE y = 7 GROUP BY grp"},
		{name: "private group of one", rows: []values{{"place": canaryText}}, private: true, sql: "SELECT place, COUNT(*) AS n, AVG(y) AS a FROM @t GROUP BY place"},
		{name: "private groups of a cast", rows: []values{{"stamp": canaryText}, {"stamp": "7319-04-05"}}, private: true, sql: "SELECT CAST(stamp AS DATE) AS k, COUNT(*) AS n FROM @t GROUP BY k", raises: "CAST(stamp AS DATE)"},
		{name: "private groups of an overflow", rows: []values{{"code": largest}}, private: true, sql: "SELECT code + 50000 AS k, SUM(y) AS s FROM @t GROUP BY k", raises: "code + 50000"},
		{name: "private groups of a day beyond the last", rows: []values{{"day": "9999-12-31"}}, private: true, sql: "SELECT DATE_TRUNC('month', day + INTERVAL '1 day') AS k, COUNT(*) AS n FROM @t GROUP BY k"},
		{name: "private groups of values alone", rows: []values{{"note": canaryText}, {"note": ""}}, private: true, sql: "SELECT DISTINCT note FROM @t"},
		{name: "private groups of moments at the extremes", rows: []values{{"day": "9999-12-31", "seen": "9999-12-31T23:59:59.999999Z"}, {"day": "0001-01-01", "seen": "0001-01-01T00:00:00Z"}}, private: true,
			sql: "SELECT day, seen, COUNT(*) AS n FROM @t GROUP BY day, seen ORDER BY seen, day DESC"},
		{name: "private groups of numbers at the extremes", rows: []values{{"code": largest}, {"code": smallest}, {"code": "0"}}, private: true, sql: "SELECT code, code * -3 AS k, ROUND(100 / code) AS q, COUNT(*) AS n FROM @t GROUP BY code, k, q"},
		{name: "private groups of odd text", rows: []values{{"note": "\u202e\u0301\x01\"\\\n" + canaryText}, {"note": strings.Repeat("\"", 1000) + canaryText}, {"note": " "}}, private: true, sql: "SELECT note, LOWER(TRIM(note)) AS k, COUNT(*) AS n FROM @t GROUP BY note, k"},
		{name: "distinct values at the extremes", rows: []values{{"code": largest, "day": "9999-12-31"}, {"code": smallest, "day": "0001-01-01"}, {"code": "", "day": ""}},
			sql: "SELECT COUNT(DISTINCT code) AS c, COUNT(DISTINCT day) AS d, COUNT(DISTINCT -code * code) AS k, COUNT(DISTINCT day + INTERVAL '1 day') AS e FROM @t"},
		{name: "public groups of a quotient", rows: []values{{"y": "0"}}, sql: "SELECT CASE WHEN 100 / y > 9 THEN 'much' WHEN 100 / y <= 9 THEN 'some' ELSE 'none' END AS k, COUNT(*) AS n FROM @t GROUP BY k"},
		{name: "division by a noisy count", rows: []values{{"lone": "z"}}, sql: "SELECT lone, COUNT(*) AS n, SUM(y) AS s FROM @t GROUP BY lone HAVING COUNT(*) > 0 OR COUNT(*) <= 0 OR SUM(y) / COUNT(*) > 5"},
		{name: "Gaussian noise on nobody", rows: []values{{"lone": "z"}}, rho: true, sql: "SELECT lone, COUNT(*) AS n, SUM(x) AS s, AVG(x) AS a, STDDEV(y) AS d, MEDIAN(y) AS m FROM @t GROUP BY lone"},
	}
}

func relationConstructs() []construct {
	return []construct{
		{name: "features over no rows", rows: []values{{"y": "7"}}, sql: "SELECT AVG(m) AS a, COUNT(v) AS n, SUM(s) AS s FROM (SELECT person, MAX(CASE WHEN y = 7 THEN x END) AS m, AVG(CASE WHEN y = 7 THEN x END) AS v, SUM(CASE WHEN y = 7 THEN y END) AS s FROM @t GROUP BY person) AS f"},
		{name: "features of NULL", rows: []values{{"ok": "", "x": "", "note": ""}}, sql: "SELECT every, COUNT(*) AS n, AVG(d) AS d, AVG(f) AS f FROM (SELECT person, BOOL_AND(ok) AS every, COUNT(DISTINCT note) AS d, FIRST(x ORDER BY day) AS f FROM @t GROUP BY person) AS f GROUP BY every"},
		{name: "FIRST of ties", rows: []values{{"x": "1"}, {"x": "2"}, {"x": "3", "day": ""}}, sql: "SELECT AVG(f) AS f, AVG(l) AS l, AVG(a) AS a FROM (SELECT person, FIRST(x ORDER BY day) AS f, LAST(x ORDER BY day DESC, note) AS l, (ARRAY_AGG(y ORDER BY seen))[1] AS a FROM @t GROUP BY person) AS f"},
		{name: "features at the extremes", rows: []values{{"code": largest, "day": "9999-12-31", "note": strings.Repeat("a", 1000) + canaryText}, {"code": smallest, "day": "0001-01-01", "note": " "}},
			sql: "SELECT COUNT(*) AS n, SUM(CLAMP(hi - lo, 0, 9)) AS s, AVG(CLAMP(late - early, 0, 9)) AS a, SUM(CLAMP(LENGTH(t), 0, 9)) AS l FROM (SELECT person, MAX(code) AS hi, MIN(code) AS lo, MAX(day) AS late, MIN(day) AS early, MAX(note) AS t FROM @t GROUP BY person) AS f WHERE late + 1 IS NULL OR hi >= lo", raises: "code + 50000"},
		{name: "JOIN of values at the extremes", rows: []values{{"code": largest, "day": "9999-12-31"}, {"code": smallest, "day": "0001-01-01"}},
			sql: "SELECT COUNT(*) AS n, SUM(CLAMP(a.m - b.code, -9, 9)) AS s, COUNT(b.code) AS c FROM (SELECT person, -code AS m, day + 1 AS d FROM @t) AS a LEFT JOIN (SELECT person, code, day FROM @t) AS b ON a.person = b.person AND a.d = b.day", raises: "-code - 50000"},
		{name: "quotient of features", rows: []values{{"ok": "false"}}, sql: "SELECT AVG(CLAMP(q, 0, 9)) AS a FROM (SELECT person, SUM(y) / SUM(CASE WHEN ok THEN 1 ELSE 0 END) AS q FROM @t GROUP BY person) AS f"},
		{name: "product of features", rows: []values{{"big": "1000000000000"}, {"big": "1000000000000"}, {"big": "1000000000000"}}, sql: "SELECT AVG(CLAMP(s * s * s, 0, 9)) AS a FROM (SELECT person, SUM(big) AS s FROM @t GROUP BY person) AS f", raises: "big * big"},
		{name: "LEFT JOIN of a place that is not there", rows: []values{{"place": canaryText}, {"place": ""}}, sql: "SELECT p.region, COUNT(*) AS n, SUM(p.area) AS s FROM @t AS t LEFT JOIN kr_edu.places AS p ON t.place = p.place GROUP BY p.region"},
		{name: "division by a joined value", rows: []values{{"place": "q"}}, sql: "SELECT SUM(CLAMP(t.y / p.area, 0, 50)) AS s FROM @t AS t JOIN kr_edu.places AS p ON t.place = p.place"},
		{name: "LEFT JOIN of nobody", rows: []values{{"y": "7"}}, sql: "SELECT grp, COUNT(*) AS n, AVG(m) AS a, COUNT(m) AS c FROM @t LEFT JOIN (SELECT person, MAX(x) AS m FROM @t WHERE y = 7 GROUP BY person) AS s USING (person) GROUP BY grp"},
		{name: "JOIN with nobody", rows: []values{{"y": "7"}}, sql: "SELECT COUNT(*) AS n, SUM(a.y + b.y) AS s FROM @t AS a JOIN (SELECT person, y FROM @t WHERE y = 7) AS b ON a.person = b.person"},
		{name: "JOIN with many rows on both sides", rows: make([]values, 4), sql: "SELECT COUNT(*) AS n, SUM(a.y * b.y) AS s FROM @t AS a JOIN @t AS b ON a.person = b.person AND a.code = b.code"},
		{name: "union with an empty branch", rows: []values{{"y": "7"}}, sql: "SELECT k, COUNT(*) AS n, AVG(v) AS a FROM (SELECT 'low' AS k, x AS v FROM @t WHERE y = 7 UNION ALL SELECT 'high', y FROM @t WHERE y > 7) AS u GROUP BY k"},
		{name: "CTE of nobody", rows: []values{{"code": smallest}}, sql: "WITH few AS (SELECT person, x, -code AS c FROM @t WHERE ABS(code) > 1000) SELECT COUNT(*) AS n, MAX(x) AS m, SUM(CLAMP(c, 0, 9)) AS s FROM few", raises: "-code"},
		{name: "cast in a sub-query", rows: []values{{"note": canaryText}}, sql: "SELECT COUNT(*) AS n, SUM(CLAMP(v, 0, 20)) AS s FROM (SELECT CAST(note AS int) AS v FROM @t) AS s WHERE v > 3", raises: "CAST(note AS INTEGER)"},
		{name: "per-person groups of a failing cast", rows: []values{{"stamp": canaryText}, {"stamp": "2020-13-01"}}, sql: "SELECT COUNT(*) AS n, AVG(c) AS a FROM (SELECT person, CAST(stamp AS DATE) AS d, COUNT(*) AS c FROM @t GROUP BY person, d) AS f WHERE d IS NULL", raises: "CAST(stamp AS DATE)"},
		{name: "HAVING per person", rows: []values{{"y": "0"}}, sql: "SELECT COUNT(*) AS n FROM (SELECT person, SUM(y) AS s FROM @t GROUP BY person HAVING 10 / SUM(y) > 0) AS f"},
	}
}

// refusedAtPlanning lists what has a meaning that could fail, or cost without limit, on rows: it is not planned.
func refusedAtPlanning() []struct{ sql, says string } {
	return []struct{ sql, says string }{
		{"SELECT SUM(1 / (y - 7)) AS s FROM @t", "CLAMP"}, {"SELECT SUM(code) AS s FROM @t", "CLAMP"}, {"SELECT SUM(CAST(note AS DOUBLE PRECISION)) AS s FROM @t", "CLAMP"},
		{"SELECT AVG(big * big) AS s FROM @t", ""}, {"SELECT SUM(x * 1e300) AS s FROM @t", ""}, {"SELECT COUNT(*) AS n FROM @t WHERE code * code * code * code * 1e250 > 1", ""},
		{"SELECT COUNT(*) AS n FROM @t WHERE y = 1e400", ""}, {"SELECT COUNT(*) AS n FROM @t WHERE sqrt(y) > 1", "sqrt"}, {"SELECT COUNT(*) AS n FROM @t WHERE ln(y) > 1", "ln"},
		{"SELECT COUNT(*) AS n FROM @t WHERE power(y, 99) > 1", "power"}, {"SELECT COUNT(*) AS n FROM @t WHERE y ^ 9 > 1", ""}, {"SELECT COUNT(*) AS n FROM @t WHERE y << 70 > 1", ""},
		{"SELECT COUNT(*) AS n FROM @t WHERE MOD(y, 0) = 1", "positive"}, {"SELECT COUNT(*) AS n FROM @t WHERE y % code = 1", "positive"}, {"SELECT COUNT(*) AS n FROM @t WHERE ROUND(x, 99) = 1", "digits"},
		{"SELECT COUNT(*) AS n FROM @t WHERE CAST('CANARY' AS int) = 1", "number"}, {"SELECT COUNT(*) AS n FROM @t WHERE note = 12", ""}, {"SELECT COUNT(*) AS n FROM @t WHERE day = note", ""},
		{"SELECT COUNT(*) AS n FROM @t WHERE day > '2020-02-30'", ""}, {"SELECT COUNT(*) AS n FROM @t WHERE DATE '9999-12-31' + 1 > day", "9999"}, {"SELECT COUNT(*) AS n FROM @t WHERE day + y > '2020-01-01'", ""},
		{"SELECT COUNT(*) AS n FROM @t WHERE due + INTERVAL '9000 years' > '2020-01-01'", "9999"}, {"SELECT COUNT(*) AS n FROM @t WHERE DATE_TRUNC('fortnight', day) > '2020-01-01'", ""},
		{"SELECT COUNT(*) AS n FROM @t WHERE DATE_TRUNC(note, day) > '2020-01-01'", ""}, {"SELECT COUNT(*) AS n FROM @t WHERE EXTRACT(TIMEZONE FROM seen) > 1", ""}, {"SELECT COUNT(*) AS n FROM @t WHERE CAST(note AS TIMESTAMP) > '2020-01-01'", ""},
		{"SELECT COUNT(*) AS n FROM @t WHERE make_date(y, y, y) > '2020-01-01'", "make_date"}, {"SELECT COUNT(*) AS n FROM @t WHERE to_timestamp(code) > '2020-01-01'", "to_timestamp"}, {"SELECT COUNT(*) AS n FROM @t WHERE strptime(note, '%Y') > '2020-01-01'", "strptime"},
		{`SELECT COUNT(*) AS n FROM @t WHERE note LIKE 'a\'`, ""}, {"SELECT COUNT(*) AS n FROM @t WHERE note LIKE 'a!' ESCAPE '!'", ""}, {"SELECT COUNT(*) AS n FROM @t WHERE note LIKE stamp", ""},
		{"SELECT COUNT(*) AS n FROM @t WHERE note ~ '(a+)+$'", ""}, {"SELECT COUNT(*) AS n FROM @t WHERE regexp_matches(note, '(')", ""}, {"SELECT COUNT(*) AS n FROM @t WHERE repeat(note, 1000000000) = 'x'", "repeat"},
		{"SELECT COUNT(*) AS n FROM @t WHERE lpad(note, 1000000000, 'x') = 'x'", "lpad"}, {"SELECT COUNT(*) AS n FROM @t WHERE note || note = 'x'", ""}, {"SELECT COUNT(*) AS n FROM @t WHERE substring(note, 1, 99999999999) = 'x'", ""},
		{"SELECT COUNT(*) AS n FROM @t WHERE chr(y) = 'x'", "chr"}, {"SELECT COUNT(*) AS n FROM @t WHERE error(note)", "error"}, {"SELECT COUNT(*) AS n FROM @t WHERE CASE WHEN person = 'x' THEN error('x') END", ""},
		{"SELECT SUM(WIDTH_BUCKET(x, 5, 5, 3)) AS s FROM @t", "limit"}, {"SELECT SUM(WIDTH_BUCKET(x, 0, 5, 0)) AS s FROM @t", ""}, {"SELECT SUM(WIDTH_BUCKET(x, y, 5, 3)) AS s FROM @t", ""},
		{"SELECT PERCENTILE_CONT(2) WITHIN GROUP (ORDER BY x) AS q FROM @t", "0 to 1"}, {"SELECT MAX(code) AS m FROM @t", "CLAMP"}, {"SELECT COUNT(*) AS n FROM @t WHERE (SELECT MAX(y) FROM @t) > 3", "sub-query"},
		{"SELECT AVG(s) AS a FROM (SELECT person, SUM(code) AS s FROM @t GROUP BY person) AS f", "CLAMP"}, {"SELECT AVG(f) AS a FROM (SELECT person, FIRST(x) AS f FROM @t GROUP BY person) AS f", "order"},
	}
}
