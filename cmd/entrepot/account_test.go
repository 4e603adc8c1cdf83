package main

import (
	"encoding/json"
	"net/http"
	"strings"
	"testing"
)

// shown is an account as the server shows it: changed once, spent on one clock to the end, shared out too far.
const shown = `{"id": "kr_edu/student", "revision": 7, "kind": "renyi", "epsilon": "3", "delta": "1e-6", "promises": 3,
	"orders": [{"order": "9.422", "delta": "4.5e-7"}, {"order": "22.055", "delta": "5e-8"}], "failure_allowance": 4, "default_epsilon": "0.1",
	"question": {"epsilon": "1", "renyi": ["inf", "0.5"], "delta": "inf"},
	"schedule": [{"from": "2026-01-01T00:00:00Z", "share": "0.5"}, {"from": "2028-01-01T00:00:00Z", "share": "1"}], "next_step": {"from": "2028-01-01T00:00:00Z", "share": "1"},
	"caps": {"epsilon": "3", "renyi": ["1.64331250911", "2.394883651522"], "delta": "5e-7"}, "limits": {"epsilon": "1.5", "renyi": ["0.821656254555", "1.197441825761"], "delta": "2.5e-7"},
	"spent": {"epsilon": "1.6", "renyi": ["0.123456", "0.5"], "delta": "0"}, "room": {"epsilon": "0", "renyi": ["0.698200254555", "0.697441825761"], "delta": "2.5e-7"},
	"holding": ["renyi_1", "renyi_2", "delta"], "state": "open", "failures": 1,
	"forecast": {"days": 30, "spent": {"epsilon": "0.5", "renyi": ["0.1", "0.2"], "delta": "1e-9"}, "until": "2027-06-18T10:00:00Z", "delta_until": "2030-01-01T00:00:00Z"},
	"allocations": [{"account": "kr_edu/student", "name": "lab", "revision": 2, "scope": {"project": "maths_gap", "organisation": "sg_lab"}, "orders": ["9.422", "22.055"],
		"caps": {"epsilon": "2", "renyi": ["inf", "0.25"], "delta": "inf"}, "spent": {"epsilon": "0.5", "renyi": ["0.1", "0.2"], "delta": "0"},
		"left": {"epsilon": "1.5", "renyi": ["inf", "0.05"], "delta": "inf"}, "state": "open"}],
	"allocated": {"epsilon": "2", "renyi": [], "delta": "0"}, "over_allocated": {"epsilon": "0.6", "renyi": [], "delta": "0"}}`

func TestAccountOpen(t *testing.T) {
	want := ""
	stub{"PUT /v1/accounts/kr_edu/student": echo(t, shown, func(r *http.Request, body string) {
		sent(t, want)(r, body)
		if r.Header.Get("If-Match") != "" {
			t.Error("an opening names a revision")
		}
	})}.start(t)
	for _, test := range []struct {
		flags string
		want  string
	}{
		{"--epsilon 3.0 --delta 0.000001", `{"kind":"renyi","epsilon":"3","delta":"1e-6"}`},
		{"--epsilon 0.25", `{"kind":"pure","epsilon":"0.25","delta":"0"}`},
		{"--epsilon 1 --kind renyi --reason why", `{"kind":"renyi","epsilon":"1","delta":"0","reason":"why"}`},
		{"--epsilon 1 --delta 1e-6 --order 12.5=4e-7,30=1e-7",
			`{"kind":"renyi","epsilon":"1","delta":"1e-6","orders":[{"order":"12.5","delta":"4e-7"},{"order":"30","delta":"1e-7"}]}`},
		{"--epsilon 1 --max-epsilon 0.1 --max-delta 0 --default-epsilon 0.05 --failure-allowance 1 --schedule 2027-01-01=0.5,2028-01-01T12:00:00Z=1",
			`{"kind":"pure","epsilon":"1","delta":"0","failure_allowance":1,"question":{"epsilon":"0.1","delta":"0"},"default_epsilon":"0.05",` +
				`"schedule":[{"from":"2027-01-01T00:00:00Z","share":"0.5"},{"from":"2028-01-01T12:00:00Z","share":"1"}]}`},
	} {
		want = test.want
		run(t, "", append([]string{"account", "open", "kr_edu/student"}, strings.Fields(test.flags)...)...).want(t, exitOK, "kr_edu/student: open, revision 7")
	}
	for _, bad := range []string{"--epsilon x", "--epsilon 1 --delta 2", "--epsilon 1 --order 12", "--epsilon 1 --order x=1e-7", "--epsilon 1 --order 12=x",
		"--epsilon 1 --schedule 2027", "--epsilon 1 --schedule 2027-13-01=1", "--epsilon 1 --schedule 2027-01-01=2", "--epsilon 1 --max-epsilon x",
		"--epsilon 1 --max-renyi x", "--epsilon 1 --max-delta x", "--epsilon 1 --default-epsilon x"} {
		run(t, "", append([]string{"account", "open", "kr_edu/student"}, strings.Fields(bad)...)...).want(t, exitUsage)
	}
}

