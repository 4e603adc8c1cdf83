package engine

import (
	"cmp"
	"crypto/sha256"
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
	"github.com/apache/arrow/go/v17/parquet"
	"github.com/apache/arrow/go/v17/parquet/pqarrow"

	"entrepot/datasets"
	"entrepot/sandbox/query/querytest"
)

// writeTables writes canonical files of tables, until remove. Units are numbered at random in each file, so
// that an ordinal says nothing outside its file, and rows are sorted by unit and rank, or as they come.
func writeTables(t testing.TB, r *rand.Rand, dir, name string, tables querytest.Tables, sorted bool) map[string]datasets.Table {
	t.Helper()
	files := map[string]datasets.Table{}
	for _, id := range tables.IDs() {
		table := tables[id]
		file := fmt.Sprintf("%s-%s.parquet", name, strings.ReplaceAll(id, ".", "-"))
		writeTable(t, filepath.Join(dir, file), table, numbered(r, table, sorted))
		files[id] = datasets.Table{Declaration: table.Declaration, File: file}
	}
	return files
}

// remove removes files. Their names must not be used again: engines remember files.
func remove(t testing.TB, dir string, files map[string]datasets.Table) {
	t.Helper()
	for _, f := range files {
		if err := os.Remove(filepath.Join(dir, f.File)); err != nil {
			t.Fatal(err)
		}
	}
}

// stored is a row with what the file adds to it.
type stored struct {
	querytest.Row
	ord int64
}

// numbered gives each unit its ordinal; rows of a public table are numbered one by one.
func numbered(r *rand.Rand, t querytest.Table, sorted bool) []stored {
	rows := make([]stored, len(t.Rows))
	ordinals := map[int64]int64{}
	order := r.Perm(len(t.Rows))
	for i, row := range t.Rows {
		rows[i] = stored{row, int64(i)}
		if t.Declaration.Public {
			continue
		}
		if _, ok := ordinals[row.Unit]; !ok {
			ordinals[row.Unit] = int64(order[len(ordinals)])
		}
		rows[i].ord = ordinals[row.Unit]
	}
	if sorted {
		slices.SortStableFunc(rows, func(a, b stored) int { return cmp.Or(cmp.Compare(a.ord, b.ord), cmp.Compare(a.Rank, b.Rank)) })
	}
	return rows
}

// writeTable writes one canonical file.
func writeTable(t testing.TB, path string, table querytest.Table, rows []stored) {
	t.Helper()
	var fields []arrow.Field
	if !table.Declaration.Public {
		fields = append(fields, arrow.Field{Name: datasets.UnitColumn, Type: &arrow.FixedSizeBinaryType{ByteWidth: 16}})
	}
	fields = append(fields, arrow.Field{Name: datasets.OrdinalColumn, Type: arrow.PrimitiveTypes.Int64}, arrow.Field{Name: datasets.RankColumn, Type: arrow.PrimitiveTypes.Int32})
	first := len(fields)
	columns := table.Declaration.Stored()
	for _, c := range columns {
		fields = append(fields, arrow.Field{Name: c.Name, Type: arrowType(c.Type), Nullable: true})
	}
	schema := arrow.NewSchema(fields, nil)
	b := array.NewRecordBuilder(memory.NewGoAllocator(), schema)
	defer b.Release()
	for _, row := range rows {
		if !table.Declaration.Public {
			id := sha256.Sum256(fmt.Appendf(nil, "%s %d", table.Declaration.UnitSpace, row.Unit))
			b.Field(0).(*array.FixedSizeBinaryBuilder).Append(id[:16])
		}
		b.Field(first - 2).(*array.Int64Builder).Append(row.ord)
		b.Field(first - 1).(*array.Int32Builder).Append(row.Rank)
		for i, c := range columns {
			appendValue(t, b.Field(first+i), row.Values[c.Name])
		}
	}
	writeRecord(t, path, b, schema)
}

// writeRecord writes what a builder holds.
func writeRecord(t testing.TB, path string, b *array.RecordBuilder, schema *arrow.Schema) {
	t.Helper()
	record := b.NewRecord()
	defer record.Release()
	f, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	w, err := pqarrow.NewFileWriter(schema, f, parquet.NewWriterProperties(parquet.WithMaxRowGroupLength(2048)), pqarrow.DefaultWriterProps())
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

// arrowType is what a column is stored as.
func arrowType(t datasets.Type) arrow.DataType {
	switch t {
	case datasets.String:
		return arrow.BinaryTypes.String
	case datasets.Bool:
		return arrow.FixedWidthTypes.Boolean
	case datasets.Date:
		return arrow.FixedWidthTypes.Date32
	case datasets.Timestamp:
		return &arrow.TimestampType{Unit: arrow.Microsecond}
	}
	return arrow.PrimitiveTypes.Int64
}
