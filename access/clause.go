package access

import (
	"slices"
	"strconv"
	"strings"
	"time"
)

// question is a checked Request, as the clauses of a rule see it: lists of which a rule must have one,
// made once, since every rule reads them.
type question struct {
	organisation []string
	roles        []string
	jurisdiction []string
	action       []string
	allowedBy    []string // actions of which an allow rule must list one
	deniedBy     []string // actions of which a deny rule must list one
	project      []string // nil: none is named, which only Metadata may
	purposes     []string // the project's purpose and all broader ones; nil: none is named
	time         time.Time
	epsilon      Pico
}

// A clause is one condition of a rule. It reads its cells of the rule's row, which are text because
// that is what Casbin keeps. readable is false where a cell is not what newRow writes; met has no
// meaning then.
type clause struct {
	name  string // of the matcher's function in model.conf
	cells []int  // columns of the row
	holds func(q *question, effect Effect, cells []string) (met, readable bool)
	// failed says why the clause does not hold; held what it holds of, "" if it does of anything.
	failed func(q *question, cells []string) string
	held   func(q *question, cells []string) string
}

// The columns of a row, in the order of policy_definition in model.conf.
const (
	columnRule = iota
	columnEffect
	columnOrganisations
	columnRoles
	columnJurisdictions
	columnActions
	columnProjects
	columnPurposes
	columnNotBefore
	columnNotAfter
	columnMaxEpsilon
	columns
)

const noLimit = "-" // the cell of a date or an ε that the rule does not state

// met evaluates the clause for a rule. A cell that cannot be read counts as met in a deny and as not
// met in an allow, so that damage can only close.
func (c clause) met(q *question, effect Effect, cells []string) bool {
	met, readable := c.holds(q, effect, cells)
	if !readable {
		return effect != Allow
	}
	return met
}

// clauses returns the conditions of a rule in the order in which they are evaluated and explained.
func clauses() []clause {
	return []clause{
		listClause("organisation", columnOrganisations, func(q *question) []string { return q.organisation }),
		listClause("role", columnRoles, func(q *question) []string { return q.roles }),
		listClause("jurisdiction", columnJurisdictions, func(q *question) []string { return q.jurisdiction }),
		actionClause(),
		listClause("project", columnProjects, func(q *question) []string { return q.project }),
		purposeClause(),
		validityClause(),
		costClause(),
	}
}

// listClause holds if the rule lists one of the question's values.
func listClause(name string, column int, values func(*question) []string) clause {
	return clause{
		name:  name,
		cells: []int{column},
		holds: func(q *question, _ Effect, cells []string) (bool, bool) {
			return lists(cells[0], values(q))
		},
		failed: func(q *question, cells []string) string {
			if len(values(q)) == 0 {
				return "no " + name + " is named, and it wants one of " + listing(cells[0])
			}
			return name + " " + strings.Join(values(q), ", ") + " is not among " + listing(cells[0])
		},
		held: func(q *question, cells []string) string {
			if cells[0] == anyValue {
				return ""
			}
			return name + " " + strings.Join(shared(cells[0], values(q)), ", ")
		},
	}
}

// actionClause knows that Aggregate includes Metadata: who may ask must see what to ask about, so an
// allow of aggregate is one of metadata, and a deny of metadata is one of aggregate.
func actionClause() clause {
	base := listClause("action", columnActions, func(q *question) []string { return q.action })
	base.holds = func(q *question, effect Effect, cells []string) (bool, bool) {
		if effect == Allow {
			return lists(cells[0], q.allowedBy)
		}
		return lists(cells[0], q.deniedBy)
	}
	base.held = func(q *question, cells []string) string {
		if cells[0] == anyValue {
			return ""
		}
		return "action " + listing(cells[0])
	}
	return base
}

// purposeClause holds if the rule lists the purpose or a broader one. Where no project is named there
// is no purpose to judge (the declaration is looked at, no question asked): the clause then holds in
// an allow, which would let some purpose pass, and in a deny only if it denies every purpose.
func purposeClause() clause {
	base := listClause("purpose", columnPurposes, func(q *question) []string { return q.purposes })
	held := base.holds
	base.holds = func(q *question, effect Effect, cells []string) (bool, bool) {
		met, readable := held(q, effect, cells)
		return met || (len(q.purposes) == 0 && effect == Allow), readable
	}
	base.failed = func(q *question, cells []string) string {
		return "purpose " + strings.Join(q.purposes[:min(1, len(q.purposes))], "") + " is not among " + listing(cells[0])
	}
	base.held = func(q *question, cells []string) string {
		within := shared(cells[0], q.purposes)
		if cells[0] == anyValue || len(within) == 0 {
			return ""
		}
		if slices.Contains(within, q.purposes[0]) {
			return "purpose " + q.purposes[0]
		}
		return "purpose " + q.purposes[0] + ", which is within " + strings.Join(within, ", ")
	}
	return base
}

// validityClause holds from not_before until before not_after.
func validityClause() clause {
	return clause{
		name:  "validity",
		cells: []int{columnNotBefore, columnNotAfter},
		holds: func(q *question, _ Effect, cells []string) (bool, bool) {
			begin, beginReadable := limitTime(cells[0], time.Time{})
			end, endReadable := limitTime(cells[1], q.time.Add(1))
			return !q.time.Before(begin) && q.time.Before(end), beginReadable && endReadable
		},
		failed: func(q *question, cells []string) string {
			if begin, _ := limitTime(cells[0], time.Time{}); q.time.Before(begin) {
				return "it begins at " + cells[0]
			}
			return "it ended at " + cells[1]
		},
		held: func(*question, []string) string { return "" },
	}
}

// costClause holds if the question costs no more than the rule lets one question cost.
func costClause() clause {
	return clause{
		name:  "cost",
		cells: []int{columnMaxEpsilon},
		holds: func(q *question, _ Effect, cells []string) (bool, bool) {
			if cells[0] == noLimit {
				return true, true
			}
			limit, err := strconv.ParseInt(cells[0], 10, 64)
			return q.epsilon <= Pico(limit), err == nil && limit > 0
		},
		failed: func(q *question, cells []string) string {
			limit, _ := strconv.ParseInt(cells[0], 10, 64)
			return "ε " + q.epsilon.String() + " exceeds its max_epsilon_per_query, " + Pico(limit).String()
		},
		held: func(*question, []string) string { return "" },
	}
}
