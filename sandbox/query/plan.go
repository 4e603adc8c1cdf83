package query

import (
	"entrepot/datasets"
	"entrepot/privacy"
)

// Plan is a checked question: what to filter, group, bound and add up, and what to do with the
// noisy answer afterwards. Only New makes one. It serialises to JSON, so that an engine in another
// process can run it.
type Plan struct{ parts Parts }

// Parts is a plan's content, as an engine reads it. Changing a copy changes no plan.
type Parts struct {
	Datasets     []DatasetUse         `json:"datasets"`           // all that is read, sorted by id
	From         Relation             `json:"from"`               // the rows that are aggregated
	Filter       *Expr                `json:"filter,omitempty"`   // WHERE, type Bool; a row counts where it is true
	Keys         []Key                `json:"keys"`               // GROUP BY
	Arguments    []Argument           `json:"arguments"`          // what is added up
	Aggregates   []Aggregate          `json:"aggregates"`         // what is released for each group; none: the groups alone
	Contribution privacy.Contribution `json:"contribution"`       // bounds per unit, over all of its rows in From
	PublicKeys   []string             `json:"public_keys"`        // encoded groups, in declared order; nil: partition selection
	Outputs      []Output             `json:"outputs"`            // the SELECT list
	Having       *Expr                `json:"having,omitempty"`   // over released columns; a group stays where it is true
	OrderBy      []Order              `json:"order_by,omitempty"` // over released columns; NULL last, ties as released
	Offset       int64                `json:"offset,omitempty"`   // rows that are left out before the first
	Limit        *int64               `json:"limit,omitempty"`    // rows
}

// Key is one GROUP BY expression over the fields of From.
type Key struct {
	Name string `json:"name"` // in the answer, unless it is named otherwise: the column's, or one derived from the expression
	Expr Expr   `json:"expr"`
	// Type is that of the values in an encoded key. A Number is int64 where its lattice is that of the
	// integers, and float64 otherwise, never a negative zero.
	Type datasets.Type `json:"type"`
	// Domain lists the public values: as declared, or what follows from declared domains and bounds. Rows
	// outside it, NULL included, are dropped before bounding, whether or not the groups of the whole
	// question are public. nil: none. Values are as in an encoded key.
	Domain []any `json:"domain,omitempty"`
}

// Argument is an expression that is added up: evaluated on each row, divided by Step (as
// value·Den/Num in binary64, multiplied first), rounded half away from zero, then clamped to
// Lower … Upper. Arguments of one plan differ in Expr.
type Argument struct {
	Expr  Expr         `json:"expr"`  // type Number
	Lower int64        `json:"lower"` // [steps]
	Upper int64        `json:"upper"` // [steps]
	Step  privacy.Step `json:"step"`
	// Column is set when Expr is one field that holds stored steps: they are used as they are.
	Column   string `json:"column,omitempty"`
	Nullable bool   `json:"nullable"`
	// SumUnused is set when only counts need the argument, which may then be of any type and unbounded;
	// Lower and Upper are then 0 and Step is 1.
	SumUnused bool `json:"sum_unused,omitempty"`
}

// Aggregate is one released number for each group; the fields are those of privacy.Aggregate.
type Aggregate struct {
	Kind     privacy.Kind `json:"kind"`
	Argument int          `json:"argument"` // index into Arguments, or privacy.NoArgument
	Sample   bool         `json:"sample,omitempty"`
	Root     bool         `json:"root,omitempty"`
	Rank     float64      `json:"rank,omitempty"`
}

// Output is one column of the answer.
type Output struct {
	Name      string `json:"name"`
	Key       int    `json:"key"`       // index into Keys, or -1
	Aggregate int    `json:"aggregate"` // index into Aggregates, or -1
}

// Order is one ORDER BY term: a released column.
type Order struct {
	Released   Released `json:"released"`
	Descending bool     `json:"descending,omitempty"`
}

// Released names a released column, a key or an aggregate: one of the two is an index, the other −1.
type Released struct {
	Key       int `json:"key"`
	Aggregate int `json:"aggregate"`
}
