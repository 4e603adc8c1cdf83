package query

import (
	"slices"

	"entrepot/datasets"
	"entrepot/privacy"
)

// domain lists the public values of a key: as declared, or those that its type and bounds allow.
// nil: the values are not public.
func domain(c datasets.Column) []any {
	if declared := c.DomainValues(); len(declared) > 0 {
		seen := map[any]bool{}
		return slices.DeleteFunc(declared, func(v any) bool {
			twice := seen[v]
			seen[v] = true
			return twice
		})
	}
	if c.Type == datasets.Bool {
		return []any{false, true}
	}
	lower, upper, num, den, bounded := c.Grid()
	if c.Type != datasets.Int64 || !bounded || num != 1 || den != 1 || upper-lower >= MaxIntegerKey {
		return nil
	}
	var values []any
	for v := lower; v <= upper; v++ {
		values = append(values, v)
	}
	return values
}

// bound lists the public groups and fixes the contribution bounds.
func (p *planner) bound() error {
	if len(p.parts.Aggregates) == 0 {
		return p.refuse(nowhere, "add COUNT(*) to the SELECT list", "the question has no aggregate")
	}
	if err := p.publicKeys(); err != nil {
		return err
	}
	rows := p.table.Declaration.MaxRowsPerUnit
	for _, b := range []struct {
		name  string
		value int64
	}{{"max_partitions", p.bounds.MaxPartitions}, {"max_rows_per_partition", p.bounds.MaxRowsPerPartition}} {
		if b.value < 0 || b.value > rows {
			return p.refuse(nowhere, "leave it out for the default", "%s is %d; it must be from 1 to %d, the dataset's max_rows_per_unit", b.name, b.value, rows)
		}
	}
	groups := rows // with private groups, one unit may be in as many as it has rows
	if p.parts.PublicKeys != nil {
		groups = min(rows, int64(len(p.parts.PublicKeys)))
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

// publicKeys lists every combination of the keys' public values, if all of them have some.
func (p *planner) publicKeys() error {
	combinations := 1
	for _, k := range p.parts.Keys {
		if k.Domain == nil {
			return nil
		}
	}
	for _, k := range p.parts.Keys {
		if combinations *= len(k.Domain); combinations > MaxGroups {
			return p.refuse(nowhere, "group by fewer columns", "the GROUP BY columns have more than %d combinations of public values", MaxGroups)
		}
	}
	values := make([]any, len(p.parts.Keys))
	p.parts.PublicKeys = make([]string, 0, combinations)
	p.combine(values, 0)
	return nil
}

// combine appends the groups that begin with values[:i], the last key changing fastest.
func (p *planner) combine(values []any, i int) {
	if i == len(values) {
		p.parts.PublicKeys = append(p.parts.PublicKeys, EncodeKey(values))
		return
	}
	for _, v := range p.parts.Keys[i].Domain {
		values[i] = v
		p.combine(values, i+1)
	}
}
