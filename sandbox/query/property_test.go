package query

import (
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"reflect"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"entrepot/datasets"
)

// failer is what a test and a property have in common.
type failer interface {
	Helper()
	Fatal(args ...any)
	Fatalf(format string, args ...any)
}

// checkRoundTrip reads the canonical text, and the JSON, back to the same plan.
func checkRoundTrip(tb failer, c Catalogue, p Plan) {
	tb.Helper()
	again, err := New(p.Canonical(), c, Bounds{})
	if err != nil {
		tb.Fatalf("%s\n%v", p.Canonical(), err)
	}
	checkSame(tb, p, again)
	b, err := json.Marshal(p)
	if err != nil {
		tb.Fatal(err)
	}
	var read Plan
	if err := json.Unmarshal(b, &read); err != nil {
		tb.Fatal(err)
	}
	checkSame(tb, p, read)
}

func checkSame(tb failer, p, q Plan) {
	tb.Helper()
	if !reflect.DeepEqual(p.Parts(), q.Parts()) { // go-cmp takes exponential time on deep trees
		a, _ := json.Marshal(p)
		b, _ := json.Marshal(q)
		tb.Fatalf("%s\nis read back as another plan\n%s\n%s", p.Canonical(), a, b)
	}
}

// generator draws random texts that are mostly questions.
type generator struct {
	*rapid.T
	depth int
}

func (g generator) pick(of ...string) string { return rapid.SampledFrom(of).Draw(g.T, "pick") }

func (g generator) deeper() generator { return generator{g.T, g.depth + 1} }

func (g generator) number() string {
	if g.depth > 3 || rapid.IntRange(0, 3).Draw(g.T, "leaf") == 0 {
		return g.pick("math", "reading", "absences", "balance", "+grade", "-school", "- - grade", "grade", "school", "wave", "0", "1", "2.5", "-3", "100", "0.001", "1e6")
	}
	d := g.deeper()
	switch rapid.IntRange(0, 17).Draw(g.T, "number") {
	case 0, 1, 2, 3:
		return "(" + d.number() + g.pick(" + ", " - ", " * ", " / ") + d.number() + ")"
	case 4:
		return "-(" + d.number() + ")"
	case 5:
		return g.pick("ABS", "ROUND", "FLOOR", "CEIL") + "(" + d.number() + ")"
	case 6, 7:
		return "CLAMP(" + d.number() + ", " + g.pick("0, 1", "-5, 7.25", "0.001, 1000", "-1e-3, 1e9") + ")"
	case 8:
		return "CASE WHEN " + d.condition() + " THEN " + d.number() + g.pick(" END", " ELSE "+d.number()+" END", " ELSE NULL END")
	case 9:
		return "COALESCE(" + d.number() + ", " + d.number() + ")"
	case 10:
		return "NULLIF(" + d.number() + ", " + d.number() + ")"
	case 11:
		return "ROUND(" + d.number() + ", " + g.pick("0", "1", "2", "-1", "-2") + ")"
	case 12:
		return g.pick("MOD("+d.number()+", 10)", "("+d.number()+") % 7", "("+d.number()+") % 0.1")
	case 13:
		return "WIDTH_BUCKET(" + d.number() + ", " + g.pick("0, 100, 10", "-1, 1, 3", "ARRAY[0, 10, 20.5, 1000]", "ARRAY[7]", "0, 0.3, 3") + ")"
	case 14:
		return g.pick("GREATEST", "LEAST") + "(" + d.number() + ", " + d.number() + g.pick("", ", 5", ", math") + ")"
	case 15:
		x := g.pick("reading", "balance", "math", "school")
		return "CASE WHEN " + x + g.pick(" >= ", " < ", " = ", " > ") + g.pick("-2", "3", "2.5") + " AND " + x + g.pick(" < ", " <= ") + "7 THEN " + x + g.pick(" END", " ELSE 1 END")
	case 16:
		return g.pick("CAST(note AS DOUBLE PRECISION)", "note::int", "CAST(immigrant AS int)", "CAST("+d.number()+" AS bigint)", "CAST("+d.number()+" AS numeric)", "LENGTH("+d.text()+")")
	}
	switch rapid.IntRange(0, 3).Draw(g.T, "of a date") {
	case 0:
		return "(" + d.date() + " - " + d.date() + ")"
	case 1:
		return "EXTRACT(EPOCH FROM " + d.timestamp() + " - " + d.timestamp() + ")"
	case 2:
		return "EXTRACT(" + g.pick("YEAR", "QUARTER", "MONTH", "WEEK", "DAY", "DOW", "HOUR", "MINUTE", "SECOND", "EPOCH") + " FROM " + d.timestamp() + ")"
	}
	return "EXTRACT(" + g.pick("YEAR", "QUARTER", "MONTH", "WEEK", "DAY", "DOW") + " FROM " + d.date() + ")"
}

