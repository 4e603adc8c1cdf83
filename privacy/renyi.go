package privacy

import "math"

// Rényi divergences at a fixed order, and what an order's clock may reach.
//
// For P, Q of two neighbouring tables, D_α(P‖Q) = ln E_Q[(P/Q)^α] / (α−1). All mechanisms here are
// symmetric under exchange of the two, so that one number bounds both directions.

// relativeMargin rounds every price up: it covers floating point, and the lattices of laplace.go, on
// which the divergence differs from that of continuous noise by less than 1e-20.
const relativeMargin = 1e-6

// laplaceDivergence is D_α between two Laplace laws of scale 1 a shift apart:
//
//	ln( α/(2α−1)·e^((α−1)·shift) + (α−1)/(2α−1)·e^(−α·shift) ) / (α−1)
//
// Source: Mironov 2017, arXiv:1702.07476, proposition 6. It is convex in the shift, a logarithm of a
// sum of exponentials of linear functions, and 0 at 0; so for a given total shift over several
// partitions the sum is largest where the shifts are concentrated.
func laplaceDivergence(shift, order float64) float64 {
	up, down := (order-1)*shift, order*shift
	weight := order / (2*order - 1)
	if up < 30 {
		// The linear terms weight·up − (1−weight)·down cancel exactly.
		return math.Log1p(weight*excess(up)+(1-weight)*excess(-down)) / (order - 1)
	}
	return (up + math.Log(weight+(1-weight)*math.Exp(-up-down))) / (order - 1)
}

// responseDivergence is D_α of ε-randomised response: the truth with probability p = 1/(1+e^(−ε)).
//
//	ln( p·e^((α−1)·ε) + (1−p)·e^(−(α−1)·ε) ) / (α−1)
//
// Source: Steinke 2024, "Sharp RDP & zCDP from Pure DP", theorem 4 (differentialprivacy.org): no ε-DP
// step has more. Every (ε, δ)-DP step is one that leaks with probability δ (Kairouz, Oh & Viswanath,
// arXiv:1311.0776; PROMISE.md, section 5 (i), has the proof for two outcomes).
func responseDivergence(epsilon, order float64) float64 {
	up := (order - 1) * epsilon
	p := 1 / (1 + math.Exp(-epsilon))
	if up < 30 {
		return math.Log1p(p*excess(up)+(1-p)*excess(-up)+math.Tanh(epsilon/2)*up) / (order - 1)
	}
	return (up + math.Log(p+(1-p)*math.Exp(-2*up))) / (order - 1)
}

// excess is e^u − 1 − u, without cancellation near 0.
func excess(u float64) float64 {
	if math.Abs(u) > 0.5 {
		return math.Expm1(u) - u
	}
	total, term := 0.0, u
	for k := 2.0; k < 20; k++ {
		term *= u / k
		total += term
	}
	return total
}

// responseRho is the zero-concentrated loss of ε-randomised response, ε·tanh(ε/2): its divergence is at
// most α times that at every order α > 1 (PROMISE.md, section 3).
func responseRho(epsilon float64) float64 { return epsilon * math.Tanh(epsilon/2) }

// divergence bounds D_α of one draw, over all cells that one unit can move. On a coarse lattice each
// cell may shift by up to one grain more.
func (d draw) divergence(order float64) float64 {
	s, n := d.sensitivity, d.noise
	if n.kind == Gaussian {
		outside := d.leak.ceilFloat() + 2*s.gaussianLeak(n) // and what is conditioned away: section 5 (i)
		return order*s.gaussianRho(n) - math.Log1p(-outside)/(order-1)
	}
	return s.worst(func(shift float64) float64 { return laplaceDivergence((shift+n.rounding())/n.scale, order) })
}

func (s selection) divergence(order float64) float64 {
	return float64(s.cells) * responseDivergence(s.epsilon, order)
}

// RenyiCap is the largest divergence at an order that still gives (ε, δ)-DP, rounded down; 0 where
// none does.
//
// Every x ≥ 0 has (x − e^ε)₊ ≤ c·x^α with c = e^(−(α−1)ε)·(1−1/α)^α/(α−1), the maximum of the
// quotient, at x = e^ε·α/(α−1). With x = P/Q and the expectation over Q: δ ≤ c·e^((α−1)·d).
// (Canonne, Kamath & Steinke, arXiv:2004.00010, proposition 12.)
func RenyiCap(eps Epsilon, delta Delta, order Order) Renyi {
	if eps <= 0 || delta <= 0 || delta >= OneDelta || order <= 1000 || order > MaxOrder {
		return 0
	}
	d, margin := renyiCap(eps.FloorFloat(), delta.FloorFloat(), order.Float())
	return FloorRenyi(d - margin)
}

// renyiCap returns d_max with a bound on its error in floating point. The conversion keeps a
// compiler from fusing the product into the sum, so that a verifier on another machine gets the same cap.
func renyiCap(epsilon, delta, order float64) (d, margin float64) {
	slope := order - 1
	product := float64(order * math.Log1p(-1/order))
	logarithm := math.Log(delta) + math.Log(slope) - product
	magnitude := math.Abs(math.Log(delta)) + math.Abs(math.Log(slope)) + math.Abs(product)
	return epsilon + logarithm/slope, float64(1e-14 * (epsilon + magnitude/slope))
}

// DefaultOrder is the order whose cap holds the most small charges: it maximises d_max(α)/α, the ρ
// of zero-concentrated DP, as the divergence of a small charge is nearly proportional to α. δ is
// the order's own, not the account's.
func DefaultOrder(eps Epsilon, delta Delta) Order {
	rho := func(o Order) float64 {
		d, _ := renyiCap(eps.FloorFloat(), delta.FloorFloat(), o.Float())
		return d / o.Float()
	}
	// d_max(α)/α rises to one maximum and falls: narrow it down on thousandths.
	low, high := Order(1001), MaxOrder
	for high-low > 2 {
		left := low + (high-low)/3
		right := high - (high-low)/3
		if rho(left) < rho(right) {
			low = left
		} else {
			high = right
		}
	}
	best := low
	for o := low; o <= high; o++ {
		if rho(o) > rho(best) {
			best = o
		}
	}
	return best
}
