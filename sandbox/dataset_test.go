package sandbox_test

import (
	"context"
	"encoding/hex"
	"strings"
	"sync"
	"testing"

	"entrepot/datasets"
	"entrepot/privacy"
	"entrepot/sandbox"
	"entrepot/sandbox/audit"
)

const exams = "kr_edu.exams"

// TestDeclarationIsFixedByRows: it may change until rows are registered under it.
func TestDeclarationIsFixedByRows(t *testing.T) {
	h := newHouse(t)
	wider := strings.Replace(studentsDoc, `"1000"`, `"2000"`, 1)
	h.putDataset("exams", studentsDoc)
	if d := h.putDataset("exams", wider); d.Version != 0 {
		t.Errorf("%+v", d)
	}
	h.putDataset("exams", studentsDoc)
	h.register(exams, table)
	h.unchanged(func() {
		for _, change := range []string{wider, strings.Replace(studentsDoc, "kr_edu/student", "kr_edu/pupil", 1),
			strings.Replace(studentsDoc, `"max_rows_per_unit": 4`, `"max_rows_per_unit": 5`, 1),
			strings.Replace(studentsDoc, `"columns"`, `"description": "changed", "columns"`, 1)} {
			_, err := h.PutDataset(ctx, owner, "kr_edu", "exams", declaration(t, change))
			if e := refused(t, err, sandbox.CodeConflict); e.Hint == "" {
				t.Errorf("%+v", e)
			}
		}
		d, err := h.PutDataset(ctx, owner, "kr_edu", "exams", declaration(t, studentsDoc))
		if err != nil || d.Version != 1 {
			t.Errorf("the same declaration again: %+v %v", d, err)
		}
	})
	d, err := h.Dataset(ctx, regulator, exams)
	if err != nil || !d.Declaration.Columns[3].Upper.Equal(declaration(t, studentsDoc).Columns[3].Upper) {
		t.Errorf("%+v %v", d, err)
	}
}

// TestVersions: they count from 1, also where the bytes are the same, and spend from one account.
func TestVersions(t *testing.T) {
	h := newHouse(t)
	var hashes []string
	for i := range 3 {
		if v := h.register(students, table); v.Version != int64(i+2) || v.Dataset != students || v.Registered != h.now {
			t.Errorf("%+v", v)
		} else {
			hashes = append(hashes, v.ContentHash)
		}
		a, err := h.Submit(ctx, researcher, ask())
		if err != nil || a.Repeat || a.Datasets[0] != (sandbox.DatasetRef{ID: students, Version: int64(i + 2)}) {
			t.Errorf("%+v %v", a, err)
		}
	}
	if hashes[0] != hashes[1] || hashes[1] != hashes[2] {
		t.Errorf("the same rows have the hashes %q", hashes)
	}
	h.tally(3, 3, 0) // three questions, on one account
	if h.folder("tables") != "kr_edu.students.1.parquet kr_edu.students.2.parquet kr_edu.students.3.parquet kr_edu.students.4.parquet" {
		t.Errorf("tables are %s", h.folder("tables"))
	}
}

// TestConcurrentUploads: each becomes a version of its own.
func TestConcurrentUploads(t *testing.T) {
	h := newHouse(t)
	var all sync.WaitGroup
	got := make([]int64, 4)
	for i := range got {
		all.Go(func() {
			v, err := h.Register(ctx, owner, students, csv(table), false)
			if err != nil {
				t.Error(err)
			}
			got[i] = v.Version
		})
	}
	all.Wait()
	seen := map[int64]bool{}
	for _, v := range got {
		seen[v] = true
	}
	if len(seen) != 4 || !seen[2] || !seen[5] {
		t.Errorf("versions %d", got)
	}
}

// TestUnitSpaceHasOneAccount: two datasets about the same people spend from one budget.
func TestUnitSpaceHasOneAccount(t *testing.T) {
	h := newHouse(t)
	h.putDataset("exams", studentsDoc)
	h.register(exams, table)
	h.putPolicy(exams, policyDoc)
	for i, text := range []string{question, strings.Replace(question, students, exams, 1)} {
		a, err := h.Submit(ctx, researcher, ask(sql(text)))
		if err != nil || a.Repeat || a.Charged[0].Account != space {
			t.Errorf("%+v %v", a, err)
		}
		if spent := h.account().Spent.Epsilon; spent != privacy.Epsilon(i+1)*half {
			t.Errorf("ε = %s is spent", spent)
		}
	}
}