func (g generator) date() string {
	if g.depth > 3 || rapid.IntRange(0, 2).Draw(g.T, "leaf") == 0 {
		return g.pick("born", "enrolled", "enrolled", "DATE '2020-02-29'", "CAST(note AS DATE)", "CAST(seen AS date)", "tested::date")
	}
	d := g.deeper()
	switch rapid.IntRange(0, 5).Draw(g.T, "date") {
	case 0, 1:
		return "DATE_TRUNC('" + g.pick("year", "quarter", "month", "week", "day") + "', " + d.date() + ")"
	case 2:
		return "(" + d.date() + g.pick(" + ", " - ") + g.pick("30", "1", "INTERVAL '1 month'", "INTERVAL '2 years 1 day'", "INTERVAL '3' MONTH", "INTERVAL '-1 quarter'") + ")"
	case 3:
		return "COALESCE(" + d.date() + ", " + d.date() + ")"
	case 4:
		return "CASE WHEN " + d.condition() + " THEN " + d.date() + g.pick(" END", " ELSE "+d.date()+" END")
	}
	x := g.pick("born", "enrolled")
	return "CASE WHEN " + x + " >= '2020-02-01' AND " + x + " < '2020-03-05' THEN " + x + " END"
}

func (g generator) timestamp() string {
	if g.depth > 3 || rapid.IntRange(0, 2).Draw(g.T, "leaf") == 0 {
		return g.pick("tested", "seen", "seen", "TIMESTAMP '2020-02-29 23:59:59.5'", "CAST(enrolled AS timestamp)")
	}
	d := g.deeper()
	switch rapid.IntRange(0, 3).Draw(g.T, "timestamp") {
	case 0:
		return "DATE_TRUNC('" + g.pick("year", "quarter", "month", "week", "day", "hour", "minute") + "', " + d.timestamp() + ")"
	case 1:
		return "(" + d.timestamp() + g.pick(" + ", " - ") + "INTERVAL '" + g.pick("1 month", "1 hour 30 minutes", "36 hours", "1 year 1 second", "10 days") + "')"
	case 2:
		return "(" + d.date() + " + INTERVAL '90 minutes')"
	}
	return "COALESCE(" + d.timestamp() + ", " + d.timestamp() + ")"
}

func (g generator) condition() string {
	d := g.deeper()
	if g.depth > 4 {
		return g.pick("immigrant", "TRUE", "math > 5", "gender = 'female'")
	}
	comparison := g.pick(" = ", " <> ", " < ", " <= ", " > ", " >= ", " != ")
	switch rapid.IntRange(0, 15).Draw(g.T, "condition") {
	case 0, 1:
		return d.number() + comparison + d.number()
	case 2:
		return d.condition() + g.pick(" AND ", " OR ") + "(" + d.condition() + ")"
	case 3:
		return "NOT (" + d.condition() + ")"
	case 4:
		return d.number() + g.pick(" IS NULL", " IS NOT NULL", " BETWEEN 1 AND 5", " NOT BETWEEN 0.5 AND 99", " IN (1, 2, 3.5, 2)", " NOT IN (7)")
	case 5:
		return "(" + d.condition() + ")" + g.pick(" IS TRUE", " IS NOT TRUE", " IS FALSE", " IS NOT FALSE", " IS UNKNOWN", " IS NOT UNKNOWN", " IS NULL", " = TRUE", " <> immigrant")
	case 6, 7:
		return d.text() + comparison + d.text()
	case 8:
		return d.text() + g.pick(" LIKE 'K%'", " NOT LIKE '_%'", " IN ('KR', 'GB', 'KR')", " IS NULL", " LIKE '%'")
	case 9:
		return "born" + comparison + g.pick("'2006-01-31'", "DATE '2005-12-31'", "born")
	case 10:
		return "tested" + comparison + g.pick("'2022-03-01'", "TIMESTAMP '2022-03-01 10:00:00.5'", "tested", "DATE '2022-03-01'")
	case 11:
		return "CASE WHEN " + d.condition() + " THEN " + d.condition() + g.pick(" END", " ELSE FALSE END")
	case 12:
		return "CASE " + d.text() + " WHEN 'KR' THEN TRUE WHEN 'GB' THEN immigrant END"
	case 13:
		return g.pick("school", "grade", "wave") + comparison + g.pick("7", "9223372036854775807", "2.5", "school", "-1")
	case 14:
		if rapid.Bool().Draw(g.T, "days") {
			return d.date() + comparison + d.date()
		}
		return d.timestamp() + comparison + d.timestamp()
	}
	return g.pick("immigrant", "TRUE", "FALSE", "COALESCE(born, '2000-01-01') = '2006-01-31'")
}

