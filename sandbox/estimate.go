package sandbox

import (
	"context"
	"math"

	"entrepot/access"
	"entrepot/privacy"
)

// Estimate says what a question would cost and how far its answers would be off, from public
// metadata, the state of the accounts and, where the asker names one, an earlier release. It charges nothing,
// reads no row and writes no log.
type Estimate struct {
	Question   string              `json:"question"` // in canonical form
	Decision   access.Decision     `json:"decision"` // of the policies of all datasets together
	Loss       Spent               `json:"loss"`     // what it would spend: as asked, or found for the accuracy asked
	Repeat     bool                `json:"repeat"`   // an earlier release answers it, at no charge
	Admitted   bool                `json:"admitted"` // by every account and allocation, as they stand
	Charged    []EstimateCharge    `json:"charged"`
	Mechanisms []EstimateMechanism `json:"mechanisms"`
	Aggregates []EstimateColumn    `json:"aggregates"`
	Partitions string              `json:"partitions"` // "public" or "selected"
	GroupSize  float64             `json:"group_size"` // rows of the smallest of Groups
	Groups     []EstimateGroup     `json:"groups"`     // that half-widths are for: one, or three of a release
	Release    string              `json:"release,omitempty"`
	Confidence float64             `json:"confidence"`
}

// EstimateMechanism is a mechanism of a release, and why it is that one.
type EstimateMechanism struct {
	Mechanism string `json:"mechanism"` // "laplace", "gaussian" or "selection"
	Why       string `json:"why"`       // in one sentence
}

// EstimateColumn is the expected error of one aggregate.
type EstimateColumn struct {
	Name      string   `json:"name"`
	Mechanism string   `json:"mechanism"`
	Scale     float64  `json:"scale"`            // of the noise, in the column's unit
	HalfWidth *float64 `json:"half_width"`       // of the interval, for a group of GroupSize rows; nil: it depends on the rows
	Expected  bool     `json:"expected"`         // HalfWidth is what to expect; otherwise it holds whatever the rows are
	Target    *float64 `json:"target,omitempty"` // half-width that was asked for, in the column's unit
	Note      string   `json:"note,omitempty"`   // what a reader must know, in one sentence
}

// Estimate prices a question. It works without a budget: what an account would not bear, and why, is in it.
func (s *Service) Estimate(ctx context.Context, p access.Principal, q Query) (Estimate, error) {
	if err := require(p, access.Researcher); err != nil {
		return Estimate{}, err
	}
	select {
	case s.estimates <- struct{}{}:
		defer func() { <-s.estimates }()
	case <-ctx.Done():
		return Estimate{}, &Error{Code: CodeUnavailable, Public: "Too many estimates are under way. Try again later.", Err: ctx.Err()}
	}
	ready, err := s.prepare(ctx, p, q)
	if err != nil {
		return Estimate{}, err
	}
	switch {
	case ready.invalid != nil && !ready.decision.Allowed: // who may not ask is not told why it would not work
		return Estimate{}, ready.denial("")
	case ready.invalid != nil:
		return Estimate{}, ready.invalid
	}
	e := Estimate{Question: ready.plan.Canonical(), Decision: ready.decision, Loss: newSpent(ready.loss, ready.weights),
		Partitions: "public", Confidence: privacy.Confidence, GroupSize: ready.groups.rows(), Release: ready.groups.release}
	e.Mechanisms = []EstimateMechanism{{string(ready.spec.Mechanism()), ready.why}}
	if ready.plan.Parts().PublicKeys == nil {
		e.Partitions = "selected"
		e.Mechanisms = append(e.Mechanisms, EstimateMechanism{"selection", "the groups are not public: each is listed with a probability that rises with the number of its people, at a δ of " + ready.loss.Delta.String()})
	}
	if e.Charged, e.Admitted, err = s.admissions(ctx, p, ready); err != nil {
		return Estimate{}, err
	}
	earlier, err := s.released(ctx, ready)
	if err != nil {
		return Estimate{}, err
	}
	e.Repeat = earlier != nil
	e.describe(ready)
	return e, nil
}

// describe adds the columns and their widths.
func (e *Estimate) describe(q prepared) {
	e.Aggregates, e.Groups = []EstimateColumn{}, q.groups.list
	columns, parts := q.spec.Columns(), q.plan.Parts()
	for k := range e.Groups {
		g := &e.Groups[k]
		widths := q.spec.HalfWidths(g.Rows)
		g.HalfWidth = map[string]*float64{}
		for _, o := range parts.Outputs {
			i := o.Aggregate
			if i < 0 {
				continue
			}
			g.HalfWidth[o.Name] = known(widths[i])
			if k > 0 {
				continue
			}
			c := EstimateColumn{Name: o.Name, Mechanism: string(columns[i].Mechanism), Scale: columns[i].Scale, Note: columns[i].Note,
				HalfWidth: known(widths[i]), Expected: needsRows(parts.Aggregates[i].Kind)}
			if q.aims != nil && q.aims[i] > 0 {
				c.Target = &q.aims[i]
			}
			e.Aggregates = append(e.Aggregates, c)
		}
	}
}

// known is nil for a width that depends on the rows.
func known(width float64) *float64 {
	if math.IsNaN(width) || math.IsInf(width, 0) {
		return nil
	}
	return &width
}
