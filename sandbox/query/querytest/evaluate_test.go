package querytest

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"entrepot/sandbox/query"
)

// small are tables whose answers can be worked out on paper.
func small(t *testing.T) Tables {
	t.Helper()
	tables := Tables{}
	for name, text := range map[string]string{
		"visits": `
unit_space: org/person
max_rows_per_unit: 3
columns:
  - {name: id, type: string, role: privacy_id}
  - {name: world, type: int64, role: key}
  - {name: town, type: string, role: key, domain: [a, b], nullable: true}
  - {name: tag, type: string, role: key}
  - {name: x, type: float64, role: measure, lower: "0", upper: "10", resolution: "0.5", nullable: true}
`, "people": `
unit_space: org/person
max_rows_per_unit: 1
columns:
  - {name: who, type: string, role: privacy_id}
  - {name: world, type: int64, role: key}
  - {name: age, type: int64, role: key, lower: "0", upper: "99"}
`, "firms": `
unit_space: org/firm
max_rows_per_unit: 2
columns:
  - {name: id, type: string, role: privacy_id}
  - {name: world, type: int64, role: key}
  - {name: tag, type: string, role: key}
`, "towns": `
public: true
unique: [name]
columns:
  - {name: name, type: string, role: key}
  - {name: size, type: int64, role: measure, lower: "0", upper: "100"}
`,
	} {
		if err := tables.declare(name, text); err != nil {
			t.Fatal(err)
		}
	}
	fill := func(name string, columns string, rows ...[]any) {
		table := tables["org."+name]
		for _, r := range rows {
			row := Row{Unit: int64(r[0].(int)), Rank: int32(r[1].(int)), Values: map[string]any{WorldColumn: int64(0)}}
			for i, c := range strings.Fields(columns) {
				row.Values[c] = r[2+i]
				if n, ok := r[2+i].(int); ok {
					row.Values[c] = int64(n)
				}
			}
			table.Rows = append(table.Rows, row)
		}
		tables["org."+name] = table
	}
	fill("visits", "town tag x", // x in half units
		[]any{1, 1, "a", "p", 4}, []any{1, 2, "b", "p", nil}, []any{1, 3, "b", "q", 20}, []any{1, 4, "a", "beyond", 1},
		[]any{2, 3, "b", "p", 6}, []any{2, 1, "c", "p", 6}, []any{2, 2, nil, "q", 6},
		[]any{3, 1, "a", "q", 7})
	fill("people", "age", []any{1, 1, 30}, []any{3, 1, 41}, []any{4, 1, 50})
	fill("firms", "tag", []any{1, 1, "p"}, []any{1, 2, "r"})
	fill("towns", "name size", []any{0, 1, "a", 7}, []any{0, 1, "c", 9})
	return tables
}

