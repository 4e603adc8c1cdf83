package query

import (
	"math"
	"slices"
	"strings"
)

// unify brings terms that are compared with each other, or are branches of one CASE, to one type.
// Literals adapt to columns, Int becomes Number beside a fraction, and nothing else is converted.
func (c *checker) unify(terms ...term) ([]term, error) {
	terms = slices.Clone(terms)
	typ := commonType(terms)
	for i, t := range terms {
		var err error
		if terms[i], err = c.adapt(t, typ); err != nil {
			return nil, err
		}
	}
	return terms, nil
}

// commonType is the type that the terms should have: columns decide, literals follow. NULL has none.
func commonType(terms []term) Type {
	var strong, weak Type
	whole, number, timestamp := true, false, false
	for _, t := range terms {
		typ := t.expr.Type
		switch {
		case t.untyped():
		case t.literal() && typ != Date && typ != Timestamp:
			whole = whole && t.whole
			if weak == "" {
				weak = typ
			}
		default:
			number, timestamp = number || typ == Number, timestamp || typ == Timestamp
			if strong == "" {
				strong = typ
			}
		}
	}
	switch {
	case strong == "" && weak == Int:
		return Number
	case strong == "":
		return weak
	case strong == Int && (number || !whole):
		return Number
	case strong == Date && timestamp:
		return Timestamp // a date literal has a midnight; adapt refuses a date column
	}
	return strong
}

// adapt converts one term to a type, or refuses.
func (c *checker) adapt(t term, typ Type) (term, error) {
	from := t.expr.Type
	switch {
	case t.untyped():
		t.expr.Type = typ
		return t, nil
	case from == typ:
		return t, nil
	case typ == Number && from == Int:
		return c.number(t)
	case typ == Int && t.whole:
		t.expr = Expr{Op: OpLiteral, Type: Int, Int: t.integer}
		return t, nil
	case t.literal() && from == Text && (typ == Date || typ == Timestamp):
		return c.moment(t.at, t.expr.Text, typ)
	case t.literal() && from == Date && typ == Timestamp:
		return c.moment(t.at, t.expr.Text, typ)
	}
	return term{}, c.refuse(t.at, hintCompare(t, typ), "%s is %s, and %s is needed here", short(c.show(t)), describe(t), describeType(typ))
}

func hintCompare(t term, typ Type) string {
	switch {
	case t.literal() && t.expr.Type == Text && (typ == Number || typ == Int):
		return "write numbers without quotes"
	case t.literal() && typ == Text:
		return "write text in single quotes"
	case typ == Bool || t.expr.Type == Bool:
		return "write IS TRUE or IS FALSE to test a condition"
	case typ == Timestamp && t.expr.Type == Date:
		return "CAST(x AS TIMESTAMP) is the midnight that a date begins with"
	case typ == Date && t.expr.Type == Timestamp:
		return "CAST(x AS DATE) is the day of a timestamp"
	case (typ == Number || typ == Int) && t.expr.Type == Text:
		return "CAST(x AS DOUBLE PRECISION) reads text as a number, NULL where it is none"
	case typ == Date || typ == Timestamp:
		return "write a literal such as DATE '2020-01-31' or TIMESTAMP '2020-01-31 12:00:00', of the column's own type"
	}
	return "compare values of one type"
}

// compare makes a comparison, with a literal on the right and two others in the order of their text,
// so that 5 < x and x > 5 are one question.
func (c *checker) compare(at int32, op Op, a, b term) (term, error) {
	for _, t := range []term{a, b} {
		if t.untyped() {
			return term{}, c.refuse(t.at, "write IS NULL or IS NOT NULL", "comparing with NULL is never true")
		}
	}
	both, err := c.unify(a, b)
	if err != nil {
		return term{}, err
	}
	a, b = both[0], both[1]
	if a.expr.Type == Bool && op != OpEq && op != OpNe {
		return term{}, c.refuse(at, "write IS TRUE or IS FALSE to test a condition", "conditions have no order")
	}
	if a.literal() && !b.literal() || a.literal() == b.literal() && c.show(b) < c.show(a) {
		a, b, op = b, a, mirror(op)
	}
	return c.node(at, op, Bool, a, b)
}

// mirror is the comparison with its sides exchanged.
func mirror(op Op) Op {
	switch op {
	case OpLt:
		return OpGt
	case OpLe:
		return OpGe
	case OpGt:
		return OpLt
	case OpGe:
		return OpLe
	}
	return op
}

