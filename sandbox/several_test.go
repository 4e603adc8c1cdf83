package sandbox_test

import (
	"reflect"
	"slices"
	"strings"
	"sync"
	"testing"

	"entrepot/access"
	"entrepot/privacy"
	"entrepot/privacy/ledger"
	"entrepot/sandbox"
	"entrepot/sandbox/audit"
)

const (
	pupils   = "uk_ou.pupils"
	pupil    = "uk_ou/pupil" // unit space
	towns    = "kr_edu.towns"
	townsDoc = `{"public": true, "unique": ["town"], "columns": [
		{"name": "town", "type": "string", "role": "key"},
		{"name": "region", "type": "string", "role": "key", "domain": ["north", "south"]}]}`
	townTable = "town,region\na,north\nb,south\n"

	united   = "SELECT gender, COUNT(*) AS n FROM (SELECT gender FROM kr_edu.students UNION ALL SELECT gender FROM uk_ou.pupils) AS t GROUP BY gender"
	regional = "SELECT t.region, COUNT(*) AS n FROM kr_edu.students AS s JOIN kr_edu.towns AS t ON s.town = t.town GROUP BY t.region"
	taking   = "SELECT COUNT(*) AS n FROM kr_edu.students AS s JOIN kr_edu.exams AS e ON s.student_id = e.student_id"
)

var stranded = principal("uk_ou/oz", access.Owner)

// abroad is a house with a second owner, whose pupils are people of their own, and a project over both
// owners' tables.
func abroad(t *testing.T) *house {
	t.Helper()
	h := newHouse(t)
	_, err := h.PutOrganisation(ctx, operator, access.Organisation{ID: "uk_ou", Title: "uk_ou", Jurisdiction: "GB"})
	must(t, err)
	_, err = h.PutDataset(ctx, stranded, "uk_ou", "pupils", declaration(t, studentsWithin(pupil)))
	must(t, err)
	h.upload(pupils, table)
	h.consent(pupils, policyDoc)
	h.budget("pupil", sandbox.Budget{Kind: ledger.KindRenyi, Epsilon: 20 * privacy.OneEpsilon, Delta: privacy.OneDelta / 1e6})
	j := project("gap")
	j.Members, j.Datasets = append(j.Members, "uk_ou"), append(j.Datasets, pupils, towns)
	_, err = h.PutProject(ctx, manager, j)
	must(t, err)
	return h
}

// upload, consent and budget are the second owner's doing.
func (h *house) upload(id, text string) {
	h.t.Helper()
	_, err := h.Register(ctx, stranded, id, csv(text), false)
	must(h.t, err)
}

func (h *house) consent(id, text string) {
	h.t.Helper()
	_, base, err := h.Policy(ctx, stranded, id)
	if err != nil {
		refused(h.t, err, sandbox.CodeNotFound)
	}
	_, err = h.PutPolicy(ctx, stranded, id, base, policy(h.t, text))
	must(h.t, err)
}

func (h *house) budget(space string, b sandbox.Budget) {
	h.t.Helper()
	_, err := h.OpenAccount(ctx, stranded, "uk_ou", space, b)
	must(h.t, err)
}

// spent is what an account was charged.
func (h *house) spent(id string) privacy.Clocks {
	h.t.Helper()
	all, err := h.store.Accounts(ctx)
	must(h.t, err)
	i := slices.IndexFunc(all, func(a ledger.Account) bool { return a.ID == id })
	return all[i].Spent
}

// TestEveryPolicyMustAllow: of several datasets one that denies is enough; the log has all of them.
func TestEveryPolicyMustAllow(t *testing.T) {
	h := abroad(t)
	for _, test := range []struct {
		name, korean, british string
		denies, rule          string
	}{
		{"the second denies", policyDoc, denyDoc, pupils, "stop"},
		{"the first denies", denyDoc, policyDoc, students, "stop"},
		{"both deny", denyDoc, seesOnly, students, "stop"},
		{"the second does not allow", policyDoc, seesOnly, pupils, "default"},
	} {
		t.Run(test.name, func(t *testing.T) {
			h.putPolicy(students, test.korean)
			h.consent(pupils, test.british)
			before := len(h.entries())
			_, err := h.Submit(ctx, researcher, ask(sql(united)))
			e := refused(t, err, sandbox.CodeDenied)
			list := logged[audit.Decision](h, audit.KindDecision)
			d := list[len(list)-1]
			if !strings.Contains(e.Public, "The policy of "+test.denies+" does") || d.Query != e.Query || d.Verdict != audit.VerdictDenied ||
				d.Rule != test.rule || !strings.HasPrefix(d.Reason, test.denies+": ") || len(h.entries()) != before+1 ||
				!slices.Equal(d.Datasets, []string{students, pupils}) || !slices.Equal(d.Spaces, []string{space, pupil}) {
				t.Errorf("%+v\nis logged as %+v", e, d)
			}
			estimate, err := h.Estimate(ctx, researcher, ask(sql(united)))
			if err != nil || estimate.Decision.Allowed || estimate.Decision.Reason != d.Reason || len(estimate.Charged) != 2 {
				t.Errorf("%+v %v", estimate, err)
			}
		})
	}
	if h.spent(space) != (privacy.Clocks{}) || h.spent(pupil) != (privacy.Clocks{}) || h.engine.calls.Load() != 0 {
		t.Error("a denial was charged or asked")
	}
	h.tally(0, 0, 0)
}

