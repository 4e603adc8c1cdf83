package engine

import (
	"context"
	"database/sql/driver"
	"testing"

	"github.com/duckdb/duckdb-go/v2"
)

// open opens an engine for a test.
func open(t testing.TB, o Options) *Engine {
	t.Helper()
	e, err := Open(o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := e.Close(); err != nil {
			t.Error(err)
		}
	})
	return e
}

// writeParquet writes the rows of a SELECT with an unlocked database.
func writeParquet(t testing.TB, path, query string) {
	t.Helper()
	connector, err := duckdb.NewConnector("", nil)
	if err != nil {
		t.Fatal(err)
	}
	defer connector.Close()
	c, err := connector.Connect(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	sql := "COPY (" + query + ") TO " + quote(path) + " (FORMAT parquet, COMPRESSION zstd)"
	if _, err := c.(driver.ExecerContext).ExecContext(context.Background(), sql, nil); err != nil {
		t.Fatal(err)
	}
}
