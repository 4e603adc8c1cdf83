package store

import (
	"bytes"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"math"
	"os"
	"path/filepath"

	"entrepot/privacy"
	"entrepot/sandbox/audit"
)

var (
	// ErrBehind means that the witness saw a log that this store does not continue: the store was restored
	// from an older copy, and what was charged after it is forgotten. Do not serve from it. Find the newest
	// copy, or accept the loss with Recover.
	ErrBehind = errors.New("the store is behind its witness")
	// ErrNoWitness means that nothing tells whether the store is the newest: its witness is gone, or damaged.
	// Do not serve from it. Find the witness, or accept the loss with Recover.
	ErrNoWitness = errors.New("the store has no witness")
	// ErrForeignWitness means that another log's key signed the witness: the file belongs to another store.
	// Name this store's own; nothing was changed.
	ErrForeignWitness = errors.New("the witness is of another log")
)

// minSlot is the size of a new witness's slots [bytes]: enough for about a hundred accounts.
const minSlot = 16 << 10

// witness is a file that tells how far the log came and what was spent, apart from the database: the newest
// checkpoint, signed. It is on disk before anybody hears of what it covers, so that a database restored
// from an older copy is noticed.
//
// The file is two slots of the same size, written in turn, each a checkpoint that ends with its first NUL byte.
// A write that breaks off spoils the older one, and nobody was told of what it covered. Writing in place
// syncs no more than one block; a new file renamed over the old one costs several times as much.
//
// A nil witness is none. Only the opening of the store and then the writer's loop use it.
type witness struct {
	path   string
	signer *audit.Signer
	file   *os.File
	slot   int64            // size of each slot [bytes]
	turn   int64            // of the slot to write next: 0 or 1
	found  bool             // there is a newest
	newest audit.Checkpoint // that the file holds
	signed []byte           // the same, as it stands there
	lock   *os.File
}

// openWitness reads the witness at path. One that is absent or damaged is a witness that found nothing.
func openWitness(path string, signer *audit.Signer) (*witness, error) {
	if path == "" {
		return nil, nil
	}
	held, err := lock(path + ".lock") // or another store with the same keys could share it
	if err != nil {
		return nil, err
	}
	w := &witness{path: path, signer: signer, slot: minSlot, lock: held}
	if err := w.open(); err != nil {
		return nil, errors.Join(fmt.Errorf("witness %s: %w", path, err), w.close())
	}
	return w, nil
}

// open reads the file if there is one.
func (w *witness) open() error {
	var err error
	if w.file, err = os.OpenFile(w.path, os.O_RDWR, 0); errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	// A process that was killed may have left what a power cut still takes: the file, or its name.
	if err := errors.Join(w.file.Sync(), syncFolder(filepath.Dir(w.path))); err != nil {
		return err
	}
	content, err := io.ReadAll(w.file)
	if err != nil {
		return err
	}
	half := len(content) / 2
	err = errors.Join(w.read(0, content[:half]), w.read(1, content[half:]))
	w.slot = int64(half)
	if w.found {
		return nil // a write of the other slot broke off
	}
	return err
}

// read takes a slot's checkpoint if it is newer than what was read. It fails if the slot is another log's.
func (w *witness) read(slot int64, content []byte) error {
	signed, _, _ := bytes.Cut(content, []byte{0})
	c, err := audit.ReadCheckpoint(signed, w.signer.Origin(), []string{w.signer.VerifierKey()})
	switch {
	case audit.ForeignCheckpoint(err):
		return ErrForeignWitness
	case err == nil && (!w.found || c.Size > w.newest.Size):
		w.found, w.newest, w.signed, w.turn = true, c, signed, 1-slot
	}
	return nil // a damaged slot is one that is not there
}

// compare holds the store to what the witness saw.
func (w *witness) compare(ctx context.Context, q querier) error {
	if w == nil {
		return nil
	}
	h, err := readHead(ctx, q)
	if err != nil {
		return err
	}
	if !w.found {
		if h.size == 0 {
			return nil // a new store
		}
		return fmt.Errorf("%w: %s is gone or damaged, and the log has %d entries", ErrNoWitness, w.path, h.size)
	}
	if w.newest.Size > h.size {
		return fmt.Errorf("%w: its log has %d entries, %s saw %d", ErrBehind, h.size, w.path, w.newest.Size)
	}
	covered, err := covers(ctx, q, h, w.newest)
	if err == nil && !covered {
		err = fmt.Errorf("%w: the first %d entries of its log are not those that %s saw", ErrBehind, w.newest.Size, w.path)
	}
	return err
}

