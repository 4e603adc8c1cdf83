package api

import (
	"encoding/json"
	"reflect"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

// with is the good question with one member replaced or added.
func with(member string) string {
	name, _, _ := strings.Cut(member, ":")
	parts := map[string]string{
		`"project"`: `"project": "gap"`,
		`"sql"`:     `"sql": "SELECT COUNT(*) FROM kr_edu.students"`,
		`"loss"`:    `"loss": {"epsilon": 0.5}`,
	}
	parts[name] = member
	text := ""
	for _, key := range []string{`"project"`, `"sql"`, `"loss"`} {
		text += parts[key] + ", "
		delete(parts, key)
	}
	for _, rest := range parts {
		text += rest + ", "
	}
	return "{" + strings.TrimSuffix(text, ", ") + "}"
}

// TestBadBodies: each is a 400 that says what is wrong, charges nothing and logs nothing.
func TestBadBodies(t *testing.T) {
	deep := strings.Repeat(`{"a":`, 40) + "1" + strings.Repeat("}", 40)
	tests := []struct{ name, body, says string }{
		{"white space", "  \n ", "is empty"},
		{"not JSON", "epsilon: 1", "line 1, column 1"},
		{"an array", `[]`, "a list; send a JSON object"},
		{"text", `"SELECT 1"`, "text; send a JSON object"},
		{"a number", `1`, "a number; send"},
		{"null", `null`, "null; send"},
		{"true", `true`, "true or false; send"},
		{"an empty object", `{}`, "project: it is missing"},
		{"unclosed", `{"project": "gap"`, "unexpected end"},
		{"trailing comma", `{"project": "gap",}`, "line 1, column 19"},
		{"single quotes", `{'project': 'gap'}`, "column 2"},
		{"comment", "{\n// no\n}", "line 2, column 1"},
		{"NaN", with(`"loss": {"epsilon": NaN}`), "invalid character"},
		{"Infinity", with(`"loss": {"epsilon": Infinity}`), "invalid character"},
		{"minus alone", with(`"loss": {"epsilon": -}`), "in numeric literal"},
		{"hex number", with(`"loss": {"epsilon": 0x1}`), "invalid character"},
		{"leading zero", with(`"loss": {"epsilon": 01}`), "invalid character"},
		{"leading plus", with(`"loss": {"epsilon": +1}`), "invalid character"},
		{"control character in text", with("\"sql\": \"SELECT\n1\""), "in string literal"},
		{"bad escape", with(`"sql": "\x41"`), "in string escape"},
		{"second document", with(`"project": "gap"`) + `{}`, "after top-level value"},
		{"trailing word", with(`"project": "gap"`) + ` true`, "after top-level value"},
		{"byte order mark", "\ufeff" + with(`"project": "gap"`), "invalid character"},
		{"not UTF-8", with("\"project\": \"g\xffp\""), "not UTF-8"},
		{"half a surrogate", with(`"sql": "SELECT '\ud800'"`), "sql: it has half of a surrogate pair"},
		{"half a surrogate in a name", `{"\udc00": 1}`, "half of a surrogate pair"},
		{"too deep", deep, "nests deeper than 32"},
		{"unknown member", with(`"exactness": 1`), "exactness: no such member; there are accuracy, bounds, fresh, group_size, loss"},
		{"misspelt member", with(`"frehs": true`), `frehs: no such member; did you mean "fresh"?`},
		{"other case", with(`"Fresh": true`), `Fresh: no such member; did you mean "fresh"?`},
		{"unknown member within", with(`"loss": {"epsilom": 1}`), `loss.epsilom: no such member; did you mean "epsilon"?`},
		{"sigma is not offered", with(`"loss": {"sigma": 0.1}`), "loss.sigma: no such member"},
		{"odd name", with(`"fr\u0000": true`), `"fr\x00": no such member`},
		{"member twice", `{"project": "gap", "project": "gap"}`, "project: it is written twice"},
		{"member twice, escaped", `{"project": "gap", "pr\u006fject": "gap"}`, "project: it is written twice"},
		{"member in two cases", with(`"loss": {"epsilon": 1, "EPSILON": 99}`), `loss.EPSILON: it is written twice, as "epsilon" and as "EPSILON"`},
		{"Kelvin sign", `{"k": 1, "` + "\u212a" + `": 2}`, "written twice"},
		{"long s", `{"sql": "x", "` + "\u017f" + `ql": "y"}`, "written twice"},
		{"twice within an unknown member", with(`"extra": {"a": 1, "A": 2}`), "extra.A: it is written twice"},
		{"null member", with(`"fresh": null`), "fresh: null is not a value here"},
		{"null needed member", with(`"sql": null`), "sql: null is not a value here"},
		{"missing sql", `{"project": "gap", "loss": {"epsilon": 1}}`, "sql: it is missing"},
		{"missing loss", `{"project": "gap", "sql": "SELECT COUNT(*) FROM kr_edu.students"}`, "has set no default"},
		{"missing epsilon", with(`"loss": {"delta": 0}`), "loss: it names epsilon or rho, one of the two"},
		{"empty project", with(`"project": ""`), "project: it is empty"},
		{"project is a number", with(`"project": 1`), "project: it is a number; text is wanted"},
		{"sql is a list", with(`"sql": ["SELECT 1"]`), "sql: it is a list; text is wanted"},
		{"loss is a number", with(`"loss": 1`), "loss: it is a number; an object is wanted"},
		{"epsilon is a list", with(`"loss": {"epsilon": [1]}`), "loss.epsilon: it is a list; a decimal number is wanted"},
		{"epsilon is true", with(`"loss": {"epsilon": true}`), "loss.epsilon: it is true or false"},
		{"epsilon is empty", with(`"loss": {"epsilon": ""}`), "loss.epsilon: it is empty"},
		{"epsilon is negative", with(`"loss": {"epsilon": -1}`), "loss.epsilon: not an amount"},
		{"epsilon is a word", with(`"loss": {"epsilon": "NaN"}`), "loss.epsilon: not an amount"},
		{"epsilon is huge", with(`"loss": {"epsilon": 1e20}`), "loss.epsilon: not an amount"},
		{"epsilon overflows float64", with(`"loss": {"epsilon": 1e400}`), "loss.epsilon: not an amount"},
		{"epsilon is too fine", with(`"loss": {"epsilon": 1e-13}`), "finer than 1e-12"},
		{"epsilon has spaces", with(`"loss": {"epsilon": " 1"}`), "not an amount"},
		{"epsilon has a comma", with(`"loss": {"epsilon": "0,5"}`), "not an amount"},
		{"no epsilon at all", with(`"loss": {"epsilon": 0}`), "above 0"},
		{"epsilon is endless", with(`"loss": {"epsilon": 0.` + strings.Repeat("1", 5000) + `}`), "not an amount"},
		{"delta above 1", with(`"loss": {"epsilon": 1, "delta": 1.5}`), "loss.delta: not an amount"},
		{"delta negative", with(`"loss": {"epsilon": 1, "delta": "-0"}`), "loss.delta: not an amount"},
		{"fresh is text", with(`"fresh": "true"`), "fresh: it is text; true or false is wanted"},
		{"bounds is a list", with(`"bounds": []`), "bounds: it is a list; an object is wanted"},
		{"bound is zero", with(`"bounds": {"max_partitions": 0}`), "bounds.max_partitions: it must be from 1"},
		{"bound is negative", with(`"bounds": {"max_rows_per_partition": -4}`), "bounds.max_rows_per_partition: it must be from 1"},
		{"bound is a float", with(`"bounds": {"max_partitions": 1.5}`), "bounds.max_partitions: a whole number"},
		{"bound has an exponent", with(`"bounds": {"max_partitions": 1e3}`), "a whole number in digits"},
		{"bound overflows", with(`"bounds": {"max_partitions": 9223372036854775808}`), "a whole number in digits"},
		{"bound is text", with(`"bounds": {"max_partitions": "1"}`), "it is text; a whole number is wanted"},
	}
	h := newHouse(t).furnish()
	entries, charged := len(h.store.log), len(h.store.questions)
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			a := h.as("researcher", "POST", "/v1/queries", test.body)
			p := problemOf(a)
			if a.Status != 400 || p.Code != "invalid_request" || !strings.Contains(p.Detail, test.says) {
				t.Errorf("%d %s; want 400 with %q", a.Status, a.Body, test.says)
			}
			if len(a.Body) > 600 {
				t.Errorf("the answer has %d bytes", len(a.Body))
			}
		})
	}
	if len(h.store.log) != entries || len(h.store.questions) != charged {
		t.Error("a bad body left something behind")
	}
}