func (g generator) text() string {
	if g.depth > 3 || rapid.Bool().Draw(g.T, "leaf") {
		return g.pick("gender", "country", "\"order\"", "note", "'KR'", "'it''s'", "'한국'", "' Kr '")
	}
	d := g.deeper()
	switch rapid.IntRange(0, 4).Draw(g.T, "text") {
	case 0:
		return g.pick("LOWER", "UPPER", "TRIM") + "(" + d.text() + ")"
	case 1:
		return "COALESCE(" + d.text() + ", " + d.text() + ")"
	case 2:
		return "CASE WHEN " + d.condition() + " THEN " + d.text() + " ELSE 'other' END"
	case 3:
		return "GREATEST(" + d.text() + ", " + d.text() + ")"
	}
	return "NULLIF(" + d.text() + ", 'x')"
}

func (g generator) value() string {
	return []func() string{g.number, g.number, g.condition, g.text, g.date, g.timestamp}[rapid.IntRange(0, 5).Draw(g.T, "value")]()
}

func (g generator) aggregate() string {
	var of string
	switch rapid.IntRange(0, 8).Draw(g.T, "aggregate") {
	case 0:
		of = "COUNT(*)"
	case 1:
		of = "COUNT(DISTINCT student_id)"
	case 2:
		of = "COUNT(" + g.value() + ")"
	case 3:
		of = "COUNT(DISTINCT " + g.value() + ")"
	case 4:
		of = g.pick("VARIANCE", "VAR_POP", "VAR_SAMP", "STDDEV", "STDDEV_POP", "STDDEV_SAMP") + "(" + g.number() + ")"
	case 5:
		of = g.pick("MIN", "MAX", "MEDIAN") + "(" + g.number() + ")"
	case 6:
		of = "PERCENTILE_CONT(" + g.pick("0", "0.1", "0.5", "0.9", "1") + ") WITHIN GROUP (ORDER BY " + g.number() + g.pick("", " DESC", " NULLS LAST") + ")"
	default:
		of = g.pick("SUM", "AVG") + "(" + g.number() + ")"
	}
	if rapid.IntRange(0, 3).Draw(g.T, "filter") == 0 {
		of += " FILTER (WHERE " + g.condition() + ")"
	}
	return of
}

// key draws a GROUP BY expression.
func (g generator) key() string {
	d := g.deeper()
	switch rapid.IntRange(0, 12).Draw(g.T, "key") {
	case 0, 1, 2, 3:
		return g.pick("gender", "country", "grade", "school", "immigrant", "born", "tested", "\"order\"", "wave", "enrolled")
	case 4:
		return "FLOOR(" + d.number() + " / 10) * 10"
	case 5:
		return "WIDTH_BUCKET(" + d.number() + ", 0, 1000, " + g.pick("5", "20") + ")"
	case 6:
		return "CASE WHEN " + d.condition() + " THEN " + g.pick("'a'", "1", "gender") + " ELSE " + g.pick("'b'", "2", "country") + " END"
	case 7:
		return "DATE_TRUNC('" + g.pick("month", "week", "year") + "', " + g.pick("enrolled", "seen", "born", d.date()) + ")"
	case 8:
		return "EXTRACT(" + g.pick("YEAR", "MONTH", "DOW", "WEEK") + " FROM " + g.pick("enrolled", "seen", d.timestamp()) + ")"
	case 9:
		return d.condition()
	case 10:
		return d.text()
	case 11:
		return "ROUND(" + d.number() + g.pick(", 1)", ")")
	}
	return d.number()
}

