package engine

import (
	"context"
	"database/sql/driver"
	"errors"
	"fmt"

	"github.com/duckdb/duckdb-go/v2"
)

// database is one locked-down DuckDB in memory. It runs one question at a time.
type database struct {
	connector *duckdb.Connector
	// keep is a connection nobody asks anything on. A database in memory lives as long as one is open.
	keep driver.Conn
}

// openDatabase starts a database and locks it down.
func openDatabase(o Options) (database, error) {
	connector, err := duckdb.NewConnector("", nil)
	if err != nil {
		return database{}, fmt.Errorf("start duckdb: %w", err)
	}
	keep, err := connector.Connect(context.Background())
	if err != nil {
		return database{}, errors.Join(fmt.Errorf("start duckdb: %w", err), connector.Close())
	}
	d := database{connector, keep}
	if err := lockDown(keep, o); err != nil {
		return database{}, errors.Join(err, d.close())
	}
	return d, nil
}

// close frees the database.
func (d database) close() error { return errors.Join(d.keep.Close(), d.connector.Close()) }
