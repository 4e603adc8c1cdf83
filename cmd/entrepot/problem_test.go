package main

import (
	"net/http"
	"strings"
	"testing"
)

// Recorded refusals, one a code.
const (
	invalidSQL = `{"type": "urn:entrepot:problem:invalid_sql", "title": "The question cannot be asked this way", "status": 422,
		"code": "invalid_sql", "detail": "MEDIAN is not supported.", "hint": "Write AVG.", "line": 2, "column": 10}`
	denied = `{"title": "The policy does not allow this question", "status": 403, "code": "denied",
		"detail": "The policy of kr_edu.students does not allow this question: no rule allows it.", "query_id": "qry_8z3k5t6n1b2d"}`
	exhausted = `{"title": "The privacy budget does not cover this", "status": 409, "code": "budget_exhausted",
		"detail": "The privacy budget does not cover this question; nothing was charged.", "hint": "Ask for a smaller loss."}`
)

func TestExitCodes(t *testing.T) {
	for _, c := range []struct {
		status int
		code   string
		exit   int
	}{
		{400, "invalid_request", exitRefused}, {401, "unauthenticated", exitRefused}, {403, "forbidden", exitRefused},
		{403, "denied", exitRefused}, {404, "not_found", exitRefused}, {409, "conflict", exitRefused},
		{412, "precondition_failed", exitRefused}, {413, "too_large", exitRefused}, {422, "invalid_sql", exitRefused},
		{429, "rate_limited", exitRefused}, {409, "budget_exhausted", exitExhausted}, {409, "account_frozen", exitExhausted},
		{500, "query_failed", exitFailed}, {500, "internal", exitFailed}, {503, "unavailable", exitFailed},
	} {
		t.Run(c.code, func(t *testing.T) {
			stub{"POST /v1/queries": problems(c.status, `{"code": "`+c.code+`", "detail": "Told why."}`)}.start(t)
			got := run(t, "", "query", "-p", "p", "SELECT COUNT(*) FROM a.b")
			got.want(t, c.exit)
			got.wantErr(t, "entrepot: Told why. ("+c.code+")")
			if again := strings.Contains(got.err, "--idempotency-key ask_"); again != (c.status >= 500) {
				t.Errorf("how to ask again is told: %v\n%s", again, got.err)
			}
		})
	}
}

func TestProblemPointsIntoTheSQL(t *testing.T) {
	stub{"POST /v1/queries": problems(http.StatusUnprocessableEntity, invalidSQL)}.start(t)
	got := run(t, "SELECT gender,\n\tAVG(1), MEDIAN(math)\nFROM kr_edu.students", "query", "-p", "maths_gap", "-")
	got.want(t, exitRefused)
	want := `entrepot: MEDIAN is not supported. (invalid_sql)
  at line 2, column 10
     AVG(1), MEDIAN(math)
             ^
  hint: Write AVG.
`
	if got.err != want {
		t.Errorf("got:\n%s\nwant:\n%s", got.err, want)
	}
	if got.out != "" {
		t.Errorf("stdout: %s", got.out)
	}
}

func TestPlace(t *testing.T) {
	for name, c := range map[string]struct {
		sql          string
		line, column int
		want         string
	}{
		"wide characters":      {"SELECT '한국', x", 1, 14, "    SELECT '한국', x\n                   ^\n"},
		"end of the text":      {"SELECT", 1, 7, "    SELECT\n          ^\n"},
		"carriage return":      {"SELECT\r\nx", 1, 7, "    SELECT\n          ^\n"},
		"escape sequence":      {"\x1b[2J x", 1, 6, "    \\u001b[2J x\n              ^\n"},
		"no such line":         {"SELECT", 3, 1, ""},
		"no such column":       {"SELECT", 1, 70, ""},
		"unknown text":         {"", 1, 1, ""},
		"a line of its own":    {"a\n\nb", 2, 1, "    \n    ^\n"},
		"column in a long one": {strings.Repeat("a", 100) + "b" + strings.Repeat("c", 100), 1, 101, "    …" + strings.Repeat("a", 59) + "b" + strings.Repeat("c", 58) + "…\n" + strings.Repeat(" ", 64) + "^\n"},
	} {
		t.Run(name, func(t *testing.T) {
			p := problem{Line: c.line, Column: c.column, sql: c.sql}
			_, got, _ := strings.Cut(p.place(), "\n")
			if got != c.want {
				t.Errorf("got:\n%s\nwant:\n%s", got, c.want)
			}
		})
	}
}

func TestProblemsAsJSON(t *testing.T) {
	stub{"POST /v1/queries": problems(http.StatusForbidden, denied), "POST /v1/estimates": problems(http.StatusForbidden, denied)}.start(t)
	for _, command := range []string{"query", "estimate"} {
		got := run(t, "", command, "--json", "-p", "p", "SELECT COUNT(*) FROM kr_edu.students")
		got.want(t, exitRefused)
		if got.err != denied+"\n" || got.out != "" {
			t.Errorf("stdout %q, stderr %q", got.out, got.err)
		}
	}
	got := run(t, "", "query", "-p", "p", "SELECT COUNT(*) FROM kr_edu.students")
	got.wantErr(t, "no rule allows it. (denied)", "query: qry_8z3k5t6n1b2d")
}

func TestProblemsDoNotDriveTheTerminal(t *testing.T) {
	stub{"POST /v1/queries": problems(http.StatusConflict, `{"code": "budget_exhausted", "detail": "\u001b]0;owned\u0007 \u202e", "hint": "\u001b[2J"}`)}.start(t)
	got := run(t, "", "query", "-p", "p", "SELECT 1")
	got.want(t, exitExhausted)
	got.wantErr(t, "!\x1b", "!\x07", "!\u202e", `\u001b[2J`)
}
