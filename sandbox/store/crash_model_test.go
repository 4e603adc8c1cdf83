package store

import (
	"maps"
	"math"
	"math/big"
	"slices"
	"strings"
	"time"

	"entrepot/privacy"
	"entrepot/privacy/ledger"
	"entrepot/sandbox"
)

// The model of TestCrashes: maps and sums, without the store's code and without that of the filter.

// sums are clocks as a list: Σε, four Σd, Σδ.
type sums [6]int64

func sumsOf(c privacy.Clocks) sums {
	return sums{int64(c.Epsilon), int64(c.Renyi[0]), int64(c.Renyi[1]), int64(c.Renyi[2]), int64(c.Renyi[3]), int64(c.Delta)}
}

func (s sums) clocks() privacy.Clocks {
	return privacy.Clocks{Epsilon: privacy.Epsilon(s[0]), Delta: privacy.Delta(s[5]),
		Renyi: privacy.Divergences{privacy.Renyi(s[1]), privacy.Renyi(s[2]), privacy.Renyi(s[3]), privacy.Renyi(s[4])}}
}

func (s sums) plus(o sums) sums {
	for i := range s {
		sum := new(big.Int).Add(big.NewInt(s[i]), big.NewInt(o[i]))
		if !sum.IsInt64() {
			sum.SetInt64(math.MaxInt64)
		}
		s[i] = sum.Int64()
	}
	return s
}

// modelAccount is one account, its allocations and what it must be.
type modelAccount struct {
	ledger.Account // what its owner set; Spent and Failures are below
	spent          sums
	failures       int64
	allocations    map[string]*modelAllocation
}

type modelAllocation struct {
	ledger.Allocation // Spent is below
	spent             sums
}

// account is what the store must show.
func (m *modelAccount) account() ledger.Account {
	a := m.Account
	a.Spent, a.Failures = m.spent.clocks(), m.failures
	return a
}

func (m *modelAllocation) allocation() ledger.Allocation {
	a := m.Allocation
	a.Spent = m.spent.clocks()
	return a
}

// limits are the caps at a moment: the schedule's share of the lifetime's, rounded down.
func (m *modelAccount) limits(at time.Time) sums {
	share, scheduled := int64(0), false
	for _, step := range m.Terms.Schedule {
		if step.From == 0 {
			break
		}
		scheduled = true
		if int64(step.From) <= at.Unix() {
			share = int64(step.Share)
		}
	}
	limits := sumsOf(m.Caps)
	for i := range limits {
		if scheduled {
			n := new(big.Int).Mul(big.NewInt(limits[i]), big.NewInt(share))
			limits[i] = n.Quo(n, big.NewInt(1e6)).Int64()
		}
	}
	return limits
}

// refusal is the error that a charge must meet, nil where it is admitted.
func (m *modelAccount) refusal(loss sums, at time.Time, project, researcher string) error {
	if m.failures >= m.Terms.Allowance {
		return ledger.ErrFrozen
	}
	question := sumsOf(m.Terms.Question)
	for i := range loss {
		if loss[i] > question[i] {
			return ledger.ErrQuestion
		}
	}
	sum, limits := m.spent.plus(loss), m.limits(at)
	admitted := sum[0] <= limits[0]
	for k := range m.Promise.Orders.Count() {
		admitted = admitted || sum[1+k] <= limits[1+k]
	}
	if !admitted || sum[5] > limits[5] {
		return ledger.ErrExhausted
	}
	for _, name := range slices.Sorted(maps.Keys(m.allocations)) {
		if b := m.allocations[name]; b.covers(project, researcher) && !b.bears(loss) {
			return ledger.ErrAllocated
		}
	}
	return nil
}

func (m *modelAccount) charge(loss sums, project, researcher string) {
	m.spent = m.spent.plus(loss)
	for _, b := range m.allocations {
		if b.covers(project, researcher) {
			b.spent = b.spent.plus(loss)
		}
	}
}

func (m *modelAllocation) covers(project, researcher string) bool {
	s := m.Scope
	switch {
	case s.Project != "" && s.Project != project:
		return false
	case s.Organisation != "" && !strings.HasPrefix(researcher, s.Organisation+"/"):
		return false
	}
	return s.Researcher == "" || s.Researcher == researcher
}

func (m *modelAllocation) bears(loss sums) bool {
	sum, limits := m.spent.plus(loss), sumsOf(m.Caps)
	for i := range sum {
		if sum[i] > limits[i] {
			return false
		}
	}
	return true
}

// modelQuestion is a question that was admitted.
type modelQuestion struct {
	id      string
	key     string
	charged []*modelAccount
	shared  bool // charged to the commons, too
	state   sandbox.State
}
