package api

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"time"

	"entrepot/privacy"
	"entrepot/privacy/ledger"
	"entrepot/sandbox"
	"entrepot/sandbox/audit"
)

// fakeStore implements the store's interfaces of package sandbox in memory, for the API's own tests. The
// real store is tested elsewhere; here only what the Service sees of it matters.
type fakeStore struct {
	mu        sync.Mutex
	documents map[string]sandbox.Document // by kind and id, the newest
	accounts  map[string]ledger.Account
	allocated map[string][]ledger.Allocation // by account
	questions []sandbox.Question
	log       [][]byte
	signer    *audit.Signer

	down    error // when set, whatever writes fails with it
	tornLog int64 // when set, reading the log from this index on fails; below 0 from the start
}

func newFakeStore() *fakeStore {
	signer, err := audit.NewSigner("entrepot.example/log", make([]byte, 32))
	if err != nil {
		panic(err)
	}
	return &fakeStore{documents: map[string]sandbox.Document{}, accounts: map[string]ledger.Account{},
		allocated: map[string][]ledger.Allocation{}, signer: signer}
}

func (m *fakeStore) Get(_ context.Context, kind, id string) (sandbox.Document, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	d, ok := m.documents[kind+" "+id]
	if !ok {
		return d, sandbox.ErrNotFound
	}
	return d, nil
}

func (m *fakeStore) List(_ context.Context, kind string) ([]sandbox.Document, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	var list []sandbox.Document
	for _, d := range m.documents {
		if d.Kind == kind {
			list = append(list, d)
		}
	}
	slices.SortFunc(list, func(a, b sandbox.Document) int {
		if a.ID < b.ID {
			return -1
		}
		return 1
	})
	return list, nil
}

func (m *fakeStore) Put(_ context.Context, d sandbox.Document, entry sandbox.Draft) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.documents[d.Kind+" "+d.ID].Revision != d.Revision-1 {
		return sandbox.ErrConflict
	}
	if _, err := m.append(entry); err != nil {
		return err
	}
	m.documents[d.Kind+" "+d.ID] = d
	return nil
}

func (m *fakeStore) Open(_ context.Context, a ledger.Account, by sandbox.By) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if _, ok := m.accounts[a.ID]; ok {
		return sandbox.ErrDuplicate
	}
	if _, err := m.append(sandbox.Draft{Kind: audit.KindAccount, Actor: by.Actor, Time: by.At, Body: audit.Opening{Account: a, Reason: by.Reason}}); err != nil {
		return err
	}
	m.accounts[a.ID] = a
	return nil
}

func (m *fakeStore) Accounts(context.Context) ([]ledger.Account, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	var list []ledger.Account
	for _, a := range m.accounts {
		list = append(list, a)
	}
	slices.SortFunc(list, func(a, b ledger.Account) int {
		if a.ID < b.ID {
			return -1
		}
		return 1
	})
	return list, nil
}

func (m *fakeStore) Amend(_ context.Context, id string, revision int64, p ledger.Promise, t ledger.Terms, by sandbox.By) (ledger.Account, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	before := m.accounts[id]
	if before.Revision != revision {
		return before, sandbox.ErrConflict
	}
	after, err := before.Amend(p, t)
	if err != nil {
		return before, err
	}
	if _, err := m.append(sandbox.Draft{Kind: audit.KindAmendment, Actor: by.Actor, Time: by.At,
		Body: audit.Amendment{Reason: by.Reason, Before: before, After: after}}); err != nil {
		return before, err
	}
	m.accounts[id] = after
	return after, nil
}

func (m *fakeStore) Allocations(_ context.Context, account string) ([]ledger.Allocation, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	return slices.Clone(m.allocated[account]), nil
}

func (m *fakeStore) Allocate(_ context.Context, a ledger.Allocation, by sandbox.By) (ledger.Allocation, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	before, err := m.take(a.Account, a.Name, a.Revision)
	if err != nil {
		return a, err
	}
	body := audit.Allocation{Reason: by.Reason, After: &a}
	a.Spent, a.Revision = before.Spent, before.Revision+1
	if before.Revision > 0 {
		body.Before = &before
	}
	if _, err := m.append(sandbox.Draft{Kind: audit.KindAllocation, Actor: by.Actor, Time: by.At, Body: body}); err != nil {
		return a, err
	}
	m.allocated[a.Account] = append(m.allocated[a.Account], a)
	return a, nil
}

func (m *fakeStore) Unallocate(_ context.Context, account, name string, revision int64, by sandbox.By) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	before, err := m.take(account, name, revision)
	if err != nil {
		return err
	}
	_, err = m.append(sandbox.Draft{Kind: audit.KindAllocation, Actor: by.Actor, Time: by.At, Body: audit.Allocation{Reason: by.Reason, Before: &before}})
	return err
}

// take removes an allocation at a revision, 0 for one that must not be there; the caller holds mu.
func (m *fakeStore) take(account, name string, revision int64) (ledger.Allocation, error) {
	list := m.allocated[account]
	i := slices.IndexFunc(list, func(a ledger.Allocation) bool { return a.Name == name })
	switch {
	case i < 0 && revision == 0:
		return ledger.Allocation{}, nil
	case i < 0:
		return ledger.Allocation{}, sandbox.ErrNotFound
	case list[i].Revision != revision:
		return ledger.Allocation{}, sandbox.ErrConflict
	}
	before := list[i]
	m.allocated[account] = slices.Delete(slices.Clone(list), i, i+1)
	return before, nil
}

func (m *fakeStore) Spending(_ context.Context, account string, since time.Time) (privacy.Clocks, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	var sum privacy.Clocks
	for _, q := range m.questions {
		for _, c := range q.Charges {
			if c.Account == account && !q.Time.Before(since) {
				sum = sum.Plus(c.Loss)
			}
		}
	}
	return sum, nil
}

