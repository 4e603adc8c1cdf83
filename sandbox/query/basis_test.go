package query

import (
	"encoding/json"
	"fmt"
	"slices"
	"testing"
)

// Questions of one line have one basis: they ask about the same rows and groups.
var sameBasis = [][]string{
	{ // names and spelling
		"SELECT gender, COUNT(*) AS n FROM kr_edu.students WHERE math > 500 GROUP BY gender",
		"select s.GENDER g,\n count ( * ) -- all\n people from KR_EDU.students as s where ((s.math)) > 500.0 group by 1",
		"SELECT students.gender, COUNT(1) AS n FROM kr_edu.students WHERE 5e2 < math GROUP BY students.gender",
		"SELECT gender, COUNT(*) AS n FROM kr_edu.students WHERE NOT (math <= 500) GROUP BY gender",
		"SELECT gender, COUNT(*) AS n FROM kr_edu.students WHERE math > 500 AND TRUE AND math > 500 GROUP BY gender",
		"SELECT COUNT(*) AS n, gender FROM kr_edu.students WHERE math > 500 GROUP BY gender HAVING COUNT(*) > 5 ORDER BY n DESC LIMIT 1 OFFSET 1",
		"SELECT t.sex, COUNT(*) AS n FROM (SELECT gender AS sex FROM kr_edu.students WHERE math > 500) AS t GROUP BY t.sex",
		"WITH good AS (SELECT * FROM kr_edu.students WHERE math > 500) SELECT gender, COUNT(*) AS n FROM good GROUP BY gender",
		"WITH a AS (SELECT gender AS x, math AS y FROM kr_edu.students), b AS (SELECT x AS z FROM a WHERE y > 500) SELECT z, COUNT(*) AS n FROM b GROUP BY z",
		"SELECT gender, COUNT(*) AS n, SUM(reading) AS s FROM kr_edu.students WHERE math > 500 GROUP BY gender",
	},
	{ // order of keys, of AND and of OR
		"SELECT gender, wave, COUNT(*) AS n FROM kr_edu.students WHERE (country = 'KR' OR country = 'GB') AND reading < 3 GROUP BY gender, wave",
		"SELECT gender, wave, COUNT(*) AS n FROM kr_edu.students WHERE reading < 3 AND country IN ('GB', 'KR') GROUP BY wave, gender",
		"SELECT gender, wave, COUNT(*) AS n FROM kr_edu.students WHERE NOT (reading >= 3 OR country <> 'GB' AND 'KR' <> country) GROUP BY wave, gender",
		"SELECT gender, wave, COUNT(*) AS n FROM kr_edu.students WHERE NOT (reading >= 3 OR country NOT IN ('GB', 'KR', 'GB')) GROUP BY wave, gender, wave",
		"SELECT wave, gender, COUNT(*) AS n FROM (SELECT * FROM kr_edu.students WHERE country IN ('KR', 'GB')) t WHERE reading < 3 GROUP BY wave, gender",
	},
	{ // BETWEEN, dates
		"SELECT COUNT(*) AS n FROM kr_edu.students WHERE born BETWEEN '2000-01-01' AND '2001-01-01' AND tested < '2022-03-01 12:30+09:00'",
		"SELECT COUNT(*) AS n FROM kr_edu.students WHERE DATE '2000-01-01' <= born AND born <= '2001-01-01'::date AND tested < TIMESTAMP '2022-03-01T03:30:00Z'",
		"SELECT COUNT(*) AS n FROM kr_edu.students WHERE NOT (born NOT BETWEEN DATE '2000-01-01' AND '2001-01-01') AND CAST('2022-03-01 03:30' AS timestamp) > tested",
	},
	{ // sums, conditions
		"SELECT SUM(math + reading) AS s FROM kr_edu.students WHERE immigrant AND math * reading > grade",
		"SELECT SUM(reading + math) AS s FROM kr_edu.students WHERE grade < reading * math AND immigrant = TRUE",
		"SELECT SUM(x.total) AS s FROM (SELECT reading + math AS total, immigrant AS i, reading * math AS p, grade FROM kr_edu.students) x WHERE i <> FALSE AND p > grade",
	},
	{ // rows of one unit
		"SELECT AVG(CLAMP(m, 0, 1000)) AS a FROM (SELECT student_id, MAX(math) AS m FROM kr_edu.students WHERE wave > 1 GROUP BY student_id) t",
		"SELECT AVG(CLAMP(u.best, 0, 1000)) AS a FROM (SELECT student_id AS id, MAX(s.math) AS best, MIN(s.math) AS worst FROM kr_edu.students s WHERE 1 < s.wave GROUP BY 1) u",
	},
	{ // joins
		"SELECT COUNT(*) AS n FROM kr_edu.students AS a JOIN kr_edu.enrolments AS b ON a.student_id = b.student_id",
		"SELECT COUNT(*) AS n FROM (SELECT student_id, math AS m FROM kr_edu.students) x JOIN kr_edu.enrolments y USING (student_id)",
	},
}

