package main

import (
	"database/sql"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	_ "github.com/duckdb/duckdb-go/v2" // the exact answers, from the raw tables

	"entrepot/sandbox"
)

const enrolmentDeclaration = `
unit_space: uk_ou/learner
max_rows_per_unit: 5
description: Open University, enrolments
columns:
  - {name: id_student, type: int64, role: privacy_id}
  - {name: code_module, type: string, role: key, domain: [AAA, BBB, CCC, DDD, EEE, FFF, GGG]}
  - {name: code_presentation, type: string, role: key, domain: [2013B, 2013J, 2014B, 2014J]}
  - {name: gender, type: string, role: key, domain: [F, M]}
  - {name: region, type: string, role: key}
  - {name: highest_education, type: string, role: key, domain: ["No Formal quals", "Lower Than A Level",
     "A Level or Equivalent", "HE Qualification", "Post Graduate Qualification"]}
  - {name: age_band, type: string, role: key, domain: ["0-35", "35-55", "55<="]}
  - {name: disability, type: string, role: key, domain: [N, Y]}
  - {name: final_result, type: string, role: key, domain: [Distinction, Pass, Fail, Withdrawn]}
  - {name: studied_credits, type: int64, role: measure, lower: 0, upper: 240}
  - {name: num_of_prev_attempts, type: int64, role: measure, lower: 0, upper: 6}
`

const modulesDeclaration = `
public: true
unique: [code_module]
description: the subject of each module, as the university publishes it
columns:
  - {name: code_module, type: string, role: key}
  - {name: subject, type: string, role: key, domain: [social sciences, STEM]}
`

const modulesCSV = "code_module,subject\nAAA,social sciences\nBBB,social sciences\nCCC,STEM\nDDD,STEM\nEEE,STEM\nFFF,STEM\nGGG,social sciences\n"

// analysis is a question that an analyst of education or retail would ask, and its exact answer from
// the raw tables: what clamping and bounding leave out counts as error.
type analysis struct {
	title  string
	sql    string
	exact  string // in DuckDB's SQL, over views of the raw files; "" where the question's own text does
	delta  string
	bounds map[string]int
}

