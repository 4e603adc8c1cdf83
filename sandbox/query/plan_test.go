package query

import (
	"errors"
	"math"
	"reflect"
	"strings"
	"testing"

	"entrepot/privacy"
)

// The bounds and the step of what is added up.
func TestArguments(t *testing.T) {
	for _, test := range []struct {
		aggregate    string
		lower, upper int64
		step         privacy.Step
		column       string
		nullable     bool
	}{
		{"SUM(math)", 0, 1_000_000, privacy.Step{Num: 1, Den: 1000}, "math", true},
		{"SUM(absences)", 0, 200, privacy.Step{Num: 1, Den: 1}, "absences", false},
		{"SUM(balance)", -1000, 1000, privacy.Step{Num: 1, Den: 2}, "balance", false},
		{"SUM(grade)", 7, 12, privacy.Step{Num: 1, Den: 1}, "", false},
		{"SUM(math + reading)", 0, 2_000_000, privacy.Step{Num: 1, Den: 1000}, "", true},
		{"SUM(reading - balance)", -50_000, 150_000, privacy.Step{Num: 1, Den: 100}, "", false},
		{"SUM(-balance)", -1000, 1000, privacy.Step{Num: 1, Den: 2}, "", false},
		{"SUM(ABS(balance))", 0, 1000, privacy.Step{Num: 1, Den: 2}, "", false},
		{"SUM(ROUND(balance))", -500, 500, privacy.Step{Num: 1, Den: 1}, "", false},
		{"SUM(balance * balance)", -1_000_000, 1_000_000, privacy.Step{Num: 1, Den: 4}, "", false},
		{"SUM(balance * 2)", -1000, 1000, privacy.Step{Num: 1, Den: 1}, "", false},
		{"SUM(absences * 0.25)", 0, 200, privacy.Step{Num: 1, Den: 4}, "", false},
		{"SUM(absences / 3)", 0, 200, privacy.Step{Num: 1, Den: 3}, "", false},
		{"SUM(reading + 0.005)", 1, 200_001, privacy.Step{Num: 1, Den: 200}, "", false},
		{"SUM(CASE WHEN math > 1 THEN 1 ELSE 0 END)", 0, 1, privacy.Step{Num: 1, Den: 1}, "", false},
		{"SUM(CASE WHEN math > 1 THEN 1 END)", 0, 1, privacy.Step{Num: 1, Den: 1}, "", true},
		{"SUM(CASE WHEN math > 1 THEN -3 END)", -1, 0, privacy.Step{Num: 3, Den: 1}, "", true},
		{"SUM(CASE WHEN math > 1 THEN balance ELSE 0 END)", -1000, 1000, privacy.Step{Num: 1, Den: 2}, "", false},
		{"SUM(COALESCE(math, 0))", 0, 1_000_000, privacy.Step{Num: 1, Den: 1000}, "", false},
		{"SUM(CLAMP(math, 100, 200.5))", 100_000, 200_500, privacy.Step{Num: 1, Den: 1000}, "", true},
		{"SUM(CLAMP(balance, 0.25, 10))", 1, 40, privacy.Step{Num: 1, Den: 4}, "", false},
		{"SUM(CLAMP(absences, -10, 50))", 0, 50, privacy.Step{Num: 1, Den: 1}, "", false},
		{"SUM(CLAMP(school, 0, 1000))", 0, 1000, privacy.Step{Num: 1, Den: 1}, "", false},
		// No exact lattice: a power of ten that gives 10^6 … 10^7 steps.
		{"SUM(CLAMP(math / reading, 0, 4))", 0, 4_000_000, privacy.Step{Num: 1, Den: 1_000_000}, "", true},
		{"SUM(absences / (reading + 1))", 0, 2_000_000, privacy.Step{Num: 1, Den: 10_000}, "", false},
		{"SUM(math / absences)", 0, 1_000_000, privacy.Step{Num: 1, Den: 1000}, "", true},
		{"SUM(math * reading * math)", 0, 1_000_000, privacy.Step{Num: 1000, Den: 1}, "", true},
		{"SUM(math * 3.14159265358979)", 0, 3_141_593, privacy.Step{Num: 1, Den: 1000}, "", true},
		{"SUM(math * 1e15)", 0, 1_000_000, privacy.Step{Num: 1_000_000_000_000, Den: 1}, "", true},
	} {
		p := plan(t, "SELECT "+test.aggregate+" AS x FROM kr_edu.students").Parts()
		a := p.Arguments[0]
		if a.Lower != test.lower || a.Upper != test.upper || a.Step != test.step || a.Column != test.column || a.Nullable != test.nullable || a.SumUnused {
			t.Errorf("%s: %d … %d of %v, column %q, nullable %v", test.aggregate, a.Lower, a.Upper, a.Step, a.Column, a.Nullable)
		}
	}
	p := plan(t, "SELECT SUM(fine) AS x FROM gb_shop.orders").Parts()
	if a := p.Arguments[0]; a.Upper != 1e12 || a.Step.Den != 1_000_000 {
		t.Errorf("a column keeps its own resolution: %+v", a)
	}
}

