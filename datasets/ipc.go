package datasets

import (
	"bytes"
	"fmt"
	"io"

	"github.com/apache/arrow/go/v17/arrow"
	"github.com/apache/arrow/go/v17/arrow/ipc"
)

// arrowSource reads Arrow record batches.
type arrowSource struct {
	schema  *arrow.Schema
	record  func() (arrow.Record, error) // the next one, io.EOF after the last
	indices []int
	chosen  []Column
}

func openArrowFile(g *guard) (source, error) {
	f, err := ipc.NewFileReader(g.section(), ipc.WithAllocator(g))
	if err != nil {
		return nil, err
	}
	next := 0
	return &arrowSource{schema: f.Schema(), record: func() (arrow.Record, error) {
		if next == f.NumRecords() {
			return nil, io.EOF
		}
		next++
		return f.Record(next - 1)
	}}, nil
}

// openArrowStream insists on the end-of-stream marker, and that nothing follows it: without the
// first a stream that was cut between two batches looks whole, without the second a second table
// goes unread.
func openArrowStream(g *guard) (source, error) {
	if !endMarked(g) {
		return nil, refuse(ErrMalformed, "the Arrow stream has no end-of-stream marker; it was cut short, or its writer was not closed")
	}
	in := &ipcInput{r: g.section(), limit: g.limit}
	r, err := ipc.NewReader(in, ipc.WithAllocator(g))
	if err != nil {
		return nil, err
	}
	return &arrowSource{schema: r.Schema(), record: func() (arrow.Record, error) {
		if r.Next() {
			return r.Record(), nil
		}
		if err := r.Err(); err != nil {
			return nil, err
		}
		if in.read != g.size {
			return nil, refuse(ErrMalformed, "there is data after the Arrow stream's end-of-stream marker; send one table")
		}
		return nil, io.EOF
	}}, nil
}

func endMarked(g *guard) bool {
	end := make([]byte, 8)
	if _, err := g.ReadAt(end, g.size-int64(len(end))); err != nil {
		return false
	}
	return bytes.Equal(end, []byte{0xFF, 0xFF, 0xFF, 0xFF, 0, 0, 0, 0})
}

// ipcInput counts what is read and refuses a single read beyond the limit: the reader allocates
// the length that a message claims without asking the allocator.
type ipcInput struct {
	r           io.Reader
	read, limit int64
}

func (in *ipcInput) Read(p []byte) (int, error) {
	if int64(len(p)) > in.limit {
		return 0, refuse(ErrTooLarge, "a message of %d bytes; at most %d are decoded; write smaller record batches", len(p), in.limit)
	}
	n, err := in.r.Read(p)
	in.read += int64(n)
	return n, err
}

func (s *arrowSource) columns() []string {
	names := make([]string, s.schema.NumFields())
	for i := range names {
		names[i] = s.schema.Field(i).Name
	}
	return names
}

func (s *arrowSource) choose(indices []int, declared []Column) error {
	s.indices, s.chosen = indices, declared
	for i, at := range indices {
		if err := readable(declared[i], s.schema.Field(at).Type); err != nil {
			return err
		}
	}
	return nil
}

func (s *arrowSource) next() (batch, error) {
	record, err := s.record()
	if err != nil {
		return batch{}, err
	}
	b := batch{rows: int(record.NumRows()), cells: make([]func(int, *value), len(s.indices))}
	for i, at := range s.indices {
		column := record.Column(at)
		if column.Len() != b.rows {
			return batch{}, fmt.Errorf("column of %d rows in a batch of %d", column.Len(), b.rows)
		}
		b.cells[i] = arrowCells(column)
	}
	return b, nil
}
