package query

import (
	"strings"

	pg "github.com/pganalyze/pg_query_go/v6"

	"entrepot/datasets"
)

// built is a relation with what a SELECT over it may name.
type built struct {
	rel    Relation
	fields []field // in the order of SELECT *; their terms are fields of rel
}

// from lowers the FROM clause of a SELECT that begins at a place.
func (p *planner) from(list []*pg.Node, env *environment, at int32) (Relation, *scope, error) {
	switch {
	case len(list) == 0:
		return Relation{}, nil, p.refuse(at, "add FROM org.dataset", "the question names no dataset")
	case len(list) > 1:
		return Relation{}, nil, p.refuse(p.start(list[1]), hintJoin, "a comma in FROM, which joins every row with every other, is not supported")
	}
	j, err := p.joined(list[0], env, new(int))
	if err != nil {
		return Relation{}, nil, err
	}
	return j.rel, &scope{source: p.source, items: j.items}, nil
}

// leaf lowers one item of FROM that is no join.
func (p *planner) leaf(n *pg.Node, env *environment) (built, *item, error) {
	if v := n.GetRangeVar(); v != nil {
		return p.named(v, env)
	}
	if s := n.GetRangeSubselect(); s != nil {
		at := p.start(n)
		switch {
		case s.GetLateral():
			return built{}, nil, p.refuse(p.before("lateral", at), "leave LATERAL out: a sub-query sees its own FROM only", "LATERAL is not supported")
		case len(s.GetAlias().GetColnames()) > 0:
			return built{}, nil, p.refuse(at, "name the columns in the SELECT list with AS", "column names in FROM are not supported")
		}
		b, err := p.subquery(s.GetSubquery().GetSelectStmt(), env, at)
		it := &item{what: "the sub-query", fields: b.fields}
		if alias := s.GetAlias().GetAliasname(); alias != "" {
			it.names, it.what = [][]string{{alias}}, short(alias)
		}
		return b, it, err
	}
	what, hint := "this FROM is", "write FROM org.dataset"
	switch kindOf(n) {
	case "RangeFunction", "RangeTableFunc", "JsonTable":
		what = "a function in FROM is"
	case "RangeTableSample":
		what, hint = "TABLESAMPLE is", "leave it out: noise is added to the whole dataset's answer"
		return built{}, nil, p.refuse(p.after("tablesample", p.start(n)), hint, "%s", what+" not supported")
	case "JoinExpr":
		what, hint = "a join in parentheses is", "write the joins one after the other, or put this one in a sub-query"
	}
	return built{}, nil, p.refuse(p.start(n), hint, "%s", what+" not supported")
}

// named lowers a dataset or the name of a common table expression.
func (p *planner) named(v *pg.RangeVar, env *environment) (built, *item, error) {
	at := v.GetLocation()
	switch {
	case !v.GetInh():
		return built{}, nil, p.refuse(at, "leave ONLY out", "ONLY is not supported")
	case len(v.GetAlias().GetColnames()) > 0:
		return built{}, nil, p.refuse(at, "name the columns in the SELECT list with AS", "column names in FROM are not supported")
	}
	it := &item{names: [][]string{{v.GetRelname()}}, what: short(v.GetRelname())}
	alias := v.GetAlias().GetAliasname()
	if alias != "" {
		it.names = [][]string{{alias}}
	}
	if v.GetSchemaname() == "" {
		for e := env; e != nil; e = e.outer {
			if e.name == v.GetRelname() {
				e.used = true
				b, err := p.subquery(e.query, e.outer, e.at)
				it.fields = b.fields
				return b, it, err
			}
		}
	}
	if v.GetSchemaname() == "" || v.GetCatalogname() != "" {
		return built{}, nil, p.refuse(at, "name it with its organisation, as in FROM kr_edu.students", "a dataset is named org.dataset")
	}
	table, err := p.table(v)
	if err != nil {
		return built{}, nil, err
	}
	if p.scans++; p.scans > MaxScans {
		return built{}, nil, p.refuse(at, "ask in several questions", "a question reads at most %d datasets, one that is named twice counting twice", MaxScans)
	}
	b := scan(table)
	it.fields, it.what = b.fields, table.ID
	if alias == "" {
		it.names = append(it.names, []string{v.GetSchemaname(), v.GetRelname()})
	}
	return b, it, nil
}

// table finds a dataset that the asker may see.
func (p *planner) table(v *pg.RangeVar) (Table, error) {
	if p.catalogue != nil && isID(v.GetSchemaname()) && isID(v.GetRelname()) {
		if t, ok := p.catalogue.Table(v.GetSchemaname(), v.GetRelname()); ok {
			t.ID = v.GetSchemaname() + "." + v.GetRelname()
			p.declarations[t.ID] = t.Declaration
			return t, nil
		}
	}
	line, column := p.position(int(v.GetLocation()))
	return Table{}, &Error{Line: line, Column: column, Message: notFound, NotFound: true}
}

// scan is the relation of a dataset's stored rows.
func scan(t Table) built {
	d := t.Declaration
	b := built{rel: Relation{Op: Scan, Dataset: t.ID, Fields: []Field{}}}
	if !d.Public {
		b.rel.Units, b.rel.MaxRank = []UnitRows{{Space: d.UnitSpace, Rows: d.MaxRowsPerUnit}}, d.MaxRowsPerUnit
	}
	for _, c := range d.Columns {
		f := field{name: c.Name, id: c.Role == datasets.PrivacyID, hidden: c.Role == datasets.Hidden}
		switch f.term = columnTerm(c, nowhere); {
		case f.id:
			b.rel.ID = c.Name
		case f.hidden:
			f.unusable, f.hint = "the column "+c.Name+" is hidden: it is not stored", "use another column"
		case f.term.expr.Type == "":
			f.unusable, f.hint = "the column "+c.Name+" cannot be computed with: its declaration has no bounds", "use another column"
		default:
			b.rel.Fields = append(b.rel.Fields, fieldOf(c.Name, f.term))
		}
		b.fields = append(b.fields, f)
	}
	return b
}

// fieldOf describes a field of a relation.
func fieldOf(name string, t term) Field {
	return Field{Name: name, Type: t.expr.Type, Num: t.expr.Num, Den: t.expr.Den, Nullable: t.nullable}
}

// isPublic tells whether a relation's rows belong to nobody.
func isPublic(r Relation) bool { return len(r.Units) == 0 }

// spaces lists the unit spaces of a relation, for messages.
func spaces(r Relation) string {
	names := make([]string, len(r.Units))
	for i, u := range r.Units {
		names[i] = u.Space
	}
	return strings.Join(names, " and ")
}
