package query_test

import (
	"cmp"
	"maps"
	"slices"
	"strings"

	"entrepot/datasets"
	"entrepot/sandbox/query"
)

// relation checks a relation and those below it, and returns its fields. All of them go back to scans,
// which have none for a privacy ID or a hidden column: so none is in any expression.
func (a *auditor) relation(r query.Relation) fields {
	inputs := map[query.RelationOp]int{query.Scan: 0, query.Select: 1, query.PerUnit: 1, query.JoinRows: 2, query.Union: len(r.Inputs)}
	if n, ok := inputs[r.Op]; !ok || n != len(r.Inputs) || r.Op == query.Union && n < 2 || (r.Op == query.JoinRows) != (r.Join != nil) || (r.Op == query.Scan) != (r.Dataset != "") {
		a.fail("a relation %q of %d inputs", r.Op, len(r.Inputs))
		return nil
	}
	var in []fields
	for _, input := range r.Inputs {
		in = append(in, a.relation(input))
	}
	if a.err != nil {
		return nil
	}
	switch r.Op {
	case query.Scan:
		a.scan(r)
	case query.Select:
		a.selection(r, in[0])
	case query.PerUnit:
		a.perUnit(r, in[0])
	case query.JoinRows:
		a.join(r, in[0], in[1])
	case query.Union:
		a.union(r, in)
	}
	if r.Filter != nil && r.Op != query.Select && r.Op != query.PerUnit || r.Features != nil && r.Op != query.PerUnit {
		a.fail("a %s with a filter or features", r.Op)
	}
	out := fields{}
	for _, f := range r.Fields {
		if _, twice := out[f.Name]; twice || f.Name == "" || f.Name == r.ID || strings.HasPrefix(f.Name, "_") || letter(f.Type) == "?" || (f.Num != 0) != (f.Den != 0) {
			a.fail("an odd field of a %s: %+v", r.Op, f)
		}
		out[f.Name] = f
	}
	return out
}

// scan checks fields against the declaration: only keys and measures are stored.
func (a *auditor) scan(r query.Relation) {
	org, name, _ := strings.Cut(r.Dataset, ".")
	table, ok := a.catalogue.Table(org, name)
	d := table.Declaration
	if !ok || table.ID != r.Dataset {
		a.fail("no dataset %s", r.Dataset)
	}
	for _, f := range r.Fields {
		c, ok := d.Column(f.Name)
		_, _, num, den, _ := c.Grid()
		want := query.Field{Name: f.Name, Type: kinds[c.Type], Nullable: c.Nullable}
		if c.Role == datasets.Measure {
			want.Type, want.Num, want.Den = query.Number, num, den
		}
		if !ok || c.Role != datasets.Key && c.Role != datasets.Measure || f != want {
			a.fail("%s is declared as %+v, not %+v", f.Name, c, f)
		}
		a.columns[r.Dataset] = append(a.columns[r.Dataset], f.Name)
	}
	if a.columns[r.Dataset] == nil {
		a.columns[r.Dataset] = []string{}
	}
	if d.Public {
		a.units(r, nil, 0)
		return
	}
	a.units(r, []query.UnitRows{{Space: d.UnitSpace, Rows: d.MaxRowsPerUnit}}, d.MaxRowsPerUnit)
}

// kinds are the types of stored keys.
var kinds = map[datasets.Type]query.Type{
	datasets.String: query.Text, datasets.Int64: query.Int, datasets.Bool: query.Bool, datasets.Date: query.Date, datasets.Timestamp: query.Timestamp,
}

// units checks what a relation says of the rows of a unit: no less than what follows from its inputs, and
// of ranks not needlessly more.
func (a *auditor) units(r query.Relation, want []query.UnitRows, rank int64) {
	if !slices.Equal(r.Units, want) || r.MaxRank < rank || r.MaxRank > max(rank*int64(max(1, len(r.Inputs))), rank) || r.MaxRank > query.MaxRows {
		a.fail("a %s of %+v, ranks to %d, where %+v and %d follow", r.Op, r.Units, r.MaxRank, want, rank)
	}
}

