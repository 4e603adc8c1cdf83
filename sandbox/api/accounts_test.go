package api

import (
	"strings"
	"testing"
)

const (
	accountPath    = "/v1/accounts/kr_edu/student"
	allocationPath = accountPath + "/allocations/lab"
	lifetimeDoc    = `"kind": "renyi", "epsilon": "3", "delta": "1e-6"`
	allocationDoc  = `{"scope": {"organisation": "lab_sg"}, "caps": {"epsilon": "0.5"}, "reason": "their first year"}`
)

// refusal is a request that changes nothing, and what its answer says.
type refusal struct {
	who, method, target, body string
	headers                   []string
	status                    int
	says                      string
}

func (h *house) refuses(list []refusal) {
	h.t.Helper()
	for _, r := range list {
		a := h.as(r.who, r.method, r.target, r.body, r.headers...)
		if a.Status != r.status || !strings.Contains(a.Body, r.says) {
			h.t.Errorf("%s %s %s with %q: %d %s", r.method, r.target, r.body, r.headers, a.Status, a.Body)
		}
	}
}

// TestAccountsMoveByRevision: a change names the revision it replaces and gives a reason; a retry gets what is.
func TestAccountsMoveByRevision(t *testing.T) {
	h := newHouse(t).furnish()
	if a := h.must(200, h.as("owner", "GET", accountPath, "")); a.Header.Get("ETag") != `"1"` || !strings.Contains(a.Body, `"revision":1`) {
		t.Errorf("%s %s", a.Header.Get("ETag"), a.Body)
	}
	first := []string{"If-Match", `"1"`}
	h.refuses([]refusal{
		{"owner", "PUT", accountPath, `{` + lifetimeDoc + `, "failure_allowance": 5, "reason": "why"}`, nil, 412, "open already"},
		{"owner", "PUT", accountPath, `{` + lifetimeDoc + `, "failure_allowance": 5, "reason": "why"}`, []string{"If-Match", `"2"`}, 412, "not at the revision"},
		{"owner", "PUT", accountPath, `{` + lifetimeDoc + `, "failure_allowance": 5, "reason": "why"}`, []string{"If-Match", "1"}, 400, "If-Match"},
		{"owner", "PUT", accountPath, `{` + lifetimeDoc + `, "failure_allowance": 5}`, first, 400, "reason"},
		{"owner", "PUT", accountPath, `{"kind": "renyi", "epsilon": "2", "delta": "1e-6", "reason": "why"}`, first, 409, "schedule"},
		{"owner", "PUT", accountPath, `{"kind": "renyi", "epsilon": "4", "delta": "1e-6", "reason": "why"}`, first, 409, "new_promise"},
		{"owner", "PUT", accountPath, `{"kind": "pure", "epsilon": "3", "delta": "0", "reason": "why"}`, first, 409, "fixed"},
		{"owner", "PUT", accountPath, `{` + lifetimeDoc + `, "orders": [{"order": "12", "delta": "1e-7"}], "reason": "why"}`, first, 409, "orders"},
		{"owner", "PUT", accountPath, `{` + lifetimeDoc + `, "orders": [{"order": "twelve", "delta": "1e-7"}]}`, first, 400, "orders[0].order"},
		{"owner", "PUT", accountPath, `{` + lifetimeDoc + `, "orders": [{"order": "12", "delta": "x"}]}`, first, 400, "orders[0].delta"},
		{"owner", "PUT", accountPath, `{` + lifetimeDoc + `, "question": {"epsilom": 1}}`, first, 400, "question.epsilom"},
		{"owner", "PUT", accountPath, `{` + lifetimeDoc + `, "question": {"epsilon": "-1"}}`, first, 400, "question.epsilon"},
		{"owner", "PUT", accountPath, `{` + lifetimeDoc + `, "question": {"epsilon": 0, "delta": 0}}`, first, 400, "above 0"},
		{"owner", "PUT", accountPath, `{` + lifetimeDoc + `, "question": {"delta": "x"}}`, first, 400, "question.delta"},
		{"owner", "PUT", accountPath, `{` + lifetimeDoc + `, "question": {"renyi": ["1", "x"]}}`, first, 400, "question.renyi[1]"},
		{"owner", "PUT", accountPath, `{` + lifetimeDoc + `, "question": {"renyi": [1, 1, 1]}}`, first, 400, "Rényi clock 3"},
		{"owner", "PUT", accountPath, `{` + lifetimeDoc + `, "default_epsilon": "x"}`, first, 400, "default_epsilon"},
		{"owner", "PUT", accountPath, `{` + lifetimeDoc + `, "schedule": [{"from": "tomorrow", "share": "1"}]}`, first, 400, "schedule[0].from"},
		{"owner", "PUT", accountPath, `{` + lifetimeDoc + `, "schedule": [{"from": "2027-01-01T00:00:00Z", "share": "1.5"}]}`, first, 400, "schedule[0].share"},
		{"owner", "PUT", accountPath, `{` + lifetimeDoc + `, "schedule": [` + strings.Repeat(`{"from": "2027-01-01T00:00:00Z", "share": "1"},`, 24) +
			`{"from": "2027-01-01T00:00:00Z", "share": "1"}]}`, first, 400, "25 steps"},
		{"owner", "PUT", accountPath, `{` + lifetimeDoc + `, "new_promise": "yes"}`, first, 400, "new_promise"},
		{"stranger", "GET", accountPath, "", nil, 404, "not yours to see"},
		{"owner", "GET", "/v1/accounts/kr_edu/none", "", nil, 404, "not yours to see"},
		{"owner", "PUT", "/v1/accounts/kr_edu/none", `{` + lifetimeDoc + `, "reason": "why"}`, first, 404, "not yours to see"},
	})
	change := `{` + lifetimeDoc + `, "failure_allowance": 5, "question": {"epsilon": 1, "renyi": ["inf", 0.5]}, "reason": "why"}`
	for range 2 {
		a := h.must(200, h.as("owner", "PUT", accountPath, change, first...))
		if a.Header.Get("ETag") != `"2"` || !strings.Contains(a.Body, `"question":{"epsilon":"1","renyi":["inf","0.5"],"delta":"inf"}`) {
			t.Errorf("%s %s", a.Header.Get("ETag"), a.Body)
		}
	}
	a := h.must(200, h.as("owner", "PUT", accountPath, `{"kind": "renyi", "epsilon": "4", "delta": "1e-6", "new_promise": true, "reason": "they agreed"}`, "If-Match", `"2"`))
	if !strings.Contains(a.Body, `"promises":2`) || !strings.Contains(a.Body, `"failure_allowance":3`) {
		t.Errorf("%s", a.Body)
	}
}

