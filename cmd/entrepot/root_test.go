package main

import (
	"bytes"
	"context"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"testing"

	"github.com/spf13/cobra"
)

// outcome is what one command line did.
type outcome struct {
	code     int
	out, err string
}

// run executes a command line.
func run(t *testing.T, stdin string, args ...string) outcome {
	t.Helper()
	var out, errs bytes.Buffer
	code := execute(t.Context(), args, strings.NewReader(stdin), &out, &errs)
	return outcome{code, out.String(), errs.String()}
}

// want checks the code and that the texts are on stdout; a text that begins with ! must not be.
func (o outcome) want(t *testing.T, code int, texts ...string) {
	t.Helper()
	if o.code != code {
		t.Errorf("exit code %d, want %d\nstdout: %s\nstderr: %s", o.code, code, o.out, o.err)
	}
	contains(t, "stdout", o.out, texts)
}

func (o outcome) wantErr(t *testing.T, texts ...string) {
	t.Helper()
	contains(t, "stderr", o.err, texts)
}

func contains(t *testing.T, where, got string, texts []string) {
	t.Helper()
	for _, text := range texts {
		if not, ok := strings.CutPrefix(text, "!"); ok == strings.Contains(got, not) {
			t.Errorf("%s: %q expected to be there: %v\n%s", where, not, !ok, got)
		}
	}
}

// stub is a server of recorded answers, by "METHOD /path". It also points the commands to itself.
type stub map[string]http.HandlerFunc

func (s stub) start(t *testing.T) *httptest.Server {
	t.Helper()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		handle, ok := s[r.Method+" "+r.URL.Path]
		if !ok {
			t.Errorf("unexpected request %s %s", r.Method, r.URL.Path)
			handle = problems(http.StatusNotFound, `{"code": "not_found", "detail": "There is no such thing."}`)
		}
		handle(w, r)
	}))
	t.Cleanup(server.Close)
	t.Setenv("ENTREPOT_URL", server.URL)
	t.Setenv("ENTREPOT_TOKEN", "header.claims.signature")
	return server
}

// answers sends a JSON document.
func answers(body string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json; charset=utf-8")
		_, _ = w.Write([]byte(body))
	}
}

// problems sends a refusal.
func problems(status int, body string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/problem+json")
		w.WriteHeader(status)
		_, _ = w.Write([]byte(body))
	}
}

func TestEveryCommandExplainsItself(t *testing.T) {
	var walk func(c *cobra.Command)
	walk = func(c *cobra.Command) {
		t.Run(c.CommandPath(), func(t *testing.T) {
			args := append(strings.Fields(c.CommandPath())[1:], "--help")
			run(t, "", args...).want(t, exitOK, "Usage:", c.CommandPath())
			if c.Short == "" || len([]rune(c.Short)) > 90 {
				t.Errorf("its one line is %q", c.Short)
			}
		})
		for _, sub := range c.Commands() {
			walk(sub)
		}
	}
	walk(rootCommand())
}

func TestRootHelpTellsTheExitCodes(t *testing.T) {
	run(t, "").want(t, exitOK, "Exit codes:", "  0  done", "  1  ", "  2  ", "  3  ", "  4  ", "  5  ")
	run(t, "", "version").want(t, exitOK, "entrepot ")
	run(t, "", "completion", "bash").want(t, exitOK, "bash completion")
}

