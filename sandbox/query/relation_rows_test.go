package query

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"strings"
)

// unitRow is a row of a relation with its unit and rank; unit is "" in a public table.
type unitRow struct {
	unit   string
	rank   int64
	values map[string]any // as Eval reads them
}

func (r unitRow) field(name string) any { return r.values[name] }

// rowsOf evaluates a relation as relation.go words it, and checks on the way what plans say of it.
func rowsOf(tb failer, r Relation, tables map[string][]unitRow) []unitRow {
	tb.Helper()
	var in [][]unitRow
	for _, input := range r.Inputs {
		in = append(in, rowsOf(tb, input, tables))
	}
	var out []unitRow
	switch r.Op {
	case Scan:
		out = tables[r.Dataset]
	case Select:
		for _, row := range kept(tb, r, in[0]) {
			out = append(out, unitRow{row.unit, row.rank, computedValues(tb, r, row)})
		}
	case PerUnit:
		out = perUnitRows(tb, r, kept(tb, r, in[0]))
	case JoinRows:
		out = joinRows(r, in[0], in[1])
	case Union:
		n := int64(len(in))
		for i, branch := range in {
			for _, row := range branch {
				out = append(out, unitRow{row.unit, (row.rank-1)*n + int64(i) + 1, row.values})
			}
		}
	}
	return checkRows(tb, r, out)
}

// kept filters the input of a relation.
func kept(tb failer, r Relation, in []unitRow) []unitRow {
	return slices.DeleteFunc(slices.Clone(in), func(row unitRow) bool {
		return r.Filter != nil && valueIn(tb, *r.Filter, row) != true
	})
}

// valueIn evaluates an expression and checks the intervals of all of its parts.
func valueIn(tb failer, e Expr, row unitRow) any {
	tb.Helper()
	eachExpr(e, func(part Expr) {
		if x, ok := Eval(part, row.field).(float64); ok && (part.Type != Number || x < part.Lo || x > part.Hi) {
			tb.Fatalf("%s is %v, of %s in %v … %v", writer{}.expr(part), x, part.Type, part.Lo, part.Hi)
		}
	})
	return Eval(e, row.field)
}

// computedValues are the columns of a row: stored steps where the field says so, else values.
func computedValues(tb failer, r Relation, row unitRow) map[string]any {
	values := map[string]any{}
	for _, c := range r.Columns {
		values[c.Name] = valueIn(tb, c.Expr, row)
		if i := slices.IndexFunc(r.Fields, func(f Field) bool { return f.Name == c.Name }); i >= 0 && r.Fields[i].Num != 0 {
			values[c.Name] = row.values[c.Expr.Column]
		}
	}
	return values
}

func perUnitRows(tb failer, r Relation, in []unitRow) []unitRow {
	groups := map[string][]unitRow{}
	var order []string
	for _, row := range in {
		key := row.unit
		for _, c := range r.Columns {
			key += fmt.Sprintf("|%v", valueIn(tb, c.Expr, row))
		}
		if groups[key] == nil {
			order = append(order, key)
		}
		groups[key] = append(groups[key], row)
	}
	var out []unitRow
	for _, key := range order {
		rows := groups[key]
		first := unitRow{rows[0].unit, rows[0].rank, computedValues(tb, r, rows[0])}
		for _, row := range rows {
			first.rank = min(first.rank, row.rank)
		}
		for _, f := range r.Features {
			first.values[f.Name] = featureValue(tb, f, rows)
		}
		out = append(out, first)
	}
	return out
}

