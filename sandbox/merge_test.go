package sandbox_test

import (
	"slices"
	"testing"

	"entrepot/privacy"
	"entrepot/privacy/ledger"
	"entrepot/sandbox"
	"entrepot/sandbox/audit"
	"entrepot/sandbox/query"
)

const (
	both     = "SELECT COUNT(*) AS n FROM kr_edu.students AS s JOIN uk_ou.pupils AS p ON s.student_id = p.student_id"
	onlyKR   = "SELECT COUNT(*) AS n FROM kr_edu.students"
	onlyUK   = "SELECT COUNT(*) AS n FROM uk_ou.pupils"
	twoYears = "the same children, before and after they moved"
)

// merge agrees for both owners.
func (h *house) merge() {
	h.t.Helper()
	_, err := h.MergeSpaces(ctx, owner, "kr_edu", "student", pupil, twoYears)
	must(h.t, err)
	m, err := h.MergeSpaces(ctx, stranded, "uk_ou", "pupil", "kr_edu/student", twoYears)
	must(h.t, err)
	if !m.InForce || !slices.Equal(m.Spaces, []string{"kr_edu/student", pupil}) {
		h.t.Fatalf("%+v", m)
	}
}

// TestMergeNeedsBothOwners: until the second one agrees nothing changes, for anybody.
func TestMergeNeedsBothOwners(t *testing.T) {
	h := abroad(t)
	_, err := h.Submit(ctx, researcher, ask(sql(both)))
	refused(t, err, sandbox.CodeInvalidSQL)
	m, err := h.MergeSpaces(ctx, owner, "kr_edu", "student", pupil, twoYears)
	if err != nil || m.InForce {
		t.Fatalf("%+v %v", m, err)
	}
	again, err := h.MergeSpaces(ctx, owner, "kr_edu", "student", pupil, "once more")
	if err != nil || again.Reason != twoYears {
		t.Errorf("agreeing twice: %+v %v", again, err)
	}
	_, err = h.Submit(ctx, researcher, ask(sql(both)))
	refused(t, err, sandbox.CodeInvalidSQL)
	_, err = h.Submit(ctx, researcher, ask(sql(onlyKR)))
	must(t, err)
	if spent := h.spent(pupil); spent != (privacy.Clocks{}) {
		t.Errorf("%s was charged %+v", pupil, spent)
	}
	if n := len(logged[audit.Change](h, audit.KindMerge)); n != 1 {
		t.Errorf("%d entries", n)
	}
}

// TestMergedSpaces: a question on either table charges both accounts, the tables can be joined, and the one
// whose IDs were hashed under its own key answers nothing before it was uploaded again.
func TestMergedSpaces(t *testing.T) {
	h := abroad(t)
	_, err := h.Submit(ctx, researcher, ask(sql(onlyKR)))
	must(t, err)
	h.merge()
	_, err = h.Submit(ctx, researcher, ask(sql(onlyUK)))
	if e := refused(t, err, sandbox.CodeConflict); e.Hint == "" {
		t.Errorf("%+v", e)
	}
	h.upload(pupils, table)
	for i, question := range []string{onlyKR, onlyUK, both} {
		before, beforeUK := h.spent("kr_edu/student"), h.spent(pupil)
		a, err := h.Submit(ctx, researcher, ask(sql(question), fresh))
		if err != nil || a.Repeat || len(a.Charged) != 2 || a.Charged[0].Account != "kr_edu/student" || a.Charged[1].Account != pupil {
			t.Fatalf("question %d: %+v %v", i, a, err)
		}
		if h.spent("kr_edu/student").Epsilon != before.Epsilon+half || h.spent(pupil).Epsilon != beforeUK.Epsilon+half {
			t.Errorf("question %d: %+v, %+v", i, h.spent("kr_edu/student"), h.spent(pupil))
		}
	}
}

// TestMergeMeanwhile: a question that was prepared before a merge is not charged as if there were none.
func TestMergeMeanwhile(t *testing.T) {
	h := abroad(t)
	h.engine.check = func(query.Plan) error {
		h.engine.check = nil
		h.merge()
		return nil
	}
	a, err := h.Submit(ctx, researcher, ask(sql(onlyKR)))
	if err != nil || len(a.Charged) != 2 {
		t.Errorf("%+v %v", a, err)
	}
}

// TestMergesAreOneGroup: of three spaces merged in pairs, each charges all.
func TestMergesAreOneGroup(t *testing.T) {
	h := newHouse(t)
	h.putDataset("exams", studentsWithin("kr_edu/pupil"))
	h.register(exams, table)
	h.putPolicy(exams, policyDoc)
	for _, space := range []string{"pupil", "zoo"} {
		_, err := h.OpenAccount(ctx, owner, "kr_edu", space, sandbox.Budget{Kind: ledger.KindPure, Epsilon: 20 * privacy.OneEpsilon})
		must(t, err)
	}
	for _, pair := range [][2]string{{"zoo", "student"}, {"pupil", "zoo"}} {
		m, err := h.MergeSpaces(ctx, owner, "kr_edu", pair[0], "kr_edu/"+pair[1], "one school")
		if err != nil || !m.InForce {
			t.Fatalf("%+v %v", m, err)
		}
	}
	a, err := h.Submit(ctx, researcher, ask(sql("SELECT COUNT(*) FROM kr_edu.exams")))
	if err != nil || len(a.Charged) != 3 {
		t.Errorf("%+v %v", a, err)
	}
}

