package engine

import (
	"testing"

	"entrepot/privacy"
	"entrepot/sandbox/query"
)

// TestRelations computes a question over each relation by hand.
func TestRelations(t *testing.T) {
	tables := handTables(t)
	scanned := func(id string, names ...string) query.Relation { return scanOf(id, tables[id].Declaration, names...) }
	visits, tests := scanned("org.visits", "cost", "region"), scanned("org.tests", "grade")
	student := func(rows int64) []query.UnitRows { return []query.UnitRows{{Space: "org/student", Rows: rows}} }
	cost := measure("cost", 1, 2)
	literal := func(x float64) query.Expr { return query.Expr{Op: query.OpLiteral, Type: query.Number, Number: x} }
	number := func(name string) query.Expr { return column(query.Number, name) }

	double := query.Relation{Op: query.Select, Inputs: []query.Relation{visits}, Units: student(3), MaxRank: 3,
		Filter:  &query.Expr{Op: query.OpGe, Type: query.Bool, Args: []query.Expr{cost, literal(2)}},
		Columns: []query.Computed{{Name: "double", Expr: query.Expr{Op: query.OpAdd, Type: query.Number, Args: []query.Expr{cost, cost}}}, {Name: "Region", Expr: column(query.Text, "region")}},
		Fields:  []query.Field{{Name: "Region", Type: query.Text}, {Name: "double", Type: query.Number}}}

	feature := func(kind query.FeatureKind, order ...query.FeatureOrder) query.Feature {
		return query.Feature{Name: "x", Kind: kind, Argument: &cost, Lower: 0, Upper: 5, Step: privacy.Step{Num: 1, Den: 1}, OrderBy: order}
	}
	perUnit := func(f query.Feature, columns ...query.Computed) query.Relation {
		r := query.Relation{Op: query.PerUnit, Inputs: []query.Relation{visits}, Units: student(1), MaxRank: 3, Columns: columns,
			Features: []query.Feature{f}, Fields: []query.Field{{Name: "x", Type: query.Number}}}
		for _, c := range columns {
			r.Units = student(3)
			r.Fields = append(r.Fields, query.Field{Name: c.Name, Type: c.Expr.Type})
		}
		return r
	}
	ofVisits := func(outer bool, keys ...query.JoinKey) query.Relation {
		return query.Relation{Op: query.JoinRows, Inputs: []query.Relation{visits, tests}, Units: student(6), MaxRank: 6,
			Join:   &query.Join{Left: "v", Right: "t", Outer: outer, Keys: keys},
			Fields: []query.Field{{Name: "t.grade", Type: query.Number, Num: 1, Den: 1}, {Name: "v.region", Type: query.Text}}}
	}
	inZone := func(outer bool) query.Relation {
		return query.Relation{Op: query.JoinRows, Inputs: []query.Relation{visits, scanned("org.regions", "name", "zone")}, Units: student(3), MaxRank: 3,
			Join:   &query.Join{Left: "v", Right: "r", Outer: outer, Public: true, Keys: []query.JoinKey{{Left: "region", Right: "name"}}},
			Fields: []query.Field{{Name: "r.zone", Type: query.Text}, {Name: "v.cost", Type: query.Number, Num: 1, Den: 2}}}
	}
	regions := func(id string) query.Relation { return scanned(id, "region") }
	twice := query.Relation{Op: query.Union, Inputs: []query.Relation{regions("org.visits"), regions("org.visits")}, Units: student(6), MaxRank: 6,
		Fields: []query.Field{{Name: "region", Type: query.Text}}}
	both := query.Relation{Op: query.Union, Inputs: []query.Relation{regions("org.shops"), regions("org.visits")}, MaxRank: 6,
		Units: []query.UnitRows{{Space: "org/firm", Rows: 2}, {Space: "org/student", Rows: 3}}, Fields: []query.Field{{Name: "region", Type: query.Text}}}

	sum := func(argument int) query.Aggregate { return query.Aggregate{Kind: privacy.Sum, Argument: argument} }
	for name, c := range map[string]struct {
		from query.Relation
		key  *query.Key
		sum  *query.Argument
		rows int64 // a unit's, in all
		want string
	}{
		"a scan": {visits, byText("region"), &query.Argument{Expr: cost, Column: "cost", Upper: 20, Step: privacy.Step{Num: 1, Den: 2}}, 3,
			`["n"] 3/2 14; ["s"] 2/2 10; [null] 1/1 2`},
		"a select":          {double, byText("Region"), ptr(numberArgument(number("double"), 0, 100)), 3, `["n"] 3/2 14; ["s"] 1/1 10`},
		"rows per unit":     {perUnit(query.Feature{Name: "x", Kind: query.FeatureCount}), nil, ptr(numberArgument(number("x"), 0, 9)), 1, `[] 3/3 6`},
		"values per unit":   {perUnit(feature(query.FeatureCount)), nil, ptr(numberArgument(number("x"), 0, 9)), 1, `[] 3/3 5`},
		"distinct per unit": {perUnit(feature(query.FeatureDistinct)), nil, ptr(numberArgument(number("x"), 0, 9)), 1, `[] 3/3 5`},
		"least per unit":    {perUnit(feature(query.FeatureMin)), nil, ptr(numberArgument(number("x"), 0, 9)), 1, `[] 3/3 5`},
		"most per unit":     {perUnit(feature(query.FeatureMax)), nil, ptr(numberArgument(number("x"), 0, 9)), 1, `[] 3/3 9`},
		"sum per unit":      {perUnit(feature(query.FeatureSum)), nil, ptr(numberArgument(number("x"), 0, 9)), 1, `[] 3/3 13`},
		"mean per unit":     {perUnit(feature(query.FeatureAvg)), nil, ptr(numberArgument(number("x"), 0, 9)), 1, `[] 3/3 8`}, // 2.5, 3.5 and 1, rounded
		"first per unit":    {perUnit(feature(query.FeatureFirst)), nil, ptr(numberArgument(number("x"), 0, 9)), 1, `[] 3/3 8`},
		"last, NULL last":   {perUnit(feature(query.FeatureLast, query.FeatureOrder{Expr: cost})), nil, ptr(numberArgument(number("x"), 0, 9)), 1, `[] 3/3 9`},
		"per unit and region": {perUnit(feature(query.FeatureSum), query.Computed{Name: "region", Expr: column(query.Text, "region")}), byText("region"),
			ptr(numberArgument(number("x"), 0, 9)), 3, `["n"] 2/2 7; ["s"] 2/2 5; [null] 1/1 1`},
		"a join on the ID":       {ofVisits(false), byText("v.region"), ptr(numberArgument(measure("t.grade", 1, 1), 0, 100)), 6, `["n"] 5/2 350; ["s"] 3/2 210`},
		"an outer join":          {ofVisits(true), byText("v.region"), ptr(numberArgument(measure("t.grade", 1, 1), 0, 100)), 6, `["n"] 5/2 350; ["s"] 3/2 210; [null] 1/1 0`},
		"a public join":          {inZone(false), byText("r.zone"), ptr(numberArgument(measure("v.cost", 1, 2), 0, 10)), 3, `["cold"] 3/2 7`},
		"an outer public join":   {inZone(true), byText("r.zone"), ptr(numberArgument(measure("v.cost", 1, 2), 0, 10)), 3, `["cold"] 3/2 7; [null] 3/3 6`},
		"a union with itself":    {twice, byText("region"), nil, 6, `["n"] 6/2 0; ["s"] 4/2 0; [null] 2/1 0`},
		"a union of unit spaces": {both, byText("region"), nil, 3, `["n"] 5/4 0; ["s"] 3/3 0; [null] 1/1 0`}, // student 1 and firm 1 are two units
	} {
		t.Run(name, func(t *testing.T) {
			p := counted(c.from, c.key, c.rows)
			if c.sum != nil {
				p.Arguments = []query.Argument{*c.sum}
				p.Aggregates = append(p.Aggregates, sum(0))
			}
			if got := asked(t, p, tables); got != c.want {
				t.Errorf("got  %s\nwant %s", got, c.want)
			}
		})
	}
}
