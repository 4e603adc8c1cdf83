package store

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"net/url"
	"path/filepath"

	"github.com/mattn/go-sqlite3"
)

// readers is how many reads run side by side.
const readers = 8

// connector opens connections without a driver registered under a global name. hook is for tests that
// need a database which fails; nil otherwise.
type connector struct {
	dsn  string
	hook func(*sqlite3.SQLiteConn) error
}

// Connect implements driver.Connector.
func (c connector) Connect(context.Context) (driver.Conn, error) {
	return (&sqlite3.SQLiteDriver{ConnectHook: c.hook}).Open(c.dsn)
}

// Driver implements driver.Connector.
func (c connector) Driver() driver.Driver { return &sqlite3.SQLiteDriver{} }

// openWriter opens the one connection that writes. A commit is on disk when it returns.
func openWriter(path string, hook func(*sqlite3.SQLiteConn) error) (*sql.DB, error) {
	dsn, err := dataSource(path, url.Values{
		"mode":          {"rw"},
		"_txlock":       {"immediate"},
		"_journal_mode": {"WAL"},
		"_synchronous":  {"FULL"},
		"_foreign_keys": {"on"},
		"_busy_timeout": {"5000"},
	})
	if err != nil {
		return nil, err
	}
	db := sql.OpenDB(connector{dsn: dsn, hook: hook})
	db.SetMaxOpenConns(1)
	return db, nil
}

// openReaders opens connections that cannot write.
func openReaders(path string) (*sql.DB, error) {
	return openReadOnly(path, readers, url.Values{"_query_only": {"on"}})
}

// openReadOnly opens the file for reading. Without query_only a connection can still fill another file,
// which is what a backup does.
func openReadOnly(path string, n int, options url.Values) (*sql.DB, error) {
	options.Set("mode", "ro")
	options.Set("_txlock", "deferred")
	options.Set("_busy_timeout", "5000")
	options.Set("_stmt_cache_size", "64") // of each connection; more than there are texts
	dsn, err := dataSource(path, options)
	if err != nil {
		return nil, err
	}
	db := sql.OpenDB(connector{dsn: dsn})
	db.SetMaxOpenConns(n)
	db.SetMaxIdleConns(n)
	return db, nil
}

// dataSource writes the path as a URI, so that no character of it is read as an option.
func dataSource(path string, options url.Values) (string, error) {
	absolute, err := filepath.Abs(path)
	if err != nil {
		return "", err
	}
	return "file:" + (&url.URL{Path: absolute}).EscapedPath() + "?" + options.Encode(), nil
}
