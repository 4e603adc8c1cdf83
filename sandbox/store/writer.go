package store

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"fmt"
)

// maxGroup is how many changes share one commit, and so one fsync.
const maxGroup = 64

// ErrClosed means that the store was closed; nothing was changed.
var ErrClosed = errors.New("the store is closed")

// change of state, as one caller asked for it.
type job struct {
	run    func(q querier) error
	result chan error
}

// writer owns the writing connection. Changes that arrive while a commit is under way are committed
// together next, each in a savepoint of its own, so that one that is refused leaves the others alone.
// Nothing is kept in memory from one group to the next but prepared statements.
type writer struct {
	db        *sql.DB
	check     func(ctx context.Context, q querier) error // run on every new connection, before its first change
	committed func(ctx context.Context, q querier) error // run after every commit, before anybody is told of it
	jobs      chan *job                                  // unbuffered: who still waits to hand over can leave
	quit      chan struct{}
	done      chan struct{}
	conn      *prepared // nil until needed, and after a failure; the loop's own
}

func startWriter(db *sql.DB, check, committed func(context.Context, querier) error) *writer {
	w := &writer{db: db, check: check, committed: committed, jobs: make(chan *job), quit: make(chan struct{}), done: make(chan struct{})}
	go w.loop()
	return w
}

// do runs one change and returns when it is durable, or refused, or failed. A context that ends before
// the change begins withdraws it; after that its outcome is awaited, so that no error means "perhaps"
// merely because the caller was impatient.
func (w *writer) do(ctx context.Context, run func(q querier) error) error {
	j := &job{run: run, result: make(chan error, 1)}
	if err := ctx.Err(); err != nil {
		return err
	}
	select {
	case w.jobs <- j:
		return <-j.result
	case <-ctx.Done():
		return ctx.Err()
	case <-w.quit:
		return ErrClosed
	}
}

// stop ends the loop after the group under way and closes the connection.
func (w *writer) stop() error {
	close(w.quit)
	<-w.done
	w.drop()
	return w.db.Close()
}

func (w *writer) loop() {
	defer close(w.done)
	for {
		select {
		case <-w.quit:
			return
		case first := <-w.jobs:
			w.commit(w.group(first))
		}
	}
}

// group collects what waits already; it waits for nobody.
func (w *writer) group(first *job) []*job {
	group := []*job{first}
	for len(group) < maxGroup {
		select {
		case j := <-w.jobs:
			group = append(group, j)
		default:
			return group
		}
	}
	return group
}

// commit tells every caller its own outcome, or, when the transaction or what follows it failed, the failure: a
// refusal, too, may rest on changes of the group that are now undone.
func (w *writer) commit(group []*job) {
	outcomes, err := w.attempt(group)
	if err != nil {
		w.drop() // whatever became of the transaction, the next group reads the state from disk
	}
	for i, j := range group {
		if err != nil {
			j.result <- fmt.Errorf("commit: %w", err)
		} else {
			j.result <- outcomes[i]
		}
	}
}

func (w *writer) attempt(group []*job) ([]error, error) {
	ctx := context.Background() // a group belongs to no single caller
	if err := w.connect(ctx); err != nil {
		return nil, err
	}
	if err := w.conn.plain(ctx, "BEGIN IMMEDIATE"); err != nil {
		return nil, err
	}
	outcomes := make([]error, len(group))
	for i, j := range group {
		if err := w.conn.plain(ctx, "SAVEPOINT change"); err != nil {
			return nil, err
		}
		if outcomes[i] = safely(j.run, w.conn); outcomes[i] != nil {
			// Fails when the change's error made SQLite undo the whole transaction.
			if err := w.conn.plain(ctx, "ROLLBACK TO change"); err != nil {
				return nil, fmt.Errorf("%w, after: %s", err, outcomes[i].Error()) // one caller's refusal is not the others'
			}
		}
		if err := w.conn.plain(ctx, "RELEASE change"); err != nil {
			return nil, err
		}
	}
	if err := w.conn.plain(ctx, "COMMIT"); err != nil {
		return nil, err
	}
	return outcomes, w.committed(ctx, w.conn)
}

// safely turns a panic of one change into its error: the loop serves all callers.
func safely(run func(querier) error, q querier) (err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("a change panicked: %T", p)
		}
	}()
	return run(q)
}

// connect makes sure that there is a connection whose database passed the check.
func (w *writer) connect(ctx context.Context) error {
	if w.conn != nil {
		return nil
	}
	conn, err := w.db.Conn(ctx)
	if err != nil {
		return err
	}
	w.conn = &prepared{conn: conn, statements: map[string]*sql.Stmt{}}
	if err := w.check(ctx, w.conn); err != nil {
		w.drop()
		return err
	}
	return nil
}

// drop closes the connection for good, which undoes a transaction that is still open.
func (w *writer) drop() {
	if w.conn == nil {
		return
	}
	for _, statement := range w.conn.statements {
		_ = statement.Close()
	}
	_ = w.conn.conn.Raw(func(any) error { return driver.ErrBadConn }) // out of the pool
	_ = w.conn.conn.Close()
	w.conn = nil
}

// prepared is a connection that keeps its statements, by their text.
type prepared struct {
	conn       *sql.Conn
	statements map[string]*sql.Stmt
}

func (p *prepared) statement(ctx context.Context, query string) (*sql.Stmt, error) {
	if s := p.statements[query]; s != nil {
		return s, nil
	}
	s, err := p.conn.PrepareContext(ctx, query)
	if err == nil {
		p.statements[query] = s
	}
	return s, err
}

// ExecContext implements querier.
func (p *prepared) ExecContext(ctx context.Context, query string, args ...any) (sql.Result, error) {
	s, err := p.statement(ctx, query) //nolint:sqlclosecheck // kept for the next call; drop closes them
	if err != nil {
		return nil, err
	}
	return s.ExecContext(ctx, args...)
}

// QueryContext implements querier.
func (p *prepared) QueryContext(ctx context.Context, query string, args ...any) (*sql.Rows, error) {
	s, err := p.statement(ctx, query) //nolint:sqlclosecheck // kept for the next call; drop closes them
	if err != nil {
		return nil, err
	}
	return s.QueryContext(ctx, args...)
}

// plain runs a statement without arguments or result.
func (p *prepared) plain(ctx context.Context, query string) error {
	_, err := p.ExecContext(ctx, query)
	return err
}
