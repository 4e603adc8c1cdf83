package access

import (
	"fmt"
	"math"
	"math/big"
	"regexp"
	"strings"
)

// Pico is an amount of ε in units of 1e-12, exact. In documents it is a decimal, as text or as a
// number: "0.5" is 500,000,000,000. The zero value means that none is stated.
type Pico int64

const (
	picoDigits = 12
	maxPico    = 1_000_000 * 1_000_000_000_000 // ε of a million: above any budget, well inside int64
)

// decimalForm keeps big.Rat from reading fractions, hexadecimals and exponents that fill the memory.
var decimalForm = regexp.MustCompile(`^[0-9]{1,20}(\.[0-9]{1,30})?([eE][+-]?[0-9]{1,2})?$`)

// UnmarshalText reads a decimal above 0 and at most 1,000,000, with no digit beyond the twelfth
// decimal place. Its errors say which of these failed.
func (p *Pico) UnmarshalText(text []byte) error {
	if !decimalForm.Match(text) {
		return fmt.Errorf("%s is not a decimal such as 0.5", quote(string(text)))
	}
	amount, ok := new(big.Rat).SetString(string(text))
	if !ok {
		return fmt.Errorf("%s is not a decimal such as 0.5", quote(string(text)))
	}
	amount.Mul(amount, new(big.Rat).SetInt64(1_000_000_000_000))
	switch {
	case amount.Sign() <= 0:
		return fmt.Errorf("%s is not above 0", quote(string(text)))
	case amount.Cmp(new(big.Rat).SetInt64(maxPico)) > 0:
		return fmt.Errorf("%s is above 1000000", quote(string(text)))
	case !amount.IsInt():
		return fmt.Errorf("%s has more than %d decimal places", quote(string(text)), picoDigits)
	}
	*p = Pico(amount.Num().Int64())
	return nil
}

// MarshalText writes the shortest decimal that UnmarshalText reads as p.
func (p Pico) MarshalText() ([]byte, error) { return []byte(p.String()), nil }

// String writes p as a decimal without trailing zeros. The largest amount is a price without bound, which
// no document states: "inf".
func (p Pico) String() string {
	if p == math.MaxInt64 {
		return "inf"
	}
	text := new(big.Rat).SetFrac64(int64(p), 1_000_000_000_000).FloatString(picoDigits)
	return strings.TrimSuffix(strings.TrimRight(text, "0"), ".")
}
