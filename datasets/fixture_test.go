package datasets

import (
	"bytes"
	"context"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/apache/arrow/go/v17/arrow"
	"github.com/apache/arrow/go/v17/arrow/array"
	"github.com/apache/arrow/go/v17/arrow/ipc"
	"github.com/apache/arrow/go/v17/arrow/memory"
	"github.com/apache/arrow/go/v17/parquet"
	"github.com/apache/arrow/go/v17/parquet/compress"
	"github.com/apache/arrow/go/v17/parquet/file"
	"github.com/apache/arrow/go/v17/parquet/pqarrow"
)

var testKey = bytes.Repeat([]byte("k"), MinKey)

var allFormats = []Format{Parquet, ArrowFile, ArrowStream, CSV}

// decimal is for tests, where the text is known to be good.
func decimal(s string) Decimal {
	d, err := ParseDecimal(s)
	if err != nil {
		panic(err)
	}
	return d
}

// table is a small table as each format would carry it.
type table struct {
	schema  *arrow.Schema
	columns []arrow.Array
}

// column is one column for a table: nil is NULL.
func stringColumn(values ...any) arrow.Array {
	b := array.NewStringBuilder(memory.DefaultAllocator)
	for _, v := range values {
		if v == nil {
			b.AppendNull()
		} else {
			b.Append(fmt.Sprint(v))
		}
	}
	return b.NewArray()
}

func floatColumn(values ...any) arrow.Array {
	b := array.NewFloat64Builder(memory.DefaultAllocator)
	for _, v := range values {
		switch v := v.(type) {
		case nil:
			b.AppendNull()
		case int:
			b.Append(float64(v))
		case float64:
			b.Append(v)
		}
	}
	return b.NewArray()
}

func intColumn(values ...any) arrow.Array {
	b := array.NewInt64Builder(memory.DefaultAllocator)
	for _, v := range values {
		switch v := v.(type) {
		case nil:
			b.AppendNull()
		case int:
			b.Append(int64(v))
		case int64:
			b.Append(v)
		}
	}
	return b.NewArray()
}

func newTable(names []string, columns ...arrow.Array) table {
	t := table{columns: columns}
	var fields []arrow.Field
	for i, c := range columns {
		fields = append(fields, arrow.Field{Name: names[i], Type: c.DataType(), Nullable: true})
	}
	t.schema = arrow.NewSchema(fields, nil)
	return t
}

func (t table) record() arrow.Record {
	return array.NewRecord(t.schema, t.columns, int64(t.columns[0].Len()))
}

// slices cuts the table into batches of n rows.
func (t table) batches(n int64) []arrow.Record {
	r := t.record()
	var out []arrow.Record
	for at := int64(0); at < r.NumRows(); at += n {
		out = append(out, r.NewSlice(at, min(at+n, r.NumRows())))
	}
	return out
}

func (t table) encode(tb testing.TB, f Format) Upload {
	tb.Helper()
	var b bytes.Buffer
	var err error
	switch f {
	case Parquet:
		err = t.parquet(&b)
	case ArrowFile:
		err = t.arrowFile(tb, &b)
	case ArrowStream:
		w := ipc.NewWriter(&b, ipc.WithSchema(t.schema), ipc.WithZstd())
		for _, r := range t.batches(1000) {
			err = errors.Join(err, w.Write(r))
		}
		err = errors.Join(err, w.Close())
	case CSV:
		err = t.csv(&b)
	}
	if err != nil {
		tb.Fatal(err)
	}
	return upload(f, b.Bytes())
}

func upload(f Format, b []byte) Upload {
	return Upload{Format: f, Data: bytes.NewReader(b), Size: int64(len(b))}
}

func (t table) parquet(b *bytes.Buffer) error {
	w, err := pqarrow.NewFileWriter(t.schema, b, parquet.NewWriterProperties(
		parquet.WithCompression(compress.Codecs.Snappy), parquet.WithDataPageSize(4096)), pqarrow.DefaultWriterProps())
	if err != nil {
		return err
	}
	for _, r := range t.batches(1500) {
		if err := w.Write(r); err != nil {
			return err
		}
	}
	return w.Close()
}

