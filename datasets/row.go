package datasets

import (
	"crypto/sha256"
	"encoding/binary"
)

// A record is one kept row in canonical encoding:
//
//	unit [16]  place [16]  payload
//
// payload is, for each stored column in declared order, one byte 0 for NULL, or 1 and then
// 8 bytes big-endian for a number, boolean, date or timestamp, or a uvarint length and that many
// bytes for text. place is the first half of SHA-256(rowTag, unit, payload), without a key: the order
// of rows within a unit depends on that unit's own rows alone, and anybody who holds the stored rows
// can check it. Records compare as byte strings, hence by (unit, place, content).
const (
	placeAt   = len(unitID{})
	payloadAt = placeAt + 16
	rowTag    = "entrepot row 1\n"
)

// appendCell encodes one cell.
func appendCell(b []byte, c cell, isText bool) []byte {
	switch {
	case c.null:
		return append(b, 0)
	case isText:
		b = binary.AppendUvarint(append(b, 1), uint64(len(c.s)))
		return append(b, c.s...)
	}
	return binary.BigEndian.AppendUint64(append(b, 1), uint64(c.n))
}

// readCell decodes what appendCell wrote and returns the rest. Text aliases b.
func readCell(b []byte, isText bool) (c cell, text, rest []byte) {
	switch {
	case b[0] == 0:
		return nullCell, nil, b[1:]
	case isText:
		length, n := binary.Uvarint(b[1:])
		end := 1 + n + int(length)
		return cell{}, b[1+n : end], b[end:]
	}
	return cell{n: int64(binary.BigEndian.Uint64(b[1:9]))}, nil, b[9:]
}

// placer computes a record's place. Not for concurrent use.
type placer struct{ scratch []byte }

// place fills in the place of a record whose unit and payload are set.
func (p *placer) place(record []byte) {
	p.scratch = append(append(append(p.scratch[:0], rowTag...), record[:placeAt]...), record[payloadAt:]...)
	sum := sha256.Sum256(p.scratch)
	copy(record[placeAt:payloadAt], sum[:])
}
