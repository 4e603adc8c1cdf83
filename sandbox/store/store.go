package store

import (
	"context"
	"crypto/rand"
	"database/sql"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"

	"github.com/mattn/go-sqlite3"

	"entrepot/sandbox"
	"entrepot/sandbox/audit"
)

// Options says where a store is and how it signs.
type Options struct {
	Path    string        // of the database file; its folder must exist
	Witness string        // file that tells how far the log came, better on another disk; "" for none, in tests only
	Signer  *audit.Signer // of checkpoints
	Rand    io.Reader     // salts of entries; nil for crypto/rand

	hook func(*sqlite3.SQLiteConn) error // on every new writing connection; tests only
}

// Store is the embedded store. All methods may be called side by side.
type Store struct {
	signer  *audit.Signer
	salts   io.Reader // read by the writer's loop only
	reads   *sql.DB
	writer  *writer
	witness *witness     // the writer's loop only, once the store is open
	seen    atomic.Int64 // entries that the witness saw, durably
	lock    *os.File
	close   func() error
}

var (
	_ sandbox.Catalogue = (*Store)(nil)
	_ sandbox.Ledger    = (*Store)(nil)
	_ sandbox.Questions = (*Store)(nil)
	_ sandbox.Log       = (*Store)(nil)
)

// Open opens the store, or makes it when the file is absent. It takes the store's lock (ErrLocked when
// another process has it), brings the schema up to date, compares accounts, questions and tree with
// the log (ErrInconsistent), and the log with the witness (ErrBehind, ErrNoWitness, ErrForeignWitness).
func Open(ctx context.Context, o Options) (*Store, error) {
	if o.Path == "" || o.Signer == nil {
		return nil, errors.New("a store needs a path and a signer")
	}
	if o.Rand == nil {
		o.Rand = rand.Reader
	}
	held, err := lock(o.Path + ".lock")
	if err != nil {
		return nil, err
	}
	s, err := open(ctx, o)
	if err != nil {
		_ = held.Close()
		return nil, fmt.Errorf("open the store: %w", err)
	}
	s.lock = held
	s.close = sync.OnceValue(s.shut)
	return s, nil
}

// open does what needs the lock.
func open(ctx context.Context, o Options) (*Store, error) {
	if err := touch(o.Path); err != nil {
		return nil, err
	}
	db, err := openWriter(o.Path, o.hook)
	if err != nil {
		return nil, err
	}
	if err := migrate(ctx, db); err != nil {
		return nil, errors.Join(err, db.Close())
	}
	reads, err := openReaders(o.Path)
	if err != nil {
		return nil, errors.Join(err, db.Close())
	}
	s := &Store{signer: o.Signer, salts: o.Rand, reads: reads}
	if err := s.check(ctx, o.Witness); err != nil {
		return nil, errors.Join(err, s.witness.close(), reads.Close(), db.Close())
	}
	s.writer = startWriter(db, s.connected, s.follow)
	return s, nil
}

// check holds the store to its log and to its witness, which from here on knows all that the store does.
func (s *Store) check(ctx context.Context, path string) (err error) {
	if s.witness, err = openWitness(path, s.signer); err != nil {
		return err
	}
	return s.snapshot(ctx, func(q querier) error {
		if err := checkStore(ctx, q); err != nil {
			return err
		}
		if err := s.witness.compare(ctx, q); err != nil {
			return err
		}
		return s.follow(ctx, q)
	})
}

// connected checks what a new connection of the writer finds. The last commit may not have reached the
// witness: no change comes before it does.
func (s *Store) connected(ctx context.Context, q querier) error {
	if err := checkHead(ctx, q); err != nil {
		return err
	}
	return s.follow(ctx, q)
}

// follow brings the witness up to what q sees.
func (s *Store) follow(ctx context.Context, q querier) error {
	size, err := s.witness.update(ctx, q)
	if err == nil {
		s.seen.Store(size)
	}
	return err
}

// settle returns when the witness saw all that was committed before: until then nobody may be told of it. Readers
// see a commit before its witness does, which may fail. It costs one small query, and the end of the
// commit under way where there is one; after a failure it tries the witness again.
func (s *Store) settle(ctx context.Context) error {
	h, err := readHead(ctx, s.reads)
	if err != nil || h.size <= s.seen.Load() {
		return err
	}
	// An empty change comes after the group under way, and none comes before the witness.
	return s.writer.do(ctx, func(querier) error { return nil })
}

// touch makes the file, readable by its owner only: it holds canonical questions and plans.
func touch(path string) error {
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return err
	}
	return errors.Join(f.Close(), syncFolder(filepath.Dir(path))) // or a power cut could take the name
}

// Close waits for the changes under way and closes the database. Further calls return an error.
func (s *Store) Close() error { return s.close() }

func (s *Store) shut() error {
	err := errors.Join(s.reads.Close(), s.writer.stop(), s.witness.close())
	return errors.Join(err, s.lock.Close()) // last: the next process may begin
}

// write runs one change in the writer's transaction. A change must not call the store.
func (s *Store) write(ctx context.Context, run func(ctx context.Context, q querier) error) error {
	// The change itself does not end with its caller's context: half of a group cannot be withdrawn.
	inner := context.WithoutCancel(ctx)
	return s.writer.do(ctx, func(q querier) error { return run(inner, q) })
}
