package query

import (
	"cmp"
	"strconv"
	"strings"
	"unicode/utf8"
)

// ofText evaluates what is made of one text, date or timestamp.
func ofText(e Expr, s string) any {
	switch e.Op {
	case OpLike:
		return matches(s, e.Text)
	case OpLower:
		return lowerASCII(s)
	case OpUpper:
		return upperASCII(s)
	case OpTrim:
		return strings.Trim(s, " ")
	case OpLength:
		return float64(utf8.RuneCountInString(s))
	case OpParseNumber:
		if x, ok := parseNumber(s); ok {
			return x
		}
		return nil
	case OpParseDate:
		if _, ok := moment(s); ok && len(s) == len(dateForm) {
			return s
		}
		return nil
	}
	return ofMoment(e, s)
}

// ofMoment evaluates what is made of one date or timestamp.
func ofMoment(e Expr, s string) any {
	t, ok := moment(s)
	if !ok || e.Type == Date && (e.Text == unitHour || e.Text == unitMinute || e.Text == unitSecond) {
		return nil
	}
	switch e.Op {
	case OpToDate, OpToTime:
		if e.Op == OpToDate {
			t, _ = truncated(t, unitDay)
		}
		return canonical(t.UnixMicro(), e.Type)
	case OpDateTrunc:
		if t, ok = truncated(t, e.Text); !ok {
			return nil
		}
		return canonical(t.UnixMicro(), e.Type)
	case OpDateAdd:
		micros, ok := shifted(t, e.Int, e.Text)
		if !ok {
			return nil
		}
		return canonical(micros, e.Type)
	}
	return part(e.Op, t)
}

// between is the time from b to a: whole days of two Dates, or seconds of two Timestamps, which are
// float64(microseconds)/1e6.
func between(op Op, a, b string) any {
	x, ok1 := moment(a)
	y, ok2 := moment(b)
	if !ok1 || !ok2 {
		return nil
	}
	micros := x.UnixMicro() - y.UnixMicro()
	if op == OpDays {
		return float64(micros / microDay)
	}
	return float64(micros) / microSecond
}

// mostDigits is how many digits a number in text may have: so many are exact in a Number.
const mostDigits = 15

// parseNumber reads [-]digits[.digits].
func parseNumber(s string) (float64, bool) {
	whole, fraction, point := strings.Cut(strings.TrimPrefix(s, "-"), ".")
	if whole == "" || point && fraction == "" || len(whole)+len(fraction) > mostDigits {
		return 0, false
	}
	for _, c := range []byte(whole + fraction) {
		if c < '0' || c > '9' {
			return 0, false
		}
	}
	x, err := strconv.ParseFloat(s, 64)
	return x + 0, err == nil // −0 is 0
}

// matches is LIKE: % stands for any code points, _ for one. On a mismatch only the last % is tried
// again, one code point further, so the time is at most the product of the lengths.
func matches(s, pattern string) bool {
	text, p := []rune(s), []rune(pattern)
	i, j, star, mark := 0, 0, -1, 0
	for i < len(text) {
		switch {
		case j < len(p) && p[j] == '%':
			star, mark = j, i
			j++
		case j < len(p) && (p[j] == '_' || p[j] == text[i]):
			i, j = i+1, j+1
		case star >= 0:
			mark++
			i, j = mark, star+1
		default:
			return false
		}
	}
	return strings.Trim(string(p[j:]), "%") == ""
}

func lowerASCII(s string) string {
	return strings.Map(func(r rune) rune {
		if r >= 'A' && r <= 'Z' {
			return r + 'a' - 'A'
		}
		return r
	}, s)
}

func upperASCII(s string) string {
	return strings.Map(func(r rune) rune {
		if r >= 'a' && r <= 'z' {
			return r + 'A' - 'a'
		}
		return r
	}, s)
}

// compareValues compares two values of one type, neither NULL. It reports false for others.
func compareValues(a, b any, timestamp bool) (int, bool) {
	switch x := a.(type) {
	case float64:
		if y, ok := b.(float64); ok {
			return cmp.Compare(x, y), true
		}
	case int64:
		if y, ok := b.(int64); ok {
			return cmp.Compare(x, y), true
		}
	case string:
		y, ok := b.(string)
		if timestamp { // 05Z is before 05.5Z
			x, y = strings.TrimSuffix(x, "Z"), strings.TrimSuffix(y, "Z")
		}
		return strings.Compare(x, y), ok // by code point: the order of UTF-8 bytes
	case bool:
		if y, ok := b.(bool); ok {
			return cmp.Compare(truthValue(x), truthValue(y)), true
		}
	}
	return 0, false
}

func truthValue(b bool) int {
	if b {
		return 1
	}
	return 0
}
