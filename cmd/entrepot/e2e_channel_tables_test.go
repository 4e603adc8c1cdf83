package main

import (
	"fmt"
	"strings"
)

// channelDeclaration is that of every table here: a column of each type, all nullable, so that what is
// wrong with a value reaches the question as a NULL instead of dropping the row.
const channelDeclaration = `
unit_space: %s
max_rows_per_unit: 4
columns:
  - {name: person, type: string, role: privacy_id}
  - {name: grp, type: string, role: key, domain: [a, b, c], nullable: true}
  - {name: lone, type: string, role: key, domain: [x, z], nullable: true}
  - {name: place, type: string, role: key, nullable: true}
  - {name: note, type: string, role: key, nullable: true}
  - {name: stamp, type: string, role: key, nullable: true}
  - {name: day, type: date, role: key, nullable: true}
  - {name: due, type: date, role: key, earliest: "2020-01-01", latest: "2020-12-31", nullable: true}
  - {name: seen, type: timestamp, role: key, nullable: true}
  - {name: code, type: int64, role: key, nullable: true}
  - {name: ok, type: bool, role: key, nullable: true}
  - {name: x, type: float64, role: measure, lower: -1000, upper: 1000, resolution: 0.5, nullable: true}
  - {name: y, type: int64, role: measure, lower: -50, upper: 50, nullable: true}
  - {name: big, type: int64, role: measure, lower: 0, upper: 1000000000000, nullable: true}
`

// placesDeclaration and placesTable are a public table beside them: everybody's place but the failing person's.
const (
	placesDeclaration = "public: true\nunique: [place]\ncolumns:\n  - {name: place, type: string, role: key}\n  - {name: region, type: string, role: key, domain: [north, south]}\n  - {name: area, type: int64, role: measure, lower: 0, upper: 9}\n"
	placesTable       = "place,region,area\np,north,3\nq,south,0\n"
)

// channelColumns are the table's columns with everybody's values, if they are not the person's own, and the
// type by which DuckDB reads them.
var channelColumns = []struct{ name, usual, typ string }{
	{"grp", "", "VARCHAR"}, {"lone", "x", "VARCHAR"}, {"place", "", "VARCHAR"}, {"note", "12", "VARCHAR"}, {"stamp", "2020-02-28", "VARCHAR"}, {"day", "2020-02-28", "DATE"}, {"due", "2020-06-15", "DATE"},
	{"seen", "2020-02-28T12:34:56Z", "TIMESTAMP"}, {"code", "5", "BIGINT"}, {"ok", "true", "BOOLEAN"}, {"x", "", "DOUBLE"}, {"y", "", "BIGINT"}, {"big", "1000", "BIGINT"},
}

// channelCanaries are in the failing person's rows only. Nobody but the owner may see one of them anywhere.
var channelCanaries = []string{canaryText, "731904556218377", "9223372036854731904", "9223372036854775808"}

// table is a construct's table with the failing person's rows, or without.
func (c construct) table(with bool) []byte {
	var b strings.Builder
	b.WriteString("person")
	for _, column := range channelColumns {
		b.WriteString("," + column.name)
	}
	row := func(person string, i int, own values) {
		usual := map[string]string{"grp": string('a' + rune(i%3)), "place": string('p' + rune(i%2)), "x": fmt.Sprintf("%d.5", i-10), "y": fmt.Sprint(8 + i%13)}
		if id, ok := own["person"]; ok {
			person = id
		}
		b.WriteString("\n" + person)
		for _, column := range channelColumns {
			value, ok := own[column.name]
			if !ok {
				value = column.usual + usual[column.name]
			}
			b.WriteString(`,"` + strings.ReplaceAll(value, `"`, `""`) + `"`)
		}
	}
	for i := range 60 {
		if !c.alone {
			row(fmt.Sprintf("p%d", i), i, nil)
		}
	}
	if with {
		for _, own := range c.rows {
			row(canaryText, 1, own)
		}
	}
	return []byte(b.String() + "\n")
}

// names are the datasets of a construct: with the failing person and without, of one length.
func (c construct) names(i int) [2]string {
	return [2]string{fmt.Sprintf("c%02d_with", i), fmt.Sprintf("c%02d_less", i)}
}

// question asks a construct of one of its tables.
func (c construct) question(name string) question {
	q := ask(strings.ReplaceAll(c.sql, "@t", "kr_edu."+name), "1", "0").with("fresh", true)
	if c.private { // so much that everybody's groups pass, and a δ at which the failing person's do not
		q = ask(strings.ReplaceAll(c.sql, "@t", "kr_edu."+name), "8", "1e-9").with("fresh", true).with("bounds", map[string]int{"max_partitions": 1})
	}
	if c.rho {
		q["loss"] = map[string]string{"rho": "0.1", "mechanism": "gaussian", "gaussian_delta": "1e-7"}
	}
	return q
}