// TestAccountSet: what is not given stays, and the change names the revision that was read, or the one given.
func TestAccountSet(t *testing.T) {
	const (
		head     = `{"kind":"renyi","epsilon":"3","delta":"1e-6","failure_allowance":4,`
		question = `"question":{"epsilon":"1","renyi":["inf","0.5"]},`
		schedule = `"schedule":[{"from":"2026-01-01T00:00:00Z","share":"0.5"},{"from":"2028-01-01T00:00:00Z","share":"1"}],`
		reason   = `"reason":"why"}`
	)
	want, match := "", ""
	stub{
		"GET /v1/accounts/kr_edu/student": func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("ETag", `"7"`)
			answers(shown)(w, r)
		},
		"PUT /v1/accounts/kr_edu/student": echo(t, shown, func(r *http.Request, body string) {
			sent(t, want)(r, body)
			match = r.Header.Get("If-Match")
		}),
		"GET /v1/accounts/kr_edu/none": problems(http.StatusNotFound, `{"code": "not_found", "detail": "There is no such account."}`),
	}.start(t)
	set := func(flags string) {
		t.Helper()
		run(t, "", append([]string{"account", "set", "kr_edu/student", "--reason", "why"}, strings.Fields(flags)...)...).want(t, exitOK, "kr_edu/student")
	}
	want = head + question + `"default_epsilon":"0.1",` + schedule + reason
	set("")
	if match != `"7"` {
		t.Errorf("If-Match %s", match)
	}
	want = head + question + schedule + reason
	set("--default-epsilon 0 --if-match 5")
	if match != `"5"` {
		t.Errorf("If-Match %s", match)
	}
	want = head + `"default_epsilon":"0.1",` + reason
	set("--schedule none --max-epsilon inf --max-renyi inf,inf")
	want = `{"kind":"renyi","epsilon":"5","delta":"1e-6","failure_allowance":9,` + question + `"default_epsilon":"0.1",` + schedule + `"new_promise":true,` + reason
	set("--epsilon 5 --new-promise --failure-allowance 9")
	run(t, "", "account", "set", "kr_edu/none", "--reason", "why", "--failure-allowance", "9").want(t, exitRefused)
	run(t, "", "account", "set", "kr_edu/student", "--failure-allowance", "9").want(t, exitUsage)
}

func TestAccountShow(t *testing.T) {
	stub{"GET /v1/accounts/kr_edu/student": answers(shown), "GET /v1/accounts": answers(`{"accounts": [` + shown + `]}`)}.start(t)
	got := run(t, "", "account", "show", "kr_edu/student")
	got.want(t, exitOK)
	want := strings.TrimPrefix(`
kr_edu/student: open, revision 7

Promised     ε 3, δ 1e-6 (renyi); the lifetime was raised 2 times
Released     a share of 0.5; 1 from 2028-01-01T00:00:00Z
One question costs at most ε 1, Rényi 22.055: 0.5; without a loss, ε 0.1
Failures     1 of 4 that freeze it
Forecast     at the last 30 days' rate until 2027-06-18T10:00:00Z, private groups until 2030-01-01T00:00:00Z

clock         used         spent  of limit  of lifetime
Σε            ██████████     1.6       1.5            3  used up
Rényi 9.422   █░░░░░░░░░  0.1235    0.8216       1.6433  holds
Rényi 22.055  ████░░░░░░     0.5    1.1974       2.3948  holds
Σδ            ░░░░░░░░░░       0    2.5e-7         5e-7  holds

allocation  whose questions                         spent                     of at most               state  revision
lab         project maths_gap, organisation sg_lab  ε 0.5, Rényi 22.055: 0.2  ε 2, Rényi 22.055: 0.25  open          2
They may still spend ε 0.6 more than the lifetime leaves; the account holds all the same.
`, "\n")
	if got.out != want {
		t.Errorf("got:\n%s\nwant:\n%s", got.out, want)
	}
	run(t, "", "account", "list").want(t, exitOK, "1.6 / 1.5", "0.1235 / 0.8216", "0 / 2.5e-7", "1 / 4", "open", "2027-06-18")
	run(t, "", "account", "show", "kr_edu/student", "--json").want(t, exitOK, `"over_allocated"`)
}

