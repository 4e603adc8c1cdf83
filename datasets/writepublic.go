package datasets

import (
	"bytes"
	"fmt"
	"io"
	"strconv"
	"strings"

	"github.com/apache/arrow/go/v17/arrow"
	"github.com/apache/arrow/go/v17/arrow/array"
)

// publicWriter writes a public table and refuses it where two rows have one key. Joins rest on that: a
// protected row meets at most one public row, so that no join multiplies what a unit contributes.
type publicWriter struct {
	*canonical
	unique     []Column
	key        []byte   // of the last row
	again      bool     // another row had that key, too
	duplicates int64    // rows whose key an earlier row has
	examples   []string // such keys
}

// maxDuplicates is how many keys an error quotes.
const maxDuplicates = 3

func newPublicWriter(w io.Writer, d Declaration, group int64) (*publicWriter, error) {
	p := &publicWriter{}
	for _, name := range d.Unique {
		c, _ := d.Column(name)
		p.unique = append(p.unique, c)
	}
	var err error
	p.canonical, err = newCanonical(w, []arrow.Field{
		{Name: OrdinalColumn, Type: arrow.PrimitiveTypes.Int64},
		{Name: RankColumn, Type: arrow.PrimitiveTypes.Int32},
	}, d.Stored(), group, "entrepot public rows 1\nunique "+strings.Join(d.Unique, " ")+"\n")
	return p, err
}

// add takes the next record. Records come sorted by key: equal ones are neighbours.
func (w *publicWriter) add(record []byte) error {
	n := keyLength(record, w.unique)
	if w.kept > 0 && bytes.Equal(record[:n], w.key) {
		if w.duplicates++; !w.again && len(w.examples) < maxDuplicates {
			w.examples = append(w.examples, w.quote())
		}
		w.again = true
		return nil
	}
	w.key, w.again = append(w.key[:0], record[:n]...), false
	w.rows.Field(0).(*array.Int64Builder).Append(w.kept)
	w.rows.Field(1).(*array.Int32Builder).Append(1)
	return w.row(nil, record[n:])
}

// quote writes the key of the last row.
func (w *publicWriter) quote() string {
	var cells []string
	rest := w.key
	for _, column := range w.unique {
		var c cell
		c, rest = readKey(rest, column.Type == String)
		cells = append(cells, column.Name+" = "+quoteCell(column.Type, c))
	}
	return strings.Join(cells, ", ")
}

func quoteCell(t Type, c cell) string {
	switch t {
	case String:
		return strconv.Quote(shorten(c.s))
	case Bool:
		return strconv.FormatBool(c.n != 0)
	case Date:
		return formatDate(c.n)
	case Timestamp:
		return formatInstant(c.n)
	}
	return strconv.FormatInt(c.n, 10)
}

func (w *publicWriter) close(r *Report) error {
	if w.duplicates > 0 {
		return fmt.Errorf("%w: %d rows have, as they would be stored, the key of an earlier row, such as %s; keep one row for each key, or add a column to unique",
			ErrDuplicates, w.duplicates, strings.Join(w.examples, "; "))
	}
	return w.canonical.close(r)
}
