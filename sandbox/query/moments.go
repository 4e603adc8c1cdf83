package query

import "time"

// undated is the interval of a Date or Timestamp of which nothing is declared.
func (t *term) undated(why string) {
	t.earliest, t.latest, t.loose = firstMoment, lastMoment, why
}

// dated completes a Date or Timestamp with its interval.
func (t term) dated(earliest, latest int64) term {
	t.earliest, t.latest = max(earliest, firstMoment), min(latest, lastMoment)
	return t
}

// temporal tells whether the term is a Date or a Timestamp.
func (t term) temporal() bool { return t.expr.Type == Date || t.expr.Type == Timestamp }

// from and to are the ends of the interval.
func (t term) from() time.Time { return time.UnixMicro(t.earliest).UTC() }
func (t term) to() time.Time   { return time.UnixMicro(t.latest).UTC() }

// asTimestamp converts a Date, or a text constant, to a Timestamp.
func (c *checker) asTimestamp(t term) (term, error) {
	switch {
	case t.expr.Type == Timestamp && !t.untyped():
		return t, nil
	case t.literal():
		return c.adapt(t, Timestamp)
	case t.expr.Type == Date:
		n, err := c.node(t.at, OpToTime, Timestamp, t)
		return n.dated(t.earliest, t.latest), err
	}
	return term{}, c.refuse(t.at, "use a column that is declared as a timestamp", "a timestamp is needed here, and %s is %s", short(c.show(t)), describe(t))
}

// asDate converts a Timestamp to a Date.
func (c *checker) asDate(t term) (term, error) {
	if t.expr.Type == Date {
		return t, nil
	}
	if t.literal() {
		return c.moment(t.at, t.expr.Text[:len(dateForm)], Date)
	}
	n, err := c.node(t.at, OpToDate, Date, t)
	first, _ := truncated(t.from(), unitDay)
	last, _ := truncated(t.to(), unitDay)
	return n.dated(first.UnixMicro(), last.UnixMicro()), err
}

// dateTrunc makes DATE_TRUNC('unit', x), of the type of x.
func (c *checker) dateTrunc(f call) (term, error) {
	const hint = "write DATE_TRUNC('month', x); the units are year, quarter, month, week, day and, for timestamps, hour and minute"
	if len(f.args) != 2 {
		return term{}, c.refuse(f.at, hint, "this form of DATE_TRUNC is not supported")
	}
	unit := lowerASCII(f.args[0].GetAConst().GetSval().GetSval())
	if _, ok := truncated(time.Time{}, unit); !ok {
		return term{}, c.refuse(locate(f.args[0], f.at), hint, "DATE_TRUNC to '%s' is not supported", short(unit))
	}
	a, err := c.lower(f.args[1])
	if err != nil {
		return term{}, err
	}
	clock := unit == unitHour || unit == unitMinute
	switch {
	case a.untyped() || !a.temporal() || a.expr.Type == Date && clock:
		return term{}, c.refuse(a.at, "use a column that is declared as a date or, for hours and minutes, as a timestamp",
			"%s has no %s: it is %s", short(c.show(a)), unit, describe(a))
	case a.expr.Type == Date && unit == unitDay:
		return a, nil
	}
	first, _ := truncated(a.from(), unit)
	last, _ := truncated(a.to(), unit)
	if a.literal() {
		text, _ := canonical(first.UnixMicro(), a.expr.Type).(string)
		return c.moment(f.at, text, a.expr.Type)
	}
	t, err := c.node(f.at, OpDateTrunc, a.expr.Type, a)
	t.expr.Text = unit
	return t.dated(first.UnixMicro(), last.UnixMicro()), err
}

// dateArithmetic makes what + and - make of dates; ok is false where neither side is one.
func (c *checker) dateArithmetic(at int32, op Op, a, b term) (t term, ok bool, err error) {
	if op == OpAdd && !a.temporal() && b.temporal() {
		a, b = b, a
	}
	switch {
	case a.untyped() || b.untyped() || !a.temporal() && !b.temporal() || op != OpAdd && op != OpSub:
		return term{}, false, nil
	case op == OpSub && (b.temporal() || b.literal() && b.expr.Type == Text):
		t, err = c.days(at, a, b)
	case a.expr.Type == Date && b.literal() && b.whole:
		n := b.integer
		if op == OpSub {
			n = -n
		}
		t, err = c.shift(at, a, n, unitDay)
	case a.expr.Type == Date && b.numeric():
		err = c.refuse(b.at, "write a constant, as in x + 30", "the days added to a date are not a constant integer")
	default:
		err = c.refuse(at, "write x + INTERVAL '1 month', x - 30, a - b of two dates, or EXTRACT(EPOCH FROM a - b) of two timestamps",
			"this arithmetic with %s is not supported", describe(a))
	}
	return t, true, err
}

// days makes the days from the date b to the date a.
func (c *checker) days(at int32, a, b term) (term, error) {
	if a.expr.Type == Timestamp || b.expr.Type == Timestamp {
		return term{}, c.refuse(at, "EXTRACT(EPOCH FROM a - b) is the seconds between them", "the difference of two timestamps is an interval, which is not supported")
	}
	both, err := c.unify(a, b)
	if err != nil {
		return term{}, err
	}
	a, b = both[0], both[1]
	if a.literal() && b.literal() {
		return numberLiteral(at, between(OpDays, a.expr.Text, b.expr.Text).(float64)), nil
	}
	t, err := c.node(at, OpDays, Number, a, b)
	if err != nil {
		return term{}, err
	}
	return c.whole(t, float64((a.earliest-b.latest)/microDay), float64((a.latest-b.earliest)/microDay))
}

// shift makes x + n units, where the unit is month, day or second. It is NULL outside the years 1 … 9999.
func (c *checker) shift(at int32, a term, n int64, unit string) (term, error) {
	if n == 0 {
		return a, nil
	}
	first, last, slack := a.from(), a.to(), int64(0)
	if unit == unitMonth && a.expr.Type == Timestamp && !a.literal() {
		// The last days of two months may fall together, so that days keep their order, but not hours.
		first, _ = truncated(first, unitDay)
		last, _ = truncated(last, unitDay)
		slack = microDay - 1
	}
	earliest, inside := shifted(first, n, unit)
	early := !inside || earliest < firstMoment || earliest > lastMoment
	latest, inside := shifted(last, n, unit)
	latest += slack
	late := !inside || latest < firstMoment || latest > lastMoment
	switch {
	case early && n > 0 || late && n < 0:
		return term{}, c.refuse(at, "add less", "%s and %d times 1 %s is outside the years 1 to 9999, and always NULL", short(c.show(a)), n, unit)
	case early:
		earliest = firstMoment
	case late:
		latest = lastMoment
	}
	if a.literal() {
		text, _ := canonical(earliest, a.expr.Type).(string)
		return c.moment(at, text, a.expr.Type)
	}
	t, err := c.node(at, OpDateAdd, a.expr.Type, a)
	t.expr.Text, t.expr.Int = unit, n
	t.nullable = a.nullable || early || late
	return t.dated(earliest, latest), err
}