func featureValue(tb failer, f Feature, rows []unitRow) any {
	if f.Kind == FeatureFirst || f.Kind == FeatureLast {
		rows = slices.Clone(rows)
		slices.SortFunc(rows, func(a, b unitRow) int { return compareRows(f, a, b) })
		return valueIn(tb, *f.Argument, rows[0])
	}
	var values []any
	sum := int64(0)
	for _, row := range rows {
		var v any = true
		if f.Argument != nil {
			v = valueIn(tb, *f.Argument, row)
		}
		if v == nil {
			continue
		}
		values = append(values, v)
		if f.Kind == FeatureSum || f.Kind == FeatureAvg {
			n := math.Round(steps(v.(float64), f.Step))
			if n < float64(f.Lower) || n > float64(f.Upper) {
				tb.Fatalf("%v is outside of %+v", v, f)
			}
			sum += int64(n)
		}
	}
	switch f.Kind {
	case FeatureCount:
		return float64(len(values))
	case FeatureDistinct:
		distinct := map[any]bool{}
		for _, v := range values {
			distinct[v] = true
		}
		return float64(len(distinct))
	}
	if len(values) == 0 {
		return nil
	}
	switch f.Kind {
	case FeatureAny:
		return slices.Contains(values, any(true))
	case FeatureAll:
		return !slices.Contains(values, any(false))
	case FeatureSum:
		return scaled(sum, f.Step.Num, f.Step.Den)
	case FeatureAvg:
		return scaled(sum, f.Step.Num, f.Step.Den) / float64(len(values))
	}
	return slices.MinFunc(values, func(a, b any) int {
		c, _ := compareValues(a, b, f.Argument.Type == Timestamp)
		if f.Kind == FeatureMax {
			return -c
		}
		return c
	})
}

// compareRows orders rows for FIRST and LAST: NULL last either way, ties by rank.
func compareRows(f Feature, a, b unitRow) int {
	for _, o := range f.OrderBy {
		x, y := Eval(o.Expr, a.field), Eval(o.Expr, b.field)
		if x == nil || y == nil {
			if c := cmp.Compare(isNil(x), isNil(y)); c != 0 {
				return c
			}
			continue
		}
		if c, _ := compareValues(x, y, o.Expr.Type == Timestamp); c != 0 {
			if o.Descending != (f.Kind == FeatureLast) {
				return -c
			}
			return c
		}
	}
	return cmp.Compare(a.rank, b.rank)
}

func joinRows(r Relation, left, right []unitRow) []unitRow {
	var out []unitRow
	merge := func(a, b unitRow) unitRow {
		values := map[string]any{}
		for name, v := range a.values {
			if r.Join.Left != "" {
				name = r.Join.Left + "." + name
			}
			values[name] = v
		}
		for name, v := range b.values {
			values[r.Join.Right+"."+name] = v
		}
		rank := a.rank
		if !r.Join.Public {
			rank = (a.rank-1)*r.Inputs[1].MaxRank + max(b.rank, 1)
		}
		return unitRow{a.unit, rank, values}
	}
	for _, a := range left {
		found := 0
		for _, b := range right {
			same := r.Join.Public || a.unit == b.unit
			for _, k := range r.Join.Keys {
				same = same && a.values[k.Left] != nil && a.values[k.Left] == b.values[k.Right]
			}
			if same {
				out = append(out, merge(a, b))
				found++
			}
		}
		if found == 0 && r.Join.Outer {
			out = append(out, merge(a, unitRow{}))
		}
	}
	return out
}

// checkRows checks what a plan says of a relation's rows.
func checkRows(tb failer, r Relation, rows []unitRow) []unitRow {
	tb.Helper()
	count, ranks := map[string]int64{}, map[string]bool{}
	for _, row := range rows {
		for _, f := range r.Fields {
			if row.values[f.Name] == nil && !f.Nullable {
				tb.Fatalf("%s is NULL in %+v", f.Name, r)
			}
		}
		if isPublic(r) {
			continue
		}
		key := fmt.Sprint(row.unit, " ", row.rank)
		if row.rank < 1 || row.rank > r.MaxRank || ranks[key] {
			tb.Fatalf("rank %d of at most %d, twice: %v, in %+v", row.rank, r.MaxRank, ranks[key], r)
		}
		ranks[key] = true
		count[row.unit]++
		space, _, _ := strings.Cut(row.unit, ":")
		i := slices.IndexFunc(r.Units, func(u UnitRows) bool { return u.Space == space })
		if i < 0 || count[row.unit] > r.Units[i].Rows {
			tb.Fatalf("%d rows of %s in %+v", count[row.unit], row.unit, r)
		}
	}
	return rows
}
