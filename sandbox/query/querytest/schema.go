package querytest

import (
	"fmt"
	"math/rand/v2"
	"strings"

	"entrepot/datasets"
)

// WorldColumn is a key of every table with privacy units, which no random question names: see Worlds.
const WorldColumn = "world"

// template is a column of random tables: how it may be declared, and values that stress it. A word is
// declared nullable in two declarations of three.
type template struct {
	name    string
	declare []string // one of them is chosen
	values  []any
	always  bool // in every table: joins need it
}

// templates are the columns of random tables: every type, role and kind of domain.
func templates() []template {
	return []template{
		{name: "region", always: true, declare: []string{`type: string, role: key, domain: [north, "so'uth", "동쪽", ""]`, `type: string, role: key`},
			values: []any{"north", "north", "so'uth", "동쪽", "", "NORTH", "elsewhere"}},
		{name: "code", always: true, declare: []string{`type: int64, role: key`, `type: int64, role: key, lower: "-3", upper: "9"`, `type: int64, role: key, domain: [0, 1, 2, 7]`},
			values: []any{int64(0), int64(1), int64(1), int64(2), int64(-1), int64(7)}},
		{name: "tag", declare: []string{`type: string, role: key`},
			values: []any{"a", "b", "B", "", " ", "  a  ", "\u00a0a", "\ta", "é", "e\u0301", "한글", "\U0001F468", "a%b", "a_b", `a\b`, "''", `"`, "\n", "ß", "\U0010ffff",
				"12", "-7.50", "007", "1e3", "2024-02-29", "2023-02-29", "0001-01-01", strings.Repeat("x", 1024)}},
		{name: "serial", declare: []string{`type: int64, role: key`},
			values: []any{int64(0), int64(3), int64(1<<53 + 1), int64(1 << 53), int64(-1 << 63), int64(1<<63 - 1), int64(-100)}},
		{name: "age", declare: []string{`type: int64, role: key, lower: "0", upper: "6"`},
			values: []any{int64(0), int64(1), int64(2), int64(3), int64(5), int64(6)}},
		{name: "flag", declare: []string{`type: bool, role: key`, `type: bool, role: key, domain: [true]`}, values: []any{true, false}},
		{name: "born", declare: []string{`type: date, role: key, domain: ["2001-02-03", "0001-01-01", "9999-12-31"]`, `type: date, role: key, earliest: "0001-01-01", latest: "9999-12-31"`},
			values: []any{"2001-02-03", "0001-01-01", "9999-12-31", "2001-02-04"}},
		{name: "day", declare: []string{`type: date, role: key, earliest: "2019-12-30", latest: "2020-03-02"`, `type: date, role: key`},
			values: []any{"2019-12-30", "2019-12-31", "2020-01-01", "2020-01-05", "2020-01-31", "2020-02-29", "2020-03-01", "2020-03-02"}},
		{name: "at", declare: []string{`type: timestamp, role: key`, `type: timestamp, role: key, earliest: "2020-02-28T22:00:00Z", latest: "2020-03-01T06:00:00Z"`},
			values: []any{"2020-02-28T22:00:00Z", "2020-02-28T23:59:59.999999Z", "2020-02-29T00:00:00Z", "2020-02-29T12:34:56.000001Z", "2020-02-29T12:34:56Z", "2020-03-01T06:00:00Z"}},
		{name: "moment", declare: []string{`type: timestamp, role: key`},
			values: []any{"0001-01-01T00:00:00Z", "9999-12-31T23:59:59.999999Z", "1970-01-01T00:00:00Z", "1969-12-31T23:59:59.999999Z", "1900-03-01T01:02:03Z"}},
		{name: "score", declare: []string{`type: float64, role: measure, lower: "-50", upper: "150", resolution: "0.1"`},
			values: []any{int64(-500), int64(1500), int64(0), int64(1), int64(-1), int64(3), int64(777)}},
		{name: "amount", declare: []string{`type: int64, role: measure, lower: "-1000000", upper: "1000000"`, `type: int64, role: measure, lower: "-3000", upper: "9000", resolution: "3"`},
			values: []any{int64(-1000), int64(1000), int64(3000), int64(0), int64(1), int64(-1), int64(123)}},
		{name: "ratio", declare: []string{`type: float64, role: measure, lower: "0", upper: "1", resolution: "0.000001"`},
			values: []any{int64(0), int64(1000000), int64(1), int64(333333), int64(500000)}},
		{name: "third", declare: []string{`type: float64, role: measure, lower: "-3", upper: "3", resolution: "0.75"`},
			values: []any{int64(-4), int64(4), int64(0), int64(1), int64(3)}},
		{name: "huge", declare: []string{`type: int64, role: measure, lower: "-9007199254740991", upper: "9007199254740991"`},
			values: []any{int64(-9007199254740991), int64(9007199254740991), int64(0), int64(1), int64(4503599627370497)}},
	}
}

// Schema makes random tables without rows: three of one unit space, one of another, and two public
// ones. Everything in them is declared at random.
func Schema(r *rand.Rand) (Tables, error) {
	tables := Tables{}
	for _, t := range []struct {
		name, space, id string
		rows            []int // max_rows_per_unit is one of them
	}{
		{"visits", "org/person", "id", []int{1, 2, 3, 5, 9}},
		{"tests", "org/person", "student", []int{1, 2, 4}},
		{"people", "org/person", "id", []int{1}},
		{"shops", "org/firm", "id", []int{1, 3}},
	} {
		text := fmt.Sprintf("unit_space: %s\nmax_rows_per_unit: %d\ncolumns:\n  - {name: %s, type: string, role: privacy_id}\n  - {name: %s, type: int64, role: key}\n",
			t.space, t.rows[r.IntN(len(t.rows))], t.id, WorldColumn)
		for _, c := range templates() {
			if c.always || r.IntN(3) > 0 {
				text += fmt.Sprintf("  - {name: %s, %s, nullable: %t}\n", c.name, c.declare[r.IntN(len(c.declare))], r.IntN(3) > 0)
			}
		}
		if err := tables.declare(t.name, text); err != nil {
			return nil, err
		}
	}
	return tables, tables.declarePublic(r)
}

// declarePublic adds the public tables. Their join keys can be whatever the private ones hold.
func (t Tables) declarePublic(r *rand.Rand) error {
	nullable := r.IntN(2) == 0
	err := t.declare("regions", fmt.Sprintf(`public: true
unique: [region]
columns:
  - {name: region, type: string, role: key}
  - {name: zone, type: string, role: key, domain: [inner, outer], nullable: %t}
  - {name: weight, type: float64, role: measure, lower: "0", upper: "10", resolution: "0.5", nullable: %t}
`, nullable, !nullable))
	if err != nil {
		return err
	}
	return t.declare("prices", `public: true
unique: [code, region]
columns:
  - {name: code, type: int64, role: key}
  - {name: region, type: string, role: key}
  - {name: price, type: int64, role: measure, lower: "-5", upper: "500", nullable: true}
  - {name: open, type: bool, role: key}
`)
}

// declare adds a table without rows.
func (t Tables) declare(name, text string) error {
	d, err := datasets.ParseDeclaration([]byte(text))
	if err != nil {
		return fmt.Errorf("declare %s: %w\n%s", name, err, text)
	}
	t[org+"."+name] = Table{ID: org + "." + name, Declaration: d}
	return nil
}
