package query

import (
	"math"
	"slices"
	"strings"

	"entrepot/datasets"
)

// rows is the checker of expressions over the columns of one row.
func (p *planner) rows(noAggregate, hint string) *checker {
	return &checker{
		source: p.source, plan: &p.parts, qualifier: p.qualified, column: p.rowColumn,
		aggregate: func(f call) (term, error) { return term{}, p.refuse(f.at, hint, "%s", noAggregate) },
	}
}

// qualified checks what stands before a column's name.
func (p *planner) qualified(q []string, at int32) error {
	dataset := strings.Split(p.parts.Dataset, ".")
	switch {
	case len(q) == 0:
		return nil
	case p.alias != "":
		if len(q) == 1 && q[0] == p.alias {
			return nil
		}
	case len(q) == 1 && q[0] == dataset[1], slices.Equal(q, dataset):
		return nil
	}
	return p.refuse(at, "leave out what stands before the column", "%s is not the dataset of this question", short(strings.Join(q, ".")))
}

// declared finds a column that may be used in a question.
func (p *planner) declared(name string, at int32) (datasets.Column, error) {
	c, ok := p.table.Declaration.Column(name)
	switch {
	case !ok:
		return c, p.refuse(at, p.nearest(name), "%s has no column %s", p.parts.Dataset, short(name))
	case c.Role == datasets.Hidden:
		return c, p.refuse(at, "use another column", "the column %s is hidden: it is not stored", name)
	case c.Role == datasets.PrivacyID:
		return c, p.refuse(at, "COUNT(DISTINCT "+identifier(name)+") counts privacy units; nothing else is made of their IDs",
			"the privacy ID %s cannot be used here", name)
	}
	return c, nil
}

// nearest suggests a column.
func (p *planner) nearest(name string) string {
	best, distance := "", 4
	var names []string
	for _, c := range p.table.Declaration.Columns {
		if c.Role == datasets.Hidden || c.Role == datasets.PrivacyID {
			continue
		}
		names = append(names, c.Name)
		if d := edits(lowerASCII(name), c.Name, distance); d < distance {
			best, distance = c.Name, d
		}
	}
	switch {
	case best != "":
		return "did you mean " + best + "?"
	case len(names) > 12:
		return "see the dataset's declaration for its columns"
	}
	return "its columns are " + strings.Join(names, ", ")
}

// rowColumn is a column in WHERE or in the argument of an aggregate.
func (p *planner) rowColumn(name string, at int32) (term, error) {
	c, err := p.declared(name, at)
	if err != nil {
		return term{}, err
	}
	t := columnTerm(c, at)
	if t.expr.Type == "" {
		return term{}, p.refuse(at, "use another column", "the column %s cannot be computed with: its declaration has no bounds", name)
	}
	return t, nil
}

// columnTerm is a declared column as a term; Type is "" for a number without bounds.
func columnTerm(c datasets.Column, at int32) term {
	t := term{expr: Expr{Op: OpColumn, Column: c.Name}, at: at, nullable: c.Nullable, size: 1}
	lower, upper, num, den, bounded := c.Grid()
	switch {
	case c.Role == datasets.Measure && bounded:
		t.expr.Type, t.expr.Num, t.expr.Den = Number, num, den
		t.lo, t.hi = scaled(lower, num, den), scaled(upper, num, den)
		t.grid, t.least = reduced(num, den), scaled(1, num, den)
		t.expr.Lo, t.expr.Hi = t.lo, t.hi
	case c.Role != datasets.Key:
	case c.Type == datasets.Int64:
		t.expr.Type, t.grid, t.least = Int, ones(), 1
		if t.lo, t.hi = scaled(lower, num, den), scaled(upper, num, den); !bounded {
			t.lo, t.hi, t.loose = -(1 << 63), 1<<63, c.Name+" is declared without bounds"
		}
	case c.Type == datasets.String:
		t.expr.Type = Text
	case c.Type == datasets.Bool:
		t.expr.Type = Bool
	case c.Type == datasets.Date:
		t.expr.Type = Date
	case c.Type == datasets.Timestamp:
		t.expr.Type = Timestamp
	}
	return t
}

// scaled is the value of a number of steps, in the arithmetic that engines use.
func scaled(steps, num, den int64) float64 {
	if den == 0 {
		return 0
	}
	return float64(float64(steps)*float64(num)) / float64(den)
}

// released is a key or an aggregate in HAVING.
func (p *planner) released(r Released, at int32) term {
	t := term{expr: Expr{Op: OpReleased, Released: &r}, at: at, size: 1}
	if r.Key >= 0 {
		c, _ := p.table.Declaration.Column(p.parts.Keys[r.Key].Column)
		column := columnTerm(c, at)
		t.expr.Type, t.nullable = column.expr.Type, column.nullable && p.parts.Keys[r.Key].Domain == nil
		t.lo, t.hi, t.grid, t.least = column.lo, column.hi, column.grid, column.least
		return t
	}
	// Noisy integers fit int64, whatever their bounds; values are those in steps.
	step := 1.0
	if a := p.parts.Aggregates[r.Aggregate].Argument; a >= 0 && !p.parts.Arguments[a].SumUnused {
		step = math.Max(1, p.parts.Arguments[a].Step.Float(1))
	}
	t.expr.Type, t.hi, t.lo = Number, step*(1<<63), -step*(1<<63)
	t.expr.Lo, t.expr.Hi = t.lo, t.hi
	return t
}
