package datasets

import (
	"encoding/json"
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"gopkg.in/yaml.v3"
)

const goodYAML = `
unit_space: kr_edu/student
max_rows_per_unit: 3
description: |
  Students, one row a year.
columns:
  - {name: student_id, type: string, role: privacy_id, form: {case: lower, strip_leading_zeros: true}, category: "pd:Identifying"}
  - {name: gender, type: string, role: key, domain: [female, male, no], nullable: true}
  - {name: year, type: int64, role: key, domain: [2003, 2006], lower: 2000, upper: 2030}
  - {name: passed, type: bool, role: key, domain: [true, false]}
  - {name: born, type: date, role: key, domain: [1988-01-31, "1988-02-01"]}
  - {name: seen, type: timestamp, role: key, domain: ["2003-05-01T10:00:00+09:00"]}
  - {name: enrolled, type: date, role: key, earliest: 2000-01-01, latest: "2026-12-31", nullable: true}
  - {name: left, type: timestamp, role: key, earliest: "2000-01-01 00:00+09:00", latest: 2026-12-31T23:59:59.999999Z}
  - {name: math, type: float64, role: measure, lower: 0, upper: "1000", resolution: 0.01, category: https://w3id.org/dpv/pd#Education}
  - {name: books, type: int64, role: measure, lower: -1e1, upper: 500, resolution: 10}
  - {name: remark, type: float64, role: hidden}
`

const goodPublic = `{"public": true, "unique": ["year", "country"], "description": "facts", "columns": [
	{"name": "country", "type": "string", "role": "key"},
	{"name": "year", "type": "int64", "role": "key", "lower": 1990, "upper": 2030},
	{"name": "since", "type": "date", "role": "key", "earliest": "1900-01-01", "latest": "2100-01-01", "nullable": true},
	{"name": "gdp", "type": "float64", "role": "measure", "lower": 0, "upper": 100, "resolution": 0.1},
	{"name": "source", "type": "string", "role": "hidden"}]}`

func good(tb testing.TB) Declaration {
	tb.Helper()
	d, err := ParseDeclaration([]byte(goodYAML))
	if err != nil {
		tb.Fatal(err)
	}
	return d
}

func TestGoodDeclaration(t *testing.T) {
	d := good(t)
	throughText(t, d)
	want := map[string][]any{
		"gender": {"female", "male", "no"}, "year": {int64(2003), int64(2006)}, "passed": {true, false},
		"born": {"1988-01-31", "1988-02-01"}, "seen": {"2003-05-01T01:00:00Z"}, "math": nil,
	}
	for name, values := range want {
		c, ok := d.Column(name)
		if !ok || !reflect.DeepEqual(c.DomainValues(), values) {
			t.Errorf("%s: domain %#v, want %#v", name, c.DomainValues(), values)
		}
	}
	if _, ok := d.Column("absent"); ok {
		t.Error("a column that is not declared is found")
	}
}

// throughText checks that a declaration survives JSON and YAML.
func throughText(t *testing.T, d Declaration) {
	t.Helper()
	j, err := json.Marshal(d)
	if err != nil {
		t.Fatal(err)
	}
	y, err := yaml.Marshal(d)
	if err != nil {
		t.Fatal(err)
	}
	for _, b := range [][]byte{j, y} {
		again, err := ParseDeclaration(b)
		if err != nil {
			t.Fatalf("its own text is refused: %v\n%s", err, b)
		}
		if diff := cmp.Diff(d, again); diff != "" {
			t.Errorf("through text (-want +got):\n%s", diff)
		}
		if j2, _ := json.Marshal(again); string(j) != string(j2) {
			t.Errorf("JSON is not stable:\n%s\n%s", j, j2)
		}
	}
}

