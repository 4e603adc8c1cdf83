package datasets

import (
	"math"
	"math/big"

	"github.com/apache/arrow/go/v17/arrow"
	"github.com/apache/arrow/go/v17/arrow/array"
)

// maxScale is the largest scale of a fixed-point column, that of the widest one.
const maxScale = 76

// readable refuses Arrow types whose values have no meaning for a column.
func readable(c Column, t arrow.DataType) error {
	if d, ok := t.(*arrow.DictionaryType); ok {
		t = d.ValueType
	}
	switch t := t.(type) {
	case *arrow.NullType, *arrow.BooleanType, *arrow.Date32Type, *arrow.Date64Type, *arrow.TimestampType,
		*arrow.Int8Type, *arrow.Int16Type, *arrow.Int32Type, *arrow.Int64Type,
		*arrow.Uint8Type, *arrow.Uint16Type, *arrow.Uint32Type, *arrow.Uint64Type,
		*arrow.Float16Type, *arrow.Float32Type, *arrow.Float64Type,
		*arrow.StringType, *arrow.LargeStringType, *arrow.BinaryType, *arrow.LargeBinaryType,
		*arrow.StringViewType, *arrow.BinaryViewType:
		return nil
	case arrow.DecimalType:
		if s := t.GetScale(); s >= -maxScale && s <= maxScale {
			return nil
		}
	case arrow.NestedType:
		return nestedColumn(c)
	}
	return refuse(ErrColumns, "column %q has the Arrow type %s, which cannot be read; write it as a number, text, boolean, date or timestamp",
		c.Name, t.ID())
}

func nestedColumn(c Column) error {
	return refuse(ErrColumns, "column %q is nested; write one value in each row", c.Name)
}

// arrowCells returns a function that reads the cells of an array. The array may come from a
// crafted file: whatever it does wrong is a panic within bounds-checked code, which guard recovers.
func arrowCells(a arrow.Array) func(int, *value) {
	read := arrowValues(a)
	return func(i int, v *value) {
		if a.IsNull(i) {
			v.kind = missing
			return
		}
		read(i, v)
	}
}

func arrowValues(a arrow.Array) func(int, *value) {
	switch a := a.(type) {
	case *array.Dictionary:
		values := arrowCells(a.Dictionary())
		return func(i int, v *value) { values(a.GetValueIndex(i), v) }
	case *array.Boolean:
		return func(i int, v *value) {
			v.kind, v.whole, v.exponent = truth, 0, 0
			if a.Value(i) {
				v.whole = 1
			}
		}
	case *array.Float16:
		return func(i int, v *value) { v.kind, v.real, v.narrow = real, float64(a.Value(i).Float32()), true }
	case *array.Float32:
		return func(i int, v *value) { v.kind, v.real, v.narrow = real, float64(a.Value(i)), true }
	case *array.Float64:
		return func(i int, v *value) { v.kind, v.real, v.narrow = real, a.Value(i), false }
	case *array.Decimal128:
		scale := int(a.DataType().(arrow.DecimalType).GetScale())
		return func(i int, v *value) {
			v.kind, v.large, v.exponent = large, a.Value(i).BigInt(), -scale
		}
	case *array.Decimal256:
		scale := int(a.DataType().(arrow.DecimalType).GetScale())
		return func(i int, v *value) {
			v.kind, v.large, v.exponent = large, a.Value(i).BigInt(), -scale
		}
	}
	if read := integers(a); read != nil {
		return read
	}
	if read := moments(a); read != nil {
		return read
	}
	if text, ok := texts(a); ok {
		return func(i int, v *value) { v.kind, v.text = textual, text(i) }
	}
	return func(_ int, v *value) { v.kind = missing } // the null type
}

func integers(a arrow.Array) func(int, *value) {
	switch a := a.(type) {
	case *array.Int8:
		return asWhole(a.Value)
	case *array.Int16:
		return asWhole(a.Value)
	case *array.Int32:
		return asWhole(a.Value)
	case *array.Int64:
		return asWhole(a.Value)
	case *array.Uint8:
		return asWhole(a.Value)
	case *array.Uint16:
		return asWhole(a.Value)
	case *array.Uint32:
		return asWhole(a.Value)
	case *array.Uint64:
		return asUnsigned(a.Value)
	}
	return nil
}

func asWhole[T int8 | int16 | int32 | int64 | uint8 | uint16 | uint32](at func(int) T) func(int, *value) {
	return func(i int, v *value) { v.kind, v.whole, v.exponent = whole, int64(at(i)), 0 }
}

// moments reads dates and timestamps. A timestamp without a zone is taken as UTC; one with a zone
// is UTC already, by Arrow's definition.
func moments(a arrow.Array) func(int, *value) {
	switch a := a.(type) {
	case *array.Date32:
		return func(i int, v *value) { v.kind, v.whole = day, int64(a.Value(i)) }
	case *array.Date64:
		return func(i int, v *value) { v.kind, v.whole = day, floorDivide(int64(a.Value(i)), dayMicro/1000) }
	case *array.Timestamp:
		perSecond := map[arrow.TimeUnit]int64{arrow.Second: 1, arrow.Millisecond: 1e3, arrow.Microsecond: 1e6, arrow.Nanosecond: 1e9}
		units := perSecond[a.DataType().(*arrow.TimestampType).Unit]
		return func(i int, v *value) { toMicros(int64(a.Value(i)), units, v) }
	}
	return nil
}

// toMicros converts a time in 1/perSecond seconds, cutting off what is finer than microseconds.
func toMicros(t, perSecond int64, v *value) {
	v.kind = instant
	switch {
	case perSecond >= 1e6:
		v.whole = floorDivide(t, perSecond/1e6)
	case t > math.MaxInt64/(1e6/perSecond) || t < math.MinInt64/(1e6/perSecond):
		v.kind = unusable
	default:
		v.whole = t * (1e6 / perSecond)
	}
}

func texts(a arrow.Array) (func(int) string, bool) {
	switch a := a.(type) {
	case *array.String:
		return a.Value, true
	case *array.LargeString:
		return a.Value, true
	case *array.StringView:
		return a.Value, true
	case *array.Binary:
		return a.ValueString, true
	case *array.LargeBinary:
		return a.ValueString, true
	case *array.BinaryView:
		return a.ValueString, true
	}
	return nil, false
}

// asUnsigned keeps what exceeds int64 exact.
func asUnsigned(at func(int) uint64) func(int, *value) {
	return func(i int, v *value) {
		n := at(i)
		v.kind, v.whole, v.exponent = whole, int64(n), 0
		if n > math.MaxInt64 {
			v.kind, v.large = large, new(big.Int).SetUint64(n)
		}
	}
}
