// Package store keeps ledger, log and catalogue in one SQLite database, so that what a question costs
// and the log entry that says so are one durable transaction.
//
// It promises that a method which changes something is durable (WAL, synchronous=FULL), together with
// its log entry and the tree's hashes, when it returns without an error, and without effect when it
// returns one of the errors of package sandbox or ledger. Any other error means that the store failed
// and that the outcome may be unknown: nothing may be answered on its ground, and the next call reads
// the state anew. One process owns a database at a time. A database that disagrees with its own log is
// not opened.
//
// A database that was restored from an older copy is not opened either: its witness, a file that is best on
// another disk, saw more (ErrBehind). Recover accepts the loss, on the record, with every clock at least where the
// witness saw it.
//
// It does not promise to notice an operator who rewrites database and log together, or who restores an
// old copy of database and witness: only a checkpoint kept elsewhere shows that (package audit).
//
// The composition root opens it; use cases see it through the interfaces of package sandbox. It is the
// only importer of the SQL driver and of the migrations' library.
package store
