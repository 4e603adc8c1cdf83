package query_test

import (
	"fmt"
	"slices"

	"entrepot/datasets"
	"entrepot/privacy"
	"entrepot/sandbox/query"
)

// auditor checks a plan against what the documentation of package query says a plan is. It is written
// from there and shares nothing with the planner. The first fault stays.
type auditor struct {
	parts     query.Parts
	catalogue query.Catalogue
	columns   map[string][]string // by dataset: what scans yield
	err       error
}

// audit returns what is wrong with a plan.
func audit(p query.Plan, c query.Catalogue) error {
	a := &auditor{parts: p.Parts(), catalogue: c, columns: map[string][]string{}}
	rows := a.relation(a.parts.From)
	a.condition("WHERE", a.parts.Filter, rows)
	for _, check := range []func(){func() { a.keys(rows) }, func() { a.arguments(rows) }, a.aggregates, a.answer, a.datasets} {
		if a.err == nil {
			check()
		}
	}
	if a.err == nil {
		a.asked(p)
	}
	return a.err
}

func (a *auditor) fail(format string, args ...any) {
	if a.err == nil {
		a.err = fmt.Errorf(format, args...)
	}
}

// fields are what an expression may refer to; nil after aggregation, where it may name released values.
type fields map[string]query.Field

// index tells whether exactly one of a key and an aggregate is named.
func (a *auditor) index(key, aggregate int) bool {
	return key == -1 && aggregate >= 0 && aggregate < len(a.parts.Aggregates) || aggregate == -1 && key >= 0 && key < len(a.parts.Keys)
}

// keys checks what is grouped by, and that groups are all public or all selected.
func (a *auditor) keys(in fields) {
	public, combinations := true, 1
	for _, k := range a.parts.Keys {
		a.expr(k.Expr, in)
		types := map[query.Type][]datasets.Type{
			query.Number: {datasets.Int64, datasets.Float64}, query.Int: {datasets.Int64}, query.Text: {datasets.String}, query.Bool: {datasets.Bool},
			query.Date: {datasets.Date}, query.Timestamp: {datasets.Timestamp},
		}[k.Expr.Type]
		if k.Name == "" || !slices.Contains(types, k.Type) || k.Expr.Op == query.OpLiteral {
			a.fail("an odd key: %+v", k)
		}
		seen := map[string]bool{}
		for _, v := range k.Domain {
			encoded := query.EncodeKey([]any{v})
			if back, err := query.DecodeKey([]datasets.Type{k.Type}, encoded); err != nil || back[0] != v || v == nil || seen[encoded] {
				a.fail("the domain of %s holds %v", k.Name, v)
			}
			seen[encoded] = true
		}
		public, combinations = public && k.Domain != nil, combinations*max(1, len(k.Domain))
	}
	listed := map[string]bool{}
	for _, k := range a.parts.PublicKeys {
		listed[k] = true
	}
	if public != (a.parts.PublicKeys != nil) || public && (len(listed) != combinations || len(a.parts.PublicKeys) != combinations) {
		a.fail("%d public groups of %d combinations", len(a.parts.PublicKeys), combinations)
	}
}

// arguments checks that what is added up has bounds.
func (a *auditor) arguments(in fields) {
	for i, x := range a.parts.Arguments {
		a.expr(x.Expr, in)
		used := false
		for _, g := range a.parts.Aggregates {
			used = used || g.Argument == i
			count := g.Kind == privacy.Count || g.Kind == privacy.CountUnits || g.Kind == privacy.CountDistinct
			if g.Argument == i && x.SumUnused && !count {
				a.fail("argument %d of %s has no bounds", i, g.Kind)
			}
		}
		stored := x.Expr.Op == query.OpColumn && x.Expr.Num != 0
		switch {
		case !used:
			a.fail("argument %d is not used", i)
		case x.SumUnused:
			if x.Lower != 0 || x.Upper != 0 || x.Step != (privacy.Step{Num: 1, Den: 1}) {
				a.fail("argument %d has bounds that nothing uses", i)
			}
		case x.Expr.Type != query.Number || x.Lower >= x.Upper || x.Lower <= -1<<53 || x.Upper >= 1<<53 || x.Step.Num < 1 || x.Step.Den < 1:
			a.fail("argument %d is %s of %d … %d steps of %v", i, x.Expr.Type, x.Lower, x.Upper, x.Step)
		case x.Column != "" && (!stored || x.Column != x.Expr.Column || x.Step != privacy.Step{Num: x.Expr.Num, Den: x.Expr.Den}):
			a.fail("argument %d is not the stored %s", i, x.Column)
		}
	}
}

// aggregates checks the kinds.
func (a *auditor) aggregates() {
	for _, g := range a.parts.Aggregates {
		ok := g.Argument >= 0 && g.Argument < len(a.parts.Arguments)
		switch g.Kind {
		case privacy.Count, privacy.CountUnits:
			ok = ok || g.Argument == privacy.NoArgument
		case privacy.CountDistinct, privacy.Sum, privacy.Mean, privacy.Variance, privacy.Quantile:
		default:
			ok = false
		}
		variance, quantile := g.Kind == privacy.Variance, g.Kind == privacy.Quantile
		if !ok || (g.Sample || g.Root) && !variance || g.Rank != 0 && !quantile || !(g.Rank >= 0 && g.Rank <= 1) {
			a.fail("an odd aggregate: %+v", g)
		}
	}
	rows := int64(0)
	for _, u := range a.parts.From.Units {
		rows = max(rows, u.Rows)
	}
	c := a.parts.Contribution
	if c.MaxPartitions < 1 || c.MaxPartitions > rows || c.MaxRowsPerPartition < 1 || c.MaxRowsPerPartition > rows || c.MaxRows != rows {
		a.fail("contribution bounds %+v of %d rows", c, rows)
	}
}

// answer checks that nothing but keys and aggregates is shown, compared or ordered by.
func (a *auditor) answer() {
	names := map[string]bool{}
	for _, o := range a.parts.Outputs {
		if !a.index(o.Key, o.Aggregate) || o.Name == "" || names[o.Name] {
			a.fail("an output is neither key nor aggregate, or two have a name: %+v", o)
		}
		names[o.Name] = true
	}
	a.condition("HAVING", a.parts.Having, nil)
	for _, o := range a.parts.OrderBy {
		if !a.index(o.Released.Key, o.Released.Aggregate) {
			a.fail("ORDER BY %+v", o)
		}
	}
	if len(a.parts.Outputs) == 0 || a.parts.Limit != nil && *a.parts.Limit < 1 || a.parts.Offset < 0 {
		a.fail("no outputs or no rows")
	}
}

// asked checks what is asked of package privacy: groups are selected unless they are public.
func (a *auditor) asked(p query.Plan) {
	q, err := p.Question(privacy.Loss{}, nil, 1)
	if err != nil || len(p.Columns()) != len(a.parts.Outputs) || !slices.Equal(q.Partitions.Keys, a.parts.PublicKeys) || (q.Partitions.Keys == nil) != (a.parts.PublicKeys == nil) ||
		q.Contribution != a.parts.Contribution || len(q.Aggregates) != len(a.parts.Aggregates) || q.Partitions.Keys != nil && len(q.Aggregates) == 0 {
		a.fail("a question %+v: %v", q, err)
	}
}