func TestGoodPublicDeclaration(t *testing.T) {
	d, err := ParseDeclaration([]byte(goodPublic))
	if err != nil {
		t.Fatal(err)
	}
	throughText(t, d)
	if !d.Public || !slices.Equal(d.Unique, []string{"year", "country"}) || len(d.Stored()) != 4 {
		t.Errorf("%+v", d)
	}
	b, err := json.Marshal(d)
	if err != nil || strings.Contains(string(b), "unit") || strings.Contains(string(b), "max_rows") {
		t.Errorf("a table of nobody speaks of units: %s, %v", b, err)
	}
	if b, _ := json.Marshal(good(t)); strings.Contains(string(b), "public") || strings.Contains(string(b), "unique") {
		t.Errorf("a protected table speaks of public ones: %s", b)
	}
}

func TestGrid(t *testing.T) {
	tests := map[string][5]any{
		"math":   {int64(0), int64(100_000), int64(1), int64(100), true},
		"books":  {int64(-1), int64(50), int64(10), int64(1), true},
		"year":   {int64(2000), int64(2030), int64(1), int64(1), true},
		"gender": {int64(0), int64(0), int64(0), int64(0), false},
		"remark": {int64(0), int64(0), int64(0), int64(0), false},
	}
	d := good(t)
	for name, want := range tests {
		c, _ := d.Column(name)
		low, high, num, den, ok := c.Grid()
		if got := [5]any{low, high, num, den, ok}; got != want {
			t.Errorf("%s: %v, want %v", name, got, want)
		}
	}
}

