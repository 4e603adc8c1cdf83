package sandbox

import (
	"context"
	"math"

	"entrepot/privacy"
	"entrepot/privacy/ledger"
)

// infinite is the price, on Σε, of Gaussian noise without a δ of its own.
const infinite privacy.Epsilon = math.MaxInt64

// settle fixes the question's noise, decides on its price, and makes its spec. Where the caller leaves the
// mechanism to us, the first is taken that the policies allow and the mathematics admits.
func (s *Service) settle(ctx context.Context, q *prepared, loss privacy.Loss) error {
	losses, err := s.mechanisms(ctx, q, loss)
	if err != nil {
		return err
	}
	for _, l := range losses {
		if q.try(l); q.decision.Allowed && q.invalid == nil {
			break
		}
	}
	return nil
}

// mechanisms are the losses to try, best first. ε means Laplace noise. Under ρ the mechanism of less
// variance is tried where Gaussian noise takes nothing from anybody: it has a finite price on Σε
// (gaussian_delta), or no account could pay for the question by Σε any more. So the choice never
// ends a clock that still runs. Σε only grows: what it cannot pay now it never will.
func (s *Service) mechanisms(ctx context.Context, q *prepared, loss privacy.Loss) ([]privacy.Loss, error) {
	if loss.Mechanism != "" {
		return []privacy.Loss{loss}, nil
	}
	plain := loss
	plain.Mechanism = privacy.Laplace
	if loss.Rho == 0 {
		return []privacy.Loss{plain}, nil
	}
	best := loss
	best.Mechanism = privacy.Best
	plain.GaussianDelta = 0
	if ok, err := s.bearGaussian(ctx, *q, plain, loss.GaussianDelta > 0); err != nil || !ok {
		return []privacy.Loss{plain}, err
	}
	return []privacy.Loss{best, plain}, nil
}

// bearGaussian reports whether Gaussian noise harms no account: none is pure, and, unless its price on Σε is
// finite, none could pay that of Laplace noise.
func (s *Service) bearGaussian(ctx context.Context, q prepared, plain privacy.Loss, finite bool) (bool, error) {
	accounts, missing, err := s.accounts(ctx, q.spaces())
	if err != nil || missing != "" {
		return false, err
	}
	q.loss = plain
	spec, err := q.specify()
	for _, a := range accounts {
		if a.Kind == ledger.KindPure {
			return false, nil
		}
		if !finite && (err != nil || spec.Price(0).Epsilon <= a.Room().Epsilon) {
			return false, nil
		}
	}
	return true, nil
}

// try decides on the question at the price that a loss has. Where it has none, because the question cannot
// be answered so, the ε asked for is decided on: who may not ask is not told why it would not work.
func (q *prepared) try(loss privacy.Loss) {
	q.loss = loss
	spec, err := q.specify()
	if err == nil && loss.Mechanism == privacy.Best {
		// From here on the release depends on what was chosen, not on how.
		if q.loss.Mechanism = spec.Mechanism(); q.loss.Mechanism == privacy.Laplace {
			q.loss.GaussianDelta = 0
		}
		spec, err = q.specify()
	}
	cost := loss.Epsilon
	if err == nil {
		cost = spec.Price(0).Epsilon
	}
	q.decide(cost)
	q.spec, q.invalid = spec, nil
	if err != nil {
		q.spec, q.invalid = privacy.Spec{}, invalid("%s", err)
	}
}

// specify calibrates the noise, on which a pre-threshold has no influence, nor on the price. Its errors are
// for the caller: they say which bound or weight to change.
func (q prepared) specify() (privacy.Spec, error) {
	return pending{Plan: q.plan, Loss: q.loss, Weights: q.weights, PreThreshold: 1}.spec()
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
