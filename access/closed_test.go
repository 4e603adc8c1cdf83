package access

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/casbin/casbin/v2"
)

// This file shows that damage closes: empty, corrupt and switched-off policies deny.

func allowAll(id string) Rule {
	return Rule{ID: id, Effect: Allow, Organisations: []string{"*"}, Roles: []Role{"*"}, Jurisdictions: []string{"*"}, Purposes: []string{"*"}, Actions: []Action{"*"}}
}

func goodRequest() Request {
	return Request{
		Principal: Principal{"sg_lab/mina", "sg_lab", []Role{Researcher}}, Jurisdiction: "SG", Action: Aggregate, Dataset: "kr_edu.students",
		EpsilonPico: 1, Time: time.Date(2026, 6, 1, 0, 0, 0, 0, time.UTC),
		Project: Project{ID: "gap", Members: []string{"sg_lab"}, Purpose: "dpv:ScientificResearch", Datasets: []string{"kr_edu.students"},
			NotBefore: time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC), NotAfter: time.Date(2027, 1, 1, 0, 0, 0, 0, time.UTC)},
	}
}

// corrupt returns an Enforcer whose Casbin holds these rows, unchecked, as if its memory or an adapter
// had spoilt them.
func corrupt(t *testing.T, rows [][]string) *Enforcer {
	t.Helper()
	e, err := Compile("kr_edu.students", Policy{Rules: []Rule{allowAll("good")}})
	if err != nil {
		t.Fatal(err)
	}
	m := e.casbin.GetModel()
	m.ClearPolicy()
	for _, row := range rows {
		if err := m.AddPolicy("p", "p", row); err != nil {
			t.Fatal(err)
		}
	}
	e.rows = rows
	return e
}

func TestNothingDenies(t *testing.T) {
	var none *Enforcer
	if d := none.Decide(goodRequest()); d.Allowed || d.Rule != "default" || d.PreThreshold != 1 || none.Visible(goodRequest()) {
		t.Errorf("a nil enforcer: %+v", d)
	}
	for _, p := range []Policy{{}, {Rules: []Rule{}}, {PreThreshold: 7}} {
		e, err := Compile("kr_edu.students", p)
		if err != nil {
			t.Fatal(err)
		}
		if d := e.Decide(goodRequest()); d.Allowed || d.Rule != "default" || d.PreThreshold != max(1, p.PreThreshold) || e.Visible(goodRequest()) {
			t.Errorf("%+v: %+v", p, d)
		}
	}
	if d := corrupt(t, nil).Decide(goodRequest()); d.Allowed {
		t.Errorf("rows lost: %+v", d)
	}
	lost := corrupt(t, nil)
	lost.rows = [][]string{newRow(allowAll("good"))} // only Casbin lost them
	if d := lost.Decide(goodRequest()); d.Allowed || d.Rule != "default" || lost.Visible(goodRequest()) {
		t.Errorf("rows lost in Casbin: %+v", d)
	}
}

func TestCompileRefuses(t *testing.T) {
	for _, dataset := range []string{"", "students", "kr_edu/students", "kr_edu.students.x", "*.*", "kr_edu."} {
		if e, err := Compile(dataset, Policy{}); err == nil || e != nil {
			t.Errorf("dataset %q compiled", dataset)
		}
	}
	spoil := map[string]func(*Rule){
		"effect": func(r *Rule) { r.Effect = "Deny" }, "no effect": func(r *Rule) { r.Effect = "" },
		"role": func(r *Rule) { r.Roles = []Role{"root"} }, "missing list": func(r *Rule) { r.Purposes = nil },
		"empty list": func(r *Rule) { r.Actions = []Action{} }, "space": func(r *Rule) { r.Organisations = []string{"a b"} },
		"empty word": func(r *Rule) { r.Organisations = []string{""} }, "ε": func(r *Rule) { r.MaxEpsilonPerQuery = -1 },
		"year": func(r *Rule) { r.NotAfter = time.Date(12026, 1, 1, 0, 0, 0, 0, time.UTC) },
	}
	for name, change := range spoil {
		rule := allowAll("a")
		change(&rule)
		if e, err := Compile("kr_edu.students", Policy{Rules: []Rule{rule}}); err == nil || e != nil {
			t.Errorf("%s compiled", name)
		}
	}
}

