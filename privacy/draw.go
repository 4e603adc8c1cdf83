package privacy

import "fmt"

// quantity is what a draw measures in one partition.
type quantity int

const (
	rows    quantity = iota // rows
	nonNull                 // rows whose argument is not NULL
	units                   // distinct privacy IDs
	sum                     // sum of the argument [steps]
	centred                 // Σ(2x − lower − upper) over the non-NULL values x of the argument [half steps]
)

// measurement is an exact integer function of a partition. Two equal measurements are the same
// function on every possible table, so one draw of noise serves both.
type measurement struct {
	quantity     quantity
	argument     int
	lower, upper int64 // [steps]; sum and centred only
}

// draw is one noisy integer for each partition: a measurement and the noise on it.
type draw struct {
	measurement
	sensitivity sensitivity
	noise       laplace
}

// sensitivity is how far one privacy unit, added or removed, moves a measurement.
type sensitivity struct {
	cell  int64 // L∞: in one partition
	l1    int64 // L1: in all partitions together
	cells int64 // L0: partitions that it moves at all
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

// calibrate sets the sensitivity and the noise for its share of ε. It refuses what could wrap.
func (d *draw) calibrate(c Contribution, b bounds, share Epsilon) error {
	var largest int64 = 1
	switch d.quantity {
	case units:
		d.sensitivity = unitsSensitivity(b)
	case sum:
		largest = sumMagnitude(d.lower, d.upper)
		d.sensitivity = sumSensitivity(b, largest)
	case centred:
		largest = centredMagnitude(d.lower, d.upper)
		d.sensitivity = sumSensitivity(b, largest)
	default:
		d.sensitivity = countSensitivity(b)
	}
	if !reaches(largest, c) {
		return fmt.Errorf("%w: with values up to %d steps, a unit's limit of %d partitions with %d rows in each is too large; the product must be below 2^53: narrow the bounds or the limits",
			ErrSpec, largest, c.MaxPartitions, c.MaxRowsPerPartition)
	}
	noise, err := newLaplace(d.sensitivity, share)
	d.noise = noise
	return err
}

// exact is the measurement of one partition, clamped to what a draw may carry.
func (m measurement) exact(p Partial) int64 {
	switch m.quantity {
	case nonNull:
		return p.NonNull[m.argument]
	case units:
		return p.Units
	case sum:
		return clampSum(p.Sum[m.argument])
	case centred:
		return clampSum(centredSum(p.Sum[m.argument], p.NonNull[m.argument], m.lower, m.upper))
	default:
		return p.Rows
	}
}
