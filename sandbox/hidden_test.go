package sandbox_test

import (
	"reflect"
	"strings"
	"testing"

	"entrepot/access"
	"entrepot/sandbox"
)

// TestAbsentIsInvisible: what does not exist and what one may not see give errors that are equal in
// every field.
func TestAbsentIsInvisible(t *testing.T) {
	full, empty := newHouse(t), emptyHouse(t)
	answer, err := full.Submit(ctx, researcher, ask())
	must(t, err)
	// The clinic's own project, which covers the students though no rule lets the clinic see them.
	for _, h := range []*house{full, empty} {
		for _, id := range []string{"clinic", "kr_edu"} {
			_, err := h.PutOrganisation(ctx, operator, access.Organisation{ID: id, Title: id, Jurisdiction: "SG"})
			must(t, err)
		}
		j := project("own")
		j.Members = []string{"clinic"}
		_, err = h.PutProject(ctx, manager, j)
		must(t, err)
	}
	own := func(q *sandbox.Query) { q.Project = "own" }
	for _, test := range []struct {
		name string
		call func(h *house) error
	}{
		{"Dataset", func(h *house) error { _, err := h.Dataset(ctx, foreigner, students); return err }},
		{"Project", func(h *house) error { _, err := h.Project(ctx, foreigner, "gap"); return err }},
		{"Release", func(h *house) error { _, err := h.Release(ctx, foreigner, answer.ID); return err }},
		{"Release by its question", func(h *house) error { _, err := h.Release(ctx, foreigner, answer.Query); return err }},
		{"Policy", func(h *house) error { _, _, err := h.Policy(ctx, foreigner, students); return err }},
		{"PutPolicy", func(h *house) error { _, err := h.PutPolicy(ctx, foreigner, students, 0, access.Policy{}); return err }},
		{"Register", func(h *house) error { _, err := h.Register(ctx, foreigner, students, csv(table), false); return err }},
		{"Version", func(h *house) error { _, err := h.Version(ctx, foreigner, students); return err }},
		{"Decide", func(h *house) error {
			_, err := h.Decide(ctx, foreigner, sandbox.Simulation{Action: access.Aggregate, Dataset: students, Project: "own"})
			return err
		}},
		{"Decide for another", func(h *house) error {
			_, err := h.Decide(ctx, foreigner, sandbox.Simulation{Principal: researcher, Action: access.Metadata, Dataset: students})
			return err
		}},
		{"Submit in another's project", func(h *house) error { _, err := h.Submit(ctx, foreigner, ask()); return err }},
		{"Submit", func(h *house) error { _, err := h.Submit(ctx, foreigner, ask(own)); return err }},
		{"Submit of a column that is not there", func(h *house) error {
			_, err := h.Submit(ctx, foreigner, ask(own, sql("SELECT SUM(mathe) FROM kr_edu.students")))
			return err
		}},
		{"Submit what never works", func(h *house) error {
			_, err := h.Submit(ctx, foreigner, ask(own, sql("SELECT math FROM kr_edu.students")))
			return err
		}},
		{"Submit below every ε", func(h *house) error {
			_, err := h.Submit(ctx, foreigner, ask(own, func(q *sandbox.Query) { q.Loss.Epsilon = 1 }))
			return err
		}},
		{"Estimate", func(h *house) error { _, err := h.Estimate(ctx, foreigner, ask(own)); return err }},
	} {
		t.Run(test.name, func(t *testing.T) {
			var invisible, absent error
			full.unchanged(func() { invisible = test.call(full) })
			empty.unchanged(func() { absent = test.call(empty) })
			if absent == nil || !reflect.DeepEqual(invisible, absent) {
				t.Errorf("%#v\nis not\n%#v", invisible, absent)
			}
		})
	}
}

// TestSuggestionsNameWhatIsVisible: a hint about a wrong name tells nothing of hidden datasets.
func TestSuggestionsNameWhatIsVisible(t *testing.T) {
	h := newHouse(t)
	h.putDataset("studentz", studentsDoc)
	_, err := h.Submit(ctx, researcher, ask(sql("SELECT COUNT(*) FROM kr_edu.student")))
	if e := refused(t, err, sandbox.CodeNotFound); strings.Contains(e.Public+e.Hint, "studentz") {
		t.Errorf("%+v", e)
	}
}

// TestUnreleasedIsNotFound: a question without an answer has no release, to nobody; the history says so.
func TestUnreleasedIsNotFound(t *testing.T) {
	h := newHouse(t)
	h.engine.collect = faults()[0].collect
	_, err := h.Submit(ctx, researcher, ask())
	e := refused(t, err, sandbox.CodeQueryFailed)
	for _, p := range []access.Principal{researcher, owner, regulator} {
		_, failed := h.Release(ctx, p, e.Query)
		_, absent := h.Release(ctx, p, "qry_none")
		refused(t, failed, sandbox.CodeNotFound)
		if !reflect.DeepEqual(failed, absent) {
			t.Errorf("%v is not %v", failed, absent)
		}
	}
	list, _, err := h.Releases(ctx, researcher, sandbox.HistoryFilter{})
	if err != nil || len(list) != 1 || list[0].ID != "" || list[0].State != sandbox.Failed {
		t.Errorf("%+v %v", list, err)
	}
}