// analyses are over kr_edu.students and uk_ou.pupils (PISA 2003), uk_ou.enrolments, uk_ou.assessments
// (OULAD), uk_ou.modules (public) and uk_ou.retail (Online Retail II).
func analyses() []analysis {
	const perLearner = "(SELECT id_student, AVG(score) AS mean, COUNT(*) AS n FROM uk_ou.assessments GROUP BY id_student)"
	const perCustomer = "(SELECT customer_id, SUM(CLAMP(quantity * unit_price, 0, 100)) AS spent, COUNT(*) AS lines FROM uk_ou.retail GROUP BY customer_id)"
	const both = "WITH pupils AS (SELECT 'KR' AS country, gender, books, math, science FROM kr_edu.students UNION ALL SELECT 'GB', gender, books, math, science FROM uk_ou.pupils) "
	return []analysis{
		{title: "Mean scores by gender",
			sql: "SELECT gender, COUNT(*) AS pupils, AVG(math) AS maths, AVG(reading) AS reading FROM kr_edu.students GROUP BY gender"},
		{title: "Spread of scores",
			sql: "SELECT gender, AVG(science) AS science, STDDEV(science) AS deviation FROM kr_edu.students GROUP BY gender"},
		{title: "Reading: tenth, middle and ninetieth percentile",
			sql: "SELECT PERCENTILE_CONT(0.1) WITHIN GROUP (ORDER BY reading) AS p10, MEDIAN(reading) AS p50, PERCENTILE_CONT(0.9) WITHIN GROUP (ORDER BY reading) AS p90 FROM kr_edu.students"},
		{title: "Median of maths by books at home",
			sql: "SELECT books, MEDIAN(math) AS maths FROM uk_ou.pupils GROUP BY books"},
		{title: "Share above 600 points, with and without a computer",
			sql: "SELECT computer, AVG(CASE WHEN math > 600 THEN 1 ELSE 0 END) AS share FROM kr_edu.students GROUP BY computer"},
		{title: "Scores by band of social status",
			sql:   "SELECT WIDTH_BUCKET(escs, -3, 3, 6) AS band, COUNT(*) AS pupils, AVG(math) AS maths FROM uk_ou.pupils WHERE escs > -2 AND escs < 2 GROUP BY band",
			exact: "SELECT floor(escs + 3) + 1 AS band, COUNT(*) AS pupils, AVG(math) AS maths FROM uk_ou.pupils WHERE escs > -2 AND escs < 2 GROUP BY band"},
		{title: "What pupils have at home",
			sql: "SELECT COUNT(*) FILTER (WHERE desk) AS desk, COUNT(*) FILTER (WHERE computer) AS computer, COUNT(*) AS pupils FROM uk_ou.pupils"},
		{title: "Korea and the United Kingdom together",
			sql: both + "SELECT country, COUNT(*) AS pupils, AVG(math) AS maths FROM pupils GROUP BY country"},
		{title: "Gender gap across the border",
			sql: both + "SELECT country, gender, AVG(science) AS science FROM pupils GROUP BY country, gender"},
		{title: "Learners by age",
			sql: "SELECT age_band, COUNT(DISTINCT id_student) AS learners FROM uk_ou.enrolments GROUP BY age_band"},
		{title: "Results by earlier education",
			sql:    "SELECT highest_education, AVG(CASE WHEN final_result IN ('Pass', 'Distinction') THEN 1 ELSE 0 END) AS passed FROM uk_ou.enrolments GROUP BY highest_education",
			bounds: map[string]int{"max_partitions": 1, "max_rows_per_partition": 2}},
		{title: "Enrolments by region",
			sql: "SELECT region, COUNT(*) AS enrolments FROM uk_ou.enrolments GROUP BY region", delta: "1e-6",
			bounds: map[string]int{"max_partitions": 1, "max_rows_per_partition": 2}},
		{title: "Enrolments by subject, from a public table",
			sql:    "SELECT m.subject, COUNT(*) AS enrolments, AVG(e.studied_credits) AS credits FROM uk_ou.enrolments AS e JOIN uk_ou.modules AS m ON e.code_module = m.code_module GROUP BY m.subject",
			bounds: map[string]int{"max_rows_per_partition": 2}},
		{title: "Submissions per learner",
			sql: "SELECT AVG(n) AS average, MEDIAN(n) AS median FROM " + perLearner + " AS t"},
		{title: "Learners by their mean score",
			sql: "SELECT FLOOR(mean / 20) * 20 AS score, COUNT(*) AS learners FROM " + perLearner + " AS t GROUP BY score"},
		{title: "Mean score by result, enrolments joined with assessments",
			sql:    "SELECT e.final_result, AVG(t.mean) AS score FROM uk_ou.enrolments AS e JOIN " + perLearner + " AS t ON e.id_student = t.id_student GROUP BY e.final_result",
			bounds: map[string]int{"max_partitions": 2, "max_rows_per_partition": 1}},
		{title: "Submissions by age, many rows on both sides",
			sql:    "SELECT e.age_band, COUNT(*) AS submissions FROM uk_ou.enrolments AS e JOIN uk_ou.assessments AS a ON e.id_student = a.id_student GROUP BY e.age_band",
			bounds: map[string]int{"max_partitions": 1, "max_rows_per_partition": 30}},
		{title: "From the first score to the last",
			sql:   "SELECT AVG(late - early) AS gain FROM (SELECT id_student, FIRST(score ORDER BY date_submitted) AS early, LAST(score ORDER BY date_submitted) AS late FROM uk_ou.assessments WHERE score IS NOT NULL GROUP BY id_student) AS t",
			exact: "SELECT AVG(late - early) AS gain FROM (SELECT id_student, arg_min(score, date_submitted) AS early, arg_max(score, date_submitted) AS late FROM uk_ou.assessments WHERE score IS NOT NULL GROUP BY id_student) AS t"},
		{title: "Customers by month",
			sql: "SELECT date_trunc('month', invoiced_at) AS month, COUNT(DISTINCT customer_id) AS customers FROM uk_ou.retail GROUP BY month"},
		{title: "Turnover by quarter, a customer's quarter cut at 5,000 pounds",
			sql:    "SELECT quarter, SUM(CLAMP(spent, 0, 5000)) AS turnover FROM (SELECT customer_id, date_trunc('quarter', invoiced_at) AS quarter, SUM(CLAMP(quantity * unit_price, 0, 500)) AS spent FROM uk_ou.retail GROUP BY customer_id, quarter) AS t GROUP BY quarter",
			exact:  "SELECT date_trunc('quarter', invoiced_at) AS quarter, SUM(CLAMP(quantity * unit_price, 0, 500)) AS turnover FROM uk_ou.retail GROUP BY quarter",
			bounds: map[string]int{"max_rows_per_partition": 1}}, // a customer has one row a quarter in the sub-query
		{title: "What a customer spends in a year",
			sql:   "SELECT MEDIAN(spent) AS median, PERCENTILE_CONT(0.75) WITHIN GROUP (ORDER BY spent) AS upper_quartile FROM " + perCustomer + " AS t",
			exact: "SELECT MEDIAN(spent) AS median, PERCENTILE_CONT(0.75) WITHIN GROUP (ORDER BY spent) AS upper_quartile FROM (SELECT customer_id, SUM(CLAMP(CLAMP(quantity, 0, 100) * CLAMP(unit_price, 0, 50), 0, 100)) AS spent FROM uk_ou.retail GROUP BY customer_id) AS t"},
		{title: "Customers who came back",
			sql:   "SELECT COUNT(*) AS customers, AVG(CASE WHEN months >= 3 THEN 1 ELSE 0 END) AS loyal FROM (SELECT customer_id, COUNT(DISTINCT EXTRACT(MONTH FROM invoiced_at)) AS months FROM uk_ou.retail GROUP BY customer_id) AS t",
			exact: "SELECT COUNT(*) AS customers, AVG(CASE WHEN months >= 3 THEN 1 ELSE 0 END) AS loyal FROM (SELECT customer_id, COUNT(DISTINCT EXTRACT(MONTH FROM invoiced_at)) AS months FROM uk_ou.retail GROUP BY customer_id) AS t"},
	}
}

