package datasets

import (
	"math"
	"math/big"
	"strconv"
	"unicode/utf8"
)

// value is one cell as a reader hands it over, before anything is known about its column. Its text
// may alias the reader's memory and is good until the next batch.
type value struct {
	kind     valueKind
	narrow   bool    // real: it was a float32 or float16
	real     float64 // real
	whole    int64   // whole, truth (0, 1), day (since 1970), instant (µs since 1970, UTC)
	exponent int     // whole, large: the value is whole·10^exponent
	large    *big.Int
	text     string
}

type valueKind uint8

const (
	missing  valueKind = iota // NULL
	unusable                  // a value that has no meaning here, such as a time beyond int64 microseconds
	whole
	large
	real
	truth
	day
	instant
	textual
)

// isNull says whether the cell has no value at all.
func (v *value) isNull() bool { return v.kind == missing }

// number returns the exact number that the cell stands for. A binary float stands for the shortest
// decimal that reads back as it, so that 0.15 means the same in Parquet and in CSV.
func (v *value) number() (number, bool) {
	switch v.kind {
	case whole, truth:
		n := wholeNumber(v.whole)
		n.exponent = v.exponent
		return n, true
	case large:
		return bigNumber(v.large, v.exponent), true
	case real:
		if math.IsNaN(v.real) || math.IsInf(v.real, 0) {
			return number{}, false
		}
		var b [32]byte
		return parseNumber(string(strconv.AppendFloat(b[:0], v.real, 'e', -1, v.bits())))
	case textual:
		if len(v.text) <= maxText {
			return parseNumber(trimSpace(v.text))
		}
	}
	return number{}, false
}

func (v *value) bits() int {
	if v.narrow {
		return 32
	}
	return 64
}

// String writes the cell as text: what a string column stores, and what an example shows.
func (v *value) String() string {
	switch v.kind {
	case textual:
		return v.text
	case whole, large:
		if v.exponent == 0 && v.kind == whole {
			return strconv.FormatInt(v.whole, 10)
		}
		n, _ := v.number()
		return n.String()
	case real:
		return strconv.FormatFloat(v.real, 'f', -1, v.bits())
	case truth:
		return strconv.FormatBool(v.whole != 0)
	case day:
		return formatDate(v.whole)
	case instant:
		return formatInstant(v.whole)
	}
	return ""
}

// String writes a number without exponent or needless zeros. Only readers of fixed-point columns
// make numbers that are written, so the exponent is small.
func (n number) String() string {
	if n.zero() {
		return "0"
	}
	r := new(big.Rat).SetInt(n.magnitude())
	if n.exponent >= 0 {
		r.Mul(r, new(big.Rat).SetInt(power(n.exponent)))
	} else {
		r.Quo(r, new(big.Rat).SetInt(power(-n.exponent)))
	}
	if n.negative {
		r.Neg(r)
	}
	return plain(r)
}

// trimSpace removes outer ASCII white space, which no number, date or boolean contains.
func trimSpace(s string) string {
	for s != "" && isSpace(s[0]) {
		s = s[1:]
	}
	for s != "" && isSpace(s[len(s)-1]) {
		s = s[:len(s)-1]
	}
	return s
}

func isSpace(c byte) bool { return c == ' ' || c >= '\t' && c <= '\r' }

// usableText reports whether text can be stored: valid UTF-8 of at most 1,024 bytes without NUL.
func usableText(s string) bool {
	if len(s) > maxText || !utf8.ValidString(s) {
		return false
	}
	for i := range len(s) {
		if s[i] == 0 {
			return false
		}
	}
	return true
}
