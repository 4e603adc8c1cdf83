package query

import "strings"

// unsupported says of a kind of syntax what it is, with the verb, and what to write instead.
func unsupported(kind string) (what, hint string) {
	switch kind {
	case "SubLink":
		return "a sub-query outside FROM is", "put it in FROM, joined on the privacy ID; a number that is public can be written out"
	case "ParamRef":
		return "a parameter ($1) is", "write the value itself"
	case "SQLValueFunction":
		return "the current date, time or user is", "write the date itself, as in DATE '2020-01-31'; a column of that name goes in double quotes"
	case "A_ArrayExpr", "A_Indirection":
		return "an array is", "use IN (…) for a list of values; WIDTH_BUCKET(x, ARRAY[10, 20]) is the one use of arrays"
	case "RowExpr":
		return "a row of values is", "compare each value by itself"
	case "CollateClause":
		return "COLLATE is", "text is always compared by code point"
	case "GroupingFunc", "GroupingSet":
		return "a grouping set is", "name the GROUP BY columns, and ask a second question for the totals"
	case "XmlExpr", "XmlSerialize", "JsonObjectConstructor", "JsonArrayConstructor", "JsonIsPredicate", "JsonFuncExpr":
		return "XML and JSON are", "register the fields as columns"
	case "AEXPR_OP_ANY", "AEXPR_OP_ALL":
		return "ANY and ALL are", "use IN (…) for a list of values"
	case "AEXPR_DISTINCT", "AEXPR_NOT_DISTINCT":
		return "IS DISTINCT FROM is", "write a <> b OR a IS NULL"
	case "AEXPR_ILIKE":
		return "ILIKE is", "write LOWER(x) LIKE 'pattern'"
	case "AEXPR_SIMILAR":
		return "SIMILAR TO is", "use LIKE"
	case "AEXPR_BETWEEN_SYM", "AEXPR_NOT_BETWEEN_SYM":
		return "BETWEEN SYMMETRIC is", "write x BETWEEN a AND b, the smaller first"
	}
	return "this expression is", "use columns, constants, + − * / %, comparisons, AND, OR, NOT, CASE, CAST and the documented functions"
}

// functions are the supported ones, for hints.
const functions = "abs round floor ceil mod clamp greatest least width_bucket lower upper trim length extract date_trunc coalesce nullif cast " +
	"count sum avg variance stddev min max median percentile_cont"

// hintFunction suggests what to write instead of a function.
func hintFunction(name string) string {
	if hint := instead(name); hint != "" {
		return hint
	}
	best, distance := "", 3
	for f := range strings.FieldsSeq(functions) {
		if d := edits(name, f, distance); d < distance {
			best, distance = f, d
		}
	}
	if best != "" {
		return "did you mean " + best + "?"
	}
	return "the functions are " + strings.ReplaceAll(functions, " ", ", ")
}

// instead knows the functions that people reach for.
func instead(name string) string {
	switch name {
	case "percentile_disc", "quantile", "quantile_cont", "approx_quantile", "mode":
		return "write PERCENTILE_CONT(0.9) WITHIN GROUP (ORDER BY x)"
	case "std", "stdev":
		return "use STDDEV"
	case "var":
		return "use VARIANCE"
	case "corr", "covar_pop", "covar_samp", "regr_slope":
		return "use AVG(x), AVG(y) and AVG(x * y)"
	case "mean", "average":
		return "use AVG"
	case "total":
		return "use SUM"
	case "count_if", "countif":
		return "write COUNT(*) FILTER (WHERE …)"
	case "sum_if", "sumif":
		return "write SUM(x) FILTER (WHERE …)"
	case "string_agg", "listagg", "list", "group_concat", "json_agg", "jsonb_agg", "histogram":
		return "rows never leave: use COUNT, SUM or AVG with GROUP BY"
	case "approx_count_distinct":
		return "use COUNT(DISTINCT …)"
	case "year", "month", "day", "hour", "minute", "quarter", "dayofweek":
		return "use EXTRACT(YEAR FROM x)"
	case "now", "today", "age", "clock_timestamp":
		return "write the date itself, as in DATE '2020-01-31'"
	case "date_diff", "datediff":
		return "a - b is the days between two dates, EXTRACT(EPOCH FROM a - b) the seconds between two timestamps"
	case "date_add", "dateadd", "date_sub":
		return "write x + INTERVAL '1 month'"
	case "make_date", "to_date", "to_timestamp", "strptime", "to_number", "try_cast":
		return "CAST(x AS DATE) and CAST(x AS DOUBLE PRECISION) read text, NULL where it is none"
	case "if", "iif", "decode":
		return "use CASE WHEN … THEN … ELSE … END"
	case "ifnull", "nvl", "isnull":
		return "use COALESCE"
	case "pow", "power", "square", "sqrt", "exp", "ln", "log", "log2", "log10":
		return "use products and quotients"
	case "div":
		return "FLOOR(x / n) is the whole quotient"
	case "ntile", "cut", "bin":
		return "use WIDTH_BUCKET(x, lower, upper, count)"
	case "sign":
		return "use CASE WHEN x < 0 THEN -1 WHEN x > 0 THEN 1 ELSE 0 END"
	case "trunc", "truncate", "int", "integer":
		return "use FLOOR, CEIL or ROUND"
	case "substr", "substring", "left", "right", "position", "strpos", "instr", "starts_with", "contains", "regexp_matches", "regexp_replace":
		return "use LIKE"
	case "ltrim", "rtrim", "btrim":
		return "use TRIM"
	case "len", "octet_length":
		return "use LENGTH"
	case "ucase":
		return "use UPPER"
	case "lcase":
		return "use LOWER"
	case "concat", "concat_ws":
		return "group by both columns instead of joining their text"
	}
	return ""
}

// edits is the Levenshtein distance, or at least most when it is no smaller.
func edits(a, b string, most int) int {
	if len(a) > len(b)+most || len(b) > len(a)+most {
		return most
	}
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		before := row[0]
		row[0]++
		for j := range len(b) {
			change := before
			if a[i] != b[j] {
				change++
			}
			before = row[j+1]
			row[j+1] = min(change, row[j]+1, row[j+1]+1)
		}
	}
	return row[len(b)]
}
