package querytest

import (
	"entrepot/privacy"
	"entrepot/sandbox/query"
)

// Loss is a random privacy loss that suits a plan: ε, or ρ with either mechanism.
func (g *Generator) Loss(p query.Parts) privacy.Loss {
	var loss privacy.Loss
	switch g.IntN(4) {
	case 0:
		loss = privacy.Loss{Rho: privacy.OneRho / 30, Mechanism: privacy.Gaussian}
	case 1:
		loss = privacy.Loss{Rho: privacy.OneRho / 7}
	default:
		loss = privacy.Loss{Epsilon: privacy.OneEpsilon / 2}
	}
	if p.PublicKeys == nil {
		loss.Delta = privacy.OneDelta / 1000
	}
	return loss
}

// Plan plans a random question, with random contribution bounds half of the time.
func (g *Generator) Plan() (plan query.Plan, sql string, bounds query.Bounds, err error) {
	sql = g.Question()
	plan, err = query.New(sql, g.tables, bounds)
	if err != nil || g.chance(50) {
		return plan, sql, bounds, err
	}
	c := plan.Parts().Contribution
	if g.chance(70) {
		bounds.MaxPartitions = 1 + g.Int64N(min(c.MaxPartitions, 3))
	}
	if g.chance(70) {
		bounds.MaxRowsPerPartition = 1 + g.Int64N(min(c.MaxRows, 3))
	}
	plan, err = query.New(sql, g.tables, bounds)
	return plan, sql, bounds, err
}
