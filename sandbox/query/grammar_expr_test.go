package query_test

import (
	"math"
	"slices"
	"strings"
	"time"

	"entrepot/sandbox/query"
)

// condition checks a Bool.
func (a *auditor) condition(what string, e *query.Expr, in fields) {
	if e == nil {
		return
	}
	if e.Type != query.Bool {
		a.fail("%s is %s", what, e.Type)
	}
	a.expr(*e, in)
}

// signatures are the operations with the types of their arguments and of what they make, by first letter:
// number, int, text, bool, date, stamp (a Timestamp); x and y stand for any type, y for one with an order, m
// for a Date or a Timestamp, the same each time; l is a literal of x, + repeats what is before it.
var signatures = map[query.Op]string{
	query.OpToNumber: "i n", query.OpAdd: "nn n", query.OpSub: "nn n", query.OpMul: "nn n", query.OpDiv: "nn n", query.OpNeg: "n n", query.OpAbs: "n n",
	query.OpRound: "n n", query.OpFloor: "n n", query.OpCeil: "n n", query.OpClamp: "nll n",
	query.OpEq: "xx b", query.OpNe: "xx b", query.OpLt: "yy b", query.OpLe: "yy b", query.OpGt: "yy b", query.OpGe: "yy b",
	query.OpAnd: "bb+ b", query.OpOr: "bb+ b", query.OpNot: "b b", query.OpIsNull: "x b", query.OpIn: "xll+ b", query.OpLike: "t b",
	query.OpCoalesce: "x+ x", query.OpNullIf: "xx x", query.OpLower: "t t", query.OpUpper: "t t", query.OpTrim: "t t", query.OpLength: "t n",
	query.OpYear: "m n", query.OpQuarter: "m n", query.OpMonth: "m n", query.OpDay: "m n", query.OpDow: "m n", query.OpWeek: "m n",
	query.OpHour: "s n", query.OpMinute: "s n", query.OpSecond: "s n", query.OpDateTrunc: "m m", query.OpDateAdd: "m m",
	query.OpDays: "dd n", query.OpSeconds: "ss n", query.OpToDate: "s d", query.OpToTime: "d s", query.OpBucket: "nl+ n",
	query.OpParseNumber: "t n", query.OpParseDate: "t d",
}

// letter is a type in signatures.
func letter(t query.Type) string {
	switch t {
	case query.Timestamp:
		return "s"
	case query.Number, query.Int, query.Text, query.Bool, query.Date:
		return string(t[:1])
	}
	return "?"
}

// expr checks an expression and all in it.
func (a *auditor) expr(e query.Expr, in fields) {
	a.extras(e)
	switch e.Op {
	case query.OpColumn:
		f, ok := in[e.Column]
		if !ok || f.Type != e.Type || f.Num != e.Num || f.Den != e.Den || len(e.Args) > 0 {
			a.fail("there is no field %+v: %+v", e, f)
		}
	case query.OpReleased:
		a.released(e, in)
	case query.OpLiteral:
		a.literal(e)
	case query.OpCase:
		a.cases(e, in)
		return
	default:
		a.signature(e)
	}
	for _, x := range e.Args {
		if x.Null {
			a.fail("a NULL in %s", e.Op)
		}
		a.expr(x, in)
	}
}

// signature checks number and types of arguments.
func (a *auditor) signature(e query.Expr) {
	s, ok := signatures[e.Op]
	takes, makes, _ := strings.Cut(s, " ")
	for i := strings.IndexByte(takes, '+'); ok && i > 0 && len(takes) <= len(e.Args); {
		takes = takes[:i] + takes[i-1:] // one more
	}
	if takes = strings.TrimSuffix(takes, "+"); !ok || len(takes) != len(e.Args) {
		a.fail("%s of %d arguments", e.Op, len(e.Args))
		return
	}
	bound := map[byte]string{}
	for i, x := range e.Args {
		want, is := takes[i], letter(x.Type)
		switch want {
		case 'l':
			if x.Op != query.OpLiteral || x.Type != e.Args[0].Type {
				a.fail("%s has a %s %s where a literal belongs", e.Op, x.Type, x.Op)
			}
		case 'x', 'y', 'm':
			if bound[want] == "" {
				bound[want] = is
			}
			if is != bound[want] || want == 'm' && is != "d" && is != "s" || want == 'y' && is == "b" {
				a.fail("%s of %s", e.Op, x.Type)
			}
		default:
			if is != string(want) {
				a.fail("%s of %s", e.Op, x.Type)
			}
		}
	}
	if b, ok := bound[makes[0]]; ok {
		makes = b
	}
	if letter(e.Type) != makes {
		a.fail("%s makes %s", e.Op, e.Type)
	}
	a.constants(e)
}

