package query

import "slices"

// boolean refuses a term that is no condition.
func (c *checker) boolean(t term, where string) (term, error) {
	if t.expr.Type == Bool && !t.untyped() {
		return t, nil
	}
	return term{}, c.refuse(t.at, "compare it with something", "%s needs a condition, and %s is %s", where, short(c.show(t)), describe(t))
}

// truth makes a Bool constant.
func truth(at int32, value bool) term {
	return term{expr: Expr{Op: OpLiteral, Type: Bool, Bool: value}, at: at, size: 1}
}

// logic makes AND or OR: nested ones are merged and the parts sorted, because their order changes
// nothing: every part is total, so that no engine can tell which was evaluated first.
func (c *checker) logic(at int32, op Op, parts []term) (term, error) {
	word := "AND"
	if op == OpOr {
		word = "OR"
	}
	var flat []term
	for _, p := range parts {
		p, err := c.boolean(p, word)
		if err != nil {
			return term{}, err
		}
		if p.expr.Op != op {
			flat = append(flat, p)
			continue
		}
		flat = append(flat, p.parts...)
	}
	if flat = c.sorted(flat); len(flat) == 1 {
		return flat[0], nil
	}
	return c.node(at, op, Bool, flat...)
}

// nodes counts as node does.
func nodes(e Expr) int {
	n := 1 + len(e.Text)/16
	if e.Op == OpLike {
		n = 1 + likeSize(e.Text)
	}
	for _, a := range e.Args {
		n += nodes(a)
	}
	if i := repeated(e.Op); i >= 0 {
		n += nodes(e.Args[i])
	}
	return n
}

// not makes NOT, turned into the opposite comparison where there is one.
func (c *checker) not(at int32, t term) (term, error) {
	t, err := c.boolean(t, "NOT")
	if err != nil {
		return term{}, err
	}
	switch {
	case t.literal():
		return truth(at, !t.expr.Bool), nil
	case t.expr.Op == OpNot:
		return t.parts[0], nil
	}
	if op, ok := opposite(t.expr.Op); ok {
		t.expr.Op = op
		return t, nil
	}
	return c.node(at, OpNot, Bool, t)
}

// isNull makes value IS NULL.
func (c *checker) isNull(at int32, value term) (term, error) {
	if value.untyped() {
		return term{}, c.refuse(value.at, "name a column", "NULL IS NULL needs no question")
	}
	t, err := c.node(at, OpIsNull, Bool, value)
	t.nullable = false
	return t, err
}

// is makes value IS TRUE or value IS FALSE: like the value, but false where it is NULL.
func (c *checker) is(at int32, value term, want bool) (term, error) {
	value, err := c.boolean(value, "IS TRUE or IS FALSE")
	if err != nil {
		return term{}, err
	}
	if !want {
		if value, err = c.not(at, value); err != nil {
			return term{}, err
		}
	}
	return c.coalesce(at, value, truth(at, false))
}

// coalesce makes COALESCE, up to the first value that is never NULL.
func (c *checker) coalesce(at int32, values ...term) (term, error) {
	for _, v := range values {
		if v.untyped() {
			return term{}, c.refuse(v.at, "leave it out", "NULL in COALESCE changes nothing")
		}
	}
	if _, err := c.unify(values...); err != nil {
		return term{}, err
	}
	for i, v := range values {
		if !v.nullable {
			values = values[:i+1] // and what was dropped has no say in the type
			break
		}
	}
	if len(values) == 1 {
		return values[0], nil
	}
	values, err := c.unify(values...)
	if err != nil {
		return term{}, err
	}
	t, err := c.node(at, OpCoalesce, values[0].expr.Type, values...)
	if err != nil {
		return term{}, err
	}
	t.nullable, t.results = values[len(values)-1].nullable, values
	return c.hull(t, values)
}

// nullIf makes NULLIF(a, b).
func (c *checker) nullIf(at int32, a, b term) (term, error) {
	for _, v := range []term{a, b} {
		if v.untyped() {
			return term{}, c.refuse(v.at, "leave NULLIF out", "NULL in NULLIF changes nothing")
		}
	}
	both, err := c.unify(a, b)
	if err != nil {
		return term{}, err
	}
	t, err := c.node(at, OpNullIf, both[0].expr.Type, both...)
	if err != nil {
		return term{}, err
	}
	t.nullable, t.loose, t.results = true, both[0].loose, both[:1]
	return c.hull(t, both[:1])
}

// cases makes CASE of when, then, when, then …, else. Without ELSE the last is NULL.
func (c *checker) cases(at int32, whens, thens []term) (term, error) {
	typed := false
	for _, t := range thens {
		typed = typed || !t.untyped()
	}
	if !typed {
		return term{}, c.refuse(at, "give one branch a value", "every branch of CASE is NULL")
	}
	thens, err := c.unify(thens...)
	if err != nil {
		return term{}, err
	}
	var parts []term
	for i, w := range whens {
		if w, err = c.boolean(w, "WHEN"); err != nil {
			return term{}, err
		}
		parts = append(parts, w, thens[i])
	}
	parts = append(parts, thens[len(whens)])
	t, err := c.node(at, OpCase, thens[0].expr.Type, parts...)
	if err != nil {
		return term{}, err
	}
	t.nullable, t.loose = false, ""
	thens = slices.Clone(thens)
	for i, v := range thens {
		if i < len(whens) {
			v = guarded(v, whens[i])
			thens[i] = v
		}
		t.nullable = t.nullable || v.nullable
		if t.loose == "" {
			t.loose = v.loose
		}
	}
	for i, v := range thens {
		if i == len(whens) || !equal(whens[i].expr, truth(v.at, false).expr) {
			t.results = append(t.results, v)
		}
	}
	return c.hull(t, thens)
}
