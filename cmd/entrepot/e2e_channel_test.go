package main

import (
	"bytes"
	"database/sql"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// TestErrorChannel asks what could fail on one person's rows of a table with that person and of one without.
// Status, headers, body, price, log and the operator's log are the same, but for noise and ids. What is
// random in the comparison is whether a private group of the failing person passes, at δ = 10⁻⁹ a question,
// and whether noisy digits spell a canary: the test rejects falsely with less than 10⁻⁵ at its full size.
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
			if empty := strings.Contains(v.body, "\"rows\":\n"); v.status != 200 || empty != (c.private && c.alone) && strings.Contains(v.body, "\n\"rows\":") {
				t.Errorf("%s: %d %s", c.name, v.status, v.body)
				break
			}
		}
	}
	accounts := o.accountsByID()
	o.leaks("export", string(o.must("GET", "/v1/audit/export", o.manager(), nil)))
	for _, path := range []string{"/v1/datasets", "/v1/releases", "/v1/accounts", "/healthz", "/readyz"} {
		o.leaks(path, o.do("GET", path, o.researcher(), nil).String())
	}
	if kinds := o.verify().Kinds; kinds["failure"] != 0 || kinds["decision"] != 0 {
		t.Errorf("questions failed or were not admitted: %v", kinds)
	}
	o.finish(all...)
	for i, c := range list {
		names := c.names(i)
		if with, less := accounts[names[0]], accounts[names[1]]; with != less || with == "" || strings.Contains(with, `"spent":{"epsilon":"0"`) {
			t.Errorf("%s: accounts\n with %s\n less %s", c.name, with, less)
		}
		for k, with := range all[i][0] {
			if list := with.differs(all[i][1][k]); list != nil {
				t.Errorf("%s, request %d: %s", c.name, k, strings.Join(list, "\n"))
			}
		}
	}
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
		}
	}
	if now := o.accountsByID(); now[names[0]] != accounts[names[0]] || now[names[1]] != accounts[names[1]] {
		t.Errorf("charged: %v, %v before", now, accounts)
	}
	o.finish(&all)
	for i, with := range all[0] {
		if list := with.differs(all[1][i]); list != nil {
			t.Errorf("%s: %s", refusedAtPlanning()[i].sql, strings.Join(list, "\n"))
		}
	}
}

// TestErrorChannelIsSeen: a question that fails on one side only is found in everything that is compared, and
// the canaries are in the data.
func TestErrorChannelIsSeen(t *testing.T) {
	c := construct{rows: []values{{"x": canaryText}}, sql: "SELECT COUNT(*) AS n FROM @t"}
	o := observe(t, []construct{c})
	names := c.names(0)
	if report := o.must("GET", "/v1/datasets/kr_edu/"+names[0]+"/versions/latest", o.owner("kr_edu"), nil); !bytes.Contains(report, []byte(canaryText)) {
		t.Errorf("the owner's report has no canary: %s", report)
	}
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
	lines, others := linesOf(o.log.String())
	sides[0].lines, sides[1].lines = lines[sides[0].request], lines[sides[1].request]
	for _, part := range []string{"status", "headers", "body", "entries", "operator's log"} {
		if !slices.ContainsFunc(sides[0].differs(sides[1]), func(d string) bool { return strings.HasPrefix(d, part) }) {
			t.Errorf("a failure is not seen in %s: %+v", part, sides)
		}
	}
	if len(others) != 1 {
		t.Errorf("the operator is told %q", others)
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

// TestShapes: a comparison that sees nothing would pass everything.
func TestShapes(t *testing.T) {
	o := &observer{server: &server{TB: t}}
	answer := `{"id":"rel_a","columns":[{"name":"g","kind":"key","type":"string"},{"name":"n","kind":"aggregate","type":"int64"}],"rows":[{"g":"a","n":7,"n_low":6.5,"n_high":7.5}],"log":{"entry":9}}`
	shape := func(body string) string { return mask(o.shape(reply{body: []byte(body)}), "c01_with") }
	if a, b := shape(answer), shape(strings.NewReplacer("rel_a", "rel_b", ":7", ":8", "6.5", "-1e9", ":9}", ":10}").Replace(answer)); a != b {
		t.Errorf("noise and ids count:\n%s%s", a, b)
	}
	for _, change := range [][2]string{
		{`"n":7`, `"n":null`}, {`"n":7`, `"n":7.5`}, {`"g":"a"`, `"g":"b"`}, {`"g":"a"`, `"g":null`}, {`"n_low":6.5,`, ``}, {`"rows":[{`, `"rows":[{"g":"b"},{`},
		{`"rows":[{"g":"a","n":7,"n_low":6.5,"n_high":7.5}]`, `"rows":[]`}, {`"type":"int64"`, `"type":"float64"`}, {`"log"`, `"note":"x","log"`}, {`6.5`, `"6.5"`},
	} {
		if changed := strings.Replace(answer, change[0], change[1], 1); shape(answer) == shape(changed) {
			t.Errorf("%s is not seen to differ", changed)
		}
	}
}
