package main

import (
	"database/sql"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
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

// observe starts a server with a pair of tables for each construct.
func observe(t *testing.T, list []construct) *observer {
	t.Helper()
	o := &observer{server: start(t)}
	o.partners()
	o.must("PUT", "/v1/datasets/kr_edu/places", o.owner("kr_edu"), placesDeclaration, "Content-Type", "application/yaml")
	o.must("POST", "/v1/datasets/kr_edu/places/versions", o.owner("kr_edu"), placesTable, "Content-Type", "text/csv")
	o.must("PUT", "/v1/datasets/kr_edu/places/policy", o.owner("kr_edu"), research)
	covered := []string{"kr_edu.places"}
	for i, c := range list {
		for side, name := range c.names(i) {
			o.register("kr_edu."+name, fmt.Sprintf(channelDeclaration, "kr_edu/"+name), "text/csv", c.table(side == 0), "1000", "1e-3")
			covered = append(covered, "kr_edu."+name)
		}
	}
	o.project(covered...)
	o.entries()
	return o
}

// pair sends everything that a question can be asked by to both sides, in turn the one or the other first:
// its estimate, itself (repetitions times), its Arrow form, its repeat, and the dataset's page.
func (o *observer) pair(c construct, names [2]string, repetitions int) (sides [2][]seen) {
	o.Helper()
	send := func(turn int, method string, path func(name string) string, body func(name string) any, headers ...string) {
		for k := range names {
			side := (k + turn) % 2
			name := names[side]
			sides[side] = append(sides[side], o.see(name, method, path(name), o.researcher(), body(name), headers...))
		}
	}
	queries := func(string) string { return "/v1/queries" }
	asked := func(name string) any { return c.question(name) }
	send(0, "POST", func(string) string { return "/v1/estimates" }, func(name string) any {
		q := c.question(name)
		delete(q, "fresh")
		return q
	})
	for turn := range repetitions {
		send(turn, "POST", queries, asked)
	}
	send(1, "POST", queries, asked, "Accept", "application/vnd.apache.arrow.stream")
	send(0, "POST", queries, func(name string) any { return c.question(name).with("fresh", false) })
	send(1, "GET", func(name string) string { return "/v1/datasets/kr_edu/" + name }, func(string) any { return nil })
	return sides
}

// finish closes the server, so that its log is whole, and tells each request its lines in it.
func (o *observer) finish(all ...*[2][]seen) {
	o.Helper()
	if err := o.main.Close(); err != nil {
		o.Fatal(err)
	}
	lines := map[string]string{}
	for line := range strings.Lines(o.log.String()) {
		fields := strings.Fields(strings.TrimSpace(line))
		id, found := "", false
		for i, f := range fields {
			if value, ok := strings.CutPrefix(f, "request="); ok {
				id, found, fields[i] = value, true, "request=…"
			}
		}
		if !found { // of no request: a failure after the charge
			o.Errorf("the operator's log has %s", line)
		}
		lines[id] += strings.Join(fields[1:], " ") + "\n" // without its time
	}
	for _, sides := range all {
		for _, list := range sides {
			for i := range list {
				list[i].lines = lines[list[i].request]
			}
		}
	}
}

// TestErrorChannel asks what could fail on one person's rows of a table with that person and of one without.
// Status, headers, body, price, log and the operator's log are the same, but for noise and ids.
func TestErrorChannel(t *testing.T) {
	repetitions := 1
	if soak() {
		repetitions = 100
	}
	list := constructs()
	if len(list) < 40 {
		t.Fatalf("only %d constructs", len(list))
	}
	o := observe(t, list)
	all := make([]*[2][]seen, len(list))
	for i, c := range list {
		sides := o.pair(c, c.names(i), repetitions)
		all[i] = &sides
		for _, v := range slices.Concat(sides[0], sides[1]) {
			if v.status != 200 {
				t.Errorf("%s: %d %s", c.name, v.status, v.body)
				break
			}
		}
	}
	accounts := o.accountsByID()
	o.leaks("accounts", accounts)
	o.leaks("export", string(o.must("GET", "/v1/audit/export", o.manager(), nil)))
	for _, path := range []string{"/v1/datasets", "/v1/releases", "/v1/accounts", "/healthz", "/readyz"} {
		o.leaks(path, fmt.Sprint(o.do("GET", path, o.researcher(), nil)))
	}
	if kinds := o.verify().Kinds; kinds["failure"] != 0 || kinds["decision"] != 0 {
		t.Errorf("questions failed or were not admitted: %v", kinds)
	}
	o.finish(all...)
	o.leaks("operator's log", o.log.String())
	for i, c := range list {
		names := c.names(i)
		if with, less := accounts[names[0]], accounts[names[1]]; with != less || with == "" || strings.Contains(with, `"spent":{"epsilon":"0"`) {
			t.Errorf("%s: accounts\n with %s\n less %s", c.name, with, less)
		}
		for k, with := range all[i][0] {
			if list := with.differs(all[i][1][k]); list != nil {
				t.Errorf("%s, request %d: %s", c.name, k, strings.Join(list, "\n"))
			}
			o.leaks(c.name, with.raw)
		}
	}
}

// leaks looks for canaries.
func (o *observer) leaks(place string, content any) {
	o.Helper()
	for _, canary := range channelCanaries {
		if text := fmt.Sprint(content); strings.Contains(text, canary) {
			o.Errorf("%s: a canary is in %s", place, text)
		}
	}
}

// accountsByID reads each unit space's account, masked.
func (o *observer) accountsByID() map[string]string {
	o.Helper()
	var list struct{ Accounts []json.RawMessage }
	if err := json.Unmarshal(o.must("GET", "/v1/accounts", o.manager(), nil), &list); err != nil {
		o.Fatal(err)
	}
	out := map[string]string{}
	for _, raw := range list.Accounts {
		var a struct{ ID string }
		if err := json.Unmarshal(raw, &a); err != nil {
			o.Fatal(err)
		}
		name := strings.TrimPrefix(a.ID, "kr_edu/")
		out[name] = mask(string(raw), name)
	}
	return out
}

// TestRefusedAlike: what is refused at planning is refused by its text, in the same bytes whoever is in the
// table, and leaves nothing behind.
func TestRefusedAlike(t *testing.T) {
	c := construct{rows: []values{{"note": canaryText, "stamp": canaryText, "code": "9223372036854731904", "y": "0", "day": "9999-12-31", "x": "NaN", "lone": "z"}}}
	o := observe(t, []construct{c})
	names, accounts := c.names(0), o.accountsByID()
	var all [2][]seen
	for _, r := range refusedAtPlanning() {
		c.sql = r.sql
		for side, name := range names {
			v := o.see(name, "POST", "/v1/queries", o.researcher(), c.question(name))
			if all[side] = append(all[side], v); v.status != 422 || !strings.Contains(v.body, r.says) || v.entries != "" {
				t.Errorf("%s: %+v", r.sql, v)
			}
			o.leaks(r.sql, v.raw)
		}
	}
	if now := o.accountsByID(); now[names[0]] != accounts[names[0]] || now[names[1]] != accounts[names[1]] {
		t.Errorf("charged: %v, %v before", now, accounts)
	}
	o.finish(&all)
	o.leaks("operator's log", o.log.String())
	for i, with := range all[0] {
		if list := with.differs(all[1][i]); list != nil {
			t.Errorf("%s: %s", refusedAtPlanning()[i].sql, strings.Join(list, "\n"))
		}
	}
}

// TestErrorChannelIsSeen: a question that fails on one side only is found in everything that is compared.
func TestErrorChannelIsSeen(t *testing.T) {
	c := construct{rows: []values{{}}, sql: "SELECT COUNT(*) AS n FROM @t"}
	o := observe(t, []construct{c})
	names := c.names(0)
	files, err := filepath.Glob(filepath.Join(o.main.Config.Data, tablesDir, "*"+names[0]+"*"))
	if err != nil || len(files) != 1 {
		t.Fatal(files, err)
	}
	if err := os.Remove(files[0]); err != nil {
		t.Fatal(err)
	}
	var sides [2]seen
	for side, name := range names {
		sides[side] = o.see(name, "POST", "/v1/queries", o.researcher(), c.question(name))
	}
	if accounts := o.accountsByID(); accounts[names[0]] == accounts[names[1]] {
		t.Errorf("the accounts do not tell a failure: %v", accounts)
	}
	if err := o.main.Close(); err != nil {
		t.Fatal(err)
	}
	for side := range sides { // the failure's own line names the question only, which finish takes for an error
		sides[side].lines = fmt.Sprint(strings.Count(o.log.String(), sides[side].request))
	}
	for _, part := range []string{"status", "headers", "body", "entries", "operator's log"} {
		if !slices.ContainsFunc(sides[0].differs(sides[1]), func(d string) bool { return strings.HasPrefix(d, part) }) {
			t.Errorf("a failure is not seen in %s: %+v", part, sides)
		}
	}
	if !strings.Contains(o.log.String(), "question failed after its charge") {
		t.Errorf("the operator is not told: %s", o.log)
	}
}

// TestConstructsRaise: plain DuckDB fails on the failing person's row where the table of constructs says so.
func TestConstructsRaise(t *testing.T) {
	db, err := sql.Open("duckdb", "")
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	raising := 0
	for _, c := range constructs() {
		if c.raises == "" {
			continue
		}
		raising++
		var list []string
		for _, column := range channelColumns {
			value, ok := c.rows[0][column.name]
			if !ok {
				value = column.usual
			}
			list = append(list, fmt.Sprintf("TRY_CAST('%s' AS %s) AS %s", value, column.typ, column.name))
		}
		var got any
		if err := db.QueryRow("SELECT " + c.raises + " FROM (SELECT " + strings.Join(list, ", ") + ")").Scan(&got); err == nil {
			t.Errorf("%s: %s is %v", c.name, c.raises, got)
		}
	}
	if raising < 12 {
		t.Errorf("only %d of the constructs raise in DuckDB", raising)
	}
}
