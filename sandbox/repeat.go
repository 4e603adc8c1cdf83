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

// again answers a question whose idempotency key was used before: with what was given then, byte for byte, or, when
// a crash came between charge and answer, by completing it once under the charge already made.
func (s *Service) again(ctx context.Context, p access.Principal, q Query, done func()) (Answer, bool, error) {
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
		return a, true, err
	case Failed:
		return Answer{}, true, queryFailed(old.ID, nil)
	}
	var work pending
	if err := json.Unmarshal(old.Plan, &work); err != nil {
		return Answer{}, true, s.fail(ctx, old, err)
	}
	a, err := s.complete(ctx, old, work, done)
	return a, true, err
}

// repeat answers from a stored release, of the same question or of one that asked for more: its noise is drawn
// already, so what it shows costs nothing. The caller's decision of today was made before.
func (s *Service) repeat(ctx context.Context, p access.Principal, q Query, id string, ready prepared) (Answer, bool, error) {
	found, err := s.released(ctx, ready)
	if err != nil {
		return Answer{}, false, unavailable(err)
	}
	if found == nil {
		return Answer{}, false, nil
	}
	old, err := s.Questions.Question(ctx, found.question.ID)
	if err != nil {
		return Answer{}, false, unavailable(err)
	}
	given, err := found.answer(old.Answer)
	if err != nil {
		return Answer{}, false, err
	}
	body, err := json.Marshal(given)
	if err != nil {
		return Answer{}, false, err
	}
	err = s.Ledger.Repeat(ctx, Repeat{Principal: p.ID, Idempotency: q.Idempotency, BodyDigest: q.digest(), Answer: body, Guards: ready.guards,
		Time: s.now(), Entry: audit.Repeat{Query: id, Release: old.Release, Project: ready.project.ID}})
	switch {
	case err == nil:
		a, err := readAnswer(body)
		return a, true, err
	case errors.Is(err, ErrConflict):
		return Answer{}, false, errMoved
	case errors.Is(err, ErrDuplicate):
		return Answer{}, false, keyInUse(err)
	default:
		return Answer{}, false, unavailable(err)
	}
}

// digest stands for what the caller sent.
func (q Query) digest() string {
	sum := sha256.Sum256(q.Body)
	return hex.EncodeToString(sum[:])
}

func keyInUse(err error) error {
	return &Error{Code: CodeConflict, Public: "This Idempotency-Key is in use.", Err: err}
}
