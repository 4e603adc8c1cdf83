package query

import (
	"math"
	"reflect"
	"testing"

	"entrepot/privacy"
)

func worldPlan(t *testing.T, sql string) Parts {
	t.Helper()
	p, err := New(sql, world(t), Bounds{})
	if err != nil {
		t.Fatalf("%s\n%v", sql, err)
	}
	return p.Parts()
}

// The rows of one unit, the largest rank and the bounds that follow.
func TestUnitRows(t *testing.T) {
	kr := func(n int64) []UnitRows { return []UnitRows{{"kr_edu/student", n}} }
	for _, test := range []struct {
		from  string
		units []UnitRows
		rank  int64
	}{
		{"kr_edu.enrolments", kr(20), 20},
		{"(SELECT score AS s FROM kr_edu.enrolments WHERE passed) t", kr(20), 20},
		{"(SELECT student_id, COUNT(*) AS n FROM kr_edu.enrolments GROUP BY student_id) t", kr(1), 20},
		{"(SELECT student_id, course FROM kr_edu.enrolments GROUP BY student_id, course) t", kr(20), 20},
		{"kr_edu.students a JOIN kr_edu.enrolments b USING (student_id)", kr(60), 60},
		{"kr_edu.students a LEFT JOIN kr_edu.enrolments b USING (student_id)", kr(60), 60},
		{"kr_edu.students a JOIN (SELECT student_id FROM kr_edu.enrolments GROUP BY student_id) b USING (student_id)", kr(3), 60},
		{"kr_edu.enrolments a LEFT JOIN pub.regions b ON a.region = b.code", kr(20), 20},
		{"kr_edu.students a JOIN kr_edu.students b USING (student_id) JOIN kr_edu.students c USING (student_id)", kr(27), 27},
		{"(SELECT math AS x FROM kr_edu.students UNION ALL SELECT score FROM kr_edu.enrolments UNION ALL SELECT reading FROM kr_edu.students) t", kr(26), 60},
		{"(SELECT reading AS x FROM kr_edu.students UNION ALL SELECT maths FROM gb_edu.pupils UNION ALL SELECT points FROM gb_edu.pupils) t", []UnitRows{{"gb_edu/pupil", 10}, {"kr_edu/student", 3}}, 15},
		{"(SELECT id, COUNT(*) AS n FROM (SELECT student_id AS id FROM kr_edu.students UNION ALL SELECT pupil FROM gb_edu.pupils) u GROUP BY id) t", []UnitRows{{"gb_edu/pupil", 1}, {"kr_edu/student", 1}}, 10},
	} {
		p := worldPlan(t, "SELECT COUNT(*) AS n FROM "+test.from)
		if !reflect.DeepEqual(p.From.Units, test.units) || p.From.MaxRank != test.rank {
			t.Errorf("%s: %v, rank %d", test.from, p.From.Units, p.From.MaxRank)
		}
		most := int64(0)
		for _, u := range test.units {
			most = max(most, u.Rows)
		}
		if want := (privacy.Contribution{MaxPartitions: 1, MaxRowsPerPartition: most, MaxRows: most}); p.Contribution != want {
			t.Errorf("%s: %+v", test.from, p.Contribution)
		}
	}
	_, err := New("SELECT COUNT(*) AS n FROM (SELECT DISTINCT student_id FROM kr_edu.enrolments) t", world(t), Bounds{MaxRowsPerPartition: 2})
	if want := "max_rows_per_partition is 2; it must be from 1 to 1, the rows that one unit can have here (leave it out for the default)"; err == nil || err.Error() != want {
		t.Errorf("%v", err)
	}
}

