package main

import (
	"encoding/json"
	"net/http"
	"testing"
)

// found is an estimate of an accuracy, for the groups of a release.
const found = `{"question": "SELECT COUNT(*) AS n, AVG(x) AS m FROM a.b", "decision": {"allowed": true, "rule": "one", "reason": "all may", "pre_threshold": 1},
	"loss": {"rho": "0.002", "delta": "1e-8", "mechanism": "gaussian", "gaussian_delta": "1e-9", "weights": {"n": 1, "m": 7}}, "admitted": false,
	"charged": [{"account": "a/x", "epsilon": "0.5", "renyi": ["0.25", "0.5"], "delta": "1e-8", "admitted": true, "clocks": ["renyi_1", "renyi_2"],
		"allocations": [{"name": "lab", "admitted": false, "room": {"epsilon": "0.1", "renyi": [], "delta": "0"}, "why": "It does not cover this question (ε 0.5 of at most 0.1)."}]}],
	"mechanisms": [{"mechanism": "gaussian", "why": "it takes 1 % of renyi_1"}, {"mechanism": "selection", "why": "the groups are not public"}],
	"aggregates": [{"name": "n", "mechanism": "gaussian", "scale": 2, "half_width": 4, "expected": false, "target": 5},
	               {"name": "m", "mechanism": "gaussian", "scale": 2, "half_width": 9, "expected": true}],
	"partitions": "selected", "group_size": 900, "release": "rel_a", "confidence": 0.95, "groups": [
	{"group": "smallest", "rows": 900, "half_width": {"n": 4, "m": 9}}, {"group": "median", "rows": 1000, "half_width": {"n": 4, "m": 8}},
	{"group": "largest", "rows": 9000, "half_width": {"n": 4, "m": 1}}]}`

func TestAccuracyFlags(t *testing.T) {
	var asked map[string]json.RawMessage
	stub{"POST /v1/estimates": func(w http.ResponseWriter, r *http.Request) {
		asked = nil
		if err := json.NewDecoder(r.Body).Decode(&asked); err != nil {
			t.Error(err)
		}
		answers(found)(w, r)
	}}.start(t)
	for _, test := range []struct {
		flags                    []string
		accuracy, group, release string
	}{
		{[]string{"--accuracy", "n=5", "--accuracy", "m=2"}, `{"half_width":{"m":"2","n":"5"},"delta":"0"}`, "", ""},
		{[]string{"--relative", "n=0.05", "--group-size", "1000"}, `{"relative":{"n":"0.05"},"delta":"0"}`, "1000", ""},
		{[]string{"--accuracy", "n=5,m=2", "--release", "rel_a", "--delta", "1e-8", "--mechanism", "gaussian", "--gaussian-delta", "1e-9"},
			`{"half_width":{"m":"2","n":"5"},"delta":"1e-8","mechanism":"gaussian","gaussian_delta":"1e-9"}`, "", `"rel_a"`},
	} {
		for _, command := range [][]string{{"estimate"}, {"query", "--estimate"}} {
			run(t, "", append(append(command, "-p", "p", "SELECT 1"), test.flags...)...).want(t, exitOK,
				"the account bears it (renyi_1, renyi_2)", "allocation lab does not: It does not cover this question (ε 0.5 of at most 0.1).",
				"gaussian: it takes 1 % of renyi_1", "smallest group", "± 9.0", "in the groups of rel_a: smallest 900 rows, median 1,000 rows, largest 9,000 rows",
				"The least loss for it: --rho 0.002 --mechanism gaussian --delta 1e-8 --gaussian-delta 1e-9 --weight m=7,n=1")
			if string(asked["accuracy"]) != test.accuracy || string(asked["group_size"]) != test.group || string(asked["release"]) != test.release || asked["loss"] != nil {
				t.Errorf("%q sends %s", test.flags, asked)
			}
		}
	}
	asked = nil
	for _, bad := range [][]string{
		{"--accuracy", "n=5", "--epsilon", "1"}, {"--accuracy", "n=5", "--rho", "1"}, {"--accuracy", "n=5", "--weight", "n=1"},
		{"--relative", "n=5", "--rho", "1"}, {"--accuracy", "n=0"}, {"--accuracy", "n=x"}, {"--accuracy", "n"}, {"--relative", "n=-1"},
		{"--group-size", "-1"}, {"--group-size", "1", "--release", "rel_a"},
	} {
		run(t, "", append([]string{"estimate", "-p", "p", "SELECT 1"}, bad...)...).want(t, exitUsage)
	}
	run(t, "", "query", "-p", "p", "--group-size", "5", "SELECT 1").want(t, exitUsage)
	if asked != nil {
		t.Error("a wrong command line was sent")
	}
}
