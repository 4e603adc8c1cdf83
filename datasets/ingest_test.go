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
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

func TestFormatsGiveIdenticalBytes(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	rows := randomPeople(random.IntN, 4000)
	var first []byte
	var firstReport Report
	for _, f := range allFormats {
		r, b, err := ingest(t, people(), rows.encode(t, f), Options{BatchRows: 700, RowGroupRows: 1000})
		if err != nil {
			t.Fatalf("%s: %v", f, err)
		}
		if first == nil {
			first, firstReport = b, r
			if r.RowsKept == 0 || r.RowsOverLimit == 0 || r.RowsDropped == 0 || r.RowsWithoutUnit == 0 {
				t.Fatalf("the rows do not exercise everything: %+v", r)
			}
		}
		if !bytes.Equal(b, first) {
			t.Errorf("%s gives other bytes than %s", f, allFormats[0])
		}
		if diff := cmp.Diff(firstReport, r); diff != "" {
			t.Errorf("%s: report differs (-want +got):\n%s", f, diff)
		}
	}
}

func TestOrderAndSpillDoNotMatter(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		seed := rapid.Uint64().Draw(rt, "seed")
		random := rand.New(rand.NewPCG(seed, 1))
		rows := randomPeople(random.IntN, rapid.IntRange(1, 120).Draw(rt, "rows"))
		want, wantBytes, err := ingest(t, people(), rows.encode(t, ArrowStream), Options{})
		if err != nil {
			rt.Fatal(err)
		}
		shuffled := rows.take(random.Perm(rows.columns[0].Len()))
		got, gotBytes, err := ingest(t, people(), shuffled.encode(t, ArrowStream), Options{MemoryLimit: 200})
		if err != nil {
			rt.Fatal(err)
		}
		if !bytes.Equal(wantBytes, gotBytes) {
			rt.Fatal("the order of rows, or spilling them, changes the stored bytes")
		}
		if want.ContentHash != got.ContentHash {
			rt.Fatal("content hash differs")
		}
	})
}

// The map is unit by unit: without one unit's rows, every other unit's stored rows are the same,
// their ordinals aside.
func TestOneUnitChangesNoOther(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		random := rand.New(rand.NewPCG(rapid.Uint64().Draw(rt, "seed"), 1))
		rows := randomPeople(random.IntN, rapid.IntRange(2, 80).Draw(rt, "rows"))
		d := people()
		_, all, err := ingest(t, d, rows.encode(t, ArrowStream), Options{})
		if err != nil {
			rt.Fatal(err)
		}
		u, err := newUnits(d.Columns[0], testKey)
		if err != nil {
			rt.Fatal(err)
		}
		unitOf := func(i int) (unitID, bool) {
			var v value
			arrowCells(rows.columns[0])(i, &v)
			id, _, ok := u.unit(&v)
			return id, ok
		}
		gone := rapid.IntRange(0, rows.columns[0].Len()-1).Draw(rt, "unit of row")
		goneID, goneOK := unitOf(gone)
		var rest []int
		for i := range rows.columns[0].Len() {
			if id, ok := unitOf(i); i != gone && (!ok || !goneOK || id != goneID) {
				rest = append(rest, i)
			}
		}
		if len(rest) == 0 {
			return
		}
		_, fewer, err := ingest(t, d, rows.take(rest).encode(t, ArrowStream), Options{})
		if err != nil {
			rt.Fatal(err)
		}
		without := func(b []byte) (out []row) {
			for _, r := range stored(t, b) {
				if unitHex := r.unit; !goneOK || unitHex != hexOf(goneID) {
					r.ord = 0
					out = append(out, r)
				}
			}
			return out
		}
		if diff := cmp.Diff(without(all), without(fewer), cmp.AllowUnexported(row{})); diff != "" {
			rt.Fatalf("another unit's rows changed:\n%s", diff)
		}
	})
}

