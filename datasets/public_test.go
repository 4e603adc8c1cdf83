package datasets

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/apache/arrow/go/v17/arrow"
	"github.com/apache/arrow/go/v17/arrow/array"
	"github.com/apache/arrow/go/v17/arrow/memory"
	"github.com/apache/arrow/go/v17/parquet/file"
	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

// countries is a public table with a key of two columns, in another order than declared.
func countries() Declaration {
	return Declaration{
		Public: true, Unique: []string{"year", "country"},
		Columns: []Column{
			{Name: "country", Type: String, Role: Key},
			{Name: "year", Type: Int64, Role: Key, Lower: decimal("-2000"), Upper: decimal("2000")},
			{Name: "since", Type: Date, Role: Key, Nullable: true, Earliest: "1900-01-01", Latest: "2000-12-31"},
			{Name: "gdp", Type: Float64, Role: Measure, Lower: decimal("0"), Upper: decimal("100"), Resolution: decimal("0.1"), Nullable: true},
			{Name: "source", Type: String, Role: Hidden},
		},
	}
}

var countryNames = []string{"country", "year", "since", "gdp", "source"}

func dateColumn(days ...any) arrow.Array {
	b := array.NewDate32Builder(memory.DefaultAllocator)
	for _, d := range days {
		if d == nil {
			b.AppendNull()
		} else {
			b.Append(arrow.Date32(d.(int)))
		}
	}
	return b.NewArray()
}

// fact is a row of countries as it is sent, with what it becomes.
type fact struct {
	country, year, since, gdp any
	cells                     string // "" where the row is dropped
}

func factTable(facts []fact) table {
	var country, year, since, gdp, source []any
	for _, f := range facts {
		country, year = append(country, f.country), append(year, f.year)
		since, gdp = append(since, f.since), append(gdp, f.gdp)
		source = append(source, "hearsay")
	}
	return newTable(countryNames, stringColumn(country...), intColumn(year...), dateColumn(since...), floatColumn(gdp...), stringColumn(source...))
}

func TestPublicTable(t *testing.T) {
	facts := []fact{
		{"KR", 1990, 0, 12.34, "KR|1990|1970-01-01|123"},
		{"KR", -5, nil, nil, "KR|-5|∅|∅"},
		{"K", 1990, -40_000, 0.0, "K|1990|1900-01-01|0"},
		{"AA", 3000, 20_000, 101.0, "AA|2000|2000-12-31|1000"},
		{"DE", nil, 0, 1.0, ""},
		{nil, 1, 0, 1.0, ""},
		{"서울", 1990, nil, 0.05, "서울|1990|∅|1"},
	}
	var want []string
	for _, i := range []int{1, 2, 0, 6, 3} { // by year, then country
		want = append(want, facts[i].cells)
	}
	wantReport := Report{RowsRead: 7, RowsKept: 5, RowsDropped: 2, Columns: []ColumnReport{
		{Name: "country", RowsDropped: 1, Examples: []Example{{6, "", "dropped"}}},
		{Name: "year", Clamped: 1, RowsDropped: 1, Examples: []Example{{4, "3000", "clamped"}, {5, "", "dropped"}}},
		{Name: "since", Clamped: 2, Examples: []Example{{3, "1860-06-26", "clamped"}, {4, "2024-10-04", "clamped"}}},
		{Name: "gdp", Clamped: 1, Examples: []Example{{4, "101", "clamped"}}},
	}}
	var first []byte
	for _, f := range allFormats {
		r, b, err := ingest(t, countries(), factTable(facts).encode(t, f), Options{})
		if err != nil {
			t.Fatalf("%s: %v", f, err)
		}
		wantReport.ContentHash = r.ContentHash
		if diff := cmp.Diff(wantReport, r); diff != "" {
			t.Errorf("%s: report (-want +got):\n%s", f, diff)
		}
		if diff := cmp.Diff(want, publicRows(t, b)); diff != "" {
			t.Errorf("%s: rows (-want +got):\n%s", f, diff)
		}
		if first == nil {
			first = b
		}
		if !bytes.Equal(b, first) {
			t.Errorf("%s gives other bytes than %s", f, allFormats[0])
		}
	}
}

