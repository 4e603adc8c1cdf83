package datasets

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func csvPeople() Declaration {
	return Declaration{UnitSpace: "a/b", MaxRowsPerUnit: 10, Columns: []Column{
		{Name: "id", Type: Int64, Role: PrivacyID},
		{Name: "name", Type: String, Role: Key, Nullable: true},
		{Name: "n", Type: Int64, Role: Measure, Lower: decimal("0"), Upper: decimal("100"), Nullable: true},
		{Name: "x", Type: Float64, Role: Measure, Lower: decimal("-1"), Upper: decimal("1"), Resolution: decimal("0.01"), Nullable: true},
	}}
}

func TestCSVRows(t *testing.T) {
	tests := []struct{ name, text, want string }{
		{"plain", "id,name,n,x\n1,a,2,0.5\n", "a|2|50"},
		{"no newline at the end", "id,name,n,x\n1,a,2,0.5", "a|2|50"},
		{"CRLF", "id,name,n,x\r\n1,a,2,0.5\r\n", "a|2|50"},
		{"byte-order mark", "\xEF\xBB\xBFid,name,n,x\n1,a,2,0.5\n", "a|2|50"},
		{"byte-order mark and quotes", "\xEF\xBB\xBF\"id\",name,n,x\n1,a,2,0.5\n", "a|2|50"},
		{"quotes, commas, newlines", "id,name,n,x\n1,\"a,\"\"b\"\"\nc\",2,0.5\n", "a,\"b\"\nc|2|50"},
		{"columns in another order", "x,n,name,id\n0.5,2,a,1\n", "a|2|50"},
		{"empty fields are NULL", "id,name,n,x\n1,,,\"\"\n", "∅|∅|∅"},
		{"space is text, but no number", "id,name,n,x\n1, , , \n", " |∅|∅"},
		{"the word NULL is text", "id,name,n,x\n1,NULL,2,0.5\n", "NULL|2|50"},
		{"the word null is no number", "id,name,n,x\n1,null,null,NaN\n", "null|∅|∅"},
		// What Arrow's typed columns turn into 0, MaxInt64 and +Inf.
		{"a bad integer is not 0", "id,name,n,x\n1,a,2x,0.5\n", "a|∅|50"},
		{"a large integer is clamped", "id,name,n,x\n1,a,99999999999999999999,0.5\n", "a|100|50"},
		{"a large float is clamped, not infinite", "id,name,n,x\n1,a,2,-1e999\n", "a|2|-100"},
		{"decimals are exact", "id,name,n,x\n1,a,2,0.285\n", "a|2|29"},
		{"blank lines are no rows", "id,name,n,x\n\n1,a,2,0.5\n\n", "a|2|50"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			_, b, err := ingest(t, csvPeople(), upload(CSV, []byte(test.text)), Options{})
			if err != nil {
				t.Fatal(err)
			}
			var got []string
			for _, r := range stored(t, b) {
				got = append(got, r.cells)
			}
			if diff := cmp.Diff([]string{test.want}, got); diff != "" {
				t.Errorf("rows (-want +got):\n%s", diff)
			}
		})
	}
}

