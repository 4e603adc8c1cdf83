package audit_test

import (
	"testing"
	"time"

	"entrepot/privacy"
	"entrepot/privacy/ledger"
	"entrepot/sandbox/audit"
)

// An owner changes terms, and may promise more; a log that tells of any other change is refused.
func TestVerifyFindsAmendmentsThatDoNotFollow(t *testing.T) {
	const id = "kr_edu/student"
	for name, change := range map[string]func(before, after *ledger.Account){
		"account not open":       func(before, after *ledger.Account) { before.ID, after.ID = "kr_edu/teacher", "kr_edu/teacher" },
		"before was otherwise":   func(before, _ *ledger.Account) { before.Spent.Renyi[1]-- },
		"before had other terms": func(before, _ *ledger.Account) { before.Terms.Schedule = ledger.Schedule{} },
		"spent forgotten":        func(_, after *ledger.Account) { after.Spent.Epsilon-- },
		"failures forgotten":     func(_, after *ledger.Account) { after.Failures = 0 },
		"revision skipped":       func(_, after *ledger.Account) { after.Revision++ },
		"revision kept":          func(_, after *ledger.Account) { after.Revision-- },
		"caps raised":            func(_, after *ledger.Account) { after.Caps.Epsilon *= 2 },
		"a cap raised by one":    func(_, after *ledger.Account) { after.Caps.Renyi[0]++ },
		"promise not counted": func(before, after *ledger.Account) {
			larger := before.Promise
			larger.Epsilon *= 2
			*after, _ = before.Amend(larger, before.Terms)
			after.Promises--
		},
		"lifetime lowered": func(before, after *ledger.Account) {
			smaller := before.Promise
			smaller.Epsilon /= 2
			fresh, _ := ledger.New(id, smaller, before.Terms)
			after.Promise, after.Caps, after.Promises = smaller, fresh.Caps, 2
		},
		"another order": func(_, after *ledger.Account) { after.Promise.Orders[1]++ },
		"no allowance":  func(_, after *ledger.Account) { after.Terms.Allowance = 0 },
	} {
		t.Run(name, func(t *testing.T) {
			b := sample(t)
			before := b.accounts[id]
			terms := before.Terms
			terms.Allowance++
			after, err := before.Amend(before.Promise, terms)
			if err != nil {
				t.Fatal(err)
			}
			change(&before, &after)
			b.add(audit.KindAmendment, "kr_edu/owner", audit.Amendment{Reason: "r", Before: before, After: after})
			breaks(t, b, "entry 24", after.ID)
		})
	}
}

