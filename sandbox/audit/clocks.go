package audit

import (
	"maps"
	"slices"
	"time"

	"entrepot/privacy/ledger"
)

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

// Allocations returns every allocation as the log leaves it, sorted by account and name.
func (h *History) Allocations() []ledger.Allocation {
	list := []ledger.Allocation{}
	for _, account := range slices.Sorted(maps.Keys(h.allocations)) {
		for _, name := range slices.Sorted(maps.Keys(h.allocations[account])) {
			list = append(list, h.allocations[account][name])
		}
	}
	return list
}

// Clocks returns what every account has spent, sorted, as a checkpoint states it: those included that were lost
// in a recovery and not opened again.
func (h *History) Clocks() []Spent { return spentOf(h.known()) }

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
