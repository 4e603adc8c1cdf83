package api

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"
	"unicode/utf8"

	"entrepot/sandbox"
)

// maxDepth is how deep objects and lists may nest. No request needs more than four.
const maxDepth = 32

// A document as read, before it has a type: members, []any, string, json.Number, bool or nil.
type (
	members []member // in the order written; no two names are the same but for case
	member  struct {
		name  string
		value any
	}
)

// invalidAt is a fault at a place of a body; "" is the body itself.
func invalidAt(path, message string) *sandbox.Error {
	if path != "" {
		message = path + ": " + message
	}
	return &sandbox.Error{Code: sandbox.CodeInvalid, Public: message}
}

// readJSON reads one JSON object and nothing else. Unlike encoding/json it refuses text that is not
// UTF-8, halves of surrogate pairs and names that are written twice, be it in another case.
func readJSON(body []byte) (members, error) {
	if len(bytes.TrimSpace(body)) == 0 {
		return nil, invalidAt("", "The body is empty; send a JSON object.")
	}
	if !utf8.Valid(body) {
		return nil, invalidAt("", "The body is not UTF-8 text.")
	}
	var whole json.RawMessage
	if err := json.Unmarshal(body, &whole); err != nil {
		return nil, syntaxError(body, err)
	}
	r := reader{text: body, tokens: json.NewDecoder(bytes.NewReader(body))}
	r.tokens.UseNumber()
	value, err := r.value("", 0)
	if err != nil {
		return nil, err
	}
	object, ok := value.(members)
	if !ok {
		return nil, invalidAt("", "The body is "+kindOf(value)+"; send a JSON object.")
	}
	return object, nil
}

// syntaxError says where the text stops being one JSON document. The decoder's own message quotes at
// most one character of it.
func syntaxError(body []byte, err error) error {
	syntax, ok := errors.AsType[*json.SyntaxError](err)
	if !ok {
		return invalidAt("", "The body is not JSON.")
	}
	before := string(body[:max(0, min(int(syntax.Offset)-1, len(body)))])
	line := 1 + strings.Count(before, "\n")
	column := utf8.RuneCountInString(before[strings.LastIndexByte(before, '\n')+1:]) + 1
	return invalidAt("", fmt.Sprintf("The body is not one JSON document: line %d, column %d: %s.", line, column, syntax.Error()))
}

// reader turns tokens into a tree.
type reader struct {
	text   []byte
	tokens *json.Decoder
}

// value reads the value at path.
func (r reader) value(path string, depth int) (any, error) {
	begin := r.tokens.InputOffset()
	token, err := r.tokens.Token()
	if err != nil {
		return nil, broken(err)
	}
	switch t := token.(type) {
	case json.Delim:
		if depth == maxDepth {
			return nil, invalidAt(path, fmt.Sprintf("it nests deeper than %d.", maxDepth))
		}
		if t == '{' {
			return r.object(path, depth+1)
		}
		return r.list(path, depth+1)
	case string:
		if r.mangled(begin, t) {
			return nil, invalidAt(path, "it has half of a surrogate pair, which is no character.")
		}
		return t, nil
	default:
		return token, nil
	}
}

// mangled reports whether the decoder put a replacement character where the text has none: it does so
// for escapes that are no characters.
func (r reader) mangled(begin int64, value string) bool {
	if !strings.ContainsRune(value, utf8.RuneError) {
		return false
	}
	raw := strings.ToLower(string(r.text[begin:r.tokens.InputOffset()]))
	written := strings.Count(raw, string(utf8.RuneError)) + strings.Count(raw, `\ufffd`)
	return strings.Count(value, string(utf8.RuneError)) > written
}

func (r reader) object(path string, depth int) (any, error) {
	object := members{}
	seen := map[string]string{}
	for r.tokens.More() {
		key, err := r.value(path, depth)
		if err != nil {
			return nil, err
		}
		name, ok := key.(string)
		if !ok {
			return nil, broken(io.ErrUnexpectedEOF)
		}
		place := join(path, name)
		folded := strings.ToLower(strings.ToUpper(name))
		if earlier, twice := seen[folded]; twice {
			return nil, invalidAt(place, "it is written twice, as "+quote(earlier)+" and as "+quote(name)+".")
		}
		seen[folded] = name
		value, err := r.value(place, depth)
		if err != nil {
			return nil, err
		}
		object = append(object, member{name, value})
	}
	_, err := r.tokens.Token()
	return object, broken(err)
}

func (r reader) list(path string, depth int) (any, error) {
	list := []any{}
	for r.tokens.More() {
		value, err := r.value(fmt.Sprintf("%s[%d]", path, len(list)), depth)
		if err != nil {
			return nil, err
		}
		list = append(list, value)
	}
	_, err := r.tokens.Token()
	return list, broken(err)
}

// broken is for text that was checked and then did not read: it cannot happen, and fails closed.
func broken(err error) error {
	if err == nil {
		return nil
	}
	return &sandbox.Error{Code: sandbox.CodeInvalid, Public: "The body is not JSON.", Err: err}
}
