package datasets

import "time"

// Days and microseconds since 1970-01-01 UTC of the first and last moments of years 1 … 9999.
// Nothing outside them is stored: engines and languages disagree there.
const (
	minDay   = -719_162
	maxDay   = 2_932_896
	dayMicro = 24 * 60 * 60 * 1_000_000
	minMicro = minDay * dayMicro
	maxMicro = (maxDay+1)*dayMicro - 1
)

const dateLayout = "2006-01-02"

// instantLayouts are the timestamps read from text: ISO 8601 with a T or a space. Without a zone
// the time is taken as UTC. Fractions of a second may follow the seconds.
var instantLayouts = []string{
	"2006-01-02T15:04:05Z07:00", "2006-01-02T15:04:05", "2006-01-02T15:04Z07:00", "2006-01-02T15:04", dateLayout,
}

// parseDate reads YYYY-MM-DD as days since 1970.
func parseDate(s string) (int64, bool) {
	if len(s) != len(dateLayout) {
		return 0, false
	}
	t, err := time.Parse(dateLayout, s)
	if err != nil {
		return 0, false
	}
	return dayOf(t.Unix() * 1_000_000)
}

// parseInstant reads a timestamp as microseconds since 1970 UTC; finer digits are cut off.
func parseInstant(s string) (int64, bool) {
	if len(s) > len(dateLayout) && s[len(dateLayout)] == ' ' {
		s = s[:len(dateLayout)] + "T" + s[len(dateLayout)+1:]
	}
	for _, layout := range instantLayouts {
		if t, err := time.Parse(layout, s); err == nil {
			return inYears(t.UnixMicro())
		}
	}
	return 0, false
}

func inYears(micros int64) (int64, bool) {
	return micros, micros >= minMicro && micros <= maxMicro
}

// dayOf is the UTC day of an instant.
func dayOf(micros int64) (int64, bool) {
	return floorDivide(micros, dayMicro), micros >= minMicro && micros <= maxMicro
}

func floorDivide(a, b int64) int64 {
	q := a / b
	if a%b < 0 {
		q--
	}
	return q
}

func formatDate(days int64) string {
	return time.Unix(days*(dayMicro/1_000_000), 0).UTC().Format(dateLayout)
}

// formatInstant writes RFC 3339 in UTC, with microseconds only where they are not zero.
func formatInstant(micros int64) string {
	t := time.UnixMicro(micros).UTC()
	if micros%1_000_000 == 0 {
		return t.Format("2006-01-02T15:04:05Z")
	}
	return t.Format("2006-01-02T15:04:05.000000Z")
}
