package query

import "slices"

// Wider returns the plan of a question about more groups that answers this one as well: conditions on the group
// keys have moved from WHERE to HAVING. It reports false unless every release of the one, without the groups that
// HAVING drops, is as likely a release of the other:
//
//   - Groups are selected privately. Public ones that WHERE excludes are listed, with noise about 0.
//   - The bounds per unit allow all the rows that a unit can have, so that bounding drops nothing, whatever WHERE
//     lets through. So a group that is left has the same rows in both.
//   - Noise and selection are drawn for each group by itself, with the same parameters.
//
// A condition has the same value over the keys of a group, as they are released, as over each of its rows.
func (p Plan) Wider() (Plan, bool) {
	c := p.parts.Contribution
	if p.parts.Filter == nil || p.parts.PublicKeys != nil || c.MaxPartitions < c.MaxRows || c.MaxRowsPerPartition < c.MaxRows {
		return Plan{}, false
	}
	parts := []Expr{*p.parts.Filter}
	if p.parts.Filter.Op == OpAnd {
		parts = p.parts.Filter.Args
	}
	var remain, moved []Expr
	for _, part := range parts {
		if condition, ok := p.overKeys(part); ok {
			moved = append(moved, condition)
		} else {
			remain = append(remain, part)
		}
	}
	if len(moved) == 0 {
		return Plan{}, false
	}
	if p.parts.Having != nil {
		moved = append(moved, *p.parts.Having)
	}
	wider := Plan{parts: p.parts}
	wider.parts.Filter, wider.parts.Having = all(remain), all(moved)
	return wider, true
}

// all is AND of conditions, nil of none.
func all(conditions []Expr) *Expr {
	switch len(conditions) {
	case 0:
		return nil
	case 1:
		return &conditions[0]
	}
	return &Expr{Op: OpAnd, Type: Bool, Args: conditions}
}

// overKeys puts keys in the place of what a condition over rows is about; it reports false where something else
// remains.
func (p Plan) overKeys(e Expr) (Expr, bool) {
	for i, k := range p.parts.Keys {
		if equal(k.Expr, e) {
			return Expr{Op: OpReleased, Type: e.Type, Released: &Released{Key: i, Aggregate: -1}, Lo: e.Lo, Hi: e.Hi}, true
		}
	}
	if e.Op == OpColumn {
		return Expr{}, false
	}
	e.Args = slices.Clone(e.Args)
	for i, a := range e.Args {
		var ok bool
		if e.Args[i], ok = p.overKeys(a); !ok {
			return Expr{}, false
		}
	}
	return e, true
}
