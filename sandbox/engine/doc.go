// Package engine turns a plan into exact, contribution-bounded partial aggregates by push-down SQL
// in an embedded DuckDB, which only this package imports.
//
// It promises that
//
//   - the partials depend on the plan, the declarations and the rows alone: they are integers, the
//     same for every order of rows and every number of threads;
//   - adding or removing one privacy unit changes them by no more than the plan's Contribution and
//     the arguments' bounds allow: keys outside a public domain go first, contribution bounding comes
//     last before aggregation, over all joins and branches of unions together, and what survives it is
//     chosen by the unit's own ranks;
//   - a plan whose relations own up to fewer rows of a unit than their inputs can give, or in which a
//     public table could multiply rows, is refused;
//   - no value in a row makes a question fail: every operation of query.Expr becomes SQL that has a
//     value or is NULL, and query.Eval computes the same one, bit for bit;
//   - only SELECT statements that this package wrote reach the database, one at a time, each on a
//     connection of its own; of a question's text, only quoted literals enter them, and no names; the
//     paths of files are parameters;
//   - the database reads nothing outside one folder, loads no extension, and cannot be reconfigured.
//
// It does not promise constant time, nor that a question fits into memory, its deadline, or
// Options.MaxGroups: the caller charges before it collects, hides how long that took, and counts a
// failure as a failure. DuckDB is native code. A file that was not
// written by package datasets may crash the process, its memory limit is soft, and inside its folder
// it could still write: give it files of canonical form only, and a folder that the process cannot
// write where the platform allows it.
//
// The engine neither charges nor releases nor logs. Exact aggregates leave it as privacy.Partials
// only. Its errors are for the operator: none of them may be shown to who asked.
package engine
