package sandbox

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"sync"

	"entrepot/access"
	"entrepot/privacy"
	"entrepot/privacy/ledger"
	"entrepot/sandbox/audit"
	"entrepot/sandbox/query"
)

// errMoved means that a document which decision, plan or price rest on changed before the charge.
var errMoved = &Error{Code: CodeConflict, Public: "Policy, project or dataset changed while the question was decided; nothing was charged.", Hint: "Ask again."}

// Submit is the one path from a question to a release:
//
//	turn → parse and bound → decide → repeat? → price → charge and log (durable) → collect →
//	noise, once → store and log (durable) → answer
//
// Until the charge an error explains itself and costs nothing. From the charge on, nothing is given
// back and every failure is the same error; so whatever may have to wait, waits before it.
func (s *Service) Submit(ctx context.Context, p access.Principal, q Query) (Answer, error) {
	if err := require(p, access.Researcher); err != nil {
		return Answer{}, err
	}
	if q.Idempotency != "" {
		defer s.questions.lock(p.ID + "\x00" + q.Idempotency)()
	}
	done, err := s.turn(ctx)
	if err != nil {
		return Answer{}, err
	}
	defer done()
	if q.Idempotency != "" {
		if a, found, err := s.again(ctx, p, q, done); found || err != nil {
			return a, err
		}
	}
	for range 3 {
		var a Answer
		if a, err = s.ask(ctx, p, q, done); !errors.Is(err, errMoved) {
			return a, err
		}
	}
	return Answer{}, err
}

// turn waits until fewer than Parallel questions are under way. A question has its turn until its answer is drawn,
// or its failure recorded: what is still to come, the durable commit of its release, needs no engine and cannot fail for
// what is in a row. So at most Parallel questions that were charged may yet fail.
func (s *Service) turn(ctx context.Context) (done func(), err error) {
	ctx, cancel := context.WithTimeout(ctx, s.Deadline)
	defer cancel()
	select {
	case s.turns <- struct{}{}:
		return sync.OnceFunc(func() { <-s.turns }), nil
	case <-ctx.Done():
		return nil, &Error{Code: CodeUnavailable, Public: "Too many questions are under way; nothing was charged. Try again later.", Err: ctx.Err()}
	}
}

// ask takes a question from its text to its answer; done ends its turn.
func (s *Service) ask(ctx context.Context, p access.Principal, q Query, done func()) (Answer, error) {
	ready, err := s.prepare(ctx, p, q)
	if err != nil {
		return Answer{}, err
	}
	id := s.NewID("qry_")
	if slices.ContainsFunc(ready.offers, offer.open) {
		if !q.Fresh {
			if a, done, err := s.repeat(ctx, p, q, id, ready); done || err != nil {
				return a, err
			}
		}
		if err := s.ready(ctx, ready); err != nil {
			return Answer{}, err
		}
	}
	if !ready.decision.Allowed {
		return Answer{}, s.refuse(ctx, p, id, ready, audit.VerdictDenied, ready.denial(id))
	}
	if ready.invalid != nil {
		return Answer{}, ready.invalid
	}
	work := ready.pending()
	question, err := s.charge(ctx, p, q, id, ready, work)
	if err != nil {
		return Answer{}, err
	}
	return s.complete(ctx, question, work, done)
}

// charge makes the durable charge and its log entry, or refuses and charges nothing.
func (s *Service) charge(ctx context.Context, p access.Principal, q Query, id string, ready prepared, work pending) (Question, error) {
	price, err := s.price(ctx, ready)
	if e := AsError(err); err != nil && e.Code == CodeExhausted {
		e.Query = id
		return Question{}, s.refuse(ctx, p, id, ready, audit.VerdictExhausted, e)
	}
	if err != nil {
		return Question{}, err
	}
	for _, c := range price {
		if e := c.never(); e != nil {
			e.Query = id
			return Question{}, s.refuse(ctx, p, id, ready, audit.VerdictExhausted, e)
		}
	}
	plan, err := json.Marshal(work)
	if err != nil {
		return Question{}, err
	}
	question := Question{ID: id, Principal: p.ID, Project: ready.project.ID, Idempotency: q.Idempotency,
		BodyDigest: q.digest(), Plan: plan, Guards: ready.guards, Time: s.now(), State: Charged}
	if err := work.mark(&question, ready.spec); err != nil {
		return Question{}, err
	}
	for _, c := range price {
		question.Charges = append(question.Charges, ledger.Charge{Account: c.account.ID, Loss: c.loss})
	}
	question.Entry, err = s.Ledger.Charge(ctx, question, audit.Charge{
		Query: id, Project: ready.project.ID, Purpose: ready.project.Purpose, Rule: ready.decision.Rule,
		Datasets: work.versions(), Question: ready.plan.Canonical(), Charges: question.Charges})
	switch {
	case err == nil:
		return question, nil
	case errors.Is(err, ledger.ErrExhausted):
		return Question{}, s.refuse(ctx, p, id, ready, audit.VerdictExhausted, &Error{Code: CodeExhausted, Query: id, Err: err,
			Public: "The privacy budget does not cover this question; nothing was charged.",
			Hint:   "Ask for a smaller loss, or repeat a question that was answered: a repeat is free. GET /v1/accounts shows what is left."})
	case errors.Is(err, ledger.ErrAllocated), errors.Is(err, ledger.ErrQuestion):
		why, explained := s.explain(ctx, ledger.Asker{Project: ready.project.ID, Researcher: p.ID}, price)
		if explained != nil {
			return Question{}, explained
		}
		why.Query, why.Err = id, err
		return Question{}, s.refuse(ctx, p, id, ready, audit.VerdictExhausted, why)
	case errors.Is(err, ledger.ErrFrozen):
		return Question{}, s.refuse(ctx, p, id, ready, audit.VerdictFrozen, &Error{Code: CodeFrozen, Query: id, Err: err,
			Public: "The account is frozen after too many failed questions; nothing was charged.", Hint: "Its owner has to look into it."})
	case errors.Is(err, ErrConflict):
		return Question{}, errMoved
	case errors.Is(err, audit.ErrTooLarge):
		return Question{}, invalid("The question is too long for one log entry; nothing was charged. Ask for less at a time.")
	case errors.Is(err, ErrDuplicate):
		return Question{}, keyInUse(err)
	default:
		return Question{}, unavailable(err)
	}
}