// TestAllocations are made, changed and taken away by revision, and name themselves to whom they refuse.
func TestAllocations(t *testing.T) {
	h := newHouse(t).furnish()
	h.must(200, h.as("owner", "PUT", allocationPath, allocationDoc))
	h.refuses([]refusal{
		{"owner", "PUT", allocationPath, strings.Replace(allocationDoc, "0.5", "0.7", 1), nil, 412, "not at the revision"},
		{"owner", "PUT", allocationPath, strings.Replace(allocationDoc, "0.5", "0.7", 1), []string{"If-Match", `"9"`}, 412, "not at the revision"},
		{"owner", "PUT", allocationPath, `{"scope": {}, "caps": {"epsilon": 1}, "reason": "why"}`, nil, 400, "nobody's"},
		{"owner", "PUT", allocationPath, `{"scope": {"organisation": "lab_sg"}, "caps": {}, "reason": "why"}`, nil, 400, "caps nothing"},
		{"owner", "PUT", allocationPath, `{"scope": {"organisation": "lab_sg"}, "caps": {"epsilon": 1}}`, nil, 400, "reason"},
		{"owner", "PUT", allocationPath, `{"scope": {"project": "none"}, "caps": {"epsilon": 1}, "reason": "why"}`, nil, 400, "no project none"},
		{"owner", "PUT", allocationPath, `{"scope": {"team": "none"}, "caps": {"epsilon": 1}, "reason": "why"}`, nil, 400, "scope.team"},
		{"owner", "PUT", accountPath + "/allocations/Lab", allocationDoc, nil, 400, "allocation"},
		{"owner", "PUT", "/v1/accounts/kr_edu/none/allocations/lab", allocationDoc, nil, 404, "account"},
		{"owner", "GET", accountPath + "/allocations/none", "", nil, 404, "allocation"},
		{"stranger", "GET", allocationPath, "", nil, 404, "allocation"},
		{"owner", "DELETE", allocationPath, "", nil, 412, "not at the revision"},
		{"owner", "DELETE", allocationPath, "", []string{"If-Match", `"1"`}, 400, "reason"},
		{"owner", "DELETE", allocationPath + "?reason=", "", []string{"If-Match", `"1"`}, 400, "reason"},
		{"owner", "DELETE", allocationPath + "?why=x", "", []string{"If-Match", `"1"`}, 400, "no such query parameter"},
		{"owner", "DELETE", allocationPath + "?reason=x", "{}", []string{"If-Match", `"1"`}, 400, "no body"},
		{"owner", "DELETE", accountPath + "/allocations/none?reason=x", "", []string{"If-Match", `"1"`}, 404, "allocation"},
	})
	h.must(200, h.as("researcher", "POST", "/v1/queries", question))
	fresh := strings.Replace(question, "{", `{"fresh": true, `, 1)
	if a := h.must(409, h.as("researcher", "POST", "/v1/queries", fresh)); a.code() != "budget_exhausted" || !strings.Contains(a.Body, "allocation lab of kr_edu/student") {
		t.Errorf("%s", a.Body)
	}
	if a := h.must(200, h.as("researcher", "GET", allocationPath, "")); a.Header.Get("ETag") != `"1"` || !strings.Contains(a.Body, `"state":"exhausted"`) {
		t.Errorf("%s %s", a.Header.Get("ETag"), a.Body)
	}
	h.must(204, h.as("owner", "DELETE", allocationPath+"?reason=it+ended", "", "If-Match", `"1"`))
	h.must(200, h.as("researcher", "POST", "/v1/queries", fresh))
}

