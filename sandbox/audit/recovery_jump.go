package audit

import (
	"maps"
	"slices"

	"entrepot/privacy"
)

// Jump returns what must be taken as spent, of every account open, lost or seen, once it is known that
// this log does not extend a checkpoint. Where the checkpoint is ahead of it, as after a restore, that is the
// larger of both. Where both went on from a common beginning, what each of them charged since comes together.
func (h *History) Jump(c Checkpoint) map[string]privacy.Clocks { return h.jumpTo(c, false) }

// jumpTo is Jump; served says that this log went on after the restore.
func (h *History) jumpTo(c Checkpoint, served bool) map[string]privacy.Clocks {
	now := h.known()
	jumped := maps.Clone(now)
	if h.RecoveredBy(c) {
		return jumped
	}
	common, forked := h.common(c)
	for id, seen := range ClocksOf(c.Accounts) {
		if c.Size > h.next && !forked && !served {
			jumped[id] = seen.Max(now[id])
			continue
		}
		jumped[id] = seen.Plus(now[id].Minus(common[id])).Max(now[id])
		if _, same := common[id]; !same && seen != (privacy.Clocks{}) {
			jumped[id] = h.otherOrders(id, jumped[id])
		}
	}
	return jumped
}

// common are the clocks that this log and that of a checkpoint have in common: those where they part. Logs
// part at a recovery that only one of them has. Without one nobody knows where: somewhere after the last recovery
// that both have.
func (h *History) common(c Checkpoint) (clocks map[string]privacy.Clocks, forked bool) {
	r, here := h.fork(c)
	m, there := h.forkOf(c)
	switch saw, known := r.Saw(); {
	case there && (!here || m.Index < r.Index):
		return h.before(m.Index), true
	case here && known && !saw.sameLog(c):
		return h.before(r.Index), true // the recovery counted what another log shows
	case here && known:
		return ClocksOf(saw.Accounts), true // the recovery counted all of those
	case here:
		return ClocksOf(r.Spent), true
	}
	return h.shared(c), false
}

// shared are the clocks after the last recovery that this log and that of a checkpoint have in common, where no
// recovery parts them.
func (h *History) shared(c Checkpoint) (clocks map[string]privacy.Clocks) {
	for _, r := range h.recoveries {
		if r.Index < c.Size {
			clocks = ClocksOf(r.Spent)
		}
	}
	return clocks
}

// fork is the first recovery of this log that the checkpoint's log does not have, though it went as far.
func (h *History) fork(c Checkpoint) (Recovered, bool) {
	for _, r := range h.recoveries {
		if r.Index < c.Size && !slices.Contains(c.Recoveries, r.mark()) {
			return r, true
		}
	}
	return Recovered{}, false
}

// forkOf is the first recovery of the checkpoint's log that this one does not have, though it went as far.
func (h *History) forkOf(c Checkpoint) (Mark, bool) {
	for _, m := range c.Recoveries {
		if m.Index < h.next && !slices.Contains(h.marks(), m) {
			return m, true
		}
	}
	return Mark{}, false
}

// sameLog reports whether of two checkpoints one may extend the other: as far as both go, they have the same
// recoveries, and no clock falls.
func (c Checkpoint) sameLog(d Checkpoint) bool {
	if c.Size > d.Size {
		c, d = d, c
	}
	later := ClocksOf(d.Accounts)
	for _, s := range c.Accounts {
		// Unused Rényi clocks may fall when an account is opened anew (Resume).
		if l, there := later[s.Account]; !there || l.Epsilon < s.Clocks.Epsilon || l.Delta < s.Clocks.Delta {
			return false
		}
	}
	far := func(m Mark) bool { return m.Index >= min(c.Size, d.Size) }
	return slices.Equal(slices.DeleteFunc(slices.Clone(c.Recoveries), far), slices.DeleteFunc(slices.Clone(d.Recoveries), far))
}

// before are the clocks as they stood before an entry, or less.
func (h *History) before(index int64) map[string]privacy.Clocks {
	from, clocks := int64(-1), map[string]privacy.Clocks{}
	for _, r := range h.recoveries {
		if r.Index < index {
			from, clocks = r.Index, ClocksOf(r.Spent)
		}
	}
	for id := range h.accounts {
		if _, ok := clocks[id]; !ok && h.opened[id] < index {
			clocks[id] = privacy.Clocks{}
		}
	}
	for _, asked := range h.asked {
		if asked.Entry <= from || asked.Entry >= index {
			continue
		}
		for _, charge := range asked.Charges {
			clocks[charge.Account] = clocks[charge.Account].Plus(charge.Loss)
		}
	}
	return clocks
}

func (h *History) marks() []Mark {
	var marks []Mark
	for _, r := range h.recoveries {
		marks = append(marks, r.mark())
	}
	return marks
}

func (r Recovered) mark() Mark { return Mark{r.Index, r.Leaf} }

// otherOrders are the clocks of an account that was opened a second time, perhaps with other orders: only Σε
// and Σδ of both can be added.
func (h *History) otherOrders(id string, c privacy.Clocks) privacy.Clocks {
	for k := range h.accounts[id].Promise.Orders.All() {
		c.Renyi[k] = privacy.Unlimited
	}
	return c
}

// known is what was spent of every account, those included that were lost in a recovery.
func (h *History) known() map[string]privacy.Clocks {
	known := maps.Clone(h.owed)
	for id, a := range h.accounts {
		known[id] = a.Spent
	}
	return known
}

// Owed is what was spent of accounts that were lost in a recovery, sorted, those included that were opened again
// since: they began with it.
func (h *History) Owed() []Spent { return spentOf(h.owed) }

// Recoveries are those that the log records, in order.
func (h *History) Recoveries() []Recovered { return slices.Clone(h.recoveries) }

// RecoveredBy reports whether a recovery went by this very checkpoint.
func (h *History) RecoveredBy(c Checkpoint) bool {
	return slices.ContainsFunc(h.recoveries, func(r Recovered) bool { return r.by(c) })
}

// Lacks reports whether a checkpoint that the log does not extend shows more spent than the accounts do.
func (h *History) Lacks(c Checkpoint) bool { return !maps.Equal(h.Jump(c), h.known()) }

// Parted reports whether a recovery parts this log from a checkpoint that it does not extend. Then questions that
// both charged have ended here.
func (h *History) Parted(c Checkpoint) bool {
	_, parted := h.fork(c)
	return parted || h.RecoveredBy(c)
}

// by reports whether a recovery went by a checkpoint.
func (r Recovered) by(c Checkpoint) bool {
	saw, known := r.Saw()
	return known && saw.Size == c.Size && saw.Root == c.Root
}

// spentOf lists clocks by account.
func spentOf(clocks map[string]privacy.Clocks) []Spent {
	var list []Spent
	for _, id := range slices.Sorted(maps.Keys(clocks)) {
		list = append(list, Spent{Account: id, Clocks: clocks[id]})
	}
	return list
}
