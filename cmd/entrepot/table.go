package main

import "strings"

// table is text in columns.
type table struct {
	columns []heading
	rows    [][]string // as many cells as columns
}

// heading is a column's title. Numbers stand on the right and are never cut.
type heading struct {
	title string
	right bool
}

const (
	gap      = "  "
	minCells = 8 // a column of text is not cut below this
)

// columns makes headings; a title that begins with > is of a column of numbers.
func columns(titles ...string) []heading {
	list := make([]heading, len(titles))
	for i, t := range titles {
		title, right := strings.CutPrefix(t, ">")
		list[i] = heading{title, right}
	}
	return list
}

func (t *table) add(row ...string) { t.rows = append(t.rows, row) }

// text lays the table out in at most limit cells, 0 for no limit: long text is cut, and what still
// does not fit is written one field a line.
func (t *table) text(limit int) string {
	if len(t.rows) == 0 {
		return "(none)\n"
	}
	for _, row := range t.rows {
		for i := range row {
			row[i] = printable(row[i])
		}
	}
	widths, fits := t.widths(limit)
	if !fits {
		return t.records()
	}
	var b strings.Builder
	titles := make([]string, len(t.columns))
	for i, c := range t.columns {
		titles[i] = printable(c.title)
	}
	t.line(&b, titles, widths)
	for _, row := range t.rows {
		t.line(&b, row, widths)
	}
	return b.String()
}

func (t *table) line(b *strings.Builder, row []string, widths []int) {
	var line strings.Builder
	for i, cell := range row {
		if i > 0 {
			line.WriteString(gap)
		}
		line.WriteString(pad(shorten(cell, widths[i]), widths[i], t.columns[i].right))
	}
	b.WriteString(strings.TrimRight(line.String(), " ") + "\n")
}

// widths gives each column the cells it needs, then takes from the widest column of text until all
// fit.
func (t *table) widths(limit int) (widths []int, fits bool) {
	total := len(gap) * (len(t.columns) - 1)
	for i, c := range t.columns {
		w := cells(printable(c.title))
		for _, row := range t.rows {
			w = max(w, cells(row[i]))
		}
		widths = append(widths, w)
		total += w
	}
	for limit > 0 && total > limit {
		widest := -1
		for i, c := range t.columns {
			if !c.right && widths[i] > minCells && (widest < 0 || widths[i] > widths[widest]) {
				widest = i
			}
		}
		if widest < 0 {
			return widths, false
		}
		widths[widest]--
		total--
	}
	return widths, true
}

// records writes one field a line, rows separated by an empty one.
func (t *table) records() string {
	name := 0
	for _, c := range t.columns {
		name = max(name, cells(printable(c.title)))
	}
	var b strings.Builder
	for n, row := range t.rows {
		if n > 0 {
			b.WriteString("\n")
		}
		for i, cell := range row {
			b.WriteString(pad(printable(t.columns[i].title), name, false) + gap + strings.TrimSpace(cell) + "\n")
		}
	}
	return b.String()
}
