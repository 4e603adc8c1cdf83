package store

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"time"

	"entrepot/sandbox"
)

// listColumns leave out what may be large: a list shows none of it.
const listColumns = `id, principal, project, idempotency, body_digest, repeat, draw, X'', X'', charges, time, state, NULL, release, entry`

// repeatColumns leave out plan and answer.
const repeatColumns = `id, principal, project, idempotency, body_digest, repeat, draw, noise, X'', charges, time, state, NULL, release, entry`

// repeatsInOrder is answered by the index questions_repeat, without sorting.
const repeatsInOrder = `repeat = ? AND state = 'released' ORDER BY draw DESC, entry`

const questionColumns = `id, principal, project, idempotency, body_digest, repeat, draw, noise, plan, charges, time, state, answer, release, entry`

// Question implements sandbox.Questions.
func (s *Store) Question(ctx context.Context, id string) (sandbox.Question, error) {
	q, err := readQuestion(ctx, s.reads, `id = ?1 OR (release = ?1 AND release <> '')`, id)
	return settled(ctx, s, q, err)
}

// settled is what was read, once the witness saw it; otherwise the store fails, for what was read may be lost yet.
func settled[T any](ctx context.Context, s *Store, read T, err error) (T, error) {
	if err != nil {
		return read, err
	}
	if err := s.settle(ctx); err != nil {
		var none T
		return none, fmt.Errorf("it is not in the witness: %w", err)
	}
	return read, nil
}

// ByKey implements sandbox.Questions.
func (s *Store) ByKey(ctx context.Context, principal, key string) (sandbox.Question, error) {
	q, err := s.byKey(ctx, principal, key)
	return settled(ctx, s, q, err)
}

func (s *Store) byKey(ctx context.Context, principal, key string) (sandbox.Question, error) {
	q, err := readQuestion(ctx, s.reads, `principal = ? AND idempotency = ? AND idempotency <> ''`, principal, key)
	if !errors.Is(err, sandbox.ErrNotFound) {
		return q, err
	}
	var release, digest string
	var answer []byte
	err = one(ctx, s.reads, `SELECT release, body_digest, answer FROM repeats WHERE principal = ? AND idempotency = ?`, []any{principal, key}, &release, &digest, &answer)
	if errors.Is(err, errNoRow) {
		return q, fmt.Errorf("question: %w", sandbox.ErrNotFound)
	}
	if err != nil {
		return q, err
	}
	q, err = readQuestion(ctx, s.reads, `release = ?`, release)
	q.BodyDigest, q.Answer = digest, answer
	return q, err
}

// ByRepeat implements sandbox.Questions.
func (s *Store) ByRepeat(ctx context.Context, repeat string, limit int) ([]sandbox.Question, error) {
	list, err := listQuestions(ctx, s.reads, repeatColumns, repeatsInOrder, limit, repeat)
	return settled(ctx, s, list, err)
}

// Newest implements sandbox.Questions.
func (s *Store) Newest(ctx context.Context, f sandbox.Filter, limit int) ([]sandbox.Question, error) {
	if f.Before == 0 {
		f.Before = math.MaxInt64
	}
	list, err := readQuestions(ctx, s.reads, listColumns, `entry < ? AND entry > ?
		AND (?3 = '' OR state = ?3) AND (?4 = '' OR principal = ?4) AND (?5 = '' OR project = ?5)
		AND (?6 = '' OR EXISTS (SELECT 1 FROM charges WHERE charges.entry = questions.entry AND account = ?6))
		AND (?7 = '' AND ?8 = '' OR principal = ?7 OR ?8 <> '' AND EXISTS (
			SELECT 1 FROM charges WHERE charges.entry = questions.entry AND substr(account, 1, length(?8) + 1) = ?8 || '/'))`,
		limit, f.Before, f.After, f.State, f.Researcher, f.Project, f.Account, f.Principal, f.Organisation)
	return settled(ctx, s, list, err)
}

// readQuestion returns the newest question that matches, or sandbox.ErrNotFound.
func readQuestion(ctx context.Context, q querier, where string, args ...any) (sandbox.Question, error) {
	questions, err := readQuestions(ctx, q, questionColumns, where, 1, args...)
	if err != nil {
		return sandbox.Question{}, err
	}
	if len(questions) == 0 {
		return sandbox.Question{}, fmt.Errorf("question: %w", sandbox.ErrNotFound)
	}
	return questions[0], nil
}

// readQuestions returns the newest questions that match a condition written in this file's terms.
func readQuestions(ctx context.Context, q querier, columns, where string, limit int, args ...any) ([]sandbox.Question, error) {
	return listQuestions(ctx, q, columns, where+` ORDER BY entry DESC`, limit, args...)
}

// listQuestions is readQuestions with an order of its own.
func listQuestions(ctx context.Context, q querier, columns, where string, limit int, args ...any) ([]sandbox.Question, error) {
	var questions []sandbox.Question
	query := `SELECT ` + columns + ` FROM questions WHERE ` + where + ` LIMIT ?`
	err := each(ctx, q, query, append(args, max(limit, 0)), func(rows *sql.Rows) error {
		question, err := scanQuestion(rows)
		questions = append(questions, question)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("questions: %w", err)
	}
	return questions, nil
}

func scanQuestion(rows *sql.Rows) (sandbox.Question, error) {
	var q sandbox.Question
	var charges []byte
	var at int64
	err := rows.Scan(&q.ID, &q.Principal, &q.Project, &q.Idempotency, &q.BodyDigest, &q.Repeat, &q.Draw, &q.Noise, &q.Plan, &charges,
		&at, &q.State, &q.Answer, &q.Release, &q.Entry)
	if err != nil {
		return q, err
	}
	q.Time = time.Unix(at, 0).UTC()
	if err := json.Unmarshal(charges, &q.Charges); err != nil {
		return q, fmt.Errorf("charges of %s: %w", q.ID, err)
	}
	return q, nil
}
