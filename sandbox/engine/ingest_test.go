package engine

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"entrepot/datasets"
	"entrepot/sandbox/query"
	"entrepot/sandbox/query/querytest"
)

// unitKey keys the hashes of privacy IDs in tests.
var unitKey = bytes.Repeat([]byte{7}, datasets.MinKey)

// shared is where real data lie, beside the project.
const shared = "../../../shared/data"

// TestIngested asks about tables as package datasets stores them, the same upload in several orders
// of rows, where units have more rows than are kept: the partials are always the same, and those
// of loops over the stored rows.
func TestIngested(t *testing.T) {
	const seed, uploads = 20261126, 6
	r := rand.New(rand.NewPCG(seed, 7))
	dir := t.TempDir()
	d := declare(t, 4)
	rows := world(r, declare(t, 9), 40)
	var files []string
	for i := range uploads {
		if i > 0 {
			rows = shuffled(r, rows)
		}
		files = append(files, fmt.Sprintf("%d.parquet", i))
		csv := toCSV(d, rows)
		in := datasets.Upload{Format: datasets.CSV, Data: bytes.NewReader(csv), Size: int64(len(csv))}
		if _, err := datasets.Ingest(t.Context(), d, in, filepath.Join(dir, files[i]), unitKey, datasets.Options{RowGroupRows: 64}); err != nil {
			t.Fatal(err)
		}
	}
	stored := people(d, readRows(t, filepath.Join(dir, files[0])))
	if n := len(stored["org.people"].Rows); n < 50 {
		t.Fatalf("only %d rows stored", n)
	}
	e := open(t, Options{Dir: dir, Threads: 2})
	for _, sql := range []string{
		"SELECT region, COUNT(*), AVG(score), SUM(huge) FROM org.people GROUP BY region",
		"SELECT tag, COUNT(*), COUNT(DISTINCT id) AS u, MEDIAN(score) FROM org.people WHERE amount > 0 GROUP BY tag",
		"SELECT age, flag, COUNT(DISTINCT tag) AS t, STDDEV(ratio) FROM org.people GROUP BY age, flag",
		"SELECT COUNT(*) AS n, COUNT(DISTINCT code) AS codes, SUM(CLAMP(third * score, -10, 10)) FROM org.people",
		"SELECT n, COUNT(*), AVG(top) FROM (SELECT id, WIDTH_BUCKET(COUNT(*), 0, 4, 4) AS n, MAX(score) AS top FROM org.people GROUP BY id) u GROUP BY n",
		"SELECT a.flag, COUNT(*), SUM(b.third) FROM org.people a JOIN org.people b ON a.id = b.id WHERE a.age <= b.age GROUP BY a.flag",
	} {
		for _, b := range []query.Bounds{{}, {MaxRowsPerPartition: 1}, {MaxPartitions: 1, MaxRowsPerPartition: 1}} {
			p := plan(t, d, sql, b)
			want := querytest.Evaluate(p.Parts(), stored)
			for _, file := range files {
				got, err := e.collect(t.Context(), p.Parts(), at(d, file))
				if err != nil {
					t.Fatalf("%s: %v", sql, err)
				}
				if diff := querytest.Diff(want, got); diff != "" || len(got) == 0 {
					t.Fatalf("%s %+v on %s, %d groups:\n%s", sql, b, file, len(got), diff)
				}
			}
		}
	}
}

// toCSV writes rows as an owner would send them: measures in their own unit, NULL as nothing.
func toCSV(d datasets.Declaration, rows []querytest.Row) []byte {
	var b bytes.Buffer
	columns := d.Stored()
	b.WriteString("id")
	for _, c := range columns {
		b.WriteString("," + c.Name)
	}
	b.WriteString("\n")
	for _, r := range rows {
		fmt.Fprintf(&b, "u%d", r.Unit)
		for _, c := range columns {
			v := r.Values[c.Name]
			switch _, _, num, den, grid := c.Grid(); {
			case v == nil:
				b.WriteString(",")
			case c.Role == datasets.Measure && grid:
				fmt.Fprintf(&b, ",%.17g", float64(v.(int64))*float64(num)/float64(den))
			default:
				b.WriteString(`,"` + strings.ReplaceAll(fmt.Sprint(v), `"`, `""`) + `"`)
			}
		}
		b.WriteString("\n")
	}
	return b.Bytes()
}

