package ledger

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"testing"

	"entrepot/privacy"
)

// operations is how many random operations TestOperations does.
func operations() int {
	if soak() {
		return 1_000_000
	}
	return 20_000
}

// TestOperations does random ledger operations on a few accounts and their allocations, and holds each result
// against the model: what was admitted and why not, every sum, every cap. After each, the invariants of the
// filter hold. Histories end, as accounts do: then a new account takes the place of an old one.
func TestOperations(t *testing.T) {
	seed := rand.Uint64()
	w := &world{t: t, r: rand.New(rand.NewPCG(seed, 0)), seconds: int64(instant), done: map[string]int{}}
	for range 4 {
		w.places = append(w.places, &place{})
		w.open(len(w.places) - 1)
	}
	for i := range operations() {
		w.operation()
		w.check()
		if t.Failed() {
			t.Fatalf("operation %d of seed %d", i, seed)
		}
	}
	for _, what := range []string{"open", "admitted", "admitted at a cap", ErrExhausted.Error(), ErrAllocated.Error(), ErrQuestion.Error(), ErrFrozen.Error(), ErrCharge.Error(),
		"terms", "larger lifetime", "smaller lifetime refused", "allocate", "reallocate", "unallocate", "failure", "time"} {
		if w.done[what] < operations()/2000 {
			t.Errorf("%s: only %d times", what, w.done[what])
		}
	}
	t.Logf("%v", w.done)
}

// world is a few accounts under random operations.
type world struct {
	t       *testing.T
	r       *rand.Rand
	seconds int64 // the time
	places  []*place
	opened  int
	done    map[string]int // operations by what came of them
}

// place is one account with its allocations, and its model.
type place struct {
	account     Account
	model       modelAccount
	allocations map[string]Allocation
	models      map[string]*modelAllocation
}

func (w *world) operation() {
	i := w.r.IntN(len(w.places))
	p := w.places[i]
	switch n := w.r.IntN(100); {
	case n < 62:
		w.ask(p, w.places[w.r.IntN(len(w.places))])
	case n < 66:
		p.account = p.account.Fail()
		p.model.failures++
		w.done["failure"]++
	case n < 74:
		w.amendTerms(p)
	case n < 77:
		w.amendPromise(p)
	case n < 83:
		w.allocate(p)
	case n < 87:
		w.unallocate(p)
	case n < 97:
		w.seconds += w.r.Int64N(5)
		w.done["time"]++
	default:
		w.open(i)
	}
}

// check holds every account to its model, and to what PROMISE.md rests on.
func (w *world) check() {
	for _, p := range w.places {
		a, m := p.account, &p.model
		if err := a.Validate(); err != nil || !m.spent.equal(a.Spent) || a.Caps != m.caps || a.Failures != m.failures || a.Revision != m.revision || a.Promises != m.promises {
			w.t.Errorf("%+v, the model has %+v: %v", a, m, err)
		}
		if !m.spent.within(m.caps, m.orders) {
			w.t.Errorf("%+v: no clock holds within the lifetime", a)
		}
		if a.Limits(Instant(w.seconds).Time()) != m.limits(w.seconds) {
			w.t.Errorf("%+v: limits at %d", a, w.seconds)
		}
		for name, b := range p.allocations {
			of := p.models[name]
			if err := b.Validate(a); err != nil || !of.spent.equal(b.Spent) || b.Caps != of.caps || b.Revision != of.revision {
				w.t.Errorf("%+v, the model has %+v: %v", b, of, err)
			}
		}
	}
}

// open replaces an account by a new one.
func (w *world) open(i int) {
	w.opened++
	p := Promise{Kind: KindRenyi, Epsilon: privacy.Epsilon(1 + w.r.Int64N(20*int64(privacy.OneEpsilon))), Delta: minDelta + privacy.Delta(w.r.Int64N(int64(micro)))}
	switch w.r.IntN(4) {
	case 0:
		p = Promise{Kind: KindPure, Epsilon: p.Epsilon}
	case 1:
		p.Delta += 10_000
		p.Orders, p.Shares = privacy.Orders{5000, 20_000, 80_000, 320_000}, Shares{p.Delta / 7, p.Delta / 5, p.Delta / 3, 1}
	}
	a, err := New(fmt.Sprintf("org/s%d", w.opened), p, Terms{})
	if err != nil {
		w.t.Errorf("%+v: %v", p, err)
		return
	}
	*w.places[i] = place{account: a, allocations: map[string]Allocation{}, models: map[string]*modelAllocation{},
		model: modelAccount{orders: a.Promise.Orders.Count(), caps: a.Caps, allowance: 3, question: NoLimit(a.Promise.Orders), revision: 1, promises: 1}}
	w.done["open"]++
}