// TestGoodBodies: what is strict is not to be narrow.
func TestGoodBodies(t *testing.T) {
	h := newHouse(t).furnish()
	for _, body := range []string{
		"\n\t" + with(`"project": "gap"`) + "\r\n ",
		with(`"loss": {"epsilon": "0.5", "delta": "0"}`),
		with(`"loss": {"epsilon": 5e-1, "delta": 0}`),
		with(`"bounds": {}`),
		with(`"bounds": {"max_partitions": 1, "max_rows_per_partition": 1}`),
		with(`"fresh": false`),
		with(`"sql": "SELECT COUNT(*) AS \"n\" FROM \u006br_edu.students WHERE gender <> '` + "\ufffd" + `'"`),
	} {
		h.must(200, h.as("researcher", "POST", "/v1/queries", body))
	}
}

// TestAmountsAreExact: no float is between what is written and what is charged. Each question asks for a little
// more than the one before, which therefore does not answer it.
func TestAmountsAreExact(t *testing.T) {
	h := newHouse(t).furnish()
	for _, test := range [][2]string{
		{with(`"loss": {"epsilon": 0.100000000001}`), `"epsilon":"0.100000000001"`},
		{with(`"loss": {"epsilon": "0.100000000002"}`), `"epsilon":"0.100000000002"`},
		{with(`"loss": {"epsilon": 100000000003e-12}`), `"epsilon":"0.100000000003"`},
	} {
		if a := h.must(200, h.as("researcher", "POST", "/v1/queries", test[0])); !strings.Contains(a.Body, test[1]) {
			t.Errorf("%s was charged as %s", test[0], a.Body)
		}
	}
}

