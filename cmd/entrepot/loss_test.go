package main

import (
	"encoding/json"
	"net/http"
	"testing"
)

// estimated is an estimate with what is not a number: an infinite loss, an unknown error.
const estimated = `{"question": "SELECT COUNT(*) AS n, MAX(math) AS best FROM a.b", "decision": {"allowed": true, "rule": "one, two", "reason": "a.b: rule one allows everyone; c.d: rule two allows everyone", "pre_threshold": 1},
	"charged": [{"account": "a/x", "epsilon": "inf", "renyi": ["0.25"], "delta": "1e-18", "admitted": true}, {"account": "c/y", "epsilon": "inf", "renyi": [], "delta": "0", "admitted": false}],
	"aggregates": [{"name": "n", "mechanism": "gaussian", "scale": 2, "half_width": 5.9915},
	               {"name": "best", "mechanism": "gaussian", "scale": 2, "half_width": null, "note": "estimates the 99.5 % quantile"}],
	"partitions": "public", "group_size": 1000, "confidence": 0.95}`

func TestLossFlags(t *testing.T) {
	var asked map[string]json.RawMessage
	stub{"POST /v1/estimates": func(w http.ResponseWriter, r *http.Request) {
		asked = nil
		if err := json.NewDecoder(r.Body).Decode(&asked); err != nil {
			t.Error(err)
		}
		answers(estimated)(w, r)
	}}.start(t)
	for _, test := range []struct {
		flags []string
		loss  string
	}{
		{nil, ``},
		{[]string{"--epsilon", "0.5"}, `{"epsilon":"0.5","delta":"0"}`},
		{[]string{"--rho", "0.005"}, `{"rho":"0.005","delta":"0"}`},
		{[]string{"--rho", "5e-3", "--mechanism", "gaussian", "--gaussian-delta", "1e-9", "--delta", "1e-8"},
			`{"rho":"0.005","delta":"1e-8","mechanism":"gaussian","gaussian_delta":"1e-9"}`},
		{[]string{"--epsilon", "0.5", "--weight", "n=2,best=3"}, `{"epsilon":"0.5","delta":"0","weights":{"best":3,"n":2}}`},
	} {
		run(t, "", append([]string{"estimate", "-p", "p", "SELECT 1"}, test.flags...)...).want(t, exitOK,
			"costs a/x ε inf (Rényi 0.25) δ 1e-18; the account bears it", "costs c/y ε inf; the account does not bear it",
			"best       depends on the rows  gaussian       2", "best: estimates the 99.5 % quantile")
		if string(asked["loss"]) != test.loss {
			t.Errorf("%q sends %s, want %s", test.flags, asked["loss"], test.loss)
		}
	}
	asked = nil
	for _, bad := range [][]string{
		{"--epsilon", "1", "--rho", "1"}, {"--epsilon", "0"}, {"--rho", "0"}, {"--rho", "inf"}, {"--rho", "-1"},
		{"--gaussian-delta", "2"}, {"--epsilon", "1", "--weight", "n=0"}, {"--weight", "n=2"}, {"--delta", "1e-9"}, {"--weight", "n=x"}, {"--weight", "n"},
	} {
		run(t, "", append([]string{"estimate", "-p", "p", "SELECT 1"}, bad...)...).want(t, exitUsage)
	}
	if asked != nil {
		t.Error("a wrong command line was sent")
	}
}

func TestNotesOfAnAnswer(t *testing.T) {
	stub{"POST /v1/queries": answers(`{"id": "rel_a", "repeat": false, "confidence": 0.95, "columns": [
		{"name": "n", "kind": "aggregate", "type": "int64", "mechanism": "gaussian", "scale": 2},
		{"name": "best", "kind": "aggregate", "type": "float64", "mechanism": "gaussian", "scale": 2, "note": "estimates the 99.5 % quantile\u001b"}],
		"rows": [{"n": 5, "n_low": 1, "n_high": 9, "best": 900, "best_low": 880, "best_high": 1000}],
		"charged": [{"account": "a/x", "epsilon": "inf", "renyi": ["0.25"], "delta": "0"}],
		"datasets": [{"id": "a.b", "version": 1}, {"id": "c.d", "version": 2}], "log": {"entry": 4}}`)}.start(t)
	run(t, "", "query", "-p", "p", "SELECT 1").want(t, exitOK, "best: estimates the 99.5 % quantile", "!\x1b", "!n: ",
		"Charged a/x ε inf (Rényi 0.25).", "of a.b version 1, c.d version 2.")
}

func TestPublicTablesAreShown(t *testing.T) {
	const facts = `{"id": "a.days", "version": 2, "declaration": {"public": true, "unique": ["day", "shift"], "columns": [
		{"name": "day", "type": "date", "role": "key", "earliest": "2020-01-01", "latest": "2020-12-31"},
		{"name": "shift", "type": "string", "role": "key"}]}}`
	stub{"GET /v1/datasets/a/days": answers(facts), "GET /v1/datasets": answers(`{"datasets": [` + facts + `]}`)}.start(t)
	run(t, "", "dataset", "get", "a.days").want(t, exitOK, "a.days, version 2; public facts, one row for each day, shift", "2020-01-01 … 2020-12-31", "!protects")
	run(t, "", "dataset", "list").want(t, exitOK, "(public)")
}