// ask charges one or two accounts, all of them or none, as a store does.
func (w *world) ask(places ...*place) {
	if w.r.IntN(4) > 0 || places[0] == places[1] {
		places = places[:1]
	}
	project, organisation, name := fmt.Sprintf("p%d", w.r.IntN(3)), fmt.Sprintf("o%d", w.r.IntN(2)), fmt.Sprintf("n%d", w.r.IntN(2))
	losses := make([]privacy.Clocks, len(places))
	var want error
	for i, p := range places {
		losses[i] = w.loss(p)
		if want == nil {
			want = p.refusal(losses[i], w.seconds, project, organisation, name)
		}
	}
	got := w.charge(places, losses, Asker{Project: project, Researcher: organisation + "/" + name})
	if !errors.Is(got, want) || (got == nil) != (want == nil) {
		w.t.Errorf("charge %+v: %v, the model says %v", losses, got, want)
		return
	}
	if want != nil {
		w.done[want.Error()]++
		return
	}
	w.done["admitted"]++
	for i, p := range places {
		p.model.spent = p.model.spent.plus(losses[i])
		for _, m := range p.models {
			if m.covers(project, organisation, name) {
				m.spent = m.spent.plus(losses[i])
			}
		}
		limits, orders := amounts(p.model.caps), p.model.orders
		for clock, n := range amounts(p.account.Spent) {
			if clock < 2+orders && n == limits[clock] && n > 0 {
				w.done["admitted at a cap"]++
				break
			}
		}
	}
}

// refusal is the model's: the account first, then each allocation that covers who asks.
func (p *place) refusal(loss privacy.Clocks, second int64, project, organisation, name string) error {
	if err := p.model.refusal(loss, second); err != nil {
		return err
	}
	for _, m := range p.models {
		if m.covers(project, organisation, name) && !m.bears(loss) {
			return ErrAllocated
		}
	}
	return nil
}

// charge admits everywhere before it changes anything.
func (w *world) charge(places []*place, losses []privacy.Clocks, asker Asker) error {
	after, allocated := make([]Account, len(places)), make([]map[string]Allocation, len(places))
	for i, p := range places {
		c := Charge{p.account.ID, losses[i]}
		a, err := p.account.Admit(c, Instant(w.seconds).Time())
		if err != nil {
			return err
		}
		after[i], allocated[i] = a, map[string]Allocation{}
		for name, b := range p.allocations {
			if !b.Scope.Covers(asker) {
				continue
			}
			if allocated[i][name], err = b.Admit(c); err != nil {
				return err
			}
		}
	}
	for i, p := range places {
		p.account = after[i]
		maps.Copy(p.allocations, allocated[i])
	}
	return nil
}

// loss is a random charge: mostly small, sometimes exactly what is left, one more, far too much, or none.
func (w *world) loss(p *place) privacy.Clocks {
	room := amounts(p.account.Room(Instant(w.seconds).Time()))
	limits := amounts(p.model.caps)
	var out [2 + privacy.MaxOrders]int64
	for i := range out[:2+p.model.orders] {
		switch n := w.r.IntN(60); {
		case n < 40:
			out[i] = w.r.Int64N(limits[i]/40 + 1)
		case n < 46:
			out[i] = room[i]
		case n < 49:
			out[i] = room[i] + 1
		case n < 50:
			out[i] = w.r.Int64()
		case n < 51:
			out[i] = privacy.Unlimited
		default:
			out[i] = 1 + w.r.Int64N(3)
		}
		if i != 1 {
			out[i] = max(1, out[i])
		}
	}
	if w.r.IntN(40) == 0 { // no charge at all, one that runs backwards, or one of another kind of account
		out[w.r.IntN(len(out))] = -1
	}
	loss := privacy.Clocks{Epsilon: privacy.Epsilon(out[0]), Delta: privacy.Delta(out[1])}
	for k := range loss.Renyi {
		loss.Renyi[k] = privacy.Renyi(out[2+k])
	}
	return loss
}

