package audit_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"strings"
	"testing"
	"time"

	"entrepot/privacy/ledger"
	"entrepot/sandbox/audit"
)

// Every way of writing the same entry differently is refused.
func TestDecodeIsStrict(t *testing.T) {
	good := string(sample(t).entries[7]) // a charge
	if _, err := audit.Decode([]byte(good)); err != nil {
		t.Fatal(err)
	}
	replace := func(old, new string) string {
		if !strings.Contains(good, old) {
			t.Fatalf("the sample does not hold %q", old)
		}
		return strings.Replace(good, old, new, 1)
	}
	cases := map[string]string{
		"empty":               "",
		"other version":       replace("entry/v1", "entry/v2"),
		"no final newline":    strings.TrimSuffix(good, "\n"),
		"line after the end":  good + "\n",
		"space at line's end": replace("kind charge\n", "kind charge \n"),
		"two spaces":          replace("index 7", "index  7"),
		"carriage return":     replace("index 7\n", "index 7\r\n"),
		"leading zero":        replace("index 7", "index 07"),
		"plus sign":           replace("index 7", "index +7"),
		"negative index":      replace("index 7", "index -7"),
		"index beyond int64":  replace("index 7", "index 9223372036854775808"),
		"fraction of second":  replace(":13Z", ":13.0Z"),
		"offset":              replace("Z\nkind", "+00:00\nkind"),
		"lower-case z":        replace("Z\nkind", "z\nkind"),
		"leap second":         replace(":13Z", ":60Z"),
		"before 1970":         replace("time 2026", "time 1926"),
		"unknown kind":        replace("kind charge", "kind refund"),
		"kind of other body":  replace("kind charge", "kind release"),
		"upper-case kind":     replace("kind charge", "kind Charge"),
		"empty actor":         replace("actor sg_lab/mei", "actor "),
		"upper-case salt":     replace("07172737475767778797a7b7c7d7e7f7", "07172737475767778797A7B7C7D7E7F7"),
		"short salt":          replace("07172737475767778797a7b7c7d7e7f7", "07172737475767778797a7b7c7d7e7"),
		"lines swapped":       replace("kind charge\nactor sg_lab/mei\n", "actor sg_lab/mei\nkind charge\n"),
		"duplicate key":       replace(`{"query":"qry_a"`, `{"query":"qry_a","query":"qry_a"`),
		"key in other case":   replace(`{"query":`, `{"Query":`),
		"unknown key":         replace(`{"query":`, `{"x":1,"query":`),
		"space in body":       replace(`{"query":`, `{ "query":`),
		"escape not needed":   replace(`"qry_a"`, `"\u0071ry_a"`),
		"escaped <":           replace(`maths < 400`, `maths \u003c 400`),
		"number as text":      replace(`"version":3`, `"version":"3"`),
		"exponent":            replace(`"version":3`, `"version":3e0`),
		"amount respelt":      replace(`"epsilon":"0.25"`, `"epsilon":"0.250"`),
		"amount as number":    replace(`"epsilon":"0.25"`, `"epsilon":0.25`),
		"negative amount":     replace(`"epsilon":"0.25"`, `"epsilon":"-0.25"`),
		"missing key":         replace(`"purpose":"dpv:ScientificResearch",`, ``),
		"null list":           replace(`[{"id":"kr_edu.students","version":3}]`, `null`),
		"body is a list":      replace(`body {`, `body [{`),
		"two bodies":          replace("}\n", "}{}\n"),
		"zero at list's end":  replace(`["0.125","0.25"]`, `["0.125","0.25","0"]`),
		"unlisted":            replace(`["0.125","0.25"]`, `"0.125"`),
		"five clocks":         replace(`["0.125","0.25"]`, `["0.125","0.25","1","1","1"]`),
		"no charges":          replace(`"charges":[{"account":"kr_edu/student","loss":{"epsilon":"0.25","renyi":["0.125","0.25"],"delta":"1e-15"}}]`, `"charges":[]`),
		"other account":       replace(`"charges":[{"account":"kr_edu/student"`, `"charges":[{"account":"kr_edu/pupil"`),
		"invalid UTF-8":       replace("actor sg_lab/mei", "actor sg_lab/\xff"),
		"too long":            replace("researchers", strings.Repeat("r", audit.MaxEntry)),
	}
	for name, text := range cases {
		t.Run(name, func(t *testing.T) {
			_, err := audit.Decode([]byte(text))
			if !errors.Is(err, audit.ErrEntry) {
				t.Errorf("got %v, want ErrEntry", err)
			}
			if name == "too long" && !errors.Is(err, audit.ErrTooLarge) {
				t.Errorf("got %v, want ErrTooLarge", err)
			}
		})
	}
}