// TestSwitchedOff: an enforcer that Casbin was told to switch off allows everything; Decide does not.
func TestSwitchedOff(t *testing.T) {
	e, err := Compile("kr_edu.students", Policy{Rules: []Rule{{ID: "no", Effect: Deny}}})
	if err != nil {
		t.Fatal(err)
	}
	e.casbin.EnableEnforce(false)
	if d := e.Decide(goodRequest()); d.Allowed {
		t.Errorf("%+v", d)
	}
	e.casbin = &casbin.Enforcer{} // not even initialised
	if d := e.Decide(goodRequest()); d.Allowed {
		t.Errorf("%+v", d)
	}
}

// TestMalformedRows: in an allow row a cell that cannot be read is not met; in a deny row it is.
func TestMalformedRows(t *testing.T) {
	for column := columnOrganisations; column < columns; column++ {
		for _, cell := range []string{"", " ", "a  b", "* *", "a *", " *"} {
			allow, deny := newRow(allowAll("allow")), newRow(Rule{ID: "deny", Effect: Deny})
			allow[column], deny[column] = cell, cell
			if err := checkRow(allow); err == nil {
				t.Errorf("column %d: %q passes the check", column, cell)
			}
			if d := corrupt(t, [][]string{allow}).Decide(goodRequest()); d.Allowed {
				t.Errorf("column %d: %q in an allow row: %+v", column, cell, d)
			}
			d := corrupt(t, [][]string{newRow(allowAll("good")), deny}).Decide(goodRequest())
			if d.Allowed || d.Rule != "deny" {
				t.Errorf("column %d: %q in a deny row: %+v", column, cell, d)
			}
		}
	}
	for _, effect := range []string{"", "Deny", "Allow", "deny ", "DENY", "*"} {
		row := newRow(Rule{ID: "deny", Effect: Deny})
		row[columnEffect] = effect
		if checkRow(row) == nil {
			t.Errorf("effect %q passes the check", effect)
		}
		if d := corrupt(t, [][]string{newRow(allowAll("good")), row}).Decide(goodRequest()); d.Allowed {
			t.Errorf("effect %q: %+v", effect, d)
		}
	}
	for _, short := range []int{0, 1, 2, columns - 1} {
		rows := [][]string{newRow(allowAll("good")), newRow(allowAll("short"))[:short]}
		e := corrupt(t, rows)
		e.rows = rows[:1]
		if d := e.Decide(goodRequest()); d.Allowed {
			t.Errorf("%d cells: %+v", short, d)
		}
	}
}

// TestCorruptPolicies damages the text of a policy 5,000 times, byte by byte. Either it is refused, and
// then nothing is compiled, or what it now says is what the oracle reads in it. A lost rule cannot be
// noticed in a text; that is what the hash in the log is for.
func TestCorruptPolicies(t *testing.T) {
	w := world{rand.New(rand.NewPCG(7, 7))}
	refused := 0
	for range 5000 {
		p := w.policy()
		text, err := json.Marshal(p)
		if err != nil {
			t.Fatal(err)
		}
		switch at := w.IntN(len(text)); w.IntN(4) {
		case 0:
			text[at] ^= byte(1 << w.IntN(8))
		case 1:
			text = text[:at]
		case 2:
			text = append(text[:at:at], text[min(len(text), at+1+w.IntN(8)):]...)
		case 3:
			text = slices.Insert(text, at, byte(w.IntN(256)))
		}
		damaged, err := ParsePolicy(text)
		if err != nil {
			refused++
			if e, err := Compile("kr_edu.students", damaged); err == nil && e.Decide(w.request()).Allowed {
				t.Fatalf("a refused policy allows: %s", text)
			}
			continue
		}
		e, err := Compile("kr_edu.students", damaged)
		if err != nil {
			t.Fatal(err)
		}
		r := w.request()
		if allowed, rule := oracleDecide("kr_edu.students", damaged, r); e.Decide(r).Allowed != allowed || e.Decide(r).Rule != rule {
			t.Fatalf("%s\n%+v", text, r)
		}
	}
	t.Logf("%d of 5,000 refused", refused)
	if refused < 2500 {
		t.Error("damage is hardly noticed")
	}
}

