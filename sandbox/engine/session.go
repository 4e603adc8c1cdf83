package engine

import (
	"context"
	"database/sql/driver"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/duckdb/duckdb-go/v2"
)

// session is one connection, used for one question and closed after it: settings, temporary
// tables or variables, had a question a way to make them, would end with it.
type session struct{ conn *duckdb.Conn }

// run waits for an idle database, opens a session and calls f. A panic of the driver becomes an error; a crash
// of the native library does not.
func (e *Engine) run(ctx context.Context, f func(context.Context, session) error) (err error) {
	ctx, cancel := context.WithTimeout(ctx, e.options.Timeout)
	defer cancel()
	select {
	case <-e.databases.ready:
	case <-ctx.Done():
		return fmt.Errorf("wait for the engine: %w", ctx.Err())
	case <-e.closing:
		return ErrClosed
	}
	d := e.databases.take()
	defer e.databases.put(d)
	select { // one may have been free at the same moment
	case <-e.closing:
		return ErrClosed
	default:
	}
	defer func() {
		if p := recover(); p != nil {
			err = errors.Join(err, fmt.Errorf("duckdb driver: panic of type %T", p))
		}
	}()
	c, err := d.connector.Connect(ctx)
	if err != nil {
		return fmt.Errorf("connect to duckdb: %w", err)
	}
	defer func() { err = errors.Join(err, c.Close()) }()
	conn, ok := c.(*duckdb.Conn)
	if !ok {
		return fmt.Errorf("connect to duckdb: driver connection is a %T", c)
	}
	return f(ctx, session{conn})
}

// prepare binds one SELECT. Conn.Prepare is the driver's only way in that refuses text of several
// statements; the others run all but the last at once.
func (s session) prepare(sql string) (*duckdb.Stmt, error) {
	prepared, err := s.conn.Prepare(sql)
	if err != nil {
		return nil, fmt.Errorf("bind: %w", err)
	}
	stmt, ok := prepared.(*duckdb.Stmt)
	if !ok {
		return nil, errors.Join(fmt.Errorf("bind: driver statement is a %T", prepared), prepared.Close())
	}
	kind, err := stmt.StatementType()
	if err == nil && kind != duckdb.STATEMENT_TYPE_SELECT {
		err = fmt.Errorf("statement of type %d", kind)
	}
	if err != nil {
		return nil, errors.Join(fmt.Errorf("bind: %w", err), stmt.Close())
	}
	return stmt, nil
}

// bind checks that a statement binds and returns columns of these types.
func (s session) bind(sql string, types []string) (err error) {
	stmt, err := s.prepare(sql)
	if err != nil {
		return fmt.Errorf("%w: %w", ErrPlan, err)
	}
	defer func() { err = errors.Join(err, stmt.Close()) }()
	n, err := stmt.ColumnCount()
	if err != nil || n != len(types) {
		return fmt.Errorf("%w: %d columns bound, not %d: %w", ErrPlan, n, len(types), err)
	}
	for i, want := range types {
		got, err := stmt.ColumnType(i)
		if err != nil || !isType(got, want) {
			return fmt.Errorf("%w: column %d is bound to type %d, not to %s: %w", ErrPlan, i, got, want, err)
		}
	}
	return nil
}

// isType reports whether a bound type is the one named.
func isType(got duckdb.Type, want string) bool {
	switch want {
	case "BIGINT":
		return got == duckdb.TYPE_BIGINT
	case "INTEGER":
		return got == duckdb.TYPE_INTEGER
	case "HUGEINT":
		return got == duckdb.TYPE_HUGEINT
	case "DOUBLE":
		return got == duckdb.TYPE_DOUBLE
	case "BLOB":
		return got == duckdb.TYPE_BLOB
	case "VARCHAR":
		return got == duckdb.TYPE_VARCHAR
	case "BOOLEAN":
		return got == duckdb.TYPE_BOOLEAN
	case "DATE":
		return got == duckdb.TYPE_DATE
	case "TIMESTAMP":
		return got == duckdb.TYPE_TIMESTAMP
	}
	return false
}

// query runs one SELECT and hands over its rows one by one; row is valid during the call only.
func (s session) query(ctx context.Context, sql string, parameters []driver.NamedValue, each func(row []driver.Value) error) (err error) {
	stmt, err := s.prepare(sql)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, stmt.Close()) }()
	rows, err := stmt.QueryContext(ctx, parameters)
	if err != nil {
		return fmt.Errorf("query: %w", errors.Join(withoutRows(err), ctx.Err()))
	}
	defer func() { err = errors.Join(rows.Close(), err) }()
	row := make([]driver.Value, len(rows.Columns()))
	for {
		if err := ctx.Err(); err != nil {
			return fmt.Errorf("read rows: %w", err)
		}
		if err := rows.Next(row); errors.Is(err, io.EOF) {
			return nil
		} else if err != nil {
			return fmt.Errorf("read rows: %w", withoutRows(err))
		}
		if err := each(row); err != nil {
			return err
		}
	}
}

// withoutRows keeps of an error at run time what cannot quote a row. Its message goes to the operator's
// log, where a value has no business either.
func withoutRows(err error) error {
	var e *duckdb.Error
	if !errors.As(err, &e) {
		return fmt.Errorf("duckdb failed with a %T", err)
	}
	switch e.Type {
	case duckdb.ErrorTypeOutOfMemory, duckdb.ErrorTypeInterrupt, duckdb.ErrorTypeIO, duckdb.ErrorTypePermission:
		return err
	}
	prefix, _, _ := strings.Cut(e.Msg, ":")
	return fmt.Errorf("duckdb failed with error type %d (%.40s)", e.Type, prefix)
}
