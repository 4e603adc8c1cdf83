package datasets

import (
	"bytes"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"strings"
)

// CSV is read with encoding/csv, the parser that Arrow's CSV reader is built on, and not through
// Arrow: Arrow's reader keeps a byte-order mark in the first column's name, turns the words NULL and
// null into nulls, hands out the rows before a ragged one as if nothing had happened, has no row
// numbers, and reads a field whose quote never closes into memory whole. Its typed columns are worse:
// a bad cell becomes 0, the largest integer or +Inf.
//
// An empty field is NULL, quoted or not: CSV has no other way to write it.
type csvSource struct {
	g      *guard
	rows   *csv.Reader
	input  *csvInput
	header []string
	record []string
	number int64
	cells  []func(int, *value)
}

// maxCSVRow is the longest row, in bytes.
const maxCSVRow = 8 << 20

func openCSV(g *guard) (source, error) {
	in := &csvInput{r: g.section()}
	head := make([]byte, 3)
	n, err := io.ReadFull(in.r, head)
	if err != nil && !errors.Is(err, io.EOF) && !errors.Is(err, io.ErrUnexpectedEOF) {
		return nil, err
	}
	switch head = head[:n]; {
	case bytes.HasPrefix(head, []byte("\xFF\xFE")), bytes.HasPrefix(head, []byte("\xFE\xFF")):
		return nil, refuse(ErrMalformed, "the CSV text is UTF-16; save it as UTF-8")
	case !bytes.Equal(head, []byte("\xEF\xBB\xBF")): // a byte-order mark is not part of a name
		in.r = io.MultiReader(bytes.NewReader(head), in.r)
	}
	s := &csvSource{g: g, rows: csv.NewReader(in), input: in}
	header, err := s.rows.Read()
	if err != nil {
		if errors.Is(err, io.EOF) {
			return nil, refuse(ErrMalformed, "the CSV file is empty; its first line names the columns")
		}
		return nil, s.explain(err)
	}
	if len(header) == 1 && strings.ContainsAny(header[0], ";\t|") {
		return nil, refuse(ErrMalformed, "the CSV file has one column; separate fields by commas")
	}
	s.header, s.rows.ReuseRecord = header, true
	return s, nil
}

func (s *csvSource) columns() []string { return s.header }

func (s *csvSource) choose(indices []int, _ []Column) error {
	for _, at := range indices {
		s.cells = append(s.cells, func(_ int, v *value) {
			v.kind, v.text = textual, s.record[at]
			if v.text == "" {
				v.kind = missing
			}
		})
	}
	return nil
}

// next returns one row.
func (s *csvSource) next() (batch, error) {
	if s.number%1024 == 0 && s.g.ctx.Err() != nil {
		return batch{}, s.g.ctx.Err()
	}
	var err error
	if s.record, err = s.rows.Read(); err == io.EOF {
		return batch{}, errEnd
	} else if err != nil {
		return batch{}, s.explain(err)
	}
	s.number++
	s.input.row = s.rows.InputOffset()
	return batch{rows: 1, cells: s.cells}, nil
}

// explain says where the text is not CSV, by row number: the field itself is not quoted.
func (s *csvSource) explain(err error) error {
	where := "the CSV header"
	if s.header != nil {
		where = fmt.Sprintf("CSV row %d", s.number+1)
	}
	switch {
	case errors.Is(err, errLongRow):
		return refuse(ErrTooLarge, "%s is longer than %d bytes; a quote that never closes looks like that", where, maxCSVRow)
	case errors.Is(err, csv.ErrFieldCount):
		return refuse(ErrMalformed, "%s has %d fields where the header has %d; put fields that hold commas in quotes",
			where, len(s.record), len(s.header))
	case errors.Is(err, csv.ErrQuote), errors.Is(err, csv.ErrBareQuote):
		return refuse(ErrMalformed, `%s has a quote out of place; write a field with quotes as "…""…"`, where)
	}
	return err
}

var errLongRow = errors.New("row too long")

// csvInput ends the text where a row grows beyond all measure.
type csvInput struct {
	r    io.Reader
	read int64
	row  int64 // where the row that is being read begins
}

func (in *csvInput) Read(p []byte) (int, error) {
	if in.read-in.row > maxCSVRow {
		return 0, errLongRow
	}
	n, err := in.r.Read(p)
	in.read += int64(n)
	return n, err
}
