package engine

import (
	"database/sql/driver"
	"fmt"
	"slices"
	"strings"

	"entrepot/datasets"
	"entrepot/sandbox/query"
)

// question is a plan made ready as SQL, but for where the rows are.
//
// Its main statement has these layers, from the inside:
//
//	rows     the relations of the plan, WHERE true, keys inside their domains; the unit as _u, its rank
//	         as _rank, keys as _k0 …, arguments as _a0 …
//	bounded  at most r rows of a unit in a group            (left out where it cannot matter)
//	perUnit  one row for each unit and its L0 groups        (likewise)
//	outer    one row for each group: keys, then what is counted and added up
//
// Distinct values and the leaves of quantile trees have statements of their own, over the very same
// rows: kept writes them.
type question struct {
	shape
	keys      []query.Key
	arguments []argument
	rows      string   // the rows layer, a template
	ordinals  bool     // units are ordinals of one dataset; otherwise they are stored IDs
	datasets  []string // all that are read
	scans     []string // those with units, as often as they are scanned
	limit     int64    // most groups to read

	parameters []driver.NamedValue // of each statement: long domains
	statements []statement
}

// argument is how one argument of the plan is added up.
type argument struct {
	query.Argument
	needs
	clamped string // its clamped steps, a BIGINT, from _a
}

// generate checks a plan against what this package relies on and writes its statements.
func generate(p query.Parts, tables map[string]datasets.Table, maxGroups int64) (*question, error) {
	s, err := newShape(p)
	if err != nil {
		return nil, err
	}
	q := &question{shape: s, keys: p.Keys, limit: maxGroups}
	if p.PublicKeys != nil {
		q.limit = int64(len(p.PublicKeys))
	}
	if q.arguments, err = needed(p); err != nil {
		return nil, err
	}
	for _, a := range q.arguments {
		q.argumentUnits = q.argumentUnits || a.units
	}
	g := newGenerator(p, tables)
	q.ordinals, q.datasets, q.scans = g.ordinals, g.datasets, g.scans
	from := g.relation(p.From)
	if from.unit == "" {
		g.fail("its rows belong to nobody")
	}
	for _, u := range p.From.Units {
		if u.Rows > p.Contribution.MaxRows {
			g.fail("a unit may have %d rows of which %d are counted", u.Rows, p.Contribution.MaxRows)
		}
	}
	q.holdsUnits = g.holdsUnits
	q.writeRows(g, from, p)
	if g.err == nil {
		q.writeStatements(g)
	}
	return q, g.err
}

// writeRows writes the innermost layer.
func (q *question) writeRows(g *generator, from rows, p query.Parts) {
	var list, domains []string
	if q.heavy() {
		list = append(list, from.unit+" AS _u", from.rank+" AS _rank")
	}
	if p.Filter != nil {
		g.weigh(from, *p.Filter)
		from.where = append(slices.Clone(from.where), g.truth(from, *p.Filter))
	}
	for i, k := range p.Keys {
		g.weigh(from, k.Expr)
		sql := g.key(from, k)
		list = append(list, fmt.Sprintf("%s AS _k%d", sql, i))
		switch {
		case k.Domain == nil && p.PublicKeys != nil:
			g.fail("groups are public but key %q has no domain", k.Name)
		case k.Domain == nil:
		case k.Expr.Op == query.OpColumn: // beside the scan, where it costs least
			from.where = append(from.where, q.domain(g, k, sql))
		default:
			domains = append(domains, q.domain(g, k, fmt.Sprintf("_k%d", i)))
		}
	}
	for i, a := range q.arguments {
		g.weigh(from, a.Expr)
		list = append(list, fmt.Sprintf("%s AS _a%d", g.argument(from, a.Argument), i))
		if a.distinct && !a.SumUnused && a.Column == "" { // counted as they are, not as steps
			list = append(list, fmt.Sprintf("%s AS _d%d", g.distinct(from, a.Expr), i))
		}
		q.arguments[i].clamped = g.clamped(a.Argument, i)
	}
	list = append(list, "1 AS _one") // a SELECT list is never empty
	q.rows = from.selecting(list)
	if domains != nil {
		q.rows = "SELECT * FROM (" + q.rows + ") WHERE " + strings.Join(domains, " AND ")
	}
}
