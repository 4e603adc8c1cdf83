package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"slices"
	"time"

	"entrepot/privacy"
	"entrepot/privacy/ledger"
	"entrepot/sandbox"
	"entrepot/sandbox/audit"
)

// ErrNotBehind means that the store is the newest that its witness and the checkpoints given know of. There
// is nothing to recover, and nothing was changed.
var ErrNotBehind = errors.New("the store is not behind")

// Recovery is how a store goes on after a loss.
type Recovery struct {
	Entries int64             // that the store had, before those of the recovery
	Latest  time.Time         // of the newest of them; zero if there were none
	Before  []ledger.Account  // as it had them
	After   []ledger.Account  // as they are now
	Lost    []audit.Spent     // of accounts that it did not have: opened again, they begin with this
	Records []audit.Recovered // what the log says of it; none if it said so already, and only the witness was to be written
	Ended   []string          // questions that were under way: they get no answer
}

// Recover takes a store that is behind its witness, or has none, into use again. It needs the store's lock, so
// no server may run. Every clock rises to at least what the witness saw, or the checkpoints given, which are signed
// checkpoints of this log; the accounts of which failures may have been lost are frozen; questions under way
// end without an answer, as they may have been answered in what was lost. All of that is one transaction with
// an entry that says who accepted the loss and why; then the witness begins anew.
//
// A checkpoint that the log does not extend, though it extends its witness, shows that database and witness
// were restored together. What was charged since then comes on top of what the checkpoint shows, and what both logs
// charged before the copy was made counts twice, up to the last recovery that both have, and of accounts opened since then
// only Σε admits: nobody can tell where the logs part.
//
// It cannot bring back what was lost: questions and releases with their idempotency keys, amendments,
// allocations and their clocks, documents.
func Recover(ctx context.Context, o Options, by sandbox.By, checkpoints ...[]byte) (Recovery, error) {
	if o.Path == "" || o.Witness == "" || o.Signer == nil {
		return Recovery{}, errors.New("a recovery needs a store, its witness and its signer")
	}
	known := make([]sighting, len(checkpoints))
	for i, signed := range checkpoints {
		c, err := audit.ReadCheckpoint(signed, o.Signer.Origin(), []string{o.Signer.VerifierKey()})
		if err != nil {
			return Recovery{}, fmt.Errorf("recover: checkpoint %d: %w", i+1, err)
		}
		known[i] = sighting{Checkpoint: c, signed: string(signed)}
	}
	path := o.Witness
	o.Witness = ""
	s, err := Open(ctx, o)
	if err != nil {
		return Recovery{}, err
	}
	r, err := s.recover(ctx, path, by, known)
	if err = errors.Join(err, s.Close()); err != nil {
		return Recovery{}, fmt.Errorf("recover: %w", err)
	}
	return r, nil
}

// sighting is a checkpoint of the log.
type sighting struct {
	audit.Checkpoint
	signed string
	newest bool // by the witness, which saw all that anybody was told of
}

func (s *Store) recover(ctx context.Context, path string, by sandbox.By, known []sighting) (r Recovery, err error) {
	w, err := openWitness(path, s.signer)
	if err != nil {
		return r, err
	}
	defer func() { err = errors.Join(err, w.close()) }()
	var newest audit.Checkpoint
	var signed []byte
	err = s.write(ctx, func(ctx context.Context, q querier) error {
		c := &recovery{store: s, q: q, by: by, history: audit.NewHistory()}
		if err := c.accept(ctx, w, known); err != nil {
			return err
		}
		r = c.Recovery
		newest, signed, err = s.sign(ctx, q) // before the commit: a log without a checkpoint cannot go on
		return err
	})
	if err != nil {
		return r, err
	}
	return r, w.replace(newest, signed) // a slot would hold the older log's, which seems newer
}

// sign returns the checkpoint of what q sees.
func (s *Store) sign(ctx context.Context, q querier) (audit.Checkpoint, []byte, error) {
	h, err := readHead(ctx, q)
	if err != nil {
		return audit.Checkpoint{}, nil, err
	}
	c, err := checkpoint(ctx, q, h)
	if err != nil {
		return c, nil, err
	}
	signed, err := s.signer.Sign(c)
	return c, signed, err
}

