package querytest

import (
	"maps"
	"slices"
	"strings"

	"entrepot/datasets"
	"entrepot/sandbox/query"
)

// Row is one row of a canonical file. Values are by stored column: string, int64, bool, nil; dates and
// timestamps as text; measures as steps.
type Row struct {
	Unit   int64 // the privacy unit, the same in all tables of its space; 0 in a public table
	Rank   int32 // unique within its unit
	Values map[string]any
}

// Table is one dataset with its rows. Those of a unit need not be together.
type Table struct {
	ID          string // org.dataset
	Declaration datasets.Declaration
	Rows        []Row
}

// Tables are datasets by id. They are a query.Catalogue.
type Tables map[string]Table

// Table implements query.Catalogue.
func (t Tables) Table(org, name string) (query.Table, bool) {
	found, ok := t[org+"."+name]
	return query.Table{ID: found.ID, Declaration: found.Declaration}, ok
}

// IDs are the datasets, sorted.
func (t Tables) IDs() []string { return slices.Sorted(maps.Keys(t)) }

// Units are the privacy units with rows in a space, sorted.
func (t Tables) Units(space string) []int64 {
	seen := map[int64]bool{}
	for _, table := range t {
		if table.Declaration.UnitSpace != space {
			continue
		}
		for _, r := range table.Rows {
			seen[r.Unit] = true
		}
	}
	return slices.Sorted(maps.Keys(seen))
}

// Without returns the tables without the rows of one unit, whatever table of its space they are in.
func (t Tables) Without(space string, unit int64) Tables {
	less := Tables{}
	for id, table := range t {
		if table.Declaration.UnitSpace == space {
			table.Rows = slices.DeleteFunc(slices.Clone(table.Rows), func(r Row) bool { return r.Unit == unit })
		}
		less[id] = table
	}
	return less
}

// PrivacyID is the name of the table's privacy ID; "" for a public table.
func (t Table) PrivacyID() string {
	for _, c := range t.Declaration.Columns {
		if c.Role == datasets.PrivacyID {
			return c.Name
		}
	}
	return ""
}

// org is the organisation of all random tables.
const org = "org"

// name is the dataset's name without its organisation.
func (t Table) name() string { return strings.TrimPrefix(t.ID, org+".") }