// columnsOf checks computed columns, each of which a field must name unless all may be unnamed.
func (a *auditor) columnsOf(r query.Relation, in fields) {
	for _, c := range r.Columns {
		a.expr(c.Expr, in)
		i := slices.IndexFunc(r.Fields, func(f query.Field) bool { return f.Name == c.Name })
		if i < 0 {
			if r.Op == query.Select {
				a.fail("a column %s of a select that is no field", c.Name)
			}
			continue
		}
		f := r.Fields[i]
		steps := c.Expr.Op == query.OpColumn && c.Expr.Num == f.Num && c.Expr.Den == f.Den
		if f.Type != c.Expr.Type || f.Num != 0 && !steps {
			a.fail("field %+v is computed as %+v", f, c.Expr)
		}
	}
}

func (a *auditor) selection(r query.Relation, in fields) {
	a.condition("WHERE of a sub-query", r.Filter, in)
	a.columnsOf(r, in)
	if len(r.Columns) != len(r.Fields) {
		a.fail("%d columns make %d fields", len(r.Columns), len(r.Fields))
	}
	a.units(r, r.Inputs[0].Units, r.Inputs[0].MaxRank)
}

func (a *auditor) perUnit(r query.Relation, in fields) {
	a.condition("WHERE of a sub-query", r.Filter, in)
	a.columnsOf(r, in)
	if len(r.Inputs[0].Units) == 0 {
		a.fail("units of a public table")
	}
	for _, f := range r.Features {
		a.feature(r, f, in)
	}
	for _, f := range r.Fields {
		column := slices.ContainsFunc(r.Columns, func(c query.Computed) bool { return c.Name == f.Name })
		feature := slices.ContainsFunc(r.Features, func(x query.Feature) bool { return x.Name == f.Name })
		if column == feature {
			a.fail("field %s of a per_unit is no column and no feature, or both", f.Name)
		}
	}
	units := slices.Clone(r.Inputs[0].Units)
	for i := range units {
		if len(r.Columns) == 0 {
			units[i].Rows = 1
		}
	}
	a.units(r, units, r.Inputs[0].MaxRank)
}

// feature checks an aggregate over the rows of one unit.
func (a *auditor) feature(r query.Relation, f query.Feature, in fields) {
	want := query.Number
	ordered := f.Kind == query.FeatureFirst || f.Kind == query.FeatureLast
	added := f.Kind == query.FeatureSum || f.Kind == query.FeatureAvg
	if f.Argument == nil {
		if f.Kind != query.FeatureCount {
			a.fail("%s of nothing", f.Kind)
		}
	} else {
		a.expr(*f.Argument, in)
		is := f.Argument.Type
		switch f.Kind {
		case query.FeatureCount, query.FeatureDistinct:
		case query.FeatureAny, query.FeatureAll:
			want = query.Bool
		case query.FeatureMin, query.FeatureMax, query.FeatureFirst, query.FeatureLast:
			want = is
		case query.FeatureSum, query.FeatureAvg:
			want = query.Number
		default:
			a.fail("no feature: %s", f.Kind)
		}
		if added && is != query.Number || want == query.Bool && is != query.Bool || is == query.Bool && (f.Kind == query.FeatureMin || f.Kind == query.FeatureMax) {
			a.fail("%s of %s", f.Kind, is)
		}
	}
	if ordered != (len(f.OrderBy) > 0) {
		a.fail("%s with %d orders", f.Kind, len(f.OrderBy))
	}
	for _, o := range f.OrderBy {
		a.expr(o.Expr, in)
	}
	most := max(f.Upper, -f.Lower, -f.Upper, f.Lower)
	for _, u := range r.Inputs[0].Units {
		if float64(most)*float64(u.Rows) >= 1<<53 {
			a.fail("%s adds %d rows of up to %d steps", f.Kind, u.Rows, most)
		}
	}
	if added && (f.Lower > f.Upper || f.Step.Num < 1 || f.Step.Den < 1) {
		a.fail("%s of %d … %d steps of %v", f.Kind, f.Lower, f.Upper, f.Step)
	}
	i := slices.IndexFunc(r.Fields, func(x query.Field) bool { return x.Name == f.Name })
	if i < 0 || r.Fields[i].Type != want || r.Fields[i].Num != 0 {
		a.fail("%s %s makes the wrong field", f.Kind, f.Name)
	}
}

