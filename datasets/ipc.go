package datasets

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"

	"github.com/apache/arrow/go/v17/arrow/ipc"
	"github.com/apache/arrow/go/v17/arrow/memory"
)

// arrowSource reads Arrow record batches. A file is read as the stream that it contains, so that
// one reader, with its messages verified, serves both.
type arrowSource struct {
	messages *messages
	reader   *ipc.Reader
	indices  []int
}

const arrowMagic = "ARROW1"

// openArrowFile finds the stream between the leading magic and the footer.
func openArrowFile(g *guard, o Options) (source, error) {
	head, tail := make([]byte, 8), make([]byte, 10)
	if _, err := g.ReadAt(head, 0); err != nil {
		return nil, err
	}
	if _, err := g.ReadAt(tail, g.size-int64(len(tail))); err != nil {
		return nil, err
	}
	footer := int64(binary.LittleEndian.Uint32(tail))
	end := g.size - int64(len(tail)) - footer
	if string(head[:6]) != arrowMagic || string(tail[4:]) != arrowMagic || end < int64(len(head)) {
		return nil, errors.New("arrow: no magic at both ends")
	}
	return openArrow(&messages{g: g, at: int64(len(head)), end: end, maxRows: o.MaxRows})
}

func openArrowStream(g *guard, o Options) (source, error) {
	return openArrow(&messages{g: g, end: g.size, maxRows: o.MaxRows, marked: true})
}

func openArrow(m *messages) (source, error) {
	r, err := ipc.NewReaderFromMessageReader(m, ipc.WithAllocator(m.g))
	if err != nil {
		return nil, err
	}
	return &arrowSource{messages: m, reader: r}, nil
}

func (s *arrowSource) columns() []string {
	names := make([]string, s.reader.Schema().NumFields())
	for i := range names {
		names[i] = s.reader.Schema().Field(i).Name
	}
	return names
}

func (s *arrowSource) choose(indices []int, declared []Column) error {
	s.indices = indices
	for i, at := range indices {
		if err := readable(declared[i], s.reader.Schema().Field(at).Type); err != nil {
			return err
		}
	}
	return nil
}

func (s *arrowSource) next() (batch, error) {
	if !s.reader.Next() {
		if err := s.reader.Err(); err != nil {
			return batch{}, err
		}
		return batch{}, s.messages.finish()
	}
	record := s.reader.Record()
	b := batch{rows: int(record.NumRows()), cells: make([]func(int, *value), len(s.indices))}
	for i, at := range s.indices {
		column := record.Column(at)
		if column.Len() != b.rows {
			return batch{}, fmt.Errorf("arrow: column of %d rows in a batch of %d", column.Len(), b.rows)
		}
		b.cells[i] = arrowCells(column)
	}
	return b, nil
}

// messages reads the encapsulated messages of a stream for Arrow, which would allocate whatever
// length one claims and trust its metadata.
type messages struct {
	g       *guard
	at, end int64 // what is left of the upload
	maxRows int64
	marked  bool // the end-of-stream marker is obligatory
	ended   bool // it was seen
	last    *ipc.Message
}

var _ ipc.MessageReader = (*messages)(nil)

// maxMetadata is the longest metadata of one message, in bytes.
const maxMetadata = 32 << 20

// continuation begins every message, and the end-of-stream marker.
const continuation = 0xFFFFFFFF

// Message returns the next message, io.EOF after the last. It is good until the next call.
func (m *messages) Message() (*ipc.Message, error) {
	if m.at == m.end || m.ended {
		return nil, io.EOF
	}
	length, err := m.word()
	if err == nil && length == continuation {
		length, err = m.word() // before Arrow 0.15 there was only the length
	}
	if err != nil {
		return nil, err
	}
	if length == 0 {
		m.ended = true
		return nil, io.EOF
	}
	if length > maxMetadata {
		return nil, refuse(ErrTooLarge, "the metadata of an Arrow message have %d bytes; at most %d are read", length, maxMetadata)
	}
	meta, err := m.buffer(length)
	if err != nil {
		return nil, err
	}
	size, err := verifyMessage(meta.Bytes(), m.maxRows)
	if err != nil {
		return nil, err
	}
	body, err := m.buffer(size)
	if err != nil {
		return nil, err
	}
	m.Release()
	m.last = ipc.NewMessage(meta, body)
	meta.Release()
	body.Release()
	return m.last, nil
}

func (m *messages) word() (int64, error) {
	b := make([]byte, 4)
	if m.end-m.at < int64(len(b)) {
		return 0, errShort
	}
	_, err := m.g.ReadAt(b, m.at)
	m.at += int64(len(b))
	return int64(binary.LittleEndian.Uint32(b)), err
}

var errShort = errors.New("arrow: a message is cut short")

// buffer reads that many bytes, if the upload has them.
func (m *messages) buffer(size int64) (*memory.Buffer, error) {
	if size < 0 || size > m.end-m.at {
		return nil, errShort
	}
	b := memory.NewResizableBuffer(m.g)
	b.Resize(int(size))
	if _, err := m.g.ReadAt(b.Bytes(), m.at); err != nil {
		return nil, err
	}
	m.at += size
	return b, nil
}

// finish says whether the stream ended as it should. Without its marker, a stream that was cut
// between two batches would look whole; if something follows it, a second table would go unread.
func (m *messages) finish() error {
	switch {
	case m.marked && !m.ended:
		return refuse(ErrMalformed, "the Arrow stream has no end-of-stream marker; it was cut short, or its writer was not closed")
	case m.at != m.end:
		return refuse(ErrMalformed, "there is data after the Arrow stream's end-of-stream marker; send one table")
	}
	return errEnd
}

// Retain implements ipc.MessageReader; the only owner is the reader.
func (m *messages) Retain() {}

// Release gives back the last message.
func (m *messages) Release() {
	if m.last != nil {
		m.last.Release()
		m.last = nil
	}
}
