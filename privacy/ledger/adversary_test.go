package ledger

import (
	"math"
	"testing"

	"entrepot/privacy"
)

// unit is how many parts ε = 1 has in these games.
const unit = 30

// step is what an adversary may do: randomised response of so many parts of ε, which shows the database
// with probability leak.
type step struct {
	parts  int
	leak   privacy.Delta
	charge Charge
}

// newStep prices randomised response at the account's orders, with the formula of PROMISE.md, section 3.
func newStep(a Account, parts int, leak privacy.Delta) step {
	eps := float64(parts) / unit
	p := 1 / (1 + math.Exp(-eps))
	loss := privacy.Clocks{Epsilon: privacy.Epsilon(parts) * privacy.OneEpsilon / unit, Delta: leak}
	for k, o := range a.Promise.Orders.All() {
		alpha := o.Float()
		d := math.Log(p*math.Exp((alpha-1)*eps)+(1-p)*math.Exp((1-alpha)*eps)) / (alpha - 1)
		loss.Renyi[k] = privacy.CeilRenyi(d * (1 + 1e-9))
	}
	return step{parts, leak, Charge{a.ID, loss}}
}

// position is where a game stands: what was spent, and the log of P/Q, in parts.
type position struct {
	spent privacy.Clocks
	ratio int
}

// bestAdversary is the largest P(S) − e^ε·Q(S) that any adversary reaches who chooses each step with knowledge of
// all earlier answers, as far as admit lets it: found exactly, by going through all positions. From a position
// the adversary stops, when S holds if P > e^ε·Q; or takes a step, which answers truly with probability p.
func bestAdversary(a Account, steps []step, admit func(a Account, c Charge) (Account, bool)) float64 {
	known := map[position]float64{}
	lifetime := float64(a.Promise.Epsilon) / 1e12
	var value func(a Account, ratio int) float64
	value = func(a Account, ratio int) float64 {
		at := position{a.Spent, ratio}
		if v, ok := known[at]; ok {
			return v
		}
		best := max(0, 1-math.Exp(lifetime-float64(ratio)/unit))
		for _, s := range steps {
			after, ok := admit(a, s.charge)
			if !ok {
				continue
			}
			p, leak := 1/(1+math.Exp(-float64(s.parts)/unit)), float64(s.leak)/1e18
			v := p*value(after, ratio+s.parts) + (1-p)*value(after, ratio-s.parts)
			best = max(best, leak+(1-leak)*v)
		}
		known[at] = best
		return best
	}
	return value(a, 0)
}

// TestBestAdversary plays the best of all adaptive adversaries against accounts of several splits: what it
// reaches is at most δ, and not far below it. A filter that counts a charge on one clock only is found out.
func TestBestAdversary(t *testing.T) {
	const delta = privacy.OneDelta / 1000
	one := func(delta privacy.Delta) Promise {
		return Promise{Kind: KindRenyi, Epsilon: privacy.OneEpsilon, Delta: delta}
	}
	equal := one(delta)
	equal.Orders, equal.Shares = privacy.Orders{8000, 12_000, 20_000, 40_000}, Shares{delta / 8, delta / 8, delta / 8, delta / 8}
	noSteps := one(delta)
	noSteps.Orders, noSteps.Shares = privacy.Orders{privacy.DefaultOrder(privacy.OneEpsilon, delta)}, Shares{delta}
	honest := func(a Account, c Charge) (Account, bool) {
		after, err := a.Admit(c, now)
		return after, err == nil
	}
	for name, p := range map[string]Promise{"default": one(delta), "four orders": equal, "all of δ for one": noSteps, "pure": {Kind: KindPure, Epsilon: privacy.OneEpsilon}} {
		a := openWith(t, p, Terms{})
		steps := []step{newStep(a, 1, 0), newStep(a, 9, 0), newStep(a, 1, max(1, a.Caps.Delta/2))}
		reached, promised := bestAdversary(a, steps, honest), float64(p.Delta)/1e18
		t.Logf("%s: %.3g of %.3g", name, reached, promised)
		if reached > promised*(1+1e-9)+1e-15 {
			t.Errorf("%s: an adversary reaches %g, promised is %g", name, reached, promised)
		}
		if p.Kind == KindRenyi && reached < promised/100 {
			t.Errorf("%s: the best adversary reaches only %g, which shows little", name, reached)
		}
	}
	a := openWith(t, one(delta), Terms{})
	if reached := bestAdversary(a, []step{newStep(a, 1, 0), newStep(a, 9, 0)}, apart); reached <= 1e-3 {
		t.Errorf("against a broken filter an adversary reaches only %g", reached)
	}
}

// apart is a broken filter: a charge is put on the first clock that it fits, and on no other.
func apart(a Account, c Charge) (Account, bool) {
	after := a
	if after.Spent.Epsilon += c.Loss.Epsilon; after.Spent.Epsilon <= a.Caps.Epsilon {
		return after, true
	}
	for k := range a.Promise.Orders.All() {
		after = a
		if after.Spent.Renyi[k] += c.Loss.Renyi[k]; after.Spent.Renyi[k] <= a.Caps.Renyi[k] {
			return after, true
		}
	}
	return a, false
}