// basisText is a question's digest and the identities of its keys and of its first aggregate.
func basisText(t *testing.T, sql string) string {
	t.Helper()
	p, err := New(sql, world(t), Bounds{})
	if err != nil {
		t.Fatalf("%s\n%v", sql, err)
	}
	b := p.Basis()
	slices.Sort(b.Keys)
	text, _ := json.Marshal([]any{b.Digest, b.Keys, b.Aggregates[0]})
	return string(text)
}

func TestSameBasis(t *testing.T) {
	lines := map[string]int{}
	for i, line := range sameBasis {
		want := basisText(t, line[0])
		if other, ok := lines[want]; ok {
			t.Errorf("lines %d and %d are the same", i, other)
		}
		lines[want] = i
		for _, sql := range line[1:] {
			if got := basisText(t, sql); got != want {
				t.Errorf("%s\nis %s, and\n%s\nis %s", sql, got, line[0], want)
			}
		}
	}
}

// What changes an exact value, its sensitivity or a group makes another basis, or another identity in it.
func TestOtherBasis(t *testing.T) {
	const first = "SELECT wave, country, COUNT(*) AS n, AVG(math) AS m FROM kr_edu.students WHERE reading > 3 AND gender = 'female' GROUP BY wave, country"
	for _, sql := range []string{
		"SELECT wave, country, COUNT(*) AS n, AVG(math) AS m FROM kr_edu.students WHERE reading > 4 AND gender = 'female' GROUP BY wave, country",
		"SELECT wave, country, COUNT(*) AS n, AVG(math) AS m FROM kr_edu.students WHERE reading >= 3 AND gender = 'female' GROUP BY wave, country",
		"SELECT wave, country, COUNT(*) AS n, AVG(math) AS m FROM kr_edu.students WHERE reading < 3 AND gender = 'female' GROUP BY wave, country",
		"SELECT wave, country, COUNT(*) AS n, AVG(math) AS m FROM kr_edu.students WHERE reading > 3 OR gender = 'female' GROUP BY wave, country",
		"SELECT wave, country, COUNT(*) AS n, AVG(math) AS m FROM kr_edu.students WHERE reading > 3 AND gender <> 'female' GROUP BY wave, country",
		"SELECT wave, country, COUNT(*) AS n, AVG(math) AS m FROM kr_edu.students WHERE reading > 3 AND gender = 'Female' GROUP BY wave, country",
		"SELECT wave, country, COUNT(*) AS n, AVG(math) AS m FROM kr_edu.students WHERE reading > 3 GROUP BY wave, country",
		"SELECT wave, country, COUNT(*) AS n, AVG(math) AS m FROM kr_edu.students WHERE reading > 3 AND gender = 'female' AND math > 0 GROUP BY wave, country",
		"SELECT wave, COUNT(*) AS n, AVG(math) AS m FROM kr_edu.students WHERE reading > 3 AND gender = 'female' GROUP BY wave",
		"SELECT wave, LOWER(country) AS c, COUNT(*) AS n, AVG(math) AS m FROM kr_edu.students WHERE reading > 3 AND gender = 'female' GROUP BY wave, c",
		"SELECT wave, country, COUNT(*) AS n, AVG(math) AS m FROM kr_edu.students WHERE COALESCE(reading > 3, TRUE) AND COALESCE(gender = 'female', country = 'KR', TRUE) AND country <> 'x' GROUP BY wave, country",
	} {
		if a, b := plan(t, first).Basis(), plan(t, sql).Basis(); a.Digest == b.Digest {
			t.Errorf("%s\nhas the basis of\n%s", sql, first)
		}
	}
	for _, pair := range [][2]string{
		{"COUNT(*)", "COUNT(math)"}, {"COUNT(*)", "COUNT(DISTINCT student_id)"}, {"COUNT(math)", "COUNT(DISTINCT math)"}, {"COUNT(math)", "COUNT(math) FILTER (WHERE grade > 8)"},
		{"SUM(math)", "AVG(math)"}, {"SUM(math)", "SUM(-math)"}, {"SUM(math)", "SUM(reading)"}, {"SUM(math - reading)", "SUM(reading - math)"}, {"SUM(CLAMP(math, 0, 10))", "SUM(CLAMP(math, 0, 11))"},
		{"VARIANCE(math)", "VAR_POP(math)"}, {"VARIANCE(math)", "STDDEV(math)"}, {"MEDIAN(math)", "MAX(math)"}, {"SUM(COALESCE(math, reading))", "SUM(COALESCE(reading, math))"},
		{"SUM(math) FILTER (WHERE grade > 8)", "SUM(math) FILTER (WHERE grade > 9)"}, {"SUM(math) FILTER (WHERE grade > 8)", "SUM(math)"}, {"SUM(math)", "SUM(COALESCE(math, 0))"},
	} {
		a := plan(t, "SELECT "+pair[0]+" AS x FROM kr_edu.students").Basis()
		b := plan(t, "SELECT "+pair[1]+" AS x FROM kr_edu.students").Basis()
		if a.Digest != b.Digest || a.Aggregates[0] == b.Aggregates[0] {
			t.Errorf("%s and %s: %+v %+v", pair[0], pair[1], a, b)
		}
	}
	const unit = "SELECT AVG(CLAMP(x, 0, 9)) AS a FROM (SELECT student_id, %s AS x FROM kr_edu.students GROUP BY student_id%s) t%s"
	for _, pair := range [][2][3]any{
		{{"FIRST(grade ORDER BY born)", "", ""}, {"FIRST(grade ORDER BY born DESC)", "", ""}}, {{"FIRST(grade ORDER BY born)", "", ""}, {"LAST(grade ORDER BY born)", "", ""}},
		{{"FIRST(grade ORDER BY born)", "", ""}, {"FIRST(grade ORDER BY tested)", "", ""}}, {{"MIN(grade)", "", ""}, {"MAX(grade)", "", ""}},
		{{"SUM(CLAMP(math, 0, 5))", "", ""}, {"SUM(CLAMP(math, 0, 6))", "", ""}}, {{"COUNT(*)", "", ""}, {"COUNT(math)", "", ""}},
		{{"COUNT(*)", "", ""}, {"COUNT(*)", ", wave", ""}}, {{"COUNT(*)", ", wave", ""}, {"COUNT(*)", ", gender", ""}}, {{"COUNT(*)", "", ""}, {"COUNT(*)", "", " WHERE x > 1"}},
	} {
		a, b := basisText(t, fmt.Sprintf(unit, pair[0][:]...)), basisText(t, fmt.Sprintf(unit, pair[1][:]...))
		if a == b {
			t.Errorf("%v have one basis", pair)
		}
	}
	for _, bounds := range []Bounds{{MaxPartitions: 1}, {MaxRowsPerPartition: 1}} {
		p, err := New(first, catalogue(t), bounds)
		if err != nil {
			t.Fatal(err)
		}
		if p.Basis().Digest == plan(t, first).Basis().Digest {
			t.Errorf("bounds %+v are not in the basis", bounds)
		}
	}
}

