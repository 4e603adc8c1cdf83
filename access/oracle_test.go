package access

import (
	"fmt"
	"math/rand/v2"
	"testing"
	"time"
)

// This file decides a second time, from the policy itself: no Casbin, no rows, no clause functions and
// no purpose table of the product. It is written to be read next to POLICY.md.

// oracleBroader is typed in from dpv.csv, only as far as the random policies go.
var oracleBroader = map[string][]string{
	"dpv:ScientificResearch":      {"dpv:ResearchAndDevelopment"},
	"dpv:CommercialResearch":      {"dpv:CommercialPurpose", "dpv:ResearchAndDevelopment"},
	"dpv:NonCommercialResearch":   {"dpv:NonCommercialPurpose", "dpv:ResearchAndDevelopment"},
	"dpv:PersonalisedAdvertising": {"dpv:Advertising", "dpv:Personalisation"},
	"dpv:Advertising":             {"dpv:Marketing"},
	"dpv:ResearchAndDevelopment":  nil, "dpv:CommercialPurpose": nil, "dpv:NonCommercialPurpose": nil,
	"dpv:Marketing": nil, "dpv:Personalisation": nil,
}

func oracleCovers(broad, narrow string) bool {
	if broad == narrow {
		return true
	}
	for _, parent := range oracleBroader[narrow] {
		if oracleCovers(broad, parent) {
			return true
		}
	}
	return false
}

// oracleDecide returns the verdict and the rule that it should name.
func oracleDecide(dataset string, p Policy, r Request) (allowed bool, rule string) {
	if r.Dataset != dataset || r.Time.IsZero() || r.EpsilonPico < 0 || len(r.Principal.Roles) == 0 ||
		(r.Action != "metadata" && r.Action != "aggregate") || len(r.Jurisdiction) != 2 || r.Jurisdiction == "XX" {
		return false, "default"
	}
	named := r.Project.ID != ""
	if !named && r.Action == "aggregate" {
		return false, "project"
	}
	if named {
		member, part := false, false
		for _, m := range r.Project.Members {
			member = member || m == r.Principal.Organisation
		}
		for _, d := range r.Project.Datasets {
			part = part || d == dataset
		}
		if !member || !part || r.Time.UnixNano() < r.Project.NotBefore.UnixNano() || r.Time.UnixNano() >= r.Project.NotAfter.UnixNano() {
			return false, "project"
		}
	}
	for _, effect := range []Effect{"deny", "allow"} {
		for _, candidate := range p.Rules {
			if candidate.Effect == effect && oracleApplies(candidate, r, named) {
				return effect == "allow", candidate.ID
			}
		}
	}
	return false, "default"
}

func oracleApplies(rule Rule, r Request, named bool) bool {
	allow := rule.Effect == "allow"
	anyRole := rule.Roles == nil
	for _, want := range rule.Roles {
		for _, have := range r.Principal.Roles {
			anyRole = anyRole || want == "*" || want == have
		}
	}
	action := rule.Actions == nil
	for _, a := range rule.Actions {
		action = action || a == "*" || a == r.Action || (allow && a == "aggregate") || (!allow && a == "metadata")
	}
	purpose := rule.Purposes == nil || (!named && allow)
	for _, p := range rule.Purposes {
		purpose = purpose || p == "*" || (named && oracleCovers(p, r.Project.Purpose))
	}
	project := rule.Projects == nil
	for _, p := range rule.Projects {
		project = project || p == "*" || (named && p == r.Project.ID)
	}
	begun := rule.NotBefore.IsZero() || rule.NotBefore.UnixNano() <= r.Time.UnixNano()
	ended := !rule.NotAfter.IsZero() && rule.NotAfter.UnixNano() <= r.Time.UnixNano()
	affordable := rule.MaxEpsilonPerQuery == 0 || r.EpsilonPico <= int64(rule.MaxEpsilonPerQuery)
	return anyRole && action && purpose && project && begun && !ended && affordable &&
		oracleHas(rule.Organisations, r.Principal.Organisation) && oracleHas(rule.Jurisdictions, r.Jurisdiction)
}

func oracleHas(list []string, value string) bool {
	if list == nil {
		return true
	}
	for _, v := range list {
		if v == value || v == "*" {
			return true
		}
	}
	return false
}

// world draws policies and requests from small sets, so that clauses meet often.
type world struct{ *rand.Rand }

var (
	worldOrgs     = []string{"kr_edu", "uk_edu", "sg_lab", "kr_edu2"}
	worldCodes    = []string{"KR", "GB", "SG"}
	worldRoles    = []Role{Operator, Owner, Researcher, Manager, Regulator}
	worldActions  = []Action{Metadata, Aggregate}
	worldProjects = []string{"gap", "gap_two", "ads"}
	worldPurposes = []string{"dpv:ScientificResearch", "dpv:CommercialResearch", "dpv:NonCommercialResearch", "dpv:PersonalisedAdvertising",
		"dpv:Advertising", "dpv:ResearchAndDevelopment", "dpv:CommercialPurpose", "dpv:NonCommercialPurpose", "dpv:Marketing", "dpv:Personalisation"}
)

func pick[T any](w world, all []T) T { return all[w.IntN(len(all))] }