// The same aggregate is one draw, and COUNT(x) shares COUNT(*) where x is never NULL.
func TestSharing(t *testing.T) {
	p := plan(t, `SELECT COUNT(*) AS a, COUNT(reading) AS b, COUNT(math) AS c, AVG(math) AS d, SUM(math) AS e, SUM( math ) AS f
		FROM kr_edu.students HAVING COUNT(*) > 1 AND AVG(math) > 2 ORDER BY COUNT(gender)`).Parts()
	want := []Aggregate{{Kind: privacy.Count, Argument: -1}, {Kind: privacy.Count}, {Kind: privacy.Mean}, {Kind: privacy.Sum}}
	if !reflect.DeepEqual(p.Aggregates, want) || len(p.Arguments) != 1 || p.Arguments[0].SumUnused {
		t.Errorf("%+v %+v", p.Aggregates, p.Arguments)
	}
	q := plan(t, "SELECT COUNT(*) AS n FROM kr_edu.students ORDER BY SUM(math), COUNT(math), COUNT(immigrant)").Parts()
	want = []Aggregate{{Kind: privacy.Count, Argument: -1}, {Kind: privacy.Count}, {Kind: privacy.Count, Argument: 1}, {Kind: privacy.Sum, Argument: 1}}
	if !reflect.DeepEqual(q.Aggregates, want) || !q.Arguments[0].SumUnused || q.Arguments[1].Column != "math" {
		t.Errorf("%+v %+v", q.Aggregates, q.Arguments)
	}
}

