package engine

import (
	"errors"
	"fmt"

	"entrepot/sandbox/query"
)

// maxRank is the largest rank of a row: up to it, ranks are computed exactly.
const maxRank = 1 << 53

// checkUnits checks that a relation owns up to all rows and ranks that a unit can have in it, given
// what its inputs own up to: contribution bounds rest on it.
func (g *generator) checkUnits(r query.Relation) error {
	rank := float64(0)
	units := map[string]float64{}
	switch first := input(r, 0); {
	case r.Op == query.Scan:
		return g.checkScan(r)
	case r.Op == query.Union:
		for i, in := range r.Inputs {
			rank = max(rank, (float64(in.MaxRank)-1)*float64(len(r.Inputs))+float64(i+1))
			if len(in.Units) == 0 {
				return errors.New("public rows in it")
			}
			for _, u := range in.Units {
				units[u.Space] += float64(u.Rows)
			}
		}
	case r.Op == query.JoinRows && !r.Join.Public:
		second := input(r, 1)
		if len(first.Units) != 1 || len(second.Units) != 1 || first.Units[0].Space != second.Units[0].Space {
			return errors.New("rows of different unit spaces")
		}
		rank = float64(first.MaxRank) * float64(second.MaxRank)
		units[first.Units[0].Space] = float64(first.Units[0].Rows) * float64(second.Units[0].Rows)
	default:
		rank = float64(first.MaxRank)
		for _, u := range first.Units {
			units[u.Space] = float64(u.Rows)
			if r.Op == query.PerUnit && len(r.Columns) == 0 {
				units[u.Space] = 1
			}
		}
	}
	if float64(r.MaxRank) < rank || r.MaxRank > maxRank {
		return fmt.Errorf("ranks up to %g, not %d", rank, r.MaxRank)
	}
	if len(r.Units) != len(units) {
		return fmt.Errorf("rows of %d unit spaces, not %d", len(units), len(r.Units))
	}
	for _, u := range r.Units {
		if rows, ok := units[u.Space]; !ok || float64(u.Rows) < rows || u.Rows > query.MaxRows {
			return fmt.Errorf("%g rows of a unit, not %d; at most %d", rows, u.Rows, query.MaxRows)
		}
	}
	return nil
}

// checkScan checks a scan against the table's declaration. The rows that it owns up to are those that
// scan lets pass.
func (g *generator) checkScan(r query.Relation) error {
	d := g.tables[r.Dataset].Declaration
	if d.Public {
		if len(r.Units) > 0 {
			return errors.New("units of a public table")
		}
		return nil
	}
	if len(r.Units) != 1 || r.Units[0].Space != d.UnitSpace {
		return errors.New("another unit space")
	}
	if rows := r.Units[0].Rows; rows < 1 || r.MaxRank < rows || r.MaxRank > maxRank {
		return fmt.Errorf("ranks up to %d in %d rows", r.MaxRank, rows)
	}
	return nil
}

// input is the i-th input of a relation, or none.
func input(r query.Relation, i int) query.Relation {
	if i < len(r.Inputs) {
		return r.Inputs[i]
	}
	return query.Relation{}
}
