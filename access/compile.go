package access

import (
	_ "embed"
	"errors"
	"fmt"
	"slices"

	"github.com/casbin/casbin/v2"
	"github.com/casbin/casbin/v2/model"
)

//go:embed model.conf
var modelText string

// Enforcer decides on one dataset by one policy. It comes from Compile only and never changes: a new
// policy is a new Enforcer. It is safe for use by several goroutines; a nil *Enforcer denies.
type Enforcer struct {
	dataset      string
	preThreshold int64
	rows         [][]string // one a rule, in order; for explanations
	clauses      []clause
	// casbin is given its rows and functions before Compile returns and is read from then on. Its
	// EnforceEx writes nothing but a sync.Map of parsed matchers; what makes the plain enforcer unsafe
	// is changing policy, model or options beside it, and nothing here can reach it to do so.
	casbin *casbin.Enforcer
}

// Compile makes the Enforcer of a dataset, org.dataset, from its owner's policy. Its error wraps
// ErrDocument if the policy is at fault. On any error it returns nil, which denies.
func Compile(dataset string, p Policy) (*Enforcer, error) {
	if problem := datasetProblem(dataset); problem != "" {
		return nil, fmt.Errorf("compile policy: %s", problem)
	}
	if err := p.Validate(); err != nil {
		return nil, fmt.Errorf("compile policy of %s: %w", dataset, err)
	}
	e := &Enforcer{dataset: dataset, preThreshold: max(1, p.PreThreshold), clauses: clauses()}
	for _, rule := range p.Rules {
		row := newRow(rule)
		if err := checkRow(row); err != nil {
			return nil, fmt.Errorf("compile policy of %s: rule %s: %w", dataset, rule.ID, err)
		}
		e.rows = append(e.rows, row)
	}
	var err error
	if e.casbin, err = newCasbin(e.clauses, e.rows); err != nil {
		return nil, fmt.Errorf("compile policy of %s: %w", dataset, err)
	}
	return e, nil
}

// newCasbin loads the model, the rows and the clauses' functions, and evaluates once, so that a model
// that does not parse is found here and not in a decision.
func newCasbin(all []clause, rows [][]string) (*casbin.Enforcer, error) {
	m, err := model.NewModelFromString(modelText)
	if err != nil {
		return nil, fmt.Errorf("model: %w", err)
	}
	for _, row := range rows {
		if err := m.AddPolicy("p", "p", slices.Clone(row)); err != nil {
			return nil, fmt.Errorf("row: %w", err)
		}
	}
	enforcer, err := casbin.NewEnforcer(m)
	if err != nil {
		return nil, fmt.Errorf("enforcer: %w", err)
	}
	for _, c := range all {
		enforcer.AddFunction(c.name, c.function)
	}
	loaded, err := enforcer.GetPolicy()
	if err != nil {
		return nil, fmt.Errorf("rows: %w", err)
	}
	if len(loaded) != len(rows) {
		return nil, fmt.Errorf("%d of %d rows were loaded", len(loaded), len(rows))
	}
	if len(rows) == 0 {
		return enforcer, nil // Decide does not ask it
	}
	if _, err := enforcer.Enforce(&question{}); err != nil {
		return nil, fmt.Errorf("matcher: %w", err)
	}
	return enforcer, nil
}

var errMatcher = errors.New("the matcher's arguments are not a question, an effect and cells")

// function is the clause as the matcher calls it: (question, effect, cells…). Arguments of another
// kind are an error, which denies.
func (c clause) function(args ...any) (any, error) {
	if len(args) != 2+len(c.cells) {
		return nil, errMatcher
	}
	q, isQuestion := args[0].(*question)
	effect, isText := args[1].(string)
	if !isQuestion || q == nil || !isText || (effect != string(Allow) && effect != string(Deny)) {
		return nil, errMatcher
	}
	var space [2]string
	cells := space[:0]
	for _, arg := range args[2:] {
		cell, isText := arg.(string)
		if !isText {
			return nil, errMatcher
		}
		cells = append(cells, cell)
	}
	return c.met(q, Effect(effect), cells), nil
}
