package audit

import (
	"errors"
	"fmt"
	"slices"
	"time"

	"entrepot/privacy"
	"entrepot/privacy/ledger"
)

// ErrHistory means that an entry, well-formed by itself, contradicts those before it. The server that
// wrote the log broke its promise, or the log was altered.
var ErrHistory = errors.New("the log contradicts itself")

// History is a log replayed: accounts and allocations as its charges left them and how far each question
// came. It is a fold over the entries; apply them all, in order, each once.
type History struct {
	next        int64
	latest      time.Time
	kinds       map[Kind]int64
	accounts    map[string]ledger.Account
	allocations map[string]map[string]ledger.Allocation // by account and name
	asked       map[string]Asked                        // by query
	released    map[string]bool                         // release ids
	opened      map[string]int64                        // entries of openings, by account
	recoveries  []Recovered
	owed        map[string]privacy.Clocks // by account: spent of accounts that were lost in a recovery, and begin with it when they are opened again
}

// Asked is how far an admitted question came.
type Asked struct {
	Entry   int64     // index of its charge
	Time    time.Time // of its charge
	Actor   string
	Project string
	Charges []ledger.Charge // sorted by account
	Release string          // its release; "" while there is none
	Digest  string          // of the answer released
	Failed  bool
}

// NewHistory is the history of the empty log.
func NewHistory() *History {
	return &History{
		kinds: map[Kind]int64{}, accounts: map[string]ledger.Account{}, allocations: map[string]map[string]ledger.Allocation{},
		asked: map[string]Asked{}, released: map[string]bool{}, owed: map[string]privacy.Clocks{}, opened: map[string]int64{},
	}
}

// Apply reads the next entry and adds it; it returns the entry with its body. ErrHistory (with what is
// wrong) leaves the history as it was; so does ErrEntry.
func (h *History) Apply(encoded []byte) (Entry, Body, error) {
	e, body, err := decode(encoded)
	if err != nil {
		return Entry{}, nil, err
	}
	if e.Index != h.next {
		return Entry{}, nil, fmt.Errorf("%w: its index is %d where %d is due", ErrHistory, e.Index, h.next)
	}
	if err := h.checkTime(e, body); err != nil {
		return Entry{}, nil, err
	}
	if err := h.apply(e, body); err != nil {
		return Entry{}, nil, fmt.Errorf("%w: %w", ErrHistory, err)
	}
	h.next++
	h.kinds[e.Kind]++
	return e, body, nil
}

// checkTime holds time to its order. A completion carries its charge's time, which complete compares;
// everything else is never earlier than what came before.
func (h *History) checkTime(e Entry, body Body) error {
	switch body.(type) {
	case Release, Failure:
		return nil
	}
	if e.Time.Before(h.latest) {
		return fmt.Errorf("%w: its time is before that of an earlier entry", ErrHistory)
	}
	return nil
}

func (h *History) apply(e Entry, body Body) error {
	var err error
	switch b := body.(type) {
	case Opening:
		err = h.open(e, b.Account)
	case Amendment:
		err = h.amend(b)
	case Allocation:
		err = h.allocate(b)
	case Recovery:
		err = h.recover(e, b)
	case Charge:
		err = h.charge(e, b)
	case Release:
		err = h.release(e, b)
	case Failure:
		err = h.fail(e, b)
	case Repeat:
		if !h.released[b.Release] {
			err = fmt.Errorf("it repeats %s, which was not released before", b.Release)
		}
	}
	if err == nil && e.Time.After(h.latest) {
		h.latest = e.Time
	}
	return err
}

func (h *History) open(e Entry, a ledger.Account) error {
	if _, ok := h.accounts[a.ID]; ok {
		return fmt.Errorf("account %s is open already", a.ID)
	}
	if err := h.checkOpening(a); err != nil {
		return fmt.Errorf("account %s: %w", a.ID, err)
	}
	h.accounts[a.ID], h.opened[a.ID] = a, e.Index
	return nil
}

// charge admits on every account and every allocation that covers who asked or, with an error, changes none.
func (h *History) charge(e Entry, c Charge) error {
	if _, ok := h.asked[c.Query]; ok {
		return fmt.Errorf("%s was charged before", c.Query)
	}
	asker := ledger.Asker{Project: c.Project, Researcher: e.Actor}
	after := make([]ledger.Account, len(c.Charges))
	var allocated []ledger.Allocation
	for i, charge := range c.Charges {
		account, ok := h.accounts[charge.Account]
		if !ok {
			return fmt.Errorf("account %s is not open", charge.Account)
		}
		admitted, err := account.Admit(charge, e.Time)
		if err != nil {
			return fmt.Errorf("the charge of %s was not admissible: %w", c.Query, err)
		}
		if sum := account.Spent.Plus(charge.Loss); c.Spent[i].Clocks != sum || admitted.Spent != sum {
			return fmt.Errorf("account %s: its clocks after the charge are not those before plus the loss", charge.Account)
		}
		after[i] = admitted
		covering, err := h.admitAllocated(charge, asker)
		if err != nil {
			return fmt.Errorf("the charge of %s was not admissible: %w", c.Query, err)
		}
		allocated = append(allocated, covering...)
	}
	for _, account := range after {
		h.accounts[account.ID] = account
	}
	for _, a := range allocated {
		h.allocations[a.Account][a.Name] = a
	}
	h.asked[c.Query] = Asked{Entry: e.Index, Time: e.Time, Actor: e.Actor, Project: c.Project, Charges: c.Charges}
	return nil
}

func (h *History) release(e Entry, r Release) error {
	asked, err := h.complete(e, r.Query)
	if err != nil {
		return err
	}
	if err := h.unfinished(asked); err != nil {
		return err
	}
	if h.released[r.Release] {
		return fmt.Errorf("release %s exists already", r.Release)
	}
	asked.Release, asked.Digest = r.Release, r.Digest
	h.asked[r.Query], h.released[r.Release] = asked, true
	return nil
}

func (h *History) fail(e Entry, f Failure) error {
	asked, err := h.complete(e, f.Query)
	if err != nil {
		return err
	}
	accounts := Charge{Charges: asked.Charges}.Accounts()
	if !slices.Equal(f.Accounts, accounts) {
		return fmt.Errorf("the accounts of %s are not those of its charge", f.Query)
	}
	frozen := []string{}
	for _, id := range accounts {
		if !h.accounts[id].Frozen() && h.accounts[id].Fail().Frozen() {
			frozen = append(frozen, id)
		}
	}
	if !slices.Equal(f.Frozen, frozen) {
		return fmt.Errorf("the failure of %s froze %q, it says %q", f.Query, frozen, f.Frozen)
	}
	for _, id := range accounts {
		h.accounts[id] = h.accounts[id].Fail()
	}
	asked.Failed = true
	h.asked[f.Query] = asked
	return nil
}

// complete finds the charge that a release or a failure ends.
func (h *History) complete(e Entry, query string) (Asked, error) {
	asked, ok := h.asked[query]
	switch {
	case !ok:
		return asked, fmt.Errorf("%s was not charged before", query)
	case asked.Release != "":
		return asked, fmt.Errorf("%s was released before", query)
	case asked.Failed:
		return asked, fmt.Errorf("%s failed before", query)
	case !e.Time.Equal(asked.Time):
		return asked, fmt.Errorf("its time is not that of the charge of %s", query)
	case e.Actor != asked.Actor:
		return asked, fmt.Errorf("its actor is not that of the charge of %s", query)
	}
	return asked, nil
}