// A command line that is wrong ends before anything is sent: no server is there in this test.
func TestUsageErrors(t *testing.T) {
	t.Setenv("ENTREPOT_URL", "http://127.0.0.1:1")
	for name, c := range map[string]struct {
		args []string
		tell string
	}{
		"unknown command":             {[]string{"qeury"}, "unknown command"},
		"unknown flag":                {[]string{"whoami", "--colour"}, "unknown flag"},
		"noun alone":                  {[]string{"dataset"}, "register, upload, list"},
		"misspelt verb":               {[]string{"dataset", "uplaod"}, "did you mean upload?"},
		"too many arguments":          {[]string{"whoami", "me"}, `"me"`},
		"token as an argument":        {[]string{"whoami", "--token", "x"}, "unknown flag"},
		"no project":                  {[]string{"query", "SELECT 1"}, `"project" not set`},
		"no SQL":                      {[]string{"query", "-p", "p"}, "from a file with -f"},
		"SQL twice":                   {[]string{"query", "-p", "p", "-f", "x.sql", "SELECT 1"}, "from a file with -f"},
		"empty SQL":                   {[]string{"query", "-p", "p", "-"}, "no SQL in"},
		"ε not a number":              {[]string{"query", "-p", "p", "--epsilon", "lots", "SELECT 1"}, "--epsilon"},
		"ε negative":                  {[]string{"query", "-p", "p", "--epsilon", "-1", "SELECT 1"}, "--epsilon"},
		"δ above one":                 {[]string{"query", "-p", "p", "--delta", "2", "SELECT 1"}, "--delta"},
		"bounds negative":             {[]string{"query", "-p", "p", "--max-partitions", "-1", "SELECT 1"}, "at least 1"},
		"estimate and fresh":          {[]string{"query", "-p", "p", "--estimate", "--fresh", "SELECT 1"}, "estimate"},
		"arrow and json":              {[]string{"query", "-p", "p", "--arrow", "x", "--json", "SELECT 1"}, "two forms"},
		"project id":                  {[]string{"query", "-p", "../x", "SELECT 1"}, "not the name of a project"},
		"group of none":               {[]string{"estimate", "-p", "p", "--group-size", "0", "SELECT 1"}, "at least 1"},
		"dataset id":                  {[]string{"dataset", "get", "kr_edu/students"}, "organisation.name"},
		"dataset id that climbs":      {[]string{"dataset", "get", "../../v1.x"}, "organisation.name"},
		"space id":                    {[]string{"account", "open", "kr_edu.student", "--epsilon", "1"}, "organisation/name"},
		"budget without ε":            {[]string{"account", "open", "kr_edu/student"}, `"epsilon" not set`},
		"organisation without a flag": {[]string{"organisation", "put", "kr_edu", "--title", "x"}, "jurisdiction"},
		"project both ways":           {[]string{"project", "put", "p", "-f", "x", "--title", "x"}, "title"},
		"project without a day":       {[]string{"project", "put", "p", "--title", "x", "--from", "soon"}, "--from"},
		"release id":                  {[]string{"release", "get", "7"}, "rel_"},
		"explain: as whom":            {[]string{"policy", "explain", "a.b", "--as", "a/b"}, "role"},
		"tail of nothing":             {[]string{"audit", "tail", "-n", "0"}, "--entries"},
		"verify without a key":        {[]string{"audit", "verify", "x"}, `"key" not set`},
		"verify with a broken key":    {[]string{"audit", "verify", "x", "--key", "entrepot/log+1+x"}, "--key"},
		"timeout negative":            {[]string{"whoami", "--timeout", "-1s"}, "--timeout"},
		"URL of no server":            {[]string{"whoami", "--url", "entrepot.example"}, "not the URL"},
		"URL with a password":         {[]string{"whoami", "--url", "https://me:secret@entrepot.example"}, "ENTREPOT_TOKEN"},
		"token: no role":              {[]string{"token", "--organisation", "a", "--name", "b"}, `"role" not set`},
		"token: life":                 {[]string{"token", "--organisation", "a", "--name", "b", "--role", "owner", "--ttl", "soon"}, "--ttl"},
		"backup without a place":      {[]string{"backup"}, `"to" not set`},
		"serve: half of TLS":          {[]string{"serve", "--data", "x", "--tls-cert", "c.pem"}, "--tls-key"},
	} {
		t.Run(name, func(t *testing.T) {
			got := run(t, "", c.args...)
			got.want(t, exitUsage)
			got.wantErr(t, "entrepot: ", c.tell, "--help")
			if got.out != "" {
				t.Errorf("stdout: %s", got.out)
			}
		})
	}
}

func TestServeRefusesAnUnknownSetting(t *testing.T) {
	file := t.TempDir() + "/entrepot.yaml"
	if err := os.WriteFile(file, []byte("listen-on: 127.0.0.1:0\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	got := run(t, "", "serve", "--config", file)
	got.want(t, exitUsage)
	got.wantErr(t, `"listen-on"`, "addr")
}

func TestInterrupted(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	stub{"GET /v1/whoami": func(http.ResponseWriter, *http.Request) { cancel() }}.start(t)
	var out, errs bytes.Buffer
	cancelled := make(chan int)
	go func() { cancelled <- execute(ctx, []string{"whoami"}, strings.NewReader(""), &out, &errs) }()
	if code := <-cancelled; code != exitFailed || out.Len() > 0 {
		t.Errorf("exit code %d, stdout %q, stderr %q", code, &out, &errs)
	}
}
