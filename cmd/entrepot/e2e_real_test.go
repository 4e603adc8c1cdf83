package main

import (
	"bytes"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/apache/arrow/go/v17/arrow/array"
	"github.com/apache/arrow/go/v17/arrow/memory"
	"github.com/apache/arrow/go/v17/parquet/file"
	"github.com/apache/arrow/go/v17/parquet/pqarrow"

	"entrepot/datasets"
	"entrepot/privacy"
	"entrepot/privacy/privacytest"
	"entrepot/sandbox"
	"entrepot/sandbox/query"
)

const pisaDeclaration = `
unit_space: %s/student
max_rows_per_unit: 1
description: PISA 2003, students aged 15
columns:
  - {name: student_id, type: string, role: privacy_id}
  - {name: school_id, type: string, role: hidden}
  - {name: gender, type: string, role: key, domain: [female, male], nullable: true, category: "pd:Gender"}
  - {name: mother_educ, type: string, role: key, nullable: true}
  - {name: computer, type: bool, role: key, nullable: true}
  - {name: desk, type: bool, role: key, nullable: true}
  - {name: books, type: string, role: key, nullable: true,
     domain: ["0-10", "11-25", "26-100", "101-200", "201-500", "more than 500"]}
  - {name: math, type: float64, role: measure, lower: 0, upper: 1000, resolution: 0.01, nullable: true}
  - {name: reading, type: float64, role: measure, lower: 0, upper: 1000, resolution: 0.01, nullable: true}
  - {name: science, type: float64, role: measure, lower: 0, upper: 1000, resolution: 0.01, nullable: true}
  - {name: escs, type: float64, role: measure, lower: -5, upper: 5, resolution: 0.0001, nullable: true}
`

const ouladDeclaration = `
unit_space: uk_ou/learner
max_rows_per_unit: 28
description: Open University, submitted assessments
columns:
  - {name: id_student, type: int64, role: privacy_id}
  - {name: id_assessment, type: int64, role: key}
  - {name: date_submitted, type: int64, role: measure, lower: -20, upper: 620}
  - {name: is_banked, type: bool, role: key}
  - {name: score, type: int64, role: measure, lower: 0, upper: 100, nullable: true}
`

const retailDeclaration = `
unit_space: uk_ou/customer
max_rows_per_unit: 1000
description: Online retail, invoice lines
columns:
  - {name: customer_id, type: int64, role: privacy_id}
  - {name: country, type: string, role: key}
  - {name: stock_code, type: string, role: key}
  - {name: invoiced_at, type: timestamp, role: key, earliest: "2009-12-01T00:00:00Z", latest: "2010-12-31T23:59:59Z"}
  - {name: quantity, type: int64, role: measure, lower: 0, upper: 100}
  - {name: unit_price, type: float64, role: measure, lower: 0, upper: 50, resolution: 0.01}
`

const parquetType = "application/vnd.apache.parquet"

// registerReal registers the real tables as their owners would, with budgets for many questions.
func registerReal(t testing.TB) *server {
	needRealData(t)
	s := start(t)
	s.partners()
	for _, table := range []struct{ id, declaration, file string }{
		{"kr_edu.students", fmt.Sprintf(pisaDeclaration, "kr_edu"), "pisa2003-kr.parquet"},
		{"uk_ou.pupils", strings.ReplaceAll(fmt.Sprintf(pisaDeclaration, "uk_ou"), "uk_ou/student", "uk_ou/pupil"), "pisa2003-gb.parquet"},
		{"uk_ou.assessments", ouladDeclaration, "oulad-assessments.parquet"},
		{"uk_ou.retail", retailDeclaration, "online-retail-2009.parquet"},
	} {
		s.register(table.id, table.declaration, parquetType, readReal(t, table.file), "1000", "0.01")
	}
	s.project("kr_edu.students", "uk_ou.pupils", "uk_ou.assessments", "uk_ou.retail")
	return s
}

