package api

import (
	"encoding/json"
	"maps"
	"math"
	"reflect"
	"slices"
	"strings"
	"testing"

	"entrepot/privacy"
	"entrepot/sandbox"
)

// TestLossIsTheSpecifications: the members that are read are those of the schema, and the largest weight is its.
func TestLossIsTheSpecifications(t *testing.T) {
	schema := loadSpec(t).Components.Schemas["Loss"].Value
	var read []string
	body := reflect.TypeFor[lossBody]()
	for i := range body.NumField() {
		name, _, _ := strings.Cut(body.Field(i).Tag.Get("json"), ",")
		read = append(read, name)
	}
	slices.Sort(read)
	if specified := slices.Sorted(maps.Keys(schema.Properties)); !slices.Equal(read, specified) {
		t.Errorf("read are %q, specified %q", read, specified)
	}
	if most := schema.Properties["weights"].Value.AdditionalProperties.Schema.Value.Max; most == nil || *most != privacy.MaxWeight {
		t.Errorf("the largest weight is specified as %v", most)
	}
}

// TestLossIsRead: ε or ρ, exactly, and what belongs to them.
func TestLossIsRead(t *testing.T) {
	for text, want := range map[string]privacy.Loss{
		`{"epsilon": 0.1}`:                   {Epsilon: privacy.OneEpsilon / 10},
		`{"rho": "0.005"}`:                   {Rho: 5e9},
		`{"rho": 5e-3, "delta": 1e-9}`:       {Rho: 5e9, Delta: 1e9},
		`{"rho": 1, "mechanism": "laplace"}`: {Rho: privacy.OneRho, Mechanism: privacy.Laplace},
		`{"rho": 1, "mechanism": "gaussian", "gaussian_delta": "1e-10"}`: {Rho: privacy.OneRho, Mechanism: privacy.Gaussian, GaussianDelta: 1e8},
	} {
		var b lossBody
		if err := decodeJSON([]byte(text), &b); err != nil {
			t.Errorf("%s: %v", text, err)
			continue
		}
		if got, err := b.loss(); err != nil || got != want {
			t.Errorf("%s: %+v %v", text, got, err)
		}
	}
}

// TestLossIsRefused: with the place, before anything else is looked at.
func TestLossIsRefused(t *testing.T) {
	h := newHouse(t).furnish()
	for _, test := range []struct{ name, loss, says string }{
		{"nothing", `{}`, "loss: it names epsilon or rho"},
		{"both", `{"epsilon": 1, "rho": 1}`, "loss: it names epsilon or rho"},
		{"no ρ", `{"rho": 0}`, "loss.rho"},
		{"a ρ below 0", `{"rho": -1}`, "loss.rho"},
		{"an infinite ρ", `{"rho": "inf"}`, "loss.rho"},
		{"a ρ below the floor", `{"rho": "1e-9"}`, "ρ"},
		{"another mechanism", `{"rho": 1, "mechanism": "laplac"}`, `did you mean \"laplace\"`},
		{"the server's own choice", `{"rho": 1, "mechanism": "best"}`, "loss.mechanism"},
		{"an empty mechanism", `{"rho": 1, "mechanism": ""}`, "loss.mechanism: it is empty"},
		{"Gaussian noise under ε", `{"epsilon": 0.5, "mechanism": "gaussian"}`, "ρ"},
		{"a δ for Gaussian noise under ε", `{"epsilon": 0.5, "gaussian_delta": "1e-9"}`, "leave that δ out"},
		{"a δ that is none", `{"rho": 1, "gaussian_delta": "x"}`, "loss.gaussian_delta"},
		{"a weight of 0", `{"epsilon": 0.5, "weights": {"n": 0}}`, "loss.weights.n: it must be from 1 to 1000"},
		{"a weight too large", `{"epsilon": 0.5, "weights": {"n": 1001}}`, "loss.weights.n"},
		{"half a weight", `{"epsilon": 0.5, "weights": {"n": 1.5}}`, "loss.weights.n"},
		{"weights in a list", `{"epsilon": 0.5, "weights": [1]}`, "loss.weights: it is a list; an object is wanted"},
		{"no weights", `{"epsilon": 0.5, "weights": null}`, "loss.weights"},
		{"a weight twice", `{"epsilon": 0.5, "weights": {"n": 1, "n": 2}}`, "written twice"},
		{"a weight of nothing", `{"epsilon": 0.5, "weights": {"m": 2}}`, "weight"},
	} {
		t.Run(test.name, func(t *testing.T) {
			for _, path := range []string{"/v1/queries", "/v1/estimates"} {
				a := h.must(400, h.as("researcher", "POST", path, with(`"loss": `+test.loss)))
				if a.code() != string(sandbox.CodeInvalid) || !strings.Contains(a.Body, test.says) {
					t.Errorf("%s: %s", path, a.Body)
				}
			}
		})
	}
	if len(h.store.questions) != 0 {
		t.Error("something was charged")
	}
}

