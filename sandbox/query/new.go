package query

import (
	pg "github.com/pganalyze/pg_query_go/v6"

	"entrepot/datasets"
)

// New plans a question over what the catalogue shows. Every error is an *Error, safe to show to the
// asker. Planning reads no rows and costs nothing.
func New(sql string, catalogue Catalogue, bounds Bounds) (Plan, error) {
	p := &planner{source: source{sql}, bounds: bounds, names: map[string]bool{}}
	st, err := p.parse()
	if err != nil {
		return Plan{}, err
	}
	for _, step := range []func(*pg.SelectStmt) error{
		p.refuseClauses,
		func(st *pg.SelectStmt) error { return p.from(st.GetFromClause(), catalogue) },
		p.where, p.groupBy, p.selectList, p.having, p.orderBy, p.limit,
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
	bounds Bounds
	table  Table
	alias  string // of the dataset, or ""
	parts  Parts
	names  map[string]bool // of the answer's columns so far
	size   int             // nodes of all expressions so far
}

// finish makes the plan, unless its canonical text is longer than a question may be.
func (p *planner) finish() (Plan, error) {
	p.settle()
	plan := Plan{parts: p.parts}
	again := source{plan.Canonical()}
	if err := again.checkText(); err != nil {
		return Plan{}, p.refuse(nowhere, "ask for less at once", "the question is too long when BETWEEN and CASE are written out")
	}
	return plan, nil
}

// from resolves the dataset.
func (p *planner) from(list []*pg.Node, catalogue Catalogue) error {
	switch {
	case len(list) == 0:
		return p.refuse(nowhere, "add FROM org.dataset", "the question names no dataset")
	case len(list) > 1:
		return p.refuse(locate(list[1], nowhere), "ask a question of one dataset at a time", "joins are not supported")
	}
	v := list[0].GetRangeVar()
	if v == nil {
		what, hint := "this FROM is", "write FROM org.dataset"
		switch kindOf(list[0]) {
		case "JoinExpr":
			what, hint = "a join is", "ask a question of one dataset at a time"
		case "RangeSubselect":
			what, hint = "a sub-query is", "write FROM org.dataset, and conditions in WHERE"
		case "RangeFunction", "RangeTableFunc", "JsonTable":
			what = "a function in FROM is"
		case "RangeTableSample":
			what, hint = "TABLESAMPLE is", "leave it out: noise is added to the whole dataset's answer"
		}
		return p.refuse(p.insideFrom(list[0]), hint, "%s", what+" not supported")
	}
	at := v.GetLocation()
	switch {
	case v.GetSchemaname() == "" || v.GetCatalogname() != "":
		return p.refuse(at, "name it with its organisation, as in FROM kr_edu.students", "a dataset is named org.dataset")
	case !v.GetInh():
		return p.refuse(at, "leave ONLY out", "ONLY is not supported")
	case len(v.GetAlias().GetColnames()) > 0:
		return p.refuse(at, "name the columns in the SELECT list with AS", "column names in FROM are not supported")
	}
	var ok bool
	if catalogue != nil && isID(v.GetSchemaname()) && isID(v.GetRelname()) {
		p.table, ok = catalogue.Table(v.GetSchemaname(), v.GetRelname())
	}
	if !ok {
		line, column := p.position(int(at))
		return &Error{Line: line, Column: column, Message: notFound, NotFound: true}
	}
	p.alias = v.GetAlias().GetAliasname()
	p.parts.Dataset, p.parts.UnitSpace = v.GetSchemaname()+"."+v.GetRelname(), p.table.Declaration.UnitSpace
	for _, c := range p.table.Declaration.Columns {
		if c.Role == datasets.PrivacyID {
			p.parts.PrivacyID = c.Name
		}
	}
	return nil
}

// insideFrom is where a FROM item stands: a join has no place of its own.
func (p *planner) insideFrom(n *pg.Node) int32 {
	if j := n.GetJoinExpr(); j != nil {
		return p.keyword("join")
	}
	if n.GetRangeSubselect() != nil {
		return p.keyword("from")
	}
	if n.GetRangeTableSample() != nil {
		return p.keyword("tablesample")
	}
	return locate(n, p.keyword("from"))
}

// refuseClauses refuses the clauses of SELECT that have no meaning here.
func (p *planner) refuseClauses(st *pg.SelectStmt) error {
	switch {
	case st.GetWithClause() != nil:
		return p.refuse(st.GetWithClause().GetLocation(), "write one SELECT over one dataset", "WITH (a common table expression) is not supported")
	case st.GetOp() != pg.SetOperation_SETOP_NONE:
		for _, word := range []string{"union", "intersect", "except"} {
			if at := p.keyword(word); at >= 0 {
				return p.refuse(at, "ask each question by itself", "UNION, INTERSECT and EXCEPT are not supported")
			}
		}
		return p.refuse(nowhere, "ask each question by itself", "UNION, INTERSECT and EXCEPT are not supported")
	case len(st.GetValuesLists()) > 0:
		return p.refuse(p.keyword("values"), example, "VALUES is not supported")
	case len(st.GetDistinctClause()) > 0:
		return p.refuse(p.keyword("distinct"), "use GROUP BY", "SELECT DISTINCT is not supported")
	case st.GetIntoClause() != nil:
		return p.refuse(p.keyword("into"), "leave it out", "INTO is not supported: nothing is written")
	case len(st.GetWindowClause()) > 0:
		return p.refuse(p.keyword("window"), "use GROUP BY", "WINDOW is not supported")
	case len(st.GetLockingClause()) > 0:
		return p.refuse(p.keyword("for"), "leave it out", "FOR UPDATE and FOR SHARE are not supported")
	case st.GetLimitOffset() != nil:
		return p.refuse(locate(st.GetLimitOffset(), nowhere), "use ORDER BY and LIMIT, and skip rows in the answer", "OFFSET is not supported")
	case st.GetLimitOption() == pg.LimitOption_LIMIT_OPTION_WITH_TIES:
		return p.refuse(p.keyword("ties"), "write LIMIT n", "WITH TIES is not supported")
	case st.GetGroupDistinct():
		return p.refuse(p.keyword("group"), "write GROUP BY and the columns", "GROUP BY DISTINCT is not supported")
	}
	return nil
}

// where lowers the filter.
func (p *planner) where(st *pg.SelectStmt) error {
	if st.GetWhereClause() == nil {
		return nil
	}
	c := p.rows("an aggregate cannot stand in WHERE", "conditions on aggregates go in HAVING")
	t, err := c.lower(st.GetWhereClause())
	if err != nil {
		return err
	}
	if t, err = c.boolean(t, "WHERE"); err != nil {
		return err
	}
	p.parts.Filter = &t.expr
	return p.grow(t)
}

// grow counts an expression's nodes.
func (p *planner) grow(t term) error {
	if p.size += t.size; p.size > MaxNodes {
		return p.refuse(t.at, "ask for less at once", "the question is too long: more than %d operations", MaxNodes)
	}
	return nil
}
