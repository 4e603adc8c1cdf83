package query

import (
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"slices"
	"strings"

	"entrepot/privacy"
)

// ErrKept means that bytes are not a release as Keep writes it, or not one that the plan was given a place in. It
// cannot happen with what this program stored: do not answer.
var ErrKept = errors.New("not a kept release")

// keptFormat is the first byte of a kept release.
const keptFormat = 1

// What a cell begins with.
const (
	cellNumbers = iota // Steps, then Value, Low and High in binary64
	cellWhole          // all four are whole and Value is Steps: Steps, Value − Low, High − Value
)

// Keep writes a whole release down, all groups and all aggregates that were drawn: whatever a question shows of it
// is post-processing. The first byte is a format, then come the number of cells in a group and, for each group, its
// encoded key and its cells. A count takes some five bytes, any other number 25 to 34.
func Keep(release privacy.Release) []byte { return keep(release.Rows()) }

func keep(groups []privacy.Row) []byte {
	b := []byte{keptFormat}
	cells := 0
	if len(groups) > 0 {
		cells = len(groups[0].Cells)
	}
	b = binary.AppendUvarint(b, uint64(cells))
	for _, g := range groups {
		b = binary.AppendUvarint(b, uint64(len(g.Key)))
		b = append(b, g.Key...)
		for _, c := range g.Cells {
			b = appendCell(b, c)
		}
	}
	return b
}

func appendCell(b []byte, c privacy.Cell) []byte {
	low, high := c.Value-c.Low, c.High-c.Value
	if whole(c.Value) && whole(c.Low) && whole(c.High) && c.Value == float64(c.Steps) && low >= 0 && high >= 0 {
		b = binary.AppendVarint(append(b, cellWhole), c.Steps)
		return binary.AppendUvarint(binary.AppendUvarint(b, uint64(low)), uint64(high))
	}
	b = binary.AppendVarint(append(b, cellNumbers), c.Steps)
	for _, x := range []float64{c.Value, c.Low, c.High} {
		b = binary.BigEndian.AppendUint64(b, math.Float64bits(x))
	}
	return b
}

// whole tells whether x is an integer, the difference of two of which is exact, and which an integer stands for.
func whole(x float64) bool {
	return x == math.Trunc(x) && math.Abs(x) < 1<<52 && !(x == 0 && math.Signbit(x))
}

// readKept reads what Keep wrote.
func readKept(b []byte) ([]privacy.Row, error) {
	r := keptReader{rest: b}
	if format := r.byte(); format != keptFormat {
		return nil, fmt.Errorf("%w: its format is %d, and %d is known", ErrKept, format, keptFormat)
	}
	cells := r.size(privacy.MaxAggregates)
	var groups []privacy.Row
	for len(r.rest) > 0 && !r.failed {
		g := privacy.Row{Key: string(r.bytes(r.size(len(r.rest))))}
		for range cells {
			g.Cells = append(g.Cells, r.cell())
		}
		groups = append(groups, g)
	}
	if r.failed {
		return nil, fmt.Errorf("%w: it is cut off or damaged", ErrKept)
	}
	return groups, nil
}

// keptReader reads from the front; after a failure it gives zeros.
type keptReader struct {
	rest   []byte
	failed bool
}

func (r *keptReader) bytes(n int) []byte {
	if n > len(r.rest) {
		r.failed, r.rest = true, nil
		return make([]byte, min(n, 8))
	}
	b := r.rest[:n]
	r.rest = r.rest[n:]
	return b
}

func (r *keptReader) byte() byte { return r.bytes(1)[0] }

// size is a number up to a limit.
func (r *keptReader) size(most int) int {
	n, read := binary.Uvarint(r.rest)
	if read <= 0 || n > uint64(most) {
		r.failed, r.rest = true, nil
		return 0
	}
	r.rest = r.rest[read:]
	return int(n)
}

func (r *keptReader) cell() privacy.Cell {
	kind := r.byte()
	steps, read := binary.Varint(r.rest)
	if read <= 0 || kind > cellWhole {
		r.failed, r.rest = true, nil
		return privacy.Cell{}
	}
	r.rest = r.rest[read:]
	if kind == cellWhole {
		low, high := r.size(1<<53), r.size(1<<53)
		value := float64(steps)
		return privacy.Cell{Value: value, Low: value - float64(low), High: value + float64(high), Steps: steps}
	}
	number := func() float64 { return math.Float64frombits(binary.BigEndian.Uint64(r.bytes(8))) }
	return privacy.Cell{Value: number(), Low: number(), High: number(), Steps: steps}
}

// FinishKept makes the answer of a kept release of the same Digest, in which the plan has a place: the one that
// Finish would make of a release of the plan's own question with the same groups and numbers. It returns ErrKept
// or ErrRelease, wrapped, for another release.
func (p Plan) FinishKept(kept []byte, place Place) (Result, error) {
	groups, err := readKept(kept)
	if err != nil {
		return Result{}, err
	}
	if len(place.Keys) != len(p.parts.Keys) || len(place.Aggregates) != len(p.parts.Aggregates) {
		return Result{}, fmt.Errorf("%w: the plan has no place in it", ErrKept)
	}
	for i, g := range groups {
		if groups[i], err = place.of(g); err != nil {
			return Result{}, err
		}
	}
	if groups, err = p.inReleaseOrder(groups); err != nil {
		return Result{}, err
	}
	return p.answer(groups)
}

// of is a group with the plan's keys and aggregates, in its order.
func (place Place) of(g privacy.Row) (privacy.Row, error) {
	key, err := place.key(g.Key)
	if err != nil {
		return privacy.Row{}, err
	}
	cells := make([]privacy.Cell, len(place.Aggregates))
	for i, at := range place.Aggregates {
		if at >= len(g.Cells) {
			return privacy.Row{}, fmt.Errorf("%w: it has %d aggregates", ErrKept, len(g.Cells))
		}
		cells[i] = g.Cells[at]
	}
	return privacy.Row{Key: key, Cells: cells}, nil
}

// key puts the values of an encoded key into the plan's order.
func (place Place) key(key string) (string, error) {
	var values []json.RawMessage
	if err := json.Unmarshal([]byte(key), &values); err != nil || len(values) != len(place.Keys) {
		return "", fmt.Errorf("%w: a group has other keys", ErrKept)
	}
	ordered := make([]string, len(values))
	for i, at := range place.Keys {
		if at >= len(values) {
			return "", fmt.Errorf("%w: a group has other keys", ErrKept)
		}
		ordered[i] = string(values[at])
	}
	return "[" + strings.Join(ordered, ",") + "]", nil
}

// inReleaseOrder puts groups into the order that a release of the plan lists them in: as its public groups, which
// have to be the same, or by key.
func (p Plan) inReleaseOrder(groups []privacy.Row) ([]privacy.Row, error) {
	if p.parts.PublicKeys == nil {
		slices.SortStableFunc(groups, func(a, b privacy.Row) int { return strings.Compare(a.Key, b.Key) })
		return groups, nil
	}
	byKey := make(map[string]privacy.Row, len(groups))
	for _, g := range groups {
		byKey[g.Key] = g
	}
	ordered := make([]privacy.Row, len(p.parts.PublicKeys))
	for i, key := range p.parts.PublicKeys {
		g, ok := byKey[key]
		if !ok || len(groups) != len(ordered) {
			return nil, fmt.Errorf("%w: it has other groups", ErrKept)
		}
		ordered[i] = g
	}
	return ordered, nil
}