// TestReadJSONAgrees: a document without names that clash reads as encoding/json reads it.
func TestReadJSONAgrees(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		names := rapid.SliceOfNDistinct(rapid.StringMatching(`[a-z_]{1,8}`), 0, 5, rapid.ID[string]).Draw(t, "names")
		text := map[string]any{}
		for _, name := range names {
			text[name] = rapid.OneOf(
				rapid.Map(rapid.String(), func(s string) any { return s }),
				rapid.Map(rapid.Bool(), func(b bool) any { return b }),
				rapid.Map(rapid.SliceOfN(rapid.StringMatching(`[ -~]{0,4}`), 0, 3), func(s []string) any { return s }),
			).Draw(t, "value")
		}
		b, err := json.Marshal(text)
		if err != nil {
			t.Fatal(err)
		}
		object, err := readJSON(b)
		if err != nil {
			t.Fatalf("%s: %v", b, err)
		}
		var want map[string]any
		if err := json.Unmarshal(b, &want); err != nil {
			t.Fatal(err)
		}
		got := map[string]any{}
		for _, m := range object {
			got[m.name] = m.value
		}
		if !reflect.DeepEqual(got, want) {
			t.Fatalf("%s reads as %v", b, got)
		}
	})
}

// FuzzReadJSON: nothing panics, and what is read is JSON in which no name is written twice.
func FuzzReadJSON(f *testing.F) {
	f.Add([]byte(with(`"fresh": true`)))
	f.Add([]byte(`{"a": [1, {"b": null}], "A": "\ud83d\ude00"}`))
	f.Fuzz(func(t *testing.T, b []byte) {
		var r QueryRequest
		_ = decodeJSON(b, &r)
		object, err := readJSON(b)
		if err != nil {
			return
		}
		var m map[string]any
		if err := json.Unmarshal(b, &m); err != nil || len(m) != len(object) {
			t.Errorf("%q was read as %v", b, object)
		}
	})
}