func TestBadCSV(t *testing.T) {
	const head = "id,name,n,x\n1,a,2,0.5\n"
	tests := []struct {
		name, text, want string
		kind             error
	}{
		{"empty", "", "the CSV file is empty", ErrMalformed},
		{"only a mark", "\xEF\xBB\xBF", "the CSV file is empty", ErrMalformed},
		{"short row", head + "2,b,3\n", "CSV row 2 has 3 fields where the header has 4", ErrMalformed},
		{"long row", head + "2,b,3,4,5\n", "CSV row 2 has 5 fields where the header has 4", ErrMalformed},
		{"quote inside a field", head + "2,b\"c,3,4\n", "CSV row 2 has a quote out of place", ErrMalformed},
		{"quote never closed", head + "2,\"b,3,4\n", "CSV row 2 has a quote out of place", ErrMalformed},
		{"quote never closed in a long file", head + "2,\"" + strings.Repeat("b,3,4\n", maxCSVRow/3), "CSV row 2 is longer than", ErrTooLarge},
		{"bad header", "id,na\"me\n", "the CSV header has a quote out of place", ErrMalformed},
		{"semicolons", "id;name;n;x\n1;a;2;3\n", "separate fields by commas", ErrMalformed},
		{"UTF-16", "\xFF\xFEi\x00d\x00", "UTF-16", ErrMalformed},
		{"no header", "1,a,2,0.5\n", "the file has no column id, name, n, x", ErrColumns},
		{"missing columns", "id,name\n1,a\n", "the file has no column n, x", ErrColumns},
		{"spelt otherwise", "ID,name,n,x\n1,a,2,3\n", "no column id; a column like id is there, spelt otherwise", ErrColumns},
		{"column twice", "id,name,n,n,x\n1,a,2,2,3\n", "more than one column n", ErrColumns},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			_, _, err := ingest(t, csvPeople(), upload(CSV, []byte(test.text)), Options{})
			if !errors.Is(err, test.kind) || !strings.Contains(err.Error(), test.want) {
				t.Errorf("%v\nlacks %q", err, test.want)
			}
		})
	}
}

// Without a header, the first row's cells take the place of names. They are not quoted.
func TestErrorsQuoteNoCell(t *testing.T) {
	for _, text := range []string{
		"kanarienvogel,1,2,3\n", "id,name,n,x\n1,kanarienvogel,2\n", "id,name,n,x\n1,kanarien\"vogel,2,3\n", "id,name,n,x\n1,\"kanarienvogel,2,3\n",
		"kanarienvogel;x\n", "I D,kanarienvogel\n", "\"kanarienvogel\n",
	} {
		if _, _, err := ingest(t, csvPeople(), upload(CSV, []byte(text)), Options{}); err == nil || strings.Contains(err.Error(), "vogel") {
			t.Errorf("%q: %v", text, err)
		}
	}
	_, _, err := ingest(t, csvPeople(), upload(CSV, []byte("id,name,n,x,kanarienvogel\nkanarienvogel,kanarienvogel\x00,-5,kanarienvogel,1\n")), Options{Strict: true})
	if !errors.Is(err, ErrStrict) || strings.Contains(err.Error(), "vogel") {
		t.Errorf("strict mode: %v", err)
	}
}

func TestExamplesAreFewAndShort(t *testing.T) {
	var text strings.Builder
	text.WriteString("id,name,n,x\n")
	for i := range 10 {
		fmt.Fprintf(&text, "%d,a,%s,\n", i, strings.Repeat("9", 60))
	}
	r, _, err := ingest(t, csvPeople(), upload(CSV, []byte(text.String())), Options{})
	if err != nil {
		t.Fatal(err)
	}
	want := ColumnReport{Name: "n", Clamped: 10}
	for i := range 3 {
		want.Examples = append(want.Examples, Example{int64(i + 1), strings.Repeat("9", 40) + "…", "clamped"})
	}
	if diff := cmp.Diff(want, r.Columns[2]); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestHiddenColumnsMayBeMissing(t *testing.T) {
	d := csvPeople()
	d.Columns = append(d.Columns, Column{Name: "note", Type: String, Role: Hidden})
	for _, text := range []string{"id,name,n,x\n1,a,2,0.5\n", "id,name,note,n,x\n1,a,secret,2,0.5\n"} {
		r, b, err := ingest(t, d, upload(CSV, []byte(text)), Options{Strict: true})
		if err != nil || len(r.UndeclaredColumns) != 0 || strings.Contains(string(b), "secret") || len(r.Columns) != 4 {
			t.Errorf("%+v, %v", r, err)
		}
	}
}

func TestContentTypes(t *testing.T) {
	for in, want := range map[string]Format{"text/csv; charset=utf-8": CSV, "application/vnd.apache.parquet": Parquet,
		"application/vnd.apache.arrow.file": ArrowFile, "application/vnd.apache.arrow.stream": ArrowStream, "text/plain": "", "": ""} {
		if got, ok := FormatOf(in); got != want || ok != (want != "") {
			t.Errorf("%q: %q, %t", in, got, ok)
		}
	}
}
