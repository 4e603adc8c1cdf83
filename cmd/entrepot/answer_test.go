package main

import (
	"encoding/json"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// recorded is an answer with every shape an aggregate can have.
const recorded = `{"id": "rel_4jq0x7m2c9v1", "query_id": "qry_8z3k5t6n1b2d", "repeat": false,
 "columns": [{"name": "gender", "kind": "key", "type": "string"},
             {"name": "year", "kind": "key", "type": "int64"},
             {"name": "students", "kind": "aggregate", "type": "int64", "mechanism": "laplace", "scale": 4},
             {"name": "maths", "kind": "aggregate", "type": "float64", "mechanism": "laplace"},
             {"name": "spent", "kind": "aggregate", "type": "float64", "mechanism": "laplace", "scale": 100}],
 "rows": [{"gender": "female", "year": 2003, "students": 1002231, "students_low": 1002219, "students_high": 1002243,
           "maths": 527.4317, "maths_low": 525.0, "maths_high": 529.9, "spent": -1234567.891, "spent_low": -1234867.5, "spent_high": -1234268.282},
          {"gender": "여성", "year": 2003, "students": -3, "students_low": -15, "students_high": 9,
           "maths": 500.0, "maths_low": 0, "maths_high": 1000, "spent": 0.5, "spent_low": -299.1, "spent_high": 310.1},
          {"gender": null, "year": 2004, "students": 7, "students_low": -5, "students_high": 19,
           "maths": null, "maths_low": null, "maths_high": null, "spent": 12, "spent_low": null, "spent_high": 312}],
 "confidence": 0.95,
 "charged": [{"account": "kr_edu/student", "epsilon": "0.5", "renyi": ["0.439712345678"], "delta": "1e-9"}],
 "datasets": [{"id": "kr_edu.students", "version": 3}],
 "log": {"entry": 1042}}`

func TestAnswerAsATable(t *testing.T) {
	var asked struct {
		body   map[string]any
		key    string
		accept string
	}
	stub{"POST /v1/queries": func(w http.ResponseWriter, r *http.Request) {
		asked.key, asked.accept = r.Header.Get("Idempotency-Key"), r.Header.Get("Accept")
		if err := json.NewDecoder(r.Body).Decode(&asked.body); err != nil {
			t.Error(err)
		}
		answers(recorded)(w, r)
	}}.start(t)
	got := run(t, "", "query", "-p", "maths_gap", "--epsilon", "0.10", "--delta", "1e-9", "--max-partitions", "2", "--fresh",
		"--idempotency-key", "mine", "SELECT …")
	got.want(t, exitOK)
	want := strings.TrimPrefix(`
gender  year        students          maths                   spent
female  2003  1,002,231 ± 12  527.4 ± 2.5    -1,234,568 ± 300
여성    2003         -3 ± 12  500.0 ± 500.0           0 [-299, 310]
NULL    2004          7 ± 12   NULL                  12 [-∞, 312]

± and [ ] are 95 % confidence intervals.
Charged kr_edu/student ε 0.5 (Rényi 0.4397) δ 1e-9.
Log entry 1042, release rel_4jq0x7m2c9v1 of kr_edu.students version 3.
`, "\n")
	if got.out != want {
		t.Errorf("got:\n%s\nwant:\n%s", got.out, want)
	}
	body, err := json.Marshal(asked.body)
	if err != nil {
		t.Fatal(err)
	}
	if asked.key != "mine" || string(body) !=
		`{"bounds":{"max_partitions":2},"fresh":true,"loss":{"delta":"1e-9","epsilon":"0.1"},"project":"maths_gap","sql":"SELECT …"}` {
		t.Errorf("asked %s with key %q", body, asked.key)
	}
}

func TestRepeatSaysThatItWasFree(t *testing.T) {
	stub{"POST /v1/queries": answers(`{"id": "rel_a", "repeat": true, "columns": [{"name": "n", "kind": "aggregate", "type": "int64"}],
		"rows": [], "confidence": 0.95, "charged": [], "datasets": [{"id": "a.b", "version": 1}], "log": {"entry": 4}}`)}.start(t)
	run(t, "", "query", "-p", "p", "SELECT COUNT(*) AS n FROM a.b").want(t, exitOK, "(none)", "Answered before: nothing was charged.", "!Charged")
}

func TestEveryQuestionHasAKeyOfItsOwn(t *testing.T) {
	asked := make(chan string, 10)
	stub{"POST /v1/queries": func(w http.ResponseWriter, r *http.Request) {
		asked <- r.Header.Get("Idempotency-Key")
		panic(http.ErrAbortHandler) // the connection breaks
	}}.start(t)
	keys := map[string]bool{}
	for range 3 {
		got := run(t, "", "query", "-p", "p", "SELECT COUNT(*) FROM a.b")
		got.want(t, exitFailed)
		got.wantErr(t, "ask the same again with --idempotency-key ask_")
		keys[<-asked] = true
	}
	if len(keys) != 3 || keys[""] {
		t.Errorf("keys %v", keys)
	}
}

func TestArrowIsSavedWholeOrNotAtAll(t *testing.T) {
	breaks := false
	stub{"POST /v1/queries": func(w http.ResponseWriter, r *http.Request) {
		if accept := r.Header.Get("Accept"); !strings.HasPrefix(accept, arrowStream) {
			t.Errorf("accepts %q", accept)
		}
		if breaks {
			w.Header().Set("Content-Length", "1000")
		}
		_, _ = io.WriteString(w, "arrow bytes")
	}}.start(t)
	dir := t.TempDir()
	file := filepath.Join(dir, "answer.arrows")
	run(t, "", "query", "-p", "p", "--arrow", file, "SELECT 1").want(t, exitOK, file)
	if b, err := os.ReadFile(file); err != nil || string(b) != "arrow bytes" {
		t.Errorf("saved %q, %v", b, err)
	}
	run(t, "", "query", "-p", "p", "--arrow", "-", "SELECT 1").want(t, exitOK, "arrow bytes")
	breaks = true
	got := run(t, "", "query", "-p", "p", "--arrow", filepath.Join(dir, "other"), "SELECT 1")
	got.want(t, exitFailed)
	got.wantErr(t, "broke off", "--idempotency-key")
	if left, err := os.ReadDir(dir); err != nil || len(left) != 1 {
		t.Errorf("left behind: %v, %v", left, err)
	}
}

func TestEstimate(t *testing.T) {
	var body struct {
		GroupSize int64 `json:"group_size"`
	}
	stub{"POST /v1/estimates": func(w http.ResponseWriter, r *http.Request) {
		if err := json.NewDecoder(r.Body).Decode(&body); err != nil {
			t.Error(err)
		}
		answers(`{"question": "SELECT COUNT(*) AS n FROM kr_edu.students", "decision": {"allowed": false, "rule": "default", "reason": "no rule allows it", "pre_threshold": 1},
		"charged": [{"account": "kr_edu/student", "epsilon": "0.5", "renyi": ["inf"], "delta": "0", "admitted": false}],
		"aggregates": [{"name": "n", "mechanism": "laplace", "scale": 2, "half_width": 5.9915}], "partitions": "selected", "group_size": 25000, "confidence": 0.95}`)(w, r)
	}}.start(t)
	want := []string{"denied by default: no rule allows it", "costs kr_edu/student ε 0.5 (Rényi inf); the account does not bear it",
		"selected privately", "± 6.0", "25,000 rows"}
	run(t, "", "estimate", "-p", "p", "--group-size", "25000", "SELECT COUNT(*) AS n FROM kr_edu.students").want(t, exitOK, want...)
	if body.GroupSize != 25000 {
		t.Errorf("group size %d", body.GroupSize)
	}
	body.GroupSize = 0
	run(t, "", "query", "--estimate", "-p", "p", "SELECT COUNT(*) AS n FROM kr_edu.students").want(t, exitOK, want...)
	if body.GroupSize != 0 { // what the server assumes
		t.Errorf("group size %d", body.GroupSize)
	}
}
