package query

import (
	"encoding/json"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// checkRoundTrip reads the canonical text, and the JSON, back to the same plan.
func checkRoundTrip(tb testing.TB, c Catalogue, p Plan) {
	tb.Helper()
	again, err := New(p.Canonical(), c, Bounds{})
	if err != nil {
		tb.Fatalf("%s\n%v", p.Canonical(), err)
	}
	if d := cmp.Diff(p.Parts(), again.Parts()); d != "" {
		tb.Fatalf("%s\nis read back as another plan: %s", p.Canonical(), d)
	}
	b, err := json.Marshal(p)
	if err != nil {
		tb.Fatal(err)
	}
	var read Plan
	if err := json.Unmarshal(b, &read); err != nil {
		tb.Fatal(err)
	}
	if d := cmp.Diff(p.Parts(), read.Parts()); d != "" {
		tb.Fatalf("JSON: %s", d)
	}
}