// covers reports whether the log extends a checkpoint.
func covers(ctx context.Context, q querier, h head, c audit.Checkpoint) (bool, error) {
	if c.Size > h.size {
		return false, nil
	}
	root, err := audit.Root(c.Size, treeReader{ctx, q})
	return root == c.Root, err
}

// update writes what is committed, unless the witness saw it, and returns its size. Nobody may be told of it before.
func (w *witness) update(ctx context.Context, q querier) (int64, error) {
	if w == nil {
		return math.MaxInt64, nil
	}
	h, err := readHead(ctx, q)
	if err != nil || w.found && h.size == w.newest.Size {
		return h.size, err
	}
	c, err := checkpoint(ctx, q, h)
	if err == nil {
		err = w.write(c)
	}
	if err != nil {
		return 0, fmt.Errorf("witness: %w", err)
	}
	return h.size, nil
}

// checkpoint is the log with the clocks of all accounts, as q sees them: of those, too, that were lost in a
// recovery and not opened again.
func checkpoint(ctx context.Context, q querier, h head) (audit.Checkpoint, error) {
	c := audit.Checkpoint{Size: h.size}
	err := each(ctx, q, `SELECT id, `+clockColumns+` FROM accounts UNION ALL
		SELECT account, `+clockColumns+` FROM owed WHERE account NOT IN (SELECT id FROM accounts) ORDER BY 1`, nil, func(rows *sql.Rows) error {
		var id string
		var clocks privacy.Clocks
		err := rows.Scan(append([]any{&id}, clockFields(&clocks)...)...)
		c.Accounts = append(c.Accounts, audit.Spent{Account: id, Clocks: clocks})
		return err
	})
	if err != nil {
		return c, err
	}
	if c.Recoveries, err = readRecoveries(ctx, q); err != nil {
		return c, err
	}
	c.Root, err = audit.Root(h.size, treeReader{ctx, q})
	return c, err
}

// write puts a checkpoint in place of the older slot's, durably.
func (w *witness) write(c audit.Checkpoint) error {
	signed, err := w.signer.Sign(c)
	if err != nil {
		return err
	}
	if w.file == nil || int64(len(signed)) >= w.slot {
		return w.replace(c, signed)
	}
	if _, err := w.file.WriteAt(append(signed, 0), w.turn*w.slot); err != nil {
		return err
	}
	if err := syncData(w.file); err != nil {
		return err
	}
	w.turn, w.found, w.newest, w.signed = 1-w.turn, true, c, signed
	return nil
}

// replace writes a new file, with one checkpoint and nothing older.
func (w *witness) replace(c audit.Checkpoint, signed []byte) error {
	if w.file != nil {
		_ = w.file.Close() // it loses its name
		w.file = nil       // and if this fails, the next write is here again
	}
	slot := int64(minSlot)
	for slot < 2*int64(len(signed)) {
		slot *= 2
	}
	content := make([]byte, 2*slot) // whole, so that later writes need no room
	copy(content, signed)
	f, err := os.OpenFile(w.path+".new", os.O_RDWR|os.O_CREATE|os.O_TRUNC, 0o600)
	if err != nil {
		return err
	}
	_, err = f.Write(content)
	if err = errors.Join(err, f.Sync()); err == nil {
		err = os.Rename(f.Name(), w.path)
	}
	if err == nil {
		err = syncFolder(filepath.Dir(w.path))
	}
	if err != nil {
		return errors.Join(err, f.Close())
	}
	w.file, w.slot, w.turn, w.found, w.newest, w.signed = f, slot, 1, true, c, signed
	return nil
}

// close frees the file; it does not change it.
func (w *witness) close() error {
	if w == nil {
		return nil
	}
	var err error
	if w.file != nil {
		err = w.file.Close()
	}
	return errors.Join(err, w.lock.Close())
}
