package query

import (
	"slices"

	pg "github.com/pganalyze/pg_query_go/v6"
)

// projection is a SELECT whose rows are known but whose columns may still be converted and renamed, as
// UNION ALL does.
type projection struct {
	in      Relation
	filter  *Expr
	columns []column
	at      int32
}

// column is one column of a sub-query.
type column struct {
	name string
	term term // over the input; the privacy ID's is empty
	id   bool // the privacy ID
	at   int32
}

// subquery lowers a SELECT in FROM or WITH.
func (p *planner) subquery(st *pg.SelectStmt, outer *environment, at int32) (built, error) {
	if p.nested++; p.nested > MaxNesting {
		return built{}, p.refuse(at, "write one sub-query of several", "sub-queries are nested more than %d deep", MaxNesting)
	}
	defer func() { p.nested-- }()
	b, err := p.selection(st, outer, at)
	switch {
	case err != nil:
		return built{}, err
	case b.rel.nesting() > MaxNesting:
		return built{}, p.refuse(at, "write one sub-query of several", "sub-queries are nested more than %d deep", MaxNesting)
	}
	return b, nil
}

func (p *planner) selection(st *pg.SelectStmt, outer *environment, at int32) (built, error) {
	if start := p.startOf(st); start >= 0 {
		at = start
	}
	if st.GetOp() != pg.SetOperation_SETOP_NONE {
		return p.union(st, outer, at)
	}
	pr, err := p.project(st, outer, at, nil)
	if err != nil {
		return built{}, err
	}
	return p.computed(pr)
}

// nesting is how many sub-queries lie within each other in the canonical text.
func (r Relation) nesting() int {
	deepest := 0
	for _, in := range r.Inputs {
		n := in.nesting()
		if r.Op == Union && in.Op == Union {
			n++
		}
		deepest = max(deepest, n)
	}
	switch r.Op {
	case Select, PerUnit:
		return deepest + 1
	case Union:
		return max(1, deepest)
	}
	return deepest
}

// project lowers one SELECT that is no UNION. Names, where there are any, are those of the first branch of
// a UNION ALL, for columns that have none of their own.
func (p *planner) project(st *pg.SelectStmt, outer *environment, at int32, names []string) (projection, error) {
	env, err := p.with(st.GetWithClause(), outer)
	if err != nil {
		return projection{}, err
	}
	if err := p.refuseWithin(st, at); err != nil {
		return projection{}, err
	}
	in, s, err := p.from(st.GetFromClause(), env, at)
	if err != nil {
		return projection{}, err
	}
	if err := p.allUsed(env, outer); err != nil {
		return projection{}, err
	}
	pr := projection{in: in, at: at}
	if pr.filter, err = p.filter(p.over(s, p.noAggregate("an aggregate cannot stand in WHERE", "conditions on aggregates go in HAVING")), st.GetWhereClause(), "WHERE"); err != nil {
		return projection{}, err
	}
	targets := withNames(st.GetTargetList(), names)
	if st.GetGroupClause() != nil || st.GetDistinctClause() != nil || st.GetHavingClause() != nil || p.aggregates(s, targets) {
		return p.perUnit(st, targets, s, pr)
	}
	for _, target := range targets {
		columns, err := p.target(s, target)
		if err != nil {
			return projection{}, err
		}
		pr.columns = append(pr.columns, columns...)
	}
	return pr, p.distinctNames(pr.columns)
}

// filter lowers a condition; nil where there is none.
func (p *planner) filter(c *checker, n *pg.Node, clause string) (*Expr, error) {
	if n == nil {
		return nil, nil
	}
	t, err := c.lower(n)
	if err != nil {
		return nil, err
	}
	if t, err = c.boolean(t, clause); err != nil {
		return nil, err
	}
	return &t.expr, p.grow(t)
}

// refuseWithin refuses the clauses that have no meaning in a sub-query.
func (p *planner) refuseWithin(st *pg.SelectStmt, at int32) error {
	switch {
	case len(st.GetSortClause()) > 0:
		by := st.GetSortClause()[0].GetSortBy()
		return p.refuse(locate(by.GetNode(), at), "FIRST(x ORDER BY …) is the first by order of one unit; ORDER BY of the answer goes to the end of the question",
			"ORDER BY in a sub-query is not supported")
	case st.GetLimitCount() != nil:
		return p.refuse(locate(st.GetLimitCount(), at), "which rows remained would depend on other units; LIMIT of the answer goes to the end of the question",
			"LIMIT in a sub-query is not supported")
	case st.GetLimitOffset() != nil:
		return p.refuse(locate(st.GetLimitOffset(), at), "which rows remained would depend on other units; OFFSET of the answer goes to the end of the question",
			"OFFSET in a sub-query is not supported")
	}
	return p.refuseClauses(st, at)
}

// computed makes the relation of a projection.
func (p *planner) computed(pr projection) (built, error) {
	b := built{rel: Relation{Op: Select, Inputs: []Relation{pr.in}, Filter: pr.filter, Units: slices.Clone(pr.in.Units), MaxRank: pr.in.MaxRank, Fields: []Field{}}}
	for _, c := range pr.columns {
		if c.id {
			b.rel.ID = c.name
			b.fields = append(b.fields, field{name: c.name, id: true})
			continue
		}
		if c.term.untyped() {
			return built{}, p.refuse(c.at, "leave the column out", "the column %s is always NULL", c.name)
		}
		f := field{name: c.name, term: derived(c.term, c.name)}
		b.fields = append(b.fields, f)
		b.rel.Columns = append(b.rel.Columns, Computed{Name: c.name, Expr: c.term.expr})
		b.rel.Fields = append(b.rel.Fields, fieldOf(c.name, f.term))
	}
	b.rel = b.rel.collapsed()
	return b, nil
}

// derived is a term as the field that holds it: what is known of its values stays.
func derived(t term, name string) term {
	e := Expr{Op: OpColumn, Type: t.expr.Type, Column: name, Lo: t.expr.Lo, Hi: t.expr.Hi}
	if t.expr.Op == OpColumn { // the steps of a stored measure are handed on
		e.Num, e.Den = t.expr.Num, t.expr.Den
	}
	t = t.kept()
	t.expr, t.size, t.height, t.whole, t.integer = e, 1, 0, false, 0
	return t
}

// collapsed is the input of a Select that changes nothing: it keeps all rows, and hands fields on under
// their own names.
func (r Relation) collapsed() Relation {
	if r.Op != Select || r.Filter != nil || r.Inputs[0].Op == JoinRows || r.ID != "" && r.ID != r.Inputs[0].ID {
		return r
	}
	for _, c := range r.Columns {
		if c.Expr.Op != OpColumn || c.Expr.Column != c.Name {
			return r
		}
	}
	return r.Inputs[0]
}
