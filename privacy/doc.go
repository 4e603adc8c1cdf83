// Package privacy turns exact, bounded aggregates into differentially private releases, and says
// what that costs.
//
// A caller states a [Question]: which aggregates, how much one privacy unit can add to them, which
// partitions may appear, what to spend. [NewSpec] checks it and calibrates the noise, [Spec.Price]
// gives its cost for the ledger, and [Run] draws the noise, once, over the exact [Partials] of an
// engine. PROMISE.md beside this file states what holds of a release, with its proof and its limits.
//
// It promises:
//
//   - A [Release] comes only from [Run]. Every number in it is a fixed function of integers that
//     carry fresh noise of the scale that [Spec.Columns] states. There is no switch that turns
//     noise off, and no seed: [RunFrom] and [Measure], for tests, take values that only packages
//     in this folder can make.
//   - A spec, its price and every error of [NewSpec] depend on the question alone, never on rows.
//   - A [Partials] gives one release. Using it again is an error, not a second draw.
//   - No cell holds NaN, an infinity or NULL.
//
// It does not promise anything about time: how long Run takes depends on the number of partitions.
// It does not bound contributions: the engine that made the partials does, and Run checks only what
// can be checked afterwards. It does not keep accounts: package ledger does.
//
// Only the path from an admitted, charged query to its answer may call Run. Anyone may call the rest.
package privacy