// Intervals, steps and nullability of what sub-queries compute.
func TestDerivedFields(t *testing.T) {
	one, tenth, hundredth := privacy.Step{Num: 1, Den: 1}, privacy.Step{Num: 1, Den: 10}, privacy.Step{Num: 1, Den: 100}
	per := func(feature string) string {
		return "(SELECT student_id, " + feature + " AS x FROM kr_edu.enrolments GROUP BY student_id) t"
	}
	for _, test := range []struct {
		from         string
		lower, upper int64
		step         privacy.Step
		nullable     bool
		column       string
	}{
		{per("COUNT(*)"), 1, 20, one, false, ""},
		{per("COUNT(*) FILTER (WHERE passed)"), 0, 20, one, false, ""},
		{per("COUNT(score)"), 0, 20, one, false, ""},
		{per("COUNT(DISTINCT course)"), 1, 20, one, false, ""},
		{per("COUNT(DISTINCT room)"), 0, 20, one, false, ""},
		{per("SUM(credits)"), -200, 1200, one, false, ""},
		{per("SUM(year)"), 2010, 40600, one, false, ""},
		{per("SUM(score)"), 0, 20_000, tenth, true, ""},
		{per("SUM(-score)"), -20_000, 0, tenth, true, ""},
		{per("SUM(credits) FILTER (WHERE year > 2020)"), -200, 1200, one, true, ""},
		{per("AVG(credits)"), -1_000_000, 6_000_000, privacy.Step{Num: 1, Den: 100_000}, false, ""},
		{per("AVG(score)"), 0, 1_000_000, privacy.Step{Num: 1, Den: 10_000}, true, ""},
		{per("MIN(score)"), 0, 1000, tenth, true, ""},
		{per("MAX(credits)"), -10, 60, one, false, ""},
		{per("FIRST(score ORDER BY began)"), 0, 1000, tenth, true, ""},
		{per("LAST(year ORDER BY began)"), 2010, 2030, one, false, ""},
		{per("MAX(score) - MIN(score)"), -1000, 1000, tenth, true, ""},
		{"(SELECT score AS x FROM kr_edu.enrolments WHERE passed) t", 0, 1000, tenth, true, "x"},
		{"(SELECT credits AS x FROM kr_edu.enrolments WHERE passed) t", -10, 60, one, false, "x"},
		{"(SELECT x FROM (SELECT score / 2 AS x FROM kr_edu.enrolments) s WHERE x > 1) t", 0, 1000, privacy.Step{Num: 1, Den: 20}, true, ""},
		{"(SELECT student_id, credits AS x FROM kr_edu.enrolments GROUP BY student_id, credits) t", -10, 60, one, false, "x"},
		{"(SELECT b.credits AS x FROM kr_edu.students a JOIN kr_edu.enrolments b USING (student_id)) t", -10, 60, one, false, "x"},
		{"(SELECT b.credits AS x FROM kr_edu.students a LEFT JOIN kr_edu.enrolments b USING (student_id)) t", -10, 60, one, true, "x"},
		{"(SELECT a.reading AS x FROM kr_edu.students a LEFT JOIN kr_edu.enrolments b USING (student_id)) t", 0, 100_000, hundredth, false, "x"},
		{"(SELECT n AS x FROM kr_edu.students a LEFT JOIN (SELECT student_id, COUNT(*) AS n FROM kr_edu.enrolments GROUP BY student_id) b USING (student_id)) t", 1, 20, one, true, ""},
		{"(SELECT fee AS x FROM kr_edu.enrolments a LEFT JOIN pub.offers b USING (course, year)) t", 0, 999_999, hundredth, true, "x"},
		{"(SELECT reading AS x FROM kr_edu.students UNION ALL SELECT reading FROM kr_edu.students) t", 0, 100_000, hundredth, false, "x"},
		{"(SELECT math AS x FROM kr_edu.students UNION ALL SELECT maths FROM gb_edu.pupils) t", -100_000, 1_000_000, privacy.Step{Num: 1, Den: 1000}, true, "x"},
		{"(SELECT points AS x FROM gb_edu.pupils UNION ALL SELECT credits FROM kr_edu.enrolments) t", -40, 240, privacy.Step{Num: 1, Den: 4}, false, ""},
		{"(SELECT year AS x FROM kr_edu.enrolments UNION ALL SELECT house FROM gb_edu.pupils) t", 1, 2030, one, false, ""},
		{"(SELECT year AS x FROM kr_edu.enrolments UNION ALL SELECT NULL FROM gb_edu.pupils) t", 2010, 2030, one, true, ""},
		{"(SELECT 3 AS x FROM kr_edu.enrolments UNION ALL SELECT points FROM gb_edu.pupils) t", 0, 40, privacy.Step{Num: 1, Den: 4}, false, ""},
	} {
		a := worldPlan(t, "SELECT SUM(x) AS s FROM "+test.from).Arguments[0]
		if a.Lower != test.lower || a.Upper != test.upper || a.Step != test.step || a.Nullable != test.nullable || a.Column != test.column {
			t.Errorf("%s: %d … %d of %v, nullable %v, column %q", test.from, a.Lower, a.Upper, a.Step, a.Nullable, a.Column)
		}
	}
}

