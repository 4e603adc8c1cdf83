package sandbox

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"

	"entrepot/privacy"
	"entrepot/sandbox/query"
)

// Answer is a release as the asker receives it and as it is stored.
type Answer struct {
	ID         string       `json:"id"`       // rel_…
	Query      string       `json:"query_id"` // of the question that was charged for it
	Repeat     bool         `json:"repeat"`   // shows a release of before; nothing was charged this time
	Columns    []Column     `json:"columns"`
	Rows       []Row        `json:"rows"`
	Confidence float64      `json:"confidence"`     // of every interval _low … _high
	Loss       *Spent       `json:"loss,omitempty"` // what was spent on it; nil for a repeat
	Charged    []Charge     `json:"charged"`
	Datasets   []DatasetRef `json:"datasets"`
	Log        LogRef       `json:"log"`
}

// Column describes one column of an answer.
type Column struct {
	Name      string  `json:"name"`
	Kind      string  `json:"kind"` // "key" or "aggregate"
	Type      string  `json:"type"` // of the values
	Mechanism string  `json:"mechanism,omitempty"`
	Scale     float64 `json:"scale,omitempty"` // of the noise, in the column's unit
	Note      string  `json:"note,omitempty"`  // what a reader must know, in one sentence
}

// Charge is what one account was charged.
type Charge struct {
	Account string `json:"account"`
	privacy.Clocks
}

// DatasetRef names a dataset and the version that answered.
type DatasetRef struct {
	ID      string `json:"id"`
	Version int64  `json:"version"`
}

// LogRef is where the log holds the release.
type LogRef struct {
	Entry int64 `json:"entry"`
}

// newAnswer makes the answer of a release: what the question shows of it, described.
func newAnswer(id string, q Question, work pending, spec privacy.Spec, release privacy.Release) (Answer, error) {
	result, err := work.Plan.Finish(release)
	if err != nil {
		return Answer{}, err
	}
	a := Answer{ID: id, Query: q.ID, Confidence: privacy.Confidence, Charged: charges(q), Datasets: []DatasetRef{}}
	loss := newSpent(work.Loss, work.Weights)
	a.Loss = &loss
	for _, t := range work.Tables {
		a.Datasets = append(a.Datasets, DatasetRef{ID: t.Dataset, Version: t.Version})
	}
	a.show(result, spec.Columns())
	return a, nil
}

// show puts columns and rows into the answer, with the noise of each aggregate of the plan.
func (a *Answer) show(result query.Result, noise []privacy.Column) {
	a.Columns, a.Rows = []Column{}, []Row{}
	for _, c := range result.Columns {
		column := Column{Name: c.Name, Kind: string(c.Kind), Type: string(c.Type)}
		if c.Kind == query.AggregateColumn {
			n := noise[c.Aggregate]
			column.Mechanism, column.Scale, column.Note = string(n.Mechanism), n.Scale, n.Note
		}
		a.Columns = append(a.Columns, column)
	}
	for _, values := range result.Rows {
		row := Row{}
		for i, v := range values {
			name := a.Columns[i].Name
			row = append(row, Field{name, v.Value})
			if a.Columns[i].Kind == string(query.AggregateColumn) {
				row = append(row, Field{name + query.LowSuffix, v.Low}, Field{name + query.HighSuffix, v.High})
			}
		}
		a.Rows = append(a.Rows, row)
	}
}

// Field is one value of a row; Value is a string, bool, int64, float64 or nil.
type Field struct {
	Name  string
	Value any
}

// Row is one group: its fields in column order, each aggregate followed by name_low and name_high.
type Row []Field

// MarshalJSON writes an object whose members keep the row's order.
func (r Row) MarshalJSON() ([]byte, error) {
	var b bytes.Buffer
	b.WriteByte('{')
	for i, f := range r {
		if i > 0 {
			b.WriteByte(',')
		}
		name, err := json.Marshal(f.Name)
		if err != nil {
			return nil, err
		}
		value, err := json.Marshal(f.Value)
		if err != nil {
			return nil, err
		}
		b.Write(name)
		b.WriteByte(':')
		b.Write(value)
	}
	b.WriteByte('}')
	return b.Bytes(), nil
}

// UnmarshalJSON reads what MarshalJSON writes; numbers are json.Number, so that nothing is rounded.
func (r *Row) UnmarshalJSON(b []byte) error {
	d := json.NewDecoder(bytes.NewReader(b))
	d.UseNumber()
	if t, err := d.Token(); err != nil || t != json.Delim('{') {
		return fmt.Errorf("a row is not an object: %w", err)
	}
	*r = Row{}
	for d.More() {
		name, err := d.Token()
		if err != nil {
			return err
		}
		var f Field
		f.Name, _ = name.(string)
		if err := d.Decode(&f.Value); err != nil {
			return err
		}
		*r = append(*r, f)
	}
	return nil
}

// readCharged is readAnswer for who paid: after the charge there is one error.
func readCharged(query string, b []byte) (Answer, error) {
	a, err := readAnswer(b)
	if err != nil {
		return Answer{}, queryFailed(query, err)
	}
	return a, nil
}

// What is stored of a release is its answer in JSON, which has no line breaks, then a line break, then all that
// was drawn (query.Keep): HAVING and LIMIT may have left some of it out. The log's digest is of both.

// storedAnswer writes an answer with the release that it is of.
func storedAnswer(a Answer, release []byte) ([]byte, error) {
	b, err := json.Marshal(a)
	if err != nil {
		return nil, err
	}
	return append(append(b, '\n'), release...), nil
}

// readHead reads a stored answer but for its rows.
func readHead(b []byte) (Answer, error) {
	var head struct {
		Answer
		Rows json.RawMessage `json:"rows"` // in place of the answer's
	}
	b, _, _ = bytes.Cut(b, []byte{'\n'})
	if err := json.Unmarshal(b, &head); err != nil {
		return Answer{}, fmt.Errorf("a stored answer is not readable: %w", err)
	}
	return head.Answer, nil
}

// readRelease reads the release that is stored with an answer.
func readRelease(b []byte) ([]byte, error) {
	_, release, ok := bytes.Cut(b, []byte{'\n'})
	if !ok {
		return nil, errors.New("a stored answer has no release with it")
	}
	return release, nil
}

// readAnswer reads a stored answer, with or without its release. All answers leave through it, so that a repeat has
// the same bytes as the first.
func readAnswer(b []byte) (Answer, error) {
	var a Answer
	b, _, _ = bytes.Cut(b, []byte{'\n'})
	if err := json.Unmarshal(b, &a); err != nil {
		return Answer{}, fmt.Errorf("a stored answer is not readable: %w", err)
	}
	return a, nil
}
