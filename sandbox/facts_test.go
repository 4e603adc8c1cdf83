package sandbox_test

import (
	"slices"
	"strings"
	"testing"

	"entrepot/sandbox"
	"entrepot/sandbox/audit"
)

// TestOneSpaceIsChargedOnce: however many of its tables a question joins.
func TestOneSpaceIsChargedOnce(t *testing.T) {
	h := newHouse(t)
	h.putDataset("exams", studentsDoc)
	h.register(exams, table)
	h.putPolicy(exams, policyDoc)
	a, err := h.Submit(ctx, researcher, ask(sql(taking)))
	if err != nil || len(a.Charged) != 1 || a.Charged[0].Account != space || len(a.Datasets) != 2 {
		t.Errorf("%+v %v", a, err)
	}
	h.tally(1, 1, 0)
}

// TestPublicFacts: a table about nobody has versions and a policy, and its log entries concern no unit space; a
// question that joins it needs its consent and pays only for the people.
func TestPublicFacts(t *testing.T) {
	h := abroad(t)
	h.putDataset("towns", townsDoc)
	_, err := h.Submit(ctx, researcher, ask(sql(regional)))
	refused(t, err, sandbox.CodeNotFound)
	h.putPolicy(towns, policyDoc)
	_, err = h.Submit(ctx, researcher, ask(sql(regional)))
	refused(t, err, sandbox.CodeConflict) // no rows yet
	if v := h.register(towns, townTable); v.Version != 1 || v.Report.RowsKept != 2 {
		t.Errorf("%+v", v)
	}
	for _, kind := range []audit.Kind{audit.KindDataset, audit.KindVersion, audit.KindPolicy} {
		of := 0
		for _, c := range logged[audit.Change](h, kind) {
			if c.Resource == towns {
				if of++; len(c.Spaces) != 0 {
					t.Errorf("%s: %+v", kind, c)
				}
			}
		}
		if of != 1 {
			t.Errorf("%d entries of kind %s", of, kind)
		}
	}
	a, err := h.Submit(ctx, researcher, ask(sql(regional)))
	must(t, err)
	want := []sandbox.DatasetRef{{ID: students, Version: 1}, {ID: towns, Version: 1}}
	if len(a.Charged) != 1 || a.Charged[0].Account != space || !slices.Equal(a.Datasets, want) {
		t.Errorf("%+v", a)
	}
	if again, err := h.Submit(ctx, researcher, ask(sql(regional))); err != nil || again.ID != a.ID || !again.Repeat {
		t.Errorf("%+v %v", again, err)
	}
	h.register(towns, townTable)
	if b, err := h.Submit(ctx, researcher, ask(sql(regional))); err != nil || b.Repeat || b.Datasets[1].Version != 2 {
		t.Errorf("other facts: %+v %v", b, err)
	}
	h.putPolicy(towns, denyDoc)
	_, err = h.Submit(ctx, researcher, ask(sql(regional)))
	if e := refused(t, err, sandbox.CodeDenied); !strings.Contains(e.Public, towns) {
		t.Errorf("%+v", e)
	}
	list := logged[audit.Decision](h, audit.KindDecision)
	if d := list[len(list)-1]; !slices.Equal(d.Datasets, []string{students, towns}) || !slices.Equal(d.Spaces, []string{space}) {
		t.Errorf("%+v", d)
	}
	h.tally(2, 2, 0)
}