// TestMergeRefuses what is no merge, or not the principal's to make.
func TestMergeRefuses(t *testing.T) {
	h := abroad(t)
	h.unchanged(func() {
		for name, c := range map[string]struct{ org, space, with, reason string }{
			"itself":    {"kr_edu", "student", "kr_edu/student", "why"},
			"no reason": {"kr_edu", "student", pupil, ""},
			"no space":  {"kr_edu", "student", "uk_ou", "why"},
			"stranger":  {"kr_edu", "student", "zz_none/pupil", "why"},
			"capitals":  {"kr_edu", "Student", pupil, "why"},
		} {
			_, err := h.MergeSpaces(ctx, owner, c.org, c.space, c.with, c.reason)
			if sandbox.AsErrorCode(err) != sandbox.CodeInvalid {
				t.Errorf("%s: %v", name, err)
			}
		}
		_, err := h.MergeSpaces(ctx, owner, "uk_ou", "pupil", "kr_edu/student", "not mine")
		refused(t, err, sandbox.CodeForbidden)
		_, err = h.MergeSpaces(ctx, researcher, "kr_edu", "student", pupil, "not an owner")
		refused(t, err, sandbox.CodeForbidden)
	})
}

// TestMergeOfAGroupNeedsAll: who is merged with one of two is not merged with the other without agreeing to it.
func TestMergeOfAGroupNeedsAll(t *testing.T) {
	h := abroad(t)
	h.merge()
	h.upload(pupils, table)
	h.budget("zoo", sandbox.Budget{Kind: ledger.KindPure, Epsilon: 20 * privacy.OneEpsilon})
	m, err := h.MergeSpaces(ctx, stranded, "uk_ou", "pupil", "uk_ou/zoo", "the same pupils")
	if err != nil || m.InForce || !slices.Equal(m.Spaces, []string{"kr_edu/student", pupil, "uk_ou/zoo"}) {
		t.Fatalf("%+v %v", m, err)
	}
	a, err := h.Submit(ctx, researcher, ask(sql(onlyKR), fresh))
	if err != nil || len(a.Charged) != 2 {
		t.Errorf("before the other owner agreed: %+v %v", a.Charged, err)
	}
	list, err := h.Merges(ctx, owner, "kr_edu", "student")
	if err != nil || len(list) != 2 || list[1].InForce {
		t.Errorf("the owner who is asked sees %+v %v", list, err)
	}
	if m, err = h.MergeSpaces(ctx, owner, "kr_edu", "student", "uk_ou/zoo", "so be it"); err != nil || !m.InForce {
		t.Fatalf("%+v %v", m, err)
	}
	if a, err = h.Submit(ctx, researcher, ask(sql(onlyKR), fresh)); err != nil || len(a.Charged) != 3 {
		t.Errorf("%+v %v", a.Charged, err)
	}
	if list, err = h.Merges(ctx, owner, "kr_edu", "student"); err != nil || len(list) != 2 || !list[1].InForce {
		t.Errorf("%+v %v", list, err)
	}
	_, err = h.Merges(ctx, researcher, "kr_edu", "student")
	refused(t, err, sandbox.CodeNotFound)
}

// TestMergeNeedsAccounts: a space without a budget would end every question about those it is merged with.
func TestMergeNeedsAccounts(t *testing.T) {
	h := newHouse(t)
	_, err := h.MergeSpaces(ctx, owner, "kr_edu", "student", "kr_edu/nobody", "a slip of the pen")
	refused(t, err, sandbox.CodeConflict)
	_, err = h.MergeSpaces(ctx, owner, "kr_edu", "nobody", "kr_edu/student", "a slip of the pen")
	refused(t, err, sandbox.CodeNotFound)
	if _, err = h.Submit(ctx, researcher, ask()); err != nil {
		t.Error(err)
	}
}

// TestMergedAnswersStayWithTheirOwner: being charged for a question is no right to its answer.
func TestMergedAnswersStayWithTheirOwner(t *testing.T) {
	h := abroad(t)
	h.merge()
	h.upload(pupils, table)
	a, err := h.Submit(ctx, researcher, ask(sql(onlyUK)))
	must(t, err)
	if _, err := h.Release(ctx, stranded, a.ID); err != nil {
		t.Errorf("the owner of the table: %v", err)
	}
	_, err = h.Release(ctx, owner, a.ID)
	refused(t, err, sandbox.CodeNotFound)
	list, _, err := h.Releases(ctx, owner, sandbox.HistoryFilter{})
	if err != nil || len(list) != 1 || len(list[0].Charged) != 2 {
		t.Errorf("its charge is shown: %+v %v", list, err)
	}
}

// TestProposalsAreFew and change nothing that questions rest on.
func TestProposalsAreFew(t *testing.T) {
	h := abroad(t)
	h.engine.check = func(query.Plan) error {
		h.engine.check = nil
		for i := range 17 {
			_, err := h.MergeSpaces(ctx, owner, "kr_edu", "student", "uk_ou/s"+string(rune('a'+i)), "why not")
			switch {
			case i == 16:
				refused(t, err, sandbox.CodeConflict)
			case err != nil:
				t.Errorf("proposal %d: %v", i, err)
			}
		}
		return nil
	}
	a, err := h.Submit(ctx, researcher, ask(sql(onlyKR)))
	if err != nil || len(a.Charged) != 1 || h.engine.calls.Load() != 1 {
		t.Errorf("%+v %v", a, err)
	}
}
