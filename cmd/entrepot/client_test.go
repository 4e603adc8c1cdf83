package main

import (
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

func TestTokenIsSentOnlyWhereItIsSafe(t *testing.T) {
	for _, c := range []struct {
		url      string
		token    string
		insecure bool
		refused  bool
	}{
		{"http://127.0.0.1:8080", "t", false, false},
		{"http://[::1]:8080", "t", false, false},
		{"http://localhost:8080", "t", false, false},
		{"https://entrepot.example", "t", false, false},
		{"http://entrepot.example", "", false, false},
		{"http://entrepot.example", "t", true, false},
		{"http://entrepot.example", "t", false, true},
		{"http://127.0.0.1.example", "t", false, true},
		{"http://localhost.example", "t", false, true},
		{"http://10.0.0.1", "t", false, true},
		{"http://2130706433", "t", false, true}, // 127.0.0.1 to some, not to us
		{"ftp://localhost", "", false, true},
		{"http://", "", false, true},
		{"https://entrepot.example?token=x", "", false, true},
	} {
		_, err := newClient(c.url, c.token, c.insecure)
		if (err != nil) != c.refused || (err != nil && !isUsage(err)) {
			t.Errorf("%+v: %v", c, err)
		}
	}
}

func TestTokenComesFromFileOrEnvironment(t *testing.T) {
	seen := ""
	stub{"GET /v1/whoami": func(w http.ResponseWriter, r *http.Request) {
		seen = r.Header.Get("Authorization")
		answers(`{"id": "lab_sg/ada", "organisation": "lab_sg", "roles": ["researcher", "manager"]}`)(w, r)
	}}.start(t)
	file := filepath.Join(t.TempDir(), "token")
	writeFile(t, file, "from.the.file\n")
	run(t, "", "whoami").want(t, exitOK, "lab_sg/ada of lab_sg: researcher, manager")
	if seen != "Bearer header.claims.signature" {
		t.Errorf("sent %q", seen)
	}
	run(t, "", "--token-file", file, "whoami").want(t, exitOK)
	if seen != "Bearer from.the.file" {
		t.Errorf("sent %q", seen)
	}
	t.Setenv("ENTREPOT_TOKEN", "")
	run(t, "", "whoami").want(t, exitOK)
	if seen != "" {
		t.Errorf("sent %q", seen)
	}
	for name, content := range map[string]string{"empty": " \n", "two words": "secret one", "a header": "secret\nX-Evil: 1", "long": strings.Repeat("secret", 10_000)} {
		writeFile(t, file, content)
		got := run(t, "", "whoami", "--token-file", file)
		if got.code == exitOK || strings.Contains(got.err, "secret") {
			t.Errorf("%s: %d %s", name, got.code, got.err)
		}
	}
	run(t, "", "whoami", "--token-file", file+".absent").want(t, exitFailed)
}

func writeFile(t *testing.T, path, content string) string {
	t.Helper()
	if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func TestJSONIsWhatTheServerSent(t *testing.T) {
	sent := "{\"id\": \"lab_sg/ada\",  \"organisation\": \"lab_sg\", \"roles\": []}\n"
	stub{"GET /v1/whoami": answers(sent)}.start(t)
	if got := run(t, "", "whoami", "--json"); got.out != sent {
		t.Errorf("printed %q", got.out)
	}
}

func TestAnswersThatAreNone(t *testing.T) {
	for name, c := range map[string]struct {
		handle http.HandlerFunc
		tell   string
	}{
		"a proxy's page": {func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", "text/html")
			w.WriteHeader(http.StatusBadGateway)
			_, _ = io.WriteString(w, "<h1>\x1b[31mBad gateway</h1>")
		}, "not from an entrepot server"},
		"a redirect": {func(w http.ResponseWriter, r *http.Request) {
			http.Redirect(w, r, "https://elsewhere.example/login", http.StatusFound)
		}, "elsewhere.example"},
		"a page that succeeds":   {func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "<html>") }, "form expected"},
		"a problem without code": {problems(http.StatusForbidden, `{"title": "no"}`), "not from an entrepot server"},
		"a problem cut short":    {problems(http.StatusForbidden, `{"code": "denied"`), "not from an entrepot server"},
		"a connection that breaks": {func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Length", "100")
			_, _ = io.WriteString(w, "{")
		}, "no answer from"},
		"too long": {func(w http.ResponseWriter, _ *http.Request) {
			_, _ = io.CopyN(w, endless{}, maxAnswer+1)
		}, "longer than"},
	} {
		t.Run(name, func(t *testing.T) {
			stub{"GET /v1/whoami": c.handle}.start(t)
			got := run(t, "", "whoami")
			got.want(t, exitFailed)
			got.wantErr(t, c.tell, "!\x1b", "!header.claims")
			if got.out != "" {
				t.Errorf("stdout %q", got.out)
			}
		})
	}
}

// endless is white space without end.
type endless struct{}

func (endless) Read(b []byte) (int, error) {
	for i := range b {
		b[i] = ' '
	}
	return len(b), nil
}

func TestTimeout(t *testing.T) {
	done := make(chan struct{})
	stub{"GET /v1/whoami": func(_ http.ResponseWriter, r *http.Request) {
		select {
		case <-r.Context().Done():
		case <-done:
		}
	}}.start(t)
	defer close(done)
	begun := time.Now()
	got := run(t, "", "whoami", "--timeout", "50ms")
	got.want(t, exitFailed)
	got.wantErr(t, "did not answer in time")
	if time.Since(begun) > 10*time.Second {
		t.Error("it did not stop in time")
	}
}

func TestNobodyListens(t *testing.T) {
	t.Setenv("ENTREPOT_TOKEN", "header.claims.signature")
	got := run(t, "", "whoami", "--url", "http://127.0.0.1:1")
	got.want(t, exitFailed)
	got.wantErr(t, "no answer from http://127.0.0.1:1", "!header.claims")
}
