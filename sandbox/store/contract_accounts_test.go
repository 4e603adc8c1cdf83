package store

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"entrepot/privacy"
	"entrepot/privacy/ledger"
	"entrepot/sandbox"
	"entrepot/sandbox/audit"
)

// account returns one account.
func account(t testing.TB, s storage, id string) ledger.Account {
	t.Helper()
	accounts, err := s.Accounts(context.Background())
	must(t, err)
	i := slices.IndexFunc(accounts, func(a ledger.Account) bool { return a.ID == id })
	if i < 0 {
		t.Fatalf("no account %s", id)
	}
	return accounts[i]
}

// amend changes an account's terms or promise.
func amend(t testing.TB, s storage, id string, change func(p *ledger.Promise, t *ledger.Terms)) ledger.Account {
	t.Helper()
	a := account(t, s, id)
	change(&a.Promise, &a.Terms)
	after, err := s.Amend(context.Background(), id, a.Revision, a.Promise, a.Terms, owner("the board met"))
	must(t, err)
	return after
}

// share releases a part of a lifetime, all at once.
func share(of privacy.Share) func(*ledger.Promise, *ledger.Terms) {
	return func(_ *ledger.Promise, t *ledger.Terms) {
		t.Schedule = ledger.Schedule{{From: ledger.Instant(testTime.Unix()), Share: of}}
	}
}

// allotment caps Σε under a pure account.
func allotment(id, name string, scope ledger.Scope, thousandths int64) ledger.Allocation {
	caps := ledger.NoLimit(privacy.Orders{})
	caps.Epsilon = milli(thousandths)
	return ledger.Allocation{Account: id, Name: name, Scope: scope, Caps: caps}
}

func allocate(t testing.TB, s storage, a ledger.Allocation) ledger.Allocation {
	t.Helper()
	after, err := s.Allocate(context.Background(), a, owner("a fair share"))
	must(t, err)
	return after
}

// newestBody is the body of the log's last entry, with who wrote it.
func newestBody(t testing.TB, s storage) (audit.Entry, audit.Body) {
	t.Helper()
	e := entryAt(t, s, mustVerify(t, s).Checkpoint.Size-1)
	body, err := audit.ParseBody(e.Kind, e.Body)
	must(t, err)
	return e, body
}

// refused wants a charge of one thousandth to be refused.
func refused(t testing.TB, s storage, want error, accounts ...string) {
	t.Helper()
	_, err := s.Charge(context.Background(), question("qry_refused", accounts...), chargeEntry())
	wantErr(t, err, want)
}

func testAmend(t *testing.T, s storage) {
	ctx := context.Background()
	openPure(t, s, "kr_edu/student", 10)
	charge(t, s, "qry_1", "kr_edu/student")
	before := account(t, s, "kr_edu/student")
	terms := before.Terms
	terms.Allowance, terms.Question.Epsilon, terms.Default = 7, milli(3), milli(2)

	for name, c := range map[string]struct {
		id       string
		revision int64
		change   func(p *ledger.Promise, t *ledger.Terms)
		reason   string
		want     error
	}{
		"not open":       {"kr_edu/teacher", 1, nil, "r", sandbox.ErrNotFound},
		"older revision": {before.ID, 0, nil, "r", sandbox.ErrConflict},
		"later revision": {before.ID, 2, nil, "r", sandbox.ErrConflict},
		"no reason":      {before.ID, 1, nil, "", ledger.ErrAccount},
		"long reason":    {before.ID, 1, nil, strings.Repeat("r", 1001), ledger.ErrAccount},
		"less":           {before.ID, 1, func(p *ledger.Promise, _ *ledger.Terms) { p.Epsilon-- }, "r", ledger.ErrAccount},
		"another kind":   {before.ID, 1, func(p *ledger.Promise, _ *ledger.Terms) { p.Kind = ledger.KindRenyi }, "r", ledger.ErrAccount},
		"bad terms":      {before.ID, 1, func(_ *ledger.Promise, t *ledger.Terms) { t.Allowance = -1 }, "r", ledger.ErrAccount},
	} {
		p, terms := before.Promise, before.Terms
		if c.change != nil {
			c.change(&p, &terms)
		}
		_, err := s.Amend(ctx, c.id, c.revision, p, terms, owner(c.reason))
		if !errors.Is(err, c.want) {
			t.Errorf("%s: got %v, want %v", name, err, c.want)
		}
	}
	if got := account(t, s, before.ID); got != before {
		t.Fatalf("a refused amendment changed the account: %+v", got)
	}

	after, err := s.Amend(ctx, before.ID, 1, before.Promise, terms, owner("the board met"))
	must(t, err)
	want := before
	want.Revision, want.Terms = 2, terms
	if after != want || account(t, s, before.ID) != want {
		t.Errorf("got %+v, want %+v", after, want)
	}
	e, body := newestBody(t, s)
	if diff := cmp.Diff(audit.Amendment{Reason: "the board met", Before: before, After: want}, body); diff != "" || e.Actor != "kr_edu/owner" {
		t.Errorf("by %s: %s", e.Actor, diff)
	}
	q := question("qry_2", before.ID)
	q.Charges[0].Loss.Epsilon = milli(4)
	_, err = s.Charge(ctx, q, chargeEntry())
	wantErr(t, err, ledger.ErrQuestion)
	_, err = s.Amend(ctx, before.ID, 1, before.Promise, terms, owner("again"))
	wantErr(t, err, sandbox.ErrConflict)
}

