package access

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"unicode"
)

// problems collects what is wrong with a document, so that its author can mend it in one go.
type problems struct{ found []string }

// add notes message, about the place path, unless message is empty.
func (p *problems) add(path, message string) {
	if message != "" {
		p.found = append(p.found, at(path, message).Error())
	}
}

// err is nil if nothing was found; otherwise it wraps ErrDocument and lists the first few.
func (p *problems) err() error {
	const shown = 10
	if len(p.found) == 0 {
		return nil
	}
	text := strings.Join(p.found[:min(shown, len(p.found))], "; ")
	if more := len(p.found) - shown; more > 0 {
		text += fmt.Sprintf("; and %d more", more)
	}
	return fmt.Errorf("%w: %w", ErrDocument, errors.New(text))
}

// list notes what is wrong with each of values, and values given twice.
func list[T ~string](p *problems, path string, values []T, wrong func(string) string) {
	if len(values) > maxList {
		p.add(path, fmt.Sprintf("it has %d values; at most %d are read", len(values), maxList))
		return
	}
	for i, value := range values {
		place := fmt.Sprintf("%s[%d]", path, i)
		p.add(place, wrong(string(value)))
		if slices.Contains(values[:i], value) {
			p.add(place, quote(string(value))+" is given twice")
		}
	}
}

func idProblem(s string) string {
	if validID(s) {
		return ""
	}
	return quote(s) + " is not an identifier: " + idForm
}

func datasetProblem(s string) string {
	if validPair(s, ".") {
		return ""
	}
	return quote(s) + " is not a dataset: write org.dataset, each " + idForm
}

// textProblem returns what is wrong with a line of text for people: empty, longer than limit bytes,
// or with characters that could forge a second line in a log or a page.
func textProblem(s string, limit int) string {
	switch {
	case strings.TrimSpace(s) == "":
		return "it is empty"
	case len(s) > limit:
		return fmt.Sprintf("it has %d bytes; at most %d are kept", len(s), limit)
	case strings.ContainsFunc(s, func(r rune) bool { return !unicode.IsPrint(r) }):
		return "it holds a character that does not print, or a line break"
	}
	return ""
}
