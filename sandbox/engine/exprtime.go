package engine

import (
	"fmt"
	"slices"

	"entrepot/sandbox/query"
)

// part writes EXTRACT. A Date is never cast to a timestamp, which could be out of range.
func (w *writer) part(e query.Expr) {
	a := e.Args[0]
	clock := e.Op == query.OpHour || e.Op == query.OpMinute || e.Op == query.OpSecond
	switch {
	case a.Type == query.Date && clock:
		w.put("(CASE WHEN ", a, " IS NULL THEN NULL ELSE CAST(0 AS DOUBLE) END)")
	case e.Op == query.OpDow:
		w.put("CAST(dayofweek(", a, ") AS DOUBLE)")
	default:
		w.put("CAST("+string(e.Op)+"(", a, ") AS DOUBLE)")
	}
}

// moment writes what makes a Date or Timestamp, or a difference of two. Stored ones are within the years
// 1 … 9999, and so is all that is made of them, or it is NULL: DuckDB's own range is far wider, so that
// nothing here can leave it.
func (w *writer) moment(e query.Expr) {
	a := e.Args
	typ := a[0].Type
	from := map[query.Op]query.Type{query.OpDays: query.Date, query.OpSeconds: query.Timestamp, query.OpToDate: query.Timestamp, query.OpToTime: query.Date}[e.Op]
	if from != "" && from != typ || from == "" && typ != e.Type || typ != query.Date && typ != query.Timestamp {
		w.fail("%s of %s", e.Op, typ)
		return
	}
	switch e.Op {
	case query.OpDateTrunc:
		w.truncate(e)
	case query.OpDateAdd:
		w.shift(e)
	case query.OpDays:
		w.put("CAST((", a[0], " - ", a[1], ") AS DOUBLE)")
	case query.OpSeconds:
		w.put("(CAST((epoch_us(", a[0], ") - epoch_us(", a[1], ")) AS DOUBLE) / 1e6)")
	case query.OpToDate:
		w.put("CAST(", a[0], " AS DATE)")
	case query.OpToTime:
		w.put("CAST(", a[0], " AS TIMESTAMP)")
	}
}

// truncate writes date_trunc. The first day of year 1 is a Monday, so that no week begins before it. CASE
// keeps the optimiser away, which takes date_trunc(…, NULL) <> a constant for true.
func (w *writer) truncate(e query.Expr) {
	units := []string{"year", "quarter", "month", "week", "day"}
	if e.Type == query.Timestamp {
		units = append(units, "hour", "minute")
	}
	switch {
	case !slices.Contains(units, e.Text):
		w.fail("date_trunc of a %s to %q", e.Type, e.Text)
	case e.Type == query.Date && e.Text == "day":
		w.put(e.Args[0])
	default:
		w.once(e.Args[0], func(x func()) {
			w.put("CASE WHEN ", x, " IS NOT NULL THEN CAST(date_trunc('"+e.Text+"', ", x, ") AS "+typeNames[e.Type]+") END")
		})
	}
}

// longest is, for each unit, a number of it that leads from any moment out of all years; dates know
// no units shorter than a day.
func longest(unit string, typ query.Type) (n int64, ok bool) {
	switch unit {
	case "year":
		return 10_000, true
	case "month":
		return 120_000, true
	case "week":
		return 530_000, true
	case "day":
		return 3_700_000, true
	case "hour":
		return 88_000_000, typ == query.Timestamp
	case "minute":
		return 5_300_000_000, typ == query.Timestamp
	case "second":
		return 320_000_000_000, typ == query.Timestamp
	}
	return 0, false
}

// shift writes a moment so much later. The last day of a month stands for those that it has not.
func (w *writer) shift(e query.Expr) {
	most, ok := longest(e.Text, e.Type)
	if !ok {
		w.fail("an interval of %q after a %s", e.Text, e.Type)
		return
	}
	n := min(max(e.Int, -most), most)
	x := e.Args[0]
	first, last := "TIMESTAMP '0001-01-01 00:00:00'", "TIMESTAMP '9999-12-31 23:59:59.999999'"
	w.once(x, func(x func()) {
		later := func() { w.put("(", x, fmt.Sprintf(" + INTERVAL '%d %s')", n, e.Text)) }
		if e.Type == query.Date { // plus an interval it is a Timestamp
			w.put("CASE WHEN ", later, " BETWEEN "+first+" AND "+last+" THEN CAST(", later, " AS DATE) END")
			return
		}
		w.put("CASE WHEN ", later, " BETWEEN "+first+" AND "+last+" THEN ", later, " END")
	})
}
