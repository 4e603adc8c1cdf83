package main

import (
	"bytes"
	"context"
	"crypto/ed25519"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"testing"
	"time"

	"entrepot/access"
	"entrepot/sandbox/audit"
)

// smallLog is a log of n changes, exported, with the key that verifies it.
func smallLog(t *testing.T, seed byte, n int64) (export, checkpoint []byte, key string) {
	t.Helper()
	signer, err := audit.NewSigner("test/log", bytes.Repeat([]byte{seed}, ed25519.SeedSize))
	if err != nil {
		t.Fatal(err)
	}
	var log memoryLog
	var tree audit.Frontier
	for i := range n {
		body, err := audit.MarshalBody(audit.KindOrganisation, audit.Change{Resource: fmt.Sprintf("org%d", i), Revision: 1,
			Digest: "60303ae22b998861bce3b28f33eec1be758a213c86c93c076dbe9f558c11c752"})
		if err != nil {
			t.Fatal(err)
		}
		b, err := audit.Encode(audit.Entry{Index: i, Time: time.Unix(1_800_000_000+i, 0).UTC(), Kind: audit.KindOrganisation, Actor: "house/root", Body: body})
		if err != nil {
			t.Fatal(err)
		}
		log = append(log, b)
		tree.Add(audit.LeafHash(b))
	}
	if checkpoint, err = signer.Sign(audit.Checkpoint{Size: n, Root: tree.Root()}); err != nil {
		t.Fatal(err)
	}
	var out bytes.Buffer
	if err := audit.Export(&out, checkpoint, log.from); err != nil {
		t.Fatal(err)
	}
	return out.Bytes(), checkpoint, signer.VerifierKey()
}

// memoryLog is a log's entries.
type memoryLog [][]byte

func (l memoryLog) from(index int64, limit int) ([][]byte, error) {
	return l[index:min(int(index)+limit, len(l))], nil
}

func TestAuditVerify(t *testing.T) {
	export, checkpoint, key := smallLog(t, 1, 5)
	_, earlier, _ := smallLog(t, 1, 3)
	_, stranger, strangerKey := smallLog(t, 2, 3)
	dir := t.TempDir()
	file := func(name string, b []byte) string { return writeFile(t, filepath.Join(dir, name), string(b)) }
	log := file("log", export)
	run(t, "", "audit", "verify", log, "--key", key).want(t, exitOK, "Verified: 5 entries of the log test/log.", "organisation", "5")
	run(t, string(export), "audit", "verify", "-", "--key", key, "--seen", file("same", checkpoint), "--seen", file("earlier", earlier)).want(t, exitOK)
	got := run(t, "", "audit", "verify", log, "--key", key, "--json")
	var found findings
	if err := json.Unmarshal([]byte(got.out), &found); err != nil || !found.Verified || found.Size != 5 || found.Kinds[audit.KindOrganisation] != 5 {
		t.Errorf("%v: %s", err, got.out)
	}
	for name, args := range map[string][]string{
		"another log's key":       {log, "--key", strangerKey},
		"a bit flipped":           {file("flipped", flip(export, len(export)/2)), "--key", key},
		"cut short":               {file("cut", export[:len(export)-1]), "--key", key},
		"something else":          {file("else", []byte("GIF89a")), "--key", key},
		"a checkpoint of another": {log, "--key", key, "--seen", file("stranger", stranger)},
		"shorter than seen":       {file("short", first(smallLog(t, 1, 2))), "--key", key, "--seen", filepath.Join(dir, "earlier")},
	} {
		t.Run(name, func(t *testing.T) {
			got := run(t, "", append([]string{"audit", "verify"}, args...)...)
			got.want(t, exitUnverified)
			got.wantErr(t, "verification failed")
			if got.out != "" {
				t.Errorf("stdout: %s", got.out)
			}
		})
	}
	run(t, "", "audit", "verify", filepath.Join(dir, "absent"), "--key", key).want(t, exitFailed)
	run(t, "", "audit", "verify", dir, "--key", key).want(t, exitFailed) // a disk that fails is no evidence
}

func first(export, _ []byte, _ string) []byte { return export }

func flip(b []byte, at int) []byte {
	b = bytes.Clone(b)
	b[at] ^= 1
	return b
}

