package audit_test

import (
	"bytes"
	"flag"
	"os"
	"path/filepath"
	"testing"

	"entrepot/sandbox/audit"
)

var update = flag.Bool("update", false, "write the golden files; a change of bytes needs a new version of the format")

// golden compares with a file of testdata.
func golden(t *testing.T, name string, got []byte) {
	t.Helper()
	path := filepath.Join("testdata", name)
	if *update {
		if err := os.WriteFile(path, got, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(got, want) {
		t.Errorf("%s changed: a log written before could no longer be read. got\n%s", path, got)
	}
}

func TestGoldenEntries(t *testing.T) {
	seen := map[audit.Kind]bool{}
	for _, encoded := range sample(t).entries {
		e, err := audit.Decode(encoded)
		if err != nil {
			t.Fatal(err)
		}
		if !seen[e.Kind] {
			golden(t, "entry_"+string(e.Kind)+".txt", encoded)
		}
		seen[e.Kind] = true
	}
	if len(seen) != 11 {
		t.Errorf("the sample has %d kinds of entry, not 11", len(seen))
	}
}

func TestGoldenCheckpoint(t *testing.T) {
	signed, err := newSigner(t, 1).Sign(sample(t).checkpoint())
	if err != nil {
		t.Fatal(err)
	}
	golden(t, "checkpoint.txt", signed)
	golden(t, "verifier.key", []byte(newSigner(t, 1).VerifierKey()+"\n"))
	golden(t, "verifier.key", []byte(verifierKey+"\n"))
}

func TestGoldenExport(t *testing.T) {
	golden(t, "export.txt", sample(t).export(newSigner(t, 1)))
}

// The format's document shows the golden files, so that neither can change alone.
func TestFormatDocumentShowsGoldenBytes(t *testing.T) {
	document, err := os.ReadFile("FORMAT.md")
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range []string{"entry_charge.txt", "entry_release.txt", "checkpoint.txt", "verifier.key"} {
		b, err := os.ReadFile(filepath.Join("testdata", file))
		if err != nil {
			t.Fatal(err)
		}
		if !bytes.Contains(document, b) {
			t.Errorf("FORMAT.md does not show the bytes of %s", file)
		}
	}
}
