package query

import (
	"math"
	"strings"

	"entrepot/privacy"
)

// summed returns the argument of an aggregate over numbers, with the bounds that its noise is scaled to.
func (p *planner) summed(c *checker, f call, t term, condition *term, kind privacy.Kind) (int, error) {
	text, name := short(c.show(t)), strings.ToUpper(f.name)
	if t.literal() && condition == nil {
		return 0, p.refuse(f.at, "use COUNT(*)", "%s of a constant says no more than a count", name)
	}
	if !t.numeric() { // before the condition is part of the message
		if _, err := c.number(t); err != nil {
			return 0, err
		}
	}
	t, err := filtered(c, t.at, t, condition)
	if err != nil {
		return 0, err
	}
	if t, err = c.number(t); err != nil {
		return 0, err
	}
	if t.loose != "" {
		return 0, p.refuse(t.at, clampIn(name, text)+" bounds it: choose limits by what the values mean",
			"%s needs bounded values, and %s has no useful bounds: %s", name, text, t.loose)
	}
	a, err := p.argument(t, text)
	if err != nil {
		return 0, err
	}
	if a.Lower == a.Upper {
		if kind != privacy.Sum || a.Lower == 0 {
			return 0, p.refuse(f.at, "use COUNT(x) or another expression", "%s of %s says no more than a count: it has one possible value", name, text)
		}
		// A sum's noise follows the larger bound, so that 0 within the bounds costs nothing.
		a.Lower, a.Upper = min(a.Lower, 0), max(a.Upper, 0)
	}
	i, found := p.find(t)
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

// clampIn writes an aggregate with its argument in CLAMP.
func clampIn(name, text string) string {
	bounded := "CLAMP(" + text + ", lower, upper)"
	if name == "PERCENTILE_CONT" {
		return name + "(…) WITHIN GROUP (ORDER BY " + bounded + ")"
	}
	return name + "(" + bounded + ")"
}

// argument chooses the step and converts the interval to steps. A bound that follows from declared
// bounds and constants alone counts as useful, however wide: the estimate shows what it costs.
func (p *planner) argument(t term, text string) (Argument, error) {
	a := Argument{Expr: t.expr, Nullable: t.nullable}
	if t.expr.Op == OpColumn && t.expr.Num != 0 {
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
