package querytest

import (
	"fmt"
	"strings"

	"entrepot/sandbox/query"
)

// Question writes a random question.
func (g *Generator) Question() string {
	g.with, g.names, g.scans = nil, 0, 0
	s := g.from("", g.IntN(4))
	if g.chance(3) {
		return g.distinct(s)
	}
	var list, groups, aggregates []string
	for i := range g.keyCount() {
		key := g.key(s)
		item := key
		name := fmt.Sprintf("k%d", i)
		if i > 0 || g.chance(60) {
			item += " AS " + name
			key = g.pick(key, name, fmt.Sprint(i+1))
		}
		list, groups = append(list, item), append(groups, key)
	}
	for i := range 1 + g.IntN(3) {
		a := g.aggregate(s)
		aggregates = append(aggregates, a)
		list = append(list, fmt.Sprintf("%s AS a%d", a, i))
	}
	text := g.clauses(s, strings.Join(list, ", "))
	if len(groups) > 0 {
		text += " GROUP BY " + strings.Join(groups, ", ")
	}
	if g.chance(10) {
		text += " HAVING " + g.pick("a0 > 2", aggregates[0]+" > -1000", "COUNT(*) > 0 OR a0 < 5")
	}
	if g.chance(10) {
		text += " ORDER BY " + g.pick("a0", "a0 DESC", fmt.Sprint(len(list))) + g.pick("", " LIMIT 3")
	}
	return text
}

// keyCount is mostly small: many public keys have too many combinations.
func (g *Generator) keyCount() int { return []int{0, 0, 1, 1, 1, 1, 2, 2, 3}[g.IntN(9)] }

// clauses writes WITH, SELECT, FROM and WHERE.
func (g *Generator) clauses(s scope, list string) string {
	text := "SELECT " + list + " FROM " + s.text
	if g.chance(40) {
		text += " WHERE " + g.truth(s, 2)
	}
	if len(g.with) > 0 {
		text = "WITH " + strings.Join(g.with, ", ") + " " + text
	}
	return text
}

// distinct asks for the groups alone.
func (g *Generator) distinct(s scope) string {
	key := "UPPER(" + g.text(s, 1) + ")"
	if g.chance(50) {
		key += " AS k0, " + g.key(s) + " AS k1"
	}
	return strings.Replace(g.clauses(s, key), "SELECT "+key, "SELECT DISTINCT "+key, 1)
}

// key writes a GROUP BY expression.
func (g *Generator) key(s scope) string {
	if c := s.columns[g.IntN(len(s.columns))]; c.kind != query.Number && g.chance(50) {
		return c.ref
	}
	switch g.IntN(8) {
	case 0, 1:
		return g.whole(s)
	case 2:
		return g.text(s, 1)
	case 3:
		return "CASE WHEN " + g.truth(s, 1) + " THEN 'low' WHEN " + g.truth(s, 1) + " THEN 'high'" + g.pick(" END", " ELSE 'none' END")
	case 4:
		return g.truth(s, 1)
	case 5:
		if c, ok := g.one(s, query.Timestamp); ok {
			return "date_trunc('" + g.pick("hour", "day", "month") + "', " + c.ref + ")"
		}
	case 6:
		if c, ok := g.one(s, query.Date); ok {
			return g.pick("date_trunc('month', "+c.ref+")", "EXTRACT(MONTH FROM "+c.ref+")", "EXTRACT(DOW FROM "+c.ref+")", "EXTRACT(YEAR FROM "+c.ref+")")
		}
	}
	if c, ok := g.one(s, query.Text); ok {
		return "COALESCE(" + c.ref + ", 'none')"
	}
	return g.whole(s)
}

// aggregate writes one aggregate.
func (g *Generator) aggregate(s scope) string {
	filter := ""
	if g.chance(20) {
		filter = " FILTER (WHERE " + g.truth(s, 1) + ")"
	}
	switch g.IntN(14) {
	case 0, 1:
		return "COUNT(*)" + filter
	case 2:
		if s.id != "" {
			return "COUNT(DISTINCT " + s.id + ")" + filter
		}
	case 3:
		x, _ := g.any(s, 1)
		return "COUNT(" + x + ")" + filter
	case 4:
		x, _ := g.any(s, 1)
		return "COUNT(DISTINCT " + x + ")" + filter
	case 5, 6:
		return "SUM(" + g.summable(s, 2) + ")" + filter
	case 7, 8:
		return "AVG(" + g.summable(s, 2) + ")" + filter
	case 9, 10:
		return g.pick("VARIANCE", "VAR_SAMP", "VAR_POP", "STDDEV", "STDDEV_SAMP", "STDDEV_POP") + "(" + g.summable(s, 1) + ")" + filter
	case 11:
		return g.pick("MIN", "MAX", "MEDIAN") + "(" + g.summable(s, 1) + ")" + filter
	case 12:
		return "PERCENTILE_CONT(" + g.pick("0.5", "0.1", "0.95", "0", "1") + ") WITHIN GROUP (ORDER BY " + g.summable(s, 1) + g.pick("", " DESC") + ")" + filter
	}
	return g.pick("SUM", "AVG") + "(" + g.summable(s, 2) + ")"
}