// Public values come through sub-queries, joins and unions.
func TestDerivedDomains(t *testing.T) {
	for _, test := range []struct {
		from string
		want []any
	}{
		{"(SELECT gender AS x FROM kr_edu.students WHERE math > 5) t", []any{"female", "male"}},
		{"(SELECT student_id, MAX(gender) AS x FROM kr_edu.students GROUP BY student_id) t", []any{"female", "male"}},
		{"(SELECT student_id, COUNT(*) AS x FROM kr_edu.students GROUP BY student_id) t", []any{int64(1), int64(2), int64(3)}},
		{"(SELECT student_id, COUNT(*) > 2 AS x FROM kr_edu.students GROUP BY student_id) t", []any{false, true}},
		{"(SELECT gender AS x FROM kr_edu.students UNION ALL SELECT sex FROM gb_edu.pupils) t", []any{"female", "male", "other"}},
		{"(SELECT 'KR' AS x FROM kr_edu.students UNION ALL SELECT 'GB' FROM gb_edu.pupils) t", []any{"KR", "GB"}},
		{"(SELECT gender AS x FROM kr_edu.students UNION ALL SELECT country FROM kr_edu.students) t", nil},
		{"(SELECT CASE WHEN math > 500 THEN 'high' ELSE 'low' END AS x FROM kr_edu.students) t", []any{"high", "low"}},
		{"(SELECT name AS x FROM kr_edu.enrolments a LEFT JOIN pub.regions b ON a.region = b.code) t", []any{"north", "south"}},
		{"(SELECT course AS x FROM kr_edu.enrolments) t", nil},
	} {
		k := worldPlan(t, "SELECT x, COUNT(*) AS n FROM "+test.from+" GROUP BY x").Keys[0]
		if !reflect.DeepEqual(k.Domain, test.want) {
			t.Errorf("%s: %v", test.from, k.Domain)
		}
	}
}

// The datasets of a question, with the columns that it touches in any of them.
func TestDatasets(t *testing.T) {
	p := worldPlan(t, `SELECT t.name, AVG(t.score) AS a FROM (SELECT e.score, e.credits, r.name, s.gender FROM kr_edu.students s
		JOIN kr_edu.enrolments e USING (student_id) JOIN pub.regions r ON r.code = e.region WHERE s.math > 3) t GROUP BY t.name`)
	want := []DatasetUse{
		{"kr_edu.enrolments", "kr_edu/student", []string{"region", "score"}}, {"kr_edu.students", "kr_edu/student", []string{"math"}}, {"pub.regions", "", []string{"code", "name"}},
	}
	if !reflect.DeepEqual(p.Datasets, want) {
		t.Errorf("%+v", p.Datasets)
	}
	p = worldPlan(t, "SELECT COUNT(*) AS n FROM (SELECT math AS x, gender FROM kr_edu.students WHERE wave = 1 UNION ALL SELECT reading, country FROM kr_edu.students) t WHERE x > 3")
	if want := []DatasetUse{{"kr_edu.students", "kr_edu/student", []string{"math", "reading", "wave"}}}; !reflect.DeepEqual(p.Datasets, want) {
		t.Errorf("%+v", p.Datasets)
	}
}