func (m *fakeStore) Charge(_ context.Context, q sandbox.Question, entry audit.Charge) (int64, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, old := range m.questions {
		if q.Idempotency != "" && old.Principal == q.Principal && old.Idempotency == q.Idempotency {
			return 0, sandbox.ErrDuplicate
		}
	}
	after := map[string]ledger.Account{}
	covering := []*ledger.Allocation{}
	for _, c := range q.Charges {
		a, ok := m.accounts[c.Account]
		if !ok {
			return 0, sandbox.ErrNotFound
		}
		a, err := a.Admit(c, q.Time)
		if err != nil {
			return 0, fmt.Errorf("account %s: %w", c.Account, err)
		}
		after[a.ID] = a
		for i, allocation := range m.allocated[c.Account] {
			if !allocation.Scope.Covers(ledger.Asker{Project: q.Project, Researcher: q.Principal}) {
				continue
			}
			if _, err := allocation.Admit(c); err != nil {
				return 0, err
			}
			covering = append(covering, &m.allocated[c.Account][i])
		}
		entry.Spent = append(entry.Spent, audit.Spent{Account: a.ID, Clocks: a.Spent})
	}
	index, err := m.append(sandbox.Draft{Kind: audit.KindCharge, Actor: q.Principal, Time: q.Time, Body: entry})
	if err != nil {
		return 0, err
	}
	for id, a := range after {
		m.accounts[id] = a
	}
	for _, a := range covering {
		for _, c := range q.Charges {
			if c.Account == a.Account {
				*a, _ = a.Admit(c)
			}
		}
	}
	q.Entry = index
	m.questions = append(m.questions, q)
	return index, nil
}

func (m *fakeStore) Release(_ context.Context, query, release string, answer func(entry int64) ([]byte, error)) ([]byte, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	for i, q := range m.questions {
		if q.ID != query {
			continue
		}
		if q.State != sandbox.Charged {
			return nil, sandbox.ErrConflict
		}
		b, err := answer(int64(len(m.log)))
		if err != nil {
			return nil, err
		}
		_, err = m.append(sandbox.Draft{Kind: audit.KindRelease, Actor: q.Principal, Time: q.Time,
			Body: audit.Release{Query: query, Release: release, Digest: fmt.Sprintf("%064x", len(b))}})
		q.State, q.Release, q.Answer = sandbox.Released, release, b
		m.questions[i] = q
		return b, err
	}
	return nil, sandbox.ErrNotFound
}

func (m *fakeStore) Fail(_ context.Context, query string) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	for i, q := range m.questions {
		if q.ID == query {
			m.questions[i].State = sandbox.Failed
			for _, c := range q.Charges {
				m.accounts[c.Account] = m.accounts[c.Account].Fail()
			}
		}
	}
	return nil
}

// find returns the newest question that fits.
func (m *fakeStore) find(fits func(sandbox.Question) bool) (sandbox.Question, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, q := range m.questions {
		if fits(q) {
			return q, nil
		}
	}
	return sandbox.Question{}, sandbox.ErrNotFound
}

func (m *fakeStore) Question(_ context.Context, id string) (sandbox.Question, error) {
	return m.find(func(q sandbox.Question) bool { return q.ID == id || q.Release == id && id != "" })
}

func (m *fakeStore) ByKey(_ context.Context, principal, key string) (sandbox.Question, error) {
	return m.find(func(q sandbox.Question) bool { return q.Principal == principal && q.Idempotency == key })
}

func (m *fakeStore) ByRepeat(_ context.Context, repeat string, _ int) ([]sandbox.Question, error) {
	q, err := m.find(func(q sandbox.Question) bool { return q.Repeat == repeat && q.State == sandbox.Released })
	if err != nil {
		return nil, nil
	}
	return []sandbox.Question{q}, nil
}

func (m *fakeStore) Repeat(_ context.Context, r sandbox.Repeat) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	_, err := m.append(sandbox.Draft{Kind: audit.KindRepeat, Actor: r.Principal, Time: r.Time, Body: r.Entry})
	return err
}

func (m *fakeStore) Newest(_ context.Context, f sandbox.Filter, limit int) ([]sandbox.Question, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	var list []sandbox.Question
	for _, q := range slices.Backward(m.questions) {
		if len(list) < limit && (f.Principal == "" || q.Principal == f.Principal || f.Organisation != "") &&
			(f.Project == "" || q.Project == f.Project) && (f.Before == 0 || q.Entry < f.Before) {
			list = append(list, q)
		}
	}
	return list, nil
}

func (m *fakeStore) Append(_ context.Context, d sandbox.Draft) (int64, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.append(d)
}

// append logs a draft; the caller holds mu.
func (m *fakeStore) append(d sandbox.Draft) (int64, error) {
	if m.down != nil {
		return 0, m.down
	}
	body, err := audit.MarshalBody(d.Kind, d.Body)
	if err != nil {
		return 0, err
	}
	index := int64(len(m.log))
	e, err := audit.Encode(audit.Entry{Index: index, Time: d.Time, Kind: d.Kind, Actor: d.Actor, Body: body})
	if err != nil {
		return 0, err
	}
	m.log = append(m.log, e)
	return index, nil
}

func (m *fakeStore) Entries(_ context.Context, from int64, limit int) ([][]byte, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.tornLog > 0 && from >= m.tornLog || m.tornLog < 0 {
		return nil, fmt.Errorf("disk: canary-torn")
	}
	size := int64(len(m.log))
	return m.log[min(from, size):min(from+int64(limit), size)], nil
}

func (m *fakeStore) Checkpoint(context.Context) ([]byte, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.signer.Sign(audit.Checkpoint{Size: int64(len(m.log))})
}