// Two scans of one table are two: what is read of the one is not what is read of the other.
func TestBasisOfSides(t *testing.T) {
	const from = " FROM kr_edu.students AS a JOIN kr_edu.students AS b ON a.student_id = b.student_id"
	a, b := plan(t, "SELECT SUM(a.math) AS s"+from).Basis(), plan(t, "SELECT SUM(b.math) AS s"+from).Basis()
	if a.Digest != b.Digest || a.Aggregates[0] == b.Aggregates[0] {
		t.Errorf("%+v %+v", a, b)
	}
	left := plan(t, "SELECT COUNT(*) AS n"+from+" WHERE a.math > b.reading").Basis()
	right := plan(t, "SELECT COUNT(*) AS n"+from+" WHERE b.math > a.reading").Basis()
	if left.Digest == right.Digest {
		t.Error("a condition on the other side is another")
	}
}

// The basis outlives storage, and is the same in every process.
func TestBasisOfStoredPlan(t *testing.T) {
	for _, test := range accepted {
		p := plan(t, test.sql)
		b, err := json.Marshal(p)
		if err != nil {
			t.Fatal(err)
		}
		var read Plan
		if err := json.Unmarshal(b, &read); err != nil {
			t.Fatal(err)
		}
		x, _ := json.Marshal(p.Basis())
		y, _ := json.Marshal(read.Basis())
		if string(x) != string(y) {
			t.Errorf("%s\n%s\n%s", test.sql, x, y)
		}
	}
	const digest = "b7434a9d851c240949cc8218b51ca1a9"
	if got := plan(t, "SELECT gender, COUNT(*) AS n FROM kr_edu.students WHERE math > 500 GROUP BY gender").Basis().Digest; got != digest {
		t.Errorf("%s: a new digest forgets all releases of before; raise basisFormat where that is right", got)
	}
}
