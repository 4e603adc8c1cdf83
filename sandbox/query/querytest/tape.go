package querytest

import (
	"errors"
	"fmt"
	"math"

	"entrepot/privacy"
	"entrepot/privacy/privacytest"
)

// errTape is returned for a decision that was not taken on the other side, or with other parameters.
var errTape = errors.New("not on the tape")

// decision is one random decision: what the noise library was asked for, and what it said.
type decision struct {
	kind           privacy.Mechanism // "" for partition selection
	sensitivity    int64
	epsilon, delta float64
	noise          int64
	kept, replayed bool
}

// tape holds the decisions of one release.
type tape struct {
	seam      Seam
	alone     map[string]bool
	decisions map[privacytest.Site]decision
}

// recorder makes decisions up, the same for each site: noise of the size of the real one, and all groups
// kept but for some, and those that the other side cannot have.
func (t *tape) recorder() privacytest.Source {
	return privacytest.Source{
		Laplace: func(at privacytest.Site, l1 int64, epsilon float64) (int64, error) {
			return t.record(at, decision{kind: privacy.Laplace, sensitivity: l1, epsilon: epsilon, noise: spread(at, float64(l1)/epsilon)})
		},
		Gaussian: func(at privacytest.Site, l2 int64, epsilon, delta float64) (int64, error) {
			return t.record(at, decision{kind: privacy.Gaussian, sensitivity: l2, epsilon: epsilon, delta: delta, noise: spread(at, float64(l2))})
		},
		Keep: func(at privacytest.Site, _ int64, epsilon, delta float64) (bool, error) {
			d := decision{epsilon: epsilon, delta: delta, kept: !t.alone[at.Key] && spread(at, 8) > -12}
			_, err := t.record(at, d)
			return d.kept, err
		},
	}
}

func (t *tape) record(at privacytest.Site, d decision) (int64, error) {
	if _, twice := t.decisions[at]; twice {
		return 0, fmt.Errorf("%w: two decisions at %+v", errTape, at)
	}
	t.decisions[at] = d
	return d.noise, nil
}

// player repeats the decisions, with noise moved by the difference of the exact values.
func (t *tape) player(a, b []map[privacytest.Site]int64) privacytest.Source {
	moved := func(at privacytest.Site, d decision) (int64, error) {
		d, err := t.replay(at, d)
		to := t.seam.lattice(d, at.Draw)
		return d.noise + to(a[at.Draw][at]) - to(b[at.Draw][at]), err
	}
	return privacytest.Source{
		Laplace: func(at privacytest.Site, l1 int64, epsilon float64) (int64, error) {
			return moved(at, decision{kind: privacy.Laplace, sensitivity: l1, epsilon: epsilon})
		},
		Gaussian: func(at privacytest.Site, l2 int64, epsilon, delta float64) (int64, error) {
			return moved(at, decision{kind: privacy.Gaussian, sensitivity: l2, epsilon: epsilon, delta: delta})
		},
		Keep: func(at privacytest.Site, _ int64, epsilon, delta float64) (bool, error) {
			d, err := t.replay(at, decision{epsilon: epsilon, delta: delta})
			return d.kept, err
		},
	}
}

// replay finds a decision with the same parameters.
func (t *tape) replay(at privacytest.Site, asked decision) (decision, error) {
	d, ok := t.decisions[at]
	if !ok {
		return d, fmt.Errorf("%w: a decision at %+v", errTape, at)
	}
	asked.noise, asked.kept, asked.replayed = d.noise, d.kept, d.replayed
	if asked != d || d.replayed {
		return d, fmt.Errorf("%w: at %+v %+v is asked for, after %+v", errTape, at, asked, d)
	}
	d.replayed = true
	t.decisions[at] = d
	return d, nil
}

// spread is a number within ±4 scales that depends on the site alone.
func spread(at privacytest.Site, scale float64) int64 {
	h := uint64(14695981039346656037)
	for _, c := range fmt.Sprint(at) {
		h = (h ^ uint64(c)) * 1099511628211
	}
	return int64((float64(h>>11)/(1<<53) - 0.5) * 8 * scale)
}

// lattice is how package privacy brings exact values of a draw to the lattice of its noise: 2^bits
// points to a step, or rounded to a multiple of a coarse grain.
func (s Seam) lattice(d decision, draw int) func(x int64) int64 {
	declared := s.Sensitivities[draw]
	if d.kind == privacy.Gaussian { // σ is 2^55 to 2^56 points
		share := s.Question.Loss.Rho.FloorFloat() / float64(s.shares())
		_, exponent := math.Frexp(math.Sqrt(declared.L2Squared / (2 * share)))
		return func(x int64) int64 { return x << max(0, 56-exponent) }
	}
	base := declared.L1
	if s.Question.Loss.Rho > 0 {
		base = declared.Cell
	}
	if scale := float64(d.sensitivity) / d.epsilon; scale > 1<<40 {
		fraction, exponent := math.Frexp(scale / (1 << 40))
		if fraction == 0.5 {
			exponent--
		}
		grain := int64(1) << max(exponent, 0)
		return func(x int64) int64 { return (x + grain>>1) &^ (grain - 1) }
	}
	return func(x int64) int64 { return x * (d.sensitivity / base) }
}

// shares is into how many parts the loss is divided, all of weight 1.
func (s Seam) shares() int {
	if s.Question.Partitions.Keys == nil {
		return len(s.Sensitivities) + 1
	}
	return len(s.Sensitivities)
}
