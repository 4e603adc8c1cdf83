package main

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"
)

// observer sends requests about one side of a pair and sees what they leave behind.
type observer struct {
	*server
	next int64 // the log's first entry that is not yet read
}

// see sends a request, and looks for canaries in what comes back and what the log gets.
func (o *observer) see(side, method, path, token string, body any, headers ...string) seen {
	o.Helper()
	r := o.do(method, path, token, body, headers...)
	v := seen{status: r.status, headers: headersOf(r), request: r.header.Get("X-Request-Id"), body: o.shape(r)}
	entries := o.entries()
	v.body, v.entries = mask(v.body, side), mask(entries, side)
	o.leaks(method+" "+path+" of "+side, fmt.Sprint(r.header, string(r.body), entries))
	return v
}

// entries reads what the log got since it was last read: each entry's kind, actor, body, and whether its
// time is that of the one before.
func (o *observer) entries() string {
	o.Helper()
	var b strings.Builder
	var last time.Time
	for more := true; more; {
		var page struct {
			Next    int64
			Entries []struct {
				Index       int64
				Time        time.Time
				Kind, Actor string
				Body        json.RawMessage
			}
		}
		if err := json.Unmarshal(o.must("GET", fmt.Sprintf("/v1/audit/entries?from=%d&limit=1000", o.next), o.manager(), nil), &page); err != nil {
			o.Fatal(err)
		}
		for _, e := range page.Entries {
			fmt.Fprintf(&b, "%s %s %v %s\n", e.Kind, e.Actor, e.Time.Equal(last), e.Body)
			o.next, last = e.Index+1, e.Time
		}
		more = page.Next >= 0
	}
	return b.String()
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

// finish closes the server, so that its log is whole, and gives each request its lines in it. Every line has
// to be of a request: a failure after the charge writes one that is not.
func (o *observer) finish(all ...*[2][]seen) {
	o.Helper()
	if err := o.main.Close(); err != nil {
		o.Fatal(err)
	}
	lines, others := linesOf(o.log.String())
	if others != nil {
		o.Errorf("the operator's log has %q", others)
	}
	o.leaks("operator's log", o.log.String())
	for _, sides := range all {
		for _, list := range sides {
			for i := range list {
				list[i].lines = lines[list[i].request]
			}
		}
	}
}

// linesOf sorts the operator's log by request, without times and ids.
func linesOf(log string) (byRequest map[string]string, others []string) {
	byRequest = map[string]string{}
	for line := range strings.Lines(log) {
		fields, id := strings.Fields(line), ""
		for i, f := range fields {
			if value, ok := strings.CutPrefix(f, "request="); ok {
				id, fields[i] = value, "request=…"
			}
		}
		if text := strings.Join(fields[1:], " "); id == "" {
			others = append(others, text)
		} else {
			byRequest[id] += text + "\n"
		}
	}
	return byRequest, others
}

// leaks looks for canaries.
func (o *observer) leaks(place, content string) {
	o.Helper()
	for _, canary := range channelCanaries {
		if strings.Contains(content, canary) {
			o.Errorf("%s: the canary %s is in %s", place, canary, content)
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