// More lifetime is a new promise, and counted as one.
func testPromise(t *testing.T, s storage) {
	openPure(t, s, "kr_edu/student", 2)
	for i := range 2 {
		charge(t, s, fmt.Sprint("qry_", i), "kr_edu/student")
	}
	refused(t, s, ledger.ErrExhausted, "kr_edu/student")
	after := amend(t, s, "kr_edu/student", func(p *ledger.Promise, _ *ledger.Terms) { p.Epsilon = milli(3) })
	if after.Promises != 2 || after.Caps.Epsilon != milli(3) || after.Spent.Epsilon != milli(2) {
		t.Errorf("got %+v", after)
	}
	charge(t, s, "qry_2", "kr_edu/student")
	refused(t, s, ledger.ErrExhausted, "kr_edu/student")
	if report := mustVerify(t, s); report.Promises != 1 || report.Kinds[audit.KindAmendment] != 1 {
		t.Errorf("the log tells of %d new promises in %v", report.Promises, report.Kinds)
	}
}

// A budget below what is spent is no error: nothing fits until there is more.
func testLowered(t *testing.T, s storage) {
	openPure(t, s, "kr_edu/student", 10)
	for i := range 5 {
		charge(t, s, fmt.Sprint("qry_", i), "kr_edu/student")
	}
	after := amend(t, s, "kr_edu/student", share(200_000))
	if room := after.Room(testTime); room.Epsilon != 0 || after.Spent.Epsilon != milli(5) {
		t.Errorf("%s left of %+v", room.Epsilon, after)
	}
	refused(t, s, ledger.ErrExhausted, "kr_edu/student")
	amend(t, s, "kr_edu/student", share(600_000))
	charge(t, s, "qry_5", "kr_edu/student")
	refused(t, s, ledger.ErrExhausted, "kr_edu/student")
}

func testThaw(t *testing.T, s storage) {
	openPure(t, s, "kr_edu/student", 10)
	for i := range 3 {
		charge(t, s, fmt.Sprint("qry_", i), "kr_edu/student")
		must(t, s.Fail(context.Background(), fmt.Sprint("qry_", i)))
	}
	refused(t, s, ledger.ErrFrozen, "kr_edu/student")
	amend(t, s, "kr_edu/student", func(_ *ledger.Promise, t *ledger.Terms) { t.Allowance = 4 })
	charge(t, s, "qry_3", "kr_edu/student")
	must(t, s.Fail(context.Background(), "qry_3"))
	refused(t, s, ledger.ErrFrozen, "kr_edu/student")
}

