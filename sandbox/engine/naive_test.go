package engine

import (
	"math/rand/v2"

	"entrepot/datasets"
	"entrepot/privacy"
	"entrepot/sandbox/query"
	"entrepot/sandbox/query/querytest"
)

// row is one canonical row of the one dataset of a test. values are by column: string, int64, bool, nil;
// dates and timestamps as text; measures as steps.
type row struct {
	ord    int64
	rank   int32
	values map[string]any
}

// naive computes partials by loops over the rows of a plan's one dataset.
func naive(p query.Parts, rows []row) []privacy.Partial {
	use := p.Datasets[0]
	table := querytest.Table{ID: use.ID, Declaration: datasets.Declaration{UnitSpace: use.UnitSpace}}
	for _, r := range rows {
		table.Rows = append(table.Rows, querytest.Row{Unit: r.ord, Rank: r.rank, Values: r.values})
	}
	return querytest.Evaluate(p, querytest.Tables{use.ID: table})
}

// compare says how partials differ, "" for not at all.
func compare(want, got []privacy.Partial) string { return querytest.Diff(want, got) }

// storedDeclared returns the columns of a declaration that a canonical file holds.
func storedDeclared(d datasets.Declaration) []datasets.Column { return d.Stored() }

// catalogue holds one dataset, org.people.
type catalogue struct{ d datasets.Declaration }

// Table implements query.Catalogue.
func (c catalogue) Table(org, name string) (query.Table, bool) {
	return query.Table{ID: org + "." + name, Declaration: c.d}, org == "org" && name == "people"
}

// questions makes random questions of the dataset that declare declares.
type questions struct{ *rand.Rand }

// sql writes a question, and bounds for so many rows per unit, which may be more than the question's.
func (g questions) sql(maxRows int64) (string, query.Bounds) {
	d, err := datasets.ParseDeclaration([]byte(declaration(int(maxRows))))
	if err != nil {
		panic(err)
	}
	sql := querytest.NewGenerator(g.Rand, querytest.Tables{"org.people": {ID: "org.people", Declaration: d}}).Question()
	b := query.Bounds{}
	if g.IntN(2) == 0 {
		b.MaxPartitions = min(maxRows, int64(1+g.IntN(3)))
	}
	if g.IntN(2) == 0 {
		b.MaxRowsPerPartition = min(maxRows, int64(1+g.IntN(3)))
	}
	return sql, b
}
