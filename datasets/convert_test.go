package datasets

import (
	"fmt"
	"math"
	"strings"
	"testing"
	"time"

	"github.com/apache/arrow/go/v17/arrow"
	"github.com/apache/arrow/go/v17/arrow/array"
	"github.com/apache/arrow/go/v17/arrow/decimal128"
	"github.com/apache/arrow/go/v17/arrow/decimal256"
	"github.com/apache/arrow/go/v17/arrow/float16"
	"github.com/apache/arrow/go/v17/arrow/memory"
)

// The total map, value by value. Outcomes: "12" kept, "12 clamped", "∅" NULL, "∅ nulled".
func TestTotalMap(t *testing.T) {
	text := func(s string) value { return value{kind: textual, text: s} }
	integer := func(n int64) value { return value{kind: whole, whole: n} }
	float := func(f float64) value { return value{kind: real, real: f} }
	null := value{kind: missing}
	yes, no := value{kind: truth, whole: 1}, value{kind: truth}
	at := func(s string) int64 {
		v, err := time.Parse(time.RFC3339Nano, s)
		if err != nil {
			t.Fatal(err)
		}
		return v.UnixMicro()
	}
	money := Column{Type: Float64, Role: Measure, Lower: decimal("-100"), Upper: decimal("100"), Resolution: decimal("0.01")}
	count := Column{Type: Int64, Role: Measure, Lower: decimal("0"), Upper: decimal("1000")}
	tens := Column{Type: Int64, Role: Measure, Lower: decimal("-50"), Upper: decimal("50"), Resolution: decimal("10")}
	year := Column{Type: Int64, Role: Key, Lower: decimal("2000"), Upper: decimal("2010")}
	key := func(t Type) Column { return Column{Type: t, Role: Key} }
	school := Column{Type: Date, Role: Key, Earliest: "1970-01-02", Latest: "1970-01-31"}
	hour := Column{Type: Timestamp, Role: Key, Earliest: "1970-01-01T00:00:01Z", Latest: "1970-01-01T01:00:00Z"}
	long := strings.Repeat("x", maxText)
	tests := []struct {
		column Column
		value  value
		want   string
	}{
		// NULL stays NULL, whatever the type; so does empty text, but for strings.
		{money, null, "∅"}, {key(String), null, "∅"}, {key(Int64), text(" "), "∅"}, {money, text(""), "∅"}, {key(Date), text("\t"), "∅"},
		// float64: rounded to the grid half away from zero, then clamped.
		{money, float(1.005), "101"}, {money, float(-1.005), "-101"}, {money, float(1.004), "100"}, {money, float(0.1), "10"}, {money, float(0.29), "29"},
		{money, text("0.1"), "10"}, {money, text(" 1.005 "), "101"}, {money, text("1.00499999999999999999"), "100"}, {money, text("+5e-1"), "50"},
		{money, float(100.004), "10000"}, {money, float(100.005), "10000 clamped"}, {money, float(-1e300), "-10000 clamped"}, {money, text("1e999"), "10000 clamped"},
		{money, float(math.Copysign(0, -1)), "0"}, {money, float(5e-324), "0"}, {money, float(math.MaxFloat64), "10000 clamped"},
		{money, value{kind: real, real: float64(float32(0.29)), narrow: true}, "29"}, {money, integer(3), "300"}, {money, yes, "100"},
		{money, integer(math.MinInt64), "-10000 clamped"},
		{money, float(math.NaN()), "∅ nulled"}, {money, float(math.Inf(1)), "∅ nulled"}, {money, float(math.Inf(-1)), "∅ nulled"},
		{money, text("NaN"), "∅ nulled"}, {money, text("inf"), "∅ nulled"}, {money, text("1,234"), "∅ nulled"}, {money, text("0x10"), "∅ nulled"}, {money, text("1_0"), "∅ nulled"},
		{money, text("NULL"), "∅ nulled"}, {money, text("1 2"), "∅ nulled"}, {money, text(strings.Repeat("9", 2000)), "∅ nulled"}, {money, text("\xff"), "∅ nulled"},
		{money, value{kind: day, whole: 5}, "∅ nulled"}, {money, value{kind: unusable}, "∅ nulled"},
		// int64: whole numbers only.
		{count, integer(7), "7"}, {count, float(7), "7"}, {count, text("007"), "7"}, {count, text("7.0"), "7"}, {count, text("1e2"), "100"},
		{count, integer(-1), "0 clamped"}, {count, float(1e300), "1000 clamped"}, {count, text("99999999999999999999"), "1000 clamped"},
		{count, float(7.5), "∅ nulled"}, {count, text("7.5"), "∅ nulled"}, {count, float(math.NaN()), "∅ nulled"}, {count, yes, "1"},
		{tens, integer(15), "2"}, {tens, integer(-15), "-2"}, {tens, integer(14), "1"}, {tens, integer(54), "5"}, {tens, integer(55), "5 clamped"}, {tens, text("1.5"), "∅ nulled"},
		{year, integer(1999), "2000 clamped"}, {year, text("2005"), "2005"}, {year, integer(2011), "2010 clamped"},
		{key(Int64), integer(math.MinInt64), "-9223372036854775808"}, {key(Int64), text("-9223372036854775807"), "-9223372036854775807"},
		{key(Int64), text("9223372036854775808"), "∅ nulled"}, {key(Int64), float(1e19), "∅ nulled"}, {key(Int64), float(3), "3"},
		// string: any value as text; not invalid UTF-8, NUL or more than 1,024 bytes.
		{key(String), text("a b"), "a b"}, {key(String), text(" "), " "}, {key(String), text(""), ""}, {key(String), text(long), long}, {key(String), text("é́"), "é́"},
		{key(String), text(long + "x"), "∅ nulled"}, {key(String), text("a\x00b"), "∅ nulled"}, {key(String), text("a\xff"), "∅ nulled"},
		{key(String), integer(-5), "-5"}, {key(String), float(17850), "17850"}, {key(String), float(0.5), "0.5"}, {key(String), yes, "true"},
		{key(String), float(math.NaN()), "∅ nulled"}, {key(String), float(math.Inf(1)), "∅ nulled"},
		{key(String), value{kind: day}, "1970-01-01"}, {key(String), value{kind: instant, whole: 1}, "1970-01-01T00:00:00.000001Z"},
		{key(String), value{kind: whole, whole: 1250, exponent: -2}, "12.5"},
		// bool.
		{key(Bool), yes, "1"}, {key(Bool), no, "0"}, {key(Bool), integer(1), "1"}, {key(Bool), float(0), "0"}, {key(Bool), text("TRUE"), "1"}, {key(Bool), text("f"), "0"},
		{key(Bool), text(" No "), "0"}, {key(Bool), text("1"), "1"}, {key(Bool), integer(2), "∅ nulled"}, {key(Bool), text("maybe"), "∅ nulled"}, {key(Bool), float(0.5), "∅ nulled"},
		// date and timestamp: years 1 … 9999.
		{key(Date), text("1970-01-02"), "1"}, {key(Date), text(" 0001-01-01 "), fmt.Sprint(minDay)}, {key(Date), text("9999-12-31"), fmt.Sprint(maxDay)},
		{key(Date), text("0000-12-31"), "∅ nulled"}, {key(Date), text("2026-02-29"), "∅ nulled"}, {key(Date), text("31.12.2026"), "∅ nulled"}, {key(Date), text("2026-1-1"), "∅ nulled"},
		{key(Date), value{kind: day, whole: maxDay + 1}, "∅ nulled"}, {key(Date), value{kind: day, whole: minDay - 1}, "∅ nulled"}, {key(Date), integer(5), "∅ nulled"},
		{key(Date), value{kind: instant, whole: -1}, "-1"}, {key(Date), value{kind: instant, whole: maxMicro + 1}, "∅ nulled"},
		{key(Timestamp), text("1970-01-01T00:00:01.5Z"), "1500000"}, {key(Timestamp), text("1970-01-01 09:00:00+09:00"), "0"}, {key(Timestamp), text("1970-01-01 00:00:00.0000019"), "1"},
		{key(Timestamp), text("1970-01-02"), fmt.Sprint(dayMicro)}, {key(Timestamp), text("1970-01-01T00:01"), "60000000"}, {key(Timestamp), value{kind: day, whole: 1}, fmt.Sprint(dayMicro)},
		{key(Timestamp), value{kind: instant, whole: at("9999-12-31T23:59:59.999999Z")}, fmt.Sprint(maxMicro)}, {key(Timestamp), value{kind: instant, whole: maxMicro + 1}, "∅ nulled"},
		{key(Timestamp), text("0001-01-01T00:00:00+09:00"), "∅ nulled"}, {key(Timestamp), text("2026-01-01T25:00:00Z"), "∅ nulled"}, {key(Timestamp), text("now"), "∅ nulled"},
		{key(Timestamp), value{kind: day, whole: math.MaxInt64}, "∅ nulled"}, {key(Timestamp), integer(0), "∅ nulled"}, {key(Timestamp), text("1969-12-31T23:59:59.9999999Z"), "-1"},
		// bounded: clamped to the nearer of earliest and latest, once they are a date or timestamp at all.
		{school, text("1970-01-02"), "1"}, {school, text("1970-01-31"), "30"}, {school, text("1970-01-01"), "1 clamped"}, {school, text("1970-02-01"), "30 clamped"},
		{school, text("0001-01-01"), "1 clamped"}, {school, value{kind: day, whole: maxDay}, "30 clamped"}, {school, value{kind: instant, whole: -1}, "1 clamped"},
		{school, value{kind: instant, whole: 30*dayMicro + dayMicro - 1}, "30"}, {school, value{kind: day, whole: maxDay + 1}, "∅ nulled"}, {school, text("10000-01-01"), "∅ nulled"},
		{school, text("soon"), "∅ nulled"}, {school, null, "∅"}, {school, text(" "), "∅"}, {school, value{kind: unusable}, "∅ nulled"},
		{hour, text("1970-01-01T00:00:01Z"), "1000000"}, {hour, text("1970-01-01T00:00:00.999999Z"), "1000000 clamped"}, {hour, text("1970-01-01T01:00:00.000000999Z"), "3600000000"},
		{hour, text("1970-01-01T01:00:00.000001Z"), "3600000000 clamped"}, {hour, value{kind: instant, whole: maxMicro}, "3600000000 clamped"}, {hour, value{kind: instant, whole: maxMicro + 1}, "∅ nulled"},
		{hour, value{kind: day, whole: 0}, "1000000 clamped"},
	}
	for _, test := range tests {
		c, how := newConverter(test.column)(&test.value)
		got := fmt.Sprint(c.n)
		if test.column.Type == String {
			got = c.s
		}
		if c.null {
			got = "∅"
		}
		got += [...]string{"", " clamped", " nulled"}[how]
		if got != test.want {
			t.Errorf("%s %s of %q (%+v): %s, want %s", test.column.Type, test.column.Role, shorten(test.value.String()), test.value.kind, shorten(got), shorten(test.want))
		}
	}
}

