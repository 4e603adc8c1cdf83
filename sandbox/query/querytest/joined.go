package querytest

import (
	"fmt"
	"slices"
	"strings"

	"entrepot/datasets"
	"entrepot/sandbox/query"
)

// join writes a join of two FROM items on the privacy ID.
func (g *Generator) join(space string, depth int) scope {
	left := g.side(space, depth)
	if left.space == "" {
		return left
	}
	with, scans := len(g.with), g.scans
	right := g.side(left.space, depth-1)
	if left.rows*right.rows > 200 {
		g.with, g.scans = g.with[:with], scans
		return left
	}
	on := []string{left.id + " = " + right.id}
	if g.chance(40) {
		for _, kind := range []query.Type{query.Text, query.Int} {
			a, ok := g.one(left, kind)
			b, also := g.one(right, kind)
			if ok && also {
				on = append(on, g.pick(a.ref+" = "+b.ref, b.ref+" = "+a.ref))
				break
			}
		}
	}
	condition := " ON " + strings.Join(on, " AND ")
	if name := left.id[strings.LastIndex(left.id, ".")+1:]; g.chance(20) && strings.HasSuffix(right.id, "."+name) {
		condition = " USING (" + name + ")"
	}
	s := scope{
		text:    left.text + g.pick(" JOIN ", " LEFT JOIN ", " INNER JOIN ") + right.text + condition,
		columns: append(slices.Clone(left.columns), right.columns...),
		id:      left.id, space: left.space, rows: left.rows * right.rows,
	}
	return s
}

// side is one side of a join: its columns are qualified and the privacy ID can be named.
func (g *Generator) side(space string, depth int) scope {
	with, scans := len(g.with), g.scans
	var sub selection
	switch g.IntN(5) {
	case 0:
		sub = g.perRow(space, depth-1)
	case 1, 2:
		sub = g.perUnit(space, depth-1)
	}
	if sub.id != "" {
		return g.aliased(sub)
	}
	g.with, g.scans = g.with[:with], scans
	s := g.scan(space)
	alias := g.alias("j")
	table := s.table
	s = s.renamed(alias, true)
	s.text = table + " AS " + alias
	return s
}

// aliased puts a selection into FROM with all names qualified.
func (g *Generator) aliased(s selection) scope {
	alias := g.alias("j")
	out := s.renamed(alias, true)
	out.text = "(" + s.text + ") AS " + alias
	return out
}

// joinPublic writes a join with a public table on its unique key.
func (g *Generator) joinPublic(space string, depth int) scope {
	left := g.side(space, depth)
	if g.chance(30) {
		left = g.join(space, depth)
	}
	for _, id := range []string{org + ".prices", org + ".regions"} {
		if _, ok := g.tables[id]; !ok || g.chance(40) {
			continue
		}
		right := declared(g.tables[id]).renamed(g.alias("p"), true)
		var on []string
		for _, name := range g.tables[id].Declaration.Unique {
			c, _ := g.tables[id].Declaration.Column(name)
			kind := query.Text
			if c.Type == datasets.Int64 {
				kind = query.Int
			}
			if own, ok := g.one(left, kind); ok {
				on = append(on, fmt.Sprintf("%s = %s.%s", own.ref, right.alias, name))
			}
		}
		if len(on) < len(g.tables[id].Declaration.Unique) {
			continue
		}
		g.scans++
		left.text += g.pick(" JOIN ", " LEFT JOIN ") + id + " AS " + right.alias + " ON " + strings.Join(on, " AND ")
		left.columns = append(slices.Clone(left.columns), right.columns...)
	}
	return left
}