func TestAccountAllocate(t *testing.T) {
	var account struct {
		Allocations []json.RawMessage `json:"allocations"`
	}
	if err := json.Unmarshal([]byte(shown), &account); err != nil {
		t.Fatal(err)
	}
	lab := string(account.Allocations[0])
	want, match, gone := "", "", ""
	put := echo(t, lab, func(r *http.Request, body string) {
		sent(t, want)(r, body)
		match = r.Header.Get("If-Match")
	})
	stub{
		"GET /v1/accounts/kr_edu/student/allocations/lab": func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("ETag", `"2"`)
			answers(lab)(w, r)
		},
		"GET /v1/accounts/kr_edu/student/allocations/new": problems(http.StatusNotFound, `{"code": "not_found", "detail": "There is no such allocation."}`),
		"PUT /v1/accounts/kr_edu/student/allocations/lab": put,
		"PUT /v1/accounts/kr_edu/student/allocations/new": put,
		"DELETE /v1/accounts/kr_edu/student/allocations/lab": func(w http.ResponseWriter, r *http.Request) {
			gone = r.Header.Get("If-Match") + " " + r.URL.Query().Get("reason")
			w.WriteHeader(http.StatusNoContent)
		},
	}.start(t)
	for _, test := range []struct{ name, flags, want, match string }{
		{"new", "--organisation sg_lab --epsilon 1 --delta 1e-8",
			`{"scope":{"organisation":"sg_lab"},"caps":{"epsilon":"1","delta":"1e-8"},"reason":"their year"}`, ""},
		{"lab", "--epsilon 5", `{"scope":{"project":"maths_gap","organisation":"sg_lab"},"caps":{"epsilon":"5","renyi":["inf","0.25"]},"reason":"their year"}`, `"2"`},
		{"lab", "--epsilon inf --renyi 0 --researcher sg_lab/mina", `{"scope":{"researcher":"sg_lab/mina"},"caps":{"renyi":["0"]},"reason":"their year"}`, `"2"`},
		{"lab", "--epsilon 0 --if-match 1", `{"scope":{"project":"maths_gap","organisation":"sg_lab"},"caps":{"epsilon":"0","renyi":["inf","0.25"]},"reason":"their year"}`, `"1"`},
		{"lab", "--project p --epsilon 1 --if-match 0", `{"scope":{"project":"p"},"caps":{"epsilon":"1","renyi":["inf","0.25"]},"reason":"their year"}`, ""},
	} {
		want = test.want
		args := append([]string{"account", "allocate", "kr_edu/student", test.name, "--reason", "their year"}, strings.Fields(test.flags)...)
		run(t, "", args...).want(t, exitOK, "kr_edu/student allocates lab: project maths_gap, organisation sg_lab; spent ε 0.5, Rényi 22.055: 0.2 of ε 2, Rényi 22.055: 0.25")
		if match != test.match {
			t.Errorf("%s: If-Match %s, want %s", test.flags, match, test.match)
		}
	}
	run(t, "", "account", "deallocate", "kr_edu/student", "lab", "--reason", "it ended").want(t, exitOK, "lab is gone")
	if gone != `"2" it ended` {
		t.Errorf("it was taken away with %s", gone)
	}
	run(t, "", "account", "deallocate", "kr_edu/student", "lab").want(t, exitUsage)
	run(t, "", "account", "allocate", "kr_edu/student", "lab", "--reason", "why", "--renyi", "x").want(t, exitUsage)
}
