package main

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"entrepot/privacy"
	"entrepot/privacy/ledger"
	"entrepot/sandbox"
	"entrepot/sandbox/audit"
)

// findings is what a verified export shows, for programs.
type findings struct {
	Verified   bool                 `json:"verified"`
	Origin     string               `json:"origin"`
	Size       int64                `json:"size"`
	Root       string               `json:"root"`
	Latest     time.Time            `json:"latest,omitzero"`
	Kinds      map[audit.Kind]int64 `json:"kinds"`
	Accounts   []ledger.Account     `json:"accounts"`
	Promises   int64                `json:"new_promises"` // lifetimes that were raised
	Allocated  []ledger.Allocation  `json:"allocations"`
	Recoveries []recovered          `json:"recoveries"`
	Unanswered []string             `json:"unanswered"`
}

// recovered is a restart after a loss.
type recovered struct {
	Entry  int64     `json:"entry"`
	Time   time.Time `json:"time"`
	Actor  string    `json:"actor"`
	Reason string    `json:"reason"`
	Frozen []string  `json:"frozen"` // accounts that it closed until their owners act
}

func newFindings(r audit.Report) findings {
	f := findings{Verified: true, Origin: r.Checkpoint.Origin, Size: r.Checkpoint.Size, Root: r.Checkpoint.Root.String(),
		Latest: r.Latest, Kinds: r.Kinds, Accounts: append([]ledger.Account{}, r.Accounts...),
		Promises: r.Promises, Allocated: append([]ledger.Allocation{}, r.Allocations...), Unanswered: append([]string{}, r.Unanswered...), Recoveries: []recovered{}}
	for _, x := range r.Recoveries {
		f.Recoveries = append(f.Recoveries, recovered{x.Index, x.Time.UTC(), x.Actor, x.Reason, append([]string{}, x.Frozen...)})
	}
	return f
}

func verifiedText(r audit.Report, limit int) string {
	var b strings.Builder
	fmt.Fprintf(&b, "Verified: %s entries of the log %s.\n", groupedInt(r.Checkpoint.Size), printable(r.Checkpoint.Origin))
	if !r.Latest.IsZero() {
		fmt.Fprintf(&b, "Newest entry: %s\n", r.Latest.UTC().Format(time.RFC3339))
	}
	fmt.Fprintf(&b, "Root: %s\n\n", r.Checkpoint.Root)
	kinds := table{columns: columns("kind", ">entries")}
	for _, k := range slices.Sorted(maps.Keys(r.Kinds)) {
		kinds.add(string(k), groupedInt(r.Kinds[k]))
	}
	accounts := []sandbox.AccountInfo{}
	for _, a := range r.Accounts {
		accounts = append(accounts, sandbox.NewAccountInfo(a, r.Latest))
	}
	b.WriteString(kinds.text(limit) + "\n" + accountsText(accounts, limit) + promisesText(r) + allocatedText(r, limit))
	for _, x := range r.Recoveries {
		gist := logEntry{Index: x.Index}.recovered(x.Witness, x.Frozen, x.Reason)
		fmt.Fprintf(&b, "\nEntry %s, %s, by %s: %s\n", groupedInt(x.Index), x.Time.UTC().Format(time.RFC3339), printable(x.Actor), printable(gist))
	}
	if len(r.Unanswered) > 0 {
		fmt.Fprintf(&b, "\nCharged, and neither answered nor failed (a crash leaves such): %s\n", printable(strings.Join(r.Unanswered, ", ")))
	}
	return b.String()
}

// promisesText names the accounts whose lifetime was raised, as each time was a new promise to the people in them.
func promisesText(r audit.Report) string {
	if r.Promises == 0 {
		return ""
	}
	var raised []string
	for _, a := range r.Accounts {
		if a.Promises > 1 {
			raised = append(raised, fmt.Sprintf("%s (%s)", a.ID, groupedInt(a.Promises-1)))
		}
	}
	return fmt.Sprintf("\nLifetimes that were raised, each time a new promise: %s\n", strings.Join(raised, ", "))
}

// allocatedText lists what the log leaves of allocations.
func allocatedText(r audit.Report, limit int) string {
	if len(r.Allocations) == 0 {
		return ""
	}
	orders := map[string]privacy.Orders{}
	for _, a := range r.Accounts {
		orders[a.ID] = a.Promise.Orders
	}
	t := table{columns: columns("account", "allocation", "whose questions", "spent", "of at most")}
	for _, a := range r.Allocations {
		info := sandbox.AllocationInfo{Orders: orders[a.Account], Caps: a.Caps, Spent: a.Spent}
		t.add(a.Account, a.Name, scopeText(a.Scope), spentText(info), capsText(a.Caps, info.Orders))
	}
	return "\n" + t.text(limit)
}
