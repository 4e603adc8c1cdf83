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

// Renyi is a Rényi divergence d, in pico-nats, at one order: Renyi(1e12) is d = 1.
type Renyi int64

// Rho is a loss ρ of zero-concentrated DP in pico-ρ: Rho(1e12) is ρ = 1. A ρ-zCDP release has Rényi
// divergence at most α·ρ at every order α.
type Rho int64

// Order is a Rényi order α > 1 in thousandths: Order(23_256) is α = 23.256.
type Order int64

// Share is a part of a whole in millionths: Share(250_000) is a quarter.
type Share int64

// One of each amount, and the largest an account or a question may name.
const (
	OneEpsilon Epsilon = 1e12
	OneDelta   Delta   = 1e18
	OneRenyi   Renyi   = 1e12
	OneRho     Rho     = 1e12
	OneShare   Share   = 1e6

	MaxLifetimeEpsilon Epsilon = 1000 * OneEpsilon
	MaxRho             Rho     = 1000 * OneRho
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

// ParseRho reads a decimal like ParseEpsilon, up to MaxRho.
func ParseRho(s string) (Rho, error) {
	n, err := parseScaled(s, 12, int64(MaxRho))
	return Rho(n), err
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
func (r Rho) String() string { return formatScaled(int64(r), 12) }

// String writes the exact decimal.
func (o Order) String() string { return formatScaled(int64(o), 3) }

// String writes the exact decimal.
func (s Share) String() string { return formatScaled(int64(s), 6) }

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

// MarshalText writes the exact decimal, so that JSON carries amounts as strings.
func (e Epsilon) MarshalText() ([]byte, error) { return []byte(e.String()), nil }

// MarshalText writes the exact decimal.
func (d Delta) MarshalText() ([]byte, error) { return []byte(d.String()), nil }

// MarshalText writes the exact decimal.
func (d Renyi) MarshalText() ([]byte, error) { return []byte(d.String()), nil }

// MarshalText writes the exact decimal.
func (r Rho) MarshalText() ([]byte, error) { return []byte(r.String()), nil }

// MarshalText writes the exact decimal.
func (o Order) MarshalText() ([]byte, error) { return []byte(o.String()), nil }

// MarshalText writes the exact decimal.
func (s Share) MarshalText() ([]byte, error) { return []byte(s.String()), nil }

// UnmarshalText reads a decimal from 0 to 1.
func (s *Share) UnmarshalText(b []byte) error {
	n, err := parseScaled(string(b), 6, int64(OneShare))
	*s = Share(n)
	return err
}

// UnmarshalText reads what MarshalText writes: any amount that a clock can stand at. What a person
// asks for goes through ParseEpsilon.
func (e *Epsilon) UnmarshalText(b []byte) error {
	n, err := parseClock(string(b), 12)
	*e = Epsilon(n)
	return err
}

// UnmarshalText reads what MarshalText writes.
func (d *Delta) UnmarshalText(b []byte) error {
	n, err := parseClock(string(b), 18)
	*d = Delta(n)
	return err
}

// UnmarshalText reads what MarshalText writes.
func (d *Renyi) UnmarshalText(b []byte) error {
	n, err := parseClock(string(b), 12)
	*d = Renyi(n)
	return err
}

// UnmarshalText reads what MarshalText writes.
func (r *Rho) UnmarshalText(b []byte) error {
	n, err := parseClock(string(b), 12)
	*r = Rho(n)
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
