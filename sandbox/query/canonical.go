package query

import (
	"strconv"
	"strings"
)

// Canonical returns the question as SQL, written from the plan: two texts that differ in white
// space, case, comments, the spelling of constants or the order of conditions give one. New makes the
// same plan of it, given the same declaration and bounds.
//
// It does not hold the contribution bounds, the loss, or what the dataset declared: whoever compares
// questions adds those.
func (p Plan) Canonical() string {
	var b strings.Builder
	w := writer{&p.parts}
	b.WriteString("SELECT ")
	for i, o := range p.parts.Outputs {
		if i > 0 {
			b.WriteString(", ")
		}
		text := w.released(Released{Key: o.Key, Aggregate: o.Aggregate})
		b.WriteString(text)
		if name := identifier(o.Name); name != text {
			b.WriteString(" AS " + name)
		}
	}
	b.WriteString(" FROM " + w.from(p.parts.From))
	if p.parts.Filter != nil {
		b.WriteString(" WHERE " + w.expr(*p.parts.Filter))
	}
	for i, k := range p.parts.Keys {
		b.WriteString(separator(i, " GROUP BY ") + w.expr(k.Expr))
	}
	if p.parts.Having != nil {
		b.WriteString(" HAVING " + w.expr(*p.parts.Having))
	}
	for i, o := range p.parts.OrderBy {
		b.WriteString(separator(i, " ORDER BY ") + p.orderText(o.Released))
		if o.Descending {
			b.WriteString(" DESC")
		}
	}
	if p.parts.Limit != nil {
		b.WriteString(" LIMIT " + strconv.FormatInt(*p.parts.Limit, 10))
	}
	if p.parts.Offset > 0 {
		b.WriteString(" OFFSET " + strconv.FormatInt(p.parts.Offset, 10))
	}
	return b.String()
}

func separator(i int, first string) string {
	if i == 0 {
		return first
	}
	return ", "
}

// orderText writes an ORDER BY term: its name in the answer, where it has one. A column that has none is
// qualified, because another column of the answer may have its name.
func (p Plan) orderText(r Released) string {
	for _, o := range p.parts.Outputs {
		if o.Key == r.Key && o.Aggregate == r.Aggregate {
			return identifier(o.Name)
		}
	}
	text := writer{&p.parts}.released(r)
	if r.Key < 0 || p.parts.Keys[r.Key].Expr.Op != OpColumn || p.parts.From.Op == JoinRows {
		return text
	}
	if p.parts.From.Op == Scan {
		_, name, _ := strings.Cut(p.parts.From.Dataset, ".")
		return identifier(name) + "." + text
	}
	return "t1." + text
}