// opposite is the comparison that is true where op is false and NULL where it is NULL.
func opposite(op Op) (Op, bool) {
	switch op {
	case OpEq:
		return OpNe, true
	case OpNe:
		return OpEq, true
	case OpLt:
		return OpGe, true
	case OpGe:
		return OpLt, true
	case OpGt:
		return OpLe, true
	case OpLe:
		return OpGt, true
	}
	return op, false
}

// among makes value IN (list) of constants, sorted, without repetitions.
func (c *checker) among(at int32, value term, list []term) (term, error) {
	if len(list) > MaxList {
		return term{}, c.refuse(at, "use a range, or a column that groups the values", "an IN list has more than %d values", MaxList)
	}
	for _, t := range append([]term{value}, list...) {
		if t.untyped() {
			return term{}, c.refuse(t.at, "write IS NULL beside it", "NULL in IN is never true")
		}
	}
	for _, t := range list {
		if !t.literal() {
			return term{}, c.refuse(t.at, "write x = a OR x = b", "an IN list holds constants only")
		}
	}
	all, err := c.unify(append([]term{value}, list...)...)
	if err != nil {
		return term{}, err
	}
	value, list = all[0], all[1:]
	list = c.sorted(list)
	if len(list) == 1 {
		return c.compare(at, OpEq, value, list[0])
	}
	return c.node(at, OpIn, Bool, append([]term{value}, list...)...)
}

// sorted orders terms by their text and drops repetitions.
func (c *checker) sorted(terms []term) []term {
	type entry struct {
		text string
		term term
	}
	entries := make([]entry, len(terms))
	for i, t := range terms {
		entries[i] = entry{c.show(t), t}
	}
	slices.SortStableFunc(entries, func(a, b entry) int { return strings.Compare(a.text, b.text) })
	entries = slices.CompactFunc(entries, func(a, b entry) bool { return a.text == b.text })
	sorted := make([]term, len(entries))
	for i, e := range entries {
		sorted[i] = e.term
	}
	return sorted
}

// like makes value LIKE pattern. Patterns are constants, and have so few % that matching is cheap
// even for an engine that backtracks.
func (c *checker) like(at int32, value, pattern term) (term, error) {
	if value.expr.Type != Text || value.untyped() {
		return term{}, c.refuse(value.at, "LIKE is for text columns", "%s is %s, and LIKE needs text", short(c.show(value)), describe(value))
	}
	if !pattern.literal() || pattern.expr.Type != Text {
		return term{}, c.refuse(pattern.at, "write the pattern in single quotes", "the pattern of LIKE is not a text constant")
	}
	text := pattern.expr.Text
	wild := strings.Contains(text, "_")
	switch {
	case len(text) > MaxPattern:
		return term{}, c.refuse(pattern.at, "use a shorter pattern", "the pattern of LIKE is longer than %d bytes", MaxPattern)
	case strings.Contains(text, `\`):
		return term{}, c.refuse(pattern.at, "use _ for one code point", "a backslash in a LIKE pattern is not supported: there is no escape character")
	case wild && len(text) > MaxWildcards:
		return term{}, c.refuse(pattern.at, "use a shorter pattern, or one without _", "a pattern of LIKE with _ is longer than %d bytes", MaxWildcards)
	case wild && strings.Count(text, "%") > 1, strings.Count(text, "%") > 8:
		return term{}, c.refuse(pattern.at, "use fewer: at most 8, and one beside _", "the pattern of LIKE has too many %%")
	}
	t, err := c.node(at, OpLike, Bool, value)
	t.expr.Text = text
	t.size += likeSize(text)
	return t, err
}

// likeSize is how many operations a pattern counts as: more where every place of a text may be tried.
func likeSize(pattern string) int {
	if strings.Contains(pattern, "_") {
		return len(pattern)
	}
	return len(pattern) / 4
}

// hull completes a term that has the value of one of several others.
func (c *checker) hull(t term, values []term) (term, error) {
	values = slices.DeleteFunc(slices.Clone(values), term.untyped)
	if t.temporal() {
		t.earliest, t.latest = lastMoment, firstMoment
		for _, v := range values {
			t.earliest, t.latest = min(t.earliest, v.earliest), max(t.latest, v.latest)
		}
	}
	if !t.numeric() {
		return t, nil
	}
	lo, hi, least := math.Inf(1), math.Inf(-1), math.Inf(1)
	g := grid{0, 1}
	t.integral = true
	for _, v := range values {
		lo, hi, least = min(lo, v.lo), max(hi, v.hi), min(least, v.least)
		g, t.integral = g.both(v.grid), t.integral && v.integral
	}
	if t.expr.Type == Number {
		return c.within(t, lo, hi, g, least)
	}
	t.lo, t.hi, t.grid, t.least = lo, hi, g, least
	return t, nil
}
