package main

import (
	"encoding/json"
	"net/http"
	"path/filepath"
	"testing"
)

// echo answers with what was sent, after check has seen it.
func echo(t *testing.T, answer string, check func(r *http.Request, body string)) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		var raw json.RawMessage
		if err := json.NewDecoder(r.Body).Decode(&raw); err != nil {
			t.Error(err)
		}
		check(r, string(raw))
		answers(answer)(w, r)
	}
}

func sent(t *testing.T, want string) func(*http.Request, string) {
	return func(_ *http.Request, body string) {
		t.Helper()
		if body != want {
			t.Errorf("sent %s\nwant %s", body, want)
		}
	}
}

func TestOrganisation(t *testing.T) {
	const kr = `{"id":"kr_edu","title":"Korean Education Institute","jurisdiction":"KR"}`
	stub{"PUT /v1/organisations/kr_edu": echo(t, kr, sent(t, kr)), "GET /v1/organisations/kr_edu": answers(kr)}.start(t)
	run(t, "", "organisation", "put", "kr_edu", "--title", "Korean Education Institute", "--jurisdiction", "KR").
		want(t, exitOK, "kr_edu: Korean Education Institute, in KR")
	run(t, "", "organisation", "get", "kr_edu").want(t, exitOK, "in KR")
}

func TestProject(t *testing.T) {
	const project = `{"id":"maths_gap","title":"Maths gap","members":["kr_edu","lab_sg"],"purpose":"dpv:ScientificResearch",` +
		`"datasets":["kr_edu.students"],"agreements":["KSDPA 14.25, 14.28"],"not_before":"2026-01-01T00:00:00Z","not_after":"2027-01-01T08:30:00Z"}`
	stub{"PUT /v1/projects/maths_gap": echo(t, project, sent(t, project)), "GET /v1/projects/maths_gap": answers(project)}.start(t)
	run(t, "", "project", "put", "maths_gap", "--title", "Maths gap", "--member", "kr_edu,lab_sg", "--purpose", "dpv:ScientificResearch",
		"--dataset", "kr_edu.students", "--agreement", "KSDPA 14.25, 14.28", "--from", "2026-01-01", "--until", "2027-01-01T09:30:00+01:00").
		want(t, exitOK, "maths_gap", "kr_edu, lab_sg", "KSDPA 14.25, 14.28", "2027-01-01T08:30:00Z")
	run(t, "", "project", "put", "maths_gap", "-f", writeFile(t, filepath.Join(t.TempDir(), "p.json"), project)).want(t, exitOK)
	run(t, "", "project", "get", "maths_gap").want(t, exitOK, "dpv:ScientificResearch")
}

func TestPolicyPutNamesTheRevisionItReplaces(t *testing.T) {
	match, revision := "", ""
	stub{
		"GET /v1/datasets/kr_edu/students/policy": func(w http.ResponseWriter, r *http.Request) {
			if revision == "" {
				problems(http.StatusNotFound, `{"code": "not_found", "detail": "There is no such policy."}`)(w, r)
				return
			}
			w.Header().Set("ETag", revision)
			answers(`{"description": "For research", "pre_threshold": 5, "rules": [{"id": "research", "effect": "allow", "organisations": ["lab_sg"],
				"roles": ["researcher"], "actions": ["aggregate"], "max_epsilon_per_query": "0.5", "not_after": "2027-01-01T00:00:00Z"}]}`)(w, r)
		},
		"PUT /v1/datasets/kr_edu/students/policy": echo(t, `{"dataset": "kr_edu.students", "revision": 8}`,
			func(r *http.Request, _ string) { match = r.Header.Get("If-Match") }),
	}.start(t)
	file := writeFile(t, filepath.Join(t.TempDir(), "policy.json"), "{}")
	for _, c := range []struct {
		revision, flag, want string
	}{{"", "", ""}, {`"7"`, "", `"7"`}, {`"7"`, "5", `"5"`}, {`"7"`, "0", ""}} {
		revision = c.revision
		args := []string{"policy", "put", "-f", file, "kr_edu.students"}
		if c.flag != "" {
			args = append(args, "--if-match", c.flag)
		}
		run(t, "", args...).want(t, exitOK, "The policy of kr_edu.students is at revision 8.")
		if match != c.want {
			t.Errorf("%+v: If-Match %q", c, match)
		}
	}
	run(t, "", "policy", "get", "kr_edu.students").want(t, exitOK, "Revision 7; groups of fewer than 5 units are never listed.",
		"For research", "research", "0.5", "until 2027-01-01T00:00:00Z")
}

func TestPolicyExplain(t *testing.T) {
	want := ""
	stub{"POST /v1/decisions": echo(t, `{"allowed": true, "rule": "research", "reason": "rule research allows it", "pre_threshold": 1}`,
		func(r *http.Request, body string) { sent(t, want)(r, body) })}.start(t)
	want = `{"dataset":"kr_edu.students","action":"aggregate","project":"maths_gap","epsilon":"0.5","principal":{"id":"lab_sg/ada","roles":["researcher","manager"]}}`
	run(t, "", "policy", "explain", "kr_edu.students", "--project", "maths_gap", "--epsilon", "0.50", "--as", "lab_sg/ada", "--role", "researcher,manager").
		want(t, exitOK, "allowed by research: rule research allows it")
	want = `{"dataset":"kr_edu.students","action":"metadata"}`
	run(t, "", "policy", "explain", "kr_edu.students", "--action", "metadata").want(t, exitOK)
}

func TestLists(t *testing.T) {
	stub{
		"GET /v1/datasets": answers(`{"datasets": [{"id": "kr_edu.students", "version": 1, "declaration": {"unit_space": "kr_edu/student",
			"max_rows_per_unit": 1, "columns": [{"name": "gender", "type": "string", "role": "key"}], "description": "PISA"}}]}`),
		"GET /v1/releases": answers(`{"releases": [{"id": "rel_1", "query_id": "qry_1", "state": "released", "principal": "lab_sg/ada", "project": "maths_gap", "purpose": "dpv:ScientificResearch", "question": "SELECT 1",
			"time": "2026-11-21T09:30:00Z", "charged": [{"account": "kr_edu/student", "epsilon": "0.5", "renyi": ["0.4397"], "delta": "0"}], "entry": 9}], "next": -1}`),
		"GET /v1/releases/rel_1":                           answers(recorded),
		"GET /v1/datasets/kr_edu/students/versions/latest": answers(uploaded),
	}.start(t)
	run(t, "", "dataset", "list").want(t, exitOK, "kr_edu.students", "kr_edu/student", "gender", "PISA")
	run(t, "", "release", "list").want(t, exitOK, "rel_1", "lab_sg/ada", "kr_edu/student ε 0.5 (Rényi 0.4397)")
	run(t, "", "release", "get", "rel_1").want(t, exitOK, "1,002,231 ± 12")
	run(t, "", "dataset", "report", "kr_edu.students").want(t, exitOK, "5,400 of 5,444 rows kept")
}
