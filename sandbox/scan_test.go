package sandbox_test

import (
	"context"
	"testing"
	"time"

	"entrepot/sandbox"
	"entrepot/sandbox/audit"
)

// longLog is a log of so many entries, all of somebody else.
type longLog struct {
	sandbox.Log
	size int64
	read int64
}

func (l *longLog) Entries(_ context.Context, from int64, limit int) ([][]byte, error) {
	var page [][]byte
	for i := from; i < l.size && len(page) < limit; i++ {
		body, err := audit.MarshalBody(audit.KindDecision, audit.Decision{Query: "qry_1", Verdict: audit.VerdictDenied})
		if err != nil {
			return nil, err
		}
		e, err := audit.Encode(audit.Entry{Index: i, Time: time.Unix(0, 0).UTC(), Kind: audit.KindDecision, Actor: "other/one", Body: body})
		if err != nil {
			return nil, err
		}
		page = append(page, e)
		l.read++
	}
	return page, nil
}

// TestOneCallReadsABoundedPartOfTheLog: one who may read none of a long log cannot have it read whole.
func TestOneCallReadsABoundedPartOfTheLog(t *testing.T) {
	h := newHouse(t)
	l := &longLog{Log: h.store, size: 45_000}
	service := h.serve(func(p *sandbox.Parts) { p.Log = l })
	calls := 0
	for from := int64(0); from >= 0; calls++ {
		before := l.read
		list, next, err := service.Entries(ctx, researcher, from, 100)
		must(t, err)
		if len(list) != 0 || l.read-before > 20_500 {
			t.Fatalf("call %d gives %d entries and reads %d", calls, len(list), l.read-before)
		}
		from = next
	}
	if calls != 3 {
		t.Errorf("the end came after %d calls", calls)
	}
}
