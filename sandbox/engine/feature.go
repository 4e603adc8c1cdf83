package engine

import (
	"fmt"
	"slices"
	"strings"

	"entrepot/sandbox/query"
)

// perUnit writes one row for each unit and each combination of the columns. What is grouped and fed to
// aggregates is computed once, in a sub-query: _g0 … , _x0 … for the features' arguments, _y0_0 … for
// what orders them.
func (g *generator) perUnit(r query.Relation, in rows) rows {
	g.holdsUnits = true
	if r.Filter != nil {
		g.weigh(in, *r.Filter)
		in.where = append(slices.Clone(in.where), g.truth(in, *r.Filter))
	}
	inner := []string{in.unit + " AS _u", in.rank + " AS _rank"}
	group := []string{"_u"}
	for i, c := range r.Columns {
		inner = append(inner, g.column(r, in, c)+fmt.Sprintf(" AS _g%d", i))
		group = append(group, fmt.Sprintf("_g%d", i))
	}
	outer := []string{"_u", "min(_rank) AS _rank"}
	out := rows{unit: "_u", rank: "_rank", fields: map[string]field{}}
	for i, f := range r.Fields {
		name := fmt.Sprintf("_f%d", i)
		of := weight{1, 1} // what is made of a group is not unfolded
		if c := slices.IndexFunc(r.Columns, func(c query.Computed) bool { return c.Name == f.Name }); c >= 0 {
			outer = append(outer, fmt.Sprintf("_g%d AS %s", c, name))
			of = g.weigh(in, r.Columns[c].Expr)
		} else if x := slices.IndexFunc(r.Features, func(x query.Feature) bool { return x.Name == f.Name }); x >= 0 {
			feature := r.Features[x]
			inner = append(inner, g.featureInput(in, feature, i)...)
			outer = append(outer, g.feature(r, feature, f, i)+" AS "+name)
		} else {
			g.fail("field %q is not computed", f.Name)
		}
		out.fields[f.Name] = field{f, of, name}
	}
	out.from = fmt.Sprintf("(SELECT %s FROM (%s) GROUP BY %s)", strings.Join(outer, ", "), in.selecting(inner), strings.Join(group, ", "))
	return out
}

// column writes what a unit's rows are grouped by: stored steps where the field holds them.
func (g *generator) column(r query.Relation, in rows, c query.Computed) string {
	g.weigh(in, c.Expr)
	i := slices.IndexFunc(r.Fields, func(f query.Field) bool { return f.Name == c.Name })
	if i < 0 { // nothing above refers to it
		return g.distinct(in, c.Expr)
	}
	if f := r.Fields[i]; f.Num != 0 || f.Type != c.Expr.Type {
		return g.field(in, f, c.Expr)
	}
	return g.positive(in, c.Expr)
}

// featureInput writes what the i-th field's aggregate is fed with.
func (g *generator) featureInput(in rows, f query.Feature, i int) []string {
	if f.Argument == nil {
		return nil
	}
	g.weigh(in, *f.Argument)
	var x string
	switch f.Kind {
	case query.FeatureSum, query.FeatureAvg:
		x = g.steps(in, *f.Argument, f.Step)
	case query.FeatureDistinct:
		x = g.distinct(in, *f.Argument)
	case query.FeatureMin, query.FeatureMax:
		x = g.positive(in, *f.Argument)
	default:
		x = g.expr(in, *f.Argument)
	}
	list := []string{x + fmt.Sprintf(" AS _x%d", i)}
	for j, o := range f.OrderBy {
		g.weigh(in, o.Expr)
		list = append(list, g.distinct(in, o.Expr)+fmt.Sprintf(" AS _y%d_%d", i, j))
	}
	return list
}

// feature writes the aggregate of the i-th field over a group.
func (g *generator) feature(r query.Relation, f query.Feature, as query.Field, i int) string {
	typ := query.Number
	x := fmt.Sprintf("_x%d", i)
	if f.Argument == nil {
		if f.Kind != query.FeatureCount {
			g.fail("a feature %q of nothing", f.Kind)
			return ""
		}
		x = "*"
	}
	var sql string
	switch f.Kind {
	case query.FeatureCount:
		sql = "CAST(count(" + x + ") AS DOUBLE)"
	case query.FeatureDistinct:
		sql = "CAST(count(DISTINCT " + x + ") AS DOUBLE)"
	case query.FeatureAny, query.FeatureAll:
		typ = query.Bool
		if f.Argument.Type != typ {
			g.fail("a feature %q of %s", f.Kind, f.Argument.Type)
		}
		sql = map[query.FeatureKind]string{query.FeatureAny: "bool_or(", query.FeatureAll: "bool_and("}[f.Kind] + x + ")"
	case query.FeatureMin, query.FeatureMax:
		if typ = f.Argument.Type; typ == query.Bool {
			g.fail("a feature %q of %s", f.Kind, typ)
		}
		sql = string(f.Kind) + "(" + x + ")"
	case query.FeatureSum, query.FeatureAvg:
		sql = g.total(r, f, x)
	case query.FeatureFirst, query.FeatureLast:
		typ = f.Argument.Type
		sql = ordered(f, x, i)
	default:
		g.fail("feature %q has no SQL", f.Kind)
	}
	if as.Type != typ || as.Num != 0 {
		g.fail("feature %q is %s, not %s", f.Kind, typ, as.Type)
	}
	return sql
}

// total writes the sum of clamped steps in the argument's unit, or their mean. The sum is an exact
// integer that binary64 holds.
func (g *generator) total(r query.Relation, f query.Feature, x string) string {
	most := float64(max(f.Upper, -f.Upper, f.Lower, -f.Lower))
	for _, u := range r.Inputs[0].Units {
		if most*float64(u.Rows) > maxStep {
			g.fail("a feature adds up to %g steps in %d rows", most, u.Rows)
		}
	}
	sum := "(CAST(sum(" + g.clamp(x, false, f.Lower, f.Upper) + ") AS DOUBLE)" + g.scale(f.Step.Num, f.Step.Den) + ")"
	if f.Kind == query.FeatureAvg {
		return "(" + sum + " / CAST(count(" + x + ") AS DOUBLE))" // NULL / 0 where there is no value
	}
	return sum
}

// ordered writes the value in the row that comes first, NULL included: the order is total, since
// ranks are unique within a unit.
func ordered(f query.Feature, x string, i int) string {
	var by []string
	for j, o := range f.OrderBy {
		direction := "ASC"
		if o.Descending != (f.Kind == query.FeatureLast) {
			direction = "DESC"
		}
		by = append(by, fmt.Sprintf("_y%d_%d %s NULLS LAST", i, j, direction))
	}
	return "first(" + x + " ORDER BY " + strings.Join(append(by, "_rank ASC"), ", ") + ")"
}