// TestDocumentsAreChecked: bodies that other packages parse are JSON where they say so, and their own
// refusals arrive.
func TestDocumentsAreChecked(t *testing.T) {
	h := newHouse(t).furnish()
	tests := []struct{ name, who, target, media, body, says string }{
		{"YAML called JSON", "operator", "/v1/organisations/kr_edu", mediaJSON, "title: x\njurisdiction: KR\n", "not one JSON document"},
		{"twice", "operator", "/v1/organisations/kr_edu", mediaJSON, `{"title": "x", "Title": "y", "jurisdiction": "KR"}`, "written twice"},
		{"twice in YAML", "operator", "/v1/organisations/kr_edu", mediaYAML, "title: x\ntitle: y\njurisdiction: KR\n", "title"},
		{"unknown key", "operator", "/v1/organisations/kr_edu", mediaJSON, `{"titel": "x"}`, "titel"},
		{"other id", "operator", "/v1/organisations/kr_edu", mediaJSON, `{"id": "uk_edu", "title": "x", "jurisdiction": "GB"}`, "uk_edu"},
		{"empty YAML", "manager", "/v1/projects/gap", mediaYAML, "\n", "empty"},
		{"unknown purpose", "manager", "/v1/projects/gap", mediaJSON, strings.Replace(projectDoc, "dpv:Sci", "dpv:Psi", 1), "purpose"},
		{"unknown member", "manager", "/v1/projects/gap", mediaJSON, strings.Replace(projectDoc, `"lab_sg"`, `"lab_xx"`, 1), "lab_xx"},
		{"unknown column key", "owner", "/v1/datasets/kr_edu/other", mediaJSON, strings.Replace(datasetDoc, `"role"`, `"rolle"`, 1), "rolle"},
		{"upside-down bounds", "owner", "/v1/datasets/kr_edu/other", mediaJSON, strings.Replace(datasetDoc, `"lower": 0`, `"lower": 2000`, 1), "math"},
		{"space of others", "owner", "/v1/datasets/kr_edu/other", mediaJSON, strings.Replace(datasetDoc, "kr_edu/student", "uk_edu/student", 1), "another organisation"},
		{"misspelt effect", "owner", "/v1/datasets/kr_edu/students/policy", mediaJSON, strings.Replace(policyDoc, `"allow"`, `"Allow"`, 1), "effect"},
		{"unknown kind", "owner", "/v1/accounts/kr_edu/people", mediaJSON, `{"kind": "gaussian", "epsilon": 1, "delta": 0}`, "gaussian"},
		{"no kind", "owner", "/v1/accounts/kr_edu/people", mediaJSON, `{"epsilon": 1, "delta": 0}`, "kind: it is missing"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			a := h.as(test.who, "PUT", test.target, test.body, "Content-Type", test.media)
			if p := problemOf(a); a.Status != 400 || p.Code != "invalid_request" || !strings.Contains(p.Detail, test.says) {
				t.Errorf("%d %s; want 400 with %q", a.Status, a.Body, test.says)
			}
		})
	}
	decisions := []struct{ name, body, says string }{
		{"unknown action", `{"dataset": "kr_edu.students", "action": "raw"}`, "action: there are metadata and aggregate"},
		{"not a dataset", `{"dataset": "students", "action": "metadata"}`, "dataset: "},
		{"not a principal", `{"dataset": "kr_edu.students", "action": "metadata", "principal": {"id": "ada", "roles": ["researcher"]}}`, "principal.id: "},
		{"unknown role", `{"dataset": "kr_edu.students", "action": "metadata", "principal": {"id": "a/b", "roles": ["king"]}}`, "principal.roles: "},
		{"not an amount", `{"dataset": "kr_edu.students", "action": "aggregate", "epsilon": "much"}`, "epsilon: not an amount"},
	}
	for _, test := range decisions {
		t.Run(test.name, func(t *testing.T) {
			a := h.as("owner", "POST", "/v1/decisions", test.body)
			if p := problemOf(a); a.Status != 400 || !strings.Contains(p.Detail, test.says) {
				t.Errorf("%d %s; want 400 with %q", a.Status, a.Body, test.says)
			}
		})
	}
}