// bad declarations: an edit of a good one, or a whole text, and what the message must say.
func TestBadDeclarations(t *testing.T) {
	measure := func(rest string) string { return column(`{"name":"m","type":"float64","role":"measure",` + rest + `}`) }
	whole := func(rest string) string { return column(`{"name":"m","type":"int64","role":"measure",` + rest + `}`) }
	key := func(rest string) string { return column(`{"name":"k","role":"key",` + rest + `}`) }
	tests := []struct{ name, text, want string }{
		// Shape.
		{"empty", "", "the text is empty"},
		{"only space", " \n ", "the text is empty"},
		{"not an object", `[1, 2]`, "the text is a list; an object is wanted"},
		{"cut short", `{"unit_space": "a/b"`, "ends too early"},
		{"trailing text", declared("") + "{}", "after the closing brace"},
		{"invalid JSON", `{unit_space}`, "JSON: invalid character"},
		{"invalid YAML", "a: [", "YAML:"},
		{"unknown key", `{"unitspace": "a/b"}`, "unitspace: unknown key; the keys here are columns, description, max_rows_per_unit, public, unique, unit_space"},
		{"unknown key in a column", measure(`"lowr": 1`), "columns[1].lowr: unknown key"},
		{"unknown key in a form", column(`{"name":"x","type":"string","role":"key","form":{"trim":true}}`), "columns[1].form.trim: unknown key"},
		{"key twice", `{"unit_space": "a/b", "unit_space": "c/d"}`, "unit_space: given twice"},
		{"key twice in a column", measure(`"lower": 1, "lower": 2`), "columns[1].lower: given twice"},
		{"key twice in YAML", "unit_space: a/b\nunit_space: a/b", "unit_space"},
		{"keys differing in case", `{"columns": [], "Columns": []}`, `Columns: differs from "columns" only in case`},
		{"case deep inside", measure(`"upper": 1, "Upper": 2`), `columns[1].Upper: differs from "upper" only in case`},
		{"wrong case alone", `{"Unit_Space": "a/b"}`, "Unit_Space: unknown key"},
		{"alias", "a: &x 1\nunit_space: *x", "anchors and aliases are not supported"},
		{"alias value", "columns: [&c {name: a}, *c]", "columns[0] (line 1): anchors and aliases"},
		{"merge key", "columns:\n - <<: {name: a}", "a key is plain text"},
		{"tag", "unit_space: !!str a/b", "tags are not supported"},
		{"two documents", "unit_space: a/b\n---\nunit_space: a/b", "one document"},
		{"too deep", `{"columns":` + strings.Repeat("[", 40) + strings.Repeat("]", 40) + `}`, "nested too deeply"},
		{"too deep in YAML", "columns: " + strings.Repeat("[", 40) + strings.Repeat("]", 40), "nested too deeply"},
		{"text for a number", declared(`"max_rows_per_unit": "5"`), "max_rows_per_unit: a whole number is wanted"},
		{"fraction for a number", declared(`"max_rows_per_unit": 1.5`), "max_rows_per_unit: a whole number is wanted"},
		{"number for text", `{"unit_space": 5}`, "unit_space is a number; text is wanted"},
		{"text for a boolean", key(`"type":"string","nullable":"yes"`), "columns[1].nullable is text; write true or false"},
		{"columns not a list", `{"columns": {}}`, "columns is an object; a list of columns is wanted"},
		{"column not an object", `{"columns": ["id"]}`, "columns[0] is text; an object is wanted"},
		{"invalid UTF-8", "{\"unit_space\": \"a/\xff\"}", "not valid UTF-8"},
		{"NUL", "{\"unit_space\": \"a/\x00\"}", "NUL"},
		{"too large", strings.Repeat(" ", MaxDeclaration+1), "at most 1048576 are read"},
		// The table.
		{"no unit space", `{"max_rows_per_unit": 1, "columns": []}`, "write the people (companies, devices …) behind the table as org/space"},
		{"unit space of one part", declared(`"unit_space": "student"`), `"student" is not of the form org/name`},
		{"unit space in capitals", declared(`"unit_space": "KR/student"`), `"KR" is not a name`},
		{"rows per unit 0", declared(`"max_rows_per_unit": 0`), "max_rows_per_unit is 0; write 1 to 1000000"},
		{"rows per unit too many", declared(`"max_rows_per_unit": 1000001`), "write 1 to 1000000"},
		{"control character", declared(`"description": "a\u0007"`), "description has a control character"},
		{"long description", declared(`"description": "` + strings.Repeat("x", 5000) + `"`), "description has 5000 bytes"},
		{"no columns", declared(`"columns": []`), "no column has the role privacy_id"},
		{"two privacy IDs", column(`{"name":"id2","type":"string","role":"privacy_id"}`), "columns id, id2 all have the role privacy_id"},
		{"too many columns", declared(`"columns": [` + strings.Repeat(`{},`, 1000) + `{}]`), "at most 1000"},
		{"unique in a protected table", declared(`"unique": ["id"]`), "unique is for public tables, and this one is about a/b"},
		// Public tables.
		{"public not a boolean", `{"public": "yes"}`, "public is text; write true or false"},
		{"unique not a list", `{"unique": "k"}`, "unique is text; a list of names is wanted"},
		{"unique not of names", `{"unique": ["k", 1]}`, "unique[1] is a number; text is wanted"},
		{"unique too long to read", `{"unique": [` + numbers(1001) + `]}`, "unique: 1001 names"},
		{"public with a unit space", public(`"unit_space": "a/b", "unique": ["k"]`), "unit_space: the rows of a public table are about nobody; remove it, or remove public"},
		{"public with a limit", public(`"max_rows_per_unit": 1, "unique": ["k"]`), "max_rows_per_unit: the rows of a public table are about nobody"},
		{"public with a privacy ID", strings.Replace(public(`"unique": ["k"]`), `"role":"measure"`, `"role":"privacy_id"`, 1),
			"column m has the role privacy_id, and the rows of a public table are about nobody; make it a key or hidden"},
		{"public without unique", public(`"description": "x"`), "a public table needs unique; list the keys whose values together name one row, such as [country, year]"},
		{"unique empty", public(`"unique": []`), "a public table needs unique"},
		{"unique undeclared", public(`"unique": ["k", "x"]`), `unique[1]: no column "x" is declared`},
		{"unique in other case", public(`"unique": ["K"]`), `unique[0]: no column "K" is declared`},
		{"unique twice", public(`"unique": ["k", "k"]`), `unique[1]: "k" is listed twice`},
		{"unique measure", public(`"unique": ["m"]`), `unique[0]: column "m" is not a key`},
		{"unique hidden", public(`"unique": ["h"]`), `unique[0]: column "h" is not a key`},
		{"unique nullable", public(`"unique": ["k", "n"]`), `unique[1]: column "n" is nullable, and NULL names no row`},
		{"unique of too many", public(`"unique": ["k","k","k","k","k","k","k","k","k"]`), "unique: there are 9 columns; at most 8 can name a row"},
		{"public without columns", `{"public": true, "unique": ["k"], "columns": []}`, `no column "k" is declared`},
		// Dates and timestamps.
		{"earliest alone", key(`"type":"date","earliest":"2026-01-01"`), "only one of earliest and latest is given; give both, or neither"},
		{"latest alone", key(`"type":"timestamp","latest":"2026-01-01T00:00:00Z"`), "only one of earliest and latest"},
		{"earliest not text", key(`"type":"date","earliest":2026`), "columns[1].earliest is a number; text is wanted"},
		{"earliest no date", key(`"type":"date","earliest":"2026-02-30","latest":"2026-03-01"`), `column "k": earliest "2026-02-30" is not a date; write it as text such as "2026-01-31"`},
		{"latest of a date with a time", key(`"type":"date","earliest":"2026-01-01","latest":"2026-03-01T00:00:00Z"`), `latest "2026-03-01T00:00:00Z" is not a date`},
		{"latest of a timestamp a day", key(`"type":"timestamp","earliest":"2026-01-01T00:00:00Z","latest":"2026-03-01"`),
			`latest "2026-03-01" is not a moment; write it with its time, as text such as "2026-01-31T23:59:59Z"`},
		{"year 0", key(`"type":"date","earliest":"0000-01-01","latest":"2026-03-01"`), `earliest "0000-01-01" is not a date`},
		{"reversed dates", key(`"type":"date","earliest":"2026-03-01","latest":"2026-01-01"`), "earliest 2026-03-01 is not before latest 2026-01-01"},
		{"equal timestamps", key(`"type":"timestamp","earliest":"2026-03-01T09:00:00+09:00","latest":"2026-03-01T00:00:00Z"`), "earliest 2026-03-01T00:00:00Z is not before latest 2026-03-01T00:00:00Z"},
		{"dates with a domain", key(`"type":"date","earliest":"2026-01-01","latest":"2026-03-01","domain":["2026-02-01"]`), "earliest and latest do not go with a domain"},
		{"dates of a string", key(`"type":"string","earliest":"2026-01-01","latest":"2026-03-01"`), "earliest and latest are for date and timestamp keys; remove them"},
		{"dates of an int64", key(`"type":"int64","latest":"2026-03-01"`), "earliest and latest are for date and timestamp keys; write lower and upper"},
		{"dates of a measure", whole(`"lower":0,"upper":1,"latest":"2026-03-01"`), "earliest and latest are for date and timestamp keys; write lower and upper"},
		{"dates of a privacy ID", strings.Replace(declared(""), `"string"`, `"string","earliest":"2026-01-01"`, 1), "earliest and latest are for date and timestamp keys; remove them"},
		{"date key with numeric bounds", key(`"type":"date","lower":0,"upper":1`), "a date key has no lower and upper; write earliest and latest"},
		// Names, types, roles.
		{"no name", column(`{"type":"string","role":"key"}`), "columns[1]: a name is missing"},
		{"capital in a name", column(`{"name":"Age","type":"string","role":"key"}`), `columns[1]: "Age" is not a name; write a small letter`},
		{"reserved name", column(`{"name":"_unit","type":"string","role":"key"}`), `"_unit" is not a name`},
		{"long name", column(`{"name":"` + strings.Repeat("a", 64) + `","type":"string","role":"key"}`), "has 64 bytes; a name has at most 63"},
		{"name twice", column(`{"name":"id","type":"string","role":"key"}`), `column "id" is declared twice`},
		{"no type", column(`{"name":"x","role":"key"}`), `column "x": no type; write one of string`},
		{"unknown type", column(`{"name":"x","type":"varchar","role":"key"}`), `type "varchar" is not known`},
		{"no role", column(`{"name":"x","type":"string"}`), "no role; write one of"},
		{"unknown role", column(`{"name":"x","type":"string","role":"id"}`), `role "id" is not known`},
		{"float privacy ID", strings.Replace(declared(""), `"string"`, `"float64"`, 1), "a privacy ID of type float64 is not supported"},
		{"nullable privacy ID", strings.Replace(declared(""), `"string"`, `"string","nullable":true`, 1), "a privacy ID cannot be nullable"},
		{"privacy ID with bounds", strings.Replace(declared(""), `"string"`, `"int64","lower":1`, 1), "a privacy ID has no lower and upper"},
		{"privacy ID with domain", strings.Replace(declared(""), `"string"`, `"string","domain":["a"]`, 1), "a privacy ID has no domain"},
		{"form on an int64", strings.Replace(declared(""), `"string"`, `"int64","form":{"case":"lower"}`, 1), "the form of an int64 is its digits"},
		{"unknown case", strings.Replace(declared(""), `"string"`, `"string","form":{"case":"title"}`, 1), `form.case "title" is not known`},
		{"form on a key", key(`"type":"string","form":{}`), "form is for the privacy ID"},
		{"float key", key(`"type":"float64"`), "a float64 column cannot be a key"},
		{"string measure", column(`{"name":"m","type":"string","role":"measure","lower":0,"upper":1}`), "a string column cannot be a measure"},
		{"measure with domain", measure(`"lower":0,"upper":1,"resolution":1,"domain":[1]`), "a measure has no domain"},
		{"string key with bounds", key(`"type":"string","lower":0,"upper":1`), "a string key has no lower and upper"},
		{"date key with resolution", key(`"type":"date","resolution":1`), "a date key has no resolution"},
		{"key with resolution 5", key(`"type":"int64","lower":0,"upper":10,"resolution":5`), "the resolution of a key is 1, not 5"},
		{"key with one bound", key(`"type":"int64","lower":0`), "only one of lower and upper"},
		// Bounds.
		{"measure without bounds", measure(`"resolution":1`), "a measure needs lower and upper"},
		{"measure without upper", measure(`"lower":0,"resolution":1`), "a measure needs lower and upper"},
		{"float measure without resolution", measure(`"lower":0,"upper":1`), "needs a resolution; write the size of one step, such as 0.01"},
		{"lower off the grid", measure(`"lower":0.005,"upper":1,"resolution":0.01`), `column "m": lower 0.005 is not on the grid of resolution 0.01; write 0 or 0.01`},
		{"upper off the grid", measure(`"lower":-1,"upper":-0.25,"resolution":0.1`), "upper -0.25 is not on the grid of resolution 0.1; write -0.3 or -0.2"},
		{"int64 bound with a fraction", whole(`"lower":0,"upper":1.5`), "upper 1.5 is not on the grid of resolution 1; write 1 or 2"},
		{"bounds equal", measure(`"lower":1,"upper":1.0,"resolution":1`), "lower 1 is not below upper 1"},
		{"bounds reversed", whole(`"lower":5,"upper":-5`), "lower 5 is not below upper -5"},
		{"resolution 0", measure(`"lower":0,"upper":1,"resolution":0`), "resolution 0 is not above 0"},
		{"resolution negative", measure(`"lower":0,"upper":1,"resolution":-1`), "resolution -1 is not above 0"},
		{"int64 with resolution 0.5", whole(`"lower":0,"upper":1,"resolution":0.5`), "resolution 0.5 of an int64 column is not a whole number"},
		{"resolution too fine", measure(`"lower":0,"upper":1,"resolution":1e-20`), "is out of range; write one between 1e-15 and 9e15"},
		{"too many steps", measure(`"lower":0,"upper":1e14,"resolution":0.01`), "10000000000000000 steps of 0.01, which must stay below 2^53"},
		{"2^53 steps", whole(`"lower":0,"upper":9007199254740992`), "must stay below 2^53"},
		{"beyond int64", whole(`"lower":0,"upper":9000000000000000000000,"resolution":9000000000000000`), "beyond int64"},
		{"NaN", measure(`"lower":"NaN","upper":1,"resolution":1`), `columns[1].lower: "NaN" is not a decimal number`},
		{"infinity", measure(`"lower":0,"upper":"Infinity","resolution":1`), `"Infinity" is not a decimal number`},
		{"YAML infinity", "columns: [{upper: .inf}]", `".inf" is not a decimal number`},
		{"hexadecimal", "columns: [{upper: 0x10}]", `"0x10" is not a decimal number`},
		{"octal-looking", "columns: [{upper: 010}]", "begins with a zero"},
		{"underscores", "columns: [{upper: 1_000}]", `"1_000" is not a decimal number`},
		{"huge exponent", measure(`"lower":0,"upper":1e999999999,"resolution":1`), "out of range"},
		{"long number", measure(`"lower":0,"upper":1` + strings.Repeat("0", 80) + `,"resolution":1`), "at most 64 characters"},
		{"object as bound", measure(`"lower":{}`), "columns[1].lower is an object; a number is wanted"},
		// Domains.
		{"empty domain", key(`"type":"string","domain":[]`), "domain is empty"},
		{"domain not a list", key(`"type":"string","domain":"a"`), "a list of values is wanted"},
		{"null in a domain", key(`"type":"string","domain":["a",null]`), "domain[1]: null cannot be in a domain"},
		{"list in a domain", key(`"type":"string","domain":[["a"]]`), "columns[1].domain[0] is a list"},
		{"number in a string domain", key(`"type":"string","domain":[1]`), "domain[0]: 1 is not text; write it in quotes"},
		{"text in an int domain", key(`"type":"int64","domain":["1"]`), `"1" is not a whole number`},
		{"fraction in an int domain", key(`"type":"int64","domain":[1.5]`), "1.5 is not a whole number"},
		{"int domain beyond int64", key(`"type":"int64","domain":[9223372036854775808]`), "not a whole number that fits int64"},
		{"text in a bool domain", key(`"type":"bool","domain":["true"]`), "write true or false"},
		{"bad date", key(`"type":"date","domain":["2026-02-30"]`), `"2026-02-30" is not a date`},
		{"bad timestamp", key(`"type":"timestamp","domain":["yesterday"]`), `"yesterday" is not a timestamp`},
		{"same value twice", key(`"type":"string","domain":["a","b","a"]`), `domain[0] and domain[2] are the same value "a"`},
		{"same instant twice", key(`"type":"timestamp","domain":["2026-01-01T00:00:00Z","2026-01-01T09:00:00+09:00"]`), "are the same value"},
		{"domain outside bounds", key(`"type":"int64","lower":0,"upper":5,"domain":[6]`), "6 is outside lower 0 and upper 5"},
		{"NUL in a domain", key(`"type":"string","domain":["a\u0000"]`), "text with a NUL byte"},
		{"long text in a domain", key(`"type":"string","domain":["` + strings.Repeat("x", 1025) + `"]`), "ingest keeps at most 1024"},
		{"too many values", key(`"type":"int64","domain":[` + numbers(10_001) + `]`), "at most 10000"},
		// Categories.
		{"category without prefix", key(`"type":"string","category":"Age"`), `category "Age" is neither of the form pd:Word nor an IRI`},
		{"category in small letters", key(`"type":"string","category":"pd:age"`), "neither"},
		{"category with a space", key(`"type":"string","category":"https://a.example/x y"`), "neither"},
		{"relative category", key(`"type":"string","category":"/pd#Age"`), "neither"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			_, err := ParseDeclaration([]byte(test.text))
			if !errors.Is(err, ErrDeclaration) {
				t.Fatalf("error %v, want ErrDeclaration", err)
			}
			if !strings.Contains(err.Error(), test.want) {
				t.Errorf("message\n  %v\nlacks\n  %s", err, test.want)
			}
		})
	}
}