// TestRealTables asks what analysts of these tables would, through REST.
func TestRealTables(t *testing.T) {
	s := registerReal(t)
	kr := exactPISA(t, "pisa2003-kr.parquet")
	gb := exactPISA(t, "pisa2003-gb.parquet")

	t.Run("mean maths by gender", func(t *testing.T) {
		a := s.answer(ask("SELECT gender, COUNT(*) AS students, AVG(math) AS maths FROM kr_edu.students GROUP BY gender", "1", "0"))
		if len(a.Rows) != 2 {
			t.Fatalf("rows %v", a.Rows)
		}
		for _, r := range a.Rows {
			gender := field(t, r, "gender").(string)
			// Three draws share ε = 1; a count is off by more than 60 with probability e^-20.
			if d := number(t, r, "students") - float64(kr[gender].n); math.Abs(d) > 60 {
				t.Errorf("%s: %v students, exact %d", gender, number(t, r, "students"), kr[gender].n)
			}
			if d := number(t, r, "maths") - kr[gender].mean(); math.Abs(d) > 20 {
				t.Errorf("%s: maths %v, exact %v", gender, number(t, r, "maths"), kr[gender].mean())
			}
		}
		if a.Charged[0].Account != "kr_edu/student" || a.Charged[0].Epsilon.String() != "1" || a.Charged[0].Delta != 0 {
			t.Errorf("charged %+v", a.Charged)
		}
	})
	t.Run("United Kingdom", func(t *testing.T) {
		a := s.answer(ask("SELECT AVG(math) AS maths, COUNT(*) AS pupils FROM uk_ou.pupils", "1", "0"))
		all := gb["female"].plus(gb["male"])
		if d := number(t, a.Rows[0], "maths") - all.mean(); math.Abs(d) > 10 {
			t.Errorf("maths %v, exact %v", number(t, a.Rows[0], "maths"), all.mean())
		}
	})
	for _, q := range []struct {
		name, sql, delta string
		rows             int // at least
	}{
		{"books at home", "SELECT books, AVG(reading) AS reading FROM kr_edu.students GROUP BY books", "0", 6},
		{"two public keys", "SELECT gender, desk, COUNT(*) AS n, SUM(science) AS s FROM kr_edu.students GROUP BY gender, desk", "1e-6", 4},
		{"private key", "SELECT mother_educ, COUNT(*) AS n FROM uk_ou.pupils GROUP BY mother_educ ORDER BY n DESC LIMIT 3", "1e-6", 3},
		{"filter on a score", "SELECT COUNT(*) AS n FROM kr_edu.students WHERE math > 600 AND reading > 600", "0", 1},
		{"arithmetic", "SELECT AVG((math + reading + science) / 3) AS overall FROM kr_edu.students", "0", 1},
		{"having", "SELECT books, COUNT(*) AS n FROM uk_ou.pupils GROUP BY books HAVING COUNT(*) > 1500 ORDER BY books", "0", 1},
		{"submissions", "SELECT COUNT(*) AS n, COUNT(DISTINCT id_student) AS learners, AVG(score) AS score FROM uk_ou.assessments", "0", 1},
		{"banked", "SELECT is_banked, COUNT(score) AS scored FROM uk_ou.assessments GROUP BY is_banked", "0", 2},
		{"by assessment", "SELECT id_assessment, AVG(score) AS score FROM uk_ou.assessments GROUP BY id_assessment ORDER BY score DESC LIMIT 10", "1e-6", 5},
		{"late work", "SELECT COUNT(*) AS n, AVG(score) AS score FROM uk_ou.assessments WHERE date_submitted >= 200", "0", 1},
		{"turnover", "SELECT country, COUNT(DISTINCT customer_id) AS customers, SUM(CLAMP(quantity * unit_price, 0, 500)) AS turnover FROM uk_ou.retail GROUP BY country ORDER BY turnover DESC", "1e-6", 1},
		{"December", "SELECT COUNT(*) AS n, SUM(quantity) AS items FROM uk_ou.retail WHERE EXTRACT(month FROM invoiced_at) = 12 AND country = 'United Kingdom'", "0", 1},
		{"stock", "SELECT stock_code, COUNT(*) AS n FROM uk_ou.retail WHERE stock_code LIKE '8%' GROUP BY stock_code ORDER BY n DESC LIMIT 5", "1e-6", 0},
	} {
		t.Run(q.name, func(t *testing.T) {
			question := ask(q.sql, "2", q.delta)
			if strings.Contains(q.sql, "country, ") {
				// Nearly every customer buys from one country. Without this limit, one who may touch 200 groups
				// would leave so little of ε to each that even the United Kingdom might not be listed.
				question = question.with("bounds", map[string]int{"max_partitions": 1})
			}
			a := s.answer(question)
			if len(a.Rows) < q.rows {
				t.Errorf("%d rows, expected at least %d", len(a.Rows), q.rows)
			}
			for _, r := range a.Rows {
				for _, c := range a.Columns {
					if c.Kind != "aggregate" {
						continue
					}
					low, value, high := number(t, r, c.Name+"_low"), number(t, r, c.Name), number(t, r, c.Name+"_high")
					if !(low <= value && value <= high) {
						t.Errorf("%s = %v outside %v … %v", c.Name, value, low, high)
					}
				}
			}
		})
	}
	report := s.verify()
	if len(report.Unanswered) != 0 {
		t.Errorf("unanswered: %v", report.Unanswered)
	}
}

