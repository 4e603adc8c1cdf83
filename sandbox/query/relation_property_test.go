package query

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"entrepot/datasets"
)

// relationGenerator draws texts of questions over relations that are mostly planned.
type relationGenerator struct {
	generator
	names int
}

// drawn is an item of FROM: its text, and names of its columns by type. Its privacy ID is called id
// unless the item is a dataset.
type drawn struct {
	text, id string
	numbers  []string
	texts    []string
	moments  []string
	bools    []string
}

func (g *relationGenerator) among(list []string, otherwise ...string) string {
	if list = slices.Concat(list, otherwise); len(list) == 0 {
		return "1"
	}
	return g.pick(list...)
}

func (g *relationGenerator) name() string {
	g.names++
	return fmt.Sprintf("%s%d", g.pick("a", "f", "g", "order", "z"), g.names)
}

func (g *relationGenerator) dataset() drawn {
	switch rapid.IntRange(0, 3).Draw(g.T, "dataset") {
	case 0:
		return drawn{"gb_edu.pupils", "pupil", []string{"maths", "points", "house"}, []string{"sex"}, []string{"born"}, nil}
	case 1:
		return drawn{"kr_edu.students", "student_id", []string{"math", "reading", "absences", "balance", "grade", "school"}, []string{"gender", "country", "\"order\""}, []string{"born"}, []string{"immigrant"}}
	}
	return drawn{"kr_edu.enrolments", "student_id", []string{"year", "credits", "score", "room"}, []string{"course", "region"}, []string{"began"}, []string{"passed"}}
}

func (g *relationGenerator) item(depth int) drawn {
	if depth == 0 {
		return g.dataset()
	}
	switch rapid.IntRange(0, 5).Draw(g.T, "item") {
	case 0:
		return g.dataset()
	case 1:
		return g.perRow(g.item(depth - 1))
	case 2, 3:
		return g.perUnit(g.item(depth - 1))
	case 4:
		return g.union(depth - 1)
	}
	return g.join(depth - 1)
}

func (g *relationGenerator) condition(d drawn) string {
	return g.pick("", " WHERE "+g.among(d.numbers)+g.pick(" > 2", " <= 7.5", " IS NOT NULL"), " WHERE "+g.among(d.texts, "'x'")+" <> 'x'",
		" WHERE "+g.among(d.bools, g.among(d.numbers)+" BETWEEN 1 AND 500")+" IS NOT TRUE")
}

// perRow selects some columns, as they are and computed with.
func (g *relationGenerator) perRow(in drawn) drawn {
	out, list := drawn{id: "id"}, []string{in.id + " AS id"}
	add := func(to *[]string, expr string) {
		name := g.name()
		list, *to = append(list, expr+" AS "+name), append(*to, name)
	}
	add(&out.numbers, g.among(in.numbers))
	add(&out.numbers, g.pick(g.among(in.numbers)+" + "+g.among(in.numbers), "CLAMP("+g.among(in.numbers)+", 0, 10)", "ABS("+g.among(in.numbers)+")", "3"))
	add(&out.texts, g.pick(g.among(in.texts, "'y'"), "LOWER("+g.among(in.texts, "'Y'")+")"))
	add(&out.bools, g.among(in.bools, g.among(in.numbers)+" > 1"))
	add(&out.moments, g.among(in.moments, "DATE '2020-01-31'"))
	out.text = "(SELECT " + strings.Join(list, ", ") + " FROM " + in.text + g.condition(in) + ")"
	return out
}

