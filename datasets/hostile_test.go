package datasets

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/apache/arrow/go/v17/arrow"
	"github.com/apache/arrow/go/v17/arrow/array"
	"github.com/apache/arrow/go/v17/arrow/memory"
	"github.com/apache/arrow/go/v17/parquet"
	"github.com/apache/arrow/go/v17/parquet/file"
	"github.com/apache/arrow/go/v17/parquet/pqarrow"
)

// canary stands in cells of the hostile files; no error may quote it.
const canary = "kanarienvogel"

func hostileTable() table {
	random := rand.New(rand.NewPCG(7, 8))
	rows := randomPeople(random.IntN, 400)
	var town []any
	for range 400 {
		town = append(town, canary)
	}
	rows.columns[1] = stringColumn(town...)
	return rows
}

// attempt ingests a damaged file and checks what must hold whatever the damage: no panic, an end in
// time, an error that is one of ours and quotes no cell, and nothing left behind.
func attempt(t *testing.T, in Upload, what string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	dir := t.TempDir()
	_, err := Ingest(ctx, people(), in, filepath.Join(dir, "out"), testKey, Options{DecodeLimit: 64 << 20})
	if ctx.Err() != nil {
		t.Errorf("%s: still running after a minute", what)
	}
	if err == nil {
		return
	}
	if left, _ := os.ReadDir(dir); len(left) != 0 {
		t.Errorf("%s: %v left behind", what, left)
	}
	if !errors.Is(err, ErrMalformed) && !errors.Is(err, ErrTooLarge) {
		t.Errorf("%s: error %v is of no kind", what, err)
	}
	if strings.Contains(err.Error(), canary) {
		t.Errorf("%s: error quotes a cell: %v", what, err)
	}
}

func TestMutatedFiles(t *testing.T) {
	const mutations = 250
	for _, f := range allFormats {
		t.Run(string(f), func(t *testing.T) {
			in := hostileTable().encode(t, f)
			whole, _ := io.ReadAll(io.NewSectionReader(in.Data, 0, in.Size))
			random := rand.New(rand.NewPCG(9, uint64(len(f))))
			for i := range mutations {
				if f == CSV && i >= mutations/4 {
					break // most are still good CSV, and take as long
				}
				b := bytes.Clone(whole)
				for range 1 + random.IntN(4) {
					at := random.IntN(len(b))
					if i%2 == 0 { // the structure of binary formats is at their ends
						at = max(0, len(b)-1-random.IntN(min(len(b), 1500)))
					}
					b[at] = byte(random.IntN(256))
				}
				attempt(t, upload(f, b), fmt.Sprintf("mutation %d", i))
			}
		})
	}
}

func TestTruncatedFiles(t *testing.T) {
	for _, f := range allFormats {
		in := hostileTable().encode(t, f)
		for i := range 60 {
			size := in.Size * int64(i) / 60
			attempt(t, Upload{f, io.NewSectionReader(in.Data, 0, size), size}, fmt.Sprintf("%s cut to %d bytes", f, size))
			if f == CSV {
				continue // text has no end marker
			}
			if _, _, err := ingest(t, people(), Upload{f, io.NewSectionReader(in.Data, 0, size), size}, Options{}); err == nil {
				t.Errorf("%s cut to %d of %d bytes is accepted", f, size, in.Size)
			}
		}
	}
}

// A file of one format sent as another.
func TestMislabelledFiles(t *testing.T) {
	for _, f := range allFormats {
		in := hostileTable().encode(t, f)
		for _, g := range allFormats {
			if f != g {
				attempt(t, Upload{g, in.Data, in.Size}, fmt.Sprintf("%s sent as %s", f, g))
			}
		}
	}
}

// Arrow's page reader skips a page of unknown type without moving on when the column chunk is at its
// end: it parses the bytes left in its buffer for ever. Here the only page is called an index page,
// and its content, one int64, is the header of another.
func TestEndlessPages(t *testing.T) {
	header := binary.LittleEndian.Uint64([]byte{0x15, 0x82, 0, 0x15, 0, 0x15, 0, 0})
	ids := array.NewInt64Builder(memory.DefaultAllocator)
	ids.Append(int64(header))
	schema := arrow.NewSchema([]arrow.Field{{Name: "id", Type: arrow.PrimitiveTypes.Int64}}, nil)
	var out bytes.Buffer
	w, err := pqarrow.NewFileWriter(schema, &out, parquet.NewWriterProperties(parquet.WithDictionaryDefault(false)), pqarrow.DefaultWriterProps())
	if err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(w.Write(array.NewRecord(schema, []arrow.Array{ids.NewArray()}, 1)), w.Close()); err != nil {
		t.Fatal(err)
	}
	b := out.Bytes()
	d := Declaration{UnitSpace: "a/b", MaxRowsPerUnit: 1, Columns: []Column{{Name: "id", Type: Int64, Role: PrivacyID}}}
	if _, _, err := ingest(t, d, upload(Parquet, b), Options{}); err != nil {
		t.Fatal(err)
	}
	f, err := file.NewParquetReader(bytes.NewReader(b))
	if err != nil {
		t.Fatal(err)
	}
	chunk, err := f.MetaData().RowGroup(0).ColumnChunk(0)
	if err != nil {
		t.Fatal(err)
	}
	b[chunk.DataPageOffset()+1] = 2 // page type 1: index page
	if _, _, err := ingest(t, d, upload(Parquet, b), Options{}); !errors.Is(err, ErrMalformed) {
		t.Errorf("%v, want ErrMalformed", err)
	}
}

