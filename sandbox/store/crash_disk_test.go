package store

import (
	"bytes"
	"encoding/binary"
	"math/rand/v2"
	"os"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/mattn/go-sqlite3"
)

// crashDisk is what happens to the files of one open store: commits that fail, and one crash.
//
// A crash is two moments inside SQLite's commit hook, where nothing is being written: one before a commit and
// the next one after it, at the next commit. In between the write-ahead log gets the first commit's frames and is
// synced; so what a disk can hold after a power cut in between is the earlier files with any of those writes.
type crashDisk struct {
	path string
	on   atomic.Bool // nothing happens before
	dark atomic.Bool // from the first moment: whoever hears of a success now might as well not have
	down atomic.Bool // from the second: nothing can be written any more

	mu      sync.Mutex // guards what follows
	r       *rand.Rand
	failing float64 // share of the commits that fail
	left    int     // commits until the crash; 0 for none
	failed  int     // commits that failed
	before  image
	after   image
}

// image is the content of a database file and of its write-ahead log.
type image struct{ db, wal []byte }

func (d *crashDisk) hook(c *sqlite3.SQLiteConn) error {
	c.RegisterCommitHook(d.commit)
	return nil
}

// commit is called by the writer before each commit; 1 makes it fail.
func (d *crashDisk) commit() int {
	if !d.on.Load() {
		return 0
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	switch {
	case d.down.Load():
		return 1
	case d.dark.Load():
		d.after = d.take()
		d.down.Store(true)
		return 1
	case d.left == 1:
		d.before = d.take()
		d.dark.Store(true)
		return 0
	case d.left > 1:
		d.left--
	}
	if d.r.Float64() < d.failing {
		d.failed++
		return 1
	}
	return 0
}

// arm sets the crash that many commits from now, 0 for none.
func (d *crashDisk) arm(commits int) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.left = commits
}

func (d *crashDisk) take() image {
	db, err := os.ReadFile(d.path)
	if err != nil {
		panic(err) // the writer turns it into an error of every caller
	}
	wal, err := os.ReadFile(d.path + "-wal")
	if err != nil && !os.IsNotExist(err) {
		panic(err)
	}
	return image{db, wal}
}

const (
	walHeader = 32
	walFrame  = 24 + 4096
)

// wreck is one state that the disk may be in after the crash, and its name. Crashes take turns.
func (d *crashDisk) wreck(turn int) (image, string) {
	switch turn % 4 {
	case 0:
		return d.before, "before the commit"
	case 1:
		return d.after, "after the commit, unheard"
	}
	if !bytes.Equal(d.before.db, d.after.db) {
		// The log was copied into the database after its sync: any of those pages may have arrived, the log is whole.
		return image{mix(d.r, 4096, d.before.db, d.after.db, 0, len(d.after.db)), d.after.wal}, "while copying into the database"
	}
	from := walHeader + walFrame*frames(d.before.wal)
	if !bytes.Equal(head32(d.before.wal), head32(d.after.wal)) {
		from = walHeader // the log was begun anew: its header is synced before its first frame is written
	}
	to := walHeader + walFrame*frames(d.after.wal)
	return image{d.after.db, mix(d.r, 512, d.before.wal, d.after.wal, from, to)}, "in the commit"
}

// mix is the later content, in which some sectors between two offsets are as they were before: all after a
// point, or any.
func mix(r *rand.Rand, sector int, before, after []byte, from, to int) []byte {
	mixed := bytes.Clone(after)
	share, cut := r.Float64(), from+r.IntN(max(1, to-from))
	if r.IntN(2) == 0 {
		share = 0
	} else {
		cut = to
	}
	for at := from; at < to; at += sector {
		if at < cut && r.Float64() >= share {
			continue
		}
		end, n := min(at+sector, to), 0
		if at < len(before) {
			n = copy(mixed[at:end], before[at:])
		}
		clear(mixed[at+n : end])
	}
	return mixed
}

func head32(wal []byte) []byte { return wal[:min(len(wal), walHeader)] }

// frames counts the frames of the present generation of a write-ahead log.
func frames(wal []byte) int {
	if len(wal) < walHeader {
		return 0
	}
	salts := binary.BigEndian.Uint64(wal[16:])
	n := 0
	for at := walHeader; at+walFrame <= len(wal) && binary.BigEndian.Uint64(wal[at+8:]) == salts; at += walFrame {
		n++
	}
	return n
}

// write puts an image where a store can be opened.
func (i image) write(t testing.TB, path string) {
	t.Helper()
	must(t, os.WriteFile(path, i.db, 0o600))
	if len(i.wal) > 0 {
		must(t, os.WriteFile(path+"-wal", i.wal, 0o600))
	}
}
