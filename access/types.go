package access

import "time"

// Role is what a principal may do, within what its organisation may.
type Role string

// The roles.
const (
	Operator   Role = "operator"   // runs the server: registers organisations
	Owner      Role = "owner"      // registers its organisation's tables, policies and budgets
	Researcher Role = "researcher" // asks questions
	Manager    Role = "manager"    // opens projects, audits usage
	Regulator  Role = "regulator"  // reads metadata, decisions and the log
)

// Principal is who asks, as its token says. Only Verifier makes one from a token.
type Principal struct {
	ID           string `json:"id"`           // org/name
	Organisation string `json:"organisation"` // org
	Roles        []Role `json:"roles"`
}

// Organisation is a partner, with the ISO 3166-1 alpha-2 code of its jurisdiction.
type Organisation struct {
	ID           string `json:"id"`
	Title        string `json:"title"`
	Jurisdiction string `json:"jurisdiction"`
}

// Project is what partners work on together: no project, no question.
type Project struct {
	ID         string    `json:"id"`
	Title      string    `json:"title"`
	Members    []string  `json:"members"`              // organisations
	Purpose    string    `json:"purpose"`              // a DPV purpose, e.g. dpv:ScientificResearch
	Datasets   []string  `json:"datasets,omitempty"`   // org.dataset
	Agreements []string  `json:"agreements,omitempty"` // what it operationalises, e.g. "KSDPA 14.25"
	NotBefore  time.Time `json:"not_before"`
	NotAfter   time.Time `json:"not_after"`
}

// Action is what a rule may allow or deny.
type Action string

// The actions.
const (
	Metadata  Action = "metadata"  // see the declaration
	Aggregate Action = "aggregate" // ask for DP aggregates
)

// Request is everything a decision depends on.
type Request struct {
	Principal    Principal
	Jurisdiction string // of the principal's organisation
	Action       Action
	Dataset      string  // org.dataset
	Project      Project // zero: none
	EpsilonPico  int64   // ε that the question would cost, in 1e-12; the largest int64 is ∞; 0 for Metadata
	Time         time.Time
}

// Decision is the verdict on a Request.
type Decision struct {
	Allowed bool `json:"allowed"`
	// Rule is the id of the rule that decided, or "default" when none allowed, or "project" when the
	// project forbids it.
	Rule string `json:"rule"`
	// Reason says why in one sentence. It names the rule and the clause that decided; show it to the
	// owner, and to an asker to whom Enforcer.Visible says yes.
	Reason string `json:"reason"`
	// PreThreshold is the smallest group, in units, that partition selection may list; at least 1.
	PreThreshold int64 `json:"pre_threshold"`
}
