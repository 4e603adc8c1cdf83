package datasets

// mapper turns rows into records. It is total and looks at one row at a time: what becomes of a row
// depends on the declaration, the key and that row alone, never on another unit's.
type mapper struct {
	columns  []Column
	id       int // index of the privacy ID
	units    *units
	converts []converter
	place    placer
	report   *Report
	record   []byte
	value    value
}

func newMapper(columns []Column, key []byte, r *Report) (*mapper, error) {
	m := &mapper{columns: columns, report: r, converts: make([]converter, len(columns))}
	for i, c := range columns {
		m.converts[i] = newConverter(c)
		if c.Role == PrivacyID {
			m.id = i
		}
	}
	var err error
	m.units, err = newUnits(columns[m.id], key)
	return m, err
}

// row returns the record of a row, good until the next call; false where the row is left out.
func (m *mapper) row(b batch, i int) ([]byte, bool) {
	v := &m.value
	b.cells[m.id](i, v)
	unit, how, ok := m.units.unit(v)
	if !ok {
		c := &m.report.Columns[m.id]
		m.report.RowsWithoutUnit++
		c.RowsDropped++
		what := "dropped"
		if how == nulled {
			c.Nulled++
			what = "nulled"
		}
		c.example(m.report.RowsRead, v, what)
		return nil, false
	}
	m.record = append(append(m.record[:0], unit[:]...), make([]byte, payloadAt-placeAt)...)
	keep := true
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
		m.record = appendCell(m.record, c, column.Type == String)
	}
	if !keep {
		m.report.RowsDropped++
		return nil, false
	}
	m.place.place(m.record)
	return m.record, true
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