func (t table) arrowFile(tb testing.TB, b *bytes.Buffer) error {
	f, err := os.Create(filepath.Join(tb.TempDir(), "table.arrow"))
	if err != nil {
		return err
	}
	defer f.Close()
	w, err := ipc.NewFileWriter(f, ipc.WithSchema(t.schema))
	if err != nil {
		return err
	}
	for _, r := range t.batches(1000) {
		if err := w.Write(r); err != nil {
			return err
		}
	}
	if err := w.Close(); err != nil {
		return err
	}
	all, err := os.ReadFile(f.Name())
	b.Write(all)
	return err
}

func (t table) csv(b *bytes.Buffer) error {
	w := csv.NewWriter(b)
	var names []string
	for _, f := range t.schema.Fields() {
		names = append(names, f.Name)
	}
	if err := w.Write(names); err != nil {
		return err
	}
	for i := range t.columns[0].Len() {
		var row []string
		for _, c := range t.columns {
			s := ""
			if !c.IsNull(i) {
				var v value
				arrowCells(c)(i, &v)
				s = v.String()
			}
			row = append(row, s)
		}
		if err := w.Write(row); err != nil {
			return err
		}
	}
	w.Flush()
	return w.Error()
}

// ingest ingests into a new folder and returns the canonical bytes. It fails the test where a
// temporary file is left, or an error leaves anything.
func ingest(tb testing.TB, d Declaration, in Upload, o Options) (Report, []byte, error) {
	tb.Helper()
	dir := tb.TempDir()
	out := filepath.Join(dir, "t.parquet")
	r, err := Ingest(context.Background(), d, in, out, testKey, o)
	left, _ := os.ReadDir(dir)
	if err != nil {
		if len(left) != 0 {
			tb.Fatalf("after %v there is %v", err, left)
		}
		return r, nil, err
	}
	if len(left) != 1 {
		tb.Fatalf("besides the output there is %v", left)
	}
	if r.RowsRead != r.RowsKept+r.RowsWithoutUnit+r.RowsDropped+r.RowsOverLimit {
		tb.Fatalf("rows do not add up: %+v", r)
	}
	b, err := os.ReadFile(out)
	if err != nil {
		tb.Fatal(err)
	}
	return r, b, nil
}

// row is one canonical row: unit and rank, then the stored cells as text, NULL as "∅".
type row struct {
	unit  string
	ord   int64
	rank  int32
	cells string
}

// stored reads the canonical Parquet of a protected table back.
func stored(tb testing.TB, b []byte) []row { return readBack(tb, b, 3) }

// readBack reads canonical Parquet that carries some columns before the declared ones: two, or with
// the unit three.
func readBack(tb testing.TB, b []byte, carried int) []row {
	tb.Helper()
	f, err := file.NewParquetReader(bytes.NewReader(b))
	if err != nil {
		tb.Fatal(err)
	}
	a, err := pqarrow.NewFileReader(f, pqarrow.ArrowReadProperties{BatchSize: 1 << 16}, memory.DefaultAllocator)
	if err != nil {
		tb.Fatal(err)
	}
	if f.NumRows() == 0 {
		return nil
	}
	r, err := a.GetRecordReader(context.Background(), nil, nil)
	if err != nil {
		tb.Fatal(err)
	}
	defer r.Release()
	var rows []row
	for r.Next() {
		rec := r.Record()
		for i := range int(rec.NumRows()) {
			cells := ""
			for j := carried; j < int(rec.NumCols()); j++ {
				s := "∅"
				if c := rec.Column(j); !c.IsNull(i) {
					var v value
					arrowCells(c)(i, &v)
					s = v.String()
				}
				if j > carried {
					cells += "|"
				}
				cells += s
			}
			got := row{
				ord:   rec.Column(carried - 2).(*array.Int64).Value(i),
				rank:  rec.Column(carried - 1).(*array.Int32).Value(i),
				cells: cells,
			}
			if carried == 3 {
				got.unit = fmt.Sprintf("%x", rec.Column(0).(*array.FixedSizeBinary).Value(i))
			}
			rows = append(rows, got)
		}
	}
	if err := r.Err(); err != nil && !errors.Is(err, io.EOF) {
		tb.Fatal(err)
	}
	return rows
}

