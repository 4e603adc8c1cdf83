package datasets

// check checks one column whose name is valid.
func (c Column) check(p *columnProblems) {
	typed := c.checkType(p)
	checkCategory(p, c.Category)
	checkDescription(p, "description", c.Description)
	if c.Form != nil {
		c.checkForm(p)
	}
	switch c.Role {
	case PrivacyID:
		c.checkID(p, typed)
	case Key:
		c.checkKey(p, typed)
	case Measure:
		c.checkMeasure(p, typed)
	case Hidden: // never stored: its type and whatever else it declares have no effect
	case "":
		p.add("no role; write one of privacy_id, key, measure, hidden")
	default:
		p.add("role %q is not known; write one of privacy_id, key, measure, hidden", shorten(string(c.Role)))
	}
}

func (c Column) checkType(p *columnProblems) bool {
	switch c.Type {
	case String, Int64, Float64, Bool, Date, Timestamp:
		return true
	case "":
		p.add("no type; write one of string, int64, float64, bool, date, timestamp")
	default:
		p.add("type %q is not known; write one of string, int64, float64, bool, date, timestamp", shorten(string(c.Type)))
	}
	return false
}

func (c Column) checkForm(p *columnProblems) {
	switch {
	case c.Role != PrivacyID:
		p.add("form is for the privacy ID; remove it here")
	case c.Type == Int64 && *c.Form != (IDForm{}):
		p.add("form is for a string privacy ID; the form of an int64 is its digits; remove it or declare the column string")
	}
	switch c.Form.Case {
	case "", "lower", "upper":
	default:
		p.add("form.case %q is not known; write lower, upper, or nothing to keep case", shorten(c.Form.Case))
	}
}

func (c Column) checkID(p *columnProblems, typed bool) {
	if typed && c.Type != String && c.Type != Int64 {
		p.add("a privacy ID of type %s is not supported; declare it string or int64", c.Type)
	}
	c.unbounded(p, "a privacy ID")
	c.timeless(p)
	if len(c.Domain) > 0 {
		p.add("a privacy ID has no domain; remove it")
	}
	if c.Nullable {
		p.add("a privacy ID cannot be nullable: a row without one belongs to nobody and is dropped; remove nullable")
	}
}

func (c Column) checkKey(p *columnProblems, typed bool) {
	switch {
	case !typed:
		return
	case c.Type == Float64:
		p.add("a float64 column cannot be a key; make it a measure, or declare it int64 or string")
		return
	case c.Type != Int64:
		c.unbounded(p, "a "+string(c.Type)+" key")
	case !c.Resolution.IsZero() && c.Resolution.String() != "1":
		p.add("the resolution of a key is 1, not %s; remove it, or make the column a measure", c.Resolution)
	case c.Lower.IsZero() != c.Upper.IsZero():
		p.add("only one of lower and upper is given; give both, or neither")
	case !c.Lower.IsZero():
		c.checkGrid(p)
	}
	c.checkMoments(p)
	c.checkDomain(p)
}

func (c Column) checkMeasure(p *columnProblems, typed bool) {
	if len(c.Domain) > 0 {
		p.add("a measure has no domain; remove it, or make the column a key")
	}
	if !typed {
		return
	}
	if c.Type != Int64 && c.Type != Float64 {
		p.add("a %s column cannot be a measure; make it a key or hidden, or declare it int64 or float64", c.Type)
		return
	}
	c.timeless(p)
	if c.Lower.IsZero() || c.Upper.IsZero() {
		p.add("a measure needs lower and upper; write the range that is plausible by its meaning, never one computed from the rows")
	}
	if c.Resolution.IsZero() && c.Type == Float64 {
		p.add("a float64 measure needs a resolution; write the size of one step, such as 0.01 for cents")
		return
	}
	if !c.Lower.IsZero() && !c.Upper.IsZero() {
		c.checkGrid(p)
	}
}

// unbounded refuses bounds where they have no meaning.
func (c Column) unbounded(p *columnProblems, what string) {
	if !c.Lower.IsZero() || !c.Upper.IsZero() {
		instead := "remove them"
		if c.Role == Key && c.temporal() {
			instead = "write earliest and latest"
		}
		p.add("%s has no lower and upper; %s", what, instead)
	}
	if !c.Resolution.IsZero() {
		p.add("%s has no resolution; remove it", what)
	}
}