// errorsFile is the table that TestAnalyses writes when ENTREPOT_WRITE is set, and otherwise compares its
// questions with.
const errorsFile = "QUESTIONS.md"

// analysisDraws is how often each question is asked.
func analysisDraws() int {
	if soak() {
		return 100
	}
	return 10
}

// TestAnalyses asks what analysts of the real tables would, at ε = 1, and holds the answers against
// the exact ones from the raw files: the median error over groups and draws must be small.
func TestAnalyses(t *testing.T) {
	s := registerAnalyses(t)
	raw := openRaw(t)
	var table strings.Builder
	table.WriteString(errorsHeader)
	for i, q := range analyses() {
		t.Run(q.title, func(t *testing.T) {
			measured := s.measure(t, raw, q)
			fmt.Fprintf(&table, "| %d | %s | `%s` | %s | %d of %d | %s |\n", i+1, q.title, q.sql, limits(q), measured.groups, measured.exactGroups, measured.text())
			for name, relative := range measured.relative {
				if m := median(relative); !(m < 0.5) {
					t.Errorf("%s: the median relative error is %.3g", name, m)
				}
			}
		})
	}
	s.verify()
	if os.Getenv("ENTREPOT_WRITE") != "" {
		if err := os.WriteFile(errorsFile, []byte(table.String()), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	written, err := os.ReadFile(errorsFile)
	if err != nil {
		t.Fatal(err)
	}
	for _, q := range analyses() {
		if !strings.Contains(string(written), "`"+q.sql+"`") {
			t.Errorf("%s does not hold %q: run this test with ENTREPOT_WRITE=1", errorsFile, q.title)
		}
	}
}

const errorsHeader = `# How far answers are off

Questions that an analyst of education or retail would ask, of the real tables, each at ε = 1 (and δ = 10⁻⁶ where groups are
private). Relative error: |answer − exact| / |exact|, the median over groups and 100 draws; exact is what plain DuckDB computes from the
raw files, so that what clamping and contribution bounds leave out is part of the error. Written by
` + "`ENTREPOT_SOAK=1 ENTREPOT_WRITE=1 go test ./cmd/entrepot -run TestAnalyses`" + `.

| | question | SQL | bounds | groups | median relative error |
|---|---|---|---|---|---|
`

// limits writes the contribution bounds of a question.
func limits(q analysis) string {
	var out []string
	for _, name := range []string{"max_partitions", "max_rows_per_partition"} {
		if n, ok := q.bounds[name]; ok {
			out = append(out, fmt.Sprintf("%s %d", name, n))
		}
	}
	if len(out) == 0 {
		return "default"
	}
	return strings.Join(out, ", ")
}

// registerAnalyses registers the tables of the analyses with budgets for many draws.
func registerAnalyses(t *testing.T) *server {
	s := registerReal(t)
	s.declare("uk_ou.modules", modulesDeclaration, "text/csv", []byte(modulesCSV))
	s.declare("uk_ou.enrolments", enrolmentDeclaration, parquetType, readReal(t, "oulad-students.parquet"))
	s.project("kr_edu.students", "uk_ou.pupils", "uk_ou.assessments", "uk_ou.retail", "uk_ou.enrolments", "uk_ou.modules")
	return s
}

// openRaw opens the raw files as tables of the same names, with CLAMP.
func openRaw(t *testing.T) *sql.DB {
	t.Helper()
	db, err := sql.Open("duckdb", "")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = db.Close() })
	db.SetMaxOpenConns(1)
	script := "CREATE SCHEMA kr_edu; CREATE SCHEMA uk_ou; CREATE MACRO CLAMP(x, a, b) AS CASE WHEN x < a THEN a WHEN x > b THEN b ELSE x END;"
	for _, v := range []struct{ id, file, where string }{
		{"kr_edu.students", "pisa2003-kr.parquet", ""}, {"uk_ou.pupils", "pisa2003-gb.parquet", ""},
		{"uk_ou.enrolments", "oulad-students.parquet", ""}, {"uk_ou.assessments", "oulad-assessments.parquet", ""},
		{"uk_ou.retail", "online-retail-2009.parquet", " WHERE customer_id IS NOT NULL"}, // a sale to nobody is in no privacy unit
	} {
		script += fmt.Sprintf(" CREATE VIEW %s AS SELECT * FROM '%s'%s;", v.id, filepath.Join(realData, v.file), v.where)
	}
	script += " CREATE TABLE uk_ou.modules (code_module VARCHAR, subject VARCHAR);"
	for _, line := range strings.Split(strings.TrimSpace(modulesCSV), "\n")[1:] {
		script += fmt.Sprintf(" INSERT INTO uk_ou.modules VALUES ('%s');", strings.ReplaceAll(line, ",", "', '"))
	}
	if _, err := db.ExecContext(t.Context(), script); err != nil {
		t.Fatal(err)
	}
	return db
}

