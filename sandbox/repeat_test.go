package sandbox_test

import (
	"testing"

	"entrepot/access"
	"entrepot/privacy"
	"entrepot/sandbox"
	"entrepot/sandbox/audit"
)

const (
	filtered  = "SELECT gender, COUNT(*) AS n, AVG(math) AS maths FROM kr_edu.students WHERE math > 100 AND town = 'a' GROUP BY gender"
	respelled = "select gender,\n\tcount( * ) n, avg(math)  maths\nfrom kr_edu.students where (town = 'a') and 100.0 < math\ngroup by 1"
)

// repeats fails the test unless the question gives the first answer again, free and logged.
func (h *house) repeats(first sandbox.Answer, who func(sandbox.Query) (sandbox.Answer, error), q sandbox.Query) {
	h.t.Helper()
	spent, before, calls := h.account().Spent, len(h.entries()), h.engine.calls.Load()
	a, err := who(q)
	must(h.t, err)
	want := first
	want.Repeat, want.Loss, want.Charged = true, nil, []sandbox.Charge{}
	if text(h.t, a) != text(h.t, want) {
		h.t.Errorf("%s\nis not the repeat of\n%s", text(h.t, a), text(h.t, first))
	}
	entries := h.entries()
	if len(entries) != before+1 || h.account().Spent != spent || h.engine.calls.Load() != calls {
		h.t.Error("a repeat is one entry and nothing else")
	}
	list := logged[audit.Repeat](h, audit.KindRepeat)
	last := list[len(list)-1]
	if last.Release != first.ID || last.Project != q.Project || last.Query == first.Query || last.Query == "" {
		h.t.Errorf("it is logged as %+v", last)
	}
}

// TestRepeat: a question that was answered before is free, however it is spelled and whoever may ask it.
func TestRepeat(t *testing.T) {
	h := newHouse(t)
	_, err := h.PutProject(ctx, manager, project("other"))
	must(t, err)
	first, err := h.Submit(ctx, researcher, ask(sql(filtered)))
	must(t, err)
	ada := func(q sandbox.Query) (sandbox.Answer, error) { return h.Submit(ctx, researcher, q) }
	bob := func(q sandbox.Query) (sandbox.Answer, error) { return h.Submit(ctx, peer, q) }
	h.repeats(first, ada, ask(sql(filtered)))
	h.repeats(first, ada, ask(sql(respelled)))
	h.repeats(first, ada, ask(sql(filtered), key("k")))
	h.repeats(first, bob, ask(sql(respelled)))
	h.repeats(first, bob, ask(sql(filtered), func(q *sandbox.Query) { q.Project = "other" }))
	h.repeats(first, bob, ask(sql(filtered), func(q *sandbox.Query) { q.Bounds.MaxPartitions = 2 })) // the default, said
	h.reopen()
	h.repeats(first, ada, ask(sql(respelled)))
	h.tally(1, 1, 0)
}

// TestNoRepeat: what a release depends on makes another question.
func TestNoRepeat(t *testing.T) {
	h := newHouse(t)
	first, err := h.Submit(ctx, researcher, ask(sql(filtered)))
	must(t, err)
	for _, test := range []struct {
		name   string
		change func(*sandbox.Query)
	}{
		{"a larger ε", func(q *sandbox.Query) { q.Loss.Epsilon = half + half/100 }},
		{"a weight", func(q *sandbox.Query) { q.Weights = map[string]int64{"n": 2} }},
		{"fewer partitions of a unit", func(q *sandbox.Query) { q.Bounds.MaxPartitions = 1 }},
		{"fewer rows of a unit", func(q *sandbox.Query) { q.Bounds.MaxRowsPerPartition = 1 }},
		{"another filter", sql("SELECT gender, COUNT(*) AS n, AVG(math) AS maths FROM kr_edu.students WHERE math > 101 AND town = 'a' GROUP BY gender")},
		{"one column, with all of ε", sql("SELECT gender, COUNT(*) AS n FROM kr_edu.students WHERE math > 100 AND town = 'a' GROUP BY gender")},
		{"fresh", fresh},
		{"another version", func(*sandbox.Query) { h.register(students, table) }},
		{"another pre-threshold", func(*sandbox.Query) { h.putPolicy(students, `{"pre_threshold": 5, `+policyDoc[1:]) }},
	} {
		t.Run(test.name, func(t *testing.T) {
			charges := len(logged[audit.Charge](h, audit.KindCharge))
			a, err := h.Submit(ctx, researcher, ask(sql(filtered), test.change))
			must(t, err)
			if a.Repeat || a.ID == first.ID || len(a.Charged) != 1 || a.Charged[0].Account != space {
				t.Errorf("%+v", a)
			}
			if after := len(logged[audit.Charge](h, audit.KindCharge)); after != charges+1 {
				t.Errorf("%d charges after %d", after, charges)
			}
		})
	}
	if n := len(logged[audit.Repeat](h, audit.KindRepeat)); n != 0 {
		t.Errorf("%d repeats were logged", n)
	}
}

