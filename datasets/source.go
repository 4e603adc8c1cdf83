package datasets

import (
	"errors"
	"fmt"
	"strings"
)

// source reads the rows of an upload. Its methods are called under a guard.
type source interface {
	// columns returns the names of the file's columns, in the file's order.
	columns() []string
	// choose names the columns that are read, as indices into columns, with the declared ones they
	// stand for. It is called once, before next.
	choose(indices []int, declared []Column) error
	// next returns the next rows, good until the following call; errEnd after the last. Any io.EOF is
	// a file that ended too early.
	next() (batch, error)
}

// errEnd is how a source says, on purpose, that there are no more rows. It is not io.EOF, which a
// reader returns wherever bytes are missing.
var errEnd = errors.New("no more rows")

// batch is some rows: for each chosen column, a function that reads the cell of a row.
type batch struct {
	rows  int
	cells []func(row int, v *value)
}

func open(g *guard, o Options) (source, error) {
	switch g.format {
	case Parquet:
		return openParquet(g, o)
	case ArrowFile:
		return openArrowFile(g, o)
	case ArrowStream:
		return openArrowStream(g, o)
	case CSV:
		return openCSV(g)
	}
	return nil, refuse(ErrFormat, "formats are parquet, arrow_file, arrow_stream and csv")
}

// match finds the declared columns in a file: read holds those that are read, at their places in
// the file. Hidden ones are not read at all.
func match(d Declaration, names []string) (read []Column, at []int, undeclared []string, err error) {
	places := make(map[string][]int, len(names))
	for i, name := range names {
		places[name] = append(places[name], i)
	}
	var absent, twice []string
	for _, c := range d.Columns {
		found := places[c.Name]
		delete(places, c.Name)
		switch {
		case c.Role == Hidden:
		case len(found) == 0:
			absent = append(absent, c.Name)
		case len(found) > 1:
			twice = append(twice, c.Name)
		default:
			read, at = append(read, c), append(at, found[0])
		}
	}
	for name := range places {
		undeclared = append(undeclared, name)
	}
	switch {
	case len(absent) > 0:
		return nil, nil, nil, refuse(ErrColumns, "the file has no column %s%s", listed(absent), spelling(absent, undeclared))
	case len(twice) > 0:
		return nil, nil, nil, refuse(ErrColumns, "the file has more than one column %s", listed(twice))
	}
	return read, at, undeclared, nil
}

func listed(names []string) string {
	const enough = 20
	if len(names) > enough {
		return fmt.Sprintf("%s and %d more", strings.Join(names[:enough], ", "), len(names)-enough)
	}
	return strings.Join(names, ", ")
}

// spelling hints at columns whose names differ from declared ones in case or spacing, naming the
// declared ones only.
func spelling(absent, undeclared []string) string {
	plain := func(s string) string {
		return strings.NewReplacer(" ", "", "_", "", "-", "").Replace(strings.ToLower(s))
	}
	seen := make(map[string]bool, len(undeclared))
	for _, name := range undeclared {
		seen[plain(name)] = true
	}
	var near []string
	for _, name := range absent {
		if seen[plain(name)] {
			near = append(near, name)
		}
	}
	if len(near) == 0 {
		return ""
	}
	return fmt.Sprintf("; a column like %s is there, spelt otherwise: rename it", listed(near))
}
