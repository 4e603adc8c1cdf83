package access

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"

	"gopkg.in/yaml.v3"
)

// maxDepth is how deep a document may nest; ours need four.
const maxDepth = 16

var errDepth = fmt.Errorf("it nests deeper than %d", maxDepth)

var (
	errNull  = errors.New("null is not a value here; leave the key out")
	errEmpty = errors.New("it is empty; write {} for a document without content")
)

// readJSON reads one JSON document and nothing after it.
func readJSON(text []byte) (any, error) {
	var whole json.RawMessage
	if err := json.Unmarshal(text, &whole); err != nil {
		var syntax *json.SyntaxError
		if errors.As(err, &syntax) {
			line := 1 + bytes.Count(text[:min(int(syntax.Offset), len(text))], []byte("\n"))
			return nil, fmt.Errorf("it is not JSON: line %d: %w", line, err)
		}
		return nil, fmt.Errorf("it is not JSON: %w", err)
	}
	decoder := json.NewDecoder(bytes.NewReader(text))
	decoder.UseNumber()
	return nextJSON(decoder, 0)
}

// nextJSON reads the next value token by token, because a map would hide keys written twice.
func nextJSON(decoder *json.Decoder, depth int) (any, error) {
	if depth > maxDepth {
		return nil, errDepth
	}
	token, err := decoder.Token()
	if err != nil {
		return nil, err
	}
	switch token {
	case nil:
		return nil, errNull
	case json.Delim('['):
		list := []any{}
		for decoder.More() {
			value, err := nextJSON(decoder, depth+1)
			if err != nil {
				return nil, err
			}
			list = append(list, value)
		}
		_, err = decoder.Token()
		return list, err
	case json.Delim('{'):
		obj := object{}
		for decoder.More() {
			key, err := decoder.Token()
			if err != nil {
				return nil, err
			}
			value, err := nextJSON(decoder, depth+1)
			if err != nil {
				return nil, fmt.Errorf("%s: %w", shorten(fmt.Sprint(key)), err)
			}
			obj = append(obj, member{fmt.Sprint(key), value})
		}
		_, err = decoder.Token()
		return obj, err
	}
	return token, nil
}

// readYAML reads one YAML document. Aliases, merge keys and custom tags are refused: they make a
// short text mean a long one, and a policy ought to say what it says where one reads it.
func readYAML(text []byte) (tree any, err error) {
	defer func() { // the parser reads hostile text and is not ours
		if recover() != nil {
			tree, err = nil, errors.New("it is not YAML")
		}
	}()
	decoder := yaml.NewDecoder(bytes.NewReader(text))
	var document, second yaml.Node
	if err := decoder.Decode(&document); errors.Is(err, io.EOF) {
		return nil, errEmpty
	} else if err != nil {
		return nil, fmt.Errorf("it is not YAML: %w", err)
	}
	if err := decoder.Decode(&second); !errors.Is(err, io.EOF) {
		return nil, errors.New("there is more than one document in it")
	}
	if len(document.Content) != 1 {
		return nil, errEmpty
	}
	return fromYAML(document.Content[0], 0)
}

func fromYAML(node *yaml.Node, depth int) (any, error) {
	if depth > maxDepth {
		return nil, errDepth
	}
	switch node.Kind {
	case yaml.ScalarNode:
		return scalarYAML(node)
	case yaml.SequenceNode:
		list := []any{}
		for _, item := range node.Content {
			value, err := fromYAML(item, depth+1)
			if err != nil {
				return nil, err
			}
			list = append(list, value)
		}
		return list, nil
	case yaml.MappingNode:
		obj := object{}
		for i := 0; i+1 < len(node.Content); i += 2 {
			key := node.Content[i]
			if key.Kind != yaml.ScalarNode || key.ShortTag() != "!!str" {
				return nil, fmt.Errorf("line %d: a key must be a word", key.Line)
			}
			value, err := fromYAML(node.Content[i+1], depth+1)
			if err != nil {
				return nil, err
			}
			obj = append(obj, member{key.Value, value})
		}
		return obj, nil
	}
	return nil, fmt.Errorf("line %d: aliases are not read; write the value out", node.Line)
}

// scalarYAML keeps numbers as they are written, so that decimals stay exact. NO is text in YAML 1.2,
// as Norway needs.
func scalarYAML(node *yaml.Node) (any, error) {
	switch node.ShortTag() {
	case "!!str", "!!timestamp":
		return node.Value, nil
	case "!!int", "!!float":
		return json.Number(node.Value), nil
	case "!!bool":
		return node.Value == "true", nil
	case "!!null":
		return nil, fmt.Errorf("line %d: %w", node.Line, errNull)
	}
	return nil, fmt.Errorf("line %d: the tag %s is not read", node.Line, quote(node.Tag))
}
