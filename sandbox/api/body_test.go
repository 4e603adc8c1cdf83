package api

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"testing"
	"time"
)

func TestMediaTypes(t *testing.T) {
	h := newHouse(t).furnish()
	tests := []struct {
		name, method, target string
		headers              []string
		status               int
	}{
		{"json", "POST", "/v1/queries", []string{"application/json"}, 200},
		{"json with charset", "POST", "/v1/queries", []string{"application/json; charset=UTF-8"}, 200},
		{"json in capitals", "POST", "/v1/queries", []string{"Application/JSON"}, 200},
		{"none", "POST", "/v1/queries", nil, 415},
		{"empty", "POST", "/v1/queries", []string{""}, 415},
		{"text", "POST", "/v1/queries", []string{"text/plain"}, 415},
		{"form", "POST", "/v1/queries", []string{"application/x-www-form-urlencoded"}, 415},
		{"another json", "POST", "/v1/queries", []string{"application/problem+json"}, 415},
		{"yaml where only json is read", "POST", "/v1/queries", []string{"application/yaml"}, 415},
		{"another charset", "POST", "/v1/queries", []string{"application/json; charset=utf-16"}, 415},
		{"twice", "POST", "/v1/queries", []string{"application/json", "application/json"}, 415},
		{"a list", "POST", "/v1/queries", []string{"application/json, text/plain"}, 415},
		{"wildcard", "POST", "/v1/queries", []string{"*/*"}, 415},
		{"broken", "POST", "/v1/queries", []string{"application/json; charset"}, 415},
		{"a table as json", "POST", "/v1/datasets/kr_edu/students/versions", []string{"application/json"}, 415},
		{"a table as octets", "POST", "/v1/datasets/kr_edu/students/versions", []string{"application/octet-stream"}, 415},
		{"a document as csv", "PUT", "/v1/datasets/kr_edu/students", []string{"text/csv"}, 415},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			r := httptest.NewRequest(test.method, test.target, strings.NewReader(question))
			for _, v := range test.headers {
				r.Header.Add("Content-Type", v)
			}
			r.Header.Set("Authorization", "Bearer token-researcher")
			if test.target != "/v1/queries" {
				r.Header.Set("Authorization", "Bearer token-owner")
			}
			a := h.must(test.status, h.do(r))
			if test.status == 415 && a.code() != "unsupported_media_type" {
				t.Error(a.Body)
			}
		})
	}
	if a := h.as("researcher", "POST", "/v1/queries", question, "Content-Encoding", "gzip"); a.Status != 415 {
		t.Errorf("a compressed body: %d", a.Status)
	}
}

// TestBodyLimits: at the limit a body is read, one byte beyond it is not, labelled or not.
func TestBodyLimits(t *testing.T) {
	h := newHouse(t, func(o *Options) {
		o.Limits.JSON, o.Limits.SQL, o.Limits.Upload = 2000, 1000, 500
	}).furnish()
	pad := func(text string, size int) string { return text + strings.Repeat(" ", size-len(text)) }
	h.must(200, h.as("researcher", "POST", "/v1/queries", pad(question, 1000)))
	h.must(200, h.as("researcher", "POST", "/v1/estimates", pad(question, 1000)))
	h.must(200, h.as("manager", "PUT", "/v1/projects/gap", pad(projectDoc, 2000)))
	h.must(201, h.as("owner", "POST", "/v1/datasets/kr_edu/students/versions", table+strings.Repeat("s9,male,1\n", (500-len(table))/10), "Content-Type", "text/csv"))
	tooLarge := []struct{ who, method, target, body, media string }{
		{"researcher", "POST", "/v1/queries", pad(question, 1001), mediaJSON},
		{"researcher", "POST", "/v1/estimates", pad(question, 1001), mediaJSON},
		{"manager", "PUT", "/v1/projects/gap", pad(projectDoc, 2001), mediaJSON},
		{"owner", "PUT", "/v1/datasets/kr_edu/students", pad(datasetDoc, 2001), mediaYAML},
		{"owner", "PUT", "/v1/datasets/kr_edu/students/policy", pad(policyDoc, 2001), mediaJSON},
		{"owner", "PUT", "/v1/accounts/kr_edu/student", pad(`{"kind": "renyi", "epsilon": "3", "delta": "1e-6"}`, 2001), mediaJSON},
		{"owner", "POST", "/v1/decisions", pad(`{"dataset": "kr_edu.students", "action": "metadata"}`, 2001), mediaJSON},
		{"owner", "POST", "/v1/datasets/kr_edu/students/versions", pad(table, 501), "text/csv"},
	}
	for _, test := range tooLarge {
		for _, chunked := range []bool{false, true} {
			r := httptest.NewRequest(test.method, test.target, strings.NewReader(test.body))
			if chunked {
				r.ContentLength = -1
			}
			r.Header.Set("Content-Type", test.media)
			r.Header.Set("Authorization", "Bearer token-"+test.who)
			if a := h.do(r); a.Status != 413 || a.code() != "too_large" {
				t.Errorf("%s %s, chunked %v: %d %s", test.method, test.target, chunked, a.Status, a.Body)
			}
		}
	}
	if left, _ := os.ReadDir(h.spool); len(left) > 0 {
		t.Errorf("the spool has %d files left", len(left))
	}
}

