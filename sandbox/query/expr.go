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
	OpHour    Op = "hour" // hour, minute and second: from Timestamp only
	OpMinute  Op = "minute"
	OpDow     Op = "dow"    // 0 Sunday … 6 Saturday
	OpWeek    Op = "week"   // ISO 8601: 1 … 53, of the year that the week's Thursday lies in
	OpSecond  Op = "second" // whole seconds, 0 … 59; a fraction is cut off

	// Dates and times are of the proleptic Gregorian calendar, UTC, without leap seconds. Outside the years
	// 1 … 9999 they are NULL, whatever they come from.

	// OpDateTrunc is the first moment of a unit: Date or Timestamp → the same type. Text is the unit: year,
	// quarter, month, week (from Monday), day and, of a Timestamp, hour, minute.
	OpDateTrunc Op = "date_trunc"
	// OpDateAdd adds Int times the unit Text: Date or Timestamp → the same type. Units are year, month, week,
	// day and, of a Timestamp, hour, minute, second; plans hold month, day and second only. A year is 12 months.
	// Months keep the day and the time, and where the month has no such day take its last: 31 January and one
	// month is 28 or 29 February. All others are fixed lengths.
	OpDateAdd Op = "date_add"
	OpDays    Op = "days"         // Date − Date → Number of days
	OpSeconds Op = "seconds"      // Timestamp − Timestamp → Number of seconds: float64(microseconds)/1e6
	OpToDate  Op = "to_date"      // Timestamp → Date (UTC): its day
	OpToTime  Op = "to_timestamp" // Date → Timestamp: its midnight

	// OpBucket is how many of one or more ascending Number literals lie at or below the first argument, a
	// Number → Number.
	OpBucket Op = "bucket"
	// OpParseNumber reads Text → Number, to nearest: [-]digits[.digits] with ASCII digits, at most 15 of them in
	// all, leading and closing zeros counted. NULL for anything else: spaces, +, an exponent, no digit before or
	// after the point.
	OpParseNumber Op = "parse_number"
	OpParseDate   Op = "parse_date" // Text → Date: exactly 2006-01-02, of a day that exists in the years 1 … 9999, else NULL
)