func TestAuditCheckpointAndExport(t *testing.T) {
	export, checkpoint, key := smallLog(t, 1, 3)
	_, _, strangerKey := smallLog(t, 2, 1)
	stub{
		"GET /v1/audit/checkpoint": func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write(checkpoint) },
		"GET /v1/audit/export":     func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write(export) },
	}.start(t)
	for _, args := range [][]string{{"audit", "checkpoint"}, {"audit", "checkpoint", "--key", key}} {
		if got := run(t, "", args...); got.code != exitOK || got.out != string(checkpoint) {
			t.Errorf("%v: %d\n%s", args, got.code, got.out)
		}
	}
	run(t, "", "audit", "checkpoint", "--key", strangerKey).want(t, exitUnverified)
	file := filepath.Join(t.TempDir(), "log")
	run(t, "", "audit", "export", file).want(t, exitOK, "audit verify "+file)
	if b, err := os.ReadFile(file); err != nil || !bytes.Equal(b, export) {
		t.Errorf("saved %d bytes, %v", len(b), err)
	}
	if got := run(t, "", "audit", "export", "-"); got.out != string(export) {
		t.Error("standard output differs")
	}
}

// A reader that may see every tenth entry of a log of 5,000.
func TestAuditTailOfAnOwner(t *testing.T) {
	const size = 5000
	checkpointAllowed, asked := true, 0
	_, checkpoint, _ := smallLog(t, 1, 1)
	checkpoint = bytes.Replace(checkpoint, []byte("\n1\n"), []byte("\n5000\n"), 1) // only its size is read here
	stub{
		"GET /v1/audit/checkpoint": func(w http.ResponseWriter, r *http.Request) {
			if !checkpointAllowed {
				problems(http.StatusForbidden, `{"code": "forbidden", "detail": "This needs the role owner."}`)(w, r)
				return
			}
			_, _ = w.Write(checkpoint)
		},
		"GET /v1/audit/entries": func(w http.ResponseWriter, r *http.Request) {
			asked++
			from, _ := strconv.Atoi(r.URL.Query().Get("from"))
			limit, _ := strconv.Atoi(r.URL.Query().Get("limit"))
			list := entryList{Entries: []logEntry{}, Next: -1}
			for i := (from + 9) / 10 * 10; i < size; i += 10 {
				if len(list.Entries) == limit {
					list.Next = int64(i)
					break
				}
				list.Entries = append(list.Entries, logEntry{Index: int64(i), Kind: audit.KindOrganisation, Actor: "house/root",
					Body: json.RawMessage(fmt.Sprintf(`{"resource": "org%d", "revision": 1}`, i))})
			}
			b, err := json.Marshal(list)
			if err != nil {
				t.Error(err)
			}
			answers(string(b))(w, r)
		},
	}.start(t)
	for _, checkpointAllowed = range []bool{true, false} {
		asked = 0
		got := run(t, "", "audit", "tail", "-n", "25", "--json")
		var list entryList
		if err := json.Unmarshal([]byte(got.out), &list); err != nil {
			t.Fatal(err)
		}
		if n := len(list.Entries); n != 25 || list.Entries[0].Index != size-250 || list.Entries[24].Index != size-10 {
			t.Errorf("allowed %v: %d entries: %s", checkpointAllowed, n, got.out)
		}
		if asked > 4 {
			t.Errorf("it took %d requests", asked)
		}
	}
	run(t, "", "audit", "tail", "--from", "0", "-n", "2").want(t, exitOK, "org0 revision 1", "org10 revision 1", "!org20")
}

