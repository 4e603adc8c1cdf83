package query

import (
	"math"
	"strings"

	pg "github.com/pganalyze/pg_query_go/v6"

	"entrepot/privacy"
)

const hintFeatures = "the aggregates over one unit's rows are COUNT, SUM, AVG, MIN, MAX, BOOL_OR, BOOL_AND, FIRST(x ORDER BY …) and LAST(x ORDER BY …)"

// feature lowers an aggregate over the rows of one unit to the field that holds it. The same one
// written twice is one field, under the name that it had first.
func (u *perUnit) feature(f call, name string) (term, error) {
	kind, ok := featureKind(f.name)
	if err := u.refuseFeature(f, kind, ok); err != nil {
		return term{}, err
	}
	x := Feature{Kind: kind}
	t, err := u.valued(f, &x)
	if err != nil {
		return term{}, err
	}
	text := writer{&u.parts}.feature(x)
	for _, other := range u.features {
		if other.text == text {
			t = other.term
			t.at = f.at
			return t, nil
		}
	}
	if name == "" {
		name = u.fresh("f", "")
	}
	x.Name = name
	t = derived(t, name)
	t.expr.Num, t.expr.Den, t.at = 0, 0, f.at // a feature holds values, never steps
	u.features = append(u.features, featured{x, text, t})
	return t, nil
}

func featureKind(name string) (FeatureKind, bool) {
	switch name {
	case "count":
		return FeatureCount, true
	case "sum":
		return FeatureSum, true
	case "avg":
		return FeatureAvg, true
	case "min":
		return FeatureMin, true
	case "max":
		return FeatureMax, true
	case "bool_or":
		return FeatureAny, true
	case "bool_and", "every":
		return FeatureAll, true
	case "first":
		return FeatureFirst, true
	case "last":
		return FeatureLast, true
	}
	return "", false
}

// refuseFeature refuses the forms that have no meaning over one unit's rows.
func (u *perUnit) refuseFeature(f call, kind FeatureKind, ok bool) error {
	ordered := kind == FeatureFirst || kind == FeatureLast
	switch {
	case f.name == "any_value":
		return u.refuse(f.at, "write MIN(x), or FIRST(x ORDER BY …)", "ANY_VALUE is not supported: which value it takes would be up to the engine")
	case f.name == "array_agg":
		return u.refuse(f.at, "(ARRAY_AGG(x ORDER BY …))[1] is the first value; FIRST(x ORDER BY …) is shorter", "ARRAY_AGG is not supported")
	case !ok:
		return u.refuse(f.at, hintFeatures, "%s over the rows of one unit is not supported", strings.ToUpper(f.name))
	case f.star && kind != FeatureCount || !f.star && len(f.args) != 1:
		return u.refuse(f.at, "write COUNT(*), or "+strings.ToUpper(f.name)+"(x)", "%s takes one argument", strings.ToUpper(f.name))
	case f.within:
		return u.refuse(f.at, hintFeatures, "WITHIN GROUP in a sub-query is not supported")
	case f.distinct && kind != FeatureCount:
		return u.refuse(f.at, "leave DISTINCT out, or count distinct values", "%s(DISTINCT …) over the rows of one unit is not supported", strings.ToUpper(f.name))
	case ordered && len(f.order) == 0:
		return u.refuse(f.at, "write "+strings.ToUpper(f.name)+"(x ORDER BY y)", "%s needs an order", strings.ToUpper(f.name))
	case !ordered && len(f.order) > 0:
		return u.refuse(f.at, "leave it out", "ORDER BY in %s changes nothing", strings.ToUpper(f.name))
	case ordered && f.filter != nil:
		return u.refuse(locate(f.filter, f.at), "put the condition in WHERE of a sub-query", "FILTER of %s is not supported", strings.ToUpper(f.name))
	case len(f.args) == 1 && u.scope.isID(f.args[0]):
		return u.refuse(locate(f.args[0], f.at), "COUNT(*) counts the rows of the unit", "the privacy ID of one unit has one value")
	}
	return nil
}

// valued lowers the argument into x, and returns what is known of the feature's values.
func (u *perUnit) valued(f call, x *Feature) (term, error) {
	c := u.over(u.scope, u.noAggregate("an aggregate cannot stand inside another", "compute the inner one in a sub-query"))
	t, err := u.argumentOf(c, f)
	if err != nil {
		return term{}, err
	}
	switch x.Kind {
	case FeatureCount:
		return u.counted(c, f, x, t)
	case FeatureSum, FeatureAvg:
		return u.added(c, f, x, t)
	case FeatureAny, FeatureAll:
		if t, err = c.boolean(t, strings.ToUpper(f.name)); err != nil {
			return term{}, err
		}
	case FeatureMin, FeatureMax:
		if t.expr.Type == Bool {
			return term{}, u.refuse(t.at, "write BOOL_OR or BOOL_AND", "conditions have no order")
		}
	default:
		if x.OrderBy, err = u.order(c, f.order); err != nil {
			return term{}, err
		}
	}
	x.Argument = &t.expr
	return t, u.grow(t)
}

