package query

import (
	"slices"

	pg "github.com/pganalyze/pg_query_go/v6"

	"entrepot/privacy"
)

// aggregate lowers an aggregate to the index of a released number. The same aggregate written twice is
// one: it is charged once.
func (p *planner) aggregate(f call) (int, error) {
	if err := p.checkForm(f); err != nil {
		return 0, err
	}
	c := p.rows("an aggregate cannot stand inside another", "ask for each aggregate by itself")
	condition, err := p.condition(c, f)
	if err != nil {
		return 0, err
	}
	switch {
	case f.star:
		return p.countRows(c, f, condition)
	case f.distinct && p.scope.isID(f.args[0]):
		return p.countUnits(c, f, condition)
	}
	value, a := f.args[0], Aggregate{}
	if f.within {
		if a.Rank, err = p.rank(c, f); err != nil {
			return 0, err
		}
		value = f.order[0].GetSortBy().GetNode()
	}
	t, err := c.lower(value)
	if err != nil {
		return 0, err
	}
	if t.untyped() {
		return 0, p.refuse(t.at, "name a column", "NULL has nothing to count or add up")
	}
	if f.name == "count" {
		return p.countValues(c, f, t, condition)
	}
	a.shape(f.name)
	if a.Argument, err = p.summed(c, f, t, condition, a.Kind); err != nil {
		return 0, err
	}
	return p.add(f.at, a)
}

// checkForm refuses forms of a call that its aggregate does not have.
func (p *planner) checkForm(f call) error {
	const percentile = "write PERCENTILE_CONT(0.9) WITHIN GROUP (ORDER BY x)"
	switch f.name {
	case "bool_and", "bool_or", "every", "any_value", "first", "last", "array_agg":
		return p.refuse(f.at, hintFeature(f.name), "%s is supported in a sub-query that groups by the privacy ID only", f.name)
	case "percentile_cont":
		if !f.within || len(f.order) != 1 || len(f.args) != 1 {
			return p.refuse(f.at, percentile, "this form of PERCENTILE_CONT is not supported")
		}
	}
	switch {
	case f.within && f.name != "percentile_cont":
		return p.refuse(f.at, percentile, "WITHIN GROUP is for PERCENTILE_CONT")
	case !f.within && len(f.order) > 0:
		return p.refuse(f.at, "leave it out", "ORDER BY inside a function is not supported")
	case f.star && f.name != "count" || !f.star && len(f.args) != 1:
		return p.refuse(f.at, "write COUNT(*), COUNT(x), SUM(x), AVG(x), STDDEV(x), MEDIAN(x) and the like", "%s takes one argument", f.name)
	case f.distinct && f.name != "count":
		return p.refuse(f.at, "write COUNT(DISTINCT x), or leave DISTINCT out", "DISTINCT is supported in COUNT only")
	}
	return nil
}

// hintFeature says what to write instead of an aggregate that is about the rows of one unit.
func hintFeature(name string) string {
	switch name {
	case "bool_and", "bool_or", "every":
		return "write COUNT(*) FILTER (WHERE …)"
	}
	return "rows never leave: use COUNT, AVG, MEDIAN and the like with GROUP BY"
}

// shape sets what the name of an aggregate over numbers says.
func (a *Aggregate) shape(name string) {
	switch name {
	case "sum":
		a.Kind = privacy.Sum
	case "avg":
		a.Kind = privacy.Mean
	case "variance", "var_samp":
		a.Kind, a.Sample = privacy.Variance, true
	case "var_pop":
		a.Kind = privacy.Variance
	case "stddev", "stddev_samp":
		a.Kind, a.Sample, a.Root = privacy.Variance, true, true
	case "stddev_pop":
		a.Kind, a.Root = privacy.Variance, true
	case "min":
		a.Kind, a.Rank = privacy.Quantile, 0
	case "max":
		a.Kind, a.Rank = privacy.Quantile, 1
	case "median":
		a.Kind, a.Rank = privacy.Quantile, 0.5
	case "percentile_cont":
		a.Kind = privacy.Quantile
	}
}

// rank reads which quantile PERCENTILE_CONT means. DESC counts from the other end.
func (p *planner) rank(c *checker, f call) (float64, error) {
	by := f.order[0].GetSortBy()
	if by.GetSortbyDir() == pg.SortByDir_SORTBY_USING || by.GetSortbyNulls() == pg.SortByNulls_SORTBY_NULLS_FIRST {
		return 0, p.refuse(locate(by.GetNode(), f.at), "write ORDER BY x, or ORDER BY x DESC", "this ORDER BY is not supported: NULL is passed over")
	}
	t, err := c.lower(f.args[0])
	if err != nil {
		return 0, err
	}
	q := t.expr.Number
	if !t.literal() || t.untyped() || t.expr.Type != Number || q < 0 || q > 1 {
		return 0, p.refuse(t.at, "write a number such as 0.9; ask for each percentile by itself: those of one column share their noise",
			"the argument of PERCENTILE_CONT is not a constant from 0 to 1")
	}
	if by.GetSortbyDir() == pg.SortByDir_SORTBY_DESC {
		r := decimal(q)
		q, _ = r.Sub(decimal(1), r).Float64()
	}
	return q, nil
}

