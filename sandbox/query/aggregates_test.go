package query

import (
	"strings"
	"testing"

	"entrepot/privacy"
)

// Aggregates with what they become; "" for the canonical text when it is as written.
func TestAggregates(t *testing.T) {
	c := catalogue(t)
	none := Argument{}
	for _, test := range []struct {
		aggregate, canonical string
		want                 Aggregate
		argument             Argument // its bounds, step and flags
	}{
		{"COUNT(*)", "", Aggregate{Kind: privacy.Count, Argument: -1}, none},
		{"COUNT(DISTINCT student_id)", "", Aggregate{Kind: privacy.CountUnits, Argument: -1}, none},
		{"COUNT(reading)", "COUNT(*)", Aggregate{Kind: privacy.Count, Argument: -1}, none},
		{"COUNT(*) FILTER (WHERE TRUE)", "COUNT(*)", Aggregate{Kind: privacy.Count, Argument: -1}, none},
		{"COUNT(*) FILTER (WHERE math > 5)", "COUNT(CASE WHEN math > 5 THEN TRUE END)", Aggregate{Kind: privacy.Count}, Argument{Step: privacy.Step{Num: 1, Den: 1}, Nullable: true, SumUnused: true}},
		{"COUNT(reading) FILTER (WHERE math > 5)", "COUNT(CASE WHEN math > 5 THEN TRUE END)", Aggregate{Kind: privacy.Count}, Argument{Step: privacy.Step{Num: 1, Den: 1}, Nullable: true, SumUnused: true}},
		{"COUNT(math) FILTER (WHERE 5 < reading)", "COUNT(CASE WHEN reading > 5 THEN math END)", Aggregate{Kind: privacy.Count}, Argument{Step: privacy.Step{Num: 1, Den: 1}, Nullable: true, SumUnused: true}},
		{"COUNT(DISTINCT student_id) FILTER (WHERE math > 5)", "", Aggregate{Kind: privacy.CountUnits}, Argument{Step: privacy.Step{Num: 1, Den: 1}, Nullable: true, SumUnused: true}},
		{"COUNT(DISTINCT country)", "", Aggregate{Kind: privacy.CountDistinct}, Argument{Step: privacy.Step{Num: 1, Den: 1}, Nullable: true, SumUnused: true}},
		{"COUNT(DISTINCT school)", "", Aggregate{Kind: privacy.CountDistinct}, Argument{Step: privacy.Step{Num: 1, Den: 1}, SumUnused: true}},
		{"COUNT(DISTINCT LOWER(country)) FILTER (WHERE immigrant)", "COUNT(DISTINCT CASE WHEN immigrant THEN LOWER(country) END)", Aggregate{Kind: privacy.CountDistinct}, Argument{Step: privacy.Step{Num: 1, Den: 1}, Nullable: true, SumUnused: true}},
		{"SUM(math)", "", Aggregate{Kind: privacy.Sum}, Argument{Upper: 1_000_000, Step: privacy.Step{Num: 1, Den: 1000}, Column: "math", Nullable: true}},
		{"SUM(balance) FILTER (WHERE balance > 0)", "SUM(CASE WHEN balance > 0 THEN balance END)", Aggregate{Kind: privacy.Sum}, Argument{Upper: 1000, Step: privacy.Step{Num: 1, Den: 2}, Nullable: true}},
		{"SUM(1) FILTER (WHERE immigrant)", "SUM(CASE WHEN immigrant THEN 1 END)", Aggregate{Kind: privacy.Sum}, Argument{Upper: 1, Step: privacy.Step{Num: 1, Den: 1}, Nullable: true}},
		{"AVG(grade)", "", Aggregate{Kind: privacy.Mean}, Argument{Lower: 7, Upper: 12, Step: privacy.Step{Num: 1, Den: 1}}},
		{"VARIANCE(absences)", "VAR_SAMP(absences)", Aggregate{Kind: privacy.Variance, Sample: true}, Argument{Upper: 200, Step: privacy.Step{Num: 1, Den: 1}, Column: "absences"}},
		{"VAR_POP(absences)", "", Aggregate{Kind: privacy.Variance}, Argument{Upper: 200, Step: privacy.Step{Num: 1, Den: 1}, Column: "absences"}},
		{"STDDEV(absences)", "STDDEV_SAMP(absences)", Aggregate{Kind: privacy.Variance, Sample: true, Root: true}, Argument{Upper: 200, Step: privacy.Step{Num: 1, Den: 1}, Column: "absences"}},
		{"STDDEV_POP(absences)", "", Aggregate{Kind: privacy.Variance, Root: true}, Argument{Upper: 200, Step: privacy.Step{Num: 1, Den: 1}, Column: "absences"}},
		{"MIN(absences)", "", Aggregate{Kind: privacy.Quantile}, Argument{Upper: 200, Step: privacy.Step{Num: 1, Den: 1}, Column: "absences"}},
		{"MAX(absences)", "", Aggregate{Kind: privacy.Quantile, Rank: 1}, Argument{Upper: 200, Step: privacy.Step{Num: 1, Den: 1}, Column: "absences"}},
		{"MEDIAN(absences)", "", Aggregate{Kind: privacy.Quantile, Rank: 0.5}, Argument{Upper: 200, Step: privacy.Step{Num: 1, Den: 1}, Column: "absences"}},
		{"PERCENTILE_CONT(0.9) WITHIN GROUP (ORDER BY absences)", "", Aggregate{Kind: privacy.Quantile, Rank: 0.9}, Argument{Upper: 200, Step: privacy.Step{Num: 1, Den: 1}, Column: "absences"}},
		{"PERCENTILE_CONT(0.9) WITHIN GROUP (ORDER BY absences DESC)", "PERCENTILE_CONT(0.1) WITHIN GROUP (ORDER BY absences)", Aggregate{Kind: privacy.Quantile, Rank: 0.1}, Argument{Upper: 200, Step: privacy.Step{Num: 1, Den: 1}, Column: "absences"}},
		{"PERCENTILE_CONT(1) WITHIN GROUP (ORDER BY absences)", "MAX(absences)", Aggregate{Kind: privacy.Quantile, Rank: 1}, Argument{Upper: 200, Step: privacy.Step{Num: 1, Den: 1}, Column: "absences"}},
		{"PERCENTILE_CONT(0.5) WITHIN GROUP (ORDER BY absences) FILTER (WHERE math > 5)", "MEDIAN(CASE WHEN math > 5 THEN absences END)", Aggregate{Kind: privacy.Quantile, Rank: 0.5}, Argument{Upper: 200, Step: privacy.Step{Num: 1, Den: 1}, Nullable: true}},
		// a condition bounds what nothing else does
		{"AVG(school) FILTER (WHERE school BETWEEN 0 AND 10)", "AVG(CASE WHEN school <= 10 AND school >= 0 THEN school END)", Aggregate{Kind: privacy.Mean}, Argument{Upper: 10, Step: privacy.Step{Num: 1, Den: 1}, Nullable: true}},
		{"MAX(EXTRACT(YEAR FROM enrolled))", "", Aggregate{Kind: privacy.Quantile, Rank: 1}, Argument{Lower: 2020, Upper: 2021, Step: privacy.Step{Num: 1, Den: 1}}},
		{"AVG(enrolled - DATE '2020-01-01')", "", Aggregate{Kind: privacy.Mean}, Argument{Lower: 30, Upper: 426, Step: privacy.Step{Num: 1, Den: 1}}},
		{"AVG(EXTRACT(EPOCH FROM seen - TIMESTAMP '2020-02-28T22:00:00Z'))", "", Aggregate{Kind: privacy.Mean}, Argument{Upper: 2_771_999, Step: privacy.Step{Num: 1, Den: 1}, Nullable: true}},
		{"SUM(absences % 7)", "SUM(absences - 7 * FLOOR(absences / 7))", Aggregate{Kind: privacy.Sum}, Argument{Upper: 6, Step: privacy.Step{Num: 1, Den: 1}}},
		{"SUM(WIDTH_BUCKET(math, ARRAY[0, 500]))", "", Aggregate{Kind: privacy.Sum}, Argument{Lower: 1, Upper: 2, Step: privacy.Step{Num: 1, Den: 1}, Nullable: true}},
		{"SUM(CAST(immigrant AS int))", "SUM(CASE WHEN immigrant THEN 1 WHEN NOT immigrant THEN 0 END)", Aggregate{Kind: privacy.Sum}, Argument{Upper: 1, Step: privacy.Step{Num: 1, Den: 1}, Nullable: true}},
		{"SUM(ROUND(math, 1))", "SUM(ROUND(math * 10) / 10)", Aggregate{Kind: privacy.Sum}, Argument{Upper: 10_000, Step: privacy.Step{Num: 1, Den: 10}, Nullable: true}},
	} {
		p := plan(t, "SELECT "+test.aggregate+" AS x FROM kr_edu.students")
		canonical := test.canonical
		if canonical == "" {
			canonical = test.aggregate
		}
		if want := "SELECT " + canonical + " AS x FROM kr_edu.students"; p.Canonical() != want {
			t.Errorf("%s\n got %s\nwant %s", test.aggregate, p.Canonical(), want)
		}
		parts := p.Parts()
		if len(parts.Aggregates) != 1 || parts.Aggregates[0] != test.want {
			t.Errorf("%s: %+v", test.aggregate, parts.Aggregates)
			continue
		}
		if test.want.Argument >= 0 {
			got := parts.Arguments[0]
			got.Expr = Expr{}
			if !equalArgument(got, test.argument) {
				t.Errorf("%s: %+v, want %+v", test.aggregate, got, test.argument)
			}
		}
		checkRoundTrip(t, c, p)
	}
}