// refuse logs that a question was not admitted, then returns why. If the log cannot be written, that
// is the answer.
func (s *Service) refuse(ctx context.Context, p access.Principal, id string, q prepared, verdict string, why *Error) error {
	entry := audit.Decision{Query: id, Project: q.project.ID, Datasets: q.ids(), Spaces: q.spaces(),
		Verdict: verdict, Rule: q.decision.Rule, Reason: q.decision.Reason, Question: q.plan.Canonical()}
	switch {
	case errors.Is(why, ledger.ErrAllocated), errors.Is(why, ledger.ErrQuestion):
		// Whose terms, and what they are, the owners of the other spaces do not learn.
		entry.Reason = "The terms of an owner do not cover this question; nothing was charged."
	case verdict != audit.VerdictDenied:
		entry.Reason = why.Public
	}
	draft := Draft{Kind: audit.KindDecision, Actor: p.ID, Time: s.now(), Body: entry}
	_, err := s.Log.Append(ctx, draft)
	if errors.Is(err, audit.ErrTooLarge) { // no text keeps itself out of the log
		sum := sha256.Sum256([]byte(entry.Question))
		entry.Question = "too long for the log; SHA-256 " + hex.EncodeToString(sum[:])
		draft.Body = entry
		_, err = s.Log.Append(ctx, draft)
	}
	if err != nil {
		return unavailable(err)
	}
	return why
}

// complete answers a question that was charged; done ends its turn. The caller going away changes nothing: the charge
// is made, so the answer is stored for it.
func (s *Service) complete(ctx context.Context, q Question, work pending, done func()) (Answer, error) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), s.Deadline)
	defer cancel()
	answer, release, err := s.draw(ctx, q, work)
	if err != nil {
		return Answer{}, s.fail(ctx, q, err)
	}
	done()
	stored, err := s.Ledger.Release(context.WithoutCancel(ctx), q.ID, answer.ID, func(entry int64) ([]byte, error) {
		answer.Log.Entry = entry
		return storedAnswer(answer, release)
	})
	if err != nil {
		// The outcome of that transaction is unknown, so the question is not marked as failed: with its
		// Idempotency-Key it can be asked for again.
		s.Operator.Error("release not stored", "query", q.ID, "error", err)
		return Answer{}, queryFailed(q.ID, err)
	}
	return readCharged(q.ID, stored)
}

// draw collects the exact partials and adds noise to them, once. It returns the answer and the whole release
// (query.Keep). A panic is a failure like any other; its value may hold rows, so only its type is told.
func (s *Service) draw(ctx context.Context, q Question, work pending) (answer Answer, kept []byte, err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("panic of type %T", p)
		}
	}()
	spec, err := work.spec()
	if err != nil {
		return Answer{}, nil, err
	}
	partials, err := s.Engine.Collect(ctx, work.Plan, s.files(work))
	if err != nil {
		return Answer{}, nil, err
	}
	release, err := privacy.Run(spec, partials)
	if err != nil {
		return Answer{}, nil, err
	}
	answer, err = newAnswer(s.NewID("rel_"), q, work, spec, release)
	return answer, query.Keep(release), err
}

// fail ends a charged question: the failure counts on its accounts, the charge stays.
func (s *Service) fail(ctx context.Context, q Question, cause error) error {
	s.Operator.Error("question failed after its charge", "query", q.ID, "error", cause)
	if err := s.Ledger.Fail(context.WithoutCancel(ctx), q.ID); err != nil {
		s.Operator.Error("failure not recorded", "query", q.ID, "error", err)
	}
	return queryFailed(q.ID, cause)
}
