package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// TestReadme types what the README tells a newcomer to type, on a free port and in an empty folder.
func TestReadme(t *testing.T) {
	text, err := os.ReadFile("../../README.md")
	if err != nil {
		t.Fatal(err)
	}
	_, section, _ := strings.Cut(string(text), "## From nothing to an answer\n\n```\n")
	block, _, found := strings.Cut(section, "```")
	if !found {
		t.Fatal("the README has no session")
	}
	dir := t.TempDir()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	root, err := filepath.Abs("../..")
	if err != nil {
		t.Fatal(err)
	}
	for link, target := range map[string]string{"entrepot": self, "cmd": filepath.Join(root, "cmd")} {
		if err := os.Symlink(target, filepath.Join(dir, link)); err != nil {
			t.Fatal(err)
		}
	}
	for old, replacement := range map[string]string{
		"make build && export PATH=$PWD/bin:$PATH\n": "export PATH=$PWD:$PATH\n",
		"entrepot serve --data entrepot-data &":      "entrepot serve --data entrepot-data --addr 127.0.0.1:0 --url-file url & trap 'kill %1; wait' EXIT; until [ -s url ]; do sleep 0.05; done; export ENTREPOT_URL=$(cat url)",
	} {
		if !strings.Contains(block, old) {
			t.Fatalf("the README's session has no %q", old)
		}
		block = strings.Replace(block, old, replacement, 1)
	}
	shell := exec.CommandContext(t.Context(), "bash", "-e", "-o", "pipefail", "-c", block)
	shell.Dir, shell.WaitDelay = dir, 10*time.Second
	out, err := shell.CombinedOutput()
	if err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	for _, want := range []string{"±", "Charged kr_edu/student ε 0.5", "Verified: "} {
		if !strings.Contains(string(out), want) {
			t.Errorf("no %q in\n%s", want, out)
		}
	}
}