// people is a declaration with one column of each kind.
func people() Declaration {
	return Declaration{
		UnitSpace: "kr_edu/student", MaxRowsPerUnit: 5,
		Columns: []Column{
			{Name: "id", Type: String, Role: PrivacyID},
			{Name: "town", Type: String, Role: Key, Nullable: true},
			{Name: "score", Type: Float64, Role: Measure, Lower: decimal("0"), Upper: decimal("100"), Resolution: decimal("0.1")},
			{Name: "n", Type: Int64, Role: Measure, Lower: decimal("-10"), Upper: decimal("10"), Nullable: true},
			{Name: "note", Type: String, Role: Hidden},
		},
	}
}

// randomPeople makes rows for people: hostile, repeated and missing values among them.
func randomPeople(random func(int) int, n int) table {
	var id, town, score, count, note []any
	for range n {
		pick := func(values ...any) any { return values[random(len(values))] }
		id = append(id, pick(fmt.Sprintf("p%d", random(1+n/4)), fmt.Sprintf("p%d", random(1+n/4)), fmt.Sprintf(" p%d ", random(1+n/4)), "big", nil))
		town = append(town, pick("Seoul", "Busan", "서울", nil, "a,b\"c\nd"))
		score = append(score, pick(float64(random(2000))/10, 0.15, 0.25, 12.34999, -3, 1e300, nil, 99.95))
		count = append(count, pick(random(30)-15, random(3), nil))
		note = append(note, pick("secret", nil))
	}
	return newTable([]string{"id", "town", "score", "n", "note"},
		stringColumn(id...), stringColumn(town...), floatColumn(score...), intColumn(count...), stringColumn(note...))
}

// take returns the rows of a table at the places given.
func (t table) take(rows []int) table {
	out := table{schema: t.schema}
	for _, c := range t.columns {
		parts := []arrow.Array{array.NewSlice(c, 0, 0)}
		for _, i := range rows {
			parts = append(parts, array.NewSlice(c, int64(i), int64(i+1)))
		}
		joined, err := array.Concatenate(parts, memory.DefaultAllocator)
		if err != nil {
			panic(err)
		}
		out.columns = append(out.columns, joined)
	}
	return out
}

func hexOf(u unitID) string { return fmt.Sprintf("%x", u[:]) }

// countdown cancels after some reads.
type countdown struct {
	io.ReaderAt
	left   int
	cancel func()
}

func (c *countdown) ReadAt(p []byte, at int64) (int, error) {
	if c.left--; c.left < 0 {
		c.cancel()
	}
	return c.ReaderAt.ReadAt(p, at)
}

// failing fails in the middle of the file.
type failing struct {
	io.ReaderAt
	err error
}

func (f failing) ReadAt(p []byte, at int64) (int, error) {
	if at > 3000 && at < 60000 {
		return 0, f.err
	}
	return f.ReaderAt.ReadAt(p, at)
}

func splitCells(s string) []string { return strings.Split(s, "|") }

func number0(tb testing.TB, s string) float64 {
	tb.Helper()
	v, err := strconv.ParseFloat(s, 64)
	if err != nil {
		tb.Fatal(err)
	}
	return v
}

func dictionaryColumn(tb testing.TB) arrow.Array {
	tb.Helper()
	b := array.NewDictionaryBuilder(memory.DefaultAllocator, &arrow.DictionaryType{IndexType: arrow.PrimitiveTypes.Int32, ValueType: arrow.BinaryTypes.String})
	for _, s := range []string{"x", "y"} {
		if err := b.(*array.BinaryDictionaryBuilder).AppendString(s); err != nil {
			tb.Fatal(err)
		}
	}
	return b.NewArray()
}

func viewColumn(values ...string) arrow.Array {
	b := array.NewStringViewBuilder(memory.DefaultAllocator)
	for _, v := range values {
		b.Append(v)
	}
	return b.NewArray()
}
