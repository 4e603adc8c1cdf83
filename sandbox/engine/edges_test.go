package engine

import (
	"path/filepath"
	"testing"

	"entrepot/datasets"
	"entrepot/sandbox/query"
	"entrepot/sandbox/query/querytest"
)

// edgeTable declares a column for each type that operations take.
const edgeTable = `
unit_space: org/person
max_rows_per_unit: 1
columns:
  - {name: id, type: string, role: privacy_id}
  - {name: t, type: string, role: key, nullable: true}
  - {name: d, type: date, role: key, nullable: true}
  - {name: e, type: date, role: key, nullable: true}
  - {name: s, type: timestamp, role: key, nullable: true}
  - {name: u, type: timestamp, role: key, nullable: true}
  - {name: x, type: float64, role: measure, lower: "-100", upper: "100", resolution: "0.25", nullable: true}
`

// edges are the values that operations are tried on; x is in steps of a quarter.
var edges = map[string][]any{
	"t": pool["tag"],
	"d": {"0001-01-01", "0001-01-02", "0001-12-31", "1582-10-10", "1900-02-28", "1969-12-31", "1970-01-01", "2000-02-29", "2004-12-27", "2005-01-02", "2020-01-31", "2021-01-03",
		"2023-12-31", "2024-02-29", "2024-03-31", "2024-12-30", "9998-12-31", "9999-11-30", "9999-12-26", "9999-12-30", "9999-12-31", nil},
	"s": {"0001-01-01T00:00:00Z", "0001-01-01T00:00:00.000001Z", "1600-06-30T12:00:00Z", "1969-12-31T23:59:59.999999Z", "1970-01-01T00:00:00Z", "1970-01-01T00:00:00.000001Z",
		"2020-01-31T23:59:59.500000Z", "2024-02-29T12:34:56.789012Z", "2024-12-30T00:00:00Z", "9999-12-31T00:00:00Z", "9999-12-31T23:59:59Z", "9999-12-31T23:59:59.999999Z", nil},
	"x": {int64(-400), int64(-41), int64(-40), int64(-39), int64(-1), int64(0), int64(1), int64(3), int64(4), int64(5), int64(399), int64(400), nil},
}

// TestEdges tries the operations on dates, times, text and buckets at the ends of what they are defined
// on, as the database computes them for a column, for a constant, and for an expression so large that
// it is written once only.
func TestEdges(t *testing.T) {
	d, err := datasets.ParseDeclaration([]byte(edgeTable))
	if err != nil {
		t.Fatal(err)
	}
	var rows []querytest.Row
	for i := range 2 * len(edges["d"]) * len(edges["d"]) { // every pair of dates and of timestamps
		values := map[string]any{}
		for name, of := range edges {
			values[name] = of[i%len(of)]
		}
		values["e"], values["u"] = edges["d"][i/len(edges["d"])%len(edges["d"])], edges["s"][i/len(edges["s"])%len(edges["s"])]
		rows = append(rows, querytest.Row{Unit: int64(i), Rank: 1, Values: values})
	}
	dir := t.TempDir()
	path := filepath.Join(dir, "edges.parquet")
	writeRows(t, path, querytest.Table{Declaration: d, Rows: rows})
	e := open(t, Options{Dir: dir, Threads: 1})
	compared := compareExprs(t, e, d, path, rows, edgeExprs(edgeColumn)) + compareExprs(t, e, d, path, rows, edgeExprs(func(typ query.Type, name string) query.Expr {
		large := query.Expr{Op: query.OpCoalesce, Type: typ}
		for range smallExpr + 1 {
			large.Args = append(large.Args, edgeColumn(typ, name))
		}
		return large
	}))
	one := filepath.Join(dir, "one.parquet")
	writeRows(t, one, querytest.Table{Declaration: d, Rows: rows[:1]})
	for i := range len(edges["t"]) {
		compared += compareExprs(t, e, d, one, rows[:1], edgeExprs(func(typ query.Type, name string) query.Expr {
			return edgeLiteral(typ, name, i)
		}))
	}
	t.Logf("%d values compared", compared)
}

// edgeColumn refers to a column of the edge table.
func edgeColumn(typ query.Type, name string) query.Expr {
	if typ == query.Number {
		return measure(name, 1, 4)
	}
	return column(typ, name)
}

// edgeLiteral is the i-th value of a column as a constant.
func edgeLiteral(typ query.Type, name string, i int) query.Expr {
	of := edges[map[string]string{"e": "d", "u": "s"}[name]]
	if of == nil {
		of = edges[name]
	}
	e := query.Expr{Op: query.OpLiteral, Type: typ}
	switch v := of[(i+len(name))%len(of)].(type) {
	case nil:
		e.Null = true
	case string:
		e.Text = v
	case int64:
		e.Number = float64(v) / 4
	}
	if name == "e" || name == "u" {
		e.Text, e.Null = of[0].(string), false
	}
	return e
}

// edgeExprs are the operations over arguments that get makes.
func edgeExprs(get func(typ query.Type, name string) query.Expr) []query.Expr {
	var list []query.Expr
	add := func(op query.Op, typ query.Type, text string, n int64, args ...query.Expr) {
		list = append(list, query.Expr{Op: op, Type: typ, Text: text, Int: n, Args: args})
	}
	day, other, at, then := get(query.Date, "d"), get(query.Date, "e"), get(query.Timestamp, "s"), get(query.Timestamp, "u")
	for _, op := range []query.Op{query.OpYear, query.OpQuarter, query.OpMonth, query.OpWeek, query.OpDay, query.OpDow, query.OpHour, query.OpMinute, query.OpSecond} {
		add(op, query.Number, "", 0, day)
		add(op, query.Number, "", 0, at)
	}
	for _, unit := range []string{"year", "quarter", "month", "week", "day"} {
		add(query.OpDateTrunc, query.Date, unit, 0, day)
	}
	for _, unit := range []string{"year", "quarter", "month", "week", "day", "hour", "minute"} {
		add(query.OpDateTrunc, query.Timestamp, unit, 0, at)
	}
	for _, n := range shifts {
		for _, unit := range []string{"year", "month", "week", "day"} {
			add(query.OpDateAdd, query.Date, unit, n, day)
		}
		for _, unit := range []string{"year", "month", "week", "day", "hour", "minute", "second"} {
			add(query.OpDateAdd, query.Timestamp, unit, n, at)
		}
	}
	add(query.OpDays, query.Number, "", 0, day, other)
	add(query.OpSeconds, query.Number, "", 0, at, then)
	add(query.OpToDate, query.Date, "", 0, at)
	add(query.OpToTime, query.Timestamp, "", 0, day)
	add(query.OpParseNumber, query.Number, "", 0, get(query.Text, "t"))
	add(query.OpParseDate, query.Date, "", 0, get(query.Text, "t"))
	for _, bounds := range [][]float64{{0}, {-10.25, -10, 0, 0.75, 1}, {1e-300, 1e300}} {
		args := []query.Expr{get(query.Number, "x")}
		for _, b := range bounds {
			args = append(args, query.Expr{Op: query.OpLiteral, Type: query.Number, Number: b})
		}
		add(query.OpBucket, query.Number, "", 0, args...)
	}
	return list
}