func equalArgument(a, b Argument) bool {
	return a.Lower == b.Lower && a.Upper == b.Upper && a.Step == b.Step && a.Column == b.Column && a.Nullable == b.Nullable && a.SumUnused == b.SumUnused
}

// Aggregates of one argument share it, so that they can share their noise.
func TestSharedArguments(t *testing.T) {
	for _, test := range []struct {
		list                  string
		aggregates, arguments int
	}{
		{"COUNT(math) AS a, AVG(math) AS b, STDDEV(math) AS c, MEDIAN(math) AS d, MIN(math) AS e", 5, 1},
		{"SUM(math) AS a, SUM(math) AS b, MEDIAN(math) AS c, PERCENTILE_CONT(0.5) WITHIN GROUP (ORDER BY math) AS d", 2, 1},
		{"COUNT(*) FILTER (WHERE math > 5) AS a, COUNT(reading) FILTER (WHERE math > 5) AS b, COUNT(DISTINCT student_id) FILTER (WHERE math > 5) AS c", 2, 1},
		{"AVG(math) FILTER (WHERE grade > 8) AS a, AVG(math) FILTER (WHERE grade > 9) AS b", 2, 2},
		{"COUNT(DISTINCT grade) AS a, AVG(grade) AS b", 2, 1},
		{"COUNT(DISTINCT math) AS a, COUNT(math) AS b", 2, 1},
		{"VARIANCE(math) AS a, VAR_SAMP(math) AS b, VAR_POP(math) AS c", 2, 1},
	} {
		p := plan(t, "SELECT "+test.list+" FROM kr_edu.students")
		if n, m := len(p.parts.Aggregates), len(p.parts.Arguments); n != test.aggregates || m != test.arguments {
			t.Errorf("%s: %d aggregates of %d arguments", test.list, n, m)
		}
		checkRoundTrip(t, catalogue(t), p)
	}
}

