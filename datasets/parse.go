package datasets

import (
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// MaxDeclaration is the largest declaration text, in bytes.
const MaxDeclaration = 1 << 20

// ParseDeclaration reads a declaration from JSON (text beginning with a brace) or YAML, and
// validates it. Unknown keys, keys given twice and keys differing only in case are errors that
// name the path. Domain values, earliest and latest come back canonical (see Column.DomainValues), so
// that equal declarations marshal to equal JSON. All errors wrap ErrDeclaration.
func ParseDeclaration(b []byte) (Declaration, error) {
	if len(b) > MaxDeclaration {
		return Declaration{}, declarationError("it has %d bytes; at most %d are read", len(b), MaxDeclaration)
	}
	d, err := decode(b)
	if err != nil {
		return Declaration{}, err
	}
	if err := d.Validate(); err != nil {
		return Declaration{}, err
	}
	for i, c := range d.Columns {
		d.Columns[i].Domain = c.DomainValues()
		if earliest, latest, ok := c.Moments(); ok {
			d.Columns[i].Earliest, d.Columns[i].Latest = earliest, latest
		}
	}
	return d, nil
}

// decode reads a declaration's text without judging what it declares.
func decode(b []byte) (Declaration, error) {
	n, err := readNode(b)
	if err != nil {
		return Declaration{}, declarationError("%w", err)
	}
	var p decoder
	var d Declaration
	p.declaration(n, &d)
	return d, p.err()
}

// UnmarshalJSON reads a declaration as strictly as ParseDeclaration does, without validating it.
func (d *Declaration) UnmarshalJSON(b []byte) error {
	v, err := decode(b)
	if err != nil {
		return err
	}
	*d = v
	return nil
}

// UnmarshalJSON reads a column as strictly as ParseDeclaration does, without validating it.
func (c *Column) UnmarshalJSON(b []byte) error {
	n, err := readNode(b)
	if err != nil {
		return declarationError("%w", err)
	}
	var p decoder
	var v Column
	p.column("", n, &v)
	if err := p.err(); err != nil {
		return err
	}
	*c = v
	return nil
}

// decoder collects what is wrong with the shape of a text.
type decoder struct{ problems }

// fields says how the keys of an object are read.
type fields map[string]func(path string, n node)

func (p *decoder) object(path string, n node, f fields) {
	if n.kind != object {
		p.add("%s is %s; an object is wanted", place(path), n.kind)
		return
	}
	for i, k := range n.keys {
		read, ok := f[k]
		if !ok {
			known := make([]string, 0, len(f))
			for name := range f {
				known = append(known, name)
			}
			slices.Sort(known)
			p.add("%s: unknown key; the keys here are %s", join(path, k), strings.Join(known, ", "))
			continue
		}
		if n.values[i].kind != null {
			read(join(path, k), n.values[i])
		}
	}
}

func place(path string) string {
	if path == "" {
		return "the text"
	}
	return path
}

func (p *decoder) declaration(n node, d *Declaration) {
	p.object("", n, fields{
		"unit_space":        p.text(&d.UnitSpace),
		"max_rows_per_unit": p.int64(&d.MaxRowsPerUnit),
		"public":            p.bool(&d.Public),
		"unique":            p.texts(&d.Unique),
		"description":       p.text(&d.Description),
		"columns": func(path string, n node) {
			if n.kind != list {
				p.add("%s is %s; a list of columns is wanted", path, n.kind)
				return
			}
			if len(n.values) > maxColumns {
				p.add("%s: %d columns; at most %d can be declared", path, len(n.values), maxColumns)
				return
			}
			d.Columns = make([]Column, len(n.values))
			for i, v := range n.values {
				p.column(fmt.Sprintf("%s[%d]", path, i), v, &d.Columns[i])
			}
		},
	})
}

func (p *decoder) column(path string, n node, c *Column) {
	p.object(path, n, fields{
		"name":        p.text(&c.Name),
		"type":        p.text((*string)(&c.Type)),
		"role":        p.text((*string)(&c.Role)),
		"lower":       p.decimal(&c.Lower),
		"upper":       p.decimal(&c.Upper),
		"resolution":  p.decimal(&c.Resolution),
		"earliest":    p.text(&c.Earliest),
		"latest":      p.text(&c.Latest),
		"domain":      p.domain(&c.Domain),
		"nullable":    p.bool(&c.Nullable),
		"category":    p.text(&c.Category),
		"description": p.text(&c.Description),
		"form": func(path string, n node) {
			c.Form = &IDForm{}
			p.object(path, n, fields{
				"keep_space":          p.bool(&c.Form.KeepSpace),
				"case":                p.text(&c.Form.Case),
				"strip_leading_zeros": p.bool(&c.Form.StripLeadingZeros),
			})
		},
	})
}

func (p *decoder) text(to *string) func(string, node) {
	return func(path string, n node) {
		if n.kind != text {
			p.add("%s is %s; text is wanted", path, n.kind)
			return
		}
		*to = n.text
	}
}

func (p *decoder) texts(to *[]string) func(string, node) {
	return func(path string, n node) {
		if n.kind != list {
			p.add("%s is %s; a list of names is wanted", path, n.kind)
			return
		}
		if len(n.values) > maxColumns {
			p.add("%s: %d names; at most %d columns can be declared", path, len(n.values), maxColumns)
			return
		}
		for i, v := range n.values { // an empty list is as good as none
			var s string
			p.text(&s)(fmt.Sprintf("%s[%d]", path, i), v)
			*to = append(*to, s)
		}
	}
}

func (p *decoder) bool(to *bool) func(string, node) {
	return func(path string, n node) {
		if n.kind != boolean {
			p.add("%s is %s; write true or false", path, n.kind)
			return
		}
		*to = n.text == "true"
	}
}

func (p *decoder) int64(to *int64) func(string, node) {
	return func(path string, n node) {
		v, err := strconv.ParseInt(n.text, 10, 64)
		if n.kind != numeric || err != nil {
			p.add("%s: a whole number is wanted", path)
			return
		}
		*to = v
	}
}

func (p *decoder) decimal(to *Decimal) func(string, node) {
	return func(path string, n node) {
		if n.kind != numeric && n.kind != text {
			p.add("%s is %s; a number is wanted", path, n.kind)
			return
		}
		v, err := ParseDecimal(n.text)
		if err != nil {
			p.add("%s: %w", path, err)
			return
		}
		*to = v
	}
}

// domain keeps whole numbers as int64 and any other number as it is written, for Validate to judge.
func (p *decoder) domain(to *[]any) func(string, node) {
	return func(path string, n node) {
		if n.kind != list {
			p.add("%s is %s; a list of values is wanted", path, n.kind)
			return
		}
		*to = make([]any, len(n.values))
		for i, v := range n.values {
			switch v.kind {
			case text:
				(*to)[i] = v.text
			case boolean:
				(*to)[i] = v.text == "true"
			case numeric:
				(*to)[i] = json.Number(v.text)
				if whole, err := strconv.ParseInt(v.text, 10, 64); err == nil {
					(*to)[i] = whole
				}
			case list, object:
				p.add("%s[%d] is %s; a value is wanted", path, i, v.kind)
			}
		}
	}
}
