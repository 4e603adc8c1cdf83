package engine

import (
	"context"
	"database/sql/driver"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// raw runs one text on a fresh connection of the locked database, past all checks of this package,
// and returns the first row.
func raw(t *testing.T, e *Engine, sql string) (row []driver.Value, err error) {
	t.Helper()
	<-e.databases.ready
	d := e.databases.take()
	defer e.databases.put(d)
	c, err := d.connector.Connect(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	rows, err := c.(driver.QueryerContext).QueryContext(context.Background(), sql, nil)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	row = make([]driver.Value, len(rows.Columns()))
	if err := rows.Next(row); err != nil && !errors.Is(err, io.EOF) {
		return nil, err
	}
	return row, nil
}

// TestLockDown tries what a hostile statement would try if one ever reached the database.
func TestLockDown(t *testing.T) {
	root := t.TempDir()
	dir, outside := filepath.Join(root, "versions"), filepath.Join(root, "outside")
	sibling := filepath.Join(root, "versions2")
	for _, d := range []string{dir, outside, sibling} {
		if err := os.Mkdir(d, 0o700); err != nil {
			t.Fatal(err)
		}
	}
	writeParquet(t, filepath.Join(dir, "in.parquet"), "SELECT 1::BIGINT AS x")
	writeParquet(t, filepath.Join(outside, "out.parquet"), "SELECT 'canary' AS x")
	writeParquet(t, filepath.Join(sibling, "out.parquet"), "SELECT 'canary' AS x")
	for name, target := range map[string]string{"link.parquet": filepath.Join(outside, "out.parquet"), "linkdir": outside} {
		if err := os.Symlink(target, filepath.Join(dir, name)); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.WriteFile(filepath.Join(outside, "secret.csv"), []byte("canary\n1\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	e := open(t, Options{Dir: dir, Threads: 1, Questions: 1})

	fill := strings.NewReplacer("{in}", dir, "{out}", outside, "{sibling}", sibling)
	refused := []string{
		"SELECT * FROM read_parquet('{out}/out.parquet')",
		"SELECT * FROM '{out}/out.parquet'",
		"SELECT * FROM read_parquet('{in}/../outside/out.parquet')",
		"SELECT * FROM read_parquet('{in}/linkdir/../../outside/out.parquet')",
		"SELECT * FROM read_parquet('{sibling}/out.parquet')",
		"SELECT * FROM read_parquet('{out}/*.parquet')",
		"SELECT * FROM read_parquet(['{in}/in.parquet', '{out}/out.parquet'])",
		"SELECT * FROM parquet_metadata('{out}/out.parquet')",
		"SELECT * FROM parquet_schema('{out}/out.parquet')",
		"SELECT * FROM parquet_file_metadata('{out}/out.parquet')",
		"SELECT * FROM read_csv('{out}/secret.csv')",
		"SELECT * FROM read_csv_auto('{out}/secret.csv')",
		"SELECT * FROM sniff_csv('{out}/secret.csv')",
		"SELECT * FROM read_text('{out}/secret.csv')",
		"SELECT * FROM read_text('/etc/passwd')",
		"SELECT * FROM read_blob('/etc/passwd')",
		"SELECT * FROM read_json('/etc/passwd')",
		"SELECT * FROM read_json_objects('{out}/secret.csv')",
		"SELECT * FROM glob('{out}/*')",
		"SELECT * FROM read_parquet('https://example.org/x.parquet')",
		"SELECT * FROM read_parquet('s3://bucket/x.parquet')",
		"COPY (SELECT 1) TO '{out}/new.csv'",
		"COPY (SELECT 1) TO '{out}/new.parquet' (FORMAT parquet)",
		"COPY (SELECT 1) TO '{in}/../new.csv'",
		"COPY (SELECT 1) TO '/dev/stdout' (FORMAT csv)",
		"EXPORT DATABASE '{out}/export'",
		"IMPORT DATABASE '{out}/export'",
		"ATTACH '{out}/other.db' AS other",
		"ATTACH 'other.db' AS other",
		"CREATE TABLE t AS SELECT * FROM read_csv('{out}/secret.csv')",
		"INSTALL httpfs",
		"INSTALL spatial FROM community",
		"LOAD httpfs",
		"LOAD '{out}/evil.duckdb_extension'",
		"UPDATE EXTENSIONS",
		"SET threads = 64",
		"SET GLOBAL memory_limit = '100GB'",
		"SET SESSION enable_profiling = 'json'",
		"SET enable_external_access = true",
		"SET lock_configuration = false",
		"RESET lock_configuration",
		"RESET memory_limit",
		"SET allowed_directories = ['/']",
		"SET allowed_paths = ['/etc/passwd']",
		"SET temp_directory = '{out}'",
		"SET TimeZone = 'Asia/Seoul'",
		"SET profiling_output = '{out}/profile'",
		"SET log_query_path = '{out}/log'",
		"SET home_directory = '{out}'",
		"PRAGMA memory_limit = '100GB'",
		"PRAGMA threads = 64",
		"PRAGMA profiling_output = '{out}/profile'",
		"CALL pragma_does_not_exist()",
		"SELECT getenv('HOME')",
		"SELECT * FROM shell('id')",
		"SELECT * FROM query('SELECT * FROM read_text(''/etc/passwd'')')",
		"SELECT 1; SET threads = 64; SELECT 2",
		"SELECT 1; COPY (SELECT 1) TO '{out}/new.csv'; SELECT 2",
		"CREATE SECRET (TYPE s3, KEY_ID 'a', SECRET 'b')",
		"CREATE PERSISTENT SECRET (TYPE http, BEARER_TOKEN 'b')",
	}
	for _, sql := range refused {
		row, err := raw(t, e, fill.Replace(sql))
		if err == nil {
			t.Errorf("not refused: %s: %v", sql, row)
		}
	}
	for _, name := range []string{"new.csv", "new.parquet", "export", "profile", "log", "other.db"} {
		if _, err := os.Lstat(filepath.Join(outside, name)); err == nil {
			t.Errorf("%s was written outside the folder", name)
		}
	}

	// What the lock leaves open: inside the folder, or inside the database for as long as a
	// connection lives. This package writes no such statement; the folder should be read-only too.
	for _, sql := range []string{
		"SELECT * FROM read_parquet('{in}/in.parquet')",
		"SELECT * FROM query('SELECT 1')",
		"SELECT current_setting('memory_limit')",
		"EXPLAIN SELECT 1",
		"CREATE TEMP TABLE t AS SELECT 1",
		"CREATE TABLE t AS SELECT 1",
		"DROP TABLE t",
		"SET VARIABLE v = 1",
		"SELECT 1; SELECT 2",
		"COPY (SELECT 1) TO '{in}/new.csv'",
		"ATTACH '{in}/other.db' AS other",
		"DETACH other",
	} {
		if _, err := raw(t, e, fill.Replace(sql)); err != nil {
			t.Errorf("refused, so the list of what stays allowed is wrong: %s: %v", sql, err)
		}
	}
	row, err := raw(t, e, "SELECT x FROM read_parquet('"+dir+"/link.parquet')")
	if err == nil {
		t.Errorf("not refused: an outward link: %v", row)
	}
}

// TestOneStatement shows that what prepare accepts is one SELECT.
func TestOneStatement(t *testing.T) {
	e := open(t, Options{Dir: t.TempDir(), Threads: 1})
	err := e.run(t.Context(), func(_ context.Context, s session) error {
		for _, sql := range []string{
			"", ";", "SELECT 1; SELECT 2", "CREATE TABLE t (x INT)", "SET VARIABLE v = 1", "EXPLAIN SELECT 1",
			"COPY (SELECT 1) TO 'x.csv'", "BEGIN", "PREPARE p AS SELECT 1", "CALL pragma_version()", "VACUUM",
		} {
			if stmt, err := s.prepare(sql); err == nil {
				t.Errorf("prepared: %q", sql)
				_ = stmt.Close()
			}
		}
		stmt, err := s.prepare("SELECT 1")
		if err != nil {
			return err
		}
		return stmt.Close()
	})
	if err != nil {
		t.Fatal(err)
	}
}

// TestLiteral reads every literal back: whatever text a question holds, it stays a value.
func TestLiteral(t *testing.T) {
	e := open(t, Options{Dir: t.TempDir(), Threads: 1})
	for _, s := range []string{
		"", "'", "''", `\'`, `\`, `"`, "$$", "$a$ ' $a$", "--", "/* ' */", "'; DROP TABLE t; --", "E'\\x27'", "a\nb\r\t", "\u00a0'\u2003", "\u2028'\u200b",
		"한글 é \U0001F468\u200d\U0001F469", "\x01\x1b\x7f", "?", "$1", "${x}", "{fn}", strings.Repeat("'", 1024), "\ufeff'", "ʼ ’", "\u202e'",
	} {
		lit, err := text(s)
		if err != nil {
			t.Fatal(err)
		}
		row, err := raw(t, e, "SELECT "+lit+", 7")
		if err != nil || row[0] != s || row[1] != int32(7) {
			t.Errorf("%q came back as %q, %v", s, row, err)
		}
	}
	for _, s := range []string{"a\x00b", "\xff", "\xed\xa0\x80"} {
		if _, err := text(s); !errors.Is(err, ErrPlan) {
			t.Errorf("%q: %v", s, err)
		}
	}
	for _, f := range []float64{0, 1, -1, 0.1, 1e-308, 5e-324, 1.7976931348623157e308, -2.2250738585072014e-308, 123456789.987654321, 1 << 53, 0.30000000000000004} {
		lit, err := number(f)
		if err != nil {
			t.Fatal(err)
		}
		if row, err := raw(t, e, "SELECT "+lit); err != nil || row[0] != f {
			t.Errorf("%g came back as %v, %v", f, row, err)
		}
	}
	for _, i := range []int64{0, -1, 1 << 62, -1 << 63, 1<<63 - 1} {
		if row, err := raw(t, e, "SELECT "+integer(i)); err != nil || row[0] != i {
			t.Errorf("%d came back as %v, %v", i, row, err)
		}
	}
}
