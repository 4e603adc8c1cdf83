package api

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"

	"github.com/getkin/kin-openapi/openapi3"
	"github.com/getkin/kin-openapi/openapi3filter"
	"github.com/getkin/kin-openapi/routers"
	"github.com/getkin/kin-openapi/routers/gorillamux"
	"gopkg.in/yaml.v3"
)

// step is one operation of the specification, carried out with its own example.
type step struct {
	operation string
	who       string
	// loose says that the answer holds noise or the log's own bytes: its shape is compared, not its
	// values.
	loose bool
}

// story is an order in which all examples work.
func story() []step {
	return []step{
		{"getHealth", "", false},
		{"getSpecification", "", true},
		{"whoAmI", "researcher", false},
		{"putOrganisation", "operator", false},
		{"getOrganisation", "researcher", false},
		{"putProject", "manager", false},
		{"getProject", "researcher", false},
		{"putDataset", "owner", false},
		{"postVersion", "owner", false},
		{"getLatestVersion", "owner", false},
		{"getDataset", "owner", false},
		{"putPolicy", "owner", false},
		{"getPolicy", "owner", false},
		{"listDatasets", "researcher", false},
		{"postDecision", "researcher", false},
		{"putAccount", "owner", false},
		{"getAccount", "owner", false},
		{"listAccounts", "owner", false},
		{"putAllocation", "owner", false},
		{"getAllocation", "researcher", false},
		{"postEstimate", "researcher", false},
		{"postQuery", "researcher", true},
		{"listReleases", "researcher", false},
		{"getRelease", "researcher", true},
		{"deleteAllocation", "owner", false},
		{"putMerge", "owner", false},
		{"listMerges", "owner", false},
		{"listEntries", "regulator", true},
		{"getCheckpoint", "owner", true},
		{"getExport", "regulator", true},
	}
}

// TestExamplesWork carries out every example of the specification on one server, in order, and holds
// each answer to its schema and to the example given for it.
func TestExamplesWork(t *testing.T) {
	doc := loadSpec(t)
	router, err := gorillamux.NewRouter(doc)
	if err != nil {
		t.Fatal(err)
	}
	h := newHouse(t)
	h.ids = []string{"qry_8z3k5t6n1b2d", "rel_4jq0x7m2c9v1"}
	h.must(200, h.as("operator", "PUT", "/v1/organisations/lab_sg", organisationDoc)) // the project's other member
	byID := map[string]operation{}
	for _, o := range operations(doc) {
		byID[o.OperationID] = o
	}
	for _, s := range story() {
		o, ok := byID[s.operation]
		if !ok {
			t.Errorf("%s is not specified", s.operation)
			continue
		}
		delete(byID, s.operation)
		t.Run(s.operation, func(t *testing.T) {
			for i, body := range examples(t, o) {
				s.loose = s.loose || i > 0 && body.name == "" // a second form of the same document comes to a later state
				s.carryOut(t, h, router, o, body)
			}
		})
	}
	for id := range byID {
		t.Errorf("the example of %s is not carried out", id)
	}
}

// body is an example of a request in one form; name is "" where it is the only one.
type body struct{ media, text, name string }

func examples(t *testing.T, o operation) []body {
	t.Helper()
	if o.RequestBody == nil {
		return []body{{}}
	}
	var list []body
	for _, media := range []string{mediaJSON, mediaYAML, "*/*"} {
		m := o.RequestBody.Value.Content[media]
		if m == nil {
			continue
		}
		named := map[string]any{}
		for name, e := range m.Examples {
			named[name] = e.Value.Value
		}
		if m.Example != nil {
			named[""] = m.Example
		}
		for _, name := range slices.Sorted(maps.Keys(named)) {
			list = append(list, encoded(t, media, name, named[name]))
		}
	}
	return list
}

func encoded(t *testing.T, media, name string, example any) body {
	t.Helper()
	var text []byte
	var err error
	switch media {
	case mediaJSON:
		text, err = json.Marshal(example)
	case mediaYAML:
		text, err = yaml.Marshal(example)
	default:
		media, text = "text/csv", []byte(example.(string))
	}
	if err != nil {
		t.Fatal(err)
	}
	return body{media, string(text), name}
}

