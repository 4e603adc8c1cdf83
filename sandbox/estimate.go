package sandbox

import (
	"context"
	"math"

	"entrepot/access"
	"entrepot/privacy"
	"entrepot/privacy/ledger"
)

// Estimate says what a question would cost and how far its answers would be off, from public
// metadata alone. It charges nothing, reads no row and writes no log.
type Estimate struct {
	Question   string           `json:"question"` // in canonical form
	Decision   access.Decision  `json:"decision"` // of the policies of all datasets together
	Charged    []EstimateCharge `json:"charged"`
	Aggregates []EstimateColumn `json:"aggregates"`
	Partitions string           `json:"partitions"` // "public" or "selected"
	GroupSize  float64          `json:"group_size"` // rows that the half-widths are for
	Confidence float64          `json:"confidence"`
}

// EstimateCharge is the price on one account.
type EstimateCharge struct {
	Charge
	Admitted bool `json:"admitted"` // whether the account would bear it as it stands
}

// EstimateColumn is the expected error of one aggregate.
type EstimateColumn struct {
	Name      string   `json:"name"`
	Mechanism string   `json:"mechanism"`
	Scale     float64  `json:"scale"`          // of the noise, in the column's unit
	HalfWidth *float64 `json:"half_width"`     // expected, of the interval, for a group of GroupSize rows; nil: it depends on the rows
	Note      string   `json:"note,omitempty"` // what a reader must know, in one sentence
}

// Estimate prices a question. groupSize is the rows of a group that the caller has in mind.
func (s *Service) Estimate(ctx context.Context, p access.Principal, q Query, groupSize float64) (Estimate, error) {
	if err := require(p, access.Researcher); err != nil {
		return Estimate{}, err
	}
	ready, err := s.prepare(ctx, p, q)
	if err != nil {
		return Estimate{}, err
	}
	if ready.invalid != nil {
		return Estimate{}, ready.invalid
	}
	price, err := s.price(ctx, ready)
	if err != nil {
		return Estimate{}, err
	}
	e := Estimate{Question: ready.plan.Canonical(), Decision: ready.decision, Partitions: "public",
		GroupSize: groupSize, Confidence: privacy.Confidence, Charged: []EstimateCharge{}, Aggregates: []EstimateColumn{}}
	parts := ready.plan.Parts()
	if parts.PublicKeys == nil {
		e.Partitions = "selected"
	}
	for _, c := range price {
		_, err := c.account.Admit(ledger.Charge{Account: c.account.ID, Loss: c.loss})
		e.Charged = append(e.Charged, EstimateCharge{Charge{c.account.ID, c.loss}, err == nil})
	}
	columns, widths := ready.spec.Columns(), ready.spec.HalfWidths(groupSize)
	for _, o := range parts.Outputs {
		if i := o.Aggregate; i >= 0 {
			c := EstimateColumn{Name: o.Name, Mechanism: string(columns[i].Mechanism), Scale: columns[i].Scale, Note: columns[i].Note}
			if !math.IsNaN(widths[i]) && !math.IsInf(widths[i], 0) {
				c.HalfWidth = &widths[i]
			}
			e.Aggregates = append(e.Aggregates, c)
		}
	}
	return e, nil
}
