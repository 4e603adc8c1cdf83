// Package query turns the text of a question into a Plan, and a release back into an answer.
//
// It promises:
//   - A Plan holds GROUP BY columns that are declared as keys, and aggregates; nothing else of a row can
//     reach an answer through it. Only New makes one.
//   - Planning is a function of the text, the declaration and the caller's bounds. It sees no rows, so
//     neither a plan nor a refusal tells anything about them, and both are free.
//   - Every expression in a plan is total (see Expr), its cost for one row is bounded before anything
//     runs, and what is added up has finite bounds that follow from declarations and CLAMP alone.
//   - Canonical is SQL again: parsed against the same declaration it gives the same plan.
//   - Text of any shape is answered with a plan or an *Error, never with a crash.
//
// It does not promise that a question may be asked (package access), that it can be answered with useful
// accuracy (package privacy), or that an engine evaluates expressions as Eval does: engines test
// themselves against Eval.
//
// Package sandbox and the engines call it; it is the only importer of the SQL parser. It never imports
// database/sql and never opens a file.
//
// # Strings
//
// The same in every engine: text is UTF-8. It is compared, ordered and tested for equality by code point,
// which is the order of its UTF-8 bytes; nothing is folded, trimmed or normalised. LOWER and UPPER change
// the ASCII letters and leave all else alone. TRIM takes U+0020 from both ends. LENGTH counts code points.
// In LIKE, % stands for any code points and _ for exactly one; there is no escape character, so a
// backslash in a pattern is refused.
//
// # Numbers
//
// Arithmetic is IEEE 754 binary64, one rounding for each operation. A stored measure has the value
// float64(steps)·Num/Den, multiplied first. A quotient is NULL where the divisor's magnitude is below
// SmallestDivisor. ROUND goes half away from zero. int64 columns are compared exactly with integers, and
// are converted to the nearest Number as soon as arithmetic or a fraction is involved.
//
// # Dates and times
//
// A Date is written 2006-01-02. A Timestamp is UTC, RFC 3339, with six decimals when its microseconds are
// not zero: 2006-01-02T15:04:05Z, 2006-01-02T15:04:05.250000Z. Text literals beside such columns are read
// when the question is planned, so that no cast happens on rows.
package query