// Every Arrow type that is read, and what becomes of its values.
func TestArrowTypes(t *testing.T) {
	mem := memory.DefaultAllocator
	build := func(dt arrow.DataType, json string) arrow.Array {
		a, _, err := array.FromJSON(mem, dt, strings.NewReader(json))
		if err != nil {
			t.Fatalf("%s: %v", dt, err)
		}
		return a
	}
	d128 := array.NewDecimal128Builder(mem, &arrow.Decimal128Type{Precision: 38, Scale: 2})
	d128.Append(decimal128.FromI64(-1250))
	d128.AppendNull()
	d256 := array.NewDecimal256Builder(mem, &arrow.Decimal256Type{Precision: 76, Scale: -3})
	d256.Append(decimal256.FromI64(7))
	d256.AppendNull()
	unsigned := array.NewUint64Builder(mem)
	unsigned.Append(math.MaxUint64)
	unsigned.AppendNull()
	half := array.NewFloat16Builder(mem)
	half.Append(float16.New(0.5))
	half.AppendNull()
	binary := array.NewBinaryBuilder(mem, arrow.BinaryTypes.Binary)
	binary.Append([]byte("bytes"))
	binary.AppendNull()
	large := array.NewBinaryBuilder(mem, arrow.BinaryTypes.LargeBinary)
	large.Append([]byte("bytes"))
	large.AppendNull()
	tests := []struct {
		a    arrow.Array
		want string
	}{
		{build(arrow.PrimitiveTypes.Int8, `[-5, null]`), "-5"},
		{build(arrow.PrimitiveTypes.Int16, `[-5, null]`), "-5"},
		{build(arrow.PrimitiveTypes.Int32, `[-5, null]`), "-5"},
		{intColumn(int64(-9007199254740993), nil), "-9007199254740993"},
		{build(arrow.PrimitiveTypes.Uint8, `[255, null]`), "255"},
		{build(arrow.PrimitiveTypes.Uint16, `[65535, null]`), "65535"},
		{build(arrow.PrimitiveTypes.Uint32, `[4294967295, null]`), "4294967295"},
		{unsigned.NewArray(), "18446744073709551615"},
		{build(arrow.PrimitiveTypes.Float32, `[0.1, null]`), "0.1"},
		{build(arrow.PrimitiveTypes.Float64, `[0.1, null]`), "0.1"},
		{build(arrow.FixedWidthTypes.Boolean, `[true, null]`), "true"},
		{build(arrow.BinaryTypes.String, `["ä", null]`), "ä"},
		{build(arrow.BinaryTypes.LargeString, `["ä", null]`), "ä"},
		{build(arrow.FixedWidthTypes.Date32, `["2003-04-05", null]`), "2003-04-05"},
		{build(arrow.FixedWidthTypes.Date64, `["2003-04-05", null]`), "2003-04-05"},
		{build(&arrow.TimestampType{Unit: arrow.Second}, `["1969-12-31 23:59:59", null]`), "1969-12-31T23:59:59Z"},
		{build(&arrow.TimestampType{Unit: arrow.Millisecond, TimeZone: "UTC"}, `["2003-04-05 06:07:08.009", null]`), "2003-04-05T06:07:08.009000Z"},
		{build(&arrow.TimestampType{Unit: arrow.Microsecond}, `["2003-04-05 06:07:08.000001", null]`), "2003-04-05T06:07:08.000001Z"},
		{build(&arrow.TimestampType{Unit: arrow.Nanosecond, TimeZone: "Asia/Seoul"}, `["2003-04-05 06:07:08.000001999", null]`), "2003-04-05T06:07:08.000001Z"},
		{build(&arrow.DictionaryType{IndexType: arrow.PrimitiveTypes.Int8, ValueType: arrow.BinaryTypes.String}, `["b", null]`), "b"},
		{d128.NewArray(), "-12.5"}, {d256.NewArray(), "7000"}, {half.NewArray(), "0.5"}, {binary.NewArray(), "bytes"}, {large.NewArray(), "bytes"},
		{array.NewNull(2), ""},
		{func() arrow.Array {
			b := array.NewStringViewBuilder(mem)
			b.Append("a view that is longer than twelve bytes")
			b.AppendNull()
			return b.NewArray()
		}(), "a view that is longer than twelve bytes"},
	}
	for _, test := range tests {
		dt := test.a.DataType()
		if err := readable(Column{Name: "c"}, dt); err != nil {
			t.Errorf("%s: %v", dt, err)
			continue
		}
		cells := arrowCells(test.a)
		v := value{text: "stale", whole: 99, exponent: 9}
		if cells(0, &v); v.String() != test.want {
			t.Errorf("%s: %q, want %q", dt, v.String(), test.want)
		}
		if cells(1, &v); !v.isNull() {
			t.Errorf("%s: NULL is read as %q", dt, v.String())
		}
	}
	var v value
	if toMicros(math.MaxInt64, 1, &v); v.kind != unusable {
		t.Errorf("seconds beyond int64 microseconds: %+v", v)
	}
	if toMicros(math.MinInt64, 1000, &v); v.kind != unusable {
		t.Errorf("milliseconds beyond int64 microseconds: %+v", v)
	}
}

