package querytest

import (
	"fmt"
	"maps"
	"reflect"
	"slices"

	"entrepot/privacy"
	"entrepot/privacy/privacytest"
)

// Seam checks one question on neighbouring tables, between the engine's partials and the noise: how far
// one unit moves what noise is added to, and that nothing else of the tables shows.
type Seam struct {
	Question      privacy.Question
	Spec          privacy.Spec
	Sensitivities []privacytest.Sensitivity // what the noise of each draw is made for
}

// NewSeam returns the seam of a question. Its error wraps privacy.ErrSpec.
func NewSeam(q privacy.Question) (Seam, error) {
	spec, err := privacy.NewSpec(q)
	if err != nil {
		return Seam{}, err
	}
	return Seam{Question: q, Spec: spec, Sensitivities: privacytest.Sensitivities(spec)}, nil
}

// Check compares the partials of a table with those of the table without one unit:
//
//   - every draw moves by no more than its noise is made for, in each norm, and every number of units by
//     no more than partition selection is made for;
//   - a group that is in one table only holds the removed unit alone, so that selection's δ covers it;
//   - with coupled noise, which hides the difference of the two exact values, both releases ask for the
//     same random decisions with the same parameters and are equal, bit for bit.
//
// The price is no part of it: it follows from the question, which no row enters.
func (s Seam) Check(whole, less []privacy.Partial) error {
	a, err := privacytest.Measure(s.Spec, whole)
	if err != nil {
		return fmt.Errorf("with the unit: %w", err)
	}
	b, err := privacytest.Measure(s.Spec, less)
	if err != nil {
		return fmt.Errorf("without the unit: %w", err)
	}
	for i, declared := range s.Sensitivities {
		if err := within(declared, a[i], b[i]); err != nil {
			return fmt.Errorf("draw %d, %s: %w", i, declared.Quantity, err)
		}
	}
	alone, err := s.groups(whole, less)
	if err != nil {
		return err
	}
	return s.couple(whole, less, a, b, alone)
}

// within checks how far one draw moves, over all partitions and nodes.
func within(declared privacytest.Sensitivity, a, b map[privacytest.Site]int64) error {
	sites := maps.Clone(a)
	maps.Copy(sites, b)
	var cell, l1, cells int64
	var l2 float64
	for at := range sites {
		shift := a[at] - b[at]
		if shift < 0 {
			shift = -shift
		}
		if shift > 0 {
			cells++
		}
		cell, l1, l2 = max(cell, shift), l1+shift, l2+float64(shift)*float64(shift)
	}
	if cell > declared.Cell || l1 > declared.L1 || cells > declared.Cells || l2 > declared.L2Squared*(1+1e-9) {
		return fmt.Errorf("one unit moves it by L∞ %d, L1 %d, L2² %g in %d cells; its noise is for %+v", cell, l1, l2, cells, declared)
	}
	return nil
}

// groups checks the numbers of units, where they decide which groups appear, and returns the groups
// that only the removed unit is in.
func (s Seam) groups(whole, less []privacy.Partial) (alone map[string]bool, err error) {
	alone = map[string]bool{}
	before := map[string]int64{}
	for _, p := range less {
		before[p.Key] = p.Units
	}
	moved := int64(0)
	for _, p := range whole {
		units, both := before[p.Key]
		delete(before, p.Key)
		if s.Question.Partitions.Keys != nil {
			continue
		}
		switch p.Units - units {
		case 0:
		case 1:
			moved++
		default:
			return nil, fmt.Errorf("group %s has %d units, and %d without one of them", p.Key, p.Units, units)
		}
		if !both {
			alone[p.Key] = true
		}
	}
	c := s.Question.Contribution
	switch {
	case len(before) > 0:
		return nil, fmt.Errorf("groups %v are there only without the unit", slices.Collect(maps.Keys(before)))
	case moved > min(c.MaxPartitions, c.MaxRows):
		return nil, fmt.Errorf("one unit is in %d groups, over %+v", moved, c)
	}
	return alone, nil
}

// couple records the random decisions on one side and replays them on the other.
func (s Seam) couple(whole, less []privacy.Partial, a, b []map[privacytest.Site]int64, alone map[string]bool) error {
	tape := &tape{seam: s, alone: alone, decisions: map[privacytest.Site]decision{}}
	first, err := privacytest.Run(tape.recorder(), s.Spec, privacy.NewPartials(s.Spec.Shape(), slices.Clone(whole)))
	if err != nil {
		return fmt.Errorf("with the unit: %w", err)
	}
	second, err := privacytest.Run(tape.player(a, b), s.Spec, privacy.NewPartials(s.Spec.Shape(), slices.Clone(less)))
	if err != nil {
		return fmt.Errorf("without the unit: %w", err)
	}
	if !reflect.DeepEqual(first.Rows(), second.Rows()) {
		return fmt.Errorf("coupled noise gives %+v, and %+v without the unit", first.Rows(), second.Rows())
	}
	for at, d := range tape.decisions {
		if !d.replayed && !alone[at.Key] {
			return fmt.Errorf("without the unit nothing is drawn at %+v", at)
		}
	}
	return nil
}