// join checks that it cannot multiply rows of others: by the unit, or by a whole unique key.
func (a *auditor) join(r query.Relation, left, right fields) {
	j, l, rt := r.Join, r.Inputs[0], r.Inputs[1]
	named := map[string]query.Field{}
	for _, side := range []struct {
		alias  string
		fields fields
		outer  bool
	}{{j.Left, left, false}, {j.Right, right, j.Outer}} {
		for name, f := range side.fields {
			if side.alias != "" {
				name = side.alias + "." + name
			}
			f.Name, f.Nullable = name, f.Nullable || side.outer
			named[name] = f
		}
	}
	for _, f := range r.Fields {
		if named[f.Name] != f {
			a.fail("field %+v of a join is %+v", f, named[f.Name])
		}
	}
	var keys []string
	for _, k := range j.Keys {
		x, y := left[k.Left], right[k.Right]
		if x.Type == "" || x.Type != y.Type || x.Type == query.Number && (x.Num != y.Num || x.Den != y.Den) {
			a.fail("a join of %+v and %+v", x, y)
		}
		keys = append(keys, k.Right)
	}
	if len(l.Units) == 0 || j.Right == "" || (j.Left == "") != (l.Op == query.JoinRows) || rt.Op == query.JoinRows {
		a.fail("a join of %s and %s", l.Op, rt.Op)
	}
	if j.Public {
		org, name, _ := strings.Cut(rt.Dataset, ".")
		table, _ := a.catalogue.Table(org, name)
		for _, name := range table.Declaration.Unique {
			if !slices.Contains(keys, name) {
				a.fail("a join with %s without %s", rt.Dataset, name)
			}
		}
		if rt.Op != query.Scan || !table.Declaration.Public || len(table.Declaration.Unique) == 0 {
			a.fail("a join with %s %s as a public table", rt.Op, rt.Dataset)
		}
		a.units(r, l.Units, l.MaxRank)
		return
	}
	if len(l.Units) != 1 || len(rt.Units) != 1 || l.Units[0].Space != rt.Units[0].Space {
		a.fail("a join of %+v and %+v", l.Units, rt.Units)
		return
	}
	a.units(r, []query.UnitRows{{Space: l.Units[0].Space, Rows: l.Units[0].Rows * rt.Units[0].Rows}}, l.MaxRank*rt.MaxRank)
}

// union checks that inputs agree.
func (a *auditor) union(r query.Relation, in []fields) {
	units, rank := map[string]int64{}, int64(0)
	for i, input := range r.Inputs {
		for _, f := range r.Fields {
			if x := in[i][f.Name]; x.Type != f.Type || f.Num != 0 && (x.Num != f.Num || x.Den != f.Den) || x.Nullable && !f.Nullable {
				a.fail("input %d of a union has %+v, not %+v", i+1, x, f)
			}
		}
		if len(input.Units) == 0 {
			a.fail("public rows in a union")
		}
		for _, u := range input.Units {
			units[u.Space] += u.Rows
		}
		rank = max(rank, (input.MaxRank-1)*int64(len(r.Inputs))+int64(i)+1)
	}
	var want []query.UnitRows
	for _, space := range slices.Sorted(maps.Keys(units)) {
		want = append(want, query.UnitRows{Space: space, Rows: units[space]})
	}
	a.units(r, want, rank)
}

// datasets checks what the plan says that it reads.
func (a *auditor) datasets() {
	if !slices.IsSortedFunc(a.parts.Datasets, func(x, y query.DatasetUse) int { return cmp.Compare(x.ID, y.ID) }) || len(a.parts.Datasets) != len(a.columns) {
		a.fail("datasets %+v of %v", a.parts.Datasets, a.columns)
	}
	for _, d := range a.parts.Datasets {
		org, name, _ := strings.Cut(d.ID, ".")
		table, _ := a.catalogue.Table(org, name)
		read := slices.Compact(slices.Sorted(slices.Values(a.columns[d.ID])))
		if !slices.Equal(d.Columns, read) || d.UnitSpace != table.Declaration.UnitSpace {
			a.fail("%+v reads %v", d, read)
		}
	}
}
