package sandbox_test

import (
	"strings"
	"sync"
	"testing"

	"entrepot/access"
	"entrepot/privacy"
	"entrepot/sandbox"
	"entrepot/sandbox/audit"
)

// seesOnly lets the lab see the declaration and ask nothing.
const seesOnly = `{"rules": [{"id": "look", "effect": "allow", "organisations": ["lab_sg"], "roles": ["researcher"],
	"jurisdictions": ["*"], "purposes": ["*"], "actions": ["metadata"]}]}`

// TestPolicyRevisions: an owner changes the policy that it saw, or none.
func TestPolicyRevisions(t *testing.T) {
	h := newHouse(t)
	for _, base := range []int64{0, 2, -1} {
		h.unchanged(func() {
			_, err := h.PutPolicy(ctx, owner, students, base, policy(t, seesOnly))
			if e := refused(t, err, sandbox.CodePrecondition); e.Hint == "" {
				t.Errorf("base %d: %+v", base, e)
			}
		})
	}
	revision, err := h.PutPolicy(ctx, owner, students, 1, policy(t, seesOnly))
	if err != nil || revision != 2 {
		t.Errorf("%d %v", revision, err)
	}
	got, revision, err := h.Policy(ctx, regulator, students)
	if err != nil || revision != 2 || got.Rules[0].ID != "look" {
		t.Errorf("%+v %d %v", got, revision, err)
	}
	h.unchanged(func() {
		_, err := h.PutPolicy(ctx, owner, students, 2, access.Policy{Rules: []access.Rule{{ID: "x"}}})
		refused(t, err, sandbox.CodeInvalid)
		_, err = h.PutPolicy(ctx, owner, "kr_edu.nothing", 0, access.Policy{})
		refused(t, err, sandbox.CodeNotFound)
	})
	changes := 0
	for _, c := range logged[audit.Change](h, audit.KindPolicy) {
		if changes++; c.Resource != students || c.Revision != int64(changes) || len(c.Spaces) != 1 || c.Spaces[0] != space {
			t.Errorf("%+v", c)
		}
	}
	if changes != 2 {
		t.Errorf("%d changes are logged", changes)
	}
}

// TestConcurrentPolicies: of two changes to one revision, one is made.
func TestConcurrentPolicies(t *testing.T) {
	h := newHouse(t)
	var all sync.WaitGroup
	errs := make([]error, 6)
	for i := range errs {
		all.Go(func() { _, errs[i] = h.PutPolicy(ctx, owner, students, 1, policy(t, seesOnly)) })
	}
	all.Wait()
	made := 0
	for _, err := range errs {
		switch sandbox.AsErrorCode(err) {
		case "":
			made++
		case sandbox.CodePrecondition, sandbox.CodeConflict:
		default:
			t.Error(err)
		}
	}
	if made != 1 {
		t.Errorf("%d were made", made)
	}
}

// TestPolicyTakesEffectAtOnce: the next question is decided by the new policy, by every server.
func TestPolicyTakesEffectAtOnce(t *testing.T) {
	h := newHouse(t)
	other := h.serve()
	for _, s := range []*sandbox.Service{h.Service, other} {
		_, err := s.Submit(ctx, researcher, ask(fresh))
		must(t, err)
	}
	for range 2 {
		h.putPolicy(students, seesOnly)
		for _, s := range []*sandbox.Service{h.Service, other} {
			spent := h.account().Spent
			_, err := s.Submit(ctx, researcher, ask(fresh))
			if e := refused(t, err, sandbox.CodeDenied); e.Query == "" || h.account().Spent != spent {
				t.Errorf("%+v", e)
			}
		}
		h.putPolicy(students, policyDoc)
		for _, s := range []*sandbox.Service{h.Service, other} {
			_, err := s.Submit(ctx, researcher, ask(fresh))
			must(t, err)
		}
	}
	h.tally(6, 6, 0)
	h.putPolicy(students, `{}`)
	h.unchanged(func() {
		_, err := h.Submit(ctx, researcher, ask(fresh))
		refused(t, err, sandbox.CodeNotFound) // it may not see the dataset any more
	})
}

