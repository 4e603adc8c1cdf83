package datasets

import (
	"math"
	"os"
	"path/filepath"
	"testing"
)

// realData opens a file of the real tables that are kept beside the project.
func realData(t *testing.T, name string) Upload {
	t.Helper()
	dir := filepath.Join("..", "..", "shared", "data")
	if _, err := os.Stat(dir); err != nil {
		t.Skip("skipped: ../shared/data is not here")
	}
	f, err := os.Open(filepath.Join(dir, name))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { f.Close() })
	info, err := f.Stat()
	if err != nil {
		t.Fatal(err)
	}
	return Upload{Format: Parquet, Data: f, Size: info.Size()}
}

const pisaYAML = `
unit_space: kr_edu/student
max_rows_per_unit: 1
columns:
  - {name: student_id, type: string, role: privacy_id}
  - {name: gender, type: string, role: key, domain: [female, male], nullable: true}
  - {name: mother_educ, type: string, role: key, nullable: true}
  - {name: computer, type: bool, role: key, nullable: true}
  - {name: math, type: float64, role: measure, lower: 0, upper: 1000, resolution: 0.01, nullable: true}
  - {name: school_id, type: string, role: hidden}
`

func TestPISA(t *testing.T) {
	tests := []struct {
		file string
		rows int64
		mean float64 // of maths, from PROVENANCE
	}{
		{"pisa2003-kr.parquet", 5444, 540.07}, {"pisa2003-gb.parquet", 9535, 514.36}, {"pisa2003-nz.parquet", 4511, 526.13},
	}
	d, err := ParseDeclaration([]byte(pisaYAML))
	if err != nil {
		t.Fatal(err)
	}
	for _, test := range tests {
		r, b, err := ingest(t, d, realData(t, test.file), Options{})
		if err != nil {
			t.Fatal(err)
		}
		if r.RowsRead != test.rows || r.RowsKept != test.rows || r.Units != test.rows || r.changed() != 0 || len(r.UndeclaredColumns) != 9 {
			t.Errorf("%s: %+v", test.file, r)
		}
		sum, nulls := 0.0, 0
		for _, row := range stored(t, b) {
			cells := splitCells(row.cells)
			if cells[1] == "∅" {
				nulls++
			}
			sum += number0(t, cells[3]) / 100
		}
		if mean := sum / float64(test.rows); math.Abs(mean-test.mean) > 0.01 {
			t.Errorf("%s: mean %.3f, want %.2f", test.file, mean, test.mean)
		}
		if nulls == 0 || nulls == int(test.rows) {
			t.Errorf("%s: %d mothers without education", test.file, nulls)
		}
	}
}

func TestOULAD(t *testing.T) {
	d, err := ParseDeclaration([]byte(`
unit_space: uk_ou/student
max_rows_per_unit: 28
columns:
  - {name: id_student, type: int64, role: privacy_id}
  - {name: score, type: float64, role: measure, lower: 0, upper: 100, resolution: 1}
`))
	if err != nil {
		t.Fatal(err)
	}
	r, _, err := ingest(t, d, realData(t, "oulad-assessments.parquet"), Options{})
	if err != nil {
		t.Fatal(err)
	}
	score := r.Columns[1]
	if r.RowsRead != 173_912 || score.RowsDropped != 173 || r.RowsDropped != 173 || r.RowsKept != 173_912-173 || r.RowsOverLimit != 0 {
		t.Errorf("%+v", r)
	}
	d.Columns[1].Nullable = true
	if r, _, err = ingest(t, d, realData(t, "oulad-assessments.parquet"), Options{MemoryLimit: 1 << 20}); err != nil || r.Units != 23_369 || r.RowsKept != 173_912 {
		t.Errorf("%+v, %v", r, err)
	}
}

const retailYAML = `
unit_space: uk_retail/customer
max_rows_per_unit: 100
columns:
  - {name: customer_id, type: int64, role: privacy_id}
  - {name: country, type: string, role: key}
  - {name: invoiced_at, type: timestamp, role: key}
  - {name: quantity, type: int64, role: measure, lower: -100, upper: 100}
  - {name: unit_price, type: float64, role: measure, lower: 0, upper: 50, resolution: 0.01}
  - {name: description, type: string, role: hidden}
`

func TestOnlineRetail(t *testing.T) {
	d, err := ParseDeclaration([]byte(retailYAML))
	if err != nil {
		t.Fatal(err)
	}
	in := realData(t, "online-retail-2009.parquet")
	r, b, err := ingest(t, d, in, Options{})
	if err != nil {
		t.Fatal(err)
	}
	anonymous := float64(r.RowsWithoutUnit) / float64(r.RowsRead)
	if r.RowsRead != 525_461 || r.Units != 4_383 || math.Abs(anonymous-0.205) > 0.0005 || r.RowsOverLimit == 0 || r.Columns[3].Clamped == 0 {
		t.Errorf("%+v", r)
	}
	d.MaxRowsPerUnit = 5710 // the busiest customer's rows
	if all, _, err := ingest(t, d, in, Options{}); err != nil || all.RowsOverLimit != 0 {
		t.Errorf("%+v, %v", all, err)
	}
	d.MaxRowsPerUnit = 5709
	if all, _, err := ingest(t, d, in, Options{MemoryLimit: 1 << 20}); err != nil || all.RowsOverLimit != 1 {
		t.Errorf("%+v, %v", all, err)
	}
	perUnit, singapore := map[int64]int32{}, map[int64]bool{}
	for _, row := range stored(t, b) {
		perUnit[row.ord] = max(perUnit[row.ord], row.rank)
		if splitCells(row.cells)[0] == "Singapore" {
			singapore[row.ord] = true
		}
	}
	for unit, rows := range perUnit {
		if rows > 100 {
			t.Errorf("unit %d has %d rows", unit, rows)
		}
	}
	if len(perUnit) != 4_383 || len(singapore) != 1 {
		t.Errorf("%d units, %d in Singapore", len(perUnit), len(singapore))
	}
}
