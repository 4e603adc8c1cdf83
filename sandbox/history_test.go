package sandbox_test

import (
	"slices"
	"testing"

	"entrepot/privacy/ledger"
	"entrepot/sandbox"
	"entrepot/sandbox/audit"
)

// TestHistory tells who asked what for which purpose, at what cost, and what became of it.
func TestHistory(t *testing.T) {
	h := pure(t, 9)
	first, err := h.Submit(ctx, researcher, ask())
	must(t, err)
	works := h.engine.collect
	h.engine.collect = faults()[0].collect
	_, err = h.Submit(ctx, peer, ask(fresh, sql(exam)))
	failed := refused(t, err, sandbox.CodeQueryFailed)
	h.engine.collect = works
	second, err := h.Submit(ctx, peer, ask(fresh, sql(exam)))
	must(t, err)
	j := project("wide")
	_, err = h.PutProject(ctx, manager, j)
	must(t, err)
	third, err := h.Submit(ctx, peer, ask(fresh, sql(exam), func(q *sandbox.Query) { q.Project = "wide" }))
	must(t, err)

	ids := func(f sandbox.HistoryFilter) []string {
		t.Helper()
		list, next, err := h.Releases(ctx, owner, f)
		if err != nil || next != -1 {
			t.Fatalf("%v, next %d", err, next)
		}
		ids := []string{}
		for _, line := range list {
			ids = append(ids, line.Query)
		}
		return ids
	}
	for _, test := range []struct {
		filter sandbox.HistoryFilter
		want   []string
	}{
		{sandbox.HistoryFilter{}, []string{third.Query, second.Query, failed.Query, first.Query}},
		{sandbox.HistoryFilter{Account: "kr_edu/student"}, []string{first.Query}},
		{sandbox.HistoryFilter{Project: "wide"}, []string{third.Query}},
		{sandbox.HistoryFilter{Principal: researcher.ID}, []string{first.Query}},
		{sandbox.HistoryFilter{State: sandbox.Failed}, []string{failed.Query}},
		{sandbox.HistoryFilter{Account: "kr_edu/pupil", Project: "gap", Principal: peer.ID, State: sandbox.Released}, []string{second.Query}},
		{sandbox.HistoryFilter{Account: "kr_edu/none"}, []string{}},
	} {
		if got := ids(test.filter); !slices.Equal(got, test.want) {
			t.Errorf("%+v: %q, want %q", test.filter, got, test.want)
		}
	}

	list, _, err := h.Releases(ctx, researcher, sandbox.HistoryFilter{})
	must(t, err)
	if len(list) != 1 {
		t.Fatalf("a researcher reads its own: %+v", list)
	}
	charge := logged[audit.Charge](h, audit.KindCharge)[0]
	if l := list[0]; l.ID != first.ID || l.State != sandbox.Released || l.Principal != researcher.ID || l.Project != "gap" || l.Purpose != "dpv:ScientificResearch" ||
		l.Question != charge.Question || l.Question == "" || l.Charged[0] != first.Charged[0] || h.entries()[l.Entry].Kind != audit.KindCharge || l.Time != "2026-11-21T09:30:00Z" {
		t.Errorf("%+v", l)
	}
	if list, _, err := h.Releases(ctx, foreigner, sandbox.HistoryFilter{Account: "kr_edu/student"}); err != nil || len(list) != 0 {
		t.Errorf("another owner reads %+v, %v", list, err)
	}
}

// TestHistoryIsPaged: every question once, newest first, whatever the size of the pages.
func TestHistoryIsPaged(t *testing.T) {
	h := examined(t, sandbox.Budget{Kind: ledger.KindPure, Epsilon: 9 * half})
	var want []string
	for range 5 {
		a, err := h.exam()
		must(t, err)
		want = append([]string{a.ID}, want...)
	}
	for limit := 1; limit <= 6; limit++ {
		var got []string
		f := sandbox.HistoryFilter{Limit: limit}
		for pages := 0; ; pages++ {
			list, next, err := h.Releases(ctx, researcher, f)
			must(t, err)
			for _, line := range list {
				got = append(got, line.ID)
			}
			if next < 0 {
				break
			}
			if pages > len(want) || next <= 0 {
				t.Fatalf("page %d goes on at %d", pages, next)
			}
			f.Before = next
		}
		if !slices.Equal(got, want) {
			t.Errorf("pages of %d: %q, want %q", limit, got, want)
		}
	}
}
