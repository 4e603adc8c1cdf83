package sandbox

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"

	"entrepot/access"
	"entrepot/sandbox/audit"
)

// again answers a question whose idempotency key was used before: with the stored answer, or, when a
// crash came between charge and answer, by completing it once under the charge already made.
func (s *Service) again(ctx context.Context, p access.Principal, q Query) (Answer, bool, error) {
	old, err := s.Questions.ByKey(ctx, p.ID, q.Idempotency)
	if errors.Is(err, ErrNotFound) {
		return Answer{}, false, nil
	}
	if err != nil {
		return Answer{}, false, unavailable(err)
	}
	if old.BodyDigest != q.digest() {
		return Answer{}, false, &Error{Code: CodeConflict, Query: old.ID,
			Public: "This Idempotency-Key was used for another question.", Hint: "Take a new key for a new question."}
	}
	switch old.State {
	case Released:
		a, err := readCharged(old.ID, old.Answer)
		if old.Repeated {
			a = a.repeated()
		}
		return a, true, err
	case Failed:
		return Answer{}, true, queryFailed(old.ID, nil)
	}
	var work pending
	if err := json.Unmarshal(old.Plan, &work); err != nil {
		return Answer{}, true, s.fail(ctx, old, err)
	}
	a, err := s.complete(ctx, old, work)
	return a, true, err
}

// repeat gives the first release of the same question again: its noise is drawn already, so it
// costs nothing. The caller's decision of today was made before.
func (s *Service) repeat(ctx context.Context, p access.Principal, q Query, id string, ready prepared) (Answer, bool, error) {
	old, err := s.released(ctx, ready)
	if errors.Is(err, ErrNotFound) {
		return Answer{}, false, nil
	}
	if err != nil {
		return Answer{}, false, err
	}
	a, err := readAnswer(old.Answer)
	if err != nil {
		return Answer{}, false, err
	}
	err = s.Ledger.Repeat(ctx, Repeat{Principal: p.ID, Idempotency: q.Idempotency, BodyDigest: q.digest(), Guards: ready.guards, Time: s.now(),
		Entry: audit.Repeat{Query: id, Release: old.Release, Project: ready.project.ID}})
	switch {
	case err == nil:
		return a.repeated(), true, nil
	case errors.Is(err, ErrConflict):
		return Answer{}, false, errMoved
	case errors.Is(err, ErrDuplicate):
		return Answer{}, false, keyInUse(err)
	default:
		return Answer{}, false, unavailable(err)
	}
}

// released finds the first release of the question, or gives ErrNotFound. Where the mechanism was left to us
// any that is open today will do: the choice moves with the accounts, and a repeat stays free.
func (s *Service) released(ctx context.Context, q prepared) (Question, error) {
	for _, q.offer = range q.offers {
		if !q.open() {
			continue
		}
		digest, err := q.pending().repeat()
		if err != nil {
			return Question{}, err
		}
		old, err := s.Questions.ByRepeat(ctx, digest)
		if err == nil {
			return old, nil
		}
		if !errors.Is(err, ErrNotFound) {
			return Question{}, unavailable(err)
		}
	}
	return Question{}, ErrNotFound
}

// repeated is the answer as a repeat gives it.
func (a Answer) repeated() Answer {
	a.Repeat, a.Charged = true, []Charge{}
	return a
}

// digest stands for what the caller sent.
func (q Query) digest() string {
	sum := sha256.Sum256(q.Body)
	return hex.EncodeToString(sum[:])
}

func keyInUse(err error) error {
	return &Error{Code: CodeConflict, Public: "This Idempotency-Key is in use.", Err: err}
}