func TestGroups(t *testing.T) {
	c := catalogue(t)
	for _, test := range []struct {
		keys         string
		bounds       Bounds
		groups       int // -1: private
		first, last  string
		contribution privacy.Contribution
	}{
		{"", Bounds{}, 1, "[]", "[]", privacy.Contribution{MaxPartitions: 1, MaxRowsPerPartition: 3, MaxRows: 3}},
		{"gender", Bounds{}, 2, `["female"]`, `["male"]`, privacy.Contribution{MaxPartitions: 2, MaxRowsPerPartition: 3, MaxRows: 3}},
		{"gender, wave", Bounds{}, 6, `["female",3]`, `["male",2]`, privacy.Contribution{MaxPartitions: 3, MaxRowsPerPartition: 3, MaxRows: 3}},
		{"wave, gender", Bounds{}, 6, `[3,"female"]`, `[2,"male"]`, privacy.Contribution{MaxPartitions: 3, MaxRowsPerPartition: 3, MaxRows: 3}},
		{"immigrant", Bounds{}, 2, "[false]", "[true]", privacy.Contribution{MaxPartitions: 2, MaxRowsPerPartition: 3, MaxRows: 3}},
		{"grade", Bounds{}, 6, "[7]", "[12]", privacy.Contribution{MaxPartitions: 3, MaxRowsPerPartition: 3, MaxRows: 3}},
		{"gender", Bounds{MaxPartitions: 1, MaxRowsPerPartition: 2}, 2, `["female"]`, `["male"]`, privacy.Contribution{MaxPartitions: 1, MaxRowsPerPartition: 2, MaxRows: 3}},
		{"gender", Bounds{MaxPartitions: 3}, 2, `["female"]`, `["male"]`, privacy.Contribution{MaxPartitions: 2, MaxRowsPerPartition: 3, MaxRows: 3}},
		{"school", Bounds{}, -1, "", "", privacy.Contribution{MaxPartitions: 3, MaxRowsPerPartition: 3, MaxRows: 3}},
		{"gender, country", Bounds{MaxPartitions: 2}, -1, "", "", privacy.Contribution{MaxPartitions: 2, MaxRowsPerPartition: 3, MaxRows: 3}},
	} {
		sql := "SELECT COUNT(*) AS n FROM kr_edu.students"
		if test.keys != "" {
			sql += " GROUP BY " + test.keys
		}
		plan, err := New(sql, c, test.bounds)
		if err != nil {
			t.Fatal(err)
		}
		p := plan.Parts()
		if p.Contribution != test.contribution {
			t.Errorf("%s: %+v", test.keys, p.Contribution)
		}
		if test.groups < 0 {
			if p.PublicKeys != nil {
				t.Errorf("%s: %v", test.keys, p.PublicKeys)
			}
			continue
		}
		if len(p.PublicKeys) != test.groups || p.PublicKeys[0] != test.first || p.PublicKeys[test.groups-1] != test.last {
			t.Errorf("%s: %v", test.keys, p.PublicKeys)
		}
	}
	p := plan(t, "SELECT COUNT(*) AS n FROM kr_edu.students GROUP BY country, wave, country").Parts()
	if len(p.Keys) != 2 || p.Keys[0].Domain != nil || !reflect.DeepEqual(p.Keys[1].Domain, []any{int64(3), int64(1), int64(2)}) {
		t.Errorf("a declared domain holds beside private keys: %+v", p.Keys)
	}
	for _, b := range []Bounds{{MaxPartitions: 4}, {MaxPartitions: -1}, {MaxRowsPerPartition: 4}, {MaxRowsPerPartition: math.MinInt64}} {
		_, err := New("SELECT COUNT(*) AS n FROM kr_edu.students", c, b)
		if err == nil || !strings.Contains(err.Error(), "must be from 1 to 3") {
			t.Errorf("%+v: %v", b, err)
		}
	}
}

func TestTooManyGroups(t *testing.T) {
	d := declare(t, `
unit_space: a/b
max_rows_per_unit: 5
columns:
  - {name: id, type: string, role: privacy_id}
  - {name: x, type: int64, role: key, lower: 1, upper: 1000}
  - {name: y, type: int64, role: key, lower: 1, upper: 100}
  - {name: z, type: bool, role: key}
  - {name: wide, type: int64, role: key, lower: 1, upper: 1001}
`)
	c := shelf{"a.t": d}
	p, err := New("SELECT COUNT(*) AS n FROM a.t GROUP BY x, y", c, Bounds{})
	if err != nil || len(p.Parts().PublicKeys) != 100_000 {
		t.Errorf("100,000 groups: %v", err)
	}
	if e := refused(t, c, "SELECT COUNT(*) AS n FROM a.t GROUP BY x, y, z"); !strings.Contains(e.Hint, "fewer") {
		t.Errorf("%+v", e)
	}
	if p, err = New("SELECT COUNT(*) AS n FROM a.t GROUP BY wide", c, Bounds{}); err != nil || p.Parts().PublicKeys != nil {
		t.Errorf("1,001 values are not listed: %v", err)
	}
}