func TestCanonicalRows(t *testing.T) {
	rows := newTable([]string{"id", "town", "score", "n", "note"},
		stringColumn("b", "a", "b", " a", nil, "  ", "c"),
		stringColumn("x", nil, "y", "z", "x", "x", "x"),
		floatColumn(1.25, -5, 100.04, 0.15, 1, 1, nil),
		intColumn(11, -11, nil, 3, 1, 1, 1),
		stringColumn("s", "s", "s", "s", "s", "s", "s"))
	r, b, err := ingest(t, people(), rows.encode(t, Parquet), Options{})
	if err != nil {
		t.Fatal(err)
	}
	got := stored(t, b)
	cells := map[int64][]string{}
	for i, g := range got {
		if i > 0 && (g.unit < got[i-1].unit || g.ord != got[i-1].ord && g.ord != got[i-1].ord+1) {
			t.Errorf("row %d is out of order: %+v after %+v", i, g, got[i-1])
		}
		cells[g.ord] = append(cells[g.ord], g.cells)
		if int(g.rank) != len(cells[g.ord]) {
			t.Errorf("row %d has rank %d, want %d", i, g.rank, len(cells[g.ord]))
		}
	}
	var all [][]string
	for _, c := range cells {
		slices.Sort(c)
		all = append(all, c)
	}
	slices.SortFunc(all, func(a, b []string) int { return slices.Compare(a, b) })
	want := [][]string{{"x|13|10", "y|1000|∅"}, {"z|2|3", "∅|0|-10"}}
	if diff := cmp.Diff(want, all); diff != "" {
		t.Errorf("stored rows (-want +got):\n%s", diff)
	}
	wantReport := Report{RowsRead: 7, RowsKept: 4, RowsWithoutUnit: 2, RowsDropped: 1, Units: 2, Columns: []ColumnReport{
		{Name: "id", RowsDropped: 2, Examples: []Example{{5, "", "dropped"}, {6, "  ", "dropped"}}},
		{Name: "town"},
		{Name: "score", Clamped: 1, RowsDropped: 1, Examples: []Example{{2, "-5", "clamped"}, {7, "", "dropped"}}},
		{Name: "n", Clamped: 2, Examples: []Example{{1, "11", "clamped"}, {2, "-11", "clamped"}}},
	}, ContentHash: r.ContentHash}
	if diff := cmp.Diff(wantReport, r); diff != "" {
		t.Errorf("report (-want +got):\n%s", diff)
	}
}

func TestStrictMode(t *testing.T) {
	d := people()
	d.MaxRowsPerUnit = 2
	names := []string{"id", "town", "score", "n", "note"}
	good := func() []any { return []any{"a", "x", 1.5, 2, "s"} }
	build := func(edit func(rows [][]any) [][]any) Upload {
		rows := edit([][]any{good(), {"b", "y", 2.5, 3, "s"}})
		columns := make([][]any, len(names))
		for _, r := range rows {
			for i, v := range r {
				columns[i] = append(columns[i], v)
			}
		}
		return newTable(names, stringColumn(columns[0]...), stringColumn(columns[1]...), floatColumn(columns[2]...),
			intColumn(columns[3]...), stringColumn(columns[4]...)).encode(t, ArrowFile)
	}
	tests := map[string]func([][]any) [][]any{
		"clamped":      func(r [][]any) [][]any { r[0][2] = 101.0; return r },
		"without unit": func(r [][]any) [][]any { r[0][0] = nil; return r },
		"dropped":      func(r [][]any) [][]any { r[0][2] = nil; return r },
		"nulled":       func(r [][]any) [][]any { r[0][1] = "nul\x00"; return r },
		"over limit":   func(r [][]any) [][]any { return append(r, good(), good()) },
	}
	for name, edit := range tests {
		t.Run(name, func(t *testing.T) {
			r, _, err := ingest(t, d, build(edit), Options{Strict: true})
			var strict *StrictError
			if !errors.Is(err, ErrStrict) || !errors.As(err, &strict) {
				t.Fatalf("error %v, want ErrStrict", err)
			}
			if diff := cmp.Diff(r, strict.Report); diff != "" || r.RowsRead == 0 {
				t.Errorf("the error's report differs:\n%s", diff)
			}
			if _, _, err := ingest(t, d, build(edit), Options{}); err != nil {
				t.Errorf("without strict mode: %v", err)
			}
		})
	}
	if _, _, err := ingest(t, d, build(func(r [][]any) [][]any { return r }), Options{Strict: true}); err != nil {
		t.Errorf("a clean table: %v", err)
	}
	extra := newTable([]string{"id", "town", "score", "n", "Extra"},
		stringColumn("a"), stringColumn("x"), floatColumn(1), intColumn(1), stringColumn("s"))
	r, _, err := ingest(t, d, extra.encode(t, Parquet), Options{Strict: true})
	if !errors.Is(err, ErrStrict) || !slices.Equal(r.UndeclaredColumns, []string{"Extra"}) {
		t.Errorf("an undeclared column: %v, %v", err, r.UndeclaredColumns)
	}
}

