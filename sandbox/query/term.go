package query

import (
	"math"

	pg "github.com/pganalyze/pg_query_go/v6"
)

// term is an expression with what the planner knows of its values beyond their type.
type term struct {
	expr     Expr
	at       int32 // where it stands in the text
	nullable bool
	size     int // nodes, counting parts that engines must write twice twice
	height   int // of the expression: 0 for columns and constants

	lo, hi float64 // Int and Number: every value that is not NULL lies within
	grid   grid    // Number and Int: the lattice of the values, in exact arithmetic
	least  float64 // the smallest magnitude that a value other than 0 has; 0: none is known
	// integral is set when every value is an integer of at most 2^53 in magnitude, and no rounding on the
	// way can have moved it off the lattice.
	integral bool
	// Date and Timestamp: every value lies within, in microseconds since 1970; a Date is its midnight.
	earliest, latest int64
	// loose says why the interval does not follow from declared bounds; "" when it does.
	loose string

	whole   bool // a literal that is an integer in the range of int64: it can be an Int or a Number
	integer int64

	// What the public values of a group key follow from; see values.
	parts   []term              // the arguments of the operation
	results []term              // those that it may return as they are
	domain  func(*effort) []any // of a column: its declared or derived values, not NULL, as Eval has them; nil: none are
}

// literal tells whether the term is a constant.
func (t term) literal() bool { return t.expr.Op == OpLiteral }

// untyped tells whether the term is a bare NULL.
func (t term) untyped() bool { return t.literal() && t.expr.Null }

// numeric tells whether the term can be a Number.
func (t term) numeric() bool { return t.expr.Type == Number || t.expr.Type == Int }

// checker lowers expressions of the text to terms. What a column or an aggregate means depends on the
// clause, so that the clause gives the two functions.
type checker struct {
	source
	plan      *Parts // for the text of released columns
	column    func(name string, at int32) (term, error)
	aggregate func(call call) (term, error)
	qualifier func(qualifier []string, at int32) error
	// indirection lowers x[1] where that means something; nil: nowhere. It reports false for other forms.
	indirection func(n *pg.A_Indirection) (term, bool, error)
	depth       int
}

// node makes a term of its parts: NULL if one of them may be, and as large as all of them.
func (c *checker) node(at int32, op Op, typ Type, parts ...term) (term, error) {
	t := term{expr: Expr{Op: op, Type: typ, Args: make([]Expr, len(parts))}, at: at, size: 1, parts: parts}
	for i, p := range parts {
		t.expr.Args[i] = p.expr
		t.nullable = t.nullable || p.nullable
		t.size += p.size
		t.height = max(t.height, p.height+1)
		if t.loose == "" && typ != Bool {
			t.loose = p.loose
		}
	}
	if i := repeated(op); i >= 0 {
		t.size += parts[i].size
	}
	switch {
	case t.size > MaxNodes:
		return term{}, c.refuse(at, "ask for less at once", "the expression is too long: more than %d operations", MaxNodes)
	case t.height >= MaxDepth: // what was written shorter, as x % 4, has to be readable written out
		return term{}, c.refuse(at, "nest less", "an expression is nested more than %d deep", MaxDepth)
	}
	return t, nil
}

// repeated is the argument that engines write twice, for a guard; -1 for none.
func repeated(op Op) int {
	switch op {
	case OpDiv:
		return 1
	case OpNullIf, OpDateTrunc, OpDateAdd, OpParseNumber, OpParseDate:
		return 0
	}
	return -1
}

// within completes a Number with its interval and lattice, and refuses one that may grow too large.
func (c *checker) within(t term, lo, hi float64, g grid, least float64) (term, error) {
	if !(math.Abs(lo) <= largest && math.Abs(hi) <= largest) { // also NaN
		text := short(c.show(t))
		return term{}, c.refuse(t.at, "bound its parts with CLAMP(…, lower, upper)", "%s may exceed 1e300", text)
	}
	// No negative zero: it has another spelling, and would make two texts of one question.
	t.lo, t.hi, t.grid, t.least = lo+0, hi+0, g, least
	t.expr.Lo, t.expr.Hi = t.lo, t.hi
	t.integral = t.integral && exact(lo) && exact(hi)
	return t, nil
}

// exact tells whether x, and every integer up to it, stands for itself alone when it is a Number.
func exact(x float64) bool { return math.Abs(x) < 1<<53 }

// whole completes a Number whose values are integers, whatever it is made of.
func (c *checker) whole(t term, lo, hi float64) (term, error) {
	t.integral = true
	return c.within(t, lo, hi, ones(), 1)
}

// show is the canonical text of a term, for messages and for ordering.
func (c *checker) show(t term) string { return writer{c.plan}.expr(t.expr) }

// numberLiteral makes a constant.
func numberLiteral(at int32, x float64) term {
	x += 0 // −0 is 0
	t := term{expr: Expr{Op: OpLiteral, Type: Number, Number: x, Lo: x, Hi: x}, at: at, size: 1}
	t.lo, t.hi, t.grid, t.least = x, x, gridOf(x), math.Abs(x)
	if x == 0 {
		t.least = math.Inf(1)
	}
	if x == math.Trunc(x) && math.Abs(x) < 1<<63 {
		t.whole, t.integer, t.integral = true, int64(x), exact(x)
	}
	return t
}

// number converts a term to Number, for arithmetic.
func (c *checker) number(t term) (term, error) {
	switch t.expr.Type {
	case Number:
		return t, nil
	case Int:
		if t.literal() {
			return numberLiteral(t.at, float64(t.expr.Int)), nil
		}
		n, err := c.node(t.at, OpToNumber, Number, t)
		if err != nil {
			return term{}, err
		}
		n.integral = true // and beyond 2^53 it is not exact
		return c.within(n, t.lo, t.hi, t.grid, t.least)
	}
	return term{}, c.refuse(t.at, hintNumber(t), "a number is needed here, and %s is %s", short(c.show(t)), describe(t))
}

func hintNumber(t term) string {
	switch {
	case t.untyped():
		return "NULL may stand in CASE only"
	case t.expr.Type == Text && t.literal():
		return "write numbers without quotes"
	case t.expr.Type == Text:
		return "CAST(… AS DOUBLE PRECISION) reads text as a number, NULL where it is none"
	case t.expr.Type == Bool:
		return "CASE WHEN … THEN 1 ELSE 0 END makes a number of a condition"
	case t.expr.Type == Date || t.expr.Type == Timestamp:
		return "EXTRACT(YEAR FROM …) makes a number of a date"
	}
	return "use a column that is declared as a number"
}

// describe names a term's type in a message.
func describe(t term) string {
	if t.untyped() {
		return "NULL"
	}
	return describeType(t.expr.Type)
}

func describeType(t Type) string {
	switch t {
	case Number:
		return "a number"
	case Int:
		return "an integer"
	case Text:
		return "text"
	case Bool:
		return "a condition"
	case Date:
		return "a date"
	}
	return "a timestamp"
}