// recovery is the transaction of one recovery.
type recovery struct {
	store   *Store
	q       querier
	by      sandbox.By
	history *audit.History // all of the log, so that nothing is built on a log that does not hold
	served  bool           // the log extends its witness: it may have gone on before the loss was noticed
	Recovery
}

func (c *recovery) accept(ctx context.Context, w *witness, known []sighting) error {
	h, err := readHead(ctx, c.q)
	if err != nil {
		return err
	}
	if err := eachEntry(ctx, c.q, 0, c.replay); err != nil {
		return err
	}
	c.Entries, c.Latest, c.Before = h.size, c.history.Latest(), c.history.Accounts()
	if w.found {
		known = append(known, sighting{w.newest, string(w.signed), true})
	}
	behind, err := c.unseen(ctx, h, known)
	if err != nil {
		return err
	}
	missing := !w.found && h.size > 0
	c.served = w.found && !slices.ContainsFunc(behind, func(s sighting) bool { return s.newest })
	if err := c.recordAll(ctx, behind, missing); err != nil {
		return err
	}
	if len(c.Records) == 0 && missing {
		if err := c.record(ctx, sighting{}); err != nil {
			return err
		}
	}
	stale := slices.ContainsFunc(behind, func(s sighting) bool { return s.newest })
	if len(c.Records) == 0 && !stale {
		return ErrNotBehind
	}
	return c.end(ctx)
}

func (c *recovery) replay(encoded []byte) error {
	if _, _, err := c.history.Apply(encoded); err != nil {
		return fmt.Errorf("%w: entry %d: %w", ErrInconsistent, c.history.Size(), err)
	}
	return nil
}

// unseen are the checkpoints that the log does not extend, the longest first.
func (c *recovery) unseen(ctx context.Context, h head, known []sighting) ([]sighting, error) {
	var behind []sighting
	for _, s := range known {
		covered, err := covers(ctx, c.q, h, s.Checkpoint)
		if err != nil {
			return nil, err
		}
		if !covered {
			behind = append(behind, s)
		}
	}
	slices.SortStableFunc(behind, func(a, b sighting) int {
		if a.Size == b.Size && a.newest != b.newest {
			return map[bool]int{true: -1, false: 1}[a.newest]
		}
		return int(b.Size - a.Size)
	})
	return behind, nil
}

// recordAll records the longest checkpoint that the log lacks, and of the others those that raise a clock or that no
// recovery accounts for: what was under way may have been answered in any of them.
func (c *recovery) recordAll(ctx context.Context, behind []sighting, missing bool) error {
	for i, s := range behind {
		s.newest = s.newest && i == 0 // a longer one shows that the witness is old itself
		due := i == 0 && (s.newest || missing) || !c.history.Parted(s.Checkpoint) || c.history.Lacks(s.Checkpoint)
		if !due || c.history.RecoveredBy(s.Checkpoint) {
			continue
		}
		if err := c.record(ctx, s); err != nil {
			return err
		}
	}
	return nil
}

// record appends the entry and makes every account what it says.
func (c *recovery) record(ctx context.Context, s sighting) error {
	body, err := c.history.Recover(c.by.Reason, s.signed, s.newest)
	if c.served && !c.history.Parted(s.Checkpoint) {
		body, err = c.history.RecoverServed(c.by.Reason, s.signed)
	}
	if err != nil {
		return err
	}
	index, _, err := c.store.append(ctx, c.q, sandbox.Draft{Kind: audit.KindRecovery, Actor: c.by.Actor, Time: c.by.At, Body: body})
	if err != nil {
		return err
	}
	if err := eachEntry(ctx, c.q, index, c.replay); err != nil {
		return err
	}
	c.After, c.Lost = c.history.Accounts(), nil
	for _, account := range c.After {
		if err := writeAccount(ctx, c.q, account, index); err != nil {
			return err
		}
	}
	for _, owed := range c.history.Owed() {
		if err := writeOwed(ctx, c.q, owed); err != nil {
			return err
		}
		if !slices.ContainsFunc(c.After, func(a ledger.Account) bool { return a.ID == owed.Account }) {
			c.Lost = append(c.Lost, owed)
		}
	}
	records := c.history.Recoveries()
	record := records[len(records)-1]
	c.Records = append(c.Records, record)
	return change(ctx, c.q, `INSERT INTO recoveries (entry, leaf) VALUES (?, ?)`, index, record.Leaf[:])
}

