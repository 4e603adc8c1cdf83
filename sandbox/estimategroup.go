package sandbox

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"slices"

	"entrepot/access"
	"entrepot/privacy"
	"entrepot/sandbox/query"
)

// Group says what groups the widths of intervals are for: of a size that the caller states, or those of an earlier
// release that it may read. The zero Group is one of assumedRows, good for an estimate alone.
type Group struct {
	Rows    int64  // 0: none is stated
	Release string // rel_…; "": none is named
}

// assumedRows is the size of a group of which nothing is said.
const assumedRows = 1000

// EstimateGroup is a group that half-widths are for.
type EstimateGroup struct {
	Group string  `json:"group"` // "stated", "assumed", or of a release "smallest", "median", "largest"
	Rows  float64 `json:"rows"`  // as stated, or as released: with noise, and at least 1
	// HalfWidth is half of each interval, expected, by column; nil where it depends on the rows.
	HalfWidth map[string]*float64 `json:"half_width"`
}

// groups are those of a question's Group, by rising size: one, or three of a release.
type groups struct {
	release string
	list    []EstimateGroup
	values  map[string]float64 // released for the smallest group, by column
}

// rows of the smallest group.
func (g groups) rows() float64 { return g.list[0].Rows }

// given reports whether the caller said anything about groups.
func (g groups) given() bool { return g.list[0].Group != "assumed" }

// groupsOf finds the groups that a question is about. A release tells their sizes as it was given out: nothing is
// read but what its asker has.
func (s *Service) groupsOf(ctx context.Context, p access.Principal, g Group) (groups, error) {
	switch {
	case g.Rows != 0 && g.Release != "":
		return groups{}, invalid("State group_size or name a release, one of the two.")
	case g.Rows < 0:
		return groups{}, invalid("group_size is at least 1.")
	case g.Rows != 0:
		return groups{list: []EstimateGroup{{Group: "stated", Rows: float64(g.Rows)}}}, nil
	case g.Release == "":
		return groups{list: []EstimateGroup{{Group: "assumed", Rows: assumedRows}}}, nil
	}
	q, err := s.Questions.Question(ctx, g.Release)
	if err != nil && !errors.Is(err, ErrNotFound) {
		return groups{}, unavailable(err)
	}
	if err != nil || !mayReadRelease(p, q) {
		return groups{}, notFound("release")
	}
	return releasedGroups(q)
}

// releasedGroups reads the sizes of the groups of a release.
func releasedGroups(q Question) (groups, error) {
	a, err := readAnswer(q.Answer)
	if err != nil {
		return groups{}, err
	}
	var work pending
	if err := json.Unmarshal(q.Plan, &work); err != nil {
		return groups{}, fmt.Errorf("a stored question is not readable: %w", err)
	}
	count := countColumn(work.Plan.Parts())
	if count == "" {
		return groups{}, &Error{Code: CodeInvalid, Public: q.Release + " counted no rows, so that it does not tell how large its groups are.",
			Hint: "Name a release with COUNT(*), or state group_size."}
	}
	var values []map[string]float64
	for _, r := range a.Rows {
		v := r.numbers()
		if n, ok := v[count]; ok {
			v[count] = max(1, n)
			values = append(values, v)
		}
	}
	if len(values) == 0 {
		return groups{}, invalid("%s lists no group.", q.Release)
	}
	slices.SortStableFunc(values, func(a, b map[string]float64) int { return cmp.Compare(a[count], b[count]) })
	g := groups{release: q.Release, values: values[0]}
	for i, name := range []string{"smallest", "median", "largest"} {
		g.list = append(g.list, EstimateGroup{Group: name, Rows: values[i*(len(values)-1)/2][count]})
	}
	return g, nil
}

// countColumn is the column of an answer that tells best how many rows a group has; "" where none does.
func countColumn(parts query.Parts) string {
	best, name := 0, ""
	for _, o := range parts.Outputs {
		if o.Aggregate < 0 {
			continue
		}
		rank := 0
		switch a := parts.Aggregates[o.Aggregate]; {
		case a.Kind == privacy.Count && a.Argument == privacy.NoArgument:
			rank = 3
		case a.Kind == privacy.Count:
			rank = 2
		case a.Kind == privacy.CountUnits: // each has a row or more
			rank = 1
		}
		if rank > best {
			best, name = rank, o.Name
		}
	}
	return name
}

// numbers are the row's numbers by column.
func (r Row) numbers() map[string]float64 {
	list := map[string]float64{}
	for _, f := range r {
		if n, ok := f.Value.(json.Number); ok {
			if x, err := n.Float64(); err == nil {
				list[f.Name] = x
			}
		}
	}
	return list
}

// value is what a relative half-width of a column is a part of: for counts of rows the size of the smallest group, for
// other columns what a release says of it.
func (g groups) value(name string, a query.Aggregate, c privacy.Contribution) (float64, error) {
	rows := a.Kind == privacy.Count || a.Kind == privacy.CountUnits && min(c.MaxRowsPerPartition, c.MaxRows) == 1
	if g.release != "" {
		value, ok := g.values[name]
		switch {
		case ok && value != 0:
			return math.Abs(value), nil
		case ok:
			return 0, invalid("%s is 0 in the smallest group of %s, and nothing is a part of that; give its half_width.", name, g.release)
		case !rows:
			return 0, invalid("%s has no column %s, which its relative half-width is a part of.", g.release, name)
		}
	}
	switch {
	case rows && g.given():
		return g.rows(), nil
	case rows:
		return 0, &Error{Code: CodeInvalid, Public: "The relative half-width of " + name + " is a part of a number that nobody stated.",
			Hint: "State group_size, or name a release whose smallest group is meant."}
	default:
		return 0, &Error{Code: CodeInvalid, Public: "The relative half-width of " + name + " is a part of a value that is not known.",
			Hint: "Name an earlier release with a column " + name + ", or give its half_width."}
	}
}
