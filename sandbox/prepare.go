package sandbox

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"entrepot/access"
	"entrepot/datasets"
	"entrepot/privacy"
	"entrepot/privacy/ledger"
	"entrepot/sandbox/query"
)

// Query is a question as a researcher asks it.
type Query struct {
	Project string
	SQL     string
	Loss    privacy.Loss     // Mechanism "" leaves the choice to the Service; the zero Loss is the accounts' default
	Weights map[string]int64 // of columns of the answer, by name, when the loss is divided; 1 where none is given
	// Accuracy, where it is given, stands for the amount of Loss and for Weights: both are found.
	Accuracy *Accuracy
	Group    Group // that the widths of intervals are for
	Bounds   query.Bounds
	Fresh    bool // draw anew, and pay, even where the same question was answered before

	// Idempotency is the caller's key, "" for none: the same key gives the same answer for ever.
	Idempotency string
	// Body is what the caller sent, whatever its form: another body under one key is a conflict.
	Body []byte
}

// prepared is a question that was parsed, decided and priced. Nothing in it depends on rows.
type prepared struct {
	project access.Project
	asker   ledger.Asker
	plan    query.Plan
	tables  []Dataset // all that the plan reads, sorted by id
	judges  []judge   // one for each table, in that order
	guards  []Guard   // what decision, plan and price rest on
	groups  groups    // that widths are for
	why     string    // the mechanism is what it is
	aims    []float64 // half-widths asked for, by aggregate; nil where a loss was named
	offers  []offer   // the ways to answer it: one, or best first those that the choice is between
	offer             // the one of them that is charged
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
	merged, mergesRevision, err := s.merges(ctx, mergesID)
	if err != nil {
		return prepared{}, err
	}
	out.guards = []Guard{{kindProject, out.project.ID, revision}, {kindMerge, mergesID, mergesRevision}}
	seen := &visibleTables{ctx: ctx, service: s, principal: p, project: out.project, merges: merged, found: map[string]foundTable{}}
	out.plan, err = query.New(q.SQL, seen, q.Bounds)
	if seen.err != nil {
		return prepared{}, seen.err
	}
	if err != nil {
		return prepared{}, sqlError(err)
	}
	for _, use := range out.plan.Parts().Datasets {
		if err := out.add(seen.found, use.ID); err != nil {
			return prepared{}, err
		}
	}
	if err := s.summon(ctx, p, &out); err != nil {
		return prepared{}, err
	}
	err = s.spend(ctx, p, q, &out)
	if e := (*Error)(nil); errors.As(err, &e) && e.Code != CodeUnavailable { // the decision comes first
		out.offer = out.without(offer{loss: q.Loss}, e)
		out.offers = []offer{out.offer}
		return out, nil
	}
	return out, err
}

// spend finds what the question spends.
func (s *Service) spend(ctx context.Context, p access.Principal, q Query, out *prepared) (err error) {
	out.asker = ledger.Asker{Project: out.project.ID, Researcher: p.ID}
	if out.groups, err = s.groupsOf(ctx, p, q.Group); err != nil {
		return err
	}
	if q.Accuracy != nil {
		return s.reach(ctx, out, *q.Accuracy, q.Loss)
	}
	out.weights = q.Weights
	if q.Loss == (privacy.Loss{}) {
		if q.Loss.Epsilon, err = s.defaultEpsilon(ctx, out.spaces()); err != nil {
			return err
		}
	}
	return s.settle(ctx, out, q.Loss)
}

// add takes a table in that the planner found.
func (q *prepared) add(found map[string]foundTable, id string) error {
	t, ok := found[id]
	if !ok {
		return fmt.Errorf("the plan reads %s, which it was not shown", id)
	}
	q.tables = append(q.tables, t.Dataset)
	// The declaration says whom the version's rows are about, so neither may move alone.
	q.guards = append(q.guards, Guard{kindDataset, id, t.revision}, Guard{kindVersion, id, t.Version})
	return nil
}

// spaces lists the unit spaces whose people the tables are about, sorted.
func (q prepared) spaces() []string {
	list := []string{}
	for _, t := range q.tables {
		list = append(list, t.concerns()...)
	}
	slices.Sort(list)
	return slices.Compact(list)
}

func (q prepared) ids() []string {
	list := []string{}
	for _, t := range q.tables {
		list = append(list, t.ID)
	}
	return list
}

// ready checks what must hold before a charge and depends on no row: the datasets have rows, and the
// engine accepts the generated SQL.
func (s *Service) ready(ctx context.Context, q prepared) error {
	tables := map[string]datasets.Table{}
	for _, t := range q.tables {
		if t.Version == 0 {
			return &Error{Code: CodeConflict, Public: "No rows have been registered for " + t.ID + " yet."}
		}
		tables[t.ID] = datasets.Table{Declaration: t.Declaration}
	}
	err := s.Engine.Check(ctx, q.plan, tables)
	var tooLarge *query.Error
	if errors.As(err, &tooLarge) {
		return sqlError(tooLarge)
	}
	if err != nil {
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