func TestColumns(t *testing.T) {
	p := plan(t, "SELECT gender, COUNT(reading) AS a, COUNT(DISTINCT student_id) AS b, SUM(math) AS c FROM kr_edu.students WHERE born > '2000-01-01' GROUP BY gender").Parts()
	want := []DatasetUse{{ID: "kr_edu.students", UnitSpace: "kr_edu/student", Columns: []string{"born", "gender", "math"}}}
	if !reflect.DeepEqual(p.Datasets, want) {
		t.Errorf("%v: a column that the answer does not depend on is not touched", p.Datasets)
	}
	from := Relation{
		Op: Scan, Dataset: "kr_edu.students", ID: "student_id", MaxRank: 3, Units: []UnitRows{{Space: "kr_edu/student", Rows: 3}},
		Fields: []Field{{Name: "born", Type: Date}, {Name: "gender", Type: Text}, {Name: "math", Type: Number, Num: 1, Den: 1000, Nullable: true}},
	}
	if !reflect.DeepEqual(p.From, from) {
		t.Errorf("%+v", p.From)
	}
}

// Changing a copy of the content changes no plan.
func TestPartsIsACopy(t *testing.T) {
	p := plan(t, "SELECT gender, SUM(math) AS s FROM kr_edu.students WHERE math > 5 AND reading > 3 GROUP BY gender HAVING SUM(math) > 5 ORDER BY s LIMIT 3")
	before := p.Canonical()
	parts := p.Parts()
	parts.Filter.Args[0].Args[0].Column = "x"
	parts.Keys[0].Expr.Column, parts.Keys[0].Domain[0] = "x", "x"
	parts.Arguments[0].Expr.Column, parts.Aggregates[0].Kind = "x", privacy.Mean
	parts.PublicKeys[0], parts.Outputs[0].Name, parts.Datasets[0].Columns[0], parts.From.Fields[0].Name = "x", "x", "x", "x"
	parts.Having.Args[0].Released.Aggregate, parts.OrderBy[0].Descending, *parts.Limit = 7, true, 9
	if p.Canonical() != before || p.parts.PublicKeys[0] == "x" || p.parts.Keys[0].Domain[0] == "x" || p.parts.Datasets[0].Columns[0] == "x" || p.parts.From.Fields[0].Name == "x" {
		t.Errorf("%s", p.Canonical())
	}
}

// A plan's question passes the checks of package privacy.
func TestQuestion(t *testing.T) {
	loss := privacy.Loss{Epsilon: privacy.OneEpsilon, Delta: privacy.OneDelta / 1_000_000}
	for _, test := range accepted {
		if strings.Contains(test.sql, "1e15") {
			continue
		}
		p := plan(t, test.sql)
		q, err := p.Question(loss, nil, 0)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := privacy.NewSpec(q); err != nil {
			t.Errorf("%s\n%v", test.sql, err)
		}
		if len(q.Aggregates) != len(p.Parts().Aggregates) || q.Partitions.PreThreshold != 1 {
			t.Errorf("%s\n%+v", test.sql, q)
		}
	}
	p := plan(t, "SELECT gender, COUNT(math) AS n, AVG(reading) AS r, COUNT(math) AS m FROM kr_edu.students GROUP BY gender")
	q, err := p.Question(loss, map[string]int64{"n": 3, "m": 2}, 20)
	if err != nil || q.Aggregates[0].Weight != 3 || q.Aggregates[1].Weight != 0 {
		t.Errorf("%+v %v", q, err)
	}
	if q.Aggregates[0].NotNull || !q.Aggregates[1].NotNull || q.Aggregates[1].Upper != 100_000 || q.Partitions.PreThreshold != 20 {
		t.Errorf("%+v", q)
	}
	for _, weights := range []map[string]int64{{"gender": 1}, {"n": 0}, {"n": privacy.MaxWeight + 1}, {"x": 1}, {"n": 1, "n_low": 1}} {
		if _, err := p.Question(loss, weights, 1); !errors.Is(err, ErrWeight) {
			t.Errorf("%v: %v", weights, err)
		}
	}
}