// argumentOf lowers what an aggregate is of; FILTER makes it NULL, and COUNT(*) that of a constant.
func (u *perUnit) argumentOf(c *checker, f call) (term, error) {
	t := truth(f.at, true)
	if !f.star {
		var err error
		if t, err = c.lower(f.args[0]); err != nil {
			return term{}, err
		}
	}
	if t.untyped() {
		return term{}, u.refuse(t.at, "name a column", "NULL has nothing to count or add up")
	}
	if f.filter == nil {
		return t, nil
	}
	when, err := c.lower(f.filter)
	if err != nil {
		return term{}, err
	}
	if when, err = c.boolean(when, "FILTER"); err != nil {
		return term{}, err
	}
	if f.name == "count" && !f.distinct && !t.nullable {
		t = truth(f.at, true) // which of its values a row has makes no difference
	}
	return c.cases(f.at, []term{when}, []term{t, {expr: Expr{Op: OpLiteral, Null: true}, at: f.at, size: 1, nullable: true}})
}

// counted is COUNT(*), COUNT(x) or COUNT(DISTINCT x). A group has one row at least.
func (u *perUnit) counted(c *checker, f call, x *Feature, t term) (term, error) {
	least := 1.0
	switch {
	case f.distinct:
		x.Kind, x.Argument = FeatureDistinct, &t.expr
	case t.nullable:
		x.Argument = &t.expr
	}
	if t.nullable {
		least = 0
	}
	if x.Argument != nil {
		if err := u.grow(t); err != nil {
			return term{}, err
		}
	}
	return c.whole(term{expr: Expr{Op: OpColumn, Type: Number}, at: f.at, size: 1}, least, float64(u.rows))
}

// added is SUM or AVG: of one value at least, or NULL.
func (u *perUnit) added(c *checker, f call, x *Feature, t term) (term, error) {
	t, err := c.number(t)
	if err != nil {
		return term{}, err
	}
	text := short(c.show(t))
	if t.loose != "" {
		return term{}, u.refuse(t.at, strings.ToUpper(f.name)+"(CLAMP("+text+", lower, upper)) bounds it: choose limits by what the values mean",
			"%s needs bounded values, and %s has no useful bounds: %s", strings.ToUpper(f.name), text, t.loose)
	}
	a, err := u.argument(t, text)
	if err != nil {
		return term{}, err
	}
	x.Argument, x.Lower, x.Upper, x.Step = &t.expr, a.Lower, a.Upper, a.Step
	low, high := min(a.Lower, times64(a.Lower, u.rows)), max(a.Upper, times64(a.Upper, u.rows))
	if max(-low, high) >= 1<<53 {
		return term{}, u.refuse(t.at, "bound it with CLAMP(…, lower, upper)", "the sum of %s over the %d rows that one unit can have has 2^53 steps or more", text, u.rows)
	}
	if err := u.grow(t); err != nil {
		return term{}, err
	}
	out := term{expr: Expr{Op: OpColumn, Type: Number}, at: f.at, size: 1, nullable: t.nullable}
	if x.Kind == FeatureAvg {
		return c.within(out, quotientBound(a.Lower, u.rows, a.Step, -1), quotientBound(a.Upper, u.rows, a.Step, 1), grid{}, 0)
	}
	out.integral = a.Step.Den == 1
	return c.within(out, scaled(low, a.Step.Num, a.Step.Den), scaled(high, a.Step.Num, a.Step.Den),
		reduced(a.Step.Num, a.Step.Den), scaled(1, a.Step.Num, a.Step.Den))
}

// times64 is a·n, or beyond 2^53 in magnitude where that is.
func times64(a, n int64) int64 {
	if math.Abs(float64(a))*float64(n) >= 1<<53 {
		if a < 0 {
			return -1 << 53
		}
		return 1 << 53
	}
	return a * n
}

// quotientBound bounds the average of up to n values of at most (sign 1) or at least (sign −1) the steps
// given. Three operations round: their error is below six neighbouring numbers. A whole step makes all
// of them exact at the bound.
func quotientBound(bound, n int64, s privacy.Step, sign float64) float64 {
	x := scaled(bound, s.Num, s.Den)
	if bound == 0 || s.Den == 1 && math.Abs(float64(bound))*float64(n)*float64(s.Num) < 1<<53 {
		return x
	}
	for range 6 {
		x = math.Nextafter(x, math.Inf(int(sign)))
	}
	return x
}

// order lowers the order of FIRST and LAST.
func (u *perUnit) order(c *checker, list []*pg.Node) ([]FeatureOrder, error) {
	var order []FeatureOrder
	for _, n := range list {
		by := n.GetSortBy()
		at := locate(by.GetNode(), nowhere)
		switch {
		case by.GetSortbyDir() == pg.SortByDir_SORTBY_USING:
			return nil, u.refuse(at, "write ASC or DESC", "ORDER BY … USING is not supported")
		case by.GetSortbyNulls() == pg.SortByNulls_SORTBY_NULLS_FIRST:
			return nil, u.refuse(at, "leave it out", "NULLS FIRST is not supported: NULL comes last")
		}
		t, err := c.lower(by.GetNode())
		switch {
		case err != nil:
			return nil, err
		case t.literal():
			return nil, u.refuse(at, "order by a column", "ordering by a constant is no order")
		}
		if err := u.grow(t); err != nil {
			return nil, err
		}
		order = append(order, FeatureOrder{Expr: t.expr, Descending: by.GetSortbyDir() == pg.SortByDir_SORTBY_DESC})
	}
	return order, nil
}
