package query

import (
	"fmt"
	"strings"
	"unicode/utf8"

	pg "github.com/pganalyze/pg_query_go/v6"
)

// Error says why a text is no question that can be planned. It depends on the text and on public
// metadata only: show all of it to the asker.
type Error struct {
	Line    int    // 1-based; 0 when the reason is at no place in the text
	Column  int    // 1-based, in code points; 0 with Line 0
	Message string // what is not supported, in one sentence without a full stop
	Hint    string // what to write instead; "" when there is nothing to suggest
	// NotFound is set when the dataset is absent or not visible to the asker: callers cannot tell which.
	NotFound bool
}

// Error returns place, message and hint.
func (e *Error) Error() string {
	var b strings.Builder
	if e.Line > 0 {
		fmt.Fprintf(&b, "line %d, column %d: ", e.Line, e.Column)
	}
	b.WriteString(e.Message)
	if e.Hint != "" {
		b.WriteString(" (" + e.Hint + ")")
	}
	return b.String()
}

// notFound is the whole message for a dataset that the catalogue does not show.
const notFound = "there is no such dataset, or you may not use it"

// nowhere is the position of an error that is at no place in the text.
const nowhere int32 = -1

// source is the text of a question, for errors that point into it.
type source struct {
	text    string
	scanned *scanned // what tokens remembers; nil: nothing
}

// scanned holds the words and signs of a text.
type scanned struct{ tokens []*pg.ScanToken }

// refuse makes the error for the byte offset at.
func (s source) refuse(at int32, hint, format string, args ...any) error {
	e := &Error{Message: fmt.Sprintf(format, args...), Hint: hint}
	if at >= 0 {
		e.Line, e.Column = s.position(int(at))
	}
	return e
}

// position converts a byte offset to a line and a column of code points, both from 1.
func (s source) position(offset int) (line, column int) {
	before := s.text[:min(offset, len(s.text))]
	line = strings.Count(before, "\n") + 1
	return line, utf8.RuneCountInString(before[strings.LastIndexByte(before, '\n')+1:]) + 1
}

// offset converts a 1-based position in code points, as the parser's errors give it, to bytes.
func (s source) offset(cursor int) int32 {
	n := 1
	for i := range s.text {
		if n == cursor {
			return int32(i)
		}
		n++
	}
	return int32(len(s.text))
}

// short is text for a message, cut so that a long question does not come back as a longer error.
func short(text string) string {
	const most = 80
	if utf8.RuneCountInString(text) <= most {
		return text
	}
	return string([]rune(text)[:most-1]) + "…"
}
