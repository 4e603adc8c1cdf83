package ledger

import (
	"encoding/json"
	"fmt"
	"math/bits"

	"entrepot/privacy"
)

// Promise is the lifetime of an account and how it is counted: what the people in a unit space are promised,
// of everything ever released about them.
type Promise struct {
	Kind    Kind            `json:"kind"`
	Epsilon privacy.Epsilon `json:"epsilon"` // lifetime ε
	Delta   privacy.Delta   `json:"delta"`   // lifetime δ
	Orders  privacy.Orders  `json:"orders"`  // α of each Rényi clock; none for a pure account
	Shares  Shares          `json:"shares"`  // δ_α of each; what they leave of Delta is for approximate steps
}

// Shares are what each Rényi clock of an account has of its δ, in the order of its orders.
type Shares [privacy.MaxOrders]privacy.Delta

// unsplit reports whether its orders and their shares are left to us.
func (p Promise) unsplit() bool { return p.Orders == (privacy.Orders{}) && p.Shares == (Shares{}) }

// withDefaultOrders splits δ: half for approximate steps, the rest for two orders.
//
// The first has nine tenths of it, and is the one that admits the most small charges. The second, 2.5 times as
// far from 1, has the last tenth, and lives on where a few large charges have used the first one up. Measured
// on (1, 1e-6): 460 charges of ε = 0.01 fit and not the 464 that one order with all of it admits; after one of
// ε = 0.6 there fit 74 and not 40 (BUDGETS.md has mixed workloads). An ε so small that the best order is the
// largest there is leaves no room for a second: the first then has all of their half.
func (p Promise) withDefaultOrders() Promise {
	ofOrders := p.Delta / 2
	second := ofOrders / 10
	first := ofOrders - second
	p.Shares = Shares{first, second}
	if p.Epsilon <= 0 || second <= 0 || p.Delta >= privacy.OneDelta {
		return p // validate says why
	}
	order := privacy.DefaultOrder(p.Epsilon, first)
	p.Orders = privacy.Orders{order, min(1000+(order-1000)*5/2, privacy.MaxOrder)}
	if p.Orders[1] <= order {
		p.Orders, p.Shares = privacy.Orders{order}, Shares{ofOrders}
	}
	return p
}

// grown is a larger lifetime with the old orders, which keep their part of δ. No share shrinks, nor what they
// leave: ⌊δ′·s/δ⌋ ≥ s, and Σ⌊δ′·s/δ⌋ ≤ δ′·Σs/δ.
func (p Promise) grown(larger Promise) Promise {
	larger.Orders, larger.Shares = p.Orders, p.Shares
	if larger.Delta <= p.Delta {
		return larger
	}
	for k := range p.Orders.All() {
		larger.Shares[k] = privacy.Delta(part(int64(larger.Delta), int64(p.Shares[k]), int64(p.Delta)))
	}
	return larger
}

// caps is what the promise gives each clock: Σε ≤ ε, Σd ≤ d_max(α), Σδ ≤ what the orders leave.
func (p Promise) caps() privacy.Clocks {
	caps := privacy.Clocks{Epsilon: p.Epsilon, Delta: p.Delta}
	for k, order := range p.Orders.All() {
		caps.Renyi[k] = privacy.RenyiCap(p.Epsilon, p.Shares[k], order)
		caps.Delta -= min(p.Shares[k], caps.Delta)
	}
	return caps
}

func (p Promise) validate() error {
	if p.Epsilon <= 0 || p.Epsilon > privacy.MaxLifetimeEpsilon {
		return fmt.Errorf("%w: a lifetime ε of %s; it must be above 0 and at most %s", ErrAccount, p.Epsilon, privacy.MaxLifetimeEpsilon)
	}
	switch p.Kind {
	case KindPure:
		if p.Delta != 0 || p.Orders != (privacy.Orders{}) || p.Shares != (Shares{}) {
			return fmt.Errorf("%w: a pure account has δ = 0 and no clock but Σε", ErrAccount)
		}
		return nil
	case KindRenyi:
		return p.validateOrders()
	default:
		return fmt.Errorf("%w: there is no kind %.40q; write %q or %q", ErrAccount, p.Kind, KindRenyi, KindPure)
	}
}

// validateOrders holds the split to the lifetime: Σδ_α + δ_steps ≤ δ.
func (p Promise) validateOrders() error {
	if p.Delta < minDelta || p.Delta >= privacy.OneDelta {
		return fmt.Errorf("%w: a lifetime δ of %s; it must be at least %s and below 1 (a pure account has none)", ErrAccount, p.Delta, minDelta)
	}
	left, previous := p.Delta, privacy.Order(1000)
	for k, order := range p.Orders {
		share := p.Shares[k]
		if k >= max(1, p.Orders.Count()) {
			if share != 0 {
				return fmt.Errorf("%w: a share of δ without an order", ErrAccount)
			}
			continue
		}
		if order <= previous || order > privacy.MaxOrder {
			return fmt.Errorf("%w: an order of %s; orders rise, and are above 1 and at most %s", ErrAccount, order, privacy.MaxOrder)
		}
		if share <= 0 || share > left {
			return fmt.Errorf("%w: order %s has a share of δ of %s; shares are above 0, and no more than δ in all", ErrAccount, order, share)
		}
		left, previous = left-share, order
	}
	return nil
}

// minDelta is the least lifetime δ of which every default part is above 0.
const minDelta privacy.Delta = 20

// part is whole·n/d rounded down, for whole ≥ 0 and 0 ≤ n ≤ d, d > 0.
func part(whole, n, d int64) int64 {
	high, low := bits.Mul64(uint64(whole), uint64(n))
	quotient, _ := bits.Div64(high, low, uint64(d))
	return int64(quotient)
}

// MarshalJSON writes a list without the zeros at its end.
func (s Shares) MarshalJSON() ([]byte, error) {
	list := s[:]
	for len(list) > 0 && list[len(list)-1] == 0 {
		list = list[:len(list)-1]
	}
	return json.Marshal(list)
}

// UnmarshalJSON reads what MarshalJSON writes.
func (s *Shares) UnmarshalJSON(b []byte) error { return readList(s[:], b) }

// readList reads a list into an array; what it leaves is zero.
func readList[T any](array []T, b []byte) error {
	var list []T
	if err := json.Unmarshal(b, &list); err != nil {
		return err
	}
	if len(list) > len(array) {
		return fmt.Errorf("%w: a list of %d where at most %d are possible", ErrAccount, len(list), len(array))
	}
	clear(array)
	copy(array, list)
	return nil
}
