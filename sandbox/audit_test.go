package sandbox_test

import (
	"bytes"
	"context"
	"reflect"
	"slices"
	"testing"

	"entrepot/access"
	"entrepot/sandbox"
	"entrepot/sandbox/audit"
)

// busy is a house with an entry of every kind.
func busy(t *testing.T) *house {
	h := newHouse(t)
	_, err := h.Submit(ctx, researcher, ask())
	must(t, err)
	_, err = h.Submit(ctx, peer, ask())
	must(t, err)
	_, err = h.Submit(ctx, peer, ask(func(q *sandbox.Query) { q.Loss.Epsilon *= 3 }))
	refused(t, err, sandbox.CodeDenied)
	h.engine.collect = faults()[0].collect
	_, err = h.Submit(ctx, peer, ask(fresh))
	refused(t, err, sandbox.CodeQueryFailed)
	h.engine.collect = nil
	return h
}

// TestEntriesByPage: pages of any size give the same list, the last of them says so.
func TestEntriesByPage(t *testing.T) {
	h := busy(t)
	whole := h.entries()
	for limit := 1; limit <= len(whole)+1; limit++ {
		var got []audit.Entry
		for next := int64(0); next >= 0; {
			page, after, err := h.Entries(ctx, regulator, next, limit)
			must(t, err)
			if len(page) > limit || after >= 0 && after <= next {
				t.Fatalf("%d entries of at most %d, then from %d after %d", len(page), limit, after, next)
			}
			got, next = append(got, page...), after
		}
		if !reflect.DeepEqual(got, whole) {
			t.Errorf("pages of %d give %d entries of %d", limit, len(got), len(whole))
		}
	}
}

// TestEntriesOfEach: everybody reads its own, owners what concerns their spaces.
func TestEntriesOfEach(t *testing.T) {
	h := busy(t)
	own := func(p access.Principal) []audit.Kind {
		list, _, err := h.Entries(ctx, p, 0, 100)
		must(t, err)
		var kinds []audit.Kind
		for _, e := range list {
			kinds = append(kinds, e.Kind)
		}
		return kinds
	}
	for _, test := range []struct {
		who  access.Principal
		want []audit.Kind
	}{
		{researcher, []audit.Kind{audit.KindCharge, audit.KindRelease}},
		{peer, []audit.Kind{audit.KindRepeat, audit.KindDecision, audit.KindCharge, audit.KindFailure}},
		{colleague, nil}, {foreigner, nil}, {stranger, nil},
		{manager, []audit.Kind{audit.KindOrganisation, audit.KindOrganisation, audit.KindOrganisation, audit.KindDataset, audit.KindVersion,
			audit.KindProject, audit.KindPolicy, audit.KindAccount, audit.KindCharge, audit.KindRelease, audit.KindRepeat, audit.KindDecision,
			audit.KindCharge, audit.KindFailure}},
	} {
		if got := own(test.who); !reflect.DeepEqual(got, test.want) {
			t.Errorf("%s reads %q", test.who.ID, got)
		}
	}
	for _, kind := range []audit.Kind{audit.KindDataset, audit.KindVersion, audit.KindPolicy, audit.KindAccount, audit.KindCharge, audit.KindRelease,
		audit.KindDecision, audit.KindFailure} {
		if kinds := own(principal("kr_edu/new", access.Owner)); !slices.Contains(kinds, kind) {
			t.Errorf("an owner does not read the %s of its space, only %q", kind, kinds)
		}
	}
}

// TestCheckpointsExtend: a checkpoint that somebody kept is a part of every later export.
func TestCheckpointsExtend(t *testing.T) {
	h := busy(t)
	kept, err := h.Checkpoint(ctx, owner)
	must(t, err)
	seen, err := audit.ReadCheckpoint(kept, origin, []string{signer().VerifierKey()})
	must(t, err)
	_, err = h.Submit(ctx, researcher, ask(fresh))
	must(t, err)
	h.reopen()
	var export bytes.Buffer
	must(t, h.Export(ctx, manager, &export))
	report, err := audit.Verify(&export, []string{signer().VerifierKey()}, origin, seen)
	if err != nil || report.Checkpoint.Size != seen.Size+2 || len(report.Unanswered) != 0 {
		t.Errorf("%+v %v", report, err)
	}
}

// TestUnreadableLog: a log that fails is never an empty one.
func TestUnreadableLog(t *testing.T) {
	h := newHouse(t)
	service := h.serve(func(p *sandbox.Parts) { p.Log = silent{h.store} })
	_, _, err := service.Entries(ctx, regulator, 0, 10)
	refused(t, err, sandbox.CodeUnavailable)
	_, err = service.Checkpoint(ctx, regulator)
	refused(t, err, sandbox.CodeUnavailable)
	if err := service.Export(ctx, regulator, &bytes.Buffer{}); err == nil {
		t.Error("exported")
	}
}

// silent is a log that cannot be read.
type silent struct{ sandbox.Log }

func (silent) Entries(context.Context, int64, int) ([][]byte, error) { return nil, errDisk }
func (silent) Checkpoint(context.Context) ([]byte, error)            { return nil, errDisk }
