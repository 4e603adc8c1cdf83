package engine

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"sync"

	"entrepot/datasets"
	"entrepot/privacy"
	"entrepot/sandbox/query"
)

// Engine is a set of locked-down DuckDBs in memory, one for each question that may run at a time, so that
// a heavy question cannot take the memory of another. A question alone has the database with all threads; those
// beside it have fewer, since threads in excess of the processors cost a small question more than its rows do.
// Its methods may be called at the same time.
type Engine struct {
	options   Options
	databases *idle

	closing chan struct{} // closed by Close
	close   sync.Once

	mu    sync.Mutex                     // guards files and bound
	files map[string]fileInfo            // canonical files seen, by path
	bound map[[sha256.Size]byte]struct{} // statements over an empty mirror that did bind, but for their numbers
}

// Open starts the databases and locks them down. It fails with ErrOptions, or where a lock does not close.
func Open(o Options) (*Engine, error) {
	o, err := o.complete()
	if err != nil {
		return nil, err
	}
	e := &Engine{
		options:   o,
		databases: newIdle(o.Questions),
		closing:   make(chan struct{}),
		files:     map[string]fileInfo{},
		bound:     map[[sha256.Size]byte]struct{}{},
	}
	for i := range o.Questions {
		share, err := o.share(i)
		if err != nil {
			return nil, errors.Join(err, e.free(i))
		}
		d, err := openDatabase(share)
		if err != nil {
			return nil, errors.Join(err, e.free(i))
		}
		e.databases.put(d)
	}
	return e, nil
}

// free waits for n databases and closes them.
func (e *Engine) free(n int) (err error) {
	for range n {
		<-e.databases.ready
		err = errors.Join(err, e.databases.take().close())
	}
	return err
}

// Close waits for the questions that run, refuses those that wait, and frees the databases.
func (e *Engine) Close() (err error) {
	e.close.Do(func() {
		close(e.closing)
		err = e.free(e.options.Questions)
	})
	return err
}

// Check binds the question's SQL against empty tables of the declared columns, by dataset; their files
// are not touched. An error is ErrPlan where the question is at fault: a limit of the engine, or a
// defect of the planner.
func (e *Engine) Check(ctx context.Context, p query.Plan, tables map[string]datasets.Table) error {
	return e.check(ctx, p.Parts(), tables)
}

// check is Check of a plan's content.
func (e *Engine) check(ctx context.Context, p query.Parts, tables map[string]datasets.Table) error {
	q, err := generate(p, tables, e.options.MaxGroups)
	if err != nil {
		return err
	}
	mirrors := map[string]string{}
	for dataset, table := range tables {
		mirrors[dataset] = mirror(table.Declaration)
	}
	for _, statement := range q.statements {
		sql := fill(statement.sql, mirrors, everything)
		known := sha256.Sum256(fmt.Appendf(nil, "%q %q", withoutNumbers(sql), statement.types))
		if e.known(known) { // the same text binds to the same types, whatever its numbers are: nothing else enters
			continue
		}
		err := e.run(ctx, func(ctx context.Context, s session) error { return s.bind(sql, statement.types) })
		if err != nil {
			return err
		}
		e.remember(known)
	}
	return nil
}

// known reports whether a statement did bind before.
func (e *Engine) known(statement [sha256.Size]byte) bool {
	e.mu.Lock()
	defer e.mu.Unlock()
	_, ok := e.bound[statement]
	return ok
}

// remember notes that a statement did bind.
func (e *Engine) remember(statement [sha256.Size]byte) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if len(e.bound) >= maxFiles {
		clear(e.bound)
	}
	e.bound[statement] = struct{}{}
}

// Collect returns the partial aggregates of a question over canonical files, by dataset; each is a path
// inside Options.Dir (relative to it, or absolute). Groups without rows are absent. After an error
// nothing is known about the rows but that; the question is not worth a second try unless ctx ended it.
func (e *Engine) Collect(ctx context.Context, p query.Plan, tables map[string]datasets.Table) (*privacy.Partials, error) {
	groups, err := e.collect(ctx, p.Parts(), tables)
	if err != nil {
		return nil, err
	}
	return privacy.NewPartials(p.Shape(), groups), nil
}

// collect is Collect without the envelope.
func (e *Engine) collect(ctx context.Context, p query.Parts, tables map[string]datasets.Table) ([]privacy.Partial, error) {
	q, err := generate(p, tables, e.options.MaxGroups)
	if err != nil {
		return nil, err
	}
	paths := map[string]string{}
	for _, dataset := range q.datasets {
		if paths[dataset], err = e.path(tables[dataset].File); err != nil {
			return nil, err
		}
	}
	sum := newTotals(q)
	err = e.run(ctx, func(ctx context.Context, s session) error {
		info := map[string]fileInfo{}
		for dataset, path := range paths {
			if info[dataset], err = e.inspect(ctx, s, path, tables[dataset].Declaration); err != nil {
				return err
			}
		}
		return q.run(ctx, s, paths, q.stretches(info), sum)
	})
	if err != nil {
		return nil, err
	}
	return sum.partials(), nil
}

// run runs the question's statements over all stretches of the files at paths, by dataset.
func (q *question) run(ctx context.Context, s session, paths map[string]string, cuts []stretch, sum *totals) error {
	sources, values := q.files(paths)
	for _, statement := range q.statements {
		over := cuts
		if statement.whole {
			over = []stretch{everything}
		}
		for _, cut := range over {
			if err := s.query(ctx, fill(statement.sql, sources, cut), values, sum.add(statement)); err != nil {
				return err
			}
		}
	}
	return nil
}
