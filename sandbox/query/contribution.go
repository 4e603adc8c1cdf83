package query

import "entrepot/privacy"

// bound lists the public groups and fixes the contribution bounds. They hold for each unit over all of
// its rows in From, whatever datasets and branches of a UNION those come from.
func (p *planner) bound() error {
	if err := p.publicKeys(); err != nil {
		return err
	}
	if len(p.parts.Aggregates) == 0 && p.parts.PublicKeys != nil {
		return p.refuse(nowhere, "add COUNT(*) to the SELECT list", "the question has no aggregate, and its groups are public")
	}
	rows := mostRows(p.parts.From)
	for _, b := range []struct {
		name  string
		value int64
	}{{"max_partitions", p.bounds.MaxPartitions}, {"max_rows_per_partition", p.bounds.MaxRowsPerPartition}} {
		if b.value < 0 || b.value > rows {
			return p.refuse(nowhere, "leave it out for the default", "%s is %d; it must be from 1 to %d, the rows that one unit can have here", b.name, b.value, rows)
		}
	}
	// One unit must not decide whether there are more groups than an engine takes.
	groups := min(rows, MaxUnitGroups)
	if p.parts.PublicKeys != nil {
		groups = min(rows, int64(len(p.parts.PublicKeys)))
	} else if p.bounds.MaxPartitions > groups {
		return p.refuse(nowhere, "leave it out for the default", "max_partitions is %d; one unit may be in at most %d groups that are selected privately", p.bounds.MaxPartitions, groups)
	}
	c := privacy.Contribution{MaxPartitions: groups, MaxRowsPerPartition: rows, MaxRows: rows}
	if p.bounds.MaxPartitions > 0 {
		c.MaxPartitions = min(p.bounds.MaxPartitions, groups)
	}
	if p.bounds.MaxRowsPerPartition > 0 {
		c.MaxRowsPerPartition = p.bounds.MaxRowsPerPartition
	}
	p.parts.Contribution = c
	return nil
}

// mostRows is the most rows that one unit of any space has in a relation.
func mostRows(r Relation) int64 {
	most := int64(0)
	for _, u := range r.Units {
		most = max(most, u.Rows)
	}
	return most
}
