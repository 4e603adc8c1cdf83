package query

import (
	pg "github.com/pganalyze/pg_query_go/v6"
)

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

// output resolves one item of the SELECT list: an aggregate, or a GROUP BY expression written again.
func (p *planner) output(target *pg.ResTarget) (Output, error) {
	at, value := target.GetLocation(), target.GetVal()
	if value.GetFuncCall() != nil {
		f, err := p.rows("", "").call(value.GetFuncCall())
		if err != nil {
			return Output{}, err
		}
		if isAggregate(f.name) {
			i, err := p.aggregate(f)
			return Output{Name: f.name, Key: -1, Aggregate: i}, err
		}
	}
	aggregates := false
	c := p.rows("", "")
	c.aggregate = func(f call) (term, error) {
		aggregates = true
		return numberLiteral(f.at, 1), nil
	}
	t, err := c.lower(value)
	switch {
	case aggregates:
		return Output{}, p.refuse(at, "AVG(x) is SUM(x) / COUNT(x); ask for the aggregates and combine them yourself, it costs nothing more",
			"arithmetic on aggregates is not supported in the SELECT list")
	case err != nil:
		return Output{}, err
	}
	if i := p.key(t.expr); i >= 0 {
		return Output{Name: p.parts.Keys[i].Name, Key: i, Aggregate: -1}, nil
	}
	if value.GetColumnRef() != nil {
		return Output{}, p.notKey("SELECT", t)
	}
	return Output{}, p.refuse(at, "write AVG(…) or SUM(…) around it, or add it to GROUP BY as it is",
		"the SELECT list holds GROUP BY columns and aggregates only")
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

// notKey says why a column may not stand in a clause over released values.
func (p *planner) notKey(clause string, t term) error {
	name := short(writer{&p.parts}.expr(t.expr))
	switch {
	case t.expr.Num == 0:
		return p.refuse(t.at, "add it to GROUP BY", "%s is not in GROUP BY, so it cannot stand in %s", name, clause)
	case clause == "HAVING":
		return p.refuse(t.at, "conditions on rows go in WHERE", "HAVING acts on released values, and %s is a measure of each row", name)
	}
	return p.refuse(t.at, "write AVG("+name+") or SUM("+name+")", "%s is a measure: rows never leave", name)
}