// TestQuestionsByDefault: what a question costs that names no loss, its account says, or it has to.
func TestQuestionsByDefault(t *testing.T) {
	h := newHouse(t).furnish()
	const plain = `{"project": "gap", "sql": "SELECT COUNT(*) AS n FROM kr_edu.students"}`
	h.refuses([]refusal{{"researcher", "POST", "/v1/queries", plain, nil, 400, "set no default"}, {"researcher", "POST", "/v1/estimates", plain, nil, 400, "set no default"}})
	h.must(200, h.as("owner", "PUT", accountPath, `{`+lifetimeDoc+`, "default_epsilon": 0.1, "reason": "why"}`, "If-Match", `"1"`))
	if a := h.must(200, h.as("researcher", "POST", "/v1/queries", plain)); !strings.Contains(a.Body, `"charged":[{"account":"kr_edu/student","epsilon":"0.1"`) {
		t.Errorf("%s", a.Body)
	}
}

// TestHistoryIsFilteredByWhatThereIs: a misspelt filter is refused, and not taken for everything.
func TestHistoryIsFilteredByWhatThereIs(t *testing.T) {
	h := newHouse(t).furnish()
	h.must(200, h.as("researcher", "POST", "/v1/queries", question))
	for _, query := range []string{"state=answered", "state=", "account=student", "account=kr_edu/", "principal=ada", "project=Gap", "before=0", "before=-1", "limit=0", "limit=201", "who=lab_sg/ada"} {
		if a := h.as("owner", "GET", "/v1/releases?"+query, ""); a.Status != 400 {
			t.Errorf("%s: %d %s", query, a.Status, a.Body)
		}
	}
	a := h.must(200, h.as("owner", "GET", "/v1/releases?account=kr_edu/student&principal=lab_sg/ada&project=gap&state=released&limit=1", ""))
	if !strings.Contains(a.Body, `"question":"SELECT gender, COUNT(*) AS n, AVG(math) AS maths FROM kr_edu.students GROUP BY gender"`) {
		t.Errorf("%s", a.Body)
	}
}