// One plan in full.
func TestRelationPlan(t *testing.T) {
	p := worldPlan(t, "SELECT COUNT(DISTINCT s.student_id) AS u FROM kr_edu.students s LEFT JOIN (SELECT student_id, SUM(score) AS total, MAX(year) AS unused FROM kr_edu.enrolments WHERE passed GROUP BY student_id) e USING (student_id) WHERE e.total > 5")
	kr := func(n int64) []UnitRows { return []UnitRows{{"kr_edu/student", n}} }
	passed, score := Expr{Op: OpColumn, Type: Bool, Column: "passed"}, Expr{Op: OpColumn, Type: Number, Column: "score", Num: 1, Den: 10, Hi: 100}
	want := Relation{
		Op: JoinRows, Join: &Join{Left: "t1", Right: "t2", Outer: true}, Units: kr(3), MaxRank: 60, ID: "t1.student_id",
		Fields: []Field{{Name: "t2.total", Type: Number, Nullable: true}},
		Inputs: []Relation{
			{Op: Scan, Dataset: "kr_edu.students", Fields: []Field{}, Units: kr(3), MaxRank: 3, ID: "student_id"},
			{
				Op: PerUnit, Filter: &passed, Units: kr(1), MaxRank: 20, ID: "student_id",
				Features: []Feature{{Name: "total", Kind: FeatureSum, Argument: &score, Upper: 1000, Step: privacy.Step{Num: 1, Den: 10}}},
				Fields:   []Field{{Name: "total", Type: Number, Nullable: true}},
				Inputs: []Relation{{
					Op: Scan, Dataset: "kr_edu.enrolments", Units: kr(20), MaxRank: 20, ID: "student_id",
					Fields: []Field{{Name: "passed", Type: Bool, Nullable: true}, {Name: "score", Type: Number, Num: 1, Den: 10, Nullable: true}},
				}},
			},
		},
	}
	if !reflect.DeepEqual(p.From, want) {
		t.Errorf("%+v", p.From)
	}
	if x := p.Filter.Args[0]; x.Column != "t2.total" || x.Lo != 0 || x.Hi != 2000 {
		t.Errorf("%+v", x)
	}
}

// The bound of an average holds for every number of values, whatever the rounding.
func TestAverageBound(t *testing.T) {
	for _, s := range []privacy.Step{{Num: 1, Den: 1}, {Num: 1, Den: 1000}, {Num: 3, Den: 7}, {Num: 1, Den: 999_983}, {Num: 12_345, Den: 1}} {
		for _, bound := range []int64{1, 3, 7, 999, 12_345_678, 1 << 40} {
			for n := int64(1); n <= 2000; n++ {
				if bound*n >= 1<<53 {
					break
				}
				x := scaled(bound*n, s.Num, s.Den) / float64(n)
				if low, high := quotientBound(-bound, 2000, s, -1), quotientBound(bound, 2000, s, 1); x > high || -x < low {
					t.Fatalf("%d values of %d steps of %v: %v is beyond %v", n, bound, s, x, high)
				}
			}
		}
	}
	if x := quotientBound(60, 20, privacy.Step{Num: 1, Den: 1}, 1); x != 60 {
		t.Errorf("%v", x)
	}
	if quotientBound(0, 20, privacy.Step{Num: 1, Den: 3}, -1) != 0 || math.Signbit(quotientBound(0, 20, privacy.Step{Num: 1, Den: 3}, -1)) {
		t.Error("0 is widened")
	}
}

// Changing a copy of the content changes no relation.
func TestRelationsAreACopy(t *testing.T) {
	p, err := New("SELECT AVG(t.f) AS a FROM (SELECT student_id, FIRST(score ORDER BY began) AS f, MAX(year) AS c FROM kr_edu.enrolments WHERE passed GROUP BY student_id, course HAVING COUNT(*) > 1) t JOIN kr_edu.students s ON s.student_id = t.student_id AND s.grade = t.c", world(t), Bounds{})
	if err != nil {
		t.Fatal(err)
	}
	before := p.Canonical()
	parts := p.Parts()
	parts.From.Join.Keys[0].Left, parts.From.Join.Right, parts.From.Units[0].Space = "x", "x", "x"
	outer := &parts.From.Inputs[0]
	outer.Filter.Args[0].Column, outer.Columns[0].Name, outer.Fields[0].Name = "x", "x", "x"
	inner := &outer.Inputs[0]
	inner.Filter.Column, inner.Columns[0].Expr.Column, inner.Features[0].Name = "x", "x", "x"
	for i := range inner.Features {
		if f := &inner.Features[i]; f.Argument != nil {
			f.Argument.Column = "x"
			for j := range f.OrderBy {
				f.OrderBy[j].Expr.Column = "x"
			}
		}
	}
	inner.Inputs[0].Dataset, inner.Inputs[0].Fields[0].Name = "x", "x"
	if p.Canonical() != before || p.parts.From.Units[0].Space == "x" {
		t.Error(p.Canonical())
	}
}
