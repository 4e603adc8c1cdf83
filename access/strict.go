package access

import (
	"encoding"
	"encoding/json"
	"errors"
	"fmt"
	"reflect"
	"strings"
	"time"
	"unicode/utf8"
)

// ErrDocument is wrapped by every refusal of a policy, a project or an organisation. Show the whole
// message to whoever wrote the document: it depends on nothing else.
var ErrDocument = errors.New("the document was refused")

// A document as read, before it has a type: object, []any, string, json.Number or bool. There is no
// null: a key without a value would mean something else in every format.
type (
	object []member
	member struct {
		key   string
		value any
	}
)

// decodeStrict reads text, JSON if it begins with a brace and YAML otherwise, into a struct whose
// json tags name the keys. Unlike encoding/json it refuses unknown keys, keys in another case, keys
// written twice, null, a second document and more than limit bytes, and its errors give the path.
func decodeStrict(text []byte, limit int, into any) error {
	trimmed := strings.TrimSpace(string(text[:min(len(text), limit)]))
	switch {
	case len(text) > limit:
		return fmt.Errorf("%w: it has %d bytes; at most %d are read", ErrDocument, len(text), limit)
	case trimmed == "":
		return fmt.Errorf("%w: %w", ErrDocument, errEmpty)
	}
	read := readYAML
	if trimmed[0] == '{' {
		read = readJSON
	}
	if err := decodeWith(read, text, into); err != nil {
		return fmt.Errorf("%w: %w", ErrDocument, err)
	}
	return nil
}

// decodeWith reads text in the one format that read understands.
func decodeWith(read func([]byte) (any, error), text []byte, into any) error {
	if !utf8.Valid(text) {
		return errors.New("it is not UTF-8 text")
	}
	tree, err := read(text)
	if err != nil {
		return err
	}
	return fit(tree, reflect.ValueOf(into).Elem(), "")
}

// fit stores a value of the tree, found at path, in a Go value of the same shape.
func fit(value any, into reflect.Value, path string) error {
	if target, ok := into.Addr().Interface().(encoding.TextUnmarshaler); ok {
		return fitText(value, target, path)
	}
	switch into.Kind() {
	case reflect.Struct:
		if obj, ok := value.(object); ok {
			return fitObject(obj, into, path)
		}
		return at(path, "want an object with keys, got "+kindOf(value))
	case reflect.Slice:
		if list, ok := value.([]any); ok {
			return fitList(list, into, path)
		}
		return at(path, "want a list, got "+kindOf(value))
	case reflect.String:
		if text, ok := value.(string); ok {
			into.SetString(text)
			return nil
		}
		return at(path, "want text, got "+kindOf(value)+"; put it in quotes")
	case reflect.Int64:
		if number, ok := value.(json.Number); ok {
			if n, err := number.Int64(); err == nil {
				into.SetInt(n)
				return nil
			}
		}
		return at(path, "want a whole number")
	}
	return at(path, "cannot be given in a document")
}

func fitObject(obj object, into reflect.Value, path string) error {
	fields := map[string]int{}
	var names []string
	for i := range into.NumField() {
		name, _, _ := strings.Cut(into.Type().Field(i).Tag.Get("json"), ",")
		fields[name] = i
		names = append(names, name)
	}
	seen := map[string]string{}
	for _, m := range obj {
		place := strings.TrimPrefix(path+"."+shorten(m.key), ".")
		folded := strings.ToLower(strings.ToUpper(m.key))
		if earlier, twice := seen[folded]; twice {
			return at(place, "the key is written twice, as "+quote(earlier)+" and as "+quote(m.key))
		}
		seen[folded] = m.key
		field, known := fields[m.key]
		if !known {
			return at(path, unknown("key", m.key, names))
		}
		if err := fit(m.value, into.Field(field), place); err != nil {
			return err
		}
	}
	return nil
}

func fitList(list []any, into reflect.Value, path string) error {
	values := reflect.MakeSlice(into.Type(), len(list), len(list))
	for i, value := range list {
		if err := fit(value, values.Index(i), fmt.Sprintf("%s[%d]", path, i)); err != nil {
			return err
		}
	}
	into.Set(values)
	return nil
}

func fitText(value any, target encoding.TextUnmarshaler, path string) error {
	text, isText := value.(string)
	if number, ok := value.(json.Number); ok {
		_, isAmount := target.(*Pico)
		text, isText = number.String(), isAmount
	}
	if !isText {
		return at(path, "want text, got "+kindOf(value))
	}
	err := target.UnmarshalText([]byte(text))
	if _, isTime := target.(*time.Time); isTime && err != nil {
		return at(path, quote(text)+" is not a time; write it like 2026-01-31T00:00:00Z")
	}
	if err != nil {
		return at(path, err.Error())
	}
	return nil
}

// at places a message in the document; the empty path is the document itself.
func at(path, message string) error {
	if path == "" {
		return errors.New(message)
	}
	return errors.New(path + ": " + message)
}

// shorten cuts a key for use in a path.
func shorten(key string) string {
	quoted := quote(key)
	return quoted[1 : len(quoted)-1]
}

func kindOf(value any) string {
	switch value.(type) {
	case object:
		return "an object"
	case []any:
		return "a list"
	case string:
		return "text"
	case json.Number:
		return "a number"
	}
	return "true or false"
}
