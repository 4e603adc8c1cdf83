package engine

import (
	"fmt"
	"math/big"
	"path/filepath"
	"strings"
	"testing"

	"entrepot/datasets"
	"entrepot/privacy"
	"entrepot/sandbox/query"
	"entrepot/sandbox/query/querytest"
)

// The tables of the hand-computed cases: visits and tests of students, shops of firms, and a public
// table of regions. Unit 1 is a student and, by its number and stored ID, a firm as well.
const (
	visitsTable = `
unit_space: org/student
max_rows_per_unit: 3
columns:
  - {name: id, type: string, role: privacy_id}
  - {name: region, type: string, role: key, nullable: true}
  - {name: cost, type: float64, role: measure, lower: "0", upper: "10", resolution: "0.5", nullable: true}
`
	testsTable = `
unit_space: org/student
max_rows_per_unit: 2
columns:
  - {name: student, type: string, role: privacy_id}
  - {name: grade, type: int64, role: measure, lower: "0", upper: "100"}
`
	shopsTable = `
unit_space: org/firm
max_rows_per_unit: 2
columns:
  - {name: id, type: string, role: privacy_id}
  - {name: region, type: string, role: key, nullable: true}
`
	regionsTable = `
public: true
unique: [name]
columns:
  - {name: name, type: string, role: key}
  - {name: zone, type: string, role: key}
`
)

// handTables are those tables with their rows. Costs are in steps of 0.5.
func handTables(t testing.TB) querytest.Tables {
	t.Helper()
	tables := querytest.Tables{}
	row := func(unit int64, rank int32, values ...any) querytest.Row {
		r := querytest.Row{Unit: unit, Rank: rank, Values: map[string]any{}}
		for i := 0; i < len(values); i += 2 {
			r.Values[values[i].(string)] = values[i+1]
		}
		return r
	}
	for id, table := range map[string]struct {
		text string
		rows []querytest.Row
	}{
		"org.visits": {visitsTable, []querytest.Row{
			row(1, 1, "region", "n", "cost", int64(4)),
			row(1, 2, "region", "n", "cost", int64(6)),
			row(1, 3, "region", "s", "cost", nil),
			row(2, 1, "region", "s", "cost", int64(10)),
			row(2, 2, "region", "n", "cost", int64(4)),
			row(3, 1, "region", nil, "cost", int64(2)),
		}},
		"org.tests": {testsTable, []querytest.Row{
			row(1, 1, "grade", int64(50)),
			row(1, 2, "grade", int64(90)),
			row(2, 1, "grade", int64(70)),
			row(4, 1, "grade", int64(10)),
		}},
		"org.shops": {shopsTable, []querytest.Row{
			row(1, 1, "region", "n"),
			row(1, 2, "region", "s"),
			row(5, 1, "region", "n"),
		}},
		"org.regions": {regionsTable, []querytest.Row{
			row(0, 1, "name", "n", "zone", "cold"),
			row(0, 1, "name", "e", "zone", "mild"),
		}},
	} {
		d, err := datasets.ParseDeclaration([]byte(table.text))
		if err != nil {
			t.Fatal(err)
		}
		tables[id] = querytest.Table{ID: id, Declaration: d, Rows: table.rows}
	}
	return tables
}

// counted is a question of rows and more by a private key, or without one, where a unit has so many rows.
func counted(from query.Relation, key *query.Key, rows int64, aggregates ...query.Aggregate) query.Parts {
	p := query.Parts{
		From: from, Keys: []query.Key{}, Aggregates: append([]query.Aggregate{{Kind: privacy.Count, Argument: privacy.NoArgument}}, aggregates...),
		Contribution: privacy.Contribution{MaxPartitions: rows, MaxRowsPerPartition: rows, MaxRows: rows},
	}
	if key != nil {
		p.Keys = append(p.Keys, *key)
	}
	return p
}

// byText is a private key.
func byText(name string) *query.Key {
	return &query.Key{Name: name, Expr: column(query.Text, name), Type: datasets.String}
}

// numberArgument is an argument with these bounds in whole steps.
func numberArgument(e query.Expr, lower, upper int64) query.Argument {
	return query.Argument{Expr: e, Lower: lower, Upper: upper, Step: privacy.Step{Num: 1, Den: 1}, Nullable: true}
}

func ptr[T any](x T) *T { return &x }

// asked is the short form of a question's partials: for each group its rows, units and first sum. What the
// loops of querytest say is compared on the way.
func asked(t *testing.T, p query.Parts, tables querytest.Tables) string {
	t.Helper()
	var list []string
	for _, g := range partials(t, p, tables) {
		sum := new(big.Int)
		if len(g.Arguments) > 0 {
			sum = g.Arguments[0].Sum
		}
		list = append(list, fmt.Sprintf("%s %d/%d %s", g.Key, g.Rows, g.Units, sum))
	}
	return strings.Join(list, "; ")
}

// partials are what the engine finds, which must bind, and be what loops find.
func partials(t *testing.T, p query.Parts, tables querytest.Tables) []privacy.Partial {
	t.Helper()
	dir := t.TempDir()
	files := map[string]datasets.Table{}
	for id, table := range tables {
		files[id] = datasets.Table{Declaration: table.Declaration, File: id + ".parquet"}
		writeRows(t, filepath.Join(dir, id+".parquet"), table)
	}
	e := open(t, Options{Dir: dir, Threads: 1})
	if err := e.check(t.Context(), p, files); err != nil {
		t.Fatal(err)
	}
	got, err := e.collect(t.Context(), p, files)
	if err != nil {
		t.Fatal(err)
	}
	if diff := querytest.Diff(querytest.Evaluate(p, tables), got); diff != "" {
		t.Errorf("loops find something else (-loops +engine):\n%s", diff)
	}
	return got
}
