package main

import (
	"encoding/json"
	"math"
	"strconv"
	"strings"
)

// grouped puts a comma between every three digits before the point of a decimal.
func grouped(s string) string {
	digits := strings.TrimPrefix(s, "-")
	sign := s[:len(s)-len(digits)]
	whole, rest := digits, ""
	if i := strings.IndexAny(digits, ".eE"); i >= 0 {
		whole, rest = digits[:i], digits[i:]
	}
	if strings.Trim(whole, "0123456789") != "" {
		return s // Inf, NaN
	}
	for i := len(whole) - 3; i > 0; i -= 3 {
		whole = whole[:i] + "," + whole[i:]
	}
	return sign + whole + rest
}

func groupedInt(n int64) string { return grouped(strconv.FormatInt(n, 10)) }

// Limits of plain notation: a number that is larger is written with an exponent, and no more decimals
// are ever shown.
const (
	largestPlain = 1e15
	mostDecimals = 9
)

// decimalsFor is how many decimals show an error of this size with two digits.
func decimalsFor(halfWidth float64) int {
	if !(halfWidth > 0) || math.IsInf(halfWidth, 0) {
		return 0
	}
	return min(mostDecimals, max(0, 1-int(math.Floor(math.Log10(halfWidth)))))
}

// fixed writes v with that many decimals.
func fixed(v float64, decimals int) string {
	if math.Abs(v) >= largestPlain {
		return strconv.FormatFloat(v, 'g', 6, 64)
	}
	return grouped(strconv.FormatFloat(v, 'f', decimals, 64))
}

// short writes v with up to six digits.
func short(v float64) string { return grouped(strconv.FormatFloat(v, 'g', 6, 64)) }

// numberOf reads a JSON number; false for anything else.
func numberOf(v any) (float64, bool) {
	n, ok := v.(json.Number)
	if !ok {
		return 0, false
	}
	f, err := n.Float64()
	return f, err == nil
}

// bytesText writes a size for people.
func bytesText(n int64) string {
	units := []string{"B", "kB", "MB", "GB", "TB"}
	f, i := float64(n), 0
	for f >= 1000 && i < len(units)-1 {
		f, i = f/1000, i+1
	}
	if i == 0 {
		return strconv.FormatInt(n, 10) + " B"
	}
	return strconv.FormatFloat(f, 'f', 1, 64) + " " + units[i]
}
