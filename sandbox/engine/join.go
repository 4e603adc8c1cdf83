package engine

import (
	"fmt"
	"slices"
	"strings"

	"entrepot/sandbox/query"
)

// join writes the pairs of rows of two relations that belong together.
func (g *generator) join(r query.Relation, left, right rows) rows {
	if !g.mayJoin(r) {
		g.fail("a join that could multiply rows")
		return rows{}
	}
	l, leftFields := g.closed(left, r.Inputs[0].Fields)
	rt, rightFields := g.closed(right, r.Inputs[1].Fields)
	leftFields, rightFields = prefixed(leftFields, "_l."), prefixed(rightFields, "_r.")

	var on []string
	rank := "_l._rank"
	if !r.Join.Public {
		g.holdsUnits = true
		on = append(on, "_l._u = _r._u")
		rank = joinedRank(r.Inputs[1].MaxRank)
	}
	for _, k := range r.Join.Keys {
		on = append(on, g.equal(leftFields[k.Left], rightFields[k.Right]))
	}
	kind := " JOIN "
	if r.Join.Outer {
		kind = " LEFT JOIN "
	}
	out := rows{
		from:   l + " AS _l" + kind + rt + " AS _r ON " + strings.Join(on, " AND "),
		unit:   "_l._u",
		rank:   rank,
		fields: map[string]field{},
	}
	for _, f := range r.Fields {
		from, ok := named(f.Name, r.Join.Left, leftFields)
		if !ok {
			if from, ok = named(f.Name, r.Join.Right, rightFields); !ok {
				g.fail("no input of a join has field %q", f.Name)
			}
		}
		if from.Type != f.Type || from.Num != f.Num || from.Den != f.Den {
			g.fail("field %q of a join changes its type", f.Name)
		}
		from.Field = f
		out.fields[f.Name] = from
	}
	return out
}

// mayJoin checks that a public table is joined on its whole unique key, so that it adds at most one row
// to each.
func (g *generator) mayJoin(r query.Relation) bool {
	if len(r.Inputs[0].Units) == 0 {
		return false
	}
	if !r.Join.Public {
		return len(r.Inputs[1].Units) > 0
	}
	d := g.tables[r.Inputs[1].Dataset].Declaration
	if r.Inputs[1].Op != query.Scan || !d.Public || len(d.Unique) == 0 {
		return false
	}
	for _, name := range d.Unique {
		if !slices.ContainsFunc(r.Join.Keys, func(k query.JoinKey) bool { return k.Right == name }) {
			return false
		}
	}
	return true
}

// joinedRank writes (left − 1)·width + right. A row of an outer join that nothing belongs to is alone
// with its left rank.
func joinedRank(width int64) string {
	if width == 1 {
		return "_l._rank"
	}
	return fmt.Sprintf("((CAST(_l._rank AS BIGINT) - 1) * %d + coalesce(_r._rank, 1))", width)
}

// equal writes that two fields have one value. Stored steps of one size are compared as they are.
func (g *generator) equal(a, b field) string {
	switch {
	case a.Type == "" || a.Type != b.Type:
		g.fail("a join compares %q with %q", a.Type, b.Type)
	case a.Type == query.Number && (a.Num != b.Num || a.Den != b.Den):
		return g.value(a) + " + 0e0 = " + g.value(b) + " + 0e0"
	case a.Type == query.Number && !a.steps():
		return a.sql + " + 0e0 = " + b.sql + " + 0e0" // no −0, which hashes could tell from 0
	}
	return a.sql + " = " + b.sql
}

// prefixed puts a table's name before columns.
func prefixed(fields map[string]field, with string) map[string]field {
	out := map[string]field{}
	for name, f := range fields {
		f.sql = with + f.sql
		out[name] = f
	}
	return out
}

// named finds a field of a join by its name there: an input's alias, a dot and the field's name in it.
func named(name, alias string, fields map[string]field) (field, bool) {
	if alias != "" {
		var ok bool
		if name, ok = strings.CutPrefix(name, alias+"."); !ok {
			return field{}, false
		}
	}
	f, ok := fields[name]
	return f, ok
}
