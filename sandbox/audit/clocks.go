package audit

import (
	"maps"
	"math"
	"slices"
	"time"

	"entrepot/privacy"
	"entrepot/privacy/ledger"
)

// plus adds two losses. Amounts are checked not to be negative when they are read; a sum beyond int64
// stays at the largest, which no cap admits on the clock it matters for.
func plus(a, b privacy.Clocks) privacy.Clocks {
	return privacy.Clocks{
		Epsilon: saturating(a.Epsilon, b.Epsilon), Renyi: saturating(a.Renyi, b.Renyi), Delta: saturating(a.Delta, b.Delta),
	}
}

func saturating[T ~int64](a, b T) T {
	if sum := a + b; sum >= a {
		return sum
	}
	return math.MaxInt64
}

// Size is the number of entries applied.
func (h *History) Size() int64 { return h.next }

// Latest is the latest time of any entry; zero for the empty log.
func (h *History) Latest() time.Time { return h.latest }

// Accounts returns every account as the log leaves it, sorted.
func (h *History) Accounts() []ledger.Account {
	accounts := make([]ledger.Account, 0, len(h.accounts))
	for _, id := range slices.Sorted(maps.Keys(h.accounts)) {
		accounts = append(accounts, h.accounts[id])
	}
	return accounts
}

// Clocks returns what every account has spent, sorted, as a checkpoint states it.
func (h *History) Clocks() []Spent {
	var clocks []Spent
	for _, a := range h.Accounts() {
		clocks = append(clocks, Spent{Account: a.ID, Clocks: a.Spent})
	}
	return clocks
}

// Asked returns how far an admitted question came; false if it was never charged.
func (h *History) Asked(query string) (Asked, bool) {
	asked, ok := h.asked[query]
	return asked, ok
}

// Charged is the number of admitted questions.
func (h *History) Charged() int { return len(h.asked) }

// Unanswered lists the questions that were charged and neither released nor failed, by their charges.
func (h *History) Unanswered() []string {
	var queries []string
	for query, asked := range h.asked {
		if asked.Release == "" && !asked.Failed {
			queries = append(queries, query)
		}
	}
	slices.SortFunc(queries, func(a, b string) int { return int(h.asked[a].Entry - h.asked[b].Entry) })
	return queries
}
