package datasets

import (
	"encoding/json"
	"fmt"
	"math/big"
	"strings"

	"gopkg.in/yaml.v3"
)

// Decimal is an exact decimal number, such as a bound or a resolution. The zero Decimal is absent,
// which is not the number 0. Decimals of equal value are equal under ==.
//
// In JSON it is written as a string and read from a string or a number, digit by digit: no binary
// float is ever between the text and the value.
type Decimal struct{ text string } // canonical: -?digits[.digits], no needless zeros, never -0

// Limits of a Decimal.
const (
	maxDecimalText  = 64 // bytes, as written
	maxDecimalPlace = 30 // digits after the point, and zeros that an exponent may add before it
)

// ParseDecimal reads decimal text such as -12.50 or 1e-3. It refuses NaN, infinities, leading
// zeros, and what is longer than 64 bytes or finer than 30 decimal places.
func ParseDecimal(s string) (Decimal, error) {
	if len(s) > maxDecimalText {
		return Decimal{}, fmt.Errorf("a number has at most %d characters, this one has %d", maxDecimalText, len(s))
	}
	n, ok := parseNumber(s)
	if !ok {
		return Decimal{}, fmt.Errorf("%q is not a decimal number; write digits such as 12 or -0.5", s)
	}
	if d := strings.TrimLeft(s, "+-"); len(d) > 1 && d[0] == '0' && d[1] >= '0' && d[1] <= '9' {
		return Decimal{}, fmt.Errorf("%q begins with a zero; write it without", s)
	}
	if n.zero() {
		return Decimal{"0"}, nil
	}
	if n.exponent < -maxDecimalPlace || n.exponent > maxDecimalPlace {
		return Decimal{}, fmt.Errorf("%q is out of range: at most %d decimal places, at most e%d", s, maxDecimalPlace, maxDecimalPlace)
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
	return Decimal{plain(r)}, nil
}

// plain writes a rational that has a finite decimal expansion without exponent or needless zeros.
func plain(r *big.Rat) string {
	s := r.FloatString(2 * maxDecimalText)
	return strings.TrimSuffix(strings.TrimRight(s, "0"), ".")
}

// IsZero reports whether the decimal is absent. The number 0 is not.
func (d Decimal) IsZero() bool { return d.text == "" }

// String returns canonical decimal text, empty when absent.
func (d Decimal) String() string { return d.text }

// Rat returns the exact value, 0 when absent.
func (d Decimal) Rat() *big.Rat {
	r, ok := new(big.Rat).SetString(d.text)
	if !ok {
		return new(big.Rat)
	}
	return r
}

// Equal reports whether both are absent or both have the same value.
func (d Decimal) Equal(e Decimal) bool { return d == e }

// MarshalJSON writes a string, or null when absent.
func (d Decimal) MarshalJSON() ([]byte, error) {
	if d.IsZero() {
		return []byte("null"), nil
	}
	return json.Marshal(d.text)
}

// UnmarshalJSON reads a string or a number; null is absent.
func (d *Decimal) UnmarshalJSON(b []byte) error {
	text := string(b)
	if text == "null" {
		*d = Decimal{}
		return nil
	}
	if len(b) > 0 && b[0] == '"' {
		if err := json.Unmarshal(b, &text); err != nil {
			return err
		}
	}
	v, err := ParseDecimal(text)
	if err != nil {
		return err
	}
	*d = v
	return nil
}

// MarshalYAML writes a string.
func (d Decimal) MarshalYAML() (any, error) { return d.text, nil }

// UnmarshalYAML reads a scalar as it is written.
func (d *Decimal) UnmarshalYAML(n *yaml.Node) error {
	if n.Kind != yaml.ScalarNode {
		return fmt.Errorf("line %d: a number is wanted here", n.Line)
	}
	v, err := ParseDecimal(n.Value)
	if err != nil {
		return fmt.Errorf("line %d: %w", n.Line, err)
	}
	*d = v
	return nil
}
