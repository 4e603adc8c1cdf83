package query

import (
	"errors"
	"strings"
	"testing"
)

// evaluated is one row for the tables of expressions; what it leaves out is NULL.
func evaluated(column string) any {
	return map[string]any{
		"gender": "female", "grade": int64(9), "school": int64(-7), "immigrant": true, "born": "2004-02-29", "wave": int64(1),
		"tested": "2022-03-06T23:59:01.999999Z", "enrolled": "2020-01-31", "seen": "2020-02-29T01:30:59Z", "note": "-12.50",
		"order": "2020-02-30", "reading": int64(51234), "absences": int64(17), "balance": int64(-5),
	}[column]
}

// Each expression is evaluated on one row. Its canonical text means the same expression.
func TestExpressions(t *testing.T) {
	c := catalogue(t)
	for _, test := range []struct {
		expr string
		want any
	}{
		// rounding, remainders, extremes, buckets
		{"ROUND(reading, 1)", 512.3}, {"ROUND(reading, 0)", 512.0}, {"ROUND(reading, -2)", 500.0}, {"ROUND(-reading, 1)", -512.3},
		{"ROUND(CLAMP(0.125 * grade, 0, 9), 2)", 1.13}, {"ROUND(math, 2)", nil},
		{"absences % 5", 2.0}, {"MOD(absences, 17)", 0.0}, {"MOD(school, 5)", 3.0}, {"balance % 1", 0.5}, {"math % 2", nil},
		{"GREATEST(reading, 600)", 600.0}, {"LEAST(600, reading)", 512.34}, {"GREATEST(math, 1, absences)", 17.0}, {"LEAST(math, country)", errType},
		{"GREATEST(math, math)", nil}, {"LEAST(math, 3)", 3.0}, {"GREATEST(gender, 'male')", "male"}, {"LEAST(born, '2004-03-01')", "2004-02-29"},
		{"WIDTH_BUCKET(reading, 0, 1000, 10)", 6.0}, {"WIDTH_BUCKET(reading, 512.34, 600, 2)", 1.0}, {"WIDTH_BUCKET(balance, 0, 1, 4)", 0.0},
		{"WIDTH_BUCKET(reading, 0, 512.34, 4)", 5.0}, {"WIDTH_BUCKET(reading, ARRAY[512.34])", 1.0}, {"WIDTH_BUCKET(reading, ARRAY[512.35, 1e3])", 0.0},
		{"WIDTH_BUCKET(math, 0, 1, 4)", nil}, {"WIDTH_BUCKET(grade, ARRAY[1, 9, 10])", 2.0}, {"WIDTH_BUCKET(CLAMP(grade * 0.01, 0, 1), 0, 0.3, 10)", 4.0},
		// casts
		{"CAST(note AS DOUBLE PRECISION)", -12.5}, {"note::numeric", -12.5}, {"CAST(note AS int)", -13.0}, {"CAST(gender AS int)", nil}, {"CAST(country AS int)", nil},
		{"CAST(reading AS bigint)", 512.0}, {"CAST(grade AS DOUBLE PRECISION) = 9", true}, {"CAST(immigrant AS int)", 1.0}, {"CAST(NOT immigrant AS int)", 0.0},
		{"CAST(math > 3 AS int)", nil}, {"CAST('12' AS int) + grade", 21.0}, {"CAST(note AS DATE)", nil}, {"CAST(\"order\" AS DATE)", nil},
		{"CAST(tested AS DATE)", "2022-03-06"}, {"CAST(born AS TIMESTAMP)", "2004-02-29T00:00:00Z"}, {"CAST(gender AS text) = 'female'", true},
		// parts of dates
		{"EXTRACT(WEEK FROM born)", 9.0}, {"EXTRACT(SECOND FROM tested)", 1.0}, {"DATE_PART('year', tested)", 2022.0}, {"EXTRACT(WEEK FROM DATE_TRUNC('year', born))", 1.0},
		{"EXTRACT(WEEK FROM born + 307)", 53.0}, {"EXTRACT(EPOCH FROM seen)", 1582939859.0}, {"EXTRACT(EPOCH FROM seen - '2020-02-29')", 5459.0},
		{"EXTRACT(EPOCH FROM tested - TIMESTAMP '2022-03-07 00:00:00')", -58.000001}, {"EXTRACT(EPOCH FROM seen - enrolled)", 2511059.0},
		{"EXTRACT(EPOCH FROM seen - INTERVAL '1 day')", 1582853459.0},
		// truncation
		{"DATE_TRUNC('year', born)", "2004-01-01"}, {"DATE_TRUNC('quarter', tested)", "2022-01-01T00:00:00Z"}, {"DATE_TRUNC('month', born)", "2004-02-01"},
		{"DATE_TRUNC('week', born)", "2004-02-23"}, {"DATE_TRUNC('WEEK', tested)", "2022-02-28T00:00:00Z"}, {"DATE_TRUNC('day', born)", "2004-02-29"},
		{"DATE_TRUNC('day', tested)", "2022-03-06T00:00:00Z"}, {"DATE_TRUNC('hour', tested)", "2022-03-06T23:00:00Z"}, {"DATE_TRUNC('minute', tested)", "2022-03-06T23:59:00Z"},
		{"DATE_TRUNC('week', DATE '0001-01-03') = '0001-01-01'", true}, {"DATE_TRUNC('quarter', DATE '1969-12-31') = DATE '1969-10-01'", true},
		// moving
		{"born + 1", "2004-03-01"}, {"born - 366", "2003-02-28"}, {"1 + born", "2004-03-01"}, {"born + INTERVAL '1 year'", "2005-02-28"}, {"born + INTERVAL '4 years'", "2008-02-29"},
		{"enrolled + INTERVAL '1 month'", "2020-02-29"}, {"enrolled - INTERVAL '1' MONTH", "2019-12-31"}, {"enrolled + INTERVAL '1 month 1 day'", "2020-03-01"},
		{"INTERVAL '2 weeks' + enrolled", "2020-02-14"}, {"enrolled + INTERVAL '36 hours'", "2020-02-01T12:00:00Z"}, {"tested + INTERVAL '1 second'", "2022-03-06T23:59:02.999999Z"},
		{"tested - INTERVAL '1 hour 59 minutes 1 second'", "2022-03-06T22:00:00.999999Z"}, {"enrolled + INTERVAL '1 quarter'", "2020-04-30"},
		{"born + INTERVAL '7995 years'", "9999-02-28"}, {"born + INTERVAL '7996 years'", nil}, {"born - INTERVAL '2004 years'", nil}, {"born - 731639", "0001-01-01"}, {"born - 731640", nil},
		{"tested + INTERVAL '7978 years'", nil}, {"born + INTERVAL '0 days' = born", true}, {"DATE '2020-01-31' + INTERVAL '1 month' = '2020-02-29'", true},
		// differences
		{"born - DATE '2004-01-01'", 59.0}, {"enrolled - born", 5815.0}, {"born - enrolled", -5815.0}, {"DATE '2020-03-01' - DATE '2020-02-28'", 2.0}, {"born - '2004-02-28'", 1.0},
		// a condition narrows what it compares
		{"CASE WHEN school BETWEEN -10 AND 10 THEN school END", int64(-7)}, {"CASE WHEN enrolled < '2020-01-15' THEN enrolled END", nil},
	} {
		x, err := lowered(t, c, test.expr)
		if test.want == errType {
			if err == nil {
				t.Errorf("%s is planned", test.expr)
			}
			continue
		}
		if err != nil {
			t.Errorf("%s: %v", test.expr, err)
			continue
		}
		if got := Eval(x.expr, evaluated); got != test.want {
			t.Errorf("%s is %v (%T), want %v", test.expr, got, got, test.want)
		}
		checkTerm(t, x, test.expr, evaluated)
		text := writer{&Parts{}}.expr(x.expr)
		again, err := lowered(t, c, text)
		if err != nil || !equal(again.expr, x.expr) {
			t.Errorf("%s is written as %s, which means something else: %v", test.expr, text, err)
		}
	}
}

