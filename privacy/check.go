package privacy

import (
	"fmt"
	"math/bits"
	"slices"
)

// The caps on a question. They hold before any row is read.
const (
	MinQuestionEpsilon  = OneEpsilon / 10_000        // 1e-4: success itself is a bit, so every question pays
	MinQuestionRho      = OneRho / 200_000_000       // 5e-9, which is ε²/2
	MinMechanismEpsilon = OneEpsilon / 1_000_000_000 // 1e-9, for each draw and each selected partition
	MaxMechanismEpsilon = 20 * OneEpsilon
	MinPartitionDelta   = OneDelta / 10_000_000_000_000 // 1e-13, for each partition that one unit may touch

	MaxAggregates       = 64
	MaxPublicPartitions = 100_000
	MaxNumbers          = 500_000 // in one release: partitions × aggregates, and × draws at about 8 µs each

	maxReach = 1 << 53 // B·L0·r stays below: sums are exact, products cannot wrap
)

func checkQuestion(q Question) error {
	if err := checkContribution(q.Contribution); err != nil {
		return err
	}
	if err := checkPartitions(q.Partitions, q.Loss.Delta); err != nil {
		return err
	}
	if err := checkLoss(q.Loss); err != nil {
		return err
	}
	if len(q.Aggregates) > MaxAggregates {
		return fmt.Errorf("%w: it asks for %d aggregates; ask for at most %d", ErrSpec, len(q.Aggregates), MaxAggregates)
	}
	if len(q.Aggregates) == 0 && q.Partitions.Keys != nil {
		return fmt.Errorf("%w: it asks for no aggregate, and which groups there are is public; ask for an aggregate", ErrSpec)
	}
	for i, a := range q.Aggregates {
		if err := checkAggregate(a); err != nil {
			return fmt.Errorf("aggregate %d: %w", i+1, err)
		}
	}
	return checkAgreement(q.Aggregates)
}

// checkLoss checks what a caller asks to spend, before it is divided.
func checkLoss(l Loss) error {
	switch {
	case l.Epsilon != 0 && l.Rho != 0:
		return fmt.Errorf("%w: it spends both ε and ρ; choose one", ErrSpec)
	case l.Rho == 0 && l.Epsilon < MinQuestionEpsilon:
		return fmt.Errorf("%w: ε is %s, a question needs at least %s", ErrSpec, l.Epsilon, MinQuestionEpsilon)
	case l.Rho != 0 && l.Rho < MinQuestionRho:
		return fmt.Errorf("%w: ρ is %s, a question needs at least %s", ErrSpec, l.Rho, MinQuestionRho)
	case l.GaussianDelta < 0 || l.GaussianDelta >= OneDelta/2:
		return fmt.Errorf("%w: δ for Gaussian noise is %s; it must be at least 0 and below 0.5", ErrSpec, l.GaussianDelta)
	}
	switch l.Mechanism {
	case "", Laplace:
		if l.GaussianDelta > 0 {
			return fmt.Errorf("%w: it gives a δ for Gaussian noise, and its noise is Laplace; leave that δ out", ErrSpec)
		}
	case Gaussian, Best:
		if l.Rho == 0 {
			return fmt.Errorf("%w: under ε noise is Laplace; spend ρ for Gaussian noise", ErrSpec)
		}
	default:
		return fmt.Errorf("%w: there is no mechanism %.40q; write %q, %q or %q", ErrSpec, l.Mechanism, Laplace, Gaussian, Best)
	}
	return nil
}

func checkContribution(c Contribution) error {
	if c.MaxPartitions < 1 || c.MaxRowsPerPartition < 1 || c.MaxRows < 1 {
		return fmt.Errorf("%w: limits per unit are %d partitions, %d rows in each and %d rows in all; each must be at least 1",
			ErrSpec, c.MaxPartitions, c.MaxRowsPerPartition, c.MaxRows)
	}
	if c.MaxRows >= maxReach || !reaches(1, c) {
		return fmt.Errorf("%w: limits of %d partitions with %d rows in each, %d rows in all, are too large; their product must be below 2^53",
			ErrSpec, c.MaxPartitions, c.MaxRowsPerPartition, c.MaxRows)
	}
	return nil
}

// reaches reports whether magnitude·L0·r < 2^53, without overflow.
func reaches(magnitude int64, c Contribution) bool {
	high, low := bits.Mul64(uint64(c.MaxPartitions), uint64(c.MaxRowsPerPartition))
	if high != 0 {
		return false
	}
	high, low = bits.Mul64(low, uint64(magnitude))
	return high == 0 && low < maxReach
}