// declared is a good declaration in JSON with one member put before the others' place.
func declared(member string) string {
	members := map[string]string{
		"unit_space": `"a/b"`, "max_rows_per_unit": "1", "columns": `[{"name":"id","type":"string","role":"privacy_id"}]`,
	}
	var parts []string
	for _, k := range []string{"unit_space", "max_rows_per_unit", "columns"} {
		if !strings.HasPrefix(member, `"`+k+`"`) {
			parts = append(parts, fmt.Sprintf("%q: %s", k, members[k]))
		}
	}
	if member != "" {
		parts = append(parts, member)
	}
	return "{" + strings.Join(parts, ", ") + "}"
}

// public is a public table in JSON, with members before its columns.
func public(members string) string {
	return `{"public": true, ` + members + `, "columns": [{"name":"k","type":"string","role":"key"}, {"name":"n","type":"string","role":"key","nullable":true},
		{"name":"m","type":"int64","role":"measure","lower":0,"upper":1}, {"name":"h","type":"string","role":"hidden"}]}`
}

// column is a good declaration with one column more.
func column(c string) string {
	return declared(`"columns": [{"name":"id","type":"string","role":"privacy_id"}, ` + c + `]`)
}

func numbers(n int) string {
	var s []string
	for i := range n {
		s = append(s, fmt.Sprint(i))
	}
	return strings.Join(s, ",")
}

