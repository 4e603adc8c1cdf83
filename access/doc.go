// Package access decides who may ask what of a dataset, for which purpose and from where.
//
// It promises:
//
//   - A decision is a function of the values handed in: a Request (who, from where, for which
//     project, at what privacy loss, when) and the owner's Policy. It reads no clock, no file, no
//     network and no row of any table.
//   - Nothing is allowed unless a rule allows it, no rule denies it and the project covers it. A nil
//     Enforcer, an empty policy, a malformed request and any failure inside the evaluation deny.
//   - Every Decision names the rule that decided and, if none allowed, the rule that came nearest
//     and the first clause of it that failed.
//   - Documents (Policy, Project, Organisation) are read strictly: unknown keys, keys written twice
//     (also in another case), unknown purposes, jurisdictions, roles, actions and effects are
//     refused, with the place and the nearest right word.
//   - A token is accepted only if it was signed by a key the Verifier was given, for its issuer and
//     audience, within its dates, and says nothing that Issuer does not say.
//
// It does not promise that what a decision allows is lawful: a policy operationalises what its
// owner decided. It keeps no state, so it neither counts what was spent nor revokes a token before
// it expires; the caller replaces an Enforcer when its policy changes.
//
// POLICY.md tells owners how to write a policy and in which order it is read. Policies compile to
// Casbin rows (model.conf); no other package imports Casbin or the JWT library.
//
// Called by package sandbox (decisions, documents), by its HTTP interface (Verifier) and by the
// command line (Issuer). Reasons in a Decision are for the dataset's owner and for an asker to whom
// Visible says yes; anyone else is to be told that the dataset was not found.
package access
