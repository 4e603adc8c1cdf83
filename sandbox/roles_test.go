package sandbox_test

import (
	"io"
	"testing"

	"entrepot/access"
	"entrepot/datasets"
	"entrepot/privacy"
	"entrepot/privacy/ledger"
	"entrepot/sandbox"
)

const (
	allowed   sandbox.Code = ""
	forbidden              = sandbox.CodeForbidden
	hidden                 = sandbox.CodeNotFound
)

// asker is a principal in the columns of TestRoles.
type asker struct {
	name string
	access.Principal
}

func askers() []asker {
	return []asker{
		{"operator", operator}, {"manager", manager}, {"regulator", regulator}, {"owner", owner},
		{"researcher of the owner", colleague}, {"researcher of the project", researcher},
		{"owner elsewhere", principal("clinic/own", access.Owner)}, {"researcher elsewhere", principal("clinic/ren", access.Researcher)},
		{"stranger", stranger}, {"nobody", principal("lab_sg/nil")},
	}
}

// use is a use case, called for whatever organisation the house's data are of. What it writes when it
// is allowed hurts no other use.
type use struct {
	name string
	call func(h *house, p access.Principal) error
	want [10]sandbox.Code // of each of askers
}

func uses(t *testing.T, released string) []use {
	bad := sandbox.CodeInvalid
	students := declaration(t, studentsDoc)
	return []use{
		{"PutOrganisation", func(h *house, p access.Principal) error {
			_, err := h.PutOrganisation(ctx, p, access.Organisation{ID: "lab_sg", Title: "lab_sg", Jurisdiction: "SG"})
			return err
		}, [10]sandbox.Code{allowed, forbidden, forbidden, forbidden, forbidden, forbidden, forbidden, forbidden, forbidden, forbidden}},
		{"Organisation", func(h *house, p access.Principal) error { _, err := h.Organisation(ctx, p, "clinic"); return err },
			[10]sandbox.Code{}},
		{"PutProject", func(h *house, p access.Principal) error { _, err := h.PutProject(ctx, p, project("gap")); return err },
			[10]sandbox.Code{allowed, allowed, forbidden, forbidden, forbidden, forbidden, forbidden, forbidden, forbidden, forbidden}},
		{"Project", func(h *house, p access.Principal) error { _, err := h.Project(ctx, p, "gap"); return err },
			[10]sandbox.Code{allowed, allowed, allowed, allowed, allowed, allowed, hidden, hidden, hidden, allowed}},
		{"PutDataset", func(h *house, p access.Principal) error {
			_, err := h.PutDataset(ctx, p, "kr_edu", "students", students)
			return err
		}, [10]sandbox.Code{forbidden, forbidden, forbidden, allowed, forbidden, forbidden, forbidden, forbidden, forbidden, forbidden}},
		{"PutDataset in another's unit space", func(h *house, p access.Principal) error {
			_, err := h.PutDataset(ctx, p, p.Organisation, "copy", datasets.Declaration{UnitSpace: "third/space", MaxRowsPerUnit: 4, Columns: students.Columns})
			return err
		}, [10]sandbox.Code{forbidden, forbidden, forbidden, bad, forbidden, forbidden, bad, forbidden, bad, forbidden}},
		{"Dataset", func(h *house, p access.Principal) error { _, err := h.Dataset(ctx, p, "kr_edu.students"); return err },
			[10]sandbox.Code{allowed, allowed, allowed, allowed, hidden, allowed, hidden, hidden, hidden, hidden}},
		{"Register", func(h *house, p access.Principal) error {
			_, err := h.Register(ctx, p, "kr_edu.students", csv(table), false)
			return err
		}, [10]sandbox.Code{forbidden, forbidden, forbidden, allowed, forbidden, forbidden, forbidden, forbidden, forbidden, forbidden}},
		{"Version", func(h *house, p access.Principal) error { _, err := h.Version(ctx, p, "kr_edu.students"); return err },
			[10]sandbox.Code{forbidden, forbidden, forbidden, allowed, forbidden, forbidden, forbidden, forbidden, forbidden, forbidden}},
		{"PutPolicy", func(h *house, p access.Principal) error {
			_, base, _ := h.Policy(ctx, owner, "kr_edu.students")
			_, err := h.PutPolicy(ctx, p, "kr_edu.students", base, policy(t, policyDoc))
			return err
		}, [10]sandbox.Code{forbidden, forbidden, forbidden, allowed, forbidden, forbidden, forbidden, forbidden, forbidden, forbidden}},
		{"Policy", func(h *house, p access.Principal) error { _, _, err := h.Policy(ctx, p, "kr_edu.students"); return err },
			[10]sandbox.Code{allowed, allowed, allowed, allowed, hidden, hidden, hidden, hidden, hidden, hidden}},
		{"Decide for oneself", func(h *house, p access.Principal) error {
			_, err := h.Decide(ctx, p, sandbox.Simulation{Action: access.Aggregate, Dataset: "kr_edu.students", Project: "gap"})
			return err
		}, [10]sandbox.Code{allowed, allowed, allowed, allowed, hidden, allowed, hidden, hidden, hidden, hidden}},
		{"Decide for another", func(h *house, p access.Principal) error {
			_, err := h.Decide(ctx, p, sandbox.Simulation{Principal: peer, Action: access.Aggregate, Dataset: "kr_edu.students", Project: "gap"})
			return err
		}, [10]sandbox.Code{forbidden, forbidden, forbidden, allowed, forbidden, forbidden, forbidden, forbidden, forbidden, forbidden}},
		{"OpenAccount", func(h *house, p access.Principal) error {
			_, err := h.OpenAccount(ctx, p, "kr_edu", "student", sandbox.Budget{Kind: ledger.KindRenyi, Epsilon: 20 * privacy.OneEpsilon, Delta: privacy.OneDelta / 1e6})
			return err
		}, [10]sandbox.Code{forbidden, forbidden, forbidden, allowed, forbidden, forbidden, forbidden, forbidden, forbidden, forbidden}},
		{"AmendAccount", func(h *house, p access.Principal) error {
			_, err := h.AmendAccount(ctx, p, "kr_edu", "student", h.account().Revision, sandbox.Budget{Kind: ledger.KindRenyi, Epsilon: 20 * privacy.OneEpsilon,
				Delta: privacy.OneDelta / 1e6, Allowance: h.account().Terms.Allowance + 1, Reason: "one more"})
			return err
		}, [10]sandbox.Code{forbidden, forbidden, forbidden, allowed, forbidden, forbidden, forbidden, forbidden, forbidden, forbidden}},
		{"Account", func(h *house, p access.Principal) error { _, err := h.Account(ctx, p, "kr_edu", "student"); return err },
			[10]sandbox.Code{allowed, allowed, allowed, allowed, hidden, allowed, hidden, hidden, hidden, hidden}},
		{"PutAllocation", func(h *house, p access.Principal) error {
			_, err := h.PutAllocation(ctx, p, "kr_edu", "student", "lab", 0, capped("lab_sg", privacy.OneEpsilon))
			return err
		}, [10]sandbox.Code{forbidden, forbidden, forbidden, allowed, forbidden, forbidden, forbidden, forbidden, forbidden, forbidden}},
		{"Allocation", func(h *house, p access.Principal) error {
			_, err := h.Allocation(ctx, p, "kr_edu", "student", "lab")
			return err
		}, [10]sandbox.Code{allowed, allowed, allowed, allowed, hidden, allowed, hidden, hidden, hidden, hidden}},
		{"DeleteAllocation", func(h *house, p access.Principal) error {
			return h.DeleteAllocation(ctx, p, "kr_edu", "student", "lab", 1, "it ended")
		}, [10]sandbox.Code{forbidden, forbidden, forbidden, allowed, forbidden, forbidden, forbidden, forbidden, forbidden, forbidden}},
		{"Estimate", func(h *house, p access.Principal) error { _, err := h.Estimate(ctx, p, ask()); return err },
			[10]sandbox.Code{forbidden, forbidden, forbidden, forbidden, hidden, allowed, forbidden, hidden, hidden, forbidden}},
		{"Submit", func(h *house, p access.Principal) error { _, err := h.Submit(ctx, p, ask(fresh)); return err },
			[10]sandbox.Code{forbidden, forbidden, forbidden, forbidden, hidden, allowed, forbidden, hidden, hidden, forbidden}},
		{"Release", func(h *house, p access.Principal) error { _, err := h.Release(ctx, p, released); return err },
			[10]sandbox.Code{allowed, allowed, allowed, allowed, hidden, allowed, hidden, hidden, hidden, hidden}},
		{"Checkpoint", func(h *house, p access.Principal) error { _, err := h.Checkpoint(ctx, p); return err },
			[10]sandbox.Code{allowed, allowed, allowed, allowed, forbidden, forbidden, allowed, forbidden, allowed, forbidden}},
		{"Export", func(h *house, p access.Principal) error { return h.Export(ctx, p, io.Discard) },
			[10]sandbox.Code{allowed, allowed, allowed, forbidden, forbidden, forbidden, forbidden, forbidden, forbidden, forbidden}},
	}
}

