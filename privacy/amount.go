package privacy

import (
	"errors"
	"fmt"
	"math"
	"math/big"
	"strconv"
	"strings"
)

// Epsilon is a pure privacy loss ε in pico-ε: Epsilon(1e12) is ε = 1.
type Epsilon int64

// Delta is a failure probability δ in atto-δ: Delta(1e18) is δ = 1.
type Delta int64

// Renyi is a Rényi divergence d, in pico-nats, at an order that its owner (an
// account) fixes once: Renyi(1e12) is d = 1.
type Renyi int64

// Order is a Rényi order α > 1 in thousandths: Order(23_256) is α = 23.256.
type Order int64

// One of each amount, and the largest an account or a question may name.
const (
	OneEpsilon Epsilon = 1e12
	OneDelta   Delta   = 1e18
	OneRenyi   Renyi   = 1e12

	MaxLifetimeEpsilon Epsilon = 1000 * OneEpsilon
	MaxOrder           Order   = 1_000_000
)

// ErrAmount is returned for text that is not an amount. Show its message to the
// caller: it says what to write.
var ErrAmount = errors.New("not an amount")

// ParseEpsilon reads a non-negative decimal such as "0.5" or "1e-3" exactly.
// It refuses signs, NaN, infinities, anything finer than 1e-12 or above MaxLifetimeEpsilon.
func ParseEpsilon(s string) (Epsilon, error) {
	n, err := parseScaled(s, 12, int64(MaxLifetimeEpsilon))
	return Epsilon(n), err
}

// ParseDelta reads a decimal in [0, 1] exactly; it refuses anything finer than 1e-18.
func ParseDelta(s string) (Delta, error) {
	n, err := parseScaled(s, 18, int64(OneDelta))
	return Delta(n), err
}

// parseScaled reads a decimal as an integer of 10^-digits. Text is at most 40 bytes with an
// exponent of at most two digits, so that exact arithmetic on it stays small.
func parseScaled(s string, digits int, limit int64) (int64, error) {
	if !decimalSyntax(s) {
		return 0, fmt.Errorf("%w: %.40q is not a decimal number such as 0.5 or 1e-6", ErrAmount, s)
	}
	r, ok := new(big.Rat).SetString(s)
	if !ok {
		return 0, fmt.Errorf("%w: %.40q is not a decimal number such as 0.5 or 1e-6", ErrAmount, s)
	}
	r.Mul(r, new(big.Rat).SetInt(new(big.Int).Exp(big.NewInt(10), big.NewInt(int64(digits)), nil)))
	if !r.IsInt() {
		return 0, fmt.Errorf("%w: %s is finer than 1e-%d", ErrAmount, s, digits)
	}
	if !r.Num().IsInt64() || r.Num().Int64() > limit {
		return 0, fmt.Errorf("%w: %s is more than the largest allowed, %s", ErrAmount, s, formatScaled(limit, digits))
	}
	return r.Num().Int64(), nil
}

// decimalSyntax reports whether s is digits[.digits][e[±]d[d]]. ParseFloat's hex, underscores,
// signs and words ("inf") are not amounts.
func decimalSyntax(s string) bool {
	if s == "" || len(s) > 40 {
		return false
	}
	mantissa, exponent, hasExponent := s, "", false
	if i := strings.IndexAny(s, "eE"); i >= 0 {
		mantissa, exponent, hasExponent = s[:i], s[i+1:], true
	}
	whole, fraction, hasPoint := strings.Cut(mantissa, ".")
	if !allDigits(whole) || (hasPoint && !allDigits(fraction)) {
		return false
	}
	if !hasExponent {
		return true
	}
	exponent = strings.TrimLeft(exponent, "+-")
	return allDigits(exponent) && len(exponent) <= 2 && strings.Count(s, "+")+strings.Count(s, "-") <= 1
}

func allDigits(s string) bool {
	return s != "" && strings.Trim(s, "0123456789") == ""
}

// String writes the exact decimal.
func (e Epsilon) String() string { return formatScaled(int64(e), 12) }

// String writes the exact decimal.
func (d Delta) String() string { return formatScaled(int64(d), 18) }

// String writes the exact decimal.
func (d Renyi) String() string { return formatScaled(int64(d), 12) }

// String writes the exact decimal.
func (o Order) String() string { return formatScaled(int64(o), 3) }

