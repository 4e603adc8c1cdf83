package privacy

import "math"

// A quantile releases, for each partition, a value near a given rank of one clamped argument.
//
//	Guarantee    (ε, 0)-DP or ρ-zCDP, add or remove one privacy unit, over the partitions given, for all
//	             ranks of one argument together.
//	Mechanism    a fixed function of the noisy counts of a tree's nodes (tree.go). Every node is
//	             measured; a node's noise is drawn when a walk from the root first looks at it. Which nodes
//	             are looked at depends on noisy counts and the tree alone.
//	Sensitivity  each row counts in one node of every level, h of them: L∞ = MaxRowsPerPartition;
//	             L1 = h·min(L0·r, R); L2² ≤ h·min(L0·r², R·r).
//	Source       google/differential-privacy common_docs/Differentially_Private_Quantile_Trees.pdf, not
//	             re-read; the estimate and the interval are our own.
//	Loss         its share, once for all ranks of the argument.
//	Interval     of the value that PERCENTILE_CONT gives exactly, without noise, at the rank asked for:
//	             see quantileEnd. It cannot be narrower than a leaf.
//	Bias         towards the middle of a node in which noise hides how its rows are spread.
//	NULL         counts in no node. Without rows the value is where rank lies between the bounds, give
//	             or take noise.
//	MIN, MAX     are ranks 0 and 1. No noisy count shows a single row, so that the value is an estimate of
//	             rank 0.005 or 0.995, kept within the interval of the minimum or maximum.
//	Not covered  timing; how Lower and Upper were chosen; what clamping and bounding left out.
//	Tested by    TestSensitivity (all neighbours), TestQuantileCoverage (false-reject 1e-5),
//	             TestQuantileAgainstGoogle.

// walk looks for ranks in one partition's tree.
type walk struct {
	counts *treeCounts
	draw   func(id, exact int64) (noisy, error)
	noise  noise // of every node
}

func quantileCell(t Tree, counts *treeCounts, draw func(node int64, exact int64) (noisy, error), n noise, a Aggregate) (Cell, error) {
	w := walk{counts: counts, draw: draw, noise: n}
	value, err := w.estimate(min(max(a.Rank, leastRank), 1-leastRank))
	if err != nil {
		return Cell{}, err
	}
	low, high, err := w.interval(a.Rank)
	if err != nil {
		return Cell{}, err
	}
	value = min(max(value, float64(low)), float64(high))
	return Cell{Value: a.Step.Float(value), Low: a.Step.Float(float64(low)), High: a.Step.Float(float64(high))}, nil
}

// measure is the noisy counts of nodes.
func (w walk) measure(nodes []node) ([]float64, error) {
	counts := make([]float64, len(nodes))
	for i, n := range nodes {
		count, err := w.counts.noisy(n, w.draw)
		if err != nil {
			return nil, err
		}
		counts[i] = count.float()
	}
	return counts, nil
}

// estimate walks from the root towards a rank, in each node to the child that holds it, and interpolates
// in the node where it ends: a leaf, or one that seems empty.
//
// Ranks estimated from one tree rise with the rank, as no step of the walk but the last choice depends on it.
func (w walk) estimate(rank float64) (float64, error) {
	t := w.counts.tree
	at, rows := node{}, math.NaN() // of the root nothing is known
	for at.level < t.Height {
		children := t.children(at)
		counts, err := w.measure(children)
		if err != nil {
			return 0, err
		}
		shares := w.spread(counts, rows)
		if shares == nil {
			break
		}
		var chosen int
		chosen, rank = locate(shares, rank)
		at, rows = children[chosen], shares[chosen]
	}
	first, end := t.leaves(at)
	low, high := float64(t.first(first)), float64(t.last(end-1))
	return low + rank*(high-low), nil
}

// locate finds which of some non-negative shares, not all 0, a rank of their total falls into, and
// the rank within it.
func locate(shares []float64, rank float64) (chosen int, within float64) {
	var total, before, passed float64
	for _, share := range shares {
		total += share
	}
	for i, share := range shares {
		if share <= 0 {
			continue
		}
		chosen, before = i, passed
		if passed += share; passed >= rank*total {
			break
		}
	}
	return chosen, min(max((rank*total-before)/shares[chosen], 0), 1)
}

// spread estimates how the rows of a node are spread over its children, from their noisy counts and an
// estimate of the node's own count, NaN where there is none. No share is negative; nil means no rows.
//
// Most children of a node are empty, or nearly, where values are concentrated, and all are alike where
// they are not. Noisy counts taken at their word would see rows everywhere in the first case, and noise
// as structure in the second. So children with counts that noise alone exceeds in absolute value at most
// 5 % of the time are taken together: what the others leave of the total is spread evenly over them if it
// is more than 2.5 standard deviations of noise, and otherwise they are empty. Then all shares are drawn
// towards the even one by the factor of James and Stein, which is 1 where their differences are those of
// noise, and next to 0 where they are not.
func (w walk) spread(counts []float64, rows float64) []float64 {
	size, variance := float64(len(counts)), w.noise.variance()
	var measured float64
	for _, count := range counts {
		measured += count
	}
	total := measured
	if !math.IsNaN(rows) { // the node's count has the variance of one child, their sum that of all
		total = (measured/size + rows) / (1/size + 1)
	}
	if total <= 0 {
		return nil
	}
	shift, even := (total-measured)/size, total/size
	var kept, small, scatter float64
	shares := make([]float64, len(counts))
	for i, count := range counts {
		shares[i] = count + shift
		scatter += (shares[i] - even) * (shares[i] - even)
		if shares[i] < w.noise.within(Confidence) {
			shares[i], small = 0, small+1
		}
		kept += shares[i]
	}
	stretch, each := 1.0, 0.0
	if left := total - kept; kept == 0 || small > 0 && left > 2.5*math.Sqrt(small*variance) {
		each = left / small
	} else {
		stretch = total / kept
	}
	trust := 0.0
	if scatter > 0 {
		trust = max(0, 1-(size-1)*variance/scatter)
	}
	for i, share := range shares {
		if share *= stretch; share == 0 {
			share = each
		}
		shares[i] = trust*share + (1-trust)*even
	}
	return shares
}
