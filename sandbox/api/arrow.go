package api

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strconv"
	"time"

	"github.com/apache/arrow/go/v17/arrow"
	"github.com/apache/arrow/go/v17/arrow/array"
	"github.com/apache/arrow/go/v17/arrow/ipc"
	"github.com/apache/arrow/go/v17/arrow/memory"

	"entrepot/datasets"
	"entrepot/sandbox"
)

// arrowStream writes an answer as an Arrow IPC stream of one record batch. Keys have their own types;
// an aggregate is a column with its interval in two float64 columns beside it. What JSON has around the
// rows is the schema's metadata, each member as JSON.
func arrowStream(a sandbox.Answer) ([]byte, error) {
	schema, err := arrowSchema(a)
	if err != nil {
		return nil, err
	}
	b := array.NewRecordBuilder(memory.NewGoAllocator(), schema)
	defer b.Release()
	for _, row := range a.Rows {
		if len(row) != schema.NumFields() {
			return nil, fmt.Errorf("a row has %d fields, its schema %d", len(row), schema.NumFields())
		}
		for i, field := range row {
			if field.Name != schema.Field(i).Name {
				return nil, fmt.Errorf("field %d of a row is not the one of its schema", i)
			}
			if err := appendValue(b.Field(i), field.Value); err != nil {
				return nil, fmt.Errorf("column %d: %w", i, err)
			}
		}
	}
	record := b.NewRecord()
	defer record.Release()
	var out bytes.Buffer
	w := ipc.NewWriter(&out, ipc.WithSchema(schema))
	if err := w.Write(record); err != nil {
		return nil, fmt.Errorf("write the record batch: %w", err)
	}
	if err := w.Close(); err != nil {
		return nil, fmt.Errorf("end the stream: %w", err)
	}
	return out.Bytes(), nil
}

// arrowSchema describes the answer's columns and carries what is around its rows.
func arrowSchema(a sandbox.Answer) (*arrow.Schema, error) {
	var fields []arrow.Field
	for _, c := range a.Columns {
		t, err := arrowType(datasets.Type(c.Type))
		if err != nil {
			return nil, err
		}
		fields = append(fields, arrow.Field{Name: c.Name, Type: t, Nullable: true, Metadata: about(c)})
		if c.Kind == "aggregate" {
			bound := arrow.Field{Type: arrow.PrimitiveTypes.Float64, Nullable: true}
			low, high := bound, bound
			low.Name, high.Name = c.Name+"_low", c.Name+"_high"
			fields = append(fields, low, high)
		}
	}
	names := []string{"id", "query_id", "repeat", "confidence", "charged", "datasets", "log"}
	values := []any{a.ID, a.Query, a.Repeat, a.Confidence, a.Charged, a.Datasets, a.Log}
	if a.Loss != nil {
		names, values = append(names, "loss"), append(values, a.Loss)
	}
	var texts []string
	for _, v := range values {
		if s, ok := v.(string); ok {
			texts = append(texts, s)
			continue
		}
		b, err := json.Marshal(v)
		if err != nil {
			return nil, fmt.Errorf("encode the metadata: %w", err)
		}
		texts = append(texts, string(b))
	}
	metadata := arrow.NewMetadata(names, texts)
	return arrow.NewSchema(fields, &metadata), nil
}

// about is what JSON says of a column beside its name and type.
func about(c sandbox.Column) arrow.Metadata {
	names, texts := []string{"kind"}, []string{c.Kind}
	if c.Mechanism != "" {
		names, texts = append(names, "mechanism", "scale"), append(texts, c.Mechanism, strconv.FormatFloat(c.Scale, 'g', -1, 64))
	}
	if c.Note != "" {
		names, texts = append(names, "note"), append(texts, c.Note)
	}
	return arrow.NewMetadata(names, texts)
}

func arrowType(t datasets.Type) (arrow.DataType, error) {
	switch t {
	case datasets.String:
		return arrow.BinaryTypes.String, nil
	case datasets.Int64:
		return arrow.PrimitiveTypes.Int64, nil
	case datasets.Float64:
		return arrow.PrimitiveTypes.Float64, nil
	case datasets.Bool:
		return arrow.FixedWidthTypes.Boolean, nil
	case datasets.Date:
		return arrow.FixedWidthTypes.Date32, nil
	case datasets.Timestamp:
		return arrow.FixedWidthTypes.Timestamp_us, nil
	}
	return nil, fmt.Errorf("a column has the unknown type %.20q", string(t))
}

// appendValue adds one value, as a stored answer has it: text, true or false, a number as json.Number,
// or nil. Errors do not quote it.
func appendValue(b array.Builder, value any) error {
	if value == nil {
		b.AppendNull()
		return nil
	}
	if b, ok := b.(*array.BooleanBuilder); ok {
		if v, ok := value.(bool); ok {
			b.Append(v)
			return nil
		}
	}
	var text string
	switch v := value.(type) {
	case string:
		text = v
	case json.Number:
		text = v.String()
	case int64:
		text = strconv.FormatInt(v, 10)
	case float64:
		text = strconv.FormatFloat(v, 'g', -1, 64)
	default:
		return fmt.Errorf("a %T does not belong into %s", value, b.Type())
	}
	if err := appendText(b, text); err != nil {
		return fmt.Errorf("a %T does not fit into %s", value, b.Type())
	}
	return nil
}

func appendText(b array.Builder, text string) error {
	switch b := b.(type) {
	case *array.StringBuilder:
		b.Append(text)
	case *array.Int64Builder:
		v, err := strconv.ParseInt(text, 10, 64)
		b.Append(v)
		return err
	case *array.Float64Builder:
		v, err := strconv.ParseFloat(text, 64)
		b.Append(v)
		return err
	case *array.Date32Builder:
		t, err := time.Parse(time.DateOnly, text)
		b.Append(arrow.Date32FromTime(t))
		return err
	case *array.TimestampBuilder:
		t, err := time.Parse(time.RFC3339Nano, text)
		b.Append(arrow.Timestamp(t.UnixMicro()))
		return err
	default:
		return fmt.Errorf("%s has no text form", b.Type())
	}
	return nil
}