// TestDenialIsLogged: with the question, the rule that decided and its reason, as the asker is told.
func TestDenialIsLogged(t *testing.T) {
	h := newHouse(t)
	both := principal("kr_edu/lee", access.Researcher, access.Owner)
	j := project("elsewhere")
	j.Datasets = nil
	_, err := h.PutProject(ctx, manager, j)
	must(t, err)
	for _, test := range []struct {
		name, policy string
		who          access.Principal
		change       func(*sandbox.Query)
		rule, reason string
	}{
		{"a rule denies", denyDoc, researcher, fresh, "stop", "rule stop denies"},
		{"no rule allows", seesOnly, researcher, fresh, "default", "look"},
		{"too much loss", policyDoc, researcher, func(q *sandbox.Query) { q.Loss.Epsilon = 2 * privacy.OneEpsilon }, "default", "max_epsilon_per_query"},
		{"another project", policyDoc, researcher, func(q *sandbox.Query) { q.Project = "elsewhere" }, "project", "kr_edu.students"},
		{"an empty policy, the owner itself", `{}`, both, fresh, "default", "no rules"},
	} {
		t.Run(test.name, func(t *testing.T) {
			h.putPolicy(students, test.policy)
			spent, before := h.account().Spent, len(h.entries())
			_, err := h.Submit(ctx, test.who, ask(test.change, key(test.name)))
			e := refused(t, err, sandbox.CodeDenied)
			list := logged[audit.Decision](h, audit.KindDecision)
			got := list[len(list)-1]
			if got.Query != e.Query || got.Verdict != audit.VerdictDenied || got.Rule != test.rule || !strings.Contains(got.Reason, test.reason) ||
				!strings.Contains(e.Public, got.Reason) || got.Datasets[0] != students || got.Spaces[0] != space || !strings.HasPrefix(got.Question, "SELECT") {
				t.Errorf("%+v\nis logged as %+v", e, got)
			}
			if entries := h.entries(); len(entries) != before+1 || entries[before].Actor != test.who.ID || h.account().Spent != spent {
				t.Error("a denial is one entry and nothing else")
			}
		})
	}
	if n := h.engine.calls.Load() + h.engine.checks.Load(); n != 0 {
		t.Errorf("the engine was called %d times", n)
	}
}

// TestNoPolicyDenies: also the owner's own researchers; to others the dataset is not there.
func TestNoPolicyDenies(t *testing.T) {
	h := newHouse(t)
	h.putDataset("exams", studentsDoc)
	h.register("kr_edu.exams", table)
	both := principal("kr_edu/lee", access.Researcher, access.Owner)
	exams := sql("SELECT COUNT(*) FROM kr_edu.exams")
	_, err := h.Submit(ctx, both, ask(exams))
	refused(t, err, sandbox.CodeDenied)
	decisions := logged[audit.Decision](h, audit.KindDecision)
	if len(decisions) != 1 || decisions[0].Rule != "default" || decisions[0].Reason != "no policy is in force" {
		t.Errorf("%+v", decisions)
	}
	for _, p := range []access.Principal{researcher, colleague} {
		_, err := h.Submit(ctx, p, ask(exams))
		refused(t, err, sandbox.CodeNotFound)
	}
	h.tally(0, 0, 0)
}

// TestDecide: an owner asks for anybody, and is told what the question would be told.
func TestDecide(t *testing.T) {
	h := newHouse(t)
	q := sandbox.Simulation{Principal: researcher, Action: access.Aggregate, Dataset: students, Project: "gap", Epsilon: int64(half)}
	for _, test := range []struct {
		epsilon privacy.Epsilon
		allowed bool
		rule    string
	}{{half, true, "research"}, {privacy.OneEpsilon, true, "research"}, {privacy.OneEpsilon + 1, false, "default"}} {
		q.Epsilon = int64(test.epsilon)
		h.unchanged(func() {
			for _, p := range []access.Principal{owner, researcher} {
				d, err := h.Decide(ctx, p, q)
				if err != nil || d.Allowed != test.allowed || d.Rule != test.rule || d.Reason == "" {
					t.Errorf("%s, ε = %s: %+v %v", p.ID, test.epsilon, d, err)
				}
			}
		})
	}
	q.Principal = stranger
	if d, err := h.Decide(ctx, owner, q); err != nil || d.Allowed {
		t.Errorf("%+v %v", d, err)
	}
}