func (g generator) question() string {
	var items, keys []string
	for i := range rapid.IntRange(0, 2).Draw(g.T, "keys") {
		keys = append(keys, g.key())
		items = append(items, fmt.Sprintf("%s AS k%d", keys[i], i))
	}
	for i := range rapid.IntRange(1, 3).Draw(g.T, "aggregates") {
		items = append(items, fmt.Sprintf("%s AS a%d", g.aggregate(), i))
	}
	sql := "SELECT " + strings.Join(items, ", ") + " FROM kr_edu.students"
	if rapid.Bool().Draw(g.T, "where") {
		sql += " WHERE " + g.condition()
	}
	if len(keys) > 0 {
		sql += " GROUP BY " + g.pick(strings.Join(keys, ", "), "1")
	}
	if rapid.Bool().Draw(g.T, "having") {
		sql += " HAVING " + g.pick("COUNT(*) > 5", "a0 / 2 < 7 AND SUM(math) > 1", "AVG(reading) > 3 OR SUM(absences) BETWEEN 1 AND 9", "NOT a0 IN (1, 2)", "k0 IS NOT NULL", "k0 > 2 OR COUNT(*) > 1")
	}
	if rapid.Bool().Draw(g.T, "order") {
		sql += " ORDER BY " + g.pick("1", "a0 DESC", "SUM(balance)", "a0, COUNT(reading) DESC LIMIT 4", "k0")
	}
	return sql
}

// row draws stored values within their declared bounds, often the bounds themselves.
func row(t *rapid.T) func(string) any {
	values := map[string]any{
		"gender": rapid.SampledFrom([]any{"female", "male"}).Draw(t, "gender"), "country": rapid.SampledFrom([]any{nil, "KR", "kr ", "GB", "한국", ""}).Draw(t, "country"),
		"grade": rapid.Int64Range(7, 12).Draw(t, "grade"), "school": rapid.SampledFrom([]int64{0, 1, -1, math.MaxInt64, math.MinInt64, 1 << 53}).Draw(t, "school"),
		"immigrant": rapid.SampledFrom([]any{nil, true, false}).Draw(t, "immigrant"), "born": rapid.SampledFrom([]any{"2006-01-31", "0001-01-01", "9999-12-31"}).Draw(t, "born"),
		"tested": rapid.SampledFrom([]any{nil, "2022-03-01T10:00:00Z", "2022-03-01T10:00:00.500000Z"}).Draw(t, "tested"),
		"order":  rapid.SampledFrom([]any{nil, "x"}).Draw(t, "order"), "wave": rapid.SampledFrom([]int64{1, 2, 3, 9}).Draw(t, "wave"),
		"math":    rapid.SampledFrom([]any{nil, int64(0), int64(1), int64(1_000_000), rapid.Int64Range(0, 1_000_000).Draw(t, "math")}).Draw(t, "math or"),
		"reading": rapid.Int64Range(0, 100_000).Draw(t, "reading"), "absences": rapid.Int64Range(0, 200).Draw(t, "absences"),
		"balance":  rapid.Int64Range(-1000, 1000).Draw(t, "balance"),
		"enrolled": rapid.SampledFrom([]any{"2020-01-31", "2020-02-29", "2020-12-31", "2021-03-02"}).Draw(t, "enrolled"),
		"seen":     rapid.SampledFrom([]any{nil, "2020-02-28T22:00:00Z", "2020-02-29T01:30:59.999999Z", "2020-03-31T23:59:59Z"}).Draw(t, "seen"),
		"note": rapid.SampledFrom([]any{"12", "-0.5", "-0", "1e5", "2020-02-30", "2021-02-28", "0000-01-01", "", " 7", "+5", "999999999999999", "0.00000000000001", "１２", "3.", "Ab"}).
			Draw(t, "note"),
	}
	return func(column string) any { return values[column] }
}

