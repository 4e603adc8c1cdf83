package privacy

import (
	"fmt"
	"math"
	"math/bits"
)

// How a loss is divided, and which mechanism serves a release.
//
// ε adds up over draws that look at the same rows, and so does ρ (Bun & Steinke 2016, arXiv:1605.02065,
// lemma 1.7 and its proof for adaptive choices). So either is divided in proportion to weights. A share is rounded down to
// whole pico, so that shares never add up to more.

// MaxWeight is the largest weight of an aggregate.
const MaxWeight = 1000

// shareOf is ⌊whole·weight/total⌋, without overflow, for 0 < weight ≤ total.
func shareOf[A ~int64](whole A, weight, total int64) A {
	high, low := bits.Mul64(uint64(whole), uint64(weight))
	quotient, _ := bits.Div64(high, low, uint64(total))
	return A(quotient)
}

// totalWeight is that of all draws and, where partitions are private, of their selection.
func (s Spec) totalWeight() int64 {
	var total int64
	for _, d := range s.draws {
		total += d.weight
	}
	if s.question.Partitions.Keys == nil {
		total++
	}
	return total
}

// calibrate sets the noise of every draw, all of one mechanism, and partition selection.
func (s *Spec) calibrate(b bounds) error {
	q := s.question
	noises, err := s.chooseNoises()
	if err != nil {
		return err
	}
	for i, n := range noises {
		s.draws[i].noise = n
	}
	if err := s.splitGaussianDelta(); err != nil {
		return err
	}
	if q.Partitions.Keys != nil {
		return nil
	}
	var selection selection
	if q.Loss.Rho > 0 {
		selection, err = selectionForRho(b.l0, shareOf(q.Loss.Rho, 1, s.totalWeight()), q.Loss.Delta, q.Partitions.PreThreshold)
	} else {
		selection, err = newSelection(b.l0, shareOf(q.Loss.Epsilon, 1, s.totalWeight()), q.Loss.Delta, q.Partitions.PreThreshold)
	}
	s.selection = &selection
	return err
}

// chooseNoises calibrates every draw with the mechanism asked for.
func (s Spec) chooseNoises() ([]noise, error) {
	switch s.question.Loss.Mechanism {
	case Gaussian:
		return s.noises(Gaussian)
	case Best:
		return s.best()
	default:
		return s.noises(Laplace)
	}
}

// best is the mechanism of less variance, in the geometric mean over the draws: the same whatever
// units the columns are in. Where only one of the two can be calibrated it is that one; where both
// can it is Gaussian noise, as ρ = Σg(s/b) with g(x) > x²/4 for g(x) ≤ ½ makes σ² = Δ₂²/2ρ < 2b².
func (s Spec) best() ([]noise, error) {
	laplace, err := s.noises(Laplace)
	gaussian, otherErr := s.noises(Gaussian)
	if err != nil && otherErr != nil {
		return nil, err
	}
	if err != nil {
		return gaussian, nil
	}
	if otherErr != nil {
		return laplace, nil
	}
	advantage := 0.0 // of Gaussian noise
	for i := range laplace {
		advantage += math.Log(laplace[i].variance()) - math.Log(gaussian[i].variance())
	}
	if advantage > 0 {
		return gaussian, nil
	}
	return laplace, nil
}

// noises calibrates every draw with noise of one kind.
func (s Spec) noises(kind Mechanism) ([]noise, error) {
	total, loss := s.totalWeight(), s.question.Loss
	all := make([]noise, len(s.draws))
	for i, d := range s.draws {
		var err error
		switch {
		case loss.Rho == 0:
			share := shareOf(loss.Epsilon, d.weight, total)
			if err = checkShare(share, total); err == nil {
				all[i], err = newLaplace(d.sensitivity, share)
			}
		case kind == Gaussian:
			all[i], err = newGaussian(d.sensitivity, shareOf(loss.Rho, d.weight, total))
		default:
			all[i], err = laplaceForRho(d.sensitivity, shareOf(loss.Rho, d.weight, total))
		}
		if err != nil {
			return nil, err
		}
	}
	return all, nil
}

// splitGaussianDelta divides what was given to make Gaussian noise finite on Σε, equally over the draws.
func (s *Spec) splitGaussianDelta() error {
	given := s.question.Loss.GaussianDelta
	if given == 0 || s.Mechanism() != Gaussian {
		return nil
	}
	each := given / Delta(len(s.draws))
	if each < 1 {
		return fmt.Errorf("%w: δ = %s for Gaussian noise leaves less than 1e-18 for each of %d draws; spend more δ", ErrSpec, given, len(s.draws))
	}
	for i := range s.draws {
		s.draws[i].leak = each
	}
	return nil
}

// Mechanism is the one that draws the noise of every number of a release: Laplace or Gaussian. A
// question without aggregates has none, and gives Laplace.
func (s Spec) Mechanism() Mechanism {
	if len(s.draws) > 0 {
		return s.draws[0].noise.kind
	}
	return Laplace
}
