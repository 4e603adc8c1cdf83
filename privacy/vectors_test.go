package privacy

import (
	"encoding/json"
	"math"
	"os"
	"testing"
)

// vectors are numbers of an independent implementation: testdata/README.md says which.
type vectors struct {
	Source  string
	Orders  []float64
	Laplace []struct {
		Epsilon     float64
		Divergences []float64
	}
	Gaussian []struct {
		Sigma       float64
		Divergences []float64
	}
	Response []struct {
		Epsilon     float64
		Divergences []float64
	}
	Compositions []struct {
		History []struct {
			Kind  Mechanism
			Size  float64
			Count int64
		}
		Divergences []float64
		Delta       float64
		Epsilons    []float64
	}
	Caps []struct {
		Epsilon, Delta float64
		Caps           []float64
	}
}

func readVectors(t *testing.T) vectors {
	t.Helper()
	b, err := os.ReadFile("testdata/renyi.json")
	if err != nil {
		t.Fatal(err)
	}
	var v vectors
	if err := json.Unmarshal(b, &v); err != nil {
		t.Fatal(err)
	}
	if v.Source != "dp_accounting 0.6.0" || len(v.Orders) < 10 || len(v.Laplace) == 0 || len(v.Gaussian) == 0 || len(v.Response) == 0 || len(v.Compositions) == 0 || len(v.Caps) == 0 {
		t.Fatalf("vectors of %s are incomplete", v.Source)
	}
	return v
}

// closeAbove reports whether a price is no lower than what another implementation says, and not much higher.
// Both round to float64 and the price to 1e-12, which the slacks allow for.
func closeAbove(price, theirs float64) bool {
	return price >= theirs*(1-1e-12) && price <= theirs*(1+1e-5)+1e-11
}

// thousandths is an order as an account holds it.
func thousandths(order float64) Order { return Order(math.Round(order * 1000)) }

// countPrice is what COUNT(*) of one row per unit costs at an order, under ε or for Gaussian noise of deviation σ.
func countPrice(t *testing.T, kind Mechanism, size float64, order Order) Renyi {
	t.Helper()
	if kind == Laplace {
		return mustSpec(t, countQuestion(Epsilon(math.Round(size*1e12)), "a")).Price(Orders{order}).Renyi[0]
	}
	s := mustSpec(t, countQuestion(OneEpsilon, "a"))
	s.draws[0].noise = noise{kind: Gaussian, scale: size, grain: 1}
	return s.Price(Orders{order}).Renyi[0]
}

// TestRenyiVectors compares prices and caps with dp_accounting's.
func TestRenyiVectors(t *testing.T) {
	v := readVectors(t)
	for i, o := range v.Orders {
		order := thousandths(o)
		for _, c := range v.Laplace {
			if got := float64(countPrice(t, Laplace, c.Epsilon, order)) / 1e12; !closeAbove(got, c.Divergences[i]) {
				t.Errorf("Laplace noise of ε = %g at %s costs %.15g, dp_accounting has %.15g", c.Epsilon, order, got, c.Divergences[i])
			}
		}
		for _, c := range v.Gaussian {
			if got := float64(countPrice(t, Gaussian, c.Sigma, order)) / 1e12; !closeAbove(got, c.Divergences[i]) {
				t.Errorf("Gaussian noise of σ = %g at %s costs %.15g, dp_accounting has %.15g", c.Sigma, order, got, c.Divergences[i])
			}
		}
		for _, c := range v.Response {
			if got := responseDivergence(c.Epsilon, o); math.Abs(got-c.Divergences[i]) > 1e-9*got {
				t.Errorf("randomised response of ε = %g at %s costs %.15g, dp_accounting has %.15g", c.Epsilon, order, got, c.Divergences[i])
			}
		}
		for _, c := range v.Caps {
			if theirs := c.Caps[i]; theirs > 0 {
				got := float64(RenyiCap(Epsilon(math.Round(c.Epsilon*1e12)), Delta(math.Round(c.Delta*1e18)), order)) / 1e12
				if got > theirs*(1+1e-12) || got < theirs*(1-1e-5)-1e-11 {
					t.Errorf("(%g, %g) at %s: d_max is %.15g, dp_accounting has %.15g", c.Epsilon, c.Delta, order, got, theirs)
				}
			}
		}
	}
}

// TestCompositionVectors adds up histories, and holds them against caps: the ε that dp_accounting converts a
// history to at one order gives a cap that holds it, and hardly less does not.
func TestCompositionVectors(t *testing.T) {
	v := readVectors(t)
	for i, o := range v.Orders {
		order := thousandths(o)
		for n, c := range v.Compositions {
			var total Clocks
			for _, step := range c.History {
				d := countPrice(t, step.Kind, step.Size, order)
				for range step.Count {
					total = total.Plus(Clocks{Renyi: Divergences{d}})
				}
			}
			got := float64(total.Renyi[0]) / 1e12
			if !closeAbove(got, c.Divergences[i]) {
				t.Errorf("history %d at %s costs %.15g, dp_accounting has %.15g", n, order, got, c.Divergences[i])
			}
			delta := Delta(math.Round(c.Delta * 1e18))
			if enough := RenyiCap(CeilEpsilon(c.Epsilons[i]+got*1e-5+1e-9), delta, order); total.Renyi[0] > enough {
				t.Errorf("history %d at %s: %s does not fit (%g, %g), which caps at %s", n, order, total.Renyi[0], c.Epsilons[i], c.Delta, enough)
			}
			if less := RenyiCap(CeilEpsilon(c.Epsilons[i]*(1-1e-5)), delta, order); total.Renyi[0] <= less {
				t.Errorf("history %d at %s: %s fits less than (%g, %g), which caps at %s", n, order, total.Renyi[0], c.Epsilons[i], c.Delta, less)
			}
		}
	}
}

// TestPublishedConversions are two values in dp_accounting's own tests: a divergence of 1.1 at order 32 is
// (1.32783806176, 1e-5)-DP, "computed by hand"; and Gaussian noise of σ = 4.530877117 on a count is "exactly
// (1, 1e-6)-DP" at its best order.
func TestPublishedConversions(t *testing.T) {
	if d := RenyiCap(1_327_838_061_760, OneDelta/100_000, 32_000); math.Abs(float64(d)/1e12-1.1) > 1e-10 {
		t.Errorf("(1.32783806176, 1e-5) at 32 caps at %s, published is 1.1", d)
	}
	order := DefaultOrder(OneEpsilon, OneDelta/1_000_000)
	rho := float64(RenyiCap(OneEpsilon, OneDelta/1_000_000, order)) / 1e12 / order.Float()
	if want := 1 / (2 * 4.530877117 * 4.530877117); math.Abs(rho-want) > 1e-8*want {
		t.Errorf("(1, 1e-6) at its best order %s has ρ = %.12g, published σ is %.12g", order, rho, want)
	}
}
