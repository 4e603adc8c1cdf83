package sandbox_test

import (
	"testing"

	"entrepot/access"
	"entrepot/privacy"
	"entrepot/sandbox"
	"entrepot/sandbox/audit"
)

// TestReleaseByItsOwnID: a release is found by the id that its answer carries.
func TestReleaseByItsOwnID(t *testing.T) {
	h := newHouse(t)
	a, err := h.Submit(ctx, researcher, ask())
	must(t, err)
	stored, err := h.Release(ctx, researcher, a.ID)
	if err != nil || text(t, stored) != text(t, a) {
		t.Errorf("%s: %+v %v", a.ID, stored, err)
	}
}

// TestRepeatIsTheFirst: a fresh draw, which somebody paid for, does not change what a repeat gives.
func TestRepeatIsTheFirst(t *testing.T) {
	h := newHouse(t)
	first, err := h.Submit(ctx, researcher, ask())
	must(t, err)
	_, err = h.Submit(ctx, peer, ask(fresh))
	must(t, err)
	a, err := h.Submit(ctx, researcher, ask())
	if err != nil || !a.Repeat || a.ID != first.ID {
		t.Errorf("got %s, want %s: %v", a.ID, first.ID, err)
	}
}

// TestKeyOfARepeat: a key that was answered with a repeat gives that answer for ever, and no other body.
func TestKeyOfARepeat(t *testing.T) {
	for _, test := range []struct {
		name   string
		change func(h *house)
	}{
		{"after another version", func(h *house) { h.register(students, table) }},
		{"after another policy", func(h *house) { h.putPolicy(students, `{"pre_threshold": 5, `+policyDoc[1:]) }},
	} {
		t.Run(test.name, func(t *testing.T) {
			h := newHouse(t)
			_, err := h.Submit(ctx, researcher, ask())
			must(t, err)
			first, err := h.Submit(ctx, researcher, ask(key("k")))
			must(t, err)
			test.change(h)
			again, err := h.Submit(ctx, researcher, ask(key("k")))
			if err != nil || text(t, again) != text(t, first) {
				t.Errorf("%+v %v\nwas first %+v", again, err, first)
			}
			h.tally(1, 1, 0)
		})
	}
	t.Run("another body", func(t *testing.T) {
		h := newHouse(t)
		for _, change := range []func(*sandbox.Query){key(""), key("k")} {
			_, err := h.Submit(ctx, researcher, ask(change))
			must(t, err)
		}
		_, err := h.Submit(ctx, researcher, ask(key("k"), body("another"), sql(filtered)))
		refused(t, err, sandbox.CodeConflict)
		h.tally(1, 1, 0)
	})
}

// TestOwnersReadRepeats: that a release about its people was given again concerns the owner.
func TestOwnersReadRepeats(t *testing.T) {
	h := busy(t)
	list, _, err := h.Entries(ctx, owner, 0, 100)
	must(t, err)
	for _, e := range list {
		if e.Kind == audit.KindRepeat {
			return
		}
	}
	t.Error("the owner does not read the repeat")
}

// TestDecideForOneself: with the roles that one has, not with those one would like.
func TestDecideForOneself(t *testing.T) {
	h := newHouse(t)
	h.putPolicy(students, `{"rules": [
		{"id": "look", "effect": "allow", "organisations": ["lab_sg"], "roles": ["researcher"], "jurisdictions": ["*"], "purposes": ["*"], "actions": ["metadata"]},
		{"id": "managers", "effect": "allow", "organisations": ["lab_sg"], "roles": ["manager"], "jurisdictions": ["*"], "purposes": ["*"], "actions": ["aggregate"]}]}`)
	q := sandbox.Simulation{Principal: principal(researcher.ID, access.Manager), Action: access.Aggregate, Dataset: students, Project: "gap", Epsilon: int64(half)}
	if d, err := h.Decide(ctx, researcher, q); err == nil && d.Allowed {
		t.Errorf("a researcher learns what a manager may: %+v", d)
	}
}

// TestProjectOfStrangers: every member and every dataset's owner must be registered.
func TestProjectOfStrangers(t *testing.T) {
	h := newHouse(t)
	for name, change := range map[string]func(*access.Project){
		"member": func(j *access.Project) { j.Members = append(j.Members, "other") },
		"owner":  func(j *access.Project) { j.Datasets = append(j.Datasets, "other.table") },
	} {
		t.Run(name, func(t *testing.T) {
			h.unchanged(func() {
				j := project("new")
				change(&j)
				_, err := h.PutProject(ctx, manager, j)
				refused(t, err, sandbox.CodeInvalid)
			})
		})
	}
}

// TestReleasesOfTheOwner: others' questions do not push the owner's releases off its list.
func TestReleasesOfTheOwner(t *testing.T) {
	h := newHouse(t)
	first, err := h.Submit(ctx, researcher, ask())
	must(t, err)
	other := principal("clinic/own", access.Owner)
	_, err = h.PutDataset(ctx, other, "clinic", "visits", declaration(t, studentsWithin("clinic/patient")))
	must(t, err)
	_, err = h.Register(ctx, other, "clinic.visits", csv(table), false)
	must(t, err)
	_, err = h.PutPolicy(ctx, other, "clinic.visits", 0, policy(t, policyDoc))
	must(t, err)
	_, err = h.OpenAccount(ctx, other, "clinic", "patient", sandbox.Budget{Kind: "pure", Epsilon: privacy.MaxLifetimeEpsilon})
	must(t, err)
	j := project("wide")
	j.Datasets = append(j.Datasets, "clinic.visits")
	_, err = h.PutProject(ctx, manager, j)
	must(t, err)
	for range 200 {
		_, err := h.Submit(ctx, researcher, ask(fresh, sql("SELECT COUNT(*) FROM clinic.visits"), func(q *sandbox.Query) { q.Project = "wide" }))
		must(t, err)
	}
	if list, _, err := h.Releases(ctx, owner, sandbox.HistoryFilter{}); err != nil || len(list) != 1 || list[0].ID != first.ID {
		t.Errorf("%+v %v", list, err)
	}
}
