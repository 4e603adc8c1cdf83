package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"slices"

	"entrepot/sandbox"
	"entrepot/sandbox/audit"
)

// ErrInconsistent means that tables and log disagree: the file was damaged or altered. Do not serve from
// it. Restore a backup, and compare its checkpoint with the newest one that anybody kept.
var ErrInconsistent = errors.New("the store disagrees with its log")

const (
	// fullReplay is the longest log that is replayed whole at the start.
	fullReplay = 40_000
	// tailReplay is how many of the newest entries of a longer log are compared.
	tailReplay = 2_000
)

// checkStore compares the tables with the log: all of a short one, the end of a long one.
func checkStore(ctx context.Context, q querier) error {
	h, err := readHead(ctx, q)
	if err != nil {
		return fmt.Errorf("%w: its head: %w", ErrInconsistent, err)
	}
	if err := checkHead(ctx, q); err != nil {
		return err
	}
	if h.size <= fullReplay {
		return checkWhole(ctx, q, h)
	}
	return checkTail(ctx, q, h, h.size-tailReplay)
}

// checkHead holds head, log and tree to one size, and the newest entry to its hash. It costs the same
// for every size.
func checkHead(ctx context.Context, q querier) error {
	h, err := readHead(ctx, q)
	if err != nil {
		return fmt.Errorf("%w: its head: %w", ErrInconsistent, err)
	}
	var entries, hashes int64
	if err := one(ctx, q, `SELECT COALESCE(MAX(idx) + 1, 0) FROM log`, nil, &entries); err != nil {
		return err
	}
	if err := one(ctx, q, `SELECT COALESCE(MAX(pos) + 1, 0) FROM tree`, nil, &hashes); err != nil {
		return err
	}
	if entries != h.size || hashes != audit.StoredAt(h.size) {
		return fmt.Errorf("%w: %d entries and %d hashes where %d and %d are due", ErrInconsistent,
			entries, hashes, h.size, audit.StoredAt(h.size))
	}
	if h.size == 0 {
		return nil
	}
	return eachEntry(ctx, q, h.size-1, func([]byte) error { return nil })
}

// eachEntry reads the log from an index to its end and compares every entry with the hashes stored for
// it, those of the inner nodes that it completed included.
func eachEntry(ctx context.Context, q querier, from int64, visit func(encoded []byte) error) error {
	tree, err := loadTree(ctx, q, audit.StoredAt(from))
	if err != nil {
		return err
	}
	next := from
	return each(ctx, q, `SELECT idx, entry FROM log WHERE idx >= ? ORDER BY idx`, []any{from}, func(rows *sql.Rows) error {
		var index int64
		var encoded []byte
		if err := rows.Scan(&index, &encoded); err != nil {
			return err
		}
		if index != next {
			return fmt.Errorf("%w: entry %d is missing", ErrInconsistent, next)
		}
		want, err := audit.StoredHashes(index, encoded, tree)
		if err != nil {
			return fmt.Errorf("%w: %w", ErrInconsistent, err)
		}
		if !slices.Equal(tree.at(audit.StoredAt(index), len(want)), want) {
			return fmt.Errorf("%w: entry %d does not have its stored hashes", ErrInconsistent, index)
		}
		next++
		return visit(encoded)
	})
}

// checkWhole replays the log and compares accounts, questions and documents with what it tells.
func checkWhole(ctx context.Context, q querier, h head) error {
	history := audit.NewHistory()
	t := newTail(0)
	err := eachEntry(ctx, q, 0, func(encoded []byte) error {
		entry, body, err := history.Apply(encoded)
		if err != nil {
			return fmt.Errorf("%w: entry %d: %w", ErrInconsistent, history.Size(), err)
		}
		t.add(entry, body)
		return nil
	})
	if err != nil {
		return err
	}
	if h.size > 0 && !history.Latest().Equal(h.latest) {
		return fmt.Errorf("%w: its latest time is not that of the head", ErrInconsistent)
	}
	accounts, err := readAccounts(ctx, q)
	if err != nil {
		return err
	}
	if !slices.Equal(accounts, history.Accounts()) {
		return fmt.Errorf("%w: the accounts are not what its charges left", ErrInconsistent)
	}
	allocations, err := selectAllocations(ctx, q, `ORDER BY account, name`)
	if err != nil {
		return err
	}
	if !slices.Equal(allocations, history.Allocations()) {
		return fmt.Errorf("%w: the allocations are not what the charges left", ErrInconsistent)
	}
	if err := checkRecoveries(ctx, q, history); err != nil {
		return err
	}
	if err := checkQuestions(ctx, q, history); err != nil {
		return err
	}
	return t.check(ctx, q)
}

// checkQuestions holds every question to what the log tells of it: one that the log released, but the
// table would still answer, could be answered twice.
func checkQuestions(ctx context.Context, q querier, history *audit.History) error {
	n := 0
	err := each(ctx, q, `SELECT `+questionColumns+` FROM questions`, nil, func(rows *sql.Rows) error {
		n++
		have, err := scanQuestion(rows)
		if err != nil {
			return fmt.Errorf("%w: %w", ErrInconsistent, err)
		}
		if asked, ok := history.Asked(have.ID); !ok || !sameQuestion(have, asked) {
			return fmt.Errorf("%w: question %s is not what the log tells", ErrInconsistent, have.ID)
		}
		return nil
	})
	if err == nil && n != history.Charged() {
		err = fmt.Errorf("%w: %d questions where the log charged %d", ErrInconsistent, n, history.Charged())
	}
	return err
}

// sameQuestion reports whether a question's row is what was charged, is as far as the log says, and has
// the answer that the log digested.
func sameQuestion(have sandbox.Question, asked audit.Asked) bool {
	state := sandbox.Charged
	switch {
	case asked.Release != "":
		state = sandbox.Released
	case asked.Failed:
		state = sandbox.Failed
	}
	return have.State == state && have.Release == asked.Release && have.Entry == asked.Entry &&
		have.Principal == asked.Actor && have.Project == asked.Project && have.Time.Equal(asked.Time) &&
		slices.Equal(have.Charges, asked.Charges) &&
		(state != sandbox.Released || digest(have.Answer) == asked.Digest)
}

// checkDocuments holds the documents since an entry to the entries that announced them, one to one: a
// policy that was changed in the table alone, or taken out of it, must not leave an older one to decide.
func checkDocuments(ctx context.Context, q querier, from int64, announced map[int64]sandbox.Draft) error {
	n := 0
	err := each(ctx, q, `SELECT kind, id, revision, body, entry FROM documents WHERE entry >= ?`, []any{from}, func(rows *sql.Rows) error {
		n++
		var d sandbox.Document
		var index int64
		if err := rows.Scan(&d.Kind, &d.ID, &d.Revision, &d.Body, &index); err != nil {
			return err
		}
		if err := checkDocument(d, announced[index]); err != nil {
			return fmt.Errorf("%w: %s %s: %w", ErrInconsistent, d.Kind, d.ID, err)
		}
		return nil
	})
	if err == nil && n != len(announced) {
		err = fmt.Errorf("%w: %d documents where the log announced %d", ErrInconsistent, n, len(announced))
	}
	return err
}
