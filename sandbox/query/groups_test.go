package query

import (
	"reflect"
	"strings"
	"testing"

	"entrepot/datasets"
	"entrepot/privacy"
)

// Groups whose values follow from declarations and the text are public.
func TestPublicValues(t *testing.T) {
	c := catalogue(t)
	for _, test := range []struct {
		expr  string
		typ   datasets.Type
		count int // 0: the groups are private
		ends  []any
	}{
		{"gender", datasets.String, 2, []any{"female", "male"}}, {"country", datasets.String, 0, nil}, {"UPPER(gender)", datasets.String, 2, []any{"FEMALE", "MALE"}},
		{"COALESCE(country, 'none')", datasets.String, 0, nil}, {"NULLIF(gender, 'male')", datasets.String, 2, []any{"female", "male"}},
		{"CASE WHEN math < 500 THEN 'low' WHEN math < 700 THEN 'mid' ELSE 'high' END", datasets.String, 3, []any{"low", "high"}},
		{"CASE gender WHEN 'female' THEN 'f' WHEN 'male' THEN 'm' ELSE 'other' END", datasets.String, 3, []any{"f", "other"}},
		{"CASE WHEN immigrant THEN country ELSE 'x' END", datasets.String, 0, nil}, {"CASE WHEN immigrant THEN 'x' END", datasets.String, 1, []any{"x", "x"}},
		{"CASE WHEN FALSE THEN 'never' ELSE 'x' END", datasets.String, 1, []any{"x", "x"}}, {"immigrant", datasets.Bool, 2, []any{false, true}},
		{"math > 500 OR country = 'KR'", datasets.Bool, 2, []any{false, true}}, {"country IS NULL", datasets.Bool, 2, []any{false, true}},
		{"grade", datasets.Int64, 6, []any{int64(7), int64(12)}}, {"grade - 6", datasets.Int64, 6, []any{int64(1), int64(6)}}, {"school", datasets.Int64, 0, nil},
		{"school * 2", datasets.Float64, 0, nil}, {"wave", datasets.Int64, 3, []any{int64(3), int64(2)}}, {"grade * wave", datasets.Float64, 17, []any{7., 36.}},
		{"absences", datasets.Int64, 201, []any{int64(0), int64(200)}}, {"MOD(absences, 7)", datasets.Int64, 7, []any{int64(0), int64(6)}},
		{"absences / 200", datasets.Float64, 201, []any{0., 1.}}, {"balance", datasets.Float64, 0, nil}, {"ABS(balance)", datasets.Float64, 0, nil},
		{"ROUND(balance, -2)", datasets.Int64, 11, []any{int64(-500), int64(500)}}, {"ROUND(balance / 500, 1)", datasets.Float64, 21, []any{-1., 1.}},
		{"FLOOR(math / 100) * 100", datasets.Int64, 11, []any{int64(0), int64(1000)}}, {"FLOOR(math)", datasets.Int64, 0, nil}, {"CLAMP(FLOOR(math), 0, 99)", datasets.Int64, 100, []any{int64(0), int64(99)}},
		{"WIDTH_BUCKET(math, 0, 1000, 20)", datasets.Int64, 21, []any{int64(1), int64(21)}}, {"WIDTH_BUCKET(school, ARRAY[0, 100])", datasets.Int64, 3, []any{int64(0), int64(2)}},
		{"CASE WHEN school BETWEEN 1 AND 20 THEN school END", datasets.Int64, 20, []any{int64(1), int64(20)}}, {"CLAMP(school, -1, 9)", datasets.Int64, 11, []any{int64(-1), int64(9)}}, {"GREATEST(LEAST(school, 5), 1)", datasets.Int64, 0, nil},
		{"CASE WHEN school = 9007199254740993 THEN school END", datasets.Int64, 0, nil}, {"CASE WHEN school = -9223372036854775808 THEN school END", datasets.Int64, 0, nil},
		{"LENGTH(gender)", datasets.Int64, 2, []any{int64(4), int64(6)}}, {"LENGTH(country)", datasets.Int64, 0, nil}, {"CAST(immigrant AS int)", datasets.Int64, 2, []any{int64(0), int64(1)}},
		{"born", datasets.Date, 0, nil}, {"enrolled", datasets.Date, 397, []any{"2020-01-31", "2021-03-02"}}, {"seen", datasets.Timestamp, 0, nil},
		{"DATE_TRUNC('month', enrolled)", datasets.Date, 15, []any{"2020-01-01", "2021-03-01"}}, {"DATE_TRUNC('quarter', enrolled)", datasets.Date, 5, []any{"2020-01-01", "2021-01-01"}},
		{"DATE_TRUNC('week', enrolled)", datasets.Date, 58, []any{"2020-01-27", "2021-03-01"}}, {"DATE_TRUNC('year', born)", datasets.Date, 0, nil},
		{"DATE_TRUNC('hour', seen)", datasets.Timestamp, 770, []any{"2020-02-28T22:00:00Z", "2020-03-31T23:00:00Z"}}, {"DATE_TRUNC('minute', seen)", datasets.Timestamp, 0, nil},
		{"CAST(seen AS DATE)", datasets.Date, 33, []any{"2020-02-28", "2020-03-31"}}, {"DATE_TRUNC('month', enrolled) + INTERVAL '1 month'", datasets.Date, 15, []any{"2020-02-01", "2021-04-01"}},
		{"EXTRACT(YEAR FROM enrolled)", datasets.Int64, 2, []any{int64(2020), int64(2021)}}, {"EXTRACT(YEAR FROM born)", datasets.Int64, 0, nil},
		{"EXTRACT(MONTH FROM born)", datasets.Int64, 12, []any{int64(1), int64(12)}}, {"EXTRACT(DOW FROM seen)", datasets.Int64, 7, []any{int64(0), int64(6)}},
		{"EXTRACT(YEAR FROM born + 1)", datasets.Int64, 0, nil}, {"enrolled - DATE '2020-01-31'", datasets.Int64, 397, []any{int64(0), int64(396)}},
		{"CASE WHEN born >= '2020-01-01' AND born < '2020-01-08' THEN born END", datasets.Date, 8, []any{"2020-01-01", "2020-01-08"}},
		{"CAST(note AS int)", datasets.Int64, 0, nil}, {"CAST(note AS DATE)", datasets.Date, 0, nil}, {"note", datasets.String, 0, nil},
	} {
		sql := "SELECT COUNT(*) AS n FROM kr_edu.students GROUP BY " + test.expr
		p, err := New(sql, c, Bounds{})
		if err != nil {
			if test.expr != "balance" && test.expr != "ABS(balance)" {
				t.Errorf("%s: %v", test.expr, err)
			}
			continue
		}
		k := p.Parts().Keys[0]
		if k.Type != test.typ || len(k.Domain) != test.count {
			t.Errorf("%s: %s, %d values %v", test.expr, k.Type, len(k.Domain), k.Domain[:min(5, len(k.Domain))])
			continue
		}
		if test.count > 0 && !reflect.DeepEqual([]any{k.Domain[0], k.Domain[test.count-1]}, test.ends) {
			t.Errorf("%s: %v … %v", test.expr, k.Domain[0], k.Domain[test.count-1])
		}
		if (p.Parts().PublicKeys != nil) != (test.count > 0) {
			t.Errorf("%s: %d public groups", test.expr, len(p.Parts().PublicKeys))
		}
		checkRoundTrip(t, c, p)
	}
}

