package engine

import (
	"context"
	"crypto/sha256"
	"database/sql/driver"
	"errors"
	"fmt"
	"sync"

	"github.com/duckdb/duckdb-go/v2"

	"entrepot/datasets"
	"entrepot/privacy"
	"entrepot/sandbox/query"
)

// Engine is one locked-down DuckDB in memory. Its methods may be called at the same time.
type Engine struct {
	options   Options
	connector *duckdb.Connector
	slots     chan struct{} // a token for each question running

	closing chan struct{} // closed by Close
	close   sync.Once

	mu    sync.Mutex                     // guards files and bound
	files map[string]fileInfo            // canonical files seen, by path
	bound map[[sha256.Size]byte]struct{} // statements over an empty mirror that did bind
	// keep is a connection nobody asks anything on. A database in memory lives as long as one is open.
	keep driver.Conn
}

// Open starts a database and locks it down. It fails with ErrOptions, or where a lock does not close.
func Open(o Options) (*Engine, error) {
	o, err := o.complete()
	if err != nil {
		return nil, err
	}
	connector, err := duckdb.NewConnector("", nil)
	if err != nil {
		return nil, fmt.Errorf("start duckdb: %w", err)
	}
	keep, err := connector.Connect(context.Background())
	if err != nil {
		return nil, errors.Join(fmt.Errorf("start duckdb: %w", err), connector.Close())
	}
	if err := lockDown(keep, o); err != nil {
		return nil, errors.Join(err, keep.Close(), connector.Close())
	}
	return &Engine{
		options:   o,
		connector: connector,
		slots:     make(chan struct{}, o.Questions),
		closing:   make(chan struct{}),
		files:     map[string]fileInfo{},
		bound:     map[[sha256.Size]byte]struct{}{},
		keep:      keep,
	}, nil
}

// Close waits for the questions that run, refuses those that wait, and frees the database.
func (e *Engine) Close() (err error) {
	e.close.Do(func() {
		close(e.closing)
		for range cap(e.slots) {
			e.slots <- struct{}{}
		}
		err = errors.Join(e.keep.Close(), e.connector.Close())
	})
	return err
}

// Check binds the question's SQL against an empty table of the declared columns. An error is
// ErrPlan where the question is at fault: a limit of the engine, or a defect of the planner. No file
// is touched.
func (e *Engine) Check(ctx context.Context, p query.Plan, d datasets.Declaration) error {
	q, err := generate(p.Parts(), d, e.options.MaxGroups)
	if err != nil {
		return err
	}
	sql := q.sql(mirror(d), everything)
	known := sha256.Sum256(fmt.Appendf(nil, "%q %q", sql, q.types))
	e.mu.Lock()
	_, ok := e.bound[known]
	e.mu.Unlock()
	if ok { // the same text binds to the same types: nothing else enters
		return nil
	}
	err = e.run(ctx, func(ctx context.Context, s session) error { return s.bind(sql, q.types) })
	if err != nil {
		return err
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	if len(e.bound) >= maxFiles {
		clear(e.bound)
	}
	e.bound[known] = struct{}{}
	return nil
}

// Collect returns the partial aggregates of a question over one canonical file, a path inside
// Options.Dir (relative to it, or absolute). Groups without rows are absent. After an error nothing
// is known about the rows but that; the question is not worth a second try unless ctx ended it.
func (e *Engine) Collect(ctx context.Context, p query.Plan, d datasets.Declaration, file string) (*privacy.Partials, error) {
	groups, err := e.collect(ctx, p.Parts(), d, file)
	if err != nil {
		return nil, err
	}
	return privacy.NewPartials(groups), nil
}

// collect is Collect without the envelope.
func (e *Engine) collect(ctx context.Context, p query.Parts, d datasets.Declaration, file string) ([]privacy.Partial, error) {
	q, err := generate(p, d, e.options.MaxGroups)
	if err != nil {
		return nil, err
	}
	path, err := e.path(file)
	if err != nil {
		return nil, err
	}
	sum := newTotals(q)
	err = e.run(ctx, func(ctx context.Context, s session) error {
		info, err := e.inspect(ctx, s, path, d)
		if err != nil {
			return err
		}
		for _, stretch := range q.stretches(info) {
			if err := s.query(ctx, q.sql(parquetRows(path), stretch), q.parameters, sum.add); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	return sum.partials(), nil
}