func TestAggregatesRefused(t *testing.T) {
	c := catalogue(t)
	for _, test := range []struct{ aggregate, message, hint string }{
		{"MIN(gender)", "a number is needed", "CAST"}, {"MAX(born)", "a number is needed", "EXTRACT"}, {"MIN(5)", "MIN of a constant", "COUNT(*)"},
		{"MEDIAN(LENGTH(country))", "MEDIAN needs bounded values, and LENGTH(country)", "MEDIAN(CLAMP(LENGTH(country), lower, upper))"},
		{"STDDEV(school)", "school is declared without bounds", "STDDEV(CLAMP(school, lower, upper))"},
		{"AVG(CAST(note AS DOUBLE PRECISION))", "numbers read from text", "AVG(CLAMP(CAST(note AS DOUBLE PRECISION), lower, upper))"},
		{"AVG(born - enrolled)", "born is declared without earliest and latest", "AVG(CLAMP(born - enrolled, lower, upper))"},
		{"AVG(EXTRACT(YEAR FROM DATE_TRUNC('year', born)))", "born is declared without earliest and latest", "CLAMP"},
		{"AVG(EXTRACT(YEAR FROM CAST(note AS DATE)))", "dates in text have no declared", "CLAMP"},
		{"AVG(school) FILTER (WHERE school > 3)", "AVG needs bounded values, and school has", "AVG(CLAMP(school, lower, upper))"},
		{"AVG(school) FILTER (WHERE grade BETWEEN 0 AND 10)", "school is declared without bounds", "CLAMP"},
		{"AVG(math / (balance - 3))", "the divisor balance - 3 may come close", "CLAMP(math / (balance - 3), lower, upper)"},
		{"PERCENTILE_CONT(0.5) WITHIN GROUP (ORDER BY school)", "PERCENTILE_CONT needs bounded", "WITHIN GROUP (ORDER BY CLAMP(school, lower, upper))"},
		{"PERCENTILE_CONT(1.5) WITHIN GROUP (ORDER BY math)", "constant from 0 to 1", "0.9"}, {"PERCENTILE_CONT(grade) WITHIN GROUP (ORDER BY math)", "constant from 0 to 1", "0.9"},
		{"PERCENTILE_CONT(0.5)", "this form of PERCENTILE_CONT", "WITHIN GROUP"}, {"PERCENTILE_CONT(math)", "this form", "WITHIN GROUP"},
		{"PERCENTILE_CONT(0.5) WITHIN GROUP (ORDER BY math, reading)", "this form", "WITHIN GROUP"}, {"PERCENTILE_CONT(0.5) WITHIN GROUP (ORDER BY math NULLS FIRST)", "this ORDER BY", "ORDER BY x"},
		{"PERCENTILE_DISC(0.5) WITHIN GROUP (ORDER BY math)", "percentile_disc is no aggregate that is supported", "PERCENTILE_CONT"}, {"MEDIAN(math) WITHIN GROUP (ORDER BY math)", "WITHIN GROUP is for", "PERCENTILE_CONT"},
		{"SUM(math ORDER BY reading)", "ORDER BY inside", "leave it out"}, {"MAX(DISTINCT math)", "DISTINCT is supported in COUNT", "leave DISTINCT out"},
		{"COUNT(DISTINCT math, reading)", "one argument", "COUNT(x)"}, {"COUNT(DISTINCT student_id || 'x')", "privacy ID", "COUNT(DISTINCT student_id)"},
		{"BOOL_OR(immigrant)", "sub-query that groups by the privacy ID", "COUNT(*) FILTER"}, {"FIRST(math ORDER BY born)", "sub-query that groups", "rows never leave"},
		{"ANY_VALUE(math)", "sub-query", "rows never leave"}, {"AVG(MAX(math))", "inside another", "by itself"}, {"COUNT(*) FILTER (WHERE COUNT(*) > 3)", "inside another", "by itself"},
		{"SUM(math) FILTER (WHERE math)", "FILTER needs a condition", "compare"}, {"COUNT(*) FILTER (WHERE student_id = 'x')", "privacy ID", "COUNT(DISTINCT"},
		{"CORR(math, reading)", "function corr", "AVG(x * y)"}, {"STRING_AGG(gender, ',')", "function string_agg", "rows never leave"},
		{"SUM(CASE WHEN math > 1 THEN 0 END)", "one possible value", "COUNT(x)"}, {"MEDIAN(1) FILTER (WHERE immigrant)", "one possible value", "COUNT(x)"},
	} {
		e := refused(t, c, "SELECT "+test.aggregate+" AS x FROM kr_edu.students")
		if !strings.Contains(e.Message, test.message) || !strings.Contains(e.Hint, test.hint) {
			t.Errorf("%s\n says %q, hint %q", test.aggregate, e.Message, e.Hint)
		}
	}
}
