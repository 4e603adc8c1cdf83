package sandbox

import (
	"context"
	"errors"
	"log/slog"
	"slices"
	"time"

	"entrepot/access"
	"entrepot/datasets"
	"entrepot/privacy"
	"entrepot/sandbox/query"
)

// Engine computes exact, contribution-bounded partial aggregates. It neither charges nor releases.
type Engine interface {
	// Check binds the plan's generated SQL against empty tables of those declarations, by dataset: an
	// assertion that what will be run is well formed, before anything is charged. It reads no file. Where
	// the question is too large to be run, its error wraps a *query.Error for who asked.
	Check(ctx context.Context, p query.Plan, tables map[string]datasets.Table) error
	// Collect runs the plan on canonical table files, by dataset. Its errors are for the operator only.
	Collect(ctx context.Context, p query.Plan, tables map[string]datasets.Table) (*privacy.Partials, error)
}

// Keys holds the secrets that ingest needs.
type Keys interface {
	// UnitSpace returns the key that hashes the privacy IDs of a unit space: 32 bytes, the same for ever.
	UnitSpace(space string) []byte
	// Commitment returns the key of the commitments to tables that the log holds: 32 bytes.
	Commitment() []byte
}

// Parts is what a Service is made of. All of them are needed.
type Parts struct {
	Catalogue Catalogue
	Ledger    Ledger
	Questions Questions
	Log       Log
	Engine    Engine
	Keys      Keys
	Tables    string                     // folder of the canonical tables; the engine reads it too
	Temp      string                     // folder for what an upload spills while it is sorted
	Parallel  int                        // questions under way at a time; others wait before they are charged
	Deadline  time.Duration              // for an admitted question, whatever its data
	Now       func() time.Time           // the clock
	NewID     func(prefix string) string // unpredictable and unique
	Operator  *slog.Logger               // the operator's log
}

// Service carries out the use cases. It is safe for concurrent use.
type Service struct {
	Parts
	policies  policyCache
	turns     chan struct{} // one token for each question under way
	estimates chan struct{} // likewise for estimates: they cost nothing, and take no turn from a question
	questions keyedLock     // (principal, idempotency key)
	uploads   keyedLock     // dataset
}

// New makes a Service, or says which part is missing.
func New(p Parts) (*Service, error) {
	switch {
	case p.Catalogue == nil, p.Ledger == nil, p.Questions == nil, p.Log == nil:
		return nil, errors.New("sandbox: a store is missing")
	case p.Engine == nil:
		return nil, errors.New("sandbox: the engine is missing")
	case p.Keys == nil:
		return nil, errors.New("sandbox: the keys are missing")
	case p.Tables == "", p.Temp == "":
		return nil, errors.New("sandbox: the folder of tables or the temporary folder is missing")
	case p.Deadline <= 0, p.Parallel < 1:
		return nil, errors.New("sandbox: the deadline or the number of parallel questions is missing")
	case p.Now == nil, p.NewID == nil:
		return nil, errors.New("sandbox: the clock or the source of ids is missing")
	case p.Operator == nil:
		return nil, errors.New("sandbox: the operator's log is missing")
	}
	return &Service{Parts: p, turns: make(chan struct{}, p.Parallel), estimates: make(chan struct{}, p.Parallel)}, nil
}

// now is the time for records: whole seconds, UTC.
func (s *Service) now() time.Time { return s.Now().UTC().Truncate(time.Second) }

// require checks a role before anything is read.
func require(p access.Principal, roles ...access.Role) error {
	for _, r := range roles {
		if slices.Contains(p.Roles, r) {
			return nil
		}
	}
	names := ""
	for i, r := range roles {
		if i > 0 {
			names += " or "
		}
		names += string(r)
	}
	return forbidden(names)
}
