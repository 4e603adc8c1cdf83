package access

import (
	"slices"
	"strings"
)

// purposePrefix is how DPV purposes are written: dpv:ScientificResearch stands for
// https://w3id.org/dpv#ScientificResearch.
const purposePrefix = "dpv:"

// KnownPurpose says whether purpose is a DPV purpose in prefix form, e.g. dpv:ScientificResearch.
func KnownPurpose(purpose string) bool {
	_, known := broaderPurposes(purpose)
	return known
}

// CoversPurpose says whether purpose is broader itself or lies below it in the vocabulary's
// hierarchy, by any path: dpv:CommercialPurpose covers dpv:CommercialResearch. An unknown purpose
// is covered by nothing.
func CoversPurpose(broader, purpose string) bool {
	return slices.Contains(withBroader(purpose), broader)
}

// withBroader returns purpose and every purpose broader than it, each once, nearest first; nil if
// purpose is unknown. The hierarchy is a DAG: a purpose may have several broader ones.
func withBroader(purpose string) []string {
	if !KnownPurpose(purpose) {
		return nil
	}
	all := []string{purpose}
	for i := 0; i < len(all); i++ {
		parents, _ := broaderPurposes(all[i])
		for _, parent := range parents {
			if !slices.Contains(all, parent) {
				all = append(all, parent)
			}
		}
	}
	return all
}

// broaderPurposes returns the purposes directly broader than purpose, from the table.
func broaderPurposes(purpose string) (parents []string, known bool) {
	term, prefixed := strings.CutPrefix(purpose, purposePrefix)
	if !prefixed || !isTerm(term) {
		return nil, false
	}
	_, after, found := strings.Cut(purposeTable, "\n"+term+" <")
	if !found {
		return nil, false
	}
	line, _, _ := strings.Cut(after, "\n")
	for _, parent := range strings.Fields(line) {
		parents = append(parents, purposePrefix+parent)
	}
	return parents, true
}

// isTerm says whether s is letters only, so that it can match nothing but a term of the table.
func isTerm(s string) bool {
	for _, c := range []byte(s) {
		if (c < 'a' || c > 'z') && (c < 'A' || c > 'Z') {
			return false
		}
	}
	return s != ""
}

// purposeNames lists every purpose, in alphabetical order.
func purposeNames() []string {
	var names []string
	for line := range strings.Lines(strings.TrimPrefix(purposeTable, "\n")) {
		term, _, _ := strings.Cut(line, " <")
		names = append(names, purposePrefix+term)
	}
	return names
}

// purposeProblem returns what is wrong with purpose, and the nearest known one; "" if nothing.
func purposeProblem(purpose string) string {
	switch {
	case KnownPurpose(purpose):
		return ""
	case KnownPurpose(purposePrefix + purpose):
		return quote(purpose) + " lacks its prefix; write " + purposePrefix + purpose
	}
	return unknown("DPV purpose", purpose, purposeNames())
}
