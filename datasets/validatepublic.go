package datasets

import "slices"

// checkOwners checks what says whose the rows are: a unit space, or that they are nobody's.
func (d Declaration) checkOwners(p *problems) {
	if d.Public {
		d.checkPublic(p)
		return
	}
	if err := ValidateUnitSpace(d.UnitSpace); err != nil {
		p.add("unit_space: %w; write the people (companies, devices …) behind the table as org/space, such as kr_edu/student", err)
	}
	if d.MaxRowsPerUnit < 1 || d.MaxRowsPerUnit > MaxRowsPerUnitLimit {
		p.add("max_rows_per_unit is %d; write 1 to %d, the rows that one privacy unit may have", d.MaxRowsPerUnit, MaxRowsPerUnitLimit)
	}
	if len(d.Unique) > 0 {
		p.add("unique is for public tables, and this one is about %s; remove it", shorten(d.UnitSpace))
	}
}

func (d Declaration) checkPublic(p *problems) {
	if d.UnitSpace != "" {
		p.add("unit_space: the rows of a public table are about nobody; remove it, or remove public")
	}
	if d.MaxRowsPerUnit != 0 {
		p.add("max_rows_per_unit: the rows of a public table are about nobody; remove it, or remove public")
	}
	switch {
	case len(d.Unique) == 0:
		p.add("a public table needs unique; list the keys whose values together name one row, such as [country, year]")
	case len(d.Unique) > maxUnique:
		p.add("unique: there are %d columns; at most %d can name a row", len(d.Unique), maxUnique)
		return
	}
	for i, name := range d.Unique {
		c, declared := d.Column(name)
		switch {
		case slices.Contains(d.Unique[:i], name):
			p.add("unique[%d]: %q is listed twice", i, shorten(name))
		case !declared:
			p.add("unique[%d]: no column %q is declared", i, shorten(name))
		case c.Role != Key:
			p.add("unique[%d]: column %q is not a key; list columns of the role key only", i, shorten(name))
		case c.Nullable:
			p.add("unique[%d]: column %q is nullable, and NULL names no row; remove nullable there", i, shorten(name))
		}
	}
}
