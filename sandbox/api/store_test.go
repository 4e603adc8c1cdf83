package api

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"time"

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
	return &fakeStore{documents: map[string]sandbox.Document{}, accounts: map[string]ledger.Account{}, signer: signer}
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

func (m *fakeStore) Open(_ context.Context, a ledger.Account, actor string, at time.Time) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if _, ok := m.accounts[a.ID]; ok {
		return sandbox.ErrDuplicate
	}
	if _, err := m.append(sandbox.Draft{Kind: audit.KindAccount, Actor: actor, Time: at, Body: audit.Opening{Account: a}}); err != nil {
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

func (m *fakeStore) Charge(_ context.Context, q sandbox.Question, entry audit.Charge) (int64, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, old := range m.questions {
		if q.Idempotency != "" && old.Principal == q.Principal && old.Idempotency == q.Idempotency {
			return 0, sandbox.ErrDuplicate
		}
	}
	after := map[string]ledger.Account{}
	for _, c := range q.Charges {
		a, ok := m.accounts[c.Account]
		if !ok {
			return 0, sandbox.ErrNotFound
		}
		a, err := a.Admit(c)
		if err != nil {
			return 0, fmt.Errorf("account %s: %w", c.Account, err)
		}
		after[a.ID] = a
		entry.Spent = append(entry.Spent, audit.Spent{Account: a.ID, Clocks: a.Spent})
	}
	index, err := m.append(sandbox.Draft{Kind: audit.KindCharge, Actor: q.Principal, Time: q.Time, Body: entry})
	if err != nil {
		return 0, err
	}
	for id, a := range after {
		m.accounts[id] = a
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

func (m *fakeStore) ByRepeat(_ context.Context, repeat string) (sandbox.Question, error) {
	return m.find(func(q sandbox.Question) bool { return q.Repeat == repeat && q.State == sandbox.Released })
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
		if len(list) < limit && (f.Principal == "" || q.Principal == f.Principal || f.Organisation != "") {
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
