package query

import (
	pg "github.com/pganalyze/pg_query_go/v6"
)

// perUnit lowers a sub-query that makes one row of each unit, or of each unit and combination of what
// stands beside the privacy ID in GROUP BY.
type perUnit struct {
	*planner
	scope    *scope
	rows     int64 // the most rows of one unit in the input
	groups   []grouped
	features []featured
	columns  []column
	taken    map[string]bool // names
}

// featured is an aggregate over the rows of one unit, and the field that holds it.
type featured struct {
	feature Feature
	text    string
	term    term
}

// perUnit lowers GROUP BY the privacy ID, and SELECT DISTINCT with the privacy ID.
func (p *planner) perUnit(st *pg.SelectStmt, targets []*pg.ResTarget, s *scope, pr projection) (projection, error) {
	if isPublic(pr.in) {
		return projection{}, p.refuse(pr.at, hintJoin, "grouping a public table is not supported")
	}
	u := &perUnit{planner: p, scope: s, rows: mostRows(pr.in), taken: map[string]bool{}}
	list, err := u.wanted(targets, len(st.GetDistinctClause()) > 0)
	if err != nil {
		return projection{}, err
	}
	if err := u.groupBy(st, targets, list, pr.at); err != nil {
		return projection{}, err
	}
	if err := u.selectList(list); err != nil {
		return projection{}, err
	}
	having, err := p.filter(u.checker(true), st.GetHavingClause(), "HAVING")
	if err != nil {
		return projection{}, err
	}
	return projection{in: u.relation(pr), filter: having, columns: u.columns, at: pr.at}, nil
}

// relation is what the sub-query's columns are computed from.
func (u *perUnit) relation(pr projection) Relation {
	r := Relation{Op: PerUnit, Inputs: []Relation{pr.in}, Filter: pr.filter, MaxRank: pr.in.MaxRank, Fields: []Field{}}
	for _, in := range pr.in.Units {
		if len(u.groups) == 0 {
			in.Rows = 1
		}
		r.Units = append(r.Units, in)
	}
	for _, g := range u.groups {
		r.Columns = append(r.Columns, Computed{Name: g.name, Expr: g.term.expr})
		r.Fields = append(r.Fields, fieldOf(g.name, derived(g.term, g.name)))
	}
	for _, f := range u.features {
		r.Features = append(r.Features, f.feature)
		r.Fields = append(r.Fields, fieldOf(f.feature.Name, f.term))
	}
	for _, c := range u.columns {
		if c.id {
			r.ID = c.name
		}
	}
	return r
}
