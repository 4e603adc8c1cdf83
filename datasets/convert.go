package datasets

import (
	"math"
	"strings"
)

// cell is a value as it is stored: NULL, an integer (steps, int64, 0 or 1, days, microseconds) or text.
type cell struct {
	null bool
	n    int64
	s    string
}

// outcome says how a value became a cell.
type outcome uint8

const (
	asIs    outcome = iota
	clamped         // moved to the nearer bound
	nulled          // had a value, has none now
)

var nullCell = cell{null: true}

// converter turns values into cells of one column. It is total: every value has a cell, and which
// depends on that value and the declaration alone.
type converter func(*value) (cell, outcome)

func newConverter(c Column) converter {
	convert := map[Type]converter{
		String: toText, Int64: toInt64, Bool: toBool, Date: toDate, Timestamp: toInstant,
	}[c.Type]
	if low, high, num, den, bounded := c.Grid(); bounded {
		g := grid{low, high, num, den, float64(den) / float64(num)}
		convert = g.wholeSteps
		if c.Type == Float64 {
			convert = g.steps
		}
	}
	if low, high, bounded := c.moments(); bounded {
		convert = between(convert, low, high)
	}
	return func(v *value) (cell, outcome) {
		switch {
		case v.isNull(), v.kind == textual && c.Type != String && trimSpace(v.text) == "":
			return nullCell, asIs
		case v.kind == unusable:
			return nullCell, nulled
		}
		return convert(v)
	}
}

func toText(v *value) (cell, outcome) {
	if v.kind == real && (math.IsNaN(v.real) || math.IsInf(v.real, 0)) {
		return nullCell, nulled
	}
	s := v.String()
	if !usableText(s) {
		return nullCell, nulled
	}
	return cell{s: s}, asIs
}

// toInt64 takes whole numbers that fit int64.
func toInt64(v *value) (cell, outcome) {
	if v.kind == whole && v.exponent == 0 {
		return cell{n: v.whole}, asIs
	}
	n, ok := v.number()
	if !ok || !n.integral() {
		return nullCell, nulled
	}
	i, overflow := n.steps(1, 1)
	if overflow != 0 {
		return nullCell, nulled
	}
	return cell{n: i}, asIs
}

// grid is a bounded column's grid: bounds in steps of num/den.
type grid struct {
	low, high, num, den int64
	perUnit             float64 // steps in 1, about
}

// wholeSteps takes whole numbers, of any size, in steps of the grid.
func (g grid) wholeSteps(v *value) (cell, outcome) {
	if v.kind == whole && v.exponent == 0 && g.num == 1 {
		return g.clamp(v.whole, 0)
	}
	n, ok := v.number()
	if !ok || !n.integral() {
		return nullCell, nulled
	}
	return g.clamp(n.steps(g.num, g.den))
}

// steps takes any number, rounded to the grid half away from zero, then clamped: the other order
// could leave the bounds.
func (g grid) steps(v *value) (cell, outcome) {
	if v.kind == real && !v.narrow {
		if s, ok := g.quick(v.real); ok {
			return g.clamp(s, 0)
		}
	}
	n, ok := v.number()
	if !ok {
		return nullCell, nulled
	}
	return g.clamp(n.steps(g.num, g.den))
}

// quick rounds in floating point where that cannot differ from exact rounding. Below 2^30 steps the
// product is wrong by less than 1e-6 steps, and so is the decimal that the float stands for; only
// within 1e-5 of a tie could rounding tell.
func (g grid) quick(v float64) (int64, bool) {
	x := v * g.perUnit
	if !(math.Abs(x) < 1<<30) { // also NaN
		return 0, false
	}
	floor := math.Floor(x)
	if math.Abs(x-floor-0.5) < 1e-5 {
		return 0, false
	}
	return int64(math.Floor(x + 0.5)), true
}

func (g grid) clamp(steps int64, overflow int) (cell, outcome) {
	switch {
	case overflow < 0 || overflow == 0 && steps < g.low:
		return cell{n: g.low}, clamped
	case overflow > 0 || steps > g.high:
		return cell{n: g.high}, clamped
	}
	return cell{n: steps}, asIs
}

// between clamps what convert makes of a date or a timestamp. Convert comes first: what is outside years
// 1 … 9999 has no value to clamp, as in a column without bounds, and often stands for infinity.
func between(convert converter, low, high int64) converter {
	g := grid{low: low, high: high}
	return func(v *value) (cell, outcome) {
		c, how := convert(v)
		if c.null {
			return c, how
		}
		return g.clamp(c.n, 0)
	}
}

// toBool takes booleans, 0 and 1, and the words true, false, t, f, yes, no, y, n in any case.
func toBool(v *value) (cell, outcome) {
	if v.kind == truth {
		return cell{n: v.whole}, asIs
	}
	if v.kind == textual {
		switch strings.ToLower(trimSpace(v.text)) {
		case "true", "t", "yes", "y":
			return cell{n: 1}, asIs
		case "false", "f", "no", "n":
			return cell{n: 0}, asIs
		}
	}
	if c, _ := toInt64(v); !c.null && (c.n == 0 || c.n == 1) {
		return c, asIs
	}
	return nullCell, nulled
}

// toDate takes dates, the UTC day of timestamps, and text YYYY-MM-DD, in years 1 … 9999.
func toDate(v *value) (cell, outcome) {
	days, ok := v.whole, false
	switch v.kind {
	case day:
		ok = days >= minDay && days <= maxDay
	case instant:
		days, ok = dayOf(v.whole)
	case textual:
		days, ok = parseDate(trimSpace(v.text))
	}
	if !ok {
		return nullCell, nulled
	}
	return cell{n: days}, asIs
}

// toInstant takes timestamps, dates (midnight UTC) and ISO 8601 text, in years 1 … 9999.
func toInstant(v *value) (cell, outcome) {
	micros, ok := v.whole, false
	switch v.kind {
	case instant:
		_, ok = inYears(v.whole)
	case day:
		if ok = v.whole >= minDay && v.whole <= maxDay; ok {
			micros = v.whole * dayMicro
		}
	case textual:
		micros, ok = parseInstant(trimSpace(v.text))
	}
	if !ok {
		return nullCell, nulled
	}
	return cell{n: micros}, asIs
}
