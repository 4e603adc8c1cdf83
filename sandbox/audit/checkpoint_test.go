package audit_test

import (
	"bytes"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/mod/sumdb/note"

	"entrepot/privacy"
	"entrepot/sandbox/audit"
)

func TestCheckpointRoundTrip(t *testing.T) {
	s := newSigner(t, 1)
	for name, c := range map[string]audit.Checkpoint{"sample": sample(t).checkpoint(), "empty": newBook(t).checkpoint()} {
		signed, err := s.Sign(c)
		if err != nil {
			t.Fatal(err)
		}
		got, err := audit.ReadCheckpoint(signed, origin, []string{s.VerifierKey()})
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(c, got); diff != "" {
			t.Errorf("%s: %s", name, diff)
		}
		peeked, err := audit.PeekCheckpoint(signed)
		if err != nil || !cmp.Equal(peeked, c) {
			t.Errorf("%s: peeked %+v, %v", name, peeked, err)
		}
	}
}

// Text that another program signed with the right key is still held to the format.
func TestReadCheckpointIsStrict(t *testing.T) {
	const root = "47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU="
	cases := map[string]string{
		"two lines":         origin + "\n0\n",
		"empty origin":      "\n0\n" + root + "\n",
		"negative":          origin + "\n-1\n" + root + "\n",
		"leading zero":      origin + "\n00\n" + root + "\n",
		"plus":              origin + "\n+1\n" + root + "\n",
		"size not a number": origin + "\nx\n" + root + "\n",
		"short root":        origin + "\n0\n47DEQpj8HBSa\n",
		"root's padding":    origin + "\n0\n" + strings.Replace(root, "FU=", "FV=", 1) + "\n",
		"empty extension":   origin + "\n0\n" + root + "\n\n",
		"other extension":   origin + "\n0\n" + root + "\nhello 1\n",
		"account id":        origin + "\n0\n" + root + "\naccount student 0 0 0\n",
		"three clocks":      origin + "\n0\n" + root + "\naccount a/b 0 0\n",
		"five Rényi clocks": origin + "\n0\n" + root + "\naccount a/b 0 1,1,1,1,1 0\n",
		"zero at the end":   origin + "\n0\n" + root + "\naccount a/b 0 1,0 0\n",
		"no Rényi clock":    origin + "\n0\n" + root + "\naccount a/b 0  0\n",
		"respelt clock":     origin + "\n0\n" + root + "\naccount a/b 0.10 0 0\n",
		"negative clock":    origin + "\n0\n" + root + "\naccount a/b -1 0 0\n",
		"recovery beyond":   origin + "\n1\n" + root + "\nrecovery 1 " + root + "\n",
		"recovery's index":  origin + "\n2\n" + root + "\nrecovery 01 " + root + "\n",
		"recovery's leaf":   origin + "\n2\n" + root + "\nrecovery 1 47DEQpj8HBSa\n",
		"recovery twice":    origin + "\n2\n" + root + "\nrecovery 1 " + root + "\nrecovery 1 " + root + "\n",
		"recovery first":    origin + "\n2\n" + root + "\nrecovery 1 " + root + "\naccount a/b 0 0 0\n",
		"unsorted":          origin + "\n0\n" + root + "\naccount b/b 0 0 0\naccount a/b 0 0 0\n",
		"twice":             origin + "\n0\n" + root + "\naccount a/b 0 0 0\naccount a/b 0 0 0\n",
	}
	signer, key := noteSigner(t, origin, 9)
	for name, text := range cases {
		t.Run(name, func(t *testing.T) {
			signed, err := note.Sign(&note.Note{Text: text}, signer)
			if err != nil {
				t.Fatal(err)
			}
			if _, err := audit.ReadCheckpoint(signed, origin, []string{key}); !errors.Is(err, audit.ErrCheckpoint) {
				t.Errorf("got %v, want ErrCheckpoint", err)
			}
		})
	}
	if _, err := audit.ReadCheckpoint(bytes.Repeat([]byte("x"), audit.MaxCheckpoint+1), origin, []string{key}); !errors.Is(err, audit.ErrCheckpoint) {
		t.Errorf("too long: got %v, want ErrCheckpoint", err)
	}
}

