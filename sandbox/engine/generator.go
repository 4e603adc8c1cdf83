package engine

import (
	"fmt"
	"slices"

	"entrepot/datasets"
	"entrepot/sandbox/query"
)

// generator writes the SQL of one plan's relations.
type generator struct {
	tables     map[string]datasets.Table
	spaces     []string // of the plan's rows; units of the first are as stored
	ordinals   bool     // units are ordinals of the one dataset that has any
	datasets   []string // all that are scanned
	scans      []string // those with units, as often as they are scanned
	holdsUnits bool     // a relation groups or matches rows by unit
	err        error    // the first failure; writing goes on without effect
}

// newGenerator looks at what a plan reads: where all rows that have units come from one dataset, their
// ordinals tell units apart, faster than stored IDs do.
func newGenerator(p query.Parts, tables map[string]datasets.Table) *generator {
	g := &generator{tables: tables}
	for _, u := range p.From.Units {
		g.spaces = append(g.spaces, u.Space)
	}
	g.look(p.From)
	g.ordinals = len(slices.Compact(slices.Sorted(slices.Values(g.scans)))) == 1
	return g
}

// look lists the scans below a relation.
func (g *generator) look(r query.Relation) {
	if r.Op == query.Scan {
		g.datasets = append(g.datasets, r.Dataset)
	}
	if r.Op == query.Scan && len(r.Units) > 0 {
		g.scans = append(g.scans, r.Dataset)
	}
	for _, in := range r.Inputs {
		g.look(in)
	}
}

// fail keeps the first error.
func (g *generator) fail(format string, args ...any) {
	if g.err == nil {
		g.err = fmt.Errorf("%w: "+format, append([]any{ErrPlan}, args...)...)
	}
}

// expr writes an expression over the fields of a relation.
func (g *generator) expr(in rows, e query.Expr) string {
	return g.write(in, func(w *writer) { w.put(e) })
}

// truth writes a condition.
func (g *generator) truth(in rows, e query.Expr) string {
	if e.Type != query.Bool {
		g.fail("a filter of type %s", e.Type)
	}
	return g.expr(in, e)
}

// scale writes · num / den.
func (g *generator) scale(num, den int64) string {
	return g.write(rows{}, func(w *writer) { w.scale(num, den) })
}

func (g *generator) write(in rows, f func(w *writer)) string {
	w := &writer{fields: in.fields}
	f(w)
	if g.err == nil {
		g.err = w.err
	}
	return w.String()
}

// tooLarge is for who asked: the text alone is at fault.
func tooLarge(why string) error {
	return &query.Error{Message: why, Hint: "nest less, or ask in several questions"}
}

// weigh counts the operations of an expression, and how deep they are nested, as the database would see
// them if it put every field's expression where the field stands, which it does with conditions.
func (g *generator) weigh(in rows, e query.Expr) weight {
	if f, ok := in.fields[e.Column]; e.Op == query.OpColumn && ok {
		return weight{max(f.operations, 1), max(f.depth, 1)}
	}
	w := weight{operations: 1}
	for _, a := range e.Args {
		part := g.weigh(in, a)
		w.operations += part.operations
		w.depth = max(w.depth, part.depth)
	}
	w.depth++
	if w.operations > maxOperations || w.depth > maxUnfolded {
		g.fail("%w", tooLarge("the sub-queries compute with each other's columns too often"))
	}
	return w
}

// weight is how large an expression is.
type weight struct{ operations, depth int }

// Limits of an expression with those of sub-queries unfolded in it.
const (
	maxOperations = 1 << 14
	maxUnfolded   = 2 * maxDepth
)
