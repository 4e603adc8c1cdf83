package engine

import (
	"context"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/apache/arrow/go/v17/arrow"
	"github.com/apache/arrow/go/v17/arrow/array"
	"github.com/apache/arrow/go/v17/arrow/memory"
	"github.com/apache/arrow/go/v17/parquet/file"
	"github.com/apache/arrow/go/v17/parquet/pqarrow"

	"entrepot/datasets"
	"entrepot/sandbox/query/querytest"
)

// writeRows writes rows as canonical Parquet, in the order given, in row groups of a few rows.
func writeRows(t testing.TB, path string, table querytest.Table) {
	t.Helper()
	writeTable(t, path, table, numbered(rand.New(rand.NewPCG(20261127, 8)), table, false))
}

// appendValue appends one value as a row holds it.
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

// readRows reads a canonical file with arrow. Units are its ordinals.
func readRows(t testing.TB, path string) []querytest.Row {
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
	rows := make([]querytest.Row, table.NumRows())
	for i := range rows {
		rows[i].Values = map[string]any{}
	}
	for c := range int(table.NumCols()) {
		column := table.Column(c)
		at := 0
		for _, chunk := range column.Data().Chunks() {
			for i := range chunk.Len() {
				switch r := &rows[at]; column.Name() {
				case datasets.UnitColumn:
				case datasets.OrdinalColumn:
					r.Unit = chunk.(*array.Int64).Value(i)
				case datasets.RankColumn:
					r.Rank = chunk.(*array.Int32).Value(i)
				default:
					r.Values[column.Name()] = readValue(t, chunk, i)
				}
				at++
			}
		}
	}
	return rows
}

// readValue returns one value as a row holds it.
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
