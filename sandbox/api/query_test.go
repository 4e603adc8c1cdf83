package api

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/apache/arrow/go/v17/arrow"
	"github.com/apache/arrow/go/v17/arrow/array"
	"github.com/apache/arrow/go/v17/arrow/ipc"

	"entrepot/sandbox"
)

// TestIdempotency: one key, one question, one charge, the same bytes for ever, in both forms.
func TestIdempotency(t *testing.T) {
	h := newHouse(t).furnish()
	ask := func(who, body, key string, more ...string) answer {
		return h.as(who, "POST", "/v1/queries", body, append([]string{"Idempotency-Key", key}, more...)...)
	}
	first := h.must(200, ask("researcher", question, "k 1"))
	arrowFirst := h.must(200, ask("researcher", question, "k 1", "Accept", mediaArrow))
	for range 5 {
		again, arrowAgain := ask("researcher", question, "k 1"), ask("researcher", question, "k 1", "Accept", mediaArrow)
		if again.Body != first.Body || arrowAgain.Body != arrowFirst.Body {
			t.Error("the same key gave other bytes")
		}
		again.Header.Del("X-Request-Id")
		first.Header.Del("X-Request-Id")
		for name := range first.Header {
			if again.Header.Get(name) != first.Header.Get(name) {
				t.Errorf("the header %s varies", name)
			}
		}
	}
	if len(h.store.questions) != 1 {
		t.Errorf("%d questions were charged", len(h.store.questions))
	}
	if a := h.must(409, ask("researcher", question+" ", "k 1")); a.code() != "conflict" {
		t.Error(a.Body)
	}
	other := h.must(200, ask("researcher", strings.Replace(question, "{", `{"fresh": true, `, 1), "k 2"))
	if other.Body == first.Body {
		t.Error("a fresh question gave the old answer")
	}
	release := h.must(200, h.as("researcher", "GET", "/v1/releases/rel_id2", ""))
	if release.Body != first.Body {
		t.Errorf("the release is %s\nit was answered as %s", release.Body, first.Body)
	}
	byQuestion := h.must(200, h.as("researcher", "GET", "/v1/releases/qry_id1", "", "Accept", mediaArrow))
	if byQuestion.Body != arrowFirst.Body {
		t.Error("the release's Arrow form is not the one that was answered")
	}
}

func TestIdempotencyKeys(t *testing.T) {
	h := newHouse(t).furnish()
	good := []string{"a", "~", strings.Repeat("k", 255), `"quoted"`, "with spaces within"}
	for _, key := range good {
		h.must(200, h.as("researcher", "POST", "/v1/queries", question, "Idempotency-Key", key))
	}
	bad := []string{"", strings.Repeat("k", 256), "caf\u00e9", "a\x00b", "a\tb", "a\x7fb", "a\x1bb"}
	for _, key := range bad {
		a := h.as("researcher", "POST", "/v1/queries", question, "Idempotency-Key", key)
		if a.Status != 400 || a.code() != "invalid_request" {
			t.Errorf("%q: %d %s", key, a.Status, a.Body)
		}
	}
	r := httptest.NewRequest(http.MethodPost, "/v1/queries", strings.NewReader(question))
	r.Header = http.Header{"Idempotency-Key": {"a", "a"}, "Content-Type": {mediaJSON}, "Authorization": {"Bearer token-researcher"}}
	h.must(400, h.do(r))
}

// TestRepeatIsFree: without a key, the same question gives the stored release.
func TestRepeatIsFree(t *testing.T) {
	h := newHouse(t).furnish()
	var first, again sandbox.Answer
	for i, a := range []*sandbox.Answer{&first, &again} {
		if err := json.Unmarshal([]byte(h.must(200, h.as("researcher", "POST", "/v1/queries", question)).Body), a); err != nil {
			t.Fatal(i, err)
		}
	}
	if first.Repeat || !again.Repeat || first.ID != again.ID || len(first.Charged) != 1 || len(again.Charged) != 0 {
		t.Errorf("%+v\n%+v", first, again)
	}
	if len(h.store.questions) != 1 {
		t.Errorf("%d questions were charged", len(h.store.questions))
	}
}