// perUnit makes features.
func (g *relationGenerator) perUnit(in drawn) drawn {
	out, list, by := drawn{id: "id"}, []string{in.id + " AS id"}, in.id
	filter := g.pick("", "", " FILTER (WHERE "+g.among(in.numbers)+" > 3)")
	order := " ORDER BY " + g.among(in.moments, g.among(in.numbers)) + g.pick("", " DESC") + ", " + g.among(in.numbers)
	number := g.among(in.numbers)
	for _, f := range []string{
		"COUNT(*)" + filter, "COUNT(" + number + ")", "COUNT(DISTINCT " + g.among(in.texts, number) + ")" + filter, g.pick("SUM", "AVG") + "(CLAMP(" + number + ", -5, 700.5))" + filter,
		g.pick("MIN", "MAX") + "(" + number + ")" + filter, g.pick("FIRST", "LAST") + "(" + number + order + ")", "SUM(CLAMP(" + number + ", 0, 9)) / COUNT(*)", "COUNT(*) - MAX(" + number + ")",
	} {
		if rapid.Bool().Draw(g.T, "wanted") || len(out.numbers) == 0 {
			name := g.name()
			list, out.numbers = append(list, f+" AS "+name), append(out.numbers, name)
		}
	}
	name := g.name()
	list, out.texts = append(list, g.pick("MIN", "MAX")+"("+g.among(in.texts, "'q'")+") AS "+name), append(out.texts, name)
	if len(in.bools) > 0 {
		name := g.name()
		list, out.bools = append(list, g.pick("BOOL_OR", "BOOL_AND")+"("+g.among(in.bools)+")"+filter+" AS "+name), append(out.bools, name)
	}
	if rapid.Bool().Draw(g.T, "key") {
		key := g.among(slices.Concat(in.texts, in.moments), "LOWER("+g.among(in.texts, number)+")")
		by += ", " + key
		if rapid.Bool().Draw(g.T, "shown") {
			name := g.name()
			list, out.texts = append(list, key+" AS "+name), append(out.texts, name)
		}
	}
	having := g.pick("", "", " HAVING COUNT(*) > 1", " HAVING MAX("+number+") > 2 OR "+out.numbers[0]+" < 3")
	out.text = "(SELECT " + strings.Join(list, ", ") + " FROM " + in.text + g.condition(in) + " GROUP BY " + by + having + ")"
	return out
}

// union adds two or three items up, with a column of each type.
func (g *relationGenerator) union(depth int) drawn {
	out := drawn{id: "id", numbers: []string{g.name(), g.name()}, texts: []string{g.name()}}
	var branches []string
	for range rapid.IntRange(2, 3).Draw(g.T, "branches") {
		in := g.item(depth)
		list := in.id + " AS id, " + g.among(in.numbers) + " AS " + out.numbers[0] + ", " + g.among(in.numbers, "7") + " AS " + out.numbers[1] + ", " + g.among(in.texts, "'w'", "NULL") + " AS " + out.texts[0]
		branches = append(branches, "SELECT "+list+" FROM "+in.text+g.condition(in))
	}
	out.text = "(" + strings.Join(branches, " UNION ALL ") + ")"
	return out
}

// join joins two items on the privacy ID, or one with a public table.
func (g *relationGenerator) join(depth int) drawn {
	left := g.item(depth)
	qualified := func(alias string, names []string) (list []string) {
		for _, n := range names {
			list = append(list, alias+"."+n)
		}
		return list
	}
	out := drawn{id: "x." + left.id, numbers: qualified("x", left.numbers), texts: qualified("x", left.texts), moments: qualified("x", left.moments), bools: qualified("x", left.bools)}
	kind := g.pick(" JOIN ", " LEFT JOIN ")
	if rapid.IntRange(0, 2).Draw(g.T, "public") == 0 {
		out.text = left.text + " AS x" + kind + "pub.regions AS y ON y.code = " + g.among(out.texts)
		out.numbers, out.texts = append(out.numbers, "y.people"), append(out.texts, "y.name")
		return g.perRow(out)
	}
	right := g.item(depth)
	out.text = left.text + " AS x" + kind + right.text + " AS y ON x." + left.id + " = y." + right.id
	if rapid.IntRange(0, 3).Draw(g.T, "keys") == 0 {
		out.text += " AND " + g.among(out.texts) + " = y." + g.among(right.texts)
	}
	out.numbers, out.texts = append(out.numbers, qualified("y", right.numbers)...), append(out.texts, qualified("y", right.texts)...)
	return g.perRow(out)
}

func (g *relationGenerator) question() string {
	in := g.item(3)
	list := []string{"COUNT(*) AS n"}
	if rapid.Bool().Draw(g.T, "units") {
		list = append(list, "COUNT(DISTINCT "+in.id+") AS u")
	}
	list = append(list, "SUM(CLAMP("+g.among(in.numbers)+", -100, 1000)) AS s", "COUNT("+g.among(in.texts, "1")+") AS c")
	return "SELECT " + strings.Join(list[:rapid.IntRange(1, len(list)).Draw(g.T, "list")], ", ") + " FROM " + in.text + " AS t" + g.condition(in)
}

