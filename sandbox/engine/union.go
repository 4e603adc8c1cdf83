package engine

import (
	"fmt"
	"strings"

	"entrepot/sandbox/query"
)

// union writes the rows of all inputs. Ranks interleave them, so that what bounding keeps of a unit
// does not favour one input.
func (g *generator) union(r query.Relation, in []rows) rows {
	out := rows{unit: "_u", rank: "_rank", fields: map[string]field{}}
	for i, f := range r.Fields {
		out.fields[f.Name] = field{f, weight{1, 1}, fmt.Sprintf("_f%d", i)}
	}
	branches := make([]string, len(in))
	for n, branch := range in {
		list := []string{
			branch.unit + " AS _u",
			fmt.Sprintf("((CAST(%s AS BIGINT) - 1) * %d + %d) AS _rank", branch.rank, len(in), n+1),
		}
		for i, f := range r.Fields {
			from, ok := branch.fields[f.Name]
			if !ok || from.Type != f.Type {
				g.fail("an input of a union has no field %q of type %s", f.Name, f.Type)
			}
			list = append(list, g.unified(from, f)+fmt.Sprintf(" AS _f%d", i))
			merged := out.fields[f.Name]
			merged.operations, merged.depth = max(merged.operations, from.operations), max(merged.depth, from.depth)
			out.fields[f.Name] = merged
		}
		branches[n] = branch.selecting(list)
	}
	out.from = "(" + strings.Join(branches, " UNION ALL ") + ")"
	return out
}

// unified writes an input's field as the union holds it: stored steps, or their value.
func (g *generator) unified(from field, to query.Field) string {
	if to.Num == 0 {
		return g.value(from)
	}
	if from.Num != to.Num || from.Den != to.Den {
		g.fail("an input of a union counts field %q in other steps", to.Name)
	}
	return from.sql
}
