// Package audit is the log's format: what an entry's bytes are, how entries hash into an RFC 6962
// tree, how a checkpoint signs that tree together with every account's clocks, how a whole log is
// exported, and how anybody checks an export without trusting the server. FORMAT.md fixes the bytes.
//
// It promises that Decode and Verify accept only what Encode and Export write, byte for byte, and that
// Verify replays the log's meaning: every release has one earlier charge, every charge was admitted by
// the filter of each account it names and by each allocation that covers who asked, accounts and allocations
// changed only as package ledger lets them, and the clocks that the checkpoint commits are their sums.
//
// It does not promise that the log is complete: a server may withhold its newest entries, or show two
// readers two logs, each of them valid. Compare checkpoints (the seen argument of Verify,
// CheckConsistency) or ask witnesses to sign them. Nor does it see rows or answers, only their digests.
//
// Everything here is a function of its arguments; no file, clock, network or database is touched. The
// store writes with it, the command line and auditors read with it.
package audit
