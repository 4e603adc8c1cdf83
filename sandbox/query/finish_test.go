package query

import (
	"encoding/json"
	"errors"
	"fmt"
	"reflect"
	"strings"
	"testing"

	"entrepot/datasets"
	"entrepot/privacy"
)

// cells makes the values of one group: whole numbers with intervals of ±2.
func cells(values ...int64) []privacy.Cell {
	var cs []privacy.Cell
	for _, v := range values {
		cs = append(cs, privacy.Cell{Value: float64(v), Low: float64(v) - 2, High: float64(v) + 2, Steps: v})
	}
	return cs
}

func answer(t *testing.T, p Plan, rows []privacy.Row) string {
	t.Helper()
	r, err := p.answer(rows)
	if err != nil {
		t.Fatal(err)
	}
	return shownAs(t, r)
}

// shownAs writes a result as JSON.
func shownAs(t *testing.T, r Result) string {
	t.Helper()
	var objects []string
	for _, row := range r.Rows {
		var members []string
		for i, v := range row {
			c := r.Columns[i]
			members = append(members, member(t, c.Name, v.Value))
			if c.Kind == AggregateColumn {
				members = append(members, member(t, c.Name+LowSuffix, v.Low), member(t, c.Name+HighSuffix, v.High))
			}
		}
		objects = append(objects, "{"+strings.Join(members, ",")+"}")
	}
	return "[" + strings.Join(objects, ",") + "]"
}

func member(t *testing.T, name string, value any) string {
	t.Helper()
	b, err := json.Marshal(value)
	if err != nil {
		t.Fatal(err)
	}
	return fmt.Sprintf("%q:%s", name, b)
}

func TestFinish(t *testing.T) {
	rows := []privacy.Row{
		{Key: `["female","KR"]`, Cells: cells(30, 5)},
		{Key: `["female",null]`, Cells: cells(10, 9)},
		{Key: `["male","GB"]`, Cells: cells(20, 5)},
		{Key: `["male","KR"]`, Cells: cells(-1, 7)},
	}
	head := "SELECT gender, country, COUNT(*) AS n FROM kr_edu.students GROUP BY gender, country"
	const (
		fk = `{"gender":"female","country":"KR","n":30,"n_low":28,"n_high":32}`
		fn = `{"gender":"female","country":null,"n":10,"n_low":8,"n_high":12}`
		mg = `{"gender":"male","country":"GB","n":20,"n_low":18,"n_high":22}`
		mk = `{"gender":"male","country":"KR","n":-1,"n_low":-3,"n_high":1}`
	)
	for _, test := range []struct{ clauses, want string }{
		{" ORDER BY COUNT(DISTINCT student_id)", "[" + fk + "," + mg + "," + mk + "," + fn + "]"},
		{" ORDER BY COUNT(DISTINCT student_id) DESC", "[" + fn + "," + mk + "," + fk + "," + mg + "]"},
		{" ORDER BY country, n, COUNT(DISTINCT student_id)", "[" + mg + "," + mk + "," + fk + "," + fn + "]"},
		{" ORDER BY country DESC, COUNT(DISTINCT student_id)", "[" + fk + "," + mk + "," + mg + "," + fn + "]"},
		{" ORDER BY n, COUNT(DISTINCT student_id) LIMIT 2", "[" + mk + "," + fn + "]"},
		{" HAVING n > 0 AND COUNT(DISTINCT student_id) < 9", "[" + fk + "," + mg + "]"},
		{" HAVING country = 'KR' OR COUNT(DISTINCT student_id) = 9", "[" + fk + "," + fn + "," + mk + "]"},
		{" HAVING country <> 'KR' AND COUNT(DISTINCT student_id) > 0", "[" + mg + "]"},
		{" HAVING COUNT(DISTINCT student_id) > 100", "[]"},
		{" ORDER BY n, COUNT(DISTINCT student_id) LIMIT 2 OFFSET 1", "[" + fn + "," + mg + "]"},
		{" ORDER BY n, COUNT(DISTINCT student_id) OFFSET 3", "[" + fk + "]"},
		{" ORDER BY COUNT(DISTINCT student_id) LIMIT 3 OFFSET 4", "[]"},
		{" HAVING n > 10 ORDER BY COUNT(DISTINCT student_id) OFFSET 2000000000", "[]"},
	} {
		if got := answer(t, plan(t, head+test.clauses), rows); got != test.want {
			t.Errorf("%s\n got %s\nwant %s", test.clauses, got, test.want)
		}
	}
}

