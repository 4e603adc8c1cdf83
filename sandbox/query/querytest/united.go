package querytest

import (
	"strings"

	"entrepot/sandbox/query"
)

// union writes a UNION ALL: of one space mostly, else over two.
func (g *Generator) union(space string, depth int) selection {
	kinds := []query.Type{query.Number, query.Text, query.Bool, query.Date, query.Timestamp}
	var shape []query.Type
	for range 1 + g.IntN(3) {
		shape = append(shape, kinds[g.IntN(len(kinds))])
	}
	names := make([]string, len(shape))
	for i := range names {
		names[i] = g.alias("c")
	}
	id := g.alias("id")
	out := scope{id: id}
	var branches []string
	mixed := false // over two unit spaces: nothing can be joined to it
	for range 2 + g.IntN(2) {
		in := g.named(space, depth-1)
		if space == "" && g.chance(70) {
			space = in.space
		}
		if len(branches) > 0 && in.space != out.space {
			mixed = true
		}
		out.space, out.rows = in.space, out.rows+in.rows
		list := []string{in.id + " AS " + id}
		for i, kind := range shape {
			list = append(list, g.typed(in, kind)+" AS "+names[i])
		}
		branch := "SELECT " + strings.Join(list, ", ") + " FROM " + in.text
		if g.chance(30) {
			branch += " WHERE " + g.truth(in, 1)
		}
		branches = append(branches, branch)
	}
	if mixed {
		out.space = ""
	}
	for i, kind := range shape {
		out.columns = append(out.columns, column{ref: names[i], name: names[i], kind: kind, bounded: kind == query.Number})
	}
	return selection{strings.Join(branches, " UNION ALL "), out}
}

// typed writes an expression of a type; a number has bounds.
func (g *Generator) typed(in scope, kind query.Type) string {
	switch kind {
	case query.Text:
		return g.text(in, 1)
	case query.Bool:
		return g.truth(in, 1)
	case query.Date:
		return g.date(in, 1)
	case query.Timestamp:
		return g.stamp(in, 1)
	}
	if c, ok := g.one(in, query.Number); ok && c.bounded && g.chance(50) {
		return c.ref
	}
	return g.clamped(in, 1)
}
