// Package seam names what package privacy and its tests share, and nobody else: Go lets only the
// packages under privacy import it. So the product can neither replace the source of noise nor look at
// exact values, although the functions that take these types are exported.
package seam

// Site is the place of one random decision in a release: two runs of one question that differ in rows
// alone can be compared decision by decision.
type Site struct {
	Key  string // the partition
	Draw int    // index of the draw; −1 for partition selection
	Node int64  // of a quantile tree; −1 where the draw is one number
}

// Source is where randomness comes from. Each function gets the parameters that the noise library gets.
// Its unexported field keeps every other struct type, a type parameter's included, from standing for it.
type Source struct {
	_        sealed
	Laplace  func(at Site, l1 int64, epsilon float64) (int64, error)                 // a noisy zero, in lattice points
	Gaussian func(at Site, sensitivity int64, epsilon, delta float64) (int64, error) // likewise
	Keep     func(at Site, units int64, epsilon, delta float64) (bool, error)        // whether a partition of so many units appears
}

type sealed struct{}

// Complete reports whether every kind of decision has its function.
func (s Source) Complete() bool { return s.Laplace != nil && s.Gaussian != nil && s.Keep != nil }

// Inspect is the permission to look at exact values. Its one field is unexported so that no struct
// literal written elsewhere is assignable to it.
type Inspect struct{ granted bool }

// Granted returns the permission.
func Granted() Inspect { return Inspect{granted: true} }

// OK reports whether the value came from Granted.
func (i Inspect) OK() bool { return i.granted }

// Sensitivity is how far one privacy unit, added or removed, can move one draw.
type Sensitivity struct {
	Quantity  string  // what the draw measures, for messages
	Cell      int64   // L∞: in one partition, or node
	L1        int64   // in all partitions, and nodes, together
	L2Squared float64 // likewise; rounded up
	Cells     int64   // L0: partitions, or nodes, that it moves at all
}
