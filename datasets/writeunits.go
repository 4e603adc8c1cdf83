package datasets

import (
	"io"

	"github.com/apache/arrow/go/v17/arrow"
	"github.com/apache/arrow/go/v17/arrow/array"
)

// unitWriter writes a table of privacy units, and of each the first rows only.
type unitWriter struct {
	*canonical
	maxRows int64 // per unit
	unit    unitID
	units   int64
	rank    int64 // of the last row of unit
	over    int64
}

func newUnitWriter(w io.Writer, columns []Column, maxRows, group int64) (*unitWriter, error) {
	c, err := newCanonical(w, []arrow.Field{
		{Name: UnitColumn, Type: &arrow.FixedSizeBinaryType{ByteWidth: len(unitID{})}},
		{Name: OrdinalColumn, Type: arrow.PrimitiveTypes.Int64},
		{Name: RankColumn, Type: arrow.PrimitiveTypes.Int32},
	}, columns, group, "entrepot canonical rows 1\n")
	if err != nil {
		return nil, err
	}
	return &unitWriter{canonical: c, maxRows: maxRows}, nil
}

// add takes the next record. Rows beyond the unit's limit are counted, not written.
func (w *unitWriter) add(record []byte) error {
	if w.units == 0 || unitID(record[:placeAt]) != w.unit {
		w.unit = unitID(record[:placeAt])
		w.units++
		w.rank = 0
	}
	if w.rank == w.maxRows {
		w.over++
		return nil
	}
	w.rank++
	w.rows.Field(0).(*array.FixedSizeBinaryBuilder).Append(w.unit[:])
	w.rows.Field(1).(*array.Int64Builder).Append(w.units - 1)
	w.rows.Field(2).(*array.Int32Builder).Append(int32(w.rank))
	return w.row(record[:placeAt], record[payloadAt:]) // the place follows from the rest
}

func (w *unitWriter) close(r *Report) error {
	r.RowsOverLimit, r.Units = w.over, w.units
	return w.canonical.close(r)
}