// GROUP BY expressions with their canonical text; "" when it is the question itself.
func TestGroupExpressions(t *testing.T) {
	c := catalogue(t)
	for _, test := range []struct{ sql, canonical string }{
		{"SELECT FLOOR(math / 100) AS bin, COUNT(*) AS n FROM kr_edu.students GROUP BY bin", "SELECT FLOOR(math / 100) AS bin, COUNT(*) AS n FROM kr_edu.students GROUP BY FLOOR(math / 100)"},
		{"SELECT FLOOR(math/100), COUNT(*) AS n FROM kr_edu.students GROUP BY 1", "SELECT FLOOR(math / 100) AS floor, COUNT(*) AS n FROM kr_edu.students GROUP BY FLOOR(math / 100)"},
		{"SELECT COUNT(*) AS n FROM kr_edu.students GROUP BY FLOOR(math / 100), FLOOR(math / 100)", "SELECT COUNT(*) AS n FROM kr_edu.students GROUP BY FLOOR(math / 100)"},
		{"SELECT DATE_TRUNC('month', enrolled) AS month, COUNT(*) AS n FROM kr_edu.students GROUP BY DATE_TRUNC('month', enrolled) ORDER BY month", ""},
		{"SELECT 500 < math AS good, COUNT(*) AS n FROM kr_edu.students GROUP BY math > 500 ORDER BY 1", "SELECT math > 500 AS good, COUNT(*) AS n FROM kr_edu.students GROUP BY math > 500 ORDER BY good"},
		{"SELECT COUNT(*) AS n FROM kr_edu.students GROUP BY FLOOR(math / 100) ORDER BY FLOOR(math / 100) DESC", ""},
		{"SELECT FLOOR(math / 100) AS bin, COUNT(*) AS n FROM kr_edu.students GROUP BY bin HAVING bin * 100 > 300", "SELECT FLOOR(math / 100) AS bin, COUNT(*) AS n FROM kr_edu.students GROUP BY FLOOR(math / 100) HAVING FLOOR(math / 100) * 100 > 300"},
		{"SELECT COUNT(*) AS n FROM kr_edu.students GROUP BY math > 500 HAVING NOT math > 500", ""},
		{"SELECT COUNT(*) AS n FROM kr_edu.students GROUP BY immigrant OR math > 5 HAVING (immigrant OR math > 5) AND COUNT(*) > 2", "SELECT COUNT(*) AS n FROM kr_edu.students GROUP BY immigrant OR math > 5 HAVING COUNT(*) > 2 AND (immigrant OR math > 5)"},
		{"SELECT COUNT(*) AS n FROM kr_edu.students GROUP BY grade + 1, grade HAVING grade + 1 + grade > 3", ""},
		{"SELECT grade AS math, COUNT(*) AS n FROM kr_edu.students GROUP BY grade", ""},
		{"SELECT DISTINCT country, grade FROM kr_edu.students", "SELECT country, grade FROM kr_edu.students GROUP BY country, grade"},
		{"SELECT country FROM kr_edu.students GROUP BY country ORDER BY country LIMIT 3", ""},
		{"SELECT DISTINCT LENGTH(country) AS l FROM kr_edu.students WHERE math > 3", "SELECT LENGTH(country) AS l FROM kr_edu.students WHERE math > 3 GROUP BY LENGTH(country)"},
	} {
		want := test.canonical
		if want == "" {
			want = test.sql
		}
		p := plan(t, test.sql)
		if got := p.Canonical(); got != want {
			t.Errorf("%s\n got %s\nwant %s", test.sql, got, want)
		}
		checkRoundTrip(t, c, p)
	}
	for _, test := range []struct{ sql, message, hint string }{
		{"SELECT COUNT(*) FROM kr_edu.students GROUP BY 'a'", "grouping by a constant", "leave it out"},
		{"SELECT COUNT(*) FROM kr_edu.students GROUP BY math", "measure with more than 1000 values", "WIDTH_BUCKET(math, "},
		{"SELECT COUNT(*) FROM kr_edu.students GROUP BY math / reading", "math / reading has too many values", "FLOOR(math / reading / 10)"},
		{"SELECT COUNT(*) FROM kr_edu.students GROUP BY math * 0.5", "too many values", "WIDTH_BUCKET"},
		{"SELECT COUNT(*) FROM kr_edu.students GROUP BY SUM(math)", "aggregate cannot stand in GROUP BY", ""},
		{"SELECT FLOOR(math / 10), COUNT(*) AS n FROM kr_edu.students GROUP BY FLOOR(math / 100)", "GROUP BY columns and aggregates only", "GROUP BY"},
		{"SELECT COUNT(*) AS n FROM kr_edu.students GROUP BY FLOOR(math / 100) HAVING math > 3", "measure of each row", "WHERE"},
		{"SELECT COUNT(*) AS n FROM kr_edu.students GROUP BY LENGTH(country) HAVING country = 'x'", "country is not in GROUP BY", "add it"},
		{"SELECT COUNT(*) AS n FROM kr_edu.students GROUP BY FLOOR(math / 100) ORDER BY FLOOR(math / 10)", "by an expression", "GROUP BY expression"},
		{"SELECT FLOOR(math / 100), FLOOR(math / 10), COUNT(*) AS n FROM kr_edu.students GROUP BY 1, 2", "two columns of the answer have the name floor", "AS"},
		{"SELECT DISTINCT gender, grade FROM kr_edu.students", "its groups are public", "COUNT(*)"},
		{"SELECT DISTINCT country, COUNT(*) FROM kr_edu.students", "aggregate cannot stand in SELECT DISTINCT", "leave DISTINCT out"},
		{"SELECT DISTINCT country FROM kr_edu.students GROUP BY country", "with GROUP BY", "leave DISTINCT out"},
		{"SELECT DISTINCT ON (country) country FROM kr_edu.students", "DISTINCT ON", "GROUP BY"},
		{"SELECT DISTINCT math FROM kr_edu.students", "measure with more than", "WIDTH_BUCKET"},
		{"SELECT DISTINCT student_id FROM kr_edu.students", "privacy ID", "COUNT(DISTINCT student_id)"},
	} {
		e := refused(t, c, test.sql)
		if !strings.Contains(e.Message, test.message) || !strings.Contains(e.Hint, test.hint) {
			t.Errorf("%s\n says %q, hint %q", test.sql, e.Message, e.Hint)
		}
	}
}

