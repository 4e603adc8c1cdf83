package query

import (
	"cmp"
	"strings"
	"time"
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
	}
	t, err := time.Parse(dateForm, s)
	if err != nil {
		if t, err = time.Parse(time.RFC3339Nano, s); err != nil {
			return nil
		}
	}
	t = t.UTC()
	switch e.Op {
	case OpYear:
		return float64(t.Year())
	case OpQuarter:
		return float64((int(t.Month()) + 2) / 3)
	case OpMonth:
		return float64(t.Month())
	case OpDay:
		return float64(t.Day())
	case OpHour:
		return float64(t.Hour())
	case OpMinute:
		return float64(t.Minute())
	case OpDow:
		return float64(t.Weekday())
	}
	return nil
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