// TestUploadIsRefusedBeforeItIsRead: who may not register rows cannot make the server read them.
func TestUploadIsRefusedBeforeItIsRead(t *testing.T) {
	h := newHouse(t).furnish()
	for who, status := range map[string]int{"researcher": 403, "operator": 403, "stranger": 403, "": 401} {
		r := httptest.NewRequest(http.MethodPost, "/v1/datasets/kr_edu/students/versions", failingReader{t})
		r.Header.Set("Content-Type", "text/csv")
		if who != "" {
			r.Header.Set("Authorization", "Bearer token-"+who)
		}
		h.must(status, h.do(r))
	}
	r := httptest.NewRequest(http.MethodPost, "/v1/datasets/kr_edu/nothing/versions", failingReader{t})
	r.Header.Set("Content-Type", "text/csv")
	r.Header.Set("Authorization", "Bearer token-owner")
	h.must(404, h.do(r))
}

// TestUploadsHaveNoNames: while a table is spooled its folder is empty, and a transfer that breaks off
// leaves nothing and registers nothing.
func TestUploadsHaveNoNames(t *testing.T) {
	h := newHouse(t).furnish()
	look := io.MultiReader(strings.NewReader(table), readerFunc(func([]byte) (int, error) {
		if left, _ := os.ReadDir(h.spool); len(left) > 0 {
			t.Errorf("the upload is called %s", left[0].Name())
		}
		return 0, errors.New("reset by peer, canary-network")
	}))
	r := httptest.NewRequest(http.MethodPost, "/v1/datasets/kr_edu/students/versions", look)
	r.Header.Set("Content-Type", "text/csv")
	r.Header.Set("Authorization", "Bearer token-owner")
	a := h.must(400, h.do(r))
	if strings.Contains(a.Body, "canary") {
		t.Error(a.Body)
	}
	if v := h.must(200, h.as("owner", "GET", "/v1/datasets/kr_edu/students", "")); !strings.Contains(v.Body, `"version":1`) {
		t.Errorf("something was registered: %s", v.Body)
	}
}

type readerFunc func([]byte) (int, error)

func (f readerFunc) Read(p []byte) (int, error) { return f(p) }

// TestUploadsAtOnce: beyond their number uploads wait outside.
func TestUploadsAtOnce(t *testing.T) {
	h := newHouse(t, func(o *Options) { o.Limits.Uploads = 1 }).furnish()
	inner := false
	r := httptest.NewRequest(http.MethodPost, "/v1/datasets/kr_edu/students/versions", io.MultiReader(strings.NewReader(table),
		readerFunc(func([]byte) (int, error) {
			inner = true
			a := h.must(429, h.as("owner", "POST", "/v1/datasets/kr_edu/students/versions", table, "Content-Type", "text/csv"))
			if a.Header.Get("Retry-After") != "10" {
				t.Errorf("Retry-After is %q", a.Header.Get("Retry-After"))
			}
			return 0, io.EOF
		})))
	r.Header.Set("Content-Type", "text/csv")
	r.Header.Set("Authorization", "Bearer token-owner")
	h.must(201, h.do(r))
	if !inner {
		t.Error("the body was not read to its end")
	}
	h.must(201, h.as("owner", "POST", "/v1/datasets/kr_edu/students/versions", table, "Content-Type", "text/csv"))
}

// TestStrictUpload: the owner gets the report, nothing is registered, and the log quotes no cell.
func TestStrictUpload(t *testing.T) {
	h := newHouse(t).furnish()
	canary := strings.Replace(table, "512.5", "canary-cell", 1)
	a := h.must(422, h.as("owner", "POST", "/v1/datasets/kr_edu/students/versions?strict=true", canary, "Content-Type", "text/csv"))
	if a.code() != "upload_rejected" || !strings.Contains(a.Body, `"report":{"rows_read":2`) || !strings.Contains(a.Body, "canary-cell") {
		t.Error(a.Body)
	}
	h.must(201, h.as("owner", "POST", "/v1/datasets/kr_edu/students/versions?strict=false", canary, "Content-Type", "text/csv"))
	if strings.Contains(h.log.String(), "canary") {
		t.Error("the operator's log quotes a cell")
	}
}

