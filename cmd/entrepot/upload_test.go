package main

import (
	"bytes"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

const uploaded = `{"dataset": "kr_edu.students", "version": 2, "registered": "2026-11-21T09:00:00Z", "content_hash": "00", "report": {
	"rows_read": 5444, "rows_kept": 5400, "rows_without_unit": 4, "rows_dropped": 30, "rows_over_limit": 10, "units": 5400,
	"columns": [{"name": "math", "clamped": 1234, "nulled": 2, "rows_dropped": 30,
		"examples": [{"row": 17, "text": "1e9\u001b[2J", "outcome": "clamped"}]}], "undeclared_columns": ["note"]}}`

func TestUpload(t *testing.T) {
	var got struct {
		contentType, strict, expect string
		length                      int64
		body                        []byte
	}
	stub{"POST /v1/datasets/kr_edu/students/versions": func(w http.ResponseWriter, r *http.Request) {
		got.contentType, got.strict, got.expect, got.length = r.Header.Get("Content-Type"), r.URL.Query().Get("strict"), r.Header.Get("Expect"), r.ContentLength
		got.body, _ = io.ReadAll(r.Body)
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(http.StatusCreated)
		_, _ = io.WriteString(w, uploaded)
	}}.start(t)
	table := strings.Repeat("student_id,math\n", 10_000)
	file := writeFile(t, filepath.Join(t.TempDir(), "students.CSV"), table)
	out := run(t, "", "dataset", "upload", "--strict", "kr_edu.students", file)
	out.want(t, exitOK, "kr_edu.students version 2, registered 2026-11-21T09:00:00Z", "5,400 of 5,444 rows kept, of 5,400 privacy units.",
		"Left out: 4 rows without a usable privacy ID.", "Left out: 30 rows without a value", "Left out: 10 rows beyond max_rows_per_unit.",
		"Not declared, not stored: note.", "1,234", `row 17 "1e9\x1b[2J" clamped`, "!\x1b")
	if out.err != "" {
		t.Errorf("stderr %q: progress is for terminals", out.err)
	}
	if got.contentType != "text/csv" || got.strict != "true" || got.expect != "100-continue" || got.length != int64(len(table)) || string(got.body) != table {
		t.Errorf("sent %s, strict %s, expect %q, %d bytes, the same: %v", got.contentType, got.strict, got.expect, got.length, string(got.body) == table)
	}
}

func TestRefusedUploadShowsTheReport(t *testing.T) {
	stub{"POST /v1/datasets/kr_edu/students/versions": problems(http.StatusUnprocessableEntity, `{"code": "upload_rejected",
		"detail": "Strict mode: the table does not fit its declaration, and nothing was registered.",
		"report": {"rows_read": 3, "rows_kept": 3, "units": 3, "columns": [{"name": "math", "clamped": 1}]}}`)}.start(t)
	file := writeFile(t, filepath.Join(t.TempDir(), "students.csv"), strings.Repeat("x", 1<<20))
	got := run(t, "", "dataset", "upload", "--strict", "kr_edu.students", file)
	got.want(t, exitRefused)
	got.wantErr(t, "Strict mode", "3 of 3 rows kept", "math", "clamped")
}

func TestFormatOfATable(t *testing.T) {
	file, stream := []byte("ARROW1\x00\x00…"), []byte("\xff\xff\xff\xff…")
	for _, c := range []struct {
		format, path string
		content      []byte
		want         string // "" for an error
	}{
		{"", "a.parquet", nil, "application/vnd.apache.parquet"},
		{"", "a.csv", nil, "text/csv"},
		{"", "a.b.CSV", nil, "text/csv"},
		{"", "a.arrow", file, "application/vnd.apache.arrow.file"},
		{"", "a.feather", file, "application/vnd.apache.arrow.file"},
		{"", "a.arrow", stream, "application/vnd.apache.arrow.stream"},
		{"", "a.arrow", nil, "application/vnd.apache.arrow.stream"},
		{"", "a.arrows", file, "application/vnd.apache.arrow.stream"},
		{"csv", "a.parquet", nil, "text/csv"},
		{"arrow_file", "a", nil, "application/vnd.apache.arrow.file"},
		{"", "a.xlsx", nil, ""},
		{"", "csv", nil, ""},
		{"xlsx", "a.csv", nil, ""},
	} {
		got, err := mediaTypeOf(c.format, c.path, bytes.NewReader(c.content))
		if got != c.want || (err != nil) != (c.want == "") {
			t.Errorf("%q %s: %q, %v", c.format, c.path, got, err)
		}
	}
}

func TestUploadOfWhatIsNoFile(t *testing.T) {
	stub{}.start(t)
	run(t, "", "dataset", "upload", "kr_edu.students", t.TempDir()).want(t, exitUsage)
	run(t, "", "dataset", "upload", "kr_edu.students", filepath.Join(t.TempDir(), "absent.csv")).want(t, exitFailed)
}

func TestDocumentsGoAsTheyAre(t *testing.T) {
	types := map[string]string{}
	stub{"PUT /v1/datasets/kr_edu/students": func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		types[string(body)] = r.Header.Get("Content-Type")
		answers(`{"id": "kr_edu.students", "version": 0, "declaration": {"unit_space": "kr_edu/student", "max_rows_per_unit": 1000, "columns": [
			{"name": "math", "type": "float64", "role": "measure", "lower": "0", "upper": "1000", "resolution": "0.01"},
			{"name": "gender", "type": "string", "role": "key", "domain": ["female", "male"], "nullable": true}]}}`)(w, r)
	}}.start(t)
	dir := t.TempDir()
	for name, content := range map[string]string{"a.json": "{}", "a.yaml": "b: 1", "a.yml": "{b: 2}", "a": " {\"c\": 1}", "b": "c: 3"} {
		run(t, "", "dataset", "register", "-f", writeFile(t, filepath.Join(dir, name), content), "kr_edu.students").want(t, exitOK,
			"kr_edu.students, no rows yet; protects kr_edu/student, at most 1,000 rows each", "0 … 1000 by 0.01", "female, male or NULL")
	}
	run(t, "d: 4", "dataset", "register", "-f", "-", "kr_edu.students").want(t, exitOK)
	for content, want := range map[string]string{"{}": "application/json", "b: 1": "application/yaml", "{b: 2}": "application/yaml",
		" {\"c\": 1}": "application/json", "c: 3": "application/yaml", "d: 4": "application/yaml"} {
		if types[content] != want {
			t.Errorf("%q was sent as %q, want %q", content, types[content], want)
		}
	}
	big := filepath.Join(dir, "big.json")
	if err := os.Truncate(writeFile(t, big, "{"), maxDocument+1); err != nil {
		t.Fatal(err)
	}
	got := run(t, "", "dataset", "register", "-f", big, "kr_edu.students")
	got.want(t, exitFailed)
	got.wantErr(t, "longer than")
}

func TestProgress(t *testing.T) {
	p := newProgress(&bytes.Buffer{}, "uploaded", 2_000_000)
	if _, err := io.Copy(io.Discard, p.reader(strings.NewReader(strings.Repeat("x", 1_500_000)))); err != nil {
		t.Fatal(err)
	}
	if got := strings.TrimSpace(p.line()); got != "uploaded 1.5 MB of 2.0 MB (75 %)" {
		t.Errorf("line %q", got)
	}
	p.moved = p.total
	if got := strings.TrimSpace(p.line()); got != "uploaded 2.0 MB, waiting for the server" {
		t.Errorf("line %q", got)
	}
	if got := strings.TrimSpace(newProgress(&bytes.Buffer{}, "received", -1).line()); got != "received 0 B" {
		t.Errorf("line %q", got)
	}
	p.done()
}
