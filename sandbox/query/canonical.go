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
	org, dataset, _ := strings.Cut(p.parts.Dataset, ".")
	b.WriteString(" FROM " + identifier(org) + "." + identifier(dataset))
	if p.parts.Filter != nil {
		b.WriteString(" WHERE " + w.expr(*p.parts.Filter))
	}
	for i, k := range p.parts.Keys {
		b.WriteString(separator(i, " GROUP BY ") + identifier(k.Column))
	}
	if p.parts.Having != nil {
		b.WriteString(" HAVING " + w.expr(*p.parts.Having))
	}
	for i, o := range p.parts.OrderBy {
		b.WriteString(separator(i, " ORDER BY ") + p.orderText(o.Released, identifier(dataset)))
		if o.Descending {
			b.WriteString(" DESC")
		}
	}
	if p.parts.Limit != nil {
		b.WriteString(" LIMIT " + strconv.FormatInt(*p.parts.Limit, 10))
	}
	return b.String()
}

func separator(i int, first string) string {
	if i == 0 {
		return first
	}
	return ", "
}

// orderText writes an ORDER BY term: its name in the answer, where it has one. A key that has none is
// qualified, because another column of the answer may have its name.
func (p Plan) orderText(r Released, dataset string) string {
	for _, o := range p.parts.Outputs {
		if o.Key == r.Key && o.Aggregate == r.Aggregate {
			return identifier(o.Name)
		}
	}
	w := writer{&p.parts}
	if r.Key >= 0 {
		return dataset + "." + w.released(r)
	}
	return w.released(r)
}
