package datasets

import (
	"net/url"
	"regexp"
	"strings"
	"unicode"
	"unicode/utf8"
)

// Limits of a declaration.
const (
	MaxRowsPerUnitLimit = 1_000_000 // largest max_rows_per_unit
	MaxDomain           = 10_000    // values of one column's domain

	maxColumns     = 1_000
	maxUnique      = 8     // columns that name a row of a public table
	maxDescription = 4_096 // bytes
	maxCategory    = 1_024 // bytes
	maxText        = 1_024 // bytes of a stored string; a longer one becomes NULL
)

// Validate checks every rule that a declaration must obey before rows may be ingested under it.
// The error wraps ErrDeclaration and lists what to change, column by column.
func (d Declaration) Validate() error {
	var p problems
	d.checkOwners(&p)
	checkDescription(&p, "description", d.Description)
	if len(d.Columns) > maxColumns {
		p.add("columns: there are %d; at most %d can be declared", len(d.Columns), maxColumns)
		return p.err()
	}
	d.checkNames(&p)
	for _, c := range d.Columns {
		if validName(c.Name) == nil {
			c.check(&columnProblems{&p, c.Name})
		}
	}
	return p.err()
}

// checkNames checks the columns' names and that one of them is the privacy ID; in a public table none.
func (d Declaration) checkNames(p *problems) {
	seen := make(map[string]bool, len(d.Columns))
	ids := []string{}
	for i, c := range d.Columns {
		if err := validName(c.Name); err != nil {
			p.add("columns[%d]: %w", i, err)
		} else if seen[c.Name] {
			p.add("column %q is declared twice", c.Name)
		}
		seen[c.Name] = true
		if c.Role == PrivacyID {
			ids = append(ids, shorten(c.Name))
		}
	}
	switch {
	case d.Public && len(ids) > 0:
		p.add("column %s has the role privacy_id, and the rows of a public table are about nobody; make it a key or hidden, or remove public",
			strings.Join(ids[:min(len(ids), 5)], ", "))
	case d.Public:
	case len(ids) == 0:
		p.add("no column has the role privacy_id; name the column that says whose row it is")
	case len(ids) > 1:
		p.add("columns %s all have the role privacy_id; exactly one column has it", strings.Join(ids[:min(len(ids), 5)], ", "))
	}
}

// Column returns the declared column of a name.
func (d Declaration) Column(name string) (Column, bool) {
	for _, c := range d.Columns {
		if c.Name == name {
			return c, true
		}
	}
	return Column{}, false
}

// Stored returns the columns that canonical Parquet holds, keys and measures in declared order.
func (d Declaration) Stored() []Column {
	stored := make([]Column, 0, len(d.Columns))
	for _, c := range d.Columns {
		if c.Role == Key || c.Role == Measure {
			stored = append(stored, c)
		}
	}
	return stored
}

// columnProblems collects problems of one column.
type columnProblems struct {
	*problems
	name string
}

func (p *columnProblems) add(format string, args ...any) {
	p.problems.add("column %q: "+format, append([]any{p.name}, args...)...)
}

func checkDescription(p interface{ add(string, ...any) }, what, s string) {
	switch {
	case len(s) > maxDescription:
		p.add("%s has %d bytes; at most %d are kept", what, len(s), maxDescription)
	case !utf8.ValidString(s):
		p.add("%s is not valid UTF-8", what)
	case strings.ContainsFunc(s, func(r rune) bool { return unicode.IsControl(r) && r != '\n' && r != '\t' }):
		p.add("%s has a control character; write plain text", what)
	}
}

// personalData is the short form of a category of the W3C Data Privacy Vocabulary.
var personalData = regexp.MustCompile(`^pd:[A-Z][A-Za-z0-9-]*$`)

func checkCategory(p *columnProblems, s string) {
	if s == "" || len(s) <= maxCategory && (personalData.MatchString(s) || isIRI(s)) {
		return
	}
	p.add("category %q is neither of the form pd:Word nor an IRI; write one such as pd:Age or https://w3id.org/dpv/pd#Age", shorten(s))
}

// isIRI accepts an absolute IRI with an authority or a urn.
func isIRI(s string) bool {
	bad := func(r rune) bool {
		return r <= ' ' || unicode.IsControl(r) || unicode.IsSpace(r) || strings.ContainsRune("<>\"{}|\\^`\uFFFD", r)
	}
	if strings.ContainsFunc(s, bad) {
		return false
	}
	u, err := url.Parse(s)
	return err == nil && (u.Scheme != "" && u.Host != "" || strings.EqualFold(u.Scheme, "urn") && u.Opaque != "")
}
