package store

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"entrepot/sandbox"
)

// listColumns leave out what may be large: a list shows neither.
const listColumns = `id, principal, project, idempotency, body_digest, repeat, X'', charges, time, state, NULL, release, entry`

const questionColumns = `id, principal, project, idempotency, body_digest, repeat, plan, charges, time, state, answer, release, entry`

// Question implements sandbox.Questions.
func (s *Store) Question(ctx context.Context, id string) (sandbox.Question, error) {
	return readQuestion(ctx, s.reads, `id = ?1 OR (release = ?1 AND release <> '')`, id)
}

// ByKey implements sandbox.Questions.
func (s *Store) ByKey(ctx context.Context, principal, key string) (sandbox.Question, error) {
	q, err := readQuestion(ctx, s.reads, `principal = ? AND idempotency = ? AND idempotency <> ''`, principal, key)
	if !errors.Is(err, sandbox.ErrNotFound) {
		return q, err
	}
	var release, digest string
	err = one(ctx, s.reads, `SELECT release, body_digest FROM repeats WHERE principal = ? AND idempotency = ?`, []any{principal, key}, &release, &digest)
	if errors.Is(err, errNoRow) {
		return q, fmt.Errorf("question: %w", sandbox.ErrNotFound)
	}
	if err != nil {
		return q, err
	}
	q, err = readQuestion(ctx, s.reads, `release = ?`, release)
	q.Repeated, q.BodyDigest = true, digest
	return q, err
}

// ByRepeat implements sandbox.Questions.
func (s *Store) ByRepeat(ctx context.Context, repeat string) (sandbox.Question, error) {
	return readQuestion(ctx, s.reads, `entry = (SELECT MIN(entry) FROM questions WHERE repeat = ? AND state = 'released')`, repeat)
}

// Newest implements sandbox.Questions.
func (s *Store) Newest(ctx context.Context, f sandbox.Filter, limit int) ([]sandbox.Question, error) {
	return readQuestions(ctx, s.reads, listColumns, `(?1 = '' OR state = ?1) AND (?2 = '' AND ?3 = '' OR principal = ?2 OR ?3 <> '' AND EXISTS (
		SELECT 1 FROM json_each(CAST(charges AS TEXT)) WHERE substr(value ->> '$.account', 1, length(?3) + 1) = ?3 || '/'))`,
		limit, f.State, f.Principal, f.Organisation)
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
	var questions []sandbox.Question
	query := `SELECT ` + columns + ` FROM questions WHERE ` + where + ` ORDER BY entry DESC LIMIT ?`
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
	err := rows.Scan(&q.ID, &q.Principal, &q.Project, &q.Idempotency, &q.BodyDigest, &q.Repeat, &q.Plan, &charges,
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
