package query

import (
	"slices"

	pg "github.com/pganalyze/pg_query_go/v6"
)

// environment is the common table expressions that a SELECT may name, innermost first.
type environment struct {
	outer *environment
	name  string
	query *pg.SelectStmt
	at    int32
	used  bool
}

// with adds the common table expressions of a WITH clause.
func (p *planner) with(w *pg.WithClause, env *environment) (*environment, error) {
	if w == nil {
		return env, nil
	}
	if w.GetRecursive() {
		return nil, p.refuse(p.after("recursive", w.GetLocation()), "write the steps one after the other", "WITH RECURSIVE is not supported")
	}
	var names []string
	for _, n := range w.GetCtes() {
		c := n.GetCommonTableExpr()
		at := c.GetLocation()
		switch {
		case c.GetCtequery().GetSelectStmt() == nil:
			return nil, p.refuse(at, "write WITH name AS (SELECT …)", "only SELECT is supported in WITH")
		case len(c.GetAliascolnames()) > 0:
			return nil, p.refuse(at, "name the columns in the SELECT list with AS", "column names in WITH are not supported")
		case slices.Contains(names, c.GetCtename()):
			return nil, p.refuse(at, "name one of them otherwise", "two common table expressions have the name %s", short(c.GetCtename()))
		}
		names = append(names, c.GetCtename())
		env = &environment{outer: env, name: c.GetCtename(), query: c.GetCtequery().GetSelectStmt(), at: at}
	}
	return env, nil
}

// allUsed refuses common table expressions that nothing names: they were not looked at.
func (p *planner) allUsed(env, outer *environment) error {
	for e := env; e != outer; e = e.outer {
		if !e.used {
			return p.refuse(e.at, "leave it out", "the common table expression %s is not used", short(e.name))
		}
	}
	return nil
}
