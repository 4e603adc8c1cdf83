package querytest

import (
	"cmp"
	"fmt"
	"slices"

	"entrepot/sandbox/query"
)

// tuple is one row of a relation.
type tuple struct {
	unit   person
	rank   int64
	fields map[string]any
}

// person is a privacy unit; the zero person stands for nobody, in public tables.
type person struct {
	space string
	unit  int64
}

// field is what query.Eval reads.
func (t tuple) field(name string) any { return t.fields[name] }

// relationRows are the rows of a relation, in no particular order.
func relationRows(r query.Relation, tables Tables) []tuple {
	switch r.Op {
	case query.Scan:
		return scanned(r, tables)
	case query.Select:
		return selected(r, relationRows(r.Inputs[0], tables))
	case query.PerUnit:
		return perUnit(r, relationRows(r.Inputs[0], tables))
	case query.JoinRows:
		return joined(r, relationRows(r.Inputs[0], tables), relationRows(r.Inputs[1], tables))
	case query.Union:
		var all []tuple
		for i, input := range r.Inputs {
			for _, t := range relationRows(input, tables) {
				t.rank = (t.rank-1)*int64(len(r.Inputs)) + int64(i) + 1
				all = append(all, t)
			}
		}
		return all
	}
	panic(fmt.Sprintf("no relation: %q", r.Op))
}

// scanned are the rows of a dataset. A file may hold more of a unit than the declaration of today
// allows; the others do not count.
func scanned(r query.Relation, tables Tables) []tuple {
	table, ok := tables[r.Dataset]
	if !ok {
		panic("no dataset: " + r.Dataset)
	}
	var rows []tuple
	for _, row := range table.Rows {
		t := tuple{fields: map[string]any{}}
		if space := table.Declaration.UnitSpace; space != "" {
			t.unit, t.rank = person{space, row.Unit}, int64(row.Rank)
			if t.rank > r.Units[0].Rows {
				continue
			}
		}
		for _, f := range r.Fields {
			t.fields[f.Name] = row.Values[f.Name]
		}
		rows = append(rows, t)
	}
	return rows
}

// passes reports whether a condition is true, not NULL.
func passes(condition *query.Expr, t tuple) bool {
	return condition == nil || query.Eval(*condition, t.field) == true
}

// selected computes each row from one of the input.
func selected(r query.Relation, input []tuple) []tuple {
	var rows []tuple
	for _, t := range input {
		if passes(r.Filter, t) {
			rows = append(rows, tuple{t.unit, t.rank, computed(r, t)})
		}
	}
	return rows
}

// computed are a relation's columns in one row of its input.
func computed(r query.Relation, t tuple) map[string]any {
	fields := map[string]any{}
	for _, c := range r.Columns {
		fields[c.Name] = query.Eval(c.Expr, t.field)
		for _, f := range r.Fields {
			if f.Name == c.Name && f.Num != 0 { // a measure that is passed on stays the number of its steps
				fields[c.Name] = t.fields[c.Expr.Column]
			}
		}
	}
	return fields
}

// joined pairs the rows that belong together.
func joined(r query.Relation, left, right []tuple) []tuple {
	j := r.Join
	var rows []tuple
	for _, a := range left {
		matched := false
		for _, b := range right {
			if !j.Public && a.unit != b.unit || !agree(j.Keys, a, b) {
				continue
			}
			matched = true
			rows = append(rows, pair(r, a, b))
		}
		if j.Outer && !matched {
			rows = append(rows, pair(r, a, tuple{rank: 1}))
		}
	}
	return rows
}

// agree reports whether the keys of a join are equal; NULL equals nothing.
func agree(keys []query.JoinKey, a, b tuple) bool {
	return !slices.ContainsFunc(keys, func(k query.JoinKey) bool {
		x, y := a.fields[k.Left], b.fields[k.Right]
		return x == nil || y == nil || identity(x) != identity(y)
	})
}

// pair makes one row of two.
func pair(r query.Relation, a, b tuple) tuple {
	t := tuple{unit: a.unit, rank: a.rank, fields: map[string]any{}}
	if !r.Join.Public {
		t.rank = (a.rank-1)*r.Inputs[1].MaxRank + b.rank
	}
	for i, side := range []struct {
		alias string
		row   tuple
	}{{r.Join.Left, a}, {r.Join.Right, b}} {
		for _, f := range r.Inputs[i].Fields {
			name := f.Name
			if side.alias != "" {
				name = side.alias + "." + name
			}
			t.fields[name] = side.row.fields[f.Name]
		}
	}
	return t
}

// byRank sorts rows of one unit.
func byRank(rows []tuple) {
	slices.SortFunc(rows, func(a, b tuple) int { return cmp.Compare(a.rank, b.rank) })
}
