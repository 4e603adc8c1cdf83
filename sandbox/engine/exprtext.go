package engine

import "entrepot/sandbox/query"

// text writes operations on Text.
func (w *writer) text(e query.Expr) {
	const lower, upper = "'abcdefghijklmnopqrstuvwxyz'", "'ABCDEFGHIJKLMNOPQRSTUVWXYZ'"
	a := e.Args[0]
	switch e.Op {
	case query.OpLike: // without ESCAPE no character escapes; _ is one code point
		w.put("(", a, " LIKE ")
		w.literal(text(e.Text))
		w.put(")")
	case query.OpLower:
		w.put("translate(", a, ", ", upper, ", ", lower, ")")
	case query.OpUpper:
		w.put("translate(", a, ", ", lower, ", ", upper, ")")
	case query.OpTrim:
		w.put("trim(", a, ", ' ')")
	case query.OpLength:
		w.put("CAST(length(", a, ") AS DOUBLE)")
	}
}

// part writes EXTRACT. A Date is never cast to a timestamp, which could be out of range.
func (w *writer) part(e query.Expr) {
	a := e.Args[0]
	clock := e.Op == query.OpHour || e.Op == query.OpMinute
	switch {
	case a.Type == query.Date && clock:
		w.put("(CASE WHEN ", a, " IS NULL THEN NULL ELSE CAST(0 AS DOUBLE) END)")
	case e.Op == query.OpDow:
		w.put("CAST(dayofweek(", a, ") AS DOUBLE)")
	default:
		w.put("CAST("+string(e.Op)+"(", a, ") AS DOUBLE)")
	}
}
