package query

import "entrepot/datasets"

// columnTerm is a declared column as a term; Type is "" for a number without bounds.
func columnTerm(c datasets.Column, at int32) term {
	t := term{expr: Expr{Op: OpColumn, Column: c.Name}, at: at, nullable: c.Nullable, size: 1}
	lower, upper, num, den, bounded := c.Grid()
	switch {
	case c.Role == datasets.Measure && bounded:
		t.expr.Type, t.expr.Num, t.expr.Den = Number, num, den
		t.lo, t.hi = scaled(lower, num, den), scaled(upper, num, den)
		t.grid, t.least = reduced(num, den), scaled(1, num, den)
		t.expr.Lo, t.expr.Hi = t.lo, t.hi
		t.integral = den == 1 && exact(t.lo) && exact(t.hi)
	case c.Role != datasets.Key:
	case c.Type == datasets.Int64:
		t.expr.Type, t.grid, t.least, t.integral = Int, ones(), 1, bounded
		if t.lo, t.hi = scaled(lower, num, den), scaled(upper, num, den); !bounded {
			t.lo, t.hi, t.loose = -(1 << 63), 1<<63, c.Name+" is declared without bounds"
		}
	case c.Type == datasets.String:
		t.expr.Type = Text
	case c.Type == datasets.Bool:
		t.expr.Type = Bool
	case c.Type == datasets.Date, c.Type == datasets.Timestamp:
		if t.expr.Type = Date; c.Type == datasets.Timestamp {
			t.expr.Type = Timestamp
		}
		t.undated(c.Name + " is declared without earliest and latest")
		if earliest, latest, ok := c.Moments(); ok {
			first, _ := moment(earliest)
			last, _ := moment(latest)
			t.loose = ""
			t = t.dated(first.UnixMicro(), last.UnixMicro())
		}
	}
	if len(c.Domain) > 0 {
		t.domain = func(*effort) []any { return c.DomainValues() }
	}
	return t
}

// scaled is the value of a number of steps, in the arithmetic that engines use.
func scaled(steps, num, den int64) float64 {
	if den == 0 {
		return 0
	}
	return float64(float64(steps)*float64(num)) / float64(den)
}
