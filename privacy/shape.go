package privacy

import (
	"crypto/sha256"
	"encoding/json"
	"slices"
)

// Shape stands for everything in a question that decides what its partials hold: aggregates, contribution
// bounds and public partitions. Loss, weights and pre-threshold do not: they come after.
type Shape [sha256.Size]byte

// Shape returns the question's. An engine computes it from the plan that it runs, and Run from the spec, so
// that partials of one question cannot answer another.
func (q Question) Shape() Shape {
	aggregates := slices.Clone(q.Aggregates)
	for i := range aggregates {
		aggregates[i].Weight = 0
	}
	b, err := json.Marshal(struct {
		Aggregates   []Aggregate
		Contribution Contribution
		Keys         []string
	}{aggregates, q.Contribution, q.Partitions.Keys})
	if err != nil { // a rank that is no number; NewSpec refuses it
		return Shape{}
	}
	return sha256.Sum256(b)
}

// Shape returns that of the spec's question; zero for the zero Spec, which runs nothing.
func (s Spec) Shape() Shape { return s.shape }
