package querytest

import (
	"math/rand/v2"
	"slices"
	"strings"

	"entrepot/datasets"
)

// Fill returns the tables with random rows of so many units in each space. A unit may be in some tables of
// its space only, and have fewer rows than it may; with extra, up to so many more, which do not count.
func Fill(r *rand.Rand, schema Tables, units, extra int) Tables {
	pools := fewer(r)
	tables := Tables{}
	for _, id := range schema.IDs() {
		t := schema[id]
		if t.Declaration.Public {
			t.Rows = publicRows(r, t.Declaration, pools)
		} else {
			t.Rows = unitRows(r, t.Declaration, pools, units, extra)
		}
		tables[id] = t
	}
	return tables
}

// fewer are the values that rows are made of. Few values for a key make groups with several rows of
// one unit, and joins that find something.
func fewer(r *rand.Rand) map[string][]any {
	pools := map[string][]any{}
	for _, t := range templates() {
		pools[t.name] = t.values
		if r.IntN(3) == 0 {
			continue
		}
		pools[t.name] = nil
		for range 1 + r.IntN(3) {
			pools[t.name] = append(pools[t.name], t.values[r.IntN(len(t.values))])
		}
	}
	return pools
}

// unitRows makes the rows of a table with privacy units, a unit's together and by rank.
func unitRows(r *rand.Rand, d datasets.Declaration, pools map[string][]any, units, extra int) []Row {
	var rows []Row
	for unit := range units {
		if r.IntN(5) == 0 {
			continue
		}
		most := int(d.MaxRowsPerUnit) + extra
		count := 1 + r.IntN(most)
		if r.IntN(3) == 0 {
			count = most // so that a bound that is too wide shows
		}
		for rank := range count {
			one := Row{Unit: int64(unit + 1), Rank: int32(rank + 1), Values: map[string]any{WorldColumn: int64(0)}}
			for _, c := range d.Stored() {
				if c.Name != WorldColumn {
					one.Values[c.Name] = randomValue(r, c, pools[c.Name])
				}
			}
			rows = append(rows, one)
		}
	}
	return rows
}

// publicRows makes the rows of a public table, at most one for each combination of its unique key.
func publicRows(r *rand.Rand, d datasets.Declaration, pools map[string][]any) []Row {
	var rows []Row
	seen := map[string]bool{}
	for range r.IntN(12) {
		one := Row{Values: map[string]any{}}
		for _, c := range d.Stored() {
			one.Values[c.Name] = randomValue(r, c, pools[c.Name])
		}
		var key []string
		for _, name := range d.Unique {
			key = append(key, identity(one.Values[name]))
		}
		if k := strings.Join(key, "\x00"); !seen[k] {
			seen[k] = true
			one.Rank = 1
			rows = append(rows, one)
		}
	}
	return rows
}

// randomValue is a value that ingest could have stored: within declared bounds, NULL where it may be.
func randomValue(r *rand.Rand, c datasets.Column, pool []any) any {
	if c.Nullable && r.IntN(5) == 0 {
		return nil
	}
	if len(pool) == 0 { // a column of public tables only
		pool = publicPool(c)
	}
	v := pool[r.IntN(len(pool))]
	if n, ok := v.(int64); ok {
		if lower, upper, _, _, bounded := c.Grid(); bounded {
			return min(max(n, lower), upper)
		}
	}
	return v
}

// publicPool are the values of a column that no template declares.
func publicPool(c datasets.Column) []any {
	switch c.Type {
	case datasets.String:
		return []any{"inner", "outer", "beyond"}
	case datasets.Bool:
		return []any{true, false}
	}
	lower, upper, _, _, _ := c.Grid()
	return []any{lower, upper, (lower + upper) / 2, int64(1)}
}

// Shuffled returns the tables with their rows in another order.
func (t Tables) Shuffled(r *rand.Rand) Tables {
	mixed := Tables{}
	for _, id := range t.IDs() {
		table := t[id]
		table.Rows = slices.Clone(table.Rows)
		r.Shuffle(len(table.Rows), func(i, j int) { table.Rows[i], table.Rows[j] = table.Rows[j], table.Rows[i] })
		mixed[id] = table
	}
	return mixed
}
