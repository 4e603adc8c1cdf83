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
	digest := sha256.Sum256(q.Body)
	if old.BodyDigest != hex.EncodeToString(digest[:]) {
		return Answer{}, false, &Error{Code: CodeConflict, Query: old.ID,
			Public: "This Idempotency-Key was used for another question.", Hint: "Take a new key for a new question."}
	}
	switch old.State {
	case Released:
		a, err := readAnswer(old.Answer)
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

// repeated gives the first release of the same question again: its noise is drawn already, so it
// costs nothing. The caller's decision of today was made before.
func (s *Service) repeated(ctx context.Context, p access.Principal, id, repeat, project string) (Answer, bool, error) {
	old, err := s.Questions.ByRepeat(ctx, repeat)
	if errors.Is(err, ErrNotFound) {
		return Answer{}, false, nil
	}
	if err != nil {
		return Answer{}, false, unavailable(err)
	}
	a, err := readAnswer(old.Answer)
	if err != nil {
		return Answer{}, false, err
	}
	_, err = s.Log.Append(ctx, Draft{Kind: audit.KindRepeat, Actor: p.ID, Time: s.now(),
		Body: audit.Repeat{Query: id, Release: old.Release, Project: project}})
	if err != nil {
		return Answer{}, false, unavailable(err)
	}
	a.Repeat, a.Charged = true, []Charge{}
	return a, true, nil
}
