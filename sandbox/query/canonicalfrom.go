package query

import (
	"slices"
	"strings"
)

// from writes a FROM clause: a dataset by its name, joins with the aliases t1, t2 …, and all else as a
// sub-query named t1.
func (w writer) from(r Relation) string {
	switch r.Op {
	case Scan:
		return dataset(r)
	case JoinRows:
		return w.joins(r)
	}
	return w.aliased(r, "t1")
}

// dataset writes a dataset's name.
func dataset(r Relation) string {
	org, name, _ := strings.Cut(r.Dataset, ".")
	return identifier(org) + "." + identifier(name)
}

// aliased writes one side of a join.
func (w writer) aliased(r Relation, alias string) string {
	if r.Op == Scan {
		return dataset(r) + " AS " + alias
	}
	return "(" + w.subquery(r, r.ID) + ") AS " + alias
}

func (w writer) joins(r Relation) string {
	left, right := r.Inputs[0], r.Inputs[1]
	word := " JOIN "
	var text string
	if r.Join.Left == "" {
		text = w.joins(left)
	} else {
		text = w.aliased(left, r.Join.Left)
	}
	if r.Join.Outer {
		word = " LEFT JOIN "
	}
	side := func(alias, name string) string {
		if alias == "" { // the name begins with one
			return qualified(name)
		}
		return qualified(alias + "." + name)
	}
	var on []string
	if !r.Join.Public {
		on = append(on, side(r.Join.Left, left.ID)+" = "+side(r.Join.Right, right.ID))
	}
	for _, k := range r.Join.Keys {
		on = append(on, side(r.Join.Left, k.Left)+" = "+side(r.Join.Right, k.Right))
	}
	return text + word + w.aliased(right, r.Join.Right) + " ON " + strings.Join(on, " AND ")
}

// subquery writes a relation as a SELECT; id is the name under which it shows the privacy ID, or "".
func (w writer) subquery(r Relation, id string) string {
	if r.Op == Union {
		branches := make([]string, len(r.Inputs))
		for i, in := range r.Inputs {
			branches[i] = w.branch(in, r)
		}
		return strings.Join(branches, " UNION ALL ")
	}
	in := r.Inputs[0]
	var list, by []string
	if id != "" {
		list = append(list, as(qualified(in.ID), id))
	}
	for _, c := range r.Columns {
		if slices.ContainsFunc(r.Fields, func(f Field) bool { return f.Name == c.Name }) {
			list = append(list, as(w.column(c.Expr), c.Name))
		}
		by = append(by, w.expr(c.Expr))
	}
	for _, f := range r.Features {
		list = append(list, as(w.feature(f), f.Name))
	}
	tail := " FROM " + w.from(in)
	if r.Filter != nil {
		tail += " WHERE " + w.expr(*r.Filter)
	}
	if r.Op == PerUnit {
		tail += " GROUP BY " + strings.Join(append([]string{qualified(in.ID)}, by...), ", ")
	}
	return "SELECT " + shown(list) + tail
}

// branch writes one branch of a UNION ALL.
func (w writer) branch(r, of Relation) string {
	if r.Op == Select || r.Op == PerUnit {
		return w.subquery(r, of.ID)
	}
	var list []string
	if of.ID != "" {
		list = append(list, identifier(of.ID))
	}
	for _, f := range r.Fields {
		list = append(list, identifier(f.Name))
	}
	return "SELECT " + shown(list) + " FROM " + w.from(r)
}

// column writes what a sub-query selects.
func (w writer) column(e Expr) string {
	if isNoInteger(e) {
		return "NULL"
	}
	return w.expr(e)
}

// shown is a SELECT list. Where nothing of the rows is needed, it is a constant.
func shown(list []string) string {
	if len(list) == 0 {
		return "1 AS one"
	}
	return strings.Join(list, ", ")
}

// as names a column.
func as(text, name string) string {
	if name = identifier(name); name != text {
		return text + " AS " + name
	}
	return text
}

// feature writes an aggregate over the rows of one unit.
func (w writer) feature(f Feature) string {
	argument := "*"
	if f.Argument != nil {
		argument = w.expr(*f.Argument)
	}
	var order strings.Builder
	for i, o := range f.OrderBy {
		order.WriteString(separator(i, " ORDER BY ") + w.expr(o.Expr))
		if o.Descending {
			order.WriteString(" DESC")
		}
	}
	switch f.Kind {
	case FeatureDistinct:
		return "COUNT(DISTINCT " + argument + ")"
	case FeatureAny:
		return "BOOL_OR(" + argument + ")"
	case FeatureAll:
		return "BOOL_AND(" + argument + ")"
	}
	return strings.ToUpper(string(f.Kind)) + "(" + argument + order.String() + ")"
}