// TestRepeatOfFailure: a question that failed was not answered.
func TestRepeatOfFailure(t *testing.T) {
	h := newHouse(t)
	h.engine.collect = faults()[0].collect
	_, err := h.Submit(ctx, researcher, ask())
	refused(t, err, sandbox.CodeQueryFailed)
	h.engine.collect = nil
	a, err := h.Submit(ctx, researcher, ask())
	if err != nil || a.Repeat {
		t.Errorf("%+v %v", a, err)
	}
	h.tally(2, 1, 1)
}

// TestRepeatDependsOnTheDecisionOfToday: a stored answer is for those who may ask the question now.
func TestRepeatDependsOnTheDecisionOfToday(t *testing.T) {
	h := newHouse(t)
	first, err := h.Submit(ctx, researcher, ask())
	must(t, err)
	ada := func(q sandbox.Query) (sandbox.Answer, error) { return h.Submit(ctx, researcher, q) }
	h.putPolicy(students, `{"rules": [
		{"id": "cheap", "effect": "allow", "organisations": ["lab_sg"], "roles": ["researcher"], "jurisdictions": ["*"], "purposes": ["*"],
			"actions": ["aggregate"], "max_epsilon_per_query": "0.1"}]}`)
	for _, p := range []access.Principal{researcher, peer} {
		a, err := h.Submit(ctx, p, ask())
		refused(t, err, sandbox.CodeDenied)
		if a.Rows != nil {
			t.Errorf("%s is denied and answered", p.ID)
		}
	}
	h.unchanged(func() {
		_, err := h.Submit(ctx, foreigner, ask())
		refused(t, err, sandbox.CodeNotFound)
	})
	h.putPolicy(students, policyDoc)
	h.repeats(first, ada, ask())
	h.now = h.now.AddDate(10, 0, 0) // the project is over
	_, err = h.Submit(ctx, researcher, ask())
	refused(t, err, sandbox.CodeDenied)
}

// TestRepeatOfSelectedGroups: δ is part of the question where groups are selected.
func TestRepeatOfSelectedGroups(t *testing.T) {
	h := newHouse(t)
	loss := func(d privacy.Delta) func(*sandbox.Query) {
		return func(q *sandbox.Query) { q.Loss.Delta = d }
	}
	towns := sql("SELECT town, COUNT(*) FROM kr_edu.students GROUP BY town")
	first, err := h.Submit(ctx, researcher, ask(towns, loss(privacy.OneDelta/1e8)))
	must(t, err)
	if first.Charged[0].Delta != privacy.OneDelta/1e8 {
		t.Errorf("charged %+v", first.Charged)
	}
	ada := func(q sandbox.Query) (sandbox.Answer, error) { return h.Submit(ctx, researcher, q) }
	h.repeats(first, ada, ask(towns, loss(privacy.OneDelta/1e8)))
	other, err := h.Submit(ctx, researcher, ask(towns, loss(privacy.OneDelta/1e8+1)))
	if err != nil || other.Repeat {
		t.Errorf("%+v %v", other, err)
	}
	h.tally(2, 2, 0)
}