// A schedule counts at the log's time, as everybody reads it later: a clock that is set back closes nothing
// that was open.
func testSchedule(t *testing.T, s storage) {
	openPure(t, s, "kr_edu/student", 10)
	amend(t, s, "kr_edu/student", func(_ *ledger.Promise, t *ledger.Terms) {
		for i, of := range []privacy.Share{200_000, 300_000} {
			t.Schedule[i] = ledger.Step{From: ledger.Instant(testTime.Add(time.Duration(i+1) * time.Hour).Unix()), Share: of}
		}
	})
	at := func(id string, after time.Duration) error {
		q := question(id, "kr_edu/student")
		q.Time = testTime.Add(after)
		_, err := s.Charge(context.Background(), q, chargeEntry())
		return err
	}
	wantErr(t, at("qry_0", time.Hour-1), ledger.ErrExhausted)
	must(t, at("qry_1", time.Hour))
	must(t, at("qry_2", 0)) // the log is an hour on
	wantErr(t, at("qry_3", 2*time.Hour-1), ledger.ErrExhausted)
	must(t, at("qry_4", 2*time.Hour))
	wantErr(t, at("qry_5", 1000*time.Hour), ledger.ErrExhausted)
}

func testAllocate(t *testing.T, s storage) {
	openPure(t, s, "kr_edu/student", 10)
	openPure(t, s, "gb_ons/home", 10)
	for _, id := range []string{"kr_edu/student", "kr_edu/none"} {
		if list, err := s.Allocations(context.Background(), id); err != nil || len(list) != 0 {
			t.Fatalf("%s: got %v, %v", id, list, err)
		}
	}
	asked := allotment("kr_edu/student", "sg_lab", ledger.Scope{Organisation: "sg_lab"}, 50) // more than there is
	asked.Spent.Epsilon = 7
	first := allocate(t, s, asked)
	want := asked
	want.Revision, want.Spent = 1, privacy.Clocks{}
	if first != want {
		t.Errorf("got %+v, want %+v", first, want)
	}
	e, body := newestBody(t, s)
	if diff := cmp.Diff(audit.Allocation{Reason: "a fair share", After: &want}, body); diff != "" || e.Actor != "kr_edu/owner" {
		t.Errorf("by %s: %s", e.Actor, diff)
	}
	charge(t, s, "qry_1", "kr_edu/student")
	other := allocate(t, s, allotment("kr_edu/student", "maths_gap", ledger.Scope{Project: "maths_gap"}, 5))
	changed := first
	changed.Scope, changed.Caps.Epsilon = ledger.Scope{Project: "maths_gap", Organisation: "sg_lab"}, milli(3)
	second := allocate(t, s, changed)
	before := first
	before.Spent.Epsilon = milli(1)
	want = before
	want.Revision, want.Scope, want.Caps = 2, changed.Scope, changed.Caps
	if second != want {
		t.Errorf("got %+v, want %+v", second, want)
	}
	if _, body = newestBody(t, s); !cmp.Equal(audit.Allocation{Reason: "a fair share", Before: &before, After: &want}, body) {
		t.Errorf("logged %+v", body)
	}
	list, err := s.Allocations(context.Background(), "kr_edu/student")
	must(t, err)
	if !slices.Equal(list, []ledger.Allocation{other, second}) {
		t.Errorf("got %+v", list)
	}
	if list, err := s.Allocations(context.Background(), "gb_ons/home"); err != nil || len(list) != 0 {
		t.Errorf("another account's: %+v, %v", list, err)
	}
}

