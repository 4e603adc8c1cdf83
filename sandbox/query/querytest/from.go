package querytest

import (
	"slices"
	"strings"

	"entrepot/sandbox/query"
)

// from writes a FROM item with privacy units. Of space, unless that is "".
func (g *Generator) from(space string, depth int) scope {
	if depth <= 0 || g.scans >= maxScans {
		return g.scan(space)
	}
	switch g.IntN(12) {
	case 0, 1:
		return g.subquery(g.perRow(space, depth))
	case 2, 3, 4:
		return g.subquery(g.perUnit(space, depth))
	case 5, 6:
		return g.subquery(g.union(space, depth))
	case 7, 8:
		return g.join(space, depth)
	case 9:
		return g.joinPublic(space, depth)
	}
	return g.scan(space)
}

// named is from where the privacy ID can be named.
func (g *Generator) named(space string, depth int) scope {
	with, scans := len(g.with), g.scans
	if s := g.from(space, depth); s.id != "" {
		return s
	}
	g.with, g.scans = g.with[:with], scans
	return g.scan(space)
}

// scan reads one dataset.
func (g *Generator) scan(space string) scope {
	var ids []string
	for _, id := range g.tables.IDs() {
		d := g.tables[id].Declaration
		if !d.Public && (space == "" || d.UnitSpace == space) {
			ids = append(ids, id)
		}
	}
	g.scans++
	t := g.tables[ids[g.IntN(len(ids))]]
	s := declared(t)
	s.text = t.ID
	switch g.IntN(4) {
	case 0:
		alias := g.alias("t")
		s = s.renamed(alias, true)
		s.text = t.ID + g.pick(" AS ", " ") + alias
	case 1:
		s = s.renamed(t.name(), true)
	}
	return s
}

// selection is a sub-query without its parentheses.
type selection struct {
	text string
	scope
}

// subquery puts a selection into FROM, or into WITH.
func (g *Generator) subquery(s selection) scope {
	alias := g.alias("s")
	out := s.renamed(alias, g.chance(50))
	if g.chance(30) {
		name := g.alias("w")
		g.with = append(g.with, name+" AS ("+s.text+")")
		out.text = name + " AS " + alias
		return out
	}
	out.text = "(" + s.text + ") AS " + alias
	return out
}

// items are the columns of a sub-query's SELECT list.
type items struct {
	list    []string
	columns []column
	id      string
}

// add adds one item under a name of its own.
func (i *items) add(g *Generator, text string, kind query.Type, bounded bool) {
	name := g.alias("c")
	i.list = append(i.list, text+" AS "+name)
	i.columns = append(i.columns, column{ref: name, name: name, kind: kind, bounded: bounded})
}

// addID adds the privacy ID, under its own name or another.
func (i *items) addID(g *Generator, s scope) {
	i.id = s.id[strings.LastIndex(s.id, ".")+1:]
	text := s.id
	if g.chance(30) {
		i.id = g.alias("id")
		text += " AS " + i.id
	}
	i.list = append(i.list, text)
}

// expression adds an item of any type.
func (i *items) expression(g *Generator, s scope) {
	if g.chance(50) { // passed on
		if c := s.columns[g.IntN(len(s.columns))]; !slices.ContainsFunc(i.columns, func(o column) bool { return o.name == c.name }) {
			i.list = append(i.list, c.ref)
			c.ref = c.name
			i.columns = append(i.columns, c)
			return
		}
	}
	if g.chance(40) {
		i.add(g, g.clamped(s, 1), query.Number, true)
		return
	}
	text, kind := g.any(s, 1)
	i.add(g, text, kind, false)
}

// perRow writes a sub-query that computes each row from one.
func (g *Generator) perRow(space string, depth int) selection {
	in := g.from(space, depth-1)
	var out items
	if in.alias != "" && g.chance(10) {
		all := in.renamed(in.alias, false)
		out = items{[]string{in.alias + ".*"}, all.columns, all.id}
	} else {
		if in.id != "" && g.chance(85) {
			out.addID(g, in)
		}
		for range 2 + g.IntN(3) {
			out.expression(g, in)
		}
	}
	text := "SELECT " + strings.Join(out.list, ", ") + " FROM " + in.text
	if g.chance(40) {
		text += " WHERE " + g.truth(in, 1)
	}
	return selection{text, scope{columns: out.columns, id: out.id, space: in.space, rows: in.rows}}
}