// checkShape asserts what no plan may break: it shows keys and aggregates, and computes on declared columns.
func checkShape(tb failer, c shelf, p Plan) {
	tb.Helper()
	parts := p.Parts()
	fail := func(what string) { tb.Helper(); tb.Fatalf("%s: %s", p.Canonical(), what) }
	for _, o := range parts.Outputs {
		if (o.Key < 0) == (o.Aggregate < 0) || o.Key >= len(parts.Keys) || o.Aggregate >= len(parts.Aggregates) {
			fail("an output is neither key nor aggregate")
		}
	}
	for _, d := range parts.Datasets {
		for _, name := range d.Columns {
			column, _ := c[d.ID].Column(name)
			if r := column.Role; r != datasets.Key && r != datasets.Measure {
				fail(name + " is not stored")
			}
		}
	}
	if len(parts.Aggregates) == 0 && (len(parts.Keys) == 0 || parts.PublicKeys != nil) {
		fail("neither an aggregate nor private groups")
	}
	if parts.Contribution.MaxPartitions < 1 || parts.Contribution.MaxRowsPerPartition < 1 {
		fail("no bound")
	}
	for _, k := range parts.Keys {
		if k.Name == "" || k.Type == "" || k.Expr.Op == OpLiteral {
			fail("an odd key")
		}
		eachExpr(k.Expr, func(e Expr) { checkExpr(tb, p, e, false) })
	}
	for _, a := range parts.Arguments {
		if !a.SumUnused && (a.Lower >= a.Upper || a.Lower <= -1<<53 || a.Upper >= 1<<53 || a.Step.Num < 1 || a.Step.Den < 1) {
			fail("an argument without bounds")
		}
		eachExpr(a.Expr, func(e Expr) { checkExpr(tb, p, e, false) })
	}
	if parts.Filter != nil {
		eachExpr(*parts.Filter, func(e Expr) { checkExpr(tb, p, e, false) })
	}
	if parts.Having != nil {
		eachExpr(*parts.Having, func(e Expr) { checkExpr(tb, p, e, true) })
	}
}

func eachExpr(e Expr, f func(Expr)) {
	f(e)
	for _, a := range e.Args {
		eachExpr(a, f)
	}
}

func checkExpr(tb failer, p Plan, e Expr, released bool) {
	tb.Helper()
	if e.Type == "" || e.Op == OpColumn && released || e.Op == OpReleased && !released {
		tb.Fatalf("%s: %+v stands in the wrong place", p.Canonical(), e)
	}
	if e.Type == Number && !e.Null && !(math.Abs(e.Lo) <= largest && math.Abs(e.Hi) <= largest && e.Lo <= e.Hi) {
		tb.Fatalf("%s: interval %g … %g", p.Canonical(), e.Lo, e.Hi)
	}
}

// checkSound evaluates every part of a plan on one row: within its interval, of its type, and NULL only
// where the plan says so.
func checkSound(tb failer, p Plan, row func(string) any) {
	tb.Helper()
	check := func(e Expr) {
		tb.Helper()
		v := Eval(e, row)
		ok := v == nil
		switch x := v.(type) {
		case float64:
			ok = e.Type == Number && x >= e.Lo && x <= e.Hi
		case int64:
			ok = e.Type == Int
		case bool:
			ok = e.Type == Bool
		case string:
			ok = e.Type == Text || e.Type == Date || e.Type == Timestamp
		}
		if !ok {
			tb.Fatalf("%s\n%s is %v, of %s in %g … %g", p.Canonical(), writer{&p.parts}.expr(e), v, e.Type, e.Lo, e.Hi)
		}
	}
	if p.parts.Filter != nil {
		eachExpr(*p.parts.Filter, check)
	}
	for _, k := range p.parts.Keys {
		eachExpr(k.Expr, check)
		checkKey(tb, p, k, row)
	}
	for _, a := range p.parts.Arguments {
		eachExpr(a.Expr, check)
		v := Eval(a.Expr, row)
		if v == nil && !a.Nullable {
			tb.Fatalf("%s\n%s is NULL", p.Canonical(), writer{&p.parts}.expr(a.Expr))
		}
		if x, ok := v.(float64); ok && !a.SumUnused {
			if s := math.Round(steps(x, a.Step)); s < float64(a.Lower) || s > float64(a.Upper) {
				tb.Fatalf("%s\n%s is %g, %g steps of %v, outside %d … %d", p.Canonical(), writer{&p.parts}.expr(a.Expr), x, s, a.Step, a.Lower, a.Upper)
			}
		}
	}
}

// checkKey: a key's value has the key's type, and is one of its domain. Only a declared domain, which
// ingest does not enforce, leaves values out: here a wave of 9.
func checkKey(tb failer, p Plan, k Key, row func(string) any) {
	tb.Helper()
	v := Eval(k.Expr, row)
	if v == nil {
		return
	}
	if x, ok := v.(float64); ok && k.Type == datasets.Int64 && x != math.Trunc(x) {
		tb.Fatalf("%s\nthe key %s is %g, no integer", p.Canonical(), writer{&p.parts}.expr(k.Expr), x)
	}
	encoded := EncodeKey([]any{encodable(v, k.Type)})
	if _, err := DecodeKey([]datasets.Type{k.Type}, encoded); err != nil {
		tb.Fatalf("%s\n%s: %v", p.Canonical(), encoded, err)
	}
	columns := map[string]bool{}
	if refer(k.Expr, columns); columns["wave"] && row("wave") == int64(9) {
		return
	}
	if k.Domain != nil && !slices.ContainsFunc(k.Domain, func(d any) bool { return EncodeKey([]any{d}) == encoded }) {
		tb.Fatalf("%s\nthe key %s is %v, which is not in its domain of %d", p.Canonical(), writer{&p.parts}.expr(k.Expr), v, len(k.Domain))
	}
}

