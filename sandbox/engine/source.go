package engine

import (
	"context"
	"database/sql/driver"
	"fmt"
	"maps"
	"math/big"
	"path/filepath"
	"slices"
	"strings"

	"entrepot/datasets"
)

// fileInfo is what is known of a canonical file once it was opened.
type fileInfo struct {
	columns     string // the types that were checked, as one text
	rows        int64
	first, last int64 // unit ordinals
}

// storedColumns lists the columns of canonical Parquet that questions read, with their SQL types.
func storedColumns(d datasets.Declaration) [][2]string {
	columns := [][2]string{{datasets.OrdinalColumn, "BIGINT"}, {datasets.RankColumn, "INTEGER"}}
	if !d.Public {
		columns = append(columns, [2]string{datasets.UnitColumn, "BLOB"})
	}
	for _, c := range d.Columns {
		if t := columnType(c); t != "" {
			columns = append(columns, [2]string{c.Name, t})
		}
	}
	return columns
}

// mirror writes an empty table of the declared columns.
func mirror(d datasets.Declaration) string {
	var list []string
	for _, c := range storedColumns(d) {
		list = append(list, "CAST(NULL AS "+c[1]+") AS "+ident(c[0]))
	}
	return "(SELECT " + strings.Join(list, ", ") + " WHERE FALSE)"
}

// parquetRows writes the rows of a file. Nothing is read from its path.
func parquetRows(path string) string {
	return "read_parquet(" + quote(path) + ", hive_partitioning = false)"
}

// files writes the tables at paths, by dataset, and the values of all parameters of a statement over them. Paths are
// parameters: the text of a statement says nothing of where its rows are, and the database, which binds what reads
// files anew with every execution, need not do it when the statement is prepared as well.
func (q *question) files(paths map[string]string) (sources map[string]string, values []driver.NamedValue) {
	sources, values = map[string]string{}, slices.Clone(q.parameters)
	for _, dataset := range slices.Sorted(maps.Keys(paths)) {
		values = append(values, driver.NamedValue{Ordinal: len(values) + 1, Value: paths[dataset]})
		sources[dataset] = fmt.Sprintf("read_parquet($%d, hive_partitioning = false)", len(values))
	}
	return sources, values
}

// path returns file as an absolute path inside the engine's folder. The database would refuse
// another one; a pattern it would not.
func (e *Engine) path(file string) (string, error) {
	path := file
	if !filepath.IsAbs(path) {
		path = filepath.Join(e.options.Dir, file)
	}
	dir, err := filepath.EvalSymlinks(filepath.Dir(path))
	if err != nil {
		return "", fmt.Errorf("%w: %w", ErrFile, err)
	}
	path = filepath.Join(dir, filepath.Base(path))
	if rel, err := filepath.Rel(e.options.Dir, path); err != nil || !filepath.IsLocal(rel) || strings.ContainsAny(path, globs) {
		return "", fmt.Errorf("%w: %q is not a file in %q", ErrFile, file, e.options.Dir)
	}
	return path, nil
}

// maxFiles bounds how many files, and how many statements, are remembered.
const maxFiles = 4096

// inspect checks once that a file has the declared columns, so that no implicit cast, which could
// fail on a value, enters a question.
func (e *Engine) inspect(ctx context.Context, s session, path string, d datasets.Declaration) (fileInfo, error) {
	columns := storedColumns(d)
	want := fmt.Sprint(columns, d.Unique)
	e.mu.Lock()
	info, ok := e.files[path]
	e.mu.Unlock()
	if ok && info.columns == want {
		return info, nil
	}
	list := make([]string, len(columns))
	types := make([]string, len(columns))
	for i, c := range columns {
		list[i], types[i] = ident(c[0]), c[1]
	}
	if err := s.bind("SELECT "+strings.Join(list, ", ")+" FROM "+parquetRows(path), types); err != nil {
		return info, fmt.Errorf("%w: %w", ErrFile, err)
	}
	if d.Public {
		if err := s.unique(ctx, path, d.Unique); err != nil {
			return info, err
		}
	}
	info = fileInfo{columns: want}
	sql := "SELECT CAST(count(*) AS HUGEINT), CAST(coalesce(min(_ord), 0) AS HUGEINT), CAST(coalesce(max(_ord), 0) AS HUGEINT) FROM " + parquetRows(path)
	err := s.query(ctx, sql, nil, func(row []driver.Value) error {
		for i, to := range []*int64{&info.rows, &info.first, &info.last} {
			n, ok := row[i].(*big.Int)
			if !ok || !n.IsInt64() {
				return fmt.Errorf("%w: %T", ErrFile, row[i])
			}
			*to = n.Int64()
		}
		return nil
	})
	if err != nil {
		return info, err
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	if len(e.files) >= maxFiles {
		clear(e.files)
	}
	e.files[path] = info
	return info, nil
}

// unique checks that no two rows of a public table have one key. Joins rest on it: they must not
// multiply the rows of a unit.
func (s session) unique(ctx context.Context, path string, names []string) error {
	if len(names) == 0 {
		return fmt.Errorf("%w: a public table without a unique key", ErrFile)
	}
	keys := make([]string, len(names))
	for i, name := range names {
		keys[i] = ident(name)
	}
	list := strings.Join(keys, ", ")
	sql := "SELECT 1 FROM " + parquetRows(path) + " GROUP BY " + list + " HAVING count(*) > 1 LIMIT 1"
	return s.query(ctx, sql, nil, func([]driver.Value) error {
		return fmt.Errorf("%w: rows of one key in a public table", ErrFile)
	})
}