// TestHiddenAmongSeveral: a dataset that one may not see is not there, whatever the others are, and is not
// logged either.
func TestHiddenAmongSeveral(t *testing.T) {
	h := abroad(t)
	h.consent(pupils, `{}`)
	h.unchanged(func() {
		_, hidden := h.Submit(ctx, researcher, ask(sql(united)))
		refused(t, hidden, sandbox.CodeNotFound)
		_, absent := h.Submit(ctx, researcher, ask(sql(strings.Replace(united, "pupils", "nobody", 1))))
		if !reflect.DeepEqual(hidden, absent) {
			t.Errorf("%#v\nis not\n%#v", hidden, absent)
		}
	})
}

// TestUnionChargesBothOrNone: each unit space bears the whole loss, in one charge; where one cannot, none does.
func TestUnionChargesBothOrNone(t *testing.T) {
	h := abroad(t)
	_, err := h.PutDataset(ctx, stranded, "uk_ou", "small", declaration(t, studentsWithin("uk_ou/few")))
	must(t, err)
	h.upload("uk_ou.small", table)
	h.consent("uk_ou.small", policyDoc)
	j := project("gap")
	j.Members, j.Datasets = append(j.Members, "uk_ou"), append(j.Datasets, "uk_ou.small")
	_, err = h.PutProject(ctx, manager, j)
	must(t, err)
	small := sql(strings.Replace(united, "pupils", "small", 1))
	_, err = h.Submit(ctx, researcher, ask(small))
	if e := refused(t, err, sandbox.CodeExhausted); !strings.Contains(e.Public, "uk_ou/few") {
		t.Errorf("%+v", e)
	}
	h.budget("few", sandbox.Budget{Kind: ledger.KindPure, Epsilon: 2 * half})
	var first sandbox.Answer
	for i := range 2 {
		a, err := h.Submit(ctx, researcher, ask(small, fresh))
		must(t, err)
		if i == 0 {
			first = a
		}
	}
	if len(first.Charged) != 2 || first.Charged[0].Account != space || first.Charged[1].Account != "uk_ou/few" || first.Charged[0].Epsilon != half ||
		first.Charged[1].Clocks != (privacy.Clocks{Epsilon: half}) || first.Charged[0].Renyi[0] == 0 || len(first.Datasets) != 2 || first.Datasets[1].ID != "uk_ou.small" {
		t.Errorf("%+v", first)
	}
	charge := logged[audit.Charge](h, audit.KindCharge)[0]
	if len(charge.Charges) != 2 || len(charge.Datasets) != 2 || charge.Rule != "research, research" {
		t.Errorf("%+v", charge)
	}
	mine, theirs := h.spent(space), h.spent("uk_ou/few")
	_, err = h.Submit(ctx, researcher, ask(small, fresh))
	refused(t, err, sandbox.CodeExhausted)
	if h.spent(space) != mine || h.spent("uk_ou/few") != theirs || theirs.Epsilon != 2*half {
		t.Errorf("%+v and %+v are spent, %+v and %+v were", h.spent(space), h.spent("uk_ou/few"), mine, theirs)
	}
	d := logged[audit.Decision](h, audit.KindDecision)
	if last := d[len(d)-1]; last.Verdict != audit.VerdictExhausted || !slices.Equal(last.Spaces, []string{space, "uk_ou/few"}) {
		t.Errorf("%+v", last)
	}
	for _, p := range []access.Principal{owner, stranded} { // both owners find the release
		if list, _, err := h.Releases(ctx, p, sandbox.HistoryFilter{}); err != nil || len(list) != 2 {
			t.Errorf("%s: %+v %v", p.ID, list, err)
		}
	}
	h.tally(2, 2, 0)
}

// TestParallelOverTwoAccounts: of 64 questions at once over two accounts exactly as many are answered as the
// smaller one holds, and both are charged for exactly those.
func TestParallelOverTwoAccounts(t *testing.T) {
	h := abroad(t)
	for org, n := range map[string]privacy.Epsilon{"kr": 40, "uk": 7} {
		who, name := owner, "kr_edu"
		if org == "uk" {
			who, name = stranded, "uk_ou"
		}
		_, err := h.PutDataset(ctx, who, name, "tight", declaration(t, studentsWithin(name+"/tight")))
		must(t, err)
		_, err = h.Register(ctx, who, name+".tight", csv(table), false)
		must(t, err)
		_, err = h.PutPolicy(ctx, who, name+".tight", 0, policy(t, policyDoc))
		must(t, err)
		_, err = h.OpenAccount(ctx, who, name, "tight", sandbox.Budget{Kind: ledger.KindPure, Epsilon: n * half})
		must(t, err)
	}
	j := project("tight")
	j.Members, j.Datasets = append(j.Members, "uk_ou"), []string{"kr_edu.tight", "uk_ou.tight"}
	_, err := h.PutProject(ctx, manager, j)
	must(t, err)
	q := ask(fresh, sql("SELECT COUNT(*) AS n FROM (SELECT gender FROM kr_edu.tight UNION ALL SELECT gender FROM uk_ou.tight) AS t"),
		func(q *sandbox.Query) { q.Project = "tight" })
	var all sync.WaitGroup
	errs := make([]error, 64)
	for i := range errs {
		all.Go(func() { _, errs[i] = h.Submit(ctx, researcher, q) })
	}
	all.Wait()
	answered := 0
	for _, err := range errs {
		if err == nil {
			answered++
			continue
		}
		refused(t, err, sandbox.CodeExhausted)
	}
	want := privacy.Clocks{Epsilon: 7 * half}
	if answered != 7 || h.spent("kr_edu/tight") != want || h.spent("uk_ou/tight") != want {
		t.Errorf("%d answered; %+v and %+v are spent", answered, h.spent("kr_edu/tight"), h.spent("uk_ou/tight"))
	}
}
