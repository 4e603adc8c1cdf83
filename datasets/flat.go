package datasets

import (
	"encoding/binary"
	"errors"
)

// Arrow's IPC metadata are flatbuffers, which Arrow v17 reads without verifying them: a vector is
// as long as it says, a table lies where an offset points. One changed byte makes it allocate a
// hundred gigabytes of fields, and a table that is its own child would overflow the stack, which
// nothing can recover. So every message is verified here before Arrow sees it: offsets lead forward
// and stay inside, vectors fit, and nesting and the number of fields are bounded.

// flat is a flatbuffer. Reads outside it fail.
type flat []byte

// Limits of a schema.
const (
	maxFlatDepth  = 32
	maxFlatFields = 100_000
)

var errFlat = errors.New("arrow: metadata lead outside the message")

func (b flat) u16(at int) (int, error) {
	if at < 0 || at > len(b)-2 {
		return 0, errFlat
	}
	return int(binary.LittleEndian.Uint16(b[at:])), nil
}

func (b flat) u32(at int) (int, error) {
	if at < 0 || at > len(b)-4 {
		return 0, errFlat
	}
	return int(binary.LittleEndian.Uint32(b[at:])), nil
}

func (b flat) i64(at int) (int64, error) {
	if at < 0 || at > len(b)-8 {
		return 0, errFlat
	}
	return int64(binary.LittleEndian.Uint64(b[at:])), nil
}

// field returns where a table's field is, 0 when it is absent. Slots count from 0.
func (b flat) field(table, slot int) (int, error) {
	back, err := b.u32(table)
	if err != nil {
		return 0, err
	}
	vtable := table - int(int32(back))
	size, err := b.u16(vtable)
	if err != nil || 4+2*slot >= size {
		return 0, err
	}
	offset, err := b.u16(vtable + 4 + 2*slot)
	if err != nil || offset == 0 {
		return 0, err
	}
	return table + offset, nil
}

// follow returns what a field of a table points to, 0 when it is absent.
func (b flat) follow(table, slot int) (int, error) {
	at, err := b.field(table, slot)
	if err != nil || at == 0 {
		return 0, err
	}
	forward, err := b.u32(at)
	if err != nil || forward == 0 || at+forward > len(b)-4 {
		return 0, errFlat
	}
	return at + forward, nil
}

// vector returns where the elements of a vector begin, and how many they are.
func (b flat) vector(table, slot, width int) (at, n int, err error) {
	at, err = b.follow(table, slot)
	if err != nil || at == 0 {
		return 0, 0, err
	}
	if n, err = b.u32(at); err == nil && n > (len(b)-at-4)/width {
		err = errFlat
	}
	return at + 4, n, err
}

// byteField returns a field of one byte, 0 when it is absent.
func (b flat) byteField(table, slot int) (byte, error) {
	at, err := b.field(table, slot)
	if err != nil || at == 0 {
		return 0, err
	}
	if at >= len(b) {
		return 0, errFlat
	}
	return b[at], nil
}

// tables calls f for each table of a vector of tables.
func (b flat) tables(table, slot int, f func(at int) error) error {
	at, n, err := b.vector(table, slot, 4)
	for i := 0; err == nil && i < n; i++ {
		var forward int
		if forward, err = b.u32(at + 4*i); err != nil {
			return err
		}
		if forward == 0 || at+4*i+forward > len(b)-4 {
			return errFlat
		}
		err = f(at + 4*i + forward)
	}
	return err
}

// Kinds of message, and the one type whose own table has a vector.
const (
	schemaMessage     = 1
	dictionaryMessage = 2
	batchMessage      = 3
	unionType         = 14
)

// verifyMessage checks a message's metadata and returns the length of its body.
func verifyMessage(b flat, maxRows int64) (body int64, err error) {
	root, err := b.u32(0)
	if err != nil {
		return 0, err
	}
	kind, err := b.byteField(root, 1)
	if err != nil {
		return 0, err
	}
	header, err := b.follow(root, 2)
	if err != nil || header == 0 {
		return 0, errFlat
	}
	switch kind {
	case schemaMessage:
		fields := 0
		err = b.fields(header, 1, 0, &fields)
	case dictionaryMessage:
		var data int
		if data, err = b.follow(header, 1); err == nil && data == 0 {
			err = errFlat
		}
		if err == nil {
			err = b.batch(data, maxRows)
		}
	case batchMessage:
		err = b.batch(header, maxRows)
	default:
		err = errors.New("arrow: message of another kind")
	}
	if err != nil {
		return 0, err
	}
	at, err := b.field(root, 3)
	if err != nil || at == 0 {
		return 0, err
	}
	return b.i64(at)
}

// fields checks a vector of fields of a schema or of a field, the field's children.
func (b flat) fields(table, slot, depth int, total *int) error {
	metadata := slot + 1 // in both, custom metadata follow
	if err := b.tables(table, metadata, func(int) error { return nil }); err != nil {
		return err
	}
	return b.tables(table, slot, func(at int) error {
		if *total++; *total > maxFlatFields || depth > maxFlatDepth {
			return errors.New("arrow: the schema is too large")
		}
		kind, err := b.byteField(at, 2)
		if err != nil {
			return err
		}
		own, err := b.follow(at, 3)
		if err == nil && kind == unionType && own != 0 {
			_, _, err = b.vector(own, 1, 4)
		}
		if err != nil {
			return err
		}
		return b.fields(at, 5, depth+1, total)
	})
}

// batch checks a record batch: its number of rows, its nodes and buffers, and that no column
// claims more variadic buffers than there are buffers.
func (b flat) batch(table int, maxRows int64) error {
	if at, err := b.field(table, 0); err != nil {
		return err
	} else if at != 0 {
		rows, err := b.i64(at)
		if err != nil || rows < 0 {
			return errFlat
		}
		if rows > maxRows {
			return refuse(ErrTooLarge, "a record batch has %d rows; at most %d are read", rows, maxRows)
		}
	}
	if _, _, err := b.vector(table, 1, 16); err != nil {
		return err
	}
	_, buffers, err := b.vector(table, 2, 16)
	if err != nil {
		return err
	}
	at, n, err := b.vector(table, 4, 8)
	for i := 0; err == nil && i < n; i++ {
		var count int64
		if count, err = b.i64(at + 8*i); err == nil && (count < 0 || count > int64(buffers)) {
			err = errFlat
		}
	}
	return err
}
