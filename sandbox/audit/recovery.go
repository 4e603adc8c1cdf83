package audit

import (
	"errors"
	"fmt"
	"slices"
	"time"

	"golang.org/x/mod/sumdb/note"

	"entrepot/privacy"
	"entrepot/privacy/ledger"
)

// MaxRecovery is the longest recovery entry in bytes: it holds a whole checkpoint, and the clocks again.
const MaxRecovery = 4 * MaxCheckpoint

// Recovered is a recovery as the log records it. The restored log had Index entries.
type Recovered struct {
	Index int64
	Leaf  Hash // of its entry
	Time  time.Time
	Actor string
	Recovery
}

// Saw returns the checkpoint that a recovery went by, false where there was none. Its signature is not
// checked here: Verify does that.
func (r Recovery) Saw() (Checkpoint, bool) {
	c, err := PeekCheckpoint([]byte(r.Witness))
	return c, err == nil
}

func (r Recovery) canonical(kind Kind) (Body, error) {
	r.Spent, r.Frozen = list(r.Spent), list(r.Frozen)
	names := make([]string, len(r.Spent))
	for i, spent := range r.Spent {
		if spent.Clocks.Negative() {
			return nil, fmt.Errorf("a clock of %s is negative", spent.Account)
		}
		names[i] = spent.Account
	}
	if _, known := r.Saw(); known != (r.Witness != "") || r.Newest && !known {
		return nil, errors.New("its witness is not a checkpoint")
	}
	return r, errors.Join(is(kind, KindRecovery), CheckReason(r.Reason), accountIDs(names), accountIDs(r.Frozen))
}

// accountIDs checks for accounts, sorted, each once.
func accountIDs(names []string) error {
	for i, name := range names {
		if err := accountID(name); err != nil {
			return err
		}
		if i > 0 && names[i-1] >= name {
			return errors.New("its accounts are not sorted, each once")
		}
	}
	return nil
}

// Recover writes the recovery of this log by a checkpoint that it does not extend, "" where none is known.
// newest says that the lost log ended with that checkpoint. Then the accounts whose clocks jump are frozen,
// for failures of their questions were lost too; otherwise all of them are, for more may have been lost.
func (h *History) Recover(reason, witness string, newest bool) (Recovery, error) {
	return h.recovery(Recovery{Reason: reason, Witness: witness, Newest: newest}, false)
}

// RecoverServed is Recover for a log that may have gone on before anybody noticed that it was restored: what it
// charged meanwhile comes on top of what the checkpoint shows. As nobody can tell where the two parted, what
// they have in common since their last recovery counts twice. Verify asks for less: it cannot tell that a log went on.
func (h *History) RecoverServed(reason, witness string) (Recovery, error) {
	return h.recovery(Recovery{Reason: reason, Witness: witness}, true)
}

// recovery completes r with what it must say at least.
func (h *History) recovery(r Recovery, served bool) (Recovery, error) {
	saw, known := r.Saw()
	if known != (r.Witness != "") || r.Newest && !known {
		return r, fmt.Errorf("%w: it cannot be read", ErrCheckpoint)
	}
	r.Spent = spentOf(h.jumpTo(saw, served))
	for _, s := range r.Spent {
		if a, open := h.accounts[s.Account]; open && (!r.Newest || a.Spent != s.Clocks) {
			r.Frozen = append(r.Frozen, s.Account)
		}
	}
	return r, nil
}

// recover replays a recovery. Afterwards no clock stands below what is known, and no account is open whose
// failures nobody knows any more.
func (h *History) recover(e Entry, r Recovery) error {
	least, err := h.Recover(r.Reason, r.Witness, r.Newest)
	if err != nil {
		return err
	}
	spent := ClocksOf(r.Spent)
	for _, s := range least.Spent {
		if clocks, named := spent[s.Account]; !named || !s.Clocks.Within(clocks) {
			return fmt.Errorf("the clocks of %s fall below what was spent of it, as far as is known", s.Account)
		}
	}
	for _, s := range r.Spent {
		a, open := h.accounts[s.Account]
		if jumps := a.Spent != s.Clocks || slices.Contains(least.Frozen, s.Account); open && jumps && !slices.Contains(r.Frozen, s.Account) {
			return fmt.Errorf("account %s stays open, though questions may have failed that nobody knows of", s.Account)
		}
	}
	for _, id := range r.Frozen {
		if _, open := h.accounts[id]; !open {
			return fmt.Errorf("account %s is frozen, but not open", id)
		}
	}
	encoded, err := Encode(e)
	if err != nil {
		return err
	}
	h.jump(r)
	h.recoveries = append(h.recoveries, Recovered{Index: e.Index, Leaf: LeafHash(encoded), Time: e.Time, Actor: e.Actor, Recovery: r})
	return nil
}

// jump applies a recovery that was checked.
func (h *History) jump(r Recovery) {
	for _, s := range r.Spent {
		a, open := h.accounts[s.Account]
		if !open {
			if s.Clocks != (privacy.Clocks{}) {
				h.owed[s.Account] = s.Clocks
			}
			continue
		}
		a.Spent = s.Clocks
		if slices.Contains(r.Frozen, a.ID) {
			a = a.Freeze()
		}
		h.accounts[a.ID] = a
	}
}

// unfinished refuses the answer to a question charged before a recovery: it may have been answered in what
// was lost, and a second answer would be a second draw of noise for one charge.
func (h *History) unfinished(asked Asked) error {
	if n := len(h.recoveries); n > 0 && asked.Entry < h.recoveries[n-1].Index {
		return errors.New("its charge came before a recovery, in which an answer to it may have been lost")
	}
	return nil
}

// checkOpening is CheckOpening for an account that may have been lost in a recovery.
func (h *History) checkOpening(a ledger.Account) error {
	if owed, lost := h.owed[a.ID]; lost {
		if a != Resume(a, owed) {
			return errors.New("it does not begin with what was spent of it before it was lost")
		}
		a.Spent = privacy.Clocks{}
	}
	return CheckOpening(a)
}

// Resume is an account opened anew after a recovery in which it was lost: it begins with what the witness
// says that was spent of it. The orders of its old Rényi clocks were lost with it, so that what they showed
// says nothing about any other order: the new ones are used up, and Σε alone admits.
func Resume(a ledger.Account, lost privacy.Clocks) ledger.Account {
	a.Spent = privacy.Clocks{Epsilon: lost.Epsilon, Delta: lost.Delta}
	for k := range a.Promise.Orders.All() {
		a.Spent.Renyi[k] = privacy.Unlimited
	}
	return a
}

// ClocksOf makes a list of clocks a map.
func ClocksOf(list []Spent) map[string]privacy.Clocks {
	clocks := make(map[string]privacy.Clocks, len(list))
	for _, s := range list {
		clocks[s.Account] = s.Clocks
	}
	return clocks
}

// ForeignCheckpoint reports whether ReadCheckpoint refused a checkpoint because no key given signed it: it is
// whole, for all one can tell, but of another log.
func ForeignCheckpoint(err error) bool {
	_, foreign := errors.AsType[*note.UnverifiedNoteError](err)
	return foreign
}
