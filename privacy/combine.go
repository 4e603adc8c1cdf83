package privacy

import (
	"math"
	"slices"
)

// combination is the law of Σ cᵢ·Xᵢ, a linear combination of independent noises with fixed
// coefficients: what stands between a function of several draws and its exact value.
//
// Normal noise adds up to normal noise. Laplace noise of scales aᵢ = |cᵢ|·bᵢ has the characteristic
// function Π 1/(1+aᵢ²u²), real, positive and falling, which tail inverts. On coarse lattices every
// exact value was rounded as well; the sum of these errors is bounded, not random.
type combination struct {
	scales   []scale
	variance float64 // of the normal part
	rounding float64 // most that rounding of exact values moves the sum
}

// scale is that of several Laplace noises in a combination.
type scale struct {
	a     float64
	times int
}

// leastCoefficient replaces smaller ones but 0. More noise of a symmetric law with one peak makes every tail
// heavier, and squares of scales must not underflow.
const leastCoefficient = 1e-9

// add takes in noises of one kind with one coefficient.
func (c *combination) add(n noise, coefficient float64, times int) {
	if coefficient == 0 || times == 0 {
		return
	}
	coefficient = max(math.Abs(coefficient), leastCoefficient)
	c.rounding += coefficient * float64(times) * n.rounding() / 2
	if n.kind == Gaussian {
		c.variance += coefficient * coefficient * float64(times) * n.variance()
		return
	}
	c.scales = append(c.scales, scale{a: coefficient * n.scale, times: times})
}

// exceeds reports whether the combination exceeds t with probability p or more. It may say so of a
// probability that is less by tailError, or where a noise is up to 0.2 % smaller; never the reverse.
func (c combination) exceeds(t, p float64) bool {
	t -= c.rounding
	switch {
	case t <= 0:
		return true
	case len(c.scales) == 0:
		return c.variance > 0 && gaussianTail(t, math.Sqrt(c.variance))/2 >= p
	case c.few():
		return c.fewTail(t) >= p
	case c.chernoff(t) < p:
		return false
	}
	return c.tail(t) >= p
}

// few reports whether fewTail is for this combination.
func (c combination) few() bool {
	for _, x := range c.scales {
		if x.times > 1 {
			return false
		}
	}
	return c.variance == 0 && len(c.scales) <= 3
}

// fewTail bounds P(X > t), t > 0, from above for up to three Laplace noises: partial fractions of the
// characteristic function give ½·Σ wᵢ·e^(−t/aᵢ), wᵢ = Π aᵢ²/(aᵢ² − aⱼ²) over j ≠ i. Scales nearer than 10^-3 to
// each other are moved apart, upward, so that weights stay small; the error then is below 10^-9, which is added.
func (c combination) fewTail(t float64) float64 {
	var room [3]float64
	a := room[:0]
	for _, x := range c.scales {
		a = append(a, x.a)
	}
	slices.Sort(a)
	for i := 1; i < len(a); i++ {
		a[i] = max(a[i], a[i-1]*(1+1e-3))
	}
	total := 1e-9
	for i, scale := range a {
		term := math.Exp(-t/scale) / 2
		for j, other := range a {
			if j != i {
				term /= 1 - (other/scale)*(other/scale)
			}
		}
		total += term
	}
	return total
}

// cumulant is ln E[e^(s·X)] of the combination without rounding, for s below 1/aᵢ for every i:
// σ²s²/2 − Σ ln(1 − aᵢ²s²).
func (c combination) cumulant(s float64) float64 {
	k := c.variance * s * s / 2
	for _, x := range c.scales {
		k -= float64(x.times) * math.Log1p(-x.a*x.a*s*s)
	}
	return k
}

// largest is the largest of the scales, and spread the standard deviation.
func (c combination) largest() (a float64) {
	for _, x := range c.scales {
		a = max(a, x.a)
	}
	return a
}

func (c combination) spread() float64 {
	total := c.variance
	for _, x := range c.scales {
		total += 2 * float64(x.times) * x.a * x.a
	}
	return math.Sqrt(total)
}

// chernoff bounds P(X > t): by Markov's inequality it is at most e^(cumulant(s) − s·t) for every s. The
// s here is near the best one, t/σ² for small t and 1/a for large.
func (c combination) chernoff(t float64) float64 {
	deviation, most := c.spread(), 1/c.largest()
	s := t / (deviation * deviation)
	s = min(s/math.Hypot(1, s/most), most*(1-1e-3))
	return math.Exp(c.cumulant(s) - s*t)
}

// tailError is how far tail may stand above the probability that it bounds.
const tailError = 4e-5

// tail bounds P(X > t) from above, t > 0, to within tailError.
//
// For a step Δ, the sum ½ − Σₖ φ(uₖ)·sin(uₖ·t)/(π(k+½)), uₖ = (k+½)Δ, k ≥ 0, is the expectation of a
// square wave of X, by the Fourier series of that wave: 1 for X within t … t+2π/Δ, 0 for X within
// t−2π/Δ … t, one of the two elsewhere (Davies 1973, Biometrika 60, not re-read). So with 2π/Δ = T + t it differs from P(X > t) by at
// most P(X > T), which Chernoff's bound makes 1e-5. The terms from k on add up to at most
// ∫ φ(u)/(πu) du from U = kΔ on, as φ(u)/u falls and is convex. There, with θᵢ = aᵢ²U²/(1+aᵢ²U²) and x = u/U,
// (1+aᵢ²u²)/(1+aᵢ²U²) = 1−θᵢ+θᵢx² ≥ x^(2θᵢ), hence φ(u) ≤ φ(U)·x^(−2Θ), Θ = Σθᵢ, and the integral is at
// most φ(U)/(2πΘ). Both errors are added, so that the result is a bound.
func (c combination) tail(t float64) float64 {
	const each = tailError / 4
	step := 2 * math.Pi / (c.reach(each) + t)
	total := 0.5
	for k := 0.0; ; k++ {
		if phi, theta := c.characteristic(k * step); phi <= 2*math.Pi*theta*each {
			break
		}
		phi, _ := c.characteristic((k + 0.5) * step)
		total -= phi * math.Sin((k+0.5)*step*t) / (math.Pi * (k + 0.5))
	}
	return total + 2*each
}

// characteristic is φ(u) = e^(−σ²u²/2)·Π 1/(1+aᵢ²u²), and Θ of tail.
func (c combination) characteristic(u float64) (phi, theta float64) {
	product, exponent := 1.0, -c.variance*u*u/2
	for _, x := range c.scales {
		square := x.a * x.a * u * u
		theta += float64(x.times) * square / (1 + square)
		product *= math.Pow(1+square, float64(x.times))
	}
	return math.Exp(exponent) / product, theta
}

// reach is a distance that the combination exceeds with probability p at most: (cumulant(s) + ln 1/p)/s
// is one for every s. Its derivative has the sign of s·cumulant′(s) − cumulant(s) − ln 1/p, which rises
// with s, so that bisection finds the least of them.
func (c combination) reach(p float64) float64 {
	logarithm := -math.Log(p)
	low, high := 0.0, 1/c.largest()
	for range 12 {
		s := (low + high) / 2
		slope := c.variance * s * s
		for _, x := range c.scales {
			square := x.a * x.a * s * s
			slope += float64(x.times) * 2 * square / (1 - square)
		}
		if slope-c.cumulant(s) < logarithm {
			low = s
		} else {
			high = s
		}
	}
	s := (low + high) / 2
	return (c.cumulant(s) + logarithm) / s
}