// carryOut makes the request and compares.
func (s step) carryOut(t *testing.T, h *house, router routers.Router, o operation, b body) {
	t.Helper()
	headers := []string{}
	if b.media != "" {
		headers = append(headers, "Content-Type", b.media)
	}
	for _, p := range o.parameters {
		if example, ok := p.Value.Example.(string); ok && p.Value.In == openapi3.ParameterInHeader {
			headers = append(headers, p.Value.Name, example)
		}
	}
	if o.OperationID == "putPolicy" && b.media == mediaYAML || o.OperationID == "putAccount" && b.name == "later" {
		headers = append(headers, "If-Match", `"1"`)
	}
	target := o.target(t)
	separator := "?"
	for _, p := range o.parameters {
		if p.Value.In == openapi3.ParameterInQuery {
			target += separator + p.Value.Name + "=" + fmt.Sprint(p.Value.Example)
			separator = "&"
		}
	}
	number, success := o.success(t)
	a := h.must(number, h.as(s.who, o.method, target, b.text, headers...))
	conforms(t, router, o.method, target, b, a)
	for media, m := range success.Content {
		if media == mediaArrow {
			continue
		}
		if got, _, _ := strings.Cut(a.Header.Get("Content-Type"), ";"); got != media {
			t.Fatalf("Content-Type %s, want %s", got, media)
		}
		want := m.Example
		if b.name != "" {
			want = m.Examples[b.name].Value.Value
		}
		switch example := want.(type) {
		case string:
			if first, _, _ := strings.Cut(example, "\n"); !strings.HasPrefix(a.Body, first+"\n") {
				t.Errorf("the answer begins %.40q, its example %q", a.Body, first)
			}
		default:
			if media == mediaJSON {
				compare(t, "", decoded(t, a.Body), example, s.loose)
			}
		}
	}
}

// conforms holds request and answer to the specification.
func conforms(t *testing.T, router routers.Router, method, target string, b body, a answer) {
	t.Helper()
	r := httptest.NewRequest(method, target, strings.NewReader(b.text))
	if b.media != "" {
		r.Header.Set("Content-Type", b.media)
	}
	route, path, err := router.FindRoute(r)
	if err != nil {
		t.Fatalf("%s %s: %s", method, target, err)
	}
	in := &openapi3filter.RequestValidationInput{Request: r, PathParams: path, Route: route,
		Options: &openapi3filter.Options{AuthenticationFunc: openapi3filter.NoopAuthenticationFunc,
			ExcludeRequestBody: b.media == "text/csv", IncludeResponseStatus: true, ExcludeReadOnlyValidations: true}}
	if err := openapi3filter.ValidateRequest(r.Context(), in); err != nil && a.Status < 400 {
		t.Errorf("the request does not conform: %s", err)
	}
	err = openapi3filter.ValidateResponse(r.Context(), &openapi3filter.ResponseValidationInput{
		RequestValidationInput: in, Status: a.Status, Header: a.Header,
		Body: io.NopCloser(bytes.NewReader([]byte(a.Body))), Options: in.Options})
	if err != nil {
		t.Errorf("the answer does not conform: %s\n%s", err, a.Body)
	}
}

func decoded(t *testing.T, text string) any {
	t.Helper()
	var v any
	if err := json.Unmarshal([]byte(text), &v); err != nil {
		t.Fatalf("%s: %s", err, text)
	}
	return v
}

// compare holds an answer to its example: the same members and types; the same values too, unless
// loose. Of lists in loose comparisons the first element is compared.
func compare(t *testing.T, path string, got, want any, loose bool) {
	t.Helper()
	switch want := want.(type) {
	case map[string]any:
		object, ok := got.(map[string]any)
		if !ok {
			t.Errorf("%s is %T, in the example an object", path, got)
			return
		}
		for name := range object {
			if _, ok := want[name]; !ok {
				t.Errorf("the example lacks %s.%s", path, name)
			}
		}
		for name, v := range want {
			if _, ok := object[name]; !ok {
				t.Errorf("the answer lacks %s.%s", path, name)
				continue
			}
			compare(t, path+"."+name, object[name], v, loose)
		}
	case []any:
		list, ok := got.([]any)
		if !ok || !loose && len(list) != len(want) || loose && (len(list) == 0) != (len(want) == 0) {
			t.Errorf("%s is %v, in the example %v", path, got, want)
			return
		}
		for i := range min(len(list), len(want)) {
			if !loose || i == 0 {
				compare(t, fmt.Sprintf("%s[%d]", path, i), list[i], want[i], loose)
			}
		}
	default:
		if fmt.Sprintf("%T", got) != fmt.Sprintf("%T", want) || !loose && got != want {
			t.Errorf("%s is %#v, in the example %#v", path, got, want)
		}
	}
}
