package engine

import (
	"entrepot/datasets"
	"entrepot/sandbox/query"
)

// typeNames are the SQL types of expressions.
var typeNames = map[query.Type]string{
	query.Number: "DOUBLE", query.Int: "BIGINT", query.Text: "VARCHAR",
	query.Bool: "BOOLEAN", query.Date: "DATE", query.Timestamp: "TIMESTAMP",
}

// columnType is the SQL type in which canonical Parquet holds a column; "" for one it does not hold.
func columnType(c datasets.Column) string {
	switch c.Role {
	case datasets.Measure:
		return "BIGINT" // steps of the resolution
	case datasets.Key:
		if c.Type != datasets.Float64 { // which is computed only
			return keyTypes[c.Type]
		}
	}
	return ""
}

// keyTypes are the SQL types of GROUP BY keys.
var keyTypes = map[datasets.Type]string{
	datasets.String: "VARCHAR", datasets.Int64: "BIGINT", datasets.Float64: "DOUBLE", datasets.Bool: "BOOLEAN",
	datasets.Date: "DATE", datasets.Timestamp: "TIMESTAMP", // UTC, without a zone
}

// arity reports whether e has the arguments that its operation takes.
func arity(e query.Expr) bool {
	n := len(e.Args)
	switch e.Op {
	case query.OpColumn, query.OpLiteral, query.OpReleased:
		return n == 0
	case query.OpAdd, query.OpSub, query.OpMul, query.OpDiv, query.OpNullIf, query.OpDays, query.OpSeconds,
		query.OpEq, query.OpNe, query.OpLt, query.OpLe, query.OpGt, query.OpGe:
		return n == 2
	case query.OpClamp:
		return n == 3
	case query.OpAnd, query.OpOr, query.OpCoalesce:
		return n >= 1
	case query.OpIn, query.OpBucket:
		return n >= 2
	case query.OpCase:
		return n >= 3 && n%2 == 1
	}
	return n == 1
}
