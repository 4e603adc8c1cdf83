package datasets

// Declaration is what an owner states about a table before any row arrives. Everything in it is
// a public fact: it is never computed from the data.
type Declaration struct {
	UnitSpace      string   `json:"unit_space,omitempty" yaml:"unit_space,omitempty"`               // org/space: whose budget is spent; "" in a public table
	MaxRowsPerUnit int64    `json:"max_rows_per_unit,omitempty" yaml:"max_rows_per_unit,omitempty"` // R; rows beyond it are not kept; 0 in a public table
	Public         bool     `json:"public,omitempty" yaml:"public,omitempty"`                       // the rows are public facts, about no unit; nothing protects them
	Unique         []string `json:"unique,omitempty" yaml:"unique,omitempty"`                       // public table: the keys whose values together name one row
	Columns        []Column `json:"columns" yaml:"columns"`
	Description    string   `json:"description,omitempty" yaml:"description,omitempty"`
}

// Type is a column's type.
type Type string

// The types a column may have.
const (
	String    Type = "string"
	Int64     Type = "int64"
	Float64   Type = "float64"
	Bool      Type = "bool"
	Date      Type = "date"
	Timestamp Type = "timestamp" // microseconds, UTC
)

// Role says what a column is for.
type Role string

// The roles a column may have.
const (
	PrivacyID Role = "privacy_id" // names the privacy unit; stored as a keyed hash only
	Key       Role = "key"        // may be grouped by and filtered on
	Measure   Role = "measure"    // a bounded number; may be aggregated and filtered on
	Hidden    Role = "hidden"     // accepted in an upload, never stored
)

// Column declares one column. A bounded numeric key (Lower, Upper given) may be aggregated too.
type Column struct {
	Name        string  `json:"name" yaml:"name"` // [a-z][a-z0-9_]*
	Type        Type    `json:"type" yaml:"type"`
	Role        Role    `json:"role" yaml:"role"`
	Lower       Decimal `json:"lower,omitzero" yaml:"lower,omitempty"`           // in the column's unit, on the grid of Resolution
	Upper       Decimal `json:"upper,omitzero" yaml:"upper,omitempty"`           // likewise, above Lower
	Resolution  Decimal `json:"resolution,omitzero" yaml:"resolution,omitempty"` // > 0; 1 for int64 unless given
	Earliest    string  `json:"earliest,omitempty" yaml:"earliest,omitempty"`    // of a date or timestamp key, as in a domain; values before it are clamped
	Latest      string  `json:"latest,omitempty" yaml:"latest,omitempty"`        // likewise, after Earliest
	Domain      []any   `json:"domain,omitempty" yaml:"domain,omitempty"`        // a key's public values; others are not counted when grouping by it
	Nullable    bool    `json:"nullable,omitempty" yaml:"nullable,omitempty"`    // otherwise a row without a value is dropped
	Category    string  `json:"category,omitempty" yaml:"category,omitempty"`    // DPV personal-data category, e.g. pd:Age
	Description string  `json:"description,omitempty" yaml:"description,omitempty"`
	Form        *IDForm `json:"form,omitempty" yaml:"form,omitempty"` // privacy ID only; nil is the zero IDForm
}

// IDForm is the canonical form of a privacy ID: two spellings with one form are one unit.
// Unicode NFC always applies.
type IDForm struct {
	KeepSpace         bool   `json:"keep_space,omitempty" yaml:"keep_space,omitempty"`                   // otherwise outer white space is trimmed
	Case              string `json:"case,omitempty" yaml:"case,omitempty"`                               // "" keep, "lower", "upper"
	StripLeadingZeros bool   `json:"strip_leading_zeros,omitempty" yaml:"strip_leading_zeros,omitempty"` // 007 and 7 are one
}

// Names of the columns that canonical Parquet carries besides the declared ones. No declared
// name can begin with an underscore.
const (
	UnitColumn    = "_unit" // FIXED_LEN_BYTE_ARRAY(16): the keyed hash of the privacy ID; absent in a public table
	OrdinalColumn = "_ord"  // INT64: the unit's number in this file, from 0, or the row's in a public table; rows are sorted by it
	RankColumn    = "_rank" // INT32: 1 … MaxRowsPerUnit, the row's place in its unit's hash order; 1 in a public table
)
