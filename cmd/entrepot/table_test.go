package main

import (
	"math"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"entrepot/privacy"
)

func TestTableFitsTheTerminal(t *testing.T) {
	make := func() *table {
		tab := &table{columns: columns("dataset", ">version", "description")}
		tab.add("kr_edu.students", "3", "Mathematics scores of Korean students, one row each")
		tab.add("uk_edu.pupils", "12", "학생들의 수학 점수")
		return tab
	}
	wide := `dataset          version  description
kr_edu.students        3  Mathematics scores of Korean students, one row each
uk_edu.pupils         12  학생들의 수학 점수
`
	if got := make().text(0); got != wide {
		t.Errorf("without a limit:\n%s", got)
	}
	cut := `dataset      version  description
kr_edu.stu…        3  Mathematics…
uk_edu.pup…       12  학생들의 수…
`
	if got := make().text(34); got != cut {
		t.Errorf("34 cells:\n%s", got)
	}
	records := `dataset      kr_edu.students
version      3
description  Mathematics scores of Korean students, one row each
`
	if got := make().text(20); !strings.HasPrefix(got, records) {
		t.Errorf("20 cells:\n%s", got)
	}
}

// Whatever the cells hold, no line of a table is wider than the terminal, no cell adds a line, and
// nothing that does not print is printed.
func TestTableLines(t *testing.T) {
	rapid.Check(t, func(r *rapid.T) {
		limit := rapid.IntRange(60, 120).Draw(r, "limit")
		tab := &table{columns: columns("a", ">n", "b")}
		rows := rapid.SliceOfN(rapid.Custom(func(r *rapid.T) []string {
			return []string{rapid.String().Draw(r, "a"), groupedInt(rapid.Int64().Draw(r, "n")), rapid.String().Draw(r, "b")}
		}), 1, 5).Draw(r, "rows")
		for _, row := range rows {
			tab.add(row...)
		}
		lines := strings.Split(strings.TrimSuffix(tab.text(limit), "\n"), "\n")
		if len(lines) != len(rows)+1 {
			r.Fatalf("%d lines for %d rows", len(lines), len(rows))
		}
		for _, line := range lines {
			if cells(line) > limit {
				r.Fatalf("%d cells: %q", cells(line), line)
			}
			if strings.ContainsFunc(line, hidden) {
				r.Fatalf("not printable: %q", line)
			}
		}
	})
}

func TestNumbers(t *testing.T) {
	for in, want := range map[string]string{"0": "0", "999": "999", "1000": "1,000", "-1234567": "-1,234,567", "-123": "-123",
		"1234.5678": "1,234.5678", "1e+20": "1e+20", "12345e6": "12,345e6", "+Inf": "+Inf", "NaN": "NaN", "": ""} {
		if got := grouped(in); got != want {
			t.Errorf("grouped(%q) = %q, want %q", in, got, want)
		}
	}
	for width, want := range map[float64]int{0: 0, 0.004: 4, 0.0999: 3, 0.5: 2, 1: 1, 9.99: 1, 10: 0, 12345: 0, 1e-30: mostDecimals} {
		if got := decimalsFor(width); got != want {
			t.Errorf("decimalsFor(%g) = %d, want %d", width, got, want)
		}
	}
	for n, want := range map[int64]string{0: "0 B", 999: "999 B", 1000: "1.0 kB", 64 << 20: "67.1 MB"} {
		if got := bytesText(n); got != want {
			t.Errorf("bytesText(%d) = %q, want %q", n, got, want)
		}
	}
	for _, c := range []struct {
		spent privacy.Renyi
		want  string
	}{{533_440_000_000, "0.5335 / 0.5334"}, {0, "0 / 0.5334"}, {math.MaxInt64, "inf / 0.5334"}} {
		if got := clock(c.spent, 533_440_000_000); got != c.want {
			t.Errorf("a clock at %d reads %s", c.spent, got)
		}
	}
}
