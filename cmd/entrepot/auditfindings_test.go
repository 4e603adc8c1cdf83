package main

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	"entrepot/privacy"
	"entrepot/privacy/ledger"
	"entrepot/sandbox/audit"
)

// What an owner or an operator did is in front of whoever verifies the log, not only in its entries.
func TestVerifiedLogsShowWhatChanged(t *testing.T) {
	a, err := ledger.New("a/b", ledger.Promise{Kind: ledger.KindPure, Epsilon: privacy.OneEpsilon}, ledger.Terms{})
	if err != nil {
		t.Fatal(err)
	}
	plain := audit.Report{Accounts: []ledger.Account{a}, Kinds: map[audit.Kind]int64{audit.KindAccount: 1}}
	for _, word := range []string{"raised", "allocation", "loss"} {
		if text := verifiedText(plain, 200); strings.Contains(text, word) {
			t.Errorf("%q of a log without: %s", word, text)
		}
	}
	larger := a.Promise
	larger.Epsilon *= 2
	if a, err = a.Amend(larger, a.Terms); err != nil {
		t.Fatal(err)
	}
	caps := ledger.NoLimit(privacy.Orders{})
	caps.Epsilon = privacy.OneEpsilon / 4
	report := audit.Report{
		Accounts: []ledger.Account{a}, Promises: 1, Kinds: map[audit.Kind]int64{audit.KindAccount: 1, audit.KindAmendment: 1, audit.KindAllocation: 1, audit.KindRecovery: 1},
		Allocations: []ledger.Allocation{{Account: "a/b", Name: "lab", Revision: 1, Scope: ledger.Scope{Organisation: "sg_lab"}, Caps: caps, Spent: privacy.Clocks{Epsilon: privacy.OneEpsilon / 8}}},
		Recoveries: []audit.Recovered{{Index: 3, Time: time.Date(2026, 5, 4, 10, 0, 0, 0, time.UTC), Actor: "house/root",
			Recovery: audit.Recovery{Reason: "disk lost", Frozen: []string{"a/b"}}}},
	}
	text := verifiedText(report, 200)
	for _, words := range []string{"amendment", "allocation", "recovery", "a new promise: a/b (1)", "organisation sg_lab", "ε 0.125", "ε 0.25",
		"Entry 3, 2026-05-04T10:00:00Z, by house/root: went on after a loss of which no checkpoint is known; froze a/b: disk lost"} {
		if !strings.Contains(text, words) {
			t.Errorf("it does not say %q:\n%s", words, text)
		}
	}
	b, err := json.Marshal(newFindings(report))
	if err != nil {
		t.Fatal(err)
	}
	for _, words := range []string{`"new_promises":1`, `"allocations":[{"account":"a/b","name":"lab"`, `"recoveries":[{"entry":3,"time":"2026-05-04T10:00:00Z","actor":"house/root","reason":"disk lost","frozen":["a/b"]}]`} {
		if !strings.Contains(string(b), words) {
			t.Errorf("it does not hold %s:\n%s", words, b)
		}
	}
}
