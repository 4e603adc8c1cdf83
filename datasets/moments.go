package datasets

// Moments returns the declared bounds of a date or timestamp key, in the canonical form of domain
// values (see Column.DomainValues). ok is false for columns that have none and for those that Validate
// refuses.
func (c Column) Moments() (earliest, latest string, ok bool) {
	low, high, ok := c.moments()
	if !ok {
		return "", "", false
	}
	return c.formatMoment(low), c.formatMoment(high), true
}

// moments is Moments as stored: days or microseconds since 1970.
func (c Column) moments() (low, high int64, ok bool) {
	if c.Role != Key || !c.temporal() || c.Domain != nil {
		return 0, 0, false
	}
	low, lowOK := c.parseMoment(c.Earliest)
	high, highOK := c.parseMoment(c.Latest)
	return low, high, lowOK && highOK && low < high
}

// parseMoment reads one bound. A bare day is no bound of a timestamp: as the latest moment it would
// be midnight, and clamp all of the day that its author meant to include.
func (c Column) parseMoment(s string) (int64, bool) {
	switch {
	case c.Type == Date:
		return parseDate(s)
	case len(s) == len(dateLayout):
		return 0, false
	}
	return parseInstant(s)
}

func (c Column) formatMoment(v int64) string {
	if c.Type == Date {
		return formatDate(v)
	}
	return formatInstant(v)
}

// checkMoments says why moments would refuse a key that declares earliest or latest.
func (c Column) checkMoments(p *columnProblems) {
	switch {
	case !c.temporal():
		c.timeless(p)
		return
	case c.Earliest == "" && c.Latest == "":
		return
	case c.Earliest == "" || c.Latest == "":
		p.add("only one of earliest and latest is given; give both, or neither")
		return
	case c.Domain != nil:
		p.add("earliest and latest do not go with a domain: values outside a domain are not counted, but clamped into it they would be; remove one of the two")
	}
	low, lowOK := c.checkMoment(p, "earliest", c.Earliest)
	high, highOK := c.checkMoment(p, "latest", c.Latest)
	if lowOK && highOK && low >= high {
		p.add("earliest %s is not before latest %s", c.formatMoment(low), c.formatMoment(high))
	}
}

func (c Column) checkMoment(p *columnProblems, what, s string) (int64, bool) {
	v, ok := c.parseMoment(s)
	switch {
	case ok:
	case c.Type == Date:
		p.add("%s %q is not a date; write it as text such as \"2026-01-31\"", what, shorten(s))
	default:
		p.add("%s %q is not a moment; write it with its time, as text such as \"2026-01-31T23:59:59Z\"", what, shorten(s))
	}
	return v, ok
}

// timeless refuses earliest and latest where they have no meaning.
func (c Column) timeless(p *columnProblems) {
	switch {
	case c.Earliest == "" && c.Latest == "":
	case c.Type == Int64 || c.Type == Float64:
		p.add("earliest and latest are for date and timestamp keys; write lower and upper")
	default:
		p.add("earliest and latest are for date and timestamp keys; remove them")
	}
}

func (c Column) temporal() bool { return c.Type == Date || c.Type == Timestamp }
