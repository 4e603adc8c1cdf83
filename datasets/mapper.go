package datasets

import "slices"

// mapper turns rows into records. It is total and looks at one row at a time: what becomes of a row
// depends on the declaration, the key and that row alone, never on another unit's.
type mapper struct {
	columns  []Column
	id       int    // index of the privacy ID; −1 in a public table
	units    *units // nil in a public table
	unique   []int  // indices of the columns that name a row of a public table
	converts []converter
	place    placer
	report   *Report
	record   []byte
	value    value
	cells    []cell // of the row, by column
}

// newMapper makes a mapper for the chosen columns of d. key is not used in a public table.
func newMapper(d Declaration, columns []Column, key []byte, r *Report) (*mapper, error) {
	m := &mapper{columns: columns, id: -1, report: r,
		converts: make([]converter, len(columns)), cells: make([]cell, len(columns))}
	for i, c := range columns {
		m.converts[i] = newConverter(c)
		if c.Role == PrivacyID {
			m.id = i
		}
	}
	if d.Public {
		for _, name := range d.Unique {
			m.unique = append(m.unique, slices.IndexFunc(columns, func(c Column) bool { return c.Name == name }))
		}
		return m, nil
	}
	var err error
	m.units, err = newUnits(columns[m.id], key)
	return m, err
}

// row returns the record of a row, good until the next call; false where the row is left out.
func (m *mapper) row(b batch, i int) ([]byte, bool) {
	if m.units == nil {
		return m.publicRow(b, i)
	}
	unit, ok := m.unit(b, i)
	if !ok {
		return nil, false
	}
	if !m.convert(b, i) {
		return nil, false
	}
	m.record = append(append(m.record[:0], unit[:]...), make([]byte, payloadAt-placeAt)...)
	m.appendPayload()
	m.place.place(m.record)
	return m.record, true
}

func (m *mapper) publicRow(b batch, i int) ([]byte, bool) {
	if !m.convert(b, i) {
		return nil, false
	}
	m.record = m.record[:0]
	for _, j := range m.unique {
		m.record = appendKey(m.record, m.cells[j], m.columns[j].Type == String)
	}
	m.appendPayload()
	return m.record, true
}

// unit returns the unit of a row; false where it has none.
func (m *mapper) unit(b batch, i int) (unitID, bool) {
	v := &m.value
	b.cells[m.id](i, v)
	unit, how, ok := m.units.unit(v)
	if ok {
		return unit, true
	}
	c := &m.report.Columns[m.id]
	m.report.RowsWithoutUnit++
	c.RowsDropped++
	what := "dropped"
	if how == nulled {
		c.Nulled++
		what = "nulled"
	}
	c.example(m.report.RowsRead, v, what)
	return unitID{}, false
}

// convert fills in the row's cells, all but the privacy ID; false where a NULL drops the row.
func (m *mapper) convert(b batch, i int) bool {
	v, keep := &m.value, true
	for j, column := range m.columns {
		if j == m.id {
			continue
		}
		b.cells[j](i, v)
		c, how := m.converts[j](v)
		m.note(j, v, how)
		if c.null && !column.Nullable {
			keep = false
			m.report.Columns[j].RowsDropped++
			if how == asIs {
				m.report.Columns[j].example(m.report.RowsRead, v, "dropped")
			}
		}
		m.cells[j] = c
	}
	if !keep {
		m.report.RowsDropped++
	}
	return keep
}

// appendPayload encodes the row's cells.
func (m *mapper) appendPayload() {
	for j, column := range m.columns {
		if j != m.id {
			m.record = appendCell(m.record, m.cells[j], column.Type == String)
		}
	}
}

// note counts a changed cell.
func (m *mapper) note(column int, v *value, how outcome) {
	c := &m.report.Columns[column]
	switch how {
	case clamped:
		c.Clamped++
		c.example(m.report.RowsRead, v, "clamped")
	case nulled:
		c.Nulled++
		c.example(m.report.RowsRead, v, "nulled")
	}
}