func testAllocateRefuses(t *testing.T, s storage) {
	openPure(t, s, "kr_edu/student", 10)
	stored := allocate(t, s, allotment("kr_edu/student", "sg_lab", ledger.Scope{Organisation: "sg_lab"}, 5))
	for name, c := range map[string]struct {
		change func(a *ledger.Allocation)
		reason string
		want   error
	}{
		"account not open": {func(a *ledger.Allocation) { a.Account = "kr_edu/none" }, "r", sandbox.ErrNotFound},
		"made again":       {func(a *ledger.Allocation) { a.Revision = 0 }, "r", sandbox.ErrConflict},
		"later revision":   {func(a *ledger.Allocation) { a.Revision = 2 }, "r", sandbox.ErrConflict},
		"not there":        {func(a *ledger.Allocation) { a.Name = "none" }, "r", sandbox.ErrConflict},
		"no reason":        {func(*ledger.Allocation) {}, "", ledger.ErrAccount},
		"nobody's":         {func(a *ledger.Allocation) { a.Scope = ledger.Scope{} }, "r", ledger.ErrAccount},
		"no cap":           {func(a *ledger.Allocation) { a.Caps = ledger.NoLimit(privacy.Orders{}) }, "r", ledger.ErrAccount},
		"negative cap":     {func(a *ledger.Allocation) { a.Caps.Epsilon = -1 }, "r", ledger.ErrAccount},
		"cap on no clock":  {func(a *ledger.Allocation) { a.Caps.Renyi[0] = 1 }, "r", ledger.ErrAccount},
		"bad name":         {func(a *ledger.Allocation) { a.Name, a.Revision = "Sg lab", 0 }, "r", ledger.ErrAccount},
	} {
		a := stored
		c.change(&a)
		if _, err := s.Allocate(context.Background(), a, owner(c.reason)); !errors.Is(err, c.want) {
			t.Errorf("%s: got %v, want %v", name, err, c.want)
		}
	}
	if report := mustVerify(t, s); report.Checkpoint.Size != 2 || report.Allocations[0] != stored {
		t.Errorf("a refused allocation left a trace: %+v", report)
	}
}

func testMostAllocations(t *testing.T, s storage) {
	openPure(t, s, "kr_edu/student", 10)
	openPure(t, s, "gb_ons/home", 10)
	var wg sync.WaitGroup
	failed := make(chan error, sandbox.MaxAllocations)
	for i := range sandbox.MaxAllocations {
		wg.Go(func() {
			_, err := s.Allocate(context.Background(), allotment("kr_edu/student", fmt.Sprint("a", i), ledger.Scope{Project: "maths_gap"}, int64(i)), owner("r"))
			failed <- err
		})
	}
	wg.Wait()
	close(failed)
	for err := range failed {
		must(t, err)
	}
	more := allotment("kr_edu/student", "more", ledger.Scope{Project: "maths_gap"}, 1)
	_, err := s.Allocate(context.Background(), more, owner("r"))
	wantErr(t, err, ledger.ErrAccount)
	changed := allotment("kr_edu/student", "a0", ledger.Scope{Project: "maths_gap"}, 1)
	changed.Revision = 1
	allocate(t, s, changed)
	more.Account = "gb_ons/home"
	allocate(t, s, more)
	must(t, s.Unallocate(context.Background(), "kr_edu/student", "a7", 1, owner("r")))
	more.Account = "kr_edu/student"
	allocate(t, s, more)
}

func testUnallocate(t *testing.T, s storage) {
	ctx := context.Background()
	openPure(t, s, "kr_edu/student", 10)
	asked := allotment("kr_edu/student", "sg_lab", ledger.Scope{Organisation: "sg_lab"}, 1)
	stored := allocate(t, s, asked)
	charge(t, s, "qry_1", "kr_edu/student")
	refused(t, s, ledger.ErrAllocated, "kr_edu/student")
	wantErr(t, s.Unallocate(ctx, "kr_edu/student", "none", 1, owner("r")), sandbox.ErrNotFound)
	wantErr(t, s.Unallocate(ctx, "kr_edu/none", "sg_lab", 1, owner("r")), sandbox.ErrNotFound)
	wantErr(t, s.Unallocate(ctx, "kr_edu/student", "sg_lab", 2, owner("r")), sandbox.ErrConflict)
	wantErr(t, s.Unallocate(ctx, "kr_edu/student", "sg_lab", 1, owner("")), ledger.ErrAccount)
	must(t, s.Unallocate(ctx, "kr_edu/student", "sg_lab", 1, owner("over")))
	stored.Spent.Epsilon = milli(1)
	if _, body := newestBody(t, s); !cmp.Equal(audit.Allocation{Reason: "over", Before: &stored}, body) {
		t.Errorf("logged %+v", body)
	}
	charge(t, s, "qry_2", "kr_edu/student")
	if again := allocate(t, s, asked); again.Revision != 1 || again.Spent != (privacy.Clocks{}) {
		t.Errorf("made anew: %+v", again)
	}
	charge(t, s, "qry_3", "kr_edu/student")
	refused(t, s, ledger.ErrAllocated, "kr_edu/student")
	if report := mustVerify(t, s); report.Accounts[0].Spent.Epsilon != milli(3) {
		t.Errorf("the account counts on: %+v", report.Accounts)
	}
}