// errType marks expressions of which the types do not go together.
const errType = "types"

// Operations that plans never hold in this form are still the same in every engine.
func TestEvalMoments(t *testing.T) {
	add := func(typ Type, from string, n int64, unit string) any {
		return Eval(Expr{Op: OpDateAdd, Type: typ, Int: n, Text: unit, Args: []Expr{{Op: OpLiteral, Type: typ, Text: from}}}, nil)
	}
	for _, test := range []struct {
		typ  Type
		from string
		n    int64
		unit string
		want any
	}{
		{Date, "2020-02-29", 1, "year", "2021-02-28"}, {Date, "2020-02-29", -4, "year", "2016-02-29"}, {Date, "2020-12-31", 2, "month", "2021-02-28"},
		{Date, "2020-12-31", 1, "week", "2021-01-07"}, {Date, "2020-12-31", 1, "day", "2021-01-01"}, {Date, "2020-12-31", 1, "hour", nil}, {Date, "9999-12-31", 1, "day", nil},
		{Date, "0001-01-01", -1, "month", nil}, {Date, "0001-01-01", -1, "day", nil}, {Date, "0001-01-31", 1, "month", "0001-02-28"}, {Date, "9999-12-31", -9998, "year", "0001-12-31"},
		{Date, "2020-01-01", 1 << 62, "day", nil}, {Date, "2020-01-01", -1 << 63, "month", nil}, {Date, "2020-01-01", 1, "fortnight", nil}, {Date, "x", 1, "day", nil},
		{Timestamp, "1969-12-31T23:59:59.500000Z", 1, "second", "1970-01-01T00:00:00.500000Z"}, {Timestamp, "2020-01-31T12:00:00Z", 1, "month", "2020-02-29T12:00:00Z"},
		{Timestamp, "2020-01-31T12:00:00Z", -90, "minute", "2020-01-31T10:30:00Z"}, {Timestamp, "9999-12-31T23:59:59.999999Z", 1, "second", nil},
	} {
		if got := add(test.typ, test.from, test.n, test.unit); got != test.want {
			t.Errorf("%s and %d %s is %v, want %v", test.from, test.n, test.unit, got, test.want)
		}
	}
	for text, want := range map[string]any{
		"0": 0.0, "-0": 0.0, "007": 7.0, "1.50": 1.5, "-0.1": -0.1, "123456789012345": 123456789012345.0, "1234567890.12345": 1234567890.12345, "0.00000000000001": 1e-14,
		"1234567890123456": nil, "0.000000000000001": nil, "": nil, "-": nil, ".5": nil, "5.": nil, "+5": nil, " 5": nil, "5 ": nil, "1e5": nil, "--5": nil, "1.2.3": nil,
		"１": nil, "0x1": nil, "NaN": nil, "Infinity": nil, "1,5": nil, "1_0": nil,
	} {
		if got := ofText(Expr{Op: OpParseNumber}, text); got != want {
			t.Errorf("%q as a number is %v, want %v", text, got, want)
		}
	}
	for text, want := range map[string]any{
		"2020-02-29": "2020-02-29", "0001-01-01": "0001-01-01", "9999-12-31": "9999-12-31", "2021-02-29": nil, "0000-12-31": nil, "2020-2-9": nil, "20200229": nil,
		" 2020-02-29": nil, "2020-02-29Z": nil, "2020-13-01": nil, "10000-01-01": nil, "": nil, "2020/02/29": nil,
	} {
		if got := ofText(Expr{Op: OpParseDate}, text); got != want {
			t.Errorf("%q as a date is %v, want %v", text, got, want)
		}
	}
}