func checkPartitions(p Partitions, delta Delta) error {
	if p.Keys == nil {
		if delta <= 0 || delta >= OneDelta {
			return fmt.Errorf("%w: its groups are not public, so choosing them needs δ above 0 and below 1; δ is %s", ErrSpec, delta)
		}
		if p.PreThreshold < 1 {
			return fmt.Errorf("%w: the smallest group is %d units; it must be at least 1", ErrSpec, p.PreThreshold)
		}
		return nil
	}
	if delta < 0 || delta >= OneDelta {
		return fmt.Errorf("%w: δ is %s; it must be at least 0 and below 1", ErrSpec, delta)
	}
	if len(p.Keys) == 0 || len(p.Keys) > MaxPublicPartitions {
		return fmt.Errorf("%w: it has %d public groups; 1 to %d can be listed", ErrSpec, len(p.Keys), MaxPublicPartitions)
	}
	seen := make(map[string]struct{}, len(p.Keys))
	for _, key := range p.Keys {
		seen[key] = struct{}{}
	}
	if len(seen) != len(p.Keys) {
		return fmt.Errorf("%w: a public group is listed twice", ErrSpec)
	}
	return nil
}

func checkAggregate(a Aggregate) error {
	if a.Argument < NoArgument || a.Argument >= MaxAggregates {
		return fmt.Errorf("%w: there is no argument %d", ErrSpec, a.Argument)
	}
	if a.Weight < 0 || a.Weight > MaxWeight {
		return fmt.Errorf("%w: its weight is %d; it must be 1 to %d", ErrSpec, a.Weight, MaxWeight)
	}
	switch a.Kind {
	case Count, CountUnits:
		return nil
	case CountDistinct, Sum, Mean, Variance, Quantile:
		if a.Argument == NoArgument {
			return fmt.Errorf("%w: a %s needs an argument", ErrSpec, a.Kind)
		}
		if a.Kind == Quantile && !(a.Rank >= 0 && a.Rank <= 1) {
			return fmt.Errorf("%w: a quantile's rank is %g; it must be 0 to 1", ErrSpec, a.Rank)
		}
		if hasBounds(a) {
			return checkBounds(a)
		}
		return nil
	default:
		return fmt.Errorf("%w: there is no mechanism for %.40q", ErrSpec, a.Kind)
	}
}

// hasBounds reports whether an aggregate uses the bounds of its argument.
func hasBounds(a Aggregate) bool {
	switch a.Kind {
	case Sum, Mean, Variance, Quantile:
		return true
	default:
		return false
	}
}

func checkBounds(a Aggregate) error {
	if a.Lower > a.Upper || a.Lower <= -maxReach || a.Upper >= maxReach {
		return fmt.Errorf("%w: bounds of %d … %d steps; they must rise and lie within ±2^53 steps", ErrSpec, a.Lower, a.Upper)
	}
	if a.Step.Num < 1 || a.Step.Den < 1 {
		return fmt.Errorf("%w: a step of %d/%d is not positive", ErrSpec, a.Step.Num, a.Step.Den)
	}
	if a.Lower == a.Upper && (a.Kind != Sum || a.Lower == 0) {
		return fmt.Errorf("%w: its bounds of %d … %d steps leave one value, which is public; drop it or widen the bounds", ErrSpec, a.Lower, a.Upper)
	}
	return nil
}

// checkAgreement refuses two descriptions of one argument: a partial holds one sum for it, clamped once.
func checkAgreement(aggregates []Aggregate) error {
	for i, a := range aggregates {
		for _, b := range aggregates[:i] {
			if a.Argument != b.Argument || a.Argument == NoArgument {
				continue
			}
			bounded := hasBounds(a) && hasBounds(b)
			if a.NotNull != b.NotNull || bounded && (a.Lower != b.Lower || a.Upper != b.Upper || a.Step != b.Step) {
				return fmt.Errorf("%w: argument %d is described in two ways", ErrSpec, a.Argument)
			}
		}
	}
	return nil
}

func checkShare(share Epsilon, shares int64) error {
	if share < MinMechanismEpsilon || share > MaxMechanismEpsilon {
		return fmt.Errorf("%w: ε is divided into %d shares, %s for one draw; a draw takes from %s to %s",
			ErrSpec, shares, share, MinMechanismEpsilon, MaxMechanismEpsilon)
	}
	return nil
}

func cloneQuestion(q Question) Question {
	q.Aggregates = slices.Clone(q.Aggregates)
	q.Partitions.Keys = slices.Clone(q.Partitions.Keys)
	return q
}

// checkSize bounds work and answer of so many partitions, before the charge where they are public.
func (s Spec) checkSize(partitions int) error {
	if each := max(s.numbers, len(s.uses), 1); partitions*each > MaxNumbers {
		return fmt.Errorf("%w: %d groups with %d numbers in each are too many for one answer; at most %d numbers fit: ask for fewer groups or fewer aggregates at a time",
			ErrSpec, partitions, each, MaxNumbers)
	}
	return nil
}

// countNumbers is how many noisy integers one partition takes at most. A quantile walks down its tree three
// times, for the estimate and both ends, and looks at the children of a node on each level; all walks begin at
// the root.
func (s Spec) countNumbers() int {
	total := 0
	for _, d := range s.draws {
		if d.quantity != tree {
			total++
		}
	}
	for i, a := range s.question.Aggregates {
		if t := s.draws[s.uses[i][0]].tree; a.Kind == Quantile {
			total += t.Branching * (3*t.Height - 2)
		}
	}
	return total
}
