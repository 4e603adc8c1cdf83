package query

import (
	"entrepot/datasets"
	"entrepot/privacy"
)

// What the ends of an aggregate's interval add to its name.
const (
	LowSuffix  = "_low"
	HighSuffix = "_high"
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
	case privacy.Count, privacy.CountUnits, privacy.CountDistinct:
		return true
	case privacy.Sum:
		return p.parts.Arguments[a.Argument].Step == privacy.Step{Num: 1, Den: 1}
	}
	return false
}