// TestRealTables compares both evaluations on PISA and OULAD as owners would register them.
func TestRealTables(t *testing.T) {
	if _, err := os.Stat(shared); errors.Is(err, fs.ErrNotExist) {
		t.Skip("skipped: ../shared/data is not here")
	}
	for _, c := range []struct {
		file, declaration string
		questions         []string
	}{
		{"pisa2003-kr.parquet", `
unit_space: org/student
max_rows_per_unit: 1
columns:
  - {name: student_id, type: string, role: privacy_id}
  - {name: school_id, type: string, role: key}
  - {name: gender, type: string, role: key, domain: [female, male], nullable: true}
  - {name: mother_educ, type: string, role: key, nullable: true}
  - {name: computer, type: bool, role: key, nullable: true}
  - {name: math, type: float64, role: measure, lower: "0", upper: "1000", resolution: "0.01", nullable: true}
  - {name: reading, type: float64, role: measure, lower: "0", upper: "1000", resolution: "0.01", nullable: true}
  - {name: escs, type: float64, role: measure, lower: "-5", upper: "5", resolution: "0.001", nullable: true}
`, []string{
			"SELECT gender, COUNT(*), AVG(math) FROM org.people GROUP BY gender",
			"SELECT gender, computer, COUNT(*), AVG(math) AS m, AVG(reading) AS r FROM org.people WHERE escs > 0.25 GROUP BY gender, computer",
			"SELECT mother_educ, COUNT(DISTINCT student_id), SUM(math) FROM org.people GROUP BY mother_educ",
			"SELECT school_id, COUNT(*), AVG(CLAMP(math - reading, -200, 200)) FROM org.people GROUP BY school_id",
			"SELECT COUNT(escs), AVG(escs * 10), SUM(CLAMP(math / NULLIF(escs, 0), -1000, 1000)) FROM org.people",
		}},
		{"oulad-assessments.parquet", `
unit_space: org/student
max_rows_per_unit: 20
columns:
  - {name: id_student, type: int64, role: privacy_id}
  - {name: id_assessment, type: int64, role: key}
  - {name: date_submitted, type: int64, role: measure, lower: "-11", upper: "608"}
  - {name: is_banked, type: bool, role: key}
  - {name: score, type: int64, role: measure, lower: "0", upper: "100", nullable: true}
`, []string{
			"SELECT is_banked, COUNT(*), AVG(score) FROM org.people GROUP BY is_banked",
			"SELECT id_assessment, COUNT(*) AS n, COUNT(score) AS s, AVG(score) FROM org.people WHERE date_submitted >= 30 GROUP BY id_assessment",
			"SELECT COUNT(DISTINCT id_student) AS n, SUM(ROUND(score / 10)) FROM org.people WHERE NOT is_banked",
		}},
	} {
		t.Run(c.file, func(t *testing.T) {
			d, err := datasets.ParseDeclaration([]byte(c.declaration))
			if err != nil {
				t.Fatal(err)
			}
			dir := t.TempDir()
			f, err := os.Open(filepath.Join(shared, c.file))
			if err != nil {
				t.Fatal(err)
			}
			defer f.Close()
			info, err := f.Stat()
			if err != nil {
				t.Fatal(err)
			}
			in := datasets.Upload{Format: datasets.Parquet, Data: f, Size: info.Size()}
			if _, err := datasets.Ingest(t.Context(), d, in, filepath.Join(dir, "v1.parquet"), unitKey, datasets.Options{}); err != nil {
				t.Fatal(err)
			}
			tables := people(d, readRows(t, filepath.Join(dir, "v1.parquet")))
			e := open(t, Options{Dir: dir, Threads: 2})
			for _, sql := range c.questions {
				for _, b := range []query.Bounds{{}, {MaxPartitions: 2, MaxRowsPerPartition: 3}} {
					b.MaxPartitions, b.MaxRowsPerPartition = min(b.MaxPartitions, d.MaxRowsPerUnit), min(b.MaxRowsPerPartition, d.MaxRowsPerUnit)
					p, err := query.New(sql, people(d, nil), b)
					if err != nil {
						t.Fatalf("%s: %v", sql, err)
					}
					got, err := e.collect(t.Context(), p.Parts(), at(d, "v1.parquet"))
					if err != nil {
						t.Fatalf("%s: %v", sql, err)
					}
					if diff := querytest.Diff(querytest.Evaluate(p.Parts(), tables), got); diff != "" || len(got) == 0 {
						t.Errorf("%s %+v: %d groups\n%s", sql, b, len(got), diff)
					}
				}
			}
		})
	}
}