func TestFinishTypes(t *testing.T) {
	p := plan(t, `SELECT grade, immigrant, tested, SUM(absences) AS a, SUM(math) AS s, AVG(reading) AS r, COUNT(math) AS n, COUNT(DISTINCT student_id) AS u
		FROM kr_edu.students GROUP BY grade, immigrant, tested ORDER BY tested DESC`)
	rows := []privacy.Row{
		{Key: `[7,true,"2022-03-01T10:00:00.500000Z"]`, Cells: []privacy.Cell{{Value: 12, Steps: 12, Low: 1, High: 20}, {Value: 1.234, Steps: 1234, Low: 1, High: 2}, {Value: 500.5, Low: 1, High: 2}, {Value: 3, Steps: 3}, {Value: 2, Steps: 2}}},
		{Key: `[8,false,"2022-03-01T10:00:00Z"]`, Cells: cells(1, 2, 3, 4, 5)},
		{Key: `[9,null,"2022-03-01T10:00:01Z"]`, Cells: cells(1, 2, 3, 4, 5)},
	}
	r, err := p.answer(rows)
	if err != nil {
		t.Fatal(err)
	}
	var types []datasets.Type
	for _, c := range r.Columns {
		types = append(types, c.Type)
	}
	want := []datasets.Type{datasets.Int64, datasets.Bool, datasets.Timestamp, datasets.Int64, datasets.Float64, datasets.Float64, datasets.Int64, datasets.Int64}
	if !reflect.DeepEqual(types, want) || !reflect.DeepEqual(r.Columns, p.Columns()) {
		t.Errorf("%v", types)
	}
	if r.Rows[0][0].Value != int64(9) || r.Rows[1][0].Value != int64(7) || r.Rows[2][0].Value != int64(8) {
		t.Errorf("timestamps are ordered by time: %v", r.Rows)
	}
	var got []any
	for _, v := range r.Rows[1] {
		got = append(got, v.Value)
	}
	if w := []any{int64(7), true, "2022-03-01T10:00:00.500000Z", int64(12), 1.234, 500.5, int64(3), int64(2)}; !reflect.DeepEqual(got, w) {
		t.Errorf("%#v", got)
	}
}

// Finish does not change what it was given, and refuses what is not its own.
func TestFinishForeign(t *testing.T) {
	p := plan(t, "SELECT gender, COUNT(*) AS n FROM kr_edu.students GROUP BY gender")
	for _, rows := range [][]privacy.Row{
		{{Key: "[]", Cells: cells(1)}}, {{Key: "[1]", Cells: cells(1)}}, {{Key: `["a","b"]`, Cells: cells(1)}},
		{{Key: `["a"]`, Cells: cells(1, 2)}}, {{Key: `["a"]`}}, {{Key: "x", Cells: cells(1)}}, {{Cells: cells(1)}},
	} {
		if _, err := p.answer(rows); !errors.Is(err, ErrRelease) {
			t.Errorf("%v: %v", rows, err)
		}
	}
}

// A release of the plan's own question, noise and all, makes an answer.
func TestFinishRelease(t *testing.T) {
	p := plan(t, "SELECT gender, COUNT(*) AS n, AVG(reading) AS r FROM kr_edu.students GROUP BY gender ORDER BY gender DESC")
	q, err := p.Question(privacy.Loss{Epsilon: privacy.OneEpsilon}, nil, 1)
	if err != nil {
		t.Fatal(err)
	}
	spec, err := privacy.NewSpec(q)
	if err != nil {
		t.Fatal(err)
	}
	release, err := privacy.Run(spec, privacy.NewPartials(spec.Shape(), nil))
	if err != nil {
		t.Fatal(err)
	}
	r, err := p.Finish(release)
	if err != nil || len(r.Rows) != 2 || r.Rows[0][0].Value != "male" || r.Rows[1][0].Value != "female" {
		t.Errorf("%+v %v", r, err)
	}
}

func TestKeys(t *testing.T) {
	types := []datasets.Type{datasets.String, datasets.Int64, datasets.Bool, datasets.Date, datasets.Timestamp}
	for _, test := range []struct {
		values []any
		key    string
	}{
		{[]any{"a", int64(1), true, "2020-01-31", "2020-01-31T10:00:00Z"}, `["a",1,true,"2020-01-31","2020-01-31T10:00:00Z"]`},
		{[]any{nil, nil, nil, nil, nil}, `[null,null,null,null,null]`},
		{[]any{"<&>\u2028\"\\\n\x01\x1f한 \U0001F600", int64(-1 << 63), false, "0001-01-01", "9999-12-31T23:59:59.000001Z"},
			"[\"<&>\u2028\\\"\\\\\\n\\u0001\\u001f한 \U0001F600\",-9223372036854775808,false,\"0001-01-01\",\"9999-12-31T23:59:59.000001Z\"]"},
	} {
		key := EncodeKey(test.values)
		if key != test.key {
			t.Errorf("%s, want %s", key, test.key)
		}
		if back, err := DecodeKey(types, key); err != nil || !reflect.DeepEqual(back, test.values) {
			t.Errorf("%s: %#v %v", key, back, err)
		}
	}
	if EncodeKey(nil) != "[]" {
		t.Error(EncodeKey(nil))
	}
	for _, bad := range []string{
		"", "[]", "null", `["a"]`, `[1,1,true,"2020-01-31","2020-01-31T10:00:00Z"]`, `["a",1.5,true,"2020-01-31","2020-01-31T10:00:00Z"]`,
		`["a",1,1,"2020-01-31","2020-01-31T10:00:00Z"]`, `["a",1,true,"2020-02-31","2020-01-31T10:00:00Z"]`, `["a",1,true,"2020-01-31","2020-01-31"]`,
		`["a",1,true,"2020-01-31","2020-01-31T10:00:00.500Z"]`, `["a",1,true,"2020-01-31","2020-01-31T10:00:00Z"] x`, `["a",9223372036854775808,true,null,null]`, `["a",{},true,null,null]`,
	} {
		if v, err := DecodeKey(types, bad); !errors.Is(err, ErrKey) {
			t.Errorf("%s: %v %v", bad, v, err)
		}
	}
}

func FuzzKey(f *testing.F) {
	f.Add("a\"b", int64(7), true)
	f.Fuzz(func(t *testing.T, s string, n int64, b bool) {
		types := []datasets.Type{datasets.String, datasets.Int64, datasets.Bool}
		back, err := DecodeKey(types, EncodeKey([]any{s, n, b}))
		if err != nil || back[1] != n || back[2] != b {
			t.Errorf("%q: %v %v", s, back, err)
		}
	})
}
