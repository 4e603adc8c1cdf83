package api

import (
	"encoding/json"
	"maps"
	"reflect"
	"slices"
	"strings"
	"testing"

	"entrepot/privacy"
	"entrepot/sandbox"
)

// precise is the good question with an accuracy in place of its loss, and more members.
func precise(accuracy string, more ...string) string {
	text := `{"project": "gap", "sql": "SELECT gender, COUNT(*) AS n, AVG(math) AS maths FROM kr_edu.students GROUP BY gender", "accuracy": ` + accuracy
	for _, m := range more {
		text += ", " + m
	}
	return text + "}"
}

// TestAccuracyIsTheSpecifications: the members that are read are those of the schema.
func TestAccuracyIsTheSpecifications(t *testing.T) {
	var read []string
	body := reflect.TypeFor[accuracyBody]()
	for i := range body.NumField() {
		name, _, _ := strings.Cut(body.Field(i).Tag.Get("json"), ",")
		read = append(read, name)
	}
	slices.Sort(read)
	if specified := slices.Sorted(maps.Keys(loadSpec(t).Components.Schemas["Accuracy"].Value.Properties)); !slices.Equal(read, specified) {
		t.Errorf("read are %q, specified %q", read, specified)
	}
}

// TestAccuracyIsRefused: with the place or the column, before anything is charged.
func TestAccuracyIsRefused(t *testing.T) {
	h := newHouse(t).furnish()
	thousand := `"group_size": 1000`
	for _, test := range []struct{ name, body, says string }{
		{"nothing", precise(`{}`), "accuracy: it names no column"},
		{"no column", precise(`{"half_width": {}}`), "accuracy: it names no column"},
		{"both", precise(`{"half_width": {"n": 50}}`, `"loss": {"epsilon": 1}`), "both loss and accuracy"},
		{"an unknown column", precise(`{"half_width": {"m": 50}}`), `no column of that name`},
		{"a key", precise(`{"half_width": {"gender": 50}}`), "group key"},
		{"twice", precise(`{"half_width": {"n": 50}, "relative": {"n": 0.05}}`, thousand), "both a half_width and a relative one"},
		{"zero", precise(`{"half_width": {"n": 0}}`), "accuracy.half_width.n"},
		{"below zero", precise(`{"relative": {"n": -0.1}}`, thousand), "accuracy.relative.n"},
		{"infinite", precise(`{"half_width": {"n": "inf"}}`), "accuracy.half_width.n"},
		{"too large a number", precise(`{"half_width": {"n": 1e999}}`), "accuracy.half_width.n"},
		{"another level", precise(`{"half_width": {"n": 50}, "confidence": 0.99}`), "accuracy.confidence: intervals are at 0.95"},
		{"best", precise(`{"half_width": {"n": 50}, "mechanism": "best"}`), "accuracy.mechanism"},
		{"a mean without a group", precise(`{"half_width": {"maths": 5}}`), "how many rows a group has"},
		{"a part of nothing", precise(`{"relative": {"n": 0.05}}`), "nobody stated"},
		{"a part of an unknown mean", precise(`{"relative": {"maths": 0.05}}`, thousand), "not known"},
		{"too exact", precise(`{"half_width": {"maths": 0.0001}}`, thousand), "maths cannot be so accurate"},
		{"a median", strings.Replace(precise(`{"half_width": {"maths": 5}}`, thousand), "AVG", "MEDIAN", 1), "depends on the rows"},
		{"a group of none", precise(`{"half_width": {"n": 50}}`, `"group_size": 0`), "group_size"},
		{"two groups", precise(`{"half_width": {"n": 50}}`, thousand, `"release": "rel_x"`), "one of the two"},
		{"no release", precise(`{"half_width": {"n": 50}}`, `"release": "x"`), "is not the id of a release"},
	} {
		t.Run(test.name, func(t *testing.T) {
			for _, path := range []string{"/v1/queries", "/v1/estimates"} {
				a := h.must(400, h.as("researcher", "POST", path, test.body))
				if a.code() != string(sandbox.CodeInvalid) || !strings.Contains(a.Body, test.says) {
					t.Errorf("%s: %s", path, a.Body)
				}
			}
		})
	}
	if a := h.as("researcher", "POST", "/v1/queries", precise(`{"half_width": {"n": 50}}`, `"release": "rel_none"`)); a.Status != 404 {
		t.Errorf("an unknown release: %s", a.Body)
	}
	if a := h.as("researcher", "POST", "/v1/queries", with(thousand)); a.Status != 400 || !strings.Contains(a.Body, "go with accuracy") {
		t.Errorf("a group with a loss: %s", a.Body)
	}
	if len(h.store.questions) != 0 {
		t.Error("something was charged")
	}
}

