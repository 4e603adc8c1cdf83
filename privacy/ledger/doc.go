// Package ledger is the privacy filter: what an account may still be charged.
//
// An [Account] belongs to one unit space and bounds everything ever released about it, to everybody
// together, under questions chosen with knowledge of earlier answers. Its clocks only grow: Σε, Σd at each of
// the Rényi orders fixed when it is opened, and Σδ. A charge is admitted while Σδ holds and at least one of the
// others does; privacy/PROMISE.md proves that the whole history then is (ε, δ)-differentially private for the
// lifetime (ε, δ) of the account, its [Promise]. What an owner may change, its [Terms], only lets less be spent.
// An [Allocation] caps some of those who ask, and makes no claim.
//
// It promises exact integer arithmetic without overflow, and that an Account is a value: [Account.Admit]
// returns a new one and changes nothing. It does not promise durability or atomicity: the store
// that keeps accounts does, and MUST write the admitted account before anything is released.
//
// Amounts left over ([Account.Room]) are the state of a filter, not a privacy claim.
package ledger
