package querytest

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"

	"entrepot/privacy"
	"entrepot/sandbox/query"
)

// identity is a text that two values share where GROUP BY and DISTINCT take them for one: NULL is one
// value, and so are the two zeros.
func identity(v any) string {
	switch v := v.(type) {
	case nil:
		return "null"
	case float64:
		return "number " + strconv.FormatFloat(v+0, 'g', -1, 64)
	case int64:
		return "int " + strconv.FormatInt(v, 10)
	case bool:
		return "bool " + strconv.FormatBool(v)
	case string:
		return "text " + v
	}
	panic(fmt.Sprintf("no value: %T", v))
}

// compareValues orders two values of one type, neither of them NULL.
func compareValues(t query.Type, a, b any) int {
	switch a := a.(type) {
	case float64:
		return cmp.Compare(a, b.(float64))
	case int64:
		return cmp.Compare(a, b.(int64))
	case bool:
		return cmp.Compare(fmt.Sprint(a), fmt.Sprint(b)) // false before true
	case string:
		c := b.(string)
		if t == query.Timestamp { // 05Z is before 05.5Z
			a, c = strings.TrimSuffix(a, "Z"), strings.TrimSuffix(c, "Z")
		}
		return strings.Compare(a, c)
	}
	panic(fmt.Sprintf("no value: %T", a))
}

// inSteps converts a Number to clamped steps: ·Den/Num, multiplied first, rounded half away from zero.
func inSteps(x float64, step privacy.Step, lower, upper int64) int64 {
	scaled := x * float64(step.Den) // a statement of its own: no fused multiplication
	scaled /= float64(step.Num)
	switch rounded := math.Round(scaled); {
	case rounded < float64(lower):
		return lower
	case rounded > float64(upper):
		return upper
	default:
		return int64(rounded)
	}
}

// contains reports whether a domain lists a value; NULL never is.
func contains(domain []any, v any) bool { return v != nil && slices.Contains(domain, v) }
