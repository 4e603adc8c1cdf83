package query

import (
	"math"
	"slices"

	"entrepot/privacy"
)

// aggregate lowers COUNT, SUM or AVG to the index of a released number. The same aggregate written
// twice is one: it is charged once.
func (p *planner) aggregate(f call) (int, error) {
	if f.star && f.name != "count" || !f.star && len(f.args) != 1 {
		return 0, p.refuse(f.at, "write COUNT(*), COUNT(x), SUM(x) or AVG(x)", "%s takes one argument", f.name)
	}
	switch {
	case f.star:
		return p.add(f.at, privacy.Count, privacy.NoArgument)
	case f.distinct:
		return p.countUnits(f)
	}
	c := p.rows("an aggregate cannot stand inside another", "ask for each aggregate by itself")
	t, err := c.lower(f.args[0])
	if err != nil {
		return 0, err
	}
	if t.untyped() {
		return 0, p.refuse(t.at, "name a column", "NULL has nothing to count or add up")
	}
	if f.name == "count" {
		return p.countValues(c, f, t)
	}
	kind := privacy.Sum
	if f.name == "avg" {
		kind = privacy.Mean
	}
	if t, err = c.number(t); err != nil {
		return 0, err
	}
	argument, err := p.summed(c, f, t, kind)
	if err != nil {
		return 0, err
	}
	return p.add(f.at, kind, argument)
}

// countUnits lowers COUNT(DISTINCT x), where x must be the privacy ID.
func (p *planner) countUnits(f call) (int, error) {
	names := f.args[0].GetColumnRef().GetFields()
	if f.name != "count" || len(names) == 0 || word(names[len(names)-1]) != p.parts.PrivacyID {
		return 0, p.refuse(f.at, "COUNT(DISTINCT "+identifier(p.parts.PrivacyID)+") counts privacy units",
			"DISTINCT is supported for the privacy ID in COUNT only")
	}
	var qualifier []string
	for _, n := range names[:len(names)-1] {
		qualifier = append(qualifier, word(n))
	}
	if err := p.qualified(qualifier, locate(f.args[0], f.at)); err != nil {
		return 0, err
	}
	return p.add(f.at, privacy.CountUnits, privacy.NoArgument)
}

// countValues lowers COUNT(x). Where x is never NULL it is COUNT(*), and shares its draw of noise.
func (p *planner) countValues(c *checker, f call, t term) (int, error) {
	if !t.nullable {
		return p.add(f.at, privacy.Count, privacy.NoArgument)
	}
	var err error
	if t.expr.Type == Int { // so that COUNT(x) and SUM(x) have one argument
		if t, err = c.number(t); err != nil {
			return 0, err
		}
	}
	argument, found := p.find(c, t)
	if !found {
		if err := p.grow(t); err != nil {
			return 0, err
		}
		p.parts.Arguments = append(p.parts.Arguments, Argument{
			Expr: t.expr, Step: privacy.Step{Num: 1, Den: 1}, Nullable: true, SumUnused: true,
		})
	}
	return p.add(f.at, privacy.Count, argument)
}

// find looks for an argument that was written before.
func (p *planner) find(c *checker, t term) (int, bool) {
	text := c.show(t)
	for i, a := range p.parts.Arguments {
		if (writer{&p.parts}).expr(a.Expr) == text {
			return i, true
		}
	}
	return len(p.parts.Arguments), false
}

// add returns the index of an aggregate, new or not.
func (p *planner) add(at int32, kind privacy.Kind, argument int) (int, error) {
	a := Aggregate{Kind: kind, Argument: argument}
	if i := slices.Index(p.parts.Aggregates, a); i >= 0 {
		return i, nil
	}
	if len(p.parts.Aggregates) == privacy.MaxAggregates {
		return 0, p.refuse(at, "ask in several questions", "a question has at most %d aggregates", privacy.MaxAggregates)
	}
	p.parts.Aggregates = append(p.parts.Aggregates, a)
	return len(p.parts.Aggregates) - 1, nil
}

// summed returns the argument of SUM or AVG, with the bounds that its noise is scaled to.
func (p *planner) summed(c *checker, f call, t term, kind privacy.Kind) (int, error) {
	text, name := short(c.show(t)), "SUM"
	if kind == privacy.Mean {
		name = "AVG"
	}
	switch {
	case t.literal():
		return 0, p.refuse(f.at, "use COUNT(*)", "%s of a constant says no more than a count", name)
	case t.loose != "":
		return 0, p.refuse(t.at, name+"(CLAMP("+text+", lower, upper)) bounds it: choose limits by what the values mean",
			"%s needs bounded values, and %s has no useful bounds: %s", name, text, t.loose)
	}
	a, err := p.argument(t, text)
	if err != nil {
		return 0, err
	}
	if a.Lower == a.Upper {
		if kind == privacy.Mean || a.Lower == 0 {
			return 0, p.refuse(f.at, "use COUNT(x) or another expression", "%s of %s says no more than a count: it has one possible value", name, text)
		}
		// A sum's noise follows the larger bound, so that 0 within the bounds costs nothing.
		a.Lower, a.Upper = min(a.Lower, 0), max(a.Upper, 0)
	}
	i, found := p.find(c, t)
	if !found {
		if err := p.grow(t); err != nil {
			return 0, err
		}
		p.parts.Arguments = append(p.parts.Arguments, a)
	} else if p.parts.Arguments[i].SumUnused {
		p.parts.Arguments[i] = a
	}
	return i, nil
}

// argument chooses the step and converts the interval to steps. A bound that follows from declared
// bounds and constants alone counts as useful, however wide: the estimate shows what it costs.
func (p *planner) argument(t term, text string) (Argument, error) {
	a := Argument{Expr: t.expr, Nullable: t.nullable}
	if t.expr.Op == OpColumn {
		a.Column, a.Step = t.expr.Column, privacy.Step{Num: t.expr.Num, Den: t.expr.Den}
	} else if t.lo != 0 || t.hi != 0 {
		var ok bool
		if a.Step, ok = stepFor(t.lo, t.hi, t.grid); !ok {
			return Argument{}, p.refuse(t.at, "multiply it by a constant, or bound it with CLAMP(…, lower, upper)",
				"the values of %s, %g to %g, are too large or too small to add up", text, t.lo, t.hi)
		}
	} else {
		a.Step = privacy.Step{Num: 1, Den: 1}
	}
	// Rounding is monotone: what rounds below the rounded bound lies below the bound.
	lower, upper := math.Round(steps(t.lo, a.Step)), math.Round(steps(t.hi, a.Step))
	if max(-lower, upper) >= 1<<53 {
		return Argument{}, p.refuse(t.at, "bound it with CLAMP(…, lower, upper)", "%s has 2^53 steps or more", text)
	}
	a.Lower, a.Upper = int64(lower), int64(upper)
	return a, nil
}