// publicRows reads a canonical public table back, and checks what it carries.
func publicRows(tb testing.TB, b []byte) []string {
	tb.Helper()
	f, err := file.NewParquetReader(bytes.NewReader(b))
	if err != nil {
		tb.Fatal(err)
	}
	schema := f.MetaData().Schema
	if schema.Column(0).Name() != OrdinalColumn || schema.Column(1).Name() != RankColumn {
		tb.Fatalf("carried columns: %s, %s", schema.Column(0).Name(), schema.Column(1).Name())
	}
	if schema.ColumnIndexByName(UnitColumn) >= 0 {
		tb.Fatal("a public table has a unit column")
	}
	var out []string
	for i, r := range readBack(tb, b, 2) {
		if r.ord != int64(i) || r.rank != 1 {
			tb.Fatalf("row %d has ordinal %d and rank %d", i, r.ord, r.rank)
		}
		out = append(out, r.cells)
	}
	return out
}

func TestPublicTableNeedsNoKey(t *testing.T) {
	in := factTable([]fact{{country: "KR", year: 1}}).encode(t, CSV)
	if _, err := Ingest(context.Background(), countries(), in, filepath.Join(t.TempDir(), "out"), nil, Options{}); err != nil {
		t.Error(err)
	}
	r, _, err := ingest(t, countries(), factTable([]fact{{country: "KR", year: 1}}).take(nil).encode(t, CSV), Options{})
	if err != nil || r.RowsRead != 0 {
		t.Errorf("no rows: %+v, %v", r, err)
	}
}

// Against a map of what each row becomes: the rows kept, or a refusal where two of them share a key.
// Formats, the order of rows and spilling change nothing.
func TestPublicTableAgainstMap(t *testing.T) {
	kept, refused := 0, 0
	rapid.Check(t, func(rt *rapid.T) {
		random := rand.New(rand.NewPCG(rapid.Uint64().Draw(rt, "seed"), 1))
		facts := make([]fact, rapid.IntRange(1, 40).Draw(rt, "rows"))
		for i := range facts {
			facts[i] = randomFact(random, 1+random.IntN(4000))
		}
		want, duplicate := expected(facts)
		var first []byte
		for _, memory := range []int64{0, 150} {
			random.Shuffle(len(facts), func(i, j int) { facts[i], facts[j] = facts[j], facts[i] })
			in := factTable(facts).encode(t, allFormats[random.IntN(len(allFormats))])
			r, b, err := ingest(t, countries(), in, Options{MemoryLimit: memory, RowGroupRows: 7})
			if duplicate {
				if refused++; !errors.Is(err, ErrDuplicates) {
					rt.Fatalf("two rows of one key are accepted: %v", err)
				}
				continue
			}
			if kept++; err != nil || r.RowsRead != int64(len(facts)) || r.RowsKept != int64(len(want)) || r.Units != 0 {
				rt.Fatalf("%+v, %v", r, err)
			}
			got := publicRows(t, b)
			slices.Sort(got)
			if diff := cmp.Diff(want, got); diff != "" {
				rt.Fatalf("rows (-want +got):\n%s", diff)
			}
			if first != nil && !bytes.Equal(first, b) {
				rt.Fatal("the order of rows, or spilling them, changes the stored bytes")
			}
			first = b
		}
	})
	if kept == 0 || refused == 0 {
		t.Errorf("%d tables were kept and %d refused; both were to be tried", kept, refused)
	}
}

// expected is what the facts become, sorted, and whether two of them share a key.
func expected(facts []fact) (rows []string, duplicate bool) {
	seen := map[string]bool{}
	for _, f := range facts {
		if f.cells == "" {
			continue
		}
		parts := strings.SplitN(f.cells, "|", 3)
		key := parts[0] + "|" + parts[1]
		duplicate = duplicate || seen[key]
		seen[key] = true
		rows = append(rows, f.cells)
	}
	slices.Sort(rows)
	return rows, duplicate
}

