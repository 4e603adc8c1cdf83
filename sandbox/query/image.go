package query

import (
	"math"
	"slices"
)

// image evaluates an expression on every combination of the values of its columns, if they are few.
func (t term) image(w *effort) []any {
	var columns []term
	if !t.leaves(&columns) {
		return nil
	}
	sets := make([][]any, len(columns))
	work := nodes(t.expr)
	for i, c := range columns {
		sets[i] = c.inputs(w)
		combinations := len(sets[i])
		if work *= combinations; work == 0 || combinations > maxDerived || work > maxDerivedWork {
			return nil
		}
	}
	if !w.spend(work) {
		return nil
	}
	row := map[string]any{}
	list := []any{}
	var fill func(i int)
	fill = func(i int) {
		if i == len(columns) {
			if v := Eval(t.expr, func(column string) any { return row[column] }); v != nil {
				list = append(list, v)
			}
			return
		}
		for _, v := range sets[i] {
			row[columns[i].expr.Column] = v
			fill(i + 1)
		}
	}
	fill(0)
	return list
}

// leaves collects the columns that a term is made of, each once; false where they are not known.
func (t term) leaves(columns *[]term) bool {
	if t.expr.Op == OpColumn {
		if !slices.ContainsFunc(*columns, func(c term) bool { return c.expr.Column == t.expr.Column }) {
			*columns = append(*columns, t)
		}
		return true
	}
	if len(t.parts) != len(t.expr.Args) {
		return false
	}
	for _, p := range t.parts {
		if !p.leaves(columns) {
			return false
		}
	}
	return true
}

// inputs are the values of a column as Eval reads them from a row, with NULL where it may be.
func (t term) inputs(w *effort) []any {
	values := t.values(w)
	if values == nil {
		return nil
	}
	list := make([]any, 0, len(values)+1)
	for _, v := range values {
		if x, ok := v.(float64); ok && t.expr.Num != 0 {
			v = int64(math.Round(x * float64(t.expr.Den) / float64(t.expr.Num)))
		}
		list = append(list, v)
	}
	if t.nullable {
		list = append(list, nil)
	}
	return list
}

// chain evaluates an operation of one operand and constants on the operand's values.
func (t term) chain(w *effort) []any {
	operand := -1
	for i, p := range t.parts {
		switch {
		case p.literal():
		case operand >= 0:
			return nil
		default:
			operand = i
		}
	}
	if operand < 0 || len(t.parts) != len(t.expr.Args) {
		return nil
	}
	values := t.parts[operand].values(w)
	if values == nil || len(values) > maxDerived || !w.spend(len(values)*len(t.parts)) {
		return nil
	}
	e := t.expr
	e.Args = slices.Clone(e.Args)
	e.Args[operand] = Expr{Op: OpColumn, Type: e.Args[operand].Type}
	list := []any{}
	for _, x := range values {
		if v := Eval(e, func(string) any { return x }); v != nil {
			list = append(list, v)
		}
	}
	return list
}
