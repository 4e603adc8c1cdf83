package privacy

import (
	"fmt"
	"math"

	"github.com/google/differential-privacy/go/v2/dpagg"
)

// Partition selection decides which groups of a private GROUP BY appear.
//
//	Guarantee    (ε, δ)-DP, add or remove one privacy unit, over all possible keys together: each
//	             decision is (ε/L0, δ/L0)-DP in its number of units, and one unit touches L0 of them.
//	Mechanism    the optimal one: keep with the largest probability that (ε/L0, δ/L0) allows; none
//	             for a group of no units, δ/L0 for a group of one.
//	Sensitivity  L0 = min(MaxPartitions, MaxRows); each number of units moves by at most 1.
//	Source       Desfontaines, Voss, Gipson & Mandayam, arXiv:2006.03684, theorem 1; google/differential-privacy
//	             dpagg.PreAggSelectPartition.
//	Loss         one share of ε, all of δ; or one share ρ_s, with L0·ε_c·tanh(ε_c/2) = ρ_s for the ε_c of one
//	             decision. Rényi: L0 randomised responses of ε/L0 each (renyi.go).
//	Pre-threshold  for groups of at least k units n is replaced by max(0, n − (k−1)), which also moves
//	             by at most 1; a group of fewer than k units never appears.
//	Not covered  timing; groups that are withheld do not appear at all, not even as a number.
//	Tested by    TestSelectionProbability (scan of ε × L0, false-reject 1e-5), TestSelectionUnderRho, TestPreThreshold.
//
// The library is asked for one partition at (ε/L0, δ/L0), never for L0 > 3 at once: there it
// switches to a rounded Gaussian threshold that exceeds its δ.
//
// It holds the probability to keep as a float64 and compares it with a uniform number: near 1 both know the
// probability to withhold to some 2^-52 only, and (ε, δ)-DP multiplies what is missing there by e^ε. So the library
// is given as much less δ as that can come to, and what would leave less than half is refused
// (TestSelectionIsExactEnough, a scan).

// selection is calibrated partition selection.
type selection struct {
	cells        int64   // L0
	each         Epsilon // of one decision
	epsilon      float64 // likewise, rounded down
	delta        float64 // of one decision
	preThreshold int64
}

// newSelection divides a share of ε over the L0 decisions that one unit touches.
func newSelection(l0 int64, share Epsilon, delta Delta, preThreshold int64) (selection, error) {
	if share > MaxMechanismEpsilon {
		return selection{}, fmt.Errorf("%w: choosing groups takes at most ε = %s, and its share is %s; spend less", ErrSpec, MaxMechanismEpsilon, share)
	}
	if share/Epsilon(l0) < MinMechanismEpsilon {
		return selection{}, fmt.Errorf("%w: choosing groups with ε = %s among up to %d groups per unit leaves less than %s for each; lower the limit or spend more",
			ErrSpec, share, l0, MinMechanismEpsilon)
	}
	return selectionAt(l0, share/Epsilon(l0), delta, preThreshold)
}

// selectionForRho gives each of the L0 decisions the largest ε, in whole pico-ε, with L0·ε·tanh(ε/2) ≤ ρ.
func selectionForRho(l0 int64, share Rho, delta Delta, preThreshold int64) (selection, error) {
	rho := share.FloorFloat()
	fits := func(each Epsilon) bool { return float64(l0)*responseRho(each.ceilFloat())*(1+relativeMargin) <= rho }
	low, high := MinMechanismEpsilon, MaxMechanismEpsilon+1
	if !fits(low) || fits(high) {
		return selection{}, fmt.Errorf("%w: choosing groups with ρ = %s among up to %d groups per unit leaves less than ε = %s or more than %s for each; change the limit or the loss",
			ErrSpec, share, l0, MinMechanismEpsilon, MaxMechanismEpsilon)
	}
	for high-low > 1 {
		if middle := low + (high-low)/2; fits(middle) {
			low = middle
		} else {
			high = middle
		}
	}
	return selectionAt(l0, low, delta, preThreshold)
}

// selectionAt is selection whose decisions cost ε = each.
func selectionAt(l0 int64, each Epsilon, delta Delta, preThreshold int64) (selection, error) {
	if delta/Delta(l0) < MinPartitionDelta {
		return selection{}, fmt.Errorf("%w: δ = %s among up to %d groups per unit leaves less than %s for each; lower the limit or spend more δ",
			ErrSpec, delta, l0, MinPartitionDelta)
	}
	whole := (delta / Delta(l0)).FloorFloat()
	exact := whole - keepError(each.ceilFloat())
	if exact < whole/2 {
		return selection{}, fmt.Errorf("%w: choosing groups with ε = %s for each is not exact enough for δ = %s for each; spend less ε or more δ",
			ErrSpec, each, delta/Delta(l0))
	}
	return selection{cells: l0, each: each, epsilon: each.FloorFloat(), delta: exact, preThreshold: preThreshold}, nil
}

// keepError bounds what rounding of the library's probabilities adds to the δ of one decision: on
// either side of the inequality a probability is off by less than 2^-48.
func keepError(epsilon float64) float64 { return (math.Exp(epsilon) + 1) * 0x1p-48 }

// keep draws once whether a group of so many units appears.
func (s selection) keep(key string, units int64, src source) (bool, error) {
	at := site{Key: key, Draw: selectionDraw, Node: plainNode}
	keep, err := src.Keep(at, max(0, units-(s.preThreshold-1)), s.epsilon, s.delta)
	if err != nil {
		return false, fmt.Errorf("select partitions: %w", err)
	}
	return keep, nil
}

// libraryKeep draws whether one partition of so many units is kept. It counts units by doubling,
// so that a crowd takes no longer than a few.
func libraryKeep(_ site, units int64, epsilon, delta float64) (bool, error) {
	options := &dpagg.PreAggSelectPartitionOptions{Epsilon: epsilon, Delta: delta, MaxPartitionsContributed: 1}
	total, err := dpagg.NewPreAggSelectPartition(options)
	if err != nil {
		return false, err
	}
	power, err := dpagg.NewPreAggSelectPartition(options)
	if err != nil {
		return false, err
	}
	if err := power.Increment(); err != nil {
		return false, err
	}
	for ; units > 0; units >>= 1 {
		if units&1 == 1 {
			bit := *power
			if err := total.Merge(&bit); err != nil {
				return false, err
			}
		}
		same := *power
		if err := power.Merge(&same); err != nil {
			return false, err
		}
	}
	return total.ShouldKeepPartition()
}
