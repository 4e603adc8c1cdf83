package query

import (
	"slices"
	"strconv"
	"strings"

	"entrepot/privacy"
)

// prune keeps of From what the rest of the plan refers to, and lists the datasets that it reads.
func (p *planner) prune() {
	needed := map[string]bool{}
	for _, k := range p.parts.Keys {
		refer(k.Expr, needed)
	}
	for _, a := range p.parts.Arguments {
		refer(a.Expr, needed)
	}
	if p.parts.Filter != nil {
		refer(*p.parts.Filter, needed)
	}
	id := slices.ContainsFunc(p.parts.Aggregates, func(a Aggregate) bool { return a.Kind == privacy.CountUnits })
	p.parts.From = p.parts.From.keep(needed, id)
	p.parts.Datasets = []DatasetUse{}
	p.use(p.parts.From)
	slices.SortFunc(p.parts.Datasets, func(a, b DatasetUse) int { return strings.Compare(a.ID, b.ID) })
}

// refer notes the fields that an expression is made of.
func refer(e Expr, names map[string]bool) {
	if e.Op == OpColumn {
		names[e.Column] = true
	}
	for _, a := range e.Args {
		refer(a, names)
	}
}

// keep returns the relation without the fields that nothing above refers to, and without the name of
// the privacy ID unless that is referred to. What remains is sorted by name.
func (r Relation) keep(needed map[string]bool, id bool) Relation {
	r.Fields = append([]Field{}, without(r.Fields, func(f Field) bool { return !needed[f.Name] })...)
	slices.SortFunc(r.Fields, func(a, b Field) int { return strings.Compare(a.Name, b.Name) })
	if !id && r.Op != Scan {
		r.ID = ""
	}
	r.Inputs = slices.Clone(r.Inputs)
	below := map[string]bool{} // what this relation refers to
	if r.Filter != nil {
		refer(*r.Filter, below)
	}
	switch r.Op {
	case Select:
		r.Columns = without(r.Columns, func(c Computed) bool { return !needed[c.Name] })
		slices.SortFunc(r.Columns, byName)
	case PerUnit:
		r.Columns = r.groups(needed)
		r.Features = without(r.Features, func(f Feature) bool { return !needed[f.Name] })
		slices.SortFunc(r.Features, func(a, b Feature) int { return strings.Compare(a.Name, b.Name) })
		for _, f := range r.Features {
			if f.Argument != nil {
				refer(*f.Argument, below)
			}
			for _, o := range f.OrderBy {
				refer(o.Expr, below)
			}
		}
	case JoinRows:
		return r.keepSides(needed, id)
	case Union:
		for i := range r.Inputs {
			r.Inputs[i] = r.Inputs[i].keep(needed, id)
		}
		return r
	case Scan:
		return r
	}
	for _, c := range r.Columns {
		refer(c.Expr, below)
	}
	r.Inputs[0] = r.Inputs[0].keep(below, r.ID != "" || r.Op == PerUnit)
	return r.collapsed()
}

// groups returns what a per_unit relation groups by, all of it: what is not needed above has no name in
// the question, and gets one that follows from the rest.
func (r Relation) groups(needed map[string]bool) []Computed {
	shown := without(r.Columns, func(c Computed) bool { return !needed[c.Name] })
	slices.SortFunc(shown, byName)
	rest := without(r.Columns, func(c Computed) bool { return needed[c.Name] })
	slices.SortFunc(rest, func(a, b Computed) int { return strings.Compare(writer{}.expr(a.Expr), writer{}.expr(b.Expr)) })
	n := 0
	for i := range rest {
		for n++; needed["g"+strconv.Itoa(n)]; n++ {
		}
		rest[i].Name = "g" + strconv.Itoa(n)
	}
	return append(shown, rest...)
}

func byName(a, b Computed) int { return strings.Compare(a.Name, b.Name) }

// without returns a copy of a list without some; nil where none remain.
func without[T any](list []T, drop func(T) bool) []T {
	if list = slices.DeleteFunc(slices.Clone(list), drop); len(list) == 0 {
		return nil
	}
	return list
}

// keepSides is keep for the two inputs of a join.
func (r Relation) keepSides(needed map[string]bool, id bool) Relation {
	left, right := map[string]bool{}, map[string]bool{}
	for name := range needed {
		alias, own, _ := strings.Cut(name, ".")
		switch alias {
		case r.Join.Right:
			right[own] = true
		case r.Join.Left:
			left[own] = true
		default:
			left[name] = true
		}
	}
	for _, k := range r.Join.Keys {
		left[k.Left], right[k.Right] = true, true
	}
	named := !r.Join.Public // ON names both privacy IDs
	r.Inputs[0] = r.Inputs[0].keep(left, id || named)
	r.Inputs[1] = r.Inputs[1].keep(right, named)
	return r
}

// use adds what a relation reads to the plan's datasets.
func (p *planner) use(r Relation) {
	for _, in := range r.Inputs {
		p.use(in)
	}
	if r.Op != Scan {
		return
	}
	i := slices.IndexFunc(p.parts.Datasets, func(d DatasetUse) bool { return d.ID == r.Dataset })
	if i < 0 {
		i = len(p.parts.Datasets)
		use := DatasetUse{ID: r.Dataset, Columns: []string{}}
		if len(r.Units) > 0 {
			use.UnitSpace = r.Units[0].Space
		}
		p.parts.Datasets = append(p.parts.Datasets, use)
	}
	d := &p.parts.Datasets[i]
	for _, f := range r.Fields {
		d.Columns = append(d.Columns, f.Name)
	}
	slices.Sort(d.Columns)
	d.Columns = slices.Compact(d.Columns)
}
