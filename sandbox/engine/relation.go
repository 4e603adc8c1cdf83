package engine

import (
	"fmt"
	"slices"
	"strings"

	"entrepot/sandbox/query"
)

// rows is a relation as the parts of a SELECT: whoever reads it writes the list and may add conditions.
// Names from a question are not among them: columns of sub-queries are _u, _rank, _f0, _f1 and so on.
type rows struct {
	from   string // what follows FROM
	where  []string
	unit   string // the privacy unit, a BIGINT or BLOB; "" where rows belong to nobody
	rank   string // the row's rank within its unit, an INTEGER or BIGINT
	fields map[string]field
}

// field is one field and its SQL.
type field struct {
	query.Field
	weight
	sql string
}

// steps tells whether the field holds stored steps of a measure.
func (f field) steps() bool { return f.Num != 0 }

// selecting writes a SELECT.
func (r rows) selecting(list []string) string {
	sql := "SELECT " + strings.Join(list, ", ") + " FROM " + r.from
	if len(r.where) > 0 {
		sql += " WHERE " + strings.Join(r.where, " AND ")
	}
	return sql
}

// stored returns the field that an expression is, if that holds stored steps.
func (r rows) stored(e query.Expr) (field, bool) {
	f, ok := r.fields[e.Column]
	return f, ok && e.Op == query.OpColumn && f.steps() && f.Num == e.Num && f.Den == e.Den
}

// wellFormed tells whether a relation has the inputs that it should have.
func wellFormed(r query.Relation) bool {
	switch n := len(r.Inputs); r.Op {
	case query.Scan:
		return n == 0
	case query.Select, query.PerUnit:
		return n == 1
	case query.JoinRows:
		return n == 2 && r.Join != nil
	case query.Union:
		return n >= 2
	}
	return false
}

// relation writes a relation, and checks what it says of its units against its inputs.
func (g *generator) relation(r query.Relation) rows {
	if !wellFormed(r) {
		g.fail("a relation %q of %d inputs", r.Op, len(r.Inputs))
	}
	in := make([]rows, len(r.Inputs))
	for i := range r.Inputs {
		in[i] = g.relation(r.Inputs[i])
	}
	if g.err != nil {
		return rows{}
	}
	var out rows
	switch r.Op {
	case query.Scan:
		out = g.scan(r)
	case query.Select:
		out = g.selection(r, in[0])
	case query.PerUnit:
		out = g.perUnit(r, in[0])
	case query.JoinRows:
		out = g.join(r, in[0], in[1])
	case query.Union:
		out = g.union(r, in)
	}
	if err := g.checkUnits(r); err != nil {
		g.fail("a %s: %s", r.Op, err)
	}
	return out
}

// selection writes a select.
func (g *generator) selection(r query.Relation, in rows) rows {
	if r.Filter != nil {
		g.weigh(in, *r.Filter)
		in.where = append(slices.Clone(in.where), g.truth(in, *r.Filter))
	}
	out := rows{fields: map[string]field{}}
	var list []string
	for i, f := range r.Fields {
		c := slices.IndexFunc(r.Columns, func(c query.Computed) bool { return c.Name == f.Name })
		if c < 0 {
			g.fail("field %q is not computed", f.Name)
			return out
		}
		e := r.Columns[c].Expr
		list = append(list, g.field(in, f, e)+fmt.Sprintf(" AS _f%d", i))
		out.fields[f.Name] = field{f, g.weigh(in, e), fmt.Sprintf("_f%d", i)}
	}
	out.derive(in, list)
	return out
}

// derive makes a relation of a SELECT over another, with its units and ranks.
func (r *rows) derive(in rows, list []string) {
	if in.unit != "" {
		list = append(list, in.unit+" AS _u", in.rank+" AS _rank")
		r.unit, r.rank = "_u", "_rank"
	}
	if len(list) == 0 {
		list = []string{"1 AS _one"}
	}
	r.from = "(" + in.selecting(list) + ")"
}

// field writes what a computed field holds: stored steps stay stored steps where the field says so.
func (g *generator) field(in rows, f query.Field, e query.Expr) string {
	if f.Type != e.Type {
		g.fail("field %q of type %s is %s", f.Name, f.Type, e.Type)
	}
	if f.Num == 0 {
		return g.expr(in, e)
	}
	stored, ok := in.stored(e)
	if !ok || stored.Num != f.Num || stored.Den != f.Den {
		g.fail("field %q holds no stored steps", f.Name)
	}
	return stored.sql
}

// closed writes a relation as a table expression with columns _u, _rank and one for each of fields, in
// this order.
func (g *generator) closed(in rows, fields []query.Field) (string, map[string]field) {
	var list []string
	columns := map[string]field{}
	for i, f := range fields {
		from, ok := in.fields[f.Name]
		if !ok {
			g.fail("there is no field %q", f.Name)
		}
		name := fmt.Sprintf("_f%d", i)
		list = append(list, from.sql+" AS "+name)
		from.sql = name
		columns[f.Name] = from
	}
	var out rows
	out.derive(in, list)
	return out.from, columns
}

// value writes a field's value: that of stored steps in binary64, multiplied first.
func (g *generator) value(f field) string {
	if !f.steps() {
		return f.sql
	}
	return "(CAST(" + f.sql + " AS DOUBLE)" + g.scale(f.Num, f.Den) + ")"
}
