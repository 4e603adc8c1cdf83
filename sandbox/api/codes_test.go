package api

import (
	"encoding/json"
	"errors"
	"strings"
	"testing"

	"github.com/getkin/kin-openapi/routers/gorillamux"

	"entrepot/sandbox"
)

// happening is a request that ends in a code.
type happening struct {
	code                      sandbox.Code
	who, method, target, body string
	headers                   []string
	prepare                   func(h *house)
}

// happenings has one for every code there is.
func happenings() []happening {
	const query = "/v1/queries"
	fresh := strings.Replace(question, "{", `{"fresh": true, `, 1)
	csv := []string{"Content-Type", "text/csv"}
	return []happening{
		{sandbox.CodeInvalid, "researcher", "POST", query, with(`"loss": {"epsilom": 1}`), nil, nil},
		{sandbox.CodeInvalidSQL, "researcher", "POST", query, with(`"sql": "SELECT math FROM kr_edu.students"`), nil, nil},
		{sandbox.CodeUnauthenticated, "", "GET", "/v1/whoami", "", nil, nil},
		{sandbox.CodeForbidden, "owner", "PUT", "/v1/organisations/kr_edu", organisationDoc, nil, nil},
		{sandbox.CodeDenied, "researcher", "POST", query, with(`"loss": {"epsilon": 2}`), nil, nil},
		{sandbox.CodeNotFound, "stranger", "GET", "/v1/datasets/kr_edu/students", "", nil, nil},
		{sandbox.CodeConflict, "owner", "PUT", "/v1/datasets/kr_edu/students", strings.Replace(datasetDoc, `"1000"`, `"900"`, 1), nil, nil},
		{sandbox.CodePrecondition, "owner", "PUT", "/v1/datasets/kr_edu/students/policy", policyDoc, nil, nil},
		{sandbox.CodeExhausted, "researcher", "POST", query, fresh, nil, func(h *house) {
			for range 100 {
				if h.as("researcher", "POST", query, fresh).Status != 200 {
					return
				}
			}
		}},
		{sandbox.CodeFrozen, "researcher", "POST", query, question, nil, func(h *house) {
			h.engine.fail = errors.New("it failed")
			for range 3 {
				h.must(500, h.as("researcher", "POST", query, question))
			}
		}},
		{sandbox.CodeTooLarge, "researcher", "POST", query, question + strings.Repeat(" ", 64<<10), nil, nil},
		{sandbox.CodeUnsupportedType, "researcher", "POST", query, question, csv, nil},
		{sandbox.CodeRejected, "owner", "POST", "/v1/datasets/kr_edu/students/versions?strict=true",
			"student_id,gender,math\ns1,female,512.5\ns2,male,498.25\ns3,female,1200\n", csv, nil},
		{sandbox.CodeRateLimited, "manager", "GET", "/v1/whoami", "", nil, func(h *house) {
			for range 100 {
				if h.as("manager", "GET", "/v1/whoami", "").Status == 429 {
					return
				}
			}
		}},
		{sandbox.CodeQueryFailed, "researcher", "POST", query, question, nil, func(h *house) { h.engine.fail = errors.New("it failed") }},
		{sandbox.CodeUnavailable, "researcher", "POST", query, question, nil, func(h *house) { h.store.down = errors.New("disk full") }},
		{sandbox.CodeInternal, "researcher", "POST", query, question, nil, func(h *house) { h.engine.check = errors.New("no such column") }},
	}
}

// TestEveryCodeHappens makes each error for real and holds it to the specification: the answer is the
// code's example, word for word but for the question's id and where in the SQL it was.
func TestEveryCodeHappens(t *testing.T) {
	doc := loadSpec(t)
	router, err := gorillamux.NewRouter(doc)
	if err != nil {
		t.Fatal(err)
	}
	seen := map[sandbox.Code]bool{}
	for _, e := range happenings() {
		seen[e.code] = true
		t.Run(string(e.code), func(t *testing.T) {
			h := newHouse(t, func(o *Options) {
				o.Rate = Rate{}
				o.Now = (&clock{}).read // it stands still
			}).furnish()
			if e.prepare != nil {
				e.prepare(h)
			}
			h.ids = []string{"qry_8z3k5t6n1b2d"}
			a := h.as(e.who, e.method, e.target, e.body, e.headers...)
			number, _ := status(e.code)
			if a.Status != number {
				t.Fatalf("%d %s", a.Status, a.Body)
			}
			media := mediaJSON
			if e.body == "" {
				media = ""
			}
			conforms(t, router, e.method, e.target, body{media: media, text: e.body}, a)
			var example map[string]any
			b, err := json.Marshal(doc.Components.Examples[string(e.code)].Value.Value)
			if err != nil {
				t.Fatal(err)
			}
			if err := json.Unmarshal(b, &example); err != nil {
				t.Fatal(err)
			}
			compare(t, "", decoded(t, a.Body), example, false)
		})
	}
	for _, code := range sandbox.Codes() {
		if !seen[code] {
			t.Errorf("%s does not happen", code)
		}
	}
}
