package datasets

import (
	"context"
	"fmt"

	"github.com/apache/arrow/go/v17/arrow"
	"github.com/apache/arrow/go/v17/arrow/array"
	"github.com/apache/arrow/go/v17/parquet"
	"github.com/apache/arrow/go/v17/parquet/file"
	"github.com/apache/arrow/go/v17/parquet/pqarrow"
)

// parquetSource reads Parquet column by column, a batch at a time. It does not use
// FileReader.GetRecordReader: that starts a goroutine for each column, and a panic in one, which a
// crafted page can cause, cannot be recovered here and would end the process.
type parquetSource struct {
	g       *guard
	file    *file.Reader
	arrow   *pqarrow.FileReader
	batch   int64
	left    int64 // rows
	readers []*pqarrow.ColumnReader
	current []arrow.Array
}

// maxFooter is the largest footer, in bytes: it is decoded whole.
const maxFooter = 32 << 20

func openParquet(g *guard, o Options) (source, error) {
	if err := checkFooter(g); err != nil {
		return nil, err
	}
	properties := parquet.NewReaderProperties(g)
	properties.BufferedStreamEnabled = true // pages as they are needed, never a whole column chunk
	properties.BufferSize = 64 << 10
	f, err := file.NewParquetReader(g.section(), file.WithReadProps(properties))
	if err != nil {
		return nil, err
	}
	// The Arrow schema that some writers embed adds nothing that is needed here, and is an unverified
	// flatbuffer.
	f.MetaData().FileMetaData.KeyValueMetadata = nil
	a, err := pqarrow.NewFileReader(f, pqarrow.ArrowReadProperties{BatchSize: o.BatchRows}, g)
	if err != nil {
		return nil, err
	}
	s := &parquetSource{g: g, file: f, arrow: a, batch: o.BatchRows}
	for i := range f.NumRowGroups() {
		rows := f.MetaData().RowGroup(i).NumRows()
		if rows < 0 || rows > o.MaxRows {
			return nil, refuse(ErrTooLarge, "a row group claims %d rows; at most %d are read", rows, o.MaxRows)
		}
		s.left += rows
	}
	if s.left > o.MaxRows {
		return nil, refuse(ErrTooLarge, "it has %d rows; at most %d are read", s.left, o.MaxRows)
	}
	return s, nil
}

// checkFooter looks at the footer's length before the reader allocates it.
func checkFooter(g *guard) error {
	end := make([]byte, 8)
	if _, err := g.ReadAt(end, g.size-int64(len(end))); err != nil {
		return err
	}
	if string(end[4:]) == "PARE" {
		return refuse(ErrMalformed, "the Parquet file is encrypted; send it decrypted")
	}
	length := int64(end[0]) | int64(end[1])<<8 | int64(end[2])<<16 | int64(end[3])<<24
	if string(end[4:]) != "PAR1" || length > g.size-12 {
		return fmt.Errorf("no Parquet footer")
	}
	if length > maxFooter {
		return refuse(ErrTooLarge, "the Parquet footer has %d bytes; at most %d are read", length, maxFooter)
	}
	return nil
}

func (s *parquetSource) columns() []string {
	names := make([]string, len(s.arrow.Manifest.Fields))
	for i := range names {
		names[i] = s.arrow.Manifest.Fields[i].Field.Name
	}
	return names
}

func (s *parquetSource) choose(indices []int, declared []Column) error {
	groups := make([]int, s.file.NumRowGroups())
	for i := range groups {
		groups[i] = i
	}
	for i, at := range indices {
		field := s.arrow.Manifest.Fields[at]
		if err := readable(declared[i], field.Field.Type); err != nil {
			return err
		}
		if !field.IsLeaf() || len(field.Children) > 0 || field.LevelInfo.RepLevel != 0 {
			return nestedColumn(declared[i])
		}
		if err := checkPages(s.g, s.file, field.ColIndex); err != nil {
			return err
		}
		r, err := s.arrow.GetFieldReader(context.Background(), at, map[int]bool{field.ColIndex: true}, groups)
		if err != nil {
			return err
		}
		s.readers = append(s.readers, r)
	}
	return nil
}

// next reads the same number of rows from each column; a column that has fewer than the footer
// claims is an error, since its rows would belong to other people.
func (s *parquetSource) next() (batch, error) {
	for _, a := range s.current {
		a.Release()
	}
	s.current = s.current[:0]
	if s.left == 0 {
		return batch{}, errEnd
	}
	n := min(s.batch, s.left)
	s.left -= n
	b := batch{rows: int(n)}
	for _, r := range s.readers {
		chunks, err := r.NextBatch(n)
		if err != nil {
			return batch{}, err
		}
		a, err := oneArray(chunks, s.g)
		if err != nil {
			return batch{}, err
		}
		s.current = append(s.current, a)
		if int64(a.Len()) != n {
			return batch{}, fmt.Errorf("column of %d rows in a batch of %d", a.Len(), n)
		}
		b.cells = append(b.cells, arrowCells(a))
	}
	return b, nil
}

// oneArray joins chunks and releases them.
func oneArray(c *arrow.Chunked, g *guard) (arrow.Array, error) {
	defer c.Release()
	if chunks := c.Chunks(); len(chunks) == 1 {
		chunks[0].Retain()
		return chunks[0], nil
	}
	return array.Concatenate(c.Chunks(), g)
}