func TestUnreadableTypes(t *testing.T) {
	one := func(dt arrow.DataType) Upload {
		b := array.NewBuilder(memory.DefaultAllocator, dt)
		b.AppendNull()
		return newTable([]string{"id"}, b.NewArray()).encode(t, ArrowStream)
	}
	d := Declaration{UnitSpace: "a/b", MaxRowsPerUnit: 1, Columns: []Column{{Name: "id", Type: String, Role: PrivacyID}}}
	for dt, want := range map[arrow.DataType]string{
		arrow.ListOf(arrow.PrimitiveTypes.Int64):                               `column "id" is nested`,
		arrow.StructOf(arrow.Field{Name: "a", Type: arrow.BinaryTypes.String}): `column "id" is nested`,
		arrow.FixedWidthTypes.Time32ms:                                         `column "id" has the Arrow type TIME32`,
		arrow.FixedWidthTypes.Duration_s:                                       `column "id" has the Arrow type DURATION`,
		&arrow.FixedSizeBinaryType{ByteWidth: 3}:                               `column "id" has the Arrow type FIXED_SIZE_BINARY`,
	} {
		if _, _, err := ingest(t, d, one(dt), Options{}); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %q", dt, err, want)
		}
	}
	nested := newTable([]string{"id", "x"}, stringColumn("a"), array.NewBuilder(memory.DefaultAllocator, arrow.ListOf(arrow.PrimitiveTypes.Int64)).NewArray())
	nested.columns[1] = func() arrow.Array {
		b := array.NewListBuilder(memory.DefaultAllocator, arrow.PrimitiveTypes.Int64)
		b.AppendNull()
		return b.NewArray()
	}()
	for _, f := range []Format{Parquet, ArrowFile} {
		if r, _, err := ingest(t, d, nested.encode(t, f), Options{}); err != nil || r.UndeclaredColumns[0] != "x" {
			t.Errorf("%s: a nested column that is not declared: %v", f, err)
		}
		d := d
		d.Columns = append(d.Columns[:1:1], Column{Name: "x", Type: Int64, Role: Key})
		if _, _, err := ingest(t, d, nested.encode(t, f), Options{}); err == nil || !strings.Contains(err.Error(), `column "x" is nested`) {
			t.Errorf("%s: a nested column that is declared: %v", f, err)
		}
	}
}
