package querytest

import (
	"fmt"
	"strings"

	"github.com/google/go-cmp/cmp"

	"entrepot/privacy"
)

// Diff says how partials differ, "" for not at all. Sums that nobody asks for may be missing.
func Diff(want, got []privacy.Partial) string { return cmp.Diff(Text(want), Text(got)) }

// Text writes each partial on a line.
func Text(partials []privacy.Partial) []string {
	lines := make([]string, len(partials))
	for i, p := range partials {
		var b strings.Builder
		fmt.Fprintf(&b, "%s: %d rows of %d units", p.Key, p.Rows, p.Units)
		for _, t := range p.Arguments {
			fmt.Fprintf(&b, "; %d values of %d units, %d distinct, Σx %s, Σu² %s", t.NonNull, t.Units, t.Distinct, integer(t.Sum), integer(t.Squares))
			for _, l := range t.Leaves {
				fmt.Fprintf(&b, ", leaf %d: %d", l.Index, l.Rows)
			}
		}
		lines[i] = b.String()
	}
	return lines
}

// integer writes a big integer; one that is missing is 0.
func integer(n interface{ String() string }) string {
	if s := n.String(); s != "<nil>" {
		return s
	}
	return "0"
}
