package api

import (
	"context"
	"encoding/json"
	"maps"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/getkin/kin-openapi/openapi3"
	"github.com/getkin/kin-openapi/openapi3filter"
	"github.com/labstack/echo/v4"

	"entrepot/sandbox"
)

// loadSpec reads and validates openapi.yaml, examples against schemas included.
func loadSpec(t *testing.T) *openapi3.T {
	t.Helper()
	loader := openapi3.NewLoader()
	doc, err := loader.LoadFromData(specification)
	if err != nil {
		t.Fatal(err)
	}
	openapi3filter.RegisterBodyDecoder(mediaArrow, openapi3filter.FileBodyDecoder)
	if err := doc.Validate(context.Background(), openapi3.EnableExamplesValidation(), openapi3.EnableSchemaFormatValidation()); err != nil {
		t.Fatal(err)
	}
	return doc
}

// operation is one operation of the specification.
type operation struct {
	method, path, route string // /v1/projects/{project}, /v1/projects/:project
	*openapi3.Operation
	parameters openapi3.Parameters // the path's own included
}

func operations(doc *openapi3.T) []operation {
	var list []operation
	for _, path := range slices.Sorted(maps.Keys(doc.Paths.Map())) {
		item := doc.Paths.Value(path)
		for _, method := range slices.Sorted(maps.Keys(item.Operations())) {
			op := item.Operations()[method]
			route := strings.NewReplacer("{", ":", "}", "").Replace(path)
			list = append(list, operation{method, path, route, op, append(slices.Clone(item.Parameters), op.Parameters...)})
		}
	}
	return list
}

// target fills the examples of the path parameters in.
func (o operation) target(t *testing.T) string {
	t.Helper()
	target := o.path
	for _, p := range o.parameters {
		if p.Value.In != openapi3.ParameterInPath {
			continue
		}
		example, ok := p.Value.Example.(string)
		if !ok {
			t.Fatalf("%s: the parameter %s has no example", o.OperationID, p.Value.Name)
		}
		target = strings.ReplaceAll(target, "{"+p.Value.Name+"}", example)
	}
	return target
}

// open reports whether the operation needs no token.
func (o operation) open() bool { return o.Security != nil && len(*o.Security) == 0 }

// success is the operation's one 2xx response.
func (o operation) success(t *testing.T) (int, *openapi3.Response) {
	t.Helper()
	for _, status := range []int{200, 201, 204} {
		if r := o.Responses.Status(status); r != nil {
			return status, r.Value
		}
	}
	t.Fatalf("%s has no success", o.OperationID)
	return 0, nil
}

func TestRoutesAreTheSpecification(t *testing.T) {
	doc := loadSpec(t)
	h := newHouse(t)
	var specified, routed []string
	for _, o := range operations(doc) {
		specified = append(specified, o.method+" "+o.route)
	}
	for _, r := range h.handler.(*echo.Echo).Routes() {
		routed = append(routed, r.Method+" "+r.Path)
	}
	slices.Sort(specified)
	slices.Sort(routed)
	if !slices.Equal(specified, routed) {
		t.Errorf("specified %q\nrouted %q", specified, routed)
	}
}

// TestEveryOperationIsComplete holds what the middleware may answer, and the code's own tables, to the
// specification.
func TestEveryOperationIsComplete(t *testing.T) {
	for _, o := range operations(loadSpec(t)) {
		t.Run(o.OperationID, func(t *testing.T) {
			if o.open() != !strings.HasPrefix(o.path, "/v1/") {
				t.Error("only what is below /v1/ needs a token, and all of that does")
			}
			if o.Summary == "" || len(o.Tags) != 1 {
				t.Error("a summary or its tag is missing")
			}
			for _, status := range []int{400, 401, 429} {
				if !o.open() && o.Responses.Status(status) == nil {
					t.Errorf("%d is not specified", status)
				}
			}
			for _, status := range []int{413, 415} {
				if o.RequestBody != nil && o.Responses.Status(status) == nil {
					t.Errorf("%d is not specified", status)
				}
			}
			if o.RequestBody != nil && !o.RequestBody.Value.Required {
				t.Error("its body is not required")
			}
			known := parameters(o.method + " " + o.route)
			for _, p := range o.parameters {
				if p.Value.In == openapi3.ParameterInQuery {
					if _, ok := known[p.Value.Name]; !ok {
						t.Errorf("the code does not know the query parameter %s", p.Value.Name)
					}
					delete(known, p.Value.Name)
				}
			}
			if len(known) > 0 {
				t.Errorf("not specified: the query parameters %v", slices.Collect(maps.Keys(known)))
			}
		})
	}
}

// TestEveryBodyHasAnExample walks bodies and responses: each has an example, or examples, except a
// binary form beside JSON.
func TestEveryBodyHasAnExample(t *testing.T) {
	for _, o := range operations(loadSpec(t)) {
		bodies := map[string]openapi3.Content{}
		if o.RequestBody != nil {
			bodies["request"] = o.RequestBody.Value.Content
		}
		for status, r := range o.Responses.Map() {
			bodies[status] = r.Value.Content
		}
		for where, content := range bodies {
			for media, m := range content {
				if m.Example == nil && len(m.Examples) == 0 && media != mediaArrow {
					t.Errorf("%s: %s %s has no example", o.OperationID, where, media)
				}
			}
		}
	}
}

// TestEveryCode walks sandbox.Codes: each has a status and a title of its own, an example that says the
// same, and a place among the responses with that status.
func TestEveryCode(t *testing.T) {
	doc := loadSpec(t)
	titles := map[string]sandbox.Code{}
	for _, code := range sandbox.Codes() {
		t.Run(string(code), func(t *testing.T) {
			number, title := status(code)
			if number < 400 || number > 599 {
				t.Errorf("its status is %d", number)
			}
			if other, taken := titles[title]; taken {
				t.Errorf("its title %q is also %s's", title, other)
			}
			titles[title] = code
			example := doc.Components.Examples[string(code)]
			if example == nil {
				t.Fatal("it has no example")
			}
			b, err := json.Marshal(example.Value.Value)
			if err != nil {
				t.Fatal(err)
			}
			var p Problem
			if err := json.Unmarshal(b, &p); err != nil {
				t.Fatal(err)
			}
			if p.Code != code || p.Status != number || p.Title != title || p.Type != problemType+string(code) || p.Detail == "" {
				t.Errorf("its example is %s", b)
			}
			if err := doc.Components.Schemas["Problem"].Value.VisitJSON(example.Value.Value); err != nil {
				t.Error(err)
			}
			used := false
			for _, o := range operations(doc) {
				if r := o.Responses.Status(number); r != nil && r.Value.Content.Get("application/problem+json") != nil {
					_, here := r.Value.Content["application/problem+json"].Examples[string(code)]
					used = used || here
				}
			}
			if !used {
				t.Errorf("no operation has it among its %d", number)
			}
		})
	}
	if extra := len(doc.Components.Examples) - len(sandbox.Codes()); extra != 0 {
		t.Errorf("%d examples are of no code", extra)
	}
	if number, _ := status("of the future"); number != http.StatusInternalServerError {
		t.Errorf("an unknown code has the status %d", number)
	}
}

// TestSpecificationIsServed compares what a client gets with the file.
func TestSpecificationIsServed(t *testing.T) {
	h := newHouse(t)
	a := h.must(200, h.as("", "GET", "/openapi.yaml", ""))
	if a.Body != string(specification) || a.Header.Get("Content-Type") != mediaYAML {
		t.Errorf("%s, %d bytes", a.Header.Get("Content-Type"), len(a.Body))
	}
}
