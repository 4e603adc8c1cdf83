package query

import (
	"math"
	"strconv"
	"time"
	"unicode/utf8"

	pg "github.com/pganalyze/pg_query_go/v6"
)

// constant lowers a literal.
func (c *checker) constant(n *pg.A_Const) (term, error) {
	at := n.GetLocation()
	if n.GetIsnull() {
		return term{expr: Expr{Op: OpLiteral, Null: true}, at: at, size: 1, nullable: true}, nil
	}
	switch v := n.GetVal().(type) {
	case *pg.A_Const_Ival:
		return numberLiteral(at, float64(v.Ival.GetIval())), nil
	case *pg.A_Const_Fval:
		return c.decimal(at, v.Fval.GetFval())
	case *pg.A_Const_Boolval:
		return truth(at, v.Boolval.GetBoolval()), nil
	case *pg.A_Const_Sval:
		return c.text(at, v.Sval.GetSval())
	}
	return term{}, c.refuse(at, "write text in single quotes", "bit strings are not supported")
}

// text makes a text constant.
func (c *checker) text(at int32, s string) (term, error) {
	if len(s) > MaxLiteral || !utf8.ValidString(s) {
		return term{}, c.refuse(at, "use a shorter one", "a text constant is longer than %d bytes", MaxLiteral)
	}
	return term{expr: Expr{Op: OpLiteral, Type: Text, Text: s}, at: at, size: 1 + len(s)/16}, nil
}

// decimal makes a numeric constant of what the parser did not read as a 32-bit integer.
func (c *checker) decimal(at int32, s string) (term, error) {
	if n, err := strconv.ParseInt(s, 10, 64); err == nil {
		t := numberLiteral(at, float64(n))
		t.whole, t.integer = true, n // exact, even where the Number is not
		return t, nil
	}
	x, err := strconv.ParseFloat(s, 64)
	if err != nil || math.Abs(x) > largest {
		return term{}, c.refuse(at, "write a plain decimal number below 1e300", "the number %s is not supported", short(s))
	}
	return numberLiteral(at, x), nil
}

// moment makes a Date or Timestamp constant.
func (c *checker) moment(at int32, text string, typ Type) (term, error) {
	canonical, ok := readMoment(text, typ)
	if !ok && typ == Date {
		return term{}, c.refuse(at, "write dates as '2020-01-31'", "'%s' is not a date", short(text))
	}
	if !ok {
		return term{}, c.refuse(at, "write timestamps as '2020-01-31 12:00:00' (UTC) or '2020-01-31T12:00:00+09:00'", "'%s' is not a timestamp", short(text))
	}
	t := term{expr: Expr{Op: OpLiteral, Type: typ, Text: canonical}, at: at, size: 2}
	m, _ := moment(canonical)
	return t.dated(m.UnixMicro(), m.UnixMicro()), nil
}

// The forms of a Date and of a Timestamp.
const (
	dateForm  = "2006-01-02"
	timeForm  = "2006-01-02T15:04:05Z"
	microForm = "2006-01-02T15:04:05.000000Z"
)

// readMoment reads a date or a timestamp and returns its canonical form. A timestamp may have an
// offset, which it is converted by, and may be a date alone. Years run from 1 to 9999.
func readMoment(text string, typ Type) (string, bool) {
	if t, err := time.Parse(dateForm, text); err == nil {
		if typ == Date {
			return text, t.Year() >= 1
		}
		return t.Format(timeForm), t.Year() >= 1
	}
	if typ == Date {
		return "", false
	}
	for _, day := range []string{"2006-01-02 ", "2006-01-02T"} {
		for _, clock := range []string{"15:04", "15:04:05"} {
			for _, zone := range []string{"", "Z07:00", " Z07:00"} {
				t, err := time.Parse(day+clock+zone, text)
				if err != nil {
					continue
				}
				t = t.UTC()
				ok := t.Nanosecond()%1000 == 0 && t.Year() >= 1 && t.Year() <= 9999
				return formatTimestamp(t), ok
			}
		}
	}
	return "", false
}

func formatTimestamp(t time.Time) string {
	if t.Nanosecond() == 0 {
		return t.Format(timeForm)
	}
	return t.Format(microForm)
}
