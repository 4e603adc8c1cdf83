package datasets

import (
	"bytes"
	"errors"
	"testing"
	"time"

	"github.com/apache/arrow/go/v17/arrow"
	"github.com/apache/arrow/go/v17/arrow/array"
	"github.com/apache/arrow/go/v17/arrow/memory"
	"github.com/google/go-cmp/cmp"
)

func TestMoments(t *testing.T) {
	tests := map[string][3]any{
		"enrolled": {"2000-01-01", "2026-12-31", true},
		"left":     {"1999-12-31T15:00:00Z", "2026-12-31T23:59:59.999999Z", true},
		"born":     {"", "", false}, // has a domain
		"year":     {"", "", false},
		"math":     {"", "", false},
	}
	d := good(t)
	for name, want := range tests {
		c, _ := d.Column(name)
		earliest, latest, ok := c.Moments()
		if got := [3]any{earliest, latest, ok}; got != want {
			t.Errorf("%s: %v, want %v", name, got, want)
		}
		if ok && (c.Earliest != earliest || c.Latest != latest) {
			t.Errorf("%s: declared as %s and %s, which is not canonical", name, c.Earliest, c.Latest)
		}
	}
	for _, c := range []Column{
		{Type: Date, Role: Hidden, Earliest: "2000-01-01", Latest: "2001-01-01"},
		{Type: Date, Role: Key, Earliest: "2001-01-01", Latest: "2000-01-01"},
		{Type: Date, Role: Key, Earliest: "2000-01-01", Latest: "2000-01-01"},
		{Type: Date, Role: Key, Earliest: "2000-01-01"},
		{Type: Date, Role: Key, Earliest: "2000-01-01", Latest: "2001-01-01", Domain: []any{"2000-01-01"}},
		{Type: Timestamp, Role: Key, Earliest: "2000-01-01", Latest: "2001-01-01"},
		{Type: String, Role: Key, Earliest: "2000-01-01", Latest: "2001-01-01"},
	} {
		if earliest, latest, ok := c.Moments(); ok || earliest != "" || latest != "" {
			t.Errorf("%+v has moments", c)
		}
	}
}

// Dates and timestamps out of range are clamped, counted and shown to the owner, in each format alike.
func TestClampedMoments(t *testing.T) {
	d := Declaration{UnitSpace: "a/b", MaxRowsPerUnit: 9, Columns: []Column{
		{Name: "id", Type: Int64, Role: PrivacyID},
		{Name: "day", Type: Date, Role: Key, Earliest: "1970-01-02", Latest: "1970-02-01"},
		{Name: "at", Type: Timestamp, Role: Key, Earliest: "1970-01-01T00:00:00.5Z", Latest: "1970-01-01T00:01:00Z", Nullable: true},
	}}
	sent := array.NewTimestampBuilder(memory.DefaultAllocator, &arrow.TimestampType{Unit: arrow.Microsecond})
	for _, at := range []time.Duration{499_999, 500_000, 60_000_000, 60_000_001} {
		sent.Append(arrow.Timestamp(at))
	}
	sent.AppendNull()
	rows := newTable([]string{"id", "day", "at"}, intColumn(1, 2, 3, 4, 5), dateColumn(0, 1, 31, 32, nil), sent.NewArray())
	kept := map[string]bool{
		"1970-01-02|1970-01-01T00:00:00.500000Z": true, "1970-02-01|1970-01-01T00:01:00Z": true,
	}
	want := Report{RowsRead: 5, RowsKept: 4, RowsDropped: 1, Units: 4, Columns: []ColumnReport{
		{Name: "id"},
		{Name: "day", Clamped: 2, RowsDropped: 1, Examples: []Example{{1, "1970-01-01", "clamped"}, {4, "1970-02-02", "clamped"}, {5, "", "dropped"}}},
		{Name: "at", Clamped: 2, Examples: []Example{{1, "1970-01-01T00:00:00.499999Z", "clamped"}, {4, "1970-01-01T00:01:00.000001Z", "clamped"}}},
	}}
	var first []byte
	for _, f := range allFormats {
		r, b, err := ingest(t, d, rows.encode(t, f), Options{})
		if err != nil {
			t.Fatalf("%s: %v", f, err)
		}
		want.ContentHash = r.ContentHash
		if diff := cmp.Diff(want, r); diff != "" {
			t.Errorf("%s: report (-want +got):\n%s", f, diff)
		}
		got := map[string]bool{}
		for _, s := range stored(t, b) {
			got[s.cells] = true
		}
		if diff := cmp.Diff(kept, got); diff != "" {
			t.Errorf("%s: rows (-want +got):\n%s", f, diff)
		}
		if first == nil {
			first = b
		}
		if !bytes.Equal(first, b) {
			t.Errorf("%s gives other bytes than %s", f, allFormats[0])
		}
		if _, _, err := ingest(t, d, rows.take([]int{1, 3}).encode(t, f), Options{Strict: true}); !errors.Is(err, ErrStrict) {
			t.Errorf("%s: strict mode lets a clamped date pass: %v", f, err)
		}
	}
}
