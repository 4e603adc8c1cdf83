package engine

import (
	"context"
	"os"
	"testing"
	"time"

	"github.com/apache/arrow/go/v17/arrow"
	"github.com/apache/arrow/go/v17/arrow/array"
	"github.com/apache/arrow/go/v17/arrow/memory"
	"github.com/apache/arrow/go/v17/parquet"
	"github.com/apache/arrow/go/v17/parquet/compress"
	"github.com/apache/arrow/go/v17/parquet/file"
	"github.com/apache/arrow/go/v17/parquet/pqarrow"

	"entrepot/datasets"
)

// writeRows writes rows as canonical Parquet, in the order given, in row groups of a few rows.
func writeRows(t testing.TB, path string, d datasets.Declaration, rows []row) {
	t.Helper()
	columns := storedDeclared(d)
	fields := []arrow.Field{
		{Name: datasets.UnitColumn, Type: &arrow.FixedSizeBinaryType{ByteWidth: 16}},
		{Name: datasets.OrdinalColumn, Type: arrow.PrimitiveTypes.Int64},
		{Name: datasets.RankColumn, Type: arrow.PrimitiveTypes.Int32},
	}
	for _, c := range columns {
		typ := map[datasets.Type]arrow.DataType{
			datasets.String: arrow.BinaryTypes.String, datasets.Bool: arrow.FixedWidthTypes.Boolean, datasets.Date: arrow.FixedWidthTypes.Date32,
			datasets.Timestamp: &arrow.TimestampType{Unit: arrow.Microsecond},
		}[c.Type]
		if typ == nil {
			typ = arrow.PrimitiveTypes.Int64
		}
		fields = append(fields, arrow.Field{Name: c.Name, Type: typ, Nullable: true})
	}
	schema := arrow.NewSchema(fields, nil)
	b := array.NewRecordBuilder(memory.NewGoAllocator(), schema)
	defer b.Release()
	for _, r := range rows {
		b.Field(0).(*array.FixedSizeBinaryBuilder).Append(make([]byte, 16))
		b.Field(1).(*array.Int64Builder).Append(r.ord)
		b.Field(2).(*array.Int32Builder).Append(r.rank)
		for i, c := range columns {
			appendValue(t, b.Field(3+i), r.values[c.Name])
		}
	}
	record := b.NewRecord()
	defer record.Release()
	f, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	w, err := pqarrow.NewFileWriter(schema, f, parquet.NewWriterProperties(
		parquet.WithCompression(compress.Codecs.Zstd), parquet.WithMaxRowGroupLength(2048)), pqarrow.DefaultWriterProps())
	if err != nil {
		t.Fatal(err)
	}
	if err := w.WriteBuffered(record); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
}

// appendValue appends one value as row holds it.
func appendValue(t testing.TB, b array.Builder, v any) {
	t.Helper()
	if v == nil {
		b.AppendNull()
		return
	}
	switch b := b.(type) {
	case *array.StringBuilder:
		b.Append(v.(string))
	case *array.BooleanBuilder:
		b.Append(v.(bool))
	case *array.Int64Builder:
		b.Append(v.(int64))
	case *array.Date32Builder:
		at, err := time.Parse(time.DateOnly, v.(string))
		if err != nil {
			t.Fatal(err)
		}
		b.Append(arrow.Date32FromTime(at))
	case *array.TimestampBuilder:
		at, err := time.Parse(time.RFC3339Nano, v.(string))
		if err != nil {
			t.Fatal(err)
		}
		b.Append(arrow.Timestamp(at.UnixMicro()))
	default:
		t.Fatalf("no value for %T", b)
	}
}

// readRows reads a canonical file with arrow.
func readRows(t testing.TB, path string, d datasets.Declaration) []row {
	t.Helper()
	f, err := file.OpenParquetFile(path, false)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	reader, err := pqarrow.NewFileReader(f, pqarrow.ArrowReadProperties{BatchSize: 4096}, memory.NewGoAllocator())
	if err != nil {
		t.Fatal(err)
	}
	table, err := reader.ReadTable(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	defer table.Release()
	rows := make([]row, table.NumRows())
	for i := range rows {
		rows[i].values = map[string]any{}
	}
	for c := range int(table.NumCols()) {
		column := table.Column(c)
		at := 0
		for _, chunk := range column.Data().Chunks() {
			for i := range chunk.Len() {
				switch r := &rows[at]; column.Name() {
				case datasets.UnitColumn:
				case datasets.OrdinalColumn:
					r.ord = chunk.(*array.Int64).Value(i)
				case datasets.RankColumn:
					r.rank = chunk.(*array.Int32).Value(i)
				default:
					r.values[column.Name()] = readValue(t, chunk, i)
				}
				at++
			}
		}
	}
	return rows
}

// readValue returns one value as row holds it.
func readValue(t testing.TB, a arrow.Array, i int) any {
	t.Helper()
	if a.IsNull(i) {
		return nil
	}
	switch a := a.(type) {
	case *array.String:
		return a.Value(i)
	case *array.Boolean:
		return a.Value(i)
	case *array.Int64:
		return a.Value(i)
	case *array.Date32:
		return a.Value(i).ToTime().UTC().Format(time.DateOnly)
	case *array.Timestamp:
		at := time.UnixMicro(int64(a.Value(i))).UTC()
		if at.Nanosecond() == 0 {
			return at.Format("2006-01-02T15:04:05Z")
		}
		return at.Format("2006-01-02T15:04:05.000000Z")
	}
	t.Fatalf("no value for %T", a)
	return nil
}