// TestInfiniteLossIsWritten as "inf" wherever it stands, and read again.
func TestInfiniteLossIsWritten(t *testing.T) {
	h := newHouse(t).furnish()
	h.must(200, h.as("owner", "PUT", "/v1/datasets/kr_edu/students/policy", strings.Replace(policyDoc, `, "max_epsilon_per_query": 1`, "", 1), "If-Match", `"1"`))
	ask := with(`"loss": {"rho": 0.001, "mechanism": "gaussian"}`)
	for _, a := range []answer{
		h.as("researcher", "POST", "/v1/estimates", ask),
		h.as("researcher", "POST", "/v1/queries", ask),
		h.as("researcher", "GET", "/v1/accounts", ""),
		h.as("researcher", "GET", "/v1/releases", ""),
		h.as("regulator", "GET", "/v1/audit/entries", ""),
	} {
		if h.must(200, a); !strings.Contains(a.Body, `"epsilon":"inf"`) {
			t.Error(a.Body)
		}
	}
	a := h.must(200, h.as("researcher", "POST", "/v1/queries", strings.Replace(ask, "{", `{"fresh": true, `, 1), "Accept", mediaArrow))
	schema, _ := readStream(t, []byte(a.Body))
	text, _ := schema.Metadata().GetValue("charged")
	var charged []sandbox.Charge
	if err := json.Unmarshal([]byte(text), &charged); err != nil || len(charged) != 1 || charged[0].Epsilon != math.MaxInt64 || charged[0].Renyi[0] == math.MaxInt64 {
		t.Errorf("%s: %+v %v", text, charged, err)
	}
}

// TestNotes: in JSON and in Arrow, beside the column they are of; what is not known in advance is null.
func TestNotes(t *testing.T) {
	h := newHouse(t).furnish()
	ask := with(`"sql": "SELECT COUNT(*) AS n, MAX(math) AS best FROM kr_edu.students"`)
	var e struct {
		Aggregates []struct {
			Note      string
			HalfWidth *float64 `json:"half_width"`
		}
	}
	text := h.must(200, h.as("researcher", "POST", "/v1/estimates", ask)).Body
	if err := json.Unmarshal([]byte(text), &e); err != nil || len(e.Aggregates) != 2 || e.Aggregates[0].HalfWidth == nil ||
		e.Aggregates[1].HalfWidth != nil || e.Aggregates[1].Note == "" || !strings.Contains(text, `"half_width":null`) {
		t.Errorf("%v %s", err, text)
	}
	a := h.must(200, h.as("researcher", "POST", "/v1/queries", ask, "Accept", mediaArrow))
	schema, rows := readStream(t, []byte(a.Body))
	note, _ := schema.Field(3).Metadata.GetValue("note")
	if schema.Field(3).Name != "best" || note != e.Aggregates[1].Note || len(rows) != 1 {
		t.Errorf("%s %q %v", schema, note, rows)
	}
	if none, ok := schema.Field(0).Metadata.GetValue("note"); ok {
		t.Errorf("n has the note %q", none)
	}
}