// amendTerms changes allowance, limits of a question and schedule, also to less than what is spent.
func (w *world) amendTerms(p *place) {
	terms := Terms{Allowance: p.model.failures + 2, Question: NoLimit(p.account.Promise.Orders)}
	if terms.Allowance > MaxAllowance {
		return
	}
	if w.r.IntN(3) == 0 {
		terms.Question.Epsilon = p.account.Caps.Epsilon/4 + 1
	}
	if w.r.IntN(2) == 0 {
		from, share := w.seconds-2, int64(1)
		for i := range 1 + w.r.IntN(3) {
			from, share = from+1+w.r.Int64N(6), share+w.r.Int64N(int64(privacy.OneShare)-share+1)
			terms.Schedule[i] = Step{Instant(from), privacy.Share(share)}
		}
	}
	promise := p.account.Promise
	if w.r.IntN(2) == 0 {
		promise = Promise{Kind: promise.Kind, Epsilon: promise.Epsilon, Delta: promise.Delta}
	}
	after, err := p.account.Amend(promise, terms)
	if err != nil {
		w.t.Errorf("amend %+v: %v", terms, err)
		return
	}
	p.account = after
	m := &p.model
	m.allowance, m.question, m.schedule, m.revision = terms.Allowance, terms.Question, slices.Clone(terms.Schedule.Steps()), m.revision+1
	w.readBack(p)
	w.done["terms"]++
}

// amendPromise raises a lifetime, or tries to lower it.
func (w *world) amendPromise(p *place) {
	old := p.account.Promise
	promise := Promise{Kind: old.Kind, Epsilon: old.Epsilon, Delta: old.Delta}
	if w.r.IntN(3) == 0 {
		promise.Epsilon -= 1 + privacy.Epsilon(w.r.Int64N(int64(old.Epsilon)))
		if _, err := p.account.Amend(promise, p.account.Terms); !errors.Is(err, ErrAccount) {
			w.t.Errorf("from %+v to %+v: %v", old, promise, err)
		}
		w.done["smaller lifetime refused"]++
		return
	}
	promise.Epsilon += privacy.Epsilon(1 + w.r.Int64N(int64(old.Epsilon)/4+1))
	if old.Kind == KindRenyi && w.r.IntN(2) == 0 {
		promise.Delta += privacy.Delta(w.r.Int64N(int64(old.Delta)/4 + 1))
	}
	after, err := p.account.Amend(promise, p.account.Terms)
	if err != nil {
		w.t.Errorf("from %+v to %+v: %v", old, promise, err)
		return
	}
	if !p.account.Caps.Within(after.Caps) || after.Promise.Orders != old.Orders || after.Spent != p.account.Spent || after.Terms != p.account.Terms {
		w.t.Errorf("from %+v to %+v", p.account, after)
	}
	p.account = after
	p.model.caps, p.model.revision, p.model.promises = after.Caps, p.model.revision+1, p.model.promises+1
	w.done["larger lifetime"]++
}

// allocate makes an allocation or changes one; caps may add up to more than the account has.
func (w *world) allocate(p *place) {
	caps := NoLimit(p.account.Promise.Orders)
	caps.Epsilon = privacy.Epsilon(w.r.Int64N(int64(p.account.Caps.Epsilon)/4 + 1))
	if k := p.model.orders; k > 0 && w.r.IntN(2) == 0 {
		caps.Renyi[k-1] = privacy.Renyi(w.r.Int64N(int64(p.account.Caps.Renyi[k-1]) + 1))
	}
	scopes := []Scope{{Project: "p0"}, {Project: "p1", Organisation: "o0"}, {Organisation: "o1"}, {Researcher: "o0/n0"}, {Project: "p2", Researcher: "o1/n1"}}
	name, scope := fmt.Sprintf("a%d", w.r.IntN(5)), scopes[w.r.IntN(len(scopes))]
	old, found := p.allocations[name]
	if found {
		m := p.models[name]
		p.allocations[name] = old.Amend(scope, caps)
		m.scope, m.caps, m.revision = scope, caps, m.revision+1
		w.done["reallocate"]++
		return
	}
	p.allocations[name] = Allocation{Account: p.account.ID, Name: name, Revision: 1, Scope: scope, Caps: caps}
	p.models[name] = &modelAllocation{scope: scope, caps: caps, revision: 1}
	w.done["allocate"]++
}

// unallocate deletes an allocation: what was spent of it stays on the account.
func (w *world) unallocate(p *place) {
	if len(p.allocations) == 0 {
		return
	}
	name := slices.Sorted(maps.Keys(p.allocations))[0]
	delete(p.allocations, name)
	delete(p.models, name)
	w.done["unallocate"]++
}

// readBack sends an account through its stored form.
func (w *world) readBack(p *place) {
	b, err := json.Marshal(p.account)
	var back Account
	if err != nil || json.Unmarshal(b, &back) != nil || back != p.account {
		w.t.Errorf("%s reads back as %+v, %v", b, back, err)
	}
	p.account = back
}