// some draws a list for a rule: "*", a subset, or for a deny rule sometimes nothing.
func some[T ~string](w world, all []T, effect Effect) []T {
	switch n := w.IntN(6); {
	case n == 0 && effect == Deny:
		return nil
	case n <= 2:
		return []T{"*"}
	}
	var list []T
	for len(list) == 0 {
		for _, v := range all {
			if w.IntN(2) == 0 {
				list = append(list, v)
			}
		}
	}
	return list
}

// moment draws one of few times, so that boundaries are hit.
func (w world) moment() time.Time {
	return time.Date(2026, time.Month(1+w.IntN(12)), 1, 0, 0, 0, w.IntN(2), time.FixedZone("", 3600*w.IntN(10)))
}

func (w world) policy() Policy {
	p := Policy{PreThreshold: int64(w.IntN(3))}
	for i := range w.IntN(7) {
		rule := Rule{ID: fmt.Sprintf("r%d", i), Effect: Allow}
		if w.IntN(3) == 0 {
			rule.Effect = Deny
		}
		rule.Organisations = some(w, worldOrgs, rule.Effect)
		rule.Roles = some(w, worldRoles, rule.Effect)
		rule.Jurisdictions = some(w, worldCodes, rule.Effect)
		rule.Purposes = some(w, worldPurposes, rule.Effect)
		rule.Actions = some(w, worldActions, rule.Effect)
		rule.Projects = some(w, worldProjects, Deny)
		if from, until := w.moment(), w.moment(); from.Before(until) {
			if w.IntN(2) == 0 {
				rule.NotBefore = from
			}
			if w.IntN(2) == 0 {
				rule.NotAfter = until
			}
		}
		if rule.Effect == Allow && w.IntN(2) == 0 {
			rule.MaxEpsilonPerQuery = Pico(1 + w.IntN(3))
		}
		p.Rules = append(p.Rules, rule)
	}
	return p
}

func (w world) request() Request {
	org := pick(w, worldOrgs)
	r := Request{
		Principal:    Principal{ID: org + "/someone", Organisation: org, Roles: []Role{pick(w, worldRoles)}},
		Jurisdiction: pick(w, worldCodes), Action: pick(w, worldActions), Dataset: "kr_edu.students",
		EpsilonPico: int64(w.IntN(4)), Time: w.moment(),
	}
	if second := pick(w, worldRoles); second != r.Principal.Roles[0] && w.IntN(3) == 0 {
		r.Principal.Roles = append(r.Principal.Roles, second)
	}
	if w.IntN(8) != 0 {
		r.Project = Project{ID: pick(w, worldProjects), Title: "t", Members: worldOrgs[:1+w.IntN(4)], Purpose: pick(w, worldPurposes),
			Datasets:  []string{"uk_edu.pupils", "kr_edu.students"},
			NotBefore: time.Date(2026, 2, 1, 0, 0, 0, 0, time.UTC), NotAfter: time.Date(2026, 12, 1, 0, 0, 0, 0, time.UTC)}
		if w.IntN(10) == 0 {
			r.Project.Datasets = r.Project.Datasets[:1]
		}
	}
	switch w.IntN(40) {
	case 0:
		r.Dataset = "uk_edu.pupils"
	case 1:
		r.EpsilonPico = -1
	case 2:
		r.Jurisdiction = "XX"
	case 3:
		r.Principal.Roles = nil
	case 4:
		r.Action = "export"
	case 5:
		r.Time = time.Time{}
	}
	return r
}

// TestOracle compares 40,000 random decisions under 2,000 random policies with the oracle: verdict and
// deciding rule, every one.
func TestOracle(t *testing.T) {
	w := world{rand.New(rand.NewPCG(26, 11))}
	counts := map[string]int{}
	for range 2000 {
		p := w.policy()
		e, err := Compile("kr_edu.students", p)
		if err != nil {
			t.Fatal(err)
		}
		for range 20 {
			r := w.request()
			got := e.Decide(r)
			allowed, rule := oracleDecide("kr_edu.students", p, r)
			if got.Allowed != allowed || got.Rule != rule || got.Reason == "" {
				t.Fatalf("decided %+v, the oracle says %v by %s\npolicy %+v\nrequest %+v", got, allowed, rule, p, r)
			}
			checkVisible(t, e, p, r)
			switch {
			case allowed:
				counts["allowed"]++
			case rule == "default" || rule == "project":
				counts[rule]++
			default:
				counts["denied by a rule"]++
			}
		}
	}
	t.Log(counts)
	for _, outcome := range []string{"allowed", "default", "project", "denied by a rule"} {
		if counts[outcome] < 2000 {
			t.Errorf("only %d outcomes of kind %q: the draw is too lopsided to show much", counts[outcome], outcome)
		}
	}
}

// checkVisible holds Visible to its words: metadata in the named project, or without one. What may be
// asked can be seen.
func checkVisible(t *testing.T, e *Enforcer, p Policy, r Request) {
	t.Helper()
	look := r
	look.Action, look.EpsilonPico = Metadata, 0
	inProject, _ := oracleDecide("kr_edu.students", p, look)
	look.Project = Project{}
	without, _ := oracleDecide("kr_edu.students", p, look)
	if e.Visible(r) != (inProject || without) {
		t.Fatalf("visible is %v\npolicy %+v\nrequest %+v", e.Visible(r), p, r)
	}
	if e.Decide(r).Allowed && !e.Visible(r) {
		t.Fatalf("allowed, yet not visible\npolicy %+v\nrequest %+v", p, r)
	}
}