// errorsOf is what was measured of one question.
type errorsOf struct {
	names               []string // aggregates, in the answer's order
	relative            map[string][]float64
	groups, exactGroups int // of the last draw; in the raw tables
}

// text is the median of each aggregate.
func (e errorsOf) text() string {
	var out []string
	for _, name := range e.names {
		out = append(out, fmt.Sprintf("%s %.2g %%", name, 100*median(e.relative[name])))
	}
	return strings.Join(out, ", ")
}

func median(x []float64) float64 {
	if len(x) == 0 {
		return math.NaN()
	}
	x = slices.Sorted(slices.Values(x))
	return x[len(x)/2]
}

// measure asks a question several times and compares the answers with the exact one.
func (s *server) measure(t *testing.T, raw *sql.DB, q analysis) errorsOf {
	t.Helper()
	delta := "0"
	if q.delta != "" {
		delta = q.delta
	}
	body := ask(q.sql, "1", delta).with("fresh", true)
	if q.bounds != nil {
		body = body.with("bounds", q.bounds)
	}
	var exact map[string]map[string]float64
	e := errorsOf{relative: map[string][]float64{}}
	for range analysisDraws() {
		a := s.answer(body)
		if exact == nil {
			exact = exactAnswer(t, raw, q, a)
			e.exactGroups = len(exact)
			for _, c := range a.Columns {
				if c.Kind == "aggregate" {
					e.names = append(e.names, c.Name)
				}
			}
		}
		e.groups = len(a.Rows)
		for _, r := range a.Rows {
			truth, ok := exact[groupOf(t, a, r)]
			if !ok {
				continue // a public group that nobody is in
			}
			for name, x := range truth {
				if x != 0 {
					e.relative[name] = append(e.relative[name], math.Abs(number(t, r, name)-x)/math.Abs(x))
				}
			}
		}
	}
	return e
}

