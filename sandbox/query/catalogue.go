package query

import "entrepot/datasets"

// Table is a dataset that the asker may see.
type Table struct {
	ID          string // org.dataset
	Declaration datasets.Declaration
}

// Catalogue finds datasets by name. It reports false for one that does not exist and for one that
// the asker may not see alike. Table must not depend on rows.
type Catalogue interface {
	Table(org, name string) (Table, bool)
}

// Bounds are the caller's contribution bounds; 0 takes the default.
type Bounds struct {
	MaxPartitions       int64 // L0; default the number of public groups, or MaxUnitGroups; at most the rows that a unit can have in FROM
	MaxRowsPerPartition int64 // r; default the rows that a unit can have in FROM
}

// Limits of a question. They bound planning and the cost of each row before anything runs
// (constant failure is a channel: see the failure allowance of accounts).
const (
	MaxText       = 16 << 10 // bytes of SQL, and of the canonical question
	MaxTokens     = 4096     // so that the tree cannot be deeper than the parser's stack
	MaxNodes      = 4000     // of all expressions together, long literals counting more
	MaxDepth      = 100      // of one expression
	MaxLiteral    = 4 << 10  // bytes of one text literal
	MaxPattern    = 256      // bytes of one LIKE pattern
	MaxWildcards  = 64       // bytes of one LIKE pattern with _, which has one % at most: matching it takes as many steps for each byte of text
	MaxList       = 1000     // values of one IN list
	MaxGroups     = 100_000  // combinations of public keys
	MaxKeyBytes   = 8 << 20  // of all public groups, encoded
	MaxUnitGroups = 1 << 12  // private groups that one unit may be in
	MaxScans      = 16       // datasets in FROM, one that is named twice counting twice
	MaxNesting    = 8        // sub-queries within each other
	MaxRows       = 1 << 20  // rows of one unit in a relation: they exist while it is joined
	MaxRank       = 1 << 53  // of a row
	MaxIntegerKey = 1000     // values of a bounded integer key that are listed as its public domain
)

// SmallestDivisor is the magnitude below which a divisor gives NULL.
const SmallestDivisor = 1e-100

// largest is the magnitude that no Number may exceed: far enough from overflow for sums in between.
const largest = 1e300