// A body that does not belong to its kind, or breaks its own rules, is never written.
func TestMarshalBodyRefuses(t *testing.T) {
	hash := strings.Repeat("a", 64)
	account, allocation := ledger.Account{ID: "a/b"}, ledger.Allocation{Account: "a/b", Name: "n"}
	cases := map[string]struct {
		kind audit.Kind
		body any
	}{
		"not a body":         {audit.KindCharge, 7},
		"pointer":            {audit.KindRelease, &audit.Release{Query: "q", Release: "r", Digest: hash}},
		"nil":                {audit.KindRelease, nil},
		"other kind":         {audit.KindFailure, audit.Release{Query: "q", Release: "r", Digest: hash}},
		"unknown kind":       {"refund", audit.Change{Resource: "a", Revision: 1, Digest: hash}},
		"revision 0":         {audit.KindPolicy, audit.Change{Resource: "a", Digest: hash}},
		"short digest":       {audit.KindPolicy, audit.Change{Resource: "a", Revision: 1, Digest: hash[1:]}},
		"upper-case digest":  {audit.KindPolicy, audit.Change{Resource: "a", Revision: 1, Digest: strings.ToUpper(hash)}},
		"resource with line": {audit.KindPolicy, audit.Change{Resource: "a\nb", Revision: 1, Digest: hash}},
		"verdict":            {audit.KindDecision, audit.Decision{Query: "qry_1", Verdict: "perhaps"}},
		"no reason":          {audit.KindAmendment, audit.Amendment{Before: account, After: account}},
		"reason of lines":    {audit.KindAmendment, audit.Amendment{Reason: "a\nb", Before: account, After: account}},
		"reason too long":    {audit.KindAmendment, audit.Amendment{Reason: strings.Repeat("a", 1001), Before: account, After: account}},
		"reason not UTF-8":   {audit.KindAmendment, audit.Amendment{Reason: "\xff", Before: account, After: account}},
		"opening's reason":   {audit.KindAccount, audit.Opening{Reason: "\x1b[2J", Account: account}},
		"two accounts":       {audit.KindAmendment, audit.Amendment{Reason: "r", Before: account, After: ledger.Account{ID: "a/c"}}},
		"no account":         {audit.KindAmendment, audit.Amendment{Reason: "r"}},
		"no allocation":      {audit.KindAllocation, audit.Allocation{Reason: "r"}},
		"two allocations":    {audit.KindAllocation, audit.Allocation{Reason: "r", Before: &allocation, After: &ledger.Allocation{Account: "a/b", Name: "m"}}},
		"allocation's name":  {audit.KindAllocation, audit.Allocation{Reason: "r", After: &ledger.Allocation{Account: "a/b"}}},
		"its account":        {audit.KindAllocation, audit.Allocation{Reason: "r", After: &ledger.Allocation{Account: "b", Name: "n"}}},
		"unreasoned":         {audit.KindAllocation, audit.Allocation{Before: &allocation}},
		"query missing":      {audit.KindRelease, audit.Release{Release: "r", Digest: hash}},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			raw, err := audit.MarshalBody(c.kind, c.body)
			if err == nil {
				_, err = audit.Encode(audit.Entry{Time: start, Kind: c.kind, Actor: "a/b", Body: raw})
			}
			if !errors.Is(err, audit.ErrEntry) {
				t.Errorf("got %v, want ErrEntry", err)
			}
		})
	}
}

func TestEncodeRefusesTimes(t *testing.T) {
	body, err := audit.MarshalBody(audit.KindRepeat, audit.Repeat{Query: "q", Release: "r"})
	if err != nil {
		t.Fatal(err)
	}
	for _, at := range []time.Time{{}, start.Add(1), time.Unix(-1, 0), time.Date(10000, 1, 1, 0, 0, 0, 0, time.UTC)} {
		if _, err := audit.Encode(audit.Entry{Time: at, Kind: audit.KindRepeat, Actor: "a/b", Body: body}); !errors.Is(err, audit.ErrEntry) {
			t.Errorf("%s: got %v, want ErrEntry", at, err)
		}
	}
	east := start.In(time.FixedZone("KST", 9*3600))
	if b, err := audit.Encode(audit.Entry{Time: east, Kind: audit.KindRepeat, Actor: "a/b", Body: body}); err != nil || !bytes.Contains(b, []byte("time 2026-03-14T09:26:53Z\n")) {
		t.Errorf("another zone's time is not written in UTC: %q, %v", b, err)
	}
}

// Absent and empty lists are one thing.
func TestAbsentListsAreEmpty(t *testing.T) {
	a, err := audit.MarshalBody(audit.KindDecision, audit.Decision{Query: "qry_1", Verdict: audit.VerdictDenied})
	if err != nil {
		t.Fatal(err)
	}
	b, err := audit.MarshalBody(audit.KindDecision, audit.Decision{Query: "qry_1", Verdict: audit.VerdictDenied, Datasets: []string{}, Spaces: []string{}})
	if err != nil || !bytes.Equal(a, b) || bytes.Contains(a, []byte("null")) {
		t.Errorf("%s and %s differ, or hold null (%v)", a, b, err)
	}
}

// Whatever Decode accepts is what Encode writes, and Decode never panics.
func FuzzDecode(f *testing.F) {
	for _, e := range sample(f).entries {
		f.Add(e)
	}
	f.Add([]byte("entrepot/entry/v1\nindex 0\ntime 2026-01-01T00:00:00Z\nkind repeat\nactor a/b\nsalt 00000000000000000000000000000000\nbody {}\n"))
	f.Fuzz(func(t *testing.T, b []byte) {
		e, err := audit.Decode(b)
		if err != nil {
			if !errors.Is(err, audit.ErrEntry) {
				t.Fatalf("error %v is not ErrEntry", err)
			}
			return
		}
		if !json.Valid(e.Body) {
			t.Fatalf("the body is not JSON: %q", e.Body)
		}
		again, err := audit.Encode(e)
		if err != nil || !bytes.Equal(again, b) {
			t.Fatalf("%q came back as %q, %v", b, again, err)
		}
	})
}