// groupOf writes a group's keys as one text.
func groupOf(t *testing.T, a sandbox.Answer, r sandbox.Row) string {
	t.Helper()
	var keys []string
	for _, c := range a.Columns {
		if c.Kind == "key" {
			keys = append(keys, fmt.Sprint(field(t, r, c.Name)))
		}
	}
	return strings.Join(keys, "|")
}

// exactAnswer computes a question on the raw tables: group → aggregate → value.
func exactAnswer(t *testing.T, raw *sql.DB, q analysis, a sandbox.Answer) map[string]map[string]float64 {
	t.Helper()
	text := q.sql
	if q.exact != "" {
		text = q.exact
	}
	var list []string
	for _, c := range a.Columns {
		item := fmt.Sprintf("CAST(%s AS DOUBLE)", c.Name)
		if c.Kind == "key" {
			item = fmt.Sprintf("CAST(%s AS VARCHAR)", c.Name)
			if c.Type == "timestamp" {
				item = fmt.Sprintf("strftime(CAST(%s AS TIMESTAMP), '%%Y-%%m-%%dT%%H:%%M:%%SZ')", c.Name)
			}
			if c.Type == "int64" {
				item = fmt.Sprintf("CAST(CAST(%s AS BIGINT) AS VARCHAR)", c.Name)
			}
		}
		list = append(list, item)
	}
	rows, err := raw.QueryContext(t.Context(), "SELECT "+strings.Join(list, ", ")+" FROM ("+text+")")
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	exact := map[string]map[string]float64{}
	for rows.Next() {
		values := make([]any, len(a.Columns))
		for i, c := range a.Columns {
			values[i] = new(sql.NullFloat64)
			if c.Kind == "key" {
				values[i] = new(sql.NullString)
			}
		}
		if err := rows.Scan(values...); err != nil {
			t.Fatal(err)
		}
		var keys []string
		cells := map[string]float64{}
		for i, c := range a.Columns {
			switch v := values[i].(type) {
			case *sql.NullString:
				keys = append(keys, v.String)
			case *sql.NullFloat64:
				cells[c.Name] = v.Float64
			}
		}
		exact[strings.Join(keys, "|")] = cells
	}
	if err := rows.Err(); err != nil {
		t.Fatal(err)
	}
	return exact
}

// declare is register for a table whose account is open or that needs none.
func (s *server) declare(id, declaration, contentType string, rows []byte) {
	s.Helper()
	org, name, _ := strings.Cut(id, ".")
	owner, path := s.owner(org), "/v1/datasets/"+org+"/"+name
	s.must("PUT", path, owner, declaration, "Content-Type", "application/yaml")
	s.must("POST", path+"/versions", owner, rows, "Content-Type", contentType)
	s.must("PUT", path+"/policy", owner, research)
}
