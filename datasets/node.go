package datasets

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"
	"unicode/utf8"

	"gopkg.in/yaml.v3"
)

// node is one value of a JSON or YAML text, before anything is known about its meaning. Both
// languages are read into it, so that one strict decoder serves both.
type node struct {
	kind   nodeKind
	text   string   // text: its value; number: as written; boolean: true or false
	keys   []string // object: unique, also when case is ignored
	values []node   // object: in the order of keys; list: its items
}

type nodeKind int

const (
	null nodeKind = iota
	boolean
	numeric
	text
	list
	object
)

func (k nodeKind) String() string {
	return [...]string{"null", "a boolean", "a number", "text", "a list", "an object"}[k]
}

// maxDepth is deeper than any declaration is, and shallow enough for recursion.
const maxDepth = 16

// maxKeys is more than any object of a declaration has, and few enough to compare each with each.
const maxKeys = 64

// checkKey says whether a key may be added. A second spelling of a key is refused: readers that
// ignore case, or take the last of two, would see another declaration than the one reviewed.
func (n *node) checkKey(path, key string) error {
	if len(n.keys) >= maxKeys {
		return fmt.Errorf("%s: more than %d keys", join(path, key), maxKeys)
	}
	for _, k := range n.keys {
		switch {
		case k == key:
			return fmt.Errorf("%s: given twice", join(path, key))
		case strings.EqualFold(k, key):
			return fmt.Errorf("%s: differs from %q only in case", join(path, key), shorten(k))
		}
	}
	return nil
}

func join(path, key string) string {
	if key = shorten(key); path == "" {
		return key
	}
	return path + "." + key
}

// readNode reads JSON where the text begins with {, YAML otherwise.
func readNode(b []byte) (node, error) {
	if !utf8.Valid(b) {
		return node{}, errors.New("the text is not valid UTF-8")
	}
	if bytes.IndexByte(b, 0) >= 0 {
		return node{}, errors.New("the text has a NUL byte")
	}
	b = bytes.TrimPrefix(b, []byte("\uFEFF"))
	trimmed := bytes.TrimLeft(b, " \t\r\n")
	switch {
	case len(trimmed) == 0:
		return node{}, errors.New("the text is empty")
	case trimmed[0] == '{':
		return readJSON(trimmed)
	}
	return readYAML(b)
}

func readJSON(b []byte) (node, error) {
	d := json.NewDecoder(bytes.NewReader(b))
	d.UseNumber()
	n, err := jsonValue(d, "", 0)
	if err != nil {
		return node{}, err
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return node{}, errors.New("JSON: there is text after the closing brace")
	}
	return n, nil
}

func jsonValue(d *json.Decoder, path string, depth int) (node, error) {
	if depth > maxDepth {
		return node{}, fmt.Errorf("%s: nested too deeply", path)
	}
	token, err := d.Token()
	if err != nil {
		return node{}, jsonError(err)
	}
	switch t := token.(type) {
	case nil:
		return node{kind: null}, nil
	case bool:
		return node{kind: boolean, text: fmt.Sprint(t)}, nil
	case json.Number:
		return node{kind: numeric, text: t.String()}, nil
	case string:
		return node{kind: text, text: t}, nil
	case json.Delim:
		if t == '{' {
			return jsonObject(d, path, depth)
		}
		return jsonList(d, path, depth)
	}
	return node{}, errors.New("JSON: unexpected token")
}

func jsonObject(d *json.Decoder, path string, depth int) (node, error) {
	n := node{kind: object}
	for d.More() {
		token, err := d.Token()
		if err != nil {
			return node{}, jsonError(err)
		}
		key, _ := token.(string)
		if err := n.checkKey(path, key); err != nil {
			return node{}, err
		}
		v, err := jsonValue(d, join(path, key), depth+1)
		if err != nil {
			return node{}, err
		}
		n.keys, n.values = append(n.keys, key), append(n.values, v)
	}
	_, err := d.Token()
	return n, jsonError(err)
}

func jsonList(d *json.Decoder, path string, depth int) (node, error) {
	n := node{kind: list}
	for d.More() {
		v, err := jsonValue(d, fmt.Sprintf("%s[%d]", path, len(n.values)), depth+1)
		if err != nil {
			return node{}, err
		}
		n.values = append(n.values, v)
	}
	_, err := d.Token()
	return n, jsonError(err)
}

func jsonError(err error) error {
	switch {
	case err == nil:
		return nil
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF):
		return errors.New("JSON: the text ends too early")
	}
	return fmt.Errorf("JSON: %w", err)
}

// readYAML reads one YAML document. Anchors, aliases, merge keys and tags are refused: a reader
// would have to resolve them to know what is declared.
func readYAML(b []byte) (n node, err error) {
	defer func() {
		if recover() != nil { // yaml.v3 has panicked on malformed text before
			n, err = node{}, errors.New("YAML: the text cannot be read")
		}
	}()
	d := yaml.NewDecoder(bytes.NewReader(b))
	var document, more yaml.Node
	if err := d.Decode(&document); err != nil {
		return node{}, fmt.Errorf("YAML: %w", err)
	}
	if err := d.Decode(&more); !errors.Is(err, io.EOF) {
		return node{}, errors.New("YAML: one document is wanted")
	}
	if document.Kind != yaml.DocumentNode || len(document.Content) != 1 {
		return node{}, errors.New("YAML: the text is empty")
	}
	return yamlValue(document.Content[0], "", 0)
}

func yamlValue(y *yaml.Node, path string, depth int) (node, error) {
	switch {
	case depth > maxDepth:
		return node{}, fmt.Errorf("%s: nested too deeply", path)
	case y.Kind == yaml.AliasNode, y.Anchor != "":
		return node{}, fmt.Errorf("%s (line %d): anchors and aliases are not supported; write the value out", path, y.Line)
	case y.Style&yaml.TaggedStyle != 0:
		return node{}, fmt.Errorf("%s (line %d): tags are not supported; write the plain value", path, y.Line)
	}
	switch y.Kind {
	case yaml.MappingNode:
		return yamlObject(y, path, depth)
	case yaml.SequenceNode:
		n := node{kind: list}
		for i, c := range y.Content {
			v, err := yamlValue(c, fmt.Sprintf("%s[%d]", path, i), depth+1)
			if err != nil {
				return node{}, err
			}
			n.values = append(n.values, v)
		}
		return n, nil
	}
	return yamlScalar(y), nil
}

func yamlObject(y *yaml.Node, path string, depth int) (node, error) {
	n := node{kind: object}
	for i := 0; i+1 < len(y.Content); i += 2 {
		k := y.Content[i]
		if k.Kind != yaml.ScalarNode || k.ShortTag() == "!!merge" {
			return node{}, fmt.Errorf("%s (line %d): a key is plain text", path, k.Line)
		}
		if err := n.checkKey(path, k.Value); err != nil {
			return node{}, err
		}
		v, err := yamlValue(y.Content[i+1], join(path, k.Value), depth+1)
		if err != nil {
			return node{}, err
		}
		n.keys, n.values = append(n.keys, k.Value), append(n.values, v)
	}
	return n, nil
}

// yamlScalar keeps numbers as written. What YAML would take for a date is text here.
func yamlScalar(y *yaml.Node) node {
	switch y.ShortTag() {
	case "!!null":
		return node{kind: null}
	case "!!bool":
		return node{kind: boolean, text: strings.ToLower(y.Value)}
	case "!!int", "!!float":
		return node{kind: numeric, text: y.Value}
	}
	return node{kind: text, text: y.Value}
}
