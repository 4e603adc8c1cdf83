package privacy

import (
	"fmt"
	"math/big"
	"slices"
	"strings"

	"entrepot/privacy/internal/seam"
)

// Confidence is the probability with which an interval covers the exact, bounded and clamped value.
const Confidence = 0.95

// Cell is one released number. All fields are finite.
type Cell struct {
	Value float64 // in the column's unit; counts and sums may be negative where noise makes them so
	Low   float64 // the interval at Confidence, about the clamped and bounded truth
	High  float64
	Steps int64 // the noisy integer behind Value, exact; of counts and Sum
}

// Row is one partition of a release.
type Row struct {
	Key   string
	Cells []Cell // in the order of the question's aggregates
}

// Release is a noisy answer, public from here on. Only Run makes one.
type Release struct{ rows []Row }

// Rows returns a copy of the rows: public partitions in the order in which the question lists them,
// all of them; private ones that were selected, by key.
func (r Release) Rows() []Row {
	rows := slices.Clone(r.rows)
	for i := range rows {
		rows[i].Cells = slices.Clone(rows[i].Cells)
	}
	return rows
}

func library() source {
	return source{Laplace: libraryLaplace, Gaussian: libraryGaussian, Keep: libraryKeep}
}

// Run draws the noise and makes the release, once for each Partials: after a call they are used up,
// whether it failed or not. The charge for s must be durable before the call, and a failed call must
// not be repeated with new partials under the same charge.
//
// It returns ErrUsed, ErrPartials, or ErrSpec for the zero Spec; then nothing was drawn. ErrSpec comes as
// well when more private partitions are selected than MaxNumbers allows.
func Run(s Spec, p *Partials) (Release, error) { return run(s, p, library()) }

// RunFrom is Run with another source of randomness, for tests: package seam cannot be imported outside
// this folder, so that the product cannot call it. A source that lacks a function gives ErrSpec.
func RunFrom(src seam.Source, s Spec, p *Partials) (Release, error) {
	if !src.Complete() {
		return Release{}, fmt.Errorf("%w: the source of randomness is incomplete", ErrSpec)
	}
	return run(s, p, src)
}

func run(s Spec, p *Partials, src source) (Release, error) {
	if s.zero() {
		return Release{}, ErrSpec
	}
	groups, err := p.take()
	if err != nil {
		return Release{}, err
	}
	if p.shape != s.shape {
		return Release{}, ErrPartials
	}
	if groups, err = s.arrange(groups); err != nil {
		return Release{}, err
	}
	var release Release
	for _, group := range groups {
		if s.selection != nil {
			keep, err := s.selection.keep(group.Key, group.Units, src)
			if err != nil {
				return Release{}, err
			}
			if !keep {
				continue
			}
			if err := s.checkSize(len(release.rows) + 1); err != nil {
				return Release{}, err
			}
		}
		row, err := s.row(group, src)
		if err != nil {
			return Release{}, err
		}
		release.rows = append(release.rows, row)
	}
	return release, nil
}

// zero reports whether the spec came from elsewhere than NewSpec.
func (s Spec) zero() bool { return len(s.draws) == 0 && s.selection == nil }

// arrange checks the groups and puts them in the order of the release, which does not depend on
// the engine: every public key, present or not; or all that exist, by key.
func (s Spec) arrange(groups []Partial) ([]Partial, error) {
	byKey := make(map[string]Partial, len(groups))
	for _, g := range groups {
		if _, twice := byKey[g.Key]; twice {
			return nil, ErrPartials
		}
		if err := s.checkPartial(g); err != nil {
			return nil, err
		}
		byKey[g.Key] = g
	}
	if s.selection != nil {
		return slices.SortedFunc(slices.Values(groups), func(a, b Partial) int { return strings.Compare(a.Key, b.Key) }), nil
	}
	arranged := make([]Partial, 0, len(s.question.Partitions.Keys))
	for _, key := range s.question.Partitions.Keys {
		g, there := byKey[key]
		if !there {
			g = emptyPartial(key, s.arguments)
		}
		delete(byKey, key)
		arranged = append(arranged, g)
	}
	if len(byKey) > 0 {
		return nil, ErrPartials
	}
	return arranged, nil
}

func emptyPartial(key string, arguments int) Partial {
	p := Partial{Key: key, Arguments: make([]Tally, arguments)}
	for i := range p.Arguments {
		p.Arguments[i] = Tally{Sum: new(big.Int), Squares: new(big.Int)}
	}
	return p
}

// row draws the noise of one partition, one draw for each measurement, and computes its cells. The
// nodes of a tree are drawn when a quantile first needs them.
func (s Spec) row(p Partial, src source) (Row, error) {
	drawn := make([]noisy, len(s.draws))
	trees := make([]*treeCounts, len(s.draws))
	for i, d := range s.draws {
		if d.quantity == tree {
			trees[i] = newTreeCounts(d.tree, p.Arguments[d.argument].Leaves)
			continue
		}
		n, err := d.noise.add(d.exact(p), site{Key: p.Key, Draw: i, Node: plainNode}, src)
		if err != nil {
			return Row{}, err
		}
		drawn[i] = n
	}
	cells := make([]Cell, len(s.uses))
	for i := range cells {
		var err error
		if cells[i], err = s.cell(i, p.Key, drawn, trees, src); err != nil {
			return Row{}, err
		}
	}
	return Row{Key: p.Key, Cells: cells}, nil
}

// cell computes one aggregate of one partition from its draws.
func (s Spec) cell(i int, key string, drawn []noisy, trees []*treeCounts, src source) (Cell, error) {
	a, use := s.question.Aggregates[i], s.uses[i]
	first, second, third := s.draws[use[0]].noise, s.draws[use[1]].noise, s.draws[use[2]].noise
	switch a.Kind {
	case Sum:
		return sumCell(drawn[use[0]], first, a.Step), nil
	case Mean:
		return meanCell(newRatio(drawn[use[0]], drawn[use[1]], first, second, a), a), nil
	case Variance:
		return varianceCell(drawn[use[0]], drawn[use[1]], drawn[use[2]], first, second, third, a), nil
	case Quantile:
		node := func(node, exact int64) (noisy, error) {
			return first.add(exact, site{Key: key, Draw: use[0], Node: node}, src)
		}
		return quantileCell(s.draws[use[0]].tree, trees[use[0]], node, first, a)
	default:
		return countCell(drawn[use[0]], first), nil
	}
}