// TestRefusals: each explains itself, costs nothing, and has the status of its code.
func TestRefusals(t *testing.T) {
	h := newHouse(t).furnish()
	tests := []struct {
		name, body string
		status     int
		code, says string
	}{
		{"SQL", with(`"sql": "SELECT math FROM kr_edu.students"`), 422, "invalid_sql", "rows never leave"},
		{"absent table", with(`"sql": "SELECT COUNT(*) FROM kr_edu.nothing"`), 404, "not_found", "dataset"},
		{"absent project", with(`"project": "nothing"`), 404, "not_found", "project"},
		{"over the rule's ε", with(`"loss": {"epsilon": 2}`), 403, "denied", "max_epsilon_per_query"},
		{"too little ε", with(`"loss": {"epsilon": 1e-5}`), 400, "invalid_request", "ε"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			a := h.as("researcher", "POST", "/v1/queries", test.body)
			if p := problemOf(a); a.Status != test.status || p.Code != test.code || !strings.Contains(p.Detail, test.says) {
				t.Errorf("%d %s", a.Status, a.Body)
			}
		})
	}
	if a := h.as("researcher", "POST", "/v1/queries", tests[0].body); !strings.Contains(a.Body, `"line":1`) || !strings.Contains(a.Body, `"column":8`) {
		t.Errorf("the position is missing: %s", a.Body)
	}
	if len(h.store.questions) != 0 {
		t.Error("something was charged")
	}
	for range 3 {
		h.must(200, h.as("researcher", "POST", "/v1/queries", with(`"fresh": true`)))
	}
	for range 3 {
		h.as("researcher", "POST", "/v1/queries", strings.Replace(with(`"loss": {"epsilon": 1}`), "{", `{"fresh": true, `, 1))
	}
	a := h.must(409, h.as("researcher", "POST", "/v1/queries", strings.Replace(with(`"loss": {"epsilon": 1}`), "{", `{"fresh": true, `, 1)))
	if p := problemOf(a); p.Code != "budget_exhausted" || p.QueryID == "" || p.Hint == "" {
		t.Error(a.Body)
	}
}

// TestAfterTheCharge: whatever fails, the answer is one constant but for the query's id, and what went
// wrong is nowhere but in the operator's log.
func TestAfterTheCharge(t *testing.T) {
	h := newHouse(t).furnish()
	h.engine.fail = errors.New("cannot cast 'canary-row' to integer")
	a := h.must(500, h.as("researcher", "POST", "/v1/queries", question))
	b := h.must(500, h.as("researcher", "POST", "/v1/queries", question, "Accept", mediaArrow))
	if a.code() != "query_failed" || strings.Contains(a.Body, "canary") ||
		a.Body != strings.Replace(b.Body, problemOf(b).QueryID, problemOf(a).QueryID, 1) {
		t.Errorf("%s\n%s", a.Body, b.Body)
	}
	if n := strings.Count(h.log.String(), "canary-row"); n > 2 {
		t.Errorf("the cause is %d times in the operator's log", n)
	}
	h.must(500, h.as("researcher", "POST", "/v1/queries", question))
	if a := h.must(409, h.as("researcher", "POST", "/v1/queries", question)); a.code() != "account_frozen" {
		t.Error(a.Body)
	}
}

// TestPanics: neither value nor stack reaches the client or the log.
func TestPanics(t *testing.T) {
	h := newHouse(t).furnish()
	h.engine.panic = "index of canary-row out of range"
	a := h.must(500, h.as("researcher", "POST", "/v1/queries", question))
	if a.code() != "query_failed" || strings.Contains(a.Body, "canary") || strings.Contains(a.Body, "goroutine") {
		t.Error(a.Body)
	}
	log := h.log.String()
	if strings.Contains(log, "canary") || strings.Contains(log, "goroutine") || !strings.Contains(log, "panic of type string") {
		t.Error(log)
	}
	h.engine.panic = nil
	h.must(200, h.as("researcher", "GET", "/v1/whoami", ""))
}

// TestStoreDown: 503 with a constant, and the cause in the operator's log under the request's id.
func TestStoreDown(t *testing.T) {
	h := newHouse(t).furnish()
	h.store.down = errors.New("disk full on canary-host")
	a := h.must(503, h.as("researcher", "POST", "/v1/queries", question))
	if a.code() != "unavailable" || strings.Contains(a.Body, "canary") {
		t.Error(a.Body)
	}
	if log := h.log.String(); !strings.Contains(log, "canary-host") || !strings.Contains(log, a.Header.Get("X-Request-Id")) {
		t.Error(log)
	}
}