// Every allocation that covers who asks must admit, and none that does not; the account holds whatever they add up to.
func testAllocationsAdmit(t *testing.T, s storage) {
	ctx := context.Background()
	openPure(t, s, "kr_edu/student", 6)
	allocate(t, s, allotment("kr_edu/student", "project", ledger.Scope{Project: "maths_gap"}, 5))
	allocate(t, s, allotment("kr_edu/student", "lab", ledger.Scope{Project: "maths_gap", Organisation: "sg_lab"}, 3))
	allocate(t, s, allotment("kr_edu/student", "mei", ledger.Scope{Researcher: "sg_lab/mei"}, 2))
	n := 0
	ask := func(principal, project string) error {
		n++
		q, entry := question(fmt.Sprint("qry_", n), "kr_edu/student"), chargeEntry()
		q.Principal, q.Project, entry.Project = principal, project, project
		_, err := s.Charge(ctx, q, entry)
		return err
	}
	for _, c := range []struct {
		principal, project string
		want               error
		says               string
	}{
		{"sg_lab/mei", "reading", nil, ""},                           // mei 1
		{"sg_lab/mei", "maths_gap", nil, ""},                         // mei 2, lab 1, project 1
		{"sg_lab/mei", "reading", ledger.ErrAllocated, "mei"},        //
		{"sg_lab/wei", "maths_gap", nil, ""},                         // lab 2, project 2
		{"sg_lab/wei", "maths_gap", nil, ""},                         // lab 3, project 3
		{"sg_lab/wei", "maths_gap", ledger.ErrAllocated, "lab"},      //
		{"sg_labs/wei", "maths_gap", nil, ""},                        // project 4
		{"gb_ons/ann", "maths_gap", nil, ""},                         // project 5; the account has none left
		{"gb_ons/ann", "reading", ledger.ErrExhausted, "kr_edu/stu"}, // nobody's allocation, the account's cap
	} {
		err := ask(c.principal, c.project)
		if !errors.Is(err, c.want) || c.want == nil && err != nil || err != nil && !strings.Contains(err.Error(), c.says) {
			t.Errorf("question %d by %s for %s: got %v, want %v of %s", n, c.principal, c.project, err, c.want, c.says)
		}
	}
	spent := map[string]privacy.Epsilon{}
	for _, a := range mustVerify(t, s).Allocations {
		spent[a.Name] = a.Spent.Epsilon
	}
	if diff := cmp.Diff(map[string]privacy.Epsilon{"project": milli(5), "lab": milli(3), "mei": milli(2)}, spent); diff != "" {
		t.Error(diff)
	}
}

// Where one allocation of one account refuses, nothing is charged anywhere.
func testAllocationsAllOrNone(t *testing.T, s storage) {
	openPure(t, s, "gb_ons/home", 10)
	openPure(t, s, "kr_edu/student", 10)
	allocate(t, s, allotment("gb_ons/home", "lab", ledger.Scope{Organisation: "sg_lab"}, 9))
	allocate(t, s, allotment("kr_edu/student", "lab", ledger.Scope{Organisation: "sg_lab"}, 9))
	allocate(t, s, allotment("kr_edu/student", "mei", ledger.Scope{Researcher: "sg_lab/mei"}, 1))
	charge(t, s, "qry_1", "gb_ons/home", "kr_edu/student")
	before := mustVerify(t, s)
	refused(t, s, ledger.ErrAllocated, "gb_ons/home", "kr_edu/student")
	refused(t, s, ledger.ErrAllocated, "kr_edu/student")
	if diff := cmp.Diff(before, mustVerify(t, s)); diff != "" {
		t.Errorf("a refused charge changed the log: %s", diff)
	}
	charge(t, s, "qry_2", "gb_ons/home")
}