// One unit with far more rows than memory holds is truncated in bounded memory.
func TestHugeUnitIsBounded(t *testing.T) {
	const n = 300_000
	s := &spill{dir: t.TempDir(), limit: 1 << 40}
	defer s.close()
	sorter := newSorter(1<<16, s)
	d := people()
	record := make([]byte, payloadAt)
	var place placer
	for i := range n {
		record = appendCell(record[:payloadAt], cell{n: int64(i * 7919 % n)}, false)
		place.place(record)
		if err := sorter.add(record); err != nil {
			t.Fatal(err)
		}
		if sorter.held > 1<<16 {
			t.Fatalf("%d bytes in memory", sorter.held)
		}
	}
	var out bytes.Buffer
	c, err := newUnitWriter(&out, d.Columns[3:4], 10, 1000)
	if err != nil {
		t.Fatal(err)
	}
	var last []byte
	if err := sorter.each(context.Background(), func(b []byte) error {
		if bytes.Compare(last, b) > 0 {
			t.Fatal("out of order")
		}
		last = append(last[:0], b...)
		return c.add(b)
	}); err != nil {
		t.Fatal(err)
	}
	var r Report
	if err := c.close(&r); err != nil {
		t.Fatal(err)
	}
	if r.RowsKept != 10 || r.RowsOverLimit != n-10 || r.Units != 1 {
		t.Errorf("%+v", r)
	}
}

func TestEqualRowsOverflowingMemory(t *testing.T) {
	var id []any
	for range 5000 {
		id = append(id, "same")
	}
	rows := newTable([]string{"id"}, stringColumn(id...))
	d := Declaration{UnitSpace: "a/b", MaxRowsPerUnit: 4000, Columns: []Column{{Name: "id", Type: String, Role: PrivacyID}}}
	r, b, err := ingest(t, d, rows.encode(t, CSV), Options{MemoryLimit: 1000})
	if err != nil || r.RowsKept != 4000 || r.RowsOverLimit != 1000 || len(stored(t, b)) != 4000 {
		t.Errorf("%+v, %v", r, err)
	}
}

func TestNoRows(t *testing.T) {
	for _, f := range allFormats {
		r, b, err := ingest(t, people(), randomPeople(func(int) int { return 0 }, 1).take(nil).encode(t, f), Options{})
		if err != nil || r.RowsRead != 0 || len(stored(t, b)) != 0 {
			t.Errorf("%s: %+v, %v", f, r, err)
		}
	}
}

func TestLimits(t *testing.T) {
	rows := randomPeople(rand.New(rand.NewPCG(3, 4)).IntN, 3000)
	tests := map[string]Options{
		"rows":    {MaxRows: 100},
		"columns": {MaxColumns: 3},
		"spill":   {MemoryLimit: 1000, SpillLimit: 5000},
		"decode":  {DecodeLimit: 100},
	}
	for name, o := range tests {
		for _, f := range allFormats {
			if f == CSV && name == "decode" {
				continue // CSV rows are bounded by themselves
			}
			if _, _, err := ingest(t, people(), rows.encode(t, f), o); !errors.Is(err, ErrTooLarge) {
				t.Errorf("%s, %s: %v, want ErrTooLarge", name, f, err)
			}
		}
	}
}