// Witnesses add signatures of their own. Known ones must hold; unknown ones pass here, not in an export.
func TestWitnessSignatures(t *testing.T) {
	s := newSigner(t, 1)
	own, err := s.Sign(sample(t).checkpoint())
	if err != nil {
		t.Fatal(err)
	}
	witness, key := noteSigner(t, "witness.example.net", 7)
	both := cosign(t, own, s.VerifierKey(), witness)
	for _, keys := range [][]string{{s.VerifierKey()}, {s.VerifierKey(), key}} {
		if _, err := audit.ReadCheckpoint(both, origin, keys); err != nil {
			t.Errorf("with %d keys: %v", len(keys), err)
		}
	}
	if _, err := audit.ReadCheckpoint(both, origin, []string{key}); err == nil {
		t.Error("signed by a witness alone, it is accepted")
	}
	bad := bytes.Clone(both)
	bad[len(bad)-20] ^= 1
	if _, err := audit.ReadCheckpoint(bad, origin, []string{s.VerifierKey(), key}); !errors.Is(err, audit.ErrCheckpoint) {
		t.Errorf("a witness's broken signature: %v", err)
	}
	last := own[bytes.LastIndex(own, []byte("—")):]
	if _, err := audit.ReadCheckpoint(append(bytes.Clone(own), last...), origin, []string{s.VerifierKey()}); !errors.Is(err, audit.ErrCheckpoint) {
		t.Errorf("signed twice by one key: %v", err)
	}

	b := sample(t)
	var out bytes.Buffer
	err = audit.Export(&out, both, func(from int64, _ int) ([][]byte, error) { return b.entries[from:], nil })
	if err != nil {
		t.Fatal(err)
	}
	if _, err := audit.Verify(bytes.NewReader(out.Bytes()), []string{s.VerifierKey(), key}, origin); err != nil {
		t.Error(err)
	}
	_, err = audit.Verify(bytes.NewReader(out.Bytes()), []string{s.VerifierKey()}, origin)
	mustFail(t, err, "keys that were not given")
}

func TestSignerRefuses(t *testing.T) {
	for _, name := range []string{"", "a b", "a+b", "a\nb", strings.Repeat("a", 300)} {
		if _, err := audit.NewSigner(name, seed(1)); err == nil {
			t.Errorf("origin %.20q: no error", name)
		}
	}
	if _, err := audit.NewSigner(origin, seed(1)[:31]); err == nil {
		t.Error("a short seed: no error")
	}
	s := newSigner(t, 1)
	for name, c := range map[string]audit.Checkpoint{
		"negative size":  {Size: -1},
		"negative clock": {Accounts: []audit.Spent{{Account: "a/b", Clocks: privacy.Clocks{Delta: -1}}}},
		"unsorted":       {Accounts: []audit.Spent{{Account: "b/b"}, {Account: "a/b"}}},
		"account id":     {Accounts: []audit.Spent{{Account: "a b/c"}}},
	} {
		if _, err := s.Sign(c); !errors.Is(err, audit.ErrCheckpoint) {
			t.Errorf("%s: got %v, want ErrCheckpoint", name, err)
		}
	}
}

func TestExportStopsOnError(t *testing.T) {
	b := sample(t)
	signed, err := newSigner(t, 1).Sign(b.checkpoint())
	if err != nil {
		t.Fatal(err)
	}
	broken := errors.New("disk")
	err = audit.Export(&bytes.Buffer{}, signed, func(int64, int) ([][]byte, error) { return nil, broken })
	if !errors.Is(err, broken) {
		t.Errorf("got %v, want the log's error", err)
	}
	err = audit.Export(&bytes.Buffer{}, signed, func(int64, int) ([][]byte, error) { return nil, nil })
	mustFail(t, err, "the log does not have it")
	err = audit.Export(fullDisk{}, signed, func(from int64, _ int) ([][]byte, error) { return b.entries[from:], nil })
	mustFail(t, err, "full")
	mustFail(t, audit.Export(&bytes.Buffer{}, []byte("nonsense"), nil), "not signed")
}

type fullDisk struct{}

func (fullDisk) Write([]byte) (int, error) { return 0, errors.New("full") }

// noteSigner makes a signer with another name than the log's.
func noteSigner(t *testing.T, name string, b byte) (note.Signer, string) {
	t.Helper()
	secret, public, err := note.GenerateKey(bytes.NewReader(bytes.Repeat([]byte{b}, 64)), name)
	if err != nil {
		t.Fatal(err)
	}
	signer, err := note.NewSigner(secret)
	if err != nil {
		t.Fatal(err)
	}
	return signer, public
}

// cosign adds a witness's signature.
func cosign(t *testing.T, signed []byte, key string, witness note.Signer) []byte {
	t.Helper()
	verifier, err := note.NewVerifier(key)
	if err != nil {
		t.Fatal(err)
	}
	n, err := note.Open(signed, note.VerifierList(verifier))
	if err != nil {
		t.Fatal(err)
	}
	both, err := note.Sign(n, witness)
	if err != nil {
		t.Fatal(err)
	}
	return both
}

// A checkpoint that nobody would read is not signed.
func TestSignRefusesTooMany(t *testing.T) {
	s := newSigner(t, 1)
	var c audit.Checkpoint
	for i := range 50_000 {
		c.Accounts = append(c.Accounts, audit.Spent{Account: fmt.Sprintf("kr_edu/a%05d", i), Clocks: loss(1)})
	}
	if signed, err := s.Sign(c); !errors.Is(err, audit.ErrCheckpoint) {
		t.Errorf("signed %d bytes, %v", len(signed), err)
	}
}