func TestEveryProblemIsListed(t *testing.T) {
	_, err := ParseDeclaration([]byte(declared(`"columns": [{"name":"id","type":"text","role":"privacy_id"},{"name":"m","type":"int64","role":"measure"}]`)))
	var e *DeclarationError
	if !errors.As(err, &e) || len(e.Problems) != 2 {
		t.Errorf("%v", err)
	}
	var p problems
	for range 100 {
		p.add("x")
	}
	if errors.As(p.err(), &e); len(e.Problems) != maxProblems+1 {
		t.Errorf("%d problems are listed", len(e.Problems))
	}
}

func TestStructsDecodeStrictly(t *testing.T) {
	var held struct{ Declaration Declaration }
	if err := json.Unmarshal([]byte(`{"declaration": `+declared("")+`}`), &held); err != nil || held.Declaration.UnitSpace != "a/b" {
		t.Errorf("%+v, %v", held, err)
	}
	if err := json.Unmarshal([]byte(`{"declaration": {"unit_space": "a/b", "unit_space": "c/d"}}`), &held); !errors.Is(err, ErrDeclaration) {
		t.Errorf("a key given twice: %v", err)
	}
	var c Column
	if err := json.Unmarshal([]byte(`{"name": "k", "domain": [9007199254740993]}`), &c); err != nil || c.Domain[0] != int64(9007199254740993) {
		t.Errorf("%+v, %v", c, err)
	}
	if err := json.Unmarshal([]byte(`{"nme": "k"}`), &c); !errors.Is(err, ErrDeclaration) {
		t.Errorf("an unknown key: %v", err)
	}
}

