package privacy

// The interval of a quantile.
//
// Write C(b) for the exact number of rows before a boundary b between leaves, N for the number of rows,
// q for the rank. PERCENTILE_CONT interpolates between the rows v ≤ v′ at positions ⌊q(N−1)⌋ and ⌈q(N−1)⌉,
// counted from 0. With the event below, of probability Confidence or more, the lower end of the interval
// is at most v and the upper end at least v′.
//
// The lower end. Up to v there are at least ⌊q(N−1)⌋ + 1 > q(N−1) rows. So the right boundary b of every
// node that holds v, from the root's child down to the leaf, has C(b) − q·N > −q. The walk knows
// C(b) − q·N up to noise of known law, see boundary, and goes to the leftmost child whose right boundary
// could satisfy this: unless the noise is at −t or below, where P(noise ≤ −t) < p. By induction it
// stands, on each level, at the node that holds v or left of it, unless a child that holds v was passed
// over by the walk standing at its parent. That is one event on each level, h in all, each about one
// fixed boundary with noise of a fixed law: which nodes hold v, and the coefficients on the way to them,
// depend on the rows, not on noise. By the union bound they have probability h·p. So the first value of the
// leaf in which the walk ends is at most v with probability 1 − h·p.
//
// The upper end. Before v′ there are at most ⌈q(N−1)⌉ < q(N−1) + 1 rows, so the left boundary of every node that
// holds v′ has C(b) − q·N < 1 − q; the walk goes to the rightmost child whose left boundary could satisfy that.
//
// p is (1 − Confidence)/2h. At rank 0 the lower end is the lower bound itself, and all of 1 − Confidence goes to the
// upper end; at rank 1 the reverse.

// interval is what the value at a rank lies in [steps], where there are rows.
func (w walk) interval(rank float64) (low, high int64, err error) {
	t := w.counts.tree
	low, high = t.Lower, t.Upper
	p := (1 - Confidence) / 2
	if rank <= 0 || rank >= 1 {
		p = 1 - Confidence
	}
	if rank > 0 {
		leaf, err := w.end(rank, lowerEnd, p/float64(t.Height))
		if err != nil {
			return 0, 0, err
		}
		low = t.first(leaf)
	}
	if rank < 1 {
		leaf, err := w.end(rank, upperEnd, p/float64(t.Height))
		if err != nil {
			return 0, 0, err
		}
		high = t.last(leaf)
	}
	// The two walks may cross where they fail, or on nodes without rows.
	return min(low, high), max(low, high), nil
}

// side is an end of the interval.
type side int

const (
	lowerEnd side = iota
	upperEnd
)

// end walks to the leaf of one end, with probability p of failure on each level.
func (w walk) end(rank float64, s side, p float64) (leaf int64, err error) {
	t := w.counts.tree
	b := boundary{rank: rank, noise: w.noise}
	at := node{}
	for at.level < t.Height {
		children := t.children(at)
		counts, err := w.measure(children)
		if err != nil {
			return 0, err
		}
		chosen := b.outermost(counts, s, p)
		b = b.into(counts, chosen)
		at = children[chosen]
	}
	leaf, _ = t.leaves(at)
	return leaf, nil
}

// boundary is C(b) − q·N for the left boundary b of the node at which a walk stands: its value from noisy
// counts, and the coefficients with which their noise adds up in it.
type boundary struct {
	rank  float64
	noise noise
	value float64
	fixed combination // noise of all nodes but the one below
	node  float64     // the noisy count of the node
	own   float64     // the coefficient that the node's noise has in value
	below bool        // whether the walk has left the root, of which there is no count
}

// weight is how far the j-th boundary between the children of the node relies on the node's count.
//
// Below the node's left boundary come the first j of its m children: their counts added up, or the node's count
// without the others', or any average of the two. With weight w the noise of the node has coefficient own + w, that of
// the j children 1 − w, that of the others −w; the sum of squares is least at w = (j − own)/(m + 1). The root has no
// count; there −q·N takes its place, the sum over all children, so that w = q.
func (b boundary) weight(j, m int) float64 {
	if !b.below {
		return b.rank
	}
	return (float64(j) - b.own) / float64(m+1)
}

// at is the value at the j-th boundary between children with these noisy counts.
func (b boundary) at(counts []float64, j int) float64 {
	w := b.weight(j, len(counts))
	value := b.value + w*b.node
	for i, count := range counts {
		if i < j {
			value += count
		}
		value -= w * count
	}
	return value
}

// law is that of the noise in at, without one child where skip is 1: the child right of the boundary.
func (b boundary) law(j, m, skip int) combination {
	w := b.weight(j, m)
	law := b.fixed
	law.scales = append([]scale(nil), b.fixed.scales...)
	if b.below {
		law.add(b.noise, b.own+w, 1)
	}
	law.add(b.noise, 1-w, j)
	law.add(b.noise, -w, m-j-skip)
	return law
}

// outermost is the child that a walk to an end goes to: the leftmost whose right boundary, or the
// rightmost whose left boundary, the end could lie within; the one that is nearest to it where there is none.
func (b boundary) outermost(counts []float64, s side, p float64) int {
	m := len(counts)
	if s == lowerEnd {
		for i := range m - 1 {
			if b.law(i+1, m, 0).exceeds(-b.rank-b.at(counts, i+1), p) {
				return i
			}
		}
		return m - 1
	}
	for i := m - 1; i > 0; i-- {
		if b.law(i, m, 0).exceeds(b.at(counts, i)-(1-b.rank), p) {
			return i
		}
	}
	return 0
}

// into is the left boundary of a child.
func (b boundary) into(counts []float64, child int) boundary {
	m := len(counts)
	return boundary{
		rank: b.rank, noise: b.noise, below: true,
		value: b.at(counts, child), node: counts[child],
		fixed: b.law(child, m, 1), own: -b.weight(child, m),
	}
}
