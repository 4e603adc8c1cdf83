package store

import (
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"time"

	"entrepot/sandbox"
)

const questionColumns = `id, principal, project, idempotency, body_digest, repeat, plan, charges, time, state, answer, release, entry`

// Question implements sandbox.Questions.
func (s *Store) Question(ctx context.Context, id string) (sandbox.Question, error) {
	return readQuestion(ctx, s.reads, `id = ?`, id)
}

// ByKey implements sandbox.Questions.
func (s *Store) ByKey(ctx context.Context, principal, key string) (sandbox.Question, error) {
	return readQuestion(ctx, s.reads, `principal = ? AND idempotency = ? AND idempotency <> ''`, principal, key)
}

// ByRepeat implements sandbox.Questions.
func (s *Store) ByRepeat(ctx context.Context, repeat string) (sandbox.Question, error) {
	return readQuestion(ctx, s.reads, `repeat = ? AND state = 'released'`, repeat)
}

// ByPrincipal implements sandbox.Questions.
func (s *Store) ByPrincipal(ctx context.Context, principal string, limit int) ([]sandbox.Question, error) {
	where, args := `TRUE`, []any{}
	if principal != "" {
		where, args = `principal = ?`, []any{principal}
	}
	return readQuestions(ctx, s.reads, where, limit, args...)
}

// readQuestion returns the newest question that matches, or sandbox.ErrNotFound.
func readQuestion(ctx context.Context, q querier, where string, args ...any) (sandbox.Question, error) {
	questions, err := readQuestions(ctx, q, where, 1, args...)
	if err != nil {
		return sandbox.Question{}, err
	}
	if len(questions) == 0 {
		return sandbox.Question{}, fmt.Errorf("question: %w", sandbox.ErrNotFound)
	}
	return questions[0], nil
}

// readQuestions returns the newest questions that match a condition written in this file's terms.
func readQuestions(ctx context.Context, q querier, where string, limit int, args ...any) ([]sandbox.Question, error) {
	var questions []sandbox.Question
	query := `SELECT ` + questionColumns + ` FROM questions WHERE ` + where + ` ORDER BY entry DESC LIMIT ?`
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
