package query

import (
	"bytes"
	"encoding/json"

	"entrepot/datasets"
	"entrepot/privacy"
)

// What an aggregate's interval adds to its name.
const (
	lowSuffix  = "_low"
	highSuffix = "_high"
)

// ColumnKind says what a column of an answer holds.
type ColumnKind string

// The kinds of column.
const (
	KeyColumn       ColumnKind = "key"       // a group's own value, exact
	AggregateColumn ColumnKind = "aggregate" // a noisy number with an interval
)

// ResultColumn describes one column of an answer.
type ResultColumn struct {
	Name      string        `json:"name"`
	Kind      ColumnKind    `json:"kind"`
	Type      datasets.Type `json:"type"`      // of the values; aggregates are int64 or float64
	Key       int           `json:"key"`       // index into Parts.Keys, or -1
	Aggregate int           `json:"aggregate"` // index into Parts.Aggregates, or -1
}

// Value is one value of an answer.
type Value struct {
	// Value is a string, int64, bool or nil for a key (dates and timestamps are strings), and an int64 or
	// a float64 for an aggregate, by the column's Type.
	Value any
	// Low and High are an aggregate's interval at privacy.Confidence; 0 for a key.
	Low, High float64
}

// Result is an answer: what of a release the question shows, in its order.
type Result struct {
	Columns []ResultColumn
	Rows    [][]Value // as many values in each as there are columns
}

// Field is one member of an Object.
type Field struct {
	Name  string
	Value any
}

// Object is one row as named values, in the order of the columns; an aggregate has its interval
// beside it, as in {"students":2231,"students_low":2219,"students_high":2243}.
type Object []Field

// Objects returns the rows as objects.
func (r Result) Objects() []Object {
	objects := make([]Object, len(r.Rows))
	for i, row := range r.Rows {
		for j, v := range row {
			c := r.Columns[j]
			objects[i] = append(objects[i], Field{c.Name, v.Value})
			if c.Kind == AggregateColumn {
				objects[i] = append(objects[i], Field{c.Name + lowSuffix, v.Low}, Field{c.Name + highSuffix, v.High})
			}
		}
	}
	return objects
}

// MarshalJSON writes the object with its members in order.
func (o Object) MarshalJSON() ([]byte, error) {
	b := bytes.NewBufferString("{")
	for i, f := range o {
		if i > 0 {
			b.WriteByte(',')
		}
		value, err := json.Marshal(f.Value)
		if err != nil {
			return nil, err
		}
		b.Write(appendString(nil, f.Name))
		b.WriteByte(':')
		b.Write(value)
	}
	b.WriteByte('}')
	return b.Bytes(), nil
}

// Columns describes the answer before there is one.
func (p Plan) Columns() []ResultColumn {
	columns := make([]ResultColumn, len(p.parts.Outputs))
	for i, o := range p.parts.Outputs {
		c := ResultColumn{Name: o.Name, Kind: AggregateColumn, Type: datasets.Float64, Key: o.Key, Aggregate: o.Aggregate}
		switch {
		case o.Key >= 0:
			c.Kind, c.Type = KeyColumn, p.parts.Keys[o.Key].Type
		case p.integer(p.parts.Aggregates[o.Aggregate]):
			c.Type = datasets.Int64
		}
		columns[i] = c
	}
	return columns
}

// integer tells whether an aggregate is a whole number in its column's unit.
func (p Plan) integer(a Aggregate) bool {
	switch a.Kind {
	case privacy.Count, privacy.CountUnits:
		return true
	case privacy.Sum:
		return p.parts.Arguments[a.Argument].Step == privacy.Step{Num: 1, Den: 1}
	}
	return false
}
