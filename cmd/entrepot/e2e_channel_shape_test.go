package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/apache/arrow/go/v17/arrow/ipc"

	"entrepot/sandbox"
)

// seen is all that anybody can observe of one request but its duration, with ids, salts, digests, the
// side's name and noisy numbers masked. Two requests that differ in rows only must give equal ones.
type seen struct {
	status  int
	headers string
	body    string
	entries string // what the log got meanwhile
	lines   string // what the operator's log has of it, filled in when the server is closed

	request string // its id, to find the lines
}

// differs names what two requests have not in common.
func (a seen) differs(b seen) []string {
	var list []string
	for _, part := range []struct{ name, with, less string }{
		{"status", strconv.Itoa(a.status), strconv.Itoa(b.status)}, {"headers", a.headers, b.headers}, {"body", a.body, b.body},
		{"entries", a.entries, b.entries}, {"operator's log", a.lines, b.lines},
	} {
		with, less := strings.Split(part.with, "\n"), strings.Split(part.less, "\n")
		for i := range max(len(with), len(less)) {
			if w, l := line(with, i), line(less, i); w != l {
				list = append(list, fmt.Sprintf("%s, line %d\n with %s\n less %s", part.name, i+1, w, l))
			}
		}
	}
	return list
}

func line(list []string, i int) string {
	if i < len(list) {
		return list[i]
	}
	return "(nothing)"
}

// headersOf lists names and values, but for those that are another each time.
func headersOf(r reply) string {
	var list []string
	for name, values := range r.header {
		if name == "Date" || name == "X-Request-Id" || name == "Content-Length" && r.status == 200 {
			values = []string{"…"}
		}
		list = append(list, fmt.Sprint(name, values))
	}
	slices.Sort(list)
	return strings.Join(list, " ")
}

// ids are what differs between any two questions, whatever the rows; a forecast begins at the second it is asked for.
var ids = regexp.MustCompile(`\b(qry|rel)_[a-z0-9]+|"digest":"[0-9a-f]{64}"|"entry\\*":[0-9]+|"(created|registered|updated|time|until)":"[^"]*"`)

func mask(text, side string) string {
	return ids.ReplaceAllStringFunc(strings.ReplaceAll(text, side, "SIDE"), func(id string) string {
		return id[:min(len(id), 4)] + "…"
	})
}

// shape is a body without noisy numbers: of an answer's rows the keys and the kind of each number.
func (o *observer) shape(r reply) string {
	o.Helper()
	if strings.Contains(r.header.Get("Content-Type"), "arrow") {
		return arrowShape(o, r.body)
	}
	var answer struct{ Columns []sandbox.Column }
	d := json.NewDecoder(bytes.NewReader(r.body))
	if first, err := d.Token(); err != nil || first != json.Delim('{') || json.Unmarshal(r.body, &answer) != nil {
		return string(r.body)
	}
	var b strings.Builder
	for d.More() {
		name, err := d.Token()
		if err != nil {
			o.Fatal(err)
		}
		var value json.RawMessage
		if err := d.Decode(&value); err != nil {
			o.Fatal(err)
		}
		if name == "rows" {
			value = json.RawMessage(rowsShape(o, value, answer.Columns))
		}
		fmt.Fprintf(&b, "%q:%s\n", name, value)
	}
	return b.String()
}

func rowsShape(t testing.TB, raw json.RawMessage, columns []sandbox.Column) string {
	t.Helper()
	var rows []sandbox.Row
	if err := json.Unmarshal(raw, &rows); err != nil {
		t.Fatal(err)
	}
	types := map[string]string{}
	for _, c := range columns {
		types[c.Name] = c.Kind + " " + c.Type
	}
	var b strings.Builder
	for _, row := range rows {
		for _, f := range row {
			n, number := f.Value.(json.Number)
			switch {
			case strings.HasPrefix(types[f.Name], "key") || !number: // a null, too, must be on both sides
				fmt.Fprintf(&b, " %s=%v", f.Name, f.Value)
			case types[f.Name] == "aggregate int64" && strings.ContainsAny(n.String(), ".eE"):
				fmt.Fprintf(&b, " %s=fraction", f.Name)
			default:
				fmt.Fprintf(&b, " %s=number", f.Name)
			}
		}
		b.WriteString(";")
	}
	return b.String()
}

// arrowShape is an Arrow stream's schema with its metadata, and each column's values and NULLs by number.
func arrowShape(t testing.TB, body []byte) string {
	t.Helper()
	in, err := ipc.NewReader(bytes.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	defer in.Release()
	var b strings.Builder
	b.WriteString(in.Schema().String())
	for in.Next() {
		for _, c := range in.Record().Columns() {
			fmt.Fprintf(&b, "\n%d values, %d NULL", c.Len(), c.NullN())
		}
	}
	if in.Err() != nil {
		t.Fatal(in.Err())
	}
	return b.String()
}
