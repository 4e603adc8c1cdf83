package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"

	"entrepot/datasets"
	"entrepot/sandbox"
)

// maxProblem is the longest refusal read [bytes]; one may hold an upload's report.
const maxProblem = 8 << 20

// problem is a refusal or a failure as the server tells it (RFC 9457).
type problem struct {
	Title  string           `json:"title"`
	Status int              `json:"status"`
	Code   sandbox.Code     `json:"code"`
	Detail string           `json:"detail"`
	Hint   string           `json:"hint"`
	Query  string           `json:"query_id"`
	Line   int              `json:"line"`   // in the SQL text, from 1; 0 for none
	Column int              `json:"column"` // in code points, from 1
	Report *datasets.Report `json:"report"` // of an upload that was refused

	raw  []byte // what the server sent; nil when that was no problem+json
	sql  string // what was asked, for the line that the problem points to
	json bool   // tell it as it came
}

// readProblem reads the body of a response that is no success. Something between us and the server
// may have answered, so anything is expected.
func readProblem(r *http.Response) error {
	p := &problem{Status: r.StatusCode, Title: http.StatusText(r.StatusCode)}
	body, err := io.ReadAll(io.LimitReader(r.Body, maxProblem))
	if err == nil && isJSON(r.Header) && json.Unmarshal(body, p) == nil && p.Code != "" {
		p.Status, p.raw = r.StatusCode, body
		return p
	}
	*p = problem{Status: r.StatusCode, Title: http.StatusText(r.StatusCode)}
	p.Detail = fmt.Sprintf("The answer (%d) is not from an entrepot server.", r.StatusCode)
	p.Hint = "Check --url or ENTREPOT_URL, and what stands between."
	if to := r.Header.Get("Location"); to != "" {
		p.Hint = "It redirects to " + to + "; redirects are not followed, because of the token."
	}
	return p
}

// asProblem finds what a server refused.
func asProblem(err error) (*problem, bool) { return errors.AsType[*problem](err) }

// Error is one line.
func (p *problem) Error() string {
	text := p.Detail
	if text == "" {
		text = p.Title
	}
	return fmt.Sprintf("%s (%s)", text, p.label())
}

// label is what programs call the problem.
func (p *problem) label() string {
	if p.Code != "" {
		return string(p.Code)
	}
	return fmt.Sprintf("status %d", p.Status)
}

// exitCode tells scripts whose turn it is: the caller's, the budget's owner's or the server's.
func (p *problem) exitCode() int {
	switch {
	case p.Code == sandbox.CodeExhausted, p.Code == sandbox.CodeFrozen:
		return exitExhausted
	case p.Code != "" && p.Status >= 400 && p.Status < 500:
		return exitRefused
	default:
		return exitFailed
	}
}

// text is the problem for people, or as it came for programs.
func (p *problem) text() string {
	if p.json && p.raw != nil {
		return strings.TrimRight(string(p.raw), "\n") + "\n"
	}
	var b strings.Builder
	fmt.Fprintf(&b, "entrepot: %s\n", printableLines(p.Error()))
	if p.Line > 0 {
		b.WriteString(p.place())
	}
	if p.Hint != "" {
		fmt.Fprintf(&b, "  hint: %s\n", printableLines(p.Hint))
	}
	if p.Query != "" {
		fmt.Fprintf(&b, "  query: %s\n", printable(p.Query))
	}
	if p.Report != nil {
		b.WriteString(reportText(*p.Report, 0))
	}
	return b.String()
}

// place shows where in the SQL the problem lies: the line, and a caret below the column.
func (p *problem) place() string {
	text := fmt.Sprintf("  at line %d, column %d\n", p.Line, p.Column)
	lines := strings.Split(p.sql, "\n")
	if p.sql == "" || p.Line > len(lines) {
		return text
	}
	line := []rune(strings.TrimRight(lines[p.Line-1], "\r"))
	if p.Column < 1 || p.Column > len(line)+1 {
		return text
	}
	before, after := plainSQL(line[:p.Column-1]), plainSQL(line[p.Column-1:])
	const most = 60 // cells on each side of the caret
	if cut := cells(before) - most; cut > 0 {
		runes := []rune(before)
		for cut >= 0 && len(runes) > 0 {
			cut -= runeCells(runes[0])
			runes = runes[1:]
		}
		before = "…" + string(runes)
	}
	return text + "    " + before + shorten(after, most) + "\n" + "    " + strings.Repeat(" ", cells(before)) + "^\n"
}

// plainSQL makes a piece of a line take the same cells wherever it stands.
func plainSQL(line []rune) string {
	return printable(strings.ReplaceAll(string(line), "\t", " "))
}
