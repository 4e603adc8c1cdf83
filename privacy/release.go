package privacy

import (
	"math/big"
	"slices"
	"strings"
)

// Confidence is the probability with which an interval covers the exact, bounded and clamped value.
const Confidence = 0.95

// Cell is one released number. All fields are finite.
type Cell struct {
	Value float64 // in the column's unit; counts and sums may be negative where noise makes them so
	Low   float64 // the interval at Confidence, about the clamped and bounded truth
	High  float64
	Steps int64 // the noisy integer behind Value, exact; of Count, CountUnits and Sum
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

// source is where randomness comes from; outside tests, the library.
type source struct {
	laplace func(l1 int64, epsilon float64) (int64, error)                   // a noisy zero
	keep    func(units int64, epsilon, delta float64) (kept bool, err error) // select a partition
}

func library() source { return source{laplace: libraryLaplace, keep: libraryKeep} }

// Run draws the noise and makes the release, once for each Partials: after a call they are used up,
// whether it failed or not. The charge for s must be durable before the call, and a failed call must
// not be repeated with new partials under the same charge.
//
// It returns ErrUsed, ErrPartials, or ErrSpec for the zero Spec; then nothing was drawn. ErrSpec comes as
// well when more private partitions are selected than MaxNumbers allows.
func Run(s Spec, p *Partials) (Release, error) { return run(s, p, library()) }

func run(s Spec, p *Partials, src source) (Release, error) {
	if len(s.draws) == 0 {
		return Release{}, ErrSpec
	}
	groups, err := p.take()
	if err != nil {
		return Release{}, err
	}
	if groups, err = s.arrange(groups); err != nil {
		return Release{}, err
	}
	var release Release
	for _, group := range groups {
		if s.selection != nil {
			keep, err := s.selection.keep(group.Units, src)
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
	p := Partial{Key: key, NonNull: make([]int64, arguments), Sum: make([]*big.Int, arguments)}
	for i := range p.Sum {
		p.Sum[i] = new(big.Int)
	}
	return p
}

// row draws the noise of one partition, one draw for each measurement, and computes its cells.
func (s Spec) row(p Partial, src source) (Row, error) {
	drawn := make([]noisy, len(s.draws))
	for i, d := range s.draws {
		n, err := d.noise.add(d.exact(p), src)
		if err != nil {
			return Row{}, err
		}
		drawn[i] = n
	}
	cells := make([]Cell, len(s.uses))
	for i, a := range s.question.Aggregates {
		first, second := s.uses[i][0], s.uses[i][1]
		switch a.Kind {
		case Sum:
			cells[i] = sumCell(drawn[first], s.draws[first].noise, a.Step)
		case Mean:
			cells[i] = meanCell(newRatio(drawn[first], drawn[second], s.draws[first].noise, s.draws[second].noise, a), a)
		default:
			cells[i] = countCell(drawn[first], s.draws[first].noise)
		}
	}
	return Row{Key: p.Key, Cells: cells}, nil
}
