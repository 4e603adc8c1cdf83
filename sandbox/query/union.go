package query

import (
	"slices"
	"strings"

	pg "github.com/pganalyze/pg_query_go/v6"
)

// union lowers UNION ALL in a sub-query. The branches' columns belong together by position and have the
// names of the first branch.
func (p *planner) union(st *pg.SelectStmt, outer *environment, at int32) (built, error) {
	var branches []projection
	if err := p.branches(st, outer, at, &branches); err != nil {
		return built{}, err
	}
	if err := p.align(branches); err != nil {
		return built{}, err
	}
	out := Relation{Op: Union, Fields: []Field{}}
	b := built{}
	for i, pr := range branches {
		branch, err := p.computed(pr)
		if err != nil {
			return built{}, err
		}
		out.Inputs = append(out.Inputs, branch.rel)
		out.MaxRank = max(out.MaxRank, branch.rel.MaxRank)
		out.Units = addUnits(out.Units, branch.rel.Units)
		if i == 0 {
			b.fields, out.ID = branch.fields, pr.id()
			continue
		}
		for k := range b.fields {
			b.fields[k] = either(b.fields[k], branch.fields[k])
		}
	}
	if out.MaxRank = product(out.MaxRank, int64(len(branches))); out.MaxRank > MaxRank || mostRows(out) > MaxRows {
		return built{}, p.refuse(at, "group the branches by the privacy ID first, in a sub-query", "one unit can have more than %d rows in this UNION ALL", MaxRows)
	}
	for _, f := range b.fields {
		if !f.id {
			out.Fields = append(out.Fields, fieldOf(f.name, f.term))
		}
	}
	b.rel = out
	return b, nil
}

// branches lowers the branches of a UNION ALL, those of another one in parentheses among them.
func (p *planner) branches(st *pg.SelectStmt, outer *environment, at int32, list *[]projection) error {
	if st.GetOp() == pg.SetOperation_SETOP_NONE {
		if start := p.startOf(st); start >= 0 {
			at = start
		}
		var names []string
		if len(*list) > 0 {
			for _, c := range (*list)[0].columns {
				names = append(names, c.name)
			}
		}
		pr, err := p.project(st, outer, at, names)
		if err == nil && isPublic(pr.in) {
			err = p.refuse(at, "join the public table in each branch", "a public table as a branch of UNION ALL is not supported")
		}
		*list = append(*list, pr)
		return err
	}
	if st.GetOp() != pg.SetOperation_SETOP_UNION || !st.GetAll() {
		return p.refuse(p.setOperation(st, at), "write UNION ALL; COUNT(DISTINCT …) of the privacy ID counts each unit once", "UNION, INTERSECT and EXCEPT are not supported")
	}
	if err := p.refuseWithin(st, at); err != nil {
		return err
	}
	env, err := p.with(st.GetWithClause(), outer)
	if err != nil {
		return err
	}
	for _, side := range []*pg.SelectStmt{st.GetLarg(), st.GetRarg()} {
		if err := p.branches(side, env, at, list); err != nil {
			return err
		}
	}
	return p.allUsed(env, outer)
}

// setOperation is where the word of a UNION, INTERSECT or EXCEPT stands.
func (p *planner) setOperation(st *pg.SelectStmt, at int32) int32 {
	words := map[pg.SetOperation]string{
		pg.SetOperation_SETOP_UNION: "union", pg.SetOperation_SETOP_INTERSECT: "intersect", pg.SetOperation_SETOP_EXCEPT: "except",
	}
	if right := p.startOf(st.GetRarg()); right >= 0 {
		return p.before(words[st.GetOp()], right)
	}
	return p.after(words[st.GetOp()], max(at, 0))
}

// id is the name of the privacy ID in a projection, or "".
func (pr projection) id() string {
	for _, c := range pr.columns {
		if c.id {
			return c.name
		}
	}
	return ""
}

// addUnits adds the rows of units of each space up.
func addUnits(a, b []UnitRows) []UnitRows {
	sum := slices.Clone(a)
	for _, u := range b {
		i := slices.IndexFunc(sum, func(s UnitRows) bool { return s.Space == u.Space })
		if i < 0 {
			sum = append(sum, u)
			continue
		}
		sum[i].Rows += min(u.Rows, MaxRank)
	}
	slices.SortFunc(sum, func(a, b UnitRows) int { return strings.Compare(a.Space, b.Space) })
	return sum
}
