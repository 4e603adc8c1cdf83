package privacy

import (
	"math"
	"slices"
)

// Precision says how exact a release is: enough to tell, of two releases about the same rows, which one is the
// more exact. It is public metadata: it follows from the question.
type Precision struct {
	Mechanism Mechanism `json:"mechanism"`
	// Scales are those of the noise on the draws of each aggregate [steps]; see Column.Scale for the column's unit.
	Scales [][]float64 `json:"scales"`
	// Selection is nil where partitions are public.
	Selection *SelectionPrecision `json:"selection,omitempty"`
	// Draw is the ε of a draw of weight 1 or, under ρ, of Laplace noise of about the same variance. It orders
	// releases of several aggregates roughly, and decides nothing.
	Draw Epsilon `json:"draw"`
}

// SelectionPrecision says how readily groups appear. PreThreshold is no part of it: it makes another question.
type SelectionPrecision struct {
	Epsilon Epsilon `json:"epsilon"` // of one decision
	Delta   Delta   `json:"delta"`   // of all decisions that one unit takes part in, as asked
	Exact   float64 `json:"exact"`   // δ of one decision, without what rounding takes; partition.go
}

// Precision returns the spec's.
func (s Spec) Precision() Precision {
	p := Precision{Mechanism: s.Mechanism(), Scales: make([][]float64, len(s.uses)), Draw: s.share()}
	for i, a := range s.question.Aggregates {
		for k := range measurements(a) {
			p.Scales[i] = append(p.Scales[i], s.draws[s.uses[i][k]].noise.scale)
		}
	}
	if s.selection != nil {
		p.Selection = &SelectionPrecision{s.selection.each, s.question.Loss.Delta, s.selection.delta}
	}
	return p
}

// share is the ε of Precision.Draw: noise of variance 2/ε² is that of ρ = ε²/4.
func (s Spec) share() Epsilon {
	if s.question.Loss.Rho == 0 {
		return shareOf(s.question.Loss.Epsilon, 1, s.totalWeight())
	}
	rho := shareOf(s.question.Loss.Rho, 1, s.totalWeight()).FloorFloat()
	return Epsilon(2 * math.Sqrt(rho) * float64(OneEpsilon))
}

// Serves reports whether a release of this precision is at least as exact as one of another for all that it asks.
// Both are about the same rows and bounds; the other's aggregate i is this one's place[i].
//
// Of each draw, noise of the same mechanism has at most the same scale. Noise of the other mechanism has at most
// the same variance and at most the same half-width at Confidence: Laplace noise of scale b serves for Gaussian
// noise of σ where b ≤ 0.654·σ, and the other way round where σ ≤ 1.414·b. Groups are selected with at least the
// same ε and δ; of δ, a hundredth may be lost to what rounding takes of it.
func (p Precision) Serves(asked Precision, place []int) bool {
	if (p.Selection == nil) != (asked.Selection == nil) || len(place) != len(asked.Scales) {
		return false
	}
	if s, t := p.Selection, asked.Selection; s != nil && (s.Epsilon < t.Epsilon || s.Delta < t.Delta || s.Exact < 0.99*t.Exact) {
		return false
	}
	for i, at := range place {
		if at < 0 || at >= len(p.Scales) || len(p.Scales[at]) != len(asked.Scales[i]) {
			return false
		}
		for k, scale := range asked.Scales[i] {
			if !noWorse(p.Mechanism, p.Scales[at][k], asked.Mechanism, scale) {
				return false
			}
		}
	}
	return true
}

// Equals reports whether a release of this precision was drawn with the very noise that another one asks for, under
// the conditions of Serves.
func (p Precision) Equals(asked Precision, place []int) bool {
	if p.Mechanism != asked.Mechanism || !p.Serves(asked, place) {
		return false
	}
	for i, at := range place {
		if !slices.Equal(p.Scales[at], asked.Scales[i]) {
			return false
		}
	}
	return p.Selection == nil || *p.Selection == *asked.Selection
}

// noWorse compares two kinds of noise on one integer.
func noWorse(kind Mechanism, scale float64, than Mechanism, other float64) bool {
	if kind == than {
		return scale <= other
	}
	a, b := noise{kind: kind, scale: scale}, noise{kind: than, scale: other}
	return a.variance() <= b.variance() && a.within(Confidence) <= b.within(Confidence)
}

// Compare is negative where this release is the more exact one, positive where the other is, and 0 where neither
// is: by the variance of the draws of the aggregates at the two places, in the geometric mean, then by selection.
func (p Precision) Compare(place []int, other Precision, otherPlace []int) int {
	switch a, b := p.logVariance(place), other.logVariance(otherPlace); {
	case a < b:
		return -1
	case a > b:
		return 1
	case p.Selection == nil || other.Selection == nil:
		return 0
	}
	s, t := p.Selection, other.Selection
	return slices.Compare([]int64{int64(t.Epsilon), int64(t.Delta)}, []int64{int64(s.Epsilon), int64(s.Delta)})
}

// logVariance is the sum of the logarithms of the variances.
func (p Precision) logVariance(place []int) (total float64) {
	for _, at := range place {
		for _, scale := range p.Scales[at] {
			total += math.Log(noise{kind: p.Mechanism, scale: scale}.variance())
		}
	}
	return total
}
