package privacy

import (
	"fmt"
	"math"
	"math/big"
)

// quantity is what a draw measures in one partition.
type quantity int

const (
	rows     quantity = iota // rows
	nonNull                  // rows whose argument is not NULL
	units                    // distinct privacy IDs, or those with a row where the argument is not NULL
	distinct                 // distinct values of the argument
	sum                      // sum of the argument [steps]
	centred                  // Σu over the non-NULL values x, u = 2x − lower − upper [half steps]
	squares                  // Σ(2u² − (upper − lower)²) likewise [half half steps²]
	tree                     // rows in each node of the tree over lower … upper: one number for each node
)

func (q quantity) String() string {
	return [...]string{"rows", "values", "units", "distinct values", "sum", "centred sum", "squares", "tree"}[q]
}

// measurement is an exact integer function of a partition. Two equal measurements are the same
// function on every possible table, so one draw of noise serves both.
type measurement struct {
	quantity     quantity
	argument     int
	lower, upper int64 // [steps]; sum, centred, squares and tree only
}

// draw is one noisy integer for each partition, or for each node of a tree in each partition: a
// measurement and the noise on it.
type draw struct {
	measurement
	weight      int64 // of its share of the loss; the largest of the aggregates that use it
	sensitivity sensitivity
	noise       noise
	leak        Delta // δ_i at which Gaussian noise has a finite ε; 0 where it has none
	tree        Tree  // of the quantity tree
}

// sensitivity is how far one privacy unit, added or removed, moves a measurement.
type sensitivity struct {
	cell   int64 // L∞: in one cell, which is a partition, or a node of a tree in one
	l1     int64 // L1: in all cells together
	cells  int64 // L0: cells that it moves at all
	levels int64 // the draw is so many vectors, each with l1/levels and cells/levels; 1 except for trees
}

// worst bounds a cost that adds up over cells, at the worst possible unit, for a convex cost of the
// shift of one cell: its most telling rows fill as many cells as they can and put what is left of L1
// into one more. The sum of a convex function under these limits is largest at such a corner.
func (s sensitivity) worst(cost func(shift float64) float64) float64 {
	l1, cells := s.l1/s.levels, s.cells/s.levels
	full, rest := l1/s.cell, l1%s.cell
	total := float64(full) * cost(float64(s.cell))
	if rest > 0 {
		total += cost(float64(rest))
		full++
	}
	return float64(s.levels) * (total + float64(cells-full)*cost(0))
}

// l2 is Δ₂, rounded up: how far one unit moves the measurement in the Euclidean norm.
func (s sensitivity) l2() float64 {
	return math.Sqrt(s.worst(func(shift float64) float64 { return shift * shift })) * (1 + 1e-12)
}

// bounds are the limits per unit with what follows from one for the other taken in: no unit
// touches more partitions than it has rows or than there are, nor has more rows in one than in all.
type bounds struct {
	l0   int64 // partitions
	r    int64 // rows in each
	rows int64 // rows in all, min(l0·r, R)
}

func newBounds(q Question) bounds {
	c := q.Contribution
	b := bounds{l0: min(c.MaxPartitions, c.MaxRows), r: min(c.MaxRowsPerPartition, c.MaxRows)}
	if q.Partitions.Keys != nil {
		b.l0 = min(b.l0, int64(len(q.Partitions.Keys)))
	}
	b.rows = min(b.l0*b.r, c.MaxRows)
	return b
}

// measure sets the sensitivity. It refuses what could wrap.
func (d *draw) measure(c Contribution, b bounds) error {
	largest := d.magnitude()
	if !reaches(largest, c) {
		return fmt.Errorf("%w: with values up to %d steps, a unit's limit of %d partitions with %d rows in each is too large; the product must be below 2^53: narrow the bounds or the limits",
			ErrSpec, largest, c.MaxPartitions, c.MaxRowsPerPartition)
	}
	switch d.quantity {
	case units:
		d.sensitivity = unitsSensitivity(b)
	case tree:
		d.tree = NewTree(d.lower, d.upper)
		d.sensitivity = treeSensitivity(b, d.tree)
	default:
		d.sensitivity = sumSensitivity(b, largest)
	}
	return nil
}

// magnitude is B: the most that one row adds to a measurement, in absolute value. Bounds are within
// ±2^53; a square that would not fit stays at 2^53, which no limit reaches.
func (m measurement) magnitude() int64 {
	switch m.quantity {
	case sum:
		return sumMagnitude(m.lower, m.upper)
	case centred:
		return centredMagnitude(m.lower, m.upper)
	case squares:
		most := centredMagnitude(m.lower, m.upper)
		if most >= 1<<27 {
			return maxReach
		}
		return most * most
	default:
		return 1
	}
}

// treeSensitivity: every row counts in one node of each level.
func treeSensitivity(b bounds, t Tree) sensitivity {
	levels := int64(t.Height)
	return sensitivity{cell: b.r, l1: levels * b.rows, cells: levels * b.rows, levels: levels}
}

// exact is the measurement of one partition, clamped to what a draw may carry; not for a tree.
func (m measurement) exact(p Partial) int64 {
	var t Tally
	if m.argument != NoArgument {
		t = p.Arguments[m.argument]
	}
	switch m.quantity {
	case nonNull:
		return t.NonNull
	case units:
		if m.argument != NoArgument {
			return t.Units
		}
		return p.Units
	case distinct:
		return t.Distinct
	case sum:
		return clampSum(t.Sum)
	case centred:
		return clampSum(centredSum(t.Sum, t.NonNull, m.lower, m.upper))
	case squares:
		return clampSum(squaresSum(t.Squares, t.NonNull, m.lower, m.upper))
	default:
		return p.Rows
	}
}

// squaresSum is Σ(2u² − range²) from Σu² and the number of values.
func squaresSum(sum *big.Int, values, lower, upper int64) *big.Int {
	r := big.NewInt(centredMagnitude(lower, upper))
	middle := new(big.Int).Mul(big.NewInt(values), r.Mul(r, r))
	return middle.Sub(new(big.Int).Lsh(sum, 1), middle)
}