// TestAccept settles the form of an answer.
func TestAccept(t *testing.T) {
	for accept, want := range map[string]bool{
		"": false, "*/*": false, "application/json": false, "text/html": false, "application/*": false,
		mediaArrow: true, "Application/VND.apache.arrow.stream": true, mediaArrow + ";q=0.5": true,
		mediaArrow + ", application/json": true, "application/json, " + mediaArrow: true,
		mediaArrow + ";q=0.5, application/json": false, mediaArrow + ";q=0.9, application/json;q=0.8": true,
		mediaArrow + ";q=0": false, mediaArrow + ";q=2": false, mediaArrow + ";q=NaN": false, mediaArrow + ";q=": false,
		"," + mediaArrow + ",": true, ";;;": false, mediaArrow + "; *": false,
	} {
		r := httptest.NewRequest(http.MethodGet, "/", nil)
		r.Header.Set("Accept", accept)
		if got := prefersArrow(r); got != want {
			t.Errorf("Accept: %s is %v", accept, got)
		}
	}
}

// TestArrowRoundTrip: an Arrow reader finds what JSON says.
func TestArrowRoundTrip(t *testing.T) {
	h := newHouse(t).furnish()
	text := h.must(200, h.as("researcher", "POST", "/v1/queries", question, "Idempotency-Key", "k")).Body
	a := h.must(200, h.as("researcher", "POST", "/v1/queries", question, "Idempotency-Key", "k", "Accept", mediaArrow))
	if a.Header.Get("Content-Type") != mediaArrow || a.Header.Get("Vary") != "Accept" {
		t.Errorf("%v", a.Header)
	}
	var want struct {
		Charged, Datasets, Log json.RawMessage
		Rows                   []map[string]any
	}
	if err := json.Unmarshal([]byte(text), &want); err != nil {
		t.Fatal(err)
	}
	schema, rows := readStream(t, []byte(a.Body))
	for name, value := range map[string]string{"id": "rel_id2", "query_id": "qry_id1", "repeat": "false", "confidence": "0.95",
		"charged": string(want.Charged), "datasets": string(want.Datasets), "log": string(want.Log)} {
		if got, ok := schema.Metadata().GetValue(name); !ok || got != value {
			t.Errorf("the metadata %s is %q, want %q", name, got, value)
		}
	}
	types := "gender utf8, n int64, n_low float64, n_high float64, maths float64, maths_low float64, maths_high float64"
	var got []string
	for _, f := range schema.Fields() {
		got = append(got, f.Name+" "+f.Type.String())
	}
	if strings.Join(got, ", ") != types {
		t.Errorf("the schema is %q", got)
	}
	if scale, ok := schema.Field(1).Metadata.GetValue("scale"); !ok || !strings.HasPrefix(scale, "4.0") {
		t.Errorf("the scale of n is %q", scale)
	}
	if len(rows) != len(want.Rows) {
		t.Fatalf("%d rows, want %d", len(rows), len(want.Rows))
	}
	for i, row := range rows {
		for name, v := range want.Rows[i] {
			if n, ok := row[name].(int64); ok {
				row[name] = float64(n)
			}
			if row[name] != v {
				t.Errorf("row %d: %s is %v, want %v", i, name, row[name], v)
			}
		}
	}
}

// readStream reads an Arrow IPC stream that has at most one batch of rows.
func readStream(t *testing.T, b []byte) (*arrow.Schema, []map[string]any) {
	t.Helper()
	r, err := ipc.NewReader(bytes.NewReader(b))
	if err != nil {
		t.Fatal(err)
	}
	defer r.Release()
	var rows []map[string]any
	batches := 0
	for r.Next() {
		batches++
		record := r.Record()
		for i := range int(record.NumRows()) {
			row := map[string]any{}
			for j, f := range record.Schema().Fields() {
				row[f.Name] = arrowValue(record.Column(j), i)
			}
			rows = append(rows, row)
		}
	}
	if r.Err() != nil && !errors.Is(r.Err(), io.EOF) || batches != 1 {
		t.Fatalf("%d batches, %v", batches, r.Err())
	}
	return r.Schema(), rows
}

func arrowValue(column arrow.Array, i int) any {
	if column.IsNull(i) {
		return nil
	}
	switch c := column.(type) {
	case *array.String:
		return c.Value(i)
	case *array.Int64:
		return c.Value(i)
	case *array.Float64:
		return c.Value(i)
	case *array.Boolean:
		return c.Value(i)
	case *array.Date32:
		return c.Value(i).ToTime().Format(time.DateOnly)
	case *array.Timestamp:
		return c.Value(i).ToTime(arrow.Microsecond).Format(time.RFC3339Nano)
	}
	return column.DataType().String()
}

