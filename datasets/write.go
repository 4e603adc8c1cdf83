package datasets

import (
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"hash"
	"io"
	"slices"

	"github.com/apache/arrow/go/v17/arrow"
	"github.com/apache/arrow/go/v17/arrow/array"
	"github.com/apache/arrow/go/v17/arrow/memory"
	"github.com/apache/arrow/go/v17/parquet"
	"github.com/apache/arrow/go/v17/parquet/compress"
	"github.com/apache/arrow/go/v17/parquet/pqarrow"
)

// rowGroupBytes closes a row group early where rows are long: a group is held in memory.
const rowGroupBytes = 64 << 20

// rowWriter writes canonical Parquet from records in order.
type rowWriter interface {
	add(record []byte) error
	// close writes the file's end and adds the figures to the report.
	close(*Report) error
}

func newRowWriter(w io.Writer, d Declaration, group int64) (rowWriter, error) {
	if d.Public {
		return newPublicWriter(w, d, group)
	}
	return newUnitWriter(w, d.Stored(), d.MaxRowsPerUnit, group)
}

// canonical is what the writers of protected and of public tables share. The bytes of the file are a
// function of the records and the declaration.
type canonical struct {
	columns []Column
	carried int   // columns before the declared ones
	group   int64 // rows per row group
	file    *pqarrow.FileWriter
	rows    *array.RecordBuilder
	size    int64 // bytes of content in rows
	count   int64 // rows in rows
	kept    int64
	sum     hash.Hash
}

// newCanonical begins a file. tag is where the content hash begins: it says what the rows mean.
func newCanonical(w io.Writer, carried []arrow.Field, columns []Column, group int64, tag string) (*canonical, error) {
	schema := canonicalSchema(carried, columns)
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
	c := &canonical{columns: columns, carried: len(carried), group: group, file: file,
		rows: array.NewRecordBuilder(memory.NewGoAllocator(), schema), sum: sha256.New()}
	c.hashHeader(tag)
	return c, nil
}

// canonicalSchema is the schema of canonical Parquet. Timestamps carry no zone, so that engines
// read them as plain TIMESTAMP; they are UTC.
func canonicalSchema(carried []arrow.Field, columns []Column) *arrow.Schema {
	fields := slices.Clone(carried)
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
func (c *canonical) hashHeader(tag string) {
	c.sum.Write([]byte(tag))
	for _, column := range c.columns {
		_, _, num, den, _ := column.Grid()
		fmt.Fprintf(c.sum, "%s %s %s %d/%d %t\n", column.Name, column.Type, column.Role, num, den, column.Nullable)
	}
}

// row writes a row whose carried cells its caller has appended. head goes into the content hash
// before the payload.
func (c *canonical) row(head, payload []byte) error {
	c.kept++
	c.hashRow(head, payload)
	c.append(payload)
	c.count++
	if c.size += int64(len(head) + len(payload)); c.count == c.group || c.size >= rowGroupBytes {
		return c.flush()
	}
	return nil
}

func (c *canonical) hashRow(head, payload []byte) {
	var n [8]byte
	binary.BigEndian.PutUint64(n[:], uint64(len(payload)))
	c.sum.Write(n[:])
	c.sum.Write(head)
	c.sum.Write(payload)
}

func (c *canonical) append(payload []byte) {
	for i, column := range c.columns {
		var v cell
		var s []byte
		v, s, payload = readCell(payload, column.Type == String)
		field := c.rows.Field(c.carried + i)
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

// close implements rowWriter.
func (c *canonical) close(r *Report) error {
	defer c.rows.Release()
	if err := c.flush(); err != nil {
		return err
	}
	if err := c.file.Close(); err != nil {
		return fmt.Errorf("write canonical rows: %w", err)
	}
	r.RowsKept = c.kept
	c.sum.Sum(r.ContentHash[:0])
	return nil
}
