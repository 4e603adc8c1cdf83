package ledger

import (
	"math/big"

	"entrepot/privacy"
)

// modelAccount is what an account must be after a history, counted in big integers and without its code.
type modelAccount struct {
	orders    int
	caps      privacy.Clocks // of the promise in force
	allowance int64
	question  privacy.Clocks
	schedule  []Step
	failures  int64
	revision  int64
	promises  int64
	spent     clocks
}

// limits are the caps of a moment: the share of the last step that has begun, rounded down.
func (m *modelAccount) limits(second int64) privacy.Clocks {
	share := int64(privacy.OneShare)
	if len(m.schedule) > 0 {
		share = 0
	}
	for _, step := range m.schedule {
		if int64(step.From) <= second {
			share = int64(step.Share)
		}
	}
	of := func(limit int64) int64 {
		n := new(big.Int).Mul(big.NewInt(limit), big.NewInt(share))
		return n.Quo(n, big.NewInt(int64(privacy.OneShare))).Int64()
	}
	limits := privacy.Clocks{Epsilon: privacy.Epsilon(of(int64(m.caps.Epsilon))), Delta: privacy.Delta(of(int64(m.caps.Delta)))}
	for k, limit := range m.caps.Renyi {
		limits.Renyi[k] = privacy.Renyi(of(int64(limit)))
	}
	return limits
}

// refusal is the error that a charge must meet, nil where it is admitted.
func (m *modelAccount) refusal(loss privacy.Clocks, second int64) error {
	for k, d := range loss.Renyi {
		if d < 0 || (d > 0) != (k < m.orders) {
			return ErrCharge
		}
	}
	if loss.Epsilon <= 0 || loss.Delta < 0 {
		return ErrCharge
	}
	if m.failures >= m.allowance {
		return ErrFrozen
	}
	for i, n := range amounts(loss) {
		if n > amounts(m.question)[i] {
			return ErrQuestion
		}
	}
	if sum := m.spent.plus(loss); !sum.within(m.limits(second), m.orders) {
		return ErrExhausted
	}
	return nil
}

// modelAllocation is what an allocation must be.
type modelAllocation struct {
	scope    Scope
	caps     privacy.Clocks
	revision int64
	spent    clocks
}

// covers says it in another way than Scope.Covers: every part that is named is one of the asker's.
func (m *modelAllocation) covers(project, organisation, name string) bool {
	parts := [][2]string{{m.scope.Project, project}, {m.scope.Organisation, organisation}, {m.scope.Researcher, organisation + "/" + name}}
	for _, part := range parts {
		if part[0] != "" && part[0] != part[1] {
			return false
		}
	}
	return true
}

// bears says whether every cap holds after a loss. Unlimited caps nothing.
func (m *modelAllocation) bears(loss privacy.Clocks) bool {
	sum := m.spent.plus(loss)
	for i, limit := range amounts(m.caps) {
		if limit != privacy.Unlimited && sum[i].Cmp(big.NewInt(limit)) > 0 {
			return false
		}
	}
	return true
}