// TestCoverage holds the released intervals against the exact clamped and bounded values, over fresh
// draws through REST. Each band has a false-reject rate of 1e-5 for the coverage that its bounds name.
func TestCoverage(t *testing.T) {
	s := registerReal(t)
	exact := exactPISA(t, "pisa2003-kr.parquet")
	questions := 2500 // two groups in each: 5,000 intervals
	var counts, sums, means int
	q := ask("SELECT gender, COUNT(*) AS n, SUM(reading) AS s, AVG(math) AS m FROM kr_edu.students GROUP BY gender", "0.2", "0").with("fresh", true)
	for range questions {
		for _, r := range s.answer(q).Rows {
			e := exact[field(t, r, "gender").(string)]
			counts += covered(t, r, "n", float64(e.n))
			sums += covered(t, r, "s", float64(e.reading)/100)
			means += covered(t, r, "m", e.mean())
		}
	}
	n := 2 * questions
	low, high := privacytest.CoverageBand(n, 0.95, 1e-5)
	t.Logf("of %d: COUNT %d, SUM %d, AVG %d; band for 95 %%: %d … %d", n, counts, sums, means, low, high)
	for name, got := range map[string]int{"COUNT": counts, "SUM": sums} {
		if got < low || got > high {
			t.Errorf("%s covered %d of %d, outside %d … %d", name, got, n, low, high)
		}
	}
	if means < low {
		t.Errorf("AVG covered %d of %d, fewer than %d", means, n, low)
	}
	s.verify()
}

func covered(t testing.TB, r sandbox.Row, name string, exact float64) int {
	if number(t, r, name+"_low") <= exact && exact <= number(t, r, name+"_high") {
		return 1
	}
	return 0
}

// TestRareGroupStaysHidden: Singapore has one customer in the retail table. At δ = 1e-6 a GROUP BY does not
// list it: 20 questions would with probability at most 2e-5 in all.
func TestRareGroupStaysHidden(t *testing.T) {
	s := registerReal(t)
	for range 20 {
		a := s.answer(ask("SELECT country, COUNT(*) AS n FROM uk_ou.retail GROUP BY country", "1", "1e-6").
			with("fresh", true).with("bounds", map[string]int{"max_partitions": 1}))
		if len(a.Rows) == 0 {
			t.Fatal("not even the United Kingdom is listed")
		}
		for _, r := range a.Rows {
			if field(t, r, "country") == "Singapore" {
				t.Error("Singapore, one customer, is listed")
			}
		}
	}
}