func TestEntriesTellTheirGist(t *testing.T) {
	for _, c := range []struct {
		kind       audit.Kind
		body, want string
	}{
		{audit.KindDataset, `{"resource": "a.b", "revision": 2}`, "a.b revision 2"},
		{audit.KindAccount, `{"account": {"id": "a/b", "promise": {"kind": "renyi", "epsilon": "3", "delta": "1e-6"}}}`, "a/b opened, renyi, ε 3 δ 1e-6"},
		{audit.KindAmendment, `{"reason": "for the second year", "before": {"id": "a/b", "promises": 1}, "after": {"id": "a/b", "promises": 1, "revision": 2}}`,
			"a/b has other terms (revision 2): for the second year"},
		{audit.KindAmendment, `{"reason": "agreed", "before": {"id": "a/b", "promises": 1, "promise": {"epsilon": "3", "delta": "1e-6"}},
			"after": {"id": "a/b", "promises": 2, "revision": 2, "promise": {"epsilon": "5", "delta": "1e-6"}}}`,
			"a/b makes a new promise, ε 5 δ 1e-6 after ε 3 δ 1e-6: agreed"},
		{audit.KindAllocation, `{"reason": "their year", "before": null, "after": {"account": "a/b", "name": "lab", "revision": 1, "scope": {"organisation": "sg_lab"}}}`,
			"a/b allocates lab to organisation sg_lab (revision 1): their year"},
		{audit.KindAllocation, `{"reason": "it ended", "before": {"account": "a/b", "name": "lab", "revision": 3}, "after": null}`,
			"a/b takes allocation lab away: it ended"},
		{audit.KindDecision, `{"verdict": "denied", "project": "p", "rule": "default", "reason": "no rule allows it", "question": "SELECT 1", "datasets": ["a.b"]}`,
			"denied in p by default: no rule allows it — SELECT 1"},
		{audit.KindCharge, `{"project": "p", "rule": "research", "question": "SELECT 1", "datasets": [{"id": "a.b", "version": 1}],
			"charges": [{"account": "a/b", "loss": {"epsilon": "0.5", "renyi": [], "delta": "0"}}]}`, "a/b ε 0.5 in p by research: SELECT 1"},
		{audit.KindRelease, `{"query": "qry_1", "release": "rel_1"}`, "rel_1 answers qry_1"},
		{audit.KindRepeat, `{"query": "qry_1", "release": "rel_1", "project": "p"}`, "rel_1 again, in p"},
		{audit.KindFailure, `{"query": "qry_1", "frozen": []}`, "qry_1 gave no answer"},
		{audit.KindFailure, `{"query": "qry_1", "frozen": ["a/b"]}`, "qry_1 gave no answer; froze a/b"},
		{audit.KindFailure, `[]`, "not readable"},
		{audit.KindAccount, `{"reason": "the board met", "account": {"id": "a/b", "promise": {"kind": "pure", "epsilon": "1", "delta": "0"}}}`,
			"a/b opened, pure, ε 1 δ 0: the board met"},
		{audit.KindRecovery, `{"reason": "disk lost", "witness": "", "spent": [], "frozen": ["a/b", "c/d"]}`,
			"went on after a loss of which no checkpoint is known; froze a/b, c/d: disk lost"},
		{audit.KindRecovery, `{"reason": "disk lost", "witness": "log\n9\n47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=\n\n— log AAAA\n", "spent": [], "frozen": []}`,
			"went on after a loss of entries 0 to 8: disk lost"},
	} {
		if got := (logEntry{Kind: c.kind, Body: json.RawMessage(c.body)}).what(); got != c.want {
			t.Errorf("%s: %q, want %q", c.kind, got, c.want)
		}
	}
}

func TestTokensAndKeysOfADeployment(t *testing.T) {
	data := t.TempDir()
	token := []string{"token", "--data", data, "--organisation", "lab_sg", "--name", "ada", "--role", "researcher", "--role", "manager"}
	got := run(t, "", token...)
	got.want(t, exitFailed)
	got.wantErr(t, "missing", "restore it from its backup")
	if err := newKeyring(filepath.Join(data, keysDir)); err != nil {
		t.Fatal(err)
	}
	keys, err := readKeyring(filepath.Join(data, keysDir))
	if err != nil {
		t.Fatal(err)
	}
	verifier := func(audience string, at time.Duration) *access.Verifier {
		v, err := access.NewVerifier([]ed25519.PublicKey{keys.tokenPublic()}, tokenIssuer, audience, func() time.Time { return time.Now().Add(at) })
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
	got = run(t, "", token...)
	got.want(t, exitOK)
	text := string(bytes.TrimSpace([]byte(got.out)))
	p, err := verifier(defaultAudience, 29*24*time.Hour).Verify(text)
	if err != nil || p.ID != "lab_sg/ada" || p.Organisation != "lab_sg" || len(p.Roles) != 2 {
		t.Errorf("%+v, %v", p, err)
	}
	if _, err := verifier(defaultAudience, 31*24*time.Hour).Verify(text); err == nil {
		t.Error("it is still valid after 31 days")
	}
	got = run(t, "", append(token, "--ttl", "2h", "--audience", "elsewhere")...)
	if _, err := verifier("elsewhere", time.Hour).Verify(string(bytes.TrimSpace([]byte(got.out)))); err != nil {
		t.Error(err)
	}
	for _, wrong := range [][]string{{"--ttl", "366d"}, {"--ttl", "0s"}, {"--ttl", "-1h"}, {"--role", "root"}, {"--role", "manager"}, {"--name", "Ada"}, {"--audience", ""}} {
		run(t, "", append(token[:len(token):len(token)], wrong...)...).want(t, exitUsage)
	}
	signer, err := keys.signer()
	if err != nil {
		t.Fatal(err)
	}
	if got := run(t, "", "audit", "key", "--data", data); got.out != signer.VerifierKey()+"\n" {
		t.Errorf("key %q", got.out)
	}
}

func TestSourceKeepsFailuresOfTheDiskApart(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	s := &source{ctx: ctx, in: bytes.NewReader([]byte("ab"))}
	if b, err := io.ReadAll(s); string(b) != "ab" || err != nil || s.err != nil {
		t.Errorf("%q, %v, %v", b, err, s.err)
	}
	cancel()
	if _, err := s.Read(make([]byte, 1)); err == nil || s.err == nil {
		t.Error("it reads on after the end")
	}
}
