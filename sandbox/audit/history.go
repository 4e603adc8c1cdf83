package audit

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"time"

	"entrepot/privacy"
	"entrepot/privacy/ledger"
)

// ErrHistory means that an entry, well-formed by itself, contradicts those before it. The server that
// wrote the log broke its promise, or the log was altered.
var ErrHistory = errors.New("the log contradicts itself")

// History is a log replayed: the accounts as its charges left them and how far each question came. It
// is a fold over the entries; apply them all, in order, each once.
type History struct {
	next     int64
	latest   time.Time
	kinds    map[Kind]int64
	accounts map[string]ledger.Account
	asked    map[string]Asked // by query
	released map[string]bool  // release ids
}

// Asked is how far an admitted question came.
type Asked struct {
	Charge   int64     // index of its charge
	Time     time.Time // of its charge
	Actor    string
	Accounts []string // charged, sorted
	Release  string   // its release; "" while there is none
	Failed   bool
}

// NewHistory is the history of the empty log.
func NewHistory() *History {
	return &History{
		kinds: map[Kind]int64{}, accounts: map[string]ledger.Account{},
		asked: map[string]Asked{}, released: map[string]bool{},
	}
}

// Apply adds the next entry. ErrHistory (with what is wrong) leaves the history as it was; so does
// ErrEntry.
func (h *History) Apply(e Entry) error {
	if e.Index != h.next {
		return fmt.Errorf("%w: its index is %d where %d is due", ErrHistory, e.Index, h.next)
	}
	body, err := ParseBody(e.Kind, e.Body)
	if err != nil {
		return err
	}
	if err := h.checkTime(e, body); err != nil {
		return err
	}
	if err := h.apply(e, body); err != nil {
		return fmt.Errorf("%w: %w", ErrHistory, err)
	}
	h.next++
	h.kinds[e.Kind]++
	return nil
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
		err = h.open(b.Account)
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

func (h *History) open(a ledger.Account) error {
	if _, ok := h.accounts[a.ID]; ok {
		return fmt.Errorf("account %s is open already", a.ID)
	}
	if err := CheckOpening(a); err != nil {
		return fmt.Errorf("account %s: %w", a.ID, err)
	}
	h.accounts[a.ID] = a
	return nil
}

// charge admits on every account or, with an error, changes none.
func (h *History) charge(e Entry, c Charge) error {
	if _, ok := h.asked[c.Query]; ok {
		return fmt.Errorf("%s was charged before", c.Query)
	}
	after := make([]ledger.Account, len(c.Charges))
	for i, charge := range c.Charges {
		account, ok := h.accounts[charge.Account]
		if !ok {
			return fmt.Errorf("account %s is not open", charge.Account)
		}
		admitted, err := account.Admit(charge)
		if err != nil {
			return fmt.Errorf("the charge of %s was not admissible: %w", c.Query, err)
		}
		if sum := plus(account.Spent, charge.Loss); c.Spent[i].Clocks != sum || admitted.Spent != sum {
			return fmt.Errorf("account %s: its clocks after the charge are not those before plus the loss", charge.Account)
		}
		after[i] = admitted
	}
	for _, account := range after {
		h.accounts[account.ID] = account
	}
	h.asked[c.Query] = Asked{Charge: e.Index, Time: e.Time, Actor: e.Actor, Accounts: c.Accounts()}
	return nil
}

func (h *History) release(e Entry, r Release) error {
	asked, err := h.complete(e, r.Query)
	if err != nil {
		return err
	}
	if h.released[r.Release] {
		return fmt.Errorf("release %s exists already", r.Release)
	}
	asked.Release = r.Release
	h.asked[r.Query], h.released[r.Release] = asked, true
	return nil
}

func (h *History) fail(e Entry, f Failure) error {
	asked, err := h.complete(e, f.Query)
	if err != nil {
		return err
	}
	if !slices.Equal(f.Accounts, asked.Accounts) {
		return fmt.Errorf("the accounts of %s are not those of its charge", f.Query)
	}
	frozen := []string{}
	for _, id := range asked.Accounts {
		if !h.accounts[id].Frozen() && h.accounts[id].Fail().Frozen() {
			frozen = append(frozen, id)
		}
	}
	if !slices.Equal(f.Frozen, frozen) {
		return fmt.Errorf("the failure of %s froze %q, it says %q", f.Query, frozen, f.Frozen)
	}
	for _, id := range asked.Accounts {
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
	return T(^uint64(0) >> 1)
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
	slices.SortFunc(queries, func(a, b string) int { return int(h.asked[a].Charge - h.asked[b].Charge) })
	return queries
}
