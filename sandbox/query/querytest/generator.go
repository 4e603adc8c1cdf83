package querytest

import (
	"fmt"
	"math/rand/v2"
	"strings"

	"entrepot/datasets"
	"entrepot/sandbox/query"
)

// Generator writes random questions of tables. Most of them plan; what does not is refused for a
// reason that a generator of text cannot well avoid, such as too many combinations of public keys.
type Generator struct {
	*rand.Rand
	tables Tables
	with   []string // WITH definitions so far
	names  int      // aliases given out
	scans  int      // datasets read so far
}

// NewGenerator returns a generator of questions of these tables.
func NewGenerator(r *rand.Rand, tables Tables) *Generator { return &Generator{Rand: r, tables: tables} }

// maxScans keeps questions small; the planner allows more.
const maxScans = 5

// column is a value that can be named in a clause.
type column struct {
	ref     string // as it is written, qualified where it has to be
	name    string
	kind    query.Type
	bounded bool // a number that can be added up as it is
}

// scope is a FROM item with what can be named of it.
type scope struct {
	text    string
	columns []column
	id      string // how the privacy ID is written; "" where it was not selected
	space   string // "" for a public table
	rows    int64  // the most of one unit
	table   string // of a scan: the dataset
	alias   string // of a scan or sub-query, before the columns of a join
}

func (g *Generator) pick(of ...string) string { return of[g.IntN(len(of))] }

func (g *Generator) chance(percent int) bool { return g.IntN(100) < percent }

// alias makes a new name.
func (g *Generator) alias(prefix string) string {
	g.names++
	return fmt.Sprintf("%s%d", prefix, g.names)
}

// of are the columns of some types, or of all.
func (s scope) of(kinds ...query.Type) []column {
	var found []column
	for _, c := range s.columns {
		for _, k := range kinds {
			if c.kind == k {
				found = append(found, c)
			}
		}
	}
	return found
}

// one picks a column of some types; false where there is none.
func (g *Generator) one(s scope, kinds ...query.Type) (column, bool) {
	found := s.of(kinds...)
	if len(found) == 0 {
		return column{}, false
	}
	return found[g.IntN(len(found))], true
}

// renamed is the scope of a sub-query or an alias: columns by their own names, under a new qualifier
// where they need one.
func (s scope) renamed(alias string, qualified bool) scope {
	prefix := ""
	if qualified {
		prefix = alias + "."
	}
	columns := make([]column, len(s.columns))
	for i, c := range s.columns {
		c.ref = prefix + c.name
		columns[i] = c
	}
	s.columns, s.alias = columns, alias
	if s.id != "" {
		s.id = prefix + s.id[strings.LastIndex(s.id, ".")+1:]
	}
	return s
}

// declared is the scope of a dataset's columns, without qualifier.
func declared(t Table) scope {
	s := scope{id: t.PrivacyID(), space: t.Declaration.UnitSpace, rows: t.Declaration.MaxRowsPerUnit, table: t.ID}
	for _, c := range t.Declaration.Stored() {
		if c.Name == WorldColumn {
			continue
		}
		_, _, _, _, bounded := c.Grid()
		kind := map[datasets.Type]query.Type{
			datasets.String: query.Text, datasets.Bool: query.Bool, datasets.Date: query.Date, datasets.Timestamp: query.Timestamp, datasets.Int64: query.Int,
		}[c.Type]
		if c.Role == datasets.Measure {
			kind = query.Number
		}
		s.columns = append(s.columns, column{ref: c.Name, name: c.Name, kind: kind, bounded: bounded && c.Name != "huge"})
	}
	return s
}