// lowered is the term of one expression over the students.
func lowered(tb failer, c Catalogue, text string) (term, error) {
	tb.Helper()
	p := &planner{source: source{text: "SELECT (" + text + ") FROM kr_edu.students"}, catalogue: c, declarations: map[string]datasets.Declaration{}}
	st, err := p.parse()
	if err == nil {
		err = p.read(st)
	}
	if err != nil {
		tb.Fatal(err)
	}
	return p.rows("no aggregate", "").lower(st.GetTargetList()[0].GetResTarget().GetVal())
}

// checkTerm: what the planner knows of an expression's values holds on a row.
func checkTerm(tb failer, t term, text string, row func(string) any) {
	tb.Helper()
	v := Eval(t.expr, row)
	fail := func(what string) {
		tb.Helper()
		tb.Fatalf("%s is %v: %s (%g … %g, least %g, %+v)", text, v, what, t.lo, t.hi, t.least, t.grid)
	}
	switch x := v.(type) {
	case nil:
		if !t.nullable {
			fail("it is never NULL")
		}
	case float64:
		switch {
		case x < t.lo || x > t.hi:
			fail("beyond its interval")
		case x != 0 && math.Abs(x) < t.least && !math.IsInf(t.least, 1):
			fail("closer to 0 than its least value")
		case t.integral && (x != math.Trunc(x) || t.grid.num > 0 && math.Mod(x, float64(t.grid.num)) != 0):
			fail("off its lattice of integers")
		}
	case string:
		if m, ok := moment(x); t.temporal() && (!ok || m.UnixMicro() < t.earliest || m.UnixMicro() > t.latest) {
			fail("beyond " + t.from().String() + " … " + t.to().String())
		}
	}
}

// What is known of random expressions holds on random rows.
func TestRandomTerms(t *testing.T) {
	c := catalogue(t)
	rapid.Check(t, func(t *rapid.T) {
		text := generator{t, 0}.value()
		x, err := lowered(t, c, text)
		if err != nil {
			return
		}
		for range 10 {
			checkTerm(t, x, text, row(t))
		}
	})
}

func TestRandomQuestions(t *testing.T) {
	c := catalogue(t)
	planned, tried, derived := 0, 0, 0
	rapid.Check(t, func(t *rapid.T) {
		sql := generator{t, 0}.question()
		p, err := New(sql, c, Bounds{})
		if tried++; err != nil {
			var e *Error
			if !errors.As(err, &e) {
				t.Fatal(err)
			}
			return
		}
		planned++
		for _, k := range p.parts.Keys {
			if k.Domain != nil && k.Expr.Op != OpColumn {
				derived++
			}
		}
		checkShape(t, c, p)
		checkRoundTrip(t, c, p)
		for range 5 {
			checkSound(t, p, row(t))
		}
	})
	t.Logf("%d of %d random questions were planned, with %d derived domains", planned, tried, derived)
	if planned*5 < tried {
		t.Errorf("only %d of %d random questions were planned", planned, tried)
	}

}

// FuzzNew: any text is refused or planned, and what is planned keeps its shape.
func FuzzNew(f *testing.F) {
	for _, a := range accepted {
		f.Add(a.sql)
	}
	for _, r := range refusals {
		f.Add(strings.Replace(r.sql, "¦", "", 1))
	}
	for _, e := range escapes {
		f.Add(e)
	}
	c := catalogue(f)
	f.Fuzz(func(t *testing.T, sql string) { refusedOrSound(t, c, sql) })
}

// refusedOrSound refuses a text with a reason, or plans it in a shape that is read back.
func refusedOrSound(t *testing.T, c shelf, sql string) {
	p, err := New(sql, c, Bounds{})
	if err != nil {
		var e *Error
		if !errors.As(err, &e) || e.Message == "" {
			t.Fatalf("%v", err)
		}
		return
	}
	checkShape(t, c, p)
	checkRoundTrip(t, c, p)
}
