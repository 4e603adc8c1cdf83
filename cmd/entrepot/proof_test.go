package main

import (
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// makers says where alone the product may make what carries a proof, or look behind it.
var makers = []struct{ expression, home, because string }{
	{`privacy\.NewPartials\(`, "sandbox/engine", "partials come from the engine, for the plan that it ran"},
	{`privacy\.Run\(`, "sandbox", "noise is drawn on the one path from question to release"},
	{`privacy\.(RunFrom|Measure|Sensitivities)\b`, "", "the seam is for tests"},
	{`query\.New\(`, "sandbox", "a plan comes from the planner, over what the asker may see"},
	{`\bUnmarshalBinary\(`, "", "partials stay in this process"},
}

// TestProofsHaveOneMaker reads the product's own files: types keep outsiders from making plans, specs and
// releases; what is exported for one caller is called there only.
func TestProofsHaveOneMaker(t *testing.T) {
	found := map[string]int{}
	err := filepath.WalkDir("../..", func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || !strings.HasSuffix(path, ".go") || strings.HasSuffix(path, "_test.go") {
			return err
		}
		home, err := filepath.Rel("../..", filepath.Dir(path))
		if err != nil || strings.HasPrefix(home, "privacy") || strings.HasSuffix(home, "querytest") {
			return err
		}
		text, err := os.ReadFile(path)
		for _, m := range makers {
			if n := len(regexp.MustCompile(m.expression).FindAll(text, -1)); n > 0 {
				if found[m.expression] += n; home != m.home {
					t.Errorf("%s: %s is not for it: %s", path, m.expression, m.because)
				}
			}
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	for _, m := range makers {
		if m.home != "" && found[m.expression] == 0 {
			t.Errorf("%s is nowhere in %s: is this test still about the product?", m.expression, m.home)
		}
	}
}
