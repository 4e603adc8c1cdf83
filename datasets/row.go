package datasets

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
)

// A record is one kept row in canonical encoding. In a table of privacy units:
//
//	unit [16]  place [16]  payload
//
// payload is, for each stored column in declared order, one byte 0 for NULL, or 1 and then
// 8 bytes big-endian for a number, boolean, date or timestamp, or a uvarint length and that many
// bytes for text. place is the first half of SHA-256(rowTag, unit, payload), without a key: the order
// of rows within a unit depends on that unit's own rows alone, and anybody who holds the stored rows
// can check it. Records compare as byte strings, hence by (unit, place, content).
//
// In a public table:
//
//	key  payload
//
// key is, for each column of Declaration.Unique in that order, 8 bytes big-endian with the sign bit
// turned over, or the bytes of a text and a NUL, which no text contains: no key begins another, and
// records compare by the values of the columns.
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

// appendKey encodes one cell of a public table's key. It is not NULL.
func appendKey(b []byte, c cell, isText bool) []byte {
	if isText {
		return append(append(b, c.s...), 0)
	}
	return binary.BigEndian.AppendUint64(b, uint64(c.n)^1<<63)
}

// readKey decodes what appendKey wrote and returns the rest.
func readKey(b []byte, isText bool) (c cell, rest []byte) {
	if isText {
		s, rest, _ := bytes.Cut(b, []byte{0})
		return cell{s: string(s)}, rest
	}
	return cell{n: int64(binary.BigEndian.Uint64(b) ^ 1<<63)}, b[8:]
}

// keyLength is how many bytes of a record its key takes.
func keyLength(record []byte, unique []Column) int {
	n := 0
	for _, c := range unique {
		if c.Type == String {
			n += bytes.IndexByte(record[n:], 0) + 1
		} else {
			n += 8
		}
	}
	return n
}

// placer computes a record's place. Not for concurrent use.
type placer struct{ scratch []byte }

// place fills in the place of a record whose unit and payload are set.
func (p *placer) place(record []byte) {
	p.scratch = append(append(append(p.scratch[:0], rowTag...), record[:placeAt]...), record[payloadAt:]...)
	sum := sha256.Sum256(p.scratch)
	copy(record[placeAt:payloadAt], sum[:])
}
