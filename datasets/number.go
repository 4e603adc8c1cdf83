package datasets

import (
	"math/big"
	"math/bits"
	"strings"
)

// number is an exact decimal: ± mantissa · 10^exponent. The mantissa is small, or large where it
// does not fit 64 bits. Numbers are never held as binary floats: 0.1 is a tenth.
type number struct {
	negative bool
	small    uint64
	large    *big.Int // magnitude; nil when small holds it
	exponent int
}

// maxExponent bounds how far an exponent is believed. Everything beyond is larger than any bound
// or smaller than any resolution a declaration can have, so the exact value no longer matters.
const maxExponent = 100_000

// parseNumber reads [+-]digits[.digits][e[+-]digits]. Infinities, NaN, hexadecimal, thousands
// separators and empty text are not numbers.
func parseNumber(s string) (number, bool) {
	var n number
	if s != "" && (s[0] == '+' || s[0] == '-') {
		n.negative, s = s[0] == '-', s[1:]
	}
	if i := strings.IndexAny(s, "eE"); i >= 0 {
		e, ok := parseExponent(s[i+1:])
		if !ok {
			return number{}, false
		}
		n.exponent, s = e, s[:i]
	}
	whole, fraction, dotted := strings.Cut(s, ".")
	if whole == "" && fraction == "" || !digits(whole) || dotted && !digits(fraction) {
		return number{}, false
	}
	fraction = strings.TrimRight(fraction, "0")
	n.exponent -= len(fraction)
	n.setDigits(strings.TrimLeft(whole+fraction, "0"))
	return n, true
}

// setDigits sets the mantissa to a run of digits without leading zeros.
func (n *number) setDigits(s string) {
	if len(s) > 19 {
		n.large, _ = new(big.Int).SetString(s, 10)
		return
	}
	for i := range len(s) {
		n.small = n.small*10 + uint64(s[i]-'0')
	}
}

func parseExponent(s string) (int, bool) {
	negative := false
	if s != "" && (s[0] == '+' || s[0] == '-') {
		negative, s = s[0] == '-', s[1:]
	}
	if s == "" || !digits(s) {
		return 0, false
	}
	e := 0
	for i := range len(s) {
		e = min(e*10+int(s[i]-'0'), maxExponent)
	}
	if negative {
		e = -e
	}
	return e, true
}

func digits(s string) bool {
	for i := range len(s) {
		if s[i] < '0' || s[i] > '9' {
			return false
		}
	}
	return true
}

// wholeNumber is the number for an int64.
func wholeNumber(i int64) number {
	if i < 0 {
		return number{negative: true, small: -uint64(i)}
	}
	return number{small: uint64(i)}
}

// bigNumber is the number v · 10^exponent.
func bigNumber(v *big.Int, exponent int) number {
	n := number{negative: v.Sign() < 0, exponent: exponent}
	if m := new(big.Int).Abs(v); m.IsUint64() {
		n.small = m.Uint64()
	} else {
		n.large = m
	}
	return n
}

func (n number) zero() bool { return n.large == nil && n.small == 0 }

// magnitude returns the mantissa as a big integer that the caller may change.
func (n number) magnitude() *big.Int {
	if n.large != nil {
		return new(big.Int).Set(n.large)
	}
	return new(big.Int).SetUint64(n.small)
}

// scale is how many digits stand before the decimal point, about: 10^(scale-2) < |n| ≤ 10^(scale+1).
func (n number) scale() int { return n.magnitude().BitLen()*30103/100000 + n.exponent }

// integral reports whether the number has no fraction.
func (n number) integral() bool {
	switch {
	case n.zero() || n.exponent >= 0:
		return true
	case n.large == nil:
		return n.exponent >= -19 && n.small%powers[-n.exponent] == 0
	case n.scale() < -1:
		return false
	}
	return new(big.Int).Mod(n.large, power(-n.exponent)).Sign() == 0
}

// powers are the powers of ten that fit 64 bits.
var powers = [20]uint64{1, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9,
	1e10, 1e11, 1e12, 1e13, 1e14, 1e15, 1e16, 1e17, 1e18, 1e19}

func power(e int) *big.Int {
	return new(big.Int).Exp(big.NewInt(10), big.NewInt(int64(e)), nil)
}

// steps returns n / (num/den) rounded half away from zero, exactly. Where that does not fit int64,
// overflow is +1 or −1, the side it lies on. num and den are positive and at most 2^53.
func (n number) steps(num, den int64) (steps int64, overflow int) {
	q, ok := n.quotient(uint64(num), uint64(den))
	switch {
	case !ok && n.negative:
		return 0, -1
	case !ok:
		return 0, 1
	case n.negative:
		return -int64(q), 0
	}
	return int64(q), 0
}

// quotient is |n|·den/num rounded half up; false where it exceeds the largest int64.
func (n number) quotient(num, den uint64) (uint64, bool) {
	if n.zero() {
		return 0, true
	}
	if n.large != nil || n.exponent < -19 || n.exponent > 19 {
		return n.slowQuotient(num, den)
	}
	high, low := bits.Mul64(n.small, den)
	divisor := num
	if n.exponent >= 0 {
		if high != 0 {
			return n.slowQuotient(num, den)
		}
		high, low = bits.Mul64(low, powers[n.exponent])
	} else {
		var over uint64
		if over, divisor = bits.Mul64(num, powers[-n.exponent]); over != 0 {
			return n.slowQuotient(num, den)
		}
	}
	if high >= divisor {
		return 0, false
	}
	q, r := bits.Div64(high, low, divisor)
	if q > 1<<63-1 {
		return 0, false
	}
	if r >= divisor-r {
		q++
	}
	return q, q <= 1<<63-1
}

func (n number) slowQuotient(num, den uint64) (uint64, bool) {
	// Beyond 10^40 no resolution brings it into range; below 10^-40 every resolution rounds it to 0.
	if s := n.scale(); s > 40 {
		return 0, false
	} else if s < -40 {
		return 0, true
	}
	top := n.magnitude()
	top.Mul(top, new(big.Int).SetUint64(den))
	bottom := new(big.Int).SetUint64(num)
	if n.exponent >= 0 {
		top.Mul(top, power(n.exponent))
	} else {
		bottom.Mul(bottom, power(-n.exponent))
	}
	q, r := new(big.Int).QuoRem(top, bottom, new(big.Int))
	if r.Lsh(r, 1).Cmp(bottom) >= 0 {
		q.Add(q, big.NewInt(1))
	}
	return q.Uint64(), q.IsInt64()
}