// Expressions that are refused: ¦ marks the place, and message and hint hold the words given.
func TestExpressionsRefused(t *testing.T) {
	c := catalogue(t)
	for _, test := range []struct{ expr, message, hint string }{
		{"born + ¦math", "not a constant integer", "x + 30"},
		{"tested ¦+ 1", "arithmetic with a timestamp", "INTERVAL '1 month'"},
		{"¦born * 2", "number is needed", "EXTRACT(YEAR"},
		{"born ¦+ enrolled", "arithmetic with a date", "a - b of two dates"},
		{"tested ¦- seen", "an interval, which is not supported", "EXTRACT(EPOCH FROM a - b)"},
		{"born + INTERVAL ¦'1.5 days'", "the interval '1.5 days'", "whole numbers"},
		{"born + INTERVAL ¦'P1M'", "the interval", "INTERVAL '3 months'"},
		{"born + INTERVAL ¦'1 month ago'", "the interval", "whole numbers"},
		{"INTERVAL ¦'1 day'", "beside + and -", "x + INTERVAL"},
		{"¦math + INTERVAL '1 day'", "an interval is added to it", "dates and timestamps"},
		{"DATE '9999-12-01' ¦+ 31", "outside the years 1 to 9999", "add less"},
		{"enrolled ¦+ INTERVAL '8000 years'", "outside the years 1 to 9999", "add less"},
		{"EXTRACT(HOUR FROM ¦enrolled)", "no hour", "timestamp"},
		{"¦EXTRACT(EPOCH FROM born - enrolled)", "needs a timestamp", "a - b"},
		{"EXTRACT(DECADE FROM born)", "EXTRACT of decade", "QUARTER"},
		{"DATE_TRUNC('hour', ¦born)", "no hour", "timestamp"},
		{"DATE_TRUNC('month', ¦gender)", "no month", "date"},
		{"DATE_TRUNC(¦gender, born)", "DATE_TRUNC to", "month"},
		{"CAST(¦math AS text)", "casting a number to text", "group by the value"},
		{"CAST(¦math AS boolean)", "casting a number to bool", "x <> 0"},
		{"CAST(¦gender AS timestamp)", "casting text to timestamp", "CAST(x AS DATE)"},
		{"CAST(¦born AS int)", "casting a date", "text becomes"},
		{"CAST(¦math AS numeric(10, 2))", "with a length, a precision", "ROUND(x, 2)"},
		{"CAST(¦'x' AS int)", "'x' is not a number", "without quotes"},
		{"CAST(¦NULL AS int)", "NULL is not cast", "CASE"},
		{"WIDTH_BUCKET(math, 0, 100, ¦1000)", "number of buckets", "10"},
		{"¦WIDTH_BUCKET(math, 100, 0, 10)", "not below its upper limit", "smaller limit first"},
		{"WIDTH_BUCKET(math, ¦reading, 0, 10)", "limits of WIDTH_BUCKET", "WIDTH_BUCKET(x"},
		{"WIDTH_BUCKET(math, ARRAY[1, ¦1])", "do not ascend", "ascending"},
		{"WIDTH_BUCKET(math, ARRAY[1, ¦reading])", "not a constant number", "ascending"},
		{"¦WIDTH_BUCKET(math, 1)", "this form of WIDTH_BUCKET", "count"},
		{"WIDTH_BUCKET(¦gender, 0, 1, 2)", "a number is needed", "CAST"},
		{"MOD(math, ¦0)", "not a positive constant", "x % 10"},
		{"math % ¦-3", "not a positive constant", "x % 10"},
		{"ROUND(math, ¦20)", "digits of ROUND", "-15 to 15"},
		{"GREATEST(math, ¦NULL)", "changes nothing", "leave it out"},
		{"¦GREATEST(1,2,3,4,5,6,7,8,9,10,11)", "more than 10", "nest"},
		{"¦GREATEST(immigrant, TRUE)", "no order", "IS TRUE"},
		{"¦ABS(math) FILTER (WHERE TRUE)", "no FILTER", ""},
	} {
		at := strings.Index(test.expr, "¦")
		_, err := lowered(t, c, strings.Replace(test.expr, "¦", "", 1))
		var e *Error
		if !errors.As(err, &e) {
			t.Errorf("%s: %v", test.expr, err)
			continue
		}
		if !strings.Contains(e.Message, test.message) || !strings.Contains(e.Hint, test.hint) {
			t.Errorf("%s: %v", test.expr, err)
		}
		if place := at + len("SELECT (") + 1; at >= 0 && e.Column != place {
			t.Errorf("%s: points to column %d, want %d", test.expr, e.Column, place)
		}
	}
}
