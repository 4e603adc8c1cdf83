package querytest

import (
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	"entrepot/datasets"
	"entrepot/privacy"
	"entrepot/sandbox/query"
)

// Merge puts tables of one schema, and with the same public tables, into one: the world is in WorldColumn,
// and units are distinct between worlds.
func Merge(worlds []Tables) Tables {
	all := Tables{}
	for _, id := range worlds[0].IDs() {
		t := worlds[0][id]
		if !t.Declaration.Public {
			t.Rows = nil
			for i, w := range worlds {
				t.Rows = append(t.Rows, moved(w[id].Rows, int64(i))...)
			}
		}
		all[id] = t
	}
	return all
}

// moved are the rows of one world among others.
func moved(rows []Row, world int64) []Row {
	out := make([]Row, len(rows))
	for i, r := range rows {
		r.Unit += world << 20
		r.Values = maps.Clone(r.Values)
		r.Values[WorldColumn] = world
		out[i] = r
	}
	return out
}

// Worlds turns a question about one world into the same question about each of so many: the world becomes
// its last key, of public domain. A unit lives in one world, so that bounding is the same in each as
// it would be without the others.
func Worlds(p query.Parts, n int) query.Parts {
	var name string
	p.From, name = withWorld(p.From)
	p.Datasets = slices.Clone(p.Datasets)
	for i, d := range p.Datasets {
		if d.UnitSpace != "" {
			p.Datasets[i].Columns = append(slices.Clone(d.Columns), WorldColumn)
			slices.Sort(p.Datasets[i].Columns)
		}
	}
	domain := make([]any, n)
	for i := range domain {
		domain[i] = int64(i)
	}
	p.Keys = append(slices.Clone(p.Keys), query.Key{Name: WorldColumn, Expr: worldIn(name), Type: datasets.Int64, Domain: domain})
	if p.PublicKeys != nil {
		var keys []string
		for _, k := range p.PublicKeys {
			for i := range n {
				keys = append(keys, withWorldKey(k, i))
			}
		}
		p.PublicKeys = keys
	}
	return p
}

// worldIn is the world of a row, by its field's name.
func worldIn(field string) query.Expr {
	return query.Expr{Op: query.OpColumn, Type: query.Int, Column: field}
}

// withWorld adds the world to a relation, under the name that is returned.
func withWorld(r query.Relation) (query.Relation, string) {
	r.Inputs = slices.Clone(r.Inputs)
	name := WorldColumn
	switch r.Op {
	case query.Select, query.PerUnit:
		var field string
		r.Inputs[0], field = withWorld(r.Inputs[0])
		r = withComputed(r, worldIn(field))
	case query.JoinRows: // the left row's; the right one is of the same unit, or public
		r.Inputs[0], name = withWorld(r.Inputs[0])
		if r.Join.Left != "" {
			name = r.Join.Left + "." + name
		}
	case query.Union:
		for i, input := range r.Inputs {
			if r.Inputs[i], name = withWorld(input); name != WorldColumn {
				panic("an input of a union names its fields otherwise")
			}
		}
	}
	r.Fields = append(slices.Clone(r.Fields), query.Field{Name: name, Type: query.Int})
	return r, name
}

// withComputed adds the world to what a relation computes. All rows of a unit have the same, so that it
// makes no group of its own; where a unit has one row, it must not be a column to group by either.
func withComputed(r query.Relation, world query.Expr) query.Relation {
	if r.Op == query.PerUnit && len(r.Columns) == 0 {
		r.Features = append(slices.Clone(r.Features), query.Feature{Name: WorldColumn, Kind: query.FeatureMin, Argument: &world})
		return r
	}
	r.Columns = append(slices.Clone(r.Columns), query.Computed{Name: WorldColumn, Expr: world})
	return r
}

// withWorldKey adds a world to an encoded key.
func withWorldKey(key string, world int) string {
	if key == "[]" {
		return fmt.Sprintf("[%d]", world)
	}
	return fmt.Sprintf("%s,%d]", strings.TrimSuffix(key, "]"), world)
}

// Split takes the partials of a question of Worlds apart, by world, each sorted by key.
func Split(partials []privacy.Partial) (map[int][]privacy.Partial, error) {
	worlds := map[int][]privacy.Partial{}
	for _, p := range partials {
		at := max(strings.LastIndexByte(p.Key, ','), 0)
		world, err := strconv.Atoi(strings.Trim(p.Key[at:], "[,]"))
		if err != nil {
			return nil, fmt.Errorf("the key %q ends with no world: %w", p.Key, err)
		}
		p.Key = "[" + strings.TrimPrefix(p.Key[:at], "[") + "]"
		worlds[world] = append(worlds[world], p)
	}
	for _, partials := range worlds { // "[0,1]" is before "[0.5,1]", and "[0]" after "[0.5]"
		slices.SortFunc(partials, func(a, b privacy.Partial) int { return strings.Compare(a.Key, b.Key) })
	}
	return worlds, nil
}

// WithPublic returns the tables with the public ones of the first of others, if there is one.
func (t Tables) WithPublic(others []Tables) Tables {
	if len(others) == 0 {
		return t
	}
	all := maps.Clone(t)
	for id, table := range others[0] {
		if table.Declaration.Public {
			all[id] = table
		}
	}
	return all
}