// Keys that are numbers are encoded as ECMAScript writes them, and read back.
func TestNumberKeys(t *testing.T) {
	for x, want := range map[float64]string{
		0: "[0]", 1: "[1]", -1.5: "[-1.5]", 0.1: "[0.1]", 1e21: "[1e+21]", 123456789012345680000: "[123456789012345680000]", 1e-6: "[0.000001]", 1e-7: "[1e-7]", 2.5e-12: "[2.5e-12]",
		-1e300: "[-1e+300]", 0.30000000000000004: "[0.30000000000000004]",
	} {
		if got := EncodeKey([]any{x}); got != want {
			t.Errorf("%g is %s, want %s", x, got, want)
		}
		if got, err := DecodeKey([]datasets.Type{datasets.Float64}, want); err != nil || got[0] != x {
			t.Errorf("%s is read as %v, %v", want, got, err)
		}
	}
	minus := 0.0
	if got := EncodeKey([]any{-minus}); got != "[0]" {
		t.Errorf("−0 is %s", got)
	}
	for _, odd := range []string{`[1.0]`, `["1"]`, `[-0]`, `[1e400]`, `[1E7]`, `[01]`, `[true]`} {
		if got, err := DecodeKey([]datasets.Type{datasets.Float64}, odd); err == nil {
			t.Errorf("%s is read as %v", odd, got)
		}
	}
}

// HAVING computes with a key whose values are integers.
func TestHavingOnNumberKeys(t *testing.T) {
	p := plan(t, "SELECT FLOOR(math / 100) AS bin, COUNT(*) AS n FROM kr_edu.students GROUP BY bin HAVING bin / 2 > 2 AND n > 1 ORDER BY bin DESC")
	result, err := p.answer([]privacy.Row{
		{Key: "[3]", Cells: []privacy.Cell{{Value: 7, Steps: 7}}}, {Key: "[5]", Cells: []privacy.Cell{{Value: 7, Steps: 7}}}, {Key: "[9]", Cells: []privacy.Cell{{Value: 7, Steps: 7}}},
	})
	if err != nil || len(result.Rows) != 2 || result.Rows[0][0].Value != int64(9) || result.Rows[1][0].Value != int64(5) {
		t.Errorf("%+v, %v", result.Rows, err)
	}
}