func TestIDs(t *testing.T) {
	for id, ok := range map[string]bool{"a.b": true, "kr_edu.students_2003": true, "a": false, "a.b.c": false, ".b": false, "a.": false, "A.b": false, "a.1": false, "a/b": false} {
		if err := ValidateID(id); (err == nil) != ok {
			t.Errorf("%q: %v", id, err)
		}
	}
}

func FuzzParseDeclaration(f *testing.F) {
	f.Add([]byte(goodYAML))
	f.Add([]byte(goodPublic))
	f.Add([]byte(declared("")))
	f.Add([]byte(column(`{"name":"m","type":"float64","role":"measure","lower":0.005,"upper":1,"resolution":0.01}`)))
	f.Add([]byte("a: &x [*x]"))
	f.Add([]byte(`{"columns": [{"domain": [1e5, null, {}]}]}`))
	f.Fuzz(func(t *testing.T, b []byte) {
		d, err := ParseDeclaration(b)
		if err != nil {
			if !errors.Is(err, ErrDeclaration) {
				t.Fatalf("error of no kind: %v", err)
			}
			return
		}
		j, err := json.Marshal(d)
		if err != nil {
			t.Fatal(err)
		}
		again, err := ParseDeclaration(j)
		if err != nil {
			t.Fatalf("its own JSON is refused: %v\n%s", err, j)
		}
		if diff := cmp.Diff(d, again); diff != "" {
			t.Fatalf("through JSON:\n%s", diff)
		}
	})
}
