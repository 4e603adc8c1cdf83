package privacy

import (
	"encoding/json"
	"fmt"
	"math"
)

// MaxOrders is the most Rényi clocks that an account may have.
const MaxOrders = 4

// Orders are the orders of an account's Rényi clocks, rising; 0 after the last.
type Orders [MaxOrders]Order

// Divergences are losses at an account's orders, one for each in their order; 0 where there is none.
type Divergences [MaxOrders]Renyi

// Unlimited is the amount that caps nothing, and the loss that no capped clock can bear.
const Unlimited = math.MaxInt64

// Clocks is a loss, or a cap on losses, measured in the ways that an account counts.
type Clocks struct {
	Epsilon Epsilon     `json:"epsilon"` // Σε, basic composition
	Renyi   Divergences `json:"renyi"`   // Σd at each of the account's orders
	Delta   Delta       `json:"delta"`   // Σδ of approximate steps
}

// Count is the number of orders in use.
func (o Orders) Count() int { return used(o[:]) }

// All are the orders in use.
func (o Orders) All() []Order { return o[:o.Count()] }

// Plus adds two losses that are not negative. A sum too large to count stays at Unlimited.
func (c Clocks) Plus(d Clocks) Clocks {
	c.Epsilon, c.Delta = addAmounts(c.Epsilon, d.Epsilon), addAmounts(c.Delta, d.Delta)
	for k := range c.Renyi {
		c.Renyi[k] = addAmounts(c.Renyi[k], d.Renyi[k])
	}
	return c
}

// Minus is what a cap leaves over a loss, 0 on a clock that is beyond it; Unlimited stays.
func (c Clocks) Minus(d Clocks) Clocks {
	c.Epsilon, c.Delta = left(c.Epsilon, d.Epsilon), left(c.Delta, d.Delta)
	for k := range c.Renyi {
		c.Renyi[k] = left(c.Renyi[k], d.Renyi[k])
	}
	return c
}

// Within reports whether a loss is within a cap on every clock.
func (c Clocks) Within(limit Clocks) bool {
	for k := range c.Renyi {
		if c.Renyi[k] > limit.Renyi[k] {
			return false
		}
	}
	return c.Epsilon <= limit.Epsilon && c.Delta <= limit.Delta
}

// Negative reports whether some clock is below 0.
func (c Clocks) Negative() bool { return !(Clocks{}).Within(c) }

// Max is the larger amount on every clock.
func (c Clocks) Max(d Clocks) Clocks {
	c.Epsilon, c.Delta = max(c.Epsilon, d.Epsilon), max(c.Delta, d.Delta)
	for k := range c.Renyi {
		c.Renyi[k] = max(c.Renyi[k], d.Renyi[k])
	}
	return c
}

func left[A ~int64](limit, spent A) A {
	if limit == Unlimited {
		return limit
	}
	return max(0, limit-spent)
}

// MarshalJSON writes the orders in use as a list.
func (o Orders) MarshalJSON() ([]byte, error) { return json.Marshal(o.All()) }

// UnmarshalJSON reads what MarshalJSON writes.
func (o *Orders) UnmarshalJSON(b []byte) error { return fill(o[:], b) }

// Used are the divergences without the zeros at the end.
func (d Divergences) Used() []Renyi { return d[:used(d[:])] }

// MarshalJSON writes a list without the zeros at its end.
func (d Divergences) MarshalJSON() ([]byte, error) { return json.Marshal(d.Used()) }

// UnmarshalJSON reads what MarshalJSON writes.
func (d *Divergences) UnmarshalJSON(b []byte) error { return fill(d[:], b) }

// used is the length of a list without the zeros at its end.
func used[A ~int64](list []A) int {
	n := len(list)
	for n > 0 && list[n-1] == 0 {
		n--
	}
	return n
}

func fill[A ~int64](array []A, b []byte) error {
	var list []A
	if err := json.Unmarshal(b, &list); err != nil {
		return err
	}
	if len(list) > len(array) {
		return fmt.Errorf("%w: a list of %d; an account has at most %d Rényi clocks", ErrAmount, len(list), len(array))
	}
	clear(array)
	copy(array, list)
	return nil
}
