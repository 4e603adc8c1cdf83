package query

import (
	"math"
	"slices"
)

// align gives the columns of all branches the names of the first, and one type to those of one place.
func (p *planner) align(branches []projection) error {
	first := branches[0].columns
	for _, pr := range branches[1:] {
		if len(pr.columns) != len(first) {
			return p.refuse(pr.at, "select the same columns in each branch", "the branches of UNION ALL have %d and %d columns", len(first), len(pr.columns))
		}
	}
	c := p.over(&scope{source: p.source}, p.noAggregate("", ""))
	for k := range first {
		terms := make([]term, 0, len(branches))
		for _, pr := range branches {
			if pr.columns[k].id != first[k].id {
				return p.refuse(pr.columns[k].at, "select the privacy ID in the same place of each branch, or in none", "a column of UNION ALL is the privacy ID in one branch only")
			}
			terms = append(terms, pr.columns[k].term)
		}
		if first[k].id {
			for i := range branches {
				branches[i].columns[k].name = first[k].name
			}
			continue
		}
		terms, err := c.alike(terms)
		if err != nil {
			return err
		}
		for i := range branches {
			column := &branches[i].columns[k]
			column.name, column.term = first[k].name, terms[i]
		}
	}
	return nil
}

// alike converts the terms of one column of UNION ALL to one type, and stored steps to values unless
// those of all branches count the same.
func (c *checker) alike(terms []term) ([]term, error) {
	typed := slices.DeleteFunc(slices.Clone(terms), func(t term) bool { return t.untyped() })
	if len(typed) == 0 {
		return terms, nil // and is refused as a column that is always NULL
	}
	terms, err := c.unify(terms...)
	if err != nil {
		return nil, err
	}
	for i, t := range terms {
		if t.untyped() {
			if terms[i], err = c.nothing(t, terms); err != nil {
				return nil, err
			}
		}
	}
	same := !slices.ContainsFunc(terms, func(t term) bool {
		return t.expr.Op != OpColumn || t.expr.Num != terms[0].expr.Num || t.expr.Den != terms[0].expr.Den
	})
	for i, t := range terms {
		if !same && t.expr.Op == OpColumn && t.expr.Num != 0 {
			// The value rather than the steps: COALESCE of one value is the value, and is left out in text.
			terms[i] = t.kept()
			terms[i].expr = Expr{Op: OpCoalesce, Type: Number, Args: []Expr{t.expr}, Lo: t.expr.Lo, Hi: t.expr.Hi}
			terms[i].size++
		}
	}
	return terms, nil
}

// nothing is a column that is NULL in one branch: CASE WHEN FALSE THEN x END, of some x of its type.
func (c *checker) nothing(t term, others []term) (term, error) {
	typ := t.expr.Type
	x := term{expr: Expr{Op: OpLiteral, Type: typ}, at: t.at, size: 1}
	switch typ {
	case Number, Int:
		lo, hi := math.Inf(1), math.Inf(-1)
		for _, o := range others {
			if !o.untyped() {
				lo, hi = min(lo, o.lo), max(hi, o.hi)
			}
		}
		x = numberLiteral(t.at, min(max(0, math.Ceil(lo)), math.Floor(hi)))
		if typ == Int {
			return noInteger(x, t.at), nil
		}
	case Date, Timestamp:
		var err error
		if x, err = c.moment(t.at, "2000-01-01", typ); err != nil {
			return term{}, err
		}
	}
	null := term{expr: Expr{Op: OpLiteral, Null: true}, at: t.at, size: 1, nullable: true}
	return c.cases(t.at, []term{truth(t.at, false)}, []term{x, null})
}

// noInteger is a column of type Int that is NULL. It is written as NULL: CASE of a constant is a Number.
func noInteger(x term, at int32) term {
	e := Expr{Op: OpCase, Type: Int, Args: []Expr{truth(at, false).expr, {Op: OpLiteral, Type: Int, Int: x.integer}, {Op: OpLiteral, Type: Int, Null: true}}}
	x.expr, x.size, x.nullable, x.whole, x.integer = e, nodes(e), true, false, 0
	return x
}

// isNoInteger tells whether an expression is that of noInteger; no other has its form.
func isNoInteger(e Expr) bool {
	return e.Op == OpCase && e.Type == Int && len(e.Args) == 3 && e.Args[1].Op == OpLiteral && e.Args[2].Null
}

// either is a field of UNION ALL that has its values from two branches.
func either(a, b field) field {
	if a.id {
		return a
	}
	t := a.term
	t.nullable = t.nullable || b.term.nullable
	t.lo, t.hi, t.least = min(t.lo, b.term.lo), max(t.hi, b.term.hi), min(t.least, b.term.least)
	t.grid, t.integral = t.grid.both(b.term.grid), t.integral && b.term.integral
	t.earliest, t.latest = min(t.earliest, b.term.earliest), max(t.latest, b.term.latest)
	if t.loose == "" {
		t.loose = b.term.loose
	}
	if t.expr.Type == Number {
		t.expr.Lo, t.expr.Hi = t.lo, t.hi
	}
	first, second := a.term, b.term
	t.domain = func(w *effort) []any {
		x, y := first.values(w), second.values(w)
		if x == nil || y == nil {
			return nil
		}
		return slices.Concat(x, y)
	}
	return field{name: a.name, term: t}
}