// TestReportIsTheOwners: what ingest changed is for the owner; the log holds a commitment to the rows that
// only the key explains.
func TestReportIsTheOwners(t *testing.T) {
	h := newHouse(t)
	v := h.register(students, "student_id,gender,town,math\ns1,female,a,1001\ns2,male,b,not a number\n,male,b,1\n")
	if r := v.Report; r.RowsRead != 3 || r.RowsKept != 1 || r.RowsWithoutUnit != 1 || r.Columns[3].Clamped != 1 {
		t.Errorf("%+v", r)
	}
	stored, err := h.Version(ctx, owner, students)
	if err != nil || stored.Version != 2 || stored.ContentHash != v.ContentHash || stored.Report.Columns[3].Examples[0].Text != "1001" {
		t.Errorf("%+v %v", stored, err)
	}
	for _, p := range askers() {
		if p.ID != owner.ID {
			_, err := h.Version(ctx, p.Principal, students)
			if e := refused(t, err, sandbox.CodeForbidden); e.Detail != nil {
				t.Errorf("%s: %+v", p.name, e)
			}
		}
	}
	if hash, err := hex.DecodeString(v.ContentHash); err != nil || len(hash) != 32 {
		t.Errorf("%s %v", v.ContentHash, err)
	}
	for _, c := range logged[audit.Change](h, audit.KindVersion) {
		if c.Digest == v.ContentHash {
			t.Error("the log holds the hash of the rows")
		}
	}
	if strings.Contains(h.operator.String(), "1001") {
		t.Error("the operator's log quotes a cell")
	}
}

// TestUploadsThatAreRefused leave nothing: no version, no entry, no file.
func TestUploadsThatAreRefused(t *testing.T) {
	h := newHouse(t)
	gone, cancel := context.WithCancel(ctx)
	cancel()
	for _, test := range []struct {
		name   string
		ctx    context.Context
		upload datasets.Upload
		strict bool
		code   sandbox.Code
	}{
		{"strict mode, a clamped cell", ctx, csv("student_id,gender,town,math\ns1,female,a,1001\n"), true, sandbox.CodeRejected},
		{"strict mode, a column too many", ctx, csv("student_id,gender,town,math,x\ns1,female,a,1,1\n"), true, sandbox.CodeRejected},
		{"a column missing", ctx, csv("student_id,gender,town\ns1,female,a\n"), false, sandbox.CodeInvalid},
		{"damaged", ctx, csv("student_id,gender,town,math\n\"s1,female\n"), false, sandbox.CodeInvalid},
		{"of no format", ctx, datasets.Upload{Format: "xls", Data: strings.NewReader(table), Size: int64(len(table))}, false, sandbox.CodeUnsupportedType},
		{"interrupted", gone, csv(table), false, sandbox.CodeUnavailable},
	} {
		t.Run(test.name, func(t *testing.T) {
			h.unchanged(func() {
				_, err := h.Register(test.ctx, owner, students, test.upload, test.strict)
				e := refused(t, err, test.code)
				report, ok := e.Detail.(datasets.Report)
				if ok != test.strict || test.strict && report.RowsRead != 1 {
					t.Errorf("%+v", e.Detail)
				}
				if strings.Contains(e.Public+e.Hint, "1001") {
					t.Errorf("%+v quotes a cell", e)
				}
			})
		})
	}
	_, err := h.Register(ctx, owner, exams, csv(table), false)
	refused(t, err, sandbox.CodeNotFound)
	if v, err := h.Register(ctx, owner, students, csv(table), true); err != nil || v.Version != 2 {
		t.Errorf("strict mode refuses a table that fits: %+v %v", v, err)
	}
}

// TestNoRows: a question about a dataset that is only declared is refused before anything is charged.
func TestNoRows(t *testing.T) {
	h := newHouse(t)
	h.putDataset("exams", studentsDoc)
	h.putPolicy(exams, policyDoc)
	h.unchanged(func() {
		_, err := h.Submit(ctx, researcher, ask(sql("SELECT COUNT(*) FROM kr_edu.exams")))
		refused(t, err, sandbox.CodeConflict)
	})
}