// randomFact makes a row with one of about n keys, and what it becomes.
func randomFact(random *rand.Rand, n int) fact {
	f := fact{country: fmt.Sprintf("c%d", random.IntN(1+n/10)), year: random.IntN(10) - 5, since: random.IntN(20_000) - 1000, gdp: float64(random.IntN(1000)) / 10}
	days := f.since.(int)
	f.cells = fmt.Sprintf("%s|%d|%s|%d", f.country, f.year, formatDate(int64(min(days, 11_322))), int(f.gdp.(float64)*10+0.5))
	switch random.IntN(20) {
	case 0:
		f.country, f.cells = nil, ""
	case 1:
		f.year, f.cells = nil, ""
	}
	return f
}

// The content hash is what versions are committed to: it must never mean something else.
func TestContentHashIsFrozen(t *testing.T) {
	rows := newTable([]string{"id", "town", "score", "n"},
		stringColumn("b", "a", "b", " a", nil, "  ", "c"), stringColumn("x", nil, "y", "z", "x", "x", "x"),
		floatColumn(1.25, -5, 100.04, 0.15, 1, 1, nil), intColumn(11, -11, nil, 3, 1, 1, 1))
	facts := factTable([]fact{{"KR", 1990, 0, 12.3, ""}, {"KR", -5, nil, nil, ""}, {"DE", 1990, 5, 1.0, ""}})
	swapped := countries()
	swapped.Unique = []string{"country", "year"}
	for _, test := range []struct {
		name string
		d    Declaration
		rows table
		want string
	}{
		{"people", people(), rows, "bf6504417688538d963ed78dbda0200168e0b07a023ad4f5d4a40211f71e1dea"},
		{"countries", countries(), facts, "24d416b886e44fd1e73b75f6c1cd65103996f25bba3e1dba8acbbcc754b88880"},
		{"countries under another key", swapped, facts, "8228b849bbab2ff359d8d8b14bd4dc4c14134542f59951b39040c0ea711c08ef"},
	} {
		r, _, err := ingest(t, test.d, test.rows.encode(t, Parquet), Options{})
		if got := fmt.Sprintf("%x", r.ContentHash); err != nil || got != test.want {
			t.Errorf("%s: %s, %v", test.name, got, err)
		}
	}
}

// Damaged uploads of public tables end as those of protected ones do.
func TestDamagedPublicTables(t *testing.T) {
	random := rand.New(rand.NewPCG(5, 6))
	var facts []fact
	for i := range 300 {
		facts = append(facts, fact{country: fmt.Sprint(canary, i), year: i, since: i, gdp: 1.5})
	}
	for _, f := range allFormats {
		in := factTable(facts).encode(t, f)
		all := make([]byte, in.Size)
		if _, err := in.Data.ReadAt(all, 0); err != nil {
			t.Fatal(err)
		}
		for range 40 {
			b := bytes.Clone(all)
			for range 1 + random.IntN(4) {
				b[random.IntN(len(b))] = byte(random.IntN(256))
			}
			dir := t.TempDir()
			_, err := Ingest(context.Background(), countries(), upload(f, b), filepath.Join(dir, "out"), nil, Options{DecodeLimit: 64 << 20})
			if left, _ := os.ReadDir(dir); err != nil && len(left) != 0 {
				t.Errorf("%s: %v left behind", f, left)
			}
			if err != nil && !errors.Is(err, ErrMalformed) && !errors.Is(err, ErrTooLarge) {
				t.Errorf("%s: error %v is of no kind", f, err)
			}
			if err != nil && !errors.Is(err, ErrDuplicates) && strings.Contains(err.Error(), canary) {
				t.Errorf("%s: error quotes a cell: %v", f, err)
			}
		}
	}
}