// TestAccuracyIsMet: the answer is as exact as asked for, at the price estimated, and says what it spent in a form that
// can be asked for again.
func TestAccuracyIsMet(t *testing.T) {
	h := newHouse(t).furnish()
	ask := precise(`{"half_width": {"n": 30}, "relative": {}}`, `"group_size": 1000`)
	var e sandbox.Estimate
	var a sandbox.Answer
	for _, x := range []struct {
		path string
		into any
	}{{"/v1/estimates", &e}, {"/v1/queries", &a}} {
		if err := json.Unmarshal([]byte(h.must(200, h.as("researcher", "POST", x.path, ask)).Body), x.into); err != nil {
			t.Fatal(err)
		}
	}
	if a.Loss == nil || !reflect.DeepEqual(*a.Loss, e.Loss) || a.Charged[0] != e.Charged[0].Charge || e.Loss.Epsilon == 0 || e.Loss.Epsilon > privacy.OneEpsilon {
		t.Errorf("%+v, estimated %+v", a, e)
	}
	for _, r := range a.Rows {
		values := map[string]any{}
		for _, f := range r {
			values[f.Name] = f.Value
		}
		low, _ := values["n_low"].(json.Number).Float64()
		high, _ := values["n_high"].(json.Number).Float64()
		if high-low > 60 || high-low < 58 {
			t.Errorf("%+v", r)
		}
	}
	loss, err := json.Marshal(a.Loss)
	if err != nil {
		t.Fatal(err)
	}
	var again sandbox.Estimate
	text := strings.Replace(precise(""), `"accuracy": `, `"loss": `+string(loss), 1)
	if err := json.Unmarshal([]byte(h.must(200, h.as("researcher", "POST", "/v1/estimates", text)).Body), &again); err != nil || !reflect.DeepEqual(again.Loss, e.Loss) ||
		again.Aggregates[0].Scale != e.Aggregates[0].Scale {
		t.Errorf("%s: %+v %v", text, again, err)
	}
}

// TestAccuracyOfARelease: the groups of an earlier release stand for the next question's.
func TestAccuracyOfARelease(t *testing.T) {
	h := newHouse(t).furnish()
	var a sandbox.Answer
	if err := json.Unmarshal([]byte(h.must(200, h.as("researcher", "POST", "/v1/queries", question)).Body), &a); err != nil {
		t.Fatal(err)
	}
	var e sandbox.Estimate
	text := h.must(200, h.as("researcher", "POST", "/v1/estimates", precise(`{"relative": {"n": 0.05, "maths": 0.02}}`, `"release": "`+a.ID+`"`))).Body
	if err := json.Unmarshal([]byte(text), &e); err != nil || e.Release != a.ID || len(e.Groups) != 3 || e.Groups[0].Rows > e.Groups[2].Rows || e.GroupSize != e.Groups[0].Rows {
		t.Errorf("%s %v", text, err)
	}
	for _, c := range e.Aggregates {
		if c.Target == nil || *c.HalfWidth > *c.Target {
			t.Errorf("%+v", c)
		}
	}
	h.must(404, h.as("stranger", "POST", "/v1/estimates", precise(`{"relative": {"n": 0.05}}`, `"release": "`+a.ID+`"`)))
}
