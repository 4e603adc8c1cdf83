package query

import (
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"entrepot/datasets"
)

// ErrKey is returned for text that is no encoded group key of the types given. It cannot happen with
// keys that EncodeKey made for the same plan.
var ErrKey = errors.New("not a group key")

// EncodeKey encodes the values of a group's keys, in GROUP BY order, as a JSON array in the form of
// RFC 8785: one encoding for one group. A value is a string, an int64, a float64 that is finite, a bool or
// nil (NULL); dates and timestamps are strings in their canonical form. No values make "[]".
func EncodeKey(values []any) string {
	b := []byte{'['}
	for i, v := range values {
		if i > 0 {
			b = append(b, ',')
		}
		switch v := v.(type) {
		case nil:
			b = append(b, "null"...)
		case int64:
			b = strconv.AppendInt(b, v, 10)
		case float64:
			b = appendFloat(b, v)
		case bool:
			b = strconv.AppendBool(b, v)
		case string:
			b = appendString(b, v)
		default: // no key has another type; its text keeps groups apart
			b = appendString(b, fmt.Sprint(v))
		}
	}
	return string(append(b, ']'))
}

// appendFloat appends a JSON number as ECMAScript writes it: the shortest that reads back as the same.
func appendFloat(b []byte, x float64) []byte {
	if a := math.Abs(x); a == 0 || a >= 1e-6 && a < 1e21 {
		return strconv.AppendFloat(b, x+0, 'f', -1, 64)
	}
	text := strconv.AppendFloat(nil, x, 'e', -1, 64)
	if n := len(text); n >= 4 && text[n-4] == 'e' && text[n-2] == '0' { // e-07 is e-7
		text[n-2] = text[n-1]
		text = text[:n-1]
	}
	return append(b, text...)
}

// appendString appends a JSON string.
func appendString(b []byte, s string) []byte {
	const short, hex = "\b\t\n\f\r", "0123456789abcdef"
	b = append(b, '"')
	if !utf8.ValidString(s) {
		s = strings.ToValidUTF8(s, "\uFFFD")
	}
	for i := range len(s) {
		switch c := s[i]; {
		case c == '"' || c == '\\':
			b = append(b, '\\', c)
		case c >= 0x20:
			b = append(b, c)
		default:
			if j := strings.IndexByte(short, c); j >= 0 {
				b = append(b, '\\', "btnfr"[j])
			} else {
				b = append(b, '\\', 'u', '0', '0', hex[c>>4], hex[c&15])
			}
		}
	}
	return append(b, '"')
}

// DecodeKey reads what EncodeKey wrote, given the keys' types. It returns ErrKey, wrapped, for
// anything else.
func DecodeKey(types []datasets.Type, key string) ([]any, error) {
	var raw []json.RawMessage
	if err := json.Unmarshal([]byte(key), &raw); err != nil {
		return nil, fmt.Errorf("%w: %w", ErrKey, err)
	}
	if len(raw) != len(types) {
		return nil, fmt.Errorf("%w: %d values for %d keys", ErrKey, len(raw), len(types))
	}
	values := make([]any, len(raw))
	for i, r := range raw {
		if string(r) == "null" {
			continue
		}
		var err error
		if values[i], err = decodeValue(types[i], r); err != nil {
			return nil, err
		}
	}
	return values, nil
}

// decodeValue reads one value that is not NULL.
func decodeValue(t datasets.Type, raw json.RawMessage) (any, error) {
	switch t {
	case datasets.Int64:
		v, err := strconv.ParseInt(string(raw), 10, 64)
		if err != nil {
			return nil, fmt.Errorf("%w: an integer is needed", ErrKey)
		}
		return v, nil
	case datasets.Float64:
		v, err := strconv.ParseFloat(string(raw), 64)
		if err != nil || string(appendFloat(nil, v)) != string(raw) {
			return nil, fmt.Errorf("%w: a number in its shortest form is needed", ErrKey)
		}
		return v, nil
	case datasets.Bool:
		v := string(raw) == "true"
		if !v && string(raw) != "false" {
			return nil, fmt.Errorf("%w: true or false is needed", ErrKey)
		}
		return v, nil
	}
	var s string
	if len(raw) == 0 || raw[0] != '"' || json.Unmarshal(raw, &s) != nil {
		return nil, fmt.Errorf("%w: text is needed", ErrKey)
	}
	switch t {
	case datasets.String:
		return s, nil
	case datasets.Date:
		if c, ok := readMoment(s, Date); ok && c == s {
			return s, nil
		}
	case datasets.Timestamp:
		if _, err := time.Parse(time.RFC3339Nano, s); err == nil {
			if c, ok := readMoment(s, Timestamp); ok && c == s {
				return s, nil
			}
		}
	}
	return nil, fmt.Errorf("%w: a %s in canonical form is needed", ErrKey, t)
}
