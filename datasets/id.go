package datasets

import (
	"fmt"
	"strings"
)

// maxName is the longest id, in bytes: PostgreSQL's limit for a name.
const maxName = 63

// validName checks one id: [a-z][a-z0-9_]*, at most 63 bytes.
func validName(s string) error {
	if s == "" {
		return fmt.Errorf("a name is missing")
	}
	if len(s) > maxName {
		return fmt.Errorf("%q has %d bytes; a name has at most %d", shorten(s), len(s), maxName)
	}
	for i := range len(s) {
		c := s[i]
		if c >= 'a' && c <= 'z' || i > 0 && (c >= '0' && c <= '9' || c == '_') {
			continue
		}
		return fmt.Errorf("%q is not a name; write a small letter, then small letters, digits and underscores", shorten(s))
	}
	return nil
}

// ValidateID checks a dataset's id, org.dataset: two names of [a-z][a-z0-9_]*, each of at most 63
// bytes.
func ValidateID(id string) error { return pair(id, ".") }

// ValidateUnitSpace checks a unit space's id, org/space.
func ValidateUnitSpace(id string) error { return pair(id, "/") }

func pair(id, separator string) error {
	org, name, ok := strings.Cut(id, separator)
	if !ok {
		return fmt.Errorf("%q is not of the form org%sname", shorten(id), separator)
	}
	if err := validName(org); err != nil {
		return err
	}
	return validName(name)
}

// shortText is how many characters of a text are shown.
const shortText = 40

// shorten cuts a text to 40 characters and makes it valid UTF-8, so that it can be shown.
func shorten(s string) string {
	const bytesEnough = 4 * (shortText + 1)
	cut := len(s) > bytesEnough
	if cut {
		s = s[:bytesEnough]
	}
	runes := []rune(strings.ToValidUTF8(s, "\uFFFD"))
	if len(runes) > shortText || cut {
		return string(runes[:min(len(runes), shortText)]) + "…"
	}
	return string(runes)
}
