package sandbox_test

import (
	"context"
	"errors"
	"testing"

	"entrepot/privacy"
	"entrepot/sandbox"
	"entrepot/sandbox/query"
)

// slowLedger holds whoever comes to store a release or a failure.
type slowLedger struct {
	sandbox.Ledger
	arrived chan struct{} // receives each
	leave   chan struct{} // closed to let all go on
}

func (l slowLedger) Release(ctx context.Context, query, release string, answer func(int64) ([]byte, error)) ([]byte, error) {
	l.arrived <- struct{}{}
	<-l.leave
	return l.Ledger.Release(ctx, query, release, answer)
}

func (l slowLedger) Fail(ctx context.Context, query string) error {
	l.arrived <- struct{}{}
	<-l.leave
	return l.Ledger.Fail(ctx, query)
}

// TestCommitNeedsNoTurn: while a release waits to be durable, the next question is computed.
func TestCommitNeedsNoTurn(t *testing.T) {
	h := newHouse(t)
	slow := slowLedger{h.store, make(chan struct{}), make(chan struct{})}
	service := h.serve(func(p *sandbox.Parts) { p.Parallel, p.Ledger = 1, slow })
	ended := make(chan error)
	for range 2 {
		go func() {
			_, err := service.Submit(ctx, researcher, ask(fresh))
			ended <- err
		}()
		select {
		case <-slow.arrived:
		case err := <-ended:
			t.Fatalf("a question has no turn while another's release is stored: %v", err)
		}
	}
	close(slow.leave)
	must(t, <-ended)
	must(t, <-ended)
	h.tally(2, 2, 0)
}

// TestFailureKeepsItsTurn: no question is charged before the failure of the one whose turn it was is on record. The
// number of failures that a frozen account may still see rests on it.
func TestFailureKeepsItsTurn(t *testing.T) {
	h := newHouse(t)
	slow := slowLedger{h.store, make(chan struct{}), make(chan struct{})}
	h.engine.collect = func(context.Context, query.Plan, files) (*privacy.Partials, error) {
		return nil, errors.New("out of memory")
	}
	service := h.serve(func(p *sandbox.Parts) { p.Parallel, p.Ledger = 1, slow })
	ended := make(chan error)
	go func() {
		_, err := service.Submit(ctx, researcher, ask())
		ended <- err
	}()
	<-slow.arrived
	impatient, cancel := context.WithCancel(ctx)
	cancel()
	_, err := service.Submit(impatient, peer, ask(fresh))
	refused(t, err, sandbox.CodeUnavailable)
	close(slow.leave)
	refused(t, <-ended, sandbox.CodeQueryFailed)
	h.tally(1, 0, 1)
}
