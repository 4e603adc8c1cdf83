package audit_test

import (
	"bytes"
	"flag"
	"os"
	"path/filepath"
	"testing"

	"entrepot/privacy/ledger"
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
	if len(seen) != 13 {
		t.Errorf("the sample has %d kinds of entry, not 13", len(seen))
	}
}

// A store that was restored from a copy goes on by the checkpoint that its witness kept.
func TestGoldenRecovery(t *testing.T) {
	lost := small(t)
	lost.charge("qry_b", ledger.Charge{Account: "kr_edu/student", Loss: loss(100)})
	witness, err := newSigner(t, 1).Sign(lost.checkpoint())
	if err != nil {
		t.Fatal(err)
	}
	b, history := small(t), audit.NewHistory()
	for _, e := range b.entries {
		if _, _, err := history.Apply(e); err != nil {
			t.Fatal(err)
		}
	}
	r, err := history.Recover("the disk failed; restored from the copy of Friday", string(witness), true)
	if err != nil {
		t.Fatal(err)
	}
	b.add(audit.KindRecovery, "sg_imda/operator", r)
	golden(t, "entry_recovery.txt", b.entries[len(b.entries)-1])
	if _, err := verify(t, b.export(newSigner(t, 1))); err == nil {
		t.Error("the checkpoint does not name the recovery, and still it verifies")
	}
	for _, s := range r.Spent {
		a := b.accounts[s.Account]
		a.Spent = s.Clocks
		b.accounts[s.Account] = a
	}
	c := b.checkpoint()
	at := c.Size - 1
	c.Recoveries = []audit.Mark{{Index: at, Leaf: audit.LeafHash(b.entries[at])}}
	if report, err := verify(t, export(t, newSigner(t, 1), c, b.entries)); err != nil || !report.Accounts[0].Frozen() || len(report.Recoveries) != 1 {
		t.Errorf("%+v, %v", report, err)
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
	for _, file := range []string{"entry_charge.txt", "entry_release.txt", "entry_amendment.txt", "entry_allocation.txt", "entry_recovery.txt", "checkpoint.txt", "verifier.key"} {
		b, err := os.ReadFile(filepath.Join("testdata", file))
		if err != nil {
			t.Fatal(err)
		}
		if !bytes.Contains(document, b) {
			t.Errorf("FORMAT.md does not show the bytes of %s", file)
		}
	}
}
