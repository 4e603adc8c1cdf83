package datasets

import (
	"bufio"
	"encoding/binary"
	"errors"
	"fmt"
	"io"

	"github.com/apache/arrow/go/v17/parquet/file"
)

// checkPages walks the page headers of a column before Arrow reads it. Arrow's page reader trusts
// them: at a page of unknown type, and where the pages hold fewer values than the footer claims, it
// parses the same bytes for ever without reading or allocating anything that could be stopped; a
// file of a few hundred bytes is enough. Here every header must be of a known type, of a sane size,
// and together they must hold as many values as the row group has rows.
func checkPages(g *guard, f *file.Reader, column int) error {
	for i := range f.NumRowGroups() {
		group := f.MetaData().RowGroup(i)
		chunk, err := group.ColumnChunk(column)
		if err != nil {
			return err
		}
		if chunk.NumValues() != group.NumRows() {
			return errors.New("parquet: a column has another number of values than its row group")
		}
		start, length := chunk.DataPageOffset(), chunk.TotalCompressedSize()
		if d := chunk.DictionaryPageOffset(); chunk.HasDictionaryPage() && d > 0 && d < start {
			start = d
		}
		if start < 0 || length < 0 || start > g.size || length > g.size-start {
			return errors.New("parquet: a column chunk is outside the file")
		}
		if err := walkPages(g, start, start+length, chunk.NumValues()); err != nil {
			return err
		}
	}
	return nil
}

// Parquet's page types. Index pages are left out: nobody writes them, and Arrow misreads them.
const (
	dataPage       = 0
	dictionaryPage = 2
	dataPageV2     = 3
)

func walkPages(g *guard, at, end, want int64) error {
	for values := int64(0); values < want; {
		if err := g.ctx.Err(); err != nil {
			return err
		}
		h := thriftReader{r: bufio.NewReaderSize(io.NewSectionReader(g, at, end-at), 1<<12)}
		page, err := h.page()
		if err != nil {
			return err
		}
		at += h.read
		switch {
		case page.kind != dataPage && page.kind != dictionaryPage && page.kind != dataPageV2:
			return errors.New("parquet: unknown page type")
		case page.plain < 0 || page.packed < 0 || page.values < 0 || page.packed > end-at:
			return errors.New("parquet: a page is larger than its column chunk")
		case page.plain > g.limit/2:
			return refuse(ErrTooLarge, "a Parquet page of %d bytes; at most %d are decoded; write smaller pages", page.plain, g.limit/2)
		}
		at += page.packed
		if page.kind != dictionaryPage {
			values += page.values
		}
	}
	return nil
}

// pageHeader is what matters of a Parquet page header.
type pageHeader struct{ kind, plain, packed, values int64 }

// thriftReader reads Thrift's compact protocol, as much of it as page headers use.
type thriftReader struct {
	r    *bufio.Reader
	read int64
}

// maxHeader is the longest page header, in bytes; it may carry two extreme values of the column.
const maxHeader = 1 << 20

// ReadByte implements io.ByteReader.
func (t *thriftReader) ReadByte() (byte, error) {
	if t.read++; t.read > maxHeader {
		return 0, errors.New("thrift: page header too long")
	}
	return t.r.ReadByte()
}

// Thrift compact types.
const (
	thriftStop   = 0
	thriftTrue   = 1
	thriftFalse  = 2
	thriftByte   = 3
	thriftI16    = 4
	thriftI64    = 6
	thriftDouble = 7
	thriftBinary = 8
	thriftStruct = 12
)

// page reads a page header: 1 type, 2 size, 3 compressed size, and field 1 of the header of the
// page's own type, in field 5, 7 or 8, its number of values.
func (t *thriftReader) page() (p pageHeader, err error) {
	p = pageHeader{kind: -1, plain: -1, packed: -1, values: -1}
	err = t.fields(func(id int64, kind byte) error {
		var to *int64
		switch {
		case id == 1 && integer(kind):
			to = &p.kind
		case id == 2 && integer(kind):
			to = &p.plain
		case id == 3 && integer(kind):
			to = &p.packed
		case (id == 5 || id == 7 || id == 8) && kind == thriftStruct:
			return t.fields(func(id int64, kind byte) error {
				if id != 1 || !integer(kind) {
					return t.skip(kind, 0)
				}
				var err error
				p.values, err = binary.ReadVarint(t)
				return err
			})
		default:
			return t.skip(kind, 0)
		}
		var err error
		*to, err = binary.ReadVarint(t)
		return err
	})
	return p, err
}

func integer(kind byte) bool { return kind >= thriftI16 && kind <= thriftI64 }

// fields calls f for each field of a struct; f must consume the value.
func (t *thriftReader) fields(f func(id int64, kind byte) error) error {
	id := int64(0)
	for {
		b, err := t.ReadByte()
		if err != nil || b == thriftStop {
			return err
		}
		if delta := int64(b >> 4); delta != 0 {
			id += delta
		} else if id, err = binary.ReadVarint(t); err != nil {
			return err
		}
		if err := f(id, b&15); err != nil {
			return err
		}
	}
}

// skip passes over a value.
func (t *thriftReader) skip(kind byte, depth int) error {
	if depth > maxDepth {
		return errors.New("thrift: nested too deeply")
	}
	switch kind {
	case thriftTrue, thriftFalse: // the type is the value
		return nil
	case thriftByte:
		return t.pass(1)
	case thriftI16, thriftI16 + 1, thriftI64:
		_, err := binary.ReadVarint(t)
		return err
	case thriftDouble:
		return t.pass(8)
	case thriftBinary:
		n, err := binary.ReadUvarint(t)
		if err != nil {
			return err
		}
		return t.pass(n)
	case thriftStruct:
		return t.fields(func(_ int64, kind byte) error { return t.skip(kind, depth+1) })
	}
	return fmt.Errorf("thrift: type %d in a page header", kind) // no page header holds lists or maps
}

func (t *thriftReader) pass(n uint64) error {
	if n > maxHeader {
		return errors.New("thrift: page header too long")
	}
	for range n {
		if _, err := t.ReadByte(); err != nil {
			return err
		}
	}
	return nil
}
