package query

// Expr is a typed, total expression over the columns of one row: whatever the row holds, it has a
// value or is NULL, and it never raises an error. Kind decides which other fields count.
type Expr struct {
	Op   Op     `json:"op"`
	Type Type   `json:"type"`
	Args []Expr `json:"args,omitempty"`

	Column string `json:"column,omitempty"` // OpColumn: a column of the dataset
	// Num and Den are set for a stored measure column: its value is float64(stored steps)·Num/Den,
	// multiplied first. A key column has neither: its value is what is stored.
	Num int64 `json:"num,omitempty"`
	Den int64 `json:"den,omitempty"`

	Released *Released `json:"released,omitempty"` // OpReleased: HAVING and ORDER BY only

	Text   string  `json:"text,omitempty"`   // OpLiteral of type Text, Date or Timestamp (ISO 8601); a LIKE pattern
	Number float64 `json:"number,omitempty"` // OpLiteral of type Number
	Int    int64   `json:"int,omitempty"`    // OpLiteral of type Int
	Bool   bool    `json:"bool,omitempty"`   // OpLiteral of type Bool
	Null   bool    `json:"null,omitempty"`   // OpLiteral NULL

	// Interval of a Number: every non-NULL value lies within Lo … Hi, both at most 1e300 in magnitude.
	Lo float64 `json:"lo,omitempty"`
	Hi float64 `json:"hi,omitempty"`
}

// Type is the type of an expression.
type Type string

// The types an expression may have. Arithmetic is on Number (IEEE 754 binary64); Int is exact and
// is compared exactly with Int.
const (
	Number    Type = "number"
	Int       Type = "int"
	Text      Type = "text"
	Bool      Type = "bool"
	Date      Type = "date"
	Timestamp Type = "timestamp"
)

// Op is an operation.
type Op string

// The operations. All arguments and the result may be NULL; SQL's three-valued logic holds. The order
// of evaluation cannot be told, since every operation is total. Plans hold AND, OR and IN sorted, a
// literal of a comparison on its right, no NOT of a comparison, and NULL literals in CASE only.
const (
	OpColumn   Op = "column"
	OpLiteral  Op = "literal"
	OpReleased Op = "released"
	OpToNumber Op = "to_number" // Int → Number, nearest

	OpAdd   Op = "add" // Number × Number → Number
	OpSub   Op = "sub"
	OpMul   Op = "mul"
	OpDiv   Op = "div" // NULL where |divisor| < SmallestDivisor
	OpNeg   Op = "neg"
	OpAbs   Op = "abs"
	OpRound Op = "round" // half away from zero, to an integer
	OpFloor Op = "floor"
	OpCeil  Op = "ceil"
	OpClamp Op = "clamp" // three arguments: value, lower, upper; the bounds are literals, lower < upper

	OpEq  Op = "eq" // two arguments of one type; text by code point
	OpNe  Op = "ne"
	OpLt  Op = "lt"
	OpLe  Op = "le"
	OpGt  Op = "gt"
	OpGe  Op = "ge"
	OpAnd Op = "and" // two or more
	OpOr  Op = "or"
	OpNot Op = "not"

	OpIsNull   Op = "is_null"
	OpIn       Op = "in"       // first argument among the others, which are literals
	OpLike     Op = "like"     // Text holds the pattern: % and _, no escape; _ is one code point
	OpCase     Op = "case"     // when, then, when, then, …, else
	OpCoalesce Op = "coalesce" // one or more
	OpNullIf   Op = "nullif"
	OpLower    Op = "lower"  // ASCII letters only, the same in every engine
	OpUpper    Op = "upper"  // ASCII letters only
	OpTrim     Op = "trim"   // outer spaces (U+0020)
	OpLength   Op = "length" // code points → Number

	OpYear    Op = "year" // EXTRACT from Date or Timestamp (UTC) → Number
	OpQuarter Op = "quarter"
	OpMonth   Op = "month"
	OpDay     Op = "day"
	OpHour    Op = "hour"
	OpMinute  Op = "minute"
	OpDow     Op = "dow" // 0 Sunday … 6 Saturday
)