// TestRareGroupAtLargeDelta shows what δ buys: on the same table at δ = 1e-2 the one customer of Singapore is
// listed in one release of a hundred. The bounded partials are the real ones, collected once; the release is
// drawn 20,000 times. The band has a false-reject rate of 1e-5.
func TestRareGroupAtLargeDelta(t *testing.T) {
	s := registerReal(t)
	d, err := datasets.ParseDeclaration([]byte(retailDeclaration))
	if err != nil {
		t.Fatal(err)
	}
	plan, err := query.New("SELECT country, COUNT(*) AS n FROM uk_ou.retail WHERE country = 'Singapore' GROUP BY country",
		oneTable{query.Table{ID: "uk_ou.retail", Declaration: d}}, query.Bounds{MaxPartitions: 1})
	if err != nil {
		t.Fatal(err)
	}
	partials, err := s.main.engine.Collect(t.Context(), plan, map[string]datasets.Table{"uk_ou.retail": {
		Declaration: d, File: filepath.Join(s.main.Config.Data, tablesDir, "uk_ou.retail.1.parquet")}})
	if err != nil {
		t.Fatal(err)
	}
	exact, err := partials.MarshalBinary()
	if err != nil {
		t.Fatal(err)
	}
	q, err := plan.Question(privacy.Loss{Epsilon: privacy.OneEpsilon, Delta: privacy.OneDelta / 100}, nil, 1)
	if err != nil {
		t.Fatal(err)
	}
	spec, err := privacy.NewSpec(q)
	if err != nil {
		t.Fatal(err)
	}
	draws, listed := 20_000, 0
	for range draws {
		var p privacy.Partials
		if err := p.UnmarshalBinary(exact); err != nil {
			t.Fatal(err)
		}
		release, err := privacy.Run(spec, &p)
		if err != nil {
			t.Fatal(err)
		}
		listed += len(release.Rows())
	}
	low, high := privacytest.CoverageBand(draws, 0.01, 1e-5)
	t.Logf("Singapore listed in %d of %d releases at δ = 1e-2; band %d … %d", listed, draws, low, high)
	if listed < low || listed > high {
		t.Errorf("listed %d times of %d, outside %d … %d", listed, draws, low, high)
	}
}

// oneTable is a catalogue of one table.
type oneTable struct{ table query.Table }

// Table implements query.Catalogue.
func (c oneTable) Table(org, name string) (query.Table, bool) {
	return c.table, org+"."+name == c.table.ID
}

// pisa is the exact content of one group, computed apart from the product.
type pisa struct {
	n             int64
	math, reading int64 // hundredths
}

func (p pisa) mean() float64    { return float64(p.math) / 100 / float64(p.n) }
func (p pisa) plus(q pisa) pisa { return pisa{p.n + q.n, p.math + q.math, p.reading + q.reading} }

// exactPISA reads a PISA table with arrow and adds up its scores, rounded and clamped as declared.
func exactPISA(t testing.TB, name string) map[string]pisa {
	t.Helper()
	b, err := os.ReadFile(filepath.Join(realData, name))
	if err != nil {
		t.Fatal(err)
	}
	f, err := file.NewParquetReader(bytes.NewReader(b))
	if err != nil {
		t.Fatal(err)
	}
	r, err := pqarrow.NewFileReader(f, pqarrow.ArrowReadProperties{}, memory.DefaultAllocator)
	if err != nil {
		t.Fatal(err)
	}
	table, err := r.ReadTable(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer table.Release()
	column := func(name string) []float64 {
		var values []float64
		i := table.Schema().FieldIndices(name)[0]
		for _, chunk := range table.Column(i).Data().Chunks() {
			if chunk.NullN() > 0 {
				t.Fatalf("%s has NULLs", name)
			}
			values = append(values, chunk.(*array.Float64).Float64Values()...)
		}
		return values
	}
	hundredths := func(v float64) int64 { return int64(math.Round(min(max(v, 0), 1000) * 100)) }
	maths, reading := column("math"), column("reading")
	groups, row := map[string]pisa{}, 0
	for _, chunk := range table.Column(table.Schema().FieldIndices("gender")[0]).Data().Chunks() {
		for i := range chunk.Len() {
			g := chunk.(*array.String).Value(i)
			groups[g] = groups[g].plus(pisa{1, hundredths(maths[row]), hundredths(reading[row])})
			row++
		}
	}
	return groups
}
