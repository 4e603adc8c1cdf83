package store

import (
	"bytes"
	"context"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"entrepot/privacy/ledger"
	"entrepot/sandbox"
	"entrepot/sandbox/audit"
)

// crash ends the store in the middle of a commit and opens what is left.
func (w *crashWorld) crash(size int64) {
	w.t.Helper()
	for i := 0; !w.disk.down.Load(); i++ { // somebody else's entries, which the model need not know
		_, _ = w.s.Append(context.Background(), decision(fmt.Sprint("other-", i), w.now))
	}
	ctx := context.Background()
	was, err := w.s.Entries(ctx, size, maxEntries)
	must(w.t, err)
	must(w.t, w.s.Close())
	left, how := w.disk.wreck(int(w.tally.crashes.Add(1)))
	w.tally.count("crash " + how)
	before := w.sizeOf(w.disk.before)
	old := w.disk.path
	w.open(left)
	for _, suffix := range []string{"", "-wal", "-shm", ".lock"} {
		if err := os.Remove(old + suffix); err != nil && !os.IsNotExist(err) {
			w.t.Fatal(err)
		}
	}
	now, err := w.s.Entries(ctx, size, maxEntries)
	must(w.t, err)
	if end := size + int64(len(now)); end != before && len(now) != len(was) {
		w.t.Fatalf("crash %s: %d entries, neither the %d before the commit nor the %d after it", how, end, before, size+int64(len(was)))
	}
	if !slices.EqualFunc(now, was[:min(len(now), len(was))], bytes.Equal) {
		w.t.Fatalf("crash %s: the log is not the beginning of what it was", how)
	}
	w.settle(now)
}

// sizeOf is the number of entries in an image.
func (w *crashWorld) sizeOf(i image) int64 {
	w.t.Helper()
	path := filepath.Join(w.t.TempDir(), "x.db")
	i.write(w.t, path)
	db, err := openReaders(path)
	must(w.t, err)
	defer func() { must(w.t, db.Close()) }()
	h, err := readHead(context.Background(), db)
	must(w.t, err)
	return h.size
}

// settle finds out from the log what became of the operations that nobody heard of.
func (w *crashWorld) settle(entries [][]byte) {
	w.t.Helper()
	done := map[string]bool{}
	for _, b := range entries {
		e, err := audit.Decode(b)
		must(w.t, err)
		body, err := audit.ParseBody(e.Kind, e.Body)
		must(w.t, err)
		done[markerOf(body)] = true
	}
	for _, v := range w.workers {
		if o := v.flying; o != nil && done[o.marker] {
			o.apply()
			w.tally.count("unheard and done")
		} else if o != nil {
			w.tally.count("unheard and not done")
		}
		v.flying = nil
	}
}

// agree holds the store to the model.
func (w *crashWorld) agree() {
	w.t.Helper()
	if w.t.Failed() {
		return
	}
	ctx := context.Background()
	want := map[string]ledger.Account{}
	for _, v := range w.workers {
		for _, m := range v.accounts {
			want[m.ID] = m.account()
			w.agreeAllocations(m)
		}
		w.agreeQuestions(v)
	}
	accounts, err := w.s.Accounts(ctx)
	must(w.t, err)
	if len(accounts) != len(want)+1 {
		w.t.Fatalf("%d accounts, the model has %d", len(accounts), len(want)+1)
	}
	for _, a := range accounts {
		if a.ID == commons {
			if int64(a.Spent.Epsilon) != w.commons.Load() {
				w.t.Fatalf("%d is spent of the commons, the model says %d", a.Spent.Epsilon, w.commons.Load())
			}
		} else if a != want[a.ID] {
			w.t.Fatalf("account\n%+v\nthe model has\n%+v", a, want[a.ID])
		}
	}
}

func (w *crashWorld) agreeAllocations(m *modelAccount) {
	w.t.Helper()
	list, err := w.s.Allocations(context.Background(), m.ID)
	must(w.t, err)
	var want []ledger.Allocation
	for _, name := range slices.Sorted(maps.Keys(m.allocations)) {
		want = append(want, m.allocations[name].allocation())
	}
	if !slices.Equal(list, want) {
		w.t.Fatalf("allocations of %s\n%+v\nthe model has\n%+v", m.ID, list, want)
	}
}

// agreeQuestions looks at a caller's latest questions.
func (w *crashWorld) agreeQuestions(v *worker) {
	w.t.Helper()
	for _, q := range v.questions[max(0, len(v.questions)-8):] {
		got, err := w.s.Question(context.Background(), q.id)
		must(w.t, err)
		if got.State != q.state || q.state == sandbox.Released && string(got.Answer) != "answer to "+q.id {
			w.t.Fatalf("%s is %s with %q, the model has it %s", q.id, got.State, got.Answer, q.state)
		}
		if q.key != "" {
			if got, err := w.s.ByKey(context.Background(), "o0/"+v.name, q.key); err != nil || got.ID != q.id {
				w.t.Fatalf("key %s gives %q, %v", q.key, got.ID, err)
			}
		}
	}
}

// checkSpending: the sums of the charges are the clocks.
func (w *crashWorld) checkSpending() {
	w.t.Helper()
	accounts, err := w.s.Accounts(context.Background())
	must(w.t, err)
	for _, a := range accounts {
		spent, err := w.s.Spending(context.Background(), a.ID, time.Time{})
		must(w.t, err)
		if spent != a.Spent {
			w.t.Errorf("account %s spent %+v, its charges are %+v", a.ID, a.Spent, spent)
		}
	}
	if !strings.HasPrefix(accounts[len(accounts)-1].ID, commons) {
		w.t.Error("the commons are gone")
	}
}