// An allocation below what is spent is no error: nothing fits until there is more.
func testAllocationLowered(t *testing.T, s storage) {
	openPure(t, s, "kr_edu/student", 10)
	a := allocate(t, s, allotment("kr_edu/student", "lab", ledger.Scope{Organisation: "sg_lab"}, 5))
	for i := range 3 {
		charge(t, s, fmt.Sprint("qry_", i), "kr_edu/student")
	}
	a.Caps.Epsilon = milli(1)
	a = allocate(t, s, a)
	if a.Spent.Epsilon != milli(3) {
		t.Errorf("what was spent did not stay: %+v", a)
	}
	refused(t, s, ledger.ErrAllocated, "kr_edu/student")
	a.Caps.Epsilon = 0 // closed
	a = allocate(t, s, a)
	refused(t, s, ledger.ErrAllocated, "kr_edu/student")
	a.Caps.Epsilon = milli(4)
	allocate(t, s, a)
	charge(t, s, "qry_3", "kr_edu/student")
	refused(t, s, ledger.ErrAllocated, "kr_edu/student")
}

// 64 parallel charges where an allocation has room for k, and its account for more: exactly k succeed.
func testParallelAllocation(t *testing.T, s storage) {
	ctx := context.Background()
	openPure(t, s, "kr_edu/student", 1000)
	for round := range 5 {
		room := int64(round*13%64 + 1)
		principal := fmt.Sprint("sg_lab/r", round)
		allocate(t, s, allotment("kr_edu/student", fmt.Sprint("r", round), ledger.Scope{Researcher: principal}, room))
		var wg sync.WaitGroup
		outcomes := make(chan error, 64)
		for i := range 64 {
			wg.Go(func() {
				q := question(fmt.Sprintf("qry_%d_%d", round, i), "kr_edu/student")
				q.Principal = principal
				_, err := s.Charge(ctx, q, chargeEntry())
				outcomes <- err
			})
		}
		wg.Wait()
		close(outcomes)
		admitted := int64(0)
		for err := range outcomes {
			if err == nil {
				admitted++
			} else if !errors.Is(err, ledger.ErrAllocated) {
				t.Fatal(err)
			}
		}
		if admitted != room {
			t.Fatalf("round %d: %d charges admitted where %d fit", round, admitted, room)
		}
	}
}

func testSpending(t *testing.T, s storage) {
	ctx := context.Background()
	a, err := ledger.New("kr_edu/student", ledger.Promise{Kind: ledger.KindRenyi, Epsilon: privacy.OneEpsilon, Delta: 1e12}, ledger.Terms{})
	must(t, err)
	must(t, s.Open(ctx, a, owner("")))
	openPure(t, s, "gb_ons/home", 10)
	loss := func(n int64) privacy.Clocks {
		return privacy.Clocks{Epsilon: privacy.Epsilon(n) << 31, Renyi: privacy.Divergences{privacy.Renyi(n) << 30, privacy.Renyi(n) << 29}, Delta: privacy.Delta(n)}
	}
	for i := range 4 {
		q := question(fmt.Sprint("qry_", i), "kr_edu/student", "gb_ons/home")
		q.Charges[0].Loss = loss(int64(i) + 1)
		q.Time = testTime.Add(time.Duration(i) * time.Hour)
		_, err := s.Charge(ctx, q, chargeEntry())
		must(t, err)
	}
	must(t, s.Fail(ctx, "qry_3")) // the charge stays
	for _, c := range []struct {
		after time.Duration
		want  int64
	}{
		{-time.Hour, 10}, {0, 10}, {1, 9}, {time.Hour, 9}, {time.Hour + 1, 7}, {3 * time.Hour, 4}, {3*time.Hour + 1, 0}, {99 * time.Hour, 0},
	} {
		got, err := s.Spending(ctx, "kr_edu/student", testTime.Add(c.after))
		if err != nil || got != loss(c.want) {
			t.Errorf("after %s: got %+v, %v", c.after, got, err)
		}
	}
	if got, err := s.Spending(ctx, "gb_ons/home", testTime); err != nil || got != (privacy.Clocks{Epsilon: milli(4)}) {
		t.Errorf("another account: %+v, %v", got, err)
	}
	if got, err := s.Spending(ctx, "gb_ons/none", testTime); err != nil || got != (privacy.Clocks{}) {
		t.Errorf("no account: %+v, %v", got, err)
	}
	for i := range 3 { // admitted by Σd and Σδ
		q := question(fmt.Sprint("qry_inf", i), "kr_edu/student")
		q.Charges[0].Loss = privacy.Clocks{Epsilon: privacy.Unlimited, Renyi: privacy.Divergences{1, 1}, Delta: 1}
		q.Time = testTime.Add(5 * time.Hour)
		_, err := s.Charge(ctx, q, chargeEntry())
		must(t, err)
	}
	got, err := s.Spending(ctx, "kr_edu/student", testTime.Add(4*time.Hour))
	if want := (privacy.Clocks{Epsilon: privacy.Unlimited, Renyi: privacy.Divergences{3, 3}, Delta: 3}); err != nil || got != want {
		t.Errorf("without bound: got %+v, %v", got, err)
	}
}

