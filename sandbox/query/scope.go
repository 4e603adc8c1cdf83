package query

import (
	"slices"
	"strings"

	pg "github.com/pganalyze/pg_query_go/v6"
)

// scope is what the expressions of one SELECT can name: the items of its FROM with their fields.
type scope struct {
	source
	items []*item
}

// item is one dataset or sub-query of a FROM.
type item struct {
	names  [][]string // what may stand before a field's name: the alias, or the dataset's name with or without its organisation
	what   string     // the item in messages
	fields []field    // in the order of SELECT *
	merged []string   // fields that stand in USING: their name alone means the same field of an item before
}

// field is one value of a row, or the privacy ID, as a SELECT over it sees it.
type field struct {
	name   string // as it is written
	term   term   // what it means; the privacy ID's is empty
	id     bool   // the privacy ID
	hidden bool   // not stored
	// unusable says why the field cannot be used, and hint what to do; "" where it can.
	unusable, hint string
}

// lookup finds what a name means.
func (s *scope) lookup(qualifier []string, name string, at int32) (*item, *field, error) {
	within := s.qualified(qualifier)
	if len(within) == 0 {
		what, hint := "the dataset of this question", "leave out what stands before the column"
		if len(s.items) > 1 {
			what, hint = "a name in FROM", "the names are "+s.aliases()
		}
		return nil, nil, s.refuse(at, hint, "%s is not %s", short(strings.Join(qualifier, ".")), what)
	}
	var in *item
	var found *field
	for _, it := range within {
		f := it.field(name)
		if f == nil || len(qualifier) == 0 && slices.Contains(it.merged, name) {
			continue
		}
		if in != nil {
			return nil, nil, s.refuse(at, "write "+in.alias()+"."+short(name)+" or "+it.alias()+"."+short(name),
				"%s is a column of %s and of %s", short(name), in.what, it.what)
		}
		in, found = it, f
	}
	if in == nil {
		what := within[0].what
		if len(within) > 1 {
			what = "FROM"
		}
		return nil, nil, s.refuse(at, nearest(within, name), "%s has no column %s", what, short(name))
	}
	return in, found, nil
}

// qualified returns the items that a qualifier names: all of them where there is none.
func (s *scope) qualified(q []string) []*item {
	if len(q) == 0 {
		return s.items
	}
	var named []*item
	for _, it := range s.items {
		if slices.ContainsFunc(it.names, func(n []string) bool { return slices.Equal(n, q) }) {
			named = append(named, it)
		}
	}
	return named
}

func (s *scope) aliases() string {
	names := make([]string, len(s.items))
	for i, it := range s.items {
		names[i] = it.alias()
	}
	return strings.Join(names, ", ")
}

// alias is the shortest qualifier.
func (it *item) alias() string {
	if len(it.names) == 0 {
		return it.what
	}
	return short(strings.Join(it.names[0], "."))
}

func (it *item) field(name string) *field {
	for i := range it.fields {
		if it.fields[i].name == name {
			return &it.fields[i]
		}
	}
	return nil
}

// find finds a field that may be computed with.
func (s *scope) find(qualifier []string, name string, at int32) (*field, error) {
	_, f, err := s.lookup(qualifier, name, at)
	switch {
	case err != nil:
		return nil, err
	case f.unusable != "":
		return nil, s.refuse(at, f.hint, "%s", f.unusable)
	case f.id:
		return nil, s.refuse(at, "COUNT(DISTINCT "+identifier(name)+") counts privacy units, and GROUP BY "+identifier(name)+
			" in a sub-query makes one row of each; nothing else is made of their IDs", "the privacy ID %s cannot be used here", name)
	}
	return f, nil
}

// has tells whether a name alone means something.
func (s *scope) has(name string) bool {
	return slices.ContainsFunc(s.items, func(it *item) bool { return it.field(name) != nil })
}

// isID tells whether an expression is the privacy ID.
func (s *scope) isID(n *pg.Node) bool {
	q, name, ok := reference(n)
	if !ok {
		return false
	}
	_, f, err := s.lookup(q, name, nowhere)
	return err == nil && f.id && f.unusable == ""
}

// reference splits a column's name.
func reference(n *pg.Node) (qualifier []string, name string, ok bool) {
	fields := n.GetColumnRef().GetFields()
	if len(fields) == 0 || fields[len(fields)-1].GetAStar() != nil {
		return nil, "", false
	}
	names := make([]string, len(fields))
	for i, f := range fields {
		names[i] = word(f)
	}
	return names[:len(names)-1], names[len(names)-1], true
}

// id is the first privacy ID that can be named, with its item.
func (s *scope) id() (*item, string) {
	for _, it := range s.items {
		for _, f := range it.fields {
			if f.id && f.unusable == "" {
				return it, f.name
			}
		}
	}
	return nil, ""
}

// idText is how to write the privacy ID; "" where it cannot be named.
func (s *scope) idText() string {
	it, name := s.id()
	switch {
	case it == nil:
		return ""
	case len(s.items) > 1:
		return it.alias() + "." + identifier(name)
	}
	return identifier(name)
}

// nearest suggests a column.
func nearest(items []*item, name string) string {
	best, distance := "", min(4, len(name))
	var names []string
	for _, it := range items {
		for _, f := range it.fields {
			if f.hidden || f.id || slices.Contains(names, f.name) {
				continue
			}
			names = append(names, f.name)
			if d := edits(lowerASCII(name), f.name, distance); d < distance {
				best, distance = f.name, d
			}
		}
	}
	switch {
	case best != "":
		return "did you mean " + best + "?"
	case len(names) > 12:
		return "see the declarations for the columns"
	case len(names) == 0:
		return "select it in the sub-query"
	}
	return "its columns are " + strings.Join(names, ", ")
}

// over is the checker of expressions over the rows of a scope.
func (p *planner) over(s *scope, aggregate func(f call) (term, error)) *checker {
	var before []string // what stood before the name that comes next
	return &checker{
		source: p.source, plan: &p.parts, aggregate: aggregate,
		qualifier: func(q []string, _ int32) error {
			before = q
			return nil
		},
		column: func(name string, at int32) (term, error) {
			f, err := s.find(before, name, at)
			if err != nil {
				return term{}, err
			}
			t := f.term
			t.at = at
			return t, nil
		},
	}
}

// rows is the checker of expressions over the rows of FROM.
func (p *planner) rows(noAggregate, hint string) *checker {
	return p.over(p.scope, p.noAggregate(noAggregate, hint))
}

// noAggregate refuses every aggregate.
func (p *planner) noAggregate(message, hint string) func(f call) (term, error) {
	return func(f call) (term, error) { return term{}, p.refuse(f.at, hint, "%s", message) }
}
