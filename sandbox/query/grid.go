package query

import (
	"math"
	"strconv"
	"strings"

	"entrepot/privacy"
)

// grid is the lattice num/den·ℤ that an expression's values lie on, in exact arithmetic: {0, 1} holds
// the constant 0 only, and a zero den says that no lattice is known.
type grid struct{ num, den int64 }

// ones is the lattice of the integers.
func ones() grid { return grid{1, 1} }

// widest bounds numerator and denominator: products of two stay within int64 after the check in times.
const widest = 1e15

func (g grid) known() bool { return g.den != 0 }

// reduced returns num/den in lowest terms, or no grid where one of them is out of range.
func reduced(num, den int64) grid {
	if den <= 0 || num < 0 {
		return grid{}
	}
	d := gcd(num, den)
	num, den = num/d, den/d
	if num > widest || den > widest {
		return grid{}
	}
	return grid{num, den}
}

func gcd(a, b int64) int64 {
	for b != 0 {
		a, b = b, a%b
	}
	return a
}

// times multiplies if the result cannot overflow.
func times(a, b int64) (int64, bool) {
	if float64(a)*float64(b) > 1<<62 {
		return 0, false
	}
	return a * b, true
}

// both is the coarsest lattice that holds g and h: that of their sums and differences.
func (g grid) both(h grid) grid {
	if !g.known() || !h.known() {
		return grid{}
	}
	a, ok1 := times(g.num, h.den)
	b, ok2 := times(h.num, g.den)
	d, ok3 := times(g.den, h.den)
	if !ok1 || !ok2 || !ok3 {
		return grid{}
	}
	return reduced(gcd(a, b), d)
}

// product is the lattice of products.
func (g grid) product(h grid) grid {
	if !g.known() || !h.known() {
		return grid{}
	}
	n, ok1 := times(g.num, h.num)
	d, ok2 := times(g.den, h.den)
	if !ok1 || !ok2 {
		return grid{}
	}
	return reduced(n, d)
}

// inverse is the lattice of 1/x for the constant x = num/den.
func (g grid) inverse() grid {
	if !g.known() || g.num == 0 {
		return grid{}
	}
	return grid{g.den, g.num}
}

// gridOf is the lattice of one constant, read from its shortest decimal form.
func gridOf(x float64) grid {
	digits, fraction, _ := strings.Cut(strconv.FormatFloat(math.Abs(x), 'f', -1, 64), ".")
	if len(digits)+len(fraction) > 16 {
		return grid{}
	}
	num, err := strconv.ParseInt(digits+fraction, 10, 64)
	if err != nil {
		return grid{}
	}
	return reduced(num, int64(math.Pow10(len(fraction))))
}

// steps is how many steps x is, in the arithmetic that engines use: x·Den/Num.
func steps(x float64, s privacy.Step) float64 { return x * float64(s.Den) / float64(s.Num) }

// finest is how many steps over the larger bound an exact lattice may take. Noise is drawn on whole
// steps and B·L0·r must stay below 2^53, which leaves 9 million for L0·r.
const finest = 1e9

// stepFor chooses the step that values within lo … hi are rounded to before they are added up: the
// exact lattice where it has few enough steps, otherwise the power of ten that gives 10^6 … 10^7 of them.
func stepFor(lo, hi float64, exact grid) (privacy.Step, bool) {
	most := max(math.Abs(lo), math.Abs(hi))
	if exact.known() && exact.num > 0 {
		s := privacy.Step{Num: exact.num, Den: exact.den}
		if steps(most, s) <= finest {
			return s, true
		}
	}
	_, exponent, _ := strings.Cut(strconv.FormatFloat(most, 'e', -1, 64), "e")
	power, _ := strconv.Atoi(exponent)
	power -= 6
	switch {
	case most == 0 || power < -15 || power > 15:
		return privacy.Step{}, false
	case power < 0:
		return privacy.Step{Num: 1, Den: int64(math.Pow10(-power))}, true
	}
	return privacy.Step{Num: int64(math.Pow10(power)), Den: 1}, true
}