// TestFormats: a body that is not what its type says is refused, whatever it is.
func TestFormats(t *testing.T) {
	h := newHouse(t).furnish()
	for _, media := range []string{"application/vnd.apache.parquet", "application/vnd.apache.arrow.file", mediaArrow, "text/csv"} {
		for name, body := range map[string]string{"nothing": "\n", "noise": "\x00\x01\x02canary-noise", "PAR1": "PAR1PAR1", "ARROW1": "ARROW1\x00\x00"} {
			a := h.as("owner", "POST", "/v1/datasets/kr_edu/students/versions", body, "Content-Type", media)
			if a.Status < 400 || a.Status >= 500 || strings.Contains(a.Body+h.log.String(), "canary") {
				t.Errorf("%s as %s: %d %s", name, media, a.Status, a.Body)
			}
		}
	}
}

// TestPolicyRevisions: one owner cannot overwrite what another has just changed.
func TestPolicyRevisions(t *testing.T) {
	h := newHouse(t).furnish()
	const target = "/v1/datasets/kr_edu/students/policy"
	if a := h.must(412, h.as("owner", "PUT", target, policyDoc)); a.code() != "precondition_failed" || !strings.Contains(a.Body, "If-Match") {
		t.Error(a.Body)
	}
	first := h.must(200, h.as("owner", "GET", target, ""))
	if first.Header.Get("ETag") != `"1"` {
		t.Fatalf("ETag is %q", first.Header.Get("ETag"))
	}
	a := h.must(200, h.as("owner", "PUT", target, policyDoc, "If-Match", first.Header.Get("ETag")))
	if a.Header.Get("ETag") != `"2"` || a.Body != `{"dataset":"kr_edu.students","revision":2}` {
		t.Errorf("%q %s", a.Header.Get("ETag"), a.Body)
	}
	h.must(412, h.as("owner", "PUT", target, policyDoc, "If-Match", `"1"`))
	h.must(412, h.as("owner", "PUT", target, policyDoc, "If-Match", `"3"`))
	for _, bad := range []string{"", "2", `"2`, `2"`, `W/"2"`, `*`, `"2", "3"`, `"02"`, `"+2"`, `"0"`, `"-1"`, `""`, `"99999999999999999999"`, `" 2"`} {
		if a := h.as("owner", "PUT", target, policyDoc, "If-Match", bad); a.Status != 400 || !strings.Contains(a.Body, "ETag") {
			t.Errorf("If-Match: %s: %d %s", bad, a.Status, a.Body)
		}
	}
	r := httptest.NewRequest(http.MethodPut, target, strings.NewReader(policyDoc))
	r.Header = http.Header{"If-Match": {`"2"`, `"2"`}, "Content-Type": {mediaJSON}, "Authorization": {"Bearer token-owner"}}
	h.must(400, h.do(r))
	h.must(200, h.as("regulator", "GET", target, ""))
	if again := h.must(200, h.as("owner", "GET", target, "")); again.Header.Get("ETag") != `"2"` || again.Body != first.Body {
		t.Errorf("%q %s", again.Header.Get("ETag"), again.Body)
	}
}

// TestPartialBodies: a JSON body that breaks off is a client error, and its cause stays inside.
func TestPartialBodies(t *testing.T) {
	h := newHouse(t).furnish()
	body := io.MultiReader(bytes.NewReader([]byte(question)), readerFunc(func([]byte) (int, error) {
		return 0, fmt.Errorf("connection lost, canary-peer")
	}))
	r := httptest.NewRequest(http.MethodPost, "/v1/queries", body)
	r.Header = http.Header{"Content-Type": {mediaJSON}, "Authorization": {"Bearer token-researcher"}}
	if a := h.must(400, h.do(r)); strings.Contains(a.Body, "canary") {
		t.Error(a.Body)
	}
}

// deadlines records what a handler asks of its connection.
type deadlines struct {
	*httptest.ResponseRecorder
	read, write time.Time
}

func (d *deadlines) SetReadDeadline(t time.Time) error  { d.read = t; return nil }
func (d *deadlines) SetWriteDeadline(t time.Time) error { d.write = t; return nil }

// TestLongTransfers: uploads and exports get the time that they were promised, and nothing else does.
func TestLongTransfers(t *testing.T) {
	h := newHouse(t, func(o *Options) { o.Limits.UploadTime = 5 * time.Hour }).furnish()
	tests := []struct {
		who, method, target, media, body string
		long                             bool
	}{
		{"owner", "POST", "/v1/datasets/kr_edu/students/versions", "text/csv", table, true},
		{"regulator", "GET", "/v1/audit/export", "", "", true},
		{"researcher", "POST", "/v1/queries", mediaJSON, question, false},
	}
	for _, test := range tests {
		r := httptest.NewRequest(test.method, test.target, strings.NewReader(test.body))
		r.Header = http.Header{"Content-Type": {test.media}, "Authorization": {"Bearer token-" + test.who}}
		w := &deadlines{ResponseRecorder: httptest.NewRecorder()}
		h.handler.ServeHTTP(w, r)
		least := time.Now().Add(4 * time.Hour)
		if w.Code >= 300 || w.read.After(least) != test.long || w.write.After(least) != test.long {
			t.Errorf("%s %s: %d, until %s and %s", test.method, test.target, w.Code, w.read, w.write)
		}
	}
}