// TestConcurrentDecisions shares one enforcer among goroutines; run with -race it shows that deciding
// writes nothing.
func TestConcurrentDecisions(t *testing.T) {
	w := world{rand.New(rand.NewPCG(3, 4))}
	var p Policy
	for len(p.Rules) < 4 {
		p = w.policy()
	}
	e, err := Compile("kr_edu.students", p)
	if err != nil {
		t.Fatal(err)
	}
	requests := make([]Request, 200)
	want := make([]Decision, len(requests))
	for i := range requests {
		requests[i] = w.request()
		want[i] = e.Decide(requests[i])
	}
	fresh, err := Compile("kr_edu.students", p) // its matcher is first parsed by many at once
	if err != nil {
		t.Fatal(err)
	}
	fresh.casbin.ClearPolicy()
	if err := fresh.casbin.GetModel().AddPolicies("p", "p", fresh.rows); err != nil {
		t.Fatal(err)
	}
	var group sync.WaitGroup
	for range 8 {
		group.Go(func() {
			for i, r := range requests {
				if e.Decide(r) != want[i] || fresh.Decide(r) != want[i] {
					t.Errorf("request %d is decided otherwise beside others", i)
				}
				e.Visible(r)
			}
		})
	}
	group.Wait()
}

// TestReasonsStayShort: a reason quotes policy and request, both of which have limits.
func TestReasonsStayShort(t *testing.T) {
	rule := allowAll("a")
	rule.Organisations = nil
	for i := range maxList {
		rule.Organisations = append(rule.Organisations, fmt.Sprintf("%s%d", strings.Repeat("a", 55), i))
	}
	e, err := Compile("kr_edu.students", Policy{Rules: []Rule{rule}})
	if err != nil {
		t.Fatal(err)
	}
	d := e.Decide(goodRequest())
	if len(d.Reason) > 800 || !strings.Contains(d.Reason, "and 248 more") || strings.Contains(d.Reason, "\n") {
		t.Error(d.Reason)
	}
}

// BenchmarkDecide measures a decision that no rule ends early.
func BenchmarkDecide(b *testing.B) {
	for _, rules := range []int{10, 100, 1000} {
		var p Policy
		for i := range rules {
			rule := allowAll(fmt.Sprintf("r%d", i))
			rule.Organisations = []string{fmt.Sprintf("org%d", i), "sg_lab"}
			rule.Roles = []Role{Owner, Researcher}
			rule.Jurisdictions = []string{"KR", "GB", "SG"}
			rule.Purposes = []string{"dpv:PublicBenefit", "dpv:ScientificResearch"}
			rule.Actions = []Action{Aggregate}
			if i%4 == 0 {
				rule.Effect, rule.Roles = Deny, []Role{Manager}
			}
			if i%4 == 1 {
				rule.Organisations = rule.Organisations[:1]
			}
			if i%4 == 2 {
				rule.Purposes = rule.Purposes[:1]
			}
			p.Rules = append(p.Rules, rule)
		}
		e, err := Compile("kr_edu.students", p)
		if err != nil {
			b.Fatal(err)
		}
		denied := goodRequest()
		denied.Project.Purpose = "dpv:Marketing"
		for name, r := range map[string]Request{"allowed": goodRequest(), "denied": denied} {
			b.Run(fmt.Sprintf("%d_rules_%s", rules, name), func(b *testing.B) {
				b.ReportAllocs()
				for b.Loop() {
					if e.Decide(r).Allowed != (name == "allowed") {
						b.Fatal("wrong")
					}
				}
			})
		}
	}
}
