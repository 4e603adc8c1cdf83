package audit

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"time"

	"entrepot/privacy/ledger"
)

// Report is what a verified export shows.
type Report struct {
	Checkpoint  Checkpoint
	Kinds       map[Kind]int64      // entries of each kind
	Accounts    []ledger.Account    // as the log leaves them, sorted: promise, spent, failures
	Allocations []ledger.Allocation // as the log leaves them, sorted by account and name
	Promises    int64               // lifetimes that were raised: promises made beyond the first of each account
	Unanswered  []string            // questions charged, neither released nor failed; a crash leaves such
	Latest      time.Time           // of the newest entry; zero for an empty log
	Recoveries  []Recovered         // restarts after a loss, in order
}

// EntryError says which entry of an export is wrong.
type EntryError struct {
	Index int64 // where it stands, from 0
	Err   error // ErrEntry, ErrExport or ErrHistory, wrapped
}

func (e *EntryError) Error() string { return fmt.Sprintf("entry %d: %v", e.Index, e.Err) }

// Unwrap gives errors.Is what is wrong.
func (e *EntryError) Unwrap() error { return e.Err }

// Verify checks an export from its first byte to its last, offline. keys are verifier keys: the log's
// own, named origin, and those of every witness that signed; in an export a signature that cannot be
// checked is an error, because it could be altered unseen. seen are checkpoints of this log from
// earlier: the export must extend each of them, with the clocks they committed.
//
// An error means that the export is not evidence of anything. Memory grows with the number of
// questions and allocations, not with the length of the entries.
func Verify(r io.Reader, keys []string, origin string, seen ...Checkpoint) (Report, error) {
	in := exportReader{bufio.NewReader(r)}
	signed, err := in.open()
	if err != nil {
		return Report{}, err
	}
	checkpoint, unknown, err := readCheckpoint(signed, origin, keys)
	if err != nil {
		return Report{}, err
	}
	if unknown > 0 {
		return Report{}, fmt.Errorf("%w: %d signatures are by keys that were not given", ErrCheckpoint, unknown)
	}
	for _, older := range seen {
		if older.Origin != origin {
			return Report{}, fmt.Errorf("%w: the one seen before is of the log %q", ErrCheckpoint, older.Origin)
		}
	}
	v := verifier{origin: origin, keys: keys, history: NewHistory(), seen: bySize(seen)}
	for i := range checkpoint.Size {
		err := v.next(in)
		if lost, ok := errors.AsType[*LostError](err); ok {
			return Report{}, lost
		}
		if err != nil {
			return Report{}, &EntryError{Index: i, Err: err}
		}
	}
	if err := in.close(); err != nil {
		return Report{}, err
	}
	if err := v.finish(checkpoint); err != nil {
		return Report{}, err
	}
	return v.report(checkpoint), nil
}

// verifier is the state of one Verify: tree and meaning, side by side.
type verifier struct {
	tree    Frontier
	history *History
	seen    []Checkpoint // not reached yet, smallest first
	origin  string
	keys    []string
}

func (v *verifier) next(in exportReader) error {
	if err := v.passed(); err != nil {
		return err
	}
	raw, err := in.frame("entry", MaxRecovery)
	if err != nil {
		return err
	}
	v.tree.Add(LeafHash(raw))
	_, body, err := v.history.Apply(raw)
	if err != nil {
		return err
	}
	return v.checkWitness(body)
}

// passed compares with the checkpoints seen at this size.
func (v *verifier) passed() error {
	for len(v.seen) > 0 && v.seen[0].Size == v.tree.Size() {
		if err := v.equals(v.seen[0]); err != nil {
			if lost := v.history.lost(v.seen[0]); lost != nil {
				return lost
			}
			return fmt.Errorf("compared with the checkpoint seen at %d entries: %w", v.tree.Size(), err)
		}
		v.seen = v.seen[1:]
	}
	return nil
}

func (v *verifier) finish(c Checkpoint) error {
	if err := v.equals(c); err != nil {
		return err
	}
	if err := v.passed(); err != nil {
		return err
	}
	if len(v.seen) > 0 {
		if lost := v.history.lost(v.seen[0]); lost != nil {
			return lost
		}
		return fmt.Errorf("%w: it has %d entries, fewer than the %d seen before", ErrHistory, c.Size, v.seen[0].Size)
	}
	return nil
}

// equals compares root and clocks with a checkpoint of this size.
func (v *verifier) equals(c Checkpoint) error {
	if v.tree.Root() != c.Root {
		return fmt.Errorf("%w: the entries do not have the root that it signs", ErrCheckpoint)
	}
	if !slices.Equal(v.history.Clocks(), c.Accounts) {
		return fmt.Errorf("%w: the accounts' clocks are not those that it commits", ErrCheckpoint)
	}
	if !slices.Equal(v.history.marks(), c.Recoveries) {
		return fmt.Errorf("%w: the recoveries are not those that it names", ErrCheckpoint)
	}
	return nil
}

func (v *verifier) report(c Checkpoint) Report {
	r := Report{
		Checkpoint:  c,
		Kinds:       maps.Clone(v.history.kinds),
		Accounts:    v.history.Accounts(),
		Allocations: v.history.Allocations(),
		Recoveries:  v.history.Recoveries(),
		Unanswered:  v.history.Unanswered(),
		Latest:      v.history.Latest(),
	}
	for _, a := range r.Accounts {
		r.Promises += a.Promises - 1
	}
	return r
}

func bySize(seen []Checkpoint) []Checkpoint {
	sorted := slices.Clone(seen)
	slices.SortStableFunc(sorted, func(a, b Checkpoint) int { return int(a.Size - b.Size) })
	return sorted
}
