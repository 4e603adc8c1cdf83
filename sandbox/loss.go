package sandbox

import (
	"cmp"
	"context"
	"errors"
	"maps"
	"slices"
	"time"

	"entrepot/access"
	"entrepot/privacy"
	"entrepot/privacy/ledger"
)

// infinite is the price, on Σε, of Gaussian noise without a δ of its own.
const infinite privacy.Epsilon = privacy.Unlimited

// Spent is a loss as a caller names one: whoever asks for it gets the same noise.
type Spent struct {
	Epsilon       privacy.Epsilon   `json:"epsilon,omitzero"`
	Rho           privacy.Rho       `json:"rho,omitzero"`
	Delta         privacy.Delta     `json:"delta"`
	Mechanism     privacy.Mechanism `json:"mechanism"`
	GaussianDelta privacy.Delta     `json:"gaussian_delta,omitzero"`
	Weights       map[string]int64  `json:"weights,omitempty"` // of columns, by name; 1 where none is given
}

// newSpent is what a question spends.
func newSpent(l privacy.Loss, weights map[string]int64) Spent {
	weights = maps.Clone(weights)
	maps.DeleteFunc(weights, func(_ string, weight int64) bool { return weight == 1 })
	if len(weights) == 0 {
		weights = nil
	}
	return Spent{Epsilon: l.Epsilon, Rho: l.Rho, Delta: l.Delta, Mechanism: l.Mechanism, GaussianDelta: l.GaussianDelta, Weights: weights}
}

// offer is one way to answer a question, and what the policies say of its price.
type offer struct {
	loss     privacy.Loss     // with its mechanism
	weights  map[string]int64 // of columns of the answer, by name, when the loss is divided
	spec     privacy.Spec
	invalid  error // why there is no spec
	decision access.Decision
	refusal  string // which policy denies, and why; "" where all allow
}

// open reports whether the policies allow the question so, and the mathematics admits it.
func (o offer) open() bool { return o.decision.Allowed && o.invalid == nil }

// fits reports whether Σε of an account can pay for the question so. What has no price fits every Σε that still
// runs: none is ended because Laplace noise cannot be had.
func (o offer) fits(a ledger.Account, at time.Time) bool {
	return max(o.spec.Price(privacy.Orders{}).Epsilon, 1) <= a.Room(at).Epsilon
}

