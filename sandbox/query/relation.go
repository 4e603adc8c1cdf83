package query

import "entrepot/privacy"

// RelationOp says how a relation's rows come about; it decides which other fields of it count.
type RelationOp string

// The relations.
const (
	// Scan yields the stored rows of a dataset.
	Scan RelationOp = "scan"
	// Select yields, for each row of its input for which Filter is true, Columns computed from it.
	Select RelationOp = "select"
	// PerUnit yields one row for each unit and each combination of Columns (none: one for each unit) in
	// the rows of its input for which Filter is true, with Features of those rows.
	PerUnit RelationOp = "per_unit"
	// JoinRows yields the pairs of rows of its two inputs that belong together; see Join.
	JoinRows RelationOp = "join"
	// Union yields the rows of all inputs, whose fields agree in name and type.
	Union RelationOp = "union"
)

// Relation yields rows. Each belongs to one privacy unit and has a rank, a positive integer unique
// within its unit that depends on the unit's own rows only; rows of a public table belong to nobody.
//
// Units and ranks are no fields: an engine carries them along. A scan has those of the canonical file;
// a select keeps its input's; per_unit takes the smallest rank of a group; a join on the privacy ID
// has (left − 1)·(the right's largest rank) + right, and one with a public table the left's; a union
// of n inputs has (rank − 1)·n + the input's number from 1.
type Relation struct {
	Op       RelationOp `json:"op"`
	Dataset  string     `json:"dataset,omitempty"`  // scan: org.dataset
	Inputs   []Relation `json:"inputs,omitempty"`   // select, per_unit: one; join: two; union: two or more
	Filter   *Expr      `json:"filter,omitempty"`   // select, per_unit: Bool, over the input's fields
	Columns  []Computed `json:"columns,omitempty"`  // select: its fields; per_unit: what it groups by beside the unit
	Features []Feature  `json:"features,omitempty"` // per_unit
	Join     *Join      `json:"join,omitempty"`     // join

	// Fields are what the rows hold, as far as anything above refers to it.
	Fields []Field `json:"fields"`
	// Units are the unit spaces that rows belong to, sorted, with the most rows of one unit of each;
	// none for a public table.
	Units []UnitRows `json:"units,omitempty"`
	// MaxRank is the largest rank that a row may have; 0 for a public table.
	MaxRank int64 `json:"max_rank,omitempty"`
	// ID is the name under which the privacy ID can be named above; "" where it was not selected.
	ID string `json:"id,omitempty"`
}

// Field is one value of a row. A stored measure, unless computed with, is the number of its steps:
// its value is float64(steps)·Num/Den. Other fields have neither Num nor Den.
type Field struct {
	Name     string `json:"name"`
	Type     Type   `json:"type"`
	Num      int64  `json:"num,omitempty"`
	Den      int64  `json:"den,omitempty"`
	Nullable bool   `json:"nullable,omitempty"`
}

// Computed is a field computed from a row of the input.
type Computed struct {
	Name string `json:"name"`
	Expr Expr   `json:"expr"`
}

// UnitRows bounds what one unit has in a relation.
type UnitRows struct {
	Space string `json:"space"` // org/space
	Rows  int64  `json:"rows"`
}

// Join says which rows of two inputs belong together. Fields of an input are named by its alias, a
// dot and their own name; an input without alias is a join and keeps its names.
type Join struct {
	Left  string `json:"left,omitempty"` // alias of the first input
	Right string `json:"right"`          // alias of the second
	// Outer keeps a row of the first input that nothing belongs to, with NULL for the second's fields.
	Outer bool `json:"outer,omitempty"`
	// Public: the second input is a scan of a public table, and Keys hold its whole unique key, so that
	// at most one row belongs to each of the first. Otherwise both inputs are of one unit space, and rows
	// belong together where the unit is the same and Keys are equal.
	Public bool      `json:"public,omitempty"`
	Keys   []JoinKey `json:"keys,omitempty"`
}

// JoinKey is a pair of fields of one type that must be equal; NULL equals nothing.
type JoinKey struct {
	Left  string `json:"left"`  // a field of the first input, by its name there
	Right string `json:"right"` // a field of the second, by its name there
}

// FeatureKind is an aggregate over the rows of one unit.
type FeatureKind string

// The features. All but the counts are NULL where no value is not NULL.
const (
	FeatureCount    FeatureKind = "count"          // rows, or rows where the argument is not NULL → Number
	FeatureDistinct FeatureKind = "count_distinct" // distinct values → Number
	FeatureAny      FeatureKind = "any"            // Bool: true in one row at least
	FeatureAll      FeatureKind = "all"            // Bool: false in none
	FeatureMin      FeatureKind = "min"            // of any type but Bool
	FeatureMax      FeatureKind = "max"
	FeatureSum      FeatureKind = "sum"   // Number: float64(Σ steps)·Num/Den
	FeatureAvg      FeatureKind = "avg"   // Number: float64(Σ steps)·Num/Den / float64(values)
	FeatureFirst    FeatureKind = "first" // the argument, NULL included, of the row that comes first
	FeatureLast     FeatureKind = "last"  // of the row that comes last
)

// Feature is one field of a per_unit relation.
type Feature struct {
	Name     string      `json:"name"`
	Kind     FeatureKind `json:"kind"`
	Argument *Expr       `json:"argument,omitempty"` // nil: COUNT(*)
	// Sum and avg: each value is divided by Step, rounded half away from zero and clamped, as in
	// Argument; the largest sum is below 2^53 steps.
	Lower int64        `json:"lower,omitempty"`
	Upper int64        `json:"upper,omitempty"`
	Step  privacy.Step `json:"step,omitzero"`
	// First and last: the order of rows, NULL last in either direction, then by rank ascending. Last is
	// the first of the order reversed, NULL still last and ties still by rank ascending.
	OrderBy []FeatureOrder `json:"order_by,omitempty"`
}

// FeatureOrder is one term of an order of rows.
type FeatureOrder struct {
	Expr       Expr `json:"expr"`
	Descending bool `json:"descending,omitempty"`
}

// DatasetUse is one dataset that a plan reads.
type DatasetUse struct {
	ID        string   `json:"id"`                   // org.dataset
	UnitSpace string   `json:"unit_space,omitempty"` // "" for a public table
	Columns   []string `json:"columns"`              // stored columns that the question touches, sorted; never the privacy ID
}
