package query

import "slices"

// basisRows is a relation in the form that a basis compares: which rows there are, whose, and what their fields are.
// Names of tables, sub-queries and fields are gone, and so is what a sub-query computes without a need for it: rows,
// units and ranks do not depend on it.
type basisRows struct {
	source digest                // without the conditions
	passed []digest              // conditions that all of them fulfil, in no order
	fields map[string]definition // by the name above
}

// definition is what a field holds; num and den are those of a stored measure.
type definition struct {
	node     *node
	num, den int64
}

// identity stands for which rows there are.
func (r basisRows) identity() digest {
	return hash("rows").sum(r.source).sums(inOrder(r.passed)).done()
}

// where adds a condition. One of several parts is as many conditions: a row passes where all are true.
func (r *basisRows) where(e *Expr) {
	if e == nil {
		return
	}
	n := r.node(*e)
	parts := []*node{n}
	switch {
	case n == always:
		return
	case n.op == OpAnd:
		parts = n.args
	}
	r.passed = slices.Clone(r.passed)
	for _, p := range parts {
		r.passed = append(r.passed, p.sum)
	}
}

// basisOf describes a relation.
func basisOf(r Relation) basisRows {
	inputs := make([]basisRows, len(r.Inputs))
	for i, in := range r.Inputs {
		inputs[i] = basisOf(in)
	}
	var out basisRows
	switch r.Op {
	case Scan:
		out = basisScan(r)
	case Select:
		out = basisSelect(r, inputs[0])
	case PerUnit:
		out = basisPerUnit(r, inputs[0])
	case JoinRows:
		out = basisJoin(r, inputs[0], inputs[1])
	case Union:
		out = basisUnion(r, inputs)
	}
	for _, f := range r.Fields {
		if d, ok := out.fields[f.Name]; ok {
			d.num, d.den = f.Num, f.Den
			out.fields[f.Name] = d
		}
	}
	return out
}

func basisScan(r Relation) basisRows {
	out := basisRows{source: hash("scan").text(r.Dataset).done(), fields: map[string]definition{}}
	for _, f := range r.Fields {
		stored := hash("stored").text(f.Name).text(string(f.Type)).numbers(f.Num, f.Den)
		out.fields[f.Name] = definition{node: opaque(stored.done())}
	}
	return out
}

// basisSelect keeps rows with their units and ranks, so that they are the input's with more conditions.
func basisSelect(r Relation, in basisRows) basisRows {
	in.where(r.Filter)
	fields := map[string]definition{}
	for _, c := range r.Columns {
		fields[c.Name] = definition{node: in.node(c.Expr)}
	}
	in.fields = fields
	return in
}

// basisPerUnit makes a row of each unit and combination of what it groups by.
func basisPerUnit(r Relation, in basisRows) basisRows {
	in.where(r.Filter)
	out := basisRows{fields: map[string]definition{}}
	var by []digest
	for _, c := range r.Columns {
		of := in.node(c.Expr).sum
		by = append(by, of)
		out.fields[c.Name] = definition{node: opaque(hash("group").sum(of).done())}
	}
	for _, f := range r.Features {
		out.fields[f.Name] = definition{node: opaque(in.feature(f))}
	}
	out.source = hash("per unit").sum(in.identity()).sums(inOrder(by)).done()
	return out
}

// feature is the identity of an aggregate over the rows of one unit.
func (r basisRows) feature(f Feature) digest {
	h := hash("feature").text(string(f.Kind)).numbers(f.Lower, f.Upper, f.Step.Num, f.Step.Den).truth(f.Argument != nil)
	if f.Argument != nil {
		h = h.sum(r.node(*f.Argument).sum)
	}
	for _, o := range f.OrderBy {
		h = h.sum(r.node(o.Expr).sum).truth(o.Descending)
	}
	return h.done()
}

// basisJoin pairs rows. Which side is the left one decides on ranks.
func basisJoin(r Relation, left, right basisRows) basisRows {
	out := basisRows{fields: map[string]definition{}}
	var on []digest
	for _, k := range r.Join.Keys {
		on = append(on, hash("on").sum(left.field(k.Left)).sum(right.field(k.Right)).done())
	}
	out.source = hash("join").sum(left.identity()).sum(right.identity()).truth(r.Join.Outer).truth(r.Join.Public).sums(inOrder(on)).done()
	out.take("left", r.Join.Left, left)
	out.take("right", r.Join.Right, right)
	return out
}

// take adds the fields of one side of a join.
func (r basisRows) take(side, alias string, of basisRows) {
	for name, d := range of.fields {
		if alias != "" {
			name = alias + "." + name
		}
		r.fields[name] = definition{node: opaque(hash(side).sum(d.node.sum).done()), num: d.num, den: d.den}
	}
}

// basisUnion puts the rows of its inputs together. Their order decides on ranks.
func basisUnion(r Relation, inputs []basisRows) basisRows {
	out := basisRows{fields: map[string]definition{}}
	h := hash("union")
	for _, in := range inputs {
		h = h.sum(in.identity())
	}
	out.source = h.done()
	for _, f := range r.Fields {
		branches := hash("branches")
		for _, in := range inputs {
			branches = branches.sum(in.field(f.Name))
		}
		out.fields[f.Name] = definition{node: opaque(branches.done())}
	}
	return out
}

// field is the identity of a field by its name.
func (r basisRows) field(name string) digest {
	if d, ok := r.fields[name]; ok {
		return d.node.sum
	}
	return unknown(name) // not in a plan that New made
}

func unknown(name string) digest { return hash("unknown").text(name).done() }
