package sandbox

import (
	"cmp"
	"context"
	"math"

	"entrepot/access"
	"entrepot/privacy"
	"entrepot/privacy/ledger"
)

// infinite is the price, on Σε, of Gaussian noise without a δ of its own.
const infinite privacy.Epsilon = math.MaxInt64

// offer is one way to answer a question, and what the policies say of its price.
type offer struct {
	loss     privacy.Loss // with its mechanism
	spec     privacy.Spec
	invalid  error // why there is no spec
	decision access.Decision
	refusal  string // which policy denies, and why; "" where all allow
}

// open reports whether the policies allow the question so, and the mathematics admits it.
func (o offer) open() bool { return o.decision.Allowed && o.invalid == nil }

// fits reports whether Σε of an account can pay for the question so. What has no price fits every Σε that still
// runs: none is ended because Laplace noise cannot be had.
func (o offer) fits(a ledger.Account) bool {
	return max(o.spec.Price(0).Epsilon, 1) <= a.Room().Epsilon
}

// settle fixes the question's noise, and with it decision, price and spec. Where the caller leaves the
// mechanism to us it is Laplace, but under ρ the one of less variance where that is bearable.
func (s *Service) settle(ctx context.Context, q *prepared, loss privacy.Loss) error {
	if loss.Mechanism != "" || loss.Rho == 0 {
		loss.Mechanism = cmp.Or(loss.Mechanism, privacy.Laplace)
		q.offer = q.consider(loss)
		q.offers = []offer{q.offer}
		return nil
	}
	loss.Mechanism = privacy.Best
	best := q.consider(loss)
	loss.Mechanism, loss.GaussianDelta = privacy.Laplace, 0
	laplace := q.consider(loss)
	q.offer, q.offers = laplace, []offer{best, laplace}
	ok, err := s.bearable(ctx, q.spaces(), best, laplace)
	if ok {
		q.offer = best
	}
	return err
}

// bearable reports whether the best noise may be taken for Laplace noise, as the accounts stand now: every
// account admits it, and none loses Σε by it that Laplace noise would have left running. Where Laplace
// noise does not fit Σε either, that clock cannot pay for this question anyway, and Σd does. What is
// charged between now and the question's own charge is not foreseen.
func (s *Service) bearable(ctx context.Context, spaces []string, best, laplace offer) (bool, error) {
	accounts, missing, err := s.accounts(ctx, spaces)
	if err != nil || missing != "" || !best.open() {
		return false, err
	}
	for _, a := range accounts {
		_, err := a.Admit(ledger.Charge{Account: a.ID, Loss: best.spec.Price(a.Order)})
		if err != nil || !best.fits(a) && laplace.fits(a) {
			return false, nil
		}
	}
	return true, nil
}

// consider decides on the question at the price that a loss has. Where it has none, because the question
// cannot be answered so, the ε asked for is decided on: who may not ask is not told why it would not work.
func (q prepared) consider(loss privacy.Loss) offer {
	o := offer{loss: loss}
	// A pre-threshold has no influence on the price, nor on whether there is one. The error is for the
	// caller: it says which bound or weight to change.
	spec, err := pending{Plan: q.plan, Loss: loss, Weights: q.weights, PreThreshold: 1}.spec()
	if err != nil {
		o.invalid = invalid("%s", err)
		o.decision, o.refusal = q.decide(loss.Epsilon)
		return o
	}
	o.spec = spec
	if loss.Mechanism == privacy.Best { // the release depends on what was chosen, not on how
		if o.loss.Mechanism = spec.Mechanism(); o.loss.Mechanism == privacy.Laplace {
			o.loss.GaussianDelta = 0
		}
	}
	o.decision, o.refusal = q.decide(spec.Price(0).Epsilon)
	return o
}

// charged is one account and what a question costs it.
type charged struct {
	account ledger.Account
	loss    privacy.Clocks
}

// price is what the question costs each account: of every unit space that it touches, the whole loss.
// It is a function of the text, the policy and public metadata.
func (s *Service) price(ctx context.Context, q prepared) ([]charged, error) {
	accounts, missing, err := s.accounts(ctx, q.spaces())
	if err != nil {
		return nil, err
	}
	if missing != "" {
		return nil, noAccount(missing)
	}
	var list []charged
	for _, a := range accounts {
		list = append(list, charged{a, q.spec.Price(a.Order)})
	}
	return list, nil
}

// never says why an account could not bear the loss even if nothing had been charged to it; nil where it
// could. It tells the asker what no smaller question would.
func (c charged) never() *Error {
	a, e := c.account, &Error{Code: CodeExhausted, Hint: "Ask for a smaller loss."}
	switch pure := a.Kind == ledger.KindPure; {
	case pure && c.loss.Epsilon == infinite:
		e.Public = a.ID + " is a pure account: it counts ε alone, and Gaussian noise costs all of it."
		e.Hint = "Ask with Laplace noise."
	case pure && c.loss.Delta > 0:
		e.Public = a.ID + " is a pure account: its δ is 0, so it bears neither groups that are selected privately nor Gaussian noise."
		e.Hint = "Group by columns with public domains, and ask with Laplace noise."
	case c.loss.Delta > a.Caps.Delta:
		e.Public = "This question costs δ " + c.loss.Delta.String() + "; " + a.ID + " never bears more than " + a.Caps.Delta.String() + "."
		e.Hint = "Ask for a smaller δ."
	case c.loss.Epsilon > a.Caps.Epsilon && (pure || c.loss.Renyi > a.Caps.Renyi):
		e.Public = "This question costs more than " + a.ID + " ever bears."
	default:
		return nil
	}
	e.Public += " Nothing was charged."
	return e
}