// formatScaled writes n·10^-digits without trailing zeros, with an exponent when it is shorter.
func formatScaled(n int64, digits int) string {
	if n == math.MaxInt64 {
		return "inf"
	}
	r := new(big.Rat).SetFrac(big.NewInt(n), new(big.Int).Exp(big.NewInt(10), big.NewInt(int64(digits)), nil))
	s := r.FloatString(digits)
	if strings.Contains(s, ".") {
		s = strings.TrimRight(strings.TrimRight(s, "0"), ".")
	}
	if strings.HasPrefix(s, "0.0000") {
		f := strings.TrimLeft(s[2:], "0")
		exponent := len(s) - 2 - len(f) + 1
		head := f[:1]
		if len(f) > 1 {
			head += "." + f[1:]
		}
		return head + "e-" + strconv.Itoa(exponent)
	}
	return s
}

// FloorFloat is the largest float64 not above ε: noise drawn for it is never too small.
func (e Epsilon) FloorFloat() float64 { return floorQuotient(int64(e), 1e12) }

// FloorFloat is the largest float64 not above δ.
func (d Delta) FloorFloat() float64 { return floorQuotient(int64(d), 1e18) }

// Float is α, exact to the nearest float64.
func (o Order) Float() float64 { return float64(o) / 1000 }

// floorQuotient rounds once, from the exact fraction: dividing floats could be two steps too high.
func floorQuotient(n, unit int64) float64 {
	exact := new(big.Rat).SetFrac64(n, unit)
	f, _ := exact.Float64() // nearest
	if new(big.Rat).SetFloat64(f).Cmp(exact) > 0 {
		return math.Nextafter(f, math.Inf(-1))
	}
	return f
}

// CeilRenyi converts nats to pico-nats, upward and exactly; NaN, negative and huge values saturate
// at the largest amount, which no account can bear.
func CeilRenyi(d float64) Renyi {
	if !(d >= 0 && d < math.MaxInt64/1e12) {
		return math.MaxInt64
	}
	quotient, remainder := picos(d)
	if remainder.Sign() > 0 {
		quotient.Add(quotient, big.NewInt(1))
	}
	if !quotient.IsInt64() {
		return math.MaxInt64
	}
	return Renyi(quotient.Int64())
}

// FloorRenyi converts nats to pico-nats, downward and exactly; NaN and negative values give 0, huge
// values the largest amount.
func FloorRenyi(d float64) Renyi {
	if !(d > 0) {
		return 0
	}
	if d >= math.MaxInt64/1e12 {
		return math.MaxInt64
	}
	quotient, _ := picos(d)
	if !quotient.IsInt64() {
		return math.MaxInt64
	}
	return Renyi(quotient.Int64())
}

// picos is d·1e12 as an integer and a remainder. A float64 is a fraction, so nothing is rounded on
// the way: d·1e12 in floating point could fall on the wrong side of an integer.
func picos(d float64) (quotient, remainder *big.Int) {
	r := new(big.Rat).SetFloat64(d)
	r.Mul(r, new(big.Rat).SetInt64(1e12))
	return new(big.Int).QuoRem(r.Num(), r.Denom(), new(big.Int))
}

// MarshalText writes the exact decimal, so that JSON carries amounts as strings.
func (e Epsilon) MarshalText() ([]byte, error) { return []byte(e.String()), nil }

// MarshalText writes the exact decimal.
func (d Delta) MarshalText() ([]byte, error) { return []byte(d.String()), nil }

// MarshalText writes the exact decimal.
func (d Renyi) MarshalText() ([]byte, error) { return []byte(d.String()), nil }

// MarshalText writes the exact decimal.
func (o Order) MarshalText() ([]byte, error) { return []byte(o.String()), nil }

// UnmarshalText reads what MarshalText writes: any amount that a clock can stand at. What a person
// asks for goes through ParseEpsilon.
func (e *Epsilon) UnmarshalText(b []byte) error {
	n, err := parseClock(string(b), 12)
	*e = Epsilon(n)
	return err
}

// UnmarshalText reads what MarshalText writes.
func (d *Delta) UnmarshalText(b []byte) (err error) { *d, err = ParseDelta(string(b)); return }

// UnmarshalText reads what MarshalText writes.
func (d *Renyi) UnmarshalText(b []byte) error {
	n, err := parseClock(string(b), 12)
	*d = Renyi(n)
	return err
}

// parseClock reads an amount up to the largest, at which clocks stop and which no account can bear: "inf".
func parseClock(s string, digits int) (int64, error) {
	if s == "inf" {
		return math.MaxInt64, nil
	}
	return parseScaled(s, digits, math.MaxInt64)
}

// UnmarshalText reads what MarshalText writes.
func (o *Order) UnmarshalText(b []byte) error {
	n, err := parseScaled(string(b), 3, int64(MaxOrder))
	*o = Order(n)
	return err
}
