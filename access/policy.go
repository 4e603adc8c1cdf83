package access

import (
	"fmt"
	"slices"
	"time"
)

// Policy is what a dataset's owner decided: who may see it, who may ask of it, and how much of its
// privacy budget one question may spend. Nothing is allowed that no rule allows; one rule that denies
// outweighs all that allow. The order of rules changes which rule a decision names, never the verdict.
type Policy struct {
	Description string `json:"description,omitempty"`
	// PreThreshold is the smallest group, in units, that partition selection may list. 0 means not
	// stated and is read as 1.
	PreThreshold int64  `json:"pre_threshold,omitempty"`
	Rules        []Rule `json:"rules,omitempty"`
}

// Effect is what a rule does where all its clauses hold.
type Effect string

// The effects.
const (
	Allow Effect = "allow"
	Deny  Effect = "deny"
)

func effectNames() []string { return []string{string(Allow), string(Deny)} }

// Rule is one sentence of a policy. Every clause must hold for the rule to apply. ["*"] means any
// value; an allow rule must say so itself, because a list forgotten must not open a dataset, whereas
// in a deny rule a list left out (nil) means any. An empty list is an error.
type Rule struct {
	ID            string   `json:"id"`
	Effect        Effect   `json:"effect"`
	Organisations []string `json:"organisations,omitempty"` // of the asker
	Roles         []Role   `json:"roles,omitempty"`         // of which the asker has one
	Jurisdictions []string `json:"jurisdictions,omitempty"` // of the asker's organisation
	Purposes      []string `json:"purposes,omitempty"`      // of the project; each covers its narrower ones
	Projects      []string `json:"projects,omitempty"`      // nil: any
	Actions       []Action `json:"actions,omitempty"`       // aggregate includes metadata
	// NotBefore and NotAfter limit when the rule applies: from the first, until before the second.
	NotBefore time.Time `json:"not_before,omitzero"`
	NotAfter  time.Time `json:"not_after,omitzero"`
	// MaxEpsilonPerQuery is the largest ε a question may cost; 0: no limit. On allow rules only.
	MaxEpsilonPerQuery Pico   `json:"max_epsilon_per_query,omitzero"`
	Note               string `json:"note,omitempty"` // for the owner; no decision shows it
}

// Limits of a policy. Every rule is read in every decision, so their product bounds its time.
const (
	maxPolicyDocument = 512 << 10 // bytes
	maxRules          = 1000
	maxNote           = 2000 // bytes of a note or description
	maxPreThreshold   = 1_000_000_000
)

// The names that a Decision gives where no rule decided; no rule may take them.
const (
	byDefault = "default"
	byProject = "project"
)

// ParsePolicy reads a policy from JSON or YAML, strictly. {} is a policy that denies everyone.
// Errors wrap ErrDocument; no error leaves a usable Policy behind.
func ParsePolicy(text []byte) (Policy, error) {
	p := Policy{PreThreshold: 1} // so that an explicit 0 can be told from none
	if err := decodeStrict(text, maxPolicyDocument, &p); err != nil {
		return Policy{}, err
	}
	if p.PreThreshold == 0 {
		p.PreThreshold = -1 // refused below, with the other problems
	}
	if err := p.Validate(); err != nil {
		return Policy{}, err
	}
	return p, nil
}

// Validate returns an error that wraps ErrDocument and lists what is wrong with p, if anything is.
func (p Policy) Validate() error {
	var found problems
	found.add("description", noteProblem(p.Description))
	if p.PreThreshold < 0 || p.PreThreshold > maxPreThreshold {
		found.add("pre_threshold", fmt.Sprintf("it must be from 1 to %d", maxPreThreshold))
	}
	if len(p.Rules) > maxRules {
		found.add("rules", fmt.Sprintf("it has %d rules; at most %d are read", len(p.Rules), maxRules))
		return found.err()
	}
	seen := map[string]int{}
	for i, rule := range p.Rules {
		place := fmt.Sprintf("rules[%d]", i)
		if earlier, twice := seen[rule.ID]; twice {
			found.add(place+".id", quote(rule.ID)+fmt.Sprintf(" is already the id of rules[%d]", earlier))
		}
		seen[rule.ID] = i
		rule.validate(&found, place)
	}
	return found.err()
}

// validate notes what is wrong with one rule.
func (r Rule) validate(found *problems, place string) {
	found.add(place+".id", idProblem(r.ID))
	if r.ID == byDefault || r.ID == byProject {
		found.add(place+".id", quote(r.ID)+" is what a decision says where no rule decided; choose another")
	}
	if r.Effect != Allow && r.Effect != Deny {
		found.add(place+".effect", unknown("effect", string(r.Effect), effectNames()))
	}
	clauseList(found, r.Effect, place+".organisations", r.Organisations, idProblem)
	clauseList(found, r.Effect, place+".roles", r.Roles, roleProblem)
	clauseList(found, r.Effect, place+".jurisdictions", r.Jurisdictions, jurisdictionProblem)
	clauseList(found, r.Effect, place+".purposes", r.Purposes, purposeProblem)
	clauseList(found, Deny, place+".projects", r.Projects, idProblem) // may be left out of any rule
	clauseList(found, r.Effect, place+".actions", r.Actions, actionProblem)
	found.add(place+".not_after", datesProblem(r.NotBefore, r.NotAfter))
	switch {
	case r.MaxEpsilonPerQuery < 0 || r.MaxEpsilonPerQuery > maxPico:
		found.add(place+".max_epsilon_per_query", "it must be above 0 and at most 1000000")
	case r.MaxEpsilonPerQuery > 0 && r.Effect == Deny:
		found.add(place+".max_epsilon_per_query", "a deny rule has none; put it on the rules that allow")
	}
	found.add(place+".note", noteProblem(r.Note))
}

// clauseList notes what is wrong with one list of a rule, whose values wrong judges.
func clauseList[T ~string](found *problems, effect Effect, place string, values []T, wrong func(string) string) {
	switch {
	case values == nil && effect == Deny:
		return
	case values == nil:
		found.add(place, `it is missing; an allow rule must state it, ["*"] for any`)
	case len(values) == 0:
		found.add(place, `it is empty, which could mean none or any; write ["*"] for any`)
	case slices.Contains(values, T(anyValue)):
		if len(values) > 1 {
			found.add(place, `"*" stands alone`)
		}
	default:
		list(found, place, values, wrong)
	}
}

func roleProblem(s string) string {
	if Role(s).Known() {
		return ""
	}
	return unknown("role", s, roleNames())
}

func actionProblem(s string) string {
	if Action(s).Known() {
		return ""
	}
	return unknown("action", s, actionNames())
}

// noteProblem is textProblem for a text that may be empty and may have lines.
func noteProblem(s string) string {
	if len(s) > maxNote {
		return fmt.Sprintf("it has %d bytes; at most %d are kept", len(s), maxNote)
	}
	return ""
}
