package engine

import (
	"database/sql/driver"
	"fmt"
	"strings"

	"entrepot/datasets"
	"entrepot/privacy"
	"entrepot/sandbox/query"
)

// question is a plan made ready as SQL, but for where the rows are.
//
// Its statement has these layers, from the inside:
//
//	rows     rank ≤ R, WHERE true, keys inside their domains; keys as _k0 …, arguments as _a0 …
//	bounded  at most r rows of a unit in a group            (left out where it cannot matter)
//	perUnit  one row for each unit and its L0 groups        (likewise)
//	outer    one row for each group: keys, rows, units, then non-NULLs and sums by argument
type question struct {
	shape
	keys   []query.Key
	list   string   // the inner SELECT list
	where  string   // of the inner layer
	counts []int    // arguments in use, whose non-NULLs are counted
	sums   []int    // arguments whose sums are needed
	clamps []string // for each argument: its clamped steps, from _a
	args   int      // arguments of the plan
	limit  int64    // most groups to read
	types  []string // SQL types of the result

	parameters []driver.NamedValue // of the statement: long domains
}

// generate checks a plan against what this package relies on and writes its expressions.
func generate(p query.Parts, d datasets.Declaration, maxGroups int64) (*question, error) {
	s, err := newShape(p)
	if err != nil {
		return nil, err
	}
	q := &question{shape: s, keys: p.Keys, args: len(p.Arguments), limit: maxGroups}
	if p.PublicKeys != nil {
		q.limit = int64(len(p.PublicKeys))
	}
	if err := q.need(p); err != nil {
		return nil, err
	}
	w := &writer{columns: map[string]datasets.Column{}}
	for _, c := range d.Columns {
		if columnType(c) != "" {
			w.columns[c.Name] = c
		}
	}
	q.writeSelect(w, p)
	q.writeWhere(w, p)
	return q, w.err
}

// need finds which numbers the aggregates use; the others stay zero.
func (q *question) need(p query.Parts) error {
	used, sums := make([]bool, q.args), make([]bool, q.args)
	for _, a := range p.Aggregates {
		if a.Argument == privacy.NoArgument {
			continue
		}
		if a.Argument < 0 || a.Argument >= q.args {
			return fmt.Errorf("%w: argument %d of %d", ErrPlan, a.Argument, q.args)
		}
		used[a.Argument] = true
		sums[a.Argument] = sums[a.Argument] || a.Kind == privacy.Sum || a.Kind == privacy.Mean
	}
	for i, argument := range p.Arguments {
		if used[i] {
			q.counts = append(q.counts, i)
		}
		if sums[i] && argument.SumUnused {
			return fmt.Errorf("%w: argument %d has no bounds", ErrPlan, i)
		}
		if sums[i] {
			q.sums = append(q.sums, i)
		}
	}
	return nil
}

// writeSelect writes the inner SELECT list and what it means.
func (q *question) writeSelect(w *writer, p query.Parts) {
	if q.heavy() {
		w.put("_ord, _rank, ")
	}
	for i, k := range p.Keys {
		c, ok := w.columns[k.Column]
		if !ok || c.Role != datasets.Key || k.Type != c.Type {
			w.fail("column %q is no key of type %s to group by", k.Column, k.Type)
		}
		w.put(fmt.Sprintf("%s AS _k%d, ", ident(c.Name), i))
		q.types = append(q.types, columnType(c))
	}
	q.clamps = make([]string, len(p.Arguments))
	for i, a := range p.Arguments {
		w.argument(a)
		w.put(fmt.Sprintf(" AS _a%d, ", i))
		q.clamps[i] = clamped(a, i)
		if !a.SumUnused && (a.Lower > a.Upper || a.Lower < -maxStep || a.Upper > maxStep) {
			w.fail("argument %d is bounded by %d … %d", i, a.Lower, a.Upper)
		}
	}
	w.put("1 AS _one") // a SELECT list is never empty
	q.list = w.String()
	w.Reset()
	for range 2 + 2*q.args {
		q.types = append(q.types, "HUGEINT")
	}
}

// maxStep bounds the magnitude of a clamped value [steps]: up to it, binary64 is exact.
const maxStep = 1<<53 - 1

// argument writes what is added up on one row, before clamping: a stored measure as it is, else
// the number of steps nearest to the value, half away from zero, as a whole DOUBLE.
func (w *writer) argument(a query.Argument) {
	switch {
	case a.Column != "":
		c, ok := w.columns[a.Column]
		if !ok || c.Role != datasets.Measure {
			w.fail("column %q is no measure", a.Column)
		}
		w.put(ident(c.Name))
	case a.SumUnused:
		w.put(a.Expr)
	case a.Expr.Type != query.Number:
		w.fail("a sum over %s", a.Expr.Type)
	default:
		w.put("round(", a.Expr)
		w.scale(a.Step.Den, a.Step.Num)
		w.put(")")
	}
}

// clamped writes an argument's clamped steps as BIGINT. CASE keeps NULL; least and greatest would not.
func clamped(a query.Argument, i int) string {
	if a.Column != "" {
		return fmt.Sprintf("CASE WHEN _a%d < %d THEN %d WHEN _a%d > %d THEN %d ELSE _a%d END", i, a.Lower, a.Lower, i, a.Upper, a.Upper, i)
	}
	return fmt.Sprintf("TRY_CAST(CASE WHEN _a%d < %d::DOUBLE THEN %d::DOUBLE WHEN _a%d > %d::DOUBLE THEN %d::DOUBLE ELSE _a%d END AS BIGINT)",
		i, a.Lower, a.Lower, i, a.Upper, a.Upper, i)
}

// writeWhere writes which rows count, before any bounding.
func (q *question) writeWhere(w *writer, p query.Parts) {
	w.put(fmt.Sprintf("_rank <= %d", q.rows))
	if p.Filter != nil {
		if p.Filter.Type != query.Bool {
			w.fail("a filter of type %s", p.Filter.Type)
		}
		w.put(" AND ", *p.Filter)
	}
	for _, k := range p.Keys {
		switch {
		case k.Domain != nil:
			w.put(" AND ")
			q.domain(w, k)
		case p.PublicKeys != nil:
			w.fail("groups are public but key %q has no domain", k.Column)
		}
	}
	q.where = w.String()
}

// keyList writes the key columns, with before in front unless there are none.
func (q *question) keyList(before string) string {
	names := make([]string, len(q.keys))
	for i := range q.keys {
		names[i] = fmt.Sprintf("_k%d", i)
	}
	if len(names) == 0 {
		return ""
	}
	return before + strings.Join(names, ", ")
}
