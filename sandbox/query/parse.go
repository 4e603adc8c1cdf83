package query

import (
	"errors"
	"strings"
	"unicode/utf8"

	pg "github.com/pganalyze/pg_query_go/v6"
	"github.com/pganalyze/pg_query_go/v6/parser"
)

// example is the hint where the text is far from anything supported.
const example = "write one SELECT, such as SELECT gender, COUNT(*) AS n FROM org.dataset GROUP BY gender"

// parse returns the one SELECT of the text.
func (s source) parse() (*pg.SelectStmt, error) {
	if err := s.checkText(); err != nil {
		return nil, err
	}
	tree, err := pg.Parse(s.text)
	if err != nil {
		return nil, s.syntax(err)
	}
	switch statements := tree.GetStmts(); len(statements) {
	case 0:
		return nil, s.refuse(nowhere, example, "the question is empty")
	case 1:
		if st := statements[0].GetStmt().GetSelectStmt(); st != nil {
			return st, nil
		}
		return nil, s.refuse(s.first(statements[0].GetStmtLocation()), example, "only SELECT is supported")
	default:
		return nil, s.refuse(s.first(statements[1].GetStmtLocation()), "send each question by itself",
			"several statements in one question are not supported")
	}
}

// first skips the white space and semicolons that the parser counts as part of a statement.
func (s source) first(at int32) int32 {
	rest := s.text[at:]
	return at + int32(len(rest)-len(strings.TrimLeft(rest, " \t\r\n\f\v;")))
}

// checkText refuses what must not reach the parser, which is C: NUL ends its text, tens of thousands
// of nested terms overflow its stack, and long runs of operator characters take it quadratic time.
func (s source) checkText() error {
	switch {
	case len(s.text) > MaxText:
		return s.refuse(nowhere, "ask for less at once", "the question is longer than %d bytes", MaxText)
	case !utf8.ValidString(s.text):
		return s.refuse(nowhere, "send the question as UTF-8", "the question is not valid UTF-8")
	}
	if at := strings.IndexByte(s.text, 0); at >= 0 {
		return s.refuse(int32(at), "leave it out", "the question contains a NUL byte")
	}
	const longest = 200
	run := 0
	for i := range len(s.text) {
		if run++; !strings.ContainsRune("~!@#^&|`?+-*/%<>=", rune(s.text[i])) {
			run = 0
		}
		if run > longest {
			return s.refuse(int32(i-longest), "leave them out", "more than %d operator characters in a row", longest)
		}
	}
	if len(s.text) <= MaxTokens {
		return nil // no more tokens than bytes
	}
	scan, err := pg.Scan(s.text)
	if err != nil {
		return s.syntax(err)
	}
	if tokens := scan.GetTokens(); len(tokens) > MaxTokens {
		return s.refuse(tokens[MaxTokens].GetStart(), "ask for less at once", "the question has more than %d words and signs", MaxTokens)
	}
	return nil
}

// syntax is the error for a text that is not PostgreSQL.
func (s source) syntax(err error) error {
	var e *parser.Error
	if !errors.As(err, &e) { // the tree is too deep for its encoding
		return s.refuse(nowhere, "nest less", "the question is nested too deeply")
	}
	at := nowhere
	if e.Cursorpos > 0 {
		at = s.offset(e.Cursorpos)
	}
	return s.refuse(at, example, "%s", short(e.Message))
}

// keyword returns where a key word first stands in the text, for clauses whose place the tree omits.
func (s source) keyword(word string) int32 { return s.after(word, 0) }

// after returns where a key word first stands at or after a place, or nowhere.
func (s source) after(word string, at int32) int32 {
	for _, start := range s.places(word) {
		if start >= at {
			return start
		}
	}
	return nowhere
}

// before returns where a key word last stands before a place, or the place where it does not.
func (s source) before(word string, at int32) int32 {
	last := at
	for _, start := range s.places(word) {
		if start < at {
			last = start
		}
	}
	return last
}

// places returns where a key word stands in the text.
func (s source) places(word string) []int32 {
	var places []int32
	for _, t := range s.tokens() {
		if strings.EqualFold(s.text[t.GetStart():t.GetEnd()], word) {
			places = append(places, t.GetStart())
		}
	}
	return places
}

// tokens splits the text into words and signs, once: it costs half as much as parsing.
func (s source) tokens() []*pg.ScanToken {
	if s.scanned != nil && s.scanned.tokens != nil {
		return s.scanned.tokens
	}
	scan, err := pg.Scan(s.text)
	if err != nil {
		return nil
	}
	if s.scanned != nil {
		s.scanned.tokens = scan.GetTokens()
	}
	return scan.GetTokens()
}

// start returns where an item of FROM begins, or nowhere.
func (s source) start(n *pg.Node) int32 {
	switch v := n.GetNode().(type) {
	case *pg.Node_RangeVar:
		return v.RangeVar.GetLocation()
	case *pg.Node_JoinExpr:
		return s.start(v.JoinExpr.GetLarg())
	case *pg.Node_RangeSubselect:
		return s.startOf(v.RangeSubselect.GetSubquery().GetSelectStmt())
	case *pg.Node_RangeFunction:
		if f := v.RangeFunction.GetFunctions(); len(f) > 0 && len(f[0].GetList().GetItems()) > 0 {
			return locate(f[0].GetList().GetItems()[0], nowhere)
		}
	case *pg.Node_RangeTableSample:
		return s.start(v.RangeTableSample.GetRelation())
	}
	return locate(n, nowhere)
}

// startOf returns where a SELECT begins, or nowhere.
func (s source) startOf(st *pg.SelectStmt) int32 {
	for st.GetOp() != pg.SetOperation_SETOP_NONE && st.GetWithClause() == nil {
		st = st.GetLarg()
	}
	switch {
	case st.GetWithClause() != nil:
		return st.GetWithClause().GetLocation()
	case len(st.GetTargetList()) > 0:
		return s.before("select", st.GetTargetList()[0].GetResTarget().GetLocation())
	}
	return nowhere
}

// locate returns where a node stands in the text, or or when the tree does not say.
func locate(n *pg.Node, or int32) int32 {
	m := n.ProtoReflect()
	if !m.IsValid() {
		return or
	}
	field := m.WhichOneof(m.Descriptor().Oneofs().Get(0))
	if field == nil {
		return or
	}
	inner := m.Get(field).Message()
	if at := inner.Descriptor().Fields().ByName("location"); at != nil {
		if v := int32(inner.Get(at).Int()); v >= 0 {
			return v
		}
	}
	return or
}

// kindOf names a node's kind, as the parser does.
func kindOf(n *pg.Node) string {
	m := n.ProtoReflect()
	if !m.IsValid() {
		return ""
	}
	if field := m.WhichOneof(m.Descriptor().Oneofs().Get(0)); field != nil {
		return string(field.Message().Name())
	}
	return ""
}

// word returns the text of a String node, or "".
func word(n *pg.Node) string { return n.GetString_().GetSval() }
