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

// parse writes what reads a Text. DuckDB reads many more forms, which the patterns exclude; TRY_CAST is
// defined on all text, and quick where it fails.
func (w *writer) parse(e query.Expr) {
	a := e.Args[0]
	if a.Type != query.Text {
		w.fail("%s of %s", e.Op, a.Type)
		return
	}
	w.once(a, func(x func()) {
		if e.Op == query.OpParseDate { // year 0 is in the pattern, but no year
			w.put("CASE WHEN regexp_full_match(", x, ", '[0-9]{4}-[0-9]{2}-[0-9]{2}') AND ", x, " >= '0001' THEN TRY_CAST(", x, " AS DATE) END")
			return
		}
		w.put("CASE WHEN regexp_full_match(", x, ", '-?[0-9]{1,15}([.][0-9]{1,14})?') AND length(translate(", x, ", '-.', '')) <= 15 THEN TRY_CAST(", x, " AS DOUBLE) END")
	})
}
