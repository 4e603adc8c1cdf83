package query

import (
	"fmt"
	"strings"
	"testing"
	"time"
)

// The deepest texts that fit are refused, quickly, without a crash: the parser is C.
func TestDeepest(t *testing.T) {
	c := catalogue(t)
	head, tail := "SELECT COUNT(*) AS n FROM kr_edu.students WHERE ", " > 1"
	for _, form := range []struct{ open, middle, closing string }{
		{"(", "math", ")"}, {"+-", "math", ""}, {"- ", "math", ""}, {"+ ", "math", ""}, {"-(", "math", ")"},
		{"NOT ", "immigrant", ""}, {"not(", "immigrant", ")"}, {"abs(", "math", ")"}, {"f(", "math", ")"},
		{"math+", "math", ""}, {"math+(", "math", ")"}, {"math/(", "math", ")"}, {"", "math", "/math"}, {"", "math", "+1"},
		{"CASE WHEN ", "immigrant", " THEN 1 END=1"}, {"CASE ", "math", " WHEN 1 THEN 2 WHEN 3 THEN 4 END"},
		{"COALESCE(", "math", ",1)"}, {"NULLIF(", "math", ",1)"}, {"(SELECT ", "1", ")"}, {"EXISTS(SELECT ", "1", ")"},
		{"ARRAY[", "1", "]"}, {"1=ANY(", "1", ")"}, {"(", "math", ",1)"}, {"ROW(", "math", ")"},
		{"", "immigrant", " IS TRUE"}, {"", "immigrant", " IS NULL"}, {"", "math", "::int"}, {"", "math", "[1]"},
		{"(", "immigrant", " BETWEEN TRUE AND FALSE)"}, {"(", "immigrant", ")=(immigrant)"}, {"immigrant=(", "immigrant", ")"},
		{"", "gender", " COLLATE \"C\""}, {"CLAMP(", "math", ",1,2)"}, {"EXTRACT(YEAR FROM ", "born", ")"},
		{"", "immigrant", " AND immigrant OR immigrant"}, {"!", "math", ""}, {"@ ", "math", ""}, {"/*", "", ""}, {"(VALUES(", "1", "))"},
	} {
		for _, limit := range []int{MaxText, MaxTokens} {
			n := (limit - len(head) - len(form.middle) - len(tail)) / (len(form.open) + len(form.closing))
			for _, end := range []string{tail, ""} {
				sql := head + strings.Repeat(form.open, n) + form.middle + strings.Repeat(form.closing, n) + end
				start := time.Now()
				if p, err := New(sql, c, Bounds{}); err == nil && len(p.Canonical()) > MaxText {
					t.Errorf("%q: a canonical text of %d bytes", form.open+form.closing, len(p.Canonical()))
				}
				if took := time.Since(start); took > 2*time.Second {
					t.Errorf("%q takes %v", form.open+form.closing, took)
				}
			}
		}
	}
	for _, sql := range []string{
		strings.Repeat("SELECT 1 UNION ", 1000) + "SELECT 1",
		"SELECT COUNT(*) FROM " + strings.Repeat("(", 4000) + "kr_edu.students" + strings.Repeat(")", 4000),
		"SELECT COUNT(*) FROM kr_edu.students " + strings.Repeat("JOIN a.b ON TRUE ", 900),
		"SELECT " + strings.Repeat("COUNT(*),", 1700) + "1 FROM kr_edu.students",
		strings.Repeat(";", 16000),
		strings.Repeat("-", 16000),
		strings.Repeat("- ", 8000),
		strings.Repeat("\"", 16000),
		strings.Repeat("'", 16000),
		strings.Repeat("$", 16000),
		strings.Repeat("((((", 4096),
		"SELECT COUNT(*) FROM kr_edu.students GROUP BY " + strings.Repeat("(", 1000) + "gender" + strings.Repeat(")", 999),
		"SELECT COUNT(*) FROM kr_edu.students WHERE " + strings.Repeat("+", 300) + "math > 1",
	} {
		refused(t, c, sql)
	}
}

// Long lists take time in proportion.
func TestWide(t *testing.T) {
	c := catalogue(t)
	list := func(n int, item string) string {
		var items []string
		for i := range n {
			items = append(items, strings.ReplaceAll(item, "#", fmt.Sprint(i)))
		}
		return strings.Join(items, ",")
	}
	for _, sql := range []string{
		"SELECT " + list(500, "COUNT(*)AS a#") + " FROM kr_edu.students",
		"SELECT COUNT(*) AS n FROM kr_edu.students ORDER BY " + list(1500, "n"),
		"SELECT COUNT(*) AS n FROM kr_edu.students GROUP BY " + list(1500, "wave"),
		"SELECT COUNT(*) AS n FROM kr_edu.students WHERE math IN (" + list(1000, "#.5") + ")",
		"SELECT COUNT(*) AS n FROM kr_edu.students WHERE " + strings.ReplaceAll(list(700, "math>#"), ",", " OR "),
		"SELECT " + list(64, "SUM(math*#1)AS a#") + " FROM kr_edu.students",
		"SELECT COUNT(*) AS n FROM kr_edu.students HAVING COALESCE(" + list(800, "SUM(math)") + ") > 1",
	} {
		start := time.Now()
		p, err := New(sql, c, Bounds{})
		if took := time.Since(start); took > time.Second {
			t.Errorf("%.60s… takes %v", sql, took)
		}
		if err != nil {
			t.Errorf("%.60s…: %v", sql, err)
			continue
		}
		checkRoundTrip(t, c, p)
	}
	refused(t, c, "SELECT "+list(65, "SUM(math*#1)AS a#")+" FROM kr_edu.students")
}

// Nesting that repeats an operand (BETWEEN, CASE x WHEN, a divisor) cannot make a small text a large plan.
func TestSize(t *testing.T) {
	c := catalogue(t)
	between := "immigrant"
	for range 40 {
		between = "(" + between + " BETWEEN immigrant AND immigrant)"
	}
	same := "immigrant"
	for range 40 {
		same = "((" + same + ") = TRUE) IS NOT TRUE"
	}
	choice := "math"
	for range 60 {
		choice = "CASE " + choice + " WHEN 1 THEN 2 WHEN 2 THEN 3 ELSE 4 END"
	}
	divisor := "math"
	for range 60 {
		divisor = "reading / (" + divisor + " + 1)"
	}
	long := "CASE '" + strings.Repeat("x", 4000) + "'" + strings.Repeat(" WHEN 'a' THEN 1", 500) + " END = 1"
	wide := "math > 1"
	for range 95 {
		wide = "(" + wide + " AND reading > 2 OR absences > 3)"
	}
	for _, condition := range []string{between, choice + " > 1", divisor + " > 1", long} {
		refused(t, c, "SELECT COUNT(*) AS n FROM kr_edu.students WHERE "+condition)
	}
	for _, condition := range []string{same, wide} {
		start := time.Now()
		if p, err := New("SELECT COUNT(*) AS n FROM kr_edu.students WHERE "+condition, c, Bounds{}); err == nil {
			checkRoundTrip(t, c, p)
		}
		if took := time.Since(start); took > time.Second {
			t.Errorf("takes %v", took)
		}
	}
}
