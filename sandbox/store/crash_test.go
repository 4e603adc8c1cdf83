package store

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/mattn/go-sqlite3"

	"entrepot/privacy"
	"entrepot/privacy/ledger"
	"entrepot/sandbox"
)

// TestCrashes does random ledger operations on durable stores from parallel callers, with commits that fail and
// crashes, and holds every outcome against a model. A crash leaves any state that a disk may be in which keeps
// what was synced and any sectors of what was not; from there the store is opened again. Nothing that a caller
// was told is lost, a commit is there whole or not at all, and accounts, allocations and log agree to the integer.
//
// 10⁶ operations in a soak, 5,000 otherwise.
func TestCrashes(t *testing.T) {
	const each = 1250 // each opening replays the log, so many short ones
	stores := 4
	if os.Getenv("ENTREPOT_SOAK") != "" {
		stores = 800
	}
	seed := rand.Uint64()
	total := &crashTally{done: map[string]int{}}
	t.Run("stores", func(t *testing.T) {
		for i := range stores {
			t.Run(fmt.Sprint(i), func(t *testing.T) {
				t.Parallel()
				w := newCrashWorld(t, rand.New(rand.NewPCG(seed, uint64(i))), total)
				for batch := 0; w.operations < each && !t.Failed(); batch++ {
					w.batch(batch%3 > 0)
				}
				mustVerify(t, w.s)
				w.checkSpending()
				if t.Failed() {
					t.Logf("seed %d", seed)
				}
			})
		}
	})
	t.Logf("%d operations on %d stores: %v", total.operations, stores, total.done)
	for _, what := range []string{"crash before the commit", "crash after the commit, unheard", "crash in the commit", "commit failed", "unheard and done", "unheard and not done",
		"charge", "release", "fail", "repeat", "open", "amend", "allocate", "unallocate", "charge refused: " + ledger.ErrExhausted.Error(), "charge refused: " + ledger.ErrAllocated.Error(),
		"charge refused: " + ledger.ErrFrozen.Error(), "charge refused: " + ledger.ErrQuestion.Error(), "charge refused: " + sandbox.ErrDuplicate.Error()} {
		if total.done[what] == 0 && !t.Failed() {
			t.Errorf("%s: never", what)
		}
	}
}

// crashTally counts what came of operations.
type crashTally struct {
	mu         sync.Mutex
	operations int
	done       map[string]int
	crashes    atomic.Int64
}

func (c *crashTally) count(what string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.done[what]++
}

// crashWorld is one store, its disk, its callers and the model.
type crashWorld struct {
	t          *testing.T
	r          *rand.Rand
	tally      *crashTally
	folder     string
	s          *Store
	disk       *crashDisk
	workers    []*worker
	commons    atomic.Int64 // charged to it
	now        time.Time    // of the callers' clock
	latest     time.Time    // of the log
	operations int
	opened     int
	ticks      int
}

const crashWorkers = 16

func newCrashWorld(t *testing.T, r *rand.Rand, tally *crashTally) *crashWorld {
	t.Helper()
	w := &crashWorld{t: t, r: r, tally: tally, folder: memoryFolder(t), now: testTime, latest: testTime}
	for i := range crashWorkers {
		w.workers = append(w.workers, &worker{r: rand.New(rand.NewPCG(r.Uint64(), r.Uint64())), name: fmt.Sprintf("w%d", i), commons: &w.commons})
	}
	w.open(image{})
	t.Cleanup(func() { must(t, w.s.Close()) })
	a, err := ledger.New(commons, ledger.Promise{Kind: ledger.KindPure, Epsilon: privacy.MaxLifetimeEpsilon}, ledger.Terms{})
	must(t, err)
	w.disk.on.Store(false)
	must(t, w.s.Open(context.Background(), a, sandbox.By{Actor: "kr_edu/owner", At: w.now}))
	w.disk.on.Store(true)
	return w
}

// memoryFolder is in memory where that is to be had: these crashes do not need a disk.
func memoryFolder(t *testing.T) string {
	t.Helper()
	folder, err := os.MkdirTemp("/dev/shm", "entrepot")
	if err != nil {
		return t.TempDir()
	}
	t.Cleanup(func() { must(t, os.RemoveAll(folder)) })
	return folder
}

// open opens a store on what is left of the last one.
func (w *crashWorld) open(left image) {
	w.t.Helper()
	w.opened++
	path := filepath.Join(w.folder, fmt.Sprintf("%d.db", w.opened))
	if left.db != nil {
		left.write(w.t, path)
	}
	w.disk = &crashDisk{path: path, r: rand.New(rand.NewPCG(w.r.Uint64(), 0)), failing: 0.01}
	s, err := Open(context.Background(), Options{Path: path, Signer: testSigner(w.t), hook: w.disk.hook})
	if err != nil {
		w.t.Fatalf("after a crash: %v", err) // includes: accounts, questions or documents are not what the log tells
	}
	w.s = s
	w.disk.on.Store(true)
}

// batch lets every worker do some operations at one moment of the clock, and crashes in the middle of them or not.
func (w *crashWorld) batch(crash bool) {
	w.t.Helper()
	w.now = w.now.Add(time.Duration(w.r.IntN(12)-2) * time.Second)
	size := w.tick()
	if crash {
		w.disk.arm(1 + w.r.IntN(12))
	}
	var all sync.WaitGroup
	for _, v := range w.workers {
		v.now, v.at = w.now, w.latest
		all.Go(func() { w.work(v, 25) })
	}
	all.Wait()
	if crash && !w.t.Failed() {
		w.crash(size)
	}
	w.agree()
}

// tick logs the time, so that the model knows it, and returns the log's size then.
func (w *crashWorld) tick() int64 {
	w.t.Helper()
	for {
		w.ticks++
		index, err := w.s.Append(context.Background(), decision(fmt.Sprint("tick-", w.ticks), w.now))
		if err == nil {
			if w.now.After(w.latest) {
				w.latest = w.now
			}
			return index + 1
		}
		if !injected(err) {
			w.t.Fatal(err)
		}
	}
}

// injected tells the failure of a commit that was made to fail.
func injected(err error) bool {
	var e sqlite3.Error
	return errors.As(err, &e) && e.ExtendedCode == sqlite3.ErrConstraintCommitHook
}

// work does n operations, one after another, until it would hear nothing any more.
func (w *crashWorld) work(v *worker, n int) {
	for range n {
		if w.disk.dark.Load() || w.t.Failed() {
			return
		}
		o := v.next()
		err := o.do(context.Background(), w.s)
		w.tally.mu.Lock()
		w.operations++
		w.tally.operations++
		w.tally.mu.Unlock()
		switch {
		case (err == nil) != (o.want == nil) && !injected(err), err != nil && !injected(err) && !errors.Is(err, o.want):
			w.t.Errorf("%s %s: %v, the model says %v", o.kind, o.marker, err, o.want)
		case w.disk.dark.Load():
			if o.want == nil {
				v.flying = &o
			}
		case err == nil:
			o.apply()
			w.tally.count(o.kind)
		case injected(err):
			w.tally.count("commit failed") // without effect
		default:
			w.tally.count(o.kind + " refused: " + o.want.Error())
		}
	}
}