// TestRoles: who may do what, and that a refusal writes nothing.
func TestRoles(t *testing.T) {
	h := newHouse(t)
	a, err := h.Submit(ctx, researcher, ask())
	must(t, err)
	for _, u := range uses(t, a.Query) {
		t.Run(u.name, func(t *testing.T) {
			for i, p := range askers() {
				before := h.state()
				if got := sandbox.AsErrorCode(u.call(h, p.Principal)); got != u.want[i] {
					t.Errorf("%s: got %q, want %q", p.name, got, u.want[i])
				}
				if after := h.state(); u.want[i] != allowed && after != before {
					t.Errorf("%s was refused, and this was written:\n%+v\n%+v", p.name, before, after)
				}
			}
		})
	}
}

// TestLists: a list holds what its reader may see, and no list is refused.
func TestLists(t *testing.T) {
	h := newHouse(t)
	_, err := h.Submit(ctx, researcher, ask())
	must(t, err)
	list := func(name string, count func(access.Principal) (int, error), want [10]int) {
		t.Run(name, func(t *testing.T) {
			for i, p := range askers() {
				if n, err := count(p.Principal); err != nil || n != want[i] {
					t.Errorf("%s: %d %v, want %d", p.name, n, err, want[i])
				}
			}
		})
	}
	list("Datasets", func(p access.Principal) (int, error) { l, err := h.Datasets(ctx, p); return len(l), err },
		[10]int{1, 1, 1, 1, 0, 1, 0, 0, 0, 0})
	list("Accounts", func(p access.Principal) (int, error) { l, err := h.Accounts(ctx, p); return len(l), err },
		[10]int{1, 1, 1, 1, 0, 1, 0, 0, 0, 0})
	list("Releases", func(p access.Principal) (int, error) {
		l, _, err := h.Releases(ctx, p, sandbox.HistoryFilter{})
		return len(l), err
	},
		[10]int{1, 1, 1, 1, 0, 1, 0, 0, 0, 0})
	// Three organisations, dataset, version, project, policy, account, charge and release; to the owner
	// those of its space, to the rest their own.
	list("Entries", func(p access.Principal) (int, error) {
		l, next, err := h.Entries(ctx, p, 0, 100)
		if next != -1 {
			t.Errorf("%s: more would follow at %d", p.ID, next)
		}
		return len(l), err
	}, [10]int{10, 10, 10, 6, 0, 2, 0, 0, 0, 0})
}
