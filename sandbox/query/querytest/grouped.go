package querytest

import (
	"strings"

	"entrepot/sandbox/query"
)

// perUnit writes a sub-query of one row for each unit, or for each unit and group.
func (g *Generator) perUnit(space string, depth int) selection {
	in := g.named(space, depth-1)
	var out items
	if g.chance(90) {
		out.addID(g, in)
	}
	var groups []string
	rows := int64(1)
	for range g.IntN(3) - 1 {
		text, kind := g.any(in, 1)
		if kind == query.Number {
			text = g.whole(in)
		}
		out.add(g, text, kind, false)
		groups, rows = append(groups, text), in.rows
	}
	distinct := len(groups) > 0 && out.id != "" && g.chance(25)
	if !distinct {
		for range 1 + g.IntN(3) {
			text, kind, bounded := g.feature(in)
			out.add(g, text, kind, bounded)
		}
	}
	text := "SELECT "
	if distinct {
		text += "DISTINCT "
	}
	text += strings.Join(out.list, ", ") + " FROM " + in.text
	if g.chance(30) {
		text += " WHERE " + g.truth(in, 1)
	}
	if !distinct {
		text += " GROUP BY " + strings.Join(append([]string{in.id}, groups...), ", ")
		if g.chance(25) {
			text += " HAVING " + g.pick("COUNT(*) > 1", "COUNT(*) <= 2 AND TRUE", "MIN("+g.number(in, 0)+") > 0")
		}
	}
	return selection{text, scope{columns: out.columns, id: out.id, space: in.space, rows: rows}}
}

// feature writes an aggregate over the rows of one unit.
func (g *Generator) feature(in scope) (text string, kind query.Type, bounded bool) {
	filter := ""
	if g.chance(20) {
		filter = " FILTER (WHERE " + g.truth(in, 1) + ")"
	}
	x, xKind := g.any(in, 1)
	switch g.IntN(10) {
	case 0:
		return "COUNT(*)" + filter, query.Number, true
	case 1:
		return "COUNT(" + x + ")" + filter, query.Number, true
	case 2:
		return "COUNT(DISTINCT " + x + ")" + filter, query.Number, true
	case 3:
		return g.pick("BOOL_OR", "BOOL_AND", "EVERY") + "(" + g.truth(in, 1) + ")" + filter, query.Bool, false
	case 4, 5:
		if xKind == query.Bool {
			x, xKind = g.number(in, 1), query.Number
		}
		return g.pick("MIN", "MAX") + "(" + x + ")" + filter, xKind, false
	case 6, 7:
		return g.pick("FIRST", "LAST") + "(" + x + " ORDER BY " + g.order(in) + ")", xKind, false
	case 8:
		return "AVG(" + g.summable(in, 1) + ")" + filter, query.Number, true
	}
	return "SUM(" + g.summable(in, 1) + ")" + filter, query.Number, true
}

// order writes an order of rows.
func (g *Generator) order(in scope) string {
	var terms []string
	for range 1 + g.IntN(2) {
		x, kind := g.any(in, 0)
		if kind == query.Bool {
			x = g.number(in, 0)
		}
		terms = append(terms, x+g.pick("", " DESC", " ASC"))
	}
	return strings.Join(terms, ", ")
}
