package datasets

import (
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"hash"
	"io"

	"github.com/apache/arrow/go/v17/arrow"
	"github.com/apache/arrow/go/v17/arrow/array"
	"github.com/apache/arrow/go/v17/arrow/memory"
	"github.com/apache/arrow/go/v17/parquet"
	"github.com/apache/arrow/go/v17/parquet/compress"
	"github.com/apache/arrow/go/v17/parquet/pqarrow"
)

// rowGroupBytes closes a row group early where rows are long: a group is held in memory.
const rowGroupBytes = 64 << 20

// canonical writes canonical Parquet from records in order. Its bytes are a function of the records
// and the stored columns.
type canonical struct {
	columns []Column
	maxRows int64 // per unit
	group   int64 // rows per row group
	file    *pqarrow.FileWriter
	rows    *array.RecordBuilder
	size    int64 // bytes of records in rows
	count   int64 // rows in rows

	unit  unitID
	units int64
	rank  int64 // of the last row of unit
	kept  int64
	over  int64
	sum   hash.Hash
}

func newCanonical(w io.Writer, columns []Column, maxRows, group int64) (*canonical, error) {
	schema := canonicalSchema(columns)
	file, err := pqarrow.NewFileWriter(schema, w, parquet.NewWriterProperties(
		parquet.WithCompression(compress.Codecs.Zstd),
		parquet.WithCompressionLevel(1),              // an encoder is made for every page; those of higher levels cost more than they save
		parquet.WithDictionaryFor(UnitColumn, false), // nearly unique: a dictionary only costs
		parquet.WithDictionaryFor(OrdinalColumn, false),
		parquet.WithMaxRowGroupLength(group),
		parquet.WithCreatedBy("entrepot"),
	), pqarrow.DefaultWriterProps())
	if err != nil {
		return nil, fmt.Errorf("write canonical rows: %w", err)
	}
	c := &canonical{columns: columns, maxRows: maxRows, group: group, file: file,
		rows: array.NewRecordBuilder(memory.NewGoAllocator(), schema), sum: sha256.New()}
	c.hashHeader()
	return c, nil
}

// canonicalSchema is the schema of canonical Parquet. Timestamps carry no zone, so that engines
// read them as plain TIMESTAMP; they are UTC.
func canonicalSchema(columns []Column) *arrow.Schema {
	fields := []arrow.Field{
		{Name: UnitColumn, Type: &arrow.FixedSizeBinaryType{ByteWidth: len(unitID{})}},
		{Name: OrdinalColumn, Type: arrow.PrimitiveTypes.Int64},
		{Name: RankColumn, Type: arrow.PrimitiveTypes.Int32},
	}
	for _, c := range columns {
		fields = append(fields, arrow.Field{Name: c.Name, Type: storedType(c), Nullable: c.Nullable})
	}
	return arrow.NewSchema(fields, nil)
}

func storedType(c Column) arrow.DataType {
	switch c.Type {
	case String:
		return arrow.BinaryTypes.String
	case Bool:
		return arrow.FixedWidthTypes.Boolean
	case Date:
		return arrow.FixedWidthTypes.Date32
	case Timestamp:
		return &arrow.TimestampType{Unit: arrow.Microsecond}
	}
	return arrow.PrimitiveTypes.Int64 // keys as themselves, measures as steps
}

// hashHeader begins the content hash with what the payloads mean.
func (c *canonical) hashHeader() {
	c.sum.Write([]byte("entrepot canonical rows 1\n"))
	for _, column := range c.columns {
		_, _, num, den, _ := column.Grid()
		fmt.Fprintf(c.sum, "%s %s %s %d/%d %t\n", column.Name, column.Type, column.Role, num, den, column.Nullable)
	}
}

// add takes the next record. Rows beyond the unit's limit are counted, not written.
func (c *canonical) add(record []byte) error {
	if c.units == 0 || unitID(record[:placeAt]) != c.unit {
		c.unit = unitID(record[:placeAt])
		c.units++
		c.rank = 0
	}
	if c.rank == c.maxRows {
		c.over++
		return nil
	}
	c.rank++
	c.kept++
	c.hashRow(record)
	c.append(record[payloadAt:])
	c.count++
	if c.size += int64(len(record)); c.count == c.group || c.size >= rowGroupBytes {
		return c.flush()
	}
	return nil
}

// hashRow adds a row to the content hash. The place follows from the rest.
func (c *canonical) hashRow(record []byte) {
	var n [8]byte
	binary.BigEndian.PutUint64(n[:], uint64(len(record)-payloadAt))
	c.sum.Write(n[:])
	c.sum.Write(record[:placeAt])
	c.sum.Write(record[payloadAt:])
}

func (c *canonical) append(payload []byte) {
	c.rows.Field(0).(*array.FixedSizeBinaryBuilder).Append(c.unit[:])
	c.rows.Field(1).(*array.Int64Builder).Append(c.units - 1)
	c.rows.Field(2).(*array.Int32Builder).Append(int32(c.rank))
	for i, column := range c.columns {
		var v cell
		var s []byte
		v, s, payload = readCell(payload, column.Type == String)
		field := c.rows.Field(3 + i)
		if v.null {
			field.AppendNull()
			continue
		}
		switch b := field.(type) {
		case *array.StringBuilder:
			b.BinaryBuilder.Append(s)
		case *array.BooleanBuilder:
			b.Append(v.n != 0)
		case *array.Date32Builder:
			b.Append(arrow.Date32(v.n))
		case *array.TimestampBuilder:
			b.Append(arrow.Timestamp(v.n))
		case *array.Int64Builder:
			b.Append(v.n)
		}
	}
}

// flush writes the rows collected so far as one row group.
func (c *canonical) flush() error {
	if c.count == 0 {
		return nil
	}
	record := c.rows.NewRecord()
	defer record.Release()
	c.count, c.size = 0, 0
	if err := c.file.Write(record); err != nil {
		return fmt.Errorf("write canonical rows: %w", err)
	}
	return nil
}

// close writes the file's end and adds the figures to the report.
func (c *canonical) close(r *Report) error {
	defer c.rows.Release()
	if err := c.flush(); err != nil {
		return err
	}
	if err := c.file.Close(); err != nil {
		return fmt.Errorf("write canonical rows: %w", err)
	}
	r.RowsKept, r.RowsOverLimit, r.Units = c.kept, c.over, c.units
	c.sum.Sum(r.ContentHash[:0])
	return nil
}
