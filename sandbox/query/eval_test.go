package query

import (
	"math"
	"strings"
	"testing"
)

// Each condition or number is evaluated on one row, through the planner.
func TestEval(t *testing.T) {
	values := map[string]any{
		"gender": "female", "country": nil, "grade": int64(9), "school": int64(math.MaxInt64), "immigrant": nil, "born": "2004-02-29",
		"tested": "2022-03-06T23:59:01.500000Z", "order": " Ünï Ab ", "wave": int64(1),
		"math": nil, "reading": int64(51234), "absences": int64(0), "balance": int64(-5),
	}
	row := func(c string) any { return values[c] }
	for _, test := range []struct {
		expr string
		want any
	}{
		{"reading", 512.34}, {"math", nil}, {"reading + 1", 513.34}, {"reading - math", nil}, {"balance * 2", -5.0}, {"-balance", 2.5},
		{"ABS(balance)", 2.5}, {"ROUND(balance)", -3.0}, {"FLOOR(balance)", -3.0}, {"CEIL(balance)", -2.0}, {"ROUND(-balance)", 3.0},
		{"reading / absences", nil}, {"reading / NULLIF(absences, 0)", nil}, {"1 / balance", -0.4},
		{"CLAMP(balance, -1, 1)", -1.0}, {"CLAMP(reading, 0, 1e3)", 512.34}, {"CLAMP(math, 0, 1)", nil},
		{"COALESCE(math, reading, 0)", 512.34}, {"NULLIF(grade, 9)", nil}, {"NULLIF(grade, 8) + 0.5", 9.5}, {"NULLIF(math, 1)", nil},
		{"CASE WHEN math > 1 THEN 1 WHEN immigrant THEN 2 ELSE 3 END", 3.0}, {"CASE WHEN math > 1 THEN 1 END", nil},
		{"CASE gender WHEN 'male' THEN 1 WHEN 'female' THEN 2 END", 2.0},
		{"school + 0.5", 9223372036854775808.0},
		{"LENGTH(\"order\")", 8.0}, {"LENGTH(TRIM(\"order\"))", 6.0}, {"LENGTH(country)", nil},
		{"EXTRACT(YEAR FROM born)", 2004.0}, {"EXTRACT(QUARTER FROM born)", 1.0}, {"EXTRACT(MONTH FROM born)", 2.0}, {"EXTRACT(DAY FROM born)", 29.0},
		{"EXTRACT(DOW FROM born)", 0.0}, {"EXTRACT(HOUR FROM tested)", 23.0}, {"EXTRACT(MINUTE FROM tested)", 59.0}, {"EXTRACT(DOW FROM tested)", 0.0},
		{"gender = 'female'", true}, {"gender <> 'female'", false}, {"country = 'x'", nil}, {"country IS NULL", true}, {"gender IS NOT NULL", true},
		{"gender < 'Female'", false}, {"LOWER(\"order\") = ' Ünï ab '", true}, {"UPPER(\"order\") = ' ÜNï AB '", true}, {"UPPER(\"order\") = ' ÜNÏ AB '", false},
		{"UPPER(TRIM(\"order\")) = 'ÜNï AB'", true},
		{"school = 9223372036854775807", true}, {"school = 9223372036854775806", false}, {"school > 9223372036854775806.5", false},
		{"math > 1 AND gender = 'x'", false}, {"math > 1 AND gender = 'female'", nil}, {"math > 1 OR gender = 'female'", true}, {"math > 1 OR gender = 'x'", nil},
		{"NOT immigrant", nil}, {"immigrant IS TRUE", false}, {"immigrant IS NOT TRUE", true}, {"immigrant IS FALSE", false}, {"immigrant IS NOT FALSE", true},
		{"immigrant IS UNKNOWN", true}, {"immigrant IS NOT UNKNOWN", false},
		{"gender IN ('male', 'female')", true}, {"gender NOT IN ('male', 'x')", true}, {"country IN ('a', 'b')", nil}, {"country NOT IN ('a', 'b')", nil},
		{"reading BETWEEN 512.34 AND 600", true}, {"reading NOT BETWEEN 512.34 AND 600", false}, {"math BETWEEN 1 AND 2", nil},
		{"born < '2004-03-01'", true}, {"born = DATE '2004-02-29'", true}, {"tested > '2022-03-06 23:59:01'", true}, {"tested < '2022-03-06 23:59:02'", true},
		{"tested = '2022-03-07 08:59:01.5+09:00'", true}, {"tested IN ('2022-03-06 23:59:01.5', '2022-03-06')", true},
		{"gender LIKE 'fe%'", true}, {"gender LIKE '_emale'", true}, {"gender LIKE '%e'", true}, {"gender LIKE 'e%'", false}, {"gender LIKE 'FEMALE'", false},
		{"\"order\" LIKE ' _n_ %'", true}, {"country LIKE '%'", nil}, {"gender NOT LIKE '%x%'", true},
	} {
		clause := "SELECT COUNT(*) AS n FROM kr_edu.students WHERE (" + test.expr + ") IS NULL"
		p := plan(t, clause).Parts()
		e := p.Filter
		if got := Eval(*e, row); got != (test.want == nil) {
			t.Errorf("(%s) IS NULL is %v", test.expr, got)
		}
		if got := Eval(e.Args[0], row); got != test.want && e.Op == OpIsNull {
			t.Errorf("%s is %v (%T), want %v", test.expr, got, got, test.want)
		}
	}
}

