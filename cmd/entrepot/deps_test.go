package main

import (
	"encoding/json"
	"io"
	"os/exec"
	"strings"
	"testing"
)

// rule says what a package must not import directly, and why. A trailing /... covers what is below.
type rule struct {
	pkg     string
	never   []string
	because string
}

var rules = []rule{
	{"entrepot/privacy/...", []string{"entrepot/datasets", "entrepot/access", "entrepot/sandbox/...", "database/sql", "net/...", "os",
		"github.com/labstack/...", "github.com/duckdb/...", "github.com/apache/...", "github.com/casbin/..."}, "it must be arguable as mathematics"},
	{"entrepot/datasets", []string{"entrepot/privacy/...", "entrepot/access", "entrepot/sandbox/...", "github.com/duckdb/...", "github.com/labstack/..."},
		"a table knows nothing of who asks"},
	{"entrepot/access", []string{"entrepot/privacy/...", "entrepot/datasets", "entrepot/sandbox/...", "github.com/labstack/..."},
		"a decision is a function of values it is handed"},
	{"entrepot/sandbox", []string{"entrepot/sandbox/api", "entrepot/sandbox/engine", "entrepot/sandbox/store", "database/sql",
		"github.com/labstack/...", "github.com/duckdb/...", "github.com/casbin/...", "github.com/mattn/...", "github.com/jackc/..."},
		"use cases know interfaces only"},
	{"entrepot/sandbox/query", []string{"entrepot/sandbox", "entrepot/sandbox/engine", "entrepot/sandbox/store", "database/sql"},
		"planning never touches rows"},
	{"entrepot/sandbox/engine", []string{"entrepot/sandbox", "entrepot/privacy/ledger", "entrepot/sandbox/audit", "entrepot/sandbox/store"},
		"it computes; it neither charges nor releases"},
	{"entrepot/sandbox/api", []string{"entrepot/sandbox/engine", "entrepot/sandbox/query", "entrepot/sandbox/store", "github.com/duckdb/..."},
		"handlers cannot reach rows"},
	{"entrepot/...", []string{"entrepot/privacy/privacytest", "entrepot/sandbox/query/querytest"}, "no noise-off switch exists in the product"},
}

// homes says which package alone may import an outside library.
var homes = map[string]string{
	"github.com/google/differential-privacy": "entrepot/privacy",
	"github.com/duckdb":                      "entrepot/sandbox/engine",
	"github.com/labstack/echo":               "entrepot/sandbox/api",
	"github.com/pganalyze/pg_query_go":       "entrepot/sandbox/query",
	"github.com/casbin":                      "entrepot/access",
	"github.com/mattn/go-sqlite3":            "entrepot/sandbox/store",
	"golang.org/x/mod/sumdb":                 "entrepot/sandbox/audit",
}

type listed struct {
	ImportPath string
	Imports    []string // of the package itself, without its tests
}

func TestImports(t *testing.T) {
	packages := goList(t)
	if len(packages) < 10 {
		t.Fatalf("go list found only %d packages", len(packages))
	}
	for _, p := range packages {
		for _, imported := range p.Imports {
			for _, r := range rules {
				if p.ImportPath == "entrepot/sandbox/query/querytest" {
					continue // it serves tests only, which the last rule sees to
				}
				if covers(r.pkg, p.ImportPath) && coversAny(r.never, imported) {
					t.Errorf("%s imports %s: it must not, because %s", p.ImportPath, imported, r.because)
				}
			}
			for library, home := range homes {
				if strings.HasPrefix(imported, library) && p.ImportPath != home {
					t.Errorf("%s imports %s: only %s does", p.ImportPath, imported, home)
				}
			}
		}
	}
}

func goList(t *testing.T) []listed {
	t.Helper()
	c := exec.Command("go", "list", "-json=ImportPath,Imports", "./...")
	c.Dir = "../.."
	out, err := c.Output()
	if err != nil {
		t.Fatal(err)
	}
	var list []listed
	for d := json.NewDecoder(strings.NewReader(string(out))); ; {
		var p listed
		if err := d.Decode(&p); err == io.EOF {
			return list
		} else if err != nil {
			t.Fatal(err)
		}
		list = append(list, p)
	}
}

func covers(pattern, path string) bool {
	if base, ok := strings.CutSuffix(pattern, "/..."); ok {
		return path == base || strings.HasPrefix(path, base+"/")
	}
	return path == pattern
}

func coversAny(patterns []string, path string) bool {
	for _, p := range patterns {
		if covers(p, path) {
			return true
		}
	}
	return false
}
