package audit

import (
	"encoding/json"
	"time"

	"entrepot/privacy"
	"entrepot/privacy/ledger"
)

// Kind says what an entry records, and so what its Body holds.
type Kind string

// The kinds of entry, with the type of their body.
const (
	KindOrganisation Kind = "organisation" // Change
	KindProject      Kind = "project"      // Change
	KindDataset      Kind = "dataset"      // Change
	KindVersion      Kind = "version"      // Change
	KindPolicy       Kind = "policy"       // Change
	KindMerge        Kind = "merge"        // Change: unit spaces became one
	KindAccount      Kind = "account"      // Opening
	KindAmendment    Kind = "amendment"    // Amendment: an account's terms were changed, or a new promise was made
	KindAllocation   Kind = "allocation"   // Allocation: one was made, changed or taken away
	KindRecovery     Kind = "recovery"     // Recovery: a store was found behind its witness, and goes on from there
	KindDecision     Kind = "decision"     // Decision: a question that was not admitted
	KindCharge       Kind = "charge"       // Charge
	KindRelease      Kind = "release"      // Release
	KindRepeat       Kind = "repeat"       // Repeat: a stored release was given again
	KindFailure      Kind = "failure"      // Failure
)

// Entry is one line of the log. FORMAT.md fixes its bytes.
type Entry struct {
	Index int64           // from 0, without gaps
	Time  time.Time       // whole seconds, UTC
	Kind  Kind            // what Body holds
	Actor string          // principal, org/name
	Salt  [16]byte        // random, so that a leaf hash tells nothing about its entry
	Body  json.RawMessage // one JSON object, as MarshalBody writes the body's type
}

// Change is the body of a change to the catalogue.
type Change struct {
	Resource string   `json:"resource"` // e.g. kr_edu.students
	Revision int64    `json:"revision"` // at least 1
	Digest   string   `json:"digest"`   // SHA-256 of the stored document, hex; for a version a keyed commitment to its rows
	Spaces   []string `json:"spaces"`   // unit spaces it concerns
}

// Opening is the body of an account's opening.
type Opening struct {
	Reason  string         `json:"reason"` // in the owner's words; "" where none was given
	Account ledger.Account `json:"account"`
}

// Amendment is the body of a change of an account: of its terms, or to a larger lifetime.
type Amendment struct {
	Reason string         `json:"reason"` // in the owner's words
	Before ledger.Account `json:"before"`
	After  ledger.Account `json:"after"`
}

// Allocation is the body of a change of an allocation.
type Allocation struct {
	Reason string             `json:"reason"` // in the owner's words
	Before *ledger.Allocation `json:"before"` // nil: there was none
	After  *ledger.Allocation `json:"after"`  // nil: it was taken away
}

// Recovery is the body of a restart after a loss: entries that a witness saw are not in this log, and cannot
// be had back.
type Recovery struct {
	Reason  string   `json:"reason"`  // in the operator's words
	Witness string   `json:"witness"` // the newest checkpoint known, signed; "" where there is none
	Newest  bool     `json:"newest"`  // the lost log ended with it: it is the store's own witness, not one that somebody kept
	Spent   []Spent  `json:"spent"`   // clocks of every account, as they stand from here on: at least those of the witness
	Frozen  []string `json:"frozen"`  // accounts that stay closed until their owners act: the witness may be older than what was lost
}

// The verdicts of a Decision.
const (
	VerdictDenied    = "denied"    // by policy
	VerdictExhausted = "exhausted" // an account has no room
	VerdictFrozen    = "frozen"    // an account saw its allowance of failures
)

// Decision is the body of a question that was not admitted: denied by policy or refused by the budget.
type Decision struct {
	Query    string   `json:"query"`
	Project  string   `json:"project"`
	Datasets []string `json:"datasets"`
	Spaces   []string `json:"spaces"`
	Verdict  string   `json:"verdict"` // VerdictDenied, VerdictExhausted or VerdictFrozen
	Rule     string   `json:"rule"`
	Reason   string   `json:"reason"`
	Question string   `json:"question"` // the canonical question
}

// Charge is the body of an admitted question: what it costs whom, before any row was read.
type Charge struct {
	Query    string           `json:"query"`
	Project  string           `json:"project"`
	Purpose  string           `json:"purpose"`
	Rule     string           `json:"rule"` // that allowed it
	Datasets []DatasetVersion `json:"datasets"`
	Question string           `json:"question"` // the canonical question
	Charges  []ledger.Charge  `json:"charges"`  // sorted by account, each once, at least one
	Spent    []Spent          `json:"spent"`    // each account's clocks after the charge, in that order
}

// DatasetVersion names one version of a dataset.
type DatasetVersion struct {
	ID      string `json:"id"`
	Version int64  `json:"version"`
}

// Spent is one account's clocks.
type Spent struct {
	Account string         `json:"account"`
	Clocks  privacy.Clocks `json:"clocks"`
}

// Release is the body of an answer: its charge came earlier in the log. Its entry carries the
// charge's time, so that the log does not tell how long the question ran.
type Release struct {
	Query   string `json:"query"`
	Release string `json:"release"`
	Digest  string `json:"digest"` // SHA-256 of what is stored, the answer and all that was drawn; hex
}

// Repeat is the body of a stored release given again, at no charge.
type Repeat struct {
	Query   string `json:"query"` // the new question's id
	Release string `json:"release"`
	Project string `json:"project"`
}

// Failure is the body of an admitted question that gave no answer. The charge stays. Its entry carries
// the charge's time, as a release's does.
type Failure struct {
	Query    string   `json:"query"`
	Accounts []string `json:"accounts"` // those of the charge, in its order
	Frozen   []string `json:"frozen"`   // accounts among them that this failure froze
}
