package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
)

// querier is what statements run on: the writer's transaction, a read transaction or the read pool.
type querier interface {
	ExecContext(ctx context.Context, query string, args ...any) (sql.Result, error)
	QueryContext(ctx context.Context, query string, args ...any) (*sql.Rows, error)
}

// errNoRow is one's answer to a query without a row.
var errNoRow = sql.ErrNoRows

// one reads a single row.
func one(ctx context.Context, q querier, query string, args []any, dest ...any) error {
	found := false
	err := each(ctx, q, query, args, func(rows *sql.Rows) error {
		if found {
			return errors.New("more than one row where one is due")
		}
		found = true
		return rows.Scan(dest...)
	})
	if err == nil && !found {
		return errNoRow
	}
	return err
}

// each calls scan for every row.
func each(ctx context.Context, q querier, query string, args []any, scan func(*sql.Rows) error) (err error) {
	rows, err := q.QueryContext(ctx, query, args...)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, rows.Close()) }()
	for rows.Next() {
		if err := scan(rows); err != nil {
			return err
		}
	}
	return rows.Err()
}

// change runs a statement that must touch exactly one row.
func change(ctx context.Context, q querier, query string, args ...any) error {
	result, err := q.ExecContext(ctx, query, args...)
	if err != nil {
		return err
	}
	n, err := result.RowsAffected()
	if err != nil {
		return err
	}
	if n != 1 {
		return fmt.Errorf("%d rows changed where one is due", n)
	}
	return nil
}

// snapshot runs read against one state of the whole database, whatever is written meanwhile.
func (s *Store) snapshot(ctx context.Context, read func(querier) error) error {
	tx, err := s.reads.BeginTx(ctx, &sql.TxOptions{ReadOnly: true})
	if err != nil {
		return err
	}
	defer func() { _ = tx.Rollback() }() // nothing was written
	return read(tx)
}
