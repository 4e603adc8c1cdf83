package engine

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"entrepot/datasets"
	"entrepot/sandbox/query/querytest"
)

// declare returns a declaration with a column for everything that can be declared.
func declare(t testing.TB, maxRows int) datasets.Declaration {
	t.Helper()
	d, err := datasets.ParseDeclaration([]byte(declaration(maxRows)))
	if err != nil {
		t.Fatal(err)
	}
	return d
}

// declaration is the text of what declare returns.
func declaration(maxRows int) string {
	return fmt.Sprintf(`
unit_space: org/person
max_rows_per_unit: %d
columns:
  - {name: id, type: string, role: privacy_id}
  - {name: region, type: string, role: key, domain: [north, "so'uth", "동쪽", ""], nullable: true}
  - {name: tag, type: string, role: key, nullable: true}
  - {name: age, type: int64, role: key, lower: "0", upper: "6", nullable: true}
  - {name: code, type: int64, role: key, nullable: true}
  - {name: level, type: int64, role: key, domain: [1, 5, -7], nullable: true}
  - {name: flag, type: bool, role: key, nullable: true}
  - {name: born, type: date, role: key, nullable: true, domain: ["2001-02-03", "0001-01-01", "9999-12-31"]}
  - {name: day, type: date, role: key, nullable: true}
  - {name: at, type: timestamp, role: key, nullable: true}
  - {name: score, type: float64, role: measure, lower: "-50", upper: "150", resolution: "0.1", nullable: true}
  - {name: amount, type: int64, role: measure, lower: "-1000000", upper: "1000000"}
  - {name: ratio, type: float64, role: measure, lower: "0", upper: "1", resolution: "0.000001", nullable: true}
  - {name: third, type: float64, role: measure, lower: "-3", upper: "3", resolution: "0.75", nullable: true}
  - {name: huge, type: int64, role: measure, lower: "-9007199254740991", upper: "9007199254740991", nullable: true}
`, maxRows)
}

// pool holds, by column, the values that rows are made of: ordinary ones and the extremes of each type.
var pool = map[string][]any{
	"region": {"north", "north", "so'uth", "동쪽", "", "NORTH", "elsewhere", nil},
	"tag": {"a", "b", "B", "", " ", "  a  ", "\u00a0a\u00a0", "\ta", "é", "e\u0301", "한글", "\U0001F468\u200d\U0001F469", "a%b", "a_b", `a\b`, "''", `"`, "\n", "A", "ß", "İ",
		"\uffff", "\U0010ffff", strings.Repeat("x", 1024), strings.Repeat("한", 341), strings.Repeat(" ", 1024), nil,
		"12", "-7.50", "007", "1e3", "-0", ".5", "5.", "+1", " 1", "1_0", "٣", "12\n", "inf", "0.000000000000001", "123456789012345", "1234567890123456", "-12345678.1234567", "1234567.12345678901",
		"2024-02-29", "2023-02-29", "0000-01-01", "0001-01-01", "9999-12-31", "2024-1-1", "2024-01-01 ", "2024/01/01", "epoch", "infinity", "2024-13-01", "10000-01-01"},
	"age":   {int64(0), int64(1), int64(2), int64(3), int64(4), int64(5), int64(6), nil},
	"code":  {int64(0), int64(1), int64(2), int64(-1), int64(1<<53 + 1), int64(-1 << 63), int64(1<<63 - 1), int64(100), nil},
	"level": {int64(1), int64(5), int64(-7), int64(6), int64(-1 << 63), nil},
	"flag":  {true, false, nil},
	"born":  {"2001-02-03", "0001-01-01", "9999-12-31", "2001-02-04", nil},
	"day":   {"0001-01-01", "9999-12-31", "1970-01-01", "1969-12-31", "2024-02-29", "2000-12-31", "1900-03-01", "2023-10-01", "1582-10-10", nil},
	"at":    {"0001-01-01T00:00:00Z", "9999-12-31T23:59:59.999999Z", "1970-01-01T00:00:00Z", "1969-12-31T23:59:59.999999Z", "2024-02-29T12:34:56.000001Z", "2024-06-30T23:59:00Z", nil},
	// Score and amount have steps outside their bounds, which ingest would not store.
	"score":  {int64(-500), int64(1500), int64(-9999), int64(-501), int64(1501), int64(0), int64(1), int64(-1), int64(3), int64(777), nil},
	"amount": {int64(-1000000), int64(1000000), int64(5000000), int64(0), int64(1), int64(-1), int64(12345)},
	"ratio":  {int64(0), int64(1000000), int64(1), int64(333333), int64(500000), nil},
	"third":  {int64(-4), int64(4), int64(0), int64(1), int64(3), nil},
	"huge":   {int64(-9007199254740991), int64(9007199254740991), int64(0), int64(1), int64(-1), int64(4503599627370497), nil},
}

// world makes random rows of so many units, ordered by unit and rank.
func world(r *rand.Rand, d datasets.Declaration, units int) []querytest.Row {
	var rows []querytest.Row
	// Few values for a key make groups with several rows of one unit.
	few := map[string][]any{}
	for _, name := range slices.Sorted(maps.Keys(pool)) {
		values := pool[name]
		few[name] = values
		if r.IntN(2) == 0 {
			few[name] = nil
			for range 1 + r.IntN(3) {
				few[name] = append(few[name], values[r.IntN(len(values))])
			}
		}
	}
	for u := range units {
		for rank := range 1 + r.IntN(int(d.MaxRowsPerUnit)) {
			one := querytest.Row{Unit: int64(u), Rank: int32(rank + 1), Values: map[string]any{}}
			for _, c := range d.Stored() {
				one.Values[c.Name] = few[c.Name][r.IntN(len(few[c.Name]))]
			}
			rows = append(rows, one)
		}
	}
	return rows
}

// people is a table of that name with these rows.
func people(d datasets.Declaration, rows []querytest.Row) querytest.Tables {
	return querytest.Tables{"org.people": {ID: "org.people", Declaration: d, Rows: rows}}
}

// empty is the table of people without rows, to plan and check questions.
func empty(d datasets.Declaration) map[string]datasets.Table { return at(d, "") }

// at is the table of people in a file.
func at(d datasets.Declaration, file string) map[string]datasets.Table {
	return map[string]datasets.Table{"org.people": {Declaration: d, File: file}}
}

// writePeople writes that table to a file of its own.
func writePeople(t testing.TB, dir string, d datasets.Declaration, rows []querytest.Row) map[string]datasets.Table {
	t.Helper()
	file := fmt.Sprintf("people-%d.parquet", rand.Uint64())
	writeRows(t, filepath.Join(dir, file), querytest.Table{Declaration: d, Rows: rows})
	return at(d, file)
}

// shuffled returns rows in another order.
func shuffled(r *rand.Rand, rows []querytest.Row) []querytest.Row {
	rows = slices.Clone(rows)
	r.Shuffle(len(rows), func(i, j int) { rows[i], rows[j] = rows[j], rows[i] })
	return rows
}