// condition lowers FILTER (WHERE …); nil where there is none, or one that is always true.
func (p *planner) condition(c *checker, f call) (*term, error) {
	if f.filter == nil {
		return nil, nil
	}
	t, err := c.lower(f.filter)
	if err != nil {
		return nil, err
	}
	if t, err = c.boolean(t, "FILTER"); err != nil || equal(t.expr, truth(t.at, true).expr) {
		return nil, err
	}
	return &t, nil
}

// filtered is CASE WHEN condition THEN t END.
func filtered(c *checker, at int32, t term, condition *term) (term, error) {
	if condition == nil {
		return t, nil
	}
	null := term{expr: Expr{Op: OpLiteral, Null: true}, at: at, size: 1, nullable: true}
	return c.cases(at, []term{*condition}, []term{t, null})
}

// countRows lowers COUNT(*).
func (p *planner) countRows(c *checker, f call, condition *term) (int, error) {
	if condition == nil {
		return p.add(f.at, Aggregate{Kind: privacy.Count, Argument: privacy.NoArgument})
	}
	return p.countValues(c, f, truth(f.at, true), condition)
}

// countUnits lowers COUNT(DISTINCT privacy ID): of all rows, or of those where the condition is true.
func (p *planner) countUnits(c *checker, f call, condition *term) (int, error) {
	if condition == nil {
		return p.add(f.at, Aggregate{Kind: privacy.CountUnits, Argument: privacy.NoArgument})
	}
	t, err := filtered(c, f.at, truth(f.at, true), condition)
	if err != nil {
		return 0, err
	}
	i, err := p.counted(c, t)
	if err != nil {
		return 0, err
	}
	return p.add(f.at, Aggregate{Kind: privacy.CountUnits, Argument: i})
}

// countValues lowers COUNT(x) and COUNT(DISTINCT x). Where x is never NULL, COUNT(x) is COUNT(*), and
// shares its draw of noise.
func (p *planner) countValues(c *checker, f call, t term, condition *term) (int, error) {
	switch {
	case f.distinct && t.literal():
		return 0, p.refuse(t.at, "name a column", "a constant has one distinct value")
	case !f.distinct && !t.nullable && condition == nil:
		return p.add(f.at, Aggregate{Kind: privacy.Count, Argument: privacy.NoArgument})
	case !f.distinct && !t.nullable:
		t = truth(t.at, true)
	}
	t, err := filtered(c, f.at, t, condition)
	if err != nil {
		return 0, err
	}
	i, err := p.counted(c, t)
	if err != nil {
		return 0, err
	}
	kind := privacy.Count
	if f.distinct {
		kind = privacy.CountDistinct
	}
	return p.add(f.at, Aggregate{Kind: kind, Argument: i})
}

// counted returns an argument of which only the values that are not NULL count.
func (p *planner) counted(c *checker, t term) (int, error) {
	var err error
	if t.expr.Type == Int && exact(t.lo) && exact(t.hi) { // so that COUNT(x) and SUM(x) have one argument
		if t, err = c.number(t); err != nil {
			return 0, err
		}
	}
	i, found := p.find(t)
	if found {
		return i, nil
	}
	if err := p.grow(t); err != nil {
		return 0, err
	}
	p.parts.Arguments = append(p.parts.Arguments, Argument{
		Expr: t.expr, Step: privacy.Step{Num: 1, Den: 1}, Nullable: t.nullable, SumUnused: true,
	})
	return i, nil
}

// find looks for an argument that was written before.
func (p *planner) find(t term) (int, bool) {
	for i, a := range p.parts.Arguments {
		if equal(a.Expr, t.expr) {
			return i, true
		}
	}
	return len(p.parts.Arguments), false
}

// add returns the index of an aggregate, new or not.
func (p *planner) add(at int32, a Aggregate) (int, error) {
	if i := slices.Index(p.parts.Aggregates, a); i >= 0 {
		return i, nil
	}
	if len(p.parts.Aggregates) == privacy.MaxAggregates {
		return 0, p.refuse(at, "ask in several questions", "a question has at most %d aggregates", privacy.MaxAggregates)
	}
	p.parts.Aggregates = append(p.parts.Aggregates, a)
	return len(p.parts.Aggregates) - 1, nil
}
