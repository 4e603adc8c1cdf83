package engine

import (
	"fmt"
	"math"
	"regexp"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"
)

// quote writes s as a SQL string. DuckDB's plain strings know one escape: a doubled quote.
func quote(s string) string { return "'" + strings.ReplaceAll(s, "'", "''") + "'" }

// ident writes s as a quoted identifier.
func ident(s string) string { return `"` + strings.ReplaceAll(s, `"`, `""`) + `"` }

// text writes s as a string literal of a question. NUL would end the statement inside the driver,
// and the parser refuses what is not UTF-8.
func text(s string) (string, error) {
	if strings.ContainsRune(s, 0) || !utf8.ValidString(s) {
		return "", fmt.Errorf("%w: a text literal has NUL or is not UTF-8", ErrPlan)
	}
	return quote(s), nil
}

// number writes f so that it is read back to the same bits.
func number(f float64) (string, error) {
	if math.IsNaN(f) || math.IsInf(f, 0) {
		return "", fmt.Errorf("%w: a number is not finite", ErrPlan)
	}
	return "(" + strconv.FormatFloat(f, 'e', -1, 64) + ")", nil // with an exponent it is a DOUBLE
}

// integer writes i as a BIGINT, the smallest one included.
func integer(i int64) string { return "(" + quote(strconv.FormatInt(i, 10)) + "::INT8)" }

// numbers are the literals that number and integer write. Each says its own type.
var numbers = regexp.MustCompile(`\((-?[0-9](\.[0-9]+)?e[+-][0-9]+|'-?[0-9]+'::INT8)\)`)

// withoutNumbers returns SQL with one number of its type in the place of each.
func withoutNumbers(sql string) string {
	return numbers.ReplaceAllStringFunc(sql, func(literal string) string {
		if strings.HasSuffix(literal, "::INT8)") {
			return integer(0)
		}
		return "(0e+00)"
	})
}

// boolean writes b.
func boolean(b bool) string {
	if b {
		return "TRUE"
	}
	return "FALSE"
}

// Layouts of dates and timestamps (UTC) as text in plans and keys.
const (
	dateLayout   = time.DateOnly
	secondLayout = "2006-01-02T15:04:05Z"
	microLayout  = "2006-01-02T15:04:05.000000Z" // where microseconds are not zero
)

// date writes an ISO 8601 date.
func date(s string) (string, error) {
	t, err := time.Parse(dateLayout, s)
	if err != nil {
		return "", fmt.Errorf("%w: %q is not a date", ErrPlan, s)
	}
	return "DATE " + quote(t.Format(dateLayout)), nil
}

// timestamp writes an RFC 3339 timestamp, to the microsecond.
func timestamp(s string) (string, error) {
	t, err := time.Parse(time.RFC3339Nano, s)
	if err != nil {
		return "", fmt.Errorf("%w: %q is not a timestamp", ErrPlan, s)
	}
	return "TIMESTAMP " + quote(t.UTC().Format("2006-01-02 15:04:05.000000")), nil
}
