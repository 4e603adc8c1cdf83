package privacy

import (
	"fmt"

	"entrepot/privacy/internal/seam"
)

// Measure returns the exact integers behind each draw, by site. It is for tests: only packages under
// privacy can make a seam.Inspect, and privacytest hands it on. Without one it returns ErrSpec, and
// ErrPartials where partials do not fit.
func Measure(i seam.Inspect, s Spec, partials []Partial) ([]map[seam.Site]int64, error) {
	if !i.OK() {
		return nil, fmt.Errorf("%w: exact values are for tests", ErrSpec)
	}
	all := make([]map[seam.Site]int64, len(s.draws))
	for i, d := range s.draws {
		all[i] = map[seam.Site]int64{}
		for _, p := range partials {
			if err := s.checkPartial(p); err != nil {
				return nil, err
			}
			at := seam.Site{Key: p.Key, Draw: i, Node: plainNode}
			if d.quantity != tree {
				all[i][at] = d.exact(p)
				continue
			}
			for _, leaf := range p.Arguments[d.argument].Leaves {
				for level := 1; level <= d.tree.Height; level++ {
					at.Node = d.tree.id(node{level: level, index: leaf.Index / d.tree.capacity(level)})
					all[i][at] += leaf.Rows
				}
			}
		}
	}
	return all, nil
}

// Sensitivities returns what the noise of each draw is made for; nil without a seam.Inspect.
func Sensitivities(i seam.Inspect, s Spec) []seam.Sensitivity {
	if !i.OK() {
		return nil
	}
	all := make([]seam.Sensitivity, len(s.draws))
	for i, d := range s.draws {
		l2 := d.sensitivity.l2()
		all[i] = seam.Sensitivity{
			Quantity: d.quantity.String(),
			Cell:     d.sensitivity.cell, L1: d.sensitivity.l1, L2Squared: l2 * l2, Cells: d.sensitivity.cells,
		}
	}
	return all
}
