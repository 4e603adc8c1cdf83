package datasets

import "slices"

// Report tells the owner what ingest did with the rows. It is exact and quotes cells: it is for the
// owner alone, never for a log, a metric, an error message or an analyst.
//
// RowsRead = RowsKept + RowsWithoutUnit + RowsDropped + RowsOverLimit. A public table has no units, so that
// it has neither rows without one nor rows over a limit.
type Report struct {
	RowsRead          int64          `json:"rows_read"`
	RowsKept          int64          `json:"rows_kept"`
	RowsWithoutUnit   int64          `json:"rows_without_unit"`            // the privacy ID was NULL, empty or unusable
	RowsDropped       int64          `json:"rows_dropped"`                 // NULL in a column not declared nullable
	RowsOverLimit     int64          `json:"rows_over_limit"`              // beyond max_rows_per_unit
	Units             int64          `json:"units"`                        // privacy IDs that have a row; 0 in a public table
	Columns           []ColumnReport `json:"columns"`                      // declared and not hidden, in declared order
	UndeclaredColumns []string       `json:"undeclared_columns,omitempty"` // in the file only; not stored
	ContentHash       [32]byte       `json:"-"`                            // SHA-256 of the canonical rows, whatever the file's bytes
}

// ColumnReport counts what happened to the cells of one column, in rows that have a unit or are public;
// for the privacy ID, in all rows.
type ColumnReport struct {
	Name        string    `json:"name"`
	Clamped     int64     `json:"clamped"`      // numbers, dates and timestamps out of range, moved to the nearer bound
	Nulled      int64     `json:"nulled"`       // had a value that the type cannot hold
	RowsDropped int64     `json:"rows_dropped"` // a row counts in each column that would have dropped it
	Examples    []Example `json:"examples,omitempty"`
}

// Example is one cell that was changed, or that caused its row to be dropped.
type Example struct {
	Row     int64  `json:"row"`     // in the file, from 1, not counting a header
	Text    string `json:"text"`    // the cell, shortened to 40 characters; empty for NULL
	Outcome string `json:"outcome"` // clamped, nulled or dropped
}

const (
	maxExamples   = 3
	maxUndeclared = 100 // undeclared names that are listed
)

func newReport(columns []Column, undeclared []string) Report {
	r := Report{Columns: make([]ColumnReport, len(columns))}
	for i, c := range columns {
		r.Columns[i].Name = c.Name
	}
	for _, name := range undeclared[:min(len(undeclared), maxUndeclared)] {
		r.UndeclaredColumns = append(r.UndeclaredColumns, shorten(name))
	}
	slices.Sort(r.UndeclaredColumns)
	return r
}

// changed counts cells that are not stored as they were sent.
func (r Report) changed() (cells int64) {
	for _, c := range r.Columns {
		cells += c.Clamped + c.Nulled
	}
	return cells
}

// clean reports whether the table fits its declaration as it is.
func (r Report) clean() bool {
	return r.RowsKept == r.RowsRead && r.changed() == 0 && len(r.UndeclaredColumns) == 0
}

func (c *ColumnReport) example(row int64, v *value, outcome string) {
	if len(c.Examples) < maxExamples {
		c.Examples = append(c.Examples, Example{Row: row, Text: shorten(v.String()), Outcome: outcome})
	}
}
