package query

import (
	"fmt"
	"strings"
	"testing"
	"time"
)

// Texts whose values could be listed at great cost are planned, or refused, at a small one.
func TestEffortIsBounded(t *testing.T) {
	c := catalogue(t)
	many := func(n int, format string) string {
		keys := make([]string, n)
		for i := range keys {
			keys[i] = fmt.Sprintf(format, i)
		}
		return strings.Join(keys, ", ")
	}
	for name, keys := range map[string]string{
		"CASE in CASE":           strings.Repeat("CASE WHEN TRUE THEN ", 80) + "country" + strings.Repeat(" END", 80),
		"CASE in ELSE":           strings.Repeat("CASE WHEN FALSE THEN 'x' ELSE ", 80) + "country" + strings.Repeat(" END", 80),
		"COALESCE in COALESCE":   strings.Repeat("COALESCE(", 80) + "country" + strings.Repeat(", 'x')", 80),
		"functions in functions": strings.Repeat("LOWER(TRIM(", 45) + "gender" + strings.Repeat("))", 45),
		"many days":              many(100, "enrolled + %d"),
		"many integers":          many(300, "CLAMP(school, 0, 900) + %d"),
		"many moments":           many(80, "DATE_TRUNC('hour', seen + INTERVAL '%d days')"),
	} {
		start := time.Now()
		_, err := New("SELECT COUNT(*) AS n FROM kr_edu.students GROUP BY "+keys, c, Bounds{})
		if took := time.Since(start); took > 5*time.Second { // without a bound it would be years, or gigabytes
			t.Errorf("%s: %v", name, took)
		}
		t.Logf("%s: %v", name, err)
	}
}

// Public groups are bounded in bytes as well as in number.
func TestPublicGroupsAreBoundedInBytes(t *testing.T) {
	long := strings.Repeat("a", 3000)
	keys := "absences, CASE WHEN math > 500 THEN '" + long + "' ELSE 'x' END, CASE WHEN math > 600 THEN '" + long + "b' ELSE 'x' END, grade"
	refusal := refused(t, catalogue(t), "SELECT COUNT(*) AS n FROM kr_edu.students GROUP BY "+keys)
	if !strings.Contains(refusal.Message, "bytes to list") {
		t.Error(refusal)
	}
}

// One unit is in a bounded number of private groups, so that it cannot decide whether an engine has room.
func TestUnitsAreInBoundedGroups(t *testing.T) {
	c := world(t)
	const sql = "SELECT clicks, COUNT(*) AS n FROM kr_edu.huge GROUP BY clicks"
	p, err := New(strings.ReplaceAll(sql, "clicks", "page"), c, Bounds{})
	if err != nil {
		t.Fatal(err)
	}
	if got := p.Parts().Contribution; got.MaxPartitions != MaxUnitGroups || got.MaxRows != 1_000_000 {
		t.Errorf("%+v", got)
	}
	if _, err := New(strings.ReplaceAll(sql, "clicks", "page"), c, Bounds{MaxPartitions: MaxUnitGroups + 1}); err == nil || !strings.Contains(err.Error(), "at most 4096 groups") {
		t.Errorf("%v", err)
	}
}
