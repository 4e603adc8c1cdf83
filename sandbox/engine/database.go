package engine

import (
	"context"
	"database/sql/driver"
	"errors"
	"fmt"
	"slices"
	"sync"

	"github.com/duckdb/duckdb-go/v2"
)

// database is one locked-down DuckDB in memory. It runs one question at a time.
type database struct {
	connector *duckdb.Connector
	// keep is a connection nobody asks anything on. A database in memory lives as long as one is open.
	keep    driver.Conn
	threads int
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
	d := database{connector, keep, o.Threads}
	if err := lockDown(keep, o); err != nil {
		return database{}, errors.Join(err, d.close())
	}
	return d, nil
}

// close frees the database.
func (d database) close() error { return errors.Join(d.keep.Close(), d.connector.Close()) }

// idle holds the databases that no question uses.
type idle struct {
	ready chan struct{} // one token for each of list

	mu   sync.Mutex
	list []database // guarded by mu
}

// newIdle returns room for n databases.
func newIdle(n int) *idle { return &idle{ready: make(chan struct{}, n)} }

// put makes a database available again, or for the first time.
func (i *idle) put(d database) {
	i.mu.Lock()
	i.list = append(i.list, d)
	i.mu.Unlock()
	i.ready <- struct{}{}
}

// take removes the idle database with most threads. Its caller has received a token from ready.
func (i *idle) take() database {
	i.mu.Lock()
	defer i.mu.Unlock()
	widest := 0
	for n, d := range i.list {
		if d.threads > i.list[widest].threads {
			widest = n
		}
	}
	d := i.list[widest]
	i.list = slices.Delete(i.list, widest, widest+1)
	return d
}
