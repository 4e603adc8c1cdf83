package engine

import (
	"database/sql/driver"
	"fmt"
	"slices"
	"strings"

	"entrepot/datasets"
	"entrepot/sandbox/query"
)

// maxList is the longest domain that is written into the statement. Up to it, list_contains on text is
// evaluated once for each value in a Parquet dictionary and costs nothing beside the scan, where IN
// would cost half as much again. A longer one is handed over as a parameter.
const maxList = 64

// domain writes that a key, whose SQL is given, is one of its public values. NULL never is.
func (q *question) domain(g *generator, k query.Key, key string) string {
	if lower, upper, ok := interval(k.Domain); ok && k.Type == datasets.Int64 {
		return "(" + key + " BETWEEN " + integer(lower) + " AND " + integer(upper) + ")"
	}
	values := make([]string, len(k.Domain))
	for i, v := range k.Domain {
		var err error
		if values[i], err = domainValue(k.Type, v); err != nil {
			g.fail("domain of key %q: %w", k.Name, err)
			return ""
		}
	}
	switch {
	case len(values) == 0:
		return "FALSE"
	case len(values) > maxList:
		return "(" + key + " IN (SELECT " + q.parameter(k) + "))"
	case k.Type == datasets.String:
		return "list_contains([" + strings.Join(values, ", ") + "], " + key + ")"
	}
	return "(" + key + " IN (" + strings.Join(values, ", ") + "))"
}

// parameter adds a domain to the statement's parameters and writes its rows. Dates and timestamps,
// known to be well formed, are read from text.
func (q *question) parameter(k query.Key) string {
	q.parameters = append(q.parameters, driver.NamedValue{Ordinal: len(q.parameters) + 1, Value: slices.Clone(k.Domain)})
	name := keyTypes[k.Type]
	if k.Type == datasets.Date || k.Type == datasets.Timestamp {
		return fmt.Sprintf("CAST(unnest($%d::VARCHAR[]) AS %s)", len(q.parameters), name)
	}
	return fmt.Sprintf("unnest($%d::%s[])", len(q.parameters), name)
}

// interval reports whether integers are lower, lower + 1, … upper in this order.
func interval(domain []any) (lower, upper int64, ok bool) {
	for i, v := range domain {
		n, isInt := v.(int64)
		if !isInt || i > 0 && n != upper+1 {
			return 0, 0, false
		}
		if i == 0 {
			lower = n
		}
		upper = n
	}
	return lower, upper, len(domain) > 0
}

// domainValue writes a value of a domain.
func domainValue(t datasets.Type, v any) (string, error) {
	switch v := v.(type) {
	case string:
		switch t {
		case datasets.String:
			return text(v)
		case datasets.Date:
			return date(v)
		case datasets.Timestamp:
			return timestamp(v)
		}
	case int64:
		if t == datasets.Int64 {
			return integer(v), nil
		}
	case float64:
		if t == datasets.Float64 {
			return number(v)
		}
	case bool:
		if t == datasets.Bool {
			return boolean(v), nil
		}
	}
	return "", fmt.Errorf("%w: %T is no value of a %s", ErrPlan, v, t)
}
