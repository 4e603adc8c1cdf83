package query

import (
	"slices"
	"strconv"
	"strings"

	pg "github.com/pganalyze/pg_query_go/v6"
)

const hintJoin = "write JOIN … ON: on the privacy ID between tables of one unit space, on its unique key to a public table"

// join is a FROM, or the part of it left of a JOIN.
type join struct {
	rel   Relation
	alias string  // t1, t2 … of one dataset or sub-query; "" of a join
	items []*item // whose terms have the names of rel
}

// joined lowers an item of FROM with the joins in it, from left to right; n counts the aliases.
func (p *planner) joined(n *pg.Node, env *environment, count *int) (join, error) {
	v := n.GetJoinExpr()
	if v == nil {
		b, it, err := p.leaf(n, env)
		*count++
		return join{b.rel, "t" + strconv.Itoa(*count), []*item{it}}, err
	}
	left, err := p.joined(v.GetLarg(), env, count)
	if err != nil {
		return join{}, err
	}
	at := p.before("join", p.start(v.GetRarg()))
	if err := p.refuseJoin(v, at); err != nil {
		return join{}, err
	}
	b, it, err := p.leaf(v.GetRarg(), env)
	if err != nil {
		return join{}, err
	}
	*count++
	right := join{b.rel, "t" + strconv.Itoa(*count), []*item{it}}
	for _, other := range left.items {
		for _, name := range it.names {
			if len(other.qualifiers(name)) > 0 {
				return join{}, p.refuse(p.start(v.GetRarg()), "give one of them another name with AS", "two items of FROM have the name %s", short(strings.Join(name, ".")))
			}
		}
	}
	return p.pair(v, left, right, at)
}

// qualifiers returns the item's names that are the one given.
func (it *item) qualifiers(name []string) (same [][]string) {
	for _, n := range it.names {
		if slices.Equal(n, name) {
			same = append(same, n)
		}
	}
	return same
}

// refuseJoin refuses the joins that have no meaning here.
func (p *planner) refuseJoin(v *pg.JoinExpr, at int32) error {
	switch v.GetJointype() {
	case pg.JoinType_JOIN_INNER, pg.JoinType_JOIN_LEFT:
	case pg.JoinType_JOIN_RIGHT:
		return p.refuse(at, "exchange the two sides and write LEFT JOIN", "RIGHT JOIN is not supported")
	case pg.JoinType_JOIN_FULL:
		return p.refuse(at, "use LEFT JOIN, or UNION ALL of both sides", "FULL JOIN is not supported")
	default:
		return p.refuse(at, hintJoin, "this join is not supported")
	}
	switch {
	case v.GetIsNatural():
		return p.refuse(at, "write ON or USING with the columns", "NATURAL JOIN is not supported")
	case v.GetQuals() == nil && len(v.GetUsingClause()) == 0:
		return p.refuse(at, hintJoin, "CROSS JOIN, which joins every row with every other, is not supported")
	case v.GetAlias() != nil || v.GetJoinUsingAlias() != nil:
		return p.refuse(at, "name the two sides instead", "a name for a join is not supported")
	}
	return nil
}

// pair joins two sides.
func (p *planner) pair(v *pg.JoinExpr, left, right join, at int32) (join, error) {
	switch {
	case isPublic(left.rel):
		return join{}, p.refuse(at, "write the table of a unit space first, and the public table after JOIN", "a public table stands left of JOIN")
	case isPublic(right.rel) && right.rel.Op != Scan:
		return join{}, p.refuse(at, "join the public table itself, and put conditions on it in WHERE", "a sub-query of a public table is not supported in a join")
	case !isPublic(right.rel):
		if err := p.sameSpace(left.rel, right.rel, at); err != nil {
			return join{}, err
		}
	}
	j := &Join{Left: left.alias, Right: right.alias, Outer: v.GetJointype() == pg.JoinType_JOIN_LEFT, Public: isPublic(right.rel)}
	on := condition{planner: p, join: j, left: left, right: right, at: at}
	if err := on.read(v); err != nil {
		return join{}, err
	}
	out := Relation{Op: JoinRows, Inputs: []Relation{left.rel, right.rel}, Join: j, Units: slices.Clone(left.rel.Units), MaxRank: left.rel.MaxRank}
	if id := left.rel.ID; id != "" && left.alias != "" {
		out.ID = left.alias + "." + id
	} else {
		out.ID = id
	}
	if !j.Public {
		rows, rank := product(left.rel.Units[0].Rows, right.rel.Units[0].Rows), product(left.rel.MaxRank, right.rel.MaxRank)
		if rows > MaxRows || rank > MaxRank {
			return join{}, p.refuse(at, "group one side by the privacy ID first, in a sub-query", "one unit can have more than %d rows in this join", MaxRows)
		}
		out.Units[0].Rows, out.MaxRank = rows, rank
	}
	items := slices.Concat(left.prefixed(false), right.prefixed(j.Outer))
	for _, it := range items {
		for _, f := range it.fields {
			if f.unusable == "" && !f.id {
				out.Fields = append(out.Fields, fieldOf(f.term.expr.Column, f.term))
			}
		}
	}
	return join{rel: out, items: items}, nil
}

// sameSpace refuses two sides whose rows are not of one unit space.
func (p *planner) sameSpace(left, right Relation, at int32) error {
	const hint = "write UNION ALL, which adds the rows of both up; each unit space is charged"
	for _, r := range []Relation{left, right} {
		if len(r.Units) > 1 {
			return p.refuse(at, "join the branches before UNION ALL", "a join of rows of several unit spaces, %s, is not supported", spaces(r))
		}
	}
	if left.Units[0].Space != right.Units[0].Space {
		return p.refuse(at, hint, "a join of two unit spaces, %s and %s, is not supported", spaces(left), spaces(right))
	}
	return nil
}

// product is a·b, or more than MaxRank where that is more.
func product(a, b int64) int64 {
	if a > 0 && b > MaxRank/a {
		return MaxRank + 1
	}
	return a * b
}

// prefixed returns the side's items with the names that fields have in the join.
func (j join) prefixed(outer bool) []*item {
	if j.alias == "" {
		return j.items
	}
	it := *j.items[0]
	it.fields = slices.Clone(it.fields)
	for i := range it.fields {
		f := &it.fields[i]
		f.term.expr.Column = j.alias + "." + f.term.expr.Column
		f.term.nullable = f.term.nullable || outer
		if outer && f.id {
			f.unusable, f.hint = "the privacy ID "+f.name+" of the right side of a LEFT JOIN is NULL where nothing belongs to a row", "use the left side's"
		}
	}
	return []*item{&it}
}
