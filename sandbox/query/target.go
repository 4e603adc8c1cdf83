package query

import (
	"slices"

	pg "github.com/pganalyze/pg_query_go/v6"
)

// withNames returns a SELECT list with a name for each item that has none, if there is one that no other has.
func withNames(list []*pg.Node, names []string) []*pg.ResTarget {
	targets := make([]*pg.ResTarget, len(list))
	for i, n := range list {
		t := n.GetResTarget()
		targets[i] = &pg.ResTarget{Name: t.GetName(), Val: t.GetVal(), Location: t.GetLocation()}
	}
	if len(names) != len(targets) || slices.ContainsFunc(targets, isStar) {
		return targets
	}
	for i, t := range targets {
		taken := slices.ContainsFunc(targets, func(other *pg.ResTarget) bool {
			_, own, _ := reference(other.GetVal())
			return other.GetName() == names[i] || other.GetName() == "" && own == names[i]
		})
		if t.GetName() == "" && t.GetVal().GetColumnRef() == nil && !taken {
			targets[i].Name = names[i]
		}
	}
	return targets
}

// isStar tells whether an item of a SELECT list is * or t.*.
func isStar(t *pg.ResTarget) bool {
	fields := t.GetVal().GetColumnRef().GetFields()
	return len(fields) > 0 && fields[len(fields)-1].GetAStar() != nil
}

// target lowers one item of the SELECT list of a sub-query that does not group.
func (p *planner) target(s *scope, target *pg.ResTarget) ([]column, error) {
	value, at := target.GetVal(), target.GetLocation()
	if isStar(target) {
		return p.star(s, value.GetColumnRef().GetFields(), at)
	}
	name, err := p.columnName(target)
	if err != nil {
		return nil, err
	}
	if q, n, ok := reference(value); ok {
		_, f, err := s.lookup(q, n, at)
		if err != nil {
			return nil, err
		}
		return p.selected(s, f, name, q, at)
	}
	const none = "an aggregate in a sub-query needs GROUP BY the privacy ID"
	t, err := p.over(s, p.noAggregate(none, "")).lower(value)
	if err != nil {
		return nil, err
	}
	return []column{{name: name, term: t, at: at}}, p.grow(t)
}

// selected is a field of the input, or the privacy ID, as a column.
func (p *planner) selected(s *scope, f *field, name string, q []string, at int32) ([]column, error) {
	if f.id && f.unusable == "" {
		return []column{{name: name, id: true, at: at}}, nil
	}
	f, err := s.find(q, f.name, at)
	if err != nil {
		return nil, err
	}
	t := f.term
	t.at = at
	return []column{{name: name, term: t, at: at}}, nil
}

// star expands * and t.* to what can be used of an item.
func (p *planner) star(s *scope, fields []*pg.Node, at int32) ([]column, error) {
	var q []string
	for _, f := range fields[:len(fields)-1] {
		q = append(q, word(f))
	}
	items := s.qualified(q)
	switch {
	case len(items) == 0:
		_, _, err := s.lookup(q, "*", at)
		return nil, err
	case len(items) > 1:
		return nil, p.refuse(at, "name the columns, or write "+items[0].alias()+".*", "* over a join is not supported")
	}
	var columns []column
	for i := range items[0].fields {
		f := &items[0].fields[i]
		if f.unusable != "" {
			continue
		}
		more, err := p.selected(s, f, f.name, items[0].qualifier(), at)
		if err != nil {
			return nil, err
		}
		columns = append(columns, more...)
	}
	return columns, nil
}

// qualifier is what to write before the names of an item's fields, if it has a name.
func (it *item) qualifier() []string {
	if len(it.names) == 0 {
		return nil
	}
	return it.names[0]
}

// columnName is the name of a column of a sub-query: as given, or that of the column or function.
func (p *planner) columnName(target *pg.ResTarget) (string, error) {
	at := target.GetLocation()
	name := target.GetName()
	if _, n, ok := reference(target.GetVal()); name == "" && ok {
		name = n
	}
	if names := target.GetVal().GetFuncCall().GetFuncname(); name == "" && len(names) > 0 {
		name = word(names[len(names)-1])
	}
	switch {
	case name == "":
		return "", p.refuse(at, "name it with AS", "a column of a sub-query has no name")
	case !isID(name):
		return "", p.refuse(at, "use lower-case letters, digits and _, beginning with a letter", "the name %q is not supported", short(name))
	}
	return name, nil
}

// distinctNames refuses two columns of one name, which nothing above could tell apart.
func (p *planner) distinctNames(columns []column) error {
	seen := map[string]bool{}
	ids := 0
	for _, c := range columns {
		if seen[c.name] {
			return p.refuse(c.at, "name one of them with AS", "two columns of the sub-query have the name %s", c.name)
		}
		if c.id {
			ids++
		}
		if ids > 1 {
			return p.refuse(c.at, "select it once", "the privacy ID is selected twice")
		}
		seen[c.name] = true
	}
	return nil
}
