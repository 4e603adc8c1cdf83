package query

import (
	"math"
	"time"
)

// Microseconds since 1970-01-01 UTC of the first and the last moment of the years 1 … 9999, in the
// proleptic Gregorian calendar, without leap seconds. Nothing outside them is a Date or a Timestamp.
const (
	firstMoment = -62_135_596_800_000_000
	lastMoment  = 253_402_300_799_999_999

	microSecond = 1_000_000
	microDay    = 24 * 60 * 60 * microSecond
)

// The units of date_trunc and of date_add.
const (
	unitYear    = "year"
	unitQuarter = "quarter"
	unitMonth   = "month"
	unitWeek    = "week"
	unitDay     = "day"
	unitHour    = "hour"
	unitMinute  = "minute"
	unitSecond  = "second"
)

// moment reads a Date or a Timestamp in its canonical form, or any fraction of a second after it.
func moment(s string) (time.Time, bool) {
	form := time.RFC3339Nano
	if len(s) == len(dateForm) {
		form = dateForm
	}
	t, err := time.Parse(form, s)
	if err != nil {
		return time.Time{}, false
	}
	t = t.UTC()
	return t, t.Year() >= 1 && t.Year() <= 9999
}

// canonical writes a moment in the canonical form of a type; nil outside the years 1 … 9999.
func canonical(micros int64, typ Type) any {
	switch {
	case micros < firstMoment || micros > lastMoment:
		return nil
	case typ == Date:
		return time.UnixMicro(micros).UTC().Format(dateForm)
	}
	return formatTimestamp(time.UnixMicro(micros).UTC())
}

// part evaluates EXTRACT.
func part(op Op, t time.Time) any {
	switch op {
	case OpYear:
		return float64(t.Year())
	case OpQuarter:
		return float64((int(t.Month()) + 2) / 3)
	case OpMonth:
		return float64(t.Month())
	case OpWeek:
		_, week := t.ISOWeek()
		return float64(week)
	case OpDay:
		return float64(t.Day())
	case OpDow:
		return float64(t.Weekday())
	case OpHour:
		return float64(t.Hour())
	case OpMinute:
		return float64(t.Minute())
	case OpSecond:
		return float64(t.Second())
	}
	return nil
}

// truncated is the first moment of the unit that t lies in; a week begins on Monday. No unit begins
// before the year 1, which began on a Monday.
func truncated(t time.Time, unit string) (time.Time, bool) {
	year, month, day := t.Date()
	switch unit {
	case unitYear:
		month, day = 1, 1
	case unitQuarter:
		month, day = (month-1)/3*3+1, 1
	case unitMonth:
		day = 1
	case unitWeek:
		day -= (int(t.Weekday()) + 6) % 7
	case unitDay:
	case unitHour:
		return time.Date(year, month, day, t.Hour(), 0, 0, 0, time.UTC), true
	case unitMinute:
		return time.Date(year, month, day, t.Hour(), t.Minute(), 0, 0, time.UTC), true
	default:
		return t, false
	}
	return time.Date(year, month, day, 0, 0, 0, 0, time.UTC), true
}

// shifted is t and n units more, in microseconds since 1970; false where that overflows. A day that its
// month does not have becomes the month's last: 31 January and one month is 28 or 29 February.
func shifted(t time.Time, n int64, unit string) (int64, bool) {
	const mostMonths = 12 * 10_000 // further is outside the years in any case
	switch unit {
	case unitYear, unitMonth:
		if n < -mostMonths || n > mostMonths {
			return 0, false
		}
		if unit == unitYear {
			n *= 12
		}
		months := int64(t.Year())*12 + int64(t.Month()) - 1 + n
		if months < 12 || months >= 12*10_000 {
			return 0, false
		}
		year, month := int(months/12), time.Month(months%12+1)
		day := min(t.Day(), time.Date(year, month+1, 0, 0, 0, 0, 0, time.UTC).Day())
		return time.Date(year, month, day, t.Hour(), t.Minute(), t.Second(), t.Nanosecond(), time.UTC).UnixMicro(), true
	}
	size := unitMicros(unit)
	if size == 0 || math.Abs(float64(n))*float64(size) > lastMoment-firstMoment {
		return 0, false
	}
	return t.UnixMicro() + n*size, true
}

// unitMicros is the length of a unit that has one; 0 for others.
func unitMicros(unit string) int64 {
	switch unit {
	case unitWeek:
		return 7 * microDay
	case unitDay:
		return microDay
	case unitHour:
		return microDay / 24
	case unitMinute:
		return 60 * microSecond
	case unitSecond:
		return microSecond
	}
	return 0
}
