package query

import (
	pg "github.com/pganalyze/pg_query_go/v6"

	"entrepot/datasets"
)

// New plans a question over what the catalogue shows. Every error is an *Error, safe to show to the
// asker. Planning reads no rows and costs nothing.
func New(sql string, catalogue Catalogue, bounds Bounds) (Plan, error) {
	p := &planner{
		source: source{text: sql, scanned: &scanned{}}, bounds: bounds, catalogue: catalogue,
		declarations: map[string]datasets.Declaration{}, names: map[string]bool{},
	}
	st, err := p.parse()
	if err != nil {
		return Plan{}, err
	}
	for _, step := range []func(*pg.SelectStmt) error{
		p.refuseTop, p.read, p.where, p.groupBy, p.selectList, p.having, p.orderBy, p.limit,
	} {
		if err := step(st); err != nil {
			return Plan{}, err
		}
	}
	if err := p.bound(); err != nil {
		return Plan{}, err
	}
	return p.finish()
}

// planner builds one plan, clause by clause.
type planner struct {
	source
	bounds       Bounds
	catalogue    Catalogue
	declarations map[string]datasets.Declaration // of the datasets that were named
	scans        int                             // in FROM so far
	nested       int                             // sub-queries about the one that is lowered
	scope        *scope                          // of the top SELECT
	parts        Parts
	keyTerms     []term          // of parts.Keys
	names        map[string]bool // of the answer's columns so far
	size         int             // nodes of all expressions so far
	effort       effort
}

// finish makes the plan, unless its canonical text is longer than a question may be.
func (p *planner) finish() (Plan, error) {
	p.settle()
	plan := Plan{parts: p.parts}
	again := source{text: plan.Canonical()}
	if err := again.checkText(); err != nil {
		return Plan{}, p.refuse(nowhere, "ask for less at once", "the question is too long when WITH, BETWEEN and CASE are written out")
	}
	return plan, nil
}

// read lowers WITH and FROM.
func (p *planner) read(st *pg.SelectStmt) error {
	env, err := p.with(st.GetWithClause(), nil)
	if err != nil {
		return err
	}
	if p.parts.From, p.scope, err = p.from(st.GetFromClause(), env, nowhere); err != nil {
		return err
	}
	if err := p.allUsed(env, nil); err != nil {
		return err
	}
	if isPublic(p.parts.From) {
		return p.refuse(p.start(st.GetFromClause()[0]), "join it to a table of a unit space; its own rows are public facts that need no question",
			"a question of a public table alone is not supported")
	}
	return nil
}

// refuseTop refuses what may stand in a sub-query only, and what may stand nowhere.
func (p *planner) refuseTop(st *pg.SelectStmt) error {
	const hint = "put it in FROM, as in SELECT COUNT(*) AS n FROM (SELECT … UNION ALL SELECT …) AS t"
	switch at := p.startOf(st); {
	case st.GetOp() == pg.SetOperation_SETOP_UNION && st.GetAll():
		return p.refuse(p.setOperation(st, at), hint, "UNION ALL of answers is not supported")
	case st.GetOp() != pg.SetOperation_SETOP_NONE:
		return p.refuse(p.setOperation(st, at), "ask each question by itself", "UNION, INTERSECT and EXCEPT are not supported")
	default:
		return p.refuseClauses(st, at)
	}
}

// refuseClauses refuses the clauses of a SELECT that have no meaning here.
func (p *planner) refuseClauses(st *pg.SelectStmt, at int32) error {
	switch {
	case len(st.GetValuesLists()) > 0:
		return p.refuse(p.after("values", at), example, "VALUES is not supported")
	case st.GetIntoClause() != nil:
		return p.refuse(p.after("into", at), "leave it out", "INTO is not supported: nothing is written")
	case len(st.GetWindowClause()) > 0:
		return p.refuse(p.after("window", at), "use GROUP BY", "WINDOW is not supported")
	case len(st.GetLockingClause()) > 0:
		return p.refuse(p.after("for", at), "leave it out", "FOR UPDATE and FOR SHARE are not supported")
	case st.GetLimitOption() == pg.LimitOption_LIMIT_OPTION_WITH_TIES:
		return p.refuse(p.after("ties", at), "write LIMIT n", "WITH TIES is not supported")
	case st.GetGroupDistinct():
		return p.refuse(p.after("group", at), "write GROUP BY and the columns", "GROUP BY DISTINCT is not supported")
	}
	return nil
}

// where lowers the filter.
func (p *planner) where(st *pg.SelectStmt) error {
	var err error
	p.parts.Filter, err = p.filter(p.rows("an aggregate cannot stand in WHERE", "conditions on aggregates go in HAVING"), st.GetWhereClause(), "WHERE")
	return err
}

// grow counts an expression's nodes.
func (p *planner) grow(t term) error {
	if p.size += t.size; p.size > MaxNodes {
		return p.refuse(t.at, "ask for less at once", "the question is too long: more than %d operations", MaxNodes)
	}
	return nil
}