// What comes from elsewhere than New: values of another type are NULL, nothing panics.
func TestEvalOddValues(t *testing.T) {
	p := plan(t, "SELECT SUM(math + grade) AS s FROM kr_edu.students WHERE LOWER(country) LIKE 'a%' AND immigrant OR EXTRACT(YEAR FROM born) > 3 OR school IN (1, 2)").Parts()
	for _, odd := range []any{nil, 1, 2.5, "x", true, []byte("x"), struct{}{}} {
		row := func(string) any { return odd }
		Eval(*p.Filter, row)
		Eval(p.Arguments[0].Expr, row)
	}
	if Eval(*p.Filter, nil) != nil {
		t.Error("no row is not NULL")
	}
	if Eval(Expr{Op: OpReleased, Released: &Released{}}, nil) != nil || Eval(Expr{Op: "odd"}, nil) != nil || Eval(Expr{Op: OpAdd, Args: make([]Expr, 9)}, nil) != nil {
		t.Error("odd expressions are not NULL")
	}
}

func TestText(t *testing.T) {
	var ascii, other strings.Builder
	for c := rune(0); c < 0x3000; c++ {
		if c < 0x80 {
			ascii.WriteRune(c)
		} else {
			other.WriteRune(c)
		}
	}
	if lowerASCII(ascii.String()) != strings.ToLower(ascii.String()) || upperASCII(ascii.String()) != strings.ToUpper(ascii.String()) {
		t.Error("ASCII letters")
	}
	if lowerASCII(other.String()) != other.String() || upperASCII(other.String()) != other.String() {
		t.Error("other letters changed")
	}
	if ofText(Expr{Op: OpLength}, "é한\U0001F600e\u0301") != 5.0 {
		t.Error("LENGTH does not count code points")
	}
	if ofText(Expr{Op: OpTrim}, " \t a\u00a0  ") != "\t a\u00a0" {
		t.Error("TRIM takes other things than spaces")
	}
	for _, test := range []struct {
		text, pattern string
		want          bool
	}{
		{"", "", true}, {"", "%", true}, {"", "_", false}, {"a", "", false}, {"abc", "a%c", true}, {"abc", "a%b", false}, {"aXbXc", "%X%X%", true},
		{"한국", "__", true}, {"한국", "_", false}, {"a%b", "a%b", true}, {"a_b", "a_b", true}, {"aaab", "%ab", true}, {"mississippi", "%iss%ipp_", true},
		{"abcabd", "%ab_d", false}, {"abcabxd", "%ab_d", true}, {"%", "_", true}, {"x", "%%%%", true},
	} {
		if got := matches(test.text, test.pattern); got != test.want {
			t.Errorf("%q LIKE %q is %v", test.text, test.pattern, got)
		}
	}
	if matches(strings.Repeat("a", 4000), strings.Repeat("%a", 100)+"b") {
		t.Error("matches what it does not")
	}
}