func testWhose(t *testing.T, s storage) {
	ctx := context.Background()
	for _, id := range []string{"kr_edu/student", "kr_edu/teacher", "gb_ons/home"} {
		openPure(t, s, id, 10)
	}
	entries := map[string]int64{}
	for i, c := range []struct {
		principal, project string
		accounts           []string
	}{
		{"sg_lab/mei", "maths_gap", []string{"kr_edu/student"}},
		{"sg_lab/wei", "maths_gap", []string{"kr_edu/student", "gb_ons/home"}},
		{"sg_lab/mei", "reading", []string{"kr_edu/teacher"}},
		{"gb_ons/ann", "reading", []string{"gb_ons/home"}},
	} {
		q, entry := question(fmt.Sprint("q", i), c.accounts...), chargeEntry()
		q.Principal, q.Project, entry.Project = c.principal, c.project, c.project
		index, err := s.Charge(ctx, q, entry)
		must(t, err)
		entries[q.ID] = index
	}
	release(t, s, "q1")
	for _, c := range []struct {
		filter sandbox.Filter
		want   string
	}{
		{sandbox.Filter{}, "q3 q2 q1 q0"},
		{sandbox.Filter{Organisation: "kr_edu"}, "q2 q1 q0"},
		{sandbox.Filter{Organisation: "gb_ons"}, "q3 q1"},
		{sandbox.Filter{Organisation: "gb_on"}, ""}, {sandbox.Filter{Organisation: "gb_on_"}, ""}, {sandbox.Filter{Organisation: "gb_on%"}, ""},
		{sandbox.Filter{Organisation: "gb_ons", Principal: "sg_lab/mei"}, "q3 q2 q1 q0"},
		{sandbox.Filter{Principal: "sg_lab/mei", Researcher: "sg_lab/wei"}, ""},
		{sandbox.Filter{Organisation: "kr_edu", Researcher: "sg_lab/wei"}, "q1"},
		{sandbox.Filter{Organisation: "kr_edu", Account: "gb_ons/home"}, "q1"},
		{sandbox.Filter{Account: "kr_edu/student"}, "q1 q0"}, {sandbox.Filter{Account: "kr_edu/"}, ""},
		{sandbox.Filter{Project: "reading"}, "q3 q2"}, {sandbox.Filter{Project: "reading", Principal: "gb_ons/ann"}, "q3"},
		{sandbox.Filter{Organisation: "kr_edu", State: sandbox.Released}, "q1"},
		{sandbox.Filter{Before: entries["q2"]}, "q1 q0"}, {sandbox.Filter{After: entries["q1"]}, "q3 q2"},
		{sandbox.Filter{After: entries["q0"], Before: entries["q3"], Organisation: "gb_ons"}, "q1"},
		{sandbox.Filter{Before: 1}, ""},
	} {
		list, err := s.Newest(ctx, c.filter, 9)
		must(t, err)
		var ids []string
		for _, q := range list {
			ids = append(ids, q.ID)
		}
		if got := strings.Join(ids, " "); got != c.want {
			t.Errorf("%+v: got %q, want %q", c.filter, got, c.want)
		}
	}
	list, err := s.Newest(ctx, sandbox.Filter{Organisation: "gb_ons", Researcher: "sg_lab/wei"}, 1)
	if err != nil || len(list) != 1 || !slices.Equal(list[0].Charges, cost("gb_ons/home", "kr_edu/student")) || list[0].Entry != entries["q1"] {
		t.Errorf("got %+v, %v", list, err)
	}
}