// TestArrowTypes: every type a key can have, NULL, and no rows at all.
func TestArrowTypes(t *testing.T) {
	a := sandbox.Answer{ID: "rel_1", Columns: []sandbox.Column{{Name: "s", Kind: "key", Type: "string"}, {Name: "i", Kind: "key", Type: "int64"},
		{Name: "b", Kind: "key", Type: "bool"}, {Name: "d", Kind: "key", Type: "date"}, {Name: "t", Kind: "key", Type: "timestamp"},
		{Name: "n", Kind: "aggregate", Type: "int64", Mechanism: "laplace", Scale: 1}}}
	if _, rows := readStream(t, mustArrow(t, a)); len(rows) != 0 {
		t.Errorf("%d rows", len(rows))
	}
	stored := `[{"s":"a\u0000b","i":9007199254740993,"b":true,"d":"1969-12-31","t":"2026-11-21T09:30:00.000001Z","n":-9007199254740993,"n_low":-1.5,"n_high":1},
		{"s":null,"i":null,"b":null,"d":null,"t":null,"n":0,"n_low":null,"n_high":null}]`
	if err := json.Unmarshal([]byte(stored), &a.Rows); err != nil {
		t.Fatal(err)
	}
	first := mustArrow(t, a)
	_, rows := readStream(t, first)
	want := map[string]any{"s": "a\x00b", "i": int64(9007199254740993), "b": true, "d": "1969-12-31", "t": "2026-11-21T09:30:00.000001Z",
		"n": int64(-9007199254740993), "n_low": -1.5, "n_high": 1.0}
	for name, v := range want {
		if rows[0][name] != v {
			t.Errorf("%s is %v, want %v", name, rows[0][name], v)
		}
		if name != "n" && rows[1][name] != nil {
			t.Errorf("%s is %v, want NULL", name, rows[1][name])
		}
	}
	if !bytes.Equal(first, mustArrow(t, a)) {
		t.Error("the same answer gave other bytes")
	}
	for name, broken := range map[string]string{"a word for a number": `[{"s":"","i":"canary","b":true,"d":null,"t":null,"n":0,"n_low":0,"n_high":0}]`,
		"a field too few": `[{"s":"canary"}]`, "another field": `[{"x":"canary","i":1,"b":true,"d":null,"t":null,"n":0,"n_low":0,"n_high":0}]`,
		"text for a bool": `[{"s":"","i":1,"b":"canary","d":null,"t":null,"n":0,"n_low":0,"n_high":0}]`,
		"a list":          `[{"s":["canary"],"i":1,"b":true,"d":null,"t":null,"n":0,"n_low":0,"n_high":0}]`} {
		if err := json.Unmarshal([]byte(broken), &a.Rows); err != nil {
			t.Fatal(err)
		}
		if _, err := arrowStream(a); err == nil || strings.Contains(err.Error(), "canary") {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func mustArrow(t *testing.T, a sandbox.Answer) []byte {
	t.Helper()
	b, err := arrowStream(a)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// TestLogHoldsNoContent: nothing that a client sends or receives is in the operator's log, in what goes
// well and in what does not.
func TestLogHoldsNoContent(t *testing.T) {
	h := newHouse(t).furnish()
	canary := strings.Replace(question, "maths FROM", "canary_sql FROM", 1)
	h.must(200, h.as("researcher", "POST", "/v1/queries", canary, "Idempotency-Key", "canary-key", "X-Request-Id", "canary-id", "User-Agent", "canary-agent"))
	for _, target := range []string{"/v1/canary-path", "/v1/projects/canary_project", "/v1/releases/rel_canary", "/v1/audit/entries?canary=1", "/canary/%2F"} {
		h.as("researcher", "GET", target, "")
	}
	h.as("researcher", "CANARY", "/v1/whoami", "")
	h.as("researcher", "POST", "/v1/queries", `{"canary": "canary"`)
	h.as("researcher", "POST", "/v1/queries", with(`"sql": "SELECT canary FROM canary.canary"`))
	h.as("canary", "GET", "/v1/whoami", "")
	h.as("owner", "PUT", "/v1/datasets/kr_edu/canary", strings.Replace(datasetDoc, "gender", "canary", 1))
	if log := strings.ToLower(h.log.String()); strings.Contains(log, "canary") {
		t.Error(log[strings.Index(log, "canary")-200:])
	}
	if log := h.log.String(); !strings.Contains(log, "route=/v1/queries status=200") || !strings.Contains(log, "principal=lab_sg/ada") {
		t.Error(log)
	}
}

// TestResponsesAreWhole: answers carry their length, are never compressed, and say nothing of time.
func TestResponsesAreWhole(t *testing.T) {
	h := newHouse(t).furnish()
	server := httptest.NewServer(h.handler)
	defer server.Close()
	client := &http.Client{Transport: &http.Transport{DisableCompression: true}}
	defer client.CloseIdleConnections()
	for _, accept := range []string{mediaJSON, mediaArrow} {
		r, _ := http.NewRequest(http.MethodPost, server.URL+"/v1/queries", strings.NewReader(question))
		r.Header = http.Header{"Content-Type": {mediaJSON}, "Authorization": {"Bearer token-researcher"},
			"Accept": {accept}, "Accept-Encoding": {"gzip, br, zstd"}, "Origin": {"https://evil.example"}, "X-Request-Id": {"theirs"}}
		w, err := client.Do(r)
		if err != nil {
			t.Fatal(err)
		}
		b, err := io.ReadAll(w.Body)
		w.Body.Close()
		if err != nil || w.StatusCode != http.StatusOK || w.ContentLength != int64(len(b)) || len(w.TransferEncoding) > 0 {
			t.Errorf("%d, %d of %d bytes, %v, %v", w.StatusCode, len(b), w.ContentLength, w.TransferEncoding, err)
		}
		for _, name := range []string{"Content-Encoding", "Server-Timing", "Server", "X-Powered-By", "Access-Control-Allow-Origin"} {
			if v := w.Header.Get(name); v != "" {
				t.Errorf("%s: %s", name, v)
			}
		}
		for name, want := range map[string]string{"X-Content-Type-Options": "nosniff", "Cache-Control": "no-store", "Referrer-Policy": "no-referrer"} {
			if v := w.Header.Get(name); v != want {
				t.Errorf("%s: %s", name, v)
			}
		}
		if id := w.Header.Get("X-Request-Id"); len(id) != 24 || id == "theirs" {
			t.Errorf("X-Request-Id is %q", id)
		}
	}
}

// TestTornExport: an export that fails before it begins is a problem; one that fails later breaks the
// connection, so that no client takes it for whole.
func TestTornExport(t *testing.T) {
	h := newHouse(t).furnish()
	for range 60 {
		h.must(200, h.as("researcher", "POST", "/v1/queries", question)) // each a repeat, with its entry
	}
	server := httptest.NewServer(h.handler)
	defer server.Close()
	get := func() (int, string, error) {
		r, _ := http.NewRequest(http.MethodGet, server.URL+"/v1/audit/export", nil)
		r.Header.Set("Authorization", "Bearer token-regulator")
		w, err := server.Client().Do(r)
		if err != nil {
			t.Fatal(err)
		}
		defer w.Body.Close()
		b, err := io.ReadAll(w.Body)
		return w.StatusCode, string(b), err
	}
	if status, body, err := get(); status != 200 || err != nil || !strings.HasSuffix(body, "end\n") {
		t.Errorf("whole: %d %v %q", status, err, body[max(0, len(body)-40):])
	}
	h.store.tornLog = 1
	for range 300 {
		h.must(200, h.as("researcher", "POST", "/v1/queries", question))
	}
	if status, body, err := get(); status != 200 || err == nil || strings.HasSuffix(body, "end\n") || strings.Contains(body, "canary") {
		t.Errorf("torn: %d %v %q", status, err, body[max(0, len(body)-40):])
	}
	h.store.tornLog = -1
	if status, body, err := get(); status < 500 || err != nil || strings.Contains(body, "canary") || !strings.Contains(body, `"code"`) {
		t.Errorf("from the start: %d %v %s", status, err, body)
	}
	if !strings.Contains(h.log.String(), "canary-torn") {
		t.Error("the operator is not told why")
	}
}

// TestParallel: the API keeps no state between requests but its limits.
func TestParallel(t *testing.T) {
	h := newHouse(t).furnish()
	var wait sync.WaitGroup
	for i := range 32 {
		wait.Go(func() {
			who, want := "researcher", "lab_sg/ada"
			if i%2 == 0 {
				who, want = "owner", "kr_edu/kim"
			}
			for range 20 {
				if a := h.as(who, "GET", "/v1/whoami", ""); !strings.Contains(a.Body, want) {
					t.Errorf("%s is told %s", who, a.Body)
				}
			}
		})
	}
	wait.Wait()
}
