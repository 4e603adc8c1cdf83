package query

import (
	"strconv"
	"strings"

	pg "github.com/pganalyze/pg_query_go/v6"
)

// interval is a constant length of time: the months are added first, then the days, then the seconds.
type interval struct{ months, days, seconds int64 }

// isInterval tells whether a node is INTERVAL '…'.
func isInterval(n *pg.Node) bool {
	return typeName(n.GetTypeCast().GetTypeName()) == "interval"
}

// typeName is the last part of a type's name, or "".
func typeName(n *pg.TypeName) string {
	names := n.GetNames()
	if len(names) == 0 {
		return ""
	}
	return word(names[len(names)-1])
}

const hintInterval = "write INTERVAL '3 months' or INTERVAL '1 day 12 hours': whole numbers of years, months, weeks, days, hours, minutes or seconds"

// interval reads INTERVAL '1 year 2 months' and INTERVAL '3' MONTH.
func (c *checker) interval(n *pg.TypeCast) (interval, error) {
	at := locate(n.GetArg(), n.GetLocation())
	text := strings.ToLower(n.GetArg().GetAConst().GetSval().GetSval())
	refused := c.refuse(at, hintInterval, "the interval '%s' is not supported", short(text))
	words := strings.Fields(text)
	if mods := n.GetTypeName().GetTypmods(); len(mods) > 0 {
		unit := unitOf(mods[0].GetAConst().GetIval().GetIval())
		if len(mods) > 1 || len(words) != 1 || unit == "" {
			return interval{}, refused
		}
		words = append(words, unit)
	}
	if len(words) == 0 || len(words)%2 != 0 {
		return interval{}, refused
	}
	var v interval
	for i := 0; i < len(words); i += 2 {
		count, err := strconv.ParseInt(words[i], 10, 32)
		if err != nil || !v.add(count, words[i+1]) {
			return interval{}, refused
		}
	}
	return v, nil
}

// unitOf is the unit that PostgreSQL's interval field mask stands for; "" for a range of fields.
func unitOf(mask int32) string {
	switch mask {
	case 1 << 2:
		return unitYear
	case 1 << 1:
		return unitMonth
	case 1 << 3:
		return unitDay
	case 1 << 10:
		return unitHour
	case 1 << 11:
		return unitMinute
	case 1 << 12:
		return unitSecond
	}
	return ""
}

// add adds so many of a unit.
func (v *interval) add(count int64, unit string) bool {
	switch strings.TrimSuffix(unit, "s") {
	case unitYear, "yr":
		v.months += 12 * count
	case unitQuarter:
		v.months += 3 * count
	case unitMonth, "mon":
		v.months += count
	case unitWeek:
		v.days += 7 * count
	case unitDay:
		v.days += count
	case unitHour, "hr":
		v.seconds += 3600 * count
	case unitMinute, "min":
		v.seconds += 60 * count
	case unitSecond, "sec":
		v.seconds += count
	default:
		return false
	}
	return true
}

// moved lowers x + INTERVAL '…', INTERVAL '…' + x and x - INTERVAL '…'. A Date stays one, unless hours,
// minutes or seconds are added, which make it a Timestamp. ok is false where no side is an interval.
func (c *checker) moved(n *pg.A_Expr, name string, at int32) (t term, ok bool, err error) {
	value, by := n.GetLexpr(), n.GetRexpr()
	if name == "+" && isInterval(value) {
		value, by = by, value
	}
	if !isInterval(by) || name != "+" && name != "-" {
		return term{}, false, nil
	}
	v, err := c.interval(by.GetTypeCast())
	if err != nil {
		return term{}, true, err
	}
	if name == "-" {
		v = interval{-v.months, -v.days, -v.seconds}
	}
	if t, err = c.lower(value); err != nil {
		return term{}, true, err
	}
	if t.untyped() || !t.temporal() {
		return term{}, true, c.refuse(t.at, "add intervals to dates and timestamps", "%s is %s, and an interval is added to it", short(c.show(t)), describe(t))
	}
	t, err = c.later(at, t, v)
	return t, true, err
}

// later adds an interval part by part, as PostgreSQL does.
func (c *checker) later(at int32, t term, v interval) (term, error) {
	var err error
	if v.seconds != 0 {
		if t, err = c.asTimestamp(t); err != nil {
			return term{}, err
		}
	}
	for _, part := range []struct {
		n    int64
		unit string
	}{{v.months, unitMonth}, {v.days, unitDay}, {v.seconds, unitSecond}} {
		if t, err = c.shift(at, t, part.n, part.unit); err != nil {
			return term{}, err
		}
	}
	return t, nil
}
