package audit

import (
	"bytes"
	"encoding/hex"
	"fmt"
	"strconv"
	"strings"
	"time"
)

const (
	// Version is the first line of every entry.
	Version = "entrepot/entry/v1"
	// MaxEntry is the longest entry in bytes: what the 16-bit length of a C2SP entry bundle holds. Only a
	// recovery may be longer (MaxRecovery).
	MaxEntry = 1<<16 - 1
)

// maxLength is the longest entry of a kind, in bytes.
func maxLength(kind Kind) int {
	if kind == KindRecovery {
		return MaxRecovery
	}
	return MaxEntry
}

// The labels of an entry's lines after the first, in order.
var labels = [...]string{"index ", "time ", "kind ", "actor ", "salt ", "body "}

// Encode writes an entry's bytes. It checks all of the entry that can be checked without the rest of
// the log, so that what is written can be read again; ErrEntry says what is wrong.
func Encode(e Entry) ([]byte, error) {
	b, _, err := encode(e)
	return b, err
}

// encode also returns the body, which it reads to check it.
func encode(e Entry) ([]byte, Body, error) {
	if e.Index < 0 {
		return nil, nil, fmt.Errorf("%w: index %d is negative", ErrEntry, e.Index)
	}
	if e.Time.Nanosecond() != 0 || e.Time.Unix() < 0 || e.Time.UTC().Year() > 9999 {
		return nil, nil, fmt.Errorf("%w: the time is not a whole second from 1970 to 9999", ErrEntry)
	}
	if err := token("actor", e.Actor); err != nil {
		return nil, nil, fmt.Errorf("%w: %w", ErrEntry, err)
	}
	body, err := ParseBody(e.Kind, e.Body)
	if err != nil {
		return nil, nil, err
	}
	values := [...]string{
		strconv.FormatInt(e.Index, 10), e.Time.UTC().Format(time.RFC3339), string(e.Kind),
		e.Actor, hex.EncodeToString(e.Salt[:]), string(e.Body),
	}
	var b bytes.Buffer
	b.WriteString(Version + "\n")
	for i, value := range values {
		b.WriteString(labels[i] + value + "\n")
	}
	if b.Len() > maxLength(e.Kind) {
		return nil, nil, ErrTooLarge
	}
	return b.Bytes(), body, nil
}

// Decode reads what Encode wrote. Any other bytes are ErrEntry, however alike they look.
func Decode(b []byte) (Entry, error) {
	e, _, err := decode(b)
	return e, err
}

func decode(b []byte) (Entry, Body, error) {
	if len(b) > MaxRecovery {
		return Entry{}, nil, ErrTooLarge
	}
	lines := strings.Split(string(b), "\n")
	if len(lines) != len(labels)+2 || lines[0] != Version {
		return Entry{}, nil, fmt.Errorf("%w: it is not the %d lines of %s", ErrEntry, len(labels)+1, Version)
	}
	var values [len(labels)]string
	for i, label := range labels {
		value, ok := strings.CutPrefix(lines[i+1], label)
		if !ok {
			return Entry{}, nil, fmt.Errorf("%w: line %d does not begin with %q", ErrEntry, i+2, label)
		}
		values[i] = value
	}
	e, err := parseLines(values)
	if err != nil {
		return Entry{}, nil, err
	}
	again, body, err := encode(e)
	if err != nil {
		return Entry{}, nil, err
	}
	if !bytes.Equal(again, b) {
		return Entry{}, nil, fmt.Errorf("%w: it is not in canonical form", ErrEntry)
	}
	return e, body, nil
}

// parseLines is lenient where Decode's comparison is strict.
func parseLines(values [len(labels)]string) (e Entry, err error) {
	if e.Index, err = strconv.ParseInt(values[0], 10, 64); err != nil {
		return e, fmt.Errorf("%w: the index is not a number", ErrEntry)
	}
	if e.Time, err = time.Parse(time.RFC3339, values[1]); err != nil {
		return e, fmt.Errorf("%w: the time is not RFC 3339", ErrEntry)
	}
	e.Time = e.Time.UTC()
	salt, err := hex.DecodeString(values[4])
	if err != nil || len(salt) != len(e.Salt) {
		return e, fmt.Errorf("%w: the salt is not %d bytes in hex", ErrEntry, len(e.Salt))
	}
	copy(e.Salt[:], salt)
	e.Kind, e.Actor, e.Body = Kind(values[2]), values[3], []byte(values[5])
	return e, nil
}