// TestEvaluate compares with answers worked out by hand.
func TestEvaluate(t *testing.T) {
	tables := small(t)
	for _, c := range []struct {
		name, sql string
		bounds    query.Bounds
		want      []string
	}{
		{"ranks beyond the declaration do not count", "SELECT COUNT(*) FROM org.visits", query.Bounds{},
			[]string{"[]: 7 rows of 0 units"}},
		{"rows outside a domain go first, then a unit keeps its lowest ranks", "SELECT town, COUNT(*), COUNT(DISTINCT id) AS u FROM org.visits GROUP BY town", query.Bounds{MaxPartitions: 1, MaxRowsPerPartition: 1},
			[]string{`["a"]: 2 rows of 2 units`, `["b"]: 1 rows of 1 units`}},
		{"sums are of steps, NULL adds nothing", "SELECT AVG(x), VARIANCE(x) AS v FROM org.visits WHERE town = 'b'", query.Bounds{},
			// x = NULL, 20, 6 of 0 … 20: u = 20, −8
			[]string{"[]: 3 rows of 0 units; 2 values of 0 units, 0 distinct, Σx 26, Σu² 464"}},
		{"distinct values are a set", "SELECT COUNT(DISTINCT tag) FROM org.visits", query.Bounds{},
			[]string{"[]: 7 rows of 0 units; 7 values of 0 units, 2 distinct, Σx 0, Σu² 0"}},
		{"a unit bounds its rows before its values are told apart", "SELECT COUNT(DISTINCT tag) FROM org.visits WHERE town = 'b'", query.Bounds{MaxRowsPerPartition: 1},
			[]string{"[]: 2 rows of 0 units; 2 values of 0 units, 1 distinct, Σx 0, Σu² 0"}},
		{"quantiles count leaves", "SELECT MEDIAN(x) FROM org.visits", query.Bounds{},
			[]string{"[]: 7 rows of 0 units; 6 values of 0 units, 0 distinct, Σx 0, Σu² 0, leaf 4: 1, leaf 6: 3, leaf 7: 1, leaf 20: 1"}},
		{"features of a unit", "SELECT AVG(n) AS n, SUM(s) AS s FROM (SELECT id, COUNT(*) AS n, SUM(x) AS s, MAX(tag) AS last FROM org.visits GROUP BY id) AS f WHERE last = 'q'", query.Bounds{},
			// n = 3, 3, 1 of 0 … 3; s = 24, 18, 7 half units of 0 … 60
			[]string{"[]: 3 rows of 0 units; 3 values of 0 units, 0 distinct, Σx 7, Σu² 0; 3 values of 0 units, 0 distinct, Σx 49, Σu² 0"}},
		{"one row for each unit and group", "SELECT tag, COUNT(*) FROM (SELECT id, tag FROM org.visits GROUP BY id, tag) AS f GROUP BY tag", query.Bounds{MaxPartitions: 1},
			// each of the three keeps the group of its lowest rank
			[]string{`["p"]: 2 rows of 2 units`, `["q"]: 1 rows of 1 units`}},
		{"a join fans out, ranks follow the left", "SELECT a.tag, COUNT(*) FROM org.visits AS a JOIN org.visits AS b ON a.id = b.id GROUP BY a.tag", query.Bounds{MaxPartitions: 1, MaxRowsPerPartition: 4},
			// unit 1: p with 2·3 rows, 4 kept; unit 2: p (rank 1) with 2·3; unit 3: q with 1
			[]string{`["p"]: 8 rows of 2 units`, `["q"]: 1 rows of 1 units`}},
		{"an outer join keeps a row that nothing belongs to", "SELECT COUNT(p.age), COUNT(*) AS n FROM org.visits AS v LEFT JOIN org.people AS p ON v.id = p.who", query.Bounds{},
			[]string{"[]: 7 rows of 0 units; 4 values of 0 units, 0 distinct, Σx 0, Σu² 0"}},
		{"a public table has no units", "SELECT SUM(p.size), COUNT(*) AS n FROM org.visits AS v JOIN org.towns AS p ON v.town = p.name", query.Bounds{},
			[]string{"[]: 3 rows of 0 units; 3 values of 0 units, 0 distinct, Σx 23, Σu² 0"}},
		{"bounds are over all branches of a union together",
			"SELECT tag, COUNT(*) FROM (SELECT id AS id, tag AS tag FROM org.visits UNION ALL SELECT id, tag FROM org.visits) AS u GROUP BY tag", query.Bounds{MaxPartitions: 1, MaxRowsPerPartition: 3},
			[]string{`["p"]: 6 rows of 2 units`, `["q"]: 2 rows of 1 units`}},
		{"units of two spaces are not one", "SELECT COUNT(DISTINCT id) FROM (SELECT id AS id, tag AS tag FROM org.visits UNION ALL SELECT id, tag FROM org.firms) AS u", query.Bounds{},
			[]string{"[]: 9 rows of 4 units"}},
		{"units with a value", "SELECT COUNT(DISTINCT id) FILTER (WHERE town = 'b') FROM org.visits", query.Bounds{},
			[]string{"[]: 7 rows of 3 units; 3 values of 2 units, 0 distinct, Σx 0, Σu² 0"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			p, err := query.New(c.sql, tables, c.bounds)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(c.want, Text(Evaluate(p.Parts(), tables))); diff != "" {
				t.Errorf("%s (-want +got):\n%s", c.sql, diff)
			}
		})
	}
}
