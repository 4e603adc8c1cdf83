package datasets

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
)

// Ingest reads an upload, maps its rows onto the declaration, and writes them to out as canonical
// Parquet, whole or not at all; a file already there is replaced. key is the unit space's, at least
// MinKey bytes; a public table needs none. The call is durable on return: the file and its directory entry are synced.
//
// The report is complete when err is nil, and in a *StrictError. Other errors wrap ErrDeclaration,
// ErrFormat, ErrMalformed (ErrColumns, ErrDuplicates), ErrTooLarge, ErrKey or the context's; what
// remains are failures of the disk. None quotes a cell, but for ErrDuplicates those of a public table,
// and none leaves a file behind.
func Ingest(ctx context.Context, d Declaration, in Upload, out string, key []byte, o Options) (Report, error) {
	if err := d.Validate(); err != nil {
		return Report{}, err
	}
	if in.Data == nil || in.Size < 0 {
		return Report{}, fmt.Errorf("%w: no data", ErrMalformed)
	}
	o = o.withDefaults()
	if o.TempDir == "" {
		o.TempDir = filepath.Dir(out)
	}
	s := &spill{dir: o.TempDir, limit: o.SpillLimit}
	defer s.close()
	rows := newSorter(o.MemoryLimit, s)
	report, err := readRows(ctx, d, in, key, o, rows)
	if err != nil {
		return Report{}, err
	}
	err = writeFile(out, func(w io.Writer) error {
		c, err := newRowWriter(w, d, o.RowGroupRows)
		if err != nil {
			return err
		}
		if err := rows.each(ctx, c.add); err != nil {
			return err
		}
		if err := c.close(&report); err != nil {
			return err
		}
		if o.Strict && !report.clean() {
			return &StrictError{Report: report}
		}
		return ctx.Err()
	})
	var strict *StrictError
	if err != nil && !errors.As(err, &strict) {
		return Report{}, err
	}
	return report, err
}

// readRows reads the upload and adds a record for each row that has a unit, or is public, and has no
// forbidden NULL.
func readRows(ctx context.Context, d Declaration, in Upload, key []byte, o Options, rows *sorter) (Report, error) {
	g := newGuard(ctx, in, o.DecodeLimit)
	var report Report
	err := g.run(func() error {
		src, err := open(g, o)
		if err != nil {
			return err
		}
		names := src.columns()
		if len(names) > o.MaxColumns {
			return refuse(ErrTooLarge, "it has %d columns; at most %d are read", len(names), o.MaxColumns)
		}
		chosen, at, undeclared, err := match(d, names)
		if err != nil {
			return err
		}
		if err := src.choose(at, chosen); err != nil {
			return err
		}
		report = newReport(chosen, undeclared)
		m, err := newMapper(d, chosen, key, &report)
		if err != nil {
			return own(err)
		}
		for {
			b, err := src.next()
			if err != nil {
				return err
			}
			if err := ctx.Err(); err != nil {
				return err
			}
			for i := range b.rows {
				if report.RowsRead++; report.RowsRead > o.MaxRows {
					return refuse(ErrTooLarge, "it has more than %d rows", o.MaxRows)
				}
				if record, ok := m.row(b, i); ok {
					if err := rows.add(record); err != nil {
						return own(err)
					}
				}
			}
		}
	})
	if errors.Is(err, errEnd) {
		err = nil
	}
	return report, err
}

// writeFile makes out hold what f writes, durably, or leaves it untouched. Only a failure to sync
// the directory, after which nobody can tell what a crash would leave, removes out as well.
func writeFile(out string, f func(io.Writer) error) (err error) {
	tmp, err := os.CreateTemp(filepath.Dir(out), ".ingest-*") // mode 0600
	if err != nil {
		return fmt.Errorf("write canonical rows: %w", err)
	}
	name := tmp.Name()
	defer func() {
		if err != nil {
			_ = tmp.Close()
			_ = os.Remove(name)
		}
	}()
	b := bufio.NewWriterSize(tmp, 1<<20)
	if err := f(b); err != nil {
		return err
	}
	rename := func() error {
		if err := os.Rename(name, out); err != nil {
			return err
		}
		name = out
		return syncDir(filepath.Dir(out))
	}
	for _, step := range []func() error{b.Flush, tmp.Sync, tmp.Close, rename} {
		if err := step(); err != nil {
			return fmt.Errorf("write canonical rows: %w", err)
		}
	}
	return nil
}

func syncDir(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}