func TestVerifyFindsAllocationsThatDoNotFollow(t *testing.T) {
	for name, c := range map[string]struct {
		write func(b *book)
		says  string
	}{
		"account not open": {func(b *book) {
			a := b.allocations["reading"]
			a.Account = "kr_edu/teacher"
			b.add(audit.KindAllocation, "kr_edu/owner", audit.Allocation{Reason: "r", After: &a})
		}, "kr_edu/teacher is not open"},
		"made twice": {func(b *book) {
			delete(b.allocations, "sg_lab")
			b.allocate("sg_lab", ledger.Scope{Project: "maths_gap"}, 1000)
		}, "was not as the entry says"},
		"changed before it was made": {func(b *book) {
			b.allocations["new"] = ledger.Allocation{Account: "kr_edu/student", Name: "new", Revision: 1}
			b.allocate("new", ledger.Scope{Project: "maths_gap"}, 1000)
		}, "was not as the entry says"},
		"changed after it was taken away": {func(b *book) {
			gone := b.allocations["reading"]
			b.unallocate("reading")
			b.allocations["reading"] = gone
			b.allocate("reading", ledger.Scope{Project: "maths_gap"}, 1000)
		}, "was not as the entry says"},
		"taken away before it was made": {func(b *book) {
			b.allocations["new"] = ledger.Allocation{Account: "kr_edu/student", Name: "new", Revision: 1}
			b.unallocate("new")
		}, "was not as the entry says"},
		"begins spent": {func(b *book) {
			a := b.allocations["sg_lab"]
			a.Name, a.Revision = "new", 1
			b.add(audit.KindAllocation, "kr_edu/owner", audit.Allocation{Reason: "r", After: &a})
		}, "changes more than scope and caps"},
		"spent forgotten": {func(b *book) {
			before := b.allocations["sg_lab"]
			after := before.Amend(before.Scope, before.Caps)
			after.Spent = privacy.Clocks{}
			b.add(audit.KindAllocation, "kr_edu/owner", audit.Allocation{Reason: "r", Before: &before, After: &after})
		}, "changes more than scope and caps"},
		"revision kept": {func(b *book) {
			before := b.allocations["sg_lab"]
			after := before
			after.Caps.Epsilon++
			b.add(audit.KindAllocation, "kr_edu/owner", audit.Allocation{Reason: "r", Before: &before, After: &after})
		}, "changes more than scope and caps"},
		"nobody's": {func(b *book) { b.allocate("sg_lab", ledger.Scope{}, 1000) }, "nobody's"},
		"charge beyond it": {func(b *book) {
			b.charge("qry_z", ledger.Charge{Account: "kr_edu/student", Loss: loss(461)}) // 40 + 461 of 500
		}, "allocation sg_lab"},
		"charge beyond one of two": {func(b *book) {
			b.allocate("mei", ledger.Scope{Researcher: "sg_lab/mei"}, 9)
			b.charge("qry_z", ledger.Charge{Account: "kr_edu/student", Loss: loss(10)})
		}, "entry 25: the log contradicts itself: the charge of qry_z was not admissible: account kr_edu/student, allocation mei"},
	} {
		t.Run(name, func(t *testing.T) {
			b := sample(t)
			c.write(b)
			breaks(t, b, c.says)
		})
	}
	t.Run("but not what fits", func(t *testing.T) {
		b := sample(t)
		b.charge("qry_y", ledger.Charge{Account: "kr_edu/student", Loss: loss(460)})
		b.unallocate("sg_lab")
		b.charge("qry_z", ledger.Charge{Account: "kr_edu/student", Loss: loss(5)})
		b.allocate("sg_lab", ledger.Scope{Organisation: "sg_lab"}, 1)
		if _, err := verify(t, b.export(newSigner(t, 1))); err != nil {
			t.Error(err)
		}
	})
}

// The schedule counts at the time of the entry, and one question's cap at every charge.
func TestVerifyFindsChargesBeyondTheTerms(t *testing.T) {
	step := func(b *book, share privacy.Share) {
		b.amend("kr_edu/student", func(_ *ledger.Promise, t *ledger.Terms) {
			t.Schedule = ledger.Schedule{{From: ledger.Instant(start.Unix()), Share: share}, {From: ledger.Instant(start.Add(time.Hour).Unix()), Share: privacy.OneShare}}
		})
	}
	charge := func(b *book, query string) {
		b.charge(query, ledger.Charge{Account: "kr_edu/student", Loss: loss(200)})
	}
	b := sample(t)
	step(b, 300_000) // 0.4 is spent: less is left than nothing
	charge(b, "qry_z")
	breaks(t, b, "entry 25", "privacy budget")

	b = sample(t)
	step(b, 300_000)
	b.now = start.Add(time.Hour)
	charge(b, "qry_z")
	if _, err := verify(t, b.export(newSigner(t, 1))); err != nil {
		t.Errorf("an hour later: %v", err)
	}

	b = sample(t)
	b.amend("kr_edu/student", func(_ *ledger.Promise, t *ledger.Terms) { t.Question.Epsilon = privacy.OneEpsilon/5 - 1 })
	charge(b, "qry_z")
	breaks(t, b, "entry 25", "one question")
}
