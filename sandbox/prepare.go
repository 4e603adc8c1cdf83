package sandbox

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"

	"entrepot/access"
	"entrepot/datasets"
	"entrepot/privacy"
	"entrepot/sandbox/query"
)

// Query is a question as a researcher asks it.
type Query struct {
	Project string
	SQL     string
	Loss    privacy.Loss
	Bounds  query.Bounds
	Fresh   bool // draw anew, and pay, even where the same question was answered before

	// Idempotency is the caller's key, "" for none: the same key gives the same answer for ever.
	Idempotency string
	// Body is what the caller sent, whatever its form: another body under one key is a conflict.
	Body []byte
}

// prepared is a question that was parsed, decided and priced. Nothing in it depends on rows.
type prepared struct {
	project  access.Project
	plan     query.Plan
	dataset  Dataset
	decision access.Decision
	guards   []Guard // what decision, plan and price rest on
	spec     privacy.Spec
	invalid  error // why there is no spec
}

// pending is what completes an admitted question, even after a crash. It is stored with the charge.
type pending struct {
	Plan         query.Plan           `json:"plan"`
	Loss         privacy.Loss         `json:"loss"`
	PreThreshold int64                `json:"pre_threshold"`
	Declaration  datasets.Declaration `json:"declaration"`
	Dataset      string               `json:"dataset"`
	Version      int64                `json:"version"`
}

func (p prepared) pending(loss privacy.Loss) pending {
	return pending{Plan: p.plan, Loss: loss, PreThreshold: p.decision.PreThreshold,
		Declaration: p.dataset.Declaration, Dataset: p.dataset.ID, Version: p.dataset.Version}
}

// repeat is the digest that two questions share when one release answers both: everything that the
// release depends on.
func (p pending) repeat() (string, error) {
	b, err := json.Marshal(struct {
		Format  string
		Content pending
	}{"entrepot/repeat/v1", p})
	if err != nil {
		return "", err
	}
	sum := sha256.Sum256(b)
	return hex.EncodeToString(sum[:]), nil
}

// prepare takes a question as far as it goes without touching rows, budget or log. A refusal here
// costs nothing and explains itself. A denial is in prepared.decision, not an error, since it has to be
// logged; so prepared.invalid, which matters to who is allowed to ask, comes after it.
func (s *Service) prepare(ctx context.Context, p access.Principal, q Query) (prepared, error) {
	var out prepared
	var err error
	var revision int64
	if out.project, revision, err = s.project(ctx, p, q.Project); err != nil {
		return prepared{}, err
	}
	out.guards = []Guard{{kindProject, out.project.ID, revision}}
	seen := &visibleTables{ctx: ctx, service: s, principal: p, project: out.project}
	out.plan, err = query.New(q.SQL, seen, q.Bounds)
	if seen.err != nil {
		return prepared{}, seen.err
	}
	if err != nil {
		return prepared{}, sqlError(err)
	}
	out.dataset = seen.found
	// The declaration says whom the version's rows are about, so neither may move alone.
	out.guards = append(out.guards, Guard{kindDataset, out.dataset.ID, seen.revision}, Guard{kindVersion, out.dataset.ID, out.dataset.Version})
	if err = s.decide(ctx, p, &out, q.Loss); err != nil {
		return prepared{}, err
	}
	if out.spec, err = privacy.NewSpec(out.plan.Question(q.Loss, out.decision.PreThreshold)); err != nil {
		out.invalid = invalid("%s", err)
	}
	return out, nil
}

// decide sets the decision and what it rests on.
func (s *Service) decide(ctx context.Context, p access.Principal, q *prepared, loss privacy.Loss) error {
	e, policy, err := s.enforcer(ctx, q.dataset.ID)
	if err != nil {
		return err
	}
	r, organisation, err := s.request(ctx, p, access.Aggregate, q.dataset.ID, q.project)
	if err != nil {
		return err
	}
	r.EpsilonPico = int64(loss.Epsilon)
	q.decision = e.Decide(r)
	q.guards = append(q.guards, Guard{kindPolicy, q.dataset.ID, policy}, Guard{kindOrganisation, p.Organisation, organisation})
	return nil
}

// price is what the question costs each account. It is a function of the text, the policy and
// public metadata.
func (s *Service) price(ctx context.Context, q prepared) ([]charged, error) {
	a, err := s.account(ctx, q.dataset.Declaration.UnitSpace)
	if err != nil {
		return nil, err
	}
	return []charged{{account: a, loss: q.spec.Price(a.Order)}}, nil
}

// ready checks what must hold before a charge and depends on no row: the dataset has rows, and the
// engine accepts the generated SQL.
func (s *Service) ready(ctx context.Context, q prepared) error {
	if q.dataset.Version == 0 {
		return &Error{Code: CodeConflict, Public: "No rows have been registered for " + q.dataset.ID + " yet."}
	}
	if err := s.Engine.Check(ctx, q.plan, q.dataset.Declaration); err != nil {
		return fmt.Errorf("plan does not bind: %w", err)
	}
	return nil
}

// sqlError carries the planner's message, position and hint across.
func sqlError(err error) error {
	var e *query.Error
	if !errors.As(err, &e) {
		return err
	}
	code := CodeInvalidSQL
	if e.NotFound {
		code = CodeNotFound
	}
	return &Error{Code: code, Public: e.Message, Hint: e.Hint, Line: e.Line, Column: e.Column, Err: err}
}

// visibleTables is the catalogue as the asker may see it: a table that is absent and one that is
// hidden are the same to the planner.
type visibleTables struct {
	ctx       context.Context
	service   *Service
	principal access.Principal
	project   access.Project
	found     Dataset // the last one found: a plan has one table
	revision  int64   // of its declaration
	err       error   // a failure of the store
}

// Table implements query.Catalogue.
func (v *visibleTables) Table(org, name string) (query.Table, bool) {
	id := org + "." + name
	d, revision, err := v.service.dataset(v.ctx, id)
	if errors.Is(err, ErrNotFound) {
		return query.Table{}, false
	}
	if err != nil {
		v.err = unavailable(err)
		return query.Table{}, false
	}
	ok, err := v.service.visibleIn(v.ctx, v.principal, id, v.project)
	if err != nil {
		v.err = err
	}
	if !ok && ownerOf(v.principal, org) != nil {
		return query.Table{}, false
	}
	v.found, v.revision = d, revision
	return query.Table{ID: id, Declaration: d.Declaration}, err == nil
}