// end fails the questions under way: in what was lost they may have been answered, and a second answer would be
// a second draw of noise for one charge.
func (c *recovery) end(ctx context.Context) error {
	var open []string
	err := each(ctx, c.q, `SELECT id FROM questions WHERE state = ? ORDER BY entry`, []any{sandbox.Charged}, func(rows *sql.Rows) error {
		var id string
		err := rows.Scan(&id)
		open = append(open, id)
		return err
	})
	if err != nil {
		return err
	}
	for _, id := range open {
		q, err := charged(ctx, c.q, id)
		if err != nil {
			return err
		}
		if err := c.store.fail(ctx, c.q, q); err != nil {
			return fmt.Errorf("end %s: %w", id, err)
		}
	}
	c.Ended = open
	c.After, err = readAccounts(ctx, c.q)
	return err
}

func writeOwed(ctx context.Context, q querier, owed audit.Spent) error {
	return change(ctx, q, `INSERT OR REPLACE INTO owed (account, `+clockColumns+`) VALUES (?,?,?,?,?,?,?)`,
		append([]any{owed.Account}, clockValues(owed.Clocks)...)...)
}

// resume is a new account as it begins: with what is owed where it was lost in a recovery.
func resume(ctx context.Context, q querier, a ledger.Account) (ledger.Account, error) {
	var owed privacy.Clocks
	err := one(ctx, q, `SELECT `+clockColumns+` FROM owed WHERE account = ?`, []any{a.ID}, clockFields(&owed)...)
	if errors.Is(err, errNoRow) {
		return a, nil
	}
	return audit.Resume(a, owed), err
}

// changes are recoveries that were read, by index. One of them changed many accounts, and is as long.
type changes map[int64]recoveryEntry

type recoveryEntry struct {
	entry audit.Entry
	body  audit.Body
}

// last returns the entry that an account's row names as the last that changed it.
func (c changes) last(ctx context.Context, q querier, account string) (audit.Entry, audit.Body, error) {
	const which = `accounts.entry FROM accounts WHERE id = ?`
	var index int64
	if err := one(ctx, q, `SELECT `+which, []any{account}, &index); err != nil {
		return audit.Entry{}, nil, err
	}
	if known, ok := c[index]; ok {
		return known.entry, known.body, nil
	}
	entry, body, err := entryOf(ctx, q, which, account)
	if _, ok := body.(audit.Recovery); ok && err == nil {
		c[index] = recoveryEntry{entry, body}
	}
	return entry, body, err
}

// readRecoveries names the recoveries that the log records.
func readRecoveries(ctx context.Context, q querier) ([]audit.Mark, error) {
	var marks []audit.Mark
	err := each(ctx, q, `SELECT entry, leaf FROM recoveries ORDER BY entry`, nil, func(rows *sql.Rows) error {
		var m audit.Mark
		var leaf []byte
		err := rows.Scan(&m.Index, &leaf)
		copy(m.Leaf[:], leaf)
		marks = append(marks, m)
		return err
	})
	return marks, err
}

// checkRecoveries compares what the tables know of recoveries with what the log tells.
func checkRecoveries(ctx context.Context, q querier, history *audit.History) error {
	marks, err := readRecoveries(ctx, q)
	if err != nil {
		return err
	}
	if !slices.EqualFunc(marks, history.Recoveries(), func(m audit.Mark, r audit.Recovered) bool { return m == audit.Mark{Index: r.Index, Leaf: r.Leaf} }) {
		return fmt.Errorf("%w: its recoveries are not those that the log records", ErrInconsistent)
	}
	var have []audit.Spent
	err = each(ctx, q, `SELECT account, `+clockColumns+` FROM owed ORDER BY account`, nil, func(rows *sql.Rows) error {
		var owed audit.Spent
		err := rows.Scan(append([]any{&owed.Account}, clockFields(&owed.Clocks)...)...)
		have = append(have, owed)
		return err
	})
	if err == nil && !slices.Equal(have, history.Owed()) {
		err = fmt.Errorf("%w: what is owed of lost accounts is not what its recoveries say", ErrInconsistent)
	}
	return err
}