// constants checks what operations hold beside arguments.
func (a *auditor) constants(e query.Expr) {
	ok := true
	switch e.Op {
	case query.OpClamp:
		ok = e.Args[1].Number < e.Args[2].Number
	case query.OpBucket:
		ok = slices.IsSortedFunc(e.Args[1:], func(x, y query.Expr) int {
			if x.Number < y.Number {
				return -1
			}
			return 1
		})
	case query.OpLike:
		ok = len(e.Text) <= query.MaxPattern && !strings.ContainsAny(e.Text, "\\\x00") && strings.Count(e.Text, "%") <= 8
	case query.OpDateTrunc:
		ok = slices.Contains([]string{"year", "quarter", "month", "week", "day"}, e.Text) || e.Type == query.Timestamp && (e.Text == "hour" || e.Text == "minute")
	case query.OpDateAdd:
		ok = e.Text == "month" || e.Text == "day" || e.Text == "second" && e.Type == query.Timestamp
	}
	if !ok {
		a.fail("%s with %q and %v", e.Op, e.Text, e.Args)
	}
}

// cases checks CASE: conditions, and values of one type, of which some may be NULL.
func (a *auditor) cases(e query.Expr, in fields) {
	if len(e.Args) < 3 || len(e.Args)%2 == 0 {
		a.fail("CASE of %d arguments", len(e.Args))
	}
	for i, x := range e.Args {
		value := i%2 == 1 || i == len(e.Args)-1
		if value && x.Type != e.Type || !value && (x.Type != query.Bool || x.Null) {
			a.fail("CASE of %s holds %s at %d", e.Type, x.Type, i)
		}
		a.expr(x, in)
	}
}

// extras checks that an expression holds nothing that its operation does not use, and has an interval.
func (a *auditor) extras(e query.Expr) {
	literal := e.Op == query.OpLiteral
	texts := e.Type == query.Text || e.Type == query.Date || e.Type == query.Timestamp
	for what, wrong := range map[string]bool{
		"a column":       e.Op != query.OpColumn && (e.Column != "" || e.Num != 0 || e.Den != 0),
		"a released":     (e.Op == query.OpReleased) != (e.Released != nil),
		"a text":         e.Text != "" && !(literal && texts) && e.Op != query.OpLike && e.Op != query.OpDateTrunc && e.Op != query.OpDateAdd,
		"a number":       e.Number != 0 && !(literal && e.Type == query.Number),
		"an integer":     e.Int != 0 && !(literal && e.Type == query.Int) && e.Op != query.OpDateAdd,
		"a condition":    e.Bool && !(literal && e.Type == query.Bool),
		"a NULL":         e.Null && !literal,
		"an interval":    e.Type != query.Number && (e.Lo != 0 || e.Hi != 0),
		"a wrong one":    e.Type == query.Number && !(e.Lo <= e.Hi && e.Lo >= -1e300 && e.Hi <= 1e300),
		"a wrong type":   letter(e.Type) == "?",
		"negative zeros": math.Signbit(e.Number) && e.Number == 0,
	} {
		if wrong {
			a.fail("%s has %s: %+v", e.Op, what, e)
		}
	}
}

// literal checks a constant.
func (a *auditor) literal(e query.Expr) {
	ok := len(e.Args) == 0
	switch {
	case e.Null:
	case e.Type == query.Number:
		ok = ok && e.Lo == e.Number && e.Hi == e.Number
	case e.Type == query.Text:
		ok = ok && len(e.Text) <= query.MaxLiteral && !strings.Contains(e.Text, "\x00")
	case e.Type == query.Date:
		_, err := time.Parse(time.DateOnly, e.Text)
		ok = ok && err == nil
	case e.Type == query.Timestamp:
		_, err := time.Parse(time.RFC3339Nano, e.Text)
		ok = ok && err == nil
	}
	if !ok {
		a.fail("no literal: %+v", e)
	}
}

// released checks a released value, which only HAVING may name.
func (a *auditor) released(e query.Expr, in fields) {
	if in != nil || e.Released == nil || len(e.Args) > 0 || !a.index(e.Released.Key, e.Released.Aggregate) {
		a.fail("a released value stands in the wrong place: %+v", e)
		return
	}
	want := query.Number
	if k := e.Released.Key; k >= 0 {
		want = a.parts.Keys[k].Expr.Type
	}
	if e.Type != want {
		a.fail("a released %s is %s", want, e.Type)
	}
}