// tablesOf draws rows for every dataset: few units, so that they meet, with values at their bounds.
func tablesOf(t *rapid.T, c shelf) map[string][]unitRow {
	tables := map[string][]unitRow{}
	for _, id := range []string{"gb_edu.pupils", "kr_edu.enrolments", "kr_edu.students", "pub.regions"} {
		d := c[id]
		if d.Public {
			for i, code := range []string{"s0", "s1", "male"} {
				tables[id] = append(tables[id], unitRow{values: map[string]any{"code": code, "name": fmt.Sprintf("s%d", i), "people": int64(i), "coastal": nil}})
			}
			continue
		}
		for unit := range 3 {
			for rank := range rapid.Int64Range(0, min(d.MaxRowsPerUnit, 4)).Draw(t, "rows") {
				tables[id] = append(tables[id], unitRow{fmt.Sprintf("%s:%d", d.UnitSpace, unit), d.MaxRowsPerUnit - rank, rowOf(t, d)})
			}
		}
	}
	return tables
}

// rowOf draws the stored values of one row.
func rowOf(t *rapid.T, d datasets.Declaration) map[string]any {
	values := map[string]any{}
	for _, c := range d.Columns {
		if c.Role != datasets.Key && c.Role != datasets.Measure || c.Nullable && rapid.IntRange(0, 4).Draw(t, "null") == 0 {
			continue
		}
		n := rapid.IntRange(0, 2).Draw(t, c.Name)
		lower, upper, _, _, bounded := c.Grid()
		switch {
		case bounded:
			values[c.Name] = []int64{lower, upper, min(max(lower, 1), upper)}[n]
		case c.Type == datasets.Int64:
			values[c.Name] = []int64{-1 << 63, 1<<63 - 1, 3}[n]
		case c.Type == datasets.Bool:
			values[c.Name] = n > 0
		case c.Type == datasets.Date:
			values[c.Name] = []string{"2020-01-01", "2020-12-31", "2020-02-29"}[n]
			if c.Domain == nil && c.Earliest != "" {
				values[c.Name] = []string{c.Earliest, c.Latest, c.Earliest}[n]
			}
		case c.Type == datasets.Timestamp:
			values[c.Name] = []string{"2020-03-01T00:00:00Z", "2020-03-01T00:00:00.500000Z", "2020-02-29T23:00:00Z"}[n]
		default:
			values[c.Name] = []string{"s0", "S1", "x"}[n]
		}
	}
	return values
}

// Random relations: the canonical text is the same plan, and over random rows nothing is NULL that may
// not be, no value leaves its interval, and no unit has more rows or larger ranks than the plan says.
func TestRandomRelations(t *testing.T) {
	c := world(t)
	planned, tried := 0, 0
	kinds := map[RelationOp]int{}
	rapid.Check(t, func(t *rapid.T) {
		sql := (&relationGenerator{generator: generator{t, 0}}).question()
		p, err := New(sql, c, Bounds{})
		if tried++; err != nil {
			var e *Error
			if !errors.As(err, &e) || e.Message == "" || strings.Contains(e.Message, "syntax") {
				t.Fatalf("%s\n%v", sql, err)
			}
			return
		}
		planned++
		eachRelation(p.parts.From, func(r Relation) { kinds[r.Op]++ })
		checkRoundTrip(t, c, p)
		for range 3 {
			for _, row := range rowsOf(t, p.parts.From, tablesOf(t, c)) {
				if p.parts.Filter != nil && valueIn(t, *p.parts.Filter, row) != true {
					continue
				}
				for _, a := range p.parts.Arguments {
					if v := valueIn(t, a.Expr, row); v == nil && !a.Nullable {
						t.Fatalf("%s\n%s is NULL", p.Canonical(), writer{}.expr(a.Expr))
					}
				}
			}
		}
	})
	t.Logf("%d of %d random questions were planned: %v", planned, tried, kinds)
	if planned*2 < tried || len(kinds) < 5 {
		t.Errorf("only %d of %d random questions were planned: %v", planned, tried, kinds)
	}
}

func eachRelation(r Relation, f func(Relation)) {
	f(r)
	for _, in := range r.Inputs {
		eachRelation(in, f)
	}
}

// FuzzRelations: any text over several datasets is refused or planned, and what is planned is read back.
func FuzzRelations(f *testing.F) {
	for _, a := range relationsAccepted {
		f.Add(a.sql)
	}
	for _, r := range relationRefusals {
		f.Add(strings.Replace(r.sql, "¦", "", 1))
	}
	c := world(f)
	f.Fuzz(func(t *testing.T, sql string) {
		if strings.HasPrefix(sql, "FROM") {
			sql = "SELECT COUNT(*) AS n " + sql
		}
		refusedOrSound(t, c, sql)
	})
}