// What a reader holds is given back batch by batch: the decode limit does not bound the file.
func TestDecodeLimitIsPerBatch(t *testing.T) {
	var id []any
	for i := range 200_000 {
		id = append(id, fmt.Sprintf("someone with a long name %d", i))
	}
	rows := newTable([]string{"id"}, stringColumn(id...)) // 6 MB of text
	d := Declaration{UnitSpace: "a/b", MaxRowsPerUnit: 1, Columns: []Column{{Name: "id", Type: String, Role: PrivacyID}}}
	for _, f := range allFormats {
		r, _, err := ingest(t, d, rows.encode(t, f), Options{DecodeLimit: 2 << 20, BatchRows: 1000})
		if err != nil || r.Units != 200_000 {
			t.Errorf("%s: %d units, %v", f, r.Units, err)
		}
	}
}

func TestCancelledIngestLeavesNothing(t *testing.T) {
	rows := randomPeople(rand.New(rand.NewPCG(3, 4)).IntN, 5000)
	for _, f := range allFormats {
		in := rows.encode(t, f)
		for after := range 12 {
			ctx, cancel := context.WithCancel(context.Background())
			dir := t.TempDir()
			in := Upload{Format: f, Size: in.Size, Data: &countdown{in.Data, after, cancel}}
			_, err := Ingest(ctx, people(), in, filepath.Join(dir, "out"), testKey, Options{MemoryLimit: 5000})
			left, _ := os.ReadDir(dir)
			if ctx.Err() != nil && !errors.Is(err, context.Canceled) || err != nil && len(left) != 0 {
				t.Errorf("%s, after %d reads: %v, left %v", f, after, err, left)
			}
			cancel()
		}
	}
}

// A failure of the disk is not called a malformed file.
func TestFailingUpload(t *testing.T) {
	broken := errors.New("disk on fire")
	rows := randomPeople(rand.New(rand.NewPCG(3, 4)).IntN, 5000)
	for _, f := range allFormats {
		in := rows.encode(t, f)
		in.Data = failing{in.Data, broken}
		if _, _, err := ingest(t, people(), in, Options{}); !errors.Is(err, broken) || errors.Is(err, ErrMalformed) {
			t.Errorf("%s: %v", f, err)
		}
	}
}

func TestKeysMatter(t *testing.T) {
	rows := randomPeople(rand.New(rand.NewPCG(3, 4)).IntN, 10).encode(t, CSV)
	if _, err := Ingest(context.Background(), people(), rows, filepath.Join(t.TempDir(), "o"), testKey[1:], Options{}); !errors.Is(err, ErrKey) {
		t.Errorf("a short key: %v", err)
	}
	if _, err := Ingest(context.Background(), people(), Upload{Format: CSV}, filepath.Join(t.TempDir(), "o"), testKey, Options{}); !errors.Is(err, ErrMalformed) {
		t.Errorf("no data: %v", err)
	}
	if _, _, err := ingest(t, people(), Upload{"xlsx", rows.Data, rows.Size}, Options{}); !errors.Is(err, ErrFormat) {
		t.Errorf("unknown format: %v", err)
	}
	if _, _, err := ingest(t, Declaration{}, rows, Options{}); !errors.Is(err, ErrDeclaration) {
		t.Errorf("no declaration: %v", err)
	}
}

// Dictionaries and views are text like any other.
func TestEncodedText(t *testing.T) {
	d := Declaration{UnitSpace: "a/b", MaxRowsPerUnit: 2, Columns: []Column{
		{Name: "id", Type: String, Role: PrivacyID}, {Name: "k", Type: String, Role: Key}}}
	want := newTable([]string{"id", "k"}, stringColumn("c", "d"), stringColumn("x", "y"))
	_, wantBytes, err := ingest(t, d, want.encode(t, CSV), Options{})
	if err != nil {
		t.Fatal(err)
	}
	rows := newTable([]string{"id", "k"}, viewColumn("c", "d"), dictionaryColumn(t))
	for _, f := range []Format{ArrowFile, ArrowStream} {
		if _, got, err := ingest(t, d, rows.encode(t, f), Options{}); err != nil || !bytes.Equal(got, wantBytes) {
			t.Errorf("%s: %v", f, err)
		}
	}
}
