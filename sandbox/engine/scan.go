package engine

import (
	"fmt"
	"slices"
	"strings"

	"entrepot/datasets"
	"entrepot/sandbox/query"
)

// scan writes the rows of a dataset: those of a rank that the plan counts, of the units of one stretch.
func (g *generator) scan(r query.Relation) rows {
	table, ok := g.tables[r.Dataset]
	if !ok {
		g.fail("no table is given for %q", r.Dataset)
		return rows{}
	}
	out := rows{from: sourceMark(r.Dataset), fields: map[string]field{}}
	if len(r.Units) > 0 {
		out.rank = datasets.RankColumn
		out.unit = g.unit(r.Units[0].Space)
		out.where = []string{fmt.Sprintf("%s <= %d", datasets.RankColumn, r.Units[0].Rows) + cutMark}
	}
	for _, f := range r.Fields {
		c, declared := table.Declaration.Column(f.Name)
		if !declared || columnType(c) == "" || !holds(c, f) {
			g.fail("column %q is not stored as the plan has it", f.Name)
		}
		out.fields[f.Name] = field{Field: f, sql: ident(c.Name)}
	}
	return out
}

// holds tells whether a field is what a declared column is stored as.
func holds(c datasets.Column, f query.Field) bool {
	if c.Role == datasets.Measure {
		_, _, num, den, ok := c.Grid()
		return ok && f.Type == query.Number && f.Num == num && f.Den == den
	}
	return f.Num == 0 && f.Den == 0 && typeNames[f.Type] == columnType(c)
}

// unit writes what tells the units of a space apart, from each other and from those of other spaces:
// one byte more after the stored ID, from the second space on.
func (g *generator) unit(space string) string {
	if g.ordinals {
		return datasets.OrdinalColumn
	}
	i := slices.Index(g.spaces, space)
	if i <= 0 { // or a space that is in a relation which fails
		return datasets.UnitColumn
	}
	return fmt.Sprintf("(%s || '\\x%02x'::BLOB)", datasets.UnitColumn, i&0xff)
}

// Marks in a template, where a statement is completed later. No SQL contains NUL.
const cutMark = "\x00cut\x00"

// sourceMark stands for the rows of a dataset.
func sourceMark(dataset string) string { return "\x00rows " + dataset + "\x00" }

// fill completes a template with table expressions of canonical columns, by dataset, and a stretch.
func fill(template string, sources map[string]string, s stretch) string {
	pairs := []string{cutMark, string(s)}
	for dataset, source := range sources {
		pairs = append(pairs, sourceMark(dataset), source)
	}
	return strings.NewReplacer(pairs...).Replace(template)
}
