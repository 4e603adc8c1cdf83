// Package query turns the text of a question into a Plan, and a release back into an answer.
//
// It promises:
//   - A Plan holds groups, which are public or pass partition selection, and aggregates; nothing else of a
//     row can reach an answer through it. Only New makes one.
//   - Planning is a function of the text, the declaration and the caller's bounds. It sees no rows, so
//     neither a plan nor a refusal tells anything about them, and both are free.
//   - Every expression in a plan is total (see Expr), its cost for one row is bounded before anything
//     runs, and what is added up has finite bounds that follow from declarations and CLAMP alone.
//   - Canonical is SQL again: parsed against the same declaration it gives the same plan.
//   - Plans of one Basis have the same exact values, so that a release of the one answers the other (FinishKept).
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
// # One meaning each
//
// No expression can fail on a row. What other systems make an error or leave open means here:
//
//	NULL              as in SQL: three-valued logic; a WHERE, a FILTER or a CASE condition counts where it is true;
//	                  aggregates pass over it, and so do GREATEST and LEAST; it is a group of its own, unless the
//	                  key's values are public: then its rows are dropped; ORDER BY puts it last.
//	NaN and infinity  do not exist: ingest makes them NULL, and intervals keep arithmetic below 1e300.
//	overflow          cannot happen: a question of which a part may exceed 1e300 is refused. Integers leave int64
//	                  for Number before arithmetic. A date outside the years 1 … 9999 is NULL.
//	division by zero  is NULL, as is dividing by less than SmallestDivisor in magnitude.
//	a failed cast     is NULL: of text that is no number (CAST(x AS DOUBLE PRECISION), AS INTEGER), or no date.
//
// # Numbers
//
// Arithmetic is IEEE 754 binary64, one rounding for each operation. A stored measure has the value
// float64(steps)·Num/Den, multiplied first. A quotient is NULL where the divisor's magnitude is below
// SmallestDivisor. ROUND goes half away from zero; ROUND(x, n) is ROUND(x·10^n)/10^n. MOD(x, n) and x % n are
// x − n·FLOOR(x/n) for a positive constant n: from 0 up to n, also for a negative x, where PostgreSQL's
// remainder is negative. WIDTH_BUCKET(x, lower, upper, n) is that of the n + 1 equidistant thresholds, each the
// nearest Number to its exact value.
//
// int64 columns are compared exactly with integers, and are converted to the nearest Number as soon as
// arithmetic or a fraction is involved. CAST of one to a number therefore changes nothing. CAST to any
// integer type is ROUND, without a limit to the type's range. CAST of a condition is 1, 0 or NULL. Text is read as
// a number where it is [-]digits[.digits] of at most 15 digits.
//
// # Dates and times
//
// A Date is written 2006-01-02. A Timestamp is UTC, RFC 3339, with six decimals when its microseconds are
// not zero: 2006-01-02T15:04:05Z, 2006-01-02T15:04:05.250000Z. Text literals beside such columns are read
// when the question is planned, so that no cast happens on rows. The calendar is the proleptic Gregorian
// one, every day has 86,400 seconds, and there are the years 1 … 9999 only.
//
// DATE_TRUNC keeps the type; weeks begin on Monday. Adding an interval adds its months first (31 January and
// one month is the last day of February), then its days, then its seconds; a Date stays a Date unless hours,
// minutes or seconds are added. date ± integer counts days, date − date is a number of days,
// EXTRACT(EPOCH FROM a − b) the seconds between two timestamps. EXTRACT(SECOND …) is whole seconds, WEEK that
// of ISO 8601.
//
// # Group keys
//
// Any expression may be grouped by, and may stand in SELECT, HAVING and ORDER BY as it is, under its name or
// (not in HAVING) by its position. Where its possible values follow from declarations and the text they are
// public, and no δ is spent: a declared domain, conditions, narrow integers and measures, CASE and COALESCE
// over such values, DATE_TRUNC and EXTRACT of columns with earliest and latest, WIDTH_BUCKET, rounded ranges, and
// whatever is computed from few such values. A declared domain that ingest does not enforce stays as it is: rows
// with other values are dropped where the expression gives something outside of the public values.
//
// # Sub-queries, joins and unions
//
// FROM holds datasets, sub-queries, WITH (written out in the plan) and JOIN. A sub-query either computes from each
// row, or makes one row of each unit (GROUP BY the privacy ID, with more keys one for each combination; SELECT
// DISTINCT with the privacy ID is the same), or is UNION ALL of such. A row belongs to its unit
// whether or not the privacy ID is selected; COUNT(DISTINCT …) needs it selected. Tables of one unit space are
// joined on the privacy ID, and public tables on their whole unique key, after JOIN or LEFT JOIN. Of a unit with
// at most m rows left and n right, a join has at most m·n, and UNION ALL of branches the sum: these are the rows
// that contribution bounds are about, whichever dataset they come from.
//
// Over the rows of one unit, COUNT, SUM, AVG, MIN, MAX, BOOL_OR and BOOL_AND pass over NULL; FIRST and LAST
// (x ORDER BY …) do not, order NULL last in either direction, and break ties by a hash of the unit's own rows.
// Columns of UNION ALL are of one type, NULL fitting any.
//
// # The same question
//
// A Basis leaves out what says how an answer is shown, and what has no meaning: white space, case and parentheses;
// names of columns, tables, sub-queries and common table expressions; the spelling of constants; the order of keys, of
// AND, OR, IN, of a sum, a product and the sides of a comparison; BETWEEN, IN and NOT in other words; a condition in
// a sub-query or over it. It keeps the order of JOIN and UNION ALL, on which ranks depend, and does no algebra: x + x
// and 2 * x are two questions. What is kept of a release (Keep) is all of it, with the groups that HAVING drops.
package query
