package query

import (
	"slices"

	pg "github.com/pganalyze/pg_query_go/v6"

	"entrepot/datasets"
)

// groupBy resolves the keys: column names, names of the SELECT list, or positions in it.
func (p *planner) groupBy(st *pg.SelectStmt) error {
	p.parts.Keys, p.parts.Arguments = []Key{}, []Argument{}
	for _, n := range st.GetGroupClause() {
		name, at, err := p.groupColumn(n, st.GetTargetList())
		if err != nil {
			return err
		}
		c, err := p.declared(name, at)
		switch {
		case err != nil:
			return err
		case c.Role != datasets.Key:
			return p.refuse(at, "count its ranges instead, as in SUM(CASE WHEN "+name+" < 10 THEN 1 ELSE 0 END)",
				"%s is a measure: grouping by it is not supported", name)
		}
		if p.key(name) < 0 {
			p.parts.Keys = append(p.parts.Keys, Key{Column: name, Type: c.Type, Domain: domain(c)})
		}
	}
	return nil
}

// groupColumn is the column that one GROUP BY item names.
func (p *planner) groupColumn(n *pg.Node, targets []*pg.Node) (string, int32, error) {
	at := locate(n, nowhere)
	const hint = "group by columns that are declared as keys"
	if position, ok := n.GetAConst().GetVal().(*pg.A_Const_Ival); ok {
		i := int(position.Ival.GetIval())
		if i < 1 || i > len(targets) {
			return "", 0, p.refuse(at, "count the SELECT list from 1", "there is no column %d in the SELECT list", i)
		}
		n = targets[i-1].GetResTarget().GetVal()
	} else if fields := n.GetColumnRef().GetFields(); len(fields) == 1 {
		if _, declared := p.table.Declaration.Column(word(fields[0])); !declared {
			for _, t := range targets { // a column's own name comes first, as in PostgreSQL
				if t.GetResTarget().GetName() == word(fields[0]) {
					n = t.GetResTarget().GetVal()
					break
				}
			}
		}
	}
	if n.GetGroupingSet() != nil {
		what, hint := unsupported("GroupingSet")
		return "", 0, p.refuse(at, hint, "%s", what+" not supported")
	}
	fields := n.GetColumnRef().GetFields()
	if len(fields) == 0 || fields[len(fields)-1].GetAStar() != nil {
		return "", 0, p.refuse(at, hint, "grouping by an expression is not supported")
	}
	var qualifier []string
	for _, f := range fields[:len(fields)-1] {
		qualifier = append(qualifier, word(f))
	}
	return word(fields[len(fields)-1]), at, p.qualified(qualifier, at)
}

// key is the index of a GROUP BY column, or -1.
func (p *planner) key(name string) int {
	return slices.IndexFunc(p.parts.Keys, func(k Key) bool { return k.Column == name })
}

// selectList resolves the outputs: keys and aggregates, each under its own name.
func (p *planner) selectList(st *pg.SelectStmt) error {
	for _, n := range st.GetTargetList() {
		target := n.GetResTarget()
		o, err := p.output(target)
		if err != nil {
			return err
		}
		if alias := target.GetName(); alias != "" {
			if o.Name = alias; !isID(alias) {
				return p.refuse(target.GetLocation(), "use lower-case letters, digits and _, beginning with a letter", "the name %q is not supported", short(alias))
			}
		}
		if err := p.checkName(o, target.GetLocation()); err != nil {
			return err
		}
		p.parts.Outputs = append(p.parts.Outputs, o)
	}
	if len(p.parts.Outputs) == 0 {
		return p.refuse(nowhere, example, "the SELECT list is empty")
	}
	return nil
}

// output resolves one item of the SELECT list.
func (p *planner) output(target *pg.ResTarget) (Output, error) {
	at := target.GetLocation()
	value := target.GetVal()
	switch {
	case value.GetColumnRef() != nil:
		t, err := p.keys("SELECT").lower(value)
		if err != nil {
			return Output{}, err
		}
		return Output{Name: p.parts.Keys[t.expr.Released.Key].Column, Key: t.expr.Released.Key, Aggregate: -1}, nil
	case value.GetFuncCall() != nil:
		f, err := p.rows("", "").call(value.GetFuncCall())
		if err != nil {
			return Output{}, err
		}
		if isAggregate(f.name) {
			i, err := p.aggregate(f)
			return Output{Name: f.name, Key: -1, Aggregate: i}, err
		}
	}
	// It is refused in any case; what it holds decides how.
	aggregates := false
	probe := p.rows("", "")
	probe.aggregate = func(call) (term, error) {
		aggregates = true
		return numberLiteral(at, 1), nil
	}
	_, err := probe.lower(value)
	switch {
	case aggregates:
		return Output{}, p.refuse(at, "AVG(x) is SUM(x) / COUNT(x); ask for the aggregates and combine them yourself, it costs nothing more",
			"arithmetic on aggregates is not supported in the SELECT list")
	case err != nil:
		return Output{}, err
	}
	return Output{}, p.refuse(at, "write AVG(…) or SUM(…) around it", "the SELECT list holds GROUP BY columns and aggregates only")
}

// checkName refuses two columns of one name in the answer; an aggregate's interval makes two more.
func (p *planner) checkName(o Output, at int32) error {
	for _, name := range columnNames(o) {
		if p.names[name] {
			return p.refuse(at, "name one of them with AS", "two columns of the answer have the name %s", name)
		}
	}
	for _, name := range columnNames(o) {
		p.names[name] = true
	}
	return nil
}

// columnNames are the names that an output takes in the answer.
func columnNames(o Output) []string {
	if o.Aggregate < 0 {
		return []string{o.Name}
	}
	return []string{o.Name, o.Name + LowSuffix, o.Name + HighSuffix}
}

// keys is the checker of names that must be GROUP BY columns.
func (p *planner) keys(clause string) *checker {
	c := p.rows("", "")
	c.column = func(name string, at int32) (term, error) {
		if i := p.key(name); i >= 0 {
			return p.released(Released{Key: i, Aggregate: -1}, at), nil
		}
		return term{}, p.notKey(clause, name, at)
	}
	return c
}

// notKey says why a column may not stand in a clause over released values.
func (p *planner) notKey(clause, name string, at int32) error {
	c, err := p.declared(name, at)
	switch {
	case err != nil:
		return err
	case c.Role == datasets.Key:
		return p.refuse(at, "add it to GROUP BY", "%s is not in GROUP BY, so it cannot stand in %s", name, clause)
	case clause == "HAVING":
		return p.refuse(at, "conditions on rows go in WHERE", "HAVING acts on released values, and %s is a measure of each row", name)
	}
	return p.refuse(at, "write AVG("+name+") or SUM("+name+")", "%s is a measure: rows never leave", name)
}
