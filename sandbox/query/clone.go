package query

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"
)

// ErrPlan is returned for bytes that are not a plan as MarshalJSON writes it.
var ErrPlan = errors.New("not a plan")

// Parts returns a copy of the plan's content.
func (p Plan) Parts() Parts {
	q := p.parts
	q.Datasets = slices.Clone(q.Datasets)
	for i := range q.Datasets {
		q.Datasets[i].Columns = slices.Clone(q.Datasets[i].Columns)
	}
	q.From = cloneRelation(q.From)
	q.Filter, q.Having = clonePointer(q.Filter), clonePointer(q.Having)
	q.Keys, q.Arguments = slices.Clone(q.Keys), slices.Clone(q.Arguments)
	for i := range q.Keys {
		q.Keys[i].Expr = clone(q.Keys[i].Expr)
		q.Keys[i].Domain = slices.Clone(q.Keys[i].Domain)
	}
	for i := range q.Arguments {
		q.Arguments[i].Expr = clone(q.Arguments[i].Expr)
	}
	q.Aggregates, q.PublicKeys = slices.Clone(q.Aggregates), slices.Clone(q.PublicKeys)
	q.Outputs, q.OrderBy = slices.Clone(q.Outputs), slices.Clone(q.OrderBy)
	if q.Limit != nil {
		limit := *q.Limit
		q.Limit = &limit
	}
	return q
}

func cloneRelation(r Relation) Relation {
	r.Inputs, r.Columns, r.Features = slices.Clone(r.Inputs), slices.Clone(r.Columns), slices.Clone(r.Features)
	for i := range r.Inputs {
		r.Inputs[i] = cloneRelation(r.Inputs[i])
	}
	r.Filter = clonePointer(r.Filter)
	for i := range r.Columns {
		r.Columns[i].Expr = clone(r.Columns[i].Expr)
	}
	for i := range r.Features {
		f := &r.Features[i]
		f.Argument, f.OrderBy = clonePointer(f.Argument), slices.Clone(f.OrderBy)
		for j := range f.OrderBy {
			f.OrderBy[j].Expr = clone(f.OrderBy[j].Expr)
		}
	}
	if r.Join != nil {
		j := *r.Join
		j.Keys = slices.Clone(j.Keys)
		r.Join = &j
	}
	r.Fields, r.Units = slices.Clone(r.Fields), slices.Clone(r.Units)
	return r
}

func clonePointer(e *Expr) *Expr {
	if e == nil {
		return nil
	}
	c := clone(*e)
	return &c
}

func clone(e Expr) Expr {
	if e.Released != nil {
		r := *e.Released
		e.Released = &r
	}
	e.Args = slices.Clone(e.Args)
	for i := range e.Args {
		e.Args[i] = clone(e.Args[i])
	}
	return e
}

// MarshalJSON writes the plan for an engine in another process.
func (p Plan) MarshalJSON() ([]byte, error) { return json.Marshal(p.parts) }

// UnmarshalJSON reads what MarshalJSON wrote. It does not check the plan again: read only what this
// program wrote itself.
func (p *Plan) UnmarshalJSON(b []byte) error {
	var parts Parts
	if err := json.Unmarshal(b, &parts); err != nil {
		return fmt.Errorf("%w: %w", ErrPlan, err)
	}
	p.parts = parts
	return nil
}

// UnmarshalJSON reads a key with the values of its domain in their own types: JSON has no int64.
func (k *Key) UnmarshalJSON(b []byte) error {
	type plain Key
	in := struct {
		*plain
		Domain []json.RawMessage `json:"domain"`
	}{plain: (*plain)(k)}
	if err := json.Unmarshal(b, &in); err != nil {
		return err
	}
	k.Domain = nil
	for _, raw := range in.Domain {
		v, err := decodeValue(k.Type, raw)
		if err != nil {
			return err
		}
		k.Domain = append(k.Domain, v)
	}
	return nil
}