// Bytes of page headers, one after the other: the walk before reading accepts no header that the
// reader would not come to the end of.
func TestMutatedPageHeaders(t *testing.T) {
	in := hostileTable().encode(t, Parquet)
	whole, _ := io.ReadAll(io.NewSectionReader(in.Data, 0, in.Size))
	f, err := file.NewParquetReader(bytes.NewReader(whole))
	if err != nil {
		t.Fatal(err)
	}
	for c := range 4 {
		chunk, err := f.MetaData().RowGroup(0).ColumnChunk(c)
		if err != nil {
			t.Fatal(err)
		}
		start := chunk.DataPageOffset()
		if d := chunk.DictionaryPageOffset(); chunk.HasDictionaryPage() && d > 0 {
			start = d
		}
		for at := start; at < start+12; at++ {
			for b := 0; b < 256; b += 17 {
				broken := bytes.Clone(whole)
				broken[at] = byte(b)
				attempt(t, upload(Parquet, broken), fmt.Sprintf("column %d, byte %d = %d", c, at, b))
			}
		}
	}
}

// Metadata of every kind of message, mutated: verification ends, stays inside, and lets nothing
// through that makes a vector longer than the message.
func TestVerifyMessage(t *testing.T) {
	rows := newTable([]string{"id", "k", "u"}, stringColumn("a", "b"), dictionaryColumn(t), viewColumn("c", "d"))
	in := rows.encode(t, ArrowStream)
	g := newGuard(context.Background(), in, 1<<30)
	m := &messages{g: g, end: in.Size, maxRows: 1 << 20}
	random := rand.New(rand.NewPCG(5, 6))
	kinds := 0
	for {
		at := m.at
		if _, err := m.Message(); errors.Is(err, io.EOF) {
			break
		} else if err != nil {
			t.Fatal(err)
		}
		kinds++
		length := make([]byte, 4)
		if _, err := in.Data.ReadAt(length, at+4); err != nil {
			t.Fatal(err)
		}
		meta := make([]byte, binary.LittleEndian.Uint32(length))
		if _, err := in.Data.ReadAt(meta, at+8); err != nil {
			t.Fatal(err)
		}
		for range 20_000 {
			broken := bytes.Clone(meta)
			for range 1 + random.IntN(6) {
				at := random.IntN(len(broken))
				broken[at] = []byte{0, 1, 4, 127, 128, 255, byte(random.IntN(256))}[random.IntN(7)]
			}
			_, _ = verifyMessage(broken, 1<<20)
		}
		for size := range len(meta) {
			if _, err := verifyMessage(meta[:size], 1<<20); err == nil && size < len(meta)/2 {
				t.Errorf("message %d cut to %d of %d bytes passes", kinds, size, len(meta))
			}
		}
	}
	if kinds < 3 {
		t.Errorf("%d messages; a schema, a dictionary and a batch are wanted", kinds)
	}
}

// A schema that claims four billion fields, and one whose field is its own child.
func TestHostileSchemas(t *testing.T) {
	u32 := binary.LittleEndian.AppendUint32
	message := func(schema []byte) []byte {
		b := u32(nil, 16)                                   // root table at 16
		b = append(b, 10, 0, 12, 0, 0, 0, 4, 0, 8, 0, 0, 0) // its vtable at 4: kind at 4, header at 8
		b = append(u32(b, 12), schemaMessage, 0, 0, 0)      // table: vtable 12 back
		return append(u32(b, 4), schema...)                 // header right behind
	}
	endless := u32(nil, 0xFFFFFFF8)                   // vtable 8 ahead, at 32
	endless = u32(endless, 12)                        // fields 12 on, at 40
	endless = append(endless, 8, 0, 8, 0, 0, 0, 4, 0) // vtable: slot 1 at 4
	endless = u32(endless, 0xFFFFFFF0)                // length of the vector
	if _, err := verifyMessage(message(endless), 1); !errors.Is(err, errFlat) {
		t.Errorf("four billion fields: %v", err)
	}
	none := u32(endless[:len(endless)-4:len(endless)-4], 0)
	if _, err := verifyMessage(message(none), 1); err != nil {
		t.Fatalf("the same schema without fields: %v", err)
	}
	loop := endless[: len(endless)-4 : len(endless)-4]
	loop = u32(u32(loop, 1), 0xFFFFFFFC) // one field, 4 back
	if _, err := verifyMessage(message(loop), 1); !errors.Is(err, errFlat) {
		t.Errorf("an offset that leads back: %v", err)
	}
}

func FuzzIngest(f *testing.F) {
	for i, format := range allFormats {
		in := hostileTable().take([]int{0, 1, 2, 3}).encode(f, format)
		b, _ := io.ReadAll(io.NewSectionReader(in.Data, 0, in.Size))
		f.Add(i, b)
	}
	f.Fuzz(func(t *testing.T, format int, b []byte) {
		attempt(t, upload(allFormats[uint(format)%uint(len(allFormats))], b), "fuzzed file")
	})
}