// settle fixes the question's noise, and with it decision, price and spec. Where the caller leaves the
// mechanism to us it is Laplace, but under ρ the one of less variance where that is bearable.
func (s *Service) settle(ctx context.Context, q *prepared, loss privacy.Loss) error {
	if loss.Mechanism != "" || loss.Rho == 0 {
		q.why = "it is what a loss in ε buys"
		if loss.Rho != 0 {
			q.why = "the question names it"
		}
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
	purses, missing, err := s.purses(ctx, *q)
	if err != nil {
		return err
	}
	if q.why = unbearable(purses, missing, best, laplace, s.now()); q.why == "" {
		q.offer, q.why = best, "it is the smaller noise for this ρ, and ends no clock that could pay for laplace noise"
	}
	return nil
}

// purse is an account, with the allocations of it that cover who asks.
type purse struct {
	ledger.Account
	allocations []ledger.Allocation
}

// purses finds what a question would be charged to, or names an account that is not open.
func (s *Service) purses(ctx context.Context, q prepared) (list []purse, missing string, err error) {
	accounts, missing, err := s.accounts(ctx, q.spaces())
	if err != nil || missing != "" {
		return nil, missing, err
	}
	for _, a := range accounts {
		allocations, err := s.Ledger.Allocations(ctx, a.ID)
		if err != nil {
			return nil, "", unavailable(err)
		}
		allocations = slices.DeleteFunc(slices.Clone(allocations), func(a ledger.Allocation) bool { return !a.Scope.Covers(q.asker) })
		list = append(list, purse{a, allocations})
	}
	return list, "", nil
}

// refuses names an allocation that would bear the one loss and not the other; "" where none does.
func (p purse) refuses(loss, other privacy.Clocks) string {
	for _, a := range p.allocations {
		_, err := a.Admit(ledger.Charge{Account: p.ID, Loss: loss})
		if _, otherwise := a.Admit(ledger.Charge{Account: p.ID, Loss: other}); err != nil && otherwise == nil {
			return a.Name
		}
	}
	return ""
}

// unbearable says why the best noise may not be taken for Laplace noise, as the accounts stand now, or "" where it
// may: every account admits it, and none loses Σε by it that Laplace noise would have left running. Where Laplace
// noise does not fit Σε either, that clock cannot pay for this question anyway, and Σd does. What is
// charged between now and the question's own charge is not foreseen.
func unbearable(purses []purse, missing string, best, laplace offer, now time.Time) string {
	switch {
	case best.invalid != nil:
		return "there is no gaussian noise for this question: " + AsError(best.invalid).Public
	case missing != "":
		return "no account is open for " + missing + " that could tell whether it bears gaussian noise"
	case !best.decision.Allowed:
		return "a policy does not allow the price of gaussian noise"
	}
	for _, a := range purses {
		price := best.spec.Price(a.Promise.Orders)
		_, err := a.Admit(ledger.Charge{Account: a.ID, Loss: price}, now)
		ends := !best.fits(a.Account, now) && laplace.fits(a.Account, now)
		allocation := ""
		if laplace.invalid == nil {
			allocation = a.refuses(price, laplace.spec.Price(a.Promise.Orders))
		}
		switch {
		case allocation != "":
			return "the allocation " + allocation + " of " + a.ID + " covers laplace noise, and not gaussian noise"
		case ends && price.Epsilon == infinite:
			return "gaussian noise would end Σε of " + a.ID + ", which still runs; a gaussian_delta makes its ε finite"
		case ends:
			return "gaussian noise costs more ε than Σε of " + a.ID + " has left, and would end it"
		case err != nil:
			return a.ID + " does not admit gaussian noise"
		}
	}
	return ""
}

// bite is what two offers take of an account's clock, as shares of its limit.
type bite struct {
	clock      string
	room       float64 // that the clock has, as a share of its limit
	one, other float64
}

// hardest measures two offers on each account's clock with most room, among those that can pay for one of the two, and
// returns the account's that is hit hardest: what it has most of will pay for the next questions. Of equal clocks it is
// the one that pays best. false where no clock can pay.
func hardest(purses []purse, one, other offer, now time.Time) (worst bite, ok bool) {
	for _, a := range purses {
		p, q, limits, room := one.spec.Price(a.Promise.Orders), other.spec.Price(a.Promise.Orders), a.Limits(now), a.Room(now)
		var best bite
		consider := func(clock string, p, q, limit, room int64) {
			if limit <= 0 || min(p, q) > room {
				return
			}
			b := bite{clock + " of " + a.ID, float64(room) / float64(limit), float64(p) / float64(limit), float64(q) / float64(limit)}
			if b.room > best.room || b.room == best.room && min(b.one, b.other) < min(best.one, best.other) {
				best = b
			}
		}
		consider(clockEpsilon, int64(p.Epsilon), int64(q.Epsilon), int64(limits.Epsilon), int64(room.Epsilon))
		for k := range a.Promise.Orders.All() {
			consider(clockRenyi(k), int64(p.Renyi[k]), int64(q.Renyi[k]), int64(limits.Renyi[k]), int64(room.Renyi[k]))
		}
		if best.clock != "" && (!ok || max(best.one, best.other) > max(worst.one, worst.other)) {
			worst, ok = best, true
		}
	}
	return worst, ok
}

// consider decides on the question at the price that a loss has. Where it has none, because the question
// cannot be answered so, the ε asked for is decided on: who may not ask is not told why it would not work.
func (q prepared) consider(loss privacy.Loss) offer {
	o := offer{loss: loss, weights: q.weights}
	// A pre-threshold has no influence on the price, nor on whether there is one. The error is for the
	// caller: it says which bound or weight to change.
	spec, err := pending{Plan: q.plan, Loss: loss, Weights: q.weights, PreThreshold: 1}.spec()
	if err != nil {
		return q.without(o, err)
	}
	o.spec = spec
	if loss.Mechanism == privacy.Best { // the release depends on what was chosen, not on how
		if o.loss.Mechanism = spec.Mechanism(); o.loss.Mechanism == privacy.Laplace {
			o.loss.GaussianDelta = 0
		}
	}
	o.decision, o.refusal = q.decide(spec.Price(privacy.Orders{}).Epsilon)
	return o
}

// without is an offer that has no price.
func (q prepared) without(o offer, err error) offer {
	if e := (*Error)(nil); errors.As(err, &e) {
		o.invalid = e
	} else {
		o.invalid = invalid("%s", err)
	}
	o.decision, o.refusal = q.decide(o.loss.Epsilon)
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
		list = append(list, charged{a, q.spec.Price(a.Promise.Orders)})
	}
	return list, nil
}

// never says why an account could not bear the loss even if nothing had been charged to it; nil where it
// could. It tells the asker what no smaller question would.
func (c charged) never() *Error {
	a, e := c.account, &Error{Code: CodeExhausted, Hint: "Ask for a smaller loss."}
	switch pure := a.Promise.Kind == ledger.KindPure; {
	case pure && c.loss.Epsilon == infinite:
		e.Public = a.ID + " is a pure account: it counts ε alone, and Gaussian noise costs all of it."
		e.Hint = "Ask with Laplace noise."
	case pure && c.loss.Delta > 0:
		e.Public = a.ID + " is a pure account: its δ is 0, so it bears neither groups that are selected privately nor Gaussian noise."
		e.Hint = "Group by columns with public domains, and ask with Laplace noise."
	case c.loss.Delta > a.Caps.Delta:
		e.Public = "This question costs δ " + c.loss.Delta.String() + "; " + a.ID + " never bears more than " + a.Caps.Delta.String() + "."
		e.Hint = "Ask for a smaller δ."
	case !a.CouldBear(c.loss):
		e.Public = "This question costs more than " + a.ID + " ever bears."
	default:
		return nil
	}
	e.Public += " Nothing was charged."
	return e
}
