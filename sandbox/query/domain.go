package query

import (
	"slices"

	"entrepot/datasets"
)

// Limits of the public domains that the planner derives: planning stays fast, and a domain that is far
// larger than what the rows hold makes groups of noise alone.
const (
	maxDerived     = 10_000  // values of one domain, and evaluations to list them
	maxDerivedWork = 300_000 // operations of all these evaluations, and values listed on the way, of one question
)

// effort is what listing values has cost a question so far. Where it is used up nothing more is
// listed: groups that could be public are private then, whoever asks.
type effort struct{ spent int }

// spend takes some of it, and reports whether there was enough.
func (w *effort) spend(operations int) bool {
	w.spent = min(w.spent+max(operations, 0), 2*maxDerivedWork)
	return w.spent <= maxDerivedWork
}

// publicValues lists the values that a term may have, in the form of an encoded key: every one that is
// not NULL, as far as the declared domains of columns allow it. They follow from declarations and the text
// alone. nil: they are not known, or too many.
func (t term) publicValues(w *effort) []any {
	values := t.values(w)
	if len(values) == 0 || len(values) > MaxGroups {
		return nil
	}
	typ := keyType(t)
	seen := make(map[any]bool, len(values))
	distinct := make([]any, 0, len(values))
	for _, v := range values {
		if v = encodable(v, typ); v != nil && !seen[v] {
			seen[v] = true
			distinct = append(distinct, v)
		}
	}
	if t.expr.Op != OpColumn && t.expr.Type != Text {
		slices.SortStableFunc(distinct, func(a, b any) int {
			c, _ := compareValues(a, b, t.expr.Type == Timestamp)
			return c
		})
	}
	return distinct
}

// encodable is a value of Eval as it stands in an encoded key.
func encodable(v any, typ datasets.Type) any {
	switch x := v.(type) {
	case float64:
		if typ == datasets.Int64 {
			return int64(x)
		}
		return x + 0 // −0 is 0
	case int64:
		if typ == datasets.Float64 {
			return float64(x)
		}
	}
	return v
}

// keyType is the type of a group key.
func keyType(t term) datasets.Type {
	switch t.expr.Type {
	case Text:
		return datasets.String
	case Bool:
		return datasets.Bool
	case Date:
		return datasets.Date
	case Timestamp:
		return datasets.Timestamp
	case Int:
		return datasets.Int64
	}
	if t.integral {
		return datasets.Int64
	}
	return datasets.Float64
}

// values lists the same as Eval has them, perhaps with repetitions; nil: they are not known, or too many.
func (t term) values(w *effort) []any {
	if !w.spend(1) {
		return nil
	}
	switch {
	case t.untyped():
		return []any{}
	case t.literal():
		return []any{literalValue(t.expr)}
	case t.domain != nil:
		if values := t.stored(w); values != nil {
			return values
		}
	}
	switch {
	case t.expr.Type == Bool:
		return []any{false, true}
	case t.expr.Op == OpColumn:
		return t.points(w)
	}
	ways := []func(*effort) []any{t.branches, t.image, t.points, t.chain}
	if t.expr.Op == OpDateTrunc {
		ways[1], ways[2] = t.points, t.image // the same values, sooner
	}
	for _, list := range ways {
		if values := list(w); values != nil {
			return values
		}
	}
	return nil
}

// stored lists the values of a column with a domain. A condition may have narrowed its interval.
func (t term) stored(w *effort) []any {
	domain := t.domain(w)
	if !w.spend(len(domain)) {
		return nil
	}
	return slices.DeleteFunc(slices.Clone(domain), func(v any) bool {
		switch x := v.(type) {
		case int64:
			return float64(x) < t.lo || float64(x) > t.hi
		case float64:
			return x < t.lo || x > t.hi
		}
		return false
	})
}

// kept is a term whose values a field is to hold: it forgets what it is made of, and keeps its domain.
func (t term) kept() term {
	of, listed := t, false
	var values []any
	t.parts, t.results = nil, nil
	t.domain = func(w *effort) []any {
		if !listed {
			values, listed = of.values(w), true
		}
		return values
	}
	return t
}

// branches joins the values of all that a CASE, COALESCE or NULLIF may return.
func (t term) branches(w *effort) []any {
	if len(t.results) == 0 {
		return nil
	}
	list := []any{}
	for _, r := range t.results {
		values := r.values(w)
		if values == nil || len(list)+len(values) > maxDerived || !w.spend(len(values)) {
			return nil
		}
		list = append(list, values...)
	}
	return list
}
