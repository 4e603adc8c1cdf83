package engine

import (
	"fmt"
	"strings"

	"entrepot/privacy"
	"entrepot/sandbox/query"
)

// shape says which steps a question needs. It depends on the plan alone, never on rows.
type shape struct {
	inGroup    int64 // r: a unit's rows in one group
	groups     int64 // L0: groups of one unit
	limitRows  bool  // r excludes something
	limitParts bool  // L0 excludes something
	units      bool  // units have to be counted
	rowPerUnit bool  // a unit has at most one row in a group, so that rows are units

	argumentUnits bool // units with a value of some argument have to be counted
	holdsUnits    bool // a relation groups or matches rows by unit
}

// newShape leaves out every step that could not change the answer.
func newShape(p query.Parts) (shape, error) {
	c := p.Contribution
	if c.MaxPartitions < 1 || c.MaxRowsPerPartition < 1 || c.MaxRows < 1 {
		return shape{}, fmt.Errorf("%w: contribution bounds %+v", ErrPlan, c)
	}
	reach := c.MaxRows // the most groups that one unit could touch
	if p.PublicKeys != nil {
		reach = min(reach, int64(len(p.PublicKeys)))
	}
	if len(p.Keys) == 0 {
		reach = 1
	}
	s := shape{
		inGroup:    c.MaxRowsPerPartition,
		groups:     c.MaxPartitions,
		limitRows:  c.MaxRowsPerPartition < c.MaxRows,
		limitParts: c.MaxPartitions < reach,
		units:      p.PublicKeys == nil, // partition selection needs them
		rowPerUnit: min(c.MaxRows, c.MaxRowsPerPartition) == 1,
	}
	for _, a := range p.Aggregates {
		s.units = s.units || a.Kind == privacy.CountUnits
	}
	return s, nil
}

// heavy reports whether the database has to hold rows of units, not only of groups.
func (s shape) heavy() bool {
	return s.limitRows || s.limitParts || (s.units || s.argumentUnits) && !s.rowPerUnit || s.holdsUnits
}

// keyList writes the key columns, with before in front unless there are none.
func (q *question) keyList(before string) string {
	names := make([]string, len(q.keys))
	for i := range q.keys {
		names[i] = fmt.Sprintf("_k%d", i)
	}
	if len(names) == 0 {
		return ""
	}
	return before + strings.Join(names, ", ")
}

// bounded writes the rows that remain when no unit has more than r of them in a group. Ranks
// are unique within a unit, so the choice is the unit's own and has no ties.
func (q *question) bounded() string {
	if !q.limitRows {
		return q.rows
	}
	return fmt.Sprintf("SELECT * FROM (SELECT *, row_number() OVER (PARTITION BY _u%s ORDER BY _rank) AS _n FROM (%s)) WHERE _n <= %d",
		q.keyList(", "), q.rows, q.inGroup)
}

// perUnit writes one row for each unit and group, of the groups that a unit keeps: the L0 in which
// its rows of lowest rank are. The row bound never removes a group's lowest rank, so it cannot
// change which groups these are.
func (q *question) perUnit() string {
	inner := fmt.Sprintf("SELECT _u%s, min(_rank) AS _m, %s FROM (%s) GROUP BY _u%s",
		q.keyList(", "), q.totals(), q.bounded(), q.keyList(", "))
	return fmt.Sprintf("SELECT * FROM (SELECT *, row_number() OVER (PARTITION BY _u ORDER BY _m) AS _p FROM (%s)) WHERE _p <= %d",
		inner, q.groups)
}

// kept writes the rows that remain after all bounding: those that perUnit adds up.
func (q *question) kept() string {
	if !q.limitParts {
		return q.bounded()
	}
	lowest := fmt.Sprintf("SELECT *, min(_rank) OVER (PARTITION BY _u%s) AS _m FROM (%s)", q.keyList(", "), q.bounded())
	return fmt.Sprintf("SELECT * FROM (SELECT *, dense_rank() OVER (PARTITION BY _u ORDER BY _m) AS _p FROM (%s)) WHERE _p <= %d",
		lowest, q.groups)
}
